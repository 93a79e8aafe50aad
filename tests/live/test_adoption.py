# SPDX-License-Identifier: BSD-2-Clause
"""Adoption: open sessions survive a revocation."""

import imaplib
import subprocess

import smtp
from processes import wait_until


def test_an_open_smtp_session_stays_after_a_revocation(directory, usual):
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    client = usual.connect()
    try:
        assert usual.sign_in(who.uid, app_password.shown, client=client).code == smtp.ACCEPTED
        directory.revoke(who, app_password)
        assert client.docmd("MAIL FROM:<a@example.org>")[0] == 250
    finally:
        client.close()
    assert usual.sign_in(who.uid, app_password.shown).code == smtp.REFUSED


def has_ended(client):
    """True if an IMAP session has ended."""
    try:
        client.noop()
    except (imaplib.IMAP4.abort, OSError):
        return True
    return False


def test_an_open_imap_session_stays_until_it_is_kicked(directory, usual_dovecot):
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    client = imaplib.IMAP4("127.0.0.1", usual_dovecot.ports["imap"], timeout=60)
    try:
        client.login(who.uid, app_password.shown)
        directory.revoke(who, app_password)
        assert client.noop()[0] == "OK"
        subprocess.run(["doveadm", "-c", usual_dovecot.config, "kick", who.uid], check=True,
                       capture_output=True)
        wait_until(lambda: has_ended(client), "the end of the session")
    finally:
        client.shutdown()
