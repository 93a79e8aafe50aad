# SPDX-License-Identifier: BSD-2-Clause
"""Reports and sweeps with a store: each entry there is joined with its user by id."""

import contextlib
import csv
import io
import json

import ldap
import pytest

import apppassword
from administration import DONE, FAILED
from apppassword import from_now
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY, Users, tcp
from conftest import new_folder
from slapd import IDENTITIES, MEMBER
from store import Store
from stored import People, StoredSite
from test_sweep import OLD, Population, everything, found

# Nobody else has a departmentNumber.
COUNTED = "(&(departmentNumber=*)(|(uid=%u)(mail=%u)))"
SHOWS_ALL = f'limits dn.exact="{IDENTITIES["mail server"]}" size=unlimited'


@contextlib.contextmanager
def servers(workdir, mfa, **options):
    users, store = Users(new_folder(workdir, "users"), **options), Store(
        new_folder(workdir, "store"))
    try:
        yield People(users.start(), store.start(), mfa)
    finally:
        users.stop()
        store.stop()


@pytest.fixture(params=[IN_USERS_DIRECTORY, DEFAULT_OFF])
def people(request, workdir):
    """Each test has its own: a report is about every user."""
    with servers(workdir, request.param, database=SHOWS_ALL) as directories:
        yield directories


@pytest.fixture
def population(people):
    return Population(people)


@pytest.fixture
def site(people, tmp_path):
    return StoredSite(tmp_path / "site", people)


def test_every_finding(people, population, site):
    """The member of the users' directory is in its group without an app password, too."""
    in_group = people.mfa == IN_USERS_DIRECTORY
    expected = everything(population) | ({("mfa-without-app-password", MEMBER.uid, None)}
                                         if in_group else set())
    assert found(site) == expected
    rows = list(csv.DictReader(io.StringIO(site.done("report", "--csv"))))
    assert {(row["finding"], row["user"], row["id"] or None) for row in rows} == expected
    row, = [row for row in rows if row["user"] == population.expired.uid]
    assert row["dn"] == population.expired.dn, "that of the user, not of the entry in the store"


def test_sweeps(people, population, site):
    dry = site.done("revoke", "--expired", "--unused", "180d", "--dry-run")
    assert dry.count("would be revoked") == 3
    called = site.command("revoke", "--expired", "--unused", "180d", "--wait=10s")
    assert called.returncode == DONE, called
    assert called.stdout == dry.replace("would be revoked", "revoked")
    for who in population.expired, population.unused, population.never_used:
        assert people.app_passwords(who) == []
    for who in population.fine, population.young, population.expiring:
        assert len(people.app_passwords(who)) == 1


def test_sweeps_of_somebody_named(people, population, site):
    site.done("revoke", "--expired", population.expired.uid, population.fine.uid)
    assert people.app_passwords(population.expired) == []
    assert people.app_passwords(population.unused) != []


def test_without_recorded_uses_the_store_is_named(people, site):
    who = people.new_person(mfa=True)
    people.add_app_password(who, created=OLD)
    called = site.command("revoke", "--unused", "180d")
    assert called.returncode == FAILED, called
    assert f'no appPasswordUsed below "{people.store.entries}"' in called.stderr
    assert people.app_passwords(who)


def settle(people, department, mfa, **attributes):
    """A new user of a department."""
    who = people.new_person(mfa=mfa) if attributes or mfa else people.users.new_person()
    people.users.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, "departmentNumber", [department.encode()])])
    if attributes:
        people.administrate(who, **attributes)
    return who


def test_progress_is_joined_by_id(people, tmp_path):
    """Departments are of the users' directory, everything else of the store."""
    working = apppassword.make()
    settle(people, "Sales", True, appPassword=working.value, appPasswordMfaMethod="sealed=AAAA",
           appPasswordUsed=f"id={working.id} at={from_now(days=-1)} service=imap from=192.0.2.1")
    settle(people, "sales", True, appPasswordMfaEnforceFrom="20990131000000Z")
    settle(people, "Support", False, appPassword=apppassword.make().value)
    settle(people, "Support", False)
    settle(people, "Support", True)
    site = StoredSite(tmp_path / "counted", people, filter=COUNTED)
    keys = ["users", "mfa_enforced", "mfa_announced", "enrolled", "app_password", "used_in_30_days"]
    report = json.loads(site.done("report", "--progress", "--by", "departmentNumber", "--json"))
    assert [report.pop(key) for key in keys] == [5, 2, 1, 1, 2, 1]
    assert report["rows"] == [{"value": "Sales"} | dict(zip(keys, [2, 1, 1, 1, 1, 1])),
                              {"value": "Support"} | dict(zip(keys, [3, 1, 0, 0, 1, 0]))]


