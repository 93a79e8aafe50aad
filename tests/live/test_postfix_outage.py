# SPDX-License-Identifier: BSD-2-Clause
"""Absent, silent or slow directories: temporary answers in time, and recovery without a restart."""

import re

import pytest

import smtp
from fakes import LDAP_DRIP, TLS_DRIP, FakeLdap, dead_address
from processes import seconds, wait_until
from smtp import ACCEPTED, REFUSED, UNAVAILABLE

# In seconds, for all tests here. A busy machine may take much longer than the deadline; a login without one would wait
# for a minute or for ever.
TIMES = {"timeout": 4, "deadline": 6}
IN_TIME = 20


def directory_settings(directory, way, authority):
    """The keys of app-password.conf for each way to ask a directory."""
    return TIMES | {
        "ldap": {"uri": directory.ldap},
        "ldaps": {"uri": directory.ldaps, "tls_cacert": authority.ca},
        "StartTLS": {"uri": directory.ldap, "start_tls": "yes", "tls_cacert": authority.ca},
    }[way]


WAYS = pytest.mark.parametrize("way", ["ldap", "ldaps", "StartTLS"])


@WAYS
def test_slapd_stopped_is_unavailable_and_once_it_is_back_a_login_is_accepted(
        own_directory, mail_server, authority, way):
    """Without a restart of Postfix: the same process answers all logins."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server(directory_settings(directory, way, authority))
    client = server.connect()
    assert server.sign_in(person.uid, "wrong", client=client).code == REFUSED
    directory.stop()
    assert smtp.plain(client, person.uid, app_password.shown).code == UNAVAILABLE
    assert smtp.plain(client, person.uid, person.password).code == UNAVAILABLE
    directory.start()
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED
    client.quit()


def test_a_slapd_that_was_never_there_is_unavailable(own_directory, mail_server):
    """Postfix starts before the directory."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    directory.stop()
    server = mail_server(TIMES | {"uri": directory.ldap})
    assert server.sign_in(person.uid, app_password.shown).code == UNAVAILABLE
    directory.start()
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED


@WAYS
def test_a_slapd_that_accepts_and_never_answers_is_unavailable_in_time(
        own_directory, mail_server, authority, way):
    """Silent from the first connection."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    client = mail_server(directory_settings(directory, way, authority)).connect()
    directory.pause()
    took, reply = seconds(lambda: smtp.plain(client, person.uid, app_password.shown))
    directory.resume()
    assert (reply.code, took < IN_TIME) == (UNAVAILABLE, True)
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED
    client.quit()


@WAYS
def test_a_slapd_that_falls_silent_later_is_unavailable_in_time(
        own_directory, mail_server, authority, way):
    """Silent on the kept connection."""
    directory = own_directory()
    person = directory.new_person()
    server = mail_server(directory_settings(directory, way, authority))
    client = server.connect()
    assert server.sign_in(person.uid, "wrong", client=client).code == REFUSED
    directory.pause()
    took, reply = seconds(lambda: smtp.plain(client, person.uid, person.password))
    directory.resume()
    assert (reply.code, took < IN_TIME) == (UNAVAILABLE, True)
    assert smtp.plain(client, person.uid, person.password).code == ACCEPTED
    client.quit()


@pytest.mark.parametrize("scheme, start_tls, fake", [
    pytest.param("ldap", False, {}, id="ldap, silent"),
    pytest.param("ldaps", False, {}, id="ldaps, silent in the handshake"),
    pytest.param("ldap", True, {}, id="StartTLS, silent"),
    pytest.param("ldap", True, {"starttls": True}, id="StartTLS, silent in the handshake"),
    pytest.param("ldap", False, {"drip": LDAP_DRIP}, id="ldap, a byte per second"),
    pytest.param("ldaps", False, {"drip": TLS_DRIP}, id="ldaps, a byte per second"),
    pytest.param("ldap", True, {"drip": LDAP_DRIP}, id="StartTLS, a byte per second"),
    pytest.param("ldap", True, {"starttls": True, "drip": TLS_DRIP},
                 id="StartTLS, a byte per second of the handshake"),
])
def test_a_server_that_hangs_is_unavailable_in_time(
        mail_server, authority, scheme, start_tls, fake):
    with FakeLdap(**fake) as server:
        client = mail_server(TIMES | {
            "uri": f"{scheme}://{server.address}", "start_tls": "yes" if start_tls else "no",
            "tls_cacert": authority.ca}).connect()
        took, reply = seconds(lambda: smtp.plain(client, "somebody", "secret"))
        client.close()
    assert (reply.code, took < IN_TIME) == (UNAVAILABLE, True)


def test_the_first_of_two_uris_dead_is_accepted(mail_server, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"uri": f"ldap://{dead_address()} {directory.ldap}"})
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_the_first_of_two_uris_silent_costs_one_timeout_and_is_then_skipped(
        mail_server, directory):
    person = directory.new_person()
    with FakeLdap() as silent:
        server = mail_server({"timeout": 5, "deadline": 60,
                              "uri": f"ldap://{silent.address} {directory.ldap}"})
        took, reply = seconds(lambda: server.sign_in(person.uid, person.password))
        assert (reply.code, 5 <= took < 10) == (ACCEPTED, True)
        took, reply = seconds(lambda: server.sign_in(person.uid, person.password))
        assert (reply.code, took < 5) == (ACCEPTED, True)
        assert silent.connections == 1


def test_many_silent_uris_are_unavailable_in_time(mail_server):
    """The deadline is for the whole login, not for each server: the timeouts of all eight would be 40 seconds."""
    with FakeLdap() as silent:
        uris = " ".join([f"ldap://{silent.address}"] * 8)
        client = mail_server({"timeout": 5, "deadline": 5, "uri": uris}).connect()
        took, reply = seconds(lambda: smtp.plain(client, "somebody", "secret"))
        client.close()
    assert (reply.code, took < IN_TIME) == (UNAVAILABLE, True)


def test_both_uris_dead_is_unavailable_and_the_second_back_is_accepted(own_directory, mail_server):
    """A failed URI is skipped only while there is a better one."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server(TIMES | {"uri": f"ldap://{dead_address()} {directory.ldap}"})
    directory.stop()
    assert server.sign_in(person.uid, app_password.shown).code == UNAVAILABLE
    directory.start()
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED


