# SPDX-License-Identifier: BSD-2-Clause
"""Rounds of logins and faults against real servers, until there were enough of both.

    APW_PREFIX=/usr /usr/bin/python3 tests/endurance/run.py FOLDER --sources DIGEST --commit NAME

Run it as root. FOLDER has state.json, and the logs of rounds with problems. Kill it at any moment: it
leaves nothing running and loses the rounds under way, and the next run continues. Several rounds run at the
same time, because clients and faults mostly wait. Each is in namespaces of its own: its first process
takes all others and its files with it.

It exits with 1 after a problem, and with 75 if it ended before the goals.
"""

import argparse
import itertools
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
from collections import Counter

from totals import Totals

ONE_ROUND = pathlib.Path(__file__).parent / "one_round.py"
LANDSCAPES = "active-directory", "replicated", "store"  # the slowest first, so that none ends late
# Also if this process is killed. Its own network, because a round needs hundreds of ports.
ALONE = ["setpriv", "--pdeathsig=KILL", "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
         "--mount-proc", "sh", "-c",
         'mount -t tmpfs -o mode=0755 endurance /mnt && ip link set lo up && exec "$@"', "sh"]
ENOUGH, PROBLEMS, TOO_EARLY = 0, 1, 75


def arguments_of(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sources", required=True, help="what is tested: other sums are kept apart")
    parser.add_argument("--commit", required=True, help="its name, with that of the tests: only printed")
    parser.add_argument("--hours", type=float, default=float("inf"), help="begin no round after that")
    parser.add_argument("--logins", type=int, default=1_000_000, help="the goal")
    parser.add_argument("--faults", type=int, default=1_000, help="the goal")
    parser.add_argument("--round-logins", type=int, default=20_000)
    parser.add_argument("--round-faults", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=min(2 * os.cpu_count(), 8), metavar="ROUNDS")
    parser.add_argument("--landscapes", nargs="+", choices=LANDSCAPES, default=LANDSCAPES)
    parser.add_argument("--seed", type=int,
                        help="of round 1, and the next one for each further round; by default a random one")
    return parser.parse_args(argv)


class Round:
    """A round under way."""

    def __init__(self, arguments, landscape, seed):
        self.landscape, self.seed = landscape, seed
        self._result = arguments.folder / f"round-{seed}.json"
        self._result.unlink(missing_ok=True)
        self.process = subprocess.Popen([
            *ALONE, sys.executable, "-B", ONE_ROUND, "--landscape", landscape, "--seed", str(seed),
            "--logins", str(arguments.round_logins), "--faults", str(arguments.round_faults),
            "--result", self._result, "--keep", arguments.folder / f"problems-{seed}"],
            stdin=subprocess.DEVNULL)

    def figures(self):
        """Those of a round that has ended."""
        figures = json.loads(self._result.read_text()) if self._result.exists() else self._nothing()
        if status := self.process.wait():
            figures["problems"].append(f"the round ended with status {status}; its logs: problems-{self.seed}")
            figures["problem_count"] += 1
        self._result.unlink(missing_ok=True)
        return figures

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._result.unlink(missing_ok=True)

    def _nothing(self):
        """The figures of a round that broke off before it had any."""
        return {"landscape": self.landscape, "seed": self.seed, "seconds": 0, "logins": {}, "faults": {},
                "longest": 0, "slowest": "", "certain": 0, "resources": {}, "problems": [], "problem_count": 0}


class Rounds:
    """Those under way, as many as are needed to reach the goals."""

    def __init__(self, arguments, totals):
        self._arguments, self._totals = arguments, totals
        self._first_seed = random.randrange(10**9) if arguments.seed is None else arguments.seed
        self._end = time.monotonic() + arguments.hours * 3600
        self._under_way = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self._under_way:
            one.kill()

    def begin(self):
        """Begin as many as may run now. Returns false if none is under way."""
        while len(self._under_way) < self._arguments.at_once and self._needs_another() \
                and time.monotonic() < self._end:
            one = Round(self._arguments, self._next_landscape(), self._next_seed())
            print(f"begins: {one.landscape}, seed {one.seed}", flush=True)
            self._under_way.append(one)
        return bool(self._under_way)

    def next_to_end(self):
        """Wait for one and return its figures."""
        pid = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
        one = next(one for one in self._under_way if one.process.pid == pid)
        self._under_way.remove(one)
        return one.figures()

    def _needs_another(self):
        count = len(self._under_way)
        return not is_enough(self._arguments, self._totals.logins + count * self._arguments.round_logins,
                             self._totals.faults + count * self._arguments.round_faults)

    def _next_landscape(self):
        count = Counter(one["landscape"] for one in self._totals.rounds)
        count += Counter(one.landscape for one in self._under_way)
        return min(self._arguments.landscapes, key=lambda landscape: count[landscape])

    def _next_seed(self):
        used = {one["seed"] for one in self._totals.rounds} | {one.seed for one in self._under_way}
        return next(seed for seed in itertools.count(self._first_seed) if seed not in used)


def is_enough(arguments, logins, faults):
    return logins >= arguments.logins and faults >= arguments.faults


def main(argv):
    arguments = arguments_of(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TOO_EARLY))
    arguments.folder = arguments.folder.resolve()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    totals = Totals(arguments.folder / "state.json", arguments.sources)
    last = time.monotonic()
    try:
        with Rounds(arguments, totals) as rounds:
            while rounds.begin():
                figures = rounds.next_to_end()
                now = time.monotonic()
                totals.add(figures | {"commit": arguments.commit, "passed": now - last})
                last = now
                report(figures, totals)
                if not figures["logins"]:
                    return PROBLEMS
    except KeyboardInterrupt:
        pass
    finally:
        print(totals.summary(arguments.logins, arguments.faults), end="", flush=True)
    if totals.problems:
        return PROBLEMS
    return ENOUGH if is_enough(arguments, totals.logins, totals.faults) else TOO_EARLY


def report(figures, totals):
    for problem in figures["problems"]:
        print(f"  PROBLEM {problem}")
    print(f"ended: {figures['landscape']}, seed {figures['seed']}: {sum(figures['logins'].values()):,} logins, "
          f"{sum(figures['faults'].values())} faults in {figures['seconds'] / 60:.1f} minutes; "
          f"{totals.logins:,} and {totals.faults:,} so far", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
