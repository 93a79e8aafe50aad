# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page in a real browser: the whole way, and detours that people take.

What was copied there has to open the real mail servers.
"""

import http.server
import plistlib
import re
import threading

import pytest

import axe
import dovecot
import smtp
from apppassword import from_now
from authenticator import Authenticator
from browser import Browser
from conftest import new_folder
from page_client import SHOWN
from portal import Portal
from portal_tour import Tour
from processes import Clock, wait_until
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from visits import link_in, signed_in

SIGN_IN, START, CHOOSE = ("App passwords for mail", "Two-step verification is turned on for you",
                          "Choose your second step")
APP, CONTACT, CONTACT_CODE = ("Set up your authenticator app", "Your alternate e-mail address",
                              "Verify your alternate e-mail address")
VERIFIED, PASSWORD, LIST = "Your second step is set up", "Your app password", "Your app passwords"
CHALLENGE, ENROLMENT_CODE = "Your second step", "The code from your administrator"
ERROR = "That didn’t work"
WRONG_CODE = "This code is wrong"
ELSEWHERE = "alice@example.net"


@pytest.fixture(scope="module")
def portal(workdir, directory):
    server = Portal(workdir / "portal-browser", directory,
                    {"imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:465"})
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def portal_with_code(workdir, directory):
    server = Portal(workdir / "portal-with-code", directory, {"enrolment": "code"})
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def browse(workdir):
    """Starts browsers, each with a profile of its own: browse(language="nb")."""
    browsers = []

    def make(**options):
        browsers.append(Browser(new_folder(workdir, "browser") / "b", **options))
        return browsers[-1]

    yield make
    for browser in browsers:
        browser.quit()


@pytest.fixture(scope="module")
def usual_browser(browse):
    return browse()


@pytest.fixture
def browser(usual_browser):
    """A browser with an empty profile."""
    usual_browser.forget()
    return usual_browser


@pytest.fixture(scope="module")
def browser_without_javascript(browse):
    """The browser for the tests of the whole way."""
    return browse(javascript=False)


@pytest.fixture(scope="module")
def mail(mail_server):
    """A Postfix that also records the last use."""
    return mail_server({"record_use": None})


@pytest.fixture
def opens_mail(mail, usual_dovecot):
    """The answer of Postfix and Dovecot to a password, which must be the same."""
    def ask(person, password):
        replies = {smtp.ACCEPTED: dovecot.ACCEPTED, smtp.REFUSED: dovecot.REFUSED}
        reply = replies[mail.sign_in(person.uid, password).code]
        assert dovecot.imap(usual_dovecot, person.uid, password) == reply
        return reply == dovecot.ACCEPTED
    return ask


@pytest.fixture
def other_site():
    """A page of another site: other_site(html); its address has the name localhost or a number."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(server.html.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(html, host):
        server.html = f"<!doctype html><h1>Prize</h1>{html}"
        return f"http://{host}:{server.server_port}/"

    yield serve
    server.shutdown()
    server.server_close()


# ---- The steps of the way ----

def sign_in(browser, portal, person, password=None):
    browser.open(portal.conf["public_url"])
    browser.fill("User name", person.uid)
    browser.fill("Account password", password or person.password)
    browser.press("Sign in")


def begin(browser, portal, person, method):
    """Go to the page of the method."""
    sign_in(browser, portal, person)
    browser.expect(START)
    browser.press("Set it up now")
    choose(browser, method)


def choose(browser, method):
    browser.expect(CHOOSE)
    browser.press_here(method)
    browser.press("Continue")


def scan(browser):
    browser.expect(APP)
    return Authenticator.scan(browser.find(".qr").screenshot_as_png)


def enter(browser, label, code, button="Verify"):
    browser.fill(label, code)
    browser.press(button)


def set_up_app(browser, portal, person):
    begin(browser, portal, person, "With an authenticator app")
    phone = scan(browser)
    enter(browser, "Code from the app", phone.code())
    browser.expect(VERIFIED)
    return phone


