# SPDX-License-Identifier: BSD-2-Clause
"""A real fail2ban with Debian's own jails for Postfix and Dovecot, and with the example's.

The logs are those of real logins from 127.0.0.1. A ban has no action here: fail2ban only lists it.
"""

import re
import subprocess

import pytest

import dovecot as clients
import smtp
from conftest import EXAMPLES
from processes import free_port, start, stop, wait_until

FAIL2BAN = EXAMPLES.parent / "fail2ban"
JAILS = FAIL2BAN / "jail.d" / "app-password.local"
STOCK = {"postfix": "postfix-sasl", "dovecot": "dovecot"}
OURS = {"app-password", "app-password-mfa"}
OLD_PASSWORD = "an old password"
TIMES = 6  # more than maxretry of Debian's jails

# Lines of one hour: doc/clients.md has the attempts of one Thunderbird.
OFFICE = 20 * 36


class Fail2ban:
    """fail2ban with Debian's configuration, and Debian's jails turned on in jail.local.

    logs  {stock jail: its log}, and for the example {None: the log of app-password}
    """

    def __init__(self, folder, logs, with_ours):
        self.folder, self.socket = folder / "fail2ban", folder / "fail2ban.sock"
        subprocess.run(["cp", "-r", "/etc/fail2ban", self.folder], check=True)
        for file in (self.folder / "jail.d").iterdir():
            file.unlink()
        (self.folder / "fail2ban.local").write_text(
            f"[Definition]\nlogtarget = {self.socket}.log\ndbfile = None\n")
        (self.folder / "jail.local").write_text(
            "[DEFAULT]\nignoreself = false\naction =\nbackend = polling\n" +
            "".join(f"[{jail}]\nenabled = true\nbackend = polling\nlogpath = {log}\n"
                    for jail, log in logs.items() if jail))
        if with_ours:
            text = JAILS.read_text()
            assert "/var/log/mail.log" in text
            (self.folder / "jail.d" / JAILS.name).write_text(
                text.replace("/var/log/mail.log", str(logs[None])))
            name = "filter.d/app-password.conf"
            (self.folder / name).write_bytes((FAIL2BAN / name).read_bytes())

    def __enter__(self):
        self._process = start(
            ["fail2ban-server", "-f", "-c", str(self.folder), "-s", str(self.socket),
             "-p", f"{self.socket}.pid", "start"], self.folder / "out")
        out = self.folder / "out"
        wait_until(lambda: "Server ready" in out.read_text(), f"all jails, see {self.socket}.log")
        return self

    def __exit__(self, *_):
        stop(self._process)

    def jails(self):
        """The jails that run."""
        listed = re.search(r"Jail list:\s*(.*)", self._say("status"))[1]
        return set(listed.replace(",", " ").split())

    def counted(self, jail):
        """How many lines counted."""
        return int(re.search(r"Total failed:\s*(\d+)", self._say("status", jail))[1])

    def has_banned(self, jail):
        """Whether the client is banned."""
        return "127.0.0.1" in re.search(r"Banned IP list:(.*)", self._say("status", jail))[1]

    def _say(self, *words):
        return subprocess.run(["fail2ban-client", "-s", self.socket, *words], text=True,
                              capture_output=True).stdout


def whole_log(read, text, server):
    """The log of a mail server that writes a line with this text after each login, perhaps a moment later."""
    wait_until(lambda: read().count(text) >= len(server.events()), f"all lines with {text!r}")
    return read()


def smtp_logs(server, folder):
    """Postfix's log as with Debian's name of the service, and that of app-password."""
    lines = whole_log(lambda: "\n".join(server.postfix.log_of(server.service)), ": disconnect from ", server)
    copy = folder / "postfix.log"
    copy.write_text(lines.replace(f"postfix/{server.service.name}/", "postfix/submission/") + "\n")
    return {"postfix-sasl": copy, None: server.log}


def imap_logs(server, folder):
    """Dovecot's log as syslog has it, and that of app-password."""
    lines = whole_log(server.log.read_text, "imap-login: Info: ", server)
    copy = folder / "dovecot.log"
    copy.write_text(re.sub(r"^(\w+ \d+ [\d:]+) (\S+?): (\w+): ", r"\1 mail dovecot: \2: ", lines,
                           flags=re.MULTILINE))
    return {"dovecot": copy, None: server.event_log}


