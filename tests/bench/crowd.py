# SPDX-License-Identifier: BSD-2-Clause
"""Everybody signs in in turn, again and again: how many app passwords a process remembers."""

import itertools
import pathlib
from collections import namedtuple

import report
import sites
from operations import call, latency, login, median, row
from sites import names

# Microseconds: the median of a login, and the CPU time of one; and the share of logins without a hash.
Turn = namedtuple("Turn", "login cpu share")
FEW_ROUNDS = 100  # of the few users, in one go, so that nobody sleeps between them


def turns_of_lib(world, config, size, rounds):
    """The turns of one process; the first has the hashes."""
    operation = login("login", config, names(sites.LIGHT_COST))
    return [Turn(int(line[2]), int(line[4]) / size, 1 - int(line[6]) / size)
            for line in call(world, [operation], "turns", 0, size, 1, rounds)]


def turns_of_dovecot(world, name, settings, size, clients, rounds, at_once=1):
    """The turns of a new Dovecot. The CPU time is that of its workers in `at_once` turns, and tells the share."""
    server = world.dovecot(name, "ours", settings, world.crowded_directory)
    try:
        user = names(sites.LIGHT_COST)
        operation = "dovecot", "Dovecot", server.folder / "auth", user, sites.CANONICAL
        latency(world, [operation], 0, 1)  # starts a worker
        turns = []
        for _ in range(rounds):
            before = cpu_us(server.workers())
            lines = call(world, [operation], "turns", 0, size, clients, at_once)
            cpu = (cpu_us(server.workers()) - before) / size / at_once
            turns += [Turn(int(line[2]), cpu, None) for line in lines]
        return turns
    finally:
        server.stop()


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
    config = world.config("crowd", world.crowded_directory)
    number = itertools.count(1)

    def dovecot(size, rounds, at_once=1):
        return turns_of_dovecot(world, f"crowd-{next(number)}", worker_count(1), size, 1, rounds, at_once)

    def lib(size, rounds, at_once=1):
        return turns_of_lib(world, config, size, rounds * at_once)

    rows = []
    for where, turns in ("lib", lib), ("Dovecot, 1 worker", dovecot):
        for size in crowds:
            before, middle, behind = turns(few, 1, FEW_ROUNDS), turns(size, 3), turns(few, 1, FEW_ROUNDS)
            base = median(median(turn.login for turn in each[1:]) for each in (before, behind))
            rows += crowd_rows(where, few, base, size, *middle)
    return rows + [peers(world, size) for size in (few, *crowds)] + workers(world, crowds[0])


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


def crowd_rows(where, few, base, size, first, second, third):
    """Rows about the second round. The third one tells what a login without a hash costs."""
    what = f"{report.number(size)} app passwords in turn, second round"
    found = share(second, first.cpu, third.cpu) if second.share is None else second.share
    return [row(f"{what}: share remembered", where, [{"share": 100 * found}], "%",
                lambda each: each["share"] / 100, (">=", 0.99)),
            row(f"{what}: a login, against {few} app passwords, measured before and after", where,
                [{f"{few}: login": base, f"{size}: login": second.login}], "µs",
                lambda each: second.login / base, ("<=", 1.1))]


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
