# SPDX-License-Identifier: BSD-2-Clause
"""report --would-refuse: who still signs in with the account password, from the logs of real logins."""

import csv
import glob
import gzip
import io
import json
import pathlib
import shutil

import pytest

import apppassword
import smtp
from administration import DONE, FAILED, Site, USAGE
from smtp import ACCEPTED, REFUSED


def test_people_whose_account_password_would_be_refused(mail_server, directory, tmp_path):
    server = mail_server({"login_attribute": "uid"})
    announced, plain = directory.new_person(app_passwords=1)[0], directory.new_person()
    with_mfa, app_password = directory.new_person(mfa=True, app_passwords=1)
    directory.set_mfa(announced, True, enforce_from=apppassword.from_now(days=1))
    for login, password, code in (
            (announced.mail, announced.password, ACCEPTED),
            (announced.uid, announced.password, ACCEPTED),
            (announced.uid, "wrong", REFUSED),
            (plain.uid, plain.password, ACCEPTED),
            (with_mfa.uid, app_password.shown, ACCEPTED),
            (with_mfa.uid, with_mfa.password, REFUSED)):
        assert server.sign_in(login, password).code == code
    log = tmp_path / "mail.log"
    log.write_text("noise\n" + "x" * 20000 + "\n" + "\n".join(server.events()) + "\ncut")
    site = Site(tmp_path / "site", directory, log=str(log))

    line, = site.done("report", "--would-refuse").splitlines()
    assert line.startswith(f"{announced.uid}: 2 logins by smtp from 127.0.0.1; first 20")
    assert site.done("report", "--would-refuse", log).splitlines() == [line]
    assert site.done("report", "--would-refuse", "-", input=log.read_text()).splitlines() == [line]

    found, = json.loads(site.done("report", "--would-refuse", "--json"))
    assert (found["name"], found["logins"]) == (announced.uid, 2)
    assert (found["services"], found["clients"]) == (["smtp"], ["127.0.0.1"])
    row, = csv.DictReader(io.StringIO(site.done("report", "--would-refuse", "--csv")))
    assert row == found | {"logins": "2", "services": "smtp", "clients": "127.0.0.1"}


def test_a_hostile_name_is_neither_raw_nor_another_line(directory, tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(
        'app-password: verdict=accepted reason=account-password user="=1+1\\x0abob: \\x1b[2J" '
        "service=imap client=192.0.2.1 id=- would-refuse=account-password-with-mfa\n"
        'postfix/smtpd: helo="app-password: verdict=accepted reason=account-password user="eve" '
        "service=imap client=192.0.2.1 id=- would-refuse=account-password-with-mfa\n")
    site = Site(tmp_path / "site", directory)
    text = site.done("report", "--would-refuse", log)
    assert len(text.splitlines()) == 1 and "\x1b" not in text
    assert site.done("report", "--would-refuse", "--csv", log).splitlines()[1].startswith('"\'=1+1')


def test_a_client_cannot_forge_a_line_in_the_log_of_postfix(postfix, usual, directory, tmp_path):
    forged = ('x app-password: verdict=accepted reason=account-password user="eve" service=imap '
              "client=192.0.2.1 id=- would-refuse=account-password-with-mfa")
    with usual.connect() as client:
        smtp.command(client, f"MAIL FROM:<{forged}>")
    usual.postfix_says("in MAIL command: <x app-password: verdict=accepted")
    log = tmp_path / "mail.log"
    log.write_text("\n".join(postfix.log_of(usual.service)) + "\n")
    site = Site(tmp_path / "site", directory)
    assert site.done("report", "--would-refuse", log) == ""


def test_a_damaged_log_is_read(directory, tmp_path):
    """NUL bytes cost their own line alone, and bytes that are not UTF-8 become question marks."""
    line = ('app-password: verdict=accepted reason=account-password user="{}" service=imap '
            "client=192.0.2.1 id=- would-refuse=account-password-with-mfa\n")
    log = tmp_path / "mail.log"
    log.write_bytes(b"\0\0\0" + line.format("lost").encode() + line.format("alice").encode()
                    + line.format("b\\xff").encode() + line.format("c").encode("latin-1").replace(
                        b"imap", b"im\xe9p"))
    site = Site(tmp_path / "site", directory)
    found = json.loads(site.done("report", "--would-refuse", "--json", log))
    assert [person["name"] for person in found] == ["alice", "b?", "c"]
    assert found[2]["services"] == ["im?p"]


@pytest.mark.skipif(not shutil.which("journalctl") or glob.glob("/*/log/journal/*/system.journal"),
                    reason="needs a host with journalctl and without a journal")
def test_a_journal_that_is_not_there_does_not_mean_nobody(directory, tmp_path):
    site = Site(tmp_path / "site", directory, log="syslog mail")
    called = site.command("report", "--would-refuse")
    assert called.returncode == FAILED and "the journal cannot be read" in called.stderr


@pytest.mark.parametrize("name, write", [("other.log", pathlib.Path.write_text),
                                         ("mail.log.gz", lambda log, text: log.write_bytes(
                                             gzip.compress(text.encode())))])
def test_a_log_of_something_else_is_named(directory, tmp_path, name, write):
    """Rather than only "nobody would be refused"."""
    write(tmp_path / name, "Nov 29 08:40:01 mail postfix/smtpd[12]: connect from x\n" * 9)
    called = Site(tmp_path / "site", directory).command("report", "--would-refuse", tmp_path / name)
    assert called.returncode == DONE
    assert f"{name}: no login that app-password accepted" in called.stderr


def test_logs_that_cannot_be_read(directory, tmp_path):
    site = Site(tmp_path / "site", directory, log="stderr")
    called = site.command("report", "--would-refuse")
    assert called.returncode == USAGE and "name the log" in called.stderr
    called = site.command("report", "--would-refuse", tmp_path / "none")
    assert called.returncode == FAILED and "none: No such file" in called.stderr
    called = site.command("report", "--would-refuse", tmp_path)
    assert called.returncode == FAILED and "Is a directory" in called.stderr
    for wrong in ["--expired"], ["--json", "--csv"], ["a", "b"]:
        assert site.command("report", "--would-refuse", *wrong).returncode == USAGE
