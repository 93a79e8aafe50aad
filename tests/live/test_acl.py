# SPDX-License-Identifier: BSD-2-Clause
"""The access rules: each identity has exactly the rights of the design's table.

The table applies to both forms of the example, acl-slapd.conf and acl-cnconfig.ldif. Each is tested
before the rules of two sites: one grants nothing, so all rights come from our rules; the other is
generous, so our rules must deny access.
"""

import re
from collections import namedtuple

import ldap
import pytest

from slapd import ACL, BASE, CLOSED_SITE, IDENTITIES, OPEN_SITE, Slapd

# The right of each identity on a user's attribute. Read includes search (find the entry by it);
# write includes read.
NOTHING, SEARCH, READ, WRITE = "has no right to", "may search by", "may read", "may write"
NAMED = {"mail server": NOTHING, "portal": NOTHING, "administrator": NOTHING, "replicator": NOTHING}
OTHERS = {"the user": NOTHING, "another user": NOTHING, "anonymous": NOTHING,
          "user manager": NOTHING}
EVERYBODY_READS = {identity: READ for identity in NAMED | OTHERS}
RIGHTS = {
    "appPassword": OTHERS | {
        "mail server": READ, "portal": WRITE, "administrator": WRITE, "replicator": READ},
    "appPasswordMfaEnabled": OTHERS | {
        "mail server": SEARCH, "portal": SEARCH, "administrator": WRITE, "replicator": READ,
        "the user": READ},
    "appPasswordMfaEnforceFrom": OTHERS | {
        "mail server": READ, "portal": READ, "administrator": WRITE, "replicator": READ,
        "the user": READ},
    "appPasswordUsed": OTHERS | {
        "mail server": WRITE, "portal": WRITE, "administrator": WRITE, "replicator": READ,
        "the user": READ},
    "appPasswordMfaMethod": OTHERS | {
        "mail server": NOTHING, "portal": WRITE, "administrator": WRITE, "replicator": READ},
    "pwdAccountLockedTime": OTHERS | {
        "mail server": READ, "portal": READ, "administrator": READ, "replicator": READ},
    "pwdStartTime": OTHERS | {
        "mail server": READ, "portal": READ, "administrator": READ, "replicator": READ},
    "pwdEndTime": OTHERS | {
        "mail server": READ, "portal": READ, "administrator": READ, "replicator": READ},
    "uid": EVERYBODY_READS,
    "mail": EVERYBODY_READS,
}

# The user's value, and another one to write.
VALUES = {
    "appPassword": ("id=k7q2 label=before", "id=k7q3 label=after"),
    "appPasswordMfaEnabled": ("TRUE", "FALSE"),
    "appPasswordMfaEnforceFrom": ("20270101000000Z", "20280101000000Z"),
    "appPasswordUsed": ("id=k7q2 at=20261123070000Z", "id=k7q2 at=20261124070000Z"),
    "appPasswordMfaMethod": ("before", "after"),
}

# Set by the server's own policy or a user manager.
DATES = {
    "pwdStartTime": ("20260101000000Z", "20260102000000Z"),
    "pwdEndTime": ("20990101000000Z", "20990102000000Z"),
}
OPERATIONAL = {"pwdAccountLockedTime", *DATES}


@pytest.fixture(scope="module", params=ACL)
def acl(request):
    return ACL[request.param]


@pytest.fixture(scope="module")
def closed_site(acl, workdir):
    yield from site_with_a_user(acl, workdir / f"closed-{acl[0].name}", CLOSED_SITE)


@pytest.fixture(scope="module")
def open_site(acl, workdir):
    yield from site_with_a_user(acl, workdir / f"open-{acl[0].name}", OPEN_SITE)


Site = namedtuple("Site", "directory user values connections")


def site_with_a_user(acl, folder, site_rules):
    """A directory, a user with a value of each attribute, and a connection of each identity."""
    directory = Slapd(folder, acl=acl, site_rules=site_rules)
    try:
        directory.start()
        user = directory.new_person()
        connections = {identity: directory.connect(identity) for identity in IDENTITIES}
        connections["the user"] = directory.connect(user)
        connections["another user"] = directory.connect(directory.new_person())
        connections["anonymous"] = directory.connect()
        directory.administrate(user, **{name: before for name, (before, _) in VALUES.items()})
        lock(directory, user)
        locked, = directory.values(user, "pwdAccountLockedTime")
        directory.connect_as_itself().modify_s(user.dn, [
            (ldap.MOD_REPLACE, name, [before.encode()]) for name, (before, _) in DATES.items()])
        values = VALUES | DATES | {
            "pwdAccountLockedTime": (locked, "000001010000Z"),
            "uid": (user.uid, "victim"),
            "mail": (user.mail, "victim@example.org"),
        }
        yield Site(directory, user, values, connections)
    finally:
        directory.stop()


