# SPDX-License-Identifier: BSD-2-Clause
"""A private slapd with the schema and the access rules of ldap-schema/."""

import itertools
import os
import pathlib
import pwd
import re
import signal
import textwrap
from collections import namedtuple
from urllib.parse import quote

import ldap
import ldap.modlist
import ldif

import apppassword
from processes import free_port, is_stopped, run, signal_group, start, stop, wait_until

LDAP_SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "ldap-schema"
BASE = "dc=example,dc=org"
PEOPLE = 900  # users for new_person(), which adds more one by one

# The access rules in both forms, each with the general rules and those for ppolicy.
ACL = {
    "slapd.conf": (LDAP_SCHEMA / "acl-slapd.conf", LDAP_SCHEMA / "acl-ppolicy-slapd.conf"),
    "cn=config": (LDAP_SCHEMA / "acl-cnconfig.ldif", LDAP_SCHEMA / "acl-ppolicy-cnconfig.ldif"),
}

# The identities that bind. The administrator is in the group of the access rules. The site's own
# rules below give the user manager its rights.
IDENTITIES = {
    "mail server": f"cn=mail-server,ou=services,{BASE}",
    "portal": f"cn=portal,ou=services,{BASE}",
    "replicator": f"cn=replicator,ou=services,{BASE}",
    "administrator": f"cn=administrator,ou=services,{BASE}",
    "user manager": f"cn=user-manager,ou=services,{BASE}",
}
# The rootdn, exempt from all access rules.
ITSELF = f"cn=slapd itself,{BASE}"

PASSWORD_RULE = "access to attrs=userPassword by self =xw by anonymous auth by * none\n"

# The own rules of a site: one grants nothing, the other is generous.
CLOSED_SITE = PASSWORD_RULE + "access to * by * none\n"
OPEN_SITE = PASSWORD_RULE + f"""\
access to dn.exact="ou=people,{BASE}" attrs=children by users write
access to * by dn.exact="{IDENTITIES["user manager"]}" write by self write by * read
"""

PPOLICY = f"overlay ppolicy\nppolicy_default cn=policy,{BASE}\n"

Person = namedtuple("Person", "uid mail dn password")


def person(uid):
    """A user; the account password is derived from the name."""
    return Person(uid, f"{uid}@example.org", f"uid={uid},ou=people,{BASE}", f"Account.{uid}/1")


# Users in a state that only the directory itself can set.
DISABLED = person("disabled")            # permanently locked by an administrator
DISABLED_IN_ALL_SPELLINGS = {DISABLED: "000001010000Z"} | {
    person(f"disabled-{number}"): time for number, time in enumerate([
        "00000101000000Z", "0000010100Z", "000001010000+0000", "00000101000000.0Z"])}
MUST_CHANGE = person("must-change")      # the password was reset: ppolicy requires a new one
AGED = person("aged")                    # the password has expired
WITHOUT_PASSWORD = person("no-password")
TWINS = person("twin-one")._replace(mail="twins@example.org"), person("twin-two")
OUTSIDER = person("outsider")._replace(dn=f"uid=outsider,ou=elsewhere,{BASE}")  # has an alias
MEMBER, NON_MEMBER = person("member"), person("non-member")
GROUP = f"cn=mfa-users,ou=groups,{BASE}"


