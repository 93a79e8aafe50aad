# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on a site with a store: silent on a good one, and one problem at a time."""

import re
import subprocess

import ldap
import ldap.controls
import pytest

import apppassword
import test_doctor
from administration import DONE
from apppassword import from_now
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY, MFA_PLACES, Users, tcp
from conftest import new_folder
from processes import Clock
from slapd import BASE, IDENTITIES, LDAP_SCHEMA, MEMBER, PASSWORD_RULE, person
from store import Store
from stored import People, StoredSite
from test_doctor import a_user, assert_finds, safe

MAIL_SERVER = IDENTITIES["mail server"]
READERS = f"""\
limits dn.exact="{MAIL_SERVER}" size=unlimited
access to * by dn.exact="{MAIL_SERVER}" read
    by dn.exact="{IDENTITIES["portal"]}" read by self read by * none
"""


@pytest.fixture(scope="module")
def users(workdir):
    server = Users(new_folder(workdir, "users"), site_rules=PASSWORD_RULE + READERS).start()
    yield server
    server.stop()


@pytest.fixture
def own_users(workdir):
    """Makes a users' directory with rules before the usual ones."""
    servers = []

    def make(rules="", **options):
        servers.append(Users(new_folder(workdir, "users"),
                             site_rules=PASSWORD_RULE + rules + READERS, **options))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def store(workdir):
    server = Store(new_folder(workdir, "store")).start()
    yield server
    server.stop()


@pytest.fixture
def people(users, store):
    """Of a store that has entries of this test only."""
    people = populate(People(users, store, DEFAULT_ON))
    yield people
    empty(store)


@pytest.fixture
def site(people, tmp_path):
    return make_site(tmp_path, people)


def empty(store):
    root = store.connect_as_itself()
    for owner in store.owners():
        root.delete_s(store.dn(owner))


def populate(people):
    """Everything that the doctor compares."""
    who, one = people.new_person(mfa=True, app_passwords=1)
    people.administrate(who, appPasswordUsed=f"id={one.id} at={from_now(days=-1)}",
                        appPasswordMfaEnforceFrom="20260101000000Z",
                        appPasswordMfaMethod="sealed=AAAA")
    people.populated = who
    return people


def doctor(site, *options, **more):
    """With a user of the users' directory, who has no entry in the store, for --as."""
    if "--as" not in options:
        who = a_user(site.directory.users)
        options, more = ("--as", who.dn, *options), more | {"input": f"{who.password}\n"}
    return test_doctor.doctor(site, *options, **more)


def make_site(tmp_path, people, portal=False, **keys):
    site = StoredSite(tmp_path / "site", people, login_attribute="uid", **keys)
    if portal:
        site.write(site.folder / "portal.conf", {
            "store_binddn": people.store.identities["portal"],
            "store_bindpw_file": people.store.secret_file("portal")})
    return safe(site)


def assert_only(called, finding, fix):
    """One finding alone."""
    assert_finds(called, finding, fix)
    assert len(re.findall("^(?:PROBLEM|unknown) ", called.stdout, re.MULTILINE)) == 1, called.stdout


def assert_silent(called):
    assert called.returncode == DONE, called.stdout + called.stderr
    assert " 0 problems, 0 unknown" in called.stdout, called.stdout


# ---- a good site ----

@pytest.mark.parametrize("mfa", MFA_PLACES)
def test_a_good_site_has_no_finding_and_is_left_as_it_is(users, store, tmp_path, mfa):
    people = populate(People(users, store, mfa))
    site = make_site(tmp_path, people, portal=True)
    a_user(people.users)
    before = dump(people)
    try:
        called = doctor(site, "--mfa-user", people.populated.uid)
        assert_silent(called)
        for said in (f"store_uri: {people.settings['store_uri']} answers",
                     "the mail server may not write appPasswordOwner",
                     "the mail server can read entryUUID", "the user may not write entryUUID",
                     "the mail server may not add entries", "the portal may add entries",
                     "the portal may write appPasswordMfaMethod",
                     "the portal may not write appPasswordMfaEnabled",
                     "the administrator may write appPasswordOrphanSince",
                     "anonymous cannot find any entry of the store", "has one entryUUID",
                     "entries of the store belongs to a user", "has MFA on"):
            assert said in called.stdout, called.stdout
        assert "appPassword" not in "".join(
            line for line in called.stdout.splitlines() if f": {people.settings['uri']}: " in line)
        assert dump(people) == before
    finally:
        empty(store)


