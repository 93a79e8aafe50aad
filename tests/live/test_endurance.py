# SPDX-License-Identifier: BSD-2-Clause
"""tests/endurance: what counts as wrong, and that a round counts once, whenever the program is killed."""

import contextlib
import json
import os
import pathlib
import signal
import sys

import pytest

from dovecot import ACCEPTED, REFUSED, UNAVAILABLE
from load import Answer, Login, wrong_verdicts
from processes import kill, start, wait_until

RUN = pathlib.Path(__file__).resolve().parents[1] / "endurance" / "run.py"
ENOUGH, TOO_EARLY = 0, 75
PATIENCE = 900  # seconds, on a busy machine


class Endurance:
    """The program with small rounds in one landscape."""

    def __init__(self, folder):
        self.state, self.log = folder / "state", folder / "run.log"
        self.process = None

    def start(self, sources, rounds, at_once=1, round_logins=100):
        self.process = start(
            [sys.executable, "-B", RUN, self.state, "--sources", sources, "--commit", "a commit", "--seed", "1",
             "--landscapes", "replicated", "--round-logins", str(round_logins), "--round-faults", "1",
             "--logins", str(round_logins * rounds), "--faults", str(rounds), "--at-once", str(at_once)], self.log)

    def says(self, text):
        def find():
            has_ended = self.process.poll() is not None
            log = self.log.read_text()
            assert text in log or not has_ended, log
            return text in log
        wait_until(find, text, PATIENCE)

    def ends(self):
        return self.process.wait(PATIENCE)

    def namespaces_of_rounds(self, count):
        """Wait for the PID namespaces of so many rounds, in which clients sign in."""
        def find():
            others = {namespace(pid) for pid in descendants(self.process.pid)} - {namespace("self"), None}
            serving = {one for one in others if any("smtpd" in command(pid) for pid in members({one}))}
            return serving == others and len(serving) == count and serving
        return wait_until(find, f"{count} mail servers", PATIENCE)

    def rounds(self):
        return json.loads((self.state / "state.json").read_text())


def namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def members(namespaces):
    """The processes in these PID namespaces."""
    pids = (entry.name for entry in pathlib.Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if namespace(pid) in namespaces]


def descendants(pid):
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
        for file in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            for child in file.read_text().split():
                found += [child, *descendants(child)]
    return found


@pytest.fixture
def endurance(tmp_path, plugin):
    program = Endurance(tmp_path)
    yield program
    if program.process:
        kill(program.process)


def test_a_killed_run_leaves_nothing_running_and_the_next_one_continues(endurance):
    endurance.start("one", rounds=2)
    endurance.says("seed 2")
    first = endurance.rounds()
    second = endurance.namespaces_of_rounds(1)
    endurance.process.kill()
    wait_until(lambda: not members(second), "the end of all servers")
    assert endurance.rounds() == first and len(first["one"]) == 1
    endurance.start("one", rounds=3, at_once=4)
    assert endurance.ends() == ENOUGH, endurance.log.read_text()
    sums = endurance.rounds()["one"]
    assert sums[0] == first["one"][0] and sorted(one["seed"] for one in sums) == [1, 2, 3]
    for one in sums:
        assert sum(one["logins"].values()) >= 100 and sum(one["faults"].values()) == 1
        assert one["problems"] == []
    log = endurance.log.read_text()
    assert "sources one, tested at a commit: 3 rounds" in log and "no problems" in log
    assert "begins: replicated, seed 2\nbegins: replicated, seed 3\n" in log  # at the same time


def test_sigterm_ends_all_rounds_at_once_and_other_sources_have_their_own_sums(endurance):
    endurance.state.mkdir()
    before = {"one": [{"logins": {"SMTP accepted": 7}, "faults": {"kill": 1}}]}
    (endurance.state / "state.json").write_text(json.dumps(before))
    endurance.start("two", rounds=2, at_once=2, round_logins=1_000_000)
    both = endurance.namespaces_of_rounds(2)
    endurance.process.send_signal(signal.SIGTERM)
    assert endurance.ends() == TOO_EARLY
    wait_until(lambda: not members(both), "the end of all servers")
    assert endurance.rounds() == before
    assert "sources two: no round yet" in endurance.log.read_text()


@pytest.mark.parametrize("is_good, verdict, is_up, problem", [
    (False, ACCEPTED, False, "wrong"), (False, ACCEPTED, True, "wrong"),
    (True, REFUSED, False, "wrong"), (True, REFUSED, True, "wrong"),
    (True, UNAVAILABLE, True, "unavailable although the directories were up"),
    (False, UNAVAILABLE, True, "unavailable although the directories were up"),
    (True, UNAVAILABLE, False, None), (False, UNAVAILABLE, False, None),
    (True, ACCEPTED, False, None), (False, REFUSED, False, None)])
def test_what_the_state_of_the_directories_does_not_explain(is_good, verdict, is_up, problem):
    asked = []

    def could_answer(login, begin, end):
        asked.append((begin, end))
        return is_up

    answer = Answer("IMAP", Login("alice", "secret", is_good), verdict, 100, 101)
    found = list(wrong_verdicts([answer], 5, could_answer))
    assert found == ([(problem, answer)] if problem else [])
    assert asked in ([], [(95, 101)])
