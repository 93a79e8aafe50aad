# SPDX-License-Identifier: BSD-2-Clause
"""Signing in to Postfix: accepted and refused logins.

The directory is slapd behind the access rules of ldap-schema/, the mail server is Postfix in
Debian's chrooted form with the files of examples/postfix/.
"""

import smtplib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

import apppassword
import sample
import smtp
from conftest import example_smtpd_conf, write_config
from processes import seconds
from slapd import DISABLED, DISABLED_IN_ALL_SPELLINGS, MUST_CHANGE, TWINS, WITHOUT_PASSWORD
from smtp import ACCEPTED, REFUSED, UNAVAILABLE

ALL_WAYS = [
    pytest.param(smtp.plain, True, id="PLAIN with an initial response"),
    pytest.param(smtp.plain, False, id="PLAIN without an initial response"),
    pytest.param(smtp.login, True, id="LOGIN with an initial response"),
    pytest.param(smtp.login, False, id="LOGIN without an initial response"),
]


@pytest.fixture(scope="module")
def alice(directory):
    """A user with MFA on and one app password that contains 0 and 1."""
    alice = directory.new_person(mfa=True)
    return alice, directory.add_app_password(alice, id="01k7").shown


# ---- An app password ----

@pytest.mark.parametrize("typed", [
    pytest.param(lambda shown: shown, id="as shown"),
    pytest.param(lambda shown: shown.replace("-", ""), id="without hyphens"),
    pytest.param(str.upper, id="in upper case"),
    pytest.param(lambda shown: shown.replace("-", " "), id="with spaces"),
    pytest.param(lambda shown: f" {shown} ", id="with spaces around it"),
    pytest.param(lambda shown: shown.replace("-", "\u2013"), id="with en dashes"),
    pytest.param(lambda shown: shown.replace("-", "\u2212"), id="with minus signs"),
    pytest.param(lambda shown: shown.replace("-", "\u00a0"), id="with no-break spaces"),
    pytest.param(lambda shown: shown.replace("0", "o"), id="with o for 0"),
    pytest.param(lambda shown: shown.replace("1", "l").upper(), id="with L for 1"),
    pytest.param(lambda shown: shown.replace("1", "i"), id="with i for 1"),
])
def test_an_app_password_is_accepted(usual, alice, typed):
    person, shown = alice
    assert usual.sign_in(person.uid, typed(shown)).code == ACCEPTED


@pytest.mark.parametrize("how, initial_response", ALL_WAYS)
def test_an_app_password_is_accepted_by(usual, alice, how, initial_response):
    person, shown = alice
    assert usual.sign_in(person.uid, shown, how, initial_response=initial_response).code == ACCEPTED


def test_each_of_several_app_passwords_is_accepted(usual, directory):
    person, *app_passwords = directory.new_person(mfa=True, app_passwords=5)
    for app_password in app_passwords:
        assert usual.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_the_login_may_be_the_mail_address_and_have_spaces_around_it(usual, alice):
    person, shown = alice
    assert usual.sign_in(person.mail, shown).code == ACCEPTED
    assert usual.sign_in(f" {person.uid} ", shown).code == ACCEPTED


def test_an_app_password_of_a_user_without_mfa_is_accepted(usual, directory):
    person, app_password = directory.new_person(app_passwords=1)
    assert usual.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_with_one_symbol_changed_it_is_refused(usual, alice):
    person, shown = alice
    last = apppassword.SYMBOLS[(apppassword.SYMBOLS.index(shown[-1]) + 1) % 32]
    assert usual.sign_in(person.uid, shown[:-1] + last).code == REFUSED


def test_another_secret_with_the_same_id_is_refused(usual, alice):
    person, shown = alice
    assert usual.sign_in(person.uid, apppassword.make(id=shown[:4]).shown).code == REFUSED


def test_the_app_password_of_another_user_is_refused(usual, directory, alice):
    _, shown = alice
    assert usual.sign_in(directory.new_person(mfa=True).uid, shown).code == REFUSED


