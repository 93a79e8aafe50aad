# SPDX-License-Identifier: BSD-2-Clause
"""Active Directory: each identity has exactly the rights of the table, on a real Samba server.

Tested twice: with the rights of a fresh domain, so that ours must grant what is needed; and behind a rule that lets
all users read and write everything, so that ours must deny it to those whom they name.
"""

import re
import shutil

import ldap
import pytest

import apppassword
from processes import run
from samba import FILES, DomainController, person
from slapd import BASE, IDENTITIES

NOTHING, READ, WRITE = "has no right to", "may read", "may write"
OTHERS = {"the user": NOTHING, "another user": NOTHING, "help desk": NOTHING}
ENDED = {"mail server": READ, "portal": READ, "administrator": READ}
NAME = ENDED | {"the user": READ, "another user": READ, "help desk": READ}
RIGHTS = {
    "appPassword": OTHERS | {"mail server": READ, "portal": WRITE, "administrator": WRITE},
    "appPasswordMfaEnabled": OTHERS | {
        "mail server": READ, "portal": READ, "administrator": WRITE, "the user": READ},
    "appPasswordMfaEnforceFrom": OTHERS | {
        "mail server": READ, "portal": READ, "administrator": WRITE, "the user": READ},
    "appPasswordUsed": OTHERS | {
        "mail server": WRITE, "portal": WRITE, "administrator": WRITE, "the user": READ},
    "appPasswordMfaMethod": OTHERS | {
        "mail server": NOTHING, "portal": WRITE, "administrator": WRITE},
    "userAccountControl": ENDED,
    "accountExpires": ENDED,
    "sAMAccountName": NAME,
    "userPrincipalName": NAME,
    "mail": NAME,
}
# The user's value, and another one to write.
VALUES = {
    "appPassword": ("id=k7q2 label=before", "id=k7q3 label=after"),
    "appPasswordMfaEnabled": ("TRUE", "FALSE"),
    "appPasswordMfaEnforceFrom": ("20270101000000.0Z", "20280101000000.0Z"),
    "appPasswordUsed": ("id=k7q2 at=20261123070000Z", "id=k7q2 at=20261124070000Z"),
    "appPasswordMfaMethod": ("before", "after"),
    "userAccountControl": ("66048", "66050"),
    "accountExpires": ("9223372036854775807", "0"),
    "sAMAccountName": ("victim", "attacker"),
    "userPrincipalName": ("victim@corp.example.org", "attacker@corp.example.org"),
    "mail": ("victim@example.org", "attacker@example.org"),
}
FIVE = [name for name in VALUES if name.startswith("appPassword")]
RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"
USER = "bf967aba-0de6-11d0-a285-00aa003049e2"


class Domain:
    """A domain controller, a user with a value of each attribute, and a connection of each identity."""

    def __init__(self, server, is_generous):
        self.server = server
        manager = self.server.sid_of(IDENTITIES["user manager"])
        self.server.grant(f"(OA;CIIO;CR;{RESET_PASSWORD};{USER};{manager})")
        if is_generous:
            self.server.grant(f"(OA;CIIO;RPWPCR;;{USER};AU)")
        self.user = self.server.add_user(person("victim"))
        self.server.administrate(self.user, **{name: VALUES[name][0] for name in FIVE})
        self.connections = {identity: self.server.connect(identity)
                            for identity in ("mail server", "portal", "administrator")}
        self.connections["help desk"] = self.server.connect("user manager")
        self.connections["the user"] = self.server.connect(self.user)
        self.connections["another user"] = self.server.connect(self.server.new_person())


def domain(folder, is_generous=False):
    folder.mkdir()
    server = DomainController(folder)
    try:
        yield Domain(server.start(), is_generous)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def fresh(workdir):
    yield from domain(workdir / "fresh")


@pytest.fixture(scope="module")
def generous(workdir):
    yield from domain(workdir / "generous", is_generous=True)