def make_first(browser, label="My mail program"):
    browser.expect(VERIFIED)
    browser.fill("Which program is it for?", label)
    browser.press("Create")
    browser.expect(PASSWORD)
    return browser.find("#app-password").text


def make_another(browser, label):
    browser.expect(LIST)
    browser.fill("Which program is it for?", label)
    browser.send("create")
    browser.expect(PASSWORD)
    return browser.find("#app-password").text


def copy(browser):
    """Press Copy, continue, and paste into a field; returns what was pasted."""
    browser.press_here("Copy")
    wait_until(lambda: browser.find("#copy-status").text == "Copied", "the copy button to say so")
    browser.press("I’ve pasted it")
    browser.expect(LIST)
    return browser.paste("Which program is it for?")


def in_list(browser):
    """The names of the app passwords, sorted, because those of the same second come in any order."""
    browser.expect(LIST)
    return sorted(each.text.strip() for each in browser.find_all(".list:not(.revoked) h2"))


# ---- The whole way ----

def test_the_whole_way_with_an_authenticator_app(browser, portal, directory, mail, opens_mail):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, "With an authenticator app")
    phone = scan(browser)
    enter(browser, "Code from the app", phone.wrong_code())
    browser.expect(APP)
    assert WRONG_CODE in browser.text()
    enter(browser, "Code from the app", phone.code())
    shown = make_first(browser, "Outlook on the laptop")
    copied = copy(browser)
    assert copied == shown and re.fullmatch(SHOWN, copied)
    assert opens_mail(person, copied)
    assert not opens_mail(person, person.password)
    later_visit(browser, portal, directory, mail, person, phone)
    assert not opens_mail(person, copied)


def later_visit(browser, portal, directory, mail, person, phone):
    """The list shows the last use; then revoke it."""
    wait_until(lambda: directory.values(person, "appPasswordUsed"), "the last use to be noted")
    browser.press("Sign out")
    browser.expect(SIGN_IN)
    assert "You’re signed out" in browser.text()
    sign_in(browser, portal, person)
    browser.expect(CHALLENGE)
    enter(browser, "Code from the app", phone.code(), "Continue")
    assert in_list(browser) == ["Outlook on the laptop"]
    assert " smtp 127.0.0.1\n" in browser.find(".list dl").text
    browser.press_here("Revoke Outlook")
    browser.press("Revoke “Outlook on the laptop”")
    browser.expect(LIST)
    assert "The app password was revoked." in browser.find("[role=status]").text
    assert in_list(browser) == [] and "You have no app passwords" in browser.text()


def test_the_whole_way_with_a_code_by_mail(browser, portal, directory, opens_mail):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, "With a code by e-mail")
    browser.expect(CONTACT)
    enter(browser, "Alternate e-mail address", person.mail, "Send a code")
    browser.expect(CONTACT)
    assert "belongs to the mailbox that the code protects" in browser.text()
    enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
    browser.expect(CONTACT_CODE)
    code = portal.code_by_mail()
    assert portal.mails()[-1][0] == ELSEWHERE
    enter(browser, "Code from the e-mail", f"{(int(code) + 1) % 1000000:06}")
    browser.expect(CONTACT_CODE)
    assert WRONG_CODE in browser.text()
    enter(browser, "Code from the e-mail", code)
    shown = make_first(browser)
    assert copy(browser) == shown
    assert opens_mail(person, shown) and not opens_mail(person, person.password)

    browser.press("Sign out")
    sign_in(browser, portal, person)
    browser.expect(CHALLENGE)
    assert "a…e@example.net" in browser.text()
    enter(browser, "Code from the e-mail", code, "Continue")  # it was used already
    browser.expect(CHALLENGE)
    assert WRONG_CODE in browser.text()
    enter(browser, "Code from the e-mail", portal.code_by_mail(), "Continue")
    assert in_list(browser) == ["My mail program"]


