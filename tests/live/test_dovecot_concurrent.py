# SPDX-License-Identifier: BSD-2-Clause
"""Thirty logins at once, each in its own auth worker."""

import re
from concurrent.futures import ThreadPoolExecutor

from dovecot import ACCEPTED, REFUSED, imap
from processes import wait_until
from slapd import IDENTITIES

LOGINS = 30  # the number of Dovecot's workers
PATIENT = {"timeout": 50, "deadline": 100}  # until a busy machine has so many


def prepare(directory):
    """Users, in turn with the right app password, a wrong one, the account password with MFA and
    without: (person, password, verdict, reason)."""
    for number in range(LOGINS):
        person, app_password = directory.new_person(mfa=number % 4 != 3, app_passwords=1)
        _, other = directory.new_person(mfa=True, app_passwords=1)
        yield person, *[
            (app_password.shown, ACCEPTED, "app-password"),
            (other.shown, REFUSED, "unknown-app-password"),
            (person.password, REFUSED, "account-password-with-mfa"),
            (person.password, ACCEPTED, "account-password"),
        ][number % 4]


def test_thirty_logins_at_once_do_not_get_in_each_others_way(own_directory, dovecot):
    """slapd answers none of them until the last one has asked."""
    directory = own_directory()
    logins = list(prepare(directory))
    server = dovecot(PATIENT | {"uri": directory.ldap, "login_attribute": "uid"})
    directory.pause()
    with ThreadPoolExecutor(LOGINS) as threads:
        verdicts = [threads.submit(imap, server, person.mail, password, create=f"box-{person.uid}")
                    for person, password, _, _ in logins]
        wait_until(lambda: len(server.workers()) == LOGINS, f"{LOGINS} workers")
        assert not any(verdict.done() for verdict in verdicts)
        directory.resume()
    for (person, _, expected, reason), verdict in zip(logins, verdicts):
        assert (person.uid, verdict.result()) == (person.uid, expected)
        if expected == ACCEPTED:
            assert server.owner_of(f"box-{person.uid}") == person.uid
    assert logged(server) == sorted(
        (person.mail, expected, reason) for person, _, expected, reason in logins)


def test_the_workers_go_on_without_getting_in_each_others_way(own_directory, dovecot):
    """Several successive logins for each worker, on its kept connection."""
    directory = own_directory()
    logins = list(prepare(directory))
    server = dovecot(PATIENT | {"uri": directory.ldap, "login_attribute": "uid"})
    mark = directory.mark()
    with ThreadPoolExecutor(LOGINS) as threads:
        verdicts = list(threads.map(
            lambda login: imap(server, login[0].mail, login[1]), logins * 4))
    assert verdicts == [expected for _, _, expected, _ in logins * 4]
    assert logged(server) == sorted(
        (person.mail, expected, reason) for person, _, expected, reason in logins * 4)
    kept = directory.binds_since(mark).count(IDENTITIES["mail server"])
    assert 1 <= kept <= len(server.workers()) <= LOGINS


def logged(server):
    """User, verdict and reason of each log line."""
    return sorted(re.search(r'verdict=(\S+) reason=(\S+) user="(\S+)"', line).group(3, 1, 2)
                  for line in server.events())
