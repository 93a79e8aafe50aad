# SPDX-License-Identifier: BSD-2-Clause
"""app-password store init: the folder, the store that it makes, and two servers of one store."""

import re
import resource
import shutil
import signal
import subprocess
import threading

import ldap
import pytest

import apppassword
from administration import COMMAND, FAILED, USAGE
from certificates import Authority
from conftest import new_folder
from processes import run, wait_until
from store import NAMES, StorePair, store_init

FILES = {"slapd.conf", "app-password.schema", "entries.ldif", "mfa-witness.ldif",
         "app-password-store.service",
         "app-password.conf", "admin.conf", "portal.conf",
         *(f"store-{name}.secret" for name in [*NAMES.values(), "root"])}


def called(*arguments, **options):
    return subprocess.run([COMMAND, "store", *arguments], text=True, capture_output=True, **options)


# ---- the folder ----

def test_only_its_owner_can_read_the_folder(tmp_path):
    folder = store_init(tmp_path / "store")
    assert {file.name for file in folder.iterdir()} == FILES
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_each_password_is_random_and_only_its_hash_is_in_the_configuration(tmp_path):
    folders = [store_init(tmp_path / name) for name in ("one", "two")]
    secrets = [file.read_text() for folder in folders for file in folder.glob("*.secret")]
    assert len(set(secrets)) == len(secrets) == 10
    for folder in folders:
        text = "".join((folder / name).read_text() for name in FILES if not name.endswith(".secret"))
        assert not any(secret in text for secret in secrets)
        entries = (folder / "entries.ldif").read_text()
        for name in NAMES.values():
            hashed, = re.findall(rf"^cn: {name}\nuserPassword: (.*)$", entries, re.MULTILINE)
            assert apppassword.is_hash_of(hashed, (folder / f"store-{name}.secret").read_text())


def test_an_empty_folder_is_taken_and_one_with_files_is_left_alone(tmp_path):
    (tmp_path / "store").mkdir()
    folder = store_init(tmp_path / "store")
    before = {file.name: file.read_text() for file in folder.iterdir()}
    again = called("init", folder)
    assert again.returncode == FAILED and "its passwords may be in use" in again.stderr
    assert again.stdout == ""
    assert {file.name: file.read_text() for file in folder.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["store"]


def test_a_full_disk_leaves_nothing(tmp_path):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))

    failed = called("init", tmp_path / "store", preexec_fn=small_files)
    assert failed.returncode == FAILED and "too large" in failed.stderr, failed
    assert failed.stdout == "" and list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "none" / "store", tmp_path / "file"):
        failed = called("init", path)
        assert failed.returncode == FAILED and str(path) in failed.stderr, failed
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("arguments, message", [
    ([], "store: give init or import"),
    (["initialize", "FOLDER"], "store: give init or import"),
    (["init"], "store init takes one FOLDER"),
    (["init", "FOLDER", "OTHER"], "store init takes one FOLDER"),
    (["init", "FOLDER", "--dry-run"], "store: --from and --dry-run are for store import"),
    (["import"], "store import takes --from FILE, and --dry-run"),
    (["init", "FOLDER", "--base", "cn=store"],
     'store: --base: "cn=store" must be a DN like o=app-passwords or dc=store,dc=example,dc=org, '
     'without quotes, backslashes and plus signs'),
    (["init", "FOLDER", "--peer", "ldaps://mail2.example.org"],
     "store: --peer needs --listen: the URI of this server, for the others"),
    (["init", "FOLDER", "--listen", "ldap://mail1.example.org"],
     'store: "ldap://mail1.example.org" would send passwords in the clear; use ldaps:// or set '
     '"start_tls yes", for a store "store_start_tls yes"'),
    (["init", "FOLDER", "--id-attribute", "uid"],
     'store: --id-attribute: "uid" must be objectGUID, entryUUID, nsUniqueId or ipaUniqueID'),
    (["init", "FOLDER", "--listen", "ldapi:///"],
     'store: "ldapi:///" must be a URI like ldaps://mail1.example.org'),
    (["init", "FOLDER", "--listen", "ldaps://a", "--peer", "ldaps://b,ldaps://A"],
     'store: "ldaps://A" is named twice'),
])
def test_a_wrong_call_writes_nothing(tmp_path, arguments, message):
    wrong = called(*arguments, cwd=tmp_path)
    assert wrong.returncode == USAGE and wrong.stdout == ""
    assert wrong.stderr.splitlines()[0] == f"app-password: {message}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [
    [], ["--listen", "ldaps://mail1.example.org:6360"],
    ["--listen", "ldaps://mail1.example.org", "--peer",
     "ldaps://mail2.example.org,ldaps://mail3.example.org"]])
