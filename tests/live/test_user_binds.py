# SPDX-License-Identifier: BSD-2-Clause
"""Account passwords are checked by binds on one kept connection, which nothing else uses."""

import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import ldap
import pytest

from conftest import new_folder
from dovecot import ACCEPTED as OK, REFUSED as NO, imap
from ds389 import DirectoryServer
from fakes import Relay
from processes import run, wait_until
from slapd import BASE, IDENTITIES, MUST_CHANGE
from smtp import ACCEPTED

MAIL_SERVER = IDENTITIES["mail server"]
WAYS = {
    "plain": lambda directory, authority: {"uri": directory.ldap},
    "StartTLS": lambda directory, authority: {
        "uri": directory.ldap, "start_tls": "yes", "tls_cacert": authority.ca},
    "ldaps": lambda directory, authority: {"uri": directory.ldaps, "tls_cacert": authority.ca},
}


def reason(server):
    return server.events()[-1].split(" reason=")[1].split(" ")[0]


def sign_in(server, who, password=None):
    """The reason of one login, which must be answered in time."""
    reply = server.sign_in(who.uid, password or who.password)
    assert (reply.code == ACCEPTED) == (reason(server) == "account-password"), reply
    return reason(server)


def in_turn(server, people, rounds):
    """Right and wrong logins alternate, and so do the users."""
    for _ in range(rounds):
        for who in people:
            assert sign_in(server, who) == "account-password"
            assert sign_in(server, who, "wrong") == "wrong-account-password"


def operations(log):
    """{connection: (the DNs that bound on it, other operations)} of slapd's log."""
    found = defaultdict(lambda: ([], []))
    for line in log:
        if match := re.search(r'conn=(\d+) op=\d+ BIND dn="(.*)" method=', line):
            found[match[1]][0].append(match[2])
        elif match := re.search(r"conn=(\d+) op=\d+ (SRCH base|MOD dn|ADD dn|DEL dn|CMP dn|EXT)",
                                line):
            if "1.3.6.1.4.1.1466.20037" not in line:  # StartTLS
                found[match[1]][1].append(line)
    return found


def assert_nothing_is_mixed(log):
    """Connections with binds of users have nothing else."""
    found = operations(log)
    assert any(binds != [MAIL_SERVER] for binds, _ in found.values())
    for binds, others in found.values():
        assert binds == [MAIL_SERVER] or MAIL_SERVER not in binds and others == [], (binds, others)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_three_hundred_logins_use_two_connections_a_process(own_directory, mail_server, authority, way):
    directory = own_directory()
    people = [directory.new_person() for _ in range(3)]
    server = mail_server(WAYS[way](directory, authority))
    mark = directory.mark()
    in_turn(server, people, 50)
    found = assert_nothing_is_mixed(directory.log_since(mark))
    processes = sum(binds == [MAIL_SERVER] for binds, _ in found.values())
    assert processes <= 5  # a process of Postfix ends after a hundred sessions
    assert len(found) == 2 * processes
    assert [dn for dn in directory.binds_since(mark) if dn != MAIL_SERVER] == [
        who.dn for _ in range(50) for who in people for _ in range(2)]


def test_workers_of_dovecot_mix_nothing_up(own_directory, dovecot):
    directory = own_directory()
    people = [directory.new_person() for _ in range(8)]
    server = dovecot({"uri": directory.ldap})
    logins = [(who, password, verdict) for _ in range(4) for who in people
              for password, verdict in ((who.password, OK), ("wrong", NO))]
    mark = directory.mark()
    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda login: imap(server, login[0].uid, login[1]), logins))
    assert verdicts == [verdict for _, _, verdict in logins]
    found = assert_nothing_is_mixed(directory.log_since(mark))
    assert sum(len(binds) for binds, _ in found.values() if binds != [MAIL_SERVER]) == len(logins)


def test_a_wrong_password_is_counted_once(own_directory, mail_server):
    directory = own_directory()
    server = mail_server({"uri": directory.ldap})
    who, other = directory.new_person(), directory.new_person()
    in_turn(server, [other], 2)
    for count in range(1, 5):
        assert sign_in(server, who, "wrong") == "wrong-account-password"
        (_, entry), = directory.connect_as_itself().search_s(who.dn, ldap.SCOPE_BASE,
                                                             attrlist=["pwdFailureTime"])
        assert len(entry["pwdFailureTime"]) == count
    assert sign_in(server, who) == "account-password"


def test_a_restriction_of_one_user_does_not_stay(own_directory, mail_server):
    """After a bind with a password that was reset, slapd's connection permits nothing but to
    change it."""
    directory = own_directory()
    server = mail_server({"uri": directory.ldap})
    who = directory.new_person()
    mark = directory.mark()
    for _ in range(3):
        assert sign_in(server, who) == "account-password"
        assert sign_in(server, MUST_CHANGE) == "password-must-change"
    assert len(operations(directory.log_since(mark))) == 2


