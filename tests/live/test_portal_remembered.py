# SPDX-License-Identifier: BSD-2-Clause
"""Browsers that skip the second step (remember_browser), and what ends that."""

import re

import ldap
import pytest

from visits import enrolled, events_of, let_in, second_factors, signed_in

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IN = "Your app passwords"


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal({"remember_browser": "30d"})


@pytest.fixture
def portal_with_clock(start_portal_with_clock):
    return start_portal_with_clock({"remember_browser": "30d"})


def remembered(portal, who, app, **headers):
    """The cookie of a browser that asked not to be asked."""
    client = signed_in(portal, who, **{"User-Agent": FIREFOX} | headers)
    client.post("verify", code=app.code(), remember="yes")
    assert client.page.title() == IN, client.page.words()
    assert client.remembered
    return client.remembered


def comes_back(portal, who, cookie, password=None):
    client = portal.client()
    client.remembered = cookie
    client.sign_in(who, password)
    return client


@pytest.fixture
def person(directory, portal):
    """(person, app, cookie of a remembered browser)"""
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    return who, app, remembered(portal, who, app)


def test_a_browser_is_remembered_if_its_owner_asks_for_it(directory, portal, person):
    who, app, cookie = person
    assert re.search(r"Don’t ask for a second step in this browser until \d+ \w+ 20\d\d",
                     signed_in(portal, who).page.words())
    for _ in range(2):
        client = comes_back(portal, who, cookie)
        assert client.page.title() == IN
        assert "accepted remembered-browser second-factor" in events_of(portal, who)
    client = let_in(portal, who, app)
    assert client.remembered is None, "not without the tick"
    assert signed_in(portal, who).page.title() == "Your second step", "another browser"
    assert not any(cookie.split("=")[1] in value
                   for value in directory.values(who, "appPasswordMfaMethod"))
    assert cookie.split("=")[1] not in portal.log.read_text()


def test_the_cookie_is_for_this_site_and_as_long(directory, portal):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    client = signed_in(portal, who)
    page = client.ask_once("POST", "verify",
                           f"csrf={client.page.token()}&code={app.code()}&remember=yes")
    (cookie,) = [value for value in page.headers.get_all("Set-Cookie") if "remembered" in value]
    assert re.fullmatch(r"app-password-remembered=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; "
                        r"SameSite=Lax; Max-Age=2592000", cookie)


def test_without_the_key_there_is_nothing_to_tick(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    client = signed_in(portal, who)
    assert "Don’t ask" not in client.page.words()
    client.post("verify", code=app.code(), remember="yes")
    assert client.page.title() == IN and client.remembered is None
    assert "Browsers without" not in client.get("second-steps").words()


def test_the_cookie_is_worth_nothing_without_the_password_or_to_others(
        directory, portal, person):
    who, _, cookie = person
    assert comes_back(portal, who, cookie, "wrong").page.title() == "App passwords for mail"
    other = directory.new_person(mfa=True)
    enrolled(portal, other)
    assert comes_back(portal, other, cookie).page.title() == "Your second step"
    name, value = cookie.split("=")
    for wrong in (value[:-2] + ("BA" if value.endswith("AA") else "AA"), "A" * 43, value[:6] + "A" * 37, "x"):
        assert comes_back(portal, who, f"{name}={wrong}").page.title() == "Your second step"


def test_it_ends_after_the_period(directory, portal_with_clock):
    portal = portal_with_clock
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    cookie = remembered(portal, who, app)
    portal.set_clock("+29d")
    assert comes_back(portal, who, cookie).page.title() == IN
    portal.set_clock("+31d")
    assert comes_back(portal, who, cookie).page.title() == "Your second step"


def test_another_password_ends_it(directory, portal, person):
    who, _, cookie = person
    connection = ldap.initialize(directory.ldap)
    connection.simple_bind_s(who.dn, who.password)
    connection.modify_s(who.dn, [(ldap.MOD_REPLACE, "userPassword", [b"Another.Password/2"])])
    client = comes_back(portal, who, cookie, "Another.Password/2")
    assert client.page.title() == "Your second step"


def test_a_reset_ends_it(directory, portal, person):
    who, _, cookie = person
    portal.done("mfa", "reset", who.uid)
    assert directory.values(who, "appPasswordMfaMethod") == []
    assert comes_back(portal, who, cookie).page.title() == \
        "Two-step verification is turned on for you"
    enrolled(portal, who)
    assert comes_back(portal, who, cookie).page.title() == "Your second step"


def test_removing_the_factor_ends_it_and_adding_one_does_not(directory, portal, person):
    who, app, cookie = person
    client = let_in(portal, who, app)
    (old,) = re.findall(r'id="name-([0-9a-f]{8})"', client.get("second-steps").text)
    client.post("add-factor")
    client.post("choose", method="mail")
    client.post("contact", address="someone@elsewhere.example")
    client.post("verify", code=portal.code_by_mail())
    assert comes_back(portal, who, cookie).page.title() == IN
    client.post("remove-factor", id=old)
    assert len(second_factors(directory, who)) == 1
    assert comes_back(portal, who, cookie).page.title() == "Your second step"


def test_browsers_are_listed_and_forgotten_one_by_one(portal, person):
    who, app, cookie = person
    other = remembered(portal, who, app, **{"User-Agent": "curl/8"})
    client = comes_back(portal, who, cookie)
    page = client.get("second-steps")
    assert "Firefox – Windows" in page.words() and "Browsers without a second step" in page.words()
    (id,) = re.findall(r'Firefox – Windows</h2>.*?name="id" value="([0-9a-f]{8})"', page.text,
                       re.DOTALL)[:1]
    client.post("forget-browser", id=id)
    assert "is asked for a second step again" in client.page.words()
    assert "Firefox" not in client.page.words()
    assert comes_back(portal, who, cookie).page.title() == "Your second step"
    assert comes_back(portal, who, other).page.title() == IN
    assert "done forget-browser" in events_of(portal, who)


def test_the_oldest_makes_room_for_the_eleventh(directory, portal_with_clock):
    portal = portal_with_clock
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    cookies = []
    for number in range(11):
        portal.set_clock(f"+{number + 1}h")
        client = signed_in(portal, who)
        client.post("verify", code=app.code_in(hours=number + 1), remember="yes")
        assert client.page.title() == IN, client.page.words()
        cookies.append(client.remembered)
    assert comes_back(portal, who, cookies[0]).page.title() == "Your second step"
    for cookie in cookies[1:]:
        assert comes_back(portal, who, cookie).page.title() == IN


def test_a_site_that_stops_it_or_disallows_the_kind_asks_again(
        directory, portal, person, start_portal):
    who, app, cookie = person
    key = {"key_file": portal.folder / "portal.key"}
    off = start_portal(key)
    assert comes_back(off, who, cookie).page.title() == "Your second step"
    mail = start_portal(key | {"remember_browser": "30d", "second_factors": "mail"})
    assert comes_back(mail, who, cookie).page.title() == "Your second step"
    assert comes_back(portal, who, cookie).page.title() == IN
    short = start_portal(key | {"remember_browser": "1d"})
    assert comes_back(short, who, cookie).page.title() == IN
