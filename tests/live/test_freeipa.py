# SPDX-License-Identifier: BSD-2-Clause
"""FreeIPA's shape of a directory: logins, the command and the page."""

import re

import ldap
import pytest

from administration import DONE, FAILED, Site
from ds389 import MANAGER, MANAGER_PASSWORD
from freeipa import (BASE, GROUPS, IDENTITIES, PRESERVED, USERS, WITNESS, FreeIPA, freeipa,
                     group)  # pylint: disable=unused-import
from processes import wait_until
from slapd import LDAP_SCHEMA, secret
from smtp import ACCEPTED, REFUSED, UNAVAILABLE
from test_removing import commands, copy_of_the_files, has_ours, shell
from visits import enrolled, let_in, make_app_password

PAST, FUTURE, NEVER = "20260101000000Z", "20990101000000Z", "19700101000000Z"


def documented():
    """The settings in the section of ldap-schema/README.md: where the users are, and MFA by their
    type if the default is a password, and if it is a one-time password."""
    text = (LDAP_SCHEMA / "README.md").read_text().split("\n## FreeIPA\n")[1].split("\n## ")[0]
    blocks = [dict(line.split(None, 1) for line in block.splitlines())
              for block in re.findall(r"(?:^ {6,}[a-z_]+  +\S.*\n)+", text, re.MULTILINE)]
    where, *by_type = [block for block in blocks if {"base", "mfa_filter"} & set(block)]
    where = {key: where[key] for key in ("base", "filter", "binddn", "login_attribute")}
    return where, *(where | one for one in by_type)


WHERE, BY_TYPE, TYPE_BY_DEFAULT = documented()


@pytest.fixture(scope="module")
def server(freeipa, mail_server):
    return mail_server({"uri": freeipa.ldap} | BY_TYPE)


def site_of(directory, folder, **keys):
    site = Site(folder, directory, manage_as=None,
                **{"uri": directory.ldap} | (keys or BY_TYPE))
    site.write(folder / "admin.conf", {"binddn": IDENTITIES["administrator"],
                                       "bindpw_file": site.secret_file("administrator")})
    return site


@pytest.fixture
def site(freeipa, tmp_path):
    return site_of(freeipa, tmp_path / "site")


def reason(server):
    return server.events()[-1].split(" reason=")[1].split(" ")[0]


def login(server, name, password):
    return server.sign_in(name, getattr(password, "shown", password)).code, reason(server)


def with_app_password(directory, *types, **more):
    who = directory.new_user(*types, **more)
    return who, directory.add_app_password(who)


# ---- logins ----

ACCOUNT = (ACCEPTED, "account-password")
APP = (ACCEPTED, "app-password")
MFA = (REFUSED, "account-password-with-mfa")
UNREADABLE = (UNAVAILABLE, "mfa-unreadable")
ENDED = (REFUSED, "account-disabled")

CASES = {
    "with one-time passwords": (("otp",), {}, MFA, APP),
    "with one-time passwords, or without": (("password", "otp"), {}, MFA, APP),
    "with RADIUS": (("radius",), {}, MFA, APP),
    "with a passkey": (("passkey",), {}, MFA, APP),
    "with an external identity provider": (("idp",), {}, MFA, APP),
    "with a smart card": (("pkinit",), {}, MFA, APP),
    "with a type that a later FreeIPA may have": (("new",), {}, UNREADABLE, APP),
    "with a password": (("password",), {}, ACCOUNT, APP),
    "with a hardened password": (("hardened",), {}, ACCOUNT, APP),
    "by the default": ((), {}, ACCOUNT, APP),
    "disabled": ((), {"nsAccountLock": "TRUE"}, ENDED, ENDED),
    "enabled again": ((), {"nsAccountLock": "FALSE"}, ACCOUNT, APP),
    "with an expired principal": ((), {"krbPrincipalExpiration": PAST}, ENDED, ENDED),
    "with a principal that will expire": ((), {"krbPrincipalExpiration": FUTURE}, ACCOUNT, APP),
    "with a principal that never expires": ((), {"krbPrincipalExpiration": NEVER}, ACCOUNT, APP),
    "with an expired password": (("otp",), {"krbPasswordExpiration": PAST}, MFA, APP),
}


