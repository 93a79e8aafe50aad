# SPDX-License-Identifier: BSD-2-Clause
"""The time that a login waits for a worker counts: then its client may be gone."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, imap, pop3, submission, with_arrival

DEADLINE = 16

pytestmark = pytest.mark.dovecot23


@pytest.fixture
def server(dovecot, directory):
    return dovecot({"uri": directory.ldapi, "deadline": DEADLINE},
                   settings=with_arrival, lines="auth_worker_max_count = 1\n")


@pytest.mark.parametrize("client", [imap, pop3, submission])
def test_a_login_without_a_wait_is_decided_as_ever(server, directory, client):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert client(server, person.uid, app_password.shown) == ACCEPTED
    assert client(server, person.uid, person.password) == REFUSED


def test_a_login_that_waited_longer_than_half_of_the_deadline_costs_nothing(server, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    (worker,) = server.workers()
    mark = directory.mark()
    os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor() as threads:
        late = threads.submit(imap, server, person.uid, app_password.shown)
        time.sleep(DEADLINE / 2 + 6)  # on a busy machine, it arrives some seconds later
        os.kill(worker, signal.SIGCONT)
        assert late.result() == UNAVAILABLE
    assert "verdict=unavailable reason=waited-too-long" in server.events()[-1]
    assert not [line for line in directory.log_since(mark) if "SRCH base=" in line]
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
