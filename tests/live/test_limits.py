# SPDX-License-Identifier: BSD-2-Clause
"""More users than a directory shows by default: the limits that come with the access rules."""

import json

import ldap
import pytest

from administration import DONE, FAILED, Site
from ds389 import DirectoryServer
from slapd import ACL, BASE, IDENTITIES, Slapd

EVERYBODY = "(objectClass=inetOrgPerson)"
WITH_MFA = "(appPasswordMfaEnabled=TRUE)"


@pytest.fixture(scope="module", params=ACL)
def directory(request, workdir):
    """slapd with 900 users and its own size limit, which is 500 entries."""
    slapd = Slapd(workdir / f"limits-{request.param}", acl=ACL[request.param]).start()
    yield slapd
    slapd.stop()


def count(connection, filter):
    """How many entries a paged search shows; None if the server cuts it off."""
    page, found = ldap.controls.SimplePagedResultsControl(True, size=200, cookie=""), 0
    while True:
        number = connection.search_ext(BASE, ldap.SCOPE_SUBTREE, filter, ["1.1"],
                                       serverctrls=[page])
        try:
            _, entries, _, controls = connection.result3(number)
        except (ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED):
            return None
        found += len(entries)
        page.cookie = controls[0].cookie
        if not page.cookie:
            return found


def test_an_administrator_sees_and_changes_everybody(directory, tmp_path):
    site = Site(tmp_path / "site", directory)
    called = site.command("mfa", "on", "--filter", EVERYBODY)
    assert called.returncode == DONE, called.stderr[-500:]
    found = count(directory.connect("administrator"), WITH_MFA)
    assert found > 900
    report = json.loads(site.done("report", "--json", "--mfa-without-app-password"))
    assert len(report) == found


def test_the_page_sees_everybody_for_its_reminders(directory):
    assert count(directory.connect("portal"), EVERYBODY) > 900


def test_nobody_else_gets_more_than_before(directory):
    assert count(directory.connect("mail server"), EVERYBODY) is None


def test_somebody_with_the_site_s_limits_is_told_what_to_load(directory, tmp_path):
    called = Site(tmp_path / "site", directory, manage_as="replicator").command(
        "report", "--mfa-without-app-password")
    assert called.returncode == FAILED, called
    assert "not complete" in called.stderr
    assert "acl-slapd.conf" in called.stderr and "aci-389ds.ldif" in called.stderr


# ---- 389 Directory Server ----

@pytest.fixture(scope="module")
def small389(workdir):
    """389 with 100 users, which shows 40 entries, and looks at 40 for that."""
    server = DirectoryServer(workdir / "limits389").start()
    manager = server.manager()
    manager.modify_s("cn=config", [(ldap.MOD_REPLACE, "nsslapd-sizelimit", [b"40"])])
    manager.modify_s("cn=config,cn=ldbm database,cn=plugins,cn=config",
                     [(ldap.MOD_REPLACE, "nsslapd-lookthroughlimit", [b"40"])])
    yield server
    server.stop()


def test_389_shows_an_administrator_everybody(small389, tmp_path):
    site = Site(tmp_path / "site", small389, uri=small389.ldap)
    called = site.command("mfa", "on", "--filter", EVERYBODY)
    assert called.returncode == DONE, called.stderr[-500:]
    report = json.loads(site.done("report", "--json", "--mfa-without-app-password"))
    assert len(report) == 100


@pytest.mark.parametrize("identity, seen", [("mail server", None), ("portal", 100)])
def test_389_shows_the_page_everybody_and_nobody_else_more_than_before(small389, identity, seen):
    connection = ldap.initialize(small389.ldap)
    connection.simple_bind_s(IDENTITIES[identity], f"Service.{identity}/1")
    assert count(connection, EVERYBODY) == seen


def test_389_tells_what_to_load(small389, tmp_path):
    called = Site(tmp_path / "site", small389, manage_as="replicator", uri=small389.ldap).command(
        "report", "--mfa-without-app-password")
    assert called.returncode == FAILED, called
    assert "aci-389ds.ldif" in called.stderr
