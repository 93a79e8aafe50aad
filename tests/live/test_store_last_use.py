# SPDX-License-Identifier: BSD-2-Clause
"""appPasswordUsed is written to the store, and never to the users' directory."""

import re
import statistics

import pytest

import pam
import smtp
from apppassword import from_now
from beside import DEFAULT_ON, IN_USERS_DIRECTORY, Users, tcp
from conftest import new_folder
from dovecot import ACCEPTED as SIGNED_IN, imap
from processes import free_port, seconds, wait_until
from slapd import person
from store import Store
from stored import People, StoredSite

RECORD = {"record_use": "1d"}
VALUE = r"id=(\w{4}) at=(\d{14}Z) service=smtp from=127\.0\.0\.1"


@pytest.fixture(scope="module", params=[IN_USERS_DIRECTORY, DEFAULT_ON])
def people(request, users_and_store):
    return People(*users_and_store, request.param)


@pytest.fixture
def make_people(workdir):
    """Directories of a test's own; `change` turns the store's slapd.conf into another."""
    servers = []

    def make(change=lambda text: text):
        store = Store(new_folder(workdir, "store"))
        config = store.folder / "slapd.conf"
        changed = change(config.read_text())
        config.write_text(changed)
        servers.extend([Users(new_folder(workdir, "users")).start(), store.start()])
        return People(*servers[-2:], DEFAULT_ON)

    yield make
    for server in servers:
        server.stop()


def sign_in(server, who, app_password):
    assert server.sign_in(who.uid, app_password.shown).code == smtp.ACCEPTED


def uses(people, who):
    return people.values(who, "appPasswordUsed")


def recorded(people, who):
    """Wait for the one use and return it."""
    value, = wait_until(lambda: uses(people, who), "the use to be recorded")
    return value


def writes(server, mark):
    return len(re.findall(r" (?:MOD|ADD|DEL|MODRDN) dn=", "\n".join(server.log_since(mark))))


def test_it_is_in_the_store_and_in_the_list(people, mail_server, tmp_path):
    server = mail_server(people.settings | RECORD)
    who, app_password = people.new_person(mfa=True, app_passwords=1)
    marks = people.users.mark(), people.store.mark()
    sign_in(server, who, app_password)
    assert re.fullmatch(VALUE, recorded(people, who))[1] == app_password.id
    listed, = StoredSite(tmp_path / "site", people).listed(who)
    assert listed["last_used"]["service"] == "smtp" and listed["last_used"]["from"] == "127.0.0.1"
    for _ in range(3):
        sign_in(server, who, app_password)
    assert (writes(people.users, marks[0]), writes(people.store, marks[1])) == (0, 1)
    assert "appPassword" not in "\n".join(people.users.log_since(marks[0]))


def test_after_the_period_the_old_one_is_replaced(people, mail_server):
    server = mail_server(people.settings | RECORD)
    who, app_password = people.new_person(mfa=True, app_passwords=1)
    old = f"id={app_password.id} at={from_now(days=-2)}"
    people.administrate(who, appPasswordUsed=[old, "not a use at all"])
    sign_in(server, who, app_password)
    wait_until(lambda: old not in uses(people, who), "the old use to go")
    assert len(uses(people, who)) == 2 and "not a use at all" in uses(people, who)


def test_an_account_password_is_no_use(people, mail_server):
    server = mail_server(people.settings | RECORD)
    who = people.new_person(mfa=False)
    mark = people.store.mark()
    assert server.sign_in(who.uid, who.password).code == smtp.ACCEPTED
    assert writes(people.store, mark) == 0


def test_a_renamed_user_has_it_in_the_same_entry(people, mail_server):
    server = mail_server(people.settings | RECORD)
    who, app_password = people.new_person(mfa=True, app_passwords=1)
    new = people.users.rename(who, f"re-{who.uid}")
    sign_in(server, person(new.uid), app_password)
    assert recorded(people, new)


def test_an_absent_store_for_changes_does_no_harm(people, mail_server):
    server = mail_server(people.settings | RECORD | {
        "store_write_uri": f"ldap://127.0.0.1:{free_port()}"})
    for _ in range(3):
        sign_in(server, *people.new_person(mfa=True, app_passwords=1))


def test_a_silent_store_for_changes_slows_no_login(people, mail_server, make_people):
    other = make_people()
    servers = {period: mail_server(people.settings | {
        "store_write_uri": tcp(other.store), "timeout": 5, "record_use": period})
        for period in ("1d", "never")}
    users = [people.new_person(mfa=True, app_passwords=1) for _ in range(9)]
    other.store.pause()
    try:
        medians = {period: statistics.median(
            seconds(lambda user=user: sign_in(server, *user))[0] for user in users)
            for period, server in servers.items()}
    finally:
        other.store.resume()
    assert medians["1d"] < medians["never"] + 2, medians


def test_a_refused_write_is_logged_once(make_people, mail_server):
    """The mail server may only read."""
    def refuse(text):
        head, rest = text.split("attrs=appPasswordUsed\n", 1)
        return head + "attrs=appPasswordUsed\n" + rest.replace(
            'services,o=app-passwords" write', 'services,o=app-passwords" read', 1)

    people = make_people(refuse)
    server = mail_server(people.settings | RECORD)
    users = [people.new_person(mfa=True, app_passwords=1) for _ in range(3)]
    for user in users:
        sign_in(server, *user)
    warning, = wait_until(lambda: [line for line in server.log_lines() if "verdict=" not in line],
                          "the warning")
    assert "last use is not recorded" in warning and "Insufficient access" in warning
    assert tcp(people.store) in warning and people.store.entries in warning
    assert len(server.log_lines()) == 4


def test_dovecot_records_there_too(people, dovecot):
    server = dovecot(people.settings | RECORD)
    who, app_password = people.new_person(mfa=True, app_passwords=1)
    assert imap(server, who.uid, app_password.shown) == SIGNED_IN
    assert recorded(people, who).endswith(" service=imap from=127.0.0.1")


def test_pam_records_there_too(people, services):
    who, app_password = people.new_person(mfa=True, app_passwords=1)
    asked = services(people.settings | RECORD)
    pam.pamtester(asked.pam_d, "imap", who.uid, app_password.shown, "authenticate",
                  rhost="192.0.2.17")
    assert uses(people, who)[0].endswith(" service=imap from=192.0.2.17")
