# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on a site with Active Directory."""

import ldap
import pytest

import apppassword
from administration import DONE, FAILED, Site
from apppassword import from_now
from conftest import new_folder
from samba import DomainController, person
from slapd import BASE, IDENTITIES
from test_doctor import a_user, assert_finds, doctor, safe

MAIL_SERVER = IDENTITIES["mail server"]


@pytest.fixture(scope="module")
def good_directory(workdir):
    """With a user who has everything that the doctor compares."""
    server = DomainController(new_folder(workdir, "ad-doctor") / "samba").start()
    who = server.new_person()
    server.set_mfa(who, True, enforce_from="20260101000000.0Z")
    app_password = server.add_app_password(who)
    server.administrate(who, appPasswordUsed=f"id={app_password.id} at={from_now(days=-1)}")
    server.set(IDENTITIES["administrator"], appPasswordMfaEnabled="FALSE")  # may not do so itself
    yield server
    server.stop()


def make_site(folder, server, /, **keys):
    return safe(Site(folder, server, **keys))


def test_a_good_set_up_has_no_finding(good_directory, tmp_path):
    site = make_site(tmp_path / "site", good_directory)
    a_user(good_directory)
    site.done("mfa", "off", "--filter", "(!(appPasswordMfaEnabled=*))")
    called = doctor(site, "--mfa-user", "user000")
    assert called.returncode == DONE, called.stdout + called.stderr
    assert " 0 problems, 0 unknown" in called.stdout
    assert f"schema: {good_directory.ldaps}" in called.stdout


def test_a_directory_that_is_called_by_another_kind(good_directory, tmp_path):
    called = doctor(make_site(tmp_path / "site", good_directory, directory="ldap", login_attribute="sAMAccountName",
                              filter="(&(objectClass=user)(sAMAccountName=%u))"))
    assert_finds(called, "says that it is Active Directory", "directory active-directory")


def test_a_server_that_is_called_active_directory(own_directory, tmp_path):
    called = doctor(make_plain_site(tmp_path / "site", own_directory()))
    assert_finds(called, "does not say that it is Active Directory", "directory ldap")


def make_plain_site(folder, server):
    return safe(Site(folder, server, directory="active-directory", login_attribute="uid", filter="(uid=%u)",
                     mfa_off_filter="(appPasswordMfaEnabled=FALSE)"))


def test_users_of_whom_nobody_has_said_whether_mfa_is_on(good_directory, tmp_path):
    who = good_directory.new_person()
    site = make_site(tmp_path / "site", good_directory)
    assert_finds(doctor(site), f"neither (appPasswordMfaEnabled=TRUE) nor (appPasswordMfaEnabled=FALSE) matches",
                 "mfa off --filter '(!(appPasswordMfaEnabled=*))'")
    site.done("mfa", "off", "--filter", "(!(appPasswordMfaEnabled=*))")
    assert doctor(site).returncode == DONE
    assert f"{who.uid}: off" in site.done("mfa", "status", who.uid)


@pytest.mark.parametrize("key, group", [("mfa_filter", "(|(appPasswordMfaEnabled=TRUE)(memberOf=cn=typo,{BASE}))"),
                                        ("mfa_off_filter", "(memberOf=cn=typo,{BASE})")])
def test_a_group_in_a_filter_that_does_not_exist(good_directory, tmp_path, key, group):
    site = make_site(tmp_path / "site", good_directory, mfa_witness=a_user(good_directory).dn,
                     **{key: group.format(BASE=BASE)})
    assert_finds(doctor(site), f"{key}: the mail server sees no entry cn=typo,{BASE}", f"correct the DN in {key}")


def test_a_filter_for_off_that_users_with_mfa_match_as_well(good_directory, tmp_path):
    """It would let account passwords in where the flag is hidden."""
    who = good_directory.new_person()
    good_directory.set_mfa(who, True)
    good_directory.set(who, company="Example")
    called = doctor(make_site(tmp_path / "site", good_directory, mfa_off_filter="(company=Example)"))
    assert_finds(called, "mfa_off_filter: (company=Example) also matches users for whom MFA is on",
                 "let mfa_off_filter compare an attribute")


def test_rights_are_not_judged_by_an_account_that_inherits_none(good_directory, tmp_path):
    """Domain Admins, who on Windows are among the first entries of a domain."""
    unit = good_directory.add_unit("mixed")
    for name in "first", "second":
        good_directory.set(good_directory.add_user(person(name)._replace(dn=f"cn={name},{unit}")),
                           appPasswordMfaEnabled="FALSE")
    (first, _), *_ = good_directory.connect("mail server").search_s(unit, ldap.SCOPE_ONELEVEL, attrlist=["1.1"])
    good_directory.protect(person("any")._replace(dn=first))
    called = doctor(make_site(tmp_path / "site", good_directory, base=unit))
    assert not [line for line in called.stdout.splitlines() if line.startswith("PROBLEM  rights")], called.stdout


def test_rights_are_not_judged_by_the_administrators_own_entry(good_directory, tmp_path):
    called = doctor(make_site(tmp_path / "site", good_directory, base=IDENTITIES["administrator"]))
    assert "the administrator may not write" not in called.stdout


# ---- a domain of one's own ----

@pytest.fixture
def bare_directory(workdir):
    """With our schema, and without our rights."""
    server = DomainController(new_folder(workdir, "ad-bare") / "samba", rights=False).start()
    yield server
    server.stop()


def test_without_our_rights(bare_directory, tmp_path):
    bare_directory.set(bare_directory.new_person(), appPassword=apppassword.make().value)
    called = doctor(make_site(tmp_path / "site", bare_directory))
    found = [line for line in called.stdout.splitlines() if line.startswith("PROBLEM  rights")]
    assert called.returncode == FAILED and len(found) == 1, called.stdout
    assert "the rights of ldap-schema/active-directory/rights.sddl are not set" in found[0]
    assert_finds(called, "are not set", "set-rights.ps1, or set-rights.sh for Samba")


def test_what_shows_that_an_account_has_ended_is_hidden(bare_directory, tmp_path):
    bare_directory.set_rights()
    restrictions, user = "4c164200-20c0-11d0-a768-00aa006e0529", "bf967aba-0de6-11d0-a285-00aa003049e2"
    bare_directory.new_person()
    denial = f"(OD;CIIO;RP;{restrictions};{user};{bare_directory.sid_of(MAIL_SERVER)})"
    bare_directory.set_rights_of(BASE, bare_directory.rights_of(BASE).replace("(", denial + "(", 1))
    called = doctor(make_site(tmp_path / "site", bare_directory))
    assert_finds(called, "the mail server cannot read userAccountControl of", "set-rights.ps1")
    assert_finds(called, "the mail server cannot read accountExpires of", "set-rights.ps1")


def test_an_attribute_that_is_not_confidential(bare_directory, tmp_path):
    bare_directory.set_rights()
    bare_directory.set(f"CN=appPassword,CN=Schema,CN=Configuration,{BASE}", searchFlags="256")
    assert_finds(doctor(make_site(tmp_path / "site", bare_directory)), "appPassword is not confidential",
                 "add 128 to searchFlags")


def test_a_defunct_definition_does_not_count(bare_directory, tmp_path):
    bare_directory.set_rights()
    bare_directory.set(f"CN=appPasswordMfaMethod,CN=Schema,CN=Configuration,{BASE}", isDefunct="TRUE")
    assert_finds(doctor(make_site(tmp_path / "site", bare_directory)), "appPasswordMfaMethod is not defined",
                 "schema")
