# SPDX-License-Identifier: BSD-2-Clause
"""Somebody who is not a mail administrator learns that, and not something about the schema."""

import ldap
import pytest

from administration import CONFIGURATION, DONE, NOT_PERMITTED, Site
from beside import DEFAULT_OFF
from conftest import new_folder
from ds389 import DirectoryServer
from slapd import BASE, CLOSED_SITE, IDENTITIES, OPEN_SITE, Slapd
from stored import People, StoredSite

# An ordinary user finds others, but none of our attributes.
VISIBLE = "".join(f"access to dn.{scope} attrs={attributes} by users read\n" for scope, attributes in [
    (f'subtree="ou=people,{BASE}"', "entry,children,uid,mail,objectClass"),
    (f'base="{BASE}"', "entry,children")])
VISIBLE_389 = ('(targetattr = "uid || mail || objectClass")(version 3.0; acl "test: visible"; '
               'allow (read, search, compare) userdn = "ldap:///all";)')

COMMANDS = [["list", "USER"], ["create", "USER", "--label", "x"],
            ["create", "USER", "--label", "x", "--without-mfa"], ["mfa", "status", "USER"],
            ["mfa", "on", "USER"], ["mfa", "off", "USER"], ["mfa", "reset", "USER"],
            ["mfa", "reset", "USER", "--code"], ["revoke", "USER", "k7q2"],
            ["revoke", "USER", "--all"], ["revoke", "USER", "--all", "--dry-run"],
            ["invite", "USER", "--label", "x", "--page", "https://mail.example.org"]]
FOR_ALL = [["report"], ["revoke", "--expired"]]


@pytest.fixture(scope="module")
def openldap(workdir):
    server = Slapd(new_folder(workdir, "outsiders"), site_rules=VISIBLE + CLOSED_SITE).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ds389(workdir):
    server = DirectoryServer(new_folder(workdir, "outsiders")).start()
    server.manager().modify_s(BASE, [(ldap.MOD_ADD, "aci", VISIBLE_389.encode())])
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["openldap", "ds389", "active_directory"])
def directory(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def user(directory):
    """With MFA on."""
    return directory.new_person(mfa=True)


@pytest.fixture
def outsider(directory, tmp_path):
    """Options by which an ordinary user binds."""
    who = directory.new_person()
    (tmp_path / "secret").write_text(who.password + "\n")
    return ["-D", who.dn, "-y", tmp_path / "secret"]


def name(arguments):
    return " ".join(word for word in arguments if word not in ("USER", "--label", "x", "--page"))


@pytest.mark.parametrize("arguments", COMMANDS, ids=name)
def test_an_ordinary_user_is_told(site, directory, user, outsider, arguments):
    called = site.command(*outsider, *(user.uid if word == "USER" else word for word in arguments))
    assert (called.returncode, called.stdout) == (NOT_PERMITTED, ""), called
    assert f"app-password: {user.uid}: you are not a mail administrator for this user: " \
        f"{outsider[1]} may not " in called.stderr
    assert "MAIL ADMINISTRATORS in app-password(1)" in called.stderr
    assert "schema" not in called.stderr
    assert directory.values(user, "appPasswordMfaEnabled") == ["TRUE"]


@pytest.mark.parametrize("arguments", FOR_ALL, ids=name)
def test_an_ordinary_user_who_asks_about_all_is_told(site, outsider, arguments):
    called = site.command(*outsider, *arguments)
    assert called.returncode == NOT_PERMITTED, called
    assert f"you are not a mail administrator for this user: {outsider[1]} may not " in called.stderr


@pytest.mark.parametrize("arguments", [
    arguments for arguments in COMMANDS if arguments[0] not in ("list", "revoke") and
    arguments[1] != "status" and arguments[1] != "on"], ids=name)
def test_the_mail_server_may_read_but_not_change(make_site, user, arguments):
    site = make_site(manage_as="mail server")
    called = site.command(*(user.uid if word == "USER" else word for word in arguments))
    assert (called.returncode, called.stdout) == (NOT_PERMITTED, ""), called
    assert f"{IDENTITIES['mail server']} may not change app passwords" in called.stderr


def test_an_administrator_finds_nothing_where_nothing_is(site, directory):
    user = directory.new_person()
    listed = site.command("list", user.uid)
    assert (listed.returncode, listed.stdout) == (DONE, ""), listed
    assert "no app passwords" in listed.stderr
    revoked = site.command("revoke", user.uid, "k7q2")
    assert "no app password k7q2" in revoked.stderr and "administrator" not in revoked.stderr


# ---- the schema ----

def test_a_missing_schema_is_told_apart(workdir, tmp_path):
    server = Slapd(new_folder(workdir, "bare"), acl=[], schema=False, site_rules=OPEN_SITE)
    try:
        site = Site(tmp_path / "site", server.start())
        for arguments in COMMANDS:
            called = site.command(*("user000" if word == "USER" else word for word in arguments))
            assert (called.returncode, called.stdout) == (CONFIGURATION, ""), called
            assert "user000: the directory does not know appPassword: its administrator must load " \
                "the schema" in called.stderr
            assert "you are not" not in called.stderr
    finally:
        server.stop()


# ---- a store ----

def test_an_identity_of_the_store_that_may_not_write_is_told(tmp_path, users_and_store):
    beside = People(*users_and_store, DEFAULT_OFF)
    who = beside.new_person(mfa=True)
    site = StoredSite(tmp_path / "stored", beside, manage_as="mail server")
    for arguments in (["mfa", "off", who.uid], ["create", who.uid, "--label", "x"]):
        called = site.command(*arguments)
        assert called.returncode == NOT_PERMITTED, called
        assert "you are not a mail administrator for this user: " \
            f"{beside.store.identities['mail server']} may not change " in called.stderr


# ---- a wrong password ----

def test_a_wrong_password_is_tried_once_for_many_users(openldap, tmp_path):
    """More often would lock the account of the administrator."""
    site = Site(tmp_path / "site", openldap)
    (site.folder / "administrator.secret").write_text("wrong\n")
    users = [openldap.new_person().uid for _ in range(4)]
    (tmp_path / "list.csv").write_text("user,label\n" + "".join(f"{name},x\n" for name in users))
    for arguments in (["mfa", "on", *users], ["mfa", "status", "--users", tmp_path / "list.csv"],
                      ["create", "--users", tmp_path / "list.csv"]):
        mark = openldap.mark()
        called = site.command(*arguments)
        assert (called.returncode, called.stdout) == (NOT_PERMITTED, ""), called
        line, = called.stderr.splitlines()
        assert f"bind as {IDENTITIES['administrator']}: Invalid credentials" in line
        assert openldap.binds_since(mark) == [IDENTITIES["administrator"]]
