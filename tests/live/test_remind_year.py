# SPDX-License-Identifier: BSD-2-Clause
"""A year of reminders to one user, with a run each day."""

import os
import re
from datetime import datetime, timedelta, timezone

import ldap
import pytest

from administration import DONE
from apppassword import stamp
from processes import Clock
from reminders import (ANNOUNCED, EXPIRING, MADE, REVOKED_SOON, TODAY, WEEK, counts, forget_everybody,
                       make_host, people, reminders)  # noqa: F401: a fixture

YEARLY = "Your app passwords"


class Year:
    """Days after the first one, at noon (UTC)."""

    def __init__(self, host, folder):
        self.host = host
        self.clock = Clock(folder / "clock")
        self.now = datetime.now(timezone.utc)
        self.first = self.now.replace(hour=12, minute=0, second=0, microsecond=0)
        self.mails = []

    def day(self, number, hours=0):
        return stamp(self.first + timedelta(days=number, hours=hours))

    def run(self, number):
        """As the timer does on that day; notes the mails."""
        ahead = self.first + timedelta(days=number) - self.now
        self.clock.set(f"+{int(ahead.total_seconds())}")
        called = self.host.remind(env=self.clock.env)
        assert called.returncode == DONE, called
        self.mails += [(number, subject) for _, subject in self.host.new()]
        return called


def use(directory, who, app_password, when):
    directory._modify(who, [(ldap.MOD_ADD, "appPasswordUsed", [
        f"id={app_password.id} at={when} service=imap from=192.0.2.1".encode()])])


@pytest.mark.long
def test_a_year_of_mails_to_one_user(people, folder):
    host = make_host(folder / "etc", people, {"remind": "all"}, revoke_unused="180d")
    year = Year(host, folder)
    who = people.new_person()
    events = {
        1: lambda: people.set_mfa(who, True, enforce_from=year.day(31)),
        33: lambda: make("phone", 33, label="Phone", expires=year.day(213)),
        34: lambda: make("laptop", 34, label="Laptop"),
        41: lambda: make("scanner", 41, is_told=False, label="Scanner"),
    }
    made = {}

    def make(name, day, is_told=True, **fields):
        """As the page does it, or (not told) the command."""
        made[name] = people.add_app_password(who, created=year.day(day, -1), **fields)
        if is_told:
            people._modify(who, [(ldap.MOD_ADD, "appPasswordMfaMethod", [
                f"reminder kind=made id={made[name].id}".encode()])])

    for day in range(1, 366):
        events.get(day, lambda: None)()
        for name, last in (("phone", 212), ("laptop", 100), ("scanner", 400)):
            if name in made and day <= last and day % 10 == 0:
                use(people, who, made[name], year.day(day, -2))
        year.run(day)
    yearly = [mail for mail in year.mails if mail[1] == YEARLY]
    assert [mail for mail in year.mails if mail not in yearly] == [
        (1, ANNOUNCED), (24, WEEK), (31, TODAY), (41, MADE), (199, EXPIRING), (210, EXPIRING),
        (266, REVOKED_SOON)]
    assert len(yearly) <= 1
    assert [re.search("label=(.*)", value)[1] for value in people.app_passwords(who)] == [
        "Phone", "Scanner"]
    for (day, subject), message in zip(year.mails, host.portal.messages()):
        print(f"{day:3}  {subject}\n{message.get_content()}\n{'-' * 70}")
    print(*reminders(people, who), sep="\n")
    print(*host.lines("sweep"), *host.lines("mail"), sep="\n")
    forget_everybody(people)


def test_the_yearly_mail_comes_on_the_users_own_day(people, folder):
    host = make_host(folder / "etc", people, {"remind": "yearly"})
    year = Year(host, folder)
    users = [people.new_person(mfa=True) for _ in range(40)]
    for who in users:
        people.add_app_password(who, created=year.day(-100), label="Phone")
    for day in [1, *range(5, 366, 5)]:  # 365 days, so each is some users' own day once
        year.run(day)
    found = [day for day, subject in year.mails if subject == YEARLY]
    assert len(found) == len(users), "once for each"
    assert len(set(found)) > 20, "spread over the year"
    assert "“Phone”" in host.newest()
    forget_everybody(people)
