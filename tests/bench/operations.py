# SPDX-License-Identifier: BSD-2-Clause
"""Runs the program with a plan of operations, and makes rows of the results."""

import statistics

import sites
from processes import run
from sites import GOOD, OURS, names


def median(numbers):
    return statistics.median(numbers)


def plan(*operations):
    """Lines for the program; each operation is (kind, name, word…)."""
    return "".join("\t".join(map(str, words)) + "\n" for words in operations)


def call(world, operations, *arguments):
    """The program's output, as rows of words."""
    output = run([world.program, *map(str, arguments)], input=plan(*operations))
    return [line.split("\t") for line in output.splitlines()]


def latency(world, operations, first, count):
    """{name: median microseconds}; the operations take turns, for `count` users each."""
    header, *rows = call(world, operations, "latency", first, count)
    return {name: median(int(row[column]) for row in rows) for column, name in enumerate(header)}


def rates(world, operations, first, count, clients, seconds):
    """{name: (calls a second, cores that the clients kept busy)}."""
    rows = call(world, operations, "rate", first, count, clients, int(seconds * 1000))
    return {name: (int(calls) * 1000 / int(spent), int(cpu) / int(spent))
            for name, calls, spent, cpu in rows}


def raw(cost):
    return "raw", "raw", sites.phc(cost), sites.CANONICAL


def search(directory, user, name="search"):
    return ("search", name, directory.ldapi, sites.MAIL_SERVER, sites.secret("mail server"), OURS,
            user)


def floor(directory, cost):
    """A search and a hash, by libldap and libsodium alone."""
    return "floor", "floor", *search(directory, names(cost))[2:], *raw(cost)[2:]


def login(name, config, user, password=GOOD.shown, reason="app-password"):
    return "login", name, config, user, password, reason


# ---- results ----

def row(what, where, rounds, unit, ratio=None, goal=None, columns=None):
    """One line of the results.

    rounds   {name: number} of each round
    ratio    a function of a round, or None
    goal     ("<=" or ">=", number)
    """
    columns = columns or list(rounds[0])
    return {"what": what, "where": where, "unit": unit,
            "values": {name: median(each[name] for each in rounds) for name in columns},
            "ratios": [ratio(each) for each in rounds] if ratio else [], "goal": goal}


def against(name, *others):
    """The ratio of one number to the sum of others."""
    return lambda each: each[name] / sum(each[other] for other in others)