@pytest.mark.parametrize("restrictions, code", [
    pytest.param({"expires": apppassword.from_now(seconds=-1)}, REFUSED, id="expired: refused"),
    pytest.param({"expires": apppassword.from_now(days=1)}, ACCEPTED, id="not yet: accepted"),
    pytest.param({"services": "imap,sieve"}, REFUSED, id="for another service: refused"),
    pytest.param({"services": "imap,smtp"}, ACCEPTED, id="for this service: accepted"),
    pytest.param({"networks": "192.0.2.0/24,2001:db8::/32"}, REFUSED,
                 id="for another network: refused"),
    pytest.param({"networks": "192.0.2.0/24,127.0.0.0/8"}, ACCEPTED,
                 id="for this network: accepted"),
    pytest.param({"created": apppassword.from_now(hours=23)}, ACCEPTED,
                 id="made by a clock almost a day ahead: accepted"),
    pytest.param({"created": apppassword.from_now(days=2)}, UNAVAILABLE,
                 id="made by a clock two days ahead: unavailable"),
    pytest.param({"label": "Büro 事務所"}, ACCEPTED, id="with a label in any script: accepted"),
    pytest.param({"hash": "{ARGON2}$argon2i$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$aGFzaA"}, REFUSED,
                 id="with another kind of hash: refused"),
])
def test_an_app_password_that_is(usual, directory, restrictions, code):
    person = directory.new_person(mfa=True)
    app_password = directory.add_app_password(person, **restrictions)
    assert usual.sign_in(person.uid, app_password.shown).code == code


def test_two_app_passwords_with_one_id_are_both_refused(usual, directory):
    person = directory.new_person(mfa=True)
    for app_password in [directory.add_app_password(person, id="k7q2") for _ in range(2)]:
        assert usual.sign_in(person.uid, app_password.shown).code == REFUSED


def test_a_revoked_app_password_is_refused_within_the_same_smtp_connection(usual, directory):
    person, revoked, kept = directory.new_person(mfa=True, app_passwords=2)
    assert usual.sign_in(person.uid, revoked.shown).code == ACCEPTED
    client = usual.connect()
    assert usual.sign_in(person.uid, "mistyped", client=client).code == REFUSED
    directory.revoke(person, revoked)
    assert usual.sign_in(person.uid, revoked.shown, client=client).code == REFUSED
    assert smtp.plain(client, person.uid, kept.shown).code == ACCEPTED
    client.quit()


# ---- The account password ----

@pytest.mark.parametrize("how, initial_response", ALL_WAYS)
def test_the_account_password_of_an_mfa_user_is_refused_by(usual, alice, how, initial_response):
    person, _ = alice
    reply = usual.sign_in(person.uid, person.password, how, initial_response=initial_response)
    assert reply.code == REFUSED


@pytest.mark.parametrize("how, initial_response", ALL_WAYS)
def test_the_account_password_of_a_user_without_mfa_is_accepted_by(
        usual, directory, how, initial_response):
    person = directory.new_person()
    reply = usual.sign_in(person.uid, person.password, how, initial_response=initial_response)
    assert reply.code == ACCEPTED


def test_turning_mfa_on_and_off_takes_effect_at_the_next_login(usual, directory):
    person = directory.new_person()
    client = usual.connect()
    directory.set_mfa(person, True)
    assert usual.sign_in(person.uid, person.password, client=client).code == REFUSED
    directory.set_mfa(person, False)
    assert smtp.plain(client, person.uid, person.password).code == ACCEPTED
    client.quit()
    directory.set_mfa(person, True)
    assert usual.sign_in(person.uid, person.password).code == REFUSED


def test_until_enforce_from_the_account_password_is_accepted_and_refused_afterwards(
        usual, directory):
    person = directory.new_person()
    directory.set_mfa(person, True, enforce_from=apppassword.from_now(hours=1))
    assert usual.sign_in(person.uid, person.password).code == ACCEPTED
    assert usual.sign_in(person.uid, "wrong").code == REFUSED
    directory.set_mfa(person, True, enforce_from=apppassword.from_now(seconds=-1))
    assert usual.sign_in(person.uid, person.password).code == REFUSED


