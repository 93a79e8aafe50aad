# SPDX-License-Identifier: BSD-2-Clause
"""Measures logins: measure.py --prefix STAGE --program BENCH --out FOLDER [--rounds N] [PART…]

Each part writes FOLDER/PART.json; report.py makes RESULTS.md and a chart of these files.
In each round, compared operations take turns. A ratio is computed within a round; the report has
the median of the rounds, the lowest and the highest.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import report
import sites
import smtp
from processes import run, wait_until
from sites import COSTS, DEFAULT_COST, GOOD, OURS, names


def median(numbers):
    return statistics.median(numbers)


# ---- the program ----

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


# ---- the parts ----

def first(world, rounds):
    """The first login of an app password against the floor, and the same one again."""
    config = world.config("first")
    rows = []
    for cost in COSTS:
        count = world.scale.calls[cost]
        one = one_user(cost)
        measured = []
        for _ in range(rounds):
            # After a hash, caches are cold and the directory's core sleeps. So each operation
            # runs after a hash, also those without one of their own.
            each = latency(world, [floor(world.directory, cost),
                                   login("login", config, names(cost))],
                           world.take_users(cost, count + 2), count)
            each |= latency(world, [raw(cost), search(world.directory, one), raw(cost),
                                    login("again, behind a hash", config, one)], 0, count)
            measured.append(each | latency(
                world, [login("again", config, one)], 0, world.scale.quick))
        rows.append(row(f"first login, {cost}", "lib", measured, "µs",
                        against("login", "floor"), ("<=", 1.05), ["floor", "login"]))
        if cost == DEFAULT_COST:
            rows += [
                row(f"the same login again, one after the other, {cost}", "lib", measured, "µs",
                    against("again", "login"), ("<=", 0.05), ["login", "again"]),
                row(f"the same login again, each behind a hash, {cost}", "lib", measured, "µs",
                    against("again, behind a hash", "login"), ("<=", 0.05),
                    ["login", "again, behind a hash", "search"])]
    return rows


def one_user(cost):
    """One user again and again."""
    return names(cost).replace("#", "0")


def postfix(world, rounds):
    """Postfix with the plugin against Postfix with saslauthd."""
    config = world.config("postfix-config", uri=world.directory.ldapi_in_chroot)
    world.saslauthd  # must exist
    ports = {"plugin": world.smtpd(sites.conftest.example_smtpd_conf(config)),
             "saslauthd": world.smtpd(sites.ASKS_SASLAUTHD)}
    goals = {"8 MiB/1": None, "19 MiB/2": ("<=", 0.8), "64 MiB/2": ("<=", 0.65)}
    rows = []
    for cost, goal in goals.items():
        measured = []
        for _ in range(rounds):
            count = min(world.scale.calls[cost], 30)
            start = world.take_users(cost, count)
            spent = {name: [] for name in ports}
            for number in range(start, start + count):
                for name, port in ports.items():
                    spent[name].append(smtp_auth(world, port, names(cost).replace(
                        "#", str(number))))
            measured.append({name: median(times) for name, times in spent.items()})
        rows.append(row(f"first login, {cost}", "Postfix", measured, "µs",
                        against("plugin", "saslauthd"), goal))
    return rows


def smtp_auth(world, port, user):
    """The microseconds of AUTH PLAIN, in its own session."""
    client = smtp.connect(port, world.authority.ca)
    try:
        begin = time.perf_counter_ns()
        reply = smtp.plain(client, user, sites.CANONICAL)
        spent = (time.perf_counter_ns() - begin) / 1000
        assert reply.code == smtp.ACCEPTED, (user, reply)
        client.quit()
        return spent
    finally:
        client.close()


def ask_dovecot(world, name, user, column=None):
    return "dovecot", column or name, world.dovecots.sockets[name], user, sites.CANONICAL


def dovecot(world, rounds):
    """Dovecot with our module against its own LDAP passdb, at its auth socket."""
    rows = []
    for cost in COSTS:
        count = world.scale.calls[cost]
        measured = []
        for _ in range(rounds):
            start = world.take_users(cost, count + 2)
            measured.append(latency(world, [
                ask_dovecot(world, name, names(cost)) for name in ("ours", "bind", "fetched")],
                start, count))
        rows.append(row(f"first login, {cost}, against a bind", "Dovecot", measured, "µs",
                        against("ours", "bind"), ("<=", 1.0), ["ours", "bind"]))
        rows.append(row(f"first login, {cost}, against a fetched hash", "Dovecot", measured, "µs",
                        against("ours", "fetched"), ("<=", 1.05), ["ours", "fetched"]))
    return rows


def again(world, rounds):
    """The same login again, one after the other, against Dovecot with a fast hash."""
    config, user = world.config("again"), one_user(DEFAULT_COST)
    operations = [login("lib", config, user), ask_dovecot(world, "ours", user, "Dovecot"),
                  ask_dovecot(world, "ssha", "ssha-0", "{SSHA}"),
                  ask_dovecot(world, "ssha, worker", "ssha-0", "{SSHA} in a worker")]
    calls = world.scale.calls[DEFAULT_COST]
    measured = []
    for _ in range(rounds):
        each = latency(world, [ask_dovecot(world, "ours", names(DEFAULT_COST), "first")],
                       world.take_users(DEFAULT_COST, calls + 2), calls)
        for operation in operations:  # not in turns: the other cores would be asleep
            each |= latency(world, [operation], 0, world.scale.quick)
        measured.append(each)
    what = "the same login again"
    return [row(f"{what}, against a fetched {{SSHA}} of Dovecot's", "lib", measured, "µs",
                against("lib", "{SSHA}"), ("<=", 1.1), ["lib", "{SSHA}"]),
            row(f"{what}, one after the other, {DEFAULT_COST}", "Dovecot", measured, "µs",
                against("Dovecot", "first"), ("<=", 0.05), ["first", "Dovecot"]),
            *(row(f"{what}, against a fetched {peer}", "Dovecot", measured, "µs",
                  against("Dovecot", peer), goal, ["Dovecot", peer])
              for peer, goal in (("{SSHA}", ("<=", 1.1)), ("{SSHA} in a worker", None)))]


def throughput(world, rounds):
    """First logins a second with several clients at once."""
    config = world.config("throughput")
    rows = []
    for cost in "8 MiB/1", "19 MiB/2":
        for clients in 2, 8:
            measured = [rates_of_all(world, config, cost, clients) for _ in range(rounds)]
            rows += rate_rows(cost, clients, measured)
    return rows


def rates_of_all(world, config, cost, clients):
    """One round: calls a second of each. Clients that only ask take CPU time from the server;
    without them it would have all cores."""
    asked = {}
    for operation in (raw(cost), floor(world.directory, cost), login("lib", config, names(cost)),
                      ("saslauthd", "saslauthd", world.saslauthd.socket, names(cost),
                       sites.CANONICAL),
                      *(ask_dovecot(world, name, names(cost), f"Dovecot {name}")
                        for name in ("ours", "bind", "fetched"))):
        users = world.scale.rate_users[cost]
        # Only Dovecot's workers live on and remember.
        start = world.take_users(cost, users) if "Dovecot ours" in operation else 0
        (name, (rate, cores)), = rates(world, [operation], start, users, clients,
                                       world.scale.seconds).items()
        is_client = operation[0] in ("saslauthd", "dovecot")
        asked[name] = rate * report.CORES / (report.CORES - cores) if is_client else rate
    return asked


def rate_rows(cost, clients, measured):
    what = f"first logins a second, {clients} clients, {cost}"
    return [
        row(what, "lib", measured, "/s", against("lib", "raw"), (">=", 0.95), ["raw", "lib"]),
        row(f"{what}, against a search and a hash", "lib", measured, "/s", against("lib", "floor"),
            None, ["floor", "lib"]),
        *(row(f"{what}, against {peer}", "lib", measured, "/s", against("lib", peer), (">=", 1.0),
              ["lib", peer]) for peer in ("saslauthd", "Dovecot bind", "Dovecot fetched")),
        *(row(f"{what}, against {peer}", "Dovecot", measured, "/s", against("Dovecot ours", peer),
              None, ["Dovecot ours", peer]) for peer in ("Dovecot bind", "Dovecot fetched")),
    ]


def many(world, rounds):
    """Forty app passwords on the entry against one."""
    config = world.config("many")
    wrong = sites.WRONG_SECRET, "wrong-app-password"
    measured = []
    for _ in range(rounds):
        measured.append(latency(world, [
            login("1 right", config, names(DEFAULT_COST)),
            login("40 right", config, sites.MANY_NAMES),
            login("1 wrong", config, names(DEFAULT_COST), *wrong),
            login("40 wrong", config, sites.MANY_NAMES, *wrong)],
            0, world.scale.calls[DEFAULT_COST]))
    return [row(f"1 → 40 app passwords on the entry, {which}, {DEFAULT_COST}", "lib", measured,
                "µs", against(f"40 {which}", f"1 {which}"), ("<=", 1.1),
                [f"1 {which}", f"40 {which}"]) for which in ("right", "wrong")]


def bad(world, rounds):
    """Refused logins."""
    config = world.config("bad")
    calls = world.scale.calls[DEFAULT_COST]
    quick = [latency(world, [
        search(world.directory, names(DEFAULT_COST)),
        login("no such id", config, names(DEFAULT_COST), sites.UNKNOWN_ID,
              "unknown-app-password"),
        login("unknown user", config, "nobody-#", GOOD.shown, "unknown-user")],
        0, world.scale.quick) for _ in range(rounds)]
    measured = [latency(world, [
        login("good", config, names(DEFAULT_COST)),
        login("wrong secret", config, names(DEFAULT_COST), sites.WRONG_SECRET,
              "wrong-app-password"),
    ], world.take_users(DEFAULT_COST, calls + 2), calls) for _ in range(rounds)]
    return [
        row(f"the id matches, the rest is wrong, {DEFAULT_COST}", "lib", measured, "µs",
            against("wrong secret", "good"), ("<=", 1.05), ["good", "wrong secret"]),
        row("no id matches: how many searches' time", "lib", quick, "µs", against("no such id", "search"),
            None, ["search", "no such id"]),
        row("no such user: how many searches' time", "lib", quick, "µs",
            against("unknown user", "search"), None, ["search", "unknown user"]),
        counted_searches(world),
    ]


def counted_searches(world):
    """The number of searches of each kind of login, by slapd's log."""
    directory = world.counted_directory
    config = world.config("counted-config", directory)
    user = one_user(DEFAULT_COST)
    kinds = {"good": (GOOD.shown, "app-password"),
             "wrong secret": (sites.WRONG_SECRET, "wrong-app-password"),
             "no such id": (sites.UNKNOWN_ID, "unknown-app-password")}
    counts = {}
    for name, (password, reason) in kinds.items():
        mark = directory.mark()
        latency(world, [login(name, config, user, password, reason)], 0, 8)  # and two to warm up
        searches = [line for line in directory.log_since(mark) if " SRCH base=" in line]
        counts[name] = len(searches) / 10
    return row("no id matches: how many searches, by slapd's log", "lib", [counts], "",
               lambda each: each["no such id"], ("<=", 1))


