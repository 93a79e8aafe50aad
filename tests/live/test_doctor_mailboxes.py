# SPDX-License-Identifier: BSD-2-Clause
"""doctor --dovecot beside a running Dovecot: does the accepted name lead to the user's mailbox?"""

import re
import subprocess

import pytest

from administration import DONE
from test_doctor import assert_finds, doctor, good_directory, site  # noqa: F401

# A static userdb before the change: it believes in every name, and each has a home of its own.
BELIEVES = "  args = uid=vmail gid=vmail home=/nonexistent/%u allow_all_users=yes\n"


@pytest.fixture
def look(site):  # noqa: F811
    def look(server):
        printed = subprocess.run(["doveconf", "-n", "-c", server.config], capture_output=True, text=True,
                                 check=True).stdout
        printed = re.sub(r"(?m)^protocols = .*", "protocols = imap lmtp", printed)
        return doctor(site, "--dovecot", "-", input=printed)
    return look


def test_the_example_finds_the_same_mailbox(look, dovecot):  # noqa: F811
    called = look(dovecot({"login_attribute": "uid"}))
    assert called.returncode == DONE, called.stdout
    assert re.search(r"mailboxes: \S+@\S+ and \S+ lead to the same home and mail: /\S+/mail/", called.stdout)


def test_a_static_userdb_with_the_address_in_its_path(look, dovecot):  # noqa: F811
    server = dovecot({"login_attribute": "uid"},
                     settings=lambda text: re.sub(r"  args = uid=.*\n", BELIEVES.replace("vmail", "31597"), text))
    called = look(server)
    assert_finds(called, "which comes up empty", "same home")
    assert re.search(r"arrives in /nonexistent/\S+@\S+ .* leads to /nonexistent/[^@ ]+ ", called.stdout)


def test_an_address_that_lmtp_does_not_know(look, dovecot):  # noqa: F811
    """The directory that this Dovecot asks finds users by uid only."""
    server = dovecot({"login_attribute": "uid", "filter": "(uid=%u)"})
    assert_finds(look(server), "LMTP rejects mail for this user", "doveadm user -x service=lmtp")


def test_a_folder_that_is_named_after_the_address(look, dovecot):  # noqa: F811
    server = dovecot({"login_attribute": "uid"})
    address, home = re.search(r"mailboxes: (\S+) and \S+ lead to .*: (\S+)", look(server).stdout).groups()
    (server.mail / address).mkdir()
    assert_finds(look(server), f"has mail in {server.mail / address}", f"mv {server.mail / address} {home}")


def test_a_dovecot_that_does_not_run_is_not_asked(look, dovecot):  # noqa: F811
    server = dovecot({"login_attribute": "uid"})
    server.stop()
    called = look(server)
    assert called.returncode == DONE, called.stdout
    assert "mailboxes: not compared: Dovecot does not run" in called.stdout