def test_the_commands_name_the_files_of_the_folder(tmp_path, options):
    printed = run([COMMAND, "store", "init", tmp_path / "store", *options])
    (tmp_path / "store" / "CERTIFICATE").touch()
    (tmp_path / "store" / "KEY").touch()
    commands = [line.partition("#")[0].split() for line in printed.splitlines()
                if line.startswith("    ")]
    named = {word for command in commands for word in command
             if re.search(r"^[a-z0-9-]+\.[a-z]+$|^[A-Z]+$", word)}
    assert {file.name for file in (tmp_path / "store").iterdir()} - named <= {
        "store-replicator.secret", "CERTIFICATE", "KEY"}
    assert named <= {file.name for file in (tmp_path / "store").iterdir()}
    assert ("CERTIFICATE" in named) == bool(options)


def keys_of(file):
    return dict(line.split(maxsplit=1) for line in file.read_text().splitlines()
                if line and not line.startswith("#"))


def test_the_lines_for_the_configuration(tmp_path):
    folder = store_init(tmp_path / "store", "--base", "ou=store,dc=example,dc=org",
                        "--id-attribute", "objectguid")
    assert "\ndescription: objectGUID\n" in (folder / "mfa-witness.ldif").read_text()
    assert keys_of(folder / "app-password.conf") == {
        "store_uri": "ldap://127.0.0.1:3890",
        "store_base": "ou=entries,ou=store,dc=example,dc=org",
        "store_binddn": "cn=mail-server,ou=services,ou=store,dc=example,dc=org",
        "store_bindpw_file": "/etc/app-password/store-mail-server.secret",
        "id_attribute": "objectGUID", "store_mfa": "yes", "store_mfa_default": "off",
        "mfa_witness": "cn=mfa-witness,ou=services,ou=store,dc=example,dc=org"}
    assert 'ldapi ldap://127.0.0.1:3890"\n' in (folder / "app-password-store.service").read_text()
    for name, identity in ("admin", "administrator"), ("portal", "portal"):
        assert keys_of(folder / f"{name}.conf") == {
            "store_binddn": f"cn={identity},ou=services,ou=store,dc=example,dc=org",
            "store_bindpw_file": f"/etc/app-password/store-{identity}.secret"}


def test_each_server_asks_itself_first_and_all_write_to_the_same_one(tmp_path):
    uris = [f"ldaps://mail{number}.example.org" for number in (1, 2, 3)]
    folder = store_init(tmp_path / "store", "--listen", uris[0], "--peer", ",".join(uris[1:]))
    for number, uri in enumerate(uris, 1):
        keys = keys_of(folder / f"app-password-{number}.conf")
        others = [other for other in uris if other != uri]
        assert keys["store_uri"].split() == [uri, *others]
        assert keys["store_write_uri"].split() == uris
        replication = (folder / f"replication-{number}.conf").read_text()
        assert re.findall(r"^serverID (\d)$", replication, re.MULTILINE) == [str(number)]
        assert re.findall(r'provider="(.*)"', replication) == others
    assert 'ldapi ldaps://:636/"\n' in (folder / "app-password-store.service").read_text()


@pytest.mark.parametrize("listen, listener", [
    ("ldaps://mail1.example.org:6360", "ldaps://:6360/"),
    ("ldaps://[2001:db8::1]", "ldaps://:636/"),
    ("ldap://127.0.0.1:3890", "ldap://127.0.0.1:3890"),
])
def test_the_listener(tmp_path, listen, listener):
    folder = store_init(tmp_path / "store", "--listen", listen)
    assert f'ldapi {listener}"\n' in (folder / "app-password-store.service").read_text()
    assert keys_of(folder / "app-password.conf")["store_uri"] == listen
    has_tls = "TLSCertificateFile" in (folder / "slapd.conf").read_text()
    assert has_tls == listen.startswith("ldaps:")


def test_the_unit_is_as_systemd_wants_it():
    unit = COMMAND.parents[1] / "share/sasl-app-password/examples/store/app-password-store.service"
    run(["systemd-analyze", "verify", "--man=no", unit])


# ---- one server ----

@pytest.mark.parametrize("base", ["o=app-passwords", "ou=store,dc=example,dc=org",
                                  "dc=store,dc=example,dc=org", "o=Our App Passwords"])
