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
from authenticator import Authenticator, read_qr
from browser import Browser
from conftest import new_folder
from page_client import SHOWN
from portal import Portal, on_localhost
from portal_tour import HELP_DESK, Tour
from processes import wait_until
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from visits import ANDROID, link_in, signed_in

SIGN_IN, START, CHOOSE = ("App passwords for mail", "Two-step verification is turned on for you",
                          "Choose your second step")
APP, CONTACT, CONTACT_CODE = ("Set up your authenticator app", "Your alternate e-mail address",
                              "Verify your alternate e-mail address")
VERIFIED, PASSWORD, LIST = "Your second step is set up", "Your app password", "Your app passwords"
CHALLENGE, ENROLMENT_CODE = "Your second step", "The code from your administrator"
SECOND_STEPS, RECOVERY = "Your second steps", "Your recovery codes"
DEVICE_LINK = "Set up your phone"
ERROR = "That didn’t work"
LAPTOP = 620  # pixels that a page has between the bars of a small laptop
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
    leave_codes(browser)
    return phone


def leave_codes(browser):
    browser.expect(RECOVERY)
    browser.press("I’ve saved them")
    browser.expect(VERIFIED)


def make_first(browser, label="My mail program"):
    if browser.heading() == RECOVERY:
        leave_codes(browser)
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
    assert " sending mail 127.0.0.1 the network you’re in now\n" in browser.find(".list dl").text
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


@pytest.mark.parametrize("method", ["totp", "mail"])
def test_the_whole_way_without_javascript(
        browser_without_javascript, portal, directory, opens_mail, method):
    browser = browser_without_javascript
    browser.forget()
    person = directory.new_person(mfa=True)
    if method == "totp":
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
    if method == "totp":
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
    assert "Would you like to use it?" in browser.text()
    assert browser.text().count("help@example.org") == 1
    assert [each.text for each in browser.find_all("main button, main a")] == ["Sign out"]
    for path in ("choose", "app", "verified", "password"):
        browser.open(f"{portal.conf['public_url']}/{path}")
        browser.expect("You don’t need an app password")


def test_mfa_that_is_announced_says_from_when(browser, portal, directory):
    person = directory.new_person()
    directory.set_mfa(person, True, "20991231120000Z")
    sign_in(browser, portal, person)
    browser.expect(START)
    assert "As of 31 December 2099, mail programs need an app password." in browser.text()


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
    leave_codes(browser)


# ---- Tabs, back, reload, time ----

def test_two_tabs_that_set_up_an_app_show_one_key(browser, portal, directory):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, "With an authenticator app")
    first_tab, first_app = browser.driver.current_window_handle, scan(browser)
    second_tab = browser.tab()
    browser.open(f"{portal.conf['public_url']}/choose")
    choose(browser, "With an authenticator app")
    second_app = scan(browser)

    browser.driver.switch_to.window(first_tab)
    assert scan(browser).code() == second_app.code(), "both tabs show the same key"
    enter(browser, "Code from the app", first_app.code())
    leave_codes(browser)

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
def portal_with_clock(start_portal_with_clock):
    return start_portal_with_clock({"imap_server": "imap.example.org:993",
                                    "smtp_server": "smtp.example.org:465"})


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
    assert "You’ve been signed out because you hadn’t clicked anything" in browser.text()
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
    assert "This code no longer works: it’s older than ten minutes" in browser.text()
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
    for path in ("revoke-all", "create", "sign-out"):
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

def test_the_profile_sets_the_account_up(browser, portal, directory, opens_mail):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    shown = make_first(browser)
    link = browser.find('a[href*="/profile/"]').get_attribute("href")
    button = browser.find('a[href*="/profile/"]')
    ActionChains(browser.driver).double_click(button).perform()
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
    file.unlink()
    browser.open(link)
    wait_until(lambda: file.exists() and file.read_bytes(), "the profile again")
    browser.open(portal.conf["public_url"])
    browser.press("Sign out")
    browser.open(link)
    browser.expect(SIGN_IN)


