# SPDX-License-Identifier: BSD-2-Clause
"""Two servers of one store: each host reads at its own, and all write to the first."""

import re

import pytest

import smtp
from administration import DONE, UNAVAILABLE
from beside import DEFAULT_ON, READERS, Users
from conftest import new_folder
from processes import seconds, wait_until
from store import StorePair
from stored import People, StoredPortal, StoredSite
from visits import enrolled, make_app_password


class Hosts(People):
    """What the second host has in its configuration: its own server first, and then the other."""

    def __init__(self, users, pair, authority):
        super().__init__(users, pair.servers[0], DEFAULT_ON)
        self.pair, self.authority, (self.one, self.two) = pair, authority, pair.servers

    @property
    def store_uri(self):
        first, second = self.pair.uris
        return {"store_uri": f"{second} {first}", "store_write_uri": f"{first} {second}",
                "store_tls_cacert": self.authority.ca}


@pytest.fixture
def hosts(workdir, authority):
    users = Users(new_folder(workdir, "users"), site_rules=READERS)
    pair = StorePair(new_folder(workdir, "stores"), authority)
    try:
        users.start()
        pair.start()
        yield Hosts(users, pair, authority)
    finally:
        users.stop()
        pair.stop()


@pytest.fixture
def site(hosts, tmp_path):
    return StoredSite(tmp_path / "site", hosts)


def asked(server, mark, who="mail-server"):
    """What an identity asked there: (binds, searches, changes)."""
    log = "\n".join(server.log_since(mark))
    connections = set(re.findall(rf'conn=(\d+) op=\d+ BIND dn="cn={who},', log))
    lines = [line for line in log.splitlines()
             if (found := re.search(r"conn=(\d+) ", line)) and found[1] in connections]
    return tuple(sum(bool(re.search(what, line)) for line in lines) for what in (
        " BIND dn=.* method=", " SRCH base=", " (MOD|ADD) dn="))


def test_a_host_reads_at_its_own_server_and_writes_to_the_first(hosts, site, mail_server):
    server = mail_server(hosts.settings | {"record_use": "1d"})
    who = hosts.users.new_person()
    marks = hosts.one.mark(), hosts.two.mark()
    shown = site.create(who)
    assert asked(hosts.one, marks[0], "administrator")[2] == 1
    assert asked(hosts.two, marks[1], "administrator") == (0, 0, 0)
    owner = hosts.users.id(who)
    hosts.pair.in_step()
    assert server.sign_in(who.uid, shown).code == smtp.ACCEPTED
    wait_until(lambda: hosts.one.values(owner, "appPasswordUsed"), "the use to be recorded")
    hosts.pair.in_step()
    assert hosts.two.values(owner, "appPasswordUsed") == hosts.one.values(owner, "appPasswordUsed")
    binds, searches, changes = asked(hosts.two, marks[1])
    assert searches >= 1 and changes == 0, "only the login"
    assert asked(hosts.one, marks[0])[2] == 1, "only the last use"


def test_wait_is_over_when_both_show_it(hosts, site):
    who = hosts.users.new_person()
    shown = site.create(who)
    hosts.pair.in_step()
    assert site.done("revoke", who.uid, shown[:4], "--wait=20s") == f"{who.uid}: {shown[:4]} revoked\n"
    owner = hosts.users.id(who)
    for server in hosts.pair.servers:
        value, = server.values(owner, "appPassword")
        assert " revoked=" in value
    assert site.answers(who.uid, shown) == ("refused", "revoked")


def test_wait_names_the_server_that_does_not_answer(hosts, site):
    who = hosts.users.new_person()
    one, two = site.create(who), site.create(who)
    hosts.pair.in_step()
    hosts.two.stop()
    called = site.command("revoke", who.uid, one[:4], "--wait=1s")
    assert called.returncode == UNAVAILABLE and f"{one[:4]} revoked" in called.stdout, called
    assert hosts.pair.uris[1] in called.stderr and hosts.pair.uris[0] not in called.stderr, called
    hosts.two.start()
    called = site.command("revoke", who.uid, "--all", "--wait=30s")
    assert called.returncode == DONE, called
    for shown in one, two:
        assert site.answers(who.uid, shown) == ("refused", "revoked")


def test_the_first_is_down(hosts, site, mail_server):
    """The second takes the changes, and the first gets them when it is back."""
    server = mail_server(hosts.settings | {"record_use": "1d"})
    old, new = hosts.users.new_person(), hosts.users.new_person()
    revoked, kept = site.create(old), site.create(old)
    hosts.pair.in_step()
    hosts.one.stop()
    shown = site.create(new)
    site.done("revoke", old.uid, revoked[:4])
    assert server.sign_in(new.uid, shown).code == smtp.ACCEPTED
    assert server.sign_in(old.uid, revoked).code == smtp.REFUSED
    assert server.sign_in(old.uid, kept).code == smtp.ACCEPTED
    hosts.one.start()
    hosts.pair.in_step()
    owner = hosts.users.id(old)
    assert [" revoked=" in value for value in hosts.one.values(owner, "appPassword")].count(True) == 1
    assert hosts.one.values(hosts.users.id(new), "appPassword")
    assert {one["id"] for one in site.listed(old)} == {kept[:4]}


def test_its_own_is_down(hosts, site, mail_server):
    """The host asks the other one, within the deadline."""
    server = mail_server(hosts.settings | {"timeout": "2", "deadline": "20"})
    who = hosts.users.new_person()
    shown = site.create(who)
    hosts.pair.in_step()
    assert server.sign_in(who.uid, shown).code == smtp.ACCEPTED
    hosts.two.pause()
    try:
        took, reply = seconds(lambda: server.sign_in(who.uid, shown))
    finally:
        hosts.two.resume()
    assert reply.code == smtp.ACCEPTED and took < 15, (reply, took)
    hosts.two.stop()
    assert server.sign_in(who.uid, shown).code == smtp.ACCEPTED
    hosts.one.stop()
    assert server.sign_in(who.uid, shown).code == smtp.UNAVAILABLE
    assert server.sign_in(who.uid, who.password).code == smtp.UNAVAILABLE


def test_the_page(hosts, workdir):
    portal = StoredPortal(new_folder(workdir, "portal") / "etc", hosts).start()
    try:
        who = hosts.users.new_person()
        marks = hosts.one.mark(), hosts.two.mark()
        client, _ = enrolled(portal, who)
        shown = make_app_password(client)
        assert asked(hosts.two, marks[1], "portal") == (0, 0, 0)
        assert asked(hosts.one, marks[0], "portal")[2] >= 2
        hosts.pair.in_step()
        assert portal.answers(who.uid, shown) == ("accepted", "app-password")
    finally:
        portal.stop()
