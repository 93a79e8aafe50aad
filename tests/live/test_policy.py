# SPDX-License-Identifier: BSD-2-Clause
"""How long app passwords live: max_lifetime, default_expires and revoke_unused."""

import csv
import io
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from administration import CONFIGURATION, DONE, USAGE, Site
from apppassword import from_now
from beside import DEFAULT_OFF
from conftest import new_folder
from dovecot import ACCEPTED as SIGNED_IN, REFUSED as TURNED_AWAY, imap
from page_client import SHOWN
from slapd import Slapd
from smtp import ACCEPTED, REFUSED
from stored import StoredSite
from test_portal_devices import invited, made
from test_store_report import servers
from visits import enrolled, make_app_password

YEAR = {"max_lifetime": "365d"}
LONG_AGO = from_now(days=-400)
EXPIRED = ("refused", "expired")
MINUTE = timedelta(minutes=5)  # what a busy machine may need between two clocks


def moment(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def ends_after(password):
    """How long after its creation the listed app password ends; None for never."""
    return password["expires"] and moment(password["expires"]) - moment(password["created"])


def stored_end(directory, who):
    """expires= of the user's one app password, or None."""
    value, = directory.app_passwords(who)
    found = re.search(r" expires=(\S+)", value)
    return found and found[1]


def lives(directory, who):
    """How long each stored app password lives."""
    stamps = [re.search(r" created=(\S+) expires=(\S+) ", value)
              for value in directory.app_passwords(who)]
    return [datetime.strptime(found[2], "%Y%m%d%H%M%SZ") -
            datetime.strptime(found[1], "%Y%m%d%H%M%SZ") for found in stamps]


# ---- logins ----

def test_postfix_refuses_an_old_app_password_once_max_lifetime_is_set(directory, mail_server):
    who = directory.new_person(mfa=True)
    old = directory.add_app_password(who, created=LONG_AGO)
    later = directory.add_app_password(who, created=LONG_AGO, expires="20990101000000Z")
    young = directory.add_app_password(who, created=from_now(days=-364))
    before, after = mail_server(), mail_server(YEAR)
    for app_password in old, later, young:
        assert before.sign_in(who.uid, app_password.shown).code == ACCEPTED
    for app_password in old, later:
        assert after.sign_in(who.uid, app_password.shown).code == REFUSED
        assert f" reason=expired user=\"{who.uid}\" " in after.events()[-1]
    assert after.sign_in(who.uid, young.shown).code == ACCEPTED


def test_dovecot_refuses_it_too(directory, dovecot):
    who = directory.new_person(mfa=True)
    old = directory.add_app_password(who, created=LONG_AGO)
    young = directory.add_app_password(who, created=from_now(days=-364))
    before, after = dovecot(), dovecot(YEAR)
    assert imap(before, who.uid, old.shown) == SIGNED_IN
    assert imap(after, who.uid, old.shown) == TURNED_AWAY
    assert " reason=expired " in after.events()[-1]
    assert imap(after, who.uid, young.shown) == SIGNED_IN


# ---- the command ----

CREATED = {
    "nothing asked, no policy": ({}, [], None, False),
    "nothing asked": (YEAR, [], 365, False),
    "nothing asked, a shorter default": (YEAR | {"default_expires": "90d"}, [], 90, False),
    "a default alone": ({"default_expires": "90d"}, [], 90, False),
    "never, in spite of the default": ({"default_expires": "90d"}, ["never"], None, False),
    "never": (YEAR, ["never"], 365, True),
    "a later day": (YEAR, ["2099-01-31"], 365, True),
    "a longer period": (YEAR, ["366d"], 365, True),
    "as long as allowed": (YEAR, ["365d"], 365, False),
    "shorter": (YEAR, ["30d"], 30, False),
    "longer than the default": (YEAR | {"default_expires": "90d"}, ["180d"], 180, False),
}


@pytest.mark.parametrize("case", CREATED)
def test_create(directory, make_site, case):
    keys, expires, days, is_shortened = CREATED[case]
    site, who = make_site(**keys), directory.new_person(mfa=True)
    called = site.command("create", who.uid, "--label", "a test",
                          *(["--expires", *expires] if expires else []))
    assert called.returncode == DONE and re.fullmatch(SHOWN, called.stdout.strip()), called
    one, = site.listed(who)
    if days is None:
        assert one["expires"] is None and stored_end(directory, who) is None
    else:
        assert abs(ends_after(one) - timedelta(days=days)) < MINUTE
        assert stored_end(directory, who) == moment(one["expires"]).strftime("%Y%m%d%H%M%SZ")
    said = [line for line in called.stderr.splitlines() if "max_lifetime" in line]
    assert len(said) == is_shortened, called.stderr
    if is_shortened:
        assert one["expires"][:10] in said[0] and str(site.config) in said[0]
    shown, = re.findall(r"^  expires   (\S+)$", called.stderr, re.MULTILINE)
    assert shown[:4] == (one["expires"] or "never")[:4]


def test_an_invitation_ends_as_an_app_password_does(directory, make_site):
    site, who = make_site(**YEAR), directory.new_person(mfa=True)
    called = site.command("invite", who.uid, "--label", "Phone", "--page", "https://x.example",
                          "--expires", "never")
    assert called.returncode == DONE and "max_lifetime" in called.stderr
    value, = directory.values(who, "appPasswordMfaMethod")
    end = datetime.strptime(re.search(r" expires=(\S+)", value)[1], "%Y%m%d%H%M%SZ")
    assert abs(end - datetime.utcnow() - timedelta(days=365)) < MINUTE


def test_the_list_shows_when_old_app_passwords_end(directory, make_site):
    who = directory.new_person(mfa=True)
    old = directory.add_app_password(who, created="20240101000000Z")
    made_then = directory.add_app_password(who, created="20240601000000Z",
                                           expires="20240701000000Z")
    site, free = make_site(**YEAR), make_site()
    assert [(one["id"], one["expires"]) for one in site.listed(who)] == [
        (old.id, "2024-12-31T00:00:00Z"), (made_then.id, "2024-07-01T00:00:00Z")]
    assert "2024-12-31 00:00 expired" in site.done("list", who.uid)
    assert free.listed(who)[0]["expires"] is None


def test_mfa_status_says_what_applies(directory, make_site):
    who = directory.new_person(mfa=True)
    all_keys = make_site(**YEAR, default_expires="90d", revoke_unused="180d")
    called = all_keys.command("mfa", "status", who.uid)
    assert called.stdout == f"{who.uid}: on\n"
    assert called.stderr.splitlines() == [
        "app-password: app passwords end at most 365 days after their creation (max_lifetime)",
        "app-password: new app passwords end after 90 days, unless asked otherwise "
        "(default_expires)",
        "app-password: app passwords that are not used for 180 days are revoked (revoke_unused)"]
    assert make_site(**YEAR).command("mfa", "status", who.uid).stderr.count("\n") == 1
    assert make_site().command("mfa", "status", who.uid).stderr == ""


def test_keys_that_disagree_stop_every_program(directory, make_site):
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    for keys, error in (({"max_lifetime": "90d", "default_expires": "91d"}, "default_expires"),
                        ({"revoke_unused": "180d", "record_use": "never"}, "record_use")):
        called = make_site(**keys).command("check", who.uid, input=f"{app_password.shown}\n")
        assert called.returncode == CONFIGURATION and error in called.stderr, called


# ---- reports and sweeps: each has a directory of its own ----

@pytest.fixture
def population(workdir):
    """Users with one app password each, by name."""
    directory = Slapd(new_folder(workdir, "policy")).start()
    people = {}
    for name, value in {
            "old": {"created": LONG_AGO}, "new": {},
            "old with a late end": {"created": LONG_AGO, "expires": from_now(days=500)},
            "ends in time": {"created": from_now(days=-100), "expires": from_now(days=10)},
            "expired": {"created": LONG_AGO, "expires": from_now(days=-1)},
            "nearly a year": {"created": from_now(days=-360)}}.items():
        who = directory.new_person(mfa=True)
        people[name] = (who, directory.add_app_password(who, **value))
    yield directory, people
    directory.stop()


def rows_by_name(people, rows):
    """The names of the users that are found."""
    ids = {app_password.id: name for name, (_, app_password) in people.items()}
    return {ids[row["id"]]: row for row in rows}


def test_the_report_finds_what_exceeds_the_policy_before_it_is_on(population, tmp_path):
    directory, people = population
    site = Site(tmp_path / "site", directory)
    rows = rows_by_name(people, json.loads(site.done("report", "--max-lifetime", "365d", "--json")))
    assert set(rows) == {"old", "new", "old with a late end", "nearly a year"}
    assert all(moment(row["would_end"]) - moment(row["created"]) == timedelta(days=365)
               and row["finding"] == "exceeds-max-lifetime" for row in rows.values())
    assert rows["old"]["expires"] is None and rows["old with a late end"]["expires"] is not None

    called = site.command("report", "--max-lifetime", "365d")
    lines = called.stdout.splitlines()
    assert len(lines) == 4 and sum("  would have ended 20" in line for line in lines) == 2
    assert sum("  would end 20" in line for line in lines) == 2
    assert called.stderr.splitlines()[-1] == "app-password: of these, 2 would end at once"
    assert "exceeds-max-lifetime: 4" in called.stderr

    table = csv.DictReader(io.StringIO(site.done("report", "--max-lifetime", "365d", "--expired",
                                                 "--csv")))
    cells = rows_by_name(people, table)
    assert cells["expired"]["would_end"] == ""
    assert cells["new"]["would_end"] == rows["new"]["would_end"]
    assert "would_end" not in site.done("report", "--csv")
    assert "exceeds" not in site.done("report")
    assert site.command("report", "--max-lifetime", "365").returncode == USAGE


def test_with_the_policy_reports_and_sweeps_count_the_real_end(population, tmp_path):
    directory, people = population
    site = Site(tmp_path / "site", directory, **YEAR)

    def names(*options):
        return set(rows_by_name(people, json.loads(site.done("report", "--json", *options))))
    assert names("--expired") == {"old", "old with a late end", "expired"}
    assert names("--expiring", "14d") == {"nearly a year", "ends in time"}
    assert names("--max-lifetime", "365d") == set()
    assert names("--max-lifetime", "362d") == {"nearly a year", "new"}
    site.done("revoke", "--expired")
    left = {name for name, (who, _) in people.items() if directory.app_passwords(who)}
    assert left == {"new", "ends in time", "nearly a year"}


def test_with_a_store(workdir, tmp_path):
    with servers(workdir, DEFAULT_OFF) as people:
        who = people.new_person(mfa=True)
        old = people.add_app_password(who, created=LONG_AGO)
        free, strict = StoredSite(tmp_path / "free", people), StoredSite(
            tmp_path / "strict", people, **YEAR)
        assert free.answers(who.uid, old.shown) == ("accepted", "app-password")
        assert strict.answers(who.uid, old.shown) == EXPIRED
        found, = json.loads(free.done("report", "--json", "--max-lifetime", "365d"))
        assert (found["user"], found["id"]) == (who.uid, old.id)
        strict.done("create", who.uid, "--label", "new", "--expires", "never")
        assert abs(ends_after(strict.listed(who)[1]) - timedelta(days=365)) < MINUTE


# ---- the page ----

def choices(page):
    """(value, text, is it chosen) of each."""
    form = re.search(r'<select id="expires".*?</select>', page.text, re.DOTALL)[0]
    return [(value, text, "selected" in chosen) for value, chosen, text in re.findall(
        r'<option value="(\w+)" (\w*)>([^<]*)</option>', form)]


def written(date):
    return date.strftime("%-d %B %Y")


USUAL = [("30d", "In 30 days"), ("90d", "In 90 days"), ("365d", "In a year")]
OFFERED = {
    "without a policy": ({}, [("never", "Never"), *USUAL], "never"),
    "with the usual limit": (YEAR, USUAL, "365d"),
    "with a default": (YEAR | {"default_expires": "90d"}, USUAL, "90d"),
    "with a default alone": ({"default_expires": "30d"}, [("never", "Never"), *USUAL], "30d"),
    "with another limit": ({"max_lifetime": "180d"}, [*USUAL[:2], ("180d", 180)], "180d"),
    "with another default": (YEAR | {"default_expires": "60d"},
                             [USUAL[0], ("60d", 60), *USUAL[1:]], "60d"),
    "with hours": ({"max_lifetime": "36h"}, [("129600s", 1.5)], "129600s"),
}


@pytest.mark.parametrize("offered", OFFERED)
def test_the_page_offers_what_is_allowed(directory, start_portal, offered):
    keys, expected, chosen = OFFERED[offered]
    portal = start_portal(**keys)
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    now = datetime.now(timezone.utc)
    found = choices(client.get(""))
    assert [value for value, _, _ in found] == [value for value, _ in expected]
    assert [value for value, _, is_chosen in found if is_chosen] == [chosen]
    for (_, text, _), (_, told) in zip(found, expected):
        assert text == told or text in {written(now + timedelta(days=told, minutes=minutes))
                                        for minutes in (0, 5)}


@pytest.fixture(scope="module")
def strict_portal(start_portal):
    return start_portal(max_lifetime="365d", default_expires="90d", revoke_unused="180d")


def test_the_page_says_what_applies(directory, strict_portal):
    client, _ = enrolled(strict_portal, directory.new_person(mfa=True))
    before = datetime.now(timezone.utc)
    words = client.get("").words()
    days = {before, datetime.now(timezone.utc)}
    assert any(f"A new app password works until {written(day + timedelta(days=365))} at the latest."
               in words for day in days), words
    assert any("App passwords that haven’t been used since "
               f"{written(day - timedelta(days=180))} are revoked." in words for day in days)


def test_the_page_says_none_of_it_without_a_policy(directory, start_portal):
    client, _ = enrolled(start_portal(), directory.new_person(mfa=True))
    words = client.get("").words()
    assert "at the latest" not in words and "are revoked" not in words


@pytest.mark.parametrize("sent, days", [("never", 365), ("9999d", 365), ("30d", 30)])
def test_the_page_makes_none_that_lives_longer(directory, strict_portal, sent, days):
    """Whatever a form sends."""
    who = directory.new_person(mfa=True)
    client, _ = enrolled(strict_portal, who)
    make_app_password(client, expires=sent)
    one, = lives(directory, who)
    assert abs(one - timedelta(days=days)) < MINUTE


def test_the_first_one_and_one_for_a_phone_have_the_default(directory, strict_portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(strict_portal, who)
    first = re.search(r'name="expires" value="(\w*)"', client.page.text)[1]
    client.post("create", label="first", services="", expires=first)
    assert client.page.title() == "Your app password"
    phone = strict_portal.client()
    path = made(client)
    phone.get(path)
    phone.post(path)
    found = lives(directory, who)
    assert len(found) == 2 and all(abs(life - timedelta(days=90)) < MINUTE for life in found)


def test_a_link_from_before_the_policy_makes_one_that_ends(directory, strict_portal, make_site):
    who = directory.new_person(mfa=True)
    enrolled(strict_portal, who)
    path = invited(make_site(), who)
    phone = strict_portal.client()
    phone.get(path)
    phone.post(path)
    life, = lives(directory, who)
    assert abs(life - timedelta(days=365)) < MINUTE


def test_the_list_of_the_page_shows_the_real_end_and_what_is_unused(directory, strict_portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(strict_portal, who)
    add = directory.add_app_password
    add(who, created="20240101120000Z", label="Old")
    add(who, created=from_now(days=-170), label="Forgotten")
    used = add(who, created=from_now(days=-170), label="Used")
    add(who, created=from_now(days=-160), label="Not yet")
    directory.administrate(who, appPasswordUsed=f"id={used.id} at={from_now(days=-2)}")
    states = dict(re.findall(r'<h2><span lang="">([^<]*)</span> <span class="state">([^<]*)</span>',
                             client.get("").text))
    assert states == {"Old": "expired", "Used": "", "Not yet": "",
                      "Forgotten": "will be revoked soon unless it’s used"}
    assert "Created 1 January 2024 Expires 31 December 2024, 12:00" in client.page.words()
