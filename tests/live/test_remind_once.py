# SPDX-License-Identifier: BSD-2-Clause
"""app-password remind: no mail is lost or sent twice, whatever fails and however many run."""

import re
import subprocess
import time

import ldap

from administration import CONFIGURATION, DONE, FAILED, UNAVAILABLE
from apppassword import from_now
from processes import wait_until
from reminders import (EXPIRING, counts, expiring, forget_everybody, host, make_host, people,
                       reminders, with_one)
from slapd import BASE
from visits import enrolled, make_app_password

def test_a_relay_that_is_down_is_tried_again_by_the_next_run(people, host):
    users = [expiring(people)[0] for _ in range(5)]
    (host.portal.folder / "no-mail").touch()
    called = host.remind()
    assert (called.returncode, counts(called)) == (UNAVAILABLE, (0, 0, 5, 0)), called
    assert "ended with status 75" in called.stderr
    assert [reminders(people, who) for who in users] == [[]] * 5
    assert len(host.lines("mail")) == 3, "it gives up after three"
    assert "result=failed sent=0 failed=0 held=5" in host.lines("remind")[-1]
    (host.portal.folder / "no-mail").unlink()
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (5, 0, 0, 0))
    assert sorted(host.new()) == sorted((who.mail, EXPIRING) for who in users)


def test_a_mail_that_is_refused_is_counted_and_not_sent_again(people, host):
    who, one = expiring(people)
    host.portal.conf["sendmail"].write_text("#!/bin/sh\nexit 67\n")
    called = host.remind()
    assert (called.returncode, counts(called)) == (FAILED, (0, 1, 0, 0)), called
    assert who.uid in called.stderr
    assert f'user="{who.uid}" id={one.id} result=failed mail=expiring error="' in \
        host.lines("mail")[-1]
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (0, 0, 0, 0))


def test_of_hosts_that_run_at_once_each_mail_is_sent_by_one(people, folder):
    users = [expiring(people)[0] for _ in range(40)]
    # So slow that one cannot send all mails before the others have begun.
    hosts = [make_host(folder / f"host{number}", people, {"remind_rate": "300"}) for number in range(4)]
    for each in hosts:
        each.begin(10)
    started = [each.start() for each in hosts]
    outputs = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [DONE] * 4, outputs
    sent = [each.new() for each in hosts]
    assert sum(map(bool, sent)) > 1, "otherwise, this test says nothing"
    assert sorted(sum(sent, [])) == sorted((who.mail, EXPIRING) for who in users)
    forget_everybody(people)


def test_a_run_that_is_ended_finishes_its_mail(people, folder):
    host = make_host(folder / "etc", people, {"remind_rate": "60"})
    host.begin(10)
    users = [expiring(people)[0] for _ in range(30)]
    process = host.start()
    wait_until(lambda: len(host.portal.messages()) >= 2, "two mails", timeout=60)
    subprocess.run(["pkill", "-TERM", "-P", str(process.pid)], check=True)
    output, _ = process.communicate(timeout=60)
    sent = len(host.portal.messages())
    assert 2 <= sent < 30
    assert [len(reminders(people, who)) for who in users].count(1) == sent, output
    assert f"sent={sent} failed=0 held={30 - sent} " in host.lines("remind")[-1]
    forget_everybody(people)


def test_a_mail_that_waits_for_the_rate_is_not_recorded_yet(people, folder):
    """If the host crashes meanwhile, the mail is not lost."""
    host = make_host(folder / "etc", people, {"remind_rate": "1"})
    host.begin(10)
    users = [expiring(people)[0] for _ in range(2)]
    process = host.start()
    wait_until(lambda: host.portal.messages(), "a mail", timeout=60)
    time.sleep(3)
    subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=True)
    process.communicate(timeout=60)
    assert len(host.portal.messages()) == sum(len(reminders(people, who)) for who in users) == 1
    forget_everybody(people)


def test_the_rate_is_a_bound(people, folder):
    host = make_host(folder / "etc", people, {"remind_rate": "30"})
    host.begin(10)
    for _ in range(4):
        expiring(people)
    before = time.monotonic()
    assert counts(host.remind()) == (4, 0, 0, 0)
    assert time.monotonic() - before >= 3 * 2, "two seconds between two mails"
    forget_everybody(people)


def test_a_dry_run_writes_nothing_and_sends_nothing(people, host):
    who, one = expiring(people)
    before = (host.state / "remind").read_text()
    called = host.remind("--dry-run")
    assert (called.returncode, counts(called)) == (DONE, (1, 0, 0, 0))
    assert f"{who.uid}: would get the mail expiring {one.id}\n" in called.stdout
    assert host.new() == [] and reminders(people, who) == [] and host.lines("remind") == []
    assert (host.state / "remind").read_text() == before


def test_one_user_alone(people, host):
    who, _ = expiring(people)
    expiring(people)
    state = (host.state / "remind").read_text()
    called = host.remind(who.uid, "nobody-of-that-name")
    assert (called.returncode, counts(called)) == (FAILED, (1, 0, 0, 0))
    assert "nobody-of-that-name: no such user" in called.stderr
    assert host.new() == [(who.mail, EXPIRING)]
    assert (host.state / "remind").read_text() == state, "no run of the timer"


def test_users_without_an_address_are_named_up_to_twenty(people, host):
    users = [expiring(people)[0] for _ in range(23)]
    for who in users:
        people.connect_as_itself().modify_s(
            who.dn, [(ldap.MOD_REPLACE, "mail", [b"not an address"])])
    called = host.remind()
    assert (called.returncode, counts(called)) == (DONE, (0, 0, 0, 0))
    names = re.search("^without a valid mail address: (.+) and 3 others$", called.stdout,
                      re.MULTILINE)[1].split(", ")
    assert len(names) == 20 and set(names) < {who.uid for who in users}
    assert "without-address=23" in host.lines("remind")[-1]