def lock(directory, user):
    """Make ppolicy lock the account, by five wrong passwords."""
    for _ in range(5):
        with pytest.raises(ldap.INVALID_CREDENTIALS):
            directory.connect(user, "wrong")


def cases(identities):
    for attribute, rights in RIGHTS.items():
        for identity in identities:
            yield pytest.param(identity, attribute, rights[identity],
                               id=f"{identity} {rights[identity]} {attribute}")


@pytest.mark.parametrize("identity, attribute, right", cases([*NAMED, "the user"]))
def test_our_rules_alone_grant_the_rights_of_the_table(closed_site, identity, attribute, right):
    assert observed_right(closed_site, identity, attribute) == right


@pytest.mark.parametrize("identity, attribute, right", cases(NAMED | OTHERS))
def test_generous_rules_after_ours_grant_no_further_right(open_site, identity, attribute, right):
    assert observed_right(open_site, identity, attribute) == right


def observed_right(site, identity, attribute):
    """The right of an identity, found by trying each operation."""
    connection, dn = site.connections[identity], site.user.dn
    before, after = (value.encode() for value in site.values[attribute])
    changes = [
        (ldap.MOD_REPLACE, attribute, [after]),
        (ldap.MOD_DELETE, attribute, [after]),
        (ldap.MOD_ADD, attribute, [before]),
        (ldap.MOD_DELETE, attribute, None),
        (ldap.MOD_ADD, attribute, [before])]
    if attribute not in OPERATIONAL:  # these take no options
        changes += [
            (ldap.MOD_ADD, f"{attribute};lang-en", [after]),
            (ldap.MOD_DELETE, f"{attribute};lang-en", None)]
    writes = {is_permitted(connection, dn, change) for change in changes}
    assert len(writes) == 1, "some changes are permitted, others not"
    found = connection.search_s(dn, ldap.SCOPE_BASE, f"({attribute}={before.decode()})", ["1.1"])
    (_, entry), = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=[attribute])
    rights = (writes == {True}, attribute in entry, bool(found))
    return {(True, True, True): WRITE, (False, True, True): READ,
            (False, False, True): SEARCH, (False, False, False): NOTHING}[rights]


def is_permitted(connection, dn, *changes):
    """False if the identity lacks the right to the change; other errors fail the test."""
    try:
        connection.modify_s(dn, changes)
    except (ldap.INSUFFICIENT_ACCESS, ldap.STRONG_AUTH_REQUIRED):
        return False
    return True