@WAYS
def test_an_idle_connection_closed_by_slapd_goes_unnoticed(
        own_directory, mail_server, authority, way):
    directory = own_directory(lines="idletimeout 3")  # less may pass within a login, or while a user is made
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server(directory_settings(directory, way, authority))
    client = server.connect()
    mark = directory.mark()
    assert server.sign_in(person.uid, "wrong", client=client).code == REFUSED
    wait_until(lambda: any("closed (idletimeout)" in line for line in directory.log_since(mark)),
               "slapd to close the connection")
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED
    client.quit()


def test_slapd_restarted_between_two_logins_goes_unnoticed(own_directory, mail_server):
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"uri": directory.ldap})
    client = server.connect()
    assert server.sign_in(person.uid, "wrong", client=client).code == REFUSED
    directory.stop()
    directory.start()
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED
    client.quit()


def test_one_connection_is_kept_for_all_logins_of_a_process(own_directory, mail_server):
    directory = own_directory()
    server = mail_server({"uri": directory.ldap})
    logins = [directory.new_person(mfa=True, app_passwords=1) for _ in range(5)]
    mark = directory.mark()
    for person, app_password in logins:
        assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
    assert len(connections(directory, mark)) == 1


def test_nothing_is_opened_before_the_first_login(own_directory, mail_server):
    directory = own_directory()
    mark = directory.mark()
    client = mail_server({"uri": directory.ldap}).connect()
    assert connections(directory, mark) == {}
    client.quit()


def test_binds_of_users_have_a_connection_of_their_own(own_directory, mail_server):
    """The one for searches never changes its identity."""
    directory = own_directory()
    person = directory.new_person()
    server = mail_server({"uri": directory.ldap})
    mark = directory.mark()
    for _ in range(2):
        assert server.sign_in(person.uid, person.password).code == ACCEPTED
    kept, *of_the_user = connections(directory, mark).values()
    assert kept == ["cn=mail-server,ou=services,dc=example,dc=org"]
    assert of_the_user == [[person.dn, person.dn]]


def connections(directory, mark):
    """The DNs bound on each connection since the mark: {connection: [DN…]}.

    On a busy machine slapd may log a connection after its first operations: one from before the mark, too.
    """
    before = set(re.findall(r"conn=(\d+) ", directory.log.read_bytes()[:mark].decode(errors="replace")))
    bound = {}
    for line in directory.log_since(mark):
        if match := re.search(r"conn=(\d+) .*ACCEPT from", line):
            bound.setdefault(match[1], [])
        elif match := re.search(r'conn=(\d+) .*BIND dn="(.+)" method=', line):
            bound.setdefault(match[1], []).append(match[2])
    return {connection: dns for connection, dns in bound.items() if connection not in before}


@pytest.mark.parametrize("config", [
    pytest.param({"base": "ou=nowhere,dc=example,dc=org"}, id="a base that does not exist"),
    pytest.param({"base": "dc=example,dc=com"}, id="a base of another directory"),
    pytest.param({"bindpw_file": "/etc/hostname"}, id="a wrong password of the mail server"),
    pytest.param({"binddn": "cn=nobody,dc=example,dc=org"}, id="an unknown mail server"),
])
def test_a_directory_that_cannot_be_asked_is_unavailable(mail_server, directory, config):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server(config)
    assert server.sign_in(person.uid, app_password.shown).code == UNAVAILABLE
    assert server.sign_in(person.uid, person.password).code == UNAVAILABLE


def test_a_directory_that_shows_the_mail_server_no_users_accepts_no_login(
        own_directory, mail_server):
    """Users are unknown; that is not an outage."""
    directory = own_directory(first_rules=(
        'access to dn.children="ou=people,dc=example,dc=org"'
        ' by dn.exact="cn=mail-server,ou=services,dc=example,dc=org" none by * break'))
    person = directory.new_person()
    server = mail_server({"uri": directory.ldap})
    assert server.sign_in(person.uid, person.password).code == REFUSED
