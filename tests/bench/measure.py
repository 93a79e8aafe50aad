# SPDX-License-Identifier: BSD-2-Clause
"""Measures logins: measure.py --prefix STAGE --program BENCH --out FOLDER [--rounds N] [PART…]

APW_PREFIX must be STAGE, too: the part "store" has its store made by that app-password.
Each part writes FOLDER/PART.json; report.py makes RESULTS.md and a chart of these files.
In each round, compared operations take turns. A ratio is computed within a round; the report has
the median of the rounds, the lowest and the highest.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import report
import sites
import smtp
from crowd import crowd
from everybody import everybody
from neighbors import neighbors
from operations import against, floor, latency, login, median, rates, raw, row, search
from processes import run, wait_until
from sites import COSTS, DEFAULT_COST, GOOD, names
from storm import storm


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
                row(f"the same login again, each behind a hash: beyond the search, {cost}", "lib",
                    measured, "µs", beyond_the_search, ("<=", 0.05),
                    ["login", "again, behind a hash", "search"])]
    return rows


def beyond_the_search(each):
    """Our own part of a login without a hash, as a share of a first login."""
    return (each["again, behind a hash"] - each["search"]) / each["login"]


def one_user(cost):
    """One user again and again."""
    return names(cost).replace("#", "0")


def store(world, rounds):
    """The first login with a store against its floor, and against the floor without a store."""
    calls = world.scale.calls
    site = world.store_site({cost: rounds * (calls[cost] + 2) for cost in COSTS})
    config = world.config("store-config", site.users, **site.settings)
    rows = []
    for cost in COSTS:
        one = floor(site.users, cost)
        both = "store floor", "two searches", *one[2:7], *site.store_words, *raw(cost)[2:]
        measured = [latency(world, [both, login("login", config, names(cost))],
                            number * (calls[cost] + 2), calls[cost]) for number in range(rounds)]
        rows.append(row(f"first login with a store, {cost}", "lib", measured, "µs",
                        against("login", "two searches"), ("<=", 1.05)))
    again = [latency(world, [login("again", config, one_user(DEFAULT_COST))], 0,
                     world.scale.quick) for _ in range(rounds)]
    rows.append(row(f"the same login again with a store, {DEFAULT_COST}", "lib", again, "µs"))
    return rows


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
            measured.append(smtp_in_turn(world, ports, names(cost), sites.CANONICAL,
                                         range(start, start + count)))
        rows.append(row(f"first login, {cost}", "Postfix", measured, "µs",
                        against("plugin", "saslauthd"), goal))
    return rows


def smtp_in_turn(world, ports, template, password, numbers):
    """{name: median microseconds}; the ports take turns for each user."""
    spent = {name: [] for name in ports}
    for number in numbers:
        for name, port in ports.items():
            spent[name].append(smtp_auth(world, port, template.replace("#", str(number)), password))
    return {name: median(times) for name, times in spent.items()}


def smtp_auth(world, port, user, password):
    """The microseconds of AUTH PLAIN, in its own session."""
    client = smtp.connect(port, world.authority.ca)
    try:
        begin = time.perf_counter_ns()
        reply = smtp.plain(client, user, password)
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
              for peer, goal in (("{SSHA}", None), ("{SSHA} in a worker", ("<=", 1.1))))]


def account(world, rounds):
    """The account password, with a hash that costs nothing: against its floor, and peers."""
    count, directory = world.scale.quick - 2, world.directory
    user, password = sites.ACCOUNT_NAMES, sites.ACCOUNT_PASSWORD
    plain = world.config("account", base=sites.ACCOUNT)
    secure = world.config("account-secure", **world.secure)
    rows = []
    for what, uri, config in (("ldapi", directory.ldapi, plain), ("ldaps", directory.ldaps, secure)):
        bare = ("bind floor", "floor", uri, sites.MAIL_SERVER, sites.secret("mail server"),
                sites.ACCOUNT, user, password, world.authority.ca)
        measured = [latency(world, [bare, login("login", config, user, password,
                                                "account-password")], 0, count)
                    for _ in range(rounds)]
        rows.append(row(f"account password, {{SSHA}}, {what}", "lib", measured, "µs",
                        against("login", "floor"), ("<=", 1.05), ["floor", "login"]))
    sockets = world.secure_dovecots.sockets
    measured = [latency(world, [("dovecot", name, sockets[name], user, password)
                                for name in ("ours", "bind", "bind, worker")], 0, count)
                for _ in range(rounds)]
    rows += [row(f"account password, {{SSHA}}, ldaps, against {what}", "Dovecot", measured, "µs",
                 against("ours", peer), goal, ["ours", peer])
             for peer, what, goal in (("bind", "a bind", None),
                                      ("bind, worker", "a bind in a worker", ("<=", 1.1)))]
    world.secure_saslauthd  # must exist
    ports = {"plugin": world.smtpd(sites.conftest.example_smtpd_conf(secure)),
             "saslauthd": world.smtpd(sites.ASKS_SECURE_SASLAUTHD)}
    measured = [smtp_in_turn(world, ports, user, password, range(min(count, 90)))
                for _ in range(rounds)]
    rows.append(row("account password, {SSHA}, ldaps", "Postfix", measured, "µs",
                    against("plugin", "saslauthd"), ("<=", 0.8)))
    return rows


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
        row(f"{what}, against a hash alone", "lib", measured, "/s", against("lib", "raw"), None,
            ["raw", "lib"]),
        row(f"{what}, against a search and a hash", "lib", measured, "/s", against("lib", "floor"),
            (">=", 0.95), ["floor", "lib"]),
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
    targets = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it closes its files at this moment
            targets.append(os.readlink(link))
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


PARTS = {part.__name__: part for part in (first, store, postfix, dovecot, again, account,
                                          throughput, many, bad, memory, connections, crowd,
                                          storm, neighbors, profile, large, everybody)}
# They need minutes, and gigabytes in /tmp.
LARGE = ("large", "everybody")


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
        usual = [name for name in PARTS
                 if name not in LARGE or (options.smoke and name == "everybody")]
        for name in options.part or usual:
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
