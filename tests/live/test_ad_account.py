# SPDX-License-Identifier: BSD-2-Clause
"""Accounts of an Active Directory that have ended, are locked, or must change their password."""

import time

import pytest

import apppassword
from samba import DISABLED, person
from slapd import BASE

ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"
THRESHOLD = 3
PASSWORD_EXPIRES = "512"  # userAccountControl
TEN_MINUTES = str(-600 * 10**7)


@pytest.fixture(scope="module")
def directory(active_directory):
    return active_directory


@pytest.fixture
def alice(directory):
    """With MFA off and an app password."""
    who, app_password = directory.new_person(app_passwords=1)
    directory.set_mfa(who, False)
    return who, app_password.shown


def filetime(seconds_from_now):
    return str(int((time.time() + seconds_from_now + 11644473600) * 10**7))


# ---- ended by an attribute that the mail server reads ----

ENDED = {"userAccountControl": DISABLED, "accountExpires": filetime(-60)}


@pytest.mark.parametrize("attribute", ENDED)
def test_an_account_that_has_ended(directory, site, alice, attribute):
    who, app_password = alice
    directory.set(who, **{attribute: ENDED[attribute]})
    for password in (who.password, app_password, "wrong"):
        line = site.check(who.uid, password)
        assert " verdict=refused reason=account-disabled " in line
        assert f'error="{attribute} ends the account"' in line


@pytest.mark.parametrize("end", ["0", str(2**63 - 1), "soon"])
def test_an_account_that_has_not_ended(directory, site, alice, end):
    who, app_password = alice
    directory.set(who, accountExpires=filetime(60) if end == "soon" else end)
    assert site.answers(who.uid, app_password) == (ACCEPTED, "app-password")
    assert site.answers(who.uid, who.password) == (ACCEPTED, "account-password")


@pytest.mark.parametrize("attribute", ENDED)
def test_an_account_that_may_have_ended(directory, site, alice, attribute):
    """An attribute that is hidden in this entry alone could say so."""
    who, app_password = alice
    directory.hide(who, attribute)
    for password in (who.password, app_password):
        line = site.check(who.uid, password)
        assert " verdict=unavailable reason=directory-unavailable " in line
        assert f"{attribute} cannot be read" in line and f'dn="{who.dn}"'.lower() in line.lower()


# ---- what the domain controller says about an account password ----

@pytest.fixture
def lockout(directory):
    directory.set(BASE, lockoutThreshold=str(THRESHOLD), lockoutDuration=TEN_MINUTES,
                  lockOutObservationWindow=TEN_MINUTES)
    yield
    directory.set(BASE, lockoutThreshold="0")


def bad_passwords(directory, who):
    return int((directory.values(who, "badPwdCount") or ["0"])[0])


def test_a_wrong_password(site, alice):
    line = site.check(alice[0].uid, "wrong")
    assert " verdict=refused reason=wrong-account-password " in line
    assert ", data 52e, " in line


def test_guesses_lock_the_account_password_and_not_the_app_password(
        directory, site, alice, lockout):
    who, app_password = alice
    for _ in range(THRESHOLD):
        assert site.answers(who.uid, "wrong") == (REFUSED, "wrong-account-password")
    line = site.check(who.uid, who.password)
    assert " verdict=refused reason=account-locked " in line and ", data 775, " in line
    assert site.answers(who.uid, app_password) == (ACCEPTED, "app-password")


def revoke(directory, site, who, shown):
    site.done("revoke", who.uid, shown[:4])
    return shown


def expire(directory, site, who, shown):
    return directory.add_app_password(who, expires="20260101000000Z").shown


# What is typed instead of an app password that works, and the reason.
USELESS = {
    "a revoked one": (revoke, "revoked"),
    "a revoked one without hyphens": (lambda *known: revoke(*known).replace("-", ""), "revoked"),
    "an expired one": (expire, "expired"),
    "an unknown one": (lambda *_: apppassword.make().shown, "unknown-app-password"),
    "a wrong one": (lambda directory, site, who, shown: apppassword.make(id=shown[:4]).shown,
                    "wrong-app-password"),
}


@pytest.mark.parametrize("case", USELESS)
def test_app_passwords_never_count_as_wrong_passwords(directory, site, alice, lockout, case):
    make, reason = USELESS[case]
    who, shown = alice
    password = make(directory, site, who, shown)
    for _ in range(THRESHOLD + 1):
        assert site.answers(who.uid, password) == (REFUSED, reason)
    assert bad_passwords(directory, who) == 0
    assert site.answers(who.uid, "wrong") == (REFUSED, "wrong-account-password")
    assert bad_passwords(directory, who) == 1


def test_a_user_with_mfa_on_never_counts(directory, site, alice, lockout):
    who, _ = alice
    directory.set_mfa(who, True)
    for password in ("wrong", who.password, apppassword.make().shown):
        site.check(who.uid, password)
    assert bad_passwords(directory, who) == 0


def test_a_password_that_must_be_changed(directory, site, alice):
    who, app_password = alice
    directory.set(who, userAccountControl=PASSWORD_EXPIRES, pwdLastSet="0")
    line = site.check(who.uid, who.password)
    assert " verdict=refused reason=password-must-change " in line and ", data 773, " in line
    assert site.answers(who.uid, app_password) == (ACCEPTED, "app-password")


def test_a_password_that_has_expired(directory, site):
    who = directory.new_person()
    directory.set_mfa(who, False)
    directory.set(who, userAccountControl=PASSWORD_EXPIRES)
    directory.date_password(who, filetime(-100 * 86400))
    line = site.check(who.uid, who.password)
    assert " verdict=refused reason=password-must-change " in line and ", data 532, " in line


def test_logon_hours(directory, site):
    """The domain controller says at the bind alone that this is none of them."""
    who = directory.new_person()
    directory.set_mfa(who, False)
    directory.manager().modify_s(who.dn, [(2, "logonHours", [bytes(21)])])
    line = site.check(who.uid, who.password)
    assert " verdict=refused reason=account-disabled " in line and ", data 530, " in line


def test_a_successor_inherits_nothing(directory, site):
    who = directory.add_user(person("Heir"))
    app_password = directory.add_app_password(who).shown
    assert site.answers(who.uid, app_password) == (ACCEPTED, "app-password")
    directory.manager().delete_s(who.dn)
    assert site.answers(who.uid, app_password) == (REFUSED, "unknown-user")
    directory.add_user(who)
    directory.set_mfa(who, False)
    assert site.answers(who.uid, app_password) == (REFUSED, "unknown-app-password")
