# SPDX-License-Identifier: BSD-2-Clause
"""Hosts without a syslog server, as in containers; `log stderr`; files that cannot be written."""

import os
import pty
import re
import socket
import subprocess

import pytest

import pam
from administration import DONE, FAILED, Site
from conftest import MailServer, example_smtpd_conf, new_folder, write_config
from devices import Devices
from dovecot import ACCEPTED, UNAVAILABLE, imap
from dovecot_fixtures import new_dovecot
from postfix import Postfix
from processes import wait_until

LOST = "logins and changes are not logged: no syslog server listens on /dev/log: No such file or directory; "
DEAD = "logins and changes are not logged: no syslog server listens on /dev/log: Connection refused; "


@pytest.fixture
def devices(folder):
    made = Devices(folder / "dev")
    yield made
    made.stop_syslog()


@pytest.fixture
def signs_in(directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    return person.uid, app_password.shown


# ---- PAM: standard error comes from the host's caller ----

@pytest.fixture
def pamtester(devices, directory, folder, pam_module, signs_in):
    """Signs in several times, in one process; returns the process."""
    def call(log, attempts=2, **options):
        place = new_folder(folder, "pam")
        config = write_config(place, uri=directory.ldapi, log=log)
        pam_d = pam.write_services(place / "pam.d", pam_module, config)
        command = ["pamtester", "-I", "rhost=192.0.2.7", "imap", signs_in[0],
                   *["authenticate"] * attempts]
        options = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE} | options
        return subprocess.run(devices.seeing(pam.seeing(pam_d, command)), timeout=300,
                              input=f"{signs_in[1]}\n" * attempts, text=True, **options)
    return call


def ours(text):
    """Our lines, without PAM's prompts before them."""
    return re.findall(r"app-password: (.*)", text)


def test_no_syslog_is_said_once_on_standard_error(pamtester):
    called = pamtester("syslog mail", attempts=3)
    assert called.stdout.count("successfully authenticated") == 3
    line, = ours(called.stderr)
    assert line.startswith(LOST) and '"log" in app-password.conf' in line


def test_a_syslog_server_that_crashed_is_said_once(pamtester, devices):
    devices.start_syslog()
    devices.stop_syslog()
    line, = ours(pamtester("syslog auth").stderr)
    assert line.startswith(DEAD)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_syslog_server_that_listens_has_each_line_and_standard_error_none(
        pamtester, devices, kind):
    devices.start_syslog(kind)
    if kind == socket.SOCK_STREAM:
        devices._socket.listen()
    called = pamtester("syslog auth")
    assert called.stdout.count("successfully authenticated") == 2 and ours(called.stderr) == []
    if kind == socket.SOCK_DGRAM:
        wait_until(lambda: sum(" verdict=accepted " in line for line in devices.lines) == 2,
                   "two lines in syslog")


def test_standard_error_has_each_line(pamtester, signs_in):
    called = pamtester("stderr")
    assert called.stdout.count("successfully authenticated") == 2
    first, second = ours(called.stderr)
    assert first == second
    assert re.fullmatch(
        rf'verdict=accepted reason=app-password user="{signs_in[0]}" service=imap '
        rf"client=192\.0\.2\.7 id={signs_in[1][:4]}", first)


def test_a_file_that_cannot_be_written_is_said_once(pamtester):
    line, = ours(pamtester("/dev/full").stderr)
    assert line.startswith("logins and changes are not logged: cannot write /dev/full: No space left on "
                           "device, and no syslog server listens on /dev/log: ")


def test_a_file_that_cannot_be_written_with_syslog(pamtester, devices):
    """The lines are in syslog, so nothing is lost."""
    devices.start_syslog()
    assert ours(pamtester("/dev/full").stderr) == []
    wait_until(lambda: sum(" verdict=accepted " in line for line in devices.lines) == 2,
               "two lines in syslog")
    wait_until(lambda: sum("cannot write /dev/full" in line for line in devices.lines) == 2,
               "the reason, twice")


def test_a_clients_socket_as_standard_error_gets_nothing(pamtester):
    """inetd starts a host with one."""
    ours_end, client = socket.socketpair()
    with ours_end, client:
        called = pamtester("syslog mail", stderr=client)
        refused = pamtester("stderr", stderr=client)
        ours_end.setblocking(False)
        said = ours_end.recv(65536).decode()
    assert called.stdout.count("successfully authenticated") == 2
    assert "successfully" not in refused.stdout
    assert ours(said) == [] and "app-password" not in said


def test_a_file_written_anywhere_as_standard_error_gets_nothing(pamtester, folder):
    """It may be a database that the host opened as descriptor 2."""
    with open(folder / "database", "w") as database:
        pamtester("syslog mail", stderr=database)
        refused = pamtester("stderr", stderr=database)
    assert "successfully" not in refused.stdout
    assert "app-password" not in (folder / "database").read_text()
    with open(folder / "log", "a") as log:
        pamtester("stderr", stderr=log)
    assert len(ours((folder / "log").read_text())) == 2


def test_a_users_terminal_as_standard_error_gets_nothing(pamtester):
    terminal, user = pty.openpty()
    called = pamtester("syslog mail", stderr=user)
    refused = pamtester("stderr", stderr=user)
    os.close(user)
    said = b""
    try:
        while data := os.read(terminal, 4096):
            said += data
    except OSError:
        pass
    os.close(terminal)
    assert called.stdout.count("successfully authenticated") == 2
    assert "successfully" not in refused.stdout
    assert b"app-password" not in said


