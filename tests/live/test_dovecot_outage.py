# SPDX-License-Identifier: BSD-2-Clause
"""Dovecot without its directory, its configuration or memory answers in time: try again later.

Over IMAP that is NO [UNAVAILABLE]; [AUTHENTICATIONFAILED] would make mail clients ask their users
for the password again.
"""

import imaplib
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, doveadm, imap, pop3, submission
from processes import seconds, wait_until
from slapd import IDENTITIES


# In seconds. A busy machine may take much longer than the deadline; a login without one would wait for ever.
TIMES = {"timeout": 4, "deadline": 8}
IN_TIME = 30


def test_slapd_stopped_is_unavailable_and_once_it_is_back_a_login_is_accepted(
        own_directory, dovecot):
    """Without a restart of Dovecot."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot({"uri": directory.ldap})
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    directory.stop()
    for client in imap, pop3, submission:
        assert client(server, person.uid, app_password.shown) == UNAVAILABLE
    assert imap(server, person.uid, person.password) == UNAVAILABLE
    directory.start()
    for client in imap, pop3, submission:
        assert client(server, person.uid, app_password.shown) == ACCEPTED
    assert imap(server, person.uid, person.password) == REFUSED


def test_a_slapd_that_was_never_there_is_unavailable(own_directory, dovecot):
    """Dovecot starts before the directory."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    directory.stop()
    server = dovecot({"uri": directory.ldap})
    assert imap(server, person.uid, app_password.shown) == UNAVAILABLE
    directory.start()
    assert imap(server, person.uid, app_password.shown) == ACCEPTED


@pytest.mark.parametrize("client", [imap, pop3, submission])
def test_a_silent_slapd_is_unavailable_in_time(own_directory, dovecot, client):
    """Silent from the first connection."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot(TIMES | {"uri": directory.ldap})
    directory.pause()
    took, verdict = seconds(lambda: client(server, person.uid, app_password.shown))
    directory.resume()
    assert (verdict, took < IN_TIME) == (UNAVAILABLE, True)
    assert client(server, person.uid, app_password.shown) == ACCEPTED


def test_a_slapd_that_falls_silent_later_is_unavailable_in_time(own_directory, dovecot):
    """Silent on the kept connection."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot(TIMES | {"uri": directory.ldap})
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    directory.pause()
    took, verdict = seconds(lambda: imap(server, person.uid, app_password.shown))
    directory.resume()
    assert (verdict, took < IN_TIME) == (UNAVAILABLE, True)
    assert imap(server, person.uid, app_password.shown) == ACCEPTED


def test_a_login_that_waits_for_the_directory_holds_up_no_other(own_directory, dovecot):
    """Each login has its own worker."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot({"uri": directory.ldap, "timeout": 50, "deadline": 100})
    directory.pause()
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(imap, server, person.uid, app_password.shown)
        wait_until(server.workers, "a worker")
        assert (imap(server, person.uid, ""), waiting.done()) == (REFUSED, False)
        directory.resume()
        assert waiting.result() == ACCEPTED


def test_a_worker_that_dies_while_it_asks_is_unavailable_and_then_replaced(
        own_directory, dovecot):
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot({"uri": directory.ldap})
    directory.pause()
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(imap, server, person.uid, app_password.shown)
        (worker,) = wait_until(server.workers, "a worker")
        os.kill(worker, signal.SIGKILL)
        assert waiting.result() == UNAVAILABLE
    directory.resume()
    assert imap(server, person.uid, app_password.shown) == ACCEPTED


def test_a_worker_keeps_one_connection_for_all_its_logins(own_directory, dovecot):
    directory = own_directory()
    server = dovecot({"uri": directory.ldap})
    logins = [directory.new_person(mfa=True, app_passwords=1) for _ in range(4)]
    mark = directory.mark()
    for client, (person, app_password) in zip((imap, pop3, submission, doveadm), logins):
        assert client(server, person.uid, app_password.shown) == ACCEPTED
        assert imap(server, person.uid, person.password) == REFUSED
    assert len(server.workers()) == 1
    assert directory.binds_since(mark) == [IDENTITIES["mail server"]]


def test_nothing_is_asked_before_a_login_needs_it(own_directory, dovecot):
    """Neither at the start nor for an impossible login."""
    directory = own_directory()
    mark = directory.mark()
    server = dovecot({"uri": directory.ldap})
    assert imap(server, "alice", "") == REFUSED
    assert directory.binds_since(mark) == []


# ---- Memory ----

def test_no_memory_for_a_hash_is_unavailable(dovecot, directory):
    """Dovecot limits its processes' address space. With more, the same login is accepted."""
    person, cheap = directory.new_person(mfa=True, app_passwords=1)
    rich = directory.new_person(mfa=True)
    costly = directory.add_app_password(rich, cost=(128, 1))
    narrow = dovecot({"hash_memory": "32M"}, lines="service auth-worker {\n  vsz_limit = 128 M\n}\n")
    assert imap(narrow, rich.uid, costly.shown) == UNAVAILABLE
    assert imap(narrow, person.uid, cheap.shown) == ACCEPTED
    assert imap(dovecot({"hash_memory": "32M"}), rich.uid, costly.shown) == ACCEPTED


# ---- Configuration ----

@pytest.mark.parametrize("config", [
    pytest.param({"frobnicate": "yes"}, id="an unknown key"),
    pytest.param({"base": None}, id="a missing key"),
    pytest.param({"bindpw_file": "/nonexistent"}, id="a missing file"),
    pytest.param({"mfa_filter": "(broken"}, id="a broken filter"),
])
def test_a_broken_configuration_is_unavailable(dovecot, directory, config):
    """Dovecot starts, every login fails, and the log names the error."""
    person, app_password = directory.new_person(app_passwords=1)
    server = dovecot(config)
    assert imap(server, person.uid, app_password.shown) == UNAVAILABLE
    assert imap(server, person.uid, person.password) == UNAVAILABLE
    assert str(next(iter(config))) in server.says("app-password.conf:")


def test_a_changed_configuration_counts_after_a_reload(dovecot, directory):
    """A broken one, then the right one again."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot()
    path = server.folder / "app-password.conf"
    text = path.read_text()
    for change, verdict in ("frobnicate yes\n", UNAVAILABLE), ("", ACCEPTED):
        before = imap(server, person.uid, app_password.shown)
        path.write_text(text + change)
        assert imap(server, person.uid, app_password.shown) == before
        server.reload()
        wait_until(lambda: imap(server, person.uid, app_password.shown) == verdict, verdict)


def test_without_its_configuration_it_is_unavailable(dovecot, directory):
    person, app_password = directory.new_person(app_passwords=1)
    server = dovecot()
    (server.folder / "app-password.conf").unlink()
    assert imap(server, person.uid, app_password.shown) == UNAVAILABLE


def test_without_the_module_every_login_fails(dovecot, directory, folder):
    """Then Dovecot's authentication process does not start."""
    person, app_password = directory.new_person(app_passwords=1)
    server = dovecot(module=folder / "app_password.so")
    for password in app_password.shown, person.password:
        with pytest.raises(imaplib.IMAP4.error, match="BYE Auth process broken"):
            imap(server, person.uid, password)
    assert "module 'app_password' not found" in server.says("module")
