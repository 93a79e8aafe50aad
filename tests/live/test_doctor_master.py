# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on Dovecot's master users, with Debian's conf.d/auth-master.conf.ext."""

import subprocess

import pytest

from administration import DONE
from test_doctor import (  # noqa: F401: fixtures
    OURS, PASSDB_2_4, assert_finds, dovecot, good_directory, site)
from test_dovecot_master import DEBIANS

# Debian's file in the syntax of 2.4.
MASTER_2_4 = "passdb passwd-file {\n  passwd_file_path = /etc/dovecot/master-users\n" \
    "  master = yes\n  result_success = continue\n}\n"
GOOD = "master users can sign in only as users whose account has not ended"


@pytest.fixture
def master(tmp_path):
    """doveconf's output for Debian's file alone."""
    conf = tmp_path / "master.conf"
    conf.write_text(DEBIANS.read_text() + "passdb {\n  driver = pam\n}\n")
    printed = subprocess.run(["doveconf", "-n", "-c", conf], capture_output=True, text=True,
                             check=True).stdout
    block = printed[printed.index("passdb {"):]
    return block[:block.index("}\n") + 2]


def test_debians_master_users_are_good(dovecot, master):  # noqa: F811
    assert "  pass = yes\n" in master
    called = dovecot(lambda text: master + text)
    assert called.returncode == DONE and GOOD in called.stdout, called.stdout


def test_those_of_dovecot_2_4_are_good(dovecot):  # noqa: F811
    called = dovecot(lambda _: OURS + MASTER_2_4 + PASSDB_2_4)
    assert called.returncode == DONE and GOOD in called.stdout, called.stdout


def test_without_pass_the_doctor_says_that_ended_accounts_open(dovecot, master):  # noqa: F811
    called = dovecot(lambda text: master.replace("  pass = yes\n", "") + text)
    assert called.returncode == DONE and GOOD not in called.stdout, called.stdout
    assert "without pass = yes (2.4: result_success = continue) also opens" in called.stdout


def test_a_script_without_the_lookup(dovecot, master, tmp_path):  # noqa: F811
    """Like the script of 0.1, it would try the master user's password as the user's."""
    lua = tmp_path / "app-password.lua"
    lua.write_text("".join(line for line in lua.read_text().splitlines(True)
                           if ":lookup" not in line))
    assert_finds(dovecot(lambda text: master + text), f"{lua} checks a master user's password",
                 "cp examples/dovecot/app-password.lua")
    assert dovecot().returncode == DONE


@pytest.mark.parametrize("driver", ["pam", "ldap", "passwd", "sql"])
def test_users_who_would_be_masters(dovecot, master, driver):  # noqa: F811
    """alice*alice with the account password would open the mail of alice, MFA or not."""
    assert_finds(dovecot(lambda text: master.replace("passwd-file", driver) + text),
                 f"cannot tell which users are in the master passdb with driver {driver}", "passwd-file")
