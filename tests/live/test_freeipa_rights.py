# SPDX-License-Identifier: BSD-2-Clause
"""FreeIPA's shape of a directory: rights, by our rules together with FreeIPA's own."""

import itertools
import re

import ldap
import pytest

import apppassword
from ds389 import may_delete
from freeipa import (BASE, GROUPS, IDENTITIES, USERS, WITNESS, freeipa,
                     group)  # pylint: disable=unused-import
from slapd import LDAP_SCHEMA

PAST = "20260101000000Z"
FIVE = ("appPassword", "appPasswordMfaEnabled", "appPasswordMfaEnforceFrom", "appPasswordUsed",
        "appPasswordMfaMethod")
READS = {
    "mail server": {"appPassword", "appPasswordMfaEnforceFrom", "appPasswordUsed"},
    "portal": {"appPassword", "appPasswordMfaEnforceFrom", "appPasswordUsed",
               "appPasswordMfaMethod"},
    "administrator": set(FIVE),
    "admin": {"appPasswordMfaEnforceFrom", "appPasswordUsed"},
    "user administrator": set(), "self": set(), "anonymous": set(),
}
WRITES = {
    "mail server": {"appPasswordUsed"},
    "portal": {"appPassword", "appPasswordUsed", "appPasswordMfaMethod"},
    "administrator": set(FIVE), "admin": set(), "user administrator": set(), "self": set(),
}


@pytest.fixture(scope="module")
def owner(freeipa):
    """A user with all five attributes."""
    who = freeipa.new_user("otp")
    freeipa.administrate(
        who, appPassword=apppassword.make().value, appPasswordMfaEnabled="TRUE",
        appPasswordMfaEnforceFrom=PAST, appPasswordUsed="id=k7q2 at=20260101000000Z",
        appPasswordMfaMethod="kind=totp")
    return who


def connect(directory, identity, who):
    return directory.connect({"self": who, "anonymous": None}.get(identity, identity))


@pytest.mark.parametrize("identity", READS)
def test_reading(freeipa, owner, identity):
    found = connect(freeipa, identity, owner).search_s(
        BASE, ldap.SCOPE_SUBTREE, f"(uid={owner.uid})", list(FIVE))
    assert {name for _, entry in found for name in entry} == READS[identity]


@pytest.mark.parametrize("identity", ["admin", "user administrator", "self", "anonymous"])
def test_no_other_identity_searches_by_app_passwords(freeipa, owner, identity):
    connection = connect(freeipa, identity, owner)
    assert [connection.search_s(BASE, ldap.SCOPE_SUBTREE, f"({name}=*)", ["1.1"])
            for name in ("appPassword", "appPasswordMfaMethod")] == [[], []]


@pytest.mark.parametrize("identity, name", itertools.product(WRITES, FIVE))
def test_writing(freeipa, owner, identity, name):
    assert may_delete(connect(freeipa, identity, owner), owner.dn, name) == (
        name in WRITES[identity])


@pytest.mark.parametrize("identity, may", [
    ("self", False), ("mail server", False), ("portal", False), ("administrator", False),
    ("user administrator", False), ("admin", True)])
def test_who_sets_the_type(freeipa, owner, identity, may):
    """As FreeIPA has it: its admins."""
    assert may_delete(connect(freeipa, identity, owner), owner.dn, "ipaUserAuthType") == may
    assert not may_delete(freeipa.connect("mail server"), WITNESS, "ipaUserAuthType")


def test_self_service_continues(freeipa):
    """Users write what FreeIPA lets them write, and nothing by which a mail server decides."""
    who = freeipa.new_user("otp")
    itself = freeipa.connect(who)
    itself.modify_s(who.dn, [(ldap.MOD_REPLACE, "employeeType", [b"none of our business"])])
    itself.modify_s(who.dn, [(ldap.MOD_ADD, "objectClass", [b"ipaPasskeyUser"]),
                             (ldap.MOD_ADD, "ipaPasskey", [b"a key"])])
    itself.modify_s(who.dn, [(ldap.MOD_REPLACE, "userPassword", [b"Another.password/1"])])
    for change in [("uid", b"somebody-else"), ("mail", b"else@example.org"),
                   ("objectClass", b"pilotPerson"), ("appPassword", b"id=zzzz"),
                   ("nsAccountLock", b"FALSE"), ("krbPrincipalExpiration", b"20990101000000Z")]:
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            itself.modify_s(who.dn, [(ldap.MOD_ADD, *change)])


