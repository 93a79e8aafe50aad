# SPDX-License-Identifier: BSD-2-Clause
"""The rights in a store: each identity has exactly those of the table in ldap-schema/README.md."""

import os
import subprocess

import ldap
import ldap.modlist
import pytest

from conftest import new_folder
from store import NAMES, Store

# Read includes search and compare; write includes read.
NOTHING, SEARCH, READ, WRITE = "has no right to", "may search by", "may read", "may write"
# Adds a value to an entry that has none, and cannot change it.
ADD, ADD_TRUE = "may read and add", "may search by, and add as TRUE,"

RIGHTS = {
    "appPassword": {
        "mail server": READ, "portal": WRITE, "administrator": WRITE, "replicator": READ},
    "appPasswordMfaEnabled": {
        "mail server": SEARCH, "portal": ADD_TRUE, "administrator": WRITE, "replicator": READ},
    "appPasswordMfaEnforceFrom": {
        "mail server": READ, "portal": READ, "administrator": WRITE, "replicator": READ},
    "appPasswordUsed": {
        "mail server": WRITE, "portal": WRITE, "administrator": WRITE, "replicator": READ},
    "appPasswordMfaMethod": {
        "mail server": NOTHING, "portal": WRITE, "administrator": WRITE, "replicator": READ},
    "appPasswordOrphanSince": {
        "mail server": NOTHING, "portal": NOTHING, "administrator": WRITE, "replicator": READ},
    "uid": {
        "mail server": NOTHING, "portal": ADD, "administrator": WRITE, "replicator": READ},
    "appPasswordOwner": {
        "mail server": READ, "portal": READ, "administrator": READ, "replicator": READ},
    "entryUUID": {
        "mail server": NOTHING, "portal": READ, "administrator": READ, "replicator": READ},
}
VALUES = {  # the entry's value, and another one
    "appPassword": ("id=k7q2 label=before", "id=k7q3 label=after"),
    "appPasswordMfaEnabled": ("TRUE", "FALSE"),
    "appPasswordMfaEnforceFrom": ("20270101000000Z", "20280101000000Z"),
    "appPasswordUsed": ("id=k7q2 at=20261123070000Z", "id=k7q2 at=20261124070000Z"),
    "appPasswordMfaMethod": ("before", "after"),
    "appPasswordOrphanSince": ("20270101000000Z", "20280101000000Z"),
    "uid": ("alice", "mallory"),
}
OWNER, OTHER = "6f1c-aa", "6f1c-bb"
ABSENT = "6f1c-cc"
MODIFIED = [(identity, attribute) for attribute in VALUES for identity in NAMES]


