# SPDX-License-Identifier: BSD-2-Clause
"""Passkeys and security keys: what the page accepts, and what an independent verifier does."""

import re
from datetime import datetime, timezone

import pytest

from conftest import new_folder
from portal import on_localhost
from security_key import (BACKED_UP, EDDSA, ELIGIBLE, ES256, PRESENT, RS256, VERIFIED,
                          SecurityKey, asked, fields_of, text)
from verifier import Verifier
from visits import (at_once, enrolled, events_of, leave_codes, second_factors, signed_in,
                    subjects)

HOST = "localhost"


@pytest.fixture(scope="module")
def portal(workdir, directory):
    server = on_localhost(new_folder(workdir, "passkeys") / "etc", directory)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def other_accepts(request, workdir):
    """What the other verifier makes of each answer; without npm, nothing."""
    if request.config.getoption("--without-npm"):
        return lambda answers, expected: None
    verifier = Verifier(new_folder(workdir, "verifier") / "npm")

    def check(answers, expected):
        assert verifier.accepts(answers) == [expected] * len(answers)

    return check


def origin_of(portal):
    return portal.conf["public_url"]


def new_key(portal, **how):
    return SecurityKey(HOST, origin_of(portal), **how)


def choosing(portal, who):
    """On the page that sets up a passkey."""
    client = signed_in(portal, who)
    client.post("start")
    client.post("choose", method="passkey")
    assert client.page.title() == "Set up a passkey"
    return client


def with_key(portal, who, **how):
    """With a passkey that was just set up; (client, SecurityKey)."""
    client, key = choosing(portal, who), new_key(portal, **how)
    client.post("passkey", label="Blue key",
                **fields_of(key.register(asked(client.page, "challenge"))))
    leave_codes(client)
    return client, key


def answer(portal, who, key, **changes):
    """The page after signing in with the key."""
    client = signed_in(portal, who)
    client.post("verify", **fields_of(key.sign(asked(client.page, "challenge"), **changes)))
    return client


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256], ids=["ES256", "EdDSA", "RS256"])
def test_a_key_lets_its_owner_in(directory, portal, other_accepts, algorithm):
    who = directory.new_person(mfa=True)
    client, key = choosing(portal, who), new_key(portal, algorithm=algorithm)
    challenge = asked(client.page, "challenge")
    registration = key.register(challenge)
    assert asked(client.page, "host") == HOST and asked(client.page, "credentials") == ""
    client.post("passkey", **fields_of(registration))
    leave_codes(client)
    value, = second_factors(directory, who)
    assert value.startswith("factor v=2 kind=passkey sealed=")
    common = {"origin": origin_of(portal), "host": HOST, "public_key": text(key.public)}
    other_accepts([registration | common | {"challenge": challenge}], True)
    for _ in range(2):
        client = signed_in(portal, who)
        challenge, before = asked(client.page, "challenge"), key.counter
        assert asked(client.page, "credentials") == key.credential()
        signed = key.sign(challenge)
        assert client.post("verify", **fields_of(signed)).title() == "Your app passwords"
        other_accepts([signed | common | {"challenge": challenge, "counter": before}], True)
    assert "accepted second-factor second-factor" in events_of(portal, who)
    assert subjects(portal, who) == ["Two-step verification is set up"]


@pytest.mark.parametrize("id_bytes", [1, 64, 255, 1023])
def test_ids_of_any_length_that_there_is(directory, portal, id_bytes):
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who, id_bytes=id_bytes)
    assert answer(portal, who, key).page.title() == "Your app passwords"


