# SPDX-License-Identifier: BSD-2-Clause
"""Dovecot 2.4: it differs from 2.3 in its configuration.

On a machine with Dovecot 2.3 it runs in a Debian 13. This needs --with-dovecot24, since the first
run downloads that.
"""

import imaplib
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import pam
from conftest import new_folder, write_config
from dovecot import (
    ACCEPTED, REFUSED, UNAVAILABLE, asking_pam, imap, pop3, submission, with_arrival, with_hint)
from dovecot24 import Debian13, Dovecot24, ThisMachine, is_here
from processes import run
from slapd import IDENTITIES
from test_pam import many_logins_in_an_outage_delay_none_after_it


@pytest.fixture(scope="module")
def debian13(workdir, lua_module, pam_module):
    if is_here():
        return ThisMachine(lua_module, pam_module)
    return Debian13(new_folder(workdir, "debian-13"))


@pytest.fixture(params=["Lua", "PAM"])
def dovecot24(request, debian13, authority, workdir):
    """Makes Dovecots that ask by Lua and by PAM: dovecot24({"timeout": 1})."""
    servers = []

    def make(config, **options):
        folder = new_folder(workdir, "dovecot24")
        path = write_config(folder, **config)
        if request.param == "PAM":
            change = options.get("settings", lambda settings: settings)
            options["settings"] = lambda settings: change(
                asking_pam(settings, "passdb-pam-2.4.conf"))
            options["pam_d"] = pam.write_services(folder / "pam.d", debian13.pam_module, path)
        servers.append(Dovecot24(folder, path, debian13.lua_module, authority,
                                 inside=debian13.inside, **options))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


@pytest.mark.parametrize("client, service", [(imap, "imap"), (pop3, "pop3"), (submission, "smtp")])
def test_an_app_password_is_accepted_and_the_account_password_refused(
        dovecot24, directory, client, service):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot24({"uri": directory.ldap, "login_attribute": "uid"})
    assert client(server, person.mail, app_password.shown) == ACCEPTED
    assert (f'verdict=accepted reason=app-password user="{person.mail}" service={service}'
            f' client=127.0.0.1 id={app_password.id} name="{person.uid}"') in server.events()[-1]
    assert client(server, person.mail, person.password) == REFUSED
    assert server.says(f": user=<{person.uid}>, method=PLAIN")


def test_slapd_stopped_is_unavailable_and_once_it_is_back_a_login_is_accepted(
        own_directory, dovecot24):
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot24({"uri": directory.ldap})
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    directory.stop()
    for client in imap, pop3, submission:
        assert client(server, person.uid, app_password.shown) == UNAVAILABLE
    directory.start()
    assert imap(server, person.uid, app_password.shown) == ACCEPTED


def test_many_logins_in_an_outage(own_directory, dovecot24):
    directory = own_directory()
    server = dovecot24({"uri": directory.ldap})
    many_logins_in_an_outage_delay_none_after_it(
        server, directory, *directory.new_person(mfa=True, app_passwords=1))


def test_a_refusal_may_say_that_an_app_password_is_needed(own_directory, dovecot24):
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot24({"uri": directory.ldap}, settings=with_hint)
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    with imaplib.IMAP4("127.0.0.1", server.ports["imap"]) as client:
        with pytest.raises(client.error, match=r"\[ALERT\] This mail server needs an app password"):
            client.login(person.uid, person.password)
    directory.stop()
    assert imap(server, person.uid, app_password.shown) == UNAVAILABLE