@pytest.mark.parametrize("case", CASES)
def test_login(freeipa, server, case):
    types, attributes, with_account_password, with_app = CASES[case]
    who, app_password = with_app_password(freeipa, *types, **attributes)
    assert login(server, who.uid, who.password) == with_account_password, server.events()[-1]
    assert login(server, who.uid, app_password) == with_app
    assert login(server, who.mail, app_password) == with_app


@pytest.mark.parametrize("types, expected", [
    ((), MFA), (("otp",), MFA), (("password", "otp"), MFA), (("password",), ACCOUNT),
    (("hardened",), ACCOUNT), (("radius",), MFA), (("new",), UNREADABLE)])
def test_one_time_passwords_by_default(freeipa, mail_server, types, expected):
    """Users without a type of their own have MFA on; only "password" shows that it is off."""
    server = mail_server({"uri": freeipa.ldap} | TYPE_BY_DEFAULT)
    who, app_password = with_app_password(freeipa, *types)
    assert login(server, who.uid, who.password) == expected
    assert login(server, who.uid, app_password) == APP


@pytest.mark.parametrize("types, expected", [
    ((), ACCOUNT), (("password",), ACCOUNT), (("otp",), MFA), (("password", "otp"), MFA),
    (("radius",), UNREADABLE)])
def test_one_time_passwords_alone(freeipa, mail_server, types, expected):
    server = mail_server({"uri": freeipa.ldap} | BY_TYPE | {"mfa_filter": "(ipaUserAuthType=otp)"})
    who = freeipa.new_user(*types)
    assert login(server, who.uid, who.password) == expected


@pytest.mark.parametrize("keys", [BY_TYPE, TYPE_BY_DEFAULT], ids=["by type", "type by default"])
def test_a_hidden_type_never_reads_as_off(freeipa, mail_server, keys):
    """A site may take away the right to read the types."""
    people = [with_app_password(freeipa, *types) for types in (("otp",), ("password",), ())]
    hide = b'(targetattr = "ipaUserAuthType")(version 3.0; acl "hide"; deny (read, search) ' + \
        f'userdn = "ldap:///{IDENTITIES["mail server"]}";)'.encode()
    manager = freeipa.manager()
    manager.modify_s(BASE, [(ldap.MOD_ADD, "aci", [hide])])
    try:
        server = mail_server({"uri": freeipa.ldap} | keys)
        for who, app_password in people:
            assert login(server, who.uid, who.password) == UNREADABLE
            assert login(server, who.uid, app_password) == APP
    finally:
        manager.modify_s(BASE, [(ldap.MOD_DELETE, "aci", [hide])])


def test_a_witness_without_its_type(freeipa, mail_server):
    freeipa.set(WITNESS, ipaUserAuthType="password")
    try:
        server = mail_server({"uri": freeipa.ldap} | BY_TYPE)
        who = freeipa.new_user()
        assert login(server, who.uid, who.password) == UNREADABLE
        assert f"mfa_witness {WITNESS} does not match" in server.events()[-1]
    finally:
        freeipa.set(WITNESS, ipaUserAuthType="otp")


def test_a_group_in_a_group(freeipa, mail_server):
    """FreeIPA writes memberOf also for the groups of groups."""
    who, other = freeipa.new_user(), freeipa.new_user()
    freeipa.add(f"cn=staff,{GROUPS}", group("staff", who.dn, WITNESS))
    freeipa.add(f"cn=two-factor,{GROUPS}", group("two-factor", f"cn=staff,{GROUPS}"))
    server = mail_server({"uri": freeipa.ldap, "mfa_witness": WITNESS} | WHERE | {
        "mfa_filter": f"(memberOf=cn=two-factor,{GROUPS})"})
    assert login(server, who.uid, who.password) == MFA
    assert login(server, other.uid, other.password) == ACCOUNT


def in_compat_tree(directory, who):
    """The plugin reads the users some seconds after the start of the server."""
    try:
        return directory.manager().search_s(f"cn=users,cn=compat,{BASE}", ldap.SCOPE_SUBTREE,
                                            f"(uid={who.uid})")
    except ldap.NO_SUCH_OBJECT:
        return None


NOBODY = (REFUSED, "unknown-user")


