# SPDX-License-Identifier: BSD-2-Clause
"""What breaks in a round while clients sign in.

A fault is a function (host, dice) that breaks something, repairs it, and checks what the clients cannot
see. It returns its name.
"""

import contextlib
import http.client
import threading
import time

from apppassword import from_now, tombstone
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, imap
from processes import kill
from visits import choosing_app, enrolled, let_in, make_app_password, second_factors
from watching import Session

AT_ONCE = 0.3  # how often all directories break at the same time


def directories(kind):
    """One directory or all of them."""
    def fault(host, dice):
        servers = host.landscape.servers
        chosen = list(servers) if dice.random() < AT_ONCE else [dice.choice(servers)]
        for server in chosen:
            server.break_by(kind, dice)
        time.sleep(dice.uniform(0.2, 6))
        for server in dice.sample(chosen, len(chosen)):
            server.repair()
        return f"{kind} {'all' if len(chosen) > 1 else 'one'} of {len(servers)}"
    return fault


def full_disk(host, dice):
    """No room for a log line."""
    filler = host.disk / "filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    time.sleep(dice.uniform(0.2, 4))
    filler.unlink()
    return "disk full"


def clock_steps(host, dice):
    """The clock of a host with PAM jumps, by less than a day or by more than an entry's dates explain."""
    for offset in (f"{dice.choice('+-')}{dice.uniform(0, 12):.2f}h", f"{dice.choice('+-')}40d", "+0"):
        host.clock.set(offset)
        for login in dice.sample(host.logins_by_uid, 12):
            right = ACCEPTED if login.is_good else REFUSED
            verdict = host.asks_saslauthd(login)
            assert verdict in (right, UNAVAILABLE), f"at {offset}: {verdict}: {login}"
    host.serves()
    for login in host.logins_by_uid[:10]:
        right = ACCEPTED if login.is_good else REFUSED
        verdict = host.asks_saslauthd(login)
        assert verdict == right, f"after the steps: {verdict}: {login}"
    return "clock steps"


def watch_killed(host, dice):
    """What is revoked meanwhile ends once the watch is back."""
    who, app_password = host.landscape.directory.new_person(mfa=True, app_passwords=1)
    host.landscape.settle()
    host.serves()
    session = Session(host.dovecot, who, app_password.shown)
    if dice.random() < 0.5:
        host.watch.completes_rounds()
    host.watch.kill()
    host.landscape.directory.administrate(who, appPassword=tombstone(app_password, revoked=from_now()))
    host.kicked.add(who.uid)
    time.sleep(dice.uniform(0, 3))
    host.watch.start()
    session.ends(60)
    host.landscape.settle()
    verdict = imap(host.dovecot, who.uid, app_password.shown)
    assert verdict != ACCEPTED, f"{who.uid} signs in with a revoked app password"
    return "watch killed"


def page_killed(host, dice):
    """While it turns a second factor on: the user has all of it or nothing, and can go on."""
    who = host.landscape.directory.new_person(mfa=True)
    client, app = choosing_app(host.portal, who)
    answer = threading.Thread(target=_send, args=(client, app.code()))
    with _slow_directories(host):
        answer.start()
        time.sleep(dice.uniform(0, 0.4))
        kill(host.portal.process)
        answer.join()
    host.portal.start()
    factors = second_factors(host.landscape.directory, who)
    assert len(factors) < 2, f"{who.uid} has {factors}"
    client = let_in(host.portal, who, app) if factors else enrolled(host.portal, who)[0]
    shown = make_app_password(client)
    host.landscape.settle()
    host.serves()
    verdict = imap(host.dovecot, who.uid, shown)
    assert verdict == ACCEPTED, f"{who.uid}'s new app password: {verdict}"
    return f"page killed {'behind' if factors else 'before'} the change"


@contextlib.contextmanager
def _slow_directories(host):
    """So that a kill meets any step of a change."""
    for server in host.landscape.servers:
        server.relay.delay = 0.04
    try:
        yield
    finally:
        for server in host.landscape.servers:
            server.relay.delay = 0


def _send(client, code):
    with contextlib.suppress(OSError, http.client.HTTPException):
        client.post("verify", code=code)


def faults_of(landscape, how_many, dice):
    """So many faults, all kinds in turn, in any order."""
    kinds = [*(directories(kind) for kind in landscape.kinds), full_disk, clock_steps, watch_killed, page_killed]
    chosen = [kinds[number % len(kinds)] for number in range(how_many)]
    return dice.sample(chosen, len(chosen))
