# SPDX-License-Identifier: BSD-2-Clause
"""A load balancer between us and the directory forgets idle connections and tells neither side."""

import re
import time

import pytest

from dovecot import ACCEPTED as OK, REFUSED as NO, imap
from fakes import Relay
from processes import seconds
from smtp import ACCEPTED, REFUSED

TIMEOUT = 8  # seconds; a login over a forgotten connection takes at least as long


@pytest.fixture
def balancer(directory):
    relay = Relay(*re.fullmatch(r"ldap://(.*):(\d+)", directory.ldap).groups())
    yield relay
    relay.close()


def keys(balancer, **more):
    return {"uri": f"ldap://{balancer.address}", "timeout": TIMEOUT, "deadline": 3 * TIMEOUT} | more


def be_idle(balancer, for_seconds=1.2):
    """Nobody signs in until the balancer has forgotten the connections."""
    time.sleep(for_seconds)
    balancer.swallow()


def sign_in_by_postfix(mail_server, dovecot, config):
    server = mail_server(config)
    return lambda who, password: server.sign_in(who.uid, password).code


def sign_in_by_dovecot(mail_server, dovecot, config):
    server = dovecot(config)
    return lambda who, password: {OK: ACCEPTED, NO: REFUSED}[imap(server, who.uid, password)]


HOSTS = {"Postfix": sign_in_by_postfix, "Dovecot": sign_in_by_dovecot}


@pytest.mark.parametrize("host", HOSTS)
def test_a_login_after_the_limit_is_quick(mail_server, dovecot, directory, balancer, host):
    """By an app password and by an account password, right and wrong."""
    sign_in = HOSTS[host](mail_server, dovecot, keys(balancer, idle="1s"))
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    simple = directory.new_person()
    logins = [(person, app_password.shown, ACCEPTED), (simple, simple.password, ACCEPTED),
              (person, person.password, REFUSED), (simple, "wrong", REFUSED)]
    assert sign_in(person, app_password.shown) == ACCEPTED
    for who, password, code in logins:
        be_idle(balancer)
        took, answered = seconds(lambda: sign_in(who, password))
        assert answered == code
        assert took < TIMEOUT


def test_without_a_limit_the_login_waits_for_the_timeout(mail_server, directory, balancer):
    """The same balancer: the test above would notice."""
    server = mail_server(keys(balancer, idle="never"))
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
    be_idle(balancer)
    took, reply = seconds(lambda: server.sign_in(person.uid, app_password.shown))
    assert took >= TIMEOUT
    assert reply.code == ACCEPTED


@pytest.mark.parametrize("idle", [{}, {"idle": "never"}, {"idle": "2m"}])
def test_within_the_limit_one_connection_serves_all(mail_server, directory, balancer, idle):
    server = mail_server(keys(balancer, **idle))
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    for _ in range(3):
        assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
        time.sleep(0.2)
    assert balancer.connections == 1


def test_each_use_starts_the_time_anew(mail_server, directory, balancer):
    """Between two uses, a busy machine may halt for some seconds."""
    server = mail_server(keys(balancer, idle="8s"))
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    begin = time.monotonic()
    while time.monotonic() - begin < 9:
        assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
        time.sleep(0.3)
    assert balancer.connections == 1