@pytest.fixture(scope="module")
def store(workdir):
    server = Store(new_folder(workdir, "store"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def entry(store):
    """The DN of a user's entry, with a value of each attribute."""
    dn = store.add_entry(OWNER, **{name: before for name, (before, _) in VALUES.items()})
    yield dn
    store.connect_as_itself().delete_s(dn)


@pytest.fixture
def bare_entry(store):
    """The DN of an entry without any of them."""
    dn = store.add_entry(OTHER, appPasswordMfaEnabled=[])
    yield dn
    store.connect_as_itself().delete_s(dn)


def is_allowed(action, *arguments, **options):
    try:
        action(*arguments, **options)
    except (ldap.INSUFFICIENT_ACCESS, ldap.NO_SUCH_OBJECT):
        return False
    return True


@pytest.mark.parametrize("identity, attribute", [
    (identity, attribute) for attribute in RIGHTS for identity in NAMES])
def test_reading_searching_and_comparing(store, entry, identity, attribute):
    right = RIGHTS[attribute][identity]
    connection = store.connect(identity)
    value = store.values(OWNER, attribute)[0]
    (_, read), = connection.search_s(entry, ldap.SCOPE_BASE, attrlist=[attribute])
    assert (attribute in read) == (right in (READ, WRITE, ADD))
    (_, read), = connection.search_s(entry, ldap.SCOPE_BASE, attrlist=["*", "+"])
    assert (attribute in read) == (right in (READ, WRITE, ADD)), "nor with all others"
    found = connection.search_s(store.entries, ldap.SCOPE_ONELEVEL, f"({attribute}={value})",
                                ["1.1"])
    assert [dn for dn, _ in found] == ([] if right == NOTHING else [entry])
    assert is_allowed(connection.compare_s, entry, attribute, value.encode()) == (right != NOTHING)


@pytest.mark.parametrize("identity, attribute", MODIFIED)
@pytest.mark.parametrize("how", ["replace", "delete", "delete one", "add"])
def test_modifying(store, entry, bare_entry, identity, attribute, how):
    right = RIGHTS[attribute][identity]
    before, after = (value.encode() for value in VALUES[attribute])
    dn, change = {"replace": (entry, (ldap.MOD_REPLACE, attribute, [after])),
                  "delete": (entry, (ldap.MOD_DELETE, attribute, None)),
                  "delete one": (entry, (ldap.MOD_DELETE, attribute, [before])),
                  "add": (bare_entry, (ldap.MOD_ADD, attribute, [before]))}[how]
    allowed = right == WRITE or (how == "add" and right in (ADD, ADD_TRUE))
    assert is_allowed(store.connect(identity).modify_s, dn, [change]) == allowed
    owner = OWNER if dn == entry else OTHER
    expected = {"replace": [after], "delete": [], "delete one": [], "add": [before]}[how] \
        if allowed else [before] if dn == entry else []
    assert store.values(owner, attribute) == [value.decode() for value in expected]


def test_the_portal_cannot_turn_mfa_off(store, bare_entry):
    off = [(ldap.MOD_ADD, "appPasswordMfaEnabled", [b"FALSE"])]
    assert not is_allowed(store.connect("portal").modify_s, bare_entry, off)


@pytest.mark.parametrize("identity", NAMES)
def test_the_owner_cannot_be_changed(store, entry, identity):
    connection = store.connect(identity)
    for change in (ldap.MOD_REPLACE, ldap.MOD_ADD):
        with pytest.raises((ldap.INSUFFICIENT_ACCESS, ldap.NOT_ALLOWED_ON_RDN,
                            ldap.CONSTRAINT_VIOLATION, ldap.NAMING_VIOLATION)):
            connection.modify_s(entry, [(change, "appPasswordOwner", [b"6f1c-dd"])])


@pytest.mark.parametrize("identity", NAMES)
@pytest.mark.parametrize("name", ["extensibleObject", "simpleSecurityObject", "uidObject"])
def test_another_class(store, entry, identity, name):
    change = [(ldap.MOD_ADD, "objectClass", [name.encode()])]
    if name == "simpleSecurityObject":
        change.append((ldap.MOD_ADD, "userPassword", [b"secret"]))
    assert is_allowed(store.connect(identity).modify_s, entry, change) == \
        (identity == "administrator")


ENTRY = {"objectClass": ["appPasswordEntry", "appPasswordAccount"], "appPasswordOwner": ABSENT,
         "appPasswordMfaEnabled": "TRUE", "uid": "carol", "appPassword": "id=k7q2 label=new"}
ADDITIONS = {
    "an entry": ({}, {"portal", "administrator"}),
    "an entry with top": ({"objectClass": ["top", "appPasswordEntry", "appPasswordAccount"]},
                          {"portal", "administrator"}),
    "an entry without a flag": ({"appPasswordMfaEnabled": []}, {"portal", "administrator"}),
    "an entry with a last use and a factor": (
        {"appPasswordUsed": "id=k7q2", "appPasswordMfaMethod": "sealed"},
        {"portal", "administrator"}),
    "one with MFA off": ({"appPasswordMfaEnabled": "FALSE"}, {"administrator"}),
    "one with MFA announced": ({"appPasswordMfaEnforceFrom": "20270101000000Z"}, {"administrator"}),
    "an orphan": ({"appPasswordOrphanSince": "20270101000000Z"}, {"administrator"}),
    "one of another class": ({"objectClass": ["appPasswordEntry", "appPasswordAccount",
                                              "extensibleObject"]}, {"administrator"}),
    "one with a password": (
        {"objectClass": ["appPasswordEntry", "appPasswordAccount", "simpleSecurityObject"],
         "userPassword": "secret"}, {"administrator"}),
}


@pytest.mark.parametrize("identity", NAMES)
@pytest.mark.parametrize("what", ADDITIONS)
def test_adding(store, identity, what):
    changed, allowed = ADDITIONS[what]
    try:
        assert is_allowed(store.add_entry, ABSENT, identity, **ENTRY | changed) == \
            (identity in allowed)
        assert (ABSENT in store.owners()) == (identity in allowed)
    finally:
        is_allowed(store.connect_as_itself().delete_s, store.dn(ABSENT))


@pytest.mark.parametrize("identity", NAMES)
def test_adding_elsewhere(store, entry, identity):
    connection = store.connect(identity)
    attributes = ldap.modlist.addModlist({
        "objectClass": [b"appPasswordEntry"], "appPasswordOwner": [ABSENT.encode()]})
    for parent in (store.base, f"ou=services,{store.base}", entry, store.witness):
        assert not is_allowed(connection.add_s, f"appPasswordOwner={ABSENT},{parent}", attributes)
    assert not is_allowed(connection.add_s, f"cn=other,ou=services,{store.base}",
                          ldap.modlist.addModlist({
                              "objectClass": [b"applicationProcess", b"simpleSecurityObject"],
                              "cn": [b"other"], "userPassword": [b"secret"]}))


@pytest.mark.parametrize("identity", NAMES)
def test_deleting(store, identity):
    dn = store.add_entry(ABSENT)
    try:
        assert is_allowed(store.connect(identity).delete_s, dn) == (identity == "administrator")
    finally:
        is_allowed(store.connect_as_itself().delete_s, dn)


@pytest.mark.parametrize("identity", NAMES)
def test_renaming(store, identity):
    """An entry of another name has another user's app passwords."""
    dn = store.add_entry(ABSENT)
    connection = store.connect(identity)
    try:
        assert is_allowed(connection.rename_s, dn, "appPasswordOwner=6f1c-dd") == \
            (identity == "administrator")
    finally:
        for owner in (ABSENT, "6f1c-dd"):
            is_allowed(store.connect_as_itself().delete_s, store.dn(owner))
    assert not is_allowed(connection.rename_s, store.witness, "cn=other")


@pytest.mark.parametrize("identity", NAMES)
def test_the_entries_that_a_store_begins_with(store, entry, identity):
    connection = store.connect(identity)
    seen = {dn for dn, _ in connection.search_s(store.base, ldap.SCOPE_SUBTREE)} \
        if identity == "replicator" else {
            dn for dn in (store.base, f"ou=services,{store.base}", store.entries, store.witness,
                          *store.identities.values(), entry)
            if is_allowed(connection.search_s, dn, ldap.SCOPE_BASE)}
    assert seen == ({store.base, f"ou=services,{store.base}", store.entries, store.witness,
                     *store.identities.values(), entry}
                    if identity == "replicator" else {store.entries, store.witness, entry})
    for dn in seen:
        if dn == entry:
            continue
        assert not is_allowed(connection.delete_s, dn) or dn == ""
        for change in ((ldap.MOD_REPLACE, "userPassword", [b"mine"]),
                       (ldap.MOD_ADD, "objectClass", [b"extensibleObject"]),
                       (ldap.MOD_REPLACE, "appPasswordMfaEnabled", [b"FALSE"])):
            assert not is_allowed(connection.modify_s, dn, [change])
    for dn in store.identities.values():
        assert is_allowed(connection.compare_s, dn, "userPassword", b"x") == \
            (identity == "replicator")


@pytest.mark.parametrize("identity", ["mail server", "portal", "administrator"])
def test_the_witness_can_be_searched(store, identity):
    connection = store.connect(identity)
    assert len(connection.search_s(store.witness, ldap.SCOPE_BASE,
                                   "(&(appPasswordMfaEnabled=TRUE)(description=entryUUID))",
                                   ["1.1"])) == 1
    assert connection.search_s(store.witness, ldap.SCOPE_BASE,
                               "(!(appPasswordMfaEnabled=TRUE))", ["1.1"]) == []


def test_the_administrator_reads_more_than_the_usual_limit(store):
    connection = store.connect("administrator")
    added = [store.add_entry(f"many-{number}") for number in range(501)]
    try:
        assert len(connection.search_s(store.entries, ldap.SCOPE_ONELEVEL, attrlist=["1.1"])) == 501
        with pytest.raises(ldap.SIZELIMIT_EXCEEDED):
            store.connect("mail server").search_s(store.entries, ldap.SCOPE_ONELEVEL,
                                                  attrlist=["1.1"])
    finally:
        for dn in added:
            connection.delete_s(dn)


# ---- everybody else ----

OPERATIONS = {
    "a search": lambda connection, dn: connection.search_s(dn, ldap.SCOPE_BASE),
    "a search below": lambda connection, dn: connection.search_s(dn, ldap.SCOPE_SUBTREE),
    "a compare": lambda connection, dn: connection.compare_s(dn, "appPasswordOwner", b"6f1c-aa"),
    "a modification": lambda connection, dn: connection.modify_s(
        dn, [(ldap.MOD_REPLACE, "uid", [b"x"])]),
    "a deletion": lambda connection, dn: connection.delete_s(dn),
    "a renaming": lambda connection, dn: connection.rename_s(dn, "appPasswordOwner=x"),
    "an addition": lambda connection, dn: connection.add_s(dn, ldap.modlist.addModlist({
        "objectClass": [b"appPasswordEntry"], "appPasswordOwner": [b"6f1c-aa"]})),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_anonymous_learns_nothing(store, entry, operation):
    answers = set()
    for dn in (entry, store.dn(ABSENT), store.entries, f"ou=none,{store.base}"):
        with pytest.raises(ldap.LDAPError) as error:
            OPERATIONS[operation](store.connect(), dn)
        answers.add((type(error.value), error.value.args[0].get("matched"),
                     error.value.args[0].get("info")))
    assert len(answers) == 1, "whether the entry exists or not"


def test_the_wrong_password_and_an_unknown_identity_look_alike(store):
    answers = set()
    for dn in (store.identities["portal"], f"cn=none,ou=services,{store.base}", store.witness,
               store.entries):
        with pytest.raises(ldap.INVALID_CREDENTIALS) as error:
            store.connect().simple_bind_s(dn, "wrong")
        answers.add(str(error.value.args[0].get("matched")))
    assert answers == {"None"}


@pytest.mark.parametrize("user", [0, 65534])
def test_a_user_of_the_host_has_no_identity(store, user):
    """Not even root."""
    os.chmod(store.folder, 0o755)
    os.chmod(store.folder.parent, 0o755)
    called = subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups",
         "ldapwhoami", "-Q", "-Y", "EXTERNAL", "-H", store.ldapi], text=True, capture_output=True)
    assert called.returncode != 0 and "too weak" in called.stderr, called


def test_an_identity_cannot_become_another_one(store):
    """Proxied authorization (RFC 4370)."""
    control = ldap.controls.simple.ProxyAuthzControl(
        True, f"dn:{store.identities['administrator']}".encode())
    with pytest.raises(ldap.LDAPError):
        store.connect("mail server").search_ext_s(store.entries, ldap.SCOPE_BASE,
                                                  serverctrls=[control])


def test_no_identity_can_change_its_password(store):
    for identity in NAMES:
        with pytest.raises(ldap.LDAPError):
            store.connect(identity).passwd_s(store.identities[identity], None, "another")
        store.connect(identity)