@pytest.mark.parametrize("base, filter, with_app, with_account_password", [
    (f"cn=users,cn=compat,{BASE}", WHERE["filter"], NOBODY, NOBODY),
    (f"cn=compat,{BASE}", WHERE["filter"], NOBODY, NOBODY),
    (f"cn=compat,{BASE}", "(|(uid=%u)(mail=%u))", (REFUSED, "unknown-app-password"),
     UNREADABLE),
    (BASE, WHERE["filter"], APP, MFA)])
def test_the_compat_tree_is_no_way_in(freeipa, mail_server, base, filter, with_app,
                                      with_account_password):
    """It shows users without their types and app passwords, and passes a bind on to the user."""
    who, app_password = with_app_password(freeipa, "otp")
    wait_until(lambda: in_compat_tree(freeipa, who), "the entry in the compat tree")
    connection = ldap.initialize(freeipa.ldap)
    connection.simple_bind_s(f"uid={who.uid},cn=users,cn=compat,{BASE}", who.password)
    server = mail_server({"uri": freeipa.ldap} | BY_TYPE | {"base": base, "filter": filter})
    assert login(server, who.uid, app_password) == with_app
    assert login(server, who.uid, who.password) == with_account_password


def test_a_compat_tree_in_each_search(freeipa, server, mail_server):
    """As older versions of slapi-nis show it, also to a search of the suffix."""
    who, app_password = with_app_password(freeipa)
    freeipa.add(f"uid={who.uid},cn=older compat,{BASE}", {
        "objectClass": ["account", "posixAccount"], "uid": [who.uid], "cn": [who.uid],
        "uidNumber": ["1"], "gidNumber": ["1"], "homeDirectory": ["/"]})
    keys = {"uri": freeipa.ldap} | BY_TYPE | {"base": BASE}
    assert login(mail_server(keys), who.uid, app_password) == APP
    without = mail_server(keys | {"filter": "(|(uid=%u)(mail=%u))"})
    assert login(without, who.uid, app_password) == (UNAVAILABLE, "ambiguous-user")
    assert login(without, who.uid, who.password) == (UNAVAILABLE, "ambiguous-user")


def test_a_preserved_user(freeipa, server):
    """ "ipa user-del --preserve" moves the entry; "ipa user-undel" moves it back."""
    who, app_password = with_app_password(freeipa)
    freeipa.manager().rename_s(who.dn, f"uid={who.uid}", PRESERVED)
    assert login(server, who.uid, app_password) == (REFUSED, "unknown-user")
    freeipa.manager().rename_s(f"uid={who.uid},{PRESERVED}", f"uid={who.uid}", USERS)
    assert login(server, who.uid, app_password) == APP


# ---- the schema ----

@pytest.mark.parametrize("rights, expected", [
    ("of every user", UNREADABLE), ("to everything", MFA)])
def test_a_server_without_the_schema(without_schema, mail_server, rights, expected):
    """It got entries before the schema: replication does not check them against the schema."""
    grant = b'(targetattr = "*")(version 3.0; acl "everything"; allow (read, search) ' + \
        f'userdn = "ldap:///{IDENTITIES["mail server"]}";)'.encode()
    if rights == "to everything":
        without_schema.manager().modify_s(BASE, [(ldap.MOD_ADD, "aci", [grant])])
    who = without_schema.new_user(appPasswordMfaEnabled="TRUE")
    server = mail_server({"uri": without_schema.ldap} | WHERE)
    assert login(server, who.uid, who.password) == expected


@pytest.fixture(scope="module")
def without_schema(workdir):
    directory = FreeIPA(workdir / "freeipa-bare", schema=False).start()
    directory.set("cn=config", **{"nsslapd-schemacheck": "off"})
    directory.add(IDENTITIES["mail server"], {
        "objectClass": ["account", "simpleSecurityObject"], "uid": ["mail-server"],
        "userPassword": [secret("mail server")]})
    yield directory
    directory.stop()


# ---- the command and the page ----

def test_the_command_manages(freeipa, server, site):
    who = freeipa.new_user("otp")
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: on\n"
    password = site.create(who)
    assert login(server, who.uid, password) == APP
    assert [one["label"] for one in site.listed(who)] == ["a test"]
    assert site.command("revoke", who.uid, password[:4], "--wait").returncode == DONE
    assert login(server, who.uid, password) == (REFUSED, "revoked")
    assert who.uid in site.done("report", "--mfa-without-app-password")
    ended, _ = with_app_password(freeipa, krbPrincipalExpiration=PAST)
    assert ended.uid in site.done("report", "--disabled")