def test_in_report_mode_the_account_password_of_an_mfa_user_is_accepted(mail_server, alice):
    person, shown = alice
    server = mail_server({"mfa_enforcement": "report"})
    assert server.sign_in(person.uid, person.password).code == ACCEPTED
    assert server.sign_in(person.uid, shown).code == ACCEPTED
    assert server.sign_in(person.uid, "wrong").code == REFUSED


def test_account_password_never_refuses_it_to_every_user(mail_server, directory, alice):
    """It takes precedence over report mode."""
    server = mail_server({"account_password": "never", "mfa_enforcement": "report"})
    person, shown = alice
    without_mfa = directory.new_person()
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == REFUSED
    assert server.sign_in(person.uid, person.password).code == REFUSED
    assert server.sign_in(person.uid, shown).code == ACCEPTED


@pytest.mark.parametrize("network, code", [("127.0.0.1", ACCEPTED), ("192.0.2.0/24", REFUSED)])
def test_account_password_from_lets_a_webmail_host_use_it(mail_server, alice, network, code):
    person, _ = alice
    server = mail_server({"account_password_from": network})
    assert server.sign_in(person.uid, person.password).code == code
    assert server.sign_in(person.uid, "wrong").code == REFUSED


def test_an_account_password_in_the_form_of_an_app_password_works_while_mfa_is_off(
        usual, directory):
    person = directory.new_person()
    shown = apppassword.make().shown
    app_shaped = shown.replace("-", "")
    directory.connect(person).passwd_s(person.dn, person.password, app_shaped)
    assert usual.sign_in(person.uid, app_shaped).code == ACCEPTED
    directory.set_mfa(person, True)
    assert usual.sign_in(person.uid, app_shaped).code == REFUSED


def test_an_app_password_as_shown_is_never_an_account_password(usual, directory):
    person = directory.new_person()
    shown = apppassword.make().shown
    directory.connect(person).passwd_s(person.dn, person.password, shown)
    assert usual.sign_in(person.uid, shown).code == REFUSED
    assert " reason=unknown-app-password " in usual.events()[-1]


def test_a_wrong_account_password_is_refused(usual, directory):
    assert usual.sign_in(directory.new_person().uid, "wrong").code == REFUSED


def test_an_unknown_user_is_refused(usual):
    assert usual.sign_in("nobody-of-that-name", "secret").code == REFUSED


@pytest.mark.parametrize("person", [
    pytest.param(person, id=time) for person, time in DISABLED_IN_ALL_SPELLINGS.items()])
def test_a_disabled_account_is_refused_whatever_the_password(usual, directory, person):
    """In every spelling of the time that means permanently locked to slapd."""
    assert directory.values(person, "pwdAccountLockedTime") == [DISABLED_IN_ALL_SPELLINGS[person]]
    app_password = directory.add_app_password(person)
    for password in app_password.shown, person.password:
        assert usual.sign_in(person.uid, password).code == REFUSED
        assert "reason=account-disabled" in usual.events()[-1]


def test_an_account_locked_for_a_while_still_opens_with_an_app_password(usual, directory):
    """Guesses at the account password cannot lock out the user's mail clients."""
    person, app_password = directory.new_person(app_passwords=1)
    for _ in range(5):
        usual.sign_in(person.uid, "wrong")
    assert directory.values(person, "pwdAccountLockedTime")
    assert usual.sign_in(person.uid, person.password).code == REFUSED
    assert usual.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_a_password_that_must_be_changed_is_refused(usual):
    assert usual.sign_in(MUST_CHANGE.uid, MUST_CHANGE.password).code == REFUSED


def test_a_user_without_an_account_password_is_refused(usual):
    assert usual.sign_in(WITHOUT_PASSWORD.uid, "anything").code == REFUSED


