# SPDX-License-Identifier: BSD-2-Clause
"""A private 389 Directory Server of FreeIPA's shape: its tree, its schema and its access rules, as
far as logins see them, with the same compatibility tree (slapi-nis). FreeIPA's own plugins, which
check one-time passwords, count failures and expire passwords at a bind, are not there."""

import pathlib
import uuid

import ldap
import ldap.modlist
import ldap.schema
import pytest

from conftest import new_folder
from ds389 import MANAGER, MANAGER_PASSWORD, DirectoryServer
from processes import run
from slapd import BASE, LDAP_SCHEMA, Person, secret

SCHEMA = pathlib.Path(__file__).with_name("freeipa.ldif")
USERS, GROUPS = f"cn=users,cn=accounts,{BASE}", f"cn=groups,cn=accounts,{BASE}"
PRESERVED = f"cn=deleted users,cn=accounts,cn=provisioning,{BASE}"
SYSTEM = f"cn=sysaccounts,cn=etc,{BASE}"
WITNESS = f"uid=mfa-witness,{SYSTEM}"
MODIFY_USERS = f"cn=System: Modify Users,cn=permissions,cn=pbac,{BASE}"

# "admin" is in FreeIPA's admins, "user administrator" may modify users and groups; neither manages
# app passwords.
IDENTITIES = {
    "mail server": f"uid=mail-server,{SYSTEM}",
    "portal": f"uid=mail-portal,{SYSTEM}",
    "administrator": f"uid=mail-administrator,{SYSTEM}",
    "admin": f"uid=admin,{USERS}",
    "user administrator": f"uid=helpdesk,{USERS}",
}

READ, SELF, ALL, ANYONE = "read, search, compare", *(
    f'userdn = "ldap:///{who}"' for who in ("self", "all", "anyone"))


def allow(name, rights, who, attributes, *conditions):
    """A value of aci."""
    return (f'(targetattr {attributes}){"".join(conditions)}(version 3.0; acl "{name}"; '
            f"allow ({rights}) {who};)")


# Who may do what in FreeIPA before our rules.
ADMINS, USER_ADMINISTRATORS = (f'groupdn = "ldap:///{dn}"'
                               for dn in (f"cn=admins,{GROUPS}", MODIFY_USERS))
IS_USER = '(targetfilter = "(objectClass=posixAccount)")'
IS_NO_ADMIN = f'(targetfilter = "(&(objectClass=posixAccount)(!(memberOf=cn=admins,{GROUPS})))")'
IS_OTHER_GROUP = '(targetfilter = "(&(objectClass=ipaUserGroup)(!(cn=admins)))")'
READABLE = ["ipaUniqueID || ipaUserAuthType", "mail || employeeType || departmentNumber",
            "krbPrincipalName || krbPrincipalExpiration || krbPasswordExpiration || nsAccountLock",
            "memberOf"]
RULES = {
    BASE: [
        allow("own password", "write", SELF, '= "userPassword"'),
        allow("self-service", "write", SELF,
              '= "givenName || sn || cn || title || description || employeeType || ou"'),
        allow("own passkeys", "write", SELF, '= "ipaPasskey"',
              '(targattrfilters = "add=objectClass:(objectClass=ipaPasskeyUser)")'),
        allow("admins", "all", ADMINS,
              '!= "userPassword || krbPrincipalName || ipaUniqueID || memberOf"'),
        *(allow(dn, READ, ANYONE, '= "objectClass || uid || cn"',
                f'(target = "ldap:///{dn},{BASE}")')
          for dn in ("cn=users,cn=compat", "cn=older compat"))],
    f"cn=accounts,{BASE}": [
        allow("whether there is a password", "search", ALL, '= "userPassword"')],
    USERS: [
        allow("anyone", READ, ANYONE, '= "objectClass || uid || cn || sn"', IS_USER),
        *(allow(f"users: {names[:8]}", READ, ALL, f'= "{names}"', IS_USER) for names in READABLE),
        allow("user administrators", "write", USER_ADMINISTRATORS,
              '= "cn || sn || mail || employeeType || objectClass"', IS_NO_ADMIN)],
    GROUPS: [
        allow("group administrators", "write, delete", USER_ADMINISTRATORS, '= "cn || member"',
              IS_OTHER_GROUP)],
}

