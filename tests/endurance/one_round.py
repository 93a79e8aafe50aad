# SPDX-License-Identifier: BSD-2-Clause
"""One round: real servers, clients that sign in without pause, and faults. Prints its figures as JSON.

run.py calls it in namespaces of its own, where /mnt is empty and everything ends with this process. To
repeat a round, call run.py with its seed and landscape; which login meets which fault still differs.
"""

import argparse
import json
import pathlib
import random
import shutil
import sys
import time
import traceback
from collections import Counter, defaultdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))

# pylint: disable=wrong-import-position
from faults import faults_of
from host import BACK, DEADLINE, Host, wait_for_service
from landscapes import LANDSCAPES
from load import Clients, footprint, wrong_verdicts
from processes import wait_until

FOLDER = pathlib.Path("/mnt")
SLACK = 30  # seconds, for a busy machine
WARM_UP = 30  # seconds until a process has what it keeps
FEW = 20  # problems that are printed


class Resources:
    """What the processes that live long use: each look compares it with their first after the warm-up."""

    def __init__(self):
        self._seen, self._first, self._last = {}, {}, {}

    def look(self, host):
        now = time.monotonic()
        for role, pids in host.processes().items():
            for pid, used in footprint(pids).items():
                process = role, pid
                if now - self._seen.setdefault(process, now) >= WARM_UP:
                    self._first.setdefault(process, used)
                    self._last[process] = used

    def figures(self):
        """{role: {"processes": …, "resident": the largest in KiB, "growth": [KiB, files, threads]}}"""
        roles = defaultdict(list)
        for (role, pid), first in self._first.items():
            roles[role].append((first, self._last[role, pid]))
        return {role: {"processes": len(pairs), "resident": max(last.resident for _, last in pairs),
                       "growth": [max(last[what] - first[what] for first, last in pairs)
                                  for what in range(3)]}
                for role, pairs in roles.items()}


# Of the growth: KiB, files, threads. The first look may meet a process without its connections: two to the
# users' directory and one to the store.
LIMITS = 2048, 3, 2


def too_large(resources):
    return [f"a process of {role} grew by {used['growth']} (KiB, files, threads)"
            for role, used in resources.items()
            if any(grown > limit for grown, limit in zip(used["growth"], LIMITS))]


def wait_for_logins(clients, count):
    wait_until(lambda: len(clients.answers) >= count, "logins", timeout=3600)


def run(host, arguments, dice):
    """Sign in and break things, evenly mixed; returns the figures."""
    count, problems, resources = Counter(), [], Resources()
    faults = faults_of(host.landscape, arguments.faults, dice)
    begin = time.monotonic()
    with Clients(host.logins, host.ways) as clients:
        try:
            for number, fault in enumerate(faults, 1):
                wait_for_logins(clients, arguments.logins * number / (len(faults) + 1))
                try:
                    count[fault(host, dice)] += 1
                except Exception:  # pylint: disable=broad-except # one of the round's problems
                    problems.append(traceback.format_exc(limit=-3))
                resources.look(host)
            wait_for_logins(clients, arguments.logins)
            wait_for_service(clients)
            resources.look(host)
        except TimeoutError:  # too few logins, or no service: ends the round, and its answers count
            problems.append(traceback.format_exc(limit=-3))
    answers = clients.answers
    slowest = max(answers, key=lambda answer: answer.end - answer.begin)
    longest = slowest.end - slowest.begin
    problems += [f"{what}: {answer}"
                 for what, answer in wrong_verdicts(answers, BACK, host.landscape.could_answer)]
    problems += [f"no answer: {trouble}" for trouble in clients.troubles]
    problems += host.complaints() + too_large(resources.figures())
    if longest > DEADLINE + SLACK:
        problems.append(f"an answer took {longest:.1f} s")
    verdicts = Counter(f"{answer.protocol} {answer.verdict}" for answer in answers)
    # Their directories were up, so none may be unavailable.
    certain = sum(host.landscape.could_answer(answer.login, answer.begin - BACK, answer.end)
                  for answer in answers)
    return {"landscape": arguments.landscape, "seed": arguments.seed,
            "seconds": time.monotonic() - begin, "logins": verdicts, "faults": count, "certain": certain,
            "longest": longest, "slowest": f"{slowest.protocol} {slowest.verdict}",
            "resources": resources.figures(), "problems": problems[:FEW],
            "problem_count": len(problems)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--landscape", choices=LANDSCAPES, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--logins", type=int, required=True)
    parser.add_argument("--faults", type=int, required=True)
    parser.add_argument("--result", type=pathlib.Path, required=True, help="a file for the figures")
    parser.add_argument("--keep", type=pathlib.Path, required=True,
                        help="a folder for the logs of a round with problems")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    try:
        host = Host(FOLDER, LANDSCAPES[arguments.landscape], dice)
        figures = run(host, arguments, dice)
        arguments.result.write_text(json.dumps(figures))
        if figures["problem_count"]:
            keep_logs(arguments.keep)
        host.stop()
    except BaseException:
        keep_logs(arguments.keep)
        raise


def keep_logs(keep):
    for log in FOLDER.rglob("*"):
        if log.suffix in (".log", ".out") and log.is_file():
            copy = keep / log.relative_to(FOLDER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(log, copy)


if __name__ == "__main__":
    main()