@pytest.mark.parametrize("method", ["app", "mail"])
def test_the_whole_way_without_javascript(
        browser_without_javascript, portal, directory, opens_mail, method):
    browser = browser_without_javascript
    browser.forget()
    person = directory.new_person(mfa=True)
    if method == "app":
        phone = set_up_app(browser, portal, person)
    else:
        begin(browser, portal, person, "With a code by e-mail")
        browser.expect(CONTACT)
        enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
        browser.expect(CONTACT_CODE)
        enter(browser, "Code from the e-mail", portal.code_by_mail())
    make_first(browser)
    assert not browser.find("#copy").is_displayed()
    copied = copy_by_hand(browser)
    assert opens_mail(person, copied)
    browser.driver.back()
    browser.expect(PASSWORD)
    assert copied not in browser.driver.page_source
    browser.press("Sign out")
    sign_in(browser, portal, person)
    browser.expect(CHALLENGE)
    if method == "app":
        enter(browser, "Code from the app", phone.code(), "Continue")
    else:
        enter(browser, "Code from the e-mail", portal.code_by_mail(), "Continue")
    browser.expect(LIST)
    browser.press_here("Revoke all app passwords")
    browser.press("Revoke all now")
    browser.expect(LIST)
    assert "All app passwords were revoked." in browser.text()
    assert not opens_mail(person, copied)


def copy_by_hand(browser):
    """A click selects all of it; Ctrl+C, continue, Ctrl+V."""
    browser.find("#app-password").click()
    browser.find("body").send_keys(Keys.CONTROL, "c")
    browser.press("I’ve pasted it")
    browser.expect(LIST)
    return browser.paste("Which program is it for?")


# ---- Unfinished steps ----

def test_users_without_mfa_see_whom_to_ask_and_nothing_else(browser, portal, directory):
    sign_in(browser, portal, directory.new_person())
    browser.expect("You don’t need an app password")
    assert "Would you like to use it? Ask here: help@example.org" in browser.text()
    assert [each.text for each in browser.find_all("main button, main a")] == ["Sign out"]
    for path in ("choose", "app", "verified", "password"):
        browser.open(f"{portal.conf['public_url']}/{path}")
        browser.expect("You don’t need an app password")


def test_mfa_that_is_announced_says_from_when(browser, portal, directory):
    person = directory.new_person()
    directory.set_mfa(person, True, "20991231120000Z")
    sign_in(browser, portal, person)
    browser.expect(START)
    assert "From 2099-12-31 on, mail programs need an app password." in browser.text()


def test_an_enrolment_code_is_asked_for_once(browser, portal_with_code, directory):
    person = directory.new_person()
    printed = portal_with_code.done("mfa", "on", person.uid, "--code")
    code = re.search(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4})+\b", printed)[0]
    sign_in(browser, portal_with_code, person)
    browser.expect(ENROLMENT_CODE)
    browser.open(f"{portal_with_code.conf['public_url']}/choose")
    browser.expect(ENROLMENT_CODE)
    enter(browser, "Code from your administrator", "k7q2-9fjd", "Continue")
    browser.expect(ENROLMENT_CODE)
    assert WRONG_CODE in browser.text()
    enter(browser, "Code from your administrator", f"\u00a0{code.upper()}\u200b ", "Continue")
    browser.expect(START)
    browser.press("Set it up now")
    choose(browser, "With an authenticator app")
    from_app = scan(browser).code()
    enter(browser, "Code from the app", f"\u200b{from_app[:3]}\u00a0{from_app[3:]}")
    make_first(browser)

    portal_with_code.done("mfa", "reset", person.uid)
    sign_in(browser, portal_with_code, person)
    browser.expect(ENROLMENT_CODE)
    enter(browser, "Code from your administrator", code, "Continue")
    browser.expect(ENROLMENT_CODE)
    assert WRONG_CODE in browser.text()


# ---- Codes ----

