# SPDX-License-Identifier: BSD-2-Clause
"""Postfix and Dovecot with an Active Directory: connections, outages and the last use."""

import smtplib

import pytest

import dovecot as clients
import smtp
from administration import CONFIGURATION, USAGE, Site
from processes import wait_until
from samba import DISABLED, GLOBAL_CATALOG, GLOBAL_CATALOG_TLS, LDAP, principal
from slapd import BASE
from smtp import ACCEPTED, REFUSED, UNAVAILABLE
from test_dovecot_lmtp import LMTP, arrived_in, deliver
from test_pam import NO, OK


@pytest.fixture(scope="module")
def domain(active_directory):
    return active_directory


@pytest.fixture(scope="module")
def server(domain, mail_server):
    return mail_server(domain.settings)


@pytest.fixture
def alice(domain):
    """With MFA on and an app password."""
    who, app_password = domain.new_person(mfa=True, app_passwords=1)
    return who, app_password.shown


def start_tls(domain):
    return domain.settings | {"uri": domain.ldap, "start_tls": "yes"}


WAYS = {"ldaps": lambda domain: domain.settings, "StartTLS": start_tls}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", [smtp.plain, smtp.login], ids=["PLAIN", "LOGIN"])
def test_postfix(domain, mail_server, alice, way, how):
    server = mail_server(WAYS[way](domain))
    who, app_password = alice
    for name in (who.uid, principal(who), who.mail):
        assert server.sign_in(name, app_password, how=how).code == ACCEPTED
        assert f' user="{name}"' in server.events()[-1]
    assert server.sign_in(who.uid, who.password, how=how).code == REFUSED
    domain.set_mfa(who, False)
    assert server.sign_in(who.uid, who.password, how=how).code == ACCEPTED
    assert server.sign_in(who.uid, "wrong", how=how).code == REFUSED


@pytest.mark.parametrize("way", WAYS)
def test_dovecot(domain, dovecot, alice, way):
    server = dovecot(WAYS[way](domain))
    who, app_password = alice
    for name in (who.uid, principal(who), who.mail):
        assert clients.imap(server, name, app_password) == clients.ACCEPTED
    assert clients.submission(server, who.uid, app_password) == clients.ACCEPTED
    assert clients.imap(server, who.uid, who.password) == clients.REFUSED
    domain.set_mfa(who, False)
    assert clients.imap(server, who.uid, who.password) == clients.ACCEPTED


def test_one_mailbox_whatever_was_typed(domain, dovecot, alice):
    server = dovecot(domain.settings)
    who, app_password = alice
    for name in (who.uid, who.uid.upper(), principal(who), who.mail):
        assert clients.imap(server, name, app_password, create=name) == clients.ACCEPTED
    folders, = {mailbox.parent for mailbox in server.mail.rglob(".*example*")}
    assert who.uid in str(folders)


def test_deliveries_reach_the_same_mailbox(domain, dovecot):
    server = dovecot(domain.settings, lines=LMTP)
    who, gone, hidden = (domain.new_person() for _ in range(3))
    domain.set(gone, userAccountControl=DISABLED)
    domain.hide(hidden, "userAccountControl")
    deliver(server, who.mail)
    arrived_in(server, who.uid)
    for other, code in ((gone, 550), (hidden, 451)):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            deliver(server, other.mail)
        assert refusal.value.recipients[other.mail][0] == code


def test_saslauthd_with_pam(domain, services, saslauthd, alice):
    who, app_password = alice
    server = saslauthd(services(domain.settings))
    assert server.says(who.uid, app_password) == OK
    assert server.says(who.uid, who.password) == NO
    domain.set_mfa(who, False)
    assert server.says(who.uid, who.password) == OK


def test_a_connection_without_tls_is_unavailable(domain, mail_server, alice):
    """The domain controller requires a stronger authentication."""
    server = mail_server(domain.settings | {"uri": domain.ldap})
    assert server.sign_in(alice[0].uid, alice[1]).code == UNAVAILABLE
    assert "Strong(er) authentication required" in server.events()[-1]


