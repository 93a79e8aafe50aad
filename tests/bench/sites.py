# SPDX-License-Identifier: BSD-2-Clause
"""The measured systems: a directory full of users, and the servers that check their passwords.

All servers are private, as in tests/live. All of them use hashes of the same cost.
"""

import base64
import hashlib
import itertools
import os
import pathlib
import re
import shutil
import sys
import uuid
from collections import namedtuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))

import apppassword  # noqa: E402 (the path must be set first)
import conftest  # noqa: E402
import dovecot  # noqa: E402
import postfix  # noqa: E402
import processes  # noqa: E402
from beside import Users  # noqa: E402
from certificates import Authority  # noqa: E402
from slapd import ACL, BASE, CLOSED_SITE, IDENTITIES, Slapd, secret  # noqa: E402
from store import Store  # noqa: E402

# Memory in MiB and passes; the first is the default for app passwords.
COSTS = {"8 MiB/1": (8, 1), "19 MiB/2": (19, 2), "64 MiB/2": (64, 2)}
DEFAULT_COST = "8 MiB/1"
STORM_COST = "19 MiB/2"
LIGHT_COST = "1 MiB/1"  # of the part with many users: their first logins would take half an hour
_PARAMETERS = COSTS | {LIGHT_COST: (1, 1)}

# Amounts: fresh users (at most) and calls of an operation in a round; calls of an operation without
# a hash; users and seconds for the rates; app passwords that are used in turn; users of a small and
# of a large directory; clients (at most) and seconds of a storm; logins and visitors beside each
# other.
Scale = namedtuple("Scale", "users calls quick rate_users seconds crowds populations storm neighbors")
FULL = Scale({"8 MiB/1": 5000, "19 MiB/2": 1200, "64 MiB/2": 100},
             {"8 MiB/1": 100, "19 MiB/2": 40, "64 MiB/2": 15}, 500,
             {"8 MiB/1": 1600, "19 MiB/2": 480}, 2.0, (10, 1500, 100000), (10000, 1000000),
             (22000, 60), (1200, 200))
SMOKE = Scale(dict.fromkeys(COSTS, 300), dict.fromkeys(COSTS, 3), 20,
              dict.fromkeys(COSTS, 64), 0.1, (10, 50), (500, 1000), (40, 1), (6, 3))

# All users have the same app password and account password, hashed once for each cost: the time of
# a hash does not depend on the user.
GOOD = apppassword.make()
CANONICAL = GOOD.shown.replace("-", "")
WRONG_SECRET = apppassword.make(id=GOOD.id).shown
UNKNOWN_ID = apppassword.make(id="0000").shown
FILTER = "(|(uid=%u)(mail=%u))"
MAIL_SERVER = IDENTITIES["mail server"]

# Our users, and the peers' users, checked by a bind, a fetched Argon2id hash or a fetched {SSHA}
# hash. Each kind has its own subtree, to keep the entries small.
OURS, BIND, FETCHED, SSHA, ACCOUNT = (
    f"ou={name},{BASE}" for name in ("ours", "bind", "fetched", "ssha", "account"))
PEERS_RULE = "".join(
    f'access to dn.subtree="{base}" attrs=userPassword by dn.exact="{MAIL_SERVER}" read\n'
    "  by anonymous auth by * none\n" for base in (FETCHED, SSHA))


def letter(cost):
    """The prefix of the user names for this cost."""
    return f"m{_PARAMETERS[cost][0]}-"


def names(cost):
    """The template of the user names, for the program: '#' is the number."""
    return letter(cost) + "#"


MANY_NAMES = "many-#"  # have 40 app passwords each
ACCOUNT_NAMES = "account-#"  # have no app password, and an account password with an {SSHA}
ACCOUNT_PASSWORD = "Account.password/1"
MANY = 40


def phc(cost):
    """The hash of the common password at this cost, made once, by libsodium."""
    if cost not in _phc:
        _phc[cost] = apppassword.argon2id(CANONICAL, *_PARAMETERS[cost]).removeprefix("{ARGON2}")
    return _phc[cost]


_phc = {}


def _person(base, uid, password=None, app_passwords=()):
    entry = {"objectClass": ["inetOrgPerson"], "uid": [uid], "cn": [uid], "sn": [uid],
             "mail": [f"{uid}@example.org"]}
    if password:
        entry["userPassword"] = [password]
    if app_passwords:
        entry["objectClass"].append("appPasswordAccount")
        entry |= {"appPassword": app_passwords, "appPasswordMfaEnabled": ["TRUE"],
                  # Used today already, as in most logins: nothing to write.
                  "appPasswordUsed": [_use(value) for value in app_passwords]}
    return f"uid={uid},{base}", entry