def dump(people):
    """Everything that both hold, times of changes included."""
    return [sorted((dn, sorted((name, tuple(values)) for name, values in entry.items()))
                   for dn, entry in server.connect_as_itself().search_s(
                       base, ldap.SCOPE_SUBTREE, attrlist=["*", "+"]))
            for server, base in ((people.users, BASE), (people.store, people.store.base))]


def test_a_new_store_has_no_finding(users, own_store, tmp_path):
    called = doctor(make_site(tmp_path, People(users, own_store(), DEFAULT_ON)))
    assert "1 of 1 entries" not in called.stdout
    assert_silent(called)


def test_without_an_administrator_it_goes_without(people, site):
    (site.folder / "admin.conf").unlink()
    called = doctor(site)
    assert called.stdout.count("no administrator here") == 1
    assert_silent(called)


def test_a_users_directory_that_takes_no_changes(own_users, store, tmp_path):
    users = own_users(database="readonly on\n")
    called = doctor(make_site(tmp_path, People(users, store, DEFAULT_ON)), "--as",
                    person("user001").dn, input=person("user001").password + "\n")
    assert "this server takes no changes" in called.stdout
    assert_silent(called)


# ---- files and servers ----

def test_secrets_of_the_store_that_everybody_reads(own_store, users, tmp_path):
    store = own_store()
    site = make_site(tmp_path, People(users, store, DEFAULT_ON))
    store.secret_file("mail server").chmod(0o644)
    assert_only(doctor(site), "store_bindpw_file: ", "chmod 0640")
    store.secret_file("mail server").chmod(0o600)
    store.secret_file("administrator").chmod(0o644)
    assert_only(doctor(site), "store_bindpw_file of admin.conf: ", "chmod 0640")


SERVERS = {
    "a server that is not there": (
        {"store_uri": "ldap://127.0.0.1:1"}, "store_uri: ", "start that server"),
    "a server among several that is not there": (
        {"store_uri": "{tcp} ldap://127.0.0.1:1"}, "store_uri: ", "start that server"),
    "a store_write_uri that is not there": (
        {"store_write_uri": "ldap://127.0.0.1:1"}, "store_uri: ", "start that server"),
    "a wrong password": (
        {"store_bindpw_file": "{administrator}"}, "bind: ", "password of store_binddn into"),
    "a base that is not there": (
        {"store_base": "ou=none,o=app-passwords"}, "store_base: ", "load a backup"),
    "a CA file without certificates": (
        {"store_uri": "ldaps://127.0.0.1:1", "store_tls_cacert": "/etc/hostname"},
        "store_tls_cacert: ", "the store's certificate"),
}


@pytest.mark.parametrize("broken", SERVERS)
def test_server(people, tmp_path, broken):
    keys, finding, fix = SERVERS[broken]
    store = people.store
    keys = {key: value.format(tcp=tcp(store), administrator=store.secret_file("administrator"))
            for key, value in keys.items()}
    called = doctor(make_site(tmp_path, people, **keys))
    assert_finds(called, finding, fix)
    assert called.stdout.count("PROBLEM") == 1, called.stdout


def test_a_store_that_has_lost_its_entries(users, own_store, tmp_path):
    store = own_store()
    store.connect_as_itself().delete_s(store.entries)
    called = doctor(make_site(tmp_path, People(users, store, DEFAULT_ON)))
    assert_finds(called, f'store_base: {tcp(store)}: "{store.entries}" does not exist',
                 "load a backup")
    assert called.stdout.count("PROBLEM") == 1, called.stdout


# ---- schema and index ----

@pytest.fixture
def changed_store(workdir):
    """Makes a store whose files are changed: changed_store("slapd.conf", old, new)."""
    stores = []

    def make(name, old, new):
        stores.append(Store(new_folder(workdir, "store")))
        file = stores[-1].folder / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))
        return stores[-1].start()

    yield make
    for store in stores:
        store.stop()


def test_another_definition(users, changed_store, tmp_path):
    store = changed_store("app-password.schema", "EQUALITY caseIgnoreMatch",
                          "EQUALITY caseExactMatch")
    called = doctor(make_site(tmp_path, populate(People(users, store, DEFAULT_ON))))
    assert_only(called, f"schema: {tcp(store)}: appPasswordOwner has another definition",
                "ldap-schema/")


def test_a_definition_of_a_store_that_is_missing(users, changed_store, tmp_path):
    schema = (LDAP_SCHEMA / "app-password.schema").read_text()
    definition, = [part for part in re.split("^(?=attributetype|objectclass)", schema,
                                             flags=re.MULTILINE)
                   if "'appPasswordOrphanSince'" in part and part.startswith("attributetype")]
    text = schema.replace(definition, "").replace(" $ appPasswordOrphanSince", "")
    store = changed_store("app-password.schema", schema, text)
    called = doctor(make_site(tmp_path, populate(People(users, store, DEFAULT_ON))))
    assert_finds(called, f"schema: {tcp(store)}: appPasswordOrphanSince is not defined", "ldapadd")


