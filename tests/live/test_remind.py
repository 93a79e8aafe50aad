# SPDX-License-Identifier: BSD-2-Clause
"""app-password remind: who gets which mail, once, and what is recorded."""

import datetime
import re
import subprocess
import time

import ldap
import pytest

from administration import CONFIGURATION, DONE, FAILED, NOT_PERMITTED, PREFIX, UNAVAILABLE, USAGE
from apppassword import from_now
from portal import PORTAL_USER
from reminders import (ANNOUNCED, EXPIRING, MADE, REVOKED_SOON, TODAY, UNUSED, USUAL, WEEK, Host, counts,
                       expiring, forget_everybody, host, make_host, people, reminders, told_of_end, used,
                       with_one)
from slapd import BASE, CLOSED_SITE, IDENTITIES, help_desk_rights
from test_portal_helpdesk_actions import Desk, act
from visits import enrolled, let_in, make_app_password


# ---- each kind, once ----

def test_an_app_password_that_expires_is_mailed_14_and_3_days_before(people, host):
    who, one = expiring(people, 10, label="Phone <1>")
    late, other = expiring(people, 2)
    expiring(people, 15)
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (2, 0, 0, 0)), called
    assert sorted(host.new()) == sorted([(who.mail, EXPIRING), (late.mail, EXPIRING)])
    assert reminders(people, who) == [told_of_end(14, one)]
    assert reminders(people, late) == [told_of_end(14, other), told_of_end(3, other)]
    assert counts(host.remind()) == (0, 0, 0, 0) and host.new() == []
    assert f'app-password: action=mail actor="remind" user="{who.uid}" id={one.id} result=done ' \
           "mail=expiring" in host.lines("mail")
    assert host.lines("remind") == [
        'app-password: action=remind actor="remind" user=- id=- result=done '
        f"sent={sent} failed=0 held=0 without-address=0 revoked=0" for sent in (2, 0)]


def test_the_mail_says_what_when_and_where(people, host):
    who, one = expiring(people, 10, label="Phone at home", id="7q2z")  # in no word of the mail
    used(people, who, one, days=-3)
    host.remind()
    text = host.newest()
    assert re.fullmatch(f"""\
These app passwords of your account at 127.0.0.1 expire soon. The mail programs that use them can’t sign in after that.
To keep a mail program working, create a new app password on the app password page, and enter it in the program.

- “Phone at home” – created: (.+); last used: (.+); expires: (.+)

Questions\\? Ask help@example.org.

Account: {who.uid}
App password page: {re.escape(host.portal.conf["public_url"])}
""", text), text
    message = host.portal.messages()[-1]
    assert message["Auto-Submitted"] == "auto-generated" and message["Content-Language"] == "en"
    assert one.shown not in text and one.id not in text


def test_several_app_passwords_of_one_user_are_one_mail(people, host):
    who, _ = expiring(people, 10, label="one")
    people.add_app_password(who, label="two", created=from_now(days=-50), expires=from_now(days=2))
    host.remind()
    assert host.new() == [(who.mail, EXPIRING)]
    assert "“one”" in host.newest() and "“two”" in host.newest()
    assert host.lines("mail")[-1].endswith(" id=- result=done mail=expiring")


def test_max_lifetime_ends_app_passwords_and_is_mailed(people, folder):
    host = make_host(folder / "etc", people, max_lifetime="105d")
    host.begin(10)
    who, _ = with_one(people)
    host.remind()
    assert host.new() == [(who.mail, EXPIRING)]
    forget_everybody(people)


def test_an_app_password_made_by_somebody_else_is_mailed(people, host):
    portal = host.portal.start()
    try:
        who = people.new_person(mfa=True)
        client, _ = enrolled(portal, who)
        make_app_password(client, "made on the page")
        host.new()
        called = host.remind()
        assert (counts(called), host.new()) == ((0, 0, 0, 0), []), called
        portal.done("create", who.uid, "--label", "made by the command")
        people.add_app_password(who, label="old", created=from_now(days=-11))
        assert counts(host.remind()) == (1, 0, 0, 0)
        assert host.new() == [(who.mail, MADE)]
        assert "“made by the command”" in host.newest() and "“old”" not in host.newest()
        assert counts(host.remind()) == (0, 0, 0, 0)
    finally:
        portal.stop()


