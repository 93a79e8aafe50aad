# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on a site with two servers of one store."""

import re

import pytest

from beside import DEFAULT_ON, tcp
from conftest import new_folder
from store import StorePair
from stored import People
from test_doctor import assert_finds
from test_doctor_store import assert_only, assert_silent, doctor, make_site, populate, users  # noqa: F401


class Pair(People):
    """Two servers of one store, whose certificates the CA has signed."""

    def __init__(self, users, pair, authority):
        super().__init__(users, pair.servers[0], DEFAULT_ON)
        self.pair, self.authority = pair, authority

    @property
    def settings(self):
        return self.store.settings | {
            "uri": tcp(self.users), "store_uri": " ".join(self.pair.uris), "store_mfa": "yes",
            "store_tls_cacert": self.authority.ca, "id_attribute": "entryUUID"}


@pytest.fixture
def pair(users, workdir, authority):
    servers = StorePair(new_folder(workdir, "stores"), authority)
    try:
        servers.start()
        people = populate(Pair(users, servers, authority))
        servers.in_step()
        yield people
    finally:
        servers.stop()


def test_each_server_is_asked(pair, tmp_path):
    called = doctor(make_site(tmp_path, pair))
    for uri in pair.pair.uris:
        for said in (f"store_uri: {uri} answers", f"certificate: {uri}: ", f"schema: {uri}",
                     f"rights: {uri}: the mail server may write appPasswordUsed"):
            assert f"ok       {said}" in called.stdout, called.stdout
    assert "replication: 2 servers have the same 1 entries" in called.stdout
    assert_silent(called)


def test_a_certificate_of_another_ca(pair, tmp_path):
    called = doctor(make_site(tmp_path, pair,
                              store_tls_cacert="/etc/ssl/certs/ca-certificates.crt"))
    assert_finds(called, "certificate: ", "store_tls_cacert FILE")
    assert called.stdout.count("PROBLEM") == 2, "one for each server"


def test_a_server_that_is_behind(pair, tmp_path):
    """Its replication is broken, and it does not say so."""
    one, two = pair.pair.servers
    for server in one, two:
        server.stop()
        file = server.folder / "replication.conf"
        file.write_text(re.sub('provider="[^"]*"', 'provider="ldaps://127.0.0.1:1"',
                               file.read_text()))
        server.start()
    assert_silent(doctor(make_site(tmp_path, pair)))
    pair.new_person(mfa=True, app_passwords=1)
    first, second = pair.pair.uris
    site = make_site(new_folder(tmp_path, "behind"), pair)
    called = doctor(site)
    assert_finds(called, f"replication: {second} is behind {first}: it has 1 entries instead of 2",
                 "the log of slapd on that host")
    assert called.stdout.count("PROBLEM") == 1, called.stdout


def test_hosts_that_write_in_different_order(pair, tmp_path):
    one, two = pair.pair.servers
    two.administrate(pair.users.id(pair.populated), appPasswordMfaEnforceFrom="20260102000000Z")
    pair.pair.in_step()
    first, second = pair.pair.uris
    assert_silent(doctor(make_site(tmp_path, pair)))
    pair.new_person(mfa=True)
    pair.pair.in_step()
    site = make_site(new_folder(tmp_path, "other"), pair, store_uri=f"{second} {first}",
                     store_write_uri=f"{first} {second}")
    assert_only(doctor(site), "both took changes", f"store_write_uri {first} ")


def test_a_page_beside_two_servers_that_take_changes(pair, tmp_path):
    first, second = pair.pair.uris
    assert_only(doctor(make_site(tmp_path, pair, portal=True)),
                f"store_write_uri: {first} and {second} both take changes",
                f"store_write_uri {first}   # the same one server")