def add_another(browser, portal, method):
    """From the list to the page of the method."""
    browser.open(portal.conf["public_url"])
    browser.press("Change your second steps")
    browser.expect(SECOND_STEPS)
    browser.press("Add a second step")
    choose(browser, method)


def test_the_second_factor_is_replaced_and_only_then(browser, portal, directory):
    person = directory.new_person(mfa=True)
    old = set_up_app(browser, portal, person)
    add_another(browser, portal, "With a code by e-mail")
    browser.expect(CONTACT)
    browser.open(portal.conf["public_url"])  # left halfway
    browser.expect(LIST)
    browser.press("Change your second steps")
    assert "Authenticator app" in browser.text() and "Code by e-mail" not in browser.text()
    add_another(browser, portal, "With a code by e-mail")
    enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
    browser.expect(CONTACT_CODE)
    enter(browser, "Code from the e-mail", portal.code_by_mail())
    browser.expect(SECOND_STEPS)
    assert "The second step was added." in browser.text()
    browser.press_here("Remove Authenticator app")
    browser.press("Remove “Authenticator app”")
    browser.expect(SECOND_STEPS)
    assert "The second step was removed." in browser.text()
    browser.press("Back to your app passwords")
    browser.press("Sign out")
    sign_in(browser, portal, person)
    browser.expect(CHALLENGE)
    enter(browser, "Code from the e-mail", old.code(), "Continue")
    browser.expect(CHALLENGE)
    assert WRONG_CODE in browser.text()


def test_recovery_codes_are_copied_downloaded_and_used(browser, portal, directory):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, "With an authenticator app")
    enter(browser, "Code from the app", scan(browser).code())
    browser.expect(RECOVERY)
    codes = [line.text for line in browser.find_all("#codes li")]
    assert len(codes) == 10
    browser.press_here("Copy")
    wait_until(lambda: browser.find("#codes-status").text == "Copied", "the copy")
    browser.script("window.print = () => document.body.dataset.printed = 'yes'")
    browser.press_here("Print")
    assert browser.script("return document.body.dataset.printed") == "yes"
    browser.press_here("Download")
    file = browser.downloads / "recovery-codes.txt"
    wait_until(lambda: file.exists() and file.read_text(), "the file")
    assert file.read_text().splitlines()[-10:] == codes
    leave_codes(browser)
    browser.driver.back()
    assert codes[0] not in browser.text()
    browser.open(portal.conf["public_url"])
    browser.press("Sign out")
    assert browser.paste("User name").split() == codes
    sign_in(browser, portal, person)
    browser.press_here("Use another second step")
    browser.press("Recovery code")
    enter(browser, "Recovery code", codes[3], "Continue")
    browser.expect(LIST)


def test_a_name_that_is_typed_replaces_the_suggested_one(browser, portal, directory):
    set_up_app(browser, portal, directory.new_person(mfa=True))
    field = browser.field("Which program is it for?")
    assert field.get_attribute("value") == "My mail program"
    ActionChains(browser.driver).click(field).send_keys("Outlook").perform()
    assert field.get_attribute("value") == "Outlook"
    ActionChains(browser.driver).click(field).send_keys(Keys.END, " 2").perform()
    assert field.get_attribute("value") == "Outlook 2", "only the first click selects"


def test_the_buttons_of_other_second_factors_stand_apart_from_their_frame(browser, portal, directory):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    browser.press("Sign out")
    sign_in(browser, portal, person)
    browser.press_here("Use another second step")
    frame, button = (browser.find(css).rect for css in ("details", "details button"))
    assert button["x"] - frame["x"] > 4


