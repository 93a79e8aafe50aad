# SPDX-License-Identifier: BSD-2-Clause
"""A button that makes an app password, pressed twice: the browser drops the first answer."""

import pytest
from selenium.webdriver import ActionChains

from browser import Browser
from conftest import new_folder
from fakes import Relay
from processes import wait_until
from test_portal_devices import invited, made, owner, portal, site, used, verdict  # noqa: F401 (fixtures, too)
from visits import at_once, enrolled


def test_a_button_pressed_twice_still_shows_the_app_password(start_portal, directory, site, folder):
    """The second form would cancel the first one, whose answer has the app password."""
    host, port = directory.ldap.removeprefix("ldap://").split(":")
    relay = Relay(host, port)
    portal = start_portal(uri=f"ldap://{relay.address}")
    who = directory.new_person(mfa=True)
    enrolled(portal, who)
    browser = Browser(folder / "browser")
    try:
        browser.open(f"{portal.conf['public_url']}/{invited(site, who)}")
        relay.delay = 0.2
        browser.script("const button = document.querySelector('main button[type=submit]');"
                       "button.click(); setTimeout(() => button.click(), 300);")
        wait_until(lambda: directory.app_passwords(who), "the app password")
        wait_until(lambda: "Set up mail on this device" not in browser.driver.title, "the next page")
        browser.expect("Your app password")
    finally:
        browser.quit()
        relay.close()


def pressed_again(phone, path, token):
    """The second form, sent with the cookie of the first."""
    return phone.ask_once("POST", path, f"csrf={token}")


def phone_with(portal, cookie):
    phone = portal.client()
    phone.cookie = cookie
    return phone


@pytest.mark.parametrize("dropped", ["the redirect", "the page"])
def test_a_form_sent_twice_without_javascript_shows_the_same_app_password(
        directory, portal, site, owner, dropped):
    """The browser drops the answer to the first; it has no cookie of the new visit then."""
    who, client, _ = owner
    path = made(client)
    phone = portal.client()
    token, before = phone.get(path).token(), phone.cookie
    first = pressed_again(phone, path, token)
    if dropped == "the page":
        assert phone.get("password").app_passwords()
    phone.cookie = before
    second = pressed_again(phone, path, token)
    assert first.status == second.status == 303
    assert verdict(site, who, phone.get("password").app_password()) == "accepted"
    assert len(directory.app_passwords(who)) == 1
    assert "can close this page" in phone.get("password").words()


def test_a_form_sent_again_with_the_new_cookie_shows_it_too(directory, portal, owner):
    who, client, _ = owner
    phone = portal.client()
    token = phone.get(path := made(client)).token()
    pressed_again(phone, path, token)
    assert pressed_again(phone, path, token).status == 303
    assert phone.get("password").app_passwords() and len(directory.app_passwords(who)) == 1


def test_forms_sent_at_once_by_one_phone_get_the_same_app_password(directory, portal, owner):
    who, client, _ = owner
    phone = portal.client()
    token, cookie = phone.get(path := made(client)).token(), phone.cookie
    answers = at_once(4, lambda _: pressed_again(phone_with(portal, cookie), path, token))
    assert [answer.status for answer in answers] == [303] * 4
    assert len({answer.headers["Set-Cookie"] for answer in answers}) == 1
    assert len(directory.app_passwords(who)) == 1


def test_another_browser_gets_nothing_from_a_used_link(portal, owner):
    """Not even with a cookie and a token of its own."""
    _, client, _ = owner
    other = portal.client(**{"X-Real-IP": "2001:db8:fade::1"})
    token = other.get(path := made(client)).token()
    used(portal, path)
    assert pressed_again(other, path, token).status == 410


def test_it_is_shown_again_only_to_the_form_that_comes_next(portal, owner):
    _, client, _ = owner
    phone = portal.client(**{"X-Real-IP": "2001:db8:fade::2"})
    token, before = phone.get(path := made(client)).token(), phone.cookie
    pressed_again(phone, path, token)
    phone.get("password")
    phone.get("")  # another page of the visit
    phone.cookie = before
    assert pressed_again(phone, path, token).status == 410


def test_a_double_click_without_javascript(start_portal, directory, site, folder):
    host, port = directory.ldap.removeprefix("ldap://").split(":")
    relay = Relay(host, port)
    portal = start_portal(uri=f"ldap://{relay.address}")
    who = directory.new_person(mfa=True)
    enrolled(portal, who)
    browser = Browser(folder / "browser", javascript=False)
    try:
        browser.open(f"{portal.conf['public_url']}/{invited(site, who)}")
        relay.delay = 0.2
        ActionChains(browser.driver).double_click(browser.find("main button[type=submit]")).perform()
        wait_until(lambda: "Set up mail on this device" not in browser.driver.title, "the next page")
        browser.expect("Your app password")
        assert len(directory.app_passwords(who)) == 1
    finally:
        browser.quit()
        relay.close()


# ---- in the list ----

def sent(client, token, label="My laptop"):
    """The form that creates an app password, without following its answer."""
    return client.ask_once("POST", "create", f"csrf={token}&label={label}&services=&expires=never")


@pytest.mark.parametrize("dropped", ["the redirect", "the page"])
def test_the_form_of_the_list_sent_twice_makes_one(directory, portal, site, owner, dropped):
    who, client, _ = owner
    token = client.get("").token()
    sent(client, token)
    if dropped == "the page":
        assert client.get("password").app_passwords()
    assert sent(client, token).headers["Location"].endswith("/password")
    assert verdict(site, who, client.get("password").app_password()) == "accepted"
    assert client.get("password").app_passwords() == []
    assert len(directory.app_passwords(who)) == 1


@pytest.mark.parametrize("meanwhile, label", [("", "My laptop"), (None, "My other laptop")])
def test_a_second_app_password_is_another_one(directory, portal, owner, meanwhile, label):
    who, client, _ = owner
    token = client.get("").token()
    sent(client, token)
    first = client.get("password").app_password()
    if meanwhile is not None:
        client.get(meanwhile)
    sent(client, token, label)
    assert client.get("password").app_password() != first
    assert len(directory.app_passwords(who)) == 2
