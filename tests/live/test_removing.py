# SPDX-License-Identifier: BSD-2-Clause
"""Removing everything from the directory, with the commands of ldap-schema/README.md.

They run as written, in a copy of ldap-schema/, with the address and the password file of the test's server.
"""

import re
import shlex
import shutil
import subprocess

import ldap
import pytest

import apppassword
import slapd
from ds389 import MANAGER as MANAGER_389
from ds389 import MANAGER_PASSWORD, DirectoryServer
from processes import run
from slapd import BASE, LDAP_SCHEMA, example_identities, person
from test_setup import (DEBIANS_RULES, RULES, RULES_WITH_PPOLICY, add_identities, debian, load_all,
                        load_ppolicy)  # pylint: disable=unused-import

NAMES = ["alice", "bjørn", "carol"]  # the DN of the second one is in base64
OURS = re.compile("appPassword", re.IGNORECASE)


def commands(step):
    """The commands of a step."""
    removing = (LDAP_SCHEMA / "README.md").read_text().partition("\n## Removing\n")[2]
    text, = re.findall(rf"^{step}\. (.*?)(?=^\d\. |\Z)", removing, re.MULTILINE | re.DOTALL)
    return re.findall(r"^ {7}(\S.*)$", text, re.MULTILINE)


def copy_of_the_files(folder):
    shutil.copytree(LDAP_SCHEMA, folder / "ldap-schema")
    return folder / "ldap-schema"


def shell(folder, command, changes, status=0):
    """Run a command of the document; `changes` are those for this server."""
    for old, new in changes.items():
        command = command.replace(old, new)
    done = subprocess.run(["sh", "-c", command], cwd=folder, text=True, capture_output=True)
    assert done.returncode == status, (command, done)
    return done.stderr


def add_users(server):
    """Users with all that is ours, and one without."""
    for name in NAMES:
        server.add(person(name).dn, objectClass=["inetOrgPerson", "appPasswordAccount"],
                   uid=[name], cn=[name], sn=[name], appPasswordMfaEnabled=["TRUE"],
                   appPassword=[apppassword.make().value for _ in range(2)],
                   appPasswordUsed=["id=a"], appPasswordMfaMethod=["a"])
    server.add(person("dave").dn, objectClass=["inetOrgPerson"], uid=["dave"], cn=["dave"],
               sn=["dave"])


def everything(connection):
    return connection.search_s(BASE, ldap.SCOPE_SUBTREE, attrlist=["*", "aci"])


def has_ours(connection):
    return bool(OURS.search(repr(everything(connection))))


def changes_for(server):
    return {"-H ldapi:///": f"-H {server.uri}",
            f"-D cn=admin,{BASE} -W": f"-D cn=admin,{BASE} "
                                      f"-y {shlex.quote(str(server.folder / 'manager.secret'))}"}


@pytest.mark.parametrize("ppolicy", [False, True])
def test_debians_slapd_is_as_before(debian, tmp_path, ppolicy):
    if ppolicy:
        load_ppolicy(debian)
    before = everything(debian.connect()), debian.config("olcDbIndex"), definitions(debian)
    load_all(debian, *([RULES_WITH_PPOLICY, RULES] if ppolicy else [RULES]))
    add_identities(debian)
    add_users(debian)
    assert has_ours(debian.connect())
    folder, changes = copy_of_the_files(tmp_path), changes_for(debian)
    for command in commands(1):
        shell(folder, command, changes)
    assert not has_ours(debian.connect()) and len(everything(debian.connect())) == 12
    rules, index, _ = commands(2)
    shell(folder, rules, changes)
    shell(folder, index, changes)
    if ppolicy:
        shell(folder, rules.replace("acl-cnconfig", "acl-ppolicy-cnconfig"), changes)
    assert debian.rules() == DEBIANS_RULES
    assert debian.config("olcLimits") == debian.config("olcAddContentAcl") == []
    for step in 3, 4:
        for command in commands(step):
            shell(folder, command, changes)
    for name in [*NAMES, "dave"]:
        debian.connect().delete_s(person(name).dn)
    assert (everything(debian.connect()), debian.config("olcDbIndex"), definitions(debian)) \
        == before
    run(["slaptest", "-F", debian.folder / "slapd.d"])