def test_another_second_factor_is_used(browser, portal, directory):
    person = directory.new_person(mfa=True)
    phone = set_up_app(browser, portal, person)
    add_another(browser, portal, "With a code by e-mail")
    enter(browser, "Alternate e-mail address", ELSEWHERE, "Send a code")
    enter(browser, "Code from the e-mail", portal.code_by_mail())
    browser.press("Back to your app passwords")
    browser.press("Sign out")
    sign_in(browser, portal, person)
    browser.press_here("Use another second step")
    browser.press("Authenticator app")
    browser.expect(CHALLENGE)
    enter(browser, "Code from the app", phone.code(), "Continue")
    browser.expect(LIST)


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
    assert re.search(rf"Expires\n\d+ \w+ {from_now(days=90)[:4]}, \d\d:\d\d\nAllows\nreading mail",
                     second)
    browser.press_here("Revoke Lost phone")
    browser.press("Revoke “Lost phone”")
    assert in_list(browser) == ["Reader"]
    browser.press_here("Revoked")
    assert [each.text for each in browser.find_all(".list.revoked h2")] == ["Lost phone"]
    assert not opens_mail(person, lost)
    assert directory.app_passwords(person)[0].startswith(f"id={kept[:4]} ")


@pytest.mark.parametrize("languages, shown, title", [
    ("nb-NO,en", "nb", "App-passord for e-post"), ("ja,uk", "en", SIGN_IN)])
def test_it_speaks_the_language_of_the_browser(browse, portal, languages, shown, title):
    browser = browse(language=languages)
    browser.open(portal.conf["public_url"])
    browser.expect(title)
    assert browser.find("html").get_attribute("lang") == shown


# ---- Links for other devices ----

def make_link(browser, portal):
    """From the list; the owner's page stays open. Returns the link."""
    browser.open(portal.conf["public_url"])
    browser.fill("Which device is it for?", "Phone")
    browser.press("Show the QR code")
    browser.expect(DEVICE_LINK)
    return browser.find("details .secret").get_attribute("textContent")


def use_link(portal, link):
    """On somebody's phone; returns its app password."""
    phone = portal.client(**{"User-Agent": ANDROID})
    path = link.removeprefix(portal.conf["public_url"] + "/")
    phone.get(path)
    return phone.post(path).app_password()


def undo(browser, person, password, opens_mail):
    assert "Browser: Chrome – Android" in browser.text()
    assert opens_mail(person, password)
    browser.press("Undo")
    browser.expect(LIST)
    assert not opens_mail(person, password)


def test_the_page_shows_at_once_who_used_the_link(browser, portal, directory, opens_mail):
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    link = make_link(browser, portal)
    page = browser.find("html")
    password = use_link(portal, link)
    browser.expect_another(page)
    assert "The link was used" in browser.text()
    undo(browser, person, password, opens_mail)


def test_without_javascript_a_button_shows_who_used_the_link(
        browser_without_javascript, portal, directory, opens_mail):
    browser = browser_without_javascript
    browser.forget()
    person = directory.new_person(mfa=True)
    set_up_app(browser, portal, person)
    link = make_link(browser, portal)
    browser.press("I’ve opened the link")  # too early
    browser.expect(DEVICE_LINK)
    password = use_link(portal, link)
    browser.press("I’ve opened the link")
    undo(browser, person, password, opens_mail)


def test_the_phone_reads_the_link_in_the_picture(browser, portal, directory):
    """As large as it is on the screen of a laptop, where the button below it is seen, too."""
    set_up_app(browser, portal, directory.new_person(mfa=True))
    link = make_link(browser, portal)
    assert read_qr(browser.find(".qr").screenshot_as_png) == link
    browser.use_width(1280, LAPTOP)
    try:
        width, below = browser.script("""
            return [document.querySelector(".qr").getBoundingClientRect().width,
                    document.querySelector(".actions a.button").getBoundingClientRect().bottom]""")
        assert width >= 200 and below <= LAPTOP
    finally:
        browser.use_window_width()


# ---- Appearance and accessibility ----

