# SPDX-License-Identifier: BSD-2-Clause
"""The list has the host name of a last use (reverse_names), with a real name server."""

import re

import pytest

from apppassword import from_now
from conftest import new_folder
from portal import Portal
from processes import SLOWLY, Clock, seconds, wait_until
from resolver import Resolver
from visits import enrolled

NAMED, NAMED6 = "192.0.2.17", "2001:db8:0:17::1:2"
FORGED, ELSEWHERE, LOST, NAMELESS = "192.0.2.18", "192.0.2.19", "192.0.2.20", "192.0.2.21"
AN_ADDRESS, SINGLE, LONG = "192.0.2.22", "192.0.2.23", "192.0.2.24"
MUTE = [f"198.51.100.{number}" for number in range(1, 21)]
LONG_NAME = ".".join(["long" * 12] * 3) + ".example"


@pytest.fixture(scope="module")
def resolver(workdir):
    server = Resolver(new_folder(workdir, "resolver") / "dns")
    server.name(NAMED, "Pool-17.anna.example")
    server.name(NAMED6, "phone.anna.example")
    server.name(FORGED, "mail.bank.example", forward="192.0.2.99")
    server.name(LOST, "nowhere.example", forward="")
    server.name(AN_ADDRESS, "203.0.113.5")
    server.name(SINGLE, "router")
    server.name(LONG, LONG_NAME)
    for address in MUTE:
        server.mute(address)
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def start_portal(resolver, directory, workdir):
    started = []

    def make(env=None, **conf):
        portal = Portal(new_folder(workdir, "names") / "etc", directory, conf)
        portal.enter = resolver.enter
        started.append(portal)
        return portal.start(env)

    yield make
    for portal in started:
        portal.stop()


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal(reverse_names="yes")


def with_uses(directory, portal, *addresses):
    """Somebody who sees the list, with one app password last used from each address."""
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    used = []
    for number, address in enumerate(addresses):
        added = directory.add_app_password(who, label=f"Device {number}")
        used.append(f"id={added.id} at={from_now(days=-1)} service=imap from={address}")
    directory.administrate(who, appPasswordUsed=used)
    return client


def last_uses(client):
    """What the list has behind the service, in the order of the labels."""
    text = client.get("").text
    rows = dict(re.findall(r"<h2>[^\n]*?Device (\d+)\b.*?<dt>Last used</dt><dd>(.*?)</dd>", text, re.DOTALL))
    return [re.findall(r'<span class="also"[^>]*>([^<]+)</span>', rows[str(number)])[1:]
            for number in range(len(rows))]


def see(client, *uses):
    """Wait for these: on a busy machine the page, which waits half a second, may have a name only the next time."""
    wait_until(lambda: last_uses(client) == list(uses), f"{uses}, last {last_uses(client)}")


def test_the_name_stands_beside_the_network(directory, portal):
    client = with_uses(directory, portal, NAMED, NAMED6, NAMELESS)
    see(client, [NAMED, "pool-17.anna.example"], ["2001:db8:0:17::/64", "phone.anna.example"], [NAMELESS])


def test_it_is_off_by_default_and_asks_nobody(directory, resolver, start_portal):
    for conf in ({}, {"reverse_names": "no"}):
        client = with_uses(directory, start_portal(**conf), ELSEWHERE)
        assert last_uses(client) == [[ELSEWHERE]]
    assert resolver.asked(ELSEWHERE) == 0


@pytest.mark.parametrize("address", [FORGED, LOST, AN_ADDRESS, SINGLE, LONG], ids=[
    "leads elsewhere", "leads nowhere", "looks like an address", "one word", "too long"])
def test_a_name_that_its_owner_made_up_is_not_shown(directory, resolver, portal, address):
    client = with_uses(directory, portal, address)
    assert last_uses(client) == [[address]]
    wait_until(lambda: resolver.asked(address) > 0, "a question")
    assert last_uses(client) == [[address]]


def test_a_name_is_asked_for_once(directory, resolver, portal):
    client = with_uses(directory, portal, NAMED)
    see(client, [NAMED, "pool-17.anna.example"])
    before = resolver.asked(NAMED)
    for _ in range(3):
        assert last_uses(client) == [[NAMED, "pool-17.anna.example"]]
    assert resolver.asked(NAMED) == before > 0


def test_silent_name_servers_delay_the_list_once_and_half_a_second(directory, start_portal, folder):
    clock = Clock(folder / "clock")
    portal = start_portal(clock.env, reverse_names="yes")
    client = with_uses(directory, portal, NAMED, *MUTE[:10], NAMED6)
    clock.set(SLOWLY)  # half a second lasts five
    took, uses = seconds(lambda: last_uses(client))
    assert uses[0][1:] == ["pool-17.anna.example"] and uses[-1][1:] == ["phone.anna.example"]
    assert uses[1:-1] == [[address] for address in MUTE[:10]]
    assert 4 < took < 10
    took, _ = seconds(lambda: last_uses(client))
    assert took < 4


def test_more_silent_ones_than_threads(directory, resolver, start_portal):
    """They cost others their names for a while, and nobody the page; the end waits for nobody."""
    portal = start_portal(reverse_names="yes")
    client = with_uses(directory, portal, *MUTE)
    assert last_uses(client) == [[address] for address in MUTE]
    other, before = with_uses(directory, portal, NAMED), resolver.asked(NAMED)
    assert last_uses(other) == [[NAMED]]
    assert resolver.asked(NAMED) == before, "no thread is free yet"
    wait_until(lambda: last_uses(other) == [[NAMED, "pool-17.anna.example"]], "the name")
    last_uses(with_uses(directory, portal, *(f"203.0.113.{number}" for number in range(30))))
    took, _ = seconds(portal.stop)
    assert took < 15
