# SPDX-License-Identifier: BSD-2-Clause
"""A private Samba Active Directory domain controller with the schema and rights of ldap-schema/."""

import os
import re
import shutil

import ldap
import ldap.modlist

import debian
from certificates import Authority
from processes import free_address, run, start, wait_until
from slapd import BASE, IDENTITIES, LDAP_SCHEMA, Person, Slapd, secret

FILES = LDAP_SCHEMA / "active-directory"
ADMINISTRATOR, PASSWORD = "administrator@example.org", "Domain.Administrator/1"
ENABLED, DISABLED = "66048", "66050"  # userAccountControl; the password never expires
BYPASS_LAST_SET = "1.3.6.1.4.1.7165.4.3.20"  # a control of Samba's
FOLDERS = ("private", "state", "cache", "lock", "run", "ncalrpc", "bind-dns")
# Samba has these ports, whatever is configured.
PORTS = LDAP, LDAPS, GLOBAL_CATALOG, GLOBAL_CATALOG_TLS = 389, 636, 3268, 3269
KDC_PORTS = KERBEROS, KPASSWD = 88, 464


def person(uid):
    """A user; the account password is derived from the name."""
    return Person(uid, f"{uid}@example.org", f"cn={uid},ou=people,{BASE}", f"Account.{uid}/1")


def principal(who):
    """The userPrincipalName of a user, which is not the mail address."""
    return f"{who.uid}@corp.example.org"


def encode_password(password):
    """As unicodePwd takes it."""
    return f'"{password}"'.encode("utf-16-le")