# Name: (changes to a right answer, whether the other verifier refuses it, too).
WRONG = {
    "another origin": ({"origin": "https://evil.example"}, True),
    "a longer origin": ({"origin": f"http://{HOST}:1.evil.example"}, True),
    "another challenge": ({"asked": text(bytes(32))}, True),
    "no challenge": ({"asked": ""}, True),
    "another host": ({"host": "evil.example"}, True),
    "nobody was there": ({"flags": VERIFIED}, True),
    "backed up, though it cannot be": ({"flags": PRESENT | BACKED_UP}, True),
    "client data that are no JSON": ({"json": b"{"}, True),
    "client data that are a list": ({"json": b"[]"}, True),
    "empty client data": ({"json": b""}, True),
    "in a frame of another site": ({"client_data": {"crossOrigin": True}}, False),
}
WRONG_REGISTRATION = WRONG | {
    "an answer for signing in": ({"type": "webauthn.get"}, True),
    "an id that is too long": ({"id_bytes": 1024}, False),
}
WRONG_SIGNATURE = WRONG | {
    "an answer for setting up": ({"type": "webauthn.create"}, True),
    "signed by another key": ({"signed_by": SecurityKey(HOST, "")}, True),
    "a counter that does not rise": ({"counter": 1}, True),
    "a counter that is gone": ({"counter": 0}, True),
    "it can be backed up now": ({"flags": PRESENT | ELIGIBLE}, False),
    "bytes behind": ({"behind": b"\0"}, True),
}


@pytest.mark.parametrize("name", WRONG_REGISTRATION)
def test_a_wrong_registration_is_refused(directory, portal, other_accepts, name):
    changes, is_refused_too = WRONG_REGISTRATION[name]
    changes = dict(changes)
    who = directory.new_person(mfa=True)
    client = choosing(portal, who)
    key = new_key(portal, **({"id_bytes": changes.pop("id_bytes")} if "id_bytes" in changes
                             else {}))
    challenge = asked(client.page, "challenge")
    wrong = key.register(challenge, **changes)
    page = client.post("passkey", **fields_of(wrong))
    assert page.title() in ("Set up a passkey", "That didn’t work"), page.words()
    assert second_factors(directory, who) == []
    if is_refused_too:
        other_accepts([wrong | {
            "challenge": challenge, "origin": origin_of(portal), "host": HOST}], False)
    client.get("passkey")
    client.post("passkey", **fields_of(new_key(portal).register(asked(client.page, "challenge"))))
    leave_codes(client)


@pytest.mark.parametrize("name", WRONG_SIGNATURE)
def test_a_wrong_answer_is_refused(directory, portal, other_accepts, name):
    changes, is_refused_too = WRONG_SIGNATURE[name]
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who)
    client = signed_in(portal, who)
    challenge = asked(client.page, "challenge")
    wrong = key.sign(challenge, **changes)
    page = client.post("verify", **fields_of(wrong))
    assert page.title() == "Your second step" and "wasn’t accepted" in page.words()
    assert events_of(portal, who)[-1] == "refused wrong-second-factor second-factor"
    assert re.search(r' error="[^"]+"$', portal.events()[-1])
    if is_refused_too:
        other_accepts([wrong | {
            "challenge": challenge, "origin": origin_of(portal), "host": HOST, "counter": 1,
            "public_key": text(key.public)}], False)
    assert answer(portal, who, key).page.title() == "Your app passwords"


def flipped(value, place):
    """With another symbol there."""
    return value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1:]


def test_no_part_of_an_answer_may_be_altered(directory, portal, other_accepts):
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who)
    client, altered = signed_in(portal, who), []
    for name in ("client_data", "authenticator_data", "signature"):
        for number in range(len(key.sign("")[name]) // 10):
            challenge = asked(client.page, "challenge")
            right = key.sign(challenge)
            wrong = right | {name: flipped(right[name], number * 10)}
            altered.append(wrong | {
                "challenge": challenge, "origin": origin_of(portal), "host": HOST, "counter": 0,
                "public_key": text(key.public)})
            client.headers["X-Real-IP"] = f"203.0.113.{len(altered)}"
            assert client.post("verify", **fields_of(wrong)).title() == "Your second step"
    assert len(altered) > 20
    other_accepts(altered, False)
    client.post("verify", **fields_of(key.sign(asked(client.page, "challenge"))))
    assert client.page.title() == "Your app passwords"


def test_an_answer_works_once_and_for_its_own_session(directory, portal):
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who, counts=False)
    first, second = signed_in(portal, who), signed_in(portal, who)
    challenge = asked(first.page, "challenge")
    assert challenge != asked(second.page, "challenge")
    fields = fields_of(key.sign(challenge))
    assert second.post("verify", **fields).title() == "Your second step"
    assert first.post("verify", **fields).title() == "Your app passwords"
    third = signed_in(portal, who)
    assert third.post("verify", **fields).title() == "Your second step"