def test_two_entries_with_the_same_mail_address_are_unavailable(usual, directory):
    """With an app password of either user and with the account password."""
    app_password = directory.add_app_password(TWINS[0])
    for password in (app_password.shown, TWINS[0].password, TWINS[1].password):
        assert usual.sign_in("twins@example.org", password).code == UNAVAILABLE
    assert usual.sign_in(TWINS[0].uid, app_password.shown).code == ACCEPTED


# ---- Malformed logins and passwords ----
# A message too long for the mechanism is a protocol error, not a login: no log line.

@pytest.mark.parametrize("password", [
    pytest.param(b"", id="empty"),
    pytest.param(b" ", id="blank"),
    pytest.param(b"x" * 2048, id="of 2 KB"),
    pytest.param(b"Account.\0/1", id="with a NUL"),
    pytest.param(b"\xff\xfe", id="not UTF-8"),
])
@pytest.mark.parametrize("how", [smtp.plain, smtp.login])
def test_a_password_is_refused_that_is(usual, directory, how, password):
    logged = len(password) < 2048 or how == smtp.login
    reply = usual.sign_in(directory.new_person().uid, password, how, logged=logged)
    assert reply.code == REFUSED


@pytest.mark.parametrize("how", [smtp.plain, smtp.login])
def test_a_nul_and_bytes_after_the_right_password_are_refused(usual, directory, how):
    person, app_password = directory.new_person(app_passwords=1)
    for right in (person.password, app_password.shown):
        assert usual.sign_in(person.uid, f"{right}\0extra", how).code == REFUSED


@pytest.mark.parametrize("login", [
    pytest.param(b"", id="empty"),
    pytest.param(b" ", id="blank"),
    pytest.param(b"a" * 256, id="over 255 bytes"),
    pytest.param(b"a" * 5000, id="of 5000 bytes"),
    pytest.param(b"al\nice", id="with a control character"),
    pytest.param(b"al\xffice", id="not UTF-8"),
    pytest.param(b"*", id="an asterisk"),
    pytest.param(b"*)(uid=*", id="a filter"),
])
@pytest.mark.parametrize("how", [smtp.plain, smtp.login])
def test_a_login_is_refused_that_is(usual, how, login):
    # Postfix itself rejects so long a line of PLAIN.
    is_asked = how is smtp.login or len(login) < 5000
    reply = usual.sign_in(login, "secret", how, logged=is_asked)
    assert reply.code == REFUSED


def test_the_session_goes_on_after_a_cancelled_login(usual, alice):
    person, shown = alice
    client = usual.connect()
    for command in ("AUTH PLAIN", "AUTH LOGIN"):
        assert smtp.command(client, command).code == 334
        assert smtp.command(client, "*").code == 501
    assert smtp.plain(client, person.uid, shown).code == ACCEPTED
    client.quit()


# ---- Names ----

def test_an_authorization_identity_equal_to_the_login_is_accepted(usual, alice):
    person, shown = alice
    assert usual.sign_in(person.uid, shown, authzid=person.uid).code == ACCEPTED


def test_the_authorization_identity_of_another_user_is_refused(usual, directory, alice):
    person, shown = alice
    another = directory.new_person()
    assert usual.sign_in(person.uid, shown, authzid=another.uid).code == REFUSED


def test_postfix_gets_the_login_as_typed(mail_server, alice):
    person, shown = alice
    server = mail_server({"login_attribute": None})
    assert name_known_to_postfix(server, person.mail, shown) == person.mail


@pytest.mark.parametrize("spelling", [
    pytest.param(lambda person: person.uid.upper(), id="upper case"),
    pytest.param(lambda person: person.mail, id="mail address"),
])
def test_with_login_attribute_every_spelling_becomes_one_name(mail_server, alice, spelling):
    person, shown = alice
    server = mail_server({"login_attribute": "uid"})
    assert name_known_to_postfix(server, spelling(person), shown) == person.uid