def test_the_heartbeat(people, host):
    expiring(people)
    (host.portal.folder / "no-mail").touch()
    host.remind()
    began, when, sums, error = (host.state / "remind").read_text().splitlines()
    assert abs(time.time() - int(when.removeprefix("time "))) < 60
    assert abs(time.time() - 10 * 86400 - int(began.removeprefix("began "))) < 60
    assert sums == "sent 0 failed 0 held 1 without-address 0 revoked 0"
    assert error.startswith("error user") and "status 75" in error
    (host.portal.folder / "no-mail").unlink()
    host.remind()
    lines = (host.state / "remind").read_text().splitlines()
    assert lines[0] == began and lines[2:] == ["sent 1 failed 0 held 0 without-address 0 revoked 0"]


def test_nothing_is_sent_if_the_run_cannot_be_noted(people, host):
    """Otherwise, each run would be a first one."""
    who, _ = expiring(people)
    (host.state / "remind").unlink()
    host.state.rmdir()
    called = host.remind()
    assert called.returncode == CONFIGURATION and "creates the folder" in called.stderr
    assert host.new() == [] and reminders(people, who) == []
    host.state.mkdir()
    assert counts(host.remind()) == (1, 0, 0, 0)


def test_users_whose_mails_always_fail_do_not_keep_others_from_theirs(people, host):
    """A relay that refuses them for now, each time, before others have had a turn."""
    bad = [expiring(people)[0] for _ in range(3)]
    good = [expiring(people)[0] for _ in range(5)]
    program = host.portal.conf["sendmail"]
    refused = "|".join(who.mail for who in bad)
    before, number, after = program.read_text().partition("number=")
    refuse = f"if grep -qE '^To: ({refused})$' $new; then rm $new; exit 75; fi\n"
    program.write_text(before + refuse + number + after)
    for _ in range(40):
        host.remind()
        if len(host.portal.messages()) == len(good):
            break
    assert sorted(host.new()) == sorted((who.mail, EXPIRING) for who in good)


# ---- what the site changes meanwhile ----

def test_later_topics_do_not_take_the_pages_own_app_passwords_for_somebody_elses(people, folder):
    host = make_host(folder / "etc", people, {"remind": "expiring"})
    host.begin(10)
    portal = host.portal.start()
    try:
        client, _ = enrolled(portal, people.new_person(mfa=True))
        make_app_password(client, "made on the page")
    finally:
        portal.stop()
    more = make_host(folder / "more", people, {"remind": "expiring made"})
    more.begin(10)
    called = more.remind()
    assert (counts(called), more.new()) == ((0, 0, 0, 0), []), called
    forget_everybody(people)


def test_turned_off_and_on_again_reminders_begin_again(people, folder):
    """While they are off, the page does not record what it makes."""
    host = make_host(folder / "etc", people, {"remind": "off"})
    host.begin(10)
    assert host.remind("--dry-run").returncode == DONE and (host.state / "remind").exists()
    for _ in range(2):
        called = host.remind()
        assert (called.returncode, (host.state / "remind").exists()) == (DONE, False), called


def test_another_end_is_mailed_too(people, folder):
    host, longer = (make_host(folder / days, people, max_lifetime=days) for days in ("105d", "110d"))
    host.begin(10)
    longer.begin(10)
    who, _ = with_one(people)
    assert counts(host.remind()) == (1, 0, 0, 0)
    assert counts(longer.remind()) == (1, 0, 0, 0), "five days later"
    assert counts(longer.remind()) == (0, 0, 0, 0)
    assert len(reminders(people, who)) == 1, "the first record says nothing any more"
    forget_everybody(people)


def test_records_of_app_passwords_that_are_gone_go_with_the_next_one(people, host):
    portal = host.portal.start()
    try:
        who = people.new_person(mfa=True)
        client, _ = enrolled(portal, who)
        for _ in range(3):
            shown = make_app_password(client)
            client.get("")
            client.post("revoke", id=shown[:4])
        assert len(reminders(people, who)) == 1, "the last one's"
    finally:
        portal.stop()


def test_users_without_an_address_do_not_keep_others_from_their_mails(people, folder):
    """A run of twelve hours has room for 720 mails."""
    host = make_host(folder / "etc", people, {"remind": "expiring", "remind_rate": "1"})
    itself = people.connect_as_itself()
    users = [f"uid=user{number},ou=people,{BASE}" for number in range(150, 890)]
    value = people.add_app_password(people.new_person(), created=from_now(days=-100),
                                    expires=from_now(days=10)).value
    mail = {}
    try:
        for dn in users:
            (_, entry), = itself.search_s(dn, ldap.SCOPE_BASE, attrlist=["mail"])
            itself.modify_s(dn, [
                (ldap.MOD_DELETE, "mail", None),
                (ldap.MOD_ADD, "objectClass", [b"appPasswordAccount"]),
                (ldap.MOD_ADD, "appPassword", [value.encode()])])
            mail[dn] = entry["mail"]
        who, one = expiring(people)
        called = host.remind("--dry-run")
        assert f"{who.uid}: would get the mail expiring {one.id}\n" in called.stdout
        assert counts(called) == (2, 0, 0, 0)
        assert "and 720 others\n" in called.stdout
    finally:
        for dn, addresses in mail.items():
            itself.modify_s(dn, [(ldap.MOD_ADD, "mail", addresses)])
        forget_everybody(people)