def _use(value):
    id = re.match(r"id=(\S+)", value)[1]
    return f"id={id} at={apppassword.from_now()} service=smtp from=192.0.2.17"


def app_password_values(cost, count):
    """The right one, and others with other ids."""
    hash = "{ARGON2}" + phc(cost)
    ids = (f"{apppassword.SYMBOLS[n // 32]}{apppassword.SYMBOLS[n % 32]}zz"
           for n in itertools.count())
    others = (apppassword.make(id=id, hash=hash).value for id in ids if id != GOOD.id)
    good = GOOD.value.replace(re.search(r"hash=(\S+)", GOOD.value)[1], hash)
    return [good, *itertools.islice(others, count - 1)]


def ssha(password):
    """The {SSHA} hash of a password (RFC 2307 with a salt)."""
    salt = os.urandom(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt
                                       ).decode()


def entries(users, peers=True, many=500):
    """The directory's users."""
    for base in (OURS, BIND, FETCHED, SSHA, ACCOUNT):
        yield base, {"objectClass": ["organizationalUnit"], "ou": [base.split(",")[0][3:]]}
    for cost, count in users.items():
        values = app_password_values(cost, 1)
        for number in range(count):
            uid = f"{letter(cost)}{number}"
            yield _person(OURS, uid, app_passwords=values)
            if peers:
                yield _person(BIND, uid, "{ARGON2}" + phc(cost))
                yield _person(FETCHED, uid, "{ARGON2ID}" + phc(cost))
    values = app_password_values(DEFAULT_COST, MANY)
    for number in range(many):
        yield _person(OURS, f"many-{number}", app_passwords=values)
        yield _person(SSHA, f"ssha-{number}", ssha(CANONICAL))
        yield _person(ACCOUNT, f"account-{number}", ssha(ACCOUNT_PASSWORD))


class StoreSite:
    """A users' directory without our schema, and a store, with `count` users of each cost."""

    def __init__(self, folder, counts):
        folder.mkdir()
        (folder / "users").mkdir()
        self.users = Users(folder / "users", ppolicy=False, statistics=False,
                           database=f"maxsize {1 << 30}")
        self.store = Store(folder / "store", debug="0")
        self.users.load(self._user_entries(counts))
        self.users.start()
        self.store.start()
        self.store.stop()
        self.store.load(self._stored_entries(counts))
        self.store.start()

    def stop(self):
        self.users.stop()
        self.store.stop()

    @property
    def store_words(self):
        """The store and the mail server's identity there, for the program."""
        keys = self.store.settings
        return (keys["store_uri"], keys["store_binddn"],
                pathlib.Path(keys["store_bindpw_file"]).read_text(), keys["store_base"])

    @property
    def settings(self):
        return self.store.settings | {"id_attribute": "entryUUID", "store_mfa": "yes"}

    def _user_entries(self, counts):
        yield OURS, {"objectClass": ["organizationalUnit"], "ou": ["ours"]}
        for uid, _ in self._everybody(counts):
            dn, entry = _person(OURS, uid)
            yield dn, entry | {"entryUUID": [self._id(uid)]}

    def _stored_entries(self, counts):
        for uid, values in self._everybody(counts):
            _, entry = _person(OURS, uid, app_passwords=values)
            ours = {name: entry[name] for name in entry if name.startswith("appPassword")}
            yield self.store.dn(self._id(uid)), ours | {
                "objectClass": ["appPasswordEntry", "appPasswordAccount"],
                "appPasswordOwner": [self._id(uid)], "uid": [uid]}

    @staticmethod
    def _everybody(counts):
        for cost, count in counts.items():
            values = app_password_values(cost, 1)
            for number in range(count):
                yield f"{letter(cost)}{number}", values

    @staticmethod
    def _id(uid):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, uid))


class Directory(Slapd):
    """slapd with these users."""

    def __init__(self, folder, content, gibibytes=1, **options):
        super().__init__(folder, acl=ACL["slapd.conf"][:1], ppolicy=False,
                         site_rules=PEERS_RULE + CLOSED_SITE, lines="moduleload argon2",
                         database=f"maxsize {gibibytes << 30}", **options)
        self.load(content)


def app_password_conf(folder, directory, **keys):
    """An app-password.conf as in examples/, with the default record_use."""
    folder.mkdir(exist_ok=True)
    return conftest.write_config(
        folder, **{"uri": directory.ldapi, "base": OURS, "record_use": "1d",
                   "hash_memory": f"{max(memory for memory, _ in COSTS.values())}M",
                   "hash_passes": max(passes for _, passes in COSTS.values())} | keys)


