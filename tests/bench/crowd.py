# SPDX-License-Identifier: BSD-2-Clause
"""Everybody signs in in turn, again and again: how many app passwords a process remembers."""

import contextlib
import pathlib
from collections import namedtuple

import report
import sites
from operations import call, latency, login, median, row
from sites import names

# Microseconds: the median of a login, and the CPU time of one; and the share of logins without a hash.
Turn = namedtuple("Turn", "login cpu share")
FEW_ROUNDS = 100  # of the few users, in one go, so that nobody sleeps between them
SOME = 1500  # of the many, in one go
PAIRS = 25


def turns_of_lib(world, config, size, rounds):
    """The turns of one process; the first has the hashes."""
    operation = login("login", config, names(sites.LIGHT_COST))
    return [Turn(int(line[2]), int(line[4]) / size, 1 - int(line[6]) / size)
            for line in call(world, [operation], "turns", 0, size, 1, rounds)]


@contextlib.contextmanager
def signing_in(world, name, settings):
    """A new Dovecot. turn(first, size, clients, rounds): these users in turn, in one go.

    The time is the median of the rounds. The CPU time is that of the workers, and tells the share.
    """
    server = world.dovecot(name, "ours", settings, world.crowded_directory)
    operation = ("dovecot", "Dovecot", server.folder / "auth", names(sites.LIGHT_COST), sites.CANONICAL)

    def turn(first, size, clients=1, rounds=1):
        before = cpu_us(server.workers())
        lines = call(world, [operation], "turns", first, size, clients, rounds)
        cpu = (cpu_us(server.workers()) - before) / size / rounds
        return Turn(median(int(line[2]) for line in lines), cpu, None)

    try:
        latency(world, [operation], 0, 1)  # starts a worker
        yield turn
    finally:
        server.stop()


def turns_of_dovecot(world, name, settings, size, clients, rounds):
    with signing_in(world, name, settings) as turn:
        return [turn(0, size, clients) for _ in range(rounds)]


def cpu_us(pids):
    """What these processes have used so far."""
    return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])
               for pid in pids) / 1000


def share(turn, hashed, quick):
    """The share of logins without a hash, by their CPU time: `hashed` with, `quick` without one."""
    return (hashed - turn.cpu) / (hashed - quick)


def crowd(world, _rounds):
    """Everybody in turn, again and again: how many app passwords a process remembers."""
    few, *crowds = world.scale.crowds
    rows = []
    for crowd_of in crowd_of_lib, crowd_of_dovecot:
        for size in crowds:
            rows += crowd_of(world, few, size)
    return rows + [peers(world, size) for size in (few, *crowds)] + workers(world, crowds[0])


def crowd_of_lib(world, few, size):
    config = world.config("crowd", world.crowded_directory)
    before, (_, second, _), behind = (turns_of_lib(world, config, *turns) for turns in (
        (few, FEW_ROUNDS), (size, 3), (few, FEW_ROUNDS)))
    base = median(median(turn.login for turn in each[1:]) for each in (before, behind))
    return crowd_rows("lib", few, size, second.share, [(base, second.login)])


def crowd_of_dovecot(world, few, size):
    """The few and some of the many take turns, because a login's time doubles with where the processes run."""
    some = min(size, SOME)
    with signing_in(world, f"crowd-{size}", worker_count(1)) as turn:
        first, second, third = (turn(0, size) for _ in range(3))
        pairs = [(turn(0, few, rounds=FEW_ROUNDS).login, turn(number * some % size, some).login)
                 for number in range(PAIRS)]
    return crowd_rows("Dovecot, 1 worker", few, size, share(second, first.cpu, third.cpu), pairs)


def crowd_rows(where, few, size, remembered, pairs):
    """Rows about the second round and later ones; a pair is a login of the few and one of the many."""
    what = f"{report.number(size)} app passwords in turn"
    return [row(f"{what}, second round: share remembered", where, [{"share": 100 * remembered}], "%",
                lambda each: each["share"] / 100, (">=", 0.99)),
            row(f"{what}: a remembered login, against {few} app passwords", where,
                [{f"{few}: login": one, f"{size}: login": other} for one, other in pairs], "µs",
                lambda each: each[f"{size}: login"] / each[f"{few}: login"], ("<=", 1.1))]


def peers(world, size):
    """Dovecot with its LDAP passdb, which computes a hash each time. So the last users are enough."""
    count = min(size, world.scale.quick) - 2
    spent = {}
    for kind in "fetched", "bind":
        server = world.dovecot(f"crowd-{kind}-{size}", kind, "", world.crowded_directory)
        try:
            operation = ("dovecot", kind, server.folder / "auth", names(sites.LIGHT_COST),
                         sites.CANONICAL)
            spent |= latency(world, [operation], size - count - 2, count)
        finally:
            server.stop()
    return row(f"{report.number(size)} app passwords, each login with a hash", "Dovecot", [spent],
               "µs")


def worker_count(count):
    return f"auth_worker_max_count = {count}\n"


def workers(world, size):
    """8 clients at once, and as many workers as Dovecot wants or fewer."""
    rows = []
    # With one worker, only the first turn has hashes.
    _, _, *quick = turns_of_dovecot(world, "one", worker_count(1), size, 8, 6)
    for name, settings in (("30 workers, the default", ""),
                           (f"{report.CORES} workers, one for each core",
                            worker_count(report.CORES)),
                           ("1 worker", worker_count(1))):
        turns = turns_of_dovecot(world, name.split(",")[0].replace(" ", "-"), settings, size, 8, 8)
        # The first turn has all hashes.
        shares = {f"round {number}": 100 * share(turn, turns[0].cpu, median(each.cpu for each in quick))
                  for number, turn in enumerate(turns, 1) if number > 1}
        rows.append(row(f"{report.number(size)} app passwords in turn, 8 clients, {name}: share "
                        "remembered in the third round", "Dovecot", [shares], "%",
                        lambda each: each["round 3"] / 100, (">=", 0.9)))
    return rows
