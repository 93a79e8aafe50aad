# SPDX-License-Identifier: BSD-2-Clause
"""The time of a refusal over the wire must not reveal its reason."""

import random
import statistics
import threading
import time
from collections import defaultdict

import pytest

import smtp
from slapd import ACL, person
from smtp import REFUSED

CLIENTS, TRIES = 50, 500  # at once; tries of each kind
TOGETHER_MS = 2           # the medians' largest allowed difference


@pytest.fixture
def patient(own_directory):
    """A directory that never locks an account."""
    return own_directory(ppolicy=False, acl=ACL["slapd.conf"][:1])


@pytest.fixture
def logins(patient):
    """Each kind of refusal: the login and the password."""
    with_mfa, kept, revoked = patient.new_person(mfa=True, app_passwords=2)
    patient.revoke(with_mfa, revoked)
    wrong = kept.shown[:5] + patient.new_person(app_passwords=1)[1].shown[5:]
    return {
        "unknown user": (person("nobody").uid, "x"),
        "MFA user, account password": (with_mfa.uid, with_mfa.password),
        "revoked app password": (with_mfa.uid, revoked.shown),
        "wrong app password": (with_mfa.uid, wrong),
        "user without MFA, wrong password": (patient.new_person().uid, "x"),
    }


@pytest.mark.long
def test_fifty_clients_at_once_cannot_tell_refusals_apart(mail_server, patient, logins):
    """500 tries of each kind; the medians differ by two milliseconds at most."""
    server = mail_server({"uri": patient.ldap, "refusal_delay": 1}, kind="many processes")
    tries = [kind for kind in logins for _ in range(TRIES)]
    random.Random(3).shuffle(tries)
    took, troubles, lock = defaultdict(list), [], threading.Lock()

    def run():
        client = server.connect()
        while True:
            with lock:
                if not tries:
                    break
                kind = tries.pop()
            begin = time.perf_counter()
            reply = smtp.plain(client, *logins[kind])
            took[kind].append(time.perf_counter() - begin)
            if reply.code != REFUSED:
                troubles.append((kind, reply))
        client.close()

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    medians = {kind: 1000 * statistics.median(times) for kind, times in took.items()}
    print("\n" + "\n".join(f"{len(took[kind])} x {kind}: median {median:.2f} ms, shortest "
                           f"{1000 * min(took[kind]):.2f} ms" for kind, median in medians.items()))
    assert troubles == []
    assert {len(times) for times in took.values()} == {TRIES}
    assert min(min(times) for times in took.values()) >= 1
    assert max(medians.values()) - min(medians.values()) < TOGETHER_MS