class DomainController(Slapd):
    """The interface of Slapd for Samba; users are made when a test asks for them.

    It has a loopback address of its own, and answers there at the usual ports.

    rights  false: do not set our rights
    files   the folder with schema, identities and rights
    kdc     true: it also issues Kerberos tickets
    """

    reader = "administrator"

    def __init__(self, folder, rights=True, files=FILES, kdc=False):
        self.files = files
        self.folder, self.log = folder, folder / "samba.log"
        self.process = None
        self.address = free_address(*PORTS, *(KDC_PORTS if kdc else ()))
        self._services = "ldap, kdc" if kdc else "ldap"
        self.ldap, self.ldaps = f"ldap://{self.address}", f"ldaps://{self.address}"
        self.config = folder / "smb.conf"
        self.database = folder / "private" / "sam.ldb"
        self._fresh_names = (f"user{number:03}" for number in range(1000))
        self._rights = rights
        self._is_loaded = False
        unpack(folder)
        self.authority = Authority(folder / "ca", names=f"IP:{self.address}")
        self._configure()
        self._keep_the_administrators_password()

    def start(self):
        self.process = start(["/usr/sbin/samba", "-F", "-M", "single", "--no-process-group",
                              "--debug-stdout", "-s", str(self.config)], self.log)
        wait_until(self._answers, f"samba, see {self.log}", timeout=300)
        if not self._is_loaded:
            self._load()
        return self

    @property
    def settings(self):
        return {"directory": "active-directory", "uri": self.ldaps, "base": BASE,
                "tls_cacert": self.authority.ca, "login_attribute": None,
                "mfa_off_filter": "(appPasswordMfaEnabled=FALSE)"}

    def manager(self):
        """A connection as the domain's administrator."""
        connection = self._open()
        connection.simple_bind_s(ADMINISTRATOR, PASSWORD)
        return connection

    connect_as_itself = manager

    def set(self, who, **attributes):
        """Set attributes of a user or a DN as the domain's administrator; None deletes one."""
        self.manager().modify_s(getattr(who, "dn", who), [
            (ldap.MOD_REPLACE, name, None if value is None else [value.encode()])
            for name, value in attributes.items()])

    def add_user(self, who, **attributes):
        """Add a user with an account password."""
        name = who.dn.split(",")[0][3:].replace("\\", "")
        self._add(who.dn, {
            "objectClass": ["user"], "sAMAccountName": [who.uid], "displayName": [name],
            "userPrincipalName": [principal(who)], "mail": [who.mail],
            "unicodePwd": [encode_password(who.password)], "userAccountControl": [ENABLED],
        } | attributes)
        return who

    def set_mfa(self, who, enabled, enforce_from=None):
        """Off has a value, too. The time may lack the fraction that Active Directory requires."""
        self.administrate(
            who, appPasswordMfaEnabled="TRUE" if enabled else "FALSE",
            appPasswordMfaEnforceFrom=enforce_from and re.sub(r"(\.0)?Z$", ".0Z", enforce_from))

    def add_group(self, name, *members):
        """Add a group with these DNs; returns its own."""
        dn = f"cn={name},ou=groups,{BASE}"
        self._add(dn, {"objectClass": ["group"], "sAMAccountName": [name]}
                  | ({"member": members} if members else {}))
        return dn

    def add_unit(self, name):
        """Add an organizational unit below the domain; returns its DN."""
        dn = f"ou={name},{BASE}"
        self._add(dn, {"objectClass": ["organizationalUnit"]})
        return dn

    def set_rights(self, *arguments):
        """As an administrator on the domain controller does, by default for the whole domain."""
        return run(["sh", "set-rights.sh", *(arguments or [BASE]), *self.local], cwd=self.files)

    def rights_of(self, dn):
        """The access control list of an entry as SDDL."""
        output = run(["ldbsearch", *self.local, "--controls=sd_flags:1:4", "-s", "base", "-b", dn,
                      "nTSecurityDescriptor"])
        return re.search(r"^nTSecurityDescriptor: (.*)$", output.replace("\n ", ""), re.M)[1]

    def set_rights_of(self, dn, sddl):
        run(["ldbmodify", *self.local, "--controls=sd_flags:1:4"], input=(
            f"dn: {dn}\nchangetype: modify\nreplace: nTSecurityDescriptor\n"
            f"nTSecurityDescriptor: {sddl}\n"))

    def protect(self, who):
        """What a Windows server does to members of groups like Domain Admins, and Samba does not."""
        self._set_only(who.dn, self._own_rights_of(f"cn=AdminSDHolder,cn=System,{BASE}"))
        self.set(who, adminCount="1")

    def date_password(self, who, when):
        """Set the time at which the password was changed, a FILETIME."""
        run(["ldbmodify", *self.local, f"--controls=local_oid:{BYPASS_LAST_SET}:0"], input=(
            f"dn: {who.dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: {when}\n"))

    def block_inheritance(self, dn):
        """Make an entry inherit no rights; it keeps its own."""
        self._set_only(dn, self._own_rights_of(dn))

    def hide(self, who, attribute, identity="mail server"):
        """Let an identity neither read an attribute of one entry nor search for it."""
        output = run(["ldbsearch", *self.local, "-b", f"CN=Schema,CN=Configuration,{BASE}",
                      f"(lDAPDisplayName={attribute})", "schemaIDGUID"])
        guid = re.search(r"^schemaIDGUID: (.*)$", output, re.M)[1]
        denial = f"(OD;;RPCR;{guid};;{self.sid_of(IDENTITIES[identity])})"
        self.set_rights_of(who.dn, self.rights_of(who.dn).replace("(", f"{denial}(", 1))

    def grant(self, *aces):
        """Put access control entries behind those of the domain's root."""
        self.set_rights_of(BASE, self.rights_of(BASE) + "".join(aces))

    def sid_of(self, dn):
        """The security identifier of an entry."""
        output = run(["ldbsearch", *self.local, "-s", "base", "-b", dn, "objectSid"])
        return re.search(r"^objectSid: (.*)$", output, re.M)[1]

    @property
    def local(self):
        """Options for Samba's own tools."""
        return ["-H", str(self.database), f"--configfile={self.config}"]

    def _own_rights_of(self, dn):
        return "".join(ace for ace in re.findall(r"\(.*?\)", self.rights_of(dn))
                       if "ID" not in ace.split(";")[1])

    def _set_only(self, dn, aces):
        self.set_rights_of(dn, f"D:P{aces}")

    def _open(self):
        connection = ldap.initialize(self.ldaps)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.authority.ca))
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        return connection

    def _answers(self):
        assert self.process.poll() is None, f"samba ended:\n{self.log.read_text()}"
        try:
            return self.manager()
        except (ldap.SERVER_DOWN, ldap.UNAVAILABLE):
            return None

    def _make_person(self, uid):
        return self.add_user(person(uid))

    def _modify(self, who, changes):
        """Every user has the class."""
        self.connect("administrator").modify_s(who.dn, changes)

    def _add(self, dn, entry):
        self.manager().add_s(dn, ldap.modlist.addModlist({
            name: [value if isinstance(value, bytes) else value.encode() for value in values]
            for name, values in entry.items()}))

    def _configure(self):
        for name in FOLDERS:
            (self.folder / name).mkdir(exist_ok=True)
        self.config.write_text(f"""\
[global]
netbios name = DC1
realm = EXAMPLE.ORG
workgroup = EXAMPLE
server role = active directory domain controller
server services = {self._services}
dsdb:schema update allowed = yes
# Not /32: Samba would take the address for that of a network.
interfaces = {self.address}/8
bind interfaces only = yes
tls certfile = {self.authority.certificate}
tls keyfile = {self.authority.key}
tls cafile = {self.authority.ca}
private dir = {self.folder}/private
state directory = {self.folder}/state
cache directory = {self.folder}/cache
lock directory = {self.folder}/lock
pid directory = {self.folder}/run
ncalrpc dir = {self.folder}/ncalrpc
binddns dir = {self.folder}/bind-dns
""")

    def _keep_the_administrators_password(self):
        """Else it expires 42 days after the domain was provisioned."""
        run(["ldbmodify", *self.local], input=(
            f"dn: CN=Administrator,CN=Users,{BASE}\nchangetype: modify\n"
            f"replace: userAccountControl\nuserAccountControl: {ENABLED}\n"))

    def _load(self):
        self.ldapmodify(self.files / "schema.ldif")
        self.ldapmodify(self.files / "identities.ldif")
        for identity, dn in IDENTITIES.items():
            if identity == "replicator":
                continue
            if identity == "user manager":
                self._add(dn, {"objectClass": ["user"], "sAMAccountName": ["user-manager"]})
            self.manager().modify_s(dn, [
                (ldap.MOD_REPLACE, "unicodePwd", [encode_password(secret(identity))]),
                (ldap.MOD_REPLACE, "userAccountControl", [ENABLED.encode()])])
        self.add_unit("people")
        if self._rights:
            self.set_rights()
        self._is_loaded = True

    def ldapmodify(self, file):
        """Load a file as the domain's administrator."""
        run(["ldapmodify", "-x", "-H", self.ldaps, "-D", ADMINISTRATOR, "-w", PASSWORD, "-f", file],
            env=os.environ | {"LDAPTLS_CACERT": str(self.authority.ca)})


def unpack(folder):
    """Unpack a fresh domain, which is provisioned once for each version of Samba and kept."""
    version = run(["dpkg-query", "-W", "-f", "${Version}", "samba"]).replace(":", ".")
    kept = debian.CACHE / f"samba-{version}.tar.gz"
    with debian.locked("samba"):
        if not kept.exists():
            provision(folder / "provisioned", kept)
    folder.mkdir(exist_ok=True)
    run(["tar", "-xf", kept, "-C", folder])


def provision(folder, kept):
    folder.mkdir(parents=True)
    run(["samba-tool", "domain", "provision", f"--targetdir={folder}", "--realm=EXAMPLE.ORG",
         "--domain=EXAMPLE", "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1",
         "--host-ip=127.0.0.1", f"--adminpass={PASSWORD}"])
    part = kept.with_suffix(".part")
    run(["tar", "-czf", part, "-C", folder, "private", "state"])
    part.rename(kept)
    shutil.rmtree(folder)