@pytest.mark.parametrize("identity", [*NAMED, "the user"])
def test_the_portal_reads_the_id_to_which_a_second_factor_is_bound(closed_site, identity):
    """By our rules alone; the server itself rejects writes."""
    user, connection = closed_site.user, closed_site.connections[identity]
    itself = closed_site.directory.connect_as_itself()
    (_, entry), = itself.search_s(user.dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
    found = connection.search_s(
        user.dn, ldap.SCOPE_BASE, f"(entryUUID={entry['entryUUID'][0].decode()})", ["entryUUID"])
    assert found == ([(user.dn, entry)] if identity == "portal" else [])


ACCOUNT = b"appPasswordAccount"
ANOTHER = b"pkiUser"


@pytest.mark.parametrize("identity, may_add, may_delete", [
    pytest.param(identity, *rights, id=identity) for identity, rights in {
        "mail server": (False, False),
        "portal": (True, False),
        "administrator": (True, True),
        "replicator": (False, False),
        "the user": (False, False),
        "another user": (False, False),
        "anonymous": (False, False),
        "user manager": (False, False),
    }.items()])
def test_the_portal_adds_the_class_and_an_administrator_also_removes_it(
        open_site, identity, may_add, may_delete):
    """No other class, and no other identity."""
    directory = open_site.directory
    for has_class in (False, True):
        user = directory.new_person()
        if has_class:
            directory.administrate(user)
        connection = open_site.connections[identity]
        if identity == "the user":
            connection = directory.connect(user)
        for change, expected in [
                ((ldap.MOD_ADD, "objectClass", [ANOTHER]), False),
                ((ldap.MOD_DELETE, "objectClass", [b"inetOrgPerson"]), False),
                ((ldap.MOD_REPLACE, "objectClass", [b"inetOrgPerson", ACCOUNT]), False),
                ((ldap.MOD_DELETE, "objectClass", [ACCOUNT]), may_delete) if has_class else
                ((ldap.MOD_ADD, "objectClass", [ACCOUNT]), may_add)]:
            assert is_permitted(connection, user.dn, change) == expected, change


def test_the_portal_adds_the_class_and_an_app_password_in_one_change(closed_site):
    user = closed_site.directory.new_person()
    assert is_permitted(closed_site.connections["portal"], user.dn,
                        (ldap.MOD_ADD, "objectClass", [ACCOUNT]),
                        (ldap.MOD_ADD, "appPassword", [b"id=k7q2 label=portal"]))


@pytest.mark.parametrize("identity", NAMED | OTHERS)
def test_everybody_who_sees_the_entry_reads_its_classes(open_site, identity):
    (_, entry), = open_site.connections[identity].search_s(
        open_site.user.dn, ldap.SCOPE_BASE, f"(objectClass={ACCOUNT.decode()})", ["objectClass"])
    assert entry == {"objectClass": [b"inetOrgPerson", ACCOUNT]}


@pytest.mark.parametrize("identity", NAMED)
@pytest.mark.parametrize("attribute", ["uid", "mail"])
def test_a_user_is_found_from_the_base_of_the_directory(closed_site, identity, attribute):
    user = closed_site.user
    found = closed_site.connections[identity].search_s(
        BASE, ldap.SCOPE_SUBTREE, f"({attribute}={getattr(user, attribute)})", [attribute])
    assert found == [(user.dn, {attribute: [getattr(user, attribute).encode()]})]


def test_the_mail_server_reads_nothing_else_of_a_user(closed_site):
    """The site's own rules decide about names and telephone numbers."""
    (_, entry), = closed_site.connections["mail server"].search_s(
        closed_site.user.dn, ldap.SCOPE_BASE, attrlist=["*", "+"])
    assert set(entry) == {"objectClass", "uid", "mail", "appPassword", "appPasswordMfaEnforceFrom",
                          "appPasswordUsed", "modifyTimestamp", *OPERATIONAL}


def test_a_user_signs_in_with_the_account_password_and_changes_it(closed_site):
    user = closed_site.directory.new_person(mfa=True)
    closed_site.directory.connect(user).passwd_s(user.dn, user.password, "changed")
    closed_site.directory.connect(user, "changed")


@pytest.mark.parametrize("identity", [*NAMED, "the user"])
def test_no_identity_of_the_table_renames_deletes_or_adds_an_entry(open_site, identity):
    """On the generous site, everybody may write the list of entries below ou=people."""
    user = open_site.directory.new_person()
    connection = open_site.connections[identity]
    if identity == "the user":
        connection = open_site.directory.connect(user)
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.rename_s(user.dn, "uid=victim")
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        connection.delete_s(user.dn)
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        add_user(connection, f"uid=victim,ou=people,{BASE}")


def test_a_user_cannot_add_an_entry_below_their_own(open_site):
    user = open_site.directory.new_person()
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        add_user(open_site.directory.connect(user), f"uid=victim,{user.dn}")


def test_user_managers_named_in_the_rules_add_entries_but_no_app_password(acl, workdir):
    """With the example's line USER MANAGERS, added as its comment says."""
    adapted = [workdir / f"managers-{file.name}" for file in acl]
    for file, original, count in zip(adapted, acl, [2, 1]):
        file.write_text(with_user_managers(original.read_text(), count))
    directory = Slapd(workdir / f"with-managers-{acl[0].name}", acl=adapted, site_rules=OPEN_SITE)
    try:
        manager = directory.start().connect("user manager")
        assert is_permitted(manager, directory.new_person().dn,
                            (ldap.MOD_ADD, "pwdAccountLockedTime", [b"000001010000Z"]))
        add_user(manager, f"uid=plain,ou=people,{BASE}")
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            add_user(manager, f"uid=minted,ou=people,{BASE}", appPassword=b"id=k7q2 label=minted")
    finally:
        directory.stop()


def with_user_managers(rules, expected):
    """The rules with a line added at the top of each rule marked USER MANAGERS."""
    line = f'    by dn.exact="{IDENTITIES["user manager"]}" write\n'
    adapted, count = re.subn(r"(# USER MANAGERS\n.*\n)", rf"\1{line}", rules)
    assert count == expected
    return adapted


def add_user(connection, dn, **more):
    uid = dn.split(",")[0][4:].encode()
    entry = {"objectClass": [b"inetOrgPerson", ACCOUNT], "cn": [uid], "sn": [uid], "uid": [uid],
             "mail": [uid + b"@example.org"]} | {name: [value] for name, value in more.items()}
    connection.add_s(dn, list(entry.items()))
