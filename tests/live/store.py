# SPDX-License-Identifier: BSD-2-Clause
"""A private store: the slapd that `app-password store init` writes."""

import re
import shlex

import ldap
import ldap.modlist

from administration import COMMAND
from processes import free_port, run, wait_until
from slapd import Slapd

SUFFIX = "o=app-passwords"
# The names of slapd.IDENTITIES that a store knows, and the folder's names for them.
NAMES = {"mail server": "mail-server", "portal": "portal", "administrator": "administrator",
         "replicator": "replicator"}


class Store(Slapd):
    """A store in its own folder, on an ldapi socket.

    base       the suffix
    init       a folder that store_init() has written; None: call it
    number     which of the servers in it this is; None: it has no peers
    authority  certificates.Authority of the other listeners; None: they have no TLS
    is_empty   true: start without entries, because the other server has them
    id_attribute  that of app-password.conf, for the witness
    debug      what slapd writes to the log
    """

    def __init__(self, folder, base=SUFFIX, init=None, number=None, authority=None, is_empty=False,
                 debug="stats", id_attribute="entryUUID"):
        self.folder = folder
        self.init = init or store_init(folder / "init", "--base", base, "--id-attribute", id_attribute,
                                       "--listen", f"ldap://127.0.0.1:{free_port()}")
        self.base = base
        self.entries = f"ou=entries,{base}"
        self.witness = f"cn=mfa-witness,ou=services,{base}"
        self.identities = {name: f"cn={rdn},ou=services,{base}" for name, rdn in NAMES.items()}
        self.log = folder / "slapd.log"
        self.process = None
        self._debug = debug
        self._is_loaded = is_empty
        self._prepare_files(number, authority)

    @property
    def settings(self):
        """Keys of app-password.conf that lead here."""
        return {"store_uri": self.ldapi, "store_base": self.entries,
                "store_binddn": self.identities["mail server"],
                "store_bindpw_file": str(self.secret_file("mail server"))}

    def start(self):
        super().start()
        if not self._is_loaded:
            self.load_entries()
            self._load_file("mfa-witness.ldif")
        self._is_loaded = True
        return self

    def load_entries(self):
        """Load what a new store contains."""
        self._load_file("entries.ldif")

    def _load_file(self, name):
        run(["ldapadd", "-x", "-H", self.ldapi, "-D", f"cn=root,{self.base}",
             "-y", self.init / "store-root.secret", "-f", self.init / name])

    def secret_file(self, identity):
        """The file with the password of one of the identities."""
        return self.init / f"store-{NAMES[identity]}.secret"

    def connect(self, identity=None, password=None):
        """A connection bound as one of the identities; anonymous by default."""
        connection = self._open()
        if identity:
            connection.simple_bind_s(self.identities[identity],
                                     password or self.secret_file(identity).read_text())
        return connection

    def connect_as_itself(self):
        """A connection bound as the rootdn."""
        connection = self._open()
        connection.simple_bind_s(f"cn=root,{self.base}",
                                 (self.init / "store-root.secret").read_text())
        return connection

    def dn(self, owner):
        """The DN of the entry of the user with this id."""
        return f"appPasswordOwner={owner},{self.entries}"

    def add_entry(self, owner, identity="administrator", **attributes):
        """Add an entry; attributes have a value or a list. Returns its DN."""
        attributes = {"objectClass": ["appPasswordEntry", "appPasswordAccount"],
                      "appPasswordOwner": owner, "appPasswordMfaEnabled": "TRUE"} | attributes
        self.connect(identity).add_s(self.dn(owner), ldap.modlist.addModlist({
            name: [one.encode() for one in ([value] if isinstance(value, str) else value)]
            for name, value in attributes.items()}))
        return self.dn(owner)

    def owners(self):
        """The ids of all entries."""
        found = self.connect("replicator").search_s(self.entries, ldap.SCOPE_ONELEVEL,
                                                    attrlist=["appPasswordOwner"])
        return sorted(entry["appPasswordOwner"][0].decode() for _, entry in found)

    def values(self, who, attribute):
        """The values of an attribute of the entry with this id, in order."""
        (_, entry), = self.connect("replicator").search_s(self.dn(who), ldap.SCOPE_BASE,
                                                          attrlist=[attribute])
        return sorted(value.decode() for value in entry.get(attribute, []))

    def _modify(self, who, changes):
        self.connect("administrator").modify_s(self.dn(who), changes)

    def _answers(self):
        assert self.process.poll() is None, f"slapd ended:\n{self.log.read_text()}"
        try:
            self.connect().search_s("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            return None
        except ldap.UNWILLING_TO_PERFORM:
            return True
        raise AssertionError("it answers without a bind")

    def _prepare_files(self, number, authority):
        """The files, with this folder in place of the host's folders."""
        (self.folder / "data" / "log").mkdir(parents=True)
        self.log.touch()
        for name in self.init.glob("*"):
            text = name.read_text()
            for old, new in {"/etc/app-password-store": self.folder,
                             "/var/lib/app-password-store": self.folder / "data"}.items():
                text = text.replace(str(old), str(new))
            if authority:
                text = text.replace("/etc/ssl/certs/ca-certificates.crt", str(authority.ca))
            if name.name == f"replication-{number}.conf":
                (self.folder / "replication.conf").write_text(text)
            elif name.suffix in (".conf", ".schema"):
                (self.folder / name.name).write_text(text)
        if authority:
            (self.folder / "tls.crt").symlink_to(authority.certificate)
            (self.folder / "tls.key").symlink_to(authority.key)
        self._config = ["-f", self.folder / "slapd.conf"]
        self.listeners = self._listeners(number)
        self.ldapi = self.listeners[0]

    def _listeners(self, number):
        """Those of the unit; if it has those of both servers, this one's."""
        unit = (self.init / "app-password-store.service").read_text()
        command, = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
        words = shlex.split(command.replace("%%", "%"))
        socket, *others = words[words.index("-h") + 1].split()
        folder = str(self.folder).replace("/", "%2F")
        return [socket.replace("%2Frun%2Fapp-password-store", folder),
                *(others if number is None else others[number - 1:number])]


class StorePair:
    """Two servers of one store, each on the loopback's ldaps port."""

    def __init__(self, folder, authority):
        uris = [f"ldaps://127.0.0.1:{free_port()}" for _ in range(2)]
        init = store_init(folder / "init", "--listen", uris[0], "--peer", uris[1])
        self.servers = [
            Store(folder / f"server-{number}", init=init, number=number, authority=authority,
                  is_empty=number > 1) for number in (1, 2)]
        self.init = init
        self.uris = uris

    def start(self):
        for server in self.servers:
            server.start()
        self.in_step()
        return self

    def stop(self):
        for server in self.servers:
            server.stop()

    def in_step(self):
        """Wait until both have the same state, and the same entries."""
        wait_until(lambda: self._state(0) == self._state(1) != [], "the servers to be in step")

    def _state(self, index):
        server = self.servers[index]
        try:
            found = server.connect("replicator").search_s(
                server.base, ldap.SCOPE_SUBTREE, attrlist=["*", "contextCSN"])
        except (ldap.INVALID_CREDENTIALS, ldap.NO_SUCH_OBJECT):
            return []
        return sorted((dn, sorted((name, sorted(values)) for name, values in entry.items()))
                      for dn, entry in found)


def store_init(folder, *options):
    """Call app-password store init; returns the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    run([COMMAND, "store", "init", folder, *options])
    return folder
