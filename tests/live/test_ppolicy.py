# SPDX-License-Identifier: BSD-2-Clause
"""OpenLDAP's password policies: only wrong account passwords lock an account."""

import ldap
import pytest

import apppassword
import smtp
from slapd import AGED, MUST_CHANGE

FAILURES_THAT_LOCK = 5  # pwdMaxFailure of the directory's policy


def reason(server, who, password):
    server.sign_in(who.uid, password)
    return server.events()[-1].split(" reason=")[1].split(" ")[0]


def failures(directory, who):
    (_, entry), = directory.connect_as_itself().search_s(who.dn, ldap.SCOPE_BASE,
                                                         attrlist=["pwdFailureTime"])
    return entry.get("pwdFailureTime", [])


def lock(server, who):
    for _ in range(FAILURES_THAT_LOCK):
        assert server.sign_in(who.uid, "wrong").code == smtp.REFUSED


def test_a_wrong_account_password_is_a_failed_bind(directory, usual):
    who = directory.new_person()
    assert reason(usual, who, "wrong") == "wrong-account-password"
    assert len(failures(directory, who)) == 1


def test_an_account_that_guesses_have_locked_refuses_the_right_password_too(directory, usual):
    who = directory.new_person()
    lock(usual, who)
    assert reason(usual, who, who.password) == "account-locked"
    assert usual.sign_in(who.uid, who.password).code == smtp.REFUSED


def test_a_lock_by_guesses_leaves_app_passwords_alone(directory, usual):
    who, app_password = directory.new_person(app_passwords=1)
    lock(usual, who)
    assert usual.sign_in(who.uid, app_password.shown).code == smtp.ACCEPTED


def test_without_ppolicy_use_lockout_a_lock_looks_like_a_wrong_password(own_directory, mail_server):
    directory = own_directory(ppolicy="silent")
    server = mail_server({"uri": directory.ldap})
    who = directory.new_person()
    lock(server, who)
    assert reason(server, who, who.password) == "wrong-account-password"
    assert server.sign_in(who.uid, who.password).code == smtp.REFUSED


def test_a_password_that_was_reset_must_be_changed_first(usual):
    assert reason(usual, MUST_CHANGE, MUST_CHANGE.password) == "password-must-change"


def test_an_expired_password_must_be_changed_first(usual):
    assert reason(usual, AGED, AGED.password) == "password-must-change"
    assert reason(usual, AGED, "wrong") == "wrong-account-password"


REFUSED = {
    "a wrong secret": lambda directory, who, own: apppassword.make(id=own.id).shown,
    "an expired one": lambda directory, who, own: directory.add_app_password(
        who, expires="20260101000000Z").shown,
    "one for another service": lambda directory, who, own: directory.add_app_password(
        who, services="imap").shown,
    "one for another network": lambda directory, who, own: directory.add_app_password(
        who, networks="192.0.2.0/24").shown,
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("mfa", [True, False], ids=["MFA on", "MFA off"])
def test_refused_app_passwords_are_no_failed_binds(directory, usual, what, mfa):
    who, own = directory.new_person(mfa=mfa, app_passwords=1)
    password = REFUSED[what](directory, who, own)
    mark = directory.mark()
    for _ in range(2 * FAILURES_THAT_LOCK):
        assert usual.sign_in(who.uid, password).code == smtp.REFUSED
    assert failures(directory, who) == []
    assert who.dn not in directory.binds_since(mark)


@pytest.mark.parametrize("mfa", [True, False], ids=["MFA on", "MFA off"])
def test_an_unknown_app_password_as_shown_is_no_failed_bind(directory, usual, mfa):
    who = directory.new_person(mfa=mfa)
    mark = directory.mark()
    for _ in range(2 * FAILURES_THAT_LOCK):
        assert reason(usual, who, apppassword.make().shown) == "unknown-app-password"
    assert failures(directory, who) == []
    assert who.dn not in directory.binds_since(mark)


def test_an_unknown_app_password_in_another_form_is_tried_as_an_account_password(directory, usual):
    who = directory.new_person()
    typed = apppassword.make().shown.replace("-", " ")
    assert reason(usual, who, typed) == "wrong-account-password"
    assert len(failures(directory, who)) == 1


def test_account_passwords_of_users_with_mfa_are_no_failed_binds(directory, usual):
    who = directory.new_person(mfa=True)
    for _ in range(2 * FAILURES_THAT_LOCK):
        assert usual.sign_in(who.uid, "wrong").code == smtp.REFUSED
    assert failures(directory, who) == []


# What ends an account, and the value that does not.
ENDS = {
    "pwdEndTime": ("20200101000000Z", "20990101000000Z"),
    "pwdStartTime": ("20990101000000Z", "20200101000000Z"),
}


def set_date(directory, who, attribute, value):
    directory.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, attribute, [value.encode()])])


@pytest.mark.parametrize("attribute", ENDS)
def test_an_account_outside_its_dates_is_refused(directory, usual, attribute):
    who, app_password = directory.new_person(app_passwords=1)
    outside, inside = ENDS[attribute]
    set_date(directory, who, attribute, inside)
    assert reason(usual, who, app_password.shown) == "app-password"
    set_date(directory, who, attribute, outside)
    mark = directory.mark()
    assert reason(usual, who, app_password.shown) == "account-disabled"
    assert f'error="{attribute} ends the account"' in usual.events()[-1]
    assert reason(usual, who, who.password) == "account-disabled"
    assert who.dn not in directory.binds_since(mark)


@pytest.mark.parametrize("typed", ["as shown", "with spaces"])
def test_a_revoked_app_password_never_locks_its_owner_out(directory, usual, typed):
    who = directory.new_person()
    revoked = apppassword.make()
    directory.administrate(who, appPassword=apppassword.tombstone(revoked))
    password = revoked.shown if typed == "as shown" else revoked.shown.replace("-", " ")
    mark = directory.mark()
    for _ in range(2 * FAILURES_THAT_LOCK):
        assert reason(usual, who, password) == "revoked"
    assert failures(directory, who) == []
    assert who.dn not in directory.binds_since(mark)
    assert reason(usual, who, who.password) == "account-password"
