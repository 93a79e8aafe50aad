# SPDX-License-Identifier: BSD-2-Clause
"""Signing in to Dovecot over IMAP, POP3 and submission, with the files of examples/dovecot/."""

import imaplib
import os
import re
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import apppassword
from dovecot import (
    ACCEPTED, REFUSED, UNAVAILABLE, curl_imaps, curl_pop3s, curl_smtps, doveadm, imap,
    imap_authenticate, pop3, submission, submission_login, with_hint)
from processes import seconds
from slapd import DISABLED, TWINS

CLIENTS = pytest.mark.parametrize("client", [
    imap, imap_authenticate, pop3, submission, submission_login, curl_imaps, curl_pop3s, curl_smtps,
    doveadm])


@pytest.fixture(scope="module")
def alice(directory):
    """A user with MFA on and one app password that contains 0 and 1."""
    alice = directory.new_person(mfa=True)
    return alice, directory.add_app_password(alice, id="01k7").shown


# ---- Verdicts ----

@CLIENTS
def test_an_app_password_is_accepted_by(usual_dovecot, alice, client):
    person, shown = alice
    assert client(usual_dovecot, person.uid, shown) == ACCEPTED


@CLIENTS
def test_the_account_password_of_an_mfa_user_is_refused_by(usual_dovecot, alice, client):
    person, _ = alice
    assert client(usual_dovecot, person.uid, person.password) == REFUSED


@pytest.mark.parametrize("client", [imap, pop3, submission])
def test_the_account_password_without_mfa_is_accepted_by(usual_dovecot, directory, client):
    person = directory.new_person()
    assert client(usual_dovecot, person.uid, person.password) == ACCEPTED
    assert client(usual_dovecot, person.uid, "wrong") == REFUSED


@pytest.mark.parametrize("typed", [
    pytest.param(str.upper, id="in upper case"),
    pytest.param(lambda shown: shown.replace("-", " "), id="with spaces"),
    pytest.param(lambda shown: shown.replace("-", "\u2013"), id="with en dashes"),
    pytest.param(lambda shown: shown.replace("0", "o").replace("1", "l"), id="with o and l"),
])
def test_an_app_password_is_accepted_when_typed(usual_dovecot, alice, typed):
    person, shown = alice
    assert imap_authenticate(usual_dovecot, person.uid, typed(shown)) == ACCEPTED


@pytest.mark.parametrize("user, password, verdict", [
    pytest.param("nobody-here", "secret", REFUSED, id="an unknown user: refused"),
    pytest.param(DISABLED.uid, DISABLED.password, REFUSED, id="a disabled account: refused"),
    pytest.param(TWINS[0].mail, TWINS[0].password, UNAVAILABLE, id="two entries: unavailable"),
    pytest.param("*", "secret", REFUSED, id="a wildcard: refused"),
    pytest.param("a" * 300, "secret", REFUSED, id="a long login: refused"),
    pytest.param("alice", "x" * 1025, REFUSED, id="a long password: refused"),
    pytest.param("alice", "", REFUSED, id="no password: refused"),
    pytest.param(apppassword.make().shown, "secret", REFUSED,
                 id="an app password as login: refused"),
])
def test_other_logins(usual_dovecot, user, password, verdict):
    assert imap_authenticate(usual_dovecot, user, password) == verdict


def test_a_nul_and_bytes_after_the_password_are_refused(usual_dovecot, alice):
    """AUTHENTICATE PLAIN separates its words by NUL; a C string would end at the password."""
    person, shown = alice
    assert imap_authenticate(usual_dovecot, person.uid, f"{shown}\0extra") == REFUSED


def test_a_mechanism_that_needs_a_stored_password_accepts_no_login(dovecot, alice):
    """If an administrator turns CRAM-MD5 on."""
    person, shown = alice
    server = dovecot(lines="auth_mechanisms = plain login cram-md5\n")
    for password in shown, person.password, "":
        client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login_cram_md5(person.uid, password)
        client.shutdown()
    assert server.events() == []


def test_dovecot_delays_every_refusal_alike(dovecot, alice):
    """So the time does not reveal the reason, even without refusal_delay."""
    person, shown = alice
    server = dovecot(lines="auth_failure_delay = 2 secs\n")  # the default
    logins = [("nobody-here", "secret"), (person.uid, person.password), (person.uid, ""),
              (person.uid, apppassword.make(id="01k7").shown), (DISABLED.uid, "secret")]
    with ThreadPoolExecutor() as threads:
        for took, verdict in threads.map(
                lambda login: seconds(lambda: imap(server, *login)), logins):
            assert (verdict, 1 <= took < 20) == (REFUSED, True)


