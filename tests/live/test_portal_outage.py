# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page when a server is absent, silent or lying: 503, and nothing half-written."""

import pathlib
import re
import threading
import time
import urllib.parse

import ldap
import ldap.sasl
import pytest

from authenticator import Authenticator
from conftest import new_folder
from processes import seconds, wait_until
from slapd import Slapd
from visits import choosing_app, enrolled, let_in, make_app_password, second_factors, signed_in

UNAVAILABLE = (503, "That didn’t work")


@pytest.fixture(scope="module")
def stoppable(workdir):
    """This file's own directory, which tests may stop; each test leaves it running."""
    server = Slapd(new_folder(workdir, "slapd"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def portal(start_portal, stoppable):
    return start_portal({"imap_server": "imap.example.org:993",
                         "smtp_server": "smtp.example.org:587"},
                        to=stoppable, timeout="2", deadline="4")


def stored(directory, who):
    return {name: sorted(directory.values(who, name))
            for name in ("appPassword", "appPasswordMfaMethod", "objectClass")}


def last(portal):
    """The last log line, starting at its verdict."""
    return portal.events()[-1].split("app-password: ", 1)[1]


# ---- a directory that is gone ----

def test_the_health_check_does_not_ask_the_directory(portal, stoppable):
    stoppable.stop()
    try:
        health = portal.client().get("healthz")
    finally:
        stoppable.start()
    assert (health.status, health.text) == (200, "ok\n")
    assert health.headers["Cache-Control"] == "no-store"

def not_signed_in(portal, who):
    client = portal.client()
    client.get("")
    return client, None


def having_asked_for_another(portal, who):
    client, app = enrolled(portal, who)
    client.get("")
    client.post("add-factor")
    client.post("choose", method="totp")
    return client, Authenticator(client.page.secret())


def in_the_list(portal, who):
    client, app = enrolled(portal, who)
    client.get("")
    return client, app


def before_the_second_factor(portal, who):
    _, app = enrolled(portal, who)
    return signed_in(portal, who), app


STEPS = {
    "signing in": (not_signed_in, "sign-in",
                   lambda who, app: {"login": who.uid, "password": who.password}),
    "enrolling": (choosing_app, "verify", lambda who, app: {"code": app.code(grace=30)}),
    "the second factor": (before_the_second_factor, "verify",
                          lambda who, app: {"code": app.code(grace=30)}),
    "creating": (in_the_list, "create",
                 lambda who, app: {"label": "x", "services": "", "expires": "never"}),
    "revoking": (in_the_list, "revoke", lambda who, app: {"id": "k7q2"}),
    "revoking all": (in_the_list, "revoke-all", lambda who, app: {}),
    "adding a second factor": (having_asked_for_another, "verify",
                                   lambda who, app: {"code": app.code(grace=30)}),
}


@pytest.mark.parametrize("name", STEPS)
def test_without_the_directory_nothing_is_done_and_the_visit_goes_on_afterwards(
        stoppable, portal, name):
    prepare, path, fields_of = STEPS[name]
    who = stoppable.new_person(mfa=True)
    client, app = prepare(portal, who)
    if name.startswith("revoking"):
        stoppable.add_app_password(who, id="k7q2")
    before = stored(stoppable, who)
    token, fields = client.page.token(), fields_of(who, app)
    stoppable.stop()
    try:
        page = client.post(path, token, **fields)
        assert (page.status, page.title()) == UNAVAILABLE
        assert page.headers["Retry-After"] == "60"
        assert "reason=directory-unavailable" in last(portal) and 'error="' in last(portal)
        assert who.password not in last(portal)
    finally:
        stoppable.start()
    assert stored(stoppable, who) == before
    assert client.post(path, token, **fields).status == 200
    assert client.page.title() in (
        "Two-step verification is turned on for you", "Your recovery codes",
        "Your app passwords", "Your app password", "Your second steps")
    assert name == "signing in" or stored(stoppable, who) != before


@pytest.mark.parametrize("name", STEPS)
def test_a_directory_that_may_only_be_read_is_as_good_as_none(stoppable, portal, name):
    prepare, path, fields_of = STEPS[name]
    who = stoppable.new_person(mfa=True)
    client, app = prepare(portal, who)
    if name.startswith("revoking"):
        stoppable.add_app_password(who, id="k7q2")
    before = stored(stoppable, who)
    token, fields = client.page.token(), fields_of(who, app)
    set_read_only(stoppable, True)
    try:
        page = client.post(path, token, **fields)
    finally:
        set_read_only(stoppable, False)
    assert stored(stoppable, who) == before
    if name == "signing in":
        assert page.status == 200
    else:
        assert (page.status, page.title()) == UNAVAILABLE
        if name == "the second factor":
            assert "verdict=unavailable reason=directory-unavailable" in last(portal)
        else:
            assert " result=failed " in portal.changes()[-1] and " error=" in portal.changes()[-1]


def set_read_only(directory, is_read_only):
    connection = ldap.initialize(directory.ldapi)
    connection.sasl_interactive_bind_s("", ldap.sasl.external())
    connection.modify_s("olcDatabase={1}mdb,cn=config", [
        (ldap.MOD_REPLACE, "olcReadOnly", [b"TRUE" if is_read_only else b"FALSE"])])


def test_a_silent_directory_delays_only_requests_that_ask_it(stoppable, portal):
    who = stoppable.new_person(mfa=True)
    client, _ = in_the_list(portal, who)
    stoppable.pause()
    try:
        took, page = seconds(lambda: client.post(
            "create", label="x", services="", expires="never"))
        assert (page.status, page.title()) == UNAVAILABLE and took < 20
        assert portal.client().get("").status == 200
    finally:
        stoppable.resume()
    wait_until(lambda: client.get("").status == 200, "the directory's answers")
    assert stoppable.app_passwords(who) == []


def test_an_app_password_that_was_made_is_still_shown_after_an_outage(stoppable, portal):
    """The page redirects between creating it and showing it."""
    who = stoppable.new_person(mfa=True)
    client, _ = in_the_list(portal, who)
    page = client.ask_once("POST", "create", urllib.parse.urlencode(
        {"csrf": client.page.token(), "label": "x", "services": "", "expires": "never"}))
    assert (page.status, page.headers["Location"]) == (303, "/password")
    stoppable.stop()
    try:
        assert client.get("password").status == 503
    finally:
        stoppable.start()
    assert client.get("password").app_password()


# ---- a directory with incomplete or odd answers ----

@pytest.mark.parametrize("hidden, error", [
    ("appPasswordMfaEnabled", "error="), ("entryUUID", "no immutable id can be read")])
def test_an_attribute_that_the_portal_may_not_read_does_not_count_as_absent(
        own_directory, start_portal, hidden, error):
    directory = own_directory(first_rules=f"access to attrs={hidden} by * none\n")
    portal = start_portal(to=directory)
    who = directory.new_person()
    client = signed_in(portal, who)
    assert (client.page.status, client.page.title()) == UNAVAILABLE
    assert "verdict=unavailable" in last(portal) and error in last(portal)


def set_method(directory, who, *values):
    directory.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, "appPasswordMfaMethod", [value.encode() for value in values])])