def test_an_app_password_made_with_a_link_is_mailed_by_the_page_alone(people, host):
    portal = host.portal.start()
    try:
        who = people.new_person(mfa=True)
        enrolled(portal, who)
        link = portal.done("invite", who.uid, "--label", "Phone").strip()
        path = re.search(r"/(device/\S+)", link)[1]
        client = portal.client()
        client.get(path)
        client.post(path)
        host.new()
        assert len(people.app_passwords(who)) == 1
        called = host.remind()
        assert (counts(called), host.new()) == ((0, 0, 0, 0), []), called
    finally:
        portal.stop()


def test_a_first_run_says_nothing_about_what_was_before(people, folder):
    host = make_host(folder / "etc", people)
    who = people.new_person(mfa=True)
    people.add_app_password(who)
    with_one(people)
    called = host.remind()
    assert (called.returncode, counts(called), host.new()) == (DONE, (0, 0, 0, 0), [])
    people.add_app_password(who, label="later", created=from_now(seconds=1))
    assert counts(host.remind()) == (1, 0, 0, 0)
    assert host.new() == [(who.mail, MADE)] and "“later”" in host.newest()
    forget_everybody(people)


def test_unused_for_a_year_is_mailed_once_for_each_year(people, host):
    who, one = with_one(people, created=from_now(days=-800), label="Printer")
    busy, other = with_one(people, created=from_now(days=-800))
    used(people, busy, other, days=-10)
    assert counts(host.remind()) == (1, 0, 0, 0)
    assert host.new() == [(who.mail, UNUSED)] and "last used: not yet" in host.newest()
    used(people, who, one, days=-400)
    assert counts(host.remind()) == (1, 0, 0, 0), "it was used after its creation"
    assert counts(host.remind()) == (0, 0, 0, 0)
    assert len(reminders(people, who)) == 1, "the first record says nothing any more"


def test_nobody_is_told_of_unused_ones_if_no_use_is_recorded(people, host):
    with_one(people, created=from_now(days=-800))
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (0, 0, 0, 0))
    assert "last use is not recorded here" in called.stdout


def test_the_mails_before_mfa(people, host):
    new, ready, soon, now = (people.new_person() for _ in range(4))
    far, week, today = (from_now(days=days) for days in (60, 6, 0))
    for who in (new, ready):
        people.set_mfa(who, True, enforce_from=far)
    people.add_app_password(ready, created=from_now(days=-20))
    people.set_mfa(soon, True, enforce_from=week)
    people.set_mfa(now, True, enforce_from=today)
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (4, 0, 0, 0)), called
    assert sorted(host.new()) == sorted([(new.mail, ANNOUNCED), (ready.mail, ANNOUNCED),
                                         (soon.mail, ANNOUNCED), (now.mail, TODAY)])
    assert reminders(people, new) == [f"kind=mfa-announced of={far}"]
    assert reminders(people, soon) == [f"kind=mfa-announced of={week}", f"kind=mfa-week of={week}"]
    assert counts(host.remind()) == (0, 0, 0, 0)
    moved = from_now(days=5)
    for who in (new, ready):
        people.administrate(who, appPasswordMfaEnforceFrom=moved)
    assert counts(host.remind()) == (2, 0, 0, 0), "another date"
    assert reminders(people, new) == [f"kind=mfa-announced of={moved}", f"kind=mfa-week of={moved}"]


def test_a_week_before_mfa_only_users_without_an_app_password_are_reminded(people, host):
    idle, ready = people.new_person(), people.new_person()
    date = from_now(days=6)
    people.add_app_password(ready, created=from_now(days=-20))
    for who in (idle, ready):
        people.set_mfa(who, True, enforce_from=date)
        people.administrate(who, appPasswordMfaMethod=f"reminder kind=mfa-announced of={date}")
    assert counts(host.remind()) == (1, 0, 0, 0)
    assert host.new() == [(idle.mail, WEEK)]
    assert "you have none yet" in host.newest()


