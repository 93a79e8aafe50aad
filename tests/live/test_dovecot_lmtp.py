# SPDX-License-Identifier: BSD-2-Clause
"""Deliveries by LMTP to a mail address, and whether the doctor says beforehand that they fail.

The userdb is the example's: a static one, which asks the passdb whether the user exists.
"""

import os
import pathlib
import re
import shlex
import smtplib
import subprocess

import pytest

import pam
from administration import DONE, Site
from conftest import new_folder, write_config
from dovecot import asking_pam
from dovecot24 import Dovecot24
from processes import wait_until
from test_doctor import assert_finds, doctor, good_directory, safe  # noqa: F401
from test_dovecot24 import debian13  # noqa: F401

LMTP = "protocols = imap pop3 submission lmtp\n"


def deliver(server, address):
    """One mail; raises smtplib's error if Dovecot does not take it."""
    with smtplib.LMTP(str(server.folder / "run" / "lmtp")) as client:
        client.sendmail("", [address], "Subject: hello\n\nhello\n")


def arrived_in(server, name):
    """Where the mail is; an inbox of 2.4 is a subfolder here."""
    return wait_until(lambda: [*server.mail.glob(f"{name}/mail/new/*"),
                               *server.mail.glob(f"{name}/mail/.INBOX/new/*")], "the delivery")


def without_lookup(settings):
    """Changes the script into one like that of 0.1."""
    script = pathlib.Path(re.search(r"/\S+/app-password\.lua", settings)[0])
    script.write_text(script.read_text().replace("auth_passdb_lookup", "another_name").replace(":lookup", ":other"))
    return settings


def without_module(settings):
    """As without the package dovecot-app-password."""
    script = pathlib.Path(re.search(r"/\S+/app-password\.lua", settings)[0])
    script.write_text(script.read_text().replace('require("app_password")', 'require("app_passwords")'))
    return settings


def unreadable(settings):
    """As for a worker that is not root and cannot read the files."""
    folder = pathlib.Path(re.search(r"/\S+/app-password\.lua", settings)[0]).parent
    (folder / "app-password.conf").unlink()
    return settings


def believes(settings):
    """A userdb that does not ask whether the user exists."""
    settings = settings.replace("%u\n", "%u allow_all_users=yes\n")
    return settings.replace("userdb static {\n", "userdb static {\n  userdb_static_allow_all_users = yes\n")


TYPED = {"filter": "(mail=%u)"}  # without login_attribute, a name is accepted as typed
BROKEN = {
    "a script without the lookup": ({}, {"settings": without_lookup}, 451, "LMTP defers"),
    "a script without the lookup, and names as typed": (
        TYPED, {"settings": without_lookup}, 451, "LMTP defers"),
    "PAM, which cannot tell who exists": ({}, {"with_pam": True}, 451, "LMTP defers"),
    "a filter that does not find addresses": (
        {}, {"broken": {"filter": "(uid=%u)"}}, 550, "LMTP rejects"),
}


