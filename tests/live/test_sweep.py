# SPDX-License-Identifier: BSD-2-Clause
"""Problems in the whole directory: report, revoke --expired and --unused."""

import csv
import io
import json
import os
import pty
import re
import subprocess
from datetime import datetime, timedelta, timezone

import ldap
import pytest

import apppassword
from administration import COMMAND, DONE, FAILED, USAGE, Site
from apppassword import from_now
from slapd import Slapd, person
from terminal import read_to_the_end

OLD = from_now(days=-400)


@pytest.fixture
def directory(workdir, tmp_path_factory):
    """Each test has its own directory: a report is about every user."""
    slapd = Slapd(workdir / tmp_path_factory.mktemp("sweep").name).start()
    yield slapd
    slapd.stop()


def use(directory, who, app_password, **ago):
    """Record a use."""
    directory.administrate(who, appPasswordUsed=f"id={app_password.id} at={from_now(**ago)}")


class Population:
    """One user for each finding, and users without any."""

    def __init__(self, directory):
        new = directory.new_person
        self.expired, self.expiring, self.unused = (new(mfa=True) for _ in range(3))
        self.never_used, self.without, self.fine = (new(mfa=True) for _ in range(3))
        self.young, self.strange, self.off = new(mfa=True), new(mfa=True), new()
        self.disabled, self.costly = person("disabled"), new(mfa=True)
        add = directory.add_app_password
        self.expired_one = add(self.expired, created=OLD, expires=from_now(days=-1))
        self.expiring_one = add(self.expiring, expires=from_now(days=10))
        self.unused_one = add(self.unused, created=OLD)
        use(directory, self.unused, self.unused_one, days=-200)
        self.never_used_one = add(self.never_used, created=OLD, label='=cmd|"x",y')
        self.fine_one = add(self.fine, created=OLD, expires=from_now(days=100))
        use(directory, self.fine, self.fine_one, days=-1)
        self.young_one = add(self.young, created=from_now(days=-10))
        self.strange_one = add(self.strange, created=OLD)
        directory.administrate(self.strange,
                               appPasswordUsed=f"id={self.strange_one.id} at=yesterday")
        self.disabled_one = add(self.disabled)
        self.costly_one = add(self.costly, cost=(9, 1))
        self._add_guesses(directory)

    def _add_guesses(self, directory):
        """Of three users, one was told about wrong codes lately."""
        now = datetime.now(timezone.utc)
        self.guessed, few, earlier = (directory.new_person() for _ in range(3))
        for who, days, count in ((self.guessed, 6, 10), (few, 0, 9), (earlier, 9, 50)):
            day = f"{now - timedelta(days=days):%Y%m%d}000000Z"
            directory.administrate(who, appPasswordMfaMethod=f"guesses day={day} count={count}")


@pytest.fixture
def population(directory):
    return Population(directory)


def test_users_with_a_single_second_factor_are_reported_only_if_asked_for(directory, site):
    one, old, two, none = (directory.new_person() for _ in range(4))
    directory.administrate(one, appPasswordMfaMethod=[
        "factor v=2 kind=totp sealed=AAAA", "guesses day=20260101000000Z count=1"])
    directory.administrate(old, appPasswordMfaMethod="sealed=AAAA")
    directory.administrate(two, appPasswordMfaMethod=[
        "factor v=2 kind=totp sealed=AAAA", "factor v=2 kind=mail sealed=AAAA"])
    assert found(site, "--single-second-factor") == {
        ("single-second-factor", who.uid, None) for who in (one, old)}
    assert "single-second-factor" not in {row[0] for row in found(site)}
    assert site.done("mfa", "status", one.uid, old.uid, two.uid, none.uid) == (
        f"{one.uid}: off; second factors: totp\n"
        f"{old.uid}: off; second factors: of unknown kind\n"
        f"{two.uid}: off; second factors: totp, mail\n"
        f"{none.uid}: off\n")


def found(site, *options):
    """(finding, user, id) of each, from the JSON."""
    return {(row["finding"], row["user"], row.get("id"))
            for row in json.loads(site.done("report", "--json", *options))}


def everything(population):
    return {
        ("expired", population.expired.uid, population.expired_one.id),
        ("expiring", population.expiring.uid, population.expiring_one.id),
        ("unused", population.unused.uid, population.unused_one.id),
        ("unused", population.never_used.uid, population.never_used_one.id),
        ("disabled-account", population.disabled.uid, population.disabled_one.id),
        ("costly-hash", population.costly.uid, population.costly_one.id),
        ("mfa-without-app-password", population.without.uid, None),
        ("second-factor-guessed", population.guessed.uid, None),
    }