@pytest.mark.parametrize("login_attribute, known_as", [
    pytest.param(None, lambda person: person.mail, id="without login_attribute"),
    pytest.param("uid", lambda person: person.uid, id="login_attribute's value as it is"),
])
@pytest.mark.parametrize("login", [
    pytest.param(lambda person: person.uid, id="appended"),
    pytest.param(lambda person: person.mail, id="there already"),
])
def test_with_smtpd_sasl_local_domain_a_login_has_that_domain(
        mail_server, alice, login, login_attribute, known_as):
    person, shown = alice
    server = mail_server({"login_attribute": login_attribute}, kind="local domain")
    assert name_known_to_postfix(server, login(person), shown) == known_as(person)
    assert server.sign_in(login(person), person.password).code == REFUSED
    assert f' user="{person.mail}" ' in server.events()[-1]


def test_without_a_value_of_login_attribute_it_is_unavailable(mail_server, alice):
    """It does not fall back to another name."""
    person, shown = alice
    server = mail_server({"login_attribute": "employeeNumber"})
    assert server.sign_in(person.uid, shown).code == UNAVAILABLE


def name_known_to_postfix(server, login, password):
    """Sign in and send a message; returns the user's name in Postfix's log."""
    client = server.connect()
    assert smtp.plain(client, login, password).code == ACCEPTED
    client.sendmail("sender@example.org", ["recipient@example.net"], "Subject: a test\n\nHello")
    client.quit()
    return server.postfix_says("sasl_username=").split("sasl_username=")[1]


# ---- Mail clients ----

def test_without_signing_in_nothing_is_sent(usual):
    client = usual.connect()
    assert smtp.command(client, "MAIL FROM:<sender@example.org>").code == 250
    assert smtp.command(client, "RCPT TO:<recipient@example.net>").code == 554
    client.quit()


@pytest.fixture(scope="module")
def submission(mail_server):
    """Port 587: TLS by STARTTLS."""
    return mail_server(kind="starttls")


def test_signing_in_is_not_offered_before_starttls(submission):
    client = smtplib.SMTP("127.0.0.1", submission.port, timeout=60)
    client.ehlo()
    assert "auth" not in client.esmtp_features
    client.close()


def test_outlook_signs_in(submission, alice):
    """AUTH LOGIN without an initial response, line by line, on the port with STARTTLS."""
    person, shown = alice
    client = submission.connect(starttls=True)
    assert smtp.command(client, "AUTH LOGIN") == (334, "VXNlcm5hbWU6")
    assert smtp.command(client, b64encode(person.mail.encode())) == (334, "UGFzc3dvcmQ6")
    assert smtp.command(client, b64encode(shown.encode())).code == ACCEPTED
    assert smtp.command(client, f"MAIL FROM: <{person.mail}>").code == 250
    assert smtp.command(client, "RCPT TO: <recipient@example.net>").code == 250
    client.quit()


def test_apple_mail_signs_in(submission, alice):
    """AUTH PLAIN with the initial response in the same line, on the port with STARTTLS."""
    person, shown = alice
    client = submission.connect(starttls=True)
    response = b64encode(f"\0{person.mail}\0{shown}".encode()).decode()
    assert smtp.command(client, f"AUTH PLAIN {response}").code == ACCEPTED
    assert smtp.command(client, f"MAIL FROM:<{person.mail}>").code == 250
    assert smtp.command(client, "RCPT TO:<recipient@example.net>").code == 250
    client.quit()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_signs_in_with_the_app_password_and_not_with_the_account_password(
        usual, alice, folder, mechanism):
    person, shown = alice
    for password, code in ((shown, ACCEPTED), (person.password, REFUSED)):
        reply = smtp.swaks(usual.port, usual.ca, person.uid, password, mechanism, folder)
        assert reply.code == code


def test_smtplib_signs_in_with_the_app_password_and_not_with_the_account_password(usual, alice):
    """By login(), which chooses the mechanism."""
    person, shown = alice
    client = usual.connect()
    with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
        client.login(person.uid, person.password)
    assert refusal.value.smtp_code == REFUSED
    assert client.login(person.uid, shown)[0] == ACCEPTED
    client.quit()