ASK = "auth_bind = yes\npass_attrs = uid=user\n"
FETCH = "pass_attrs = uid=user,userPassword=password\n"
# With our module, a bind, a fetched hash, or a fetched {SSHA}; and the last one again, in an
# auth-worker like our module.
KINDS = (("ours", None, ""), ("bind", BIND, ASK), ("fetched", FETCHED, FETCH), ("ssha", SSHA, FETCH),
         ("ssha, worker", SSHA, FETCH + "blocking = yes\n"))
# Only by itself: ours with the optional passdb that notes when a login arrives.
IN_TIME = "ours, in time"


def start_dovecot(folder, config, module, authority, settings, lines=""):
    """A Dovecot with more settings. Its socket for Postfix is folder/auth."""
    server = dovecot.Dovecot(folder, config, module, authority, settings, lines=lines).start()
    processes.wait_until((folder / "auth").exists, f"Dovecot {folder.name}")
    return server


class Dovecots:
    """Dovecots: with our module, or with the LDAP passdb.

    kinds    for each its name, and for the LDAP passdb its base and lines
    keys     of our configuration
    sockets  those for Postfix
    """

    def __init__(self, folder, directory, module, authority, kinds, keys=None):
        folder.mkdir()
        self.servers = {}
        for name, base, lines in kinds:
            place = folder / name.replace(", ", "-")
            config = app_password_conf(place, directory, **keys or {})
            self.servers[name] = start_dovecot(place, config, module, authority,
                                               _settings(place, directory, base, lines))
        self.sockets = {name: server.folder / "auth" for name, server in self.servers.items()}

    def stop(self):
        for server in self.servers.values():
            server.stop()


def _settings(folder, directory, base, lines):
    """Changes the example's settings to the LDAP passdb, if there is a base for it."""
    return (lambda text: text) if base is None else _asking_ldap(
        folder, _ldap_conf(directory, base, lines))


def _asking_ldap(folder, conf):
    """Changes the example's settings to Dovecot's own LDAP passdb."""
    path = folder / "passdb-ldap.conf.ext"
    path.write_text(conf)

    def settings(text):
        lua, = re.findall(r"^passdb .*\{\n(?:  .*\n)+\}\n", text, re.MULTILINE)
        return text.replace(lua, f"passdb {{\n  driver = ldap\n  args = {path}\n}}\n")
    return settings


def _ldap_conf(directory, base, lines):
    uri = "" if "uris = " in lines else f"uris = {directory.ldapi}\n"
    return f"""\
{uri}\
dn = {MAIL_SERVER}
dnpass = {secret("mail server")}
base = {base}
pass_filter = {FILTER}
{lines}"""


class Saslauthd:
    """saslauthd -a ldap: searches as the mail server, then binds as the user. No cache."""

    def __init__(self, folder, uri, base=BIND, lines="", clients=8):
        folder.mkdir(mode=0o755)
        self.socket = folder / "mux"
        conf = folder.parent / f"{folder.name}.conf"
        conf.write_text(f"""\
ldap_servers: {uri}
ldap_search_base: {base}
{lines}\
ldap_filter: {FILTER}
ldap_auth_method: bind
ldap_bind_dn: {MAIL_SERVER}
ldap_bind_pw: {secret("mail server")}
""")
        conf.chmod(0o600)
        log = folder.parent / f"{folder.name}.log"
        # -d stays in the foreground, so that we can end it; it writes a few lines a login.
        self.process = processes.start(
            ["saslauthd", "-a", "ldap", "-O", conf, "-d", "-n", str(clients), "-m", folder], log)
        processes.wait_until(self.socket.exists, f"saslauthd, see {log}")
        folder.chmod(0o755)

    def stop(self):
        processes.kill(self.process)


ASKS_SASLAUTHD = """\
mech_list: PLAIN LOGIN
pwcheck_method: saslauthd
saslauthd_path: /saslauthd/mux
auxprop_plugin: none
"""
ASKS_SECURE_SASLAUTHD = ASKS_SASLAUTHD.replace("/saslauthd", "/secure-saslauthd", 1)