def a_second_one(directory, portal, who, value):
    return value, "sealed=AAAA"


def damaged(directory, portal, who, value):
    return value[:-1] + ("A" if value[-1] != "A" else "B"),


def of_another_entry(directory, portal, who, value):
    other = directory.new_person(mfa=True)
    enrolled(portal, other)
    return second_factors(directory, other)


def of_no_known_kind(directory, portal, who, value):
    return "totp=JBSWY3DPEHPK3PXP",


def cut_short(directory, portal, who, value):
    return "sealed=",


@pytest.mark.parametrize("change", [a_second_one, damaged, of_another_entry, of_no_known_kind,
                                    cut_short], ids=lambda change: change.__name__)
def test_a_second_factor_that_cannot_be_opened_is_not_taken_for_none(stoppable, portal, change):
    who = stoppable.new_person(mfa=True)
    client, app = in_the_list(portal, who)
    value, = second_factors(stoppable, who)
    set_method(stoppable, who, *change(stoppable, portal, who, value))
    token = client.page.token()
    for page in (client.get(""), client.post("create", token, label="x", expires="never"),
                 signed_in(portal, who).page):
        assert (page.status, page.title()) == UNAVAILABLE
        assert "app-password mfa reset" in last(portal)
    assert stoppable.app_passwords(who) == []
    portal.done("mfa", "reset", who.uid)
    assert signed_in(portal, who).page.title() == "Two-step verification is turned on for you"


def test_a_second_factor_of_another_key_is_not_taken_for_none(stoppable, portal, start_portal):
    who = stoppable.new_person(mfa=True)
    enrolled(portal, who)
    other = start_portal(to=stoppable)
    assert signed_in(other, who).page.status == 503
    assert "trying again won’t help" in signed_in(other, who).page.words()
    assert "verdict=unavailable reason=second-factor-unreadable" in last(other) and "restore the portal.key" in last(other)


def test_all_second_factors_of_a_lost_key_are_reset_after_a_dry_run(
        own_directory, start_portal):
    directory = own_directory()
    portal = start_portal(to=directory)
    people = [directory.new_person(mfa=True) for _ in range(2)]
    for who in people:
        enrolled(portal, who)
    everybody = ("mfa", "reset", "--filter", "(appPasswordMfaMethod=*)")
    portal.done(*everybody, "--dry-run")
    assert all(directory.values(who, "appPasswordMfaMethod") for who in people)
    portal.done(*everybody)
    assert not any(directory.values(who, "appPasswordMfaMethod") for who in people)


