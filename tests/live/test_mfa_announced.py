# SPDX-License-Identifier: BSD-2-Clause
"""Turning MFA on at once or from a date, what is said about it, and who is locked out."""

import re
from datetime import datetime, timedelta, timezone

import pytest

from administration import DONE
from apppassword import from_now
from slapd import Slapd

IN_2099 = "20990131000000Z"


@pytest.fixture(scope="module")
def directory(workdir):
    slapd = Slapd(workdir / "announced").start()
    yield slapd
    slapd.stop()


@pytest.fixture
def bob(directory):
    """Announced, with an app password."""
    who, _ = directory.new_person(app_passwords=1)
    directory.set_mfa(who, True, enforce_from=IN_2099)
    return who


def date_of(directory, who):
    return directory.values(who, "appPasswordMfaEnforceFrom")


def start_of_day(days):
    """The first start of a day that is so many days away."""
    moment = datetime.now(timezone.utc) + timedelta(days=days)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if day == moment else day + timedelta(days=1)


def stored(day):
    return [f"{day:%Y%m%d}000000Z"]


# ---- an announcement stays until --now ----

@pytest.mark.parametrize("options", [[], ["--code"], ["--announce", "3d"]],
                         ids=["mfa on", "a code", "another period"])
def test_an_announcement_stays(directory, site, bob, options):
    said = site.done("mfa", "on", bob.uid, *options)
    assert said.splitlines()[0] == f"{bob.uid}: unchanged, announced for 2099-01-31"
    assert date_of(directory, bob) == [IN_2099]
    assert "reason=account-password " in site.done("check", bob.uid, input=bob.password)


def test_an_announcement_is_not_cut_short_by_the_site_s_default(directory, make_site, bob):
    assert "unchanged" in make_site(mfa_grace="3d").done("mfa", "on", bob.uid)
    assert date_of(directory, bob) == [IN_2099]


def test_now_enforces_an_announcement(directory, site, bob):
    called = site.command("mfa", "on", bob.uid, "--now")
    assert called.stdout == f"{bob.uid}: announced for 2099-01-31 → enforced now\n"
    assert called.stderr == ""
    assert date_of(directory, bob) == []


def test_a_dry_run_of_now(directory, site, bob):
    assert site.done("mfa", "on", bob.uid, "--now", "--dry-run") == \
        f"{bob.uid}: announced for 2099-01-31 → enforced now (dry run)\n"
    assert date_of(directory, bob) == [IN_2099]


def test_how_to_change_an_announcement_is_told_to_who_names_one_user(site, directory, bob):
    assert "--now" in site.command("mfa", "on", bob.uid).stderr
    assert "--now" not in site.command("mfa", "on", bob.uid, "--code").stderr
    other, _ = directory.new_person(app_passwords=1)
    assert "--now" not in site.command("mfa", "on", bob.uid, other.uid).stderr


def test_a_date_moves_an_announcement(directory, site, bob):
    assert site.done("mfa", "on", bob.uid, "--enforce-from", "2099-02-01T08:15:30Z") == \
        f"{bob.uid}: announced for 2099-01-31 → announced for 2099-02-01T08:15:30Z\n"
    assert date_of(directory, bob) == ["20990201081530Z"]
    assert site.done("mfa", "on", "--enforce-from", "2099-02-01T08:15:30Z", bob.uid) == \
        f"{bob.uid}: unchanged, announced for 2099-02-01T08:15:30Z\n"
    assert site.done("mfa", "status", bob.uid) == f"{bob.uid}: on, enforced from 2099-02-01T08:15:30Z\n"


def test_a_date_takes_back_what_was_enforced_and_says_so(directory, site):
    who, _ = directory.new_person(mfa=True, app_passwords=1)
    assert site.done("mfa", "on", who.uid, "--enforce-from", "2099-01-31") == \
        f"{who.uid}: enforced → announced for 2099-01-31\n"


def test_off_takes_the_announcement_away(directory, site, bob):
    assert site.done("mfa", "off", bob.uid) == f"{bob.uid}: announced for 2099-01-31 → off\n"
    assert date_of(directory, bob) == []


def test_a_date_that_has_come_is_enforced(directory, site):
    who, _ = directory.new_person(app_passwords=1)
    directory.set_mfa(who, True, enforce_from="20260101000000Z")
    assert site.done("mfa", "on", who.uid) == f"{who.uid}: unchanged, enforced\n"
    assert site.done("mfa", "on", who.uid, "--now") == f"{who.uid}: enforced → enforced now\n"
    assert date_of(directory, who) == []


def test_several_users_have_one_line_each(directory, site, bob):
    off, enforced = directory.new_person(), directory.new_person(mfa=True)
    called = site.command("mfa", "on", "--now", "--filter",
                          f"(|(uid={bob.uid})(uid={off.uid})(uid={enforced.uid}))")
    assert called.returncode == DONE
    assert sorted(called.stdout.splitlines()) == sorted([
        f"{bob.uid}: announced for 2099-01-31 → enforced now",
        f"{off.uid}: off → enforced now", f"{enforced.uid}: unchanged, enforced"])


# ---- a period from today ----

