# SPDX-License-Identifier: BSD-2-Clause
"""revoke --orphans: entries of a store whose users are gone, and outages that look like that."""

from datetime import datetime, timedelta, timezone

import ldap
import pytest

import apppassword
from administration import CONFIGURATION, DONE, FAILED, UNAVAILABLE, USAGE, Site
from fakes import dead_address
from slapd import BASE, IDENTITIES, PASSWORD_RULE

OPEN = PASSWORD_RULE + "access to * by users read by * none\n"
# The mail server may not read the id.
HIDDEN = f'access to attrs=entryUUID by dn.exact="{IDENTITIES["mail server"]}" none by * break\n'


def ago(**period):
    return f"{datetime.now(timezone.utc) - timedelta(**period):%Y%m%d%H%M%SZ}"


class World:
    """A directory with an untouched schema, a store, and users with an entry there."""

    def __init__(self, users, store, folder, count=20):
        self.users, self.store = users, store
        self.site = Site(folder / "site", users, manage_as=None, **self.keys())
        Site.write(self.site.folder / "admin.conf", {
            "store_binddn": store.identities["administrator"],
            "store_bindpw_file": store.secret_file("administrator")})
        self.people = [users.new_person() for _ in range(count)]
        self.ids = [self.id_of(who) for who in self.people]
        for who, owner in zip(self.people, self.ids):
            store.add_entry(owner, uid=who.uid, appPassword=apppassword.make().value)

    def keys(self):
        return self.store.settings | {"id_attribute": "entryUUID", "store_mfa": "yes"}

    def configure(self, **keys):
        Site.write(self.site.config, self.site.keys | keys)

    def id_of(self, who):
        (_, entry), = self.users.connect_as_itself().search_s(
            who.dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
        return entry["entryUUID"][0].decode()

    def delete(self, *numbers):
        for number in numbers:
            self.users.connect_as_itself().delete_s(self.people[number].dn)

    def since(self, number):
        return self.store.values(self.ids[number], "appPasswordOrphanSince")

    def set_since(self, number, since):
        self.store.connect("administrator").modify_s(
            self.store.dn(self.ids[number]),
            [(ldap.MOD_REPLACE, "appPasswordOrphanSince", since.encode())])

    def revoke(self, *options, status=DONE):
        called = self.site.command("revoke", "--orphans", *options)
        assert called.returncode == status, called
        return called

    def is_unchanged(self):
        """Whether all entries are there, and nobody is recorded."""
        return (self.store.owners() == sorted(self.ids)
                and not any(self.since(number) for number in range(len(self.ids))))


@pytest.fixture
def make_world(own_directory, own_store, tmp_path):
    def make(count=20, **options):
        options = {"acl": (), "schema": False, "ppolicy": False, "site_rules": OPEN} | options
        return World(own_directory(**options), own_store(), tmp_path, count)
    return make


@pytest.fixture
def world(make_world):
    return make_world()


def test_recorded_forgotten_and_removed(world):
    world.delete(3)
    assert f"{world.people[3].uid}: {world.ids[3]}: no such user any more; would be recorded" in \
        world.revoke("--dry-run").stdout
    assert world.is_unchanged()

    assert "; recorded" in world.revoke().stdout
    recorded = world.since(3)
    assert [world.since(number) for number in range(20)].count([]) == 19 and recorded
    assert "no such user since" in world.revoke().stdout
    assert world.since(3) == recorded and len(world.store.owners()) == 20

    world.set_since(3, ago(days=29))
    world.set_since(4, ago(days=29))
    assert "the user is there again" in world.revoke().stdout
    assert world.since(4) == [] and len(world.store.owners()) == 20

    world.set_since(3, ago(days=31))
    assert "would be removed" in world.revoke("--dry-run").stdout
    assert len(world.store.owners()) == 20 and world.site.changes() == []
    assert "; removed" in world.revoke().stdout
    assert world.store.owners() == sorted(set(world.ids) - {world.ids[3]})
    assert world.site.changes() == [
        f'action=sweep actor="{world.store.identities["administrator"]}" user="{world.people[3].uid}" '
        f'id=- result=done dn="{world.store.dn(world.ids[3])}"']


def test_one_in_ten_at_once_and_the_oldest_first(world):
    world.delete(1, 2, 3, 4, 5)
    for number in range(1, 6):
        world.set_since(number, ago(days=30 + number))
    called = world.revoke()
    assert "3 due, but not removed" in called.stderr
    assert set(world.ids) - set(world.store.owners()) == {world.ids[4], world.ids[5]}
    world.revoke()  # of 18: one
    assert set(world.ids) - set(world.store.owners()) == set(world.ids[3:6])


def test_renamed_and_recreated(world):
    """A renamed user is found; a successor of the same name does not save the entry."""
    itself = world.users.connect_as_itself()
    itself.rename_s(world.people[1].dn, "uid=renamed")
    (_, entry), = itself.search_s(world.people[2].dn, ldap.SCOPE_BASE)
    world.delete(2)
    itself.add_s(world.people[2].dn, list(entry.items()))
    world.revoke()
    assert world.since(1) == [] and world.since(2) != []


@pytest.mark.parametrize("strange", ["not_an_id", "a" * 200])
def test_strange_ids_are_kept(world, strange):
    world.store.add_entry(strange, appPasswordOrphanSince=ago(days=90))
    assert "not an id of entryUUID; kept" in world.revoke().stdout
    assert strange in world.store.owners()


def test_an_id_in_upper_case_finds_its_user(world):
    """Logins find the entry by it, too."""
    owner = world.store.owners()[0]
    world.store.connect("administrator").delete_s(world.store.dn(owner))
    world.store.add_entry(owner.upper(), appPasswordOrphanSince=ago(days=90))
    assert "the user is there again; kept" in world.revoke().stdout
    assert owner.upper() in world.store.owners()


def test_a_strange_id_where_ids_are_binary(world):
    """The text of a long one once went past its end."""
    world.store.add_entry("ab" * 100)
    world.configure(id_attribute="objectGUID")
    assert "nothing was recorded or removed" in world.revoke(status=FAILED).stderr


# What a wrong setting or an outage makes of it: nothing is recorded, nothing removed.

@pytest.mark.parametrize("keys, status", [
    ({"base": f"ou=groups,{BASE}"}, FAILED),
    ({"base": f"ou=nowhere,{BASE}"}, CONFIGURATION),
    ({"id_attribute": "nsUniqueId"}, FAILED),
    ({"id_attribute": "objectGUID"}, FAILED),
])
def test_wrong_setting(world, keys, status):
    world.delete(3)
    world.configure(**keys)
    assert "nothing was recorded or removed" in world.revoke(status=status).stderr
    assert world.is_unchanged()


def test_most_are_missing(world):
    """Like after a change of id_attribute, when some users have entries with the new id."""
    world.delete(*range(11))
    assert "less than half" in world.revoke(status=FAILED).stderr
    assert world.is_unchanged()


def test_hidden_id(make_world):
    world = make_world(first_rules=HIDDEN)
    assert "none of the 20 entries" in world.revoke(status=FAILED).stderr
    assert world.is_unchanged()


def test_hidden_id_of_one_user(make_world):
    """Everybody else is found: only the name tells that somebody is there."""
    hidden = f"uid=user000,ou=people,{BASE}"
    world = make_world(first_rules=HIDDEN.replace("to attrs", f'to dn.exact="{hidden}" attrs'))
    assert world.people[0].dn == hidden
    called = world.revoke(status=FAILED)
    assert f"id_attribute entryUUID has no value in {hidden}" in called.stderr
    assert world.is_unchanged()


def test_a_limit_of_the_users_directory(make_world):
    """Without an index, it refuses to search so many."""
    world = make_world(database=f'limits dn.exact="{IDENTITIES["mail server"]}" size.unchecked=3')
    world.delete(3)
    assert "Administrative limit exceeded" in world.revoke(status=UNAVAILABLE).stderr
    assert world.is_unchanged()


def test_a_server_of_the_store_is_down(world):
    """It is recorded, and nothing is removed until all answer."""
    world.delete(3, 4)
    world.set_since(4, ago(days=31))
    uris = world.store.ldapi, f"ldap://{dead_address()}"
    for order in uris, uris[::-1]:
        world.configure(store_write_uri=" ".join(order))
        for options in ("--dry-run",), ():
            called = world.revoke(*options, status=UNAVAILABLE)
            assert "nothing is removed until every server of the store answers" in called.stderr
            assert "removed" not in called.stdout and "waits" in called.stdout
        assert world.since(3) and world.store.owners() == sorted(world.ids)
    world.configure()
    assert "; removed" in world.revoke().stdout


def test_directory_down(world):
    world.delete(3)
    world.users.stop()
    world.revoke(status=UNAVAILABLE)
    assert world.is_unchanged()


def test_one_server_down_or_behind(world, own_directory):
    """Every server has to say so, on the connection on which it finds somebody else."""
    other = own_directory(acl=(), schema=False, ppolicy=False, site_rules=OPEN)
    world.delete(3)
    world.configure(uri=f"{world.users.ldapi} {other.ldapi}")
    assert f"{other.ldapi} finds nobody" in world.revoke(status=FAILED).stderr
    other.stop()
    world.revoke(status=UNAVAILABLE)
    assert world.is_unchanged()


def test_part_of_the_tree_is_elsewhere(world):
    world.delete(3)
    world.users.connect_as_itself().add_ext_s(f"ou=moved,{BASE}", [
        ("objectClass", [b"referral", b"extensibleObject"]), ("ou", b"moved"),
        ("ref", f"ldap://127.0.0.1:1/ou=moved,{BASE}".encode())],
        serverctrls=[ldap.controls.simple.ManageDSAITControl(True)])
    assert "refers to other servers" in world.revoke(status=FAILED).stderr
    assert world.is_unchanged()


def test_cut_off_by_a_limit(make_world):
    """The identity may not list all entries of the store."""
    world = make_world()
    world.store.stop()
    conf = world.store.folder / "slapd.conf"
    conf.write_text("\n".join(line for line in conf.read_text().splitlines()
                              if not line.startswith("limits ")).replace(
        "database mdb", "database mdb\nsizelimit 5", 1))
    world.store.start()
    world.delete(3)
    assert "nothing was recorded or removed" in world.revoke(status=FAILED).stderr
    found = world.store.connect_as_itself().search_s(world.store.entries, ldap.SCOPE_ONELEVEL)
    assert len(found) == 20
    assert not any("appPasswordOrphanSince" in entry for _, entry in found)


def test_needs_a_store(directory, tmp_path):
    site = Site(tmp_path / "plain", directory)
    assert site.command("revoke", "--orphans").returncode == CONFIGURATION


@pytest.mark.parametrize("option", [["alice"], ["--all"], ["--expired"], ["--wait"]])
def test_usage(world, option):
    world.revoke(*option, status=USAGE)


def test_an_identity_that_may_not_write(world):
    world.delete(3)
    Site.write(world.site.folder / "admin.conf", {
        "store_binddn": world.store.identities["replicator"],
        "store_bindpw_file": world.store.secret_file("replicator")})
    assert world.site.command("revoke", "--orphans").returncode != DONE
    assert world.is_unchanged()