def cases(identities, attributes):
    for attribute in attributes:
        for identity in identities:
            if right := RIGHTS[attribute].get(identity):
                yield pytest.param(identity, attribute, right, id=f"{identity} {right} {attribute}")


@pytest.mark.parametrize("identity, attribute, right", cases([*ENDED, *OTHERS], RIGHTS))
def test_our_rights_grant_what_the_table_says(fresh, identity, attribute, right):
    assert observed_right(fresh, identity, attribute) == right


@pytest.mark.parametrize("identity, attribute, right", [
    *cases([*ENDED, "the user"], FIVE),
    *cases(["the user"], ["sAMAccountName", "userPrincipalName", "mail"])])
def test_a_rule_that_grants_everything_grants_those_whom_ours_name_no_further_right(
        generous, identity, attribute, right):
    assert observed_right(generous, identity, attribute) == right


def observed_right(domain, identity, attribute):
    """The right of an identity, found by trying each operation."""
    connection, dn = domain.connections[identity], domain.user.dn
    before, after = (value.encode() for value in VALUES[attribute])
    writes = {is_permitted(connection, dn, change) for change in [
        (ldap.MOD_REPLACE, attribute, [after]),
        (ldap.MOD_DELETE, attribute, [after]),
        (ldap.MOD_ADD, attribute, [before]),
        (ldap.MOD_DELETE, attribute, None),
        (ldap.MOD_ADD, attribute, [before])]}
    assert len(writes) == 1, "some changes are permitted, others not"
    found = connection.search_s(dn, ldap.SCOPE_BASE, f"({attribute}={before.decode()})", ["1.1"])
    (_, entry), = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=[attribute])
    rights = (writes == {True}, attribute in entry, bool(found))
    return {(True, True, True): WRITE, (False, True, True): READ,
            (False, False, False): NOTHING}[rights]


def is_permitted(connection, dn, *changes):
    """False if the identity lacks the right to the change; other errors fail the test."""
    try:
        connection.modify_s(dn, changes)
    except ldap.INSUFFICIENT_ACCESS:
        return False
    return True


def test_anonymous_reads_and_writes_nothing(fresh):
    anonymous = fresh.server.connect()
    with pytest.raises(ldap.OPERATIONS_ERROR):
        anonymous.search_s(fresh.user.dn, ldap.SCOPE_BASE)
    with pytest.raises(ldap.OPERATIONS_ERROR):
        anonymous.modify_s(fresh.user.dn, [(ldap.MOD_ADD, "appPassword", [b"id=k7q4 label=mine"])])


def test_the_portal_reads_the_id_to_which_a_second_factor_is_bound(fresh):
    (_, entry), = fresh.connections["portal"].search_s(
        BASE, ldap.SCOPE_SUBTREE, "(sAMAccountName=victim)", ["objectGUID"])[:1]
    assert len(entry["objectGUID"][0]) == 16


@pytest.mark.parametrize("identity", [*ENDED, "the user"])
def test_no_identity_of_the_table_renames_deletes_or_adds_an_entry(fresh, identity):
    connection, dn = fresh.connections[identity], fresh.user.dn
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.rename_s(dn, "cn=attacker")
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.delete_s(dn)
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.add_s(f"cn=attacker,ou=people,{BASE}", [
            ("objectClass", [b"user"]), ("sAMAccountName", [b"attacker"])])


def test_nobody_of_the_table_adds_a_class(fresh):
    for identity in [*ENDED, "the user"]:
        assert not is_permitted(fresh.connections[identity], fresh.user.dn,
                                (ldap.MOD_ADD, "objectClass", [b"posixAccount"])), identity


def with_app_password(domain, who):
    domain.server.set(who, appPasswordMfaEnabled="TRUE", appPassword=apppassword.make().value)
    return who