def test_a_restart_of_the_directory_costs_no_login(own_directory, mail_server):
    directory = own_directory()
    server = mail_server({"uri": directory.ldap})
    who = directory.new_person()
    for _ in range(3):
        assert sign_in(server, who, "wrong") == "wrong-account-password"
        assert sign_in(server, who) == "account-password"
        directory.stop()
        directory.start()


def test_an_idletimeout_of_the_directory_costs_no_login(own_directory, mail_server):
    directory = own_directory(lines="idletimeout 1")
    server = mail_server({"uri": directory.ldap})
    who = directory.new_person()
    mark = directory.mark()
    for round in range(1, 4):
        assert sign_in(server, who) == "account-password"
        wait_until(lambda: len(re.findall(r"closed \(idletimeout\)", "\n".join(
            directory.log_since(mark)))) >= 2 * round, "slapd to close both")


def relay_to(uri):
    return Relay(*re.fullmatch(r"ldaps?://(.*):(\d+)", uri).groups())


def round_trips(relay, server, who, password):
    """How often one login waited for the directory."""
    before = len(relay.pieces)
    server.sign_in(who.uid, password)
    pieces = [True, *relay.pieces[before:]]
    return sum(last and not this for last, this in zip(pieces, pieces[1:]))


@pytest.mark.parametrize("way", ["plain", "ldaps"])
@pytest.mark.parametrize("witness", [False, True])
def test_an_account_password_takes_two_round_trips(own_directory, mail_server, authority, way,
                                                   witness):
    directory = own_directory()
    settings = WAYS[way](directory, authority)
    relay = relay_to(settings["uri"])
    settings["uri"] = f"{settings['uri'].partition('://')[0]}://{relay.address}"
    try:
        with_mfa, app_password = directory.new_person(mfa=True, app_passwords=1)
        without = directory.new_person()
        if witness:
            settings["mfa_witness"] = directory.new_person(mfa=True).dn
        server = mail_server(settings)
        server.sign_in(with_mfa.uid, app_password.shown)
        server.sign_in(without.uid, without.password)  # opens the connection for binds
        relay.delay = 0.5  # so what is sent together arrives before the first answer
        assert round_trips(relay, server, with_mfa, app_password.shown) == 1
        assert round_trips(relay, server, without, without.password) == 2
        assert reason(server) == "account-password"
        assert round_trips(relay, server, without, "wrong") == 2
        assert round_trips(relay, server, with_mfa, with_mfa.password) == 2
        assert reason(server) == "account-password-with-mfa"
    finally:
        relay.close()


def test_389_directory_server(workdir, mail_server):
    directory = DirectoryServer(new_folder(workdir, "ds389")).start()
    relay = relay_to(directory.ldap)
    try:
        directory.manager().modify_s("cn=config", [
            (ldap.MOD_REPLACE, "passwordLockout", [b"on"]),
            (ldap.MOD_REPLACE, "passwordMaxFailure", [b"4"])])
        server = mail_server({"uri": f"ldap://{relay.address}"})
        who, other = directory.new_person(), directory.new_person()
        in_turn(server, [other, who], 20)
        for count in range(2, 5):  # the last login above is the first
            assert sign_in(server, who, "wrong") == "wrong-account-password"
            assert retries(directory, who) == count
        for password in "wrong", who.password:
            assert sign_in(server, who, password) == "account-locked"
        assert sign_in(server, other) == "account-password"
        assert relay.connections == 2
    finally:
        relay.close()
        directory.stop()


def retries(directory, who):
    (_, entry), = directory.manager().search_s(who.dn, ldap.SCOPE_BASE,
                                               attrlist=["passwordRetryCount"])
    return int(entry["passwordRetryCount"][0])


def connections_of(server, port):
    """The local ports of the mail server's connections to this port."""
    pid, = server.postfix.processes(server.service)
    lines = run(["ss", "-Htnp", f"dport = :{port}"]).splitlines()
    return {line.split()[3] for line in lines if f",pid={pid}," in line}


@pytest.fixture
def counting_domain(active_directory):
    """The domain counts wrong passwords only if it locks accounts."""
    active_directory.set(BASE, lockoutThreshold="10")
    yield active_directory
    active_directory.set(BASE, lockoutThreshold="0")


def test_active_directory(counting_domain, mail_server):
    directory = counting_domain
    people = [directory.new_person() for _ in range(2)]
    for who in people:
        directory.set_mfa(who, False)
    server = mail_server(directory.settings)
    in_turn(server, people, 1)
    kept = connections_of(server, 636)
    in_turn(server, people, 20)
    assert len(kept) == 2 and connections_of(server, 636) == kept
    for count in range(2, 5):  # as above
        assert sign_in(server, people[1], "wrong") == "wrong-account-password"
        assert directory.values(people[1], "badPwdCount") == [str(count)]