def test_announce_gives_whole_days(directory, site):
    who = directory.new_person()
    day = start_of_day(14)
    assert site.done("mfa", "on", who.uid, "--announce", "14d") == \
        f"{who.uid}: off → announced for {day:%Y-%m-%d}\n"
    assert date_of(directory, who) == stored(day)
    assert "would-refuse=account-password-with-mfa" in \
        site.done("check", who.uid, input=who.password)


def test_announce_also_where_nobody_has_turned_mfa_off(directory, make_site):
    """With mfa_off_filter, users without a flag have MFA neither on nor off."""
    who = directory.new_person()
    site = make_site(mfa_off_filter="(appPasswordMfaEnabled=FALSE)")
    day = start_of_day(14)
    assert site.done("mfa", "on", who.uid, "--announce", "14d") == \
        f"{who.uid}: neither on nor off → announced for {day:%Y-%m-%d}\n"
    assert date_of(directory, who) == stored(day)


def test_announce_takes_back_nothing_that_is_enforced(directory, site):
    who = directory.new_person(mfa=True)
    assert site.done("mfa", "on", who.uid, "--announce", "14d") == \
        f"{who.uid}: unchanged, enforced\n"
    assert date_of(directory, who) == []


GRACE = {
    "the site's default": ([], 14), "another period": (["--announce", "30d"], 30),
    "--now": (["--now"], None)}


@pytest.mark.parametrize("case", GRACE)
def test_the_site_s_default(directory, make_site, case):
    options, days = GRACE[case]
    who = directory.new_person()
    make_site(mfa_grace="14d").done("mfa", "on", who.uid, *options)
    assert date_of(directory, who) == ([] if days is None else stored(start_of_day(days)))


def test_the_site_s_default_yields_to_a_date(directory, make_site):
    who = directory.new_person()
    make_site(mfa_grace="14d").done("mfa", "on", who.uid, "--enforce-from", "2099-01-31")
    assert date_of(directory, who) == [IN_2099]


def test_the_site_s_default_does_not_take_back_what_is_enforced(directory, make_site):
    who = directory.new_person(mfa=True)
    assert make_site(mfa_grace="14d").done("mfa", "on", who.uid) == \
        f"{who.uid}: unchanged, enforced\n"
    assert date_of(directory, who) == []


# ---- users without an app password ----

LOCKED_OUT = "none of this user's programs can sign in"


def test_who_has_no_app_password_is_locked_out_now(directory, site):
    carol = directory.new_person()
    for _ in range(2):  # as true when nothing changes
        called = site.command("mfa", "on", carol.uid)
        assert called.returncode == DONE
        assert f"app-password: {carol.uid}: no app password: " in called.stderr
        assert f"{LOCKED_OUT} now" in called.stderr


def test_or_from_the_announced_date_on(directory, site):
    carol = directory.new_person()
    called = site.command("mfa", "on", carol.uid, "--enforce-from", "2099-01-31")
    assert f"app-password: {carol.uid}: no app password yet: " in called.stderr
    assert f"from 2099-01-31 on, {LOCKED_OUT}" in called.stderr


USELESS = {
    "an expired one": dict(created=from_now(days=-9), expires=from_now(days=-1)),
    "an unusable one": dict(cost=(64, 1)),
}


@pytest.mark.parametrize("useless", USELESS)
def test_is_as_good_as_none(directory, site, useless):
    carol = directory.new_person()
    directory.add_app_password(carol, **USELESS[useless])
    assert LOCKED_OUT in site.command("mfa", "on", carol.uid).stderr


def test_a_revoked_one_is_as_good_as_none(directory, site):
    carol, one = directory.new_person(app_passwords=1)
    site.done("revoke", carol.uid, one.id)
    assert LOCKED_OUT in site.command("mfa", "on", carol.uid).stderr


def test_nothing_is_said_of_a_user_with_an_app_password(directory, site):
    who, _ = directory.new_person(app_passwords=1)
    assert site.command("mfa", "on", who.uid).stderr == ""


def test_a_dry_run_tells_who_would_be_locked_out(directory, site):
    carol = directory.new_person()
    assert "could sign in now" in site.command("mfa", "on", carol.uid, "--dry-run").stderr
    assert directory.values(carol, "appPasswordMfaEnabled") == []


def test_of_several_each_is_named_who_is_locked_out_now(directory, site):
    one, two = directory.new_person(), directory.new_person()
    said = site.command("mfa", "on", one.uid, two.uid).stderr
    assert re.findall(r"(\S+): no app password: ", said) == [one.uid, two.uid]


def test_of_several_that_are_announced_they_are_counted(directory, site, bob):
    users = [directory.new_person() for _ in range(3)]
    called = site.command("mfa", "on", "--announce", "14d", bob.uid, *(who.uid for who in users))
    assert LOCKED_OUT not in called.stderr
    assert "3 without an app password yet" in called.stderr


def test_where_nothing_is_enforced_nobody_is_locked_out(directory, make_site):
    carol = directory.new_person()
    said = make_site(mfa_enforcement="report").command("mfa", "on", carol.uid).stderr
    assert "mfa_enforcement in " in said and "account passwords still work" in said
    assert LOCKED_OUT not in said
