# SPDX-License-Identifier: BSD-2-Clause
"""app-password-watch on two hosts, with Dovecot 2.3 and 2.4, that ask two directories in replication."""

import signal
import time
from collections import namedtuple

import pytest

from conftest import new_folder, write_config
from dovecot24 import Debian13, Dovecot24, ThisMachine, is_here
from dovecot_fixtures import new_dovecot
from processes import Clock, kill, wait_until
from replication import Replication
from watching import INTERVAL, Session, Watch, revoke

CROWD = 2000  # more users than have their turn while a test waits

Host = namedtuple("Host", "dovecot watch clock")
Sessions = namedtuple("Sessions", "phone laptop other")


@pytest.fixture(scope="module")
def debian13(workdir, lua_module, pam_module):
    if is_here():
        return ThisMachine(lua_module, pam_module)
    return Debian13(new_folder(workdir, "debian-13"))


class TwoHosts:
    """The first asks directory A, the provider; the second asks B, its consumer."""

    def __init__(self, workdir, pair, authority, lua_module, debian13):
        self.pair, self.a, self.b = pair, pair.provider, pair.consumer
        self.first = self._host(workdir, self.a, new_dovecot(
            workdir, self.a, {"uri": self.a.ldap}, authority=authority, module=lua_module))
        folder = new_folder(workdir, "dovecot24")
        path = write_config(folder, **self.b.settings | {"uri": self.b.ldap})
        self.second = self._host(workdir, self.b, Dovecot24(
            folder, path, debian13.lua_module, authority, inside=debian13.inside))
        self.hosts = self.first, self.second

    @staticmethod
    def _host(workdir, directory, dovecot):
        folder = new_folder(workdir, "watch")
        clock = Clock(folder / "clock")
        faketime = [f"{name}={clock.env[name]}" for name in
                    ("LD_PRELOAD", "FAKETIME_NO_CACHE", "FAKETIME_TIMESTAMP_FILE")]
        # Setting the clock of a host changes no monotonic clock.
        prefix = ["env", *faketime, "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        return Host(dovecot, Watch(folder, dovecot, directory, prefix=prefix, uri=directory.ldap),
                    clock)

    def start(self):
        for host in self.hosts:
            host.dovecot.start()
            host.watch.join(CROWD)
            host.watch.start()

    def stop(self):
        for host in self.hosts:
            host.watch.stop()
            host.dovecot.stop()

    def open(self):
        """Two users: one has a phone and a laptop at each host. Waits until both watches know them."""
        self.who, self.phone, self.laptop = self.a.new_person(mfa=True, app_passwords=2)
        self.other, others = self.a.new_person(mfa=True, app_passwords=1)
        self.pair.in_step()
        sessions = [Sessions(Session(host.dovecot, self.who, self.phone.shown),
                             Session(host.dovecot, self.who, self.laptop.shown),
                             Session(host.dovecot, self.other, others.shown)) for host in self.hosts]
        for host in self.hosts:
            host.watch.completes_rounds()
        return sessions

    def assert_ended(self, sessions):
        """The phone's alone in 2.4; in 2.3 also the laptop's, which can come back."""
        for host, of_host in zip(self.hosts, sessions):
            of_host.phone.ends()
            host.watch.says(f'action=kick reason=revoked user="{self.who.uid}"')
        sessions[0].laptop.ends()
        again = Session(self.first.dovecot, self.who, self.laptop.shown)
        for host in self.hosts:
            host.watch.completes_rounds(3)
            assert len(host.watch.lines("action=kick")) == 1
        assert again.is_open() and sessions[1].laptop.is_open()
        assert all(of_host.other.is_open() for of_host in sessions)


@pytest.fixture
def two_hosts(workdir, authority, lua_module, debian13):
    pair = Replication(new_folder(workdir, "replication"), authority=authority,
                       database="index modifyTimestamp eq")
    hosts = TwoHosts(workdir, pair, authority, lua_module, debian13)
    try:
        pair.start()
        hosts.start()
        yield hosts
    finally:
        hosts.stop()
        pair.stop()


def test_what_is_revoked_at_one_directory_ends_on_both_hosts(two_hosts):
    sessions = two_hosts.open()
    revoke(two_hosts.a, two_hosts.who, two_hosts.phone)
    two_hosts.assert_ended(sessions)


def test_a_replica_that_lags_ends_them_when_it_catches_up(two_hosts):
    """The change is dated earlier than others which the replica has had before it."""
    sessions = two_hosts.open()
    with two_hosts.pair.lag():
        revoke(two_hosts.a, two_hosts.who, two_hosts.phone)
        sessions[0].phone.ends()
        two_hosts.second.watch.completes_rounds(3)
        assert sessions[1].phone.is_open()
    two_hosts.assert_ended(sessions)


def test_a_directory_that_is_killed_delays_only_its_own_host(two_hosts):
    sessions = two_hosts.open()
    two_hosts.first.watch.completes_rounds(1)
    two_hosts.first.watch.process.send_signal(signal.SIGSTOP)  # it may not learn of this at A
    revoke(two_hosts.a, two_hosts.who, two_hosts.phone)
    two_hosts.pair.in_step()
    kill(two_hosts.a.process)
    two_hosts.first.watch.process.send_signal(signal.SIGCONT)
    sessions[1].phone.ends()
    two_hosts.first.watch.says("the directory does not answer, so no session is ended")
    time.sleep(2 * INTERVAL)
    assert all(session.is_open() for session in sessions[0])
    two_hosts.a.start()
    two_hosts.assert_ended(sessions)


@pytest.mark.parametrize("offset", ["-65", "+65"])
def test_the_clock_of_a_host_that_jumps_by_a_minute(two_hosts, offset):
    sessions = two_hosts.open()
    for host in two_hosts.hosts:
        host.clock.set(offset)
        host.watch.completes_rounds()
        assert not host.watch.lines("action=kick")
    revoke(two_hosts.a, two_hosts.who, two_hosts.phone)
    two_hosts.assert_ended(sessions)


def test_a_watch_that_is_killed_in_the_middle_forgets_nobody(two_hosts):
    sessions = two_hosts.open()
    for host in two_hosts.hosts:
        host.watch.run_doveadm(  # a kick never ends
            f'[ "$1" != kick ] || {{ touch {host.watch.folder}/kicks; sleep 60; }}; '
            f'exec {host.watch.real_doveadm()} "$@"')
    revoke(two_hosts.a, two_hosts.who, two_hosts.phone)
    for host in two_hosts.hosts:
        wait_until((host.watch.folder / "kicks").exists, "a kick")
        host.watch.kill()
        host.watch.run_doveadm()
        host.watch.start()
    two_hosts.assert_ended(sessions)
