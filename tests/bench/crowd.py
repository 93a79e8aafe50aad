# SPDX-License-Identifier: BSD-2-Clause
"""Everybody signs in in turn, again and again: how many app passwords a process remembers."""

import pathlib
from collections import namedtuple

import report
import sites
from operations import call, latency, login, median, row, search
from sites import names

# Microseconds, each the median: a login, the bare search of its entry, and the CPU time of a login;
# and the share of logins without a hash.
Turn = namedtuple("Turn", "login search cpu share")


def turns_of_lib(world, config, size, rounds):
    """The turns of one process; the first has the hashes."""
    user = names(sites.LIGHT_COST)
    logins, searches = ([line[2:] for line in call(world, [operation], "turns", 0, size, 1, rounds)]
                        for operation in (login("login", config, user),
                                          search(world.crowded_directory, user)))
    return [Turn(int(mine[0]), int(bare[0]), int(mine[2]) / size, 1 - int(mine[4]) / size)
            for mine, bare in zip(logins, searches)]


def turns_of_dovecot(world, name, settings, size, clients, rounds):
    """The turns of a new Dovecot. The CPU time is that of its workers, and tells the share."""
    server = world.dovecot(name, "ours", settings, world.crowded_directory)
    try:
        user = names(sites.LIGHT_COST)
        operation = "dovecot", "Dovecot", server.folder / "auth", user, sites.CANONICAL
        latency(world, [operation], 0, 1)  # starts a worker
        turns = []
        for _ in range(rounds):
            before = cpu_us(server.workers())
            (mine,), (bare,) = (call(world, [each], "turns", 0, size, clients, 1) for each in
                                (operation, search(world.crowded_directory, user)))
            turns.append(Turn(int(mine[2]), int(bare[2]),
                              (cpu_us(server.workers()) - before) / size, None))
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
    rows = []
    for where, measure in (
            ("lib", lambda size, rounds: turns_of_lib(world, config, size, rounds)),
            ("Dovecot, 1 worker", lambda size, rounds: turns_of_dovecot(
                world, f"crowd-{size}", worker_count(1), size, 1, rounds))):
        base = Turn(*(median(values) if None not in values else None
                      for values in zip(*measure(few, 40)[1:])))
        for size in crowds:
            rows += crowd_rows(where, few, base, size, *measure(size, 3))
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
            row(f"{what}: how many searches' time, against {few} app passwords", where,
                [{f"{few}: search": base.search, f"{few}: login": base.login,
                  f"{size}: search": second.search, f"{size}: login": second.login}], "µs",
                lambda each: second.login / second.search / (base.login / base.search),
                ("<=", 1.1))]


def worker_count(count):
    return f"auth_worker_max_count = {count}\n"


def workers(world, size):
    """8 clients at once, and as many workers as Dovecot wants or fewer."""
    rows = []
    # With one worker, the first turn has all hashes, and the last ones have none.
    hashed, _, *quick = turns_of_dovecot(world, "one", worker_count(1), size, 8, 6)
    for name, settings in (("30 workers, the default", ""),
                           (f"{report.CORES} workers, one for each core",
                            worker_count(report.CORES)),
                           ("1 worker", worker_count(1))):
        turns = turns_of_dovecot(world, name.split(",")[0].replace(" ", "-"), settings, size, 8, 8)
        shares = {f"round {number}": 100 * share(turn, hashed.cpu, median(each.cpu for each in quick))
                  for number, turn in enumerate(turns, 1) if number > 1}
        rows.append(row(f"{report.number(size)} app passwords in turn, 8 clients, {name}: share "
                        "remembered in the third round", "Dovecot", [shares], "%",
                        lambda each: each["round 3"] / 100, (">=", 0.9)))
    return rows
