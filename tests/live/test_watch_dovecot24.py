# SPDX-License-Identifier: BSD-2-Clause
"""app-password-watch with Dovecot 2.4, which knows by what each session was opened."""

import pytest

from apppassword import from_now
from conftest import new_folder, write_config
from dovecot24 import Debian13, Dovecot24, ThisMachine, is_here
from watching import Session, Watch, every_cause_ends_a_session, revoke


@pytest.fixture(scope="module")
def debian13(workdir, lua_module, pam_module):
    if is_here():
        return ThisMachine(lua_module, pam_module)
    return Debian13(new_folder(workdir, "debian-13"))


@pytest.fixture
def site(own_directory, debian13, authority, workdir):
    """A directory, a Dovecot and a watch."""
    directory = own_directory(database="index modifyTimestamp eq")
    folder = new_folder(workdir, "dovecot24")
    path = write_config(folder, **directory.settings | {"uri": directory.ldap})
    dovecot = Dovecot24(folder, path, debian13.lua_module, authority, inside=debian13.inside).start()
    watch = Watch(new_folder(workdir, "watch"), dovecot, directory).start()
    yield directory, dovecot, watch
    watch.stop()
    dovecot.stop()


def test_only_the_sessions_of_the_revoked_app_password_end(site):
    directory, dovecot, watch = site
    who, phone, laptop = directory.new_person(mfa=True, app_passwords=2)
    other, others = directory.new_person(mfa=True, app_passwords=1)
    by_phone = [Session(dovecot, who, phone.shown) for _ in range(2)]
    stay = [Session(dovecot, who, laptop.shown), Session(dovecot, other, others.shown)]
    watch.completes_rounds()
    revoke(directory, who, phone)
    for session in by_phone:
        session.ends()
    watch.says(f'action=kick reason=revoked user="{who.uid}" service=imap client=127.0.0.1 id={phone.id}')
    watch.completes_rounds()
    assert all(session.is_open() for session in stay) and len(watch.lines("action=kick")) == 1


def test_every_cause_ends_a_session(site):
    every_cause_ends_a_session(*site)


def test_only_sessions_by_the_account_password_end_when_mfa_is_enforced(site):
    directory, dovecot, watch = site
    who, app_password = directory.new_person(app_passwords=1)
    by_account, stays = Session(dovecot, who, who.password), Session(dovecot, who, app_password.shown)
    watch.completes_rounds()
    directory.set_mfa(who, True, enforce_from=from_now(seconds=3))
    by_account.ends()
    watch.says(f'action=kick reason=account-password-with-mfa user="{who.uid}"')
    watch.completes_rounds()
    assert stays.is_open()