def test_the_type_turns_mfa_on_and_off(freeipa, server, site):
    """Not the command: it says so."""
    who = freeipa.new_user("otp")
    called = site.command("mfa", "off", who.uid)
    assert called.returncode not in (DONE, None)
    assert "does not read appPasswordMfaEnabled" in called.stderr, called
    freeipa.set(who.dn, ipaUserAuthType=None)
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: off\n"
    assert login(server, who.uid, who.password) == ACCOUNT


def test_the_default_filter(freeipa, mail_server, tmp_path):
    """Without regard to the types: the command turns MFA on and off."""
    server, site = mail_server({"uri": freeipa.ldap} | WHERE), site_of(
        freeipa, tmp_path / "site", **WHERE)
    who = freeipa.new_user()
    assert site.done("mfa", "on", who.uid) == f"{who.uid}: off → enforced now\n"
    assert login(server, who.uid, who.password) == MFA
    assert site.done("mfa", "off", who.uid) == f"{who.uid}: enforced → off\n"
    assert login(server, who.uid, who.password) == ACCOUNT


def test_the_doctor_finds_nothing_wrong(freeipa, tmp_path):
    for dn, _ in freeipa.manager().search_s(USERS, ldap.SCOPE_ONELEVEL, "(ipaUserAuthType=new)"):
        freeipa.manager().delete_s(dn)  # unreadable, and it would say so
    site = site_of(freeipa, tmp_path / "doctor")
    site.folder.chmod(0o750)
    for file in site.folder.iterdir():
        file.chmod(0o640)
    who, _ = with_app_password(freeipa, "otp")
    called = site.command("doctor", "--as", who.dn, "--mfa-user", who.uid,
                          input=who.password + "\n")
    wrong = [line for line in called.stdout.splitlines()
             if line.startswith(("PROBLEM", "unknown")) and "values: " not in line]
    assert called.returncode in (DONE, FAILED) and wrong == [], called.stdout + called.stderr


def test_the_page_and_a_new_name(freeipa, server, start_portal):
    """A second factor is bound to nsUniqueId, which stays when "ipa user-mod --rename" renames."""
    portal = start_portal({"binddn": IDENTITIES["portal"]}, to=freeipa, uri=freeipa.ldap,
                          manage_as=None, **BY_TYPE)
    who = freeipa.new_user("otp")
    client, app = enrolled(portal, who)
    shown = make_app_password(client)
    assert login(server, who.uid, shown) == APP
    new = who._replace(uid=f"{who.uid}-new", dn=f"uid={who.uid}-new,{USERS}")
    freeipa.manager().rename_s(who.dn, f"uid={new.uid}")
    assert login(server, new.uid, shown) == APP
    client = let_in(portal, new, app)
    client.post("revoke-all")
    assert server.sign_in(new.uid, shown).code == REFUSED
    assert freeipa.app_passwords(new) == []


def test_removing(workdir, tmp_path):
    """The commands of "Removing", with FreeIPA's files."""
    directory = FreeIPA(workdir / "freeipa-removing").start()
    try:
        who, _ = with_app_password(directory, "otp")
        password = tmp_path / "password"
        password.write_text(MANAGER_PASSWORD)
        as_manager = f"-D '{MANAGER}' -y {password}"
        changes = {
            "-H ldapi:///": f"-H {directory.ldap}",
            "-H ldapi://%2Frun%2Fslapd-INSTANCE.socket": f"-H {directory.ldap}",
            f"-D cn=admin,{BASE} -W": as_manager, f'-D "{MANAGER}" -W': as_manager,
            "aci-389ds": "aci-freeipa", "identities.ldif": "identities-freeipa.ldif"}
        folder = copy_of_the_files(tmp_path)
        for command in [*commands(1), commands(2)[2], *commands(3)]:
            shell(folder, command, changes)
        assert not has_ours(directory.manager())
        for dn in [WITNESS, IDENTITIES["mail server"], f"cn=mail-administrators,{GROUPS}"]:
            with pytest.raises(ldap.NO_SUCH_OBJECT):
                directory.manager().search_s(dn, ldap.SCOPE_BASE)
        assert directory.connect(who)
    finally:
        directory.stop()