def test_it_starts_and_keeps_its_entries(own_store, base):
    store = own_store(base=base)
    store.add_entry("ab-12", uid="alice")
    store.stop()
    store.start()
    assert store.owners() == ["ab-12"] and store.values("AB-12", "uid") == ["alice"]


def test_a_login_finds_the_entry_by_an_index(own_store):
    store = own_store(debug="trace")
    for number in range(30):
        store.add_entry(f"ab-{number}")
    mark = store.mark()
    store.connect("mail server").search_s(store.entries, ldap.SCOPE_ONELEVEL,
                                          "(appPasswordOwner=AB-12)")
    looked_at, = [line for line in store.log_since(mark) if "mdb_search_candidates: " in line]
    assert "mdb_search_candidates: id=1 " in looked_at


def test_it_has_room_for_many_users(own_store):
    """mdb's own limit would be 10 MiB."""
    store = own_store()
    for number in range(30):
        store.add_entry(f"ab-{number}", appPasswordMfaMethod=[
            f"{one} " + "x" * 16000 for one in range(40)])
    assert len(store.owners()) == 30


def test_root_of_the_store_changes_a_password_as_the_man_page_says(own_store, tmp_path):
    store = own_store()
    secret = tmp_path / "new.secret"
    secret.write_text("another")
    run(["ldappasswd", "-x", "-H", store.ldapi, "-D", f"cn=root,{store.base}", "-y",
         store.init / "store-root.secret", "-T", secret, store.identities["portal"]])
    store.connect("portal", "another")
    with pytest.raises(ldap.INVALID_CREDENTIALS):
        store.connect("portal")


# ---- two servers ----

@pytest.fixture
def pair(workdir, authority):
    servers = StorePair(new_folder(workdir, "stores"), authority)
    try:
        yield servers.start()
    finally:
        servers.stop()


USED = [f"id=k7q2 at=2026112{day}070000Z" for day in (1, 2, 3)]
APP_PASSWORDS = ["id=k7q2 label=lost", "id=k7q3 label=kept"]
TOMBSTONE = "id=k7q2 revoked=20261129150000Z"
TOMBSTONES = [f"id={id} revoked=20261129150001Z" for id in ("k7q2", "k7q3")]


def add(store, owner):
    store.add_entry(owner, appPassword=APP_PASSWORDS, appPasswordUsed=USED[0])


def modify(store, owner, *changes):
    store.connect("administrator").modify_s(store.dn(owner), [
        (how, name, [value.encode()]) for how, name, value in changes])


def revoke(store, owner):
    modify(store, owner, (ldap.MOD_DELETE, "appPassword", APP_PASSWORDS[0]),
           (ldap.MOD_ADD, "appPassword", TOMBSTONE))


def use(store, owner):
    modify(store, owner, (ldap.MOD_DELETE, "appPasswordUsed", USED[0]),
           (ldap.MOD_ADD, "appPasswordUsed", USED[1]))


def use_again(store, owner):
    modify(store, owner, (ldap.MOD_DELETE, "appPasswordUsed", USED[0]),
           (ldap.MOD_ADD, "appPasswordUsed", USED[2]))


def create(store, owner):
    modify(store, owner, (ldap.MOD_ADD, "appPassword", "id=k7q4 label=new"))


def revoke_all(store, owner):
    modify(store, owner, *((ldap.MOD_DELETE, "appPassword", value) for value in APP_PASSWORDS),
           *((ldap.MOD_ADD, "appPassword", value) for value in TOMBSTONES))


CONCURRENT = {  # two changes, and what both servers must have in the end
    "a revocation and a last use": (
        revoke, use, [APP_PASSWORDS[1], TOMBSTONE], [USED[1]]),
    "a revocation and a new app password": (
        revoke, create, [APP_PASSWORDS[1], TOMBSTONE, "id=k7q4 label=new"], [USED[0]]),
    "a revocation and one of all": (revoke, revoke_all, [TOMBSTONE, *TOMBSTONES], [USED[0]]),
    "two last uses": (use, use_again, APP_PASSWORDS, [USED[1], USED[2]]),
}


