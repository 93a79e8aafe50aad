# SPDX-License-Identifier: BSD-2-Clause
"""The command with an Active Directory: MFA, app passwords, and whom they let in."""

import re

import pytest

from administration import DONE, FAILED, NOT_PERMITTED, Site
from processes import free_port
from samba import DISABLED, PASSWORD, person, principal
from slapd import BASE

ACCEPTED, REFUSED = "accepted", "refused"


@pytest.fixture(scope="module")
def directory(active_directory):
    return active_directory


@pytest.fixture
def newcomer(directory):
    """Nobody has turned MFA on or off."""
    return directory.new_person()


@pytest.fixture
def alice(directory):
    """With MFA off."""
    who = directory.new_person()
    directory.set_mfa(who, False)
    return who


# ---- MFA ----

def test_mfa_on_and_off(directory, site, alice):
    assert site.done("mfa", "on", alice.uid) == f"{alice.uid}: off → enforced now\n"
    assert directory.values(alice, "appPasswordMfaEnabled") == ["TRUE"]
    assert site.done("mfa", "status", alice.uid) == f"{alice.uid}: on\n"
    assert site.answers(alice.uid, alice.password) == (REFUSED, "account-password-with-mfa")
    assert site.done("mfa", "off", alice.uid) == f"{alice.uid}: enforced → off\n"
    assert directory.values(alice, "appPasswordMfaEnabled") == ["FALSE"]
    assert site.answers(alice.uid, alice.password) == (ACCEPTED, "account-password")
    assert site.done("mfa", "off", alice.uid) == f"{alice.uid}: unchanged, off\n"


def test_nobody_has_decided(site, newcomer):
    called = site.command("mfa", "status", newcomer.uid)
    assert called.returncode == NOT_PERMITTED and "turn MFA on or off" in called.stderr, called


@pytest.mark.parametrize("options, state", [
    (["off"], "off"), (["on"], "enforced now"), (["on", "--announce", "14d"], "announced for 20"),
    (["on", "--enforce-from", "2099-01-31"], "announced for 2099-01-31")])
def test_somebody_decides(directory, site, newcomer, options, state):
    """An announcement for users without a flag locks nobody out."""
    verb, *rest = options
    said = site.done("mfa", verb, newcomer.uid, *rest)
    assert said.startswith(f"{newcomer.uid}: neither on nor off → {state}"), said
    verdict, _ = site.answers(newcomer.uid, newcomer.password)
    assert verdict == (REFUSED if state == "enforced now" else ACCEPTED)


@pytest.mark.parametrize("arguments", [
    ["on", "--announce", "14d"], ["on", "--enforce-from", "2099-01-31"], ["off"]])
def test_nothing_takes_back_mfa_that_is_hidden(directory, site, arguments):
    """The administrator may write the flag, but not read it."""
    verb, *options = arguments
    who = directory.new_person(mfa=True)
    directory.hide(who, "appPasswordMfaEnabled", "administrator")
    called = site.command("mfa", verb, who.uid, *options)
    assert called.returncode == FAILED and "may not read" in called.stderr, called
    assert directory.values(who, "appPasswordMfaEnforceFrom") == []
    assert site.answers(who.uid, who.password) == (REFUSED, "account-password-with-mfa")
    site.done("mfa", "on", who.uid)


def test_users_are_found_by_each_name(directory, site, alice):
    for name, flag in ((alice.uid, "TRUE"), (principal(alice), "FALSE"), (alice.mail, "TRUE")):
        site.done("mfa", "on" if flag == "TRUE" else "off", name)
        assert directory.values(alice, "appPasswordMfaEnabled") == [flag]


def test_a_date_from_which_mfa_is_enforced(directory, site, alice):
    site.done("create", alice.uid, "--label", "x", "--without-mfa")
    site.done("mfa", "on", alice.uid, "--enforce-from", "2099-01-31")
    assert directory.values(alice, "appPasswordMfaEnforceFrom") == ["20990131000000.0Z"]
    assert "2099-01-31" in site.done("mfa", "status", alice.uid)
    assert site.answers(alice.uid, alice.password) == (ACCEPTED, "account-password")
    site.done("mfa", "on", alice.uid, "--now")
    assert directory.values(alice, "appPasswordMfaEnforceFrom") == []
    assert site.answers(alice.uid, alice.password) == (REFUSED, "account-password-with-mfa")


def test_mfa_announced(directory, site, alice):
    site.done("mfa", "on", alice.uid, "--announce", "14d")
    date, = directory.values(alice, "appPasswordMfaEnforceFrom")
    assert re.fullmatch(r"20\d{6}000000\.0Z", date)
    called = site.command("mfa", "on", alice.uid)
    assert called.returncode == DONE and "unchanged" in called.stdout
    assert directory.values(alice, "appPasswordMfaEnforceFrom") == [date]


def test_mfa_on_for_users_by_a_filter(directory, site):
    people = [directory.new_person() for _ in range(3)]
    for who in people:
        directory.set_mfa(who, False)
        directory.set(who, department="Filtered")
    called = site.command("mfa", "on", "--filter", "(department=Filtered)")
    assert called.returncode == DONE
    assert called.stdout.count(": off → enforced now") == 3, called
    assert {directory.values(who, "appPasswordMfaEnabled")[0] for who in people} == {"TRUE"}