@pytest.fixture(params=STOCK)
def setup(request, mail_server, dovecot, tmp_path):
    """Makes a server: returns how to sign in, and how to get its logs."""
    def make(**config):
        if request.param == "postfix":
            server = mail_server(config)
            return (lambda *who: server.sign_in(*who).code == smtp.ACCEPTED,
                    lambda: smtp_logs(server, tmp_path))
        server = dovecot(config)
        return (lambda *who: clients.imap(server, *who) == clients.ACCEPTED,
                lambda: imap_logs(server, tmp_path))
    make.stock = STOCK[request.param]
    return make


def outage(setup, directory):
    """A user with the right app password, while the directory is away."""
    sign_in, logs = setup(uri=f"ldap://127.0.0.1:{free_port()}")
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    for _ in range(TIMES):
        assert not sign_in(who.uid, app_password.shown)
    return logs()


def old_phone(setup, directory):
    """A phone that still sends the account password although MFA is on."""
    sign_in, logs = setup()
    who = directory.new_person(mfa=True)
    for _ in range(TIMES):
        assert not sign_in(who.uid, OLD_PASSWORD)
    return logs()


def guesser(setup, directory):
    """A client that tries many names."""
    sign_in, logs = setup()
    for number in range(TIMES):
        assert not sign_in(f"nobody-{number}", OLD_PASSWORD)
    return logs()


def append_a_line_that_counts(log):
    """Once it is counted, fail2ban has read the whole log."""
    line = log.read_text().splitlines()[-1]
    line, count = re.subn(r"verdict=\S+ reason=\S+",
                          "verdict=refused reason=account-password-with-mfa", line)
    assert count == 1
    with log.open("a") as file:
        file.write(line + "\n")


@pytest.mark.parametrize("setup, what", [
    ("postfix", outage), ("postfix", old_phone), ("dovecot", old_phone)], indirect=["setup"])
def test_debians_own_jails_ban(setup, directory, tmp_path, what):
    """Only Dovecot's does not count an outage."""
    with Fail2ban(tmp_path, what(setup, directory), with_ours=False) as fail2ban:
        wait_until(lambda: fail2ban.has_banned(setup.stock), "the ban")


@pytest.mark.parametrize("what, jail, counts, bans", [
    (outage, "app-password-mfa", 0, False),
    (old_phone, "app-password-mfa", TIMES, False),
    (guesser, "app-password", TIMES, True)])
def test_with_the_example_only_guessing_bans(setup, directory, tmp_path, what, jail, counts, bans):
    """Although jail.local turns Debian's jails on."""
    logs = what(setup, directory)
    with Fail2ban(tmp_path, logs, with_ours=True) as fail2ban:
        assert fail2ban.jails() & {setup.stock, *OURS} == OURS
        if not counts:
            counts = 1
            append_a_line_that_counts(logs[None])
        wait_until(lambda: fail2ban.counted(jail) == counts, f"{counts} lines that count")
        if bans:
            wait_until(lambda: fail2ban.has_banned(jail), "the ban")
        assert [other for other in OURS if fail2ban.has_banned(other)] == [jail] * bans


def test_an_office_with_twenty_old_passwords_is_not_banned(mail_server, directory, tmp_path):
    """The lines of an hour, at once. Half as many again are too many."""
    server = mail_server()
    server.sign_in(directory.new_person(mfa=True).uid, OLD_PASSWORD)
    (line,) = server.events()
    log = tmp_path / "log"
    log.write_text(f"{line}\n" * OFFICE)
    with Fail2ban(tmp_path, {None: log}, with_ours=True) as fail2ban:
        wait_until(lambda: fail2ban.counted("app-password-mfa") == OFFICE, "the lines that count")
        assert not [jail for jail in OURS if fail2ban.has_banned(jail)]
        with log.open("a") as file:
            file.write(f"{line}\n" * (OFFICE // 2))
        wait_until(lambda: fail2ban.has_banned("app-password-mfa"), "the ban")
