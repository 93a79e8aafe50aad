# SPDX-License-Identifier: BSD-2-Clause
"""Logins with app passwords in a store, beside a directory whose schema nobody extended."""

import ldap
import pytest

import apppassword
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY, Beside
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE
from pam import pamtester

WITH_APP_PASSWORD = ACCEPTED, "app-password"
WITH_ACCOUNT_PASSWORD = ACCEPTED, "account-password"
NEEDS_APP_PASSWORD = REFUSED, "account-password-with-mfa"
UNKNOWN = REFUSED, "unknown-app-password"
NO_DIRECTORY = UNAVAILABLE, "directory-unavailable"


# ---- The decision ----

def test_with_mfa_an_app_password_is_accepted_and_the_account_password_refused(front, beside):
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    for login in who.uid, who.mail:
        assert front(login, app_password.shown) == WITH_APP_PASSWORD
        assert front(login, who.password) == NEEDS_APP_PASSWORD
        assert front(login, "wrong") == NEEDS_APP_PASSWORD


def test_without_mfa_both_are_accepted(front, beside):
    who, app_password = beside.new_person(app_passwords=1)
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    assert front(who.uid, who.password) == WITH_ACCOUNT_PASSWORD
    assert front(who.uid, "wrong") == (REFUSED, "wrong-account-password")


def test_app_passwords_that_are_wrong_revoked_expired_or_of_somebody_else_are_refused(
        front, beside):
    who, app_password, revoked = beside.new_person(mfa=True, app_passwords=2)
    _, foreign = beside.new_person(mfa=True, app_passwords=1)
    expired = apppassword.make(expires=apppassword.from_now(minutes=-5))
    beside.store.administrate(beside.users.id(who), appPassword=[
        app_password.value, revoked.value, expired.value])
    assert front(who.uid, revoked.shown) == WITH_APP_PASSWORD
    beside.revoke(who, revoked)
    wrong = app_password.shown[:5] + foreign.shown[5:]
    assert front(who.uid, revoked.shown) == UNKNOWN
    assert front(who.uid, foreign.shown) == UNKNOWN
    assert front(who.uid, expired.shown) == (REFUSED, "expired")
    assert front(who.uid, wrong)[0] == REFUSED
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD


def test_an_announced_date_in_the_store_puts_enforcement_off(front, beside):
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    beside.store.administrate(beside.users.id(who), appPasswordMfaEnforceFrom=apppassword.from_now(
        days=30))
    assert front(who.uid, who.password) == WITH_ACCOUNT_PASSWORD
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    beside.store.administrate(beside.users.id(who), appPasswordMfaEnforceFrom=apppassword.from_now(
        days=-1))
    assert front(who.uid, who.password) == NEEDS_APP_PASSWORD


def test_without_an_entry_in_the_store_the_answer_depends_on_where_mfa_is(front, beside):
    person = beside.users.new_person()
    with_mfa = beside.users.new_person()
    beside.users.set_mfa(with_mfa, True)
    in_users = beside.mfa == IN_USERS_DIRECTORY
    is_off = beside.mfa in (IN_USERS_DIRECTORY, DEFAULT_OFF)
    assert front(person.uid, person.password) == (
        WITH_ACCOUNT_PASSWORD if is_off else NEEDS_APP_PASSWORD)
    assert front(with_mfa.uid, with_mfa.password) == (
        WITH_ACCOUNT_PASSWORD if is_off and not in_users else NEEDS_APP_PASSWORD)
    assert front(person.uid, apppassword.make().shown) == UNKNOWN


def test_an_entry_that_says_nothing_of_mfa_is_unavailable_if_the_store_says_it(front, beside):
    who = beside.users.new_person()
    app_password = apppassword.make()
    beside.store.add_entry(beside.users.id(who), appPasswordMfaEnabled=[],
                           appPassword=app_password.value)
    assert front(who.uid, who.password) == (
        WITH_ACCOUNT_PASSWORD if beside.mfa == IN_USERS_DIRECTORY
        else (UNAVAILABLE, "mfa-unreadable"))
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD


def test_each_login_takes_one_search_in_each_directory_or_none_in_the_store(front, beside):
    """Only by the id, whatever somebody typed."""
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    front(who.uid, app_password.shown)
    marks = beside.users.mark(), beside.store.mark()
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    assert beside.searches(*marks) == (1, 1)
    searched = [line for line in beside.store.log_since(marks[1]) if " SRCH base=" in line]
    assert f'filter="(appPasswordOwner={beside.users.id(who)})"' in searched[0]
    marks = beside.users.mark(), beside.store.mark()
    assert front("nobody", app_password.shown) == (REFUSED, "unknown-user")
    assert beside.searches(*marks) == (1, 0)
    without = beside.new_person()
    marks = beside.users.mark(), beside.store.mark()
    assert front(without.uid, without.password) == WITH_ACCOUNT_PASSWORD
    in_store = beside.searches(*marks)[1]
    assert in_store == 0 if beside.mfa == IN_USERS_DIRECTORY else in_store > 0


