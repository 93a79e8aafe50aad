# SPDX-License-Identifier: BSD-2-Clause
"""A private 389 Directory Server with the schema and the access rules of ldap-schema/."""

import base64
import hashlib
import os
import pathlib
import re
import shutil
from urllib.parse import quote

import ldap
import ldap.modlist

from processes import free_port, run, start, stop, wait_until
from slapd import BASE, IDENTITIES, LDAP_SCHEMA, Slapd, example_identities, person, secret

TEMPLATE = pathlib.Path("/usr/share/dirsrv/data/template-dse.ldif")
MANAGER, MANAGER_PASSWORD = "cn=Directory Manager", "Directory.Manager/1"
FOLDERS = ("etc", "etc/schema", "bak", "db", "inst", "ldif", "lock", "log", "run", "tmp")


class DirectoryServer(Slapd):
    """The interface of Slapd, for ns-slapd; with users user000 to user099.

    aci  true: load our access rules
    """

    def __init__(self, folder, aci=True):
        self.folder, self.log = folder, folder / "ns-slapd.out"
        self.process, self.port = None, free_port()
        self.ldap = f"ldap://127.0.0.1:{self.port}"
        self.ldapi = f"ldapi://{quote(str(folder / 'run' / 'ldapi'), safe='')}"
        self._fresh_names = (f"user{number:03}" for number in range(100))
        self._aci = aci
        self._is_loaded = False
        self._write_files()

    def start(self):
        self.process = start(["/usr/sbin/ns-slapd", "-D", str(self.folder / "etc"), "-i",
                              str(self.folder / "run" / "pid"), "-d", "0"], self.log)
        wait_until(self._answers, f"ns-slapd, see {self.log}", timeout=300)
        if not self._is_loaded:
            self._load()
        return self

    def stop(self):
        if self.process:
            stop(self.process)
        self.process = None

    def manager(self):
        """A connection as Directory Manager."""
        connection = ldap.initialize(self.ldap)
        connection.simple_bind_s(MANAGER, MANAGER_PASSWORD)
        return connection

    def add_database(self, name, suffix):
        """Add an empty database."""
        self.manager().add_s(
            f"cn={name},cn=ldbm database,cn=plugins,cn=config", ldap.modlist.addModlist({
                "objectClass": [b"nsBackendInstance", b"extensibleObject"], "cn": [name.encode()],
                "nsslapd-suffix": [suffix.encode()]}))
        self.manager().add_s(f'cn="{suffix}",cn=mapping tree,cn=config', ldap.modlist.addModlist({
            "objectClass": [b"nsMappingTree", b"extensibleObject"], "cn": [suffix.encode()],
            "nsslapd-state": [b"backend"], "nsslapd-backend": [name.encode()]}))

    def _answers(self):
        assert self.process.poll() is None, f"ns-slapd ended:\n{self.log.read_text()}"
        try:
            return self.manager()
        except (ldap.SERVER_DOWN, ldap.UNAVAILABLE):
            return None

    def _write_files(self):
        for part in FOLDERS:
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        salt = os.urandom(8)
        digest = hashlib.sha512(MANAGER_PASSWORD.encode() + salt).digest()
        values = {f"{name}_dir": self.folder / name for name in
                  ("bak", "db", "inst", "ldif", "lock", "log", "run", "tmp")}
        values |= {
            "cert_dir": self.folder / "etc", "config_dir": self.folder / "etc",
            "schema_dir": self.folder / "etc" / "schema", "db_home_dir": self.folder / "db",
            "db_lib": "bdb", "ds_port": self.port, "ds_suffix": BASE, "ds_user": "dirsrv",
            "ds_passwd": "{SSHA512}" + base64.b64encode(digest + salt).decode(),
            "fqdn": "localhost", "ldapi": self.folder / "run" / "ldapi", "ldapi_enabled": "on",
            "ldapi_autobind": "off", "rootdn": MANAGER}
        text = re.sub(r"%(\w+)%", lambda name: str(values[name[1]]), TEMPLATE.read_text())
        (self.folder / "etc" / "dse.ldif").write_text(text)
        for name in ("slapd-collations.conf", "certmap.conf"):
            shutil.copy(f"/etc/dirsrv/config/{name}", self.folder / "etc")
        shutil.copy(LDAP_SCHEMA / "app-password-389ds.ldif",
                    self.folder / "etc" / "schema" / "99app-password.ldif")
        run(["chown", "-R", "dirsrv:dirsrv", self.folder])

    def _load(self):
        manager = self.manager()
        self.add_database("userroot", BASE)
        for dn, entry in self._entries():
            manager.add_s(dn, ldap.modlist.addModlist(
                {name: [value.encode() for value in values] for name, values in entry.items()}))
        if self._aci:
            run(["ldapmodify", "-x", "-H", self.ldap, "-D", MANAGER, "-w", MANAGER_PASSWORD, "-f",
                 LDAP_SCHEMA / "aci-389ds.ldif"])
        self._is_loaded = True

    @staticmethod
    def _entries():
        yield BASE, {"objectClass": ["domain"], "dc": ["example"]}
        yield f"ou=people,{BASE}", {"objectClass": ["organizationalUnit"], "ou": ["people"]}
        example = example_identities()
        for identity, dn in IDENTITIES.items():
            entry = example.setdefault(dn, {
                "objectClass": ["applicationProcess", "simpleSecurityObject"],
                "cn": [dn.split(",")[0][3:]]})
            entry["userPassword"] = [secret(identity)]
        yield from example.items()
        for number in range(100):
            who = person(f"user{number:03}")
            yield who.dn, {"objectClass": ["inetOrgPerson"], "uid": [who.uid], "cn": [who.uid],
                           "sn": [who.uid], "mail": [who.mail], "userPassword": [who.password]}


# A value of each attribute's syntax that no test's user has.
PROBES = {"appPasswordMfaEnabled": b"FALSE", "appPasswordMfaEnforceFrom": b"19000101000000Z",
          "ipaUserAuthType": b"pkinit"}


def may_delete(connection, dn, name):
    """Whether it has that right, by deleting a value that is not there."""
    try:
        connection.modify_s(dn, [(ldap.MOD_DELETE, name,
                                  [PROBES.get(name, b"id=zzzz at=19000101000000Z")])])
    except ldap.NO_SUCH_ATTRIBUTE:
        return True
    except ldap.INSUFFICIENT_ACCESS:
        return False
    raise AssertionError(f"the probe of {name} changed something")
