# SPDX-License-Identifier: BSD-2-Clause
"""Faults under load: eight clients sign in without pause while the directory fails repeatedly.

Two directories in replication, reached by ldaps, are killed, stopped, restarted, cut off and given
an expired certificate, one at a time or both. A wrong password is never accepted and a right one
never refused, each login gets its answer in time, and logins work again as soon as one directory
does.
"""

import itertools
import random
from collections import Counter
from types import SimpleNamespace

import pytest

import dovecot
from breakable import ReplicatedServers
from dovecot_fixtures import new_dovecot
from load import (Clients, died, footprint, inflict, make_logins, over_imap, over_smtp,
                  wrong_verdicts)
from processes import sanitizers, wait_until

# In seconds. The slack allows for a busy machine.
TIMEOUT, DEADLINE, SLACK = 2, 8, 15

# The service must find a directory again within this time.
BACK = TIMEOUT + 1

SHORT, LONG = SimpleNamespace(logins=1500, faults=10), SimpleNamespace(logins=20000, faults=50)

KINDS = ["kill", "stop", "restart", "cut", "expire"]


@pytest.fixture
def servers(folder, authority):
    servers = ReplicatedServers(folder, authority)
    try:
        yield servers.start()
    finally:
        servers.stop()


def test_faults_under_load(request, servers, postfix, mail_server, workdir, authority, lua_module):
    size = LONG if request.config.getoption("--long") else SHORT
    logins = make_logins(servers.both.provider)
    servers.both.in_step()
    config = servers.settings | {"tls_cacert": authority.ca, "timeout": TIMEOUT,
                                 "deadline": DEADLINE, "login_attribute": "uid"}
    smtp_server = mail_server(config, kind="under load")
    imap_server = new_dovecot(workdir, servers.both.provider, config, authority=authority,
                              module=lua_module)
    imap_server.start()

    def could_answer(_, begin, end):
        return servers.was_one_up(begin, end)

    def processes():
        return footprint(postfix.processes(smtp_server.service) + imap_server.workers())

    try:
        with Clients(logins, [over_smtp(smtp_server), over_imap(imap_server)] * 4) as clients:
            wait_until(lambda: len(clients.answers) > min(1000, size.logins // 3), "logins",
                       timeout=120)
            before = processes()
            count = inflict(servers.pair, KINDS, random.Random(7), size.faults,
                            lambda: len(clients.answers) >= size.logins)
            wait_until(lambda: all(answer.verdict != dovecot.UNAVAILABLE
                                   for answer in clients.answers[-100:]), "service", timeout=60)
            after = processes()
        answers = clients.answers
        longest = max(answer.end - answer.begin for answer in answers)
        verdicts = Counter((answer.protocol, answer.verdict) for answer in answers)
        kept = before.keys() & after.keys()
        growth = max(after[pid].resident - before[pid].resident for pid in kept)
        print(f"\n{len(answers)} logins, {dict(count)} faults, verdicts {dict(verdicts)}, "
              f"longest {longest:.2f} s, {len(kept)} processes from first to last, "
              f"the largest grew by {growth} KiB, files {before} -> {after}")
        assert list(itertools.islice(wrong_verdicts(answers, BACK, could_answer, clients.stalls), 5)) == []
        assert clients.troubles == []
        assert longest < DEADLINE + SLACK
        assert kept and (growth < 2048 or sanitizers())
        assert all(after[pid].files <= before[pid].files + 2 for pid in kept)
        assert died(postfix.log_of(smtp_server.service)) == []
        assert died(imap_server.log.read_text(errors="replace").splitlines()) == []
    finally:
        imap_server.stop()
