# SPDX-License-Identifier: BSD-2-Clause
"""Accounts that a directory has ended, and app passwords that were revoked: logins, the command."""

import json

import ldap
import pytest

from administration import FAILED, Site
from conftest import new_folder
from slapd import BASE, CLOSED_SITE, IDENTITIES, MEMBER, Slapd

# As Active Directory, MIT Kerberos and NIS define them, but for AD's Large Integer.
OID = "1.3.6.1.4.1.4203.666.1"
SCHEMA = "\n".join(
    f"attributetype ( {OID}.{number} NAME '{name}' EQUALITY {match}"
    f" SYNTAX 1.3.6.1.4.1.1466.115.121.1.{syntax} SINGLE-VALUE )"
    for number, (name, match, syntax) in enumerate([
        ("userAccountControl", "integerMatch", 27),
        ("accountExpires", "integerMatch", 27),
        ("krbPrincipalExpiration", "generalizedTimeMatch", 24),
        ("shadowExpire", "integerMatch", 27)], 1))
READERS = "\n".join(
    f'    by dn.exact="{IDENTITIES[identity]}" read'
    for identity in ("mail server", "administrator", "replicator"))
RULES = (f"access to attrs=userAccountControl,accountExpires,krbPrincipalExpiration,shadowExpire,"
         f"employeeType\n{READERS}\n    by * none\n")

ENDED = {
    "userAccountControl": ("512", "514"),
    "accountExpires": ("9223372036854775807", "132223104000000000"),
    "krbPrincipalExpiration": ("20990101000000Z", "20200101000000Z"),
    "shadowExpire": ("-1", "18262"),
}
UNREADABLE = {"accountExpires": "-7", "shadowExpire": "-7"}


@pytest.fixture(scope="module")
def directory(own_directories):
    return own_directories(lines=SCHEMA, site_rules=RULES + CLOSED_SITE)


@pytest.fixture(scope="module")
def own_directories(workdir, authority):
    servers = []

    def make(**options):
        servers.append(Slapd(new_folder(workdir, "slapd"), authority=authority, **options))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def site(directory, workdir):
    return Site(new_folder(workdir, "site") / "etc", directory)


@pytest.fixture
def careful_site(directory, workdir):
    witness = directory.new_person()
    set_value(directory, witness, "employeeType", "retired")
    return Site(new_folder(workdir, "site") / "etc", directory,
                disabled_filter="(employeeType=retired)", disabled_witness=witness.dn)


def set_value(directory, who, attribute, value):
    connection = directory.connect_as_itself()
    try:
        connection.modify_s(who.dn, [(ldap.MOD_ADD, "objectClass", [b"extensibleObject"])])
    except ldap.TYPE_OR_VALUE_EXISTS:
        pass
    connection.modify_s(who.dn, [(ldap.MOD_REPLACE, attribute, [value.encode()])])


def said(site, who, password):
    """What a login logs."""
    return site.command("check", who.uid, "--service", "smtp", input=password + "\n").stdout


@pytest.mark.parametrize("attribute", ENDED)
def test_an_account_that_has_ended_is_refused(directory, site, attribute):
    who, app_password = directory.new_person(app_passwords=1)
    active, ended = ENDED[attribute]
    set_value(directory, who, attribute, active)
    assert "verdict=accepted reason=app-password " in said(site, who, app_password.shown)
    set_value(directory, who, attribute, ended)
    for password in (app_password.shown, who.password):
        line = said(site, who, password)
        assert "verdict=refused reason=account-disabled " in line
        assert f'error="{attribute} ends the account"' in line


@pytest.mark.parametrize("attribute", UNREADABLE)
def test_a_value_that_cannot_be_understood_is_an_outage(directory, site, attribute):
    who, app_password = directory.new_person(app_passwords=1)
    set_value(directory, who, attribute, UNREADABLE[attribute])
    for password in (app_password.shown, who.password):
        line = said(site, who, password)
        assert "verdict=unavailable reason=directory-unavailable " in line
        assert f'error="{attribute} is invalid' in line


def test_disabled_filter_refuses_whom_it_finds(directory, careful_site):
    who, app_password = directory.new_person(app_passwords=1)
    assert "reason=app-password " in said(careful_site, who, app_password.shown)
    set_value(directory, who, "employeeType", "retired")
    line = said(careful_site, who, app_password.shown)
    assert "verdict=refused reason=account-disabled " in line
    assert 'error="disabled_filter matches"' in line


def test_disabled_filter_that_nobody_answers_is_an_outage(directory, workdir):
    """The mail server may not search by description."""
    site = Site(new_folder(workdir, "site") / "etc", directory,
                disabled_filter="(description=retired)", disabled_witness=MEMBER.dn)
    who, app_password = directory.new_person(app_passwords=1)
    line = said(site, who, app_password.shown)
    assert "verdict=unavailable reason=directory-unavailable " in line
    assert "neither disabled_filter (description=retired) nor its negation" in line


