# SPDX-License-Identifier: BSD-2-Clause
"""appPasswordUsed is written now and then, and never delays a login."""

import pathlib
import re
import statistics
from concurrent.futures import ThreadPoolExecutor

import ldap
import pytest

import pam
import smtp
import apppassword
from administration import Site
from apppassword import from_now
from dovecot import ACCEPTED as SIGNED_IN, imap
from processes import free_port, seconds, wait_until
from slapd import IDENTITIES, Slapd

RECORD = {"record_use": "1d"}
VALUE = r"id=(\w{4}) at=(\d{14}Z)( service=smtp)?( from=127\.0\.0\.1)?"


@pytest.fixture(scope="module")
def slapd(workdir, authority):
    """A slapd whose log shows the requests."""
    server = Slapd(workdir / "last-use", authority=authority).start()
    yield server
    server.stop()


def sign_in(server, who, app_password):
    assert server.sign_in(who.uid, app_password.shown).code == smtp.ACCEPTED


def uses(slapd, who):
    return slapd.values(who, "appPasswordUsed")


def recorded(slapd, who):
    """Wait for the one use and return it."""
    value, = wait_until(lambda: uses(slapd, who), "the use to be recorded")
    return value


def modifies(slapd, mark):
    return sum(" MOD dn=" in line for line in slapd.log_since(mark))


def searches_of_the_recorder(slapd, mark):
    return sum("attr=appPasswordUsed" in line for line in slapd.log_since(mark))


def last_change(slapd, who):
    """Which change of the entry was the last one."""
    (_, entry), = slapd.connect_as_itself().search_s(who.dn, ldap.SCOPE_BASE,
                                                     attrlist=["entryCSN"])
    return entry["entryCSN"]


def test_a_login_is_recorded_with_service_and_address(slapd, mail_server, tmp_path):
    server = mail_server(RECORD | {"uri": slapd.ldap})
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    sign_in(server, who, app_password)
    assert re.fullmatch(VALUE, recorded(slapd, who))[1] == app_password.id
    listed, = Site(tmp_path / "site", slapd).listed(who)
    assert listed["last_used"]["service"] == "smtp" and listed["last_used"]["from"] == "127.0.0.1"


def test_within_the_period_it_is_recorded_once(slapd, mail_server):
    server = mail_server(RECORD | {"uri": slapd.ldap})
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    sign_in(server, who, app_password)
    recorded(slapd, who)
    mark = slapd.mark()
    for _ in range(5):
        sign_in(server, who, app_password)
    assert modifies(slapd, mark) == 0 and searches_of_the_recorder(slapd, mark) == 0


def test_after_the_period_it_is_recorded_anew_in_place_of_the_old(slapd, mail_server):
    server = mail_server(RECORD | {"uri": slapd.ldap, "record_use": "1d"})
    who, app_password, other = slapd.new_person(mfa=True, app_passwords=2)
    stays = [f"id={other.id} at={from_now(days=-9)}", "not a use at all"]
    old = [f"id={app_password.id} at={from_now(days=-days)}" for days in (2, 3)]
    administrator = slapd.connect("administrator")
    administrator.modify_s(who.dn, [(0, "appPasswordUsed", [v.encode() for v in stays + old])])
    sign_in(server, who, app_password)
    wait_until(lambda: not set(old) & set(uses(slapd, who)), "the old uses to go")
    assert set(stays) < set(uses(slapd, who)) and len(uses(slapd, who)) == 3


OTHERS = {
    "a use a moment ago": dict(minutes=-1),
    "a use in the future, from a host whose clock is ahead": dict(days=2),
}


@pytest.mark.parametrize("other", OTHERS)
def test_not_written_over(slapd, mail_server, other):
    server = mail_server(RECORD | {"uri": slapd.ldap})
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    value = f"id={app_password.id} at={from_now(**OTHERS[other])}"
    slapd.administrate(who, appPasswordUsed=value)
    mark = slapd.mark()
    sign_in(server, who, app_password)
    assert uses(slapd, who) == [value] and modifies(slapd, mark) == 0


def test_without_address(slapd, mail_server):
    server = mail_server(RECORD | {"uri": slapd.ldap, "record_use": "1d without-address"})
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    sign_in(server, who, app_password)
    assert recorded(slapd, who).endswith(" service=smtp")


def test_never(slapd, mail_server):
    server = mail_server(RECORD | {"uri": slapd.ldap, "record_use": "never"})
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    mark = slapd.mark()
    sign_in(server, who, app_password)
    assert "appPasswordUsed" not in "\n".join(slapd.log_since(mark))
    assert uses(slapd, who) == []


def test_neither_a_refusal_nor_an_account_password_is_a_use(slapd, mail_server):
    server = mail_server(RECORD | {"uri": slapd.ldap})
    who, revoked = slapd.new_person(app_passwords=1)
    wrong = apppassword.make(id=slapd.add_app_password(who).id).shown
    slapd.revoke(who, revoked)
    mark = slapd.mark()
    for password in (revoked.shown, wrong, "wrong", who.password):
        server.sign_in(who.uid, password)
    assert searches_of_the_recorder(slapd, mark) == 0 and uses(slapd, who) == []