def definitions(server):
    """The attributes and classes that the server knows."""
    connection = server.connect()
    found = connection.read_subschemasubentry_s(connection.search_subschemasubentry_s(""))
    return {kind: set(found[kind]) for kind in ("attributeTypes", "objectClasses")}


def test_a_rule_that_was_changed_stops_it_before_anything_is_removed(debian, tmp_path):
    load_all(debian, RULES)
    rules = debian.rules()
    folder = copy_of_the_files(tmp_path)
    file = folder / "acl-cnconfig.ldif"
    file.write_text(file.read_text().replace("by self read", "by self write"))
    said = shell(folder, commands(2)[0], changes_for(debian), status=16)
    assert "No such attribute" in said
    assert debian.rules() == rules


def test_a_folder_with_entries_of_others_stays(debian, tmp_path):
    add_identities(debian)
    other = f"cn=other,ou=services,{BASE}"
    debian.add(other, objectClass=["applicationProcess"], cn=["other"])
    said = shell(copy_of_the_files(tmp_path), commands(3)[0], changes_for(debian), status=66)
    assert "not allowed on non-leaf" in said.lower().replace("operation ", "")
    left = {dn for dn, _ in everything(debian.connect())}
    assert left & set(example_identities()) == {f"ou=services,{BASE}"} and other in left


def test_slapd_with_slapd_conf_is_as_before(own_directory, tmp_path):
    directory = own_directory()
    who, _ = directory.new_person(mfa=True, app_passwords=1)
    secret = tmp_path / "secret"
    secret.write_text(slapd.secret("slapd itself"))
    folder = copy_of_the_files(tmp_path)
    changes = {"-H ldapi:///": f"-H {directory.ldapi}",
               f"-D cn=admin,{BASE} -W": f"-D '{slapd.ITSELF}' -y {secret}"}
    for command in commands(1):
        shell(folder, command, changes)
    directory.stop()
    config = directory.folder / "slapd.conf"
    config.write_text(re.sub("^include .*/ldap-schema/.*\n", "", config.read_text(),
                             flags=re.MULTILINE))
    directory.start()
    assert not has_ours(directory.connect_as_itself())
    assert not OURS.search(repr(definitions(directory)))
    assert directory.connect(who)


def test_389_directory_server_is_as_before(workdir, tmp_path):
    server = DirectoryServer(workdir / "ds389-removing", aci=False).start()
    try:
        acis = server.manager().search_s(BASE, ldap.SCOPE_BASE, attrlist=["aci"])
        secret = tmp_path / "secret"
        secret.write_text(MANAGER_PASSWORD)
        secret.chmod(0o600)
        as_manager = ["-x", "-H", server.ldap, "-D", MANAGER_389, "-y", secret]
        subprocess.run(["ldapmodify", *as_manager, "-f", LDAP_SCHEMA / "aci-389ds.ldif"],
                       check=True, stdout=subprocess.DEVNULL)
        assert has_ours(server.manager())
        who = server.new_person(mfa=True)
        server.add_app_password(who)
        folder = copy_of_the_files(tmp_path)
        changes = {
            "-H ldapi:///": f"-H {server.ldap}",
            "-H ldapi://%2Frun%2Fslapd-INSTANCE.socket": f"-H {server.ldap}",
            f"-D cn=admin,{BASE} -W": f"-D '{MANAGER_389}' -y {secret}",
            f'-D "{MANAGER_389}" -W': f"-D '{MANAGER_389}' -y {secret}"}
        for command in commands(1):
            shell(folder, command, changes)
        shell(folder, commands(2)[2], changes)
        assert not has_ours(server.manager())
        assert server.manager().search_s(BASE, ldap.SCOPE_BASE, attrlist=["aci"]) == acis
        shell(folder, commands(3)[0].replace("tac", "tac | grep -v '^ou='"), changes)
        server.stop()
        schema = server.folder / "etc/schema"
        (schema / "99app-password.ldif").rename(tmp_path / "99app-password.ldif")
        (schema / "99user.ldif").write_text("dn: cn=schema\n")  # which an instance of dscreate has
        server.start()
        assert not OURS.search(repr(definitions(server)))
        assert server.connect(who)
    finally:
        server.stop()