def test_print_is_light_and_without_buttons(browser, portal, directory):
    set_up_app(browser, portal, directory.new_person(mfa=True))
    shown = make_first(browser)
    browser.devtools("Emulation.setEmulatedMedia", media="print",
                     features=[{"name": "prefers-color-scheme", "value": "dark"}])
    try:
        assert browser.script("return getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert shown in browser.text()
        assert [each.text for each in browser.find_all("button, .button") if each.is_displayed()] == []
        assert not any(each.is_displayed() for each in browser.find_all("details")), "empty frames"
    finally:
        browser.devtools("Emulation.setEmulatedMedia", media="", features=[])


def test_a_phone_has_the_button_above_the_list(browser, portal, directory):
    set_up_app(browser, portal, directory.new_person(mfa=True))
    make_first(browser)
    browser.press("I’ve pasted it")
    button = browser.find('a[href="#create"]')
    assert not button.is_displayed()
    browser.use_width(360)
    try:
        assert button.is_displayed()
        button.click()
        assert browser.script("return document.querySelector('#create').getBoundingClientRect().top"
                              " < innerHeight")
    finally:
        browser.use_window_width()


# The attributes that password managers and phones look for.
AUTOCOMPLETE = {("login", "username"), ("password", "current-password"), ("code", "one-time-code"),
                ("code", "off"), ("address", "email"), ("label", "off"), ("find", "off")}


@pytest.fixture(scope="session")
def axe_core(workdir):
    return axe.fetch(workdir)


@pytest.fixture(scope="module")
def portal_with_everything(workdir, directory):
    server = on_localhost(workdir / "portal-with-everything", directory, {
        "imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:465",
        "remember_browser": "30d"} | HELP_DESK)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.mark.parametrize("language", ["en", pytest.param("nb", marks=pytest.mark.long)])
def test_every_page_is_accessible(
        browse, portal_with_everything, portal_with_code, directory, axe_core, language):
    """In each language, on a wide screen in light and dark colors, on a narrow phone, with only the keyboard."""
    browser = browse(language=language)
    visited, wrong, fields = [], [], set()
    for name in Tour(browser, portal_with_everything, portal_with_code, directory).pages():
        visited.append(name)
        fields |= autocomplete(browser)
        assert browser.find("html").get_attribute("lang") == language
        assert "help@example.org" in browser.text(), name
        wrong += [f"{name}: {each}" for each in
                  [*axe.violations(browser, axe_core), *narrow(browser),
                   *(keyboard(browser) if language == "en" else [])]]
    assert not wrong, "\n".join(wrong)
    assert fields == AUTOCOMPLETE
    assert len(visited) == len(set(visited)) == 58


def autocomplete(browser):
    return {(field.get_attribute("name"), field.get_attribute("autocomplete"))
            for field in browser.find_all("input:not([type=hidden], [type=radio], [type=checkbox])")}


def narrow(browser):
    """Whether the page scrolls sideways at 360 pixels, or breaks words there, also at twice the text size."""
    browser.use_width(360)
    is_english = browser.find("html").get_attribute("lang") == "en"
    for size in ("100%", "200%"):
        browser.script("document.documentElement.style.fontSize = arguments[0]", size)
        width = browser.script("return document.documentElement.scrollWidth")
        if width > 360:
            yield f"{width} pixels wide on a phone of 360, text at {size}"
        # Chromium has dictionaries for hyphens only on phones; words of other languages are longer.
        if is_english and (broken := browser.script(BROKEN_WORDS)):
            yield f"text at {size} breaks within {broken}"
    browser.script("document.documentElement.style.fontSize = ''")
    browser.use_window_width()


# Words on more than one line; addresses, keys and app passwords are none.
BROKEN_WORDS = r"""
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), broken = [];
    for (let node; (node = walker.nextNode());) {
        if (!node.parentElement.checkVisibility()) continue;
        for (const word of node.data.matchAll(/(?<=^|[\s(“])[\p{L}\p{M}’]{2,18}(?=[\s.,:;!?)”»]|$)/gu)) {
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map(each => Math.round(each.top)));
            if (lines.size > 1) broken.push(word[0]);
        }
    }
    return broken;"""


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