def test_mfa_that_the_help_desk_announces_is_announced_once(own_directory, start_portal):
    """By the page, at once; the date of the help desk is a midnight of the page's time zone."""
    rule, = help_desk_rights("access to ", "The help desk turns MFA on")
    directory = own_directory(first_rules=rule)
    desk = Desk(directory, start_portal, USUAL, to=directory)
    host = Host(desk.portal)
    host.begin(10)
    who = directory.new_person()
    date = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()
    act(desk.client(), "mfa-on", who, date=date)
    from_, = directory.values(who, "appPasswordMfaEnforceFrom")
    assert reminders(directory, who) == [f"kind=mfa-announced of={from_}"]
    host.new()
    called = host.remind(who.uid)
    assert (called.returncode, counts(called), host.new()) == (DONE, (0, 0, 0, 0), []), called


def test_a_date_without_mfa_is_no_reason_for_a_mail(people, host):
    who = people.new_person()
    people.administrate(who, appPasswordMfaEnforceFrom=from_now(days=5))
    called = host.remind()
    assert (called.returncode, counts(called), host.new()) == (DONE, (0, 0, 0, 0), [])


def test_accounts_that_have_ended_get_no_mail(people, host):
    who, _ = expiring(people)
    people.connect_as_itself().modify_s(
        who.dn, [(ldap.MOD_ADD, "pwdAccountLockedTime", [b"000001010000Z"])])
    assert counts(host.remind()) == (0, 0, 0, 0) and host.new() == []


def test_the_language_is_the_users(people, host):
    for language in ("nb", "de-AT, en;q=0.5", "tlh", None):
        who, _ = expiring(people)
        if language:
            people.connect_as_itself().modify_s(
                who.dn, [(ldap.MOD_ADD, "preferredLanguage", [language.encode()])])
    host.remind()
    assert sorted(message["Content-Language"] for message in host.portal.messages()) == [
        "de", "en", "en", "nb"]


def test_only_the_topics_of_the_site(people, folder):
    host = make_host(folder / "etc", people, {"remind": "mfa, made"})
    host.begin(10)
    expiring(people)
    assert counts(host.remind()) == (0, 0, 0, 0)
    forget_everybody(people)


def test_it_is_off_until_it_is_configured(people, folder):
    host = make_host(folder / "etc", people, {"remind": None})
    expiring(people)
    called = host.remind()
    assert (called.returncode, called.stdout, called.stderr) == (
        DONE, "remind is off in portal.conf: nothing to do\n", "")
    assert host.new() == [] and list(host.state.iterdir()) == [] and host.lines("remind") == []
    forget_everybody(people)


# ---- unused ones are revoked ----

@pytest.fixture
def sweeping(people, folder):
    made = make_host(folder / "etc", people, revoke_unused="180d")
    made.begin(10)
    busy, one = with_one(people)
    used(people, busy, one, days=-1)
    yield made
    forget_everybody(people)


def told(directory, who, app_password, since, days):
    """As if the mail had been sent so many days ago."""
    directory.administrate(who, appPasswordMfaMethod=(
        f"reminder kind=unused-revoke id={app_password.id} of={since} "
        f"sent={from_now(days=-days)[:8]}000000Z"))


def test_an_unused_app_password_is_revoked_two_weeks_after_the_mail(people, sweeping):
    since = from_now(days=-500)
    who, one = with_one(people, created=since, label="Old phone")
    called = sweeping.remind()
    assert (called.returncode, counts(called)) == (DONE, (1, 0, 0, 0)), called
    assert sweeping.new() == [(who.mail, REVOKED_SOON)]
    record, = reminders(people, who)
    assert re.fullmatch(rf"kind=unused-revoke id={one.id} of={since} sent=\d{{8}}000000Z", record)
    assert counts(sweeping.remind()) == (0, 0, 0, 0)
    told(people, who, one, since, 13)
    assert counts(sweeping.remind()) == (0, 0, 0, 0) and people.app_passwords(who) == [one.value]
    told(people, who, one, since, 14)
    dry = sweeping.remind("--dry-run")
    assert counts(dry) == (0, 0, 0, 1) and f"{who.uid}: {one.id} would be revoked" in dry.stdout
    assert people.app_passwords(who) == [one.value]
    assert counts(sweeping.remind()) == (0, 0, 0, 1)
    assert people.app_passwords(who) == [] and sweeping.new() == []
    assert sweeping.lines("sweep") == [
        f'app-password: action=sweep actor="remind" user="{who.uid}" id={one.id} result=done']


