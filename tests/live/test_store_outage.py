# SPDX-License-Identifier: BSD-2-Clause
"""One of the two directories stopped, silent or slow: temporary answers in time, and recovery."""

import pytest

from beside import DEFAULT_OFF, IN_USERS_DIRECTORY, relay_to
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE
from processes import seconds

# In seconds; the deadline is for both directories together. A busy machine may take much longer than that; a login
# without a deadline would wait for ever.
TIMES = {"timeout": 3, "deadline": 5}
IN_TIME = 20

FAULTS = pytest.mark.parametrize("fail, repair", [
    pytest.param(lambda server: server.stop(), lambda server: server.start(), id="stopped"),
    pytest.param(lambda server: server.pause(), lambda server: server.resume(), id="silent"),
])
# With the default on, the same searches are made as with the default off, but one.
MFA = pytest.mark.parametrize("mfa", [IN_USERS_DIRECTORY, DEFAULT_OFF])


class Logins:
    """Users with and without MFA, and what each may type."""

    def __init__(self, beside):
        self.person, self.app_password, revoked = beside.new_person(mfa=True, app_passwords=2)
        beside.revoke(self.person, revoked)
        self.without, self.unneeded = beside.new_person(app_passwords=1)
        self.no_entry = beside.users.new_person()
        self.with_app_password = [(self.person.uid, self.app_password.shown),
                                  (self.without.uid, self.unneeded.shown)]
        self.with_mfa = [(self.person.uid, self.person.password), (self.person.uid, "wrong")]
        self.without_mfa = [(self.without.uid, self.without.password)]
        self.bad = [*self.with_mfa, (self.person.uid, revoked.shown), (self.without.uid, "wrong"),
                    (self.no_entry.uid, self.app_password.shown)]
        self.good = [*self.with_app_password, *self.without_mfa]

    def all_work(self, front):
        for login in self.good:
            assert front(*login)[0] == ACCEPTED
        for login in self.bad:
            assert front(*login)[0] == REFUSED


def in_time(front, login):
    took, (verdict, _) = seconds(lambda: front(*login))
    assert took < IN_TIME
    return verdict


@MFA
@FAULTS
def test_without_the_store_whoever_needs_it_is_unavailable(own_beside, make_front, mfa, fail, repair):
    """Users whose MFA is off in the users' directory sign in on; the others wait for the store."""
    beside = own_beside(mfa)
    logins, front = Logins(beside), make_front(beside.settings | TIMES)
    logins.all_work(front)
    fail(beside.store)
    for login in logins.with_app_password + logins.with_mfa:
        assert in_time(front, login) == UNAVAILABLE
    without_mfa = {(who.uid, who.password): ACCEPTED for who in (logins.without, logins.no_entry)}
    without_mfa[logins.without.uid, "wrong"] = REFUSED
    for login, verdict in without_mfa.items():
        assert in_time(front, login) == (verdict if mfa == IN_USERS_DIRECTORY else UNAVAILABLE)
    repair(beside.store)
    logins.all_work(front)


@FAULTS
def test_without_the_users_directory_everybody_is_unavailable(
        own_beside, make_front, fail, repair):
    """Though the store answers, and though this process remembers the app passwords."""
    beside = own_beside(DEFAULT_OFF)
    logins, front = Logins(beside), make_front(beside.settings | TIMES)
    logins.all_work(front)
    fail(beside.users)
    for login in logins.good + logins.bad:
        assert in_time(front, login) == UNAVAILABLE
    repair(beside.users)
    logins.all_work(front)


def test_a_store_that_was_never_there_is_unavailable(own_beside, make_front):
    """The mail server starts before the store."""
    beside = own_beside(DEFAULT_OFF)
    logins = Logins(beside)
    beside.store.stop()
    front = make_front(beside.settings | TIMES)
    assert in_time(front, logins.with_app_password[0]) == UNAVAILABLE
    beside.store.start()
    logins.all_work(front)


@pytest.fixture
def slow(own_beside, make_front):
    """Makes (logins, mail server, relays) with a relay before each directory."""
    relays = []

    def make(mfa, **settings):
        beside = own_beside(mfa)
        pair = [relay_to(directory) for directory in (beside.users, beside.store)]
        relays.extend(pair)
        uris = [f"ldap://{relay.address}" for relay in pair]
        keys = beside.settings | TIMES | {"uri": uris[0], "store_uri": uris[1]} | settings
        return Logins(beside), make_front(keys), pair

    yield make
    for relay in relays:
        relay.close()


def test_slow_directories_are_accepted_within_the_deadline(slow):
    logins, front, relays = slow(DEFAULT_OFF, timeout=5, deadline=20)
    logins.all_work(front)
    for relay in relays:
        relay.delay = 0.2
    logins.all_work(front)


def test_the_deadline_is_for_both_directories_together(slow):
    """Each answers within its timeout; bind and search of both take twice as long as the login
    may."""
    logins, front, relays = slow(DEFAULT_OFF)
    for relay in relays:
        relay.delay = 2.6
    for login in logins.with_app_password + logins.with_mfa:
        took, (verdict, reason) = seconds(lambda login=login: front(*login))
        assert (verdict, reason) == (UNAVAILABLE, "directory-unavailable")
        assert took < IN_TIME
        for relay in relays:
            relay.cut()  # so that each login connects and binds again
            relay.restore()
    for relay in relays:
        relay.delay = 0
    logins.all_work(front)


@MFA
@pytest.mark.parametrize("which", [0, 1], ids=["users", "store"])
def test_one_directory_slower_than_its_timeout_is_unavailable_in_time(slow, mfa, which):
    logins, front, relays = slow(mfa)
    logins.all_work(front)
    relays[which].delay = 7
    for login in logins.with_app_password + logins.with_mfa:
        assert in_time(front, login) == UNAVAILABLE
    expected = ACCEPTED if which == 1 and mfa == IN_USERS_DIRECTORY else UNAVAILABLE
    for login in logins.without_mfa:
        assert in_time(front, login) == expected
    relays[which].delay = 0
    logins.all_work(front)