def test_a_login_that_waited_too_long_is_unavailable(own_directory, dovecot24, request):
    """PAM cannot know when it arrived."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot24({"uri": directory.ldap, "deadline": 16}, settings=with_arrival)
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    assert imap(server, person.uid, person.password) == REFUSED
    for worker in server.workers():
        os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor() as threads:
        late = threads.submit(imap, server, person.uid, app_password.shown)
        time.sleep(14)  # on a busy machine, it arrives some seconds later
        for worker in server.workers():
            os.kill(worker, signal.SIGCONT)
        by_lua = request.node.callspec.params["dovecot24"] == "Lua"
        assert late.result() == (UNAVAILABLE if by_lua else ACCEPTED)


def test_a_worker_keeps_one_connection_for_all_its_logins(own_directory, dovecot24):
    directory = own_directory()
    logins = [directory.new_person(mfa=True, app_passwords=1) for _ in range(4)]
    server = dovecot24({"uri": directory.ldap})
    mark = directory.mark()
    for person, app_password in logins:
        assert imap(server, person.uid, app_password.shown) == ACCEPTED
    assert directory.binds_since(mark) == [IDENTITIES["mail server"]]


def test_the_userdb_may_be_the_same_directory(dovecot24, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot24({"uri": directory.ldap, "login_attribute": "uid"}, userdb=directory)
    assert imap(server, person.mail, app_password.shown, create="made-now") == ACCEPTED
    assert server.owner_of("made-now") == person.uid


def test_a_master_user_signs_in_as_a_user_with_lua(dovecot24, directory, folder):
    """Not with PAM, which checks the master user's password as the user's."""
    person = directory.new_person(mfa=True)
    users = folder / "master-users"
    users.write_text("admin:{PLAIN}The-Masters-Password\n")
    users.chmod(0o644)
    server = dovecot24({"uri": directory.ldap, "login_attribute": "uid"}, lines=f"""\
auth_master_user_separator = *
passdb passwd-file {{
  passwd_file_path = {users}
  master = yes
  result_success = continue
}}
""")
    has_lua = "passdb lua" in server.config.read_text()
    for login in person.uid, person.mail:
        verdict = imap(server, f"{login}*admin", "The-Masters-Password")
        assert verdict == (ACCEPTED if has_lua else REFUSED)
    for login, password in [
            (f"{person.uid}*admin", "wrong"), ("nobody-here*admin", "The-Masters-Password"),
            ("disabled*admin", "The-Masters-Password"), (person.uid, "The-Masters-Password"),
            (person.uid, person.password), (f"{person.uid}*{person.uid}", person.password)]:
        assert imap(server, login, password) == REFUSED, login
    for name, status in (person.mail, os.EX_OK), ("nobody-here", os.EX_NOUSER):
        done = subprocess.run(server.inside(
            ["doveadm", "-c", server.config, "user", "-f", "home", name]), capture_output=True)
        assert done.returncode == (status if has_lua else os.EX_TEMPFAIL), done.stderr


class Session:
    """An IMAP connection that waits for mail (IDLE)."""

    def __init__(self, server, user, password):
        self.client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
        self.client.login(user, password)
        self.client.select()
        self.client.send(b"a IDLE\r\n")
        assert self.client.readline().startswith(b"+")

    def is_over(self):
        """Whether the server says goodbye instead of answering a line."""
        try:
            self.client.send(b"DONE\r\n")
            return self.client.readline().startswith(b"* BYE")
        except OSError:
            return True


def test_doveadm_ends_the_sessions_of_one_app_password(dovecot24, directory):
    """By Lua alone: PAM cannot say how somebody signed in."""
    person, first = directory.new_person(app_passwords=1)
    second = directory.add_app_password(person)
    other, elsewhere = directory.new_person(app_passwords=1)
    server = dovecot24({"uri": directory.ldap, "login_attribute": "uid"})
    sessions = {name: Session(server, *login) for name, login in {
        "first": (person.mail, first.shown), "second": (person.uid, second.shown),
        "account": (person.uid, person.password), "other": (other.uid, elsewhere.shown)}.items()}

    def doveadm(*arguments):
        return run(server.inside(["doveadm", "-c", server.config, *arguments]))

    header, *rows = doveadm("-f", "tab", "who", "-1").splitlines()
    if "passdb lua" not in server.config.read_text():
        assert "user_app_password" not in header
        return
    column = header.split("\t").index("user_app_password")
    assert sorted(row.split("\t")[column] for row in rows) == sorted([
        f"{first.id}:{person.uid}", f"{second.id}:{person.uid}", f"account-password:{person.uid}",
        f"{elsewhere.id}:{other.uid}"])
    doveadm("kick", "-f", "user_app_password", f"{first.id}:{person.uid}")
    assert {name for name, session in sessions.items() if session.is_over()} == {"first"}
    doveadm("kick", "-f", "user_app_password", f"account-password:{person.uid}")
    assert sessions["account"].is_over()