@pytest.fixture
def generous(freeipa):
    """A site that grants all rights to everybody, for example by a permission."""
    rule = b'(targetattr = "*")(version 3.0; acl "generous"; allow (all) ' \
        b'userdn = "ldap:///anyone";)'
    freeipa.manager().modify_s(BASE, [(ldap.MOD_ADD, "aci", [rule])])
    yield freeipa
    freeipa.manager().modify_s(BASE, [(ldap.MOD_DELETE, "aci", [rule])])


def test_a_generous_site_gives_away_nothing(generous, owner):
    secrets = {"appPassword", "appPasswordMfaMethod"}
    for identity, reads in READS.items():
        (_, entry), = connect(generous, identity, owner).search_s(USERS, ldap.SCOPE_SUBTREE,
                                                                  f"(uid={owner.uid})", list(FIVE))
        assert secrets & set(entry) == secrets & reads, identity
        assert ("appPasswordMfaEnabled" in entry) == (
            identity in ("mail server", "portal", "administrator", "self")), identity
    for (identity, writes), name in itertools.product(WRITES.items(), FIVE):
        assert may_delete(connect(generous, identity, owner), owner.dn, name) == (
            name in writes), (identity, name)
    for identity, name in itertools.product(("self", "mail server", "portal"),
                                            ("uid", "mail", "ipaUserAuthType")):
        assert not may_delete(connect(generous, identity, owner), owner.dn, name), (identity, name)
    assert not may_delete(generous.connect("mail server"), owner.dn, "objectClass")


def test_an_administrator_of_freeipa_in_the_group(freeipa, owner):
    """A user in mail-administrators manages app passwords, with the rights of nobody else."""
    anna = freeipa.new_user()
    freeipa.manager().modify_s(f"cn=mail-administrators,{GROUPS}",
                               [(ldap.MOD_ADD, "member", [anna.dn.encode()])])
    connection = freeipa.connect(anna)
    assert all(may_delete(connection, owner.dn, name) for name in FIVE)
    assert not may_delete(connection, owner.dn, "ipaUserAuthType")


def test_group_administrators_do_not_choose_the_administrators(freeipa):
    freeipa.add(f"cn=any,{GROUPS}", group("any"))
    for identity, ours, any_other in ("user administrator", False, True), ("admin", True, True):
        connection = freeipa.connect(identity)
        for name, may in ("mail-administrators", ours), ("any", any_other):
            dn = f"cn={name},{GROUPS}"
            probe = [(ldap.MOD_ADD, "member", [IDENTITIES[identity].encode()])]
            if may:
                connection.modify_s(dn, probe)
                connection.modify_s(dn, [(ldap.MOD_DELETE, *probe[0][1:])])
                continue
            for change in (lambda: connection.modify_s(dn, probe), lambda: connection.delete_s(dn),
                           lambda: connection.rename_s(dn, "cn=renamed")):
                with pytest.raises(ldap.INSUFFICIENT_ACCESS):
                    change()
    freeipa.connect("user administrator").delete_s(f"cn=any,{GROUPS}")


def test_each_rule_of_389_has_its_like():
    """Neither file gets a rule that the other lacks; FreeIPA replicates by itself."""
    def rules(file):
        names = re.findall(r'acl "app-password: ([^"]*)"', (LDAP_SCHEMA / file).read_text())
        return [name.replace(" and replication", "").replace("make none", "makes none")
                for name in names]

    ours = rules("aci-freeipa.ldif")[:-2]  # the last two are for the witness and for the group
    for here, there in zip(ours, rules("aci-389ds.ldif"), strict=True):
        assert here == there or {here, there} <= {
            "nobody takes another's name", "nobody takes another's name or turns off their own MFA",
            "users change no class of their own", "mail server changes no class"}
