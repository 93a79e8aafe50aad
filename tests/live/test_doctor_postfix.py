# SPDX-License-Identifier: BSD-2-Clause
"""doctor --postfix, with the real postconf and folders that are broken in exactly one way."""

import json
import os
import pathlib
import re
import socket

import pytest

from administration import DONE, FAILED, PREFIX
from test_doctor import (EXAMPLES, assert_finds, doctor, good_directory, site)  # noqa: F401

pytestmark = pytest.mark.usefixtures("good_directory")


class Folder:
    """A config_directory with the examples of Postfix, for doctor --postfix."""

    def __init__(self, folder, site):
        self.folder, self.site = folder, site
        (folder / "sasl").mkdir(parents=True)
        (folder / "queue").mkdir()
        self.main = (EXAMPLES / "postfix" / "main.cf").read_text() + \
            f"queue_directory = {folder}/queue\ncompatibility_level = 3.6\n"
        self.master = (EXAMPLES / "postfix" / "master.cf").read_text()
        self.smtpd = (EXAMPLES / "postfix" / "smtpd.conf").read_text().replace(
            "/etc/app-password/app-password.conf", str(site.config))
        self.file = folder / "sasl" / "smtpd.conf"

    def look(self, *options):
        (self.folder / "main.cf").write_text(self.main)
        (self.folder / "master.cf").write_text(self.master)
        if self.file:
            self.file.parent.mkdir(exist_ok=True)
            self.file.write_text(self.smtpd)
        own = next(PREFIX.glob("lib/**/sasl2/libapppassword.so")).parent
        stock = "/usr/lib/x86_64-linux-gnu/sasl2"
        return doctor(self.site, f"--postfix={self.folder}", *options,
                      env=os.environ | {"SASL_PATH": f"{own}:{stock}", "PATH": "/usr/bin:/bin"})


@pytest.fixture
def folder(tmp_path, site):  # noqa: F811
    return Folder(tmp_path / "postfix", site)


def test_the_examples_are_good(folder):
    called = folder.look()
    assert called.returncode == DONE, called.stdout + called.stderr
    for service in ("submission", "submissions"):
        assert f"postfix: {service}/inet reads {folder.file}" in called.stdout
    assert called.stdout.count("PLAIN is answered by apppassword") == 1


def test_the_file_that_is_read_is_checked(folder):
    folder.smtpd = folder.smtpd.replace("pwcheck_method: disabled", "pwcheck_method: saslauthd")
    assert_finds(folder.look(), "pwcheck_method is saslauthd", "pwcheck_method: disabled")


def test_a_folder_that_is_not_there(site):  # noqa: F811
    assert_finds(doctor(site, "--postfix=/nonexistent"), "postfix: ", "--postfix=FOLDER")


# Debian 13's, without its setting: libsasl2 then looks in folders of its own.
NEW = "mail_version = 3.10.13\n"


def test_debian_13_does_not_read_the_file_without_cyrus_sasl_config_path(folder):
    folder.main += NEW
    called = folder.look()
    assert_finds(called, "submission/inet reads no configuration of libsasl2", "/etc/sasl2/smtpd.conf")
    assert f"-e cyrus_sasl_config_path={folder.folder}/sasl " in called.stdout


def test_debian_13_reads_the_file_of_cyrus_sasl_config_path(folder):
    folder.main += NEW + f"cyrus_sasl_config_path = $config_directory/other:{folder.folder}/third\n"
    folder.file = folder.folder / "third" / "smtpd.conf"
    called = folder.look()
    assert called.returncode == DONE, called.stdout + called.stderr
    assert f"reads {folder.file}" in called.stdout


def test_debian_12_ignores_cyrus_sasl_config_path(folder):
    folder.main += f"cyrus_sasl_config_path = {folder.folder}/third\n"
    folder.file = folder.folder / "third" / "smtpd.conf"
    assert_finds(folder.look(), "reads no configuration of libsasl2", f"{folder.folder}/sasl/smtpd.conf")


def test_a_service_with_another_path(folder):
    folder.master += "    -o smtpd_sasl_path=other\n"
    called = folder.look()
    assert_finds(called, "submissions/inet reads no configuration", "other.conf")
    assert f"submission/inet reads {folder.file}" in called.stdout


def test_no_service_lets_users_sign_in(folder):
    folder.master = folder.master.replace("smtpd_sasl_auth_enable=yes", "smtpd_sasl_auth_enable=no")
    assert_finds(folder.look(), "no smtpd of", "examples/postfix/master.cf")


