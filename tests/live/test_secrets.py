# SPDX-License-Identifier: BSD-2-Clause
"""Passwords leave a process for the directory alone, as strace shows."""

import base64
import contextlib
import re
import subprocess
from collections import namedtuple

import pytest

import smtp
from administration import COMMAND, Site
from dovecot import imap
from processes import wait_until
from smtp import ACCEPTED, REFUSED

WRITES = "trace=execve,write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg"

Write = namedtuple("Write", "call bytes")


class Trace:
    """The writes, sends and program starts of a process, from strace."""

    def __init__(self, file):
        self._file = file

    def writes(self):
        """Each call with all its bytes."""
        for line in self._file.read_text().splitlines():
            match = re.search(r"(\w+\([^\"]*)", line)
            if match and '"' in line:
                text = "".join(re.findall(r'"((?:\\x[0-9a-f]{2})*)"', line))
                yield Write(match[1], bytes.fromhex(text.replace("\\x", "")))

    def writes_with(self, *secrets):
        """The calls that contain one of the secrets, plain or in base64."""
        needles = [needle for secret in secrets for needle in spellings(secret)]
        return [write for write in self.writes()
                if any(needle in write.bytes for needle in needles)]


def spellings(secret):
    """A secret, and its base64 at each possible offset in an encoded text."""
    yield secret.encode()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret.encode())
        yield encoded[4:len(encoded) - 4] if shift else encoded[:-4]


def is_bind(write, dn):
    """True if it is an LDAP message that binds as this entry."""
    return write.bytes[:1] == b"\x30" and dn.encode() in write.bytes


@contextlib.contextmanager
def traced(pid, folder):
    """strace of a running process; the trace is complete after the block."""
    file = folder / f"trace-{pid}"
    process = subprocess.Popen(
        ["strace", "-f", "-xx", "-s", "65536", "-o", file, "-e", WRITES, "-p", str(pid)],
        stderr=subprocess.PIPE, text=True)
    assert "attached" in process.stderr.readline()
    try:
        yield Trace(file)
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def people(directory):
    """A user with MFA, their app password, and a user without MFA."""
    with_mfa, app_password = directory.new_person(mfa=True, app_passwords=1)
    return with_mfa, app_password, directory.new_person()


def strace_of(site, folder, *arguments, input=""):
    """The output and the full trace of a command, including its arguments and environment."""
    file = folder / f"trace-{arguments[0]}"
    done = subprocess.run(
        ["strace", "-f", "-v", "-xx", "-s", "65536", "-o", file, "-e", WRITES,
         COMMAND, "-c", site.config, *arguments], input=input, text=True, capture_output=True)
    return done.stdout, Trace(file)


def assert_only_the_directory_is_told(trace, with_mfa, app_password, without_mfa):
    canonical = app_password.shown.replace("-", "")
    assert trace.writes_with(app_password.shown[5:], canonical[4:], with_mfa.password) == []
    told = trace.writes_with(without_mfa.password)
    assert told and all(is_bind(write, without_mfa.dn) for write in told), told


def test_postfix_sends_passwords_to_the_directory_alone(mail_server, people, folder):
    with_mfa, app_password, without_mfa = people
    server = mail_server({"remember": "no"})
    client = server.connect()
    (pid,) = server.postfix.processes(server.service)
    with traced(pid, folder) as trace:
        assert smtp.plain(client, with_mfa.uid, with_mfa.password).code == REFUSED
        assert smtp.plain(client, with_mfa.uid, app_password.shown).code == ACCEPTED
        client.close()
        with_account = server.connect()
        assert smtp.login(with_account, without_mfa.uid, without_mfa.password).code == ACCEPTED
        with_account.close()
    assert_only_the_directory_is_told(trace, *people)
    assert any(b"verdict=accepted" in write.bytes for write in trace.writes())


def test_an_app_password_typed_as_login_is_looked_up_and_logged_nowhere(
        mail_server, people, folder):
    """Users do that. The directory gets the search for such a user; nothing else gets the text."""
    _, app_password, _ = people
    server = mail_server()
    client = server.connect()
    (pid,) = server.postfix.processes(server.service)
    with traced(pid, folder) as trace:
        assert smtp.login(client, app_password.shown, "x").code == REFUSED
        client.close()
    told = trace.writes_with(app_password.shown)
    assert told and all(write.bytes[:1] == b"\x30" for write in told), told


def test_dovecots_worker_sends_passwords_to_the_directory_alone(dovecot, people, folder):
    with_mfa, app_password, without_mfa = people
    server = dovecot()
    assert imap(server, with_mfa.uid, "wrong") == "refused"
    (pid,) = wait_until(server.workers, "a worker")
    with traced(pid, folder) as trace:
        assert imap(server, with_mfa.uid, with_mfa.password) == "refused"
        assert imap(server, with_mfa.uid, app_password.shown) == "accepted"
        assert imap(server, without_mfa.uid, without_mfa.password) == "accepted"
    assert_only_the_directory_is_told(trace, *people)


def test_the_command_writes_a_new_app_password_to_standard_output_alone(directory, folder):
    site = Site(folder / "site", directory)
    person = directory.new_person(mfa=True)
    output, trace = strace_of(site, folder, "create", person.uid, "--label", "a phone")
    shown = output.strip()
    told = trace.writes_with(shown[5:], shown.replace("-", "")[4:])
    assert [write.call for write in told] == ["write(1, "]
    assert any(write.call.startswith("execve(") for write in trace.writes())


def test_the_command_passes_a_password_on_to_the_directory_alone(directory, folder):
    site = Site(folder / "site", directory, record_use="never")
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    without_mfa = directory.new_person()
    output, trace = strace_of(site, folder, "check", person.uid, input=app_password.shown + "\n")
    assert "verdict=accepted" in output
    assert trace.writes_with(app_password.shown[5:], app_password.shown.replace("-", "")[4:]) == []
    output, trace = strace_of(site, folder, "check", without_mfa.uid,
                              input=without_mfa.password + "\n")
    assert "verdict=accepted" in output
    told = trace.writes_with(without_mfa.password)
    assert told and all(is_bind(write, without_mfa.dn) for write in told), told