@pytest.mark.parametrize("port", [GLOBAL_CATALOG, GLOBAL_CATALOG_TLS])
@pytest.mark.parametrize("key", ["uri", "write_uri"])
def test_a_global_catalog_is_refused(domain, tmp_path, key, port):
    site = Site(tmp_path / "site", domain, **{key: f"ldaps://{domain.address}:{port}"})
    called = site.command("mfa", "status", "anybody")
    assert called.returncode == CONFIGURATION and "is a global catalog" in called.stderr
    assert f"{site.config}:" in called.stderr


@pytest.mark.parametrize("port", [GLOBAL_CATALOG, GLOBAL_CATALOG_TLS])
def test_a_global_catalog_is_refused_as_an_option_too(domain, tmp_path, alice, port):
    """It answers, and shows neither app passwords nor MFA."""
    site = Site(tmp_path / "site", domain)
    called = site.command("-H", f"ldaps://{domain.address}:{port}", "list", alice[0].uid)
    assert called.returncode == USAGE and "-H: " in called.stderr, called
    assert "is a global catalog" in called.stderr


def test_a_wrong_password_of_the_mail_server_is_unavailable(domain, mail_server, alice, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    server = mail_server(domain.settings | {"bindpw_file": secret})
    assert server.sign_in(alice[0].uid, alice[1]).code == UNAVAILABLE
    assert " reason=directory-unavailable " in server.events()[-1]


@pytest.mark.parametrize("base", ["dc=example,dc=net", f"ou=mistyped,{BASE}"])
def test_a_base_that_is_not_there_is_unavailable(domain, mail_server, alice, base):
    server = mail_server(domain.settings | {"base": base})
    assert server.sign_in(alice[0].uid, alice[1]).code == UNAVAILABLE
    assert " reason=directory-unavailable " in server.events()[-1]


def test_the_domain_controller_reboots(domain, server, alice):
    who, app_password = alice
    assert server.sign_in(who.uid, app_password).code == ACCEPTED
    domain.stop()
    try:
        for password in (app_password, who.password):
            assert server.sign_in(who.uid, password).code == UNAVAILABLE
            assert " reason=directory-unavailable " in server.events()[-1]
    finally:
        domain.start()
    assert server.sign_in(who.uid, app_password).code == ACCEPTED
    assert server.sign_in(who.uid, who.password).code == REFUSED


def test_the_domain_controller_reboots_behind_dovecot(domain, dovecot, alice):
    who, app_password = alice
    server = dovecot(domain.settings)
    assert clients.imap(server, who.uid, app_password) == clients.ACCEPTED
    domain.stop()
    try:
        assert clients.imap(server, who.uid, app_password) == clients.UNAVAILABLE
    finally:
        domain.start()
    assert clients.imap(server, who.uid, app_password) == clients.ACCEPTED


def test_the_other_domain_controller_answers(domain, mail_server, alice):
    nowhere = f"ldaps://{domain.address}:{LDAP + 1}"
    server = mail_server(domain.settings | {"uri": f"{nowhere} {domain.ldaps}"})
    assert server.sign_in(alice[0].uid, alice[1]).code == ACCEPTED


def test_the_last_use_is_recorded(domain, mail_server, tmp_path, alice):
    who, app_password = alice
    server = mail_server(domain.settings | {"record_use": "1d"})
    assert server.sign_in(who.mail, app_password).code == ACCEPTED
    wait_until(lambda: domain.values(who, "appPasswordUsed"), "the use to be recorded")
    used = Site(tmp_path / "site", domain).listed(who)[0]["last_used"]
    assert (used["service"], used["from"]) == ("smtp", "127.0.0.1")
    assert server.sign_in(who.uid, app_password).code == ACCEPTED
    assert len(domain.values(who, "appPasswordUsed")) == 1


def test_the_last_use_is_recorded_at_the_writable_domain_controller(domain, mail_server, alice):
    """Another may be read-only."""
    who, app_password = alice
    server = mail_server(domain.settings | {
        "record_use": "1d", "write_uri": domain.ldap, "start_tls": "yes"})
    assert server.sign_in(who.mail, app_password).code == ACCEPTED
    wait_until(lambda: domain.values(who, "appPasswordUsed"), "the use to be recorded")