def test_an_override_that_turns_tls_off(folder):
    folder.master = folder.master.replace("smtpd_tls_security_level=encrypt",
                                          "smtpd_tls_security_level=may") \
        .replace("\n\nsubmissions", "\n    -o smtpd_tls_auth_only=no\n\nsubmissions")
    assert_finds(folder.look(), "submission/inet accepts passwords without TLS", "smtpd_tls_auth_only=yes")


@pytest.mark.parametrize("override, finding, fix", [
    ("smtpd_sasl_tls_security_options=noanonymous,noplaintext", "offers no mechanism", "smtpd_sasl_tls_security_options=noanonymous"),
    ("smtpd_tls_security_level=none", "never offers AUTH", "smtpd_tls_security_level=encrypt")])
def test_an_override_that_lets_nobody_sign_in(folder, override, finding, fix):
    folder.main += "smtpd_tls_auth_only = yes\n"
    folder.master = re.sub(r"(?m)^submission +inet .*\n", lambda line: line[0] + f"    -o {override}\n", folder.master) \
        if "level" not in override else folder.master.replace("smtpd_tls_security_level=encrypt", override, 1)
    assert_finds(folder.look(), finding, fix)


def test_dovecots_socket_that_is_not_there(folder):
    folder.main += "smtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n"
    where = folder.folder / "queue" / "private" / "auth"
    assert_finds(folder.look(), f"{where} is no socket", f"unix_listener {where}")
    where.parent.mkdir()
    os.chdir(where.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("auth")
        os.chdir("/")
        called = folder.look()
    assert called.returncode == DONE, called.stdout + called.stderr
    assert f"asks Dovecot at {where}" in called.stdout


def test_a_socket_that_the_chroot_hides(folder, good_directory):  # noqa: F811
    folder.site.write(folder.site.config, folder.site.keys | {"uri": good_directory.ldapi})
    assert_finds(folder.look(), "runs in a chroot in which", "uri ldap://127.0.0.1")
    folder.master = re.sub(r"(-\s+)y(\s+-\s+-\s+smtpd)", r"\1n\2", folder.master)
    assert "in a chroot" not in folder.look().stdout


@pytest.mark.parametrize("where", ["smtpd_sender_restrictions", "smtpd_recipient_restrictions"])
def test_senders_that_are_keyed_on_addresses(folder, where):
    maps = folder.folder / "senders"
    folder.main += f"smtpd_sender_login_maps = texthash:{maps}\n{where} = reject_sender_login_mismatch\n"
    maps.write_text("x@example.net x\n")
    called = folder.look()
    assert_finds(called, "names nobody as its owner", "smtpd_sender_login_maps")
    address, name = re.search(r"rejects mail from (\S+): .*accepted name is (\S+)", called.stdout).groups()
    assert "@" in address and "@" not in name
    maps.write_text(f"{address} {address}\n")
    assert_finds(folder.look(), f"names {address} as its owner", name)
    maps.write_text(f"{address} other, {name}\n")
    called = folder.look()
    assert called.returncode == DONE, called.stdout + called.stderr
    assert f"lets {name} send as {address}" in called.stdout


def test_a_map_of_senders_that_cannot_be_read(folder):
    folder.main += "smtpd_sender_login_maps = texthash:/nonexistent\n" \
        "smtpd_sender_restrictions = reject_sender_login_mismatch\n" * 2  # with postmap's warning
    assert_finds(folder.look(), "in texthash:/nonexistent: postmap: ", "must print its owners")


def test_senders_that_nothing_compares(folder):
    folder.main += "smtpd_sender_login_maps = texthash:/nonexistent\n"
    assert folder.look().returncode == DONE


def test_json(folder):
    folder.master += "    -o smtpd_sasl_path=other\n"
    called = folder.look("--json")
    assert called.returncode == FAILED and called.stderr == ""
    found = json.loads(called.stdout)
    problem, = [finding for finding in found if finding["level"] == "problem"]
    assert set(problem) == {"level", "subject", "text", "fix", "server"}
    assert problem["subject"] == "postfix" and problem["server"] is None
    assert "other.conf" in problem["fix"]
    assert {finding["server"] for finding in found} == {None, folder.site.keys["uri"]}
    assert {finding["level"] for finding in found} <= {"ok", "problem", "unknown", "note"}
