# SPDX-License-Identifier: BSD-2-Clause
"""Passkeys in Chromium, with its virtual authenticator."""

import pytest

from browser import Browser
from conftest import new_folder
from portal import on_localhost
from processes import wait_until
from test_portal_browser import (CHALLENGE, CHOOSE, LIST, RECOVERY, SECOND_STEPS, begin,
                                 enter, leave_codes, make_first, sign_in)
from virtual_authenticator import VirtualAuthenticator
from visits import second_factors

PASSKEY = "Set up a passkey"
WAY = "With a passkey or security key"


@pytest.fixture(scope="module")
def portal(workdir, directory):
    server = on_localhost(new_folder(workdir, "passkeys-browser") / "etc", directory)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def browsers(workdir):
    """Starts browsers; each ends with the tests of this file."""
    started = []

    def start(**how):
        started.append(Browser(new_folder(workdir, "browser") / "b", **how))
        return started[-1]

    yield start
    for browser in started:
        browser.quit()


@pytest.fixture(scope="module")
def one_browser(browsers):
    return browsers()


@pytest.fixture
def browser(one_browser):
    one_browser.forget()
    return one_browser


@pytest.fixture
def authenticator(browser):
    """A phone or computer with a fingerprint sensor."""
    key = VirtualAuthenticator(browser)
    yield key
    key.remove()


def set_up(browser, portal, person, name="Laptop"):
    begin(browser, portal, person, WAY)
    browser.expect(PASSKEY)
    browser.fill("Name it (optional)", name)
    browser.press("Set up the passkey")
    leave_codes(browser)


def test_a_passkey_is_set_up_and_used(browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    set_up(browser, portal, person)
    make_first(browser)
    (credential,) = authenticator.credentials()
    assert credential["rpId"] == "localhost"
    browser.press("I’ve pasted it")
    assert "Passkey – Laptop" in browser.text()
    for uses in range(2):
        browser.press("Sign out")
        sign_in(browser, portal, person)
        browser.expect(CHALLENGE)
        browser.press("Use the passkey")
        browser.expect(LIST)
        assert authenticator.credentials()[0]["signCount"] == credential["signCount"] + uses + 1


def test_the_same_device_is_not_set_up_twice(browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    set_up(browser, portal, person)
    browser.open(f"{portal.conf['public_url']}/second-steps")
    browser.press("Add a second step")
    browser.press_here(WAY)
    browser.press("Continue")
    browser.press_here("Set up the passkey")
    wait_until(lambda: "already has a passkey" in browser.find("#passkey-status").text, "the text")
    assert len(authenticator.credentials()) == 1


def test_a_security_key_beside_a_passkey(browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    set_up(browser, portal, person)
    authenticator.remove()
    key = VirtualAuthenticator(browser, "usb", hasResidentKey=False)
    try:
        browser.open(f"{portal.conf['public_url']}/second-steps")
        browser.press("Add a second step")
        browser.press_here(WAY)
        browser.press("Continue")
        browser.fill("Name it (optional)", "Blue key")
        browser.press("Set up the passkey")
        browser.expect(SECOND_STEPS)
        assert "Passkey – Laptop" in browser.text() and "Passkey – Blue key" in browser.text()
        browser.press("Back to your app passwords")
        browser.press("Sign out")
        sign_in(browser, portal, person)
        browser.press("Use the passkey")
        browser.expect(LIST)
        assert len(second_factors(directory, person)) == 2
    finally:
        key.remove()
        authenticator.__init__(browser)


def test_somebody_who_stops_it_may_try_again(browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    set_up(browser, portal, person)
    browser.press("Sign out")
    sign_in(browser, portal, person)
    (credential,) = authenticator.credentials()
    browser.devtools("WebAuthn.removeCredential", authenticatorId=authenticator.id,
                     credentialId=credential["credentialId"])
    browser.press_here("Use the passkey")
    wait_until(lambda: "You can try again" in browser.find("#passkey-status").text, "the text")
    browser.devtools("WebAuthn.addCredential", authenticatorId=authenticator.id,
                     credential=credential)
    browser.press("Use the passkey")
    browser.expect(LIST)


def test_without_the_device_a_recovery_code_lets_in(browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    begin(browser, portal, person, WAY)
    browser.press("Set up the passkey")
    browser.expect(RECOVERY)
    code = browser.find("#codes li").text
    leave_codes(browser)
    browser.press("Sign out")
    sign_in(browser, portal, person)
    wait_until(lambda: "Use the passkey" in browser.text(), "the script")
    assert "Recovery code" not in browser.text()
    browser.press_here("Use another second step")
    browser.press("Recovery code")
    enter(browser, "Recovery code", code, "Continue")
    browser.expect(LIST)


def test_without_javascript_the_page_says_so_and_offers_the_others(
        browsers, browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    set_up(browser, portal, person)
    plain = browsers(javascript=False)
    sign_in(plain, portal, person)
    plain.expect(CHALLENGE)
    assert "Passkeys need JavaScript" in plain.text()
    assert "Use the passkey" not in plain.text()
    plain.press("Recovery code")  # nobody must look for it
    assert "Enter one of your recovery codes" in plain.text()
    other = directory.new_person(mfa=True)
    plain.forget()
    begin(plain, portal, other, WAY)
    assert "Passkeys need JavaScript" in plain.text()
    plain.press("Choose another way")
    plain.expect(CHOOSE)


def test_a_browser_without_passkeys_says_so(browser, portal, directory, authenticator):
    person = directory.new_person(mfa=True)
    script = browser.devtools("Page.addScriptToEvaluateOnNewDocument",
                              source="delete window.PublicKeyCredential")["identifier"]
    try:
        begin(browser, portal, person, WAY)
        wait_until(lambda: "can’t use passkeys" in browser.find("#passkey-status").text,
                   "the text")
        assert "Set up the passkey" not in browser.text()
    finally:
        browser.devtools("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
