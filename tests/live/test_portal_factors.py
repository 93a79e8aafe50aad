# SPDX-License-Identifier: BSD-2-Clause
"""Several second factors for one person."""

import base64
import re
import time

import pytest

from authenticator import Authenticator
from sealing import seal_as_0_1
from visits import (ALTERNATE, at_once, choosing_app, enrolled, enrolled_by_mail, events_of,
                    let_in, second_factors, signed_in, subjects)

KEY = b"12345678901234567890"


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


@pytest.mark.parametrize("kind, text", [
    ("totp", f"method=app since=20261122101500Z step=1 secret={KEY.hex()}"),
    ("mail", "method=mail since=20261122101500Z address=someone@elsewhere.example")])
def test_a_second_factor_of_0_1_is_good_and_rewritten_when_it_is_used(
        directory, portal, kind, text):
    who = directory.new_person(mfa=True)
    directory.administrate(who, appPasswordMfaMethod=seal_as_0_1(portal, directory, who, text))
    for _ in range(2):
        client = signed_in(portal, who)
        assert client.page.title() == "Your second step"
        app = Authenticator(base64.b32encode(KEY).decode())
        client.post("verify", code=app.code() if kind == "totp" else portal.code_by_mail())
        assert client.page.title() == "Your app passwords", client.page.words()
        if kind == "totp":
            break
    value, = second_factors(directory, who)
    assert value.startswith(f"factor v=2 kind={kind} sealed=")


@pytest.mark.parametrize("method", ["", "sms", "recovery", "app"])
def test_a_second_step_that_there_is_not(directory, portal, method):
    who = directory.new_person(mfa=True)
    client = signed_in(portal, who)
    client.post("start")
    assert "Choose one of these ways." in client.post("choose", method=method).words()
    assert second_factors(directory, who) == []


def add(client, portal, method):
    """Another factor, by somebody who has signed in; (Authenticator or None for mail, id)."""
    before = set(ids(client.get("second-steps")))
    client.post("add-factor")
    client.post("choose", method=method)
    if method == "mail":
        client.post("contact", address=ALTERNATE)
        client.post("verify", code=portal.code_by_mail())
        app = None
    else:
        app = Authenticator(client.page.secret())
        client.post("verify", code=app.code())
    assert "was added" in client.page.words(), client.page.words()
    (id,) = set(ids(client.page)) - before
    return app, id


def ids(page):
    """The ids of the second factors on the page, in order."""
    return re.findall(r'id="name-([0-9a-f]{8})"', page.text)


def others(page):
    """The other factors that the second step offers: {title: id}."""
    return {title: id for id, title in re.findall(
        r'name="id" value="([0-9a-f]{8})">\s*<button type="submit" class="secondary">([^<]*)<',
        page.text)}


def test_several_second_factors_and_each_lets_its_owner_in(directory, portal):
    who = directory.new_person(mfa=True)
    client, first = enrolled(portal, who)
    (old,) = ids(client.get("second-steps"))
    add(client, portal, "mail")
    time.sleep(1.1)  # times are in seconds
    second, new = add(client, portal, "totp")
    assert len(second_factors(directory, who)) == 3
    assert subjects(portal, who) == ["Two-step verification is set up"] + \
        ["A second step was added"] * 2
    client.post("rename-factor", id=old, label="first")
    client.post("rename-factor", id=new, label="second")
    client = signed_in(portal, who)
    assert set(others(client.page)) == {
        "Authenticator app – first", "Code by e-mail – s…e@elsewhere.example", "Recovery code"}
    client.post("use-factor", id=old)
    assert client.post("verify", code=first.code()).title() == "Your app passwords"
    client = signed_in(portal, who)
    client.post("use-factor", id=new)
    assert client.post("verify", code=second.code()).title() == "Your app passwords"
    client = signed_in(portal, who)
    client.post("use-factor", id=others(client.page)["Code by e-mail – s…e@elsewhere.example"])
    assert portal.mails()[-1][0] == ALTERNATE
    client.post("verify", code=portal.code_by_mail())
    assert client.page.title() == "Your app passwords", client.page.words()
    time.sleep(1.1)
    client = signed_in(portal, who)
    client.post("use-factor", id=new)
    client.post("verify", code=second.code())
    assert "Open your authenticator app" in signed_in(portal, who).page.words(), "the last used"


def test_a_code_of_another_factor_than_the_one_asked_for_is_wrong(directory, portal):
    who = directory.new_person(mfa=True)
    client, first = enrolled(portal, who)
    second, id = add(client, portal, "totp")
    client = signed_in(portal, who)
    client.post("use-factor", id=id)
    assert client.post("verify", code=first.code()).title() == "Your second step"
    assert "wrong" in client.page.words()
    assert client.post("verify", code=second.code()).title() == "Your app passwords"


