# SPDX-License-Identifier: BSD-2-Clause
"""The doctor's findings about rights: of which server, in which syntax, and how many.

What it prints as a fix is pasted as it is, into the server's configuration, and must fix the finding.
"""

import re

import ldap
import pytest

from administration import DONE, FAILED, Site
from apppassword import make
from conftest import new_folder
from ds389 import MANAGER, MANAGER_PASSWORD, DirectoryServer
from processes import run
from slapd import ACL, BASE, IDENTITIES, LDAP_SCHEMA, PASSWORD_RULE, Slapd
from test_doctor import (LIMITED, RIGHTS, USER_RIGHTS, a_user, assert_finds, doctor, good_directory, populate,  # noqa: F401
                         safe, site)

MAIL_SERVER = IDENTITIES["mail server"]


def test_a_finding_names_the_server_and_the_rule(own_directory, good_directory, tmp_path):  # noqa: F811
    """The first server has the same users and rules, but for one."""
    rule = f'access to attrs=appPasswordUsed by dn.exact="{MAIL_SERVER}" read by * break\n'
    server = own_directory(first_rules=rule)
    populate(server)
    site = safe(Site(tmp_path / "site", server,  # noqa: F811
                     uri=f"{good_directory.ldapi} {server.ldapi}", write_uri=server.ldapi))
    called = doctor(site)
    assert_finds(called, f"rights: {server.ldapi}: the mail server may not write appPasswordUsed",
                 f'olcAccess: {{0}}to attrs=appPasswordUsed by dn.exact="{MAIL_SERVER}" write')
    assert f"rights: {good_directory.ldapi}: the mail server can read appPassword" in called.stdout


@pytest.mark.parametrize("rules", ["by self write by * read", "by self write by users read by * auth"])
def test_rules_before_ours_are_one_finding(own_directory, tmp_path, rules):
    server = own_directory(first_rules=PASSWORD_RULE + f"access to * {rules}\n")
    called = doctor(safe(Site(tmp_path / "site", server)))
    found = [line for line in called.stdout.splitlines() if line.startswith("PROBLEM  rights")]
    assert called.returncode == FAILED and len(found) == 1, called.stdout
    assert "your rules stand before those of ldap-schema/acl-cnconfig.ldif" in found[0]
    assert "the mail server may not write appPasswordUsed; " in found[0]
    assert "the user may write" in found[0]
    assert_finds(called, "your rules stand before", "put our rules first: olcAccess {0}")


def test_the_right_that_the_watch_needs(own_directory, good_directory, tmp_path):  # noqa: F811
    server = own_directory(first_rules="access to attrs=modifyTimestamp by * none\n")
    populate(server)
    without = doctor(safe(Site(tmp_path / "without", server)))
    assert "modifyTimestamp" not in without.stdout
    called = doctor(safe(Site(tmp_path / "site", server, watch_interval="5s")))
    assert_finds(called, "the mail server cannot search by modifyTimestamp",
                 f'olcAccess: {{0}}to attrs=modifyTimestamp by dn.exact="{MAIL_SERVER}" read')
    good = doctor(safe(Site(tmp_path / "good", good_directory, watch_interval="5s")))
    assert "the mail server can search by modifyTimestamp" in good.stdout


def test_a_server_that_is_not_there_has_no_findings_about_rights(good_directory, tmp_path):  # noqa: F811
    site = safe(Site(tmp_path / "site", good_directory,  # noqa: F811
                     uri=f"{good_directory.ldapi} ldap://127.0.0.1:1"))
    called = doctor(site)
    assert called.stdout.count("PROBLEM") == 1 and "unknown  " not in called.stdout
    assert_finds(called, "uri: ldap://127.0.0.1:1", "start that server")


# ---- what is printed, pasted ----

def fixes(called):
    """The lines of all fixes."""
    return re.findall(r"(?m)^ {9}fix: (.*)$", called.stdout)


def paste(server, entry, name, values):
    """Pastes lines like "olcAccess: …" below the head that ldapmodify needs; as root, or as Directory Manager."""
    file = new_folder(server.folder, "pasted") / "change.ldif"
    file.write_text(f"dn: {entry}\nchangetype: modify\nadd: {name}\n" + "".join(f"{line}\n" for line in values))
    who = ["-x", "-H", server.ldap, "-D", MANAGER, "-w", MANAGER_PASSWORD] if isinstance(server, DirectoryServer) \
        else ["-Q", "-Y", "EXTERNAL", "-H", server.ldapi]
    run(["ldapmodify", *who, "-f", file])