def test_an_app_password_does_not_open_the_mail_of_another_user(usual_dovecot, directory, alice):
    """AUTHENTICATE PLAIN has a field for a second name."""
    person, shown = alice
    other = directory.new_person(mfa=True)
    assert imap_authenticate(usual_dovecot, person.uid, shown, authzid=other.uid) == REFUSED
    assert imap_authenticate(usual_dovecot, other.uid, shown) == REFUSED


# ---- Restrictions ----

@pytest.mark.parametrize("services, verdicts", [
    pytest.param("imap", (ACCEPTED, REFUSED, REFUSED), id="imap"),
    pytest.param("pop3", (REFUSED, ACCEPTED, REFUSED), id="pop3"),
    pytest.param("smtp", (REFUSED, REFUSED, ACCEPTED), id="smtp"),
    pytest.param("imap,smtp", (ACCEPTED, REFUSED, ACCEPTED), id="imap and smtp"),
])
def test_an_app_password_opens_only_the_services_it_is_for(
        usual_dovecot, directory, services, verdicts):
    person = directory.new_person(mfa=True)
    shown = directory.add_app_password(person, services=services).shown
    clients = imap, pop3, submission
    assert tuple(client(usual_dovecot, person.uid, shown) for client in clients) == verdicts


@pytest.mark.parametrize("services, service, verdict", [
    ("sieve", "sieve", ACCEPTED), ("sieve", "imap", REFUSED),
    ("smtp", "submission", ACCEPTED), ("imap", "lmtp", REFUSED),
])
def test_services_that_have_no_client_here(usual_dovecot, directory, services, service, verdict):
    """By Dovecot's names for them."""
    person = directory.new_person(mfa=True)
    shown = directory.add_app_password(person, services=services).shown
    assert doveadm(usual_dovecot, person.uid, shown, service=service) == verdict


@pytest.mark.parametrize("address, verdict", [
    ("192.0.2.7", ACCEPTED), ("203.0.113.7", REFUSED),
    ("2001:db8::7", ACCEPTED), ("2001:db9::7", REFUSED),
])
def test_an_app_password_opens_only_from_the_networks_it_is_for(
        usual_dovecot, directory, address, verdict):
    person = directory.new_person(mfa=True)
    shown = directory.add_app_password(person, networks="192.0.2.0/24,2001:db8::/32").shown
    assert doveadm(usual_dovecot, person.uid, shown, rip=address) == verdict


def test_a_revoked_app_password_is_refused_at_the_next_login(usual_dovecot, directory):
    """The user's other app password still works."""
    person, revoked, kept = directory.new_person(mfa=True, app_passwords=2)
    assert imap(usual_dovecot, person.uid, revoked.shown) == ACCEPTED
    directory.revoke(person, revoked)
    assert imap(usual_dovecot, person.uid, revoked.shown) == REFUSED
    assert imap(usual_dovecot, person.uid, kept.shown) == ACCEPTED


@pytest.mark.dovecot23
def test_with_a_cache_dovecot_goes_on_accepting_a_revoked_app_password(dovecot, directory):
    """The reason why the example turns the cache off."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot(lines="auth_cache_size = 1 M\n")
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    directory.revoke(person, app_password)
    assert imap(server, person.uid, app_password.shown) == ACCEPTED


def test_mfa_turned_on_counts_at_the_next_login(usual_dovecot, directory):
    person = directory.new_person()
    assert imap(usual_dovecot, person.uid, person.password) == ACCEPTED
    directory.set_mfa(person, True)
    assert imap(usual_dovecot, person.uid, person.password) == REFUSED


def test_a_refusal_may_say_that_an_app_password_is_needed(dovecot, own_directory):
    """The optional passdb accepts nobody and hides no outage."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    without_mfa = directory.new_person()
    server = dovecot({"uri": directory.ldapi}, settings=with_hint)

    def answer(who, password):
        with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as client:
            try:
                return client.login(who.uid, password)[1][0].decode()
            except client.error as refusal:
                return str(refusal)

    assert answer(person, app_password.shown) == answer(without_mfa, without_mfa.password)
    for who, password in (person, person.password), (person, "wrong"), (without_mfa, "wrong"):
        assert answer(who, password).replace("\\t", " ") == \
            "b'[ALERT] This mail server needs an app password'"
        assert pop3(server, who.uid, password) != ACCEPTED
    directory.stop()
    for who, password in (person, app_password.shown), (without_mfa, without_mfa.password):
        assert "[UNAVAILABLE]" in answer(who, password)


