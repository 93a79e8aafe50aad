# SPDX-License-Identifier: BSD-2-Clause
"""The language of the page and its mails: what the browser asks for, and the choice at its foot."""

import html
import re
import socket

import pytest

from portal import locales
from visits import choosing_app, enrolled, make_app_password, signed_in, subject_of

IN_BOKMAL = "App-passord for e-post"
LINK = r'<a href="([^"]*)" lang="(\S+)" hreflang="(\S+)" rel="nofollow" aria-current="(\w+)">(.*?)</a>'


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


def offered(page):
    """{code: (address, name, whether it is the page's)}"""
    found = re.findall(LINK, page.text)
    assert all(code == same for _, code, same, _, _ in found)
    return {code: (html.unescape(address), html.unescape(name), current == "true")
            for address, code, _, current, name in found}


def choose(client, path, code):
    """Follow the link at the foot of the page of that path."""
    address = offered(client.page)[code][0]
    return client.get((address if address.startswith("/") else path + address).removeprefix("/"))


def test_each_page_offers_every_language_in_its_own_name(portal):
    languages = offered(portal.client().get(""))
    assert sorted(languages) == sorted(locales())
    assert [code for code, (_, _, is_current) in languages.items() if is_current] == ["en"]
    names = [name for _, name, _ in languages.values()]
    assert names[0] == "English" and names[1:] == sorted(names[1:])
    assert languages["nb"][1] == "Norsk bokmål"


def test_a_choice_is_kept_and_wins_over_the_browser(portal):
    client = portal.client(**{"Accept-Language": "en-GB, de;q=0.5"})
    client.get("")
    answer = client.ask_once("GET", "?lang=nb")
    assert answer.status == 303 and answer.headers["Location"] == "/"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get_all("Set-Cookie") == [
        "app-password-language=nb; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"]
    page = client.get("")
    assert page.title() == IN_BOKMAL and '<html lang="nb">' in page.text
    assert page.headers["Content-Language"] == "nb"
    assert page.headers["Vary"] == "Accept-Language, Cookie"
    assert choose(client, "", "en").title() == "App passwords for mail"


def test_with_tls_the_cookie_is_secure(start_portal):
    portal = start_portal({"public_url": "https://mail.example.org/app-passwords"})
    answer = portal.client().ask_once("GET", "app-passwords/?lang=nb")
    assert answer.headers["Location"] == "/app-passwords/"
    assert answer.headers["Set-Cookie"] == (
        "__Host-app-password-language=nb; Path=/; HttpOnly; SameSite=Lax; Secure; "
        "Max-Age=31536000")


def test_the_visit_and_the_page_stay(directory, portal):
    client, app = choosing_app(portal, directory.new_person(mfa=True))
    assert client.get("choose").title() == "Choose your second step"
    assert choose(client, "choose", "nb").title() != "Choose your second step"
    assert 'action="/choose"' in client.page.text and '<html lang="nb">' in client.page.text
    key = client.get("app").secret()
    choose(client, "app", "en")
    assert client.page.secret() == key
    client.post("verify", code=app.code())
    assert client.page.title() == "Your recovery codes"
    codes = re.findall(r"<li>(\S+)</li>", client.page.text)
    choose(client, "recovery-codes", "nb")
    assert re.findall(r"<li>(\S+)</li>", client.page.text) == codes


def test_from_the_answer_to_a_form_it_leads_to_the_start(directory, portal):
    who = directory.new_person()
    client = portal.client()
    client.sign_in(who, "wrong")
    assert client.page.status == 403
    assert choose(client, "sign-in", "nb").title() == IN_BOKMAL


def test_a_page_that_shows_an_app_password_offers_none(directory, portal):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    client.post("create", label="Phone", services="", expires="never")
    assert client.page.app_passwords() and not offered(client.page)
    assert offered(client.get("password")) and not client.page.app_passwords()


def test_mails_have_the_language_that_was_chosen(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    choose(client, "", "nb")
    make_app_password(client, "Telefon")
    assert subject_of(portal.mails()[-1][1]) == "Et nytt app-passord"


def test_a_language_can_be_chosen_without_a_visit(directory, portal):
    """Also on a page whose token is worth nothing any more."""
    client = signed_in(portal, directory.new_person())
    client.cookie = None
    assert client.get("?lang=nb").title() == IN_BOKMAL
    assert "lang=nb" in portal.client().get("nothing?lang=xx").text


@pytest.mark.parametrize("asked", ["xx", "", "NB%0d%0aSet-Cookie:x=y", "nb-NO", "no", "x" * 5000])
def test_another_language_is_no_choice(portal, asked):
    client = portal.client()
    page = client.ask_once("GET", f"?lang={asked}")
    assert page.status == 200 and page.title() == "App passwords for mail"
    assert client.language is None
    client.language = f"app-password-language={asked[:100]}"
    assert client.get("").title() == "App passwords for mail"


@pytest.mark.parametrize("path, back", [
    ("//evil.example/", "/"), ("/%2f%2fevil.example", "/"), ("/\\evil.example", "/"),
    ("/a%0d%0aSet-Cookie:x", "/"), ("/a%3fb", "/"), ("/choose", "/choose"),
    ("/this-browser/abc_-", "/this-browser/abc_-")])
def test_the_way_back_is_on_this_site(portal, path, back):
    with socket.create_connection(("127.0.0.1", portal.port)) as connection:
        connection.sendall(f"GET {path}?lang=nb HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 303 ")
    assert re.findall(r"(?m)^Location: (.*)\r$", answer) == [back]
    assert answer.count("Set-Cookie") == 1


def test_a_post_keeps_its_own_meaning(directory, portal):
    """A form's address with a language does what the form does."""
    who = directory.new_person()
    client = portal.client()
    client.get("")
    client.post("sign-in?lang=nb", login=who.uid, password=who.password)
    assert client.language is None and client.page.title() == "You don’t need an app password"