def test_a_rename_of_the_entry_keeps_the_second_factor(stoppable, portal):
    who = stoppable.new_person(mfa=True)
    client, app = in_the_list(portal, who)
    renamed = who._replace(uid=who.uid + "-married")
    stoppable.connect_as_itself().rename_s(who.dn, f"uid={renamed.uid}")
    assert client.get("").title() == "App passwords for mail", "the visit is over"
    assert let_in(portal, renamed, app)


def test_there_are_no_more_app_passwords_than_there_may_be(stoppable, start_portal):
    portal = start_portal(to=stoppable, max_app_passwords="2")
    who = stoppable.new_person(mfa=True)
    client, _ = in_the_list(portal, who)
    for _ in range(2):
        make_app_password(client)
    client.get("")
    page = client.post("create", label="x", services="", expires="never")
    assert "the maximum number of app passwords" in page.words()
    assert len(stoppable.app_passwords(who)) == 2


def test_damaged_app_passwords_are_shown_as_such_and_revoked(stoppable, portal):
    who = stoppable.new_person(mfa=True)
    stoppable.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_ADD, "appPassword", [b"id=k7q2 oops", b"no id", b"id=k7q3 label=x"])])
    client, _ = in_the_list(portal, who)
    assert client.page.text.count("damaged; revoke it") == 3
    client.post("revoke", id="k7q2")
    assert len(stoppable.app_passwords(who)) == 2
    client.post("revoke-all")
    assert stoppable.app_passwords(who) == []


# ---- mail ----

def test_mail_that_cannot_be_sent_undoes_nothing_and_is_logged(stoppable, start_portal):
    portal = start_portal(to=stoppable)
    (portal.folder / "no-mail").touch()
    who = stoppable.new_person(mfa=True)
    client, app = enrolled(portal, who)
    assert "verdict=unavailable reason=not-done" in last(portal)
    assert re.search(r'action=mail error=".*/sendmail ended with status 75; trying again for a day"$',
                     last(portal))
    assert make_app_password(client)
    client.get("")
    client.post("add-factor")
    client.post("choose", method="mail")
    for _ in range(5):  # which are not counted
        page = client.post("contact", address="someone@elsewhere.example")
        assert "couldn’t send the mail" in page.words()
    assert page.title() == "Your alternate e-mail address"
    (portal.folder / "no-mail").unlink()
    assert client.post("contact", address="someone@elsewhere.example").title() == \
        "Verify your alternate e-mail address"


def test_a_sendmail_that_is_not_there_is_logged(stoppable, start_portal):
    portal = start_portal({"sendmail": "/nonexistent/sendmail"}, to=stoppable)
    enrolled(portal, stoppable.new_person(mfa=True))
    assert 'error="/nonexistent/sendmail: No such file or directory; trying' in last(portal)


def test_a_sendmail_that_hangs_is_ended_with_all_it_has_started(stoppable, start_portal):
    """The program is killed after ten seconds, and delays nobody else."""
    portal = start_portal(to=stoppable)
    program = portal.folder / "sendmail"
    program.write_text(f"#!/bin/sh\ntouch {portal.folder}/started\n"
                       f"sleep 600 & echo $! >{portal.folder}/child\nwait\n")
    who, other = stoppable.new_person(mfa=True), stoppable.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    waiting = threading.Thread(target=lambda: client.post("verify", code=app.code()))
    begin = time.monotonic()
    waiting.start()
    wait_until((portal.folder / "started").exists, "sendmail")
    signed_in(portal, other)
    assert waiting.is_alive()
    waiting.join()
    assert 10 <= time.monotonic() - begin < 30
    assert client.page.title() == "Your recovery codes"
    assert last(portal).endswith('sendmail took longer than 10 seconds; trying again for a day"')
    child = pathlib.Path("/proc") / (portal.folder / "child").read_text().strip()
    wait_until(lambda: not child.exists(), "what sendmail has started to end")


def test_sendmail_may_be_ended_by_signals_like_any_program(stoppable, start_portal):
    """The program starts with no blocked signals that the portal waits for."""
    portal = start_portal(to=stoppable)
    program = portal.folder / "sendmail"
    program.write_text("#!/usr/bin/perl\n"  # a shell would unblock them itself
                       "open my $status, '<', '/proc/self/status';\n"
                       f"open my $out, '>', '{portal.folder}/blocked';\n"
                       "print $out grep /SigBlk/, <$status>;\n")
    enrolled(portal, stoppable.new_person(mfa=True))
    assert (portal.folder / "blocked").read_text().split() == ["SigBlk:", "0" * 16]


# ---- start and stop ----

def test_a_restart_ends_every_visit_and_keeps_every_second_factor(stoppable, start_portal):
    portal = start_portal(to=stoppable)
    who = stoppable.new_person(mfa=True)
    client, app = in_the_list(portal, who)
    portal.stop()
    portal.start()
    assert client.get("").title() == "App passwords for mail"
    assert let_in(portal, who, app)
