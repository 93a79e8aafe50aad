# SPDX-License-Identifier: BSD-2-Clause
"""How long the page waits for people, what it says before and after, and what they keep."""

import time

import pytest

from browser import Browser
from conftest import new_folder
from processes import wait_until
from visits import choosing_app, enrolled, make_app_password, signed_in

SIGN_IN, APP, VERIFIED = ("App passwords for mail", "Set up your authenticator app",
                          "Your recovery codes")
IDLE = "You’ve been signed out because you hadn’t clicked anything for a while."
UNDONE = "Your last click changed nothing."


@pytest.fixture
def portal(start_portal_with_clock):
    return start_portal_with_clock({"imap_server": "imap.example.org:993",
                                    "smtp_server": "smtp.example.org:465"})


@pytest.fixture
def browser(workdir):
    browser = Browser(new_folder(workdir, "browser") / "b")
    yield browser
    browser.quit()


# ---- setting up ----

def test_half_an_hour_may_pass_on_each_page_while_setting_up(directory, portal):
    client, app = choosing_app(portal, directory.new_person(mfa=True))
    portal.set_clock("+29m")
    assert client.get("app").title() == APP
    portal.set_clock("+58m")
    assert client.post("verify", code=late(app, 58)).title() == VERIFIED


def test_half_an_hour_may_pass_while_an_app_password_is_pasted(directory, portal):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    make_app_password(client)
    portal.set_clock("+29m")
    assert client.get("").title() == "Your app passwords"
    portal.set_clock("+40m")
    assert client.get("").title() == SIGN_IN


def late(app, minutes):
    """The code that the phone shows so many minutes later."""
    return app._code_of(int(time.time() + minutes * 60) // 30)


def test_a_key_that_was_scanned_is_good_after_signing_in_again(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    secret = client.page.secret()
    portal.set_clock("+31m")
    page = client.post("verify", code=late(app, 31))
    assert page.title() == SIGN_IN and f"{IDLE} {UNDONE}" in page.words()
    client.sign_in(who)
    client.post("start")
    client.post("choose", method="totp")
    assert client.page.secret() == secret
    assert client.post("verify", code=late(app, 31)).title() == VERIFIED


def test_a_key_that_was_scanned_is_good_after_a_restart(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    portal.stop()
    portal.start()
    client.sign_in(who)
    client.post("start")
    client.post("choose", method="totp")
    assert client.post("verify", code=app.code()).title() == VERIFIED


@pytest.mark.parametrize("how", ["a day", "signed out", "another person", "another browser",
                                 "verified"])
def test_a_key_is_kept_for_nobody_else_and_no_longer(directory, portal, how):
    who, other = directory.new_person(mfa=True), directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    secret = client.page.secret()
    if how == "a day":
        portal.set_clock("+1441m")
    elif how == "signed out":
        client.post("sign-out")
    elif how == "another browser":
        client = portal.client()
    elif how == "verified":
        client.post("verify", code=app.code())
        client.get("")
        client.post("add-factor")
    if how != "verified":
        client.sign_in(other if how == "another person" else who)
        client.post("start")
    client.post("choose", method="totp")
    assert client.page.secret() != secret


def test_a_damaged_key_of_a_browser_is_replaced(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = choosing_app(portal, who)
    secret = client.page.secret()
    name, value = client.draft.split("=")
    for damaged in ("", "x", value[:-4], value + "AAAA", ("B" if value[0] != "B" else "C") + value[1:],
                    value[:-1] + "=", value[:40] + ("A" if value[40] != "A" else "B") + value[41:]):
        client.draft = f"{name}={damaged}"
        client.sign_in(who)
        client.post("start")
        client.post("choose", method="totp")
        assert client.page.secret() != secret


# ---- the reason ----

def test_the_reason_is_given_on_every_path(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client)
    client.get("")
    portal.set_clock("+11m")
    token = client.page.token()
    for path in ("", "choose", "password", "profile/" + "A" * 43):
        page = client.get(path)
        assert page.title() == SIGN_IN
        assert IDLE in page.words() and UNDONE not in page.words()
    page = client.post("create", token, label="x", services="", expires="never")
    assert f"{IDLE} {UNDONE}" in page.words()
    client.sign_in(who)
    assert IDLE not in client.page.words()


def test_a_visit_of_an_hour_ends_with_that_reason(directory, portal):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    for minutes in range(9, 60, 9):
        portal.set_clock(f"+{minutes}m")
        assert client.get("").title() == "Your app passwords"
    portal.set_clock("+61m")
    assert "because an hour has passed since you signed in" in client.get("").words()


@pytest.mark.parametrize("path", ["", "choose", "app", "password"])
def test_a_link_from_elsewhere_says_nothing_of_a_visit(portal, path):
    for client in (portal.client(), portal.client()):
        client.cookie = client.cookie or "app-password=" + "A" * 43
        page = client.get(path)
        assert page.title() == SIGN_IN and 'role="alert"' not in page.text


def test_after_a_reset_the_page_says_so(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    portal.command("mfa", "reset", who.uid)
    page = client.get("")
    assert "Your second step was reset or changed" in page.words()
    assert "for a while" not in page.words()
    assert 'role="alert"' not in client.get("").text


def test_whoever_is_signed_in_elsewhere_too_often_is_told(directory, portal):
    who = directory.new_person(mfa=True)
    first, *_ = [signed_in(portal, who, **{"X-Real-IP": f"2001:db8:1:{number}::1"})
                 for number in range(21)]
    assert "with your account in many other browsers" in first.get("").words()


# ---- the warning ----

SHIFT = """const real = Date.now; window.shift = 0; Date.now = () => real() + shift;"""


def test_the_page_warns_before_and_says_afterwards(directory, portal, browser):
    who = directory.new_person(mfa=True)
    browser.devtools("Page.enable")
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=SHIFT)
    browser.open(portal.conf["public_url"])
    browser.fill("User name", who.uid)
    browser.fill("Account password", who.password)
    browser.press("Sign in")
    said = lambda: browser.find("#ending").text
    assert said() == ""
    browser.script("shift = 27 * 60000")
    browser.driver.implicitly_wait(0)
    assert "signed out" not in said()
    browser.script("shift = 28.5 * 60000")
    wait_until(lambda: "You’ll be signed out in 2 min" in said(), "the warning")
    portal.set_clock("+28m")
    browser.press_here("Stay signed in")
    wait_until(lambda: said() == "", "the warning to go")
    browser.script("shift = 57 * 60000")
    wait_until(lambda: "You’ll be signed out in 2 min" in said(), "the second warning")
    browser.script("shift = 60 * 60000")
    wait_until(lambda: "You’ve been signed out" in said(), "the reason")
    assert browser.heading() == "Two-step verification is turned on for you"


def test_there_is_no_warning_before_signing_in(portal, browser):
    browser.open(portal.conf["public_url"])
    assert browser.find_all("#ending") == []