def test_without_options_everything_is_reported(population, site):
    assert found(site) == everything(population)


OPTIONS = {
    "expired": ["--expired"], "expiring": ["--expiring", "14d"], "unused": ["--unused", "90d"],
    "disabled-account": ["--disabled"],
    "costly-hash": ["--costly"],
    "mfa-without-app-password": ["--mfa-without-app-password"],
    "second-factor-guessed": ["--second-factor-guessed"],
}


@pytest.mark.parametrize("finding", OPTIONS)
def test_one_finding_alone(population, site, finding):
    assert found(site, *OPTIONS[finding]) == {
        row for row in everything(population) if row[0] == finding}


PERIODS = {
    "nothing expires within": (["--expiring", "9d"], 0),
    "more expires within": (["--expiring", "101d"], 2),
    "what was used within the period is not unused": (["--unused", "300d"], 1),
    "what is younger than the period is not unused": (["--unused", "500d"], 0),
    "a short period finds the young ones": (["--unused", "5d"], 3),
}


@pytest.mark.parametrize("period", PERIODS)
def test_period(population, site, period):
    options, count = PERIODS[period]
    assert len(found(site, *options)) == count


def test_text_has_a_line_for_each_and_counts_at_the_end(population, site):
    called = site.command("report")
    assert called.returncode == DONE
    assert len(called.stdout.splitlines()) == 8
    line, = [line for line in called.stdout.splitlines() if line.startswith("expired ")]
    assert line.split()[:3] == ["expired", population.expired.uid, population.expired_one.id]
    assert "app-password: unused: 2" in called.stderr


def test_csv_is_read_back_and_holds_no_formula(population, site):
    rows = list(csv.DictReader(io.StringIO(site.done("report", "--csv"))))
    assert {(row["finding"], row["user"], row["id"] or None) for row in rows} == \
        everything(population)
    row, = [row for row in rows if row["user"] == population.never_used.uid]
    assert row["label"] == "'=cmd|\"x\",y" and row["last_used"] == ""
    assert row["dn"] == population.never_used.dn


def test_an_empty_report(directory, site):
    assert json.loads(site.done("report", "--json")) == []
    assert site.done("report") == ""
    assert site.done("report", "--csv").count("\n") == 1


def test_without_recorded_uses_nothing_is_called_unused(directory, site):
    directory.add_app_password(directory.new_person(mfa=True), created=OLD)
    called = site.command("report", "--json", "--unused", "90d")
    assert called.returncode == DONE and json.loads(called.stdout) == []
    assert "last use is not recorded here" in called.stderr


# What a terminal shows: each search of all users counts its own.
PROGRESS = {
    ("report", "--json"): ["users with app passwords", "users with MFA", "users with second factors"],
    ("report", "--progress"): ["users", "users with MFA"],
    ("revoke", "--expired", "--dry-run"): ["users with app passwords"],
    ("doctor",): ["users with app passwords", "users"],
}


@pytest.mark.parametrize("arguments", PROGRESS, ids=" ".join)
def test_progress_on_a_terminal_only(population, directory, make_site, arguments):
    site = make_site(login_attribute="uid")
    ours, theirs = pty.openpty()
    subprocess.run([COMMAND, "-c", site.config, *arguments], stdout=subprocess.DEVNULL,
                   stderr=theirs, env=os.environ | {"TERM": "xterm"}, timeout=300)
    os.close(theirs)
    shown = read_to_the_end(ours).replace("\r\n", "\n")
    assert re.findall(r"\r([^\r:]+): 1[,\x1b]", shown) == PROGRESS[arguments], shown
    assert shown.rpartition("\r")[2].startswith("\x1b[K")  # nothing stays
    called = site.command(*arguments)
    assert "users" not in called.stderr and "\r" not in called.stdout + called.stderr