def test_a_code_works_once_and_wrong_ones_cost_time(browser, portal, directory):
    person = directory.new_person(mfa=True)
    phone = set_up_app(browser, portal, person)
    browser.press("Sign out")
    sign_in(browser, portal, person)
    for code in [phone.last_code(), *[phone.wrong_code()] * 4]:
        browser.expect(CHALLENGE)
        enter(browser, "Code from the app", code, "Continue")
        browser.expect(CHALLENGE)
        assert WRONG_CODE in browser.text()
    enter(browser, "Code from the app", phone.code(), "Continue")
    browser.expect(CHALLENGE)
    assert "too many wrong tries" in browser.text()


def test_the_owner_gets_in_while_somebody_guesses_codes(browser, portal, directory):
    """With the mailed link, which asks for confirmation first and works once."""
    person = directory.new_person(mfa=True)
    phone = set_up_app(browser, portal, person)
    browser.driver.delete_all_cookies()
    for number in range(50):
        client = signed_in(portal, person, **{"X-Real-IP": f"203.0.113.{number}"})
        client.post("verify", code=phone.wrong_code())
    link = f"{portal.conf['public_url']}/{link_in(portal)}"
    sign_in(browser, portal, person)
    enter(browser, "Code from the app", phone.code(), "Continue")
    browser.expect(CHALLENGE)
    assert "too many wrong codes for this account today" in browser.text()
    browser.open(link)
    browser.expect("Use this browser?")
    assert "Do this only if you opened the link yourself" in browser.text()
    browser.press("Use this browser")
    browser.expect(CHALLENGE)
    assert "This browser accepts your codes again" in browser.text()
    browser.open(link)
    browser.press("Use this browser")
    browser.expect(CHALLENGE)
    assert "This link no longer works" in browser.text()
    enter(browser, "Code from the app", phone.code(), "Continue")
    browser.expect(LIST)


def test_another_mail_is_sent_on_request(browser, portal, directory):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, "With a code by e-mail")
    browser.expect(CONTACT)
    enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
    browser.expect(CONTACT_CODE)
    first = portal.code_by_mail()
    browser.press("Send another code")
    browser.expect(CONTACT_CODE)
    assert "A new code is on its way." in browser.text()
    if portal.code_by_mail() != first:  # they are the same once in a million
        enter(browser, "Code from the e-mail", first)
        browser.expect(CONTACT_CODE)
        assert WRONG_CODE in browser.text()
    enter(browser, "Code from the e-mail", portal.code_by_mail())
    browser.expect(VERIFIED)


# ---- Tabs, back, reload, time ----

def test_two_tabs_that_set_up_two_apps_end_with_one(browser, portal, directory):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, "With an authenticator app")
    first_tab, first_app = browser.driver.current_window_handle, scan(browser)
    second_tab = browser.tab()
    browser.open(f"{portal.conf['public_url']}/choose")
    choose(browser, "With an authenticator app")
    second_app = scan(browser)

    browser.driver.switch_to.window(first_tab)
    enter(browser, "Code from the app", first_app.code())
    browser.expect(APP)
    assert WRONG_CODE in browser.text()
    assert scan(browser).last_code() == Authenticator.last_code(second_app)
    enter(browser, "Code from the app", second_app.code())
    browser.expect(VERIFIED)

    # The other tab's form is from before the user had all rights.
    browser.driver.switch_to.window(second_tab)
    enter(browser, "Code from the app", second_app.code())
    browser.expect(ERROR)
    browser.press("Back to the start")
    browser.expect(LIST)


def test_two_tabs_make_two_app_passwords(browser, portal, directory, opens_mail):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    first = make_first(browser, "first")
    browser.tab()
    browser.open(portal.conf["public_url"])
    second = make_another(browser, "second")
    assert first != second and opens_mail(person, first) and opens_mail(person, second)
    browser.press("I’ve pasted it")
    assert in_list(browser) == ["first", "second"]


