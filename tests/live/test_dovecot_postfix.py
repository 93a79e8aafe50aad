# SPDX-License-Identifier: BSD-2-Clause
"""Postfix with smtpd_sasl_type = dovecot: one Dovecot for reading and sending mail."""

import pytest

import smtp
from conftest import MailServer
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, imap, with_hint


@pytest.fixture
def both(postfix, dovecot, authority):
    """Makes a Dovecot and a Postfix that asks it."""
    def make(config=None, **options):
        service = postfix.service("", "asks Dovecot")
        server = dovecot(config, auth_socket=postfix.socket_of(service), **options)
        return server, MailServer(postfix, service, authority, server.folder)
    return make


def test_an_app_password_is_accepted_and_the_account_password_refused_by_both(both, directory):
    dovecot, postfix = both()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert imap(dovecot, person.uid, app_password.shown) == ACCEPTED
    assert imap(dovecot, person.uid, person.password) == REFUSED
    for how in smtp.plain, smtp.login:
        assert postfix.sign_in(person.uid, app_password.shown, how).code == smtp.ACCEPTED
        assert postfix.events()[-1].endswith(
            f'verdict=accepted reason=app-password user="{person.uid}" service=smtp'
            f" client=127.0.0.1 id={app_password.id}")
        assert postfix.sign_in(person.uid, person.password, how).code == smtp.REFUSED


def test_postfix_shows_the_text_of_the_optional_passdb(both, directory):
    """Dovecot 2.3 escapes the tabs of the example, and Postfix does not decode them."""
    _, postfix = both(settings=with_hint)
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    reply = postfix.sign_in(person.uid, person.password)
    assert reply.code == smtp.REFUSED
    assert "failed: This mail server needs an app password" in reply.text.replace("?t", " ")
    assert postfix.sign_in(person.uid, app_password.shown).code == smtp.ACCEPTED


def test_an_app_password_opens_only_the_services_it_is_for(both, directory):
    dovecot, postfix = both()
    person = directory.new_person(mfa=True)
    for_imap = directory.add_app_password(person, services="imap").shown
    for_smtp = directory.add_app_password(person, services="smtp").shown
    assert imap(dovecot, person.uid, for_imap) == ACCEPTED
    assert imap(dovecot, person.uid, for_smtp) == REFUSED
    assert postfix.sign_in(person.uid, for_imap).code == smtp.REFUSED
    assert postfix.sign_in(person.uid, for_smtp).code == smtp.ACCEPTED


def test_in_an_outage_of_the_directory_postfix_says_535_and_dovecot_says_unavailable(
        own_directory, both):
    """A limit of this integration: Postfix reports every failure of Dovecot as a wrong password.

    When this test fails, change the README.
    """
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    dovecot, postfix = both({"uri": directory.ldap})
    directory.stop()
    assert imap(dovecot, person.uid, app_password.shown) == UNAVAILABLE
    client = postfix.connect()
    assert smtp.plain(client, person.uid, app_password.shown).code == smtp.REFUSED
    client.quit()
    assert "verdict=unavailable reason=directory-unavailable" in postfix.events()[-1]
    directory.start()
    assert postfix.sign_in(person.uid, app_password.shown).code == smtp.ACCEPTED