WRONG = {
    "a user": ["report", "alice"],
    "two formats": ["report", "--json", "--csv"],
    "a period without a unit": ["report", "--expiring", "14"],
    "a period of nothing": ["report", "--unused", "0d"],
    "revoke unused without a unit": ["revoke", "--unused", "180"],
    "revoke all of everybody": ["revoke", "--expired", "--all"],
    "revoke and wait for nothing": ["revoke", "--expired", "--dry-run", "--wait"],
    "wait for ever": ["revoke", "alice", "--all", "--wait=ever"],
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_usage(site, wrong):
    called = site.command(*WRONG[wrong])
    assert called.returncode == USAGE and called.stdout == ""


def left(directory, population):
    """The names of the users that still have their app password."""
    return {name for name in ("expired", "expiring", "unused", "never_used", "fine", "young",
                              "strange", "disabled")
            if directory.app_passwords(getattr(population, name))}


ALL = {"expired", "expiring", "unused", "never_used", "fine", "young", "strange", "disabled"}
SWEEPS = {
    "expired": (["--expired"], {"expired"}),
    "unused for half a year": (["--unused", "180d"], {"unused", "never_used"}),
    "unused for a year": (["--unused", "365d"], {"never_used"}),
    "both": (["--expired", "--unused", "180d"], {"expired", "unused", "never_used"}),
}


@pytest.mark.parametrize("sweep", SWEEPS)
def test_revoke(directory, population, site, sweep):
    options, gone = SWEEPS[sweep]
    would = site.command("revoke", *options, "--dry-run")
    assert would.returncode == DONE and would.stdout.count("would be revoked") == len(gone), would
    assert left(directory, population) == ALL
    called = site.command("revoke", *options)
    assert called.returncode == DONE, called
    assert called.stdout == would.stdout.replace("would be revoked", "revoked")
    assert left(directory, population) == ALL - gone
    assert f"{len(gone)} revoked, 0 failed" in called.stderr


def test_revoke_of_those_named_only(directory, population, site):
    site.done("revoke", "--unused", "180d", population.unused.uid, population.fine.uid)
    assert left(directory, population) == ALL - {"unused"}


def test_revoke_goes_on_after_a_name_that_is_none(directory, population, site):
    called = site.command("revoke", "--expired", "nobody-at-all", population.expired.uid)
    assert called.returncode == FAILED and "nobody-at-all: no such user" in called.stderr
    assert left(directory, population) == ALL - {"expired"}


def test_other_app_passwords_of_the_same_user_stay(directory, population, site):
    other = directory.add_app_password(population.expired)
    site.done("revoke", "--expired")
    assert directory.app_passwords(population.expired) == [other.value]


def test_unusable_values_stay(directory, population, site):
    broken = apppassword.make(created=OLD, expires=from_now(days=-1)).value.replace("m=8192", "m=1")
    directory.administrate(population.without, appPassword=broken)
    site.done("revoke", "--expired", "--unused", "180d")
    assert directory.app_passwords(population.without) == [broken]


@pytest.mark.parametrize("who", [[], ["user000"]], ids=["everybody", "one user"])
def test_unused_refuses_where_nobody_records_uses(directory, site, who):
    user = directory.new_person(mfa=True)
    app_password = directory.add_app_password(user, created=OLD)
    use(directory, user, app_password, days=-200)
    called = site.command("revoke", "--unused", "180d", *who)
    assert called.returncode == FAILED and called.stdout == ""
    assert "last use is not recorded here" in called.stderr
    assert directory.app_passwords(user) == [app_password.value]
    assert site.done("revoke", "--unused", "300d").count("revoked") == 0


HOSTILE_NAMES = {
    "an escape sequence": "\x1b]0;owned\x07alice",
    "a line end": "alice\nexpired",
    "a change of direction": "alice\u202egro",
    "a C1 control": "alice\x9b2J",
}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_from_the_directory_do_not_reach_the_terminal_raw(directory, tmp_path, name):
    site = Site(tmp_path / "site", directory, login_attribute="description")
    who = directory.new_person(mfa=True)
    directory.connect_as_itself().modify_s(
        who.dn, [(ldap.MOD_REPLACE, "description", [HOSTILE_NAMES[name].encode()])])
    one = directory.add_app_password(who, created=OLD, expires=from_now(days=-1))
    printed = [site.done("report", "--expired"), site.done("report", "--csv", "--expired"),
               site.done("revoke", "--expired")]
    for text in printed:
        lines = text.splitlines()
        assert lines[-1].count(one.id) == 1
        assert not any(c in text for c in "\x1b\x07\u202e\x9b")
    assert len(printed[0].splitlines()) == len(printed[2].splitlines()) == 1
    assert len(printed[1].splitlines()) == 2


FORMULAS = ["=1+1", "+1", "-1", "@x", "a;=1+1", "a,=1+1", "a|@x", ";;-1", "a, b;+2", 'a";=1',
            "\uff1d1+1", "\uff0b1", "a;\uff0d1", "a|\uff20x"]


@pytest.mark.parametrize("label", FORMULAS)
def test_no_cell_starts_a_formula_behind_any_separator(directory, site, label):
    directory.add_app_password(directory.new_person(mfa=True), created=OLD,
                               expires=from_now(days=-1), label=label)
    text = site.done("report", "--csv", "--expired")
    for separator in ",;|":
        for row in csv.reader(io.StringIO(text), delimiter=separator, quoting=csv.QUOTE_NONE):
            for cell in row:
                assert cell.lstrip('"')[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20"), \
                    (separator, row)