def test_a_store_without_an_index(users, changed_store, tmp_path):
    """The doctor measures time, so the store must be large."""
    store = changed_store("slapd.conf", "index objectClass,appPasswordOwner,", "index objectClass,")
    store.stop()
    entries = "".join(f"dn: {store.dn(f'many-{i}')}\nobjectClass: appPasswordEntry\n"
                      f"appPasswordOwner: many-{i}\n\n" for i in range(60000))
    subprocess.run(["slapadd", "-q", *map(str, store._config), "-b", store.base], input=entries,
                   text=True, check=True)
    store.start()
    called = doctor(make_site(tmp_path, People(users, store, IN_USERS_DIRECTORY), timeout="5",
                              deadline="12"))
    assert_finds(called, "appPasswordOwner: ", "olcDbIndex: appPasswordOwner eq")


# ---- id_attribute ----

IPA = "attributetype ( 2.16.840.1.113730.3.8.3.1 NAME 'ipaUniqueID' EQUALITY caseIgnoreMatch " \
    "SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )\n" \
    "objectclass ( 2.16.840.1.113730.3.8.4.2 NAME 'ipaobject' SUP top AUXILIARY " \
    "MAY ipaUniqueID )\n"
FIRST = "ipaUniqueID"


@pytest.fixture
def few_users(own_users):
    """Makes a users' directory with a base of three users, whose ids the test chooses."""
    def make(ids, rules=""):
        server = own_users(rules, lines=IPA)
        root = server.connect_as_itself()
        for uid, values in zip(FEW, ids):
            who = person(uid)._replace(dn=f"uid={uid},{ELSEWHERE}")
            server.add(who)
            root.modify_s(who.dn, [(ldap.MOD_ADD, "objectClass", [b"ipaobject"])])
            if values:
                root.modify_s(who.dn, [(ldap.MOD_ADD, FIRST, [one.encode() for one in values])])
        return server
    return make


ELSEWHERE, FEW = f"ou=elsewhere,{BASE}", ("one", "two", "three")
IDS = {
    "somebody without": ([["a-1"], ["a-2"], []], "1 of 3 users have none", "read by * break"),
    "nobody has any": ([[], [], []], "3 of 3 users have none", "whichever this directory has"),
    "two values": ([["a-1"], ["a-2", "a-3"], ["a-4"]], "has 2 values", "one value"),
    "no id": ([["a-1"], ["a*)(uid=*"], ["a-4"]], "is not an id", "one value"),
}


def site_of_few(tmp_path, users, store):
    """A user has the filter's name; those of slapd.py are not below this base."""
    return make_site(tmp_path, People(users, store, DEFAULT_ON), base=ELSEWHERE,
                     filter="(&(objectClass=ipaobject)(uid=%u))", id_attribute=FIRST)


def as_one(site):
    one = person("one")
    return doctor(site, "--as", f"uid=one,{ELSEWHERE}", input=one.password + "\n")


def test_ids_that_are_good(few_users, store, tmp_path):
    called = as_one(site_of_few(tmp_path, few_users([["a-1"], ["a-2"], ["A-3"]]), store))
    assert "id_attribute: each of the first 3 users has one ipaUniqueID" in called.stdout
    assert_silent(called)


@pytest.mark.parametrize("broken", IDS)
def test_ids(few_users, store, tmp_path, broken):
    ids, finding, fix = IDS[broken]
    assert_only(as_one(site_of_few(tmp_path, few_users(ids), store)), finding, fix)


# ---- MFA, values, orphans ----

def test_an_entry_without_a_flag(people, site):
    who = people.users.new_person()
    people.store.add_entry(people.users.id(who), uid=who.uid, appPasswordMfaEnabled=[])
    assert_only(doctor(site), "1 entries of the store do not say whether MFA is on",
                f"app-password mfa on {who.uid}")
    site.done("mfa", "off", who.uid)
    assert_silent(doctor(site))


def test_a_witness_that_is_gone(users, own_store, tmp_path):
    store = own_store()
    people = populate(People(users, store, DEFAULT_OFF))
    store.connect_as_itself().delete_s(store.witness)
    called = doctor(make_site(tmp_path, people))
    assert_finds(called, f"mfa_witness: {store.witness} does not match",
                 "if the store has lost its entries, restore its backup and do not add the witness")