def test_neither_reload_nor_back_shows_an_app_password_again(browser, portal, directory):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    shown = make_first(browser)
    browser.driver.refresh()
    browser.expect(PASSWORD)
    assert "has already been shown once" in browser.text()
    browser.press("Go to your list")
    another = make_another(browser, "another")
    browser.press("I’ve pasted it")
    browser.expect(LIST)
    for move in (browser.driver.back, browser.driver.back, browser.driver.forward):
        move()
        assert shown not in browser.driver.page_source
        assert another not in browser.driver.page_source
    browser.open(portal.conf["public_url"])
    assert in_list(browser) == ["My mail program", "another"]


def test_back_from_another_site_does_not_show_it_either(browser, portal, directory, other_site):
    set_up_app(browser, portal, directory.new_person(mfa=True))
    shown = make_first(browser)
    browser.open(other_site("", "localhost"))
    browser.driver.back()
    wait_until(lambda: "has already been shown once" in browser.text(), "the page to be fetched again")
    assert shown not in browser.driver.page_source


def test_signed_out_and_back_shows_nothing(browser, portal, directory):
    set_up_app(browser, portal, directory.new_person(mfa=True))
    make_first(browser, "Mail at home")
    browser.press("I’ve pasted it")
    assert in_list(browser) == ["Mail at home"]
    browser.press("Sign out")
    browser.expect(SIGN_IN)
    browser.driver.back()
    browser.expect(SIGN_IN)
    assert "Mail at home" not in browser.driver.page_source


@pytest.fixture
def portal_with_clock(workdir, directory):
    """A portal whose clocks can be set forward: set_clock("+9m")."""
    server = Portal(new_folder(workdir, "clock") / "portal", directory,
                    {"imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:465"})
    clock = Clock(server.folder / "clock")
    server.set_clock = clock.set
    try:
        yield server.start(clock.env)
    finally:
        server.stop()


def test_ten_minutes_without_a_click_end_the_visit(browser, portal_with_clock, directory):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal_with_clock, person)
    make_first(browser)
    browser.press("I’ve pasted it")
    for clock in ("+9m", "+18m"):
        portal_with_clock.set_clock(clock)
        browser.driver.refresh()
        assert in_list(browser) == ["My mail program"]
    portal_with_clock.set_clock("+29m")
    browser.fill("Which program is it for?", "too late")
    browser.send("create")
    browser.expect(SIGN_IN)
    assert "You’re no longer signed in" in browser.text()
    assert len(directory.app_passwords(person)) == 1


def test_a_mailed_code_and_the_profile_link_are_good_for_ten_minutes(
        browser, portal_with_clock, directory):
    portal = portal_with_clock
    begin(browser, portal, directory.new_person(mfa=True), "With a code by e-mail")
    browser.expect(CONTACT)
    enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
    browser.expect(CONTACT_CODE)
    portal.set_clock("+9m")
    browser.driver.refresh()
    portal.set_clock("+11m")
    enter(browser, "Code from the e-mail", portal.code_by_mail())
    browser.expect(CONTACT_CODE)
    assert WRONG_CODE in browser.text()
    browser.press("Send another code")
    browser.expect(CONTACT_CODE)
    enter(browser, "Code from the e-mail", portal.code_by_mail())
    make_first(browser)
    link = browser.find('a[href*="/profile/"]').get_attribute("href")
    portal.set_clock("+20m")
    browser.open(portal.conf["public_url"])
    portal.set_clock("+22m")
    browser.open(link)
    browser.expect(ERROR)
    assert "This link no longer works" in browser.text()
    assert list(browser.downloads.iterdir()) == []


# ---- Others ----