def test_both_replicate_in_both_directions(pair):
    one, two = pair.servers
    add(one, "from-one")
    add(two, "from-two")
    pair.in_step()
    revoke(two, "from-one")
    use(one, "from-two")
    pair.in_step()
    for store in pair.servers:
        assert store.owners() == ["from-one", "from-two"]
        assert store.values("from-one", "appPassword") == sorted([APP_PASSWORDS[1], TOMBSTONE])
        assert store.values("from-two", "appPasswordUsed") == [USED[1]]
        for identity in NAMES:
            store.connect(identity)
    one.connect("administrator").delete_s(one.dn("from-two"))
    pair.in_step()
    assert two.owners() == ["from-one"]


@pytest.mark.parametrize("down", [0, 1])
def test_one_is_down_and_back(pair, down):
    up = pair.servers[1 - down]
    add(up, "before")
    pair.in_step()
    pair.servers[down].stop()
    revoke(up, "before")
    add(up, "meanwhile")
    pair.servers[down].start()
    pair.in_step()
    assert pair.servers[down].owners() == ["before", "meanwhile"]
    assert TOMBSTONE in pair.servers[down].values("before", "appPassword")


@pytest.mark.parametrize("lost", [0, 1])
def test_a_server_that_lost_its_disk_gets_everything_from_the_other(pair, lost):
    add(pair.servers[0], "before")
    pair.in_step()
    server = pair.servers[lost]
    server.stop()
    shutil.rmtree(server.folder / "data")
    (server.folder / "data" / "log").mkdir(parents=True)
    server.start()
    pair.in_step()
    assert server.owners() == ["before"]
    revoke(server, "before")
    pair.in_step()
    assert TOMBSTONE in pair.servers[1 - lost].values("before", "appPassword")


def while_apart(pair, changes, order):
    """Each server is up without the other once, in this order, and takes a change to alice."""
    first, second = pair.servers[::order]
    second.stop()
    changes[0](first, "alice")
    first.stop()
    second.start()
    changes[1](second, "alice")
    first.start()
    pair.in_step()


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("what", CONCURRENT)
def test_changes_while_they_cannot_reach_each_other(pair, what, is_reversed, order):
    changes, expected = CONCURRENT[what][:2], CONCURRENT[what][2:]
    add(pair.servers[0], "alice")
    pair.in_step()
    while_apart(pair, changes[::-1] if is_reversed else changes, order)
    for store in pair.servers:
        assert store.values("alice", "appPassword") == sorted(expected[0])
        assert store.values("alice", "appPasswordUsed") == sorted(expected[1])


def test_an_entry_that_both_add_while_apart_is_the_later_one(pair):
    """Not both: one more reason to let one server take the changes."""
    while_apart(pair, [lambda store, owner: store.add_entry(owner, appPassword="id=k7q2"),
                       lambda store, owner: store.add_entry(owner, appPassword="id=k7q3")], 1)
    for store in pair.servers:
        assert store.values("alice", "appPassword") == ["id=k7q3"]


def test_changes_at_the_same_moment(pair):
    """On both servers, for many users at once."""
    owners = [f"user-{number}" for number in range(40)]
    for owner in owners:
        add(pair.servers[0], owner)
    pair.in_step()
    failed = []

    def change(store, how):
        try:
            for owner in owners:
                how(store, owner)
        except ldap.LDAPError as error:
            failed.append(error)

    threads = [threading.Thread(target=change, args=pairing)
               for pairing in zip(pair.servers, (revoke, use))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    pair.in_step()
    for store in pair.servers:
        for owner in owners:
            assert store.values(owner, "appPassword") == sorted([APP_PASSWORDS[1], TOMBSTONE])
            assert store.values(owner, "appPasswordUsed") == [USED[1]]


def test_a_stranger_cannot_replicate(pair):
    for identity in (None, "mail server", "portal", "administrator"):
        connection = pair.servers[0].connect(identity)
        with pytest.raises((ldap.NO_SUCH_OBJECT, ldap.UNWILLING_TO_PERFORM)):
            connection.search_s("cn=accesslog", ldap.SCOPE_SUBTREE)


def test_a_server_does_not_replicate_from_one_with_a_foreign_certificate(pair, workdir):
    one, two = pair.servers
    two.stop()
    foreign = Authority(new_folder(workdir, "foreign") / "ca")
    config = two.folder / "slapd.conf"
    config.write_text(re.sub("^TLSCACertificateFile .*$", f"TLSCACertificateFile {foreign.ca}",
                             config.read_text(), flags=re.MULTILINE))
    mark = two.mark()
    two.start()
    add(one, "alice")
    wait_until(lambda: [line for line in two.log_since(mark) if "slap_client_connect" in line
                        and "failed" in line], "the connection to fail")
    assert two.owners() == []