def test_one_is_removed_while_another_stays(directory, portal):
    who = directory.new_person(mfa=True)
    client, first = enrolled(portal, who)
    elsewhere = let_in(portal, who, first)
    (old,) = ids(client.get("second-steps"))
    second, new = add(client, portal, "totp")
    client.post("remove-factor", id=old)
    assert "was removed" in client.page.words()
    assert subjects(portal, who)[-1] == "A second step was removed"
    assert elsewhere.get("").title() == "App passwords for mail", "it was passed there"
    assert len(second_factors(directory, who)) == 1
    assert client.post("remove-factor", id=new).title() == "Your second steps"
    assert "only second step" in client.page.words()
    assert "Remove" not in client.page.words()
    assert len(second_factors(directory, who)) == 1
    client = signed_in(portal, who)
    assert client.post("verify", code=first.code()).title() == "Your second step"
    assert client.post("verify", code=second.code()).title() == "Your app passwords"
    assert {"done add-factor", "done remove-factor"} <= set(
        events_of(portal, who))


def test_the_factor_of_this_session_may_be_removed(directory, portal):
    who = directory.new_person(mfa=True)
    client, first = enrolled(portal, who)
    _, new = add(client, portal, "totp")
    assert "was removed" in client.post("remove-factor", id=new).words()
    assert client.get("").title() == "Your app passwords"
    assert let_in(portal, who, first)


