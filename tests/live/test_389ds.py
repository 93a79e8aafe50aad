# SPDX-License-Identifier: BSD-2-Clause
"""389 Directory Server: schema, access rules, logins and the command against a real server."""

import itertools

import ldap
import pytest

import apppassword
import smtp
from administration import DONE, FAILED, Site
from conftest import new_folder
from ds389 import DirectoryServer, may_delete
from processes import wait_until
from slapd import BASE, IDENTITIES, help_desk_rights, secret
from smtp import ACCEPTED, REFUSED, UNAVAILABLE
from visits import enrolled, let_in, make_app_password

FIVE = ("appPassword", "appPasswordMfaEnabled", "appPasswordMfaEnforceFrom", "appPasswordUsed",
        "appPasswordMfaMethod")
PAST, FUTURE = "20260101000000Z", "20990101000000Z"


@pytest.fixture(scope="module")
def directory389(workdir):
    server = DirectoryServer(new_folder(workdir, "ds389")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(directory389, mail_server):
    return mail_server({"uri": directory389.ldap})


@pytest.fixture
def site(directory389, tmp_path):
    return Site(tmp_path / "site", directory389, uri=directory389.ldap)


def reason(server):
    return server.events()[-1].split(" reason=")[1].split(" ")[0]


def login(server, who, password, how=smtp.plain):
    return server.sign_in(who.uid, password, how=how).code, reason(server)


CASES = {
    "an app password": (
        lambda d: d.new_person(mfa=True, app_passwords=1), ACCEPTED, "app-password"),
    "an account password with MFA on": (
        lambda d: own_password(d.new_person(mfa=True)), REFUSED, "account-password-with-mfa"),
    "an account password with MFA off": (
        lambda d: own_password(d.new_person()), ACCEPTED, "account-password"),
    "an account password with MFA announced": (
        lambda d: own_password(announced(d)), ACCEPTED, "account-password"),
    "a wrong account password": (
        lambda d: (d.new_person(), "wrong"), REFUSED, "wrong-account-password"),
    "a wrong app password": (
        lambda d: wrong_one(d), REFUSED, "wrong-app-password"),
    "a revoked app password": (lambda d: revoked(d), REFUSED, "unknown-app-password"),
    "an expired app password": (
        lambda d: with_one(d, expires=PAST), REFUSED, "expired"),
    "an app password for another service": (
        lambda d: with_one(d, services="imap"), REFUSED, "wrong-service"),
    "an app password of a disabled account": (
        lambda d: disabled(d), REFUSED, "account-disabled"),
    "an account password that was reset": (
        lambda d: must_change(d), REFUSED, "password-must-change"),
}


def own_password(who):
    return who, who.password


def announced(directory):
    who = directory.new_person()
    directory.set_mfa(who, True, enforce_from=FUTURE)
    return who


def with_one(directory, **restrictions):
    who = directory.new_person(mfa=True)
    return who, directory.add_app_password(who, **restrictions)


def wrong_one(directory):
    who, right = with_one(directory)
    return who, apppassword.make(id=right.id)


def revoked(directory):
    who, app_password = with_one(directory)
    directory.revoke(who, app_password)
    return who, app_password


def disabled(directory):
    who, app_password = with_one(directory)
    directory.manager().modify_s(who.dn, [(ldap.MOD_REPLACE, "nsAccountLock", [b"TRUE"])])
    return who, app_password


def policy(directory, **settings):
    directory.manager().modify_s("cn=config", [
        (ldap.MOD_REPLACE, name, [value.encode()]) for name, value in settings.items()])


def must_change(directory):
    who = directory.new_person()
    directory.manager().modify_s(who.dn, [(ldap.MOD_REPLACE, "userPassword", [b"Reset.1/password"])])
    return who, "Reset.1/password"


@pytest.mark.parametrize("how", [smtp.plain, smtp.login], ids=["PLAIN", "LOGIN"])
@pytest.mark.parametrize("case", CASES)
def test_login(directory389, server, case, how):
    make, code, why = CASES[case]
    is_policy = why == "password-must-change"
    policy(directory389, passwordMustChange="on" if is_policy else "off")
    who, password = make(directory389)
    password = getattr(password, "shown", password)
    try:
        assert login(server, who, password, how) == (code, why)
    finally:
        policy(directory389, passwordMustChange="off")


def test_an_app_password_from_before_max_lifetime(directory389, server, mail_server):
    who, old = with_one(directory389, created="20250101000000Z")
    strict = mail_server({"uri": directory389.ldap, "max_lifetime": "30d"})
    assert login(server, who, old.shown) == (ACCEPTED, "app-password")
    assert login(strict, who, old.shown) == (REFUSED, "expired")


def test_an_unknown_user(server):
    assert server.sign_in("nobody-at-all", "guess").code == REFUSED
    assert reason(server) == "unknown-user"


def test_guesses_lock_the_account_password_and_not_the_app_password(directory389, server):
    policy(directory389, passwordLockout="on", passwordMaxFailure="3", passwordUnlock="on",
           passwordLockoutDuration="3600")
    try:
        who, app_password = directory389.new_person(app_passwords=1)
        for _ in range(4):
            server.sign_in(who.uid, "wrong")
        assert login(server, who, who.password) == (REFUSED, "account-locked")
        assert login(server, who, app_password.shown) == (ACCEPTED, "app-password")
        other, right = directory389.new_person(app_passwords=1)
        for _ in range(6):
            assert server.sign_in(other.uid, apppassword.make(id=right.id).shown).code == REFUSED
        assert login(server, other, other.password) == (ACCEPTED, "account-password")
    finally:
        policy(directory389, passwordLockout="off")


def test_last_use_is_recorded(directory389, mail_server, site):
    who, app_password = directory389.new_person(mfa=True, app_passwords=1)
    server = mail_server({"uri": directory389.ldap, "record_use": "1d"})
    assert login(server, who, app_password.shown) == (ACCEPTED, "app-password")
    wait_until(lambda: directory389.values(who, "appPasswordUsed"), "the use to be recorded")
    assert site.listed(who)[0]["last_used"]["service"] == "smtp"


def test_a_hidden_flag_is_unavailable(directory389, server):
    who = directory389.new_person(mfa=True)
    hide = b'(targetattr = "appPasswordMfaEnabled")(version 3.0; acl "hide"; deny (search) ' + \
        f'userdn = "ldap:///{IDENTITIES["mail server"]}";)'.encode()
    manager = directory389.manager()
    manager.modify_s(BASE, [(ldap.MOD_ADD, "aci", [hide])])
    try:
        assert login(server, who, who.password) == (UNAVAILABLE, "mfa-unreadable")
    finally:
        manager.modify_s(BASE, [(ldap.MOD_DELETE, "aci", [hide])])


def test_a_base_that_is_not_there_is_unavailable(directory389, mail_server):
    server = mail_server({"uri": directory389.ldap, "base": "dc=example,dc=net"})
    who = directory389.new_person()
    assert login(server, who, who.password) == (UNAVAILABLE, "directory-unavailable")


def test_an_outage_is_unavailable_and_ends(directory389, server):
    who, app_password = directory389.new_person(mfa=True, app_passwords=1)
    directory389.stop()
    try:
        assert login(server, who, app_password.shown) == (UNAVAILABLE, "directory-unavailable")
    finally:
        directory389.start()
    assert login(server, who, app_password.shown) == (ACCEPTED, "app-password")


def test_the_command_manages(directory389, server, site):
    who = directory389.new_person()
    assert site.done("mfa", "on", who.uid) == f"{who.uid}: off → enforced now\n"
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: on\n"
    password = site.create(who)
    assert login(server, who, password) == (ACCEPTED, "app-password")
    assert [one["label"] for one in site.listed(who)] == ["a test"]
    assert site.command("revoke", who.uid, password[:4], "--wait").returncode == DONE
    assert login(server, who, password) == (REFUSED, "revoked")
    assert site.done("mfa", "off", who.uid) == f"{who.uid}: enforced → off\n"
    assert login(server, who, who.password) == (ACCEPTED, "account-password")


def test_many_at_once_and_the_report(directory389, site):
    called = site.command("mfa", "on", "--filter", "(uid=user09*)")
    assert called.returncode == DONE and called.stdout.count(": off → enforced now") == 10, called
    assert site.done("report", "--mfa-without-app-password").count("user09") == 10
    assert site.command("mfa", "off", "--filter", "(uid=user09*)").returncode == DONE


def test_the_doctor_finds_nothing_wrong(directory389, tmp_path):
    site = Site(tmp_path / "doctor", directory389, uri=directory389.ldap)
    site.folder.chmod(0o750)
    for file in site.folder.iterdir():
        file.chmod(0o640)
    who, _ = directory389.new_person(mfa=True, app_passwords=1)
    called = site.command("doctor", "--as", who.dn, "--mfa-user", who.uid,
                          input=who.password + "\n")
    wrong = [line for line in called.stdout.splitlines()
             if line.startswith(("PROBLEM", "unknown")) and "values: " not in line]
    assert called.returncode in (DONE, FAILED) and wrong == [], called.stdout + called.stderr


def test_the_self_service_page_the_whole_way(directory389, server, start_portal):
    """There a second factor is bound to nsUniqueId."""
    portal = start_portal(to=directory389, uri=directory389.ldap)
    who = directory389.new_person(mfa=True)
    client, app = enrolled(portal, who)
    shown = make_app_password(client)
    assert server.sign_in(who.uid, shown).code == ACCEPTED
    client = let_in(portal, who, app)
    client.post("revoke-all")
    assert server.sign_in(who.uid, shown).code == REFUSED
    assert directory389.app_passwords(who) == []


def test_a_help_desk(directory389, start_portal):
    ldif, = help_desk_rights(f"dn: {BASE}\n")
    manager = directory389.manager()
    manager.modify_s(BASE, [(ldap.MOD_ADD, "aci", [line.removeprefix("aci: ").encode()])
                            for line in ldif.splitlines() if line.startswith("aci: ")])
    helper, who = directory389.new_person(mfa=True), directory389.new_person(mfa=True)
    manager.modify_s(helper.dn, [(ldap.MOD_REPLACE, "employeeType", [b"helpdesk"])])
    manager.modify_s(who.dn, [(ldap.MOD_REPLACE, "employeeType", [b"staff"]),
                              (ldap.MOD_REPLACE, "displayName", [b"Kari Nordmann"])])
    portal = start_portal({"helpdesk_filter": "(employeeType=helpdesk)", "helpdesk_users": "(employeeType=staff)"},
                          to=directory389, uri=directory389.ldap)
    client, _ = enrolled(portal, helper)
    client.get("help-desk")
    assert f'name="person" value="{who.uid}"' in client.post("help-desk", find="Nordmann").text
    assert client.get(f"help-desk/person?person={who.uid}").status == 200
    assert client.get(f"help-desk/person?person={helper.uid}").status == 404


# ---- rights ----

READS = {
    "mail server": {"appPassword", "appPasswordMfaEnforceFrom", "appPasswordUsed"},
    "portal": {"appPassword", "appPasswordMfaEnforceFrom", "appPasswordUsed",
               "appPasswordMfaMethod"},
    "administrator": set(FIVE), "replicator": set(FIVE), "user manager": set(), "self": set(),
    "anonymous": set(),
}
WRITES = {
    "mail server": {"appPasswordUsed"},
    "portal": {"appPassword", "appPasswordUsed", "appPasswordMfaMethod"},
    "administrator": set(FIVE), "replicator": set(), "user manager": set(), "self": set(),
}


@pytest.fixture(scope="module", params=["our rules alone", "a site that grants all rights"])
def ruled(request, directory389):
    """A user with all five attributes, under our rules alone and with the site's generous ones."""
    generous = b'(targetattr = "*")(version 3.0; acl "generous"; allow (all) ' \
        b'userdn = "ldap:///anyone";)'
    who = directory389.new_person()
    directory389.administrate(
        who, appPassword=apppassword.make().value, appPasswordMfaEnabled="TRUE",
        appPasswordMfaEnforceFrom=PAST, appPasswordUsed="id=k7q2 at=20260101000000Z",
        appPasswordMfaMethod="kind=totp")
    manager = directory389.manager()
    is_generous = request.param != "our rules alone"
    if is_generous:
        manager.modify_s(BASE, [(ldap.MOD_ADD, "aci", [generous])])
    yield directory389, who, is_generous
    if is_generous:
        manager.modify_s(BASE, [(ldap.MOD_DELETE, "aci", [generous])])


def connect(directory, identity, who):
    connection = ldap.initialize(directory.ldap)
    if identity == "self":
        connection.simple_bind_s(who.dn, who.password)
    elif identity != "anonymous":
        connection.simple_bind_s(IDENTITIES[identity], secret(identity))
    return connection


SECRET = {"appPassword", "appPasswordMfaMethod"}


@pytest.mark.parametrize("identity", READS)
def test_reading(ruled, identity):
    directory, who, is_generous = ruled
    found = connect(directory, identity, who).search_s(
        BASE, ldap.SCOPE_SUBTREE, f"(uid={who.uid})", list(FIVE))
    shown = {name for _, entry in found for name in entry} & set(FIVE)
    if is_generous:  # the site decides about the other attributes
        assert shown & SECRET == READS[identity] & SECRET
    else:
        assert shown == READS[identity]


@pytest.mark.parametrize("identity", ["user manager", "self", "anonymous"])
def test_no_other_identity_searches_by_app_passwords(ruled, identity):
    directory, who, _ = ruled
    connection = connect(directory, identity, who)
    assert [connection.search_s(BASE, ldap.SCOPE_SUBTREE, f"({name}=*)", ["1.1"])
            for name in SECRET] == [[], []]


@pytest.mark.parametrize("identity, name", itertools.product(WRITES, FIVE))
def test_writing(ruled, identity, name):
    directory, who, is_generous = ruled
    if is_generous and identity in ("user manager", "replicator") and name not in SECRET:
        assert not may_delete(connect(directory, identity, who), who.dn, name)
        return
    may = may_delete(connect(directory, identity, who), who.dn, name)
    assert may == (name in WRITES[identity])


@pytest.mark.parametrize("name, value", [
    ("uid", b"somebody-else"), ("mail", b"else@example.org"), ("objectClass", b"account")])
def test_users_take_no_other_name_or_class(ruled, name, value):
    directory, who, _ = ruled
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connect(directory, "self", who).modify_s(who.dn, [(ldap.MOD_ADD, name, [value])])


def test_the_portal_adds_one_class_only(ruled):
    directory, _, is_generous = ruled
    fresh = directory.new_person()
    portal = connect(directory, "portal", fresh)
    portal.modify_s(fresh.dn, [(ldap.MOD_ADD, "objectClass", [b"appPasswordAccount"])])
    if not is_generous:
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            portal.modify_s(fresh.dn, [(ldap.MOD_ADD, "objectClass", [b"pilotPerson"])])
