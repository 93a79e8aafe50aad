# SPDX-License-Identifier: BSD-2-Clause
"""MFA for many users at once."""

import os
import pty
import subprocess

import pytest

from administration import COMMAND, CONFIGURATION, DONE, FAILED, UNAVAILABLE, USAGE, Site
from slapd import CLOSED_SITE, IDENTITIES, Slapd
from terminal import read_to_the_end


@pytest.fixture(scope="module")
def directory(workdir):
    slapd = Slapd(workdir / "many", site_rules=f"""\
access to attrs=employeeType by dn.exact="{IDENTITIES["administrator"]}" write by users read
""" + CLOSED_SITE).start()
    yield slapd
    slapd.stop()


@pytest.fixture
def users(directory):
    return [directory.new_person() for _ in range(3)]


def flags(directory, users):
    return [directory.values(who, "appPasswordMfaEnabled") for who in users]


def names(users):
    return [who.uid for who in users]


def test_names_are_arguments(directory, site, users):
    called = site.command("mfa", "on", *names(users))
    assert called.returncode == DONE
    assert called.stdout == "".join(f"{who.uid}: off → enforced now\n" for who in users)
    assert "3 users: 3 done, 0 unchanged, 0 failed" in called.stderr
    assert flags(directory, users) == [["TRUE"]] * 3


INPUTS = {
    "one on each line": "{0}\n{1}\n{2}\n",
    "without the last line end": "{0}\n{1}\n{2}",
    "from Windows": "{0}\r\n{1}\r\n{2}\r\n",
    "with empty lines and spaces": "\n {0} \n\n\t{1}\n{2}\n\n",
}


@pytest.mark.parametrize("text", INPUTS)
def test_names_come_from_standard_input(directory, site, users, text):
    called = site.command("mfa", "on", "-", input=INPUTS[text].format(*names(users)))
    assert called.returncode == DONE, called
    assert called.stdout.splitlines() == [f"{who.uid}: off → enforced now" for who in users]
    assert flags(directory, users) == [["TRUE"]] * 3


@pytest.mark.parametrize("text", ["", "\n\n"], ids=["nothing", "empty lines"])
def test_standard_input_without_names_is_wrong_usage(site, text):
    called = site.command("mfa", "on", "-", input=text)
    assert called.returncode == USAGE and "one USER on each line" in called.stderr


def mark(directory, users, word):
    for who in users:
        directory.administrate(who, employeeType=word)


def test_a_filter_selects_all_users_that_match(directory, site, users):
    stranger = directory.new_person()
    mark(directory, users, "sales")
    called = site.command("mfa", "on", "--filter", "(employeeType=sales)")
    assert called.returncode == DONE, called
    assert sorted(called.stdout.splitlines()) == [f"{who.uid}: off → enforced now" for who in users]
    assert flags(directory, users + [stranger]) == [["TRUE"]] * 3 + [[]]


def test_a_filter_that_the_change_takes_entries_out_of_misses_nobody(directory, site):
    many = [directory.new_person() for _ in range(100)]
    mark(directory, many, "moving")
    called = site.command(
        "mfa", "on", "--filter", "(&(employeeType=moving)(!(appPasswordMfaEnabled=TRUE)))")
    assert called.returncode == DONE, called
    assert flags(directory, many) == [["TRUE"]] * 100


def test_a_filter_that_nobody_matches_says_so(site):
    called = site.command("mfa", "on", "--filter", "(employeeType=nobody)")
    assert called.returncode == FAILED and "nobody" in called.stderr


WRONG = {
    "a filter that is none": ["on", "--filter", "employeeType=sales"],
    "a filter and names": ["on", "--filter", "(uid=alice)", "alice"],
    "a dry run of status": ["status", "--dry-run", "alice"],
    "a dry run of reset with a code": ["reset", "--dry-run", "--code", "alice"],
    "neither filter nor names": ["on"],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage(site, wrong):
    assert site.command("mfa", *WRONG[wrong]).returncode == USAGE


def test_a_dry_run_tells_and_changes_nothing(directory, site, users):
    site.done("mfa", "on", users[0].uid)
    before = [directory.values(who, "modifyTimestamp") for who in users]
    called = site.command("mfa", "on", "--dry-run", *names(users))
    assert called.returncode == DONE
    assert called.stdout.splitlines() == [
        f"{users[0].uid}: unchanged, enforced",
        f"{users[1].uid}: off → enforced now (dry run)",
        f"{users[2].uid}: off → enforced now (dry run)"]
    assert "2 would change, 1 unchanged, 0 failed" in called.stderr
    assert flags(directory, users) == [["TRUE"], [], []]
    assert [directory.values(who, "modifyTimestamp") for who in users] == before


def test_some_that_fail_leave_the_rest_done(directory, site, users):
    called = site.command("mfa", "on", users[0].uid, "nobody-at-all", users[2].uid)
    assert called.returncode == FAILED
    assert called.stdout.splitlines() == [
        f"{users[0].uid}: off → enforced now", f"{users[2].uid}: off → enforced now"]
    assert "app-password: nobody-at-all: no such user" in called.stderr
    assert "2 done, 0 unchanged, 1 failed" in called.stderr
    assert flags(directory, users) == [["TRUE"], [], ["TRUE"]]


def test_an_outage_leaves_the_rest_and_says_how_many(directory, site, users):
    directory.stop()
    try:
        called = site.command("mfa", "on", *names(users))
    finally:
        directory.start()
    assert called.returncode == UNAVAILABLE, called
    assert f'stopped: 2 not tried, starting with "{users[1].uid}"' in called.stderr
    assert flags(directory, users) == [[], [], []]


def run_on_terminal(site, *arguments, term="xterm"):
    """What a terminal shows if standard error is one."""
    ours, theirs = pty.openpty()
    called = subprocess.Popen([COMMAND, "-c", site.config, *arguments], stdout=subprocess.DEVNULL,
                              stderr=theirs, env=os.environ | {"TERM": term})
    os.close(theirs)
    shown = read_to_the_end(ours)
    assert called.wait(timeout=300) == DONE
    return shown


def test_a_terminal_shows_a_bar_and_takes_it_away(site, users):
    shown = run_on_terminal(site, "mfa", "on", *names(users))
    assert "[########################################] 3 of 3" in shown
    assert shown.index("3 of 3\r\x1b[K") < shown.index("3 users:")


@pytest.mark.parametrize("arguments, term", [(1, "xterm"), (3, "dumb")],
                         ids=["one user", "a dumb terminal"])
def test_no_bar_for(site, users, arguments, term):
    assert "#" not in run_on_terminal(site, "mfa", "on", *names(users)[:arguments], term=term)


def test_a_filter_that_reads_something_else_stops_before_the_first(directory, tmp_path, users):
    site = Site(tmp_path / "other", directory, mfa_filter="(employeeType=sales)",
                mfa_off_filter="(employeeType=other)")
    called = site.command("mfa", "on", *names(users))
    assert called.returncode == CONFIGURATION and called.stdout == ""