def test_a_name_of_the_stores_own_finds_nobody(front, beside):
    """Its identities, its witness and an id are no logins."""
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    for login in beside.users.id(who), "mail-server", "mfa-witness":
        assert front(login, app_password.shown) == (REFUSED, "unknown-user")


# ---- Names and ids ----

def test_a_renamed_user_keeps_the_app_passwords(front, beside):
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    renamed = beside.users.rename(who, f"{who.uid}-renamed")
    assert front(renamed.uid, app_password.shown) == WITH_APP_PASSWORD
    assert front(renamed.mail, app_password.shown) == WITH_APP_PASSWORD
    assert front(who.uid, app_password.shown) == (REFUSED, "unknown-user")
    if beside.mfa != IN_USERS_DIRECTORY:  # a group names its members, and slapd does not follow
        assert front(renamed.uid, renamed.password) == NEEDS_APP_PASSWORD


def test_a_moved_user_keeps_the_app_passwords(front, beside):
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    beside.users.move(who, "elsewhere")
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD


def test_two_users_who_swap_names_keep_their_own_app_passwords(front, beside):
    (first, of_first), (second, of_second) = (
        beside.new_person(mfa=True, app_passwords=1) for _ in range(2))
    for who, app_password in (first, of_first), (second, of_second):
        assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    aside = beside.users.rename(first, f"{first.uid}-aside")
    beside.users.rename(second, first.uid)
    beside.users.rename(aside, second.uid)
    assert front(second.uid, of_first.shown) == WITH_APP_PASSWORD
    assert front(first.uid, of_second.shown) == WITH_APP_PASSWORD
    assert front(first.uid, of_first.shown) == UNKNOWN
    assert front(second.uid, of_second.shown) == UNKNOWN


def test_a_successor_of_the_same_name_inherits_nothing(front, beside):
    """Not even from the process that remembers the predecessor's app password."""
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    before = beside.users.id(who)
    beside.users.delete(who)
    assert front(who.uid, app_password.shown) == (REFUSED, "unknown-user")
    beside.users.add(who)
    assert beside.users.id(who) != before
    assert front(who.uid, app_password.shown) == UNKNOWN
    beside.users.set_mfa(who, True)
    own = apppassword.make()
    beside.add_entry(who, True, [own])
    assert front(who.uid, own.shown) == WITH_APP_PASSWORD
    assert front(who.uid, app_password.shown) == UNKNOWN
    assert front(who.uid, who.password) == NEEDS_APP_PASSWORD
    assert before in beside.store.owners()


# ---- id_attribute ----

def test_another_id_attribute_lets_nobody_back_to_the_account_password(make_front, beside):
    """One that the users do not have: the store cannot be asked."""
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    without = beside.new_person()
    front = make_front(beside.settings | {"id_attribute": "nsUniqueId"})
    for password in app_password.shown, who.password, "wrong":
        assert front(who.uid, password) == NO_DIRECTORY
    assert "id_attribute nsUniqueId has no value" in front.lines()[-1]
    assert front(without.uid, without.password) == (
        WITH_ACCOUNT_PASSWORD if beside.mfa == IN_USERS_DIRECTORY else NO_DIRECTORY)


SECOND_ID = ("attributetype ( 2.16.840.1.113730.3.8.3.1 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch"
             " SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )")


def test_another_id_attribute_that_users_have_too_lets_nobody_back(make_front, own_beside):
    """The store then seems to have none of them; an entry of FreeIPA has three such attributes."""
    for mfa in DEFAULT_ON, DEFAULT_OFF:
        beside = own_beside(mfa, lines=SECOND_ID)
        who, app_password = beside.new_person(mfa=True, app_passwords=1)
        beside.users.connect_as_itself().modify_s(who.dn, [
            (ldap.MOD_ADD, "objectClass", [b"extensibleObject"]),
            (ldap.MOD_ADD, "ipaUniqueID", [b"0f3bd8a6-ca22-11f0-9d4f-525400a1b2c3"])])
        front = make_front(beside.settings | {"id_attribute": "ipaUniqueID"})
        assert front(who.uid, app_password.shown) == UNKNOWN
        assert front(who.uid, who.password) == (
            NEEDS_APP_PASSWORD if mfa == DEFAULT_ON else (UNAVAILABLE, "mfa-unreadable"))


