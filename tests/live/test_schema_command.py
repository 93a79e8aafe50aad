# SPDX-License-Identifier: BSD-2-Clause
"""app-password schema: real servers of each kind take what it prints for another suffix than the example's."""

import subprocess

import ldap
import ldap.modlist
import pytest

import apppassword
from administration import COMMAND, USAGE
from ds389 import MANAGER, MANAGER_PASSWORD, DirectoryServer
from processes import run
from samba import DomainController
from slapd import BASE, LDAP_SCHEMA, OPEN_SITE
from test_setup import DebianSlapd

SUFFIX = "dc=corp,dc=test"
OPENLDAP = {"schema", "identities", "rights"}
PARTS = {"openldap": OPENLDAP, "cn=config": OPENLDAP | {"index"}, "389": OPENLDAP,
         "active-directory": OPENLDAP | {"set-rights.sh", "set-rights.ps1"}}
SECRET = "Of.an/identity/1"


def printed(*arguments, base=SUFFIX):
    return run([COMMAND, "schema", *arguments, "--base", base])


def refused(*arguments):
    called = subprocess.run([COMMAND, "schema", *arguments], text=True, capture_output=True)
    assert called.returncode == USAGE and called.stdout == "", called
    return called.stderr.splitlines()[0]


@pytest.mark.parametrize("directory, part", [
    (directory, part) for directory, parts in PARTS.items() for part in sorted(parts)])
def test_nothing_of_the_example_is_left(directory, part):
    text = printed(directory, part)
    assert text and "dc=example,dc=org" not in text and "{1}mdb" not in text.replace(
        "dn: olcDatabase={1}mdb,cn=config", "")


@pytest.fixture
def file(tmp_path):
    """Writes what is printed into a file."""
    def write(*arguments):
        path = tmp_path / "-".join(arguments).replace("/", "-")
        path.write_text(printed(*arguments))
        return path
    return write


def add_user(connection, suffix=SUFFIX):
    """A user with an app password, whom the mail server may read and not change."""
    dn = f"uid=alice,ou=people,{suffix}"
    connection.add_s(dn, ldap.modlist.addModlist({
        "objectClass": [b"inetOrgPerson", b"appPasswordAccount"], "uid": [b"alice"],
        "cn": [b"alice"], "sn": [b"alice"], "appPassword": [apppassword.make().value.encode()]}))
    return dn


def assert_rights(uri, dn, secret=SECRET):
    """Those of the mail server."""
    connection = ldap.initialize(uri)
    connection.simple_bind_s(f"cn=mail-server,ou=services,{SUFFIX}", secret)
    (_, entry), = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=["appPassword"])
    assert len(entry["appPassword"]) == 1
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.modify_s(dn, [(ldap.MOD_DELETE, "appPassword", None)])


def set_secret(connection):
    connection.modify_s(f"cn=mail-server,ou=services,{SUFFIX}",
                        [(ldap.MOD_REPLACE, "userPassword", [SECRET.encode()])])


def test_openldap_with_cn_config(folder, file):
    slapd = DebianSlapd(folder, SUFFIX)
    try:
        slapd.start()
        slapd.load("ldapadd", file("cn=config", "schema"))
        run(["ldapadd", *slapd.as_manager, "-f", file("cn=config", "identities")])
        slapd.load("ldapmodify", file("cn=config", "rights"))
        slapd.load("ldapmodify", file("cn=config", "index"))
        set_secret(slapd.connect())
        assert_rights(slapd.uri, add_user(slapd.connect()))
    finally:
        slapd.stop()


def test_openldap_with_slapd_conf(folder, file):
    config = folder / "slapd.conf"
    (folder / "db").mkdir()
    config.write_text("".join(f"include {path}\n" for path in [
        *(f"/etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson")),
        file("openldap", "schema")]) + f"""\
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
database mdb
suffix {SUFFIX}
directory {folder}/db
overlay ppolicy
include {file("openldap", "rights", "--ppolicy", "--replicator", f"cn=sync,{SUFFIX}")}
{OPEN_SITE.replace(BASE, SUFFIX)}
""")
    run(["slaptest", "-u", "-f", config])


def test_389_directory_server(folder, file):
    assert printed("389", "schema") == (LDAP_SCHEMA / "app-password-389ds.ldif").read_text()
    server = DirectoryServer(folder, aci=False)
    manager = ["-x", "-H", server.ldap, "-D", MANAGER, "-w", MANAGER_PASSWORD, "-f"]
    try:
        connection = server.start().manager()
        server.add_database("corp", SUFFIX)
        connection.add_s(SUFFIX, [("objectClass", [b"domain"]), ("dc", [b"corp"])])
        connection.add_s(f"ou=people,{SUFFIX}", [("objectClass", [b"organizationalUnit"])])
        run(["ldapadd", *manager, file("389", "identities")])
        run(["ldapmodify", *manager, file("389", "rights")])
        set_secret(connection)
        assert_rights(server.ldap, add_user(connection))
    finally:
        server.stop()


def test_active_directory(folder):
    """With the domain in another spelling, as administrators of Windows write it."""
    for part in PARTS["active-directory"]:
        path = folder / {"schema": "schema.ldif", "identities": "identities.ldif",
                         "rights": "rights.sddl"}.get(part, part)
        path.write_text(printed("active-directory", part, base="DC=Example,DC=Org"))
    assert "CN=Configuration,DC=Example,DC=Org" in (folder / "schema.ldif").read_text()
    (folder / "samba").mkdir()
    server = DomainController(folder / "samba", files=folder)
    try:
        who, _ = server.start().new_person(app_passwords=1)
        connection = server.connect("mail server")
        (_, entry), = connection.search_s(who.dn, ldap.SCOPE_BASE, attrlist=["appPassword"])
        assert len(entry["appPassword"]) == 1
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            connection.modify_s(who.dn, [(ldap.MOD_DELETE, "appPassword", None)])
    finally:
        server.stop()


def test_the_names_of_the_site_are_in_the_rules():
    rules = printed("cn=config", "rights", "--database", "olcDatabase={2}mdb,cn=config",
                    "--replicator", f"cn=sync,{SUFFIX}", "--user-manager", f"cn=idm,{SUFFIX}")
    assert rules.count("dn: olcDatabase={2}mdb,cn=config\n") == 1
    assert rules.count(f'by dn.exact="cn=sync,{SUFFIX}" read\n') == 6
    assert rules.count(f'by dn.exact="cn=idm,{SUFFIX}" write\n') == 2
    assert "pwdAccountLockedTime" not in rules
    assert "replicator" not in printed("389", "rights", "--replicator", f"cn=sync,{SUFFIX}")


@pytest.mark.parametrize("arguments, message", [
    ([], "give openldap, cn=config, 389 or active-directory"),
    (["ldap"], '"ldap" must be openldap, cn=config, 389 or active-directory'),
    (["389", "index"], '"index" must be one of schema, identities, rights'),
    (["389", "rights", "schema"], 'one part at a time, not also "schema"'),
    (["389", "rights"],
     "--base DN is missing: the suffix of the directory, like dc=example,dc=org"),
    (["389", "rights", "--base", "corp"],
     '--base: "corp" must be a DN like cn=admin,dc=example,dc=org, without quotes and backslashes'),
    (["active-directory", "rights", "--ppolicy"],
     "--ppolicy does not apply to active-directory rights"),
])
def test_a_wrong_call_prints_nothing(arguments, message):
    assert refused(*arguments) == f"app-password: schema: {message}"