def test_one_that_was_used_since_the_mail_stays(people, sweeping):
    since = from_now(days=-500)
    who, one = with_one(people, created=since)
    told(people, who, one, since, 30)
    used(people, who, one, days=-2)
    assert counts(sweeping.remind()) == (0, 0, 0, 0)
    assert people.app_passwords(who) == [one.value]


def test_without_a_mail_nothing_is_revoked(people, sweeping):
    who, one = with_one(people, created=from_now(days=-500))
    people.connect_as_itself().modify_s(who.dn, [(ldap.MOD_DELETE, "mail", None)])
    called = sweeping.remind()
    assert counts(called) == (0, 0, 0, 0)
    assert f"without a valid mail address: {who.uid}\n" in called.stdout
    assert people.app_passwords(who) == [one.value] and reminders(people, who) == []


def test_if_uses_are_not_recorded_nothing_is_revoked(people, folder):
    host = make_host(folder / "etc", people, revoke_unused="180d")
    since = from_now(days=-500)
    who, one = with_one(people, created=since)
    told(people, who, one, since, 30)
    called = host.remind()
    assert counts(called) == (0, 0, 0, 0) and "last use is not recorded" in called.stdout
    assert people.app_passwords(who) == [one.value]
    forget_everybody(people)


def test_a_mail_that_was_lost_is_sent_again_and_counts_only_then(people, sweeping):
    since = from_now(days=-500)
    who, one = with_one(people, created=since)
    people.administrate(who, appPasswordMfaMethod=(
        f"reminder kind=unused-revoke id={one.id} of={since} tried={from_now(days=-30)[:8]}000000Z"))
    assert counts(sweeping.remind()) == (1, 0, 0, 0)
    assert people.app_passwords(who) == [one.value]
    record, = reminders(people, who)
    assert " sent=" in record


# ---- the record beside second factors ----

def test_the_page_and_resets_leave_the_record_alone(people, host):
    portal = host.portal.start()
    try:
        who = people.new_person(mfa=True)
        _, app = enrolled(portal, who)
        one = people.add_app_password(who, created=from_now(days=-100), expires=from_now(days=5))
        host.remind()
        record = [told_of_end(14, one)]
        assert reminders(people, who) == record
        let_in(portal, who, app)
        portal.done("mfa", "reset", who.uid)
        assert reminders(people, who) == record
        assert [value for value in people.values(who, "appPasswordMfaMethod")
                if not value.startswith("reminder ")] == []
        assert "unchanged" in portal.done("mfa", "reset", who.uid)
        enrolled(portal, who)
        portal.done("mfa", "reset", who.uid, "--code")
        assert reminders(people, who) == record
        assert len(people.values(who, "appPasswordMfaMethod")) == 2, "the record and the code"
        assert counts(host.remind()) == (0, 0, 0, 0)
    finally:
        portal.stop()


# ---- a large directory ----

def test_more_than_500_users_are_no_limit_and_a_run_has_one_of_its_own(people, host, folder):
    administrator = people.connect("administrator")
    value = people.add_app_password(people.new_person(), created=from_now(days=-1)).value
    for number in range(100, 900):
        administrator.modify_s(f"uid=user{number},ou=people,{BASE}", [
            (ldap.MOD_ADD, "objectClass", [b"appPasswordAccount"]),
            (ldap.MOD_ADD, "appPassword", [value.encode()])])
    called = host.remind("--dry-run")
    assert (called.returncode, counts(called)) == (DONE, (801, 0, 0, 0)), called.stderr
    slow = make_host(folder / "slow", people, {"remind_rate": "1"})
    slow.begin(10)
    called = slow.remind("--dry-run")
    assert (called.returncode, counts(called)) == (DONE, (720, 0, 81, 0)), "twelve hours"


# ---- the doctor ----

