# SPDX-License-Identifier: BSD-2-Clause
"""revoke_on_password_change, on each directory that says when an account password was changed."""

import re
import subprocess
import time

import ldap
import pytest

from administration import FAILED, Site
from apppassword import from_now
from conftest import new_folder
from ds389 import MANAGER, MANAGER_PASSWORD, DirectoryServer
from slapd import LDAP_SCHEMA

CONFIGURATION = 78
ACCEPTED, CHANGED = ("accepted", "app-password"), ("refused", "password-changed")
UNREADABLE = ("unavailable", "directory-unavailable")


def from_readme(first_line):
    """An indented example of ldap-schema/README.md."""
    text = (LDAP_SCHEMA / "README.md").read_text()
    return re.sub("(?m)^    ", "", re.search(
        rf"(?m)^    {re.escape(first_line)}\n(?:    .*\n)+", text)[0])


class OpenLDAP:
    attribute = "pwdChangedTime"

    def __init__(self, own_directory):
        self.directory = own_directory(first_rules=from_readme("access to attrs=pwdChangedTime"))

    def change_password(self, who):
        connection = self.directory.connect()
        connection.simple_bind_s(who.dn, who.password)
        connection.passwd_s(who.dn, who.password, "Another-Horse/7")


class DirectoryServer389:
    attribute = "pwdUpdateTime"

    def __init__(self, directory):
        self.directory = directory

    def change_password(self, who):
        self.directory.manager().modify_s(who.dn, [
            (ldap.MOD_REPLACE, "userPassword", [b"Another-Horse/7"])])


@pytest.fixture(scope="module")
def directory389(workdir):
    server = DirectoryServer(new_folder(workdir, "ds389")).start()
    server.manager().modify_s("cn=config", [
        (ldap.MOD_REPLACE, "passwordTrackUpdateTime", [b"on"])])
    change = from_readme("dn: dc=example,dc=org\n    changetype: modify\n    add: aci")
    subprocess.run(["ldapmodify", "-x", "-H", server.ldap, "-D", MANAGER, "-w", MANAGER_PASSWORD],
                   input=change, text=True, check=True, stdout=subprocess.DEVNULL)
    yield server
    server.stop()


@pytest.fixture(params=["OpenLDAP", "389"])
def kind(request, own_directory):
    if request.param == "OpenLDAP":
        return OpenLDAP(own_directory)
    return DirectoryServer389(request.getfixturevalue("directory389"))


@pytest.fixture
def make_site(kind, tmp_path):
    def make(name="site", **keys):
        return Site(tmp_path / name, kind.directory, uri=kind.directory.ldap, **keys)
    return make


def test_app_passwords_made_before_the_change_are_refused(kind, make_site):
    site = make_site(revoke_on_password_change="yes")
    who, old = kind.directory.new_person(app_passwords=1)
    assert site.answers(who.uid, old.shown) == UNREADABLE
    assert "neither pwdChangedTime" in site.check(who.uid, old.shown)
    kind.change_password(who)
    assert site.answers(who.uid, old.shown) == CHANGED
    new = site.create(who, "--without-mfa")
    assert site.answers(who.uid, new) == ACCEPTED
    assert make_site("plain").answers(who.uid, old.shown) == ACCEPTED


def test_they_are_listed_and_swept_up(kind, make_site):
    site = make_site(revoke_on_password_change="yes")
    who, old = kind.directory.new_person(app_passwords=1)
    unknown, kept = kind.directory.new_person(app_passwords=1)
    kind.change_password(who)
    new = site.create(who, "--without-mfa")
    row, = [row for row in site.done("list", who.uid).splitlines() if row.startswith(old.id)]
    assert "password changed" in row
    assert [one.get("password_changed", False) for one in site.listed(who)] \
        == [True, False]
    sweep = site.command("revoke", "--password-changed")
    assert f"{who.uid}: {old.id} revoked, password changed: a test" in sweep.stdout
    assert sweep.returncode == FAILED and f"{unknown.uid}: " in sweep.stderr  # nobody knows when
    assert site.answers(who.uid, old.shown) == ("refused", "revoked")
    assert site.answers(who.uid, new) == ACCEPTED
    assert kind.directory.app_passwords(unknown) == [kept.value]


def test_the_doctor_finds_users_without_a_date(kind, make_site):
    site = make_site(revoke_on_password_change="yes")
    who, _ = kind.directory.new_person(app_passwords=1)
    changed, _ = kind.directory.new_person(app_passwords=1)
    kind.change_password(changed)
    report = site.command("doctor").stdout
    assert f"{who.uid}: revoke_on_password_change: neither pwdChangedTime" in report
    assert f" {changed.uid}: revoke_on" not in report
    assert f"the mail server can read {kind.attribute}" in report


def test_a_sweep_needs_the_setting(kind, make_site):
    site = make_site()
    who, old = kind.directory.new_person(app_passwords=1)
    kind.change_password(who)
    called = site.command("revoke", "--password-changed")
    assert called.returncode == CONFIGURATION and "revoke_on_password_change" in called.stderr
    assert kind.directory.app_passwords(who) == [old.value]


# ---- Active Directory ----

def filetime(seconds_from_now):
    return str(int((time.time() + seconds_from_now + 11644473600) * 10**7))


@pytest.fixture
def domain_user(active_directory, tmp_path):
    """A user with an app password that is an hour old, and a host's command."""
    directory = active_directory
    who = directory.new_person()
    old = directory.add_app_password(who, created=from_now(hours=-1))
    site = Site(tmp_path / "site", directory, revoke_on_password_change="yes")
    return directory, site, who, old.shown


def test_active_directory(domain_user):
    directory, site, who, old = domain_user
    assert site.answers(who.uid, old) == CHANGED  # the user is newer than that
    directory.date_password(who, filetime(-7200))
    assert site.answers(who.uid, old) == ACCEPTED
    directory.date_password(who, filetime(-1800))
    assert site.answers(who.uid, old) == CHANGED
    directory.set(who, pwdLastSet="0")
    assert site.answers(who.uid, old) == CHANGED
    directory.date_password(who, filetime(-7200))
    directory.hide(who, "pwdLastSet")
    assert site.answers(who.uid, old) == UNREADABLE
