# SPDX-License-Identifier: BSD-2-Clause
"""Adoption: the log lists users who would be locked out; open sessions survive a revocation."""

import imaplib
import re
import subprocess

import pytest

import smtp
from apppassword import from_now
from conftest import EXAMPLES
from processes import wait_until

ROLLOUT = EXAMPLES.parent.parent / "doc/rollout.md"


def one_liner():
    """The command in doc/rollout.md that lists the users who would be locked out."""
    line, = re.findall(r"^    (sed -n .*would-refuse=.*)$", ROLLOUT.read_text(), re.MULTILINE)
    return line


def counted(log):
    """The command's output for a log: [(count, user, client, service)]."""
    command = one_liner().replace("/var/log/mail.log", str(log))
    printed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert printed.stderr == ""
    return [tuple(line.split()) for line in printed.stdout.splitlines()]


@pytest.fixture(scope="module")
def reporting(mail_server):
    return mail_server({"mfa_enforcement": "report"})


@pytest.mark.parametrize("prefix", ["", "syslog"])
def test_the_log_becomes_a_list_by_user_and_client(directory, mail_server, tmp_path, prefix):
    server = mail_server()
    announced, enforced, without = directory.new_person(), directory.new_person(mfa=True), \
        directory.new_person()
    directory.set_mfa(announced, True, enforce_from=from_now(days=30))
    app_password = directory.add_app_password(announced)
    for _ in range(3):
        assert server.sign_in(announced.uid, announced.password).code == smtp.ACCEPTED
    server.sign_in(announced.uid, app_password.shown)
    server.sign_in(announced.uid, "wrong")
    server.sign_in(enforced.uid, enforced.password)
    server.sign_in(without.uid, without.password)
    log = tmp_path / "log"
    text = server.log.read_text()
    if prefix:
        text = re.sub(r"^\S+ ", "Nov 24 13:58:57 mail postfix/smtpd[1]: ", text, flags=re.MULTILINE)
    log.write_text(text)
    assert counted(log) == [("3", announced.uid, "127.0.0.1", "smtp")]


def test_report_mode_lists_everybody_with_mfa(directory, reporting):
    who = directory.new_person(mfa=True)
    assert reporting.sign_in(who.uid, who.password).code == smtp.ACCEPTED
    assert ("1", who.uid, "127.0.0.1", "smtp") in counted(reporting.log)


def test_a_name_that_looks_like_a_line_is_not_counted(reporting, tmp_path):
    name = 'app-password: verdict=accepted reason=account-password user="eve" service=smtp ' \
        'client=192.0.2.1 id=- would-refuse=account-password-with-mfa'
    reporting.sign_in(name, "guess")
    log = tmp_path / "log"
    log.write_text(reporting.log.read_text() +
                   f"Nov 24 13:58:57 mail postfix/smtpd[1]: x: client=y, sasl_username={name}\n")
    assert "eve" not in [user for _, user, *_ in counted(log)]


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
    client = imaplib.IMAP4("127.0.0.1", usual_dovecot.ports["imap"], timeout=30)
    try:
        client.login(who.uid, app_password.shown)
        directory.revoke(who, app_password)
        assert client.noop()[0] == "OK"
        subprocess.run(["doveadm", "-c", usual_dovecot.config, "kick", who.uid], check=True,
                       capture_output=True)
        wait_until(lambda: has_ended(client), "the end of the session")
    finally:
        client.shutdown()