def test_twenty_clients_at_once_are_accepted(mail_server, directory):
    """In twenty processes, each with its own connection to the directory."""
    server = mail_server(kind="many processes")
    persons = [directory.new_person(mfa=True, app_passwords=1) for _ in range(20)]
    clients = [server.connect() for _ in persons]
    with ThreadPoolExecutor(len(persons)) as threads:
        replies = threads.map(
            lambda client, who: smtp.plain(client, who[0].uid, who[1].shown), clients, persons)
    assert [reply.code for reply in replies] == [ACCEPTED] * len(persons)
    for client in clients:
        client.close()


# ---- The answer to a refused client ----

def test_every_refusal_has_the_same_words(usual, directory, alice):
    person, _ = alice
    without_mfa = directory.new_person()
    expired = directory.add_app_password(person, expires=apppassword.from_now(seconds=-1))
    replies = {usual.sign_in(login, password) for login, password in [
        (person.uid, person.password),
        (person.uid, "wrong"),
        (person.uid, expired.shown),
        (person.uid, apppassword.make().shown),
        (without_mfa.uid, "wrong"),
        (DISABLED.uid, DISABLED.password),
        (MUST_CHANGE.uid, MUST_CHANGE.password),
        ("nobody-of-that-name", "wrong"),
        ("", "wrong")]}
    assert len(replies) == 1
    assert "If you use two-step verification, enter an app password: https://" in replies.pop().text


def test_every_refusal_takes_refusal_delay(mail_server, directory, alice):
    """From the start of the login, for unknown users and wrong app passwords alike."""
    person, shown = alice
    server = mail_server({"refusal_delay": 4})
    client = server.connect()
    for login, password in [("nobody-of-that-name", "x"),
                            (person.uid, apppassword.make(id=shown[:4]).shown)]:
        took, reply = seconds(lambda: smtp.plain(client, login, password))
        assert reply.code == REFUSED
        assert 3.99 < took < 8
    took, reply = seconds(lambda: smtp.plain(client, person.uid, shown))
    assert reply.code == ACCEPTED
    assert took < 4
    client.quit()


# ---- A program other than Postfix ----

@pytest.fixture
def sample_server(folder, directory, postfix):
    """sign_in(user, password, …) of sasl-sample-server, which also reads the plugin's options."""
    config = write_config(folder, uri=directory.ldapi)
    (folder / "sample.conf").write_text(example_smtpd_conf(config))
    return lambda *login, **options: sample.sign_in(
        folder, postfix.sasl_path, *login, **options)


def test_sasl_sample_server_signs_in_with_the_app_password_alone(sample_server, alice):
    person, shown = alice
    assert sample_server(person.uid, shown) == "accepted"
    assert sample_server(person.uid, person.password) != "accepted"


@pytest.mark.parametrize("networks, client, is_accepted", [
    pytest.param("192.0.2.0/24", "192.0.2.7", True, id="IPv4 inside"),
    pytest.param("192.0.2.0/24", "192.0.3.7", False, id="IPv4 outside"),
    pytest.param("2001:db8::/32", "2001:db8::7", True, id="IPv6 inside"),
    pytest.param("2001:db8::/32", "2001:db9::7", False, id="IPv6 outside"),
    pytest.param("192.0.2.0/24", None, False, id="address unknown"),
])
def test_an_app_password_for_a_network_looks_at_the_client(
        sample_server, directory, networks, client, is_accepted):
    person = directory.new_person(mfa=True)
    app_password = directory.add_app_password(person, networks=networks)
    answer = sample_server(person.uid, app_password.shown, client=client)
    assert (answer == "accepted") == is_accepted


@pytest.mark.parametrize("service, is_accepted", [
    ("imap", True), ("imaps", True), ("smtp", False), ("pop", False)])
def test_an_app_password_for_imap_looks_at_the_service(
        sample_server, directory, service, is_accepted):
    person = directory.new_person(mfa=True)
    app_password = directory.add_app_password(person, services="imap")
    answer = sample_server(person.uid, app_password.shown, service=service)
    assert (answer == "accepted") == is_accepted
