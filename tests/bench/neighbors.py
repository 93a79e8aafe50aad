# SPDX-License-Identifier: BSD-2-Clause
"""Logins beside app-password-watch, and beside visitors of the page, on the same machine."""

import contextlib
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import sites
import visits
from operations import against, call, row
from portal import Portal
from sites import STORM_COST as COST
from watching import Watch

CONNECTED = 1000  # users with an open session
HALF_MINUTE = 30  # seconds, in which each visitor makes an app password


def neighbors(world, rounds):
    """First logins at Dovecot, one after the other, with and without a neighbor."""
    rows = []
    for what, at_work in (("app-password-watch", watching(world)), ("the page", visited(world))):
        measured = []
        for _ in range(min(rounds, 3)):
            each = {"alone": mean_login(world)}
            with at_work():
                each["beside it"] = mean_login(world)
            measured.append(each)
        rows.append(row(f"first login, {COST}, beside {what}", "Dovecot", measured, "µs",
                        against("beside it", "alone"), ("<=", 1.1)))
    return rows


def mean_login(world):
    """Microseconds; a median would hide a neighbor that works now and then."""
    count, _ = world.scale.neighbors
    operation = ("dovecot", "ours", world.dovecots.sockets["ours"], sites.names(COST),
                 sites.CANONICAL)
    _, *spent = call(world, [operation], "latency", world.take_users(COST, count + 2), count)
    return sum(int(column) for column, in spent) / count


def watching(world):
    """app-password-watch at its usual interval, as if users of the directory were connected."""
    folder = world.folder / "watch"
    folder.mkdir()
    watch = Watch(folder, world.dovecots.servers["ours"], world.directory, base=sites.OURS,
                  watch_interval="5s")
    connected = [{"username": f"{sites.letter(COST)}{number}", "service": "imap", "pid": "1",
                  "ip": "192.0.2.7"} for number in range(CONNECTED)]
    (folder / "connected").write_text(json.dumps(connected))
    watch.run_doveadm(f"""case "$*" in
*who*) cat {folder}/connected ;;
*) echo "$@" >>{folder}/others ;;
esac""")

    @contextlib.contextmanager
    def at_work():
        watch.start()
        try:
            watch.completes_rounds()
            assert watch.heartbeat()["users"] == str(CONNECTED)
            yield
        finally:
            watch.stop()
        assert not (folder / "others").exists(), "the watch ended sessions"
    return at_work


def visited(world):
    """The page with visitors who have signed in; each makes an app password every half minute."""
    _, count = world.scale.neighbors
    portal = Portal(world.folder / "portal", world.directory).start()
    world.stop_later(portal)
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(
            lambda who: visits.enrolled(portal, who)[0],
            [world.directory.new_person(mfa=True) for _ in range(count)]))

    @contextlib.contextmanager
    def at_work():
        ended = threading.Event()
        with ThreadPoolExecutor(8) as threads:
            making = [threads.submit(make_in_turn, clients[number::8], random.Random(number), ended)
                      for number in range(8)]
            try:
                yield
            finally:
                ended.set()
        made = sum(each.result() for each in making)
        assert made > 0, "no visitor made an app password"
    return at_work


def make_in_turn(clients, chance, ended):
    """The app passwords that these visitors made, at random moments, until the end."""
    made = 0
    while clients and not ended.is_set():
        begin = time.monotonic()
        for number, client in enumerate(clients):
            visits.make_app_password(client)
            made += 1
            pause = (number + chance.random()) * HALF_MINUTE / len(clients)
            if ended.wait(max(0, pause - (time.monotonic() - begin))):
                break
    return made