def test_a_passkey_without_a_counter_may_be_used_by_two_sessions_at_once(directory, portal):
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who, counts=False, flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP)
    sessions = [signed_in(portal, who) for _ in range(4)]
    answers = [fields_of(key.sign(asked(client.page, "challenge"))) for client in sessions]
    titles = at_once(4, lambda number: sessions[number].post("verify", **answers[number]).title())
    assert "Your app passwords" in titles
    assert set(titles) <= {"Your app passwords", "Your second step"}


def test_a_copied_key_is_noticed(directory, portal):
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who)
    assert answer(portal, who, key).page.title() == "Your app passwords"
    key.counter -= 1  # a copy from before that
    assert answer(portal, who, key).page.title() == "Your second step"
    assert "it may be a copy" in portal.events()[-1]


def test_several_keys_and_any_of_them(directory, portal):
    who = directory.new_person(mfa=True)
    client, blue = with_key(portal, who)
    client.get("second-steps")
    client.post("add-factor")
    client.post("choose", method="passkey")
    assert asked(client.page, "credentials") == blue.credential(), "to be left out"
    challenge = asked(client.page, "challenge")
    client.post("passkey", **fields_of(blue.register(challenge)))
    assert "wasn’t accepted" in client.page.words(), "it is there already"
    red = new_key(portal)
    client.post("passkey", label=" Red key ",
                **fields_of(red.register(asked(client.page, "challenge"))))
    assert "Passkey – Blue key" in client.page.words()
    assert "Passkey – Red key" in client.page.words()
    for key in (blue, red, blue):
        assert answer(portal, who, key).page.title() == "Your app passwords"
    stranger = new_key(portal)
    assert answer(portal, who, stranger).page.title() == "Your second step"


def test_somebody_elses_key_lets_nobody_in(directory, portal):
    who, other = (directory.new_person(mfa=True) for _ in range(2))
    _, key = with_key(portal, who)
    with_key(portal, other)
    assert answer(portal, other, key).page.title() == "Your second step"


def test_guesses_of_codes_keep_no_key_out(directory, portal):
    """The count of a day is for what can be guessed."""
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who)
    directory.administrate(who, appPasswordMfaMethod=[
        *directory.values(who, "appPasswordMfaMethod"),
        f"guesses day={datetime.now(timezone.utc):%Y%m%d}000000Z count=50"])
    assert answer(portal, who, key).page.title() == "Your app passwords"


def test_a_key_beside_an_app(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.get("second-steps")
    client.post("add-factor")
    client.post("choose", method="passkey")
    key = new_key(portal)
    client.post("passkey", **fields_of(key.register(asked(client.page, "challenge"))))
    assert "was added" in client.page.words()
    client = signed_in(portal, who)
    if "Use the passkey" not in client.page.words():
        (id,) = re.findall(r'value="([0-9a-f]{8})">\s*<button[^>]*>Passkey', client.page.text)
        client.post("use-factor", id=id)
    client.post("verify", **fields_of(key.sign(asked(client.page, "challenge"))))
    assert client.page.title() == "Your app passwords"


def test_an_address_as_host_has_no_passkeys(directory, start_portal):
    portal = start_portal()
    client = signed_in(portal, directory.new_person(mfa=True))
    client.post("start")
    assert "asskey" not in client.page.words()
    client.post("choose", method="passkey")
    assert "Choose one" in client.page.words()
    assert client.get("passkey").title() == "Choose your second step"


def test_nobody_sets_up_a_passkey_without_the_right_to(directory, portal):
    who = directory.new_person(mfa=True)
    _, key = with_key(portal, who)
    before = second_factors(directory, who)
    client = signed_in(portal, who)
    other = new_key(portal)
    page = client.post("passkey", **fields_of(other.register(asked(client.page, "challenge"))))
    assert page.title() == "Your second step"
    assert second_factors(directory, who) == before
