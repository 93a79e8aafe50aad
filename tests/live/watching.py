# SPDX-License-Identifier: BSD-2-Clause
"""app-password-watch, the sessions that it watches, and what ends them."""

import imaplib
import json
import os
import pathlib
import re
import shlex

import ldap

from apppassword import from_now
from conftest import write_config
from processes import is_readable, kill, start, stop, wait_until

WATCH = pathlib.Path(os.environ.get("APW_PREFIX", "/usr")) / "bin" / "app-password-watch"
INTERVAL = 1
SOON = 30  # seconds, on a busy machine; the promise at the usual interval is ten


class Session:
    """An IMAP connection that waits for news, as a phone does."""

    def __init__(self, server, who, password):
        self.client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
        self.client.login(who.uid, password)
        self.client.select()
        self.client.send(b"x IDLE\r\n")
        assert self.client.readline().startswith(b"+")

    def is_open(self):
        """Reads what has come; the server may say why it closes."""
        while is_readable(self.client.sock):
            try:
                if not self.client.sock.recv(4096):
                    return False
            except ConnectionError:
                return False
        return True

    def ends(self, timeout=SOON):
        wait_until(lambda: not self.is_open(), "the session to end", timeout)


class Watch:
    """app-password-watch for one Dovecot; `doveadm` is the text of the program that it runs."""

    def __init__(self, folder, server, directory, prefix=(), **keys):
        self.folder = folder
        self.server = server
        self.prefix = prefix  # a command that runs it
        self.doveadm = folder / "doveadm"
        self.state = folder / "state"
        self.state.mkdir()
        self.log = folder / "app-password.log"
        self.config = write_config(folder, **directory.settings | {
            "watch_interval": f"{INTERVAL}s", "log": self.log, "timeout": 10, "deadline": 20} | keys)
        self.run_doveadm()
        self.process = None

    def real_doveadm(self):
        """The command for this Dovecot, which may be in a root of its own."""
        command = ["doveadm", "-c", self.server.config]
        inside = getattr(self.server, "inside", None)
        return shlex.join(map(str, inside(command) if inside else command))

    def run_doveadm(self, text=None):
        """Replace the program; by default it is the real one for this Dovecot."""
        text = text or f'exec {self.real_doveadm()} "$@"'
        new = self.folder / "doveadm.new"
        new.write_text(f"#!/bin/sh\n{text}\n")
        new.chmod(0o755)
        new.rename(self.doveadm)

    def join(self, count):
        """Let Dovecot also list so many users whom nobody knows: turns then come rarely."""
        crowd = [{"username": f"crowd-{number}", "service": "imap", "pid": "1", "ip": "192.0.2.7"}
                 for number in range(count)]
        file = self.folder / "crowd"
        file.write_text(json.dumps(crowd)[:-1] + ",")
        real = self.real_doveadm()
        self.run_doveadm(f'case "$*" in *who*) cat {file}; {real} "$@" | tail -c +2 ;; '
                         f'*) exec {real} "$@" ;; esac')

    def start(self):
        self.process = start([*self.prefix, WATCH, "-c", self.config, "-d", self.doveadm, "-s", self.state],
                             self.folder / "watch.out")
        return self

    def stop(self):
        if self.process:
            stop(self.process)
        self.process = None

    def kill(self):
        kill(self.process)
        self.process = None

    def lines(self, text=""):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if text in line]

    def says(self, text, timeout=SOON):
        return wait_until(lambda: self.lines(text), f"{text!r} in {self.log}", timeout)[0]

    def heartbeat(self):
        """The facts of the heartbeat; none before the first."""
        file = self.state / "heartbeat"
        return dict(line.split() for line in file.read_text().splitlines()) if file.exists() else {}

    def completes_rounds(self, count=2):
        """Wait for rounds that begin from now on."""
        for _ in range(count):
            before = (self.state / "heartbeat").stat().st_mtime_ns if self.heartbeat() else 0
            wait_until(lambda: self.heartbeat() and
                       (self.state / "heartbeat").stat().st_mtime_ns > before, "a round")


def delete(directory, who):
    directory.connect_as_itself().delete_s(who.dn)


def replace(directory, who, old, **fields):
    """Limit an app password anew."""
    new = re.sub(" hash=", "".join(f" {key}={value}" for key, value in fields.items()) + " hash=",
                 old.value)
    directory.administrate(who, appPassword=new)


def revoke(directory, who, old):
    """Leave a tombstone, as the command does."""
    tombstone = f"id={old.id} created={from_now(days=-2)} revoked={from_now()} label=a test"
    directory.connect("administrator").modify_s(who.dn, [
        (ldap.MOD_DELETE, "appPassword", [old.value.encode()]),
        (ldap.MOD_ADD, "appPassword", [tombstone.encode()])])


CAUSES = {
    "revoked": (revoke, "revoked"),
    "revoked by ldapmodify": (lambda directory, who, old: directory.revoke(who, old),
                              "unknown-app-password"),
    "expired": (lambda directory, who, old: replace(directory, who, old, expires=from_now(seconds=2)),
                "expired"),
    "limited to another service": (
        lambda directory, who, old: replace(directory, who, old, services="smtp"), "wrong-service"),
    "limited to another network": (
        lambda directory, who, old: replace(directory, who, old, **{"from": "192.0.2.0/24"}),
        "wrong-network"),
    "of a disabled account": (
        lambda directory, who, old: directory.connect_as_itself().modify_s(
            who.dn, [(ldap.MOD_REPLACE, "pwdAccountLockedTime", [b"000001010000Z"])]),
        "account-disabled"),
    "of an account that ends": (
        lambda directory, who, old: directory.connect_as_itself().modify_s(
            who.dn, [(ldap.MOD_REPLACE, "pwdEndTime", [from_now(seconds=2).encode()])]),
        "account-disabled"),
    "of a deleted account": (lambda directory, who, old: delete(directory, who), "unknown-user"),
}


def every_cause_ends_a_session(directory, dovecot, watch):
    """All at once, each with a user of its own."""
    open_sessions = []
    for cause, reason in CAUSES.values():
        who, app_password = directory.new_person(mfa=True, app_passwords=1)
        open_sessions.append((cause, reason, who, app_password,
                              Session(dovecot, who, app_password.shown)))
    watch.completes_rounds()
    assert not watch.lines("action=kick") and all(one[-1].is_open() for one in open_sessions)
    for cause, _, who, app_password, _ in open_sessions:
        cause(directory, who, app_password)
    for _, reason, who, _, session in open_sessions:
        session.ends()
        line = watch.says(f'action=kick reason={reason} user="{who.uid}" service=imap client=127.0.0.1')
        assert "verdict=" not in line