DATABASE = "olcDatabase={1}mdb,cn=config"


@pytest.fixture(scope="module")
def cn_config(workdir):
    server = Slapd(new_folder(workdir, "cn-config") / "slapd", acl=ACL["cn=config"]).start()
    populate(server)
    yield server
    server.stop()


@pytest.fixture
def own_rules(cn_config):
    """Adds values before those of ours, and takes away afterwards what a test has added before them."""
    def connect():
        connection = ldap.initialize(cn_config.ldapi)
        connection.sasl_non_interactive_bind_s("EXTERNAL")
        return connection

    names = ["olcAccess", "olcLimits"]
    (_, before), = connect().search_s(DATABASE, ldap.SCOPE_BASE, attrlist=names)
    yield lambda name, value: paste(cn_config, DATABASE, name, [f"{name}: {{0}}{value}"])
    connect().modify_s(DATABASE, [(ldap.MOD_REPLACE, name, before[name]) for name in names])


@pytest.mark.parametrize("broken", RIGHTS)
def test_a_fix_pasted_into_cn_config(cn_config, own_rules, tmp_path, broken):
    rules, finding, _ = RIGHTS[broken]
    own_rules("olcAccess", rules.strip().removeprefix("access "))
    site = safe(Site(tmp_path / "site", cn_config))  # noqa: F811
    called = doctor(site)
    assert_finds(called, finding, "olcAccess: {0}to ")
    paste(cn_config, DATABASE, "olcAccess", [line for line in fixes(called) if line.startswith("olcAccess: ")])
    called = doctor(site)
    assert called.returncode == DONE, called.stdout


def test_a_limit_pasted_into_cn_config(cn_config, own_rules, tmp_path):
    """slapd takes a new limit for the last one, whatever its number, until it is restarted."""
    own_rules("olcLimits", LIMITED.strip().removeprefix("limits "))
    cn_config.stop()
    cn_config.start()
    site = safe(Site(tmp_path / "site", cn_config, login_attribute="uid"))  # noqa: F811
    called = doctor(site)
    values = {line for line in fixes(called) if line.startswith("olcLimits: ")}
    assert_finds(called, "login_attribute: ", "olcLimits: {0}dn.exact=")
    assert any(line.startswith("# olcLimits") and line.endswith("then restart slapd") for line in fixes(called))
    paste(cn_config, DATABASE, "olcLimits", values)
    assert doctor(site).returncode == FAILED
    cn_config.stop()
    cn_config.start()
    called = doctor(site)
    assert called.returncode == DONE, called.stdout


@pytest.mark.parametrize("broken", USER_RIGHTS)
def test_what_users_may_do_too_much_names_our_rules(cn_config, own_rules, tmp_path, broken):
    """A rule that denies one user one right would leave the others."""
    rules, finding, _ = USER_RIGHTS[broken]
    own_rules("olcAccess", rules.strip().removeprefix("access "))
    cn_config.administrate(a_user(cn_config), appPassword=make().value)
    assert_finds(doctor(safe(Site(tmp_path / "site", cn_config))), finding,
                 "put the rules of ldap-schema/acl-cnconfig.ldif before your own")


SLAPD_CONF = ["the mail server writes app passwords", "the mail server does not see the login",
              "the mail server cannot ask for MFA", "anonymous reads app passwords"]


@pytest.mark.parametrize("broken", SLAPD_CONF)
def test_a_fix_pasted_into_slapd_conf(own_directory, tmp_path, broken):
    """slapd names cn=config also if it reads slapd.conf, so the line is for cn=config and its comment says how to
    change it."""
    rules, finding, _ = RIGHTS[broken]
    server = own_directory(first_rules=rules)
    populate(server)
    site = safe(Site(tmp_path / "site", server))  # noqa: F811
    called = doctor(site)
    assert_finds(called, finding, 'in slapd.conf, write "access" instead of "olcAccess: {0}"')
    lines = [line.replace("olcAccess: {0}", "access ") for line in fixes(called) if line.startswith("olcAccess: ")]
    server.stop()
    config = server.folder / "slapd.conf"
    config.write_text(config.read_text().replace(rules, "\n".join(lines) + "\n" + rules))
    server.start()
    called = doctor(site)
    assert called.returncode == DONE, called.stdout