def test_a_witness_shows_that_disabled_filter_can_be_seen(own_directory, workdir):
    """The witness must be in both groups of the filter, also in the one that is renamed."""
    groups = [f"cn={name},ou=groups,{BASE}" for name in ("left", "suspended")]
    directory = own_directory(first_rules=(
        f'access to attrs=memberOf by dn.exact="{IDENTITIES["mail server"]}" search by * break'))
    root = directory.connect_as_itself()
    (who, app_password), (ended, old), witness = (
        directory.new_person(app_passwords=1), directory.new_person(app_passwords=1),
        directory.new_person())
    for dn, members in zip(groups, ([witness], [witness, ended])):
        root.add_s(dn, [("objectClass", [b"groupOfNames"]), ("cn", [dn[3:].split(",")[0].encode()]),
                        ("member", [member.dn.encode() for member in members])])
    site = Site(new_folder(workdir, "site") / "etc", directory,
                disabled_filter="(|" + "".join(f"(memberOf={dn})" for dn in groups) + ")",
                disabled_witness=witness.dn)
    assert " reason=account-disabled " in said(site, ended, old.shown)
    assert " reason=app-password " in said(site, who, app_password.shown)
    root.rename_s(groups[1], "cn=other")
    for person, password in (ended, old), (who, app_password):
        line = said(site, person, password.shown)
        assert "verdict=unavailable reason=directory-unavailable " in line
        assert f"disabled_witness {witness.dn} does not match each part" in line


def test_create_refuses_an_account_that_has_ended(directory, site):
    who = directory.new_person(mfa=True)
    set_value(directory, who, "shadowExpire", "1")
    called = site.command("create", who.uid, "--label", "x")
    assert (called.returncode, called.stdout) == (FAILED, "")
    assert "shadowExpire ends the account; give --force" in called.stderr
    assert directory.values(who, "appPassword") == []
    site.create(who, "--force")
    assert len(directory.values(who, "appPassword")) == 1


def test_report_finds_accounts_that_have_ended(directory, careful_site):
    ended, _ = directory.new_person(app_passwords=1)
    filtered, _ = directory.new_person(app_passwords=1)
    unreadable, _ = directory.new_person(app_passwords=1)
    active, _ = directory.new_person(app_passwords=1)
    set_value(directory, ended, "userAccountControl", "514")
    set_value(directory, filtered, "employeeType", "retired")
    set_value(directory, unreadable, "shadowExpire", "-7")
    found = {one["user"] for one in json.loads(
        careful_site.done("report", "--disabled", "--json"))}
    assert {ended.uid, filtered.uid, unreadable.uid} <= found
    assert active.uid not in found


@pytest.mark.parametrize("how", [["ID"], ["--all"]], ids=["one", "all"])
def test_revoking_leaves_a_tombstone(directory, site, how):
    who = directory.new_person(mfa=True)
    shown = site.create(who)
    site.done("revoke", who.uid, *(shown[:4] if word == "ID" else word for word in how), "--wait")
    stone, = directory.values(who, "appPassword")
    assert stone.startswith(f"id={shown[:4]} created=")
    assert " revoked=" in stone and stone.endswith(" label=a test") and "hash=" not in stone
    line = said(site, who, shown)
    assert "verdict=refused reason=revoked " in line and f" id={shown[:4]}" in line
    assert site.listed(who) == []
    assert site.command("revoke", who.uid, shown[:4]).returncode == FAILED
    assert site.done("revoke", who.uid, "--all") == f"{who.uid}: unchanged\n"
    assert directory.values(who, "appPassword") == [stone]


def test_list_shows_revoked_app_passwords(directory, site):
    who = directory.new_person(mfa=True)
    kept, gone = site.create(who), site.create(who)
    site.done("revoke", who.uid, gone[:4])
    listed = json.loads(site.done("list", who.uid, "--revoked", "--json"))
    assert [(one["id"], "revoked" in one) for one in listed] == [
        (kept[:4], False), (gone[:4], True)]
    text = site.done("list", who.uid, "--revoked")
    assert "REVOKED (UTC)" in text and gone[:4] in text
    # By chance, it may be a part of a word.
    assert gone[:4] not in site.done("list", who.uid).split()


def test_a_user_with_tombstones_alone_has_no_app_password(directory, site):
    who = directory.new_person(mfa=True)
    site.done("revoke", who.uid, site.create(who)[:4])
    found = json.loads(site.done("report", "--mfa-without-app-password", "--json"))
    assert who.uid in {one["user"] for one in found}