class TestThisMachine:
    """The machine's Dovecot."""

    @pytest.fixture
    def make(self, dovecot, services, good_directory):  # noqa: F811
        def make(config, with_pam=False, **options):
            if with_pam:
                options |= {"pam_d": services(config).pam_d, "settings": asking_pam}
            return dovecot(config, **options)
        return make

    def inside(self, server, command):
        return command

    @pytest.fixture
    def host(self, make, good_directory, tmp_path):  # noqa: F811
        """Starts a Dovecot, and returns it with a function that runs the doctor on it. `keys` are those of
        app-password.conf; Dovecot has its own file, with `broken` keys."""
        def host(keys, broken={}, lines=LMTP, **options):
            keys = keys or {"login_attribute": "uid"}
            server = make({"login_attribute": None, "uri": good_directory.ldapi} | keys | broken,
                          lines=lines, **options)
            site = safe(Site(tmp_path / "site", good_directory, **keys))
            printed = subprocess.run(self.inside(server, ["doveconf", "-n", "-c", server.config]),
                                     capture_output=True, text=True, check=True).stdout
            doveadm = tmp_path / "doveadm"
            real = shlex.join(map(str, self.inside(server, ["doveadm"])))
            doveadm.write_text(f'#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec {real} "$@"\n')
            doveadm.chmod(0o755)
            path = f"{tmp_path}:{os.environ['PATH']}"
            prefix = pam.seeing(server.pam_d, []) if server.pam_d else ()
            return server, lambda: doctor(site, "--dovecot", "-", input=printed, prefix=prefix,
                                          env=os.environ | {"PATH": path})
        return host

    @pytest.mark.parametrize("keys", [{}, TYPED], ids=["uid", "as typed"])
    def test_the_shipped_configuration_delivers(self, host, good_directory, keys):  # noqa: F811
        server, look = host(keys)
        who = good_directory.new_person()
        deliver(server, who.mail)
        arrived_in(server, who.mail if keys else who.uid)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            deliver(server, "nobody@example.org")
        called = look()
        assert called.returncode == DONE and "ok       mailboxes: " in called.stdout, called.stdout

    @pytest.mark.parametrize("broken", BROKEN)
    def test_a_delivery_that_fails_is_a_finding(self, host, good_directory, broken):  # noqa: F811
        keys, options, code, finding = BROKEN[broken]
        server, look = host(keys, **options)
        who = good_directory.new_person()
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            deliver(server, who.mail)
        assert refused.value.recipients[who.mail][0] == code, refused.value
        assert_finds(look(), finding, "doveadm user -x service=lmtp")

    @pytest.mark.parametrize("wrong", [without_module, unreadable])
    def test_a_passdb_that_does_not_answer_is_a_finding(self, host, wrong):
        """Every login is unavailable then, and nothing in Dovecot's configuration shows it."""
        server, look = host({}, settings=wrong)
        assert_finds(look(), "the passdb does not answer, so every login is unavailable: ", "doveadm auth lookup")

    def test_pam_cannot_tell_who_exists_and_without_lmtp_need_not(self, host):
        server, look = host({}, with_pam=True, lines="")
        called = look()
        assert called.returncode == DONE and "without LMTP, Dovecot need not know" in called.stdout, called.stdout
        for service in "pop3", "smtp":  # smtp is Postfix, which asks for logins, too
            (server.pam_d / service).unlink()
            assert_finds(look(), "a passdb with driver pam and the file /etc/pam.d/other", "examples/pam")
            (server.pam_d / service).symlink_to("imap")

    @pytest.mark.parametrize("keys, settings", [
        ({}, believes), ({"filter": "(&(objectClass=person)(|(mail=%u)(uid=%u)))"}, str)],
        ids=["uid", "as typed"])
    def test_a_delivery_to_another_mailbox_is_a_finding(self, host, good_directory, keys, settings):  # noqa: F811
        server, look = host(keys, settings=settings)
        who = good_directory.new_person()
        deliver(server, who.mail)
        arrived_in(server, who.mail)
        assert_finds(look(), "which comes up empty", "same home")


class TestDovecot24(TestThisMachine):
    """Dovecot 2.4, also on a machine with 2.3."""

    @pytest.fixture
    def make(self, debian13, authority, workdir):  # noqa: F811
        servers = []

        def make(config, with_pam=False, **options):
            folder = new_folder(workdir, "dovecot24")
            path = write_config(folder, **config)
            if with_pam:
                options |= {"pam_d": pam.write_services(folder / "pam.d", debian13.pam_module, path),
                            "settings": lambda text: asking_pam(text, "passdb-pam-2.4.conf")}
            servers.append(Dovecot24(folder, path, debian13.lua_module, authority,
                                     inside=debian13.inside, **options))
            return servers[-1].start()

        yield make
        for server in servers:
            server.stop()

    def inside(self, server, command):
        return server.inside(command)