@pytest.mark.parametrize("description", [[b"objectGUID"], None])
def test_a_witness_that_does_not_name_id_attribute(users, own_store, tmp_path, description):
    store = own_store()
    people = populate(People(users, store, DEFAULT_OFF))
    store.connect_as_itself().modify_s(
        store.witness, [(ldap.MOD_REPLACE, "description", description)])
    assert_finds(doctor(make_site(tmp_path, people)),
                 "store_mfa_default: the mail server does not see the description entryUUID",
                 "description: entryUUID")


def test_a_user_who_must_have_mfa_and_does_not(people, site):
    who = people.new_person(mfa=False)
    assert_only(doctor(site, "--mfa-user", who.uid), "--mfa-user: ", f"mfa on {who.uid}")
    without_entry = people.users.new_person()
    assert_silent(doctor(site, "--mfa-user", without_entry.uid))


def test_a_group_of_the_users_directory_that_does_not_exist(users, store, tmp_path):
    none = f"cn=none,ou=groups,{BASE}"
    site = make_site(tmp_path, People(users, store, IN_USERS_DIRECTORY),
                     mfa_filter=f"(memberOf={none})", mfa_witness=MEMBER.dn)
    assert_finds(doctor(site), f"mfa_filter: the mail server sees no entry {none}",
                 "correct the DN")


VALUES = {
    "expired": (lambda: apppassword.make(expires="20260101000000Z").value, "has expired"),
    "unusable": (lambda: apppassword.make().value.replace("argon2id", "argon2i"), "is unusable"),
    "without id": (lambda: "nonsense", "a value without id"),
}


@pytest.mark.parametrize("broken", VALUES)
def test_value(people, site, broken):
    make, finding = VALUES[broken]
    who = people.new_person(mfa=True)
    people.administrate(who, appPassword=make())
    called = doctor(site)
    assert_only(called, finding, f"app-password revoke {who.uid} ")
    line, = re.findall(rf"fix: app-password (revoke {who.uid} .*)", called.stdout)
    site.done(*line.split("#")[0].split())
    assert_silent(doctor(site))


def test_orphans(people, site):
    who = people.new_person(mfa=True, app_passwords=1)[0]
    owner = people.users.id(who)
    people.users.delete(who)
    called = doctor(site)
    assert_only(called, f"1 of 2 entries of the store belong to nobody in the users' directory, "
                f"for example that of {who.uid}", "app-password revoke --orphans")
    people.store.administrate(owner, appPasswordOrphanSince=from_now(days=-3, hours=-1))
    called = doctor(site)
    assert "1 of 2 entries of the store belong to nobody" in called.stdout
    assert "the oldest since 3 days" in called.stdout
    assert_silent(called)
    people.store.administrate(owner, appPasswordOrphanSince=from_now(days=-40, hours=-1))
    assert_only(doctor(site), "the oldest since 40 days", "revoke --orphans")


def test_nobody_found_is_not_orphans(users, own_store, tmp_path):
    store = own_store()
    for number in range(3):
        store.add_entry(f"{number}0000000-0000-4000-8000-000000000000")
    called = doctor(make_site(tmp_path, People(users, store, DEFAULT_ON)))
    assert_only(called, "none of the 3 entries of the store belongs to a user",
                "do not remove these entries")


# ---- clocks ----

RELAX = ldap.controls.RequestControl("1.3.6.1.4.1.4203.666.5.12", True)  # RelaxRules


def test_a_change_in_the_future(people, site):
    """The store says no time, only when it was changed."""
    dn = people.store.dn(people.users.id(people.populated))
    people.store.connect_as_itself().modify_ext_s(
        dn, [(ldap.MOD_REPLACE, "modifyTimestamp", [from_now(days=1).encode()])],
        serverctrls=[RELAX])
    assert_only(doctor(site), f"clock: the clock of {tcp(people.store)} is 86", "synchronize")


@pytest.mark.parametrize("offset, word", [("-10m", "ahead of"), ("+10m", "behind"), ("+0", None)])
def test_the_time_of_the_users_directory(own_users, store, tmp_path, offset, word):
    """As slapd-monitor(5) has it."""
    users = own_users(lines="moduleload back_monitor\ndatabase monitor\n"
                      f'access to * by dn.exact="{MAIL_SERVER}" read by * none\n')
    clock = Clock(tmp_path / "clock")
    clock.set(offset)
    called = doctor(make_site(tmp_path, People(users, store, DEFAULT_ON)), env=clock.env)
    if word:
        assert_only(called, f"clock: the clock of {tcp(users)} is ", "synchronize both clocks")
        assert f"seconds {word} this host's" in called.stdout
    else:
        assert f"clock: {tcp(users)} has the time of this host" in called.stdout
        assert_silent(called)