def test_a_hidden_id_lets_nobody_back_to_the_account_password(make_front, own_beside):
    for mfa in DEFAULT_ON, DEFAULT_OFF:
        beside = own_beside(mfa, first_rules="access to attrs=entryUUID by * none\n")
        who, app_password = beside.new_person(mfa=True, app_passwords=1)
        front = make_front(beside.settings)
        for password in app_password.shown, who.password:
            assert front(who.uid, password) == NO_DIRECTORY
        assert "id_attribute entryUUID has no value" in front.lines()[-1]


# ---- A store that has lost its data ----

def lose(beside, *dns):
    """Delete entries with everything below, as after a lost disk."""
    root = beside.store.connect_as_itself()
    for dn in dns:
        for entry, _ in reversed(root.search_s(dn, ldap.SCOPE_SUBTREE, attrlist=["1.1"])):
            root.delete_s(entry)


@pytest.fixture(params=[IN_USERS_DIRECTORY, DEFAULT_ON, DEFAULT_OFF])
def losing(request, own_beside, make_front):
    """(directories, mail server, user with MFA and an app password, user without)"""
    beside = own_beside(request.param)
    front = make_front(beside.settings)
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    without = beside.new_person()
    assert front(who.uid, app_password.shown) == WITH_APP_PASSWORD
    assert front(without.uid, without.password) == WITH_ACCOUNT_PASSWORD
    return beside, front, (who, app_password), without


def test_a_store_without_its_base_is_unavailable(losing):
    beside, front, (who, app_password), without = losing
    lose(beside, beside.store.entries)
    for password in app_password.shown, who.password, "wrong":
        assert front(who.uid, password) == NO_DIRECTORY
    assert f"{beside.store.entries}\\x22 does not exist" in front.lines()[-1]
    assert front(without.uid, without.password) == (
        WITH_ACCOUNT_PASSWORD if beside.mfa == IN_USERS_DIRECTORY else NO_DIRECTORY)


def test_a_store_without_anything_is_unavailable(losing):
    """Its mail server may not even bind."""
    beside, front, (who, app_password), _ = losing
    lose(beside, beside.store.base)
    for password in app_password.shown, who.password:
        assert front(who.uid, password) == NO_DIRECTORY


def test_a_store_made_anew_without_its_backup_lets_nobody_back_to_the_account_password(losing):
    """Somebody loads what a new store contains, so that it starts again."""
    beside, front, (who, app_password), without = losing
    lose(beside, beside.store.base)
    beside.store.load_entries()
    assert front(who.uid, app_password.shown) == UNKNOWN
    for person in who, without:
        assert front(person.uid, person.password) == {
            IN_USERS_DIRECTORY: NEEDS_APP_PASSWORD if person is who else WITH_ACCOUNT_PASSWORD,
            DEFAULT_ON: NEEDS_APP_PASSWORD, DEFAULT_OFF: (UNAVAILABLE, "mfa-unreadable")}[beside.mfa]


def test_a_store_without_entries_lets_nobody_back_to_the_account_password(losing):
    """With the default off, as long as the witness is lost as well."""
    beside, front, (who, app_password), without = losing
    lose(beside, *(beside.store.dn(owner) for owner in beside.store.owners()), beside.store.witness)
    assert front(who.uid, app_password.shown) == UNKNOWN
    assert front(who.uid, who.password) == (
        (UNAVAILABLE, "mfa-unreadable") if beside.mfa == DEFAULT_OFF else NEEDS_APP_PASSWORD)
    assert front(without.uid, without.password) == {
        IN_USERS_DIRECTORY: WITH_ACCOUNT_PASSWORD, DEFAULT_ON: NEEDS_APP_PASSWORD,
        DEFAULT_OFF: (UNAVAILABLE, "mfa-unreadable")}[beside.mfa]


# ---- PAM ----

@pytest.mark.parametrize("mfa", [IN_USERS_DIRECTORY, DEFAULT_ON])
def test_pam_signs_in_with_a_store(services, users_and_store, mfa):
    beside = Beside(*users_and_store, mfa)
    who, app_password = beside.new_person(mfa=True, app_passwords=1)
    asked = services(beside.settings)
    signs_in = "pamtester: successfully authenticated"
    assert pamtester(asked.pam_d, "imap", who.uid, app_password.shown, "authenticate") == [signs_in]
    assert pamtester(asked.pam_d, "imap", who.uid, who.password, "authenticate") != [signs_in]
    verdicts = [line.split(" verdict=")[1].split()[0] for line in asked.events()]
    assert verdicts == [ACCEPTED, REFUSED]