@pytest.fixture(scope="module")
def ds389(workdir):
    server = DirectoryServer(new_folder(workdir, "ds389") / "ds389").start()
    populate(server)
    yield server
    server.stop()


@pytest.fixture
def own_acis(ds389):
    """Changes the values of aci, and restores them after the test."""
    manager = ds389.manager()
    (_, entry), = manager.search_s(BASE, ldap.SCOPE_BASE, attrlist=["aci"])
    before = [value.decode() for value in entry["aci"]]
    yield lambda change: manager.modify_s(BASE, [
        (ldap.MOD_REPLACE, "aci", [value.encode() for value in change(before)])])
    manager.modify_s(BASE, [(ldap.MOD_REPLACE, "aci", entry["aci"])])


def without(text):
    return lambda values: [value for value in values if text not in value]


def and_also(name, text, also, gone="nothing"):
    return lambda values: [*without(gone)(values), f'(targetattr = "{name}")(version 3.0; acl "a test"; {text} {also};)']


AS_MAIL_SERVER = f'userdn = "ldap:///{MAIL_SERVER}"'
ACIS = {
    "the mail server cannot record uses": (
        without("record uses"), "the mail server may not write appPasswordUsed"),
    "the mail server does not see announcements": (
        lambda values: [value.replace(" || appPasswordMfaEnforceFrom || ", " || ") if "server and portal read" in value
                        else value for value in values], "the mail server cannot read appPasswordMfaEnforceFrom"),
    "the mail server cannot ask for MFA": (without("search by MFA"), "neither (appPasswordMfaEnabled=TRUE)"),
    "the mail server renames users": (
        and_also("mail", "allow (write)", AS_MAIL_SERVER, "nobody takes"), "the mail server may write mail"),
    "the mail server reads second factors": (
        lambda values: [value for value in values if "appPasswordMfaMethod" not in value or "deny" not in value] + [
            f'(targetattr = "appPasswordMfaMethod")(version 3.0; acl "a test"; allow (write) {AS_MAIL_SERVER};)'],
        "the mail server may write appPasswordMfaMethod"),
    "anonymous sees last uses": (
        and_also("appPasswordUsed || objectClass", "allow (read, search)", 'userdn = "ldap:///anyone"',
                 "nobody else's business"),
        "anonymous can find users with appPasswordUsed"),
}


@pytest.mark.parametrize("broken", ACIS)
def test_a_fix_pasted_into_389(ds389, own_acis, tmp_path, broken):
    change, finding = ACIS[broken]
    site = safe(Site(tmp_path / "site", ds389, uri=ds389.ldap))  # noqa: F811
    own_acis(change)
    called = doctor(site)
    assert_finds(called, finding, "aci: (targetattr = ")
    paste(ds389, BASE, "aci", [line for line in fixes(called) if line.startswith("aci: ")])
    called = doctor(site)
    assert called.returncode == DONE, called.stdout


def test_our_rules_pasted_into_389(own_acis, ds389, tmp_path):
    site = safe(Site(tmp_path / "site", ds389, uri=ds389.ldap))  # noqa: F811
    own_acis(lambda _: ['(targetattr = "*")(version 3.0; acl "a test"; allow (all) userdn = "ldap:///self";)',
                        '(targetattr != "userPassword")(version 3.0; acl "a test"; allow (read, search) userdn = "ldap:///anyone";)'])
    called = doctor(site)
    assert_finds(called, "the rules of ldap-schema/aci-389ds.ldif are missing", "ldapmodify with")
    run(["ldapmodify", "-x", "-H", ds389.ldap, "-D", MANAGER, "-w", MANAGER_PASSWORD, "-f",
         LDAP_SCHEMA / "aci-389ds.ldif"])
    called = doctor(site)
    assert called.returncode == DONE, called.stdout


def test_an_administrator_who_is_not_in_the_group(own_directory, tmp_path):
    server = own_directory()
    populate(server)
    group = f"cn=mail-administrators,ou=groups,{BASE}"
    itself = server.connect_as_itself()
    itself.modify_s(group, [(ldap.MOD_REPLACE, "member", [b"cn=other"])])
    called = doctor(safe(Site(tmp_path / "site", server)))
    assert_finds(called, "the administrator is not in the group of our rules, or",
                 f"add {IDENTITIES['administrator']} to the group")
    assert called.stdout.count("PROBLEM") == 1, called.stdout