def test_a_name_is_kept_and_shown(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    id, = ids(client.get("second-steps"))
    for bad in ("", "   ", "x" * 65, "a\nb"):
        assert "1 to 64" in client.post("rename-factor", id=id, label=bad).words()
    client.post("rename-factor", id=id, label=" <b>Kari’s</b> phone ")
    assert "Authenticator app – <b>Kari’s</b> phone" in client.page.words()
    assert "no longer exists" in client.post("rename-factor", id="00000001", label="x").words()
    client = let_in(portal, who, app)
    assert "<b>Kari’s</b> phone" in client.page.words(), "a use keeps the name"


def test_nobody_adds_a_factor_after_a_reset(directory, portal):
    """The session that asks was let in by a factor that is gone."""
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.get("second-steps")
    client.post("add-factor")
    client.post("choose", method="totp")
    new = Authenticator(client.page.secret())
    portal.done("mfa", "reset", who.uid)
    assert client.post("verify", code=new.code()).title() == "App passwords for mail"
    assert second_factors(directory, who) == []


def test_of_two_that_remove_each_others_factor_at_once_one_stays(directory, portal):
    for _ in range(5):
        who = directory.new_person(mfa=True)
        client, first = enrolled(portal, who)
        other = let_in(portal, who, first)
        (old,) = ids(client.get("second-steps"))
        _, new = add(client, portal, "totp")
        other.get("second-steps")
        at_once(2, lambda number: (client.post("remove-factor", id=old) if number else
                                   other.post("remove-factor", id=new)).title())
        assert len(second_factors(directory, who)) == 1


def test_no_more_than_ten(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    for _ in range(9):
        add(client, portal, "totp")
    client.post("add-factor")
    assert "maximum number" in client.page.words()
    assert client.get("choose").title() == "Your app passwords"
    assert len(second_factors(directory, who)) == 10


def test_a_kind_that_the_site_does_not_allow_is_neither_set_up_nor_accepted(
        directory, start_portal, portal):
    strict = start_portal({"second_factors": "totp", "key_file": portal.folder / "portal.key"})
    who = directory.new_person(mfa=True)
    client = signed_in(strict, who)
    client.post("start")
    assert 'value="mail"' not in client.page.text
    client.post("choose", method="mail")
    assert "Choose one" in client.page.words()
    mailed = directory.new_person(mfa=True)
    enrolled_by_mail(portal, mailed)
    client = signed_in(strict, mailed)
    assert "no longer accepts" in client.page.words()
    assert client.page.words().count("help@example.org") == 1
    assert "help@example.org" in client.page.words()
    assert client.post("verify", code="000000").title() == "Your second step"
    assert client.post("start").title() == "Your second step"
    assert client.get("choose").title() == "Your second step"


# ---- recovery codes ----

def codes_on(page):
    return re.findall(r"<li>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</li>", page.text)


def with_codes(portal, who):
    """With an app and recovery codes, still on their page; (client, Authenticator, codes)."""
    client, app = choosing_app(portal, who)
    client.post("verify", code=app.code())
    assert client.page.title() == "Your recovery codes"
    codes = codes_on(client.page)
    assert len(set(codes)) == 10
    return client, app, codes


def try_recovery(portal, who, code):
    """The page after a sign-in with that code."""
    client = signed_in(portal, who)
    if "Recovery code" in (offered := others(client.page)):
        client.post("use-factor", id=offered["Recovery code"])
    client.post("verify", code=code)
    return client


def left(client):
    return int(re.search(r"Unused: (\d+) of 10", client.get("second-steps").words())[1])


def test_recovery_codes_are_shown_once_and_each_works_once(directory, portal):
    who = directory.new_person(mfa=True)
    client, app, codes = with_codes(portal, who)
    values = directory.values(who, "appPasswordMfaMethod")
    assert sorted(value.split()[2] for value in values) == ["kind=recovery", "kind=totp"]
    client.get("stay")  # the page's button, which warns before the visit ends
    client.get("device-used")
    file = client.get("recovery-codes.txt")
    assert "filename=\"recovery-codes.txt\"" in file.headers["Content-Disposition"]
    assert file.text.splitlines()[-10:] == codes
    assert codes_on(client.get("recovery-codes")) == codes, "the page may be loaded again"
    client.get("verified")
    for path in ("recovery-codes", "recovery-codes.txt"):
        assert client.get(path).title() == "Your second steps"
        assert codes_on(client.page) == []
    assert left(client) == 10
    for number, spelling in enumerate((str, str.upper, lambda code: code.replace("-", " "))):
        assert try_recovery(portal, who, spelling(codes[number])).page.title() == \
            "Your app passwords"
        assert subjects(portal, who)[-1] == "A recovery code was used"
        assert f"Unused codes: {9 - number} of 10" in portal.mails()[-1][1]
        again = try_recovery(portal, who, codes[number])
        assert again.page.title() == "Your second step" and "has been used" in again.page.words()
        assert "your app" not in again.page.words()
    assert left(let_in(portal, who, app)) == 7
    assert "Recovery code" in others(signed_in(portal, who).page)
    assert not any(code in text for code in codes for _, text in portal.mails())
    assert not any(code in portal.log.read_text() for code in codes)


def test_new_codes_replace_the_old_ones(directory, portal):
    who = directory.new_person(mfa=True)
    client, app, old = with_codes(portal, who)
    elsewhere = try_recovery(portal, who, old[0])
    client.get("second-steps")
    client.post("recovery-codes")
    new = codes_on(client.page)
    assert len(new) == 10 and not set(new) & set(old)
    assert subjects(portal, who)[-1] == "You have new recovery codes"
    assert elsewhere.get("").title() == "App passwords for mail", "let in by an old code"
    assert try_recovery(portal, who, old[1]).page.title() == "Your second step"
    client = try_recovery(portal, who, new[1])
    assert client.page.title() == "Your app passwords"
    client.get("second-steps")
    client.post("recovery-codes")
    assert codes_on(client.page) and client.get("").title() == "Your app passwords", \
        "a session survives its own new codes"
    kinds = [value.split()[2] for value in directory.values(who, "appPasswordMfaMethod")
             if value.startswith("factor ")]
    assert sorted(kinds) == ["kind=recovery", "kind=totp"]


def test_of_sessions_with_the_same_recovery_code_one_gets_in(directory, portal):
    for _ in range(3):
        who = directory.new_person(mfa=True)
        _, _, codes = with_codes(portal, who)
        sessions = []
        for _ in range(4):
            client = signed_in(portal, who)
            client.post("use-factor", id=others(client.page)["Recovery code"])
            sessions.append(client)
        titles = at_once(4, lambda number: sessions[number].post(
            "verify", code=codes[0]).title())
        assert sorted(titles) == ["Your app passwords"] + ["Your second step"] * 3


def test_a_lost_phone_is_replaced_by_means_of_a_recovery_code(directory, portal):
    who = directory.new_person(mfa=True)
    client, lost, codes = with_codes(portal, who)
    (old,) = ids(client.get("second-steps"))
    client = try_recovery(portal, who, codes[0])
    assert "If you’ve lost a device, remove it under “Your second steps”" in client.page.words()
    assert "Add another one, then remove it." in client.get("second-steps").words()
    assert "only second step" in client.post("remove-factor", id=old).words(), \
        "codes alone are no second step"
    new, _ = add(client, portal, "totp")
    assert "only second step" not in client.page.words()
    assert "was removed" in client.post("remove-factor", id=old).words()
    assert left(client) == 9
    assert let_in(portal, who, new)


def test_a_site_may_do_without_recovery_codes(directory, start_portal, portal):
    who, other = (directory.new_person(mfa=True) for _ in range(2))
    _, app, codes = with_codes(portal, who)
    strict = start_portal({"second_factors": "totp mail",
                           "key_file": portal.folder / "portal.key"})
    client = signed_in(strict, who)
    assert "Recovery code" not in client.page.text
    client.post("verify", code=codes[0])
    assert client.page.title() == "Your second step"
    client.post("verify", code=app.code())
    assert "ecovery" not in client.get("second-steps").words()
    assert client.post("recovery-codes").title() == "Your second steps"
    client, app = choosing_app(strict, other)
    assert client.post("verify", code=app.code()).title() == "Your second step is set up"


def test_codes_that_are_used_up_are_no_longer_offered(directory, portal):
    who = directory.new_person(mfa=True)
    _, app, codes = with_codes(portal, who)
    for code in codes:
        client = try_recovery(portal, who, code)
        assert client.page.title() == "Your app passwords"
    assert "Add a second one now" in client.get("second-steps").words()
    client = signed_in(portal, who)
    assert others(client.page) == {}