def test_a_write_uri_that_keeps_silent_slows_no_login(slapd, own_directory, mail_server):
    provider = own_directory()
    servers = {
        period: mail_server(RECORD | {"uri": slapd.ldap, "write_uri": provider.ldap, "timeout": 5,
                             "record_use": period}) for period in ("1d", "never")}
    users = [slapd.new_person(mfa=True, app_passwords=1) for _ in range(12)]
    provider.pause()
    try:
        medians = {period: statistics.median(
            seconds(lambda user=user: sign_in(server, *user))[0] for user in users)
            for period, server in servers.items()}
    finally:
        provider.resume()
    assert medians["1d"] < medians["never"] + 2, medians


def test_without_the_right_to_write_the_login_is_accepted_and_logged_once(
        own_directory, mail_server):
    slapd = own_directory(
        first_rules="access to attrs=appPasswordUsed "
        f'by dn.exact="{IDENTITIES["replicator"]}" read by * none\n')
    server = mail_server(RECORD | {"uri": slapd.ldap})
    users = [slapd.new_person(mfa=True, app_passwords=1) for _ in range(3)]
    for user in users:
        sign_in(server, *user)
    warning = wait_until(lambda: [line for line in server.log_lines() if "verdict=" not in line],
                         "the warning")
    assert len(warning) == 1 and "last use is not recorded" in warning[0], warning
    assert "Insufficient access" in warning[0]
    assert len(server.log_lines()) == 4


def test_a_renamed_entry_and_a_dead_write_uri_do_no_harm(slapd, mail_server):
    server = mail_server(RECORD | {"uri": slapd.ldap, "write_uri": f"ldap://127.0.0.1:{free_port()}"})
    for _ in range(3):
        who, app_password = slapd.new_person(mfa=True, app_passwords=1)
        sign_in(server, who, app_password)
    assert [" verdict=accepted " in line for line in server.events()] == [True] * 3


def test_hosts_that_write_at_the_same_time_leave_one_use_of_today(slapd, mail_server):
    servers = [mail_server(RECORD | {"uri": slapd.ldap}) for _ in range(4)]
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    slapd.administrate(who, appPasswordUsed=f"id={app_password.id} at={from_now(days=-30)}")
    start = from_now(minutes=-1)
    with ThreadPoolExecutor(len(servers)) as hosts:
        list(hosts.map(lambda server: sign_in(server, who, app_password), servers))

    def settled():
        values = uses(slapd, who)
        return values if all(re.fullmatch(VALUE, value)[2] >= start for value in values) else None
    value, = wait_until(settled, "the old use to go")
    before = last_change(slapd, who)
    for server in servers:
        sign_in(server, who, app_password)
    # One of the first logins may still try to delete the old use: then it changes nothing.
    assert uses(slapd, who) == [value] and last_change(slapd, who) == before


def test_processes_that_end_right_after_the_login_do_so_in_order(
        slapd, mail_server, postfix, authority):
    """Each process serves one client and may end while its thread works."""
    server = mail_server(RECORD | {"uri": slapd.ldap, "start_tls": "yes", "tls_cacert": authority.ca},
                         kind="one client each")
    users = [slapd.new_person(mfa=True, app_passwords=1) for _ in range(60)]
    for user in users:
        sign_in(server, *user)
    wait_until(lambda: not processes_of(server), "the last smtpd to end")
    assert "killed by signal" not in (log := postfix.log.read_text()) and "panic:" not in log
    assert sum(bool(uses(slapd, who)) for who, _ in users) == len(users)


def processes_of(server):
    """The running smtpds of a service."""
    return [process for process in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if {"smtpd", str(server.port)} <= set(re.split("[\0:]", read(process)))]


def read(file):
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def dovecot_on_slapd(slapd, dovecot):
    return dovecot(RECORD | {"uri": slapd.ldap})


def test_dovecots_worker_records_too(slapd, dovecot_on_slapd):
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    assert imap(dovecot_on_slapd, who.uid, app_password.shown) == SIGNED_IN
    assert recorded(slapd, who).endswith(" service=imap from=127.0.0.1")
    mark = slapd.mark()
    for _ in range(5):
        assert imap(dovecot_on_slapd, who.uid, app_password.shown) == SIGNED_IN
    assert modifies(slapd, mark) == 0


def test_a_process_of_pam_that_ends_at_once_records_too(slapd, services):
    who, app_password = slapd.new_person(mfa=True, app_passwords=1)
    asked = services(RECORD | {"uri": slapd.ldap})
    pam.pamtester(asked.pam_d, "imap", who.uid, app_password.shown, "authenticate",
                  rhost="192.0.2.17")
    assert " verdict=accepted " in asked.events()[-1]
    assert uses(slapd, who)[0].endswith(" service=imap from=192.0.2.17")