# Cookies do not distinguish ports: to the browser, the second is the same site, and gets them.
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_form_of_another_page_does_nothing(browser, portal, directory, other_site, host):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    make_first(browser)
    stranger = portal.client()
    token = stranger.get("").token()
    for path in ("revoke-all", "create", "change-method", "sign-out"):
        browser.open(other_site(f"""
            <form method="post" action="{portal.conf['public_url']}/{path}">
            <input name="csrf" value="{token}"><input name="label" value="theirs">
            <input name="expires" value="never"><button>Win</button></form>""", host))
        browser.press("Win")
        browser.expect(ERROR)
        assert "came from another site" in browser.text()
    assert len(directory.app_passwords(person)) == 1
    browser.open(portal.conf["public_url"])
    assert in_list(browser) == ["My mail program"]  # and the user is still signed in


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_another_page_can_neither_frame_nor_read_it(browser, portal, directory, other_site, host):
    set_up_app(browser, portal, directory.new_person(mfa=True))
    browser.open(other_site(f'<iframe src="{portal.conf["public_url"]}"></iframe>', host))
    read = browser.driver.execute_async_script("""
        const [address, done] = arguments;
        fetch(address, {credentials: "include"}).then(r => r.text()).then(done, () => done("no"));
        """, portal.conf["public_url"] + "/")
    assert read == "no"
    browser.driver.switch_to.frame(browser.find("iframe"))
    assert "app password" not in browser.driver.page_source


# ---- Other features ----

def test_the_profile_sets_the_account_up_once(browser, portal, directory, opens_mail):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    shown = make_first(browser)
    link = browser.find('a[href*="/profile/"]').get_attribute("href")
    browser.press_here("Configuration profile")
    file = browser.downloads / "mail.mobileconfig"
    wait_until(lambda: file.exists() and file.read_bytes(), "the profile")  # empty at first
    account, = plistlib.loads(file.read_bytes())["PayloadContent"]
    assert account["PayloadType"] == "com.apple.mail.managed"
    assert account["EmailAddress"] == person.mail
    assert (account["IncomingMailServerHostName"], account["IncomingMailServerPortNumber"],
            account["OutgoingMailServerHostName"], account["OutgoingMailServerPortNumber"]) == (
                "imap.example.org", 993, "smtp.example.org", 465)
    assert account["IncomingPassword"] == shown
    assert opens_mail(person, account["IncomingPassword"])
    browser.open(link)
    browser.expect(ERROR)
    assert "This link no longer works" in browser.text()


def test_the_second_factor_is_changed_and_only_then(browser, portal, directory):
    person = directory.new_person(mfa=True)
    old = set_up_app(browser, portal, person)
    browser.open(portal.conf["public_url"])
    browser.press("Change the second step")
    choose(browser, "With a code by e-mail")
    browser.expect(CONTACT)
    browser.open(portal.conf["public_url"])  # left halfway
    browser.expect(LIST)
    assert "Currently: authenticator app." in browser.text()
    browser.press("Change the second step")
    choose(browser, "With a code by e-mail")
    browser.expect(CONTACT)
    enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
    browser.expect(CONTACT_CODE)
    enter(browser, "Code from the e-mail", portal.code_by_mail())
    browser.expect(LIST)
    assert "Your second step was changed." in browser.text()
    assert "Currently: code by e-mail." in browser.text()
    browser.press("Sign out")
    sign_in(browser, portal, person)
    browser.expect(CHALLENGE)
    enter(browser, "Code from the e-mail", old.code(), "Continue")
    browser.expect(CHALLENGE)
    assert WRONG_CODE in browser.text()


def test_one_is_revoked_and_the_others_stay(browser, portal, directory, opens_mail):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    lost = make_first(browser, "Lost phone")
    browser.press("I’ve pasted it")
    browser.select("What may it do?", "Read mail only")
    browser.select("When does it expire?", "In 90 days")
    kept = make_another(browser, "Reader")
    (value,) = [each for each in directory.app_passwords(person)
                if each.startswith(f"id={kept[:4]} ")]
    assert " services=imap,pop3 " in value
    browser.press("I’ve pasted it")
    assert in_list(browser) == ["Lost phone", "Reader"]
    first, second = sorted(row.text for row in browser.find_all(".list > li"))
    assert "all mail" in first and "never" in first
    assert "reading mail" in second and f"Expires\n{from_now(days=90)[:4]}-" in second
    browser.press_here("Revoke Lost phone")
    browser.press("Revoke “Lost phone”")
    assert in_list(browser) == ["Reader"]
    browser.press_here("Revoked")
    assert [each.text for each in browser.find_all(".list.revoked h2")] == ["Lost phone"]
    assert not opens_mail(person, lost)
    assert directory.app_passwords(person)[0].startswith(f"id={kept[:4]} ")