class Slapd:
    """slapd in its own folder, on an ldapi socket and on the loopback's ldap and ldaps ports.

    acl         the files with the access rules, loaded in this order; .ldif: in cn=config
                instead of slapd.conf
    ppolicy     true: load the overlay, which locks accounts and requires password changes;
                "silent": without ppolicy_use_lockout
    schema      true: load the app password schema
    site_rules  the site's own access rules, after ours
    first_rules access rules before ours, to hide something
    authority   certificates.Authority; None: no TLS
    chroot      a folder for a second ldapi socket; ldapi_in_chroot is its URI there
    lines       more lines for the global section
    database    more lines for the database
    statistics  true: log connections, binds and searches, for log_since()
    is_empty    true: start without entries, for a consumer
    environment variables for slapd
    """

    reader = "replicator"
    environment = None

    def __init__(self, folder, acl=ACL["slapd.conf"], ppolicy=True, schema=True,
                 site_rules=CLOSED_SITE, first_rules="", authority=None, chroot=None, lines="",
                 database="", statistics=True, is_empty=False, environment=None):
        self.folder = folder
        self.environment = environment and os.environ | environment
        self.acl = acl
        self.with_cn_config = any(file.suffix == ".ldif" for file in acl)
        self.ppolicy = ppolicy
        self.schema = schema
        self.log = folder / "slapd.log"
        self.process = None
        self.ldapi = f"ldapi://{quote(str(folder / 'ldapi'), safe='')}"
        self.ldap = f"ldap://127.0.0.1:{free_port()}"
        self.ldaps = f"ldaps://127.0.0.1:{free_port()}"
        self.ldapi_in_chroot = "ldapi://%2Fldapi"
        self.listeners = [self.ldapi, self.ldap]
        if authority:
            self.listeners.append(self.ldaps)
        if chroot:
            self.listeners.append(f"ldapi://{quote(str(chroot / 'ldapi'), safe='')}")
        self._fresh_names = self._make_names()
        self._debug = "stats" if statistics else "0"
        self._prepare(site_rules, first_rules, authority, lines, database)
        if not is_empty:
            self._load_users()
        if self.with_cn_config:
            self._turn_into_cn_config(folder / "slapd.conf")

    @property
    def settings(self):
        """Keys of app-password.conf that lead here."""
        return {"uri": self.ldapi}

    def start(self):
        """Start slapd and wait until it answers."""
        self.process = start(
            ["/usr/sbin/slapd", *self._config, "-h", " ".join(self.listeners),
             "-d", self._debug],
            self.log, self.environment)
        wait_until(self._answers, f"slapd, see {self.log}")
        return self

    def load(self, entries):
        """Add entries, each (DN, {attribute: values}), while slapd is not running."""
        file = self.folder / "entries.ldif"
        with open(file, "w") as output:
            writer = ldif.LDIFWriter(output)
            for dn, entry in entries:
                writer.unparse(dn, {name: [value.encode() for value in values]
                                    for name, values in entry.items()})
        run(["slapadd", "-q", *self._config, "-l", file])
        file.unlink()

    def stop(self):
        """End slapd; start() restarts it on the same addresses."""
        if self.process:
            stop(self.process)
        self.process = None

    def pause(self):
        """Make slapd accept connections without answering."""
        signal_group(self.process, signal.SIGSTOP)
        wait_until(lambda: is_stopped(self.process), "slapd to stop")

    def resume(self):
        """Resume a paused slapd."""
        signal_group(self.process, signal.SIGCONT)

    def connect(self, identity=None, password=None):
        """A connection bound as one of IDENTITIES or as a Person; anonymous by default."""
        connection = self._open()
        if isinstance(identity, Person):
            connection.simple_bind_s(identity.dn, password or identity.password)
        elif identity:
            connection.simple_bind_s(IDENTITIES[identity], secret(identity))
        return connection

    def connect_as_itself(self):
        """A connection bound as the rootdn."""
        connection = ldap.initialize(self.ldapi)
        connection.simple_bind_s(ITSELF, secret("slapd itself"))
        return connection

    def new_person(self, mfa=False, app_passwords=0):
        """A user no other test has touched; with app_passwords, (person, app password...)."""
        fresh = self._make_person(next(self._fresh_names))
        if mfa:
            self.set_mfa(fresh, True)
        if not app_passwords:
            return fresh
        return fresh, *(self.add_app_password(fresh) for _ in range(app_passwords))

    def set_mfa(self, who, enabled, enforce_from=None):
        """Turn MFA on or off, as an administrator."""
        self.administrate(who, appPasswordMfaEnabled="TRUE" if enabled else None,
                          appPasswordMfaEnforceFrom=enforce_from)

    def add_app_password(self, who, **fields):
        """Add an app password to a user (fields as for apppassword.make)."""
        added = apppassword.make(**fields)
        self._modify(who, [(ldap.MOD_ADD, "appPassword", [added.value.encode()])])
        return added

    def revoke(self, who, app_password):
        """Delete one app password."""
        self._modify(who, [(ldap.MOD_DELETE, "appPassword", [app_password.value.encode()])])

    def administrate(self, who, **attributes):
        """Set attributes as an administrator, to a value or a list; None deletes one."""
        self._modify(who, [
            (ldap.MOD_REPLACE, name, None if value is None else [
                one.encode() for one in ([value] if isinstance(value, str) else value)])
            for name, value in attributes.items()])

    def values(self, who, attribute):
        """The values of a user's attribute, read as the identity that reads all of ours."""
        (_, entry), = self.connect(self.reader).search_s(who.dn, ldap.SCOPE_BASE,
                                                         attrlist=[attribute])
        return [value.decode() for value in entry.get(attribute, [])]

    def app_passwords(self, who):
        """The values of appPassword without the tombstones of revoked ones."""
        return [value for value in self.values(who, "appPassword")
                if not re.match(r"id=\S+ created=\S+ revoked=", value)]

    def mark(self):
        """The log's current position, for log_since()."""
        return self.log.stat().st_size

    def log_since(self, mark):
        """The lines of the statistics log after a mark: connections, binds, searches."""
        with open(self.log, "rb") as log:
            log.seek(mark)
            return log.read().decode(errors="replace").splitlines()

    def binds_since(self, mark):
        """The DNs that bound since a mark, in order, on any connection."""
        return re.findall(r'BIND dn="(.+)" method=', "\n".join(self.log_since(mark)))

    def _open(self):
        """A new connection, still anonymous."""
        return ldap.initialize(self.ldapi)

    def _make_names(self):
        """Those of the users that were loaded, then of others: how many are needed depends on the files of tests that
        one process happens to run."""
        for number in itertools.count():
            uid = f"user{number:03}"
            if number >= PEOPLE:
                dn, entry = _user(person(uid))
                self.connect_as_itself().add_s(dn, ldap.modlist.addModlist({
                    name: [value.encode() for value in values] for name, values in entry.items()}))
            yield uid

    @staticmethod
    def _make_person(uid):
        return person(uid)

    def _modify(self, who, changes):
        add_class = (ldap.MOD_ADD, "objectClass", [b"appPasswordAccount"])
        administrator = self.connect("administrator")
        try:
            administrator.modify_s(who.dn, [add_class])
        except ldap.TYPE_OR_VALUE_EXISTS:
            pass
        administrator.modify_s(who.dn, changes)

    def _answers(self):
        assert self.process.poll() is None, f"slapd ended:\n{self.log.read_text()}"
        try:
            return self.connect().search_s("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            return None

    def _prepare(self, site_rules, first_rules, authority, lines, database):
        """Write the configuration."""
        (self.folder / "db").mkdir(parents=True)
        self.log.touch()
        include = not self.with_cn_config
        acl = "".join(f"include {file}\n" for file in self.acl) if include else ""
        schemas = [f"/etc/ldap/schema/{name}.schema"
                   for name in ("core", "cosine", "inetorgperson")]
        if self.schema and include:
            schemas.append(LDAP_SCHEMA / "app-password.schema")
        config = self.folder / "slapd.conf"
        config.write_text("".join(f"include {schema}\n" for schema in schemas) + f"""\
modulepath /usr/lib/ldap
moduleload back_mdb
{"moduleload ppolicy" if self.ppolicy else ""}
moduleload memberof
{_tls(authority)}
{_map_postfix_to_mail_server()}
{lines}
access to dn.base="" by * read
access to dn.base="cn=Subschema" by * read

database config
access to * by dn.exact="{peer(os.getgid(), os.getuid())}" manage

database mdb
suffix {BASE}
directory {self.folder}/db
rootdn "{ITSELF}"
rootpw "{secret("slapd itself")}"
dbnosync
{database}
index objectClass,uid,mail eq
{PPOLICY if self.ppolicy else ""}
{"ppolicy_use_lockout" if self.ppolicy is True else ""}
overlay memberof
{first_rules}
{acl}
{site_rules}
""")
        self._config = ["-f", config]

    def _load_users(self):
        self.load(_entries(self.ppolicy))

    def _turn_into_cn_config(self, config):
        """Convert, then load our schema and rules as an administrator does."""
        (self.folder / "slapd.d").mkdir()
        run(["slaptest", "-f", config, "-F", self.folder / "slapd.d"])
        self._config = ["-F", self.folder / "slapd.d"]
        external = ["-Q", "-Y", "EXTERNAL", "-H", self.ldapi, "-f"]
        self.start()
        run(["ldapadd", *external, LDAP_SCHEMA / "app-password.ldif"])
        for file in self.acl:
            run(["ldapmodify", *external, file])
        self.stop()


def schema_of_0_1(file):
    """The text of a file with the schema for OpenLDAP, without what only a store needs."""
    parts = re.split("^(?=attributetype|objectclass|olc)", (LDAP_SCHEMA / file).read_text(),
                     flags=re.MULTILINE)
    text = "".join(part for part in parts if not re.search(r"436\.(1\.[67]|2\.2)\n", part))
    assert "appPasswordAccount" in text and "appPasswordEntry" not in text
    return text


def help_desk_rights(start, section="The help desk"):
    """The blocks of that section of README.md that start so."""
    section = (LDAP_SCHEMA / "README.md").read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(?:^    .*\n)+", section, flags=re.MULTILINE)
    return [text for text in map(textwrap.dedent, blocks) if text.startswith(start)]


def secret(identity):
    """The password of one of IDENTITIES."""
    return f"Service.{identity}/1"


def _tls(authority):
    if not authority:
        return ""
    return (f"TLSCertificateFile {authority.certificate}\n"
            f"TLSCertificateKeyFile {authority.key}\nTLSCACertificateFile {authority.ca}\n")


def peer(gid, uid, plus="+"):
    """The DN of a local user who connects over ldapi with SASL EXTERNAL."""
    return f"gidNumber={gid}{plus}uidNumber={uid},cn=peercred,cn=external,cn=auth"


def _map_postfix_to_mail_server():
    """Map the user postfix, over ldapi with SASL EXTERNAL, to the mail server."""
    postfix = pwd.getpwnam("postfix")
    return (f'authz-regexp "{peer(postfix.pw_gid, postfix.pw_uid, "[+]")}"'
            f' "{IDENTITIES["mail server"]}"')


def example_identities():
    """The entries of ldap-schema/identities.ldif: {DN: {attribute: values}}."""
    with open(LDAP_SCHEMA / "identities.ldif", "rb") as file:
        reader = ldif.LDIFRecordList(file)
        reader.parse()
    return {dn: {name: [value.decode() for value in values] for name, values in entry.items()}
            for dn, entry in reader.all_records}


def _entries(ppolicy):
    yield BASE, {"objectClass": ["domain"], "dc": ["example"]}
    for unit in ("people", "elsewhere"):
        yield f"ou={unit},{BASE}", {"objectClass": ["organizationalUnit"], "ou": [unit]}
    example = example_identities()
    for identity, dn in IDENTITIES.items():
        entry = example.setdefault(dn, {
            "objectClass": ["applicationProcess", "simpleSecurityObject"],
            "cn": [dn.split(",")[0][3:]]})
        entry["userPassword"] = [secret(identity)]
    yield from example.items()
    yield GROUP, {"objectClass": ["groupOfNames"], "cn": ["mfa-users"], "member": [MEMBER.dn]}
    if ppolicy:
        yield from _entries_with_ppolicy()
    for number in range(PEOPLE):
        yield _user(person(f"user{number:03}"))
    dn, entry = _user(WITHOUT_PASSWORD)
    del entry["userPassword"]
    yield dn, entry
    for twin in TWINS:
        yield _user(twin, mail=["twins@example.org"])
    yield _user(MEMBER, memberOf=[GROUP])
    yield _user(NON_MEMBER)
    yield _user(OUTSIDER)
    yield f"cn=alias,ou=people,{BASE}", {
        "objectClass": ["alias", "extensibleObject"], "cn": ["alias"],
        "aliasedObjectName": [OUTSIDER.dn]}


def _entries_with_ppolicy():
    yield f"cn=policy,{BASE}", {
        "objectClass": ["applicationProcess", "pwdPolicy"], "cn": ["policy"],
        "pwdAttribute": ["userPassword"], "pwdLockout": ["TRUE"], "pwdMaxFailure": ["5"],
        "pwdMustChange": ["TRUE"]}
    for who, time in DISABLED_IN_ALL_SPELLINGS.items():
        yield _user(who, pwdAccountLockedTime=[time])
    yield _user(MUST_CHANGE, pwdReset=["TRUE"])
    yield f"cn=aging policy,{BASE}", {
        "objectClass": ["applicationProcess", "pwdPolicy"], "cn": ["aging policy"],
        "pwdAttribute": ["userPassword"], "pwdMaxAge": ["86400"]}
    yield _user(AGED, pwdPolicySubentry=[f"cn=aging policy,{BASE}"],
                pwdChangedTime=["20260101000000Z"])


def _user(who, **more):
    entry = {"objectClass": ["inetOrgPerson"], "uid": [who.uid], "cn": [who.uid],
             "sn": [who.uid], "mail": [who.mail], "userPassword": [who.password]}
    return who.dn, entry | more