# ---- User and client ----

@pytest.mark.parametrize("client, service", [
    (imap, "imap"), (curl_imaps, "imap"), (pop3, "pop3"), (submission, "smtp")])
def test_the_log_line_names_service_and_client(usual_dovecot, directory, client, service):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert client(usual_dovecot, person.uid, app_password.shown) == ACCEPTED
    line = usual_dovecot.events()[-1]
    assert re.fullmatch(
        rf'\S+ app-password: verdict=accepted reason=app-password user="{person.uid}"'
        rf" service={service} client=127\.0\.0\.1 id={app_password.id} session=\S+", line)


def test_the_log_line_names_dovecots_session_and_the_accepted_name(dovecot, alice):
    """The session is the one in Dovecot's own line of the login."""
    person, shown = alice
    server = dovecot({"login_attribute": "uid"})
    for login, password, outcome, end in (
            (person.mail, shown, ACCEPTED, rf' name="{person.uid}" session=(\S+)'),
            (person.uid, shown, ACCEPTED, r" session=(\S+)"),
            (person.mail, person.password, REFUSED, r" session=(\S+)")):
        assert imap(server, login, password) == outcome
        found = re.search(rf'" service=imap client=127\.0\.0\.1 id=\S+{end}$', server.events()[-1])
        assert found and server.says(f"session=<{found[1]}>")


def test_the_log_line_names_the_client_behind_a_proxy(usual_dovecot, alice):
    """Dovecot's address of the client, not the proxy's."""
    person, _ = alice
    doveadm(usual_dovecot, person.uid, "wrong", rip="2001:db8::7", real_rip="192.0.2.1")
    assert " client=2001:db8::7 " in usual_dovecot.events()[-1]


def test_without_login_attribute_the_user_is_called_as_typed(dovecot, alice):
    person, shown = alice
    server = dovecot({"login_attribute": None})
    assert imap(server, person.mail, shown, create="made-now") == ACCEPTED
    assert server.owner_of("made-now") == person.mail


def test_login_attribute_becomes_dovecots_user(dovecot, alice):
    """A user has one mailbox for all spellings of the login."""
    person, shown = alice
    server = dovecot({"login_attribute": "uid"})
    for login in person.uid, person.uid.upper(), person.mail, person.mail.upper():
        mailbox = secrets.token_hex(8)
        assert imap(server, login, shown, create=mailbox) == ACCEPTED
        assert server.owner_of(mailbox) == person.uid


def test_the_userdb_may_be_the_same_directory(dovecot, directory, alice):
    """Dovecot's own LDAP userdb looks up the accepted name, and an address for LMTP."""
    person, shown = alice
    server = dovecot({"login_attribute": "uid"}, userdb=directory)
    assert imap(server, person.mail, shown, create="made-now") == ACCEPTED
    assert server.owner_of("made-now") == person.uid
    home = f"{server.mail}/{person.uid}"
    assert home_of(server, person.uid) == home_of(server, person.mail) == (os.EX_OK, home)
    assert home_of(server, "nobody-here") == (os.EX_NOUSER, "")


def home_of(server, name):
    """Dovecot's lookup of a user without a login: exit status and home."""
    done = subprocess.run(["doveadm", "-c", server.config, "user", "-f", "home", name],
                          text=True, capture_output=True)
    return done.returncode, done.stdout.strip()


# ---- Dovecot's own log ----

def test_no_password_is_ever_logged(dovecot, directory):
    """Neither by us nor by Dovecot with verbose logging."""
    person, app_password = directory.new_person(app_passwords=1)
    server = dovecot(lines="auth_debug = yes\n")
    passwords = [person.password, app_password.shown, "A-Wrong-Password",
                 apppassword.make(id=app_password.id).shown]
    for password in passwords:
        imap(server, person.uid, password)
    logged = "\n".join(server.events()) + server.log.read_text()
    assert person.uid in logged
    for password in passwords:
        assert password not in logged
        assert password.replace("-", "") not in logged
    assert "argon2" not in logged