def test_groups_and_computers_are_no_users(site):
    """They have the class that the filter asks for, or the name."""
    for name in ("DC1$", "mail-administrators"):
        called = site.command("mfa", "on", name)
        assert called.returncode == FAILED and "no such user" in called.stderr
    called = site.command("mfa", "status", "--filter", "(cn=*)")
    assert "DC1$" not in called.stdout and "mail-administrators" not in called.stdout


def test_a_user_that_the_administrator_cannot_write(directory, site, alice):
    directory.protect(alice)
    for arguments in (["mfa", "on", alice.uid], ["create", alice.uid, "--label", "x"]):
        called = site.command(*arguments)
        assert called.returncode in (FAILED, NOT_PERMITTED) and alice.uid in called.stderr, called
    assert directory.manager().search_s(alice.dn, 0, attrlist=["appPassword"])[0][1] == {}


def test_the_domain_administrator_manages_such_a_user(directory, site, alice, tmp_path):
    directory.protect(alice)
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + "\n")
    as_administrator = ["-D", f"CN=Administrator,CN=Users,{BASE}", "-y", secret]
    assert site.done(*as_administrator, "mfa", "on", alice.uid) == \
        f"{alice.uid}: off → enforced now\n"


# ---- app passwords ----

def test_an_app_password_from_create_to_revoke(directory, site, alice):
    site.done("mfa", "on", alice.uid)
    shown = site.create(alice, "--services", "imap,smtp", "--expires", "90d")
    one, = site.listed(alice)
    assert (one["id"], one["label"], one["services"]) == (shown[:4], "a test", ["imap", "smtp"])
    assert site.answers(alice.uid, shown, "--service", "imap") == (ACCEPTED, "app-password")
    site.done("revoke", alice.uid, shown[:4])
    assert site.listed(alice) == []
    assert site.answers(alice.uid, shown, "--service", "imap") == (REFUSED, "revoked")
    value, = directory.values(alice, "appPassword")
    assert " revoked=" in value and "hash=" not in value


def test_no_class_is_added(directory, site, alice):
    """Every user has it by the class user, and Active Directory adds none to an entry."""
    before = directory.values(alice, "objectClass")
    site.done("mfa", "on", alice.uid)
    site.create(alice)
    assert directory.values(alice, "objectClass") == before
    assert "appPasswordAccount" not in before


def test_a_dn_with_special_characters(directory, site):
    who = directory.add_user(person("comma")._replace(dn=f"cn=Berg\\, Åse \\+ (b),ou=people,{BASE}"))
    site.done("mfa", "on", who.uid)
    shown = site.create(who)
    assert site.answers(who.uid, shown) == (ACCEPTED, "app-password")
    site.done("revoke", who.uid, shown[:4])
    site.done("mfa", "off", who.uid)
    assert site.answers(who.uid, shown) == (REFUSED, "revoked")


def test_revoke_waits_for_every_domain_controller(directory, make_site):
    """Here, for two names of the same one."""
    site = make_site(uri=f"{directory.ldaps} {directory.ldaps}:636")
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    called = site.command("revoke", who.uid, app_password.id, "--wait=10s")
    assert called.returncode == DONE, called
    assert directory.app_passwords(who) == []


def test_a_second_factor_is_reset(directory, site, alice):
    directory.administrate(alice, appPasswordMfaMethod="sealed=AAAA")
    site.done("mfa", "reset", alice.uid)
    assert directory.values(alice, "appPasswordMfaMethod") == []


def test_revoke_all(directory, site):
    who, *app_passwords = directory.new_person(mfa=True, app_passwords=3)
    site.done("revoke", who.uid, "--all")
    assert {site.answers(who.uid, one.shown) for one in app_passwords} == {(REFUSED, "revoked")}
    assert directory.app_passwords(who) == []


def test_an_account_that_has_ended_gets_none(directory, site, alice):
    site.done("mfa", "on", alice.uid)
    directory.set(alice, userAccountControl=DISABLED)
    called = site.command("create", alice.uid, "--label", "x")
    assert called.returncode == FAILED and "userAccountControl" in called.stderr, called


def test_at_once_each_gets_its_own(directory, site, alice):
    site.done("mfa", "on", alice.uid)
    results = site.at_once(4, "create", alice.uid, "--label", "x")
    assert {status for status, _, _ in results} == {DONE}, results
    assert len({one["id"] for one in site.listed(alice)}) == 4


def test_changes_go_to_write_uri(directory, make_site, alice):
    nowhere = f"ldaps://127.0.0.1:{free_port()}"
    site = make_site(uri=nowhere, write_uri=directory.ldap, start_tls="yes")
    assert site.command("mfa", "on", alice.uid).returncode == DONE
    assert directory.values(alice, "appPasswordMfaEnabled") == ["TRUE"]


def test_a_change_that_the_rights_refuse(directory, tmp_path, alice):
    site = Site(tmp_path / "site", directory, manage_as="mail server")
    called = site.command("mfa", "on", alice.uid)
    assert called.returncode == NOT_PERMITTED and alice.uid in called.stderr, called
