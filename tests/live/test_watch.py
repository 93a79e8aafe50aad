# SPDX-License-Identifier: BSD-2-Clause
"""app-password-watch with a real Dovecot: which open sessions end, and when."""

import os
import signal
import stat
import time

import pytest

from apppassword import from_now
from conftest import new_folder
from dovecot import REFUSED, imap
from dovecot_fixtures import new_dovecot
from processes import wait_until, wait_until_all_clocks_show
from test_password_change import from_readme
from watching import INTERVAL, Session, Watch, every_cause_ends_a_session, revoke


@pytest.fixture
def site(own_directory, authority, workdir, lua_module):
    """Makes a directory, a Dovecot and a watch: site(watch_kick_max=2)."""
    servers = []

    def make(lines="", is_started=True, first_rules="", **options):
        directory = own_directory(database="index modifyTimestamp eq", first_rules=first_rules)
        dovecot = new_dovecot(workdir, directory, authority=authority, module=lua_module, lines=lines)
        servers.append(dovecot)
        dovecot.start()
        watch = Watch(new_folder(workdir, "watch"), dovecot, directory, **options)
        servers.append(watch)
        return directory, dovecot, watch.start() if is_started else watch

    yield make
    for server in reversed(servers):
        server.stop()


def test_a_session_ends_within_ten_seconds_if_its_app_password_is(site):
    """Every cause, each with a user of its own; other users notice nothing."""
    directory, dovecot, watch = site()
    other, others = directory.new_person(mfa=True, app_passwords=1)
    stays = Session(dovecot, other, others.shown)
    every_cause_ends_a_session(directory, dovecot, watch)
    watch.completes_rounds()
    assert stays.is_open() and not watch.lines(other.uid)


def test_a_session_by_the_account_password_ends_when_mfa_is_enforced(site):
    directory, dovecot, watch = site()
    turned_on, announced, without = (directory.new_person() for _ in range(3))
    sessions = {who: Session(dovecot, who, who.password) for who in (turned_on, announced, without)}
    watch.completes_rounds()
    directory.set_mfa(announced, True, enforce_from=from_now(seconds=3))
    directory.set_mfa(turned_on, True)
    for who in turned_on, announced:
        sessions[who].ends()
        watch.says(f'action=kick reason=account-password-with-mfa user="{who.uid}"')
    assert sessions[without].is_open()


def test_a_session_ends_at_max_lifetime(site):
    """Dovecot has signed it in before the key was set."""
    directory, dovecot, watch = site(max_lifetime="365d", is_started=False)
    who = directory.new_person(mfa=True)
    old = directory.add_app_password(who, created=from_now(days=-365, seconds=-1))
    other, young = directory.new_person(mfa=True, app_passwords=1)
    session, stays = Session(dovecot, who, old.shown), Session(dovecot, other, young.shown)
    watch.start()
    session.ends()
    watch.says(f'action=kick reason=expired user="{who.uid}"')
    assert stays.is_open()


def change_password(directory, who, old, new):
    connection = directory.connect()
    connection.simple_bind_s(who.dn, old)
    connection.passwd_s(who.dn, old, new)


def test_sessions_of_older_app_passwords_end_when_the_account_password_changes(site):
    directory, dovecot, watch = site(first_rules=from_readme("access to attrs=pwdChangedTime"),
                                     revoke_on_password_change="yes")
    changes, other = directory.new_person(), directory.new_person()
    sessions = []
    for who in changes, other:
        change_password(directory, who, who.password, "Another-Horse/7")
        app_password = directory.add_app_password(who, created=from_now())
        sessions.append(Session(dovecot, who, app_password.shown))
    watch.completes_rounds()
    assert not watch.lines("action=kick")
    wait_until_all_clocks_show(int(time.time()) + 1)  # not in the second in which the app password was made
    change_password(directory, changes, "Another-Horse/7", "A-Third-Horse/8")
    sessions[0].ends()
    watch.says(f'action=kick reason=password-changed user="{changes.uid}"')
    new = directory.add_app_password(changes, created=from_now())
    again = Session(dovecot, changes, new.shown)
    watch.completes_rounds()
    assert again.is_open() and sessions[1].is_open() and not watch.lines("watch: ")


