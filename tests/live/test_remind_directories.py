# SPDX-License-Identifier: BSD-2-Clause
"""app-password remind with 389, Active Directory, a store, and servers that replicate each other."""

import ldap
import pytest

from administration import DONE
from apppassword import from_now
from beside import IN_USERS_DIRECTORY, MFA_PLACES, Users
from conftest import new_folder
from ds389 import DirectoryServer
from reminders import (ANNOUNCED, EXPIRING, REVOKED_SOON, USUAL, Host, counts, make_host, reminders,
                       told_of_end, used)
from replication import Replication
from slapd import IDENTITIES, PASSWORD_RULE
from store import Store
from stored import People, StoredPortal
from visits import enrolled

READERS = PASSWORD_RULE + f"""\
access to * by dn.exact="{IDENTITIES["mail server"]}" read
    by dn.exact="{IDENTITIES["portal"]}" read by * none
"""


def expiring(directory, who):
    return directory.add_app_password(who, created=from_now(days=-100), expires=from_now(days=10))


def one_of_each(directory, host):
    """Mails of three kinds, and a revocation, each once."""
    since = from_now(days=-400)
    soon, idle, over, busy = (directory.new_person(mfa=True) for _ in range(4))
    one, old, gone, kept = (directory.add_app_password(who, created=since)
                            for who in (soon, idle, over, busy))
    used(directory, busy, kept, days=-1)
    expires = expiring(directory, soon)
    used(directory, soon, one, days=-1)
    directory.administrate(over, appPasswordMfaMethod=(
        f"reminder kind=unused-revoke id={gone.id} of={since} sent={from_now(days=-20)[:8]}000000Z"))
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (2, 0, 0, 1)), called
    assert sorted(host.new()) == sorted([(soon.mail, EXPIRING), (idle.mail, REVOKED_SOON)])
    assert reminders(directory, soon) == [told_of_end(14, expires)]
    assert directory.app_passwords(over) == [] and len(directory.app_passwords(idle)) == 1
    record, = reminders(directory, idle)
    assert record.startswith(f"kind=unused-revoke id={old.id} of={since} sent=")
    called = host.remind()
    assert (called.returncode, counts(called), host.new()) == (DONE, (0, 0, 0, 0), []), called


def with_dates(directory, host, stamp):
    """MFA that is announced, written as that directory writes times."""
    who = directory.new_person()
    directory.set_mfa(who, True, enforce_from=stamp)
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (1, 0, 0, 0)), called
    assert host.new() == [(who.mail, ANNOUNCED)]
    assert reminders(directory, who) == [f"kind=mfa-announced of={stamp.replace('.0Z', 'Z')}"]
    assert counts(host.remind()) == (0, 0, 0, 0)


def test_389(workdir, folder):
    directory = DirectoryServer(new_folder(workdir, "ds389")).start()
    try:
        host = make_host(folder / "etc", directory, uri=directory.ldap, revoke_unused="180d")
        host.begin(10)
        one_of_each(directory, host)
        with_dates(directory, host, from_now(days=40))
    finally:
        directory.stop()


def test_active_directory(active_directory, folder):
    host = make_host(folder / "etc", active_directory, revoke_unused="180d")
    host.begin(10)
    host.remind()  # users of other tests
    host.new()
    one_of_each(active_directory, host)
    with_dates(active_directory, host, from_now(days=40).replace("Z", ".0Z"))


@pytest.fixture(scope="module")
def servers(workdir):
    started = [Users(new_folder(workdir, "users"), site_rules=READERS).start(),
               Store(new_folder(workdir, "store")).start()]
    yield started
    for server in started:
        server.stop()


@pytest.mark.parametrize("mfa", MFA_PLACES)
def test_a_store(servers, folder, mfa):
    people = People(*servers, mfa)
    host = Host(StoredPortal(folder / "etc", people, USUAL, revoke_unused="180d"))
    host.begin(10)
    one_of_each(people, host)
    if mfa != IN_USERS_DIRECTORY:
        with_dates(people, host, from_now(days=40))


def test_with_a_store_nothing_is_written_to_the_users_directory(servers, folder):
    people = People(*servers, IN_USERS_DIRECTORY)
    host = Host(StoredPortal(folder / "etc", people, USUAL))
    host.begin(10)
    who = people.new_person(mfa=True)
    expiring(people, who)
    mark = people.users.mark()
    assert counts(host.remind())[0] >= 1
    assert [line for line in people.users.log_since(mark) if " MOD " in line or " ADD " in line] == []


def test_two_hosts_at_two_servers_send_each_mail_once(workdir, folder):
    """Each reads at its own server, and both write to the provider."""
    servers = Replication(new_folder(workdir, "servers")).start()
    try:
        hosts = [make_host(folder / name, server, uri=server.ldapi, write_uri=servers.provider.ldap)
                 for name, server in (("one", servers.provider), ("two", servers.consumer))]
        for host in hosts:
            host.begin(10)
        users = [servers.provider.new_person(mfa=True) for _ in range(10)]
        for who in users:
            expiring(servers.provider, who)
        servers.in_step()
        started = [host.start() for host in hosts]
        outputs = [process.communicate(timeout=120) for process in started]
        assert [process.returncode for process in started] == [DONE] * 2, outputs
        assert sorted(hosts[0].new() + hosts[1].new()) == sorted((who.mail, EXPIRING) for who in users)
        servers.in_step()
        assert [counts(host.remind()) for host in hosts] == [(0, 0, 0, 0)] * 2
    finally:
        servers.stop()


def test_the_record_of_one_server_counts_at_the_other(workdir, folder):
    """While the consumer does not know of it yet, too: the provider, which takes the writes, refuses."""
    servers = Replication(new_folder(workdir, "servers")).start()
    try:
        who = servers.provider.new_person(mfa=True)
        expiring(servers.provider, who)
        first = make_host(folder / "one", servers.provider)
        late = make_host(folder / "two", servers.consumer, uri=servers.consumer.ldapi,
                         write_uri=servers.provider.ldap)
        for host in (first, late):
            host.begin(10)
        servers.in_step()
        with servers.lag():
            assert counts(first.remind()) == (1, 0, 0, 0)
            assert counts(late.remind()) == (0, 0, 0, 0) and late.new() == []
    finally:
        servers.stop()
