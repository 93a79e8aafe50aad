# SPDX-License-Identifier: BSD-2-Clause
"""What people read when something was wrong: at its field, marked as an error, with what they typed."""

import re

import pytest

from authenticator import code_of_clock
from visits import ALTERNATE, choosing_app, enrolled, enrolled_by_mail, signed_in


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


@pytest.fixture(scope="module")
def by_code(start_portal):
    return start_portal({"enrolment": "code"})


def error_at(page, field):
    """The complaint at that field, after all that programs that read pages aloud need for it."""
    assert re.search(r"<title>Error: ", page.text), page.text[:500]
    tag = re.search(rf'<(?:input|fieldset)[^>]* (?:id="{field}"|aria-describedby="{field}-error")[^>]*>',
                    page.text)[0]
    if not tag.startswith("<fieldset"):
        assert 'aria-invalid="true" autofocus' in tag, "there, people go on"
    assert f'aria-describedby="{field}-error' in tag
    assert 'role="alert"' not in re.sub(r'<div id="ending"[^>]*>', "", page.text), "and only there"
    return re.search(rf'id="{field}-error">([^<]*)<', page.text)[1]


def assert_good(page):
    assert "<title>Error:" not in page.text and 'aria-invalid="true"' not in page.text
    assert "autofocus" not in page.text


def test_a_wrong_code_of_an_app(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    assert_good(client.page)
    page = client.post("verify", code=app.wrong_code())
    assert "Enter the one your app shows now." in error_at(page, "code")
    assert_good(client.get("app"))
    client.post("verify", code=app.code())
    client = signed_in(portal, who)
    assert_good(client.page)
    assert "This code is wrong" in error_at(client.post("verify", code="x"), "code")


def test_a_wrong_code_by_mail(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    client = signed_in(portal, who)
    complaint = error_at(client.post("verify", code="x"), "code")
    assert "Check the newest mail" in complaint and "app" not in complaint


def test_a_wrong_code_of_the_administrator(directory, by_code):
    client = signed_in(by_code, directory.new_person(mfa=True))
    assert "Your administrator can" in error_at(client.post("enrolment-code", code="x"), "code")


def test_no_choice(directory, portal):
    client = signed_in(portal, directory.new_person(mfa=True))
    client.post("start")
    assert "Choose one" in error_at(client.post("choose", method="x"), "method")


def test_a_bad_address_stays(directory, portal):
    client = signed_in(portal, directory.new_person(mfa=True))
    client.post("start")
    client.post("choose", method="mail")
    page = client.post("contact", address="me@nowhere")
    assert "isn’t an e-mail address" in error_at(page, "address")
    assert 'value="me@nowhere"' in page.text


def test_a_bad_name_stays_and_what_was_chosen_with_it(directory, portal):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    assert_good(client.get(""))
    assert client.page.text.count(" selected>") == 2, "all services, and no end"
    page = client.post("create", label="x" * 65, services="imap,pop3", expires="90d")
    assert page.status == 400 and "Name the program" in error_at(page, "label")
    assert f'value="{"x" * 65}"' in page.text
    assert 'value="imap,pop3" selected>' in page.text and 'value="90d" selected>' in page.text
    assert page.text.count(" selected>") == 2


def test_a_refused_sign_in_is_an_error_too(portal, directory):
    page = signed_in(portal, directory.new_person()._replace(password="wrong")).page
    assert page.text.count("<title>Error: ") == 1
    assert "<title>Error: " in portal.client().get("nowhere").text


# ---- the phone's clock ----

def with_clock(directory, portal, seconds):
    """Choosing an app whose clock is so much ahead; (user, client, Authenticator, the code that it shows)."""
    while True:
        who = directory.new_person(mfa=True)
        client, app = choosing_app(portal, who)
        if code := code_of_clock(client.page.secret(), seconds):
            return who, client, app, code


@pytest.mark.parametrize("seconds, text", [
    (300, "about 5 min ahead"), (-300, "about 5 min behind"), (1500, "about 25 min ahead"),
    (-90, None), (-7200, None), (7200, None)])
def test_a_wrong_clock_is_named_while_setting_up(directory, portal, seconds, text):
    _, client, _, code = with_clock(directory, portal, seconds)
    complaint = error_at(client.post("verify", code=code), "code")
    if text:
        assert text in complaint and "Settings › System › Date &amp; time." in complaint
    else:
        assert "clock" not in complaint


def test_a_guesser_does_not_learn_which_code_is_right_later(directory, portal):
    who, client, app, _ = with_clock(directory, portal, 600)
    secret = client.page.secret()
    client.post("verify", code=app.code())
    known = client.mark
    for mark, is_told in ((None, False), (known, True)):
        client = portal.client()
        client.mark = mark
        client.sign_in(who)
        page = client.post("verify", code=code_of_clock(secret, 600))
        assert ("about 10 min ahead" in error_at(page, "code")) == is_told


def test_an_address_that_is_good_has_no_error(directory, portal):
    client = signed_in(portal, directory.new_person(mfa=True))
    client.post("start")
    client.post("choose", method="mail")
    assert_good(client.post("contact", address=ALTERNATE))
