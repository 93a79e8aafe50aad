# SPDX-License-Identifier: BSD-2-Clause
"""Reports about a whole Active Directory, and sweeps, with more users than one search may return."""

import csv
import io
import json

import pytest

import apppassword
from administration import DONE, Site
from apppassword import from_now
from processes import run
from samba import DISABLED, DomainController
from slapd import BASE

MANY = 1100  # MaxPageSize is 1000
OLD = from_now(days=-400)


class Population:
    """One user for each finding, in a directory of many with MFA off."""

    def __init__(self, directory):
        new, add = directory.new_person, directory.add_app_password
        self.directory = directory
        self.expired, self.expiring, self.unused, self.fine, self.without, self.disabled = (
            new(mfa=True) for _ in range(6))
        self.expired_one = add(self.expired, created=OLD, expires=from_now(days=-1))
        self.expiring_one = add(self.expiring, expires=from_now(days=10))
        self.unused_one = add(self.unused, created=OLD)
        self.fine_one, self.disabled_one = add(self.fine, label="Åses Łaptop"), add(self.disabled)
        directory.administrate(self.unused, appPasswordUsed=(
            f"id={self.unused_one.id} at={from_now(days=-200)}"))
        directory.administrate(self.fine, appPasswordUsed=(
            f"id={self.fine_one.id} at={from_now(minutes=-1)}"), appPasswordMfaMethod="sealed=AAAA")
        directory.set(self.disabled, userAccountControl=DISABLED)
        self.guessed, self.announced = new(), new()
        directory.set_mfa(self.guessed, False)
        directory.administrate(self.guessed, appPasswordMfaMethod=(
            f"guesses day={from_now(days=-1)[:8]}000000Z count=10"))
        directory.set_mfa(self.announced, True, enforce_from="20990101000000Z")
        self._add_group()

    def _add_group(self):
        """Everybody with MFA, and another group within."""
        people = (self.expired, self.expiring, self.unused, self.fine, self.without, self.disabled,
                  self.announced)
        nested = self.directory.add_group("mfa-nested")
        self.directory.add_group("mfa", nested, *(who.dn for who in people))

    def findings(self):
        return {
            ("expired", self.expired.uid, self.expired_one.id),
            ("expiring", self.expiring.uid, self.expiring_one.id),
            ("unused", self.unused.uid, self.unused_one.id),
            ("disabled-account", self.disabled.uid, self.disabled_one.id),
            ("mfa-without-app-password", self.without.uid, None),
            ("mfa-without-app-password", self.announced.uid, None),
            ("second-factor-guessed", self.guessed.uid, None),
        }


def fill(directory):
    """Users without a password, in one transaction."""
    run(["ldbadd", *directory.local], input="".join(
        f"dn: cn=many{number},ou=people,{BASE}\nobjectClass: user\nsAMAccountName: many{number}\n"
        f"userAccountControl: 66080\nmail: many{number}@example.org\ndepartment: Many\n"
        "appPasswordMfaEnabled: FALSE\n\n" for number in range(MANY)))


@pytest.fixture(scope="module")
def population(workdir):
    directory = DomainController(workdir / "many").start()
    try:
        fill(directory)
        yield Population(directory)
    finally:
        directory.stop()


@pytest.fixture
def make_site(population, tmp_path):
    return lambda **keys: Site(tmp_path / "site", population.directory,
                               **{"timeout": "10", "deadline": "20"} | keys)


@pytest.fixture
def site(make_site):
    return make_site()


def found(site, *options):
    return {(row["finding"], row["user"], row.get("id"))
            for row in json.loads(site.done("report", "--json", *options))}


def test_findings(population, site):
    assert found(site) == population.findings()


def test_by_a_group_the_report_has_users_only(population, make_site):
    site = make_site(mfa_filter=f"(memberOf=cn=mfa,ou=groups,{BASE})",
                     mfa_witness=f"cn=mfa-witness,ou=services,{BASE}")
    assert found(site, "--mfa-without-app-password") == {
        row for row in population.findings() if row[0] == "mfa-without-app-password"}


def test_as_text(population, site):
    called = site.command("report")
    assert called.returncode == DONE and len(called.stdout.splitlines()) == 7, called
    assert "app-password: expired: 1\n" in called.stderr


def test_as_csv(population, site):
    rows = list(csv.DictReader(io.StringIO(site.done("report", "--csv"))))
    assert {(row["finding"], row["user"], row["id"] or None) for row in rows} == \
        population.findings()


def test_progress(population, site):
    """Everybody is counted, over several pages, but not the domain's computers."""
    counts = json.loads(site.done("report", "--progress", "--by", "department", "--json"))
    rows = {row["value"]: row for row in counts["rows"]}
    assert rows["Many"]["users"] == MANY and rows["Many"]["mfa_enforced"] == 0
    assert counts["users"] == MANY + rows[None]["users"]
    assert (counts["mfa_enforced"], counts["mfa_announced"]) == (6, 1)
    assert (counts["enrolled"], counts["used_in_30_days"]) == (1, 1)


def test_mfa_for_everybody_at_once(population, site):
    called = site.command("mfa", "status", "--filter", "(department=Many)")
    assert called.returncode == DONE and called.stdout.count(": off\n") == MANY


def test_would_refuse(population, make_site, tmp_path):
    log = tmp_path / "mail.log"
    site = make_site(log=log)
    who = population.announced
    assert site.answers(who.mail, who.password) == ("accepted", "account-password")
    log.write_text(site.check(who.mail, who.password, "--service", "imap") + "\n")
    line = site.done("report", "--would-refuse")
    assert line.startswith(f"{who.uid}: 1 login by imap "), line


def test_a_sweep_revokes_and_leaves_tombstones(population, site):
    would = site.command("revoke", "--expired", "--unused", "180d", "--dry-run")
    assert would.returncode == DONE and would.stdout.count("would be revoked") == 2, would
    assert site.command("revoke", "--expired", "--unused", "180d").returncode == DONE
    for who, one in ((population.expired, population.expired_one),
                     (population.unused, population.unused_one)):
        assert population.directory.app_passwords(who) == []
        assert site.answers(who.uid, one.shown) == ("refused", "revoked")
    assert population.directory.app_passwords(population.fine) == [population.fine_one.value]


def test_old_tombstones_go(population, site):
    who = population.directory.new_person(mfa=True)
    population.directory.administrate(who, appPassword=[
        f"id={apppassword.make().id} created=20241201000000Z revoked=20250101{second:06}Z label=x"
        for second in range(25)])
    shown = site.create(who)
    assert len(population.directory.values(who, "appPassword")) == 21
    assert site.answers(who.uid, shown) == ("accepted", "app-password")