def visible(domain, who, identity="mail server"):
    """Those of the five that an identity reads, and whether the filter for MFA matches."""
    connection = domain.connections[identity]
    (_, entry), = connection.search_s(who.dn, ldap.SCOPE_BASE, attrlist=FIVE)
    return set(entry), bool(connection.search_s(
        who.dn, ldap.SCOPE_BASE, "(appPasswordMfaEnabled=TRUE)", ["1.1"]))


SEEN = {"appPassword", "appPasswordMfaEnabled"}, True


def test_an_account_under_adminsdholder_hides_ours(fresh):
    who = with_app_password(fresh, fresh.server.new_person())
    assert visible(fresh, who) == SEEN
    fresh.server.protect(who)
    assert visible(fresh, who) == (set(), False)
    assert not is_permitted(fresh.connections["portal"], who.dn,
                            (ldap.MOD_ADD, "appPassword", [b"id=k7q4 label=another"]))


def test_a_unit_that_inherits_nothing_hides_ours(fresh):
    unit = fresh.server.add_unit("blocked")
    who = with_app_password(fresh, fresh.server.add_user(
        person("blocked")._replace(dn=f"cn=blocked,{unit}")))
    assert visible(fresh, who) == SEEN
    fresh.server.block_inheritance(unit)
    assert visible(fresh, who) == (set(), False)
    fresh.server.set_rights(unit)
    assert visible(fresh, who) == SEEN


def test_the_rights_are_set_once_and_a_missing_one_is_put_in_its_place(fresh):
    before = fresh.server.rights_of(BASE)
    for missing in re.findall(r"\(.*?\)", before)[1], re.findall(r"\(OA;.*?\)", before)[2]:
        fresh.server.set_rights_of(BASE, before.replace(missing, ""))
        fresh.server.set_rights()
        assert fresh.server.rights_of(BASE) == before
    assert "nothing to change" in fresh.server.set_rights()
    assert fresh.server.rights_of(BASE) == before


def test_the_rights_are_in_canonical_order(fresh):
    """As Windows' tools insist. They deny this on the parent of a unit that is protected from accidental deletion."""
    unit = fresh.server.add_unit("protected")
    protection = "(D;;DC;;;WD)"
    fresh.server.set_rights_of(unit, fresh.server.rights_of(unit).replace("(", f"{protection}(", 1))
    fresh.server.set_rights(unit)
    after = fresh.server.rights_of(unit)
    order = [("ID" in flags, "D" not in kind) for kind, flags in re.findall(r"\((.*?);(.*?);", after)]
    assert order == sorted(order)
    assert protection in after and "nothing to change" in fresh.server.set_rights(unit)
    fresh.server.set_rights("--remove", unit)
    assert re.findall(r"\((?!\w+;\w*ID).*?\)", fresh.server.rights_of(unit))[0] == protection


def test_the_rights_can_be_removed(fresh):
    unit = fresh.server.add_unit("removed")
    before = fresh.server.rights_of(unit)
    fresh.server.set_rights(unit)
    assert fresh.server.rights_of(unit) != before
    fresh.server.set_rights("--remove", unit)
    assert fresh.server.rights_of(unit) == before


def test_users_of_another_class_need_rights_of_their_own(fresh, tmp_path):
    """As the README adds them for inetOrgPerson."""
    who = person("other")
    fresh.server.add_user(who, objectClass=["inetOrgPerson"])
    with_app_password(fresh, who)
    assert visible(fresh, who) == (set(), False)
    for name in "set-rights.sh", "rights.sddl":
        shutil.copy(FILES / name, tmp_path)
    command, = re.findall(r"^ +(sed -i .*)$", (FILES / "README.md").read_text(), re.M)
    run(["sh", "-c", command], cwd=tmp_path)
    run(["sh", "set-rights.sh", BASE, *fresh.server.local], cwd=tmp_path)
    assert visible(fresh, who) == SEEN
    assert observed_right(fresh, "mail server", "appPassword") == READ
