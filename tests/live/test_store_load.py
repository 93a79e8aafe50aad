# SPDX-License-Identifier: BSD-2-Clause
"""Faults under load with a store: eight clients sign in while either directory or both fail.

They are killed, stopped, restarted, cut off and slow. A wrong password is never accepted and a right
one never refused, each login gets its answer in time, logins work again as soon as both
directories do, and those that need only the users' directory go on without the store.
"""

import itertools
import random
from collections import Counter
from types import SimpleNamespace

import pytest

import dovecot
from beside import DEFAULT_OFF, IN_USERS_DIRECTORY, tcp
from beside_fixtures import Settings
from breakable import Server
from dovecot_fixtures import new_dovecot
from load import (Clients, Login, died, footprint, inflict, make_logins, over_imap, over_smtp,
                  wrong_verdicts)
from processes import sanitizers, wait_until
from stored import People

# In seconds. The slack allows for a busy machine.
TIMEOUT, DEADLINE, SLACK = 2, 6, 15

# The service must find a directory again within this time.
BACK = TIMEOUT + 1

SHORT, LONG = SimpleNamespace(logins=1000, faults=12), SimpleNamespace(logins=20000, faults=60)

KINDS = ["kill", "stop", "restart", "cut", "slow"]


@pytest.mark.parametrize("mfa", [IN_USERS_DIRECTORY, DEFAULT_OFF])
def test_faults_of_both_directories_under_load(
        request, own_beside, mfa, postfix, mail_server, workdir, authority, lua_module):
    size = LONG if request.config.getoption("--long") else SHORT
    beside = own_beside(mfa, ppolicy=False)
    is_in_store = mfa != IN_USERS_DIRECTORY
    logins = make_logins(People(beside.users, beside.store, mfa), is_in_store)
    without_entry = beside.users.new_person()
    logins.append(Login(without_entry.uid, without_entry.password, True, is_in_store))
    servers = users, store = [Server(slapd, tcp(slapd)) for slapd in (beside.users, beside.store)]
    config = beside.settings | {"uri": users.uri, "store_uri": store.uri, "timeout": TIMEOUT,
                                "deadline": DEADLINE, "login_attribute": "uid"}
    smtp_server = mail_server(config, kind="under load")
    imap_server = new_dovecot(workdir, Settings(config), authority=authority, module=lua_module)
    imap_server.start()

    def could_answer(login, begin, end):
        return users.was_up(begin, end) and (not login.needs_store or store.was_up(begin, end))

    def processes():
        return footprint(postfix.processes(smtp_server.service) + imap_server.workers())

    try:
        with Clients(logins, [over_smtp(smtp_server), over_imap(imap_server)] * 4) as clients:
            wait_until(lambda: len(clients.answers) > size.logins // 3, "logins", timeout=120)
            before = processes()
            count = inflict(servers, KINDS, random.Random(11), size.faults,
                            lambda: len(clients.answers) >= size.logins)
            wait_until(lambda: all(answer.verdict != dovecot.UNAVAILABLE
                                   for answer in clients.answers[-100:]), "service", timeout=60)
            after = processes()
        answers = clients.answers
        longest = max(answer.end - answer.begin for answer in answers)
        verdicts = Counter((answer.protocol, answer.verdict) for answer in answers)
        on_without_store = sum(
            not answer.login.needs_store and answer.verdict == dovecot.ACCEPTED
            and not store.was_up(answer.begin, answer.end) for answer in answers)
        kept = before.keys() & after.keys()
        growth = max(after[pid].resident - before[pid].resident for pid in kept)
        print(f"\n{len(answers)} logins, {dict(count)} faults, verdicts {dict(verdicts)}, "
              f"longest {longest:.2f} s, {on_without_store} accepted while the store was not up, "
              f"{len(kept)} processes from first to last, the largest grew by {growth} KiB")
        assert list(itertools.islice(wrong_verdicts(answers, BACK, could_answer, clients.stalls), 5)) == []
        assert clients.troubles == []
        assert longest < DEADLINE + SLACK
        assert mfa != IN_USERS_DIRECTORY or on_without_store > 0
        assert kept and (growth < 2048 or sanitizers())
        assert all(after[pid].files <= before[pid].files + 2 for pid in kept)
        assert died(postfix.log_of(smtp_server.service)) == []
        assert died(imap_server.log.read_text(errors="replace").splitlines()) == []
    finally:
        for server in servers:
            server.close()
        imap_server.stop()
