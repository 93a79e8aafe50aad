# SPDX-License-Identifier: BSD-2-Clause
"""The schema, in its three forms."""

import ldap
import ldap.schema
import ldif
import pytest

import apppassword
from slapd import ACL, BASE, LDAP_SCHEMA, OPEN_SITE, Slapd

ROOT = "2.25.141699905820307496210288608633455437436"
STRING = "1.3.6.1.4.1.1466.115.121.1.15"
BOOLEAN = "1.3.6.1.4.1.1466.115.121.1.7"
TIME = "1.3.6.1.4.1.1466.115.121.1.24"

# name: OID, syntax, equality, ordering, single-valued
ATTRIBUTES = {
    "appPassword": (f"{ROOT}.1.1", STRING, "caseExactMatch", None, False),
    "appPasswordMfaEnabled": (f"{ROOT}.1.2", BOOLEAN, "booleanMatch", None, True),
    "appPasswordMfaEnforceFrom": (
        f"{ROOT}.1.3", TIME, "generalizedTimeMatch", "generalizedTimeOrderingMatch", True),
    "appPasswordUsed": (f"{ROOT}.1.4", STRING, "caseExactMatch", None, False),
    "appPasswordMfaMethod": (f"{ROOT}.1.5", STRING, "caseExactMatch", None, False),
}
# Of an entry of a store.
ENTRY_ATTRIBUTES = {
    "appPasswordOwner": (f"{ROOT}.1.6", STRING, "caseIgnoreMatch", None, True),
    "appPasswordOrphanSince": (
        f"{ROOT}.1.7", TIME, "generalizedTimeMatch", "generalizedTimeOrderingMatch", True),
}

@pytest.fixture(scope="module", params=ACL)
def directory(request, workdir):
    """A slapd with the schema, in each of the two forms for OpenLDAP."""
    acl = ACL[request.param]
    server = Slapd(workdir / f"schema-{acl[0].name}", acl=acl, site_rules=OPEN_SITE)
    try:
        yield server.start()
    finally:
        server.stop()


def test_slapd_publishes_the_definitions_of_the_design(directory):
    """Read back from slapd."""
    connection = directory.connect("administrator")
    name = connection.search_subschemasubentry_s("")
    assert_definitions(ldap.schema.SubSchema(connection.read_subschemasubentry_s(name)))


def test_the_389_directory_server_form_has_the_same_definitions():
    """Read from the file, without a 389 Directory Server."""
    with open(LDAP_SCHEMA / "app-password-389ds.ldif", "rb") as file:
        reader = ldif.LDIFRecordList(file)
        reader.parse_entry_records()
    (dn, entry), = reader.all_records
    assert dn == "cn=schema"
    assert_definitions(ldap.schema.SubSchema(entry))


def assert_definitions(schema):
    for name, expected in (ATTRIBUTES | ENTRY_ATTRIBUTES).items():
        found = schema.get_obj(ldap.schema.AttributeType, name)
        assert (found.oid, found.syntax, found.equality, found.ordering,
                found.single_value) == expected
        assert (found.substr, found.usage, found.no_user_mod) == (None, 0, False)
    account = schema.get_obj(ldap.schema.ObjectClass, "appPasswordAccount")
    assert account.oid == f"{ROOT}.2.1"
    assert (account.kind, account.sup, account.must) == (2, ("top",), ())
    assert account.may == tuple(ATTRIBUTES)
    entry = schema.get_obj(ldap.schema.ObjectClass, "appPasswordEntry")
    assert entry.oid == f"{ROOT}.2.2"
    assert (entry.kind, entry.sup, entry.must) == (0, ("top",), ("appPasswordOwner",))
    assert entry.may == ("uid", "appPasswordOrphanSince")


def case(name, *values):
    return pytest.param(*values, id=name)


@pytest.mark.parametrize("attribute, values, error", [
    case("a word is not a Boolean", "appPasswordMfaEnabled", [b"yes"], ldap.INVALID_SYNTAX),
    case("a date is not a GeneralizedTime", "appPasswordMfaEnforceFrom", [b"20261201"],
         ldap.INVALID_SYNTAX),
    case("an app password is not empty", "appPassword", [b""], ldap.INVALID_SYNTAX),
    case("an app password is UTF-8", "appPassword", [b"id=\xff"], ldap.INVALID_SYNTAX),
    case("a last use is UTF-8", "appPasswordUsed", [b"id=\xff"], ldap.INVALID_SYNTAX),
    case("MFA is on or off, not both", "appPasswordMfaEnabled", [b"TRUE", b"FALSE"],
         ldap.CONSTRAINT_VIOLATION),
    case("MFA is enforced from one time on", "appPasswordMfaEnforceFrom",
         [b"20261201000000Z", b"20261202000000Z"], ldap.CONSTRAINT_VIOLATION),
    case("the same app password occurs once", "appPassword", [b"id=a", b"id=a"],
         ldap.TYPE_OR_VALUE_EXISTS),
])
def test_a_wrong_value_is_rejected(directory, attribute, values, error):
    with pytest.raises(error):
        write(directory, directory.new_person(mfa=True), attribute, values)


@pytest.mark.parametrize("attribute, values", [
    case("40 app passwords fit", "appPassword",
         [apppassword.make(hash="{ARGON2}-").value.encode() for _ in range(40)]),
    case("the case of letters counts", "appPassword", [b"label=a", b"label=A"]),
    case("a label may be in any script", "appPassword", ["label=Büro 事務所".encode()]),
    case("several last uses fit", "appPasswordUsed", [b"id=a", b"id=b"]),
    case("several second factors fit", "appPasswordMfaMethod", [b"a", b"b"]),
])
def test_values_as_designed_are_stored_as_they_are(directory, attribute, values):
    person = directory.new_person(mfa=True)
    write(directory, person, attribute, values)
    assert directory.values(person, attribute) == [value.decode() for value in values]


def test_an_entry_of_a_store_holds_app_passwords(directory):
    connection = directory.connect_as_itself()
    dn = f"appPasswordOwner=AB-12,ou=people,{BASE}"
    connection.add_s(dn, [
        ("objectClass", [b"appPasswordEntry", b"appPasswordAccount"]), ("uid", [b"alice"]),
        ("appPassword", [b"id=a"]), ("appPasswordOrphanSince", [b"20261201000000Z"])])
    try:
        found = connection.search_s(f"ou=people,{BASE}", ldap.SCOPE_ONELEVEL,
                                    "(appPasswordOwner=ab-12)", ["1.1"])
        assert [name for name, _ in found] == [dn], "in any case of letters"
        with pytest.raises(ldap.OBJECT_CLASS_VIOLATION):
            connection.modify_s(dn, [(ldap.MOD_ADD, "mail", [b"alice@example.org"])])
    finally:
        connection.delete_s(dn)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_without_the_class_an_entry_takes_no_attribute_of_it(directory, attribute):
    value = {BOOLEAN: b"TRUE", TIME: b"20261201000000Z", STRING: b"id=a"}[ATTRIBUTES[attribute][1]]
    with pytest.raises(ldap.OBJECT_CLASS_VIOLATION):
        write(directory, directory.new_person(), attribute, [value])


def write(directory, person, attribute, values):
    change = [(ldap.MOD_REPLACE, attribute, values)]
    directory.connect("administrator").modify_s(person.dn, change)