@pytest.mark.parametrize("languages, shown, title", [
    ("nb-NO,en", "nb", "App-passord for e-post"), ("de,fr", "en", SIGN_IN)])
def test_it_speaks_the_language_of_the_browser(browse, portal, languages, shown, title):
    browser = browse(language=languages)
    browser.open(portal.conf["public_url"])
    browser.expect(title)
    assert browser.find("html").get_attribute("lang") == shown


# ---- Appearance and accessibility ----

# The attributes that password managers and phones look for.
AUTOCOMPLETE = {"login": "username", "password": "current-password", "code": "one-time-code",
                "address": "email", "label": "off"}


@pytest.fixture(scope="session")
def axe_core(workdir):
    return axe.fetch(workdir)


@pytest.mark.parametrize("language", ["en", "nb"])
def test_every_page_is_accessible(browse, portal, portal_with_code, directory, axe_core, language):
    """In each language, light and dark, on a wide screen and a narrow phone, with only the keyboard."""
    browser = browse(language=language)
    visited, wrong, fields = [], [], {}
    for name in Tour(browser, portal, portal_with_code, directory).pages():
        visited.append(name)
        fields |= autocomplete(browser)
        assert browser.find("html").get_attribute("lang") == language
        wrong += [f"{name}: {each}" for each in
                  [*axe.violations(browser, axe_core), *narrow(browser),
                   *(keyboard(browser) if language == "en" else [])]]
    assert not wrong, "\n".join(wrong)
    assert fields == AUTOCOMPLETE
    assert len(visited) == len(set(visited)) == 28


def autocomplete(browser):
    return {field.get_attribute("name"): field.get_attribute("autocomplete")
            for field in browser.find_all("input:not([type=hidden], [type=radio])")}


def narrow(browser):
    """Whether the page scrolls sideways at 360 pixels."""
    browser.use_width(360)
    width = browser.script("return document.documentElement.scrollWidth")
    browser.use_window_width()
    if width > 360:
        yield f"{width} pixels wide on a phone of 360"


def keyboard(browser):
    """Whether Tab reaches everything from top to bottom, and shows the focus."""
    reachable = browser.script("""
        document.body.tabIndex = -1;  // from the top
        document.body.focus();
        document.body.removeAttribute("tabindex");
        return [...document.querySelectorAll(
            "a[href], button, input:not([type=hidden]), select, summary")]
            .filter(each => each.checkVisibility() && !each.matches("[type=radio]:not(:checked)"))
            .length""")
    seen = []
    for _ in range(reachable):
        ActionChains(browser.driver, duration=0).send_keys(Keys.TAB).perform()
        seen.append(browser.script("""
            const at = document.activeElement, box = at.getBoundingClientRect();
            return [at.outerHTML, Math.round(box.top + scrollY), Math.round(box.left),
                    getComputedStyle(at).outlineStyle != "none"]"""))
    if len({each[0] + str(each[1:3]) for each in seen}) != reachable:
        yield f"Tab comes to {[each[0][:80] for each in seen]}, not to {reachable} places"
    if not all(each[3] for each in seen):
        yield "it is not seen where the focus is"
    rows = [each[1] for each in seen]
    if any(below < above - 24 for above, below in zip(rows, rows[1:])):
        yield f"Tab jumps upwards: {[each[0][:80] for each in seen]}"