def test_all_sessions_of_the_user_end_and_a_new_one_stays(site):
    """In 2.3, Dovecot does not say by which app password a session was opened."""
    directory, dovecot, watch = site()
    who, phone, laptop = directory.new_person(mfa=True, app_passwords=2)
    old, other = Session(dovecot, who, phone.shown), Session(dovecot, who, laptop.shown)
    watch.completes_rounds()
    revoke(directory, who, phone)
    old.ends()
    other.ends()
    again = Session(dovecot, who, laptop.shown)  # at once
    assert imap(dovecot, who.uid, phone.shown) == REFUSED
    watch.completes_rounds(3)
    assert again.is_open() and len(watch.lines("action=kick")) == 1


def test_what_is_revoked_right_after_a_login_ends(site):
    """Before anybody has looked at the session."""
    directory, dovecot, watch = site(watch_interval="5s")
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    watch.completes_rounds(1)
    session = Session(dovecot, who, app_password.shown)
    revoke(directory, who, app_password)
    session.ends()


@pytest.mark.parametrize("is_killed", [False, True], ids=["late", "killed"])
def test_a_session_that_replaced_another_unseen_ends_too(site, is_killed):
    """Somebody who knows the account password signs in again and again, also while MFA is turned on."""
    directory, dovecot, watch = site()
    who, other = directory.new_person(), directory.new_person()
    seen, stays = Session(dovecot, who, who.password), Session(dovecot, other, other.password)
    watch.completes_rounds()
    if is_killed:
        watch.kill()
    seen.client.shutdown()
    if not is_killed:
        wait_until(lambda: watch.heartbeat()["users"] == "1", "a list without the user")
        watch.process.send_signal(signal.SIGSTOP)
    unseen = Session(dovecot, who, who.password)
    directory.set_mfa(who, True)
    if is_killed:
        watch.start()
    else:
        watch.process.send_signal(signal.SIGCONT)
    unseen.ends()
    watch.says(f'action=kick reason=account-password-with-mfa user="{who.uid}"')
    watch.completes_rounds()
    assert stays.is_open()


def test_an_outage_of_the_directory_ends_nothing_and_is_said_once(site):
    directory, dovecot, watch = site()
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    session = Session(dovecot, who, app_password.shown)
    watch.completes_rounds()
    directory.stop()
    watch.says("the directory does not answer, so no session is ended")
    before = watch.heartbeat()
    time.sleep(3 * INTERVAL)
    assert watch.heartbeat() == before and session.is_open()
    directory.start()
    watch.says("the directory answers again")
    revoke(directory, who, app_password)
    session.ends()
    assert len(watch.lines("does not answer")) == 1


def test_what_ends_while_the_watch_is_dead_ends_after_its_restart(site):
    directory, dovecot, watch = site()
    who, phone = directory.new_person(mfa=True, app_passwords=1)
    other, others = directory.new_person(mfa=True, app_passwords=1)
    session, stays = Session(dovecot, who, phone.shown), Session(dovecot, other, others.shown)
    watch.completes_rounds()
    watch.kill()
    directory.revoke(who, phone)  # without a trace
    watch.start()
    session.ends()
    watch.completes_rounds()
    assert stays.is_open()


@pytest.mark.parametrize("text", ["exit 75", "sleep 60", "echo nonsense"],
                         ids=["fails", "hangs", "prints nonsense"])
def test_a_doveadm_that_fails_is_tried_again(site, text):
    directory, dovecot, watch = site()
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    session = Session(dovecot, who, app_password.shown)
    watch.completes_rounds()
    watch.run_doveadm(text)
    watch.says("cannot list the open sessions", 60)
    revoke(directory, who, app_password)
    assert session.is_open()
    watch.run_doveadm()
    session.ends(60)
    watch.says("lists the open sessions again")


def test_a_kick_that_fails_is_tried_again(site):
    directory, dovecot, watch = site()
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    session = Session(dovecot, who, app_password.shown)
    watch.run_doveadm(f'[ "$1" != kick ] || exit 1; exec {watch.real_doveadm()} "$@"')
    watch.completes_rounds()
    revoke(directory, who, app_password)
    watch.says('kick" failed with status 1')
    assert session.is_open() and not watch.lines("action=kick")
    watch.run_doveadm()
    session.ends()