def examined(host, folder, timer="active"):
    """The doctor's findings about reminders; a systemctl of ours says what the timer does."""
    systemctl = folder / "systemctl"
    systemctl.write_text(f"#!/bin/sh\n[ {timer} != none ] && echo {timer}\n")
    systemctl.chmod(0o755)
    called = host.portal.command("doctor", "--portal", env=host.env() | {
        "PATH": f"{folder}:{host.env()['PATH']}"})
    return [line for line in called.stdout.splitlines() if "reminders" in line]


def test_the_doctor_says_when_the_last_run_was(people, host, folder):
    (host.state / "remind").unlink()
    assert examined(host, folder) == [
        "ok       reminders: app-password-remind.timer is on",
        "PROBLEM  reminders: there was no run on this host yet"]
    host.remind()
    assert examined(host, folder)[1] == (
        "ok       reminders: the last run, 0 hours ago, sent 0 mails; users without a mail address: 0; "
        "app passwords revoked: 0")
    old = int(time.time()) - 51 * 3600 - 60
    (host.state / "remind").write_text(f"began 1\ntime {old}\n")
    assert examined(host, folder)[1] == "PROBLEM  reminders: the last run was 51 hours ago"
    (host.state / "remind").write_text("nonsense\n")
    assert "damaged" in examined(host, folder)[1]


def test_the_doctor_says_that_mails_fail(people, host, folder):
    expiring(people)
    (host.portal.folder / "no-mail").touch()
    host.remind()
    line = examined(host, folder)[1]
    assert line.startswith("PROBLEM  reminders: in the last run, 0 mails failed, and 1 wait for the "
                           "next one: user") and "status 75" in line


def test_the_doctor_says_that_the_timer_is_off(people, host, folder):
    host.remind()
    assert examined(host, folder, "inactive")[0] == (
        "PROBLEM  reminders: app-password-remind.timer is inactive: unless another host has it, users "
        "get no mail")
    assert len(examined(host, folder, "none")) == 1, "no systemd: the last run alone counts"


@pytest.mark.parametrize("topics, said", [
    (None, True), ("off", True), ("mfa made", True), ("mfa unused", False), ("all", False)])
def test_the_doctor_says_that_nothing_carries_out_revoke_unused(people, folder, topics, said):
    host = make_host(folder / "etc", people, {"remind": topics}, revoke_unused="180d")
    found = examined(host, folder)
    assert any("nothing revokes unused app passwords" in line for line in found) == said, found


# ---- mistakes ----

def test_it_is_the_pages(people, host):
    called = host.portal.command("-D", IDENTITIES["administrator"], "remind", env=host.env())
    assert called.returncode == USAGE and "it works as the page" in called.stderr
    (host.portal.folder / "portal.conf").rename(host.portal.folder / "away")
    called = host.remind()
    assert called.returncode == CONFIGURATION
    assert "it works on the host of the self-service page alone" in called.stderr


def test_somebody_without_the_key_is_told_whose_it_is(people, host):
    (host.portal.folder / "portal.conf").chmod(0o600)
    called = subprocess.run(
        ["setpriv", f"--reuid={PORTAL_USER}", "--regid=nogroup", "--clear-groups",
         PREFIX / "bin" / "app-password", "-c", host.portal.config, "remind"],
        env=host.env(), capture_output=True, text=True)
    assert called.returncode == NOT_PERMITTED and "belongs to root" in called.stderr


def test_a_directory_that_is_away_is_no_answer(own_directory, folder):
    directory = own_directory(site_rules=CLOSED_SITE)
    host = make_host(folder / "etc", directory)
    directory.stop()
    called = host.remind()
    assert called.returncode == UNAVAILABLE, called
    assert "result=failed" in host.lines("remind")[-1]


@pytest.mark.parametrize("value, why", [
    ("some", '"some" is not one of'), ("all mfa", '"all" is not one of'), ("mfa,mfa", "repeated"),
    (",", "no topic is named")])
def test_wrong_topics_are_an_error(people, folder, value, why):
    host = make_host(folder / "etc", people, {"remind": value})
    called = host.remind()
    assert called.returncode == CONFIGURATION and why in called.stderr