# ---- Dovecot: standard error is Dovecot's log ----

@pytest.fixture
def dovecot(devices, directory, authority, workdir, lua_module):
    servers = []

    def make(log):
        server = new_dovecot(workdir, directory, {"log": log}, authority=authority,
                             module=lua_module)
        command = server._command()
        server._command = lambda: devices.seeing(command)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()


def test_dovecot_without_syslog_says_so_once_for_each_process(dovecot, signs_in):
    server = dovecot("syslog mail")
    for _ in range(3):
        assert imap(server, *signs_in) == ACCEPTED
    server.says(LOST)
    assert len(server.workers()) == 1
    assert server.log.read_text().count(f"auth-worker: Error: app-password: {LOST}") == 1


def test_dovecots_log_has_the_lines_and_the_report_reads_them(dovecot, directory, signs_in, tmp_path):
    server = dovecot("stderr")
    assert imap(server, *signs_in) == ACCEPTED
    line = server.says(" verdict=accepted ")
    assert f'app-password: verdict=accepted reason=app-password user="{signs_in[0]}"' in line
    called = Site(tmp_path / "site", directory).command("report", "--would-refuse", server.log)
    assert called.stderr == "app-password: would-refuse: 0\n", "it has a login"


def test_dovecot_notices_that_syslog_crashed(dovecot, devices, signs_in):
    devices.start_syslog()
    server = dovecot("syslog mail")
    assert imap(server, *signs_in) == ACCEPTED
    wait_until(lambda: any(" verdict=accepted " in line for line in devices.lines), "syslog")
    assert "are not logged" not in server.log.read_text()
    devices.stop_syslog()
    for _ in range(2):
        assert imap(server, *signs_in) == ACCEPTED
    server.says(DEAD)
    assert server.log.read_text().count(f"auth-worker: Error: app-password: {DEAD}") == 1


# ---- Postfix: standard error is /dev/null, so the loss is in Postfix's own log ----

@pytest.fixture
def own_postfix(workdir, plugin, authority, devices):
    server = Postfix(new_folder(workdir, "p"), plugin, authority)
    yield server.start(devices.seeing)
    server.stop()


def test_postfix_says_it_in_its_own_log(own_postfix, directory, authority, folder, signs_in):
    def server_with(log):
        place = new_folder(folder, "mail")
        config = write_config(place, uri=directory.ldap, log=log)
        service = own_postfix.service(example_smtpd_conf(config))
        return MailServer(own_postfix, service, authority, place)

    server = server_with("syslog mail")
    for _ in range(2):
        assert server.sign_in(*signs_in, logged=False).code == 235
    server.postfix_says(LOST)
    assert sum(LOST in line for line in own_postfix.log_of(server.service)) == 1
    refusing = server_with("stderr")
    assert refusing.sign_in(*signs_in, logged=False).code == 454
    refusing.postfix_says("log stderr: standard error of this program is /dev/null or another "
                          'device; set "log" to a file')


# ---- the doctor ----

def doctor_on(devices, folder, directory, log):
    site = Site(new_folder(folder, "doctor") / "site", directory, log=log)
    command = devices.seeing([site.command("--version").args[0], "-c", site.config, "doctor"])
    called = subprocess.run(command, text=True, capture_output=True, timeout=300)
    lines = called.stdout.splitlines()
    at, = [number for number, line in enumerate(lines) if re.match(r"\S+ +log: ", line)]
    return lines[at], lines[at + 1] if at + 1 < len(lines) else ""


@pytest.mark.parametrize("log, kind, finding, fix", [
    ("syslog mail", "PROBLEM", LOST.rstrip("; "), "log stderr"),
    ("/dev/full", "PROBLEM", "is not a regular file", "log /var/log"),
    ("/nowhere/app-password.log", "PROBLEM", "the folder /nowhere/ does not exist", "mkdir -p /nowhere/"),
    ("/full/log", "PROBLEM", "the disk is full", "free space"),
    ("/readonly/log", "PROBLEM", "Read-only file system", "let the mail server write it"),
    ("stderr", "-", "Postfix's is /dev/null", ""),
])
def test_doctor_without_syslog(devices, folder, directory, log, kind, finding, fix):
    if log.startswith(("/full", "/readonly")):
        mounted = folder / "mounted"
        mounted.mkdir()
        log = str(mounted / "log")
        inner = devices.seeing
        script = (f"mount -t tmpfs -o size=4k tmpfs {mounted}; echo x > {log}; chmod 640 {log}; "
                  if fix == "free space" else
                  f"mount -t tmpfs tmpfs {mounted}; echo x > {log}; chmod 640 {log}; "
                  f"mount -o remount,ro {mounted}; ")
        devices.seeing = lambda command: inner(["sh", "-c", script + 'exec "$@"', "sh", *command])
    line, next_line = doctor_on(devices, folder, directory, log)
    assert line.startswith(kind) and finding in line
    assert fix in next_line


def test_doctor_with_syslog(devices, folder, directory):
    devices.start_syslog()
    line, _ = doctor_on(devices, folder, directory, "syslog mail")
    assert line == "ok       log: a syslog server listens on /dev/log"
    devices.stop_syslog()
    line, _ = doctor_on(devices, folder, directory, "syslog mail")
    assert line.startswith("PROBLEM") and DEAD.rstrip("; ") in line