class World:
    """The servers and files of the benchmark, each made at its first use."""

    def __init__(self, folder, prefix, program, scale, rounds):
        self.folder = folder
        self.scale = scale
        self._users = {cost: rounds * count for cost, count in scale.users.items()}
        self._users[STORM_COST] += scale.storm[0]
        self._next_user = dict.fromkeys(COSTS, 0)
        self.prefix = prefix
        self.program = program
        self._made = {}
        self._to_stop = []

    def stop(self):
        for server in reversed(self._to_stop):
            server.stop()

    def stop_later(self, server):
        self._to_stop.append(server)

    def _once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
            if hasattr(self._made[name], "stop"):
                self._to_stop.append(self._made[name])
        return self._made[name]

    def _installed(self, name):
        path, = pathlib.Path(self.prefix).glob(f"lib/**/{name}")
        return path.resolve()

    def take_users(self, cost, count):
        """Reserves `count` users who have not signed in yet; returns the first one's number."""
        first = self._next_user[cost]
        self._next_user[cost] = first + count
        assert self._next_user[cost] <= self._users[cost], f"no fresh users left, {cost}"
        return first

    @property
    def authority(self):
        return self._once("authority", lambda: Authority(self.folder / "ca"))

    @property
    def postfix(self):
        return self._once("postfix", lambda: postfix.Postfix(
            self.folder / "postfix", self._installed("sasl2/libapppassword.so"),
            self.authority).start())

    @property
    def directory(self):
        """The directory of most parts; it also has a socket in Postfix's chroot."""
        return self._once("directory", lambda: Directory(
            self.folder / "slapd", entries(self._users), authority=self.authority,
            chroot=self.postfix.queue, statistics=False).start())

    @property
    def counted_directory(self):
        """A directory with a few users that logs its connections."""
        return self._once("counted", lambda: Directory(
            self.folder / "counted", entries({DEFAULT_COST: 1000}, peers=False, many=10),
            authority=self.authority).start())

    def large_directory(self, name, count):
        """A directory with `count` of our users, and no peers' users."""
        return self._once(f"large-{name}", lambda: Directory(
            self.folder / f"large-{name}", entries({DEFAULT_COST: count}, peers=False, many=1),
            gibibytes=8, statistics=False).start())

    def everybody(self, place, count):
        """A place of everybody.py with `count` users."""
        name = f"everybody-{place.__name__}-{count}"
        return self._once(name, lambda: place(self.folder / name, count))

    @property
    def crowded_directory(self):
        """A directory with users at a light cost, as many as the largest crowd."""
        return self._once("crowded", lambda: Directory(
            self.folder / "crowded", entries({LIGHT_COST: max(self.scale.crowds)}, many=1),
            gibibytes=2, statistics=False).start())

    def dovecot(self, name, kind, lines, directory=None):
        """A Dovecot of its own, of KINDS or IN_TIME, with more settings. The caller stops it."""
        place, directory = self.folder / name, directory or self.directory
        config = app_password_conf(place, directory)
        bases = {kind: (base, asked) for kind, base, asked in KINDS}
        settings = dovecot.with_arrival if kind == IN_TIME else _settings(
            place, directory, *bases[kind])
        return start_dovecot(place, config, self._installed("lua/5.4/app_password.so"),
                             self.authority, settings, lines)

    def store_site(self, counts):
        return self._once("store", lambda: StoreSite(self.folder / "store-site", counts))

    @property
    def dovecots(self):
        return self._once("dovecots", lambda: Dovecots(
            self.folder / "dovecots", self.directory,
            self._installed("lua/5.4/app_password.so"), self.authority, KINDS))

    @property
    def secure(self):
        """Keys of our configuration for the users without app passwords, over TLS."""
        return {"uri": self.directory.ldaps, "tls_cacert": self.authority.ca, "base": ACCOUNT}

    @property
    def secure_dovecots(self):
        """Ours and the LDAP passdb with a bind, for the same users; and that again, in an auth-worker."""
        tls = (f"uris = {self.directory.ldaps}\ntls_ca_cert_file = {self.authority.ca}\n"
               "tls_require_cert = demand\n")
        return self._once("secure dovecots", lambda: Dovecots(
            self.folder / "secure-dovecots", self.directory,
            self._installed("lua/5.4/app_password.so"), self.authority,
            (("ours", None, ""), ("bind", ACCOUNT, ASK + tls),
             ("bind, worker", ACCOUNT, ASK + tls + "blocking = yes\n")), self.secure))

    @property
    def saslauthd(self):
        """Its socket lies in Postfix's chroot."""
        return self._once("saslauthd", lambda: Saslauthd(
            self.postfix.queue / "saslauthd", self.directory.ldapi))

    @property
    def secure_saslauthd(self):
        """As above, for the same users as secure_dovecots."""
        return self._once("secure saslauthd", lambda: Saslauthd(
            self.postfix.queue / "secure-saslauthd", self.directory.ldaps, ACCOUNT,
            f"ldap_tls_cacert_file: {self.authority.ca}\nldap_tls_check_peer: yes\n"))

    def config(self, name, directory=None, **keys):
        """An app-password.conf in its own folder."""
        return app_password_conf(self.folder / name, directory or self.directory, **keys)

    def smtpd(self, smtpd_conf, kind="one process"):
        """The port of an smtpd with this SASL configuration."""
        return self.postfix.service(smtpd_conf, kind).port

    def clean_up(self):
        shutil.rmtree(self.folder, ignore_errors=True)