def test_a_user_who_is_gone_leaves_an_account_that_has_ended(people, site):
    who = people.new_person(mfa=True)
    one = people.add_app_password(who, created=OLD, expires=from_now(days=-1))
    people.store.administrate(people.users.id(who), uid=who.uid)
    owner = people.users.id(who)
    people.users.delete(who)
    called = site.command("report", "--expired", "--disabled", "--json")
    assert "belong to nobody in the users' directory: 1;" in called.stderr
    rows = json.loads(called.stdout)
    assert {(row["finding"], row["user"], row["dn"], row["id"]) for row in rows} == {
        (finding, who.uid, people.store.dn(owner), one.id)
        for finding in ("expired", "disabled-account")}
    assert site.done("revoke", "--expired") == f"{who.uid}: {one.id} revoked, expired: a test\n"
    assert "revoked=" in people.store.values(owner, "appPassword")[0]


def test_concurrent_sweeps_of_a_user_who_is_gone(people, site):
    """Those that come second do not look for the user in the users' directory."""
    who = people.new_person(mfa=True)
    for _ in range(6):
        people.add_app_password(who, created=OLD, expires=from_now(days=-1))
    owner = people.users.id(who)
    people.users.delete(who)
    called = site.at_once(5, "revoke", "--expired")
    said = [line for _, _, stderr in called for line in stderr.splitlines() if owner in line]
    assert all("somebody else keeps changing this entry" in line for line in said), said
    assert all(" revoked=" in value for value in people.store.values(owner, "appPassword"))


def test_a_successor_is_not_taken_for_the_predecessor(people, site):
    who = people.new_person(mfa=True)
    people.add_app_password(who)
    people.users.delete(who)
    people.users.add(who)
    rows = found(site, "--disabled")
    assert [row[0] for row in rows] == ["disabled-account"]


# ---- many users ----

@pytest.fixture(scope="module")
def many(workdir):
    """900 users, of whom the users' directory shows 500 at once, as slapd does by default."""
    with servers(workdir, DEFAULT_ON) as directories:
        root = directories.store.connect_as_itself()
        admin = directories.users.connect_as_itself()
        for dn, entry in admin.search_s(
                "ou=people,dc=example,dc=org", ldap.SCOPE_ONELEVEL, "(uid=user*)", ["entryUUID"]):
            owner = entry["entryUUID"][0]
            one = apppassword.make(created=OLD, expires=from_now(days=-1))
            root.add_s(directories.store.dn(owner.decode()), [
                ("objectClass", [b"appPasswordEntry", b"appPasswordAccount"]),
                ("appPasswordOwner", [owner]), ("appPasswordMfaEnabled", [b"TRUE"]),
                ("appPassword", [one.value.encode()])])
        yield directories


def test_findings_about_app_passwords_know_no_limit(many, tmp_path):
    """The store shows all to its administrator, and each user is asked for alone."""
    site = StoredSite(tmp_path / "site", many)
    assert len(json.loads(site.done("report", "--expired", "--json"))) == 900


@pytest.mark.parametrize("option", ["--mfa-without-app-password", "--progress"])
def test_a_limit_of_the_users_directory(many, tmp_path, option):
    """The error says where, and whom the limit is to be raised for."""
    called = StoredSite(tmp_path / "site", many).command("report", option)
    assert called.returncode == FAILED, called
    assert "Size limit exceeded" in called.stderr and many.users.ldap in called.stderr
    assert "in the users' directory" in called.stderr and "admin.conf" in called.stderr
    assert "ldap-schema" not in called.stderr, "nothing of it is loaded there"


def test_a_limit_of_the_store(many, tmp_path):
    """Administrator and portal have none there; the mail server, which reads one entry at a time, has slapd's."""
    called = StoredSite(tmp_path / "site", many, manage_as="mail server").command("report", "--expired")
    assert called.returncode == FAILED, called
    assert "Size limit exceeded" in called.stderr and tcp(many.store) in called.stderr
    assert "in the store for the administrator" in called.stderr
    assert "ldap-schema" not in called.stderr


def test_another_id_attribute_finds_no_users(many, tmp_path):
    """All accounts look as if they had ended; the report says what else it may be."""
    called = StoredSite(tmp_path / "site", many, id_attribute="nsUniqueId").command(
        "report", "--disabled")
    assert called.stdout.count("disabled-account") == 900
    assert "belong to nobody in the users' directory: 900" in called.stderr
    assert "id_attribute" in called.stderr