PLUGIN = "cn=Schema Compatibility,cn=plugins,cn=config"
COMPAT = {
    PLUGIN: {
        "objectClass": ["top", "nsSlapdPlugin", "extensibleObject"],
        "cn": ["Schema Compatibility"], "nsslapd-pluginPath": ["schemacompat-plugin"],
        "nsslapd-pluginInitfunc": ["schema_compat_plugin_init"], "nsslapd-pluginType": ["object"],
        "nsslapd-pluginEnabled": ["on"], "nsslapd-pluginId": ["schema-compat-plugin"],
        "nsslapd-pluginVersion": ["0.8"], "nsslapd-pluginVendor": ["redhat.com"],
        "nsslapd-pluginDescription": ["Schema Compatibility Plugin"],
        "nsslapd-pluginbetxn": ["on"], "nsslapd-pluginprecedence": ["40"]},
    f"cn=users,{PLUGIN}": {
        "objectClass": ["top", "extensibleObject"], "cn": ["users"],
        "schema-compat-container-group": [f"cn=compat,{BASE}"],
        "schema-compat-container-rdn": ["cn=users"], "schema-compat-search-base": [USERS],
        "schema-compat-search-filter": ["objectclass=posixAccount"],
        "schema-compat-entry-rdn": ['uid=%first("%{uid}")'],
        "schema-compat-entry-attribute": ["objectclass=posixAccount", "uid=%{uid}", "cn=%{cn}",
                                          "uidNumber=%{uidNumber}", "gidNumber=%{gidNumber}"]},
}