def pss_kib(pid):
    """Proportional set size of a process."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)[1])


def smtpds(port):
    """The processes of one service."""
    found = subprocess.run(["pgrep", "-f", f"^smtpd -n 127.0.0.1:{port} "], text=True,
                           capture_output=True)
    return [int(pid) for pid in found.stdout.split()]


def is_idle(pid):
    """True if an smtpd has no open TCP connection."""
    targets = [os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    sockets = {target[8:-1] for target in targets if target.startswith("socket:[")}
    established = "01"
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return not any(line.split()[3] == established and line.split()[9] in sockets
                   for line in lines)


SMTPDS = 8


def idle_pss(world, port, user):
    """Median PSS of idle smtpd processes, each after one login, in KiB."""
    clients = [smtp.connect(port, world.authority.ca) for _ in range(SMTPDS)]
    for client in clients:
        reply = smtp.plain(client, user, sites.CANONICAL)
        assert reply.code == smtp.ACCEPTED, reply
    pids = smtpds(port)
    assert len(pids) == SMTPDS, pids
    for client in clients:
        client.quit()
    for pid in pids:
        wait_until(lambda: is_idle(pid), f"smtpd {pid} to be idle")
    return median(pss_kib(pid) for pid in pids)


def memory(world, rounds):
    """The memory that the plugin adds to an idle smtpd."""
    config = world.config("memory", uri=world.directory.ldapi_in_chroot)
    world.saslauthd
    user = one_user(DEFAULT_COST)
    ours, stock = world.postfix.ours, world.postfix.stock
    measured = []
    for _ in range(min(rounds, 4)):
        world.postfix.load_plugins(None, stock)
        without = idle_pss(world, world.smtpd(sites.ASKS_SASLAUTHD, "many processes"), user)
        world.postfix.load_plugins(ours, stock)
        with_plugin = idle_pss(world, world.smtpd(
            sites.conftest.example_smtpd_conf(config), "many processes"), user)
        measured.append({"without": without, "with": with_plugin,
                         "difference": with_plugin - without})
    return [row(f"PSS of an idle smtpd among {SMTPDS}", "Postfix", measured, "KiB",
                lambda each: each["difference"] / 1024, ("<=", 1.0))]


def connections(world, rounds):
    """The number of connections, and the cost of a reconnect."""
    directory = world.counted_directory
    count = world.scale.quick
    config = world.config("kept", directory)
    mark = directory.mark()
    latency(world, [login("login", config, names(DEFAULT_COST))], 0, count)
    opened = sum(" ACCEPT from " in line for line in directory.log_since(mark))
    rows = [row(f"connections opened in {count} logins of one process", "lib",
                [{"opened": opened}], "", lambda each: each["opened"], ("<=", 1))]
    secure = world.config("secure", directory, uri=directory.ldap, start_tls="yes",
                          tls_cacert=world.authority.ca)
    words = secure, one_user(DEFAULT_COST), GOOD.shown, "app-password"
    measured = []
    for _ in range(rounds):
        each = latency(world, [("login", "kept", *words), ("reconnect", "reconnect", *words)],
                       0, world.scale.calls[DEFAULT_COST])
        measured.append(each | {"difference": each["reconnect"] - each["kept"]})
    rows.append(row("a reconnect, over StartTLS", "lib", measured, "µs",
                    lambda each: each["difference"] / 1000, ("<=", 3.5)))
    return rows


def large(world, rounds):
    """A million entries against ten thousand."""
    directories = {name: world.large_directory(name, count)
                   for name, count in (("10k", 10000), ("1M", 1000000))}
    configs = {name: world.config(f"large-{name}", directory)
               for name, directory in directories.items()}
    # Users from all parts of the large directory, different ones in each round.
    users = {"10k": "m8-#", "1M": "m8-#7"}
    measured = []
    for number in range(rounds):
        start = 1000 + number * 1000
        each = latency(world, [search(directory, users[name], f"search {name}")
                               for name, directory in directories.items()], start, 900)
        measured.append(each | latency(world, [login(f"login {name}", config, users[name])
                                               for name, config in configs.items()], start, 300))
    return [row(f"10 thousand → 1 million entries, {what}", where, measured, "µs",
                against(f"{kind} 1M", f"{kind} 10k"), ("<=", goal), [f"{kind} 10k", f"{kind} 1M"])
            for kind, what, where, goal in (("search", "search", "directory", 1.15),
                                            ("login", f"login, {DEFAULT_COST}", "lib", 1.02))]


def profile(world, rounds):
    """The microseconds of a login by span: the first login, and the same one again."""
    config = world.config("profile")
    program = world.program.parent / "profile"
    rows = []
    for what, user, count in (("first", names(DEFAULT_COST), world.scale.calls[DEFAULT_COST]),
                              ("again", one_user(DEFAULT_COST), world.scale.quick)):
        measured = []
        for _ in range(rounds):
            output = run([program, config, str(world.take_users(DEFAULT_COST, count + 2)),
                          str(count), user], input=GOOD.shown + "\n")
            measured.append({name: float(spent) for name, spent in
                             (line.split("\t") for line in output.splitlines())})
        rows.append(row(what, "lib", measured, "µs"))
    return rows


PARTS = {part.__name__: part for part in (first, postfix, dovecot, again, throughput, many, bad,
                                          memory, connections, profile, large)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--smoke", action="store_true",
                        help="only check that everything works; the numbers mean nothing")
    parser.add_argument("part", nargs="*", metavar="PART")
    options = parser.parse_args()
    rounds = 1 if options.smoke else options.rounds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.out.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apw-", dir="/tmp"))
    folder.chmod(0o755)
    world = sites.World(folder, options.prefix, options.program,
                        sites.SMOKE if options.smoke else sites.FULL, rounds)
    try:
        for name in options.part or [name for name in PARTS if name != "large"]:
            print(f"{name}…", flush=True)
            rows = PARTS[name](world, rounds)
            (options.out / f"{name}.json").write_text(json.dumps(rows, indent=1))
            print(report.text(rows), flush=True)
    finally:
        world.stop()
        world.clean_up()
    report.write(options.out, rounds)


if __name__ == "__main__":
    main()
