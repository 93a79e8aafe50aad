# SPDX-License-Identifier: BSD-2-Clause
"""Codes as people paste them into the page: with the characters that mail, apps and chats put around them."""

import re

import pytest

from conftest import new_folder
from slapd import Slapd
from visits import choosing_app, enrolled, enrolled_by_mail, signed_in

BETWEEN = {
    "a hyphen": "-", "an en dash": "\u2013", "a space": " ", "a tab": "\t",
    "a no-break space": "\u00a0", "a narrow no-break space": "\u202f",
    "an ideographic space": "\u3000", "a zero-width space": "\u200b", "a word joiner": "\u2060",
    "a soft hyphen": "\u00ad", "a variation selector": "\ufe0f",
}
AROUND = {
    "line ends": ("\n", "\r\n"), "a line separator": ("", "\u2028"),
    "a byte-order mark": ("\ufeff", ""), "direction marks": ("\u200e", "\u200f"),
    "isolates": ("\u2068", "\u2069"), "tag characters": ("\U000e0001", "\U000e007f"),
}
SPELLINGS = {name: lambda code, sign=sign: code[:3] + sign + code[3:]
             for name, sign in BETWEEN.items()}
SPELLINGS |= {name: lambda code, ends=ends: ends[0] + code + ends[1]
              for name, ends in AROUND.items()}
WRONG = {
    "a digit is missing": lambda code: code[1:] + "\u200b",
    "a digit too many": lambda code: code + "0",
    "a letter": lambda code: code[:3] + "x" + code[3:],
    "a NUL": lambda code: code[:3] + "\0" + code[3:],
    "an escape": lambda code: code + "\x1b",
    "an underscore": lambda code: code[:3] + "_" + code[3:],
    "invisible characters alone": lambda code: "\u200b\u00a0-",
}
WRONG_CODE = "This code is wrong, has been used, or has expired."
BAD_FORM = "The form wasn’t filled in the way this page expects."
IN = "Your app passwords"


@pytest.fixture(scope="module")
def directory(workdir):
    """Enough users for all of the tests."""
    server = Slapd(new_folder(workdir, "slapd")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


@pytest.fixture(scope="module")
def with_codes(start_portal):
    return start_portal({"enrolment": "code"})


def fresh_address():
    """Each test comes from a network of its own, so that none is throttled."""
    fresh_address.count += 1
    return {"X-Real-IP": f"203.0.113.{fresh_address.count}"}


fresh_address.count = 0


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mailed_code(portal, directory, spelling):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    client = signed_in(portal, who, **fresh_address())
    page = client.post("verify", code=SPELLINGS[spelling](portal.code_by_mail()))
    assert page.title() == IN, page.words()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_code_from_an_app(portal, directory, spelling):
    client, app = choosing_app(portal, directory.new_person(mfa=True), **fresh_address())
    page = client.post("verify", code=SPELLINGS[spelling](app.code()))
    assert page.title() == "Your recovery codes", page.words()


def test_a_code_from_an_app_at_the_second_step(portal, directory):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    client = signed_in(portal, who, **fresh_address())
    code = app.code()
    page = client.post("verify", code=f"\ufeff{code[:3]}\u00a0\u2013\u00a0{code[3:]}\u200b\r\n")
    assert page.title() == IN, page.words()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_code_from_the_administrator(with_codes, directory, spelling):
    who = directory.new_person()
    printed = with_codes.done("mfa", "on", who.uid, "--code")
    code = re.search(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4})+\b", printed)[0]
    client = signed_in(with_codes, who, **fresh_address())
    page = client.post("enrolment-code", code=SPELLINGS[spelling](code))
    assert page.title() == "Two-step verification is turned on for you", page.words()


@pytest.mark.parametrize("spelling", WRONG)
def test_what_is_not_the_code(portal, directory, spelling):
    client, app = choosing_app(portal, directory.new_person(mfa=True), **fresh_address())
    page = client.post("verify", code=WRONG[spelling](app.code()))
    assert (BAD_FORM if spelling == "a NUL" else WRONG_CODE) in page.words()