class FreeIPA(DirectoryServer):
    """Loads schema, identities and rules as ldap-schema/README.md says.

    schema  false: leave out the app password schema, and everything after it
    """

    def __init__(self, folder, schema=True):
        super().__init__(folder, aci=False)
        self._fresh_names = (f"user{number:03}" for number in range(1000))
        self._with_schema = schema

    def connect(self, identity=None, password=None):
        """A connection bound as one of IDENTITIES or as a Person; anonymous by default."""
        connection = ldap.initialize(self.ldap)
        if isinstance(identity, Person):
            connection.simple_bind_s(identity.dn, password or identity.password)
        elif identity:
            connection.simple_bind_s(IDENTITIES[identity], secret(identity))
        return connection

    def values(self, who, attribute):
        (_, entry), = self.manager().search_s(who.dn, ldap.SCOPE_BASE, attrlist=[attribute])
        return [value.decode() for value in entry.get(attribute, [])]

    def new_user(self, *types, below=USERS, **more):
        """A user as "ipa user-add" makes it; `types` are values of ipaUserAuthType."""
        uid = next(self._fresh_names)
        who = Person(uid, f"{uid}@example.org", f"uid={uid},{below}", f"Account.{uid}/1")
        self.add(who.dn, user(uid, types, userPassword=[who.password], **more))
        return who

    def add(self, dn, entry):
        self.manager().add_s(dn, ldap.modlist.addModlist(
            {name: [value.encode() for value in values] for name, values in entry.items()}))

    def set(self, dn, **attributes):
        """Replace attributes of an entry by a value or a list; None deletes one."""
        self.manager().modify_s(dn, [
            (ldap.MOD_REPLACE, name, None if value is None else [
                one.encode() for one in ([value] if isinstance(value, str) else value)])
            for name, value in attributes.items()])

    def _write_files(self):
        super()._write_files()
        schema = self.folder / "etc" / "schema"
        (schema / "99app-password.ldif").unlink()
        (schema / "60freeipa.ldif").write_text(SCHEMA.read_text())
        run(["chown", "-R", "dirsrv:dirsrv", schema])

    def _load(self):
        super()._load()
        for dn, rules in RULES.items():
            self.set(dn, aci=rules)
        self._turn_plugins_on()
        if self._with_schema:
            self._load_schema()
            self._load_file("ldapadd", self._adapted_identities())
            self._load_file("ldapmodify", LDAP_SCHEMA / "aci-freeipa.ldif")

    def _turn_plugins_on(self):
        """Takes a restart."""
        manager = self.manager()
        manager.modify_s("cn=MemberOf Plugin,cn=plugins,cn=config",
                         [(ldap.MOD_REPLACE, "nsslapd-pluginEnabled", [b"on"])])
        for dn, entry in COMPAT.items():
            self.add(dn, entry)
        self.stop()
        self.start()

    def _load_schema(self):
        """As ipa-server-upgrade loads the files of schema.d, which it parses with python-ldap."""
        _, schema = ldap.schema.subentry.urlfetch(f"file://{LDAP_SCHEMA}/app-password-389ds.ldif")
        for name, kind in (("attributeTypes", ldap.schema.models.AttributeType),
                           ("objectClasses", ldap.schema.models.ObjectClass)):
            self.manager().modify_s("cn=schema", [
                (ldap.MOD_ADD, name, [str(schema.get_obj(kind, oid)).encode()
                                      for oid in schema.listall(kind)])])

    def _adapted_identities(self):
        """A copy of the file, with the passwords of the tests."""
        for identity, dn in IDENTITIES.items():
            name = dn.split(",")[0].removeprefix("uid=")
            (self.folder / f"{name}.secret").write_text(secret(identity))
        file = self.folder / "identities-freeipa.ldif"
        file.write_text((LDAP_SCHEMA / file.name).read_text().replace(
            "file:///root/", f"file://{self.folder}/"))
        return file

    def _load_file(self, program, file):
        run([program, "-x", "-H", self.ldapi, "-D", MANAGER, "-w", MANAGER_PASSWORD, "-f", file])

    @staticmethod
    def _entries():
        yield BASE, {"objectClass": ["domain"], "dc": ["example"]}
        for dn in ("cn=accounts", "cn=users,cn=accounts", "cn=groups,cn=accounts", "cn=etc",
                   "cn=sysaccounts,cn=etc", "cn=older compat", "cn=provisioning",
                   "cn=accounts,cn=provisioning",
                   "cn=deleted users,cn=accounts,cn=provisioning", "cn=pbac",
                   "cn=permissions,cn=pbac"):
            yield f"{dn},{BASE}", {"objectClass": ["nsContainer"],
                                   "cn": [dn.split(",")[0].removeprefix("cn=")]}
        for identity in ("admin", "user administrator"):
            dn = IDENTITIES[identity]
            yield dn, user(dn.split(",")[0].removeprefix("uid="), userPassword=secret(identity))
        yield MODIFY_USERS, {"objectClass": ["groupOfNames"], "cn": ["System: Modify Users"],
                             "member": [IDENTITIES["user administrator"]]}
        yield f"cn=admins,{GROUPS}", group("admins", IDENTITIES["admin"])
        yield f"cn=mail-administrators,{GROUPS}", group("mail-administrators")


@pytest.fixture(scope="module")
def freeipa(workdir):
    """For the modules that import it."""
    server = FreeIPA(new_folder(workdir, "freeipa") / "server").start()
    yield server
    server.stop()


def user(uid, types=(), **more):
    """The attributes of a user."""
    classes = ["top", "person", "organizationalPerson", "inetOrgPerson", "inetUser", "posixAccount",
               "krbPrincipalAux", "ipaObject", *(["ipaUserAuthTypeClass"] if types else [])]
    return {"objectClass": classes, "uid": [uid], "cn": [uid], "sn": [uid],
            "mail": [f"{uid}@example.org"], "uidNumber": ["1234567"], "gidNumber": ["1234567"],
            "homeDirectory": [f"/home/{uid}"], "krbPrincipalName": [f"{uid}@EXAMPLE.ORG"],
            "ipaUniqueID": [str(uuid.uuid1())], "ipaUserAuthType": list(types)} | {
                name: [value] if isinstance(value, str) else value for name, value in more.items()}


def group(cn, *members):
    """The attributes of a group without POSIX attributes."""
    return {"objectClass": ["top", "groupOfNames", "nestedGroup", "ipaUserGroup", "ipaObject"],
            "cn": [cn], "ipaUniqueID": [str(uuid.uuid1())], "member": list(members)}