def test_a_wave_waits_for_an_administrator(site):
    directory, dovecot, watch = site(watch_kick_max=2)
    people = [directory.new_person(mfa=True, app_passwords=1) for _ in range(4)]
    sessions = [Session(dovecot, who, app_password.shown) for who, app_password in people]
    watch.completes_rounds()
    watch.stop()
    for who, app_password in people[:3]:
        revoke(directory, who, app_password)
    watch.start()
    watch.says("SESSIONS WAIT: 3 users would be disconnected, the first because of revoked")
    watch.completes_rounds()
    assert watch.heartbeat()["waiting"] == "3"
    assert all(session.is_open() for session in sessions) and not watch.lines("action=kick")
    watch.process.send_signal(signal.SIGUSR1)
    for session in sessions[:3]:
        session.ends()
    watch.completes_rounds()
    assert sessions[3].is_open() and watch.heartbeat()["waiting"] == "0"


def test_an_administrator_releases_one_wave_and_not_the_next(site):
    """Also if sessions of the first stay, as hibernated ones do in 2.3."""
    directory, dovecot, watch = site(watch_kick_max=1)
    people = [directory.new_person(mfa=True, app_passwords=1) for _ in range(4)]
    sessions = [Session(dovecot, who, app_password.shown) for who, app_password in people]
    watch.run_doveadm(f'[ "$1" != kick ] || exit 0; exec {watch.real_doveadm()} "$@"')
    watch.completes_rounds()
    for half in people[:2], people[2:]:
        before = len(watch.lines("action=kick"))
        watch.process.send_signal(signal.SIGSTOP)
        for who, app_password in half:
            revoke(directory, who, app_password)
        watch.process.send_signal(signal.SIGCONT)
        wait_until(lambda: watch.heartbeat()["waiting"] == "2", "two users to wait")
        watch.completes_rounds()
        assert len(watch.lines("action=kick")) == before
        watch.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(watch.lines("action=kick")) == before + 2, "two kicks")
        watch.completes_rounds()
    assert len(watch.lines("SESSIONS WAIT: 2 users")) == 2
    assert all(session.is_open() for session in sessions)


def test_a_wave_that_was_a_mistake_ends_nothing(site):
    directory, dovecot, watch = site(watch_kick_max=1)
    people = [directory.new_person() for _ in range(3)]
    sessions = [Session(dovecot, who, who.password) for who in people]
    watch.completes_rounds()
    watch.stop()
    for who in people:
        directory.set_mfa(who, True)
    watch.start()
    watch.says("SESSIONS WAIT: 3 users")
    for who in people:
        directory.set_mfa(who, False)
    wait_until(lambda: watch.heartbeat()["waiting"] == "0", "nobody to wait")
    assert all(session.is_open() for session in sessions)


USER = 31598  # a number that no user of the machine has
ANVIL = """
service anvil {
  unix_listener anvil {
    mode = 0660
    group = nogroup
  }
}
"""


def test_it_needs_the_socket_anvil_and_with_23_the_capability_to_kill(site):
    """As the man page says; not root."""
    identity = ["--reuid", str(USER), "--regid", "nogroup", "--clear-groups", "--no-new-privs"]
    directory, dovecot, watch = site(
        lines=ANVIL, is_started=False,
        prefix=["setpriv", *identity, "--inh-caps", "+kill", "--ambient-caps", "+kill"])
    for place in watch.folder, watch.state, *watch.folder.glob("*"):
        os.chown(place, USER, -1)
    watch.start()
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    session = Session(dovecot, who, app_password.shown)
    watch.completes_rounds()
    assert watch.heartbeat()["users"] == "1"
    revoke(directory, who, app_password)
    session.ends()


def test_the_heartbeat_is_for_others_and_the_sessions_are_not(site):
    directory, dovecot, watch = site()
    who = directory.new_person()
    session = Session(dovecot, who, who.password)
    watch.completes_rounds(3)
    beat = watch.heartbeat()
    assert session.is_open()
    assert beat == {"time": beat["time"], "interval": str(INTERVAL), "users": "1", "waiting": "0"}
    assert abs(int(beat["time"]) - time.time()) < 60
    modes = [stat.S_IMODE((watch.state / name).stat().st_mode) for name in ("heartbeat", "sessions")]
    assert modes == [0o644, 0o600]


def test_it_does_not_start_without_watch_interval(site):
    _, _, watch = site(watch_interval=None)
    assert watch.process.wait(60) == 78
    assert "watch_interval is not set" in (watch.folder / "watch.out").read_text()
