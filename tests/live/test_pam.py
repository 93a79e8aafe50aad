# SPDX-License-Identifier: BSD-2-Clause
"""The PAM module with the files of examples/pam/: saslauthd, pamtester, and Dovecot without Lua."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

import pam
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, asking_pam, doveadm, imap, pop3, submission
from dovecot24 import is_here
from processes import free_port
from slapd import IDENTITIES

OK, NO = 'OK "Success."', 'NO "authentication failed"'
SUCCESS, FAILURE = "successfully authenticated", "Authentication failure"


@pytest.fixture
def dovecot_with_pam(dovecot):
    """Makes a Dovecot that asks PAM."""
    example = "passdb-pam-2.4.conf" if is_here() else "passdb-pam-2.3.conf"

    def make(services, settings=lambda text: asking_pam(text, example)):
        return dovecot(settings=settings, pam_d=services.pam_d)
    return make


# ---- saslauthd, for programs that call sasl_checkpass() ----

def test_saslauthd_accepts_an_app_password_and_refuses_the_account_password(
        saslauthd, services, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    asked = services()
    server = saslauthd(asked)
    assert server.says(person.uid, app_password.shown) == OK
    assert server.says(person.uid, person.password) == NO
    assert server.says("nobody-here", "wrong") == NO
    assert [line.split(" ", 2)[2] for line in asked.events()] == [
        f'verdict=accepted reason=app-password user="{person.uid}" service=imap client=-'
        f" id={app_password.id}",
        f'verdict=refused reason=account-password-with-mfa user="{person.uid}" service=imap'
        " client=- id=-",
        'verdict=refused reason=unknown-user user="nobody-here" service=imap client=- id=-']


def test_saslauthd_accepts_the_account_password_without_mfa(saslauthd, services, directory):
    person = directory.new_person()
    server = saslauthd(services())
    assert server.says(person.uid, person.password) == OK
    assert server.says(person.uid, "wrong") == NO
    directory.set_mfa(person, True)
    assert server.says(person.uid, person.password) == NO


def test_saslauthd_takes_one_spelling_if_the_filter_knows_one(saslauthd, services, directory):
    """It continues with the typed name, so no other name may find the entry."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = saslauthd(services({"filter": "(uid=%u)"}))
    assert server.says(person.uid, app_password.shown) == OK
    assert server.says(person.mail, app_password.shown) == NO


def test_saslauthd_passes_on_the_service(saslauthd, services, directory):
    """A service without a PAM file is denied."""
    person = directory.new_person(mfa=True)
    shown = directory.add_app_password(person, services="imap").shown
    anything = directory.add_app_password(person).shown
    server = saslauthd(services())
    assert server.says(person.uid, shown, service="imap") == OK
    assert server.says(person.uid, shown, service="smtp") == NO
    assert server.says(person.uid, anything, service="smtp") == OK
    assert server.says(person.uid, anything, service="xmpp") == NO
    pop3_only = directory.add_app_password(person, services="pop3").shown
    assert server.says(person.uid, pop3_only, service="pop") == OK  # Cyrus's name for it
    assert server.says(person.uid, person.password, service="pop") == NO


def test_saslauthd_refuses_a_revoked_app_password(saslauthd, services, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = saslauthd(services())
    assert server.says(person.uid, app_password.shown) == OK
    directory.revoke(person, app_password)
    assert server.says(person.uid, app_password.shown) == NO


def test_saslauthd_with_a_cache_goes_on_accepting_a_revoked_app_password(
        saslauthd, services, directory):
    """The reason not to use "saslauthd -c"."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = saslauthd(services(), "-c")
    assert server.says(person.uid, app_password.shown) == OK
    directory.revoke(person, app_password)
    assert server.says(person.uid, app_password.shown) == OK


def test_saslauthd_refuses_in_an_outage_and_accepts_when_it_is_over(
        saslauthd, services, own_directory):
    """saslauthd has one answer for all failures; our log distinguishes them."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    asked = services({"uri": directory.ldap})
    server = saslauthd(asked)
    assert server.says(person.uid, app_password.shown) == OK
    directory.stop()
    assert server.says(person.uid, app_password.shown) == NO
    assert "verdict=unavailable reason=directory-unavailable" in asked.events()[-1]
    directory.start()
    assert server.says(person.uid, app_password.shown) == OK


def test_saslauthd_keeps_one_connection(saslauthd, services, own_directory):
    """Although each login loads the module and lets it go."""
    directory = own_directory()
    logins = [directory.new_person(mfa=True, app_passwords=1) for _ in range(4)]
    server = saslauthd(services({"uri": directory.ldap}))
    mark = directory.mark()
    for person, app_password in logins:
        assert server.says(person.uid, app_password.shown) == OK
    assert directory.binds_since(mark) == [IDENTITIES["mail server"]]


# ---- Any program ----

def test_only_a_user_whom_the_module_accepted_has_an_account(services, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    asked = services()

    def operations(password, *names):
        lines = pam.pamtester(asked.pam_d, "imap", person.uid, password, *names)
        return [line.removeprefix("pamtester: ") for line in lines]

    assert operations(app_password.shown, "authenticate", "acct_mgmt", "setcred") == [
        SUCCESS, "account management done.", "credential info has successfully been set."]
    assert operations(person.password, "authenticate", "acct_mgmt") == [FAILURE]
    assert operations("", "acct_mgmt") == ["Permission denied"]


def test_the_log_line_names_the_client_if_the_program_does(services, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    asked = services()
    for rhost, client in (("2001:db8::7", "2001:db8::7"), ("fe80::7%eth0", "fe80::7"),
                          ("client.example.org", "-")):
        pam.pamtester(asked.pam_d, "smtp", person.uid, app_password.shown, "authenticate",
                      rhost=rhost)
        assert asked.events()[-1].endswith(f" service=smtp client={client} id={app_password.id}")


def test_from_an_unknown_client_an_app_password_for_a_network_is_refused(services, directory):
    person = directory.new_person(mfa=True)
    shown = directory.add_app_password(person, networks="192.0.2.0/24").shown
    asked = services()
    for items, said in ({"rhost": "192.0.2.7"}, SUCCESS), ({}, FAILURE):
        (line,) = pam.pamtester(asked.pam_d, "imap", person.uid, shown, "authenticate", **items)
        assert line == f"pamtester: {said}"


@pytest.mark.parametrize("arguments", [
    pytest.param(lambda line: f"{line} frobnicate", id="unknown"),
    pytest.param(lambda line: f"{line} nullok", id="of other modules"),
    pytest.param(lambda line: re.sub("config=", "confg=", line), id="misspelled"),
])
def test_with_an_argument_every_login_fails(services, directory, arguments):
    person, app_password = directory.new_person(app_passwords=1)
    asked = services(arguments=arguments)
    for password in app_password.shown, person.password, "":
        (line,) = pam.pamtester(asked.pam_d, "imap", person.uid, password, "authenticate")
        assert line == "pamtester: Authentication service cannot retrieve authentication info"


# ---- Dovecot without Lua ----

@pytest.mark.parametrize("client, service", [(imap, "imap"), (pop3, "pop3"), (submission, "smtp")])
def test_dovecot_accepts_an_app_password_and_refuses_the_account_password(
        dovecot_with_pam, services, directory, client, service):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    asked = services()
    server = dovecot_with_pam(asked)
    assert client(server, person.uid, app_password.shown) == ACCEPTED
    assert asked.events()[-1].endswith(f" service={service} client=127.0.0.1 id={app_password.id}")
    assert client(server, person.uid, person.password) == REFUSED


def test_dovecot_accepts_the_account_password_without_mfa(dovecot_with_pam, services, directory):
    person = directory.new_person()
    server = dovecot_with_pam(services())
    assert imap(server, person.uid, person.password) == ACCEPTED
    assert imap(server, person.uid, "wrong") == REFUSED


def test_in_dovecot_an_app_password_opens_only_the_services_it_is_for(
        dovecot_with_pam, services, directory):
    person = directory.new_person(mfa=True)
    for_imap = directory.add_app_password(person, services="imap").shown
    for_smtp = directory.add_app_password(person, services="smtp").shown
    server = dovecot_with_pam(services())
    assert imap(server, person.uid, for_imap) == ACCEPTED
    assert imap(server, person.uid, for_smtp) == REFUSED
    assert submission(server, person.uid, for_imap) == REFUSED
    assert submission(server, person.uid, for_smtp) == ACCEPTED


@pytest.mark.dovecot23
def test_with_one_file_for_all_services_one_that_is_for_some_is_refused(
        dovecot_with_pam, services, directory):
    """Then the module cannot tell the service; examples/pam/dovecot says so."""
    person = directory.new_person(mfa=True)
    for_imap = directory.add_app_password(person, services="imap").shown
    anything = directory.add_app_password(person).shown
    server = dovecot_with_pam(
        services(), lambda settings: asking_pam(settings).replace("max_requests=0 %s",
                                                                  "max_requests=0 dovecot"))
    assert imap(server, person.uid, anything) == ACCEPTED
    assert imap(server, person.uid, for_imap) == REFUSED


def test_login_attribute_becomes_dovecots_user(dovecot_with_pam, services, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot_with_pam(services({"login_attribute": "uid"}))
    assert imap(server, person.mail, app_password.shown, create="made-now") == ACCEPTED
    assert server.owner_of("made-now") == person.uid


def test_with_tempfail_exit_dovecot_says_unavailable_and_accepts_when_the_outage_is_over(
        dovecot_with_pam, services, own_directory):
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot_with_pam(services({"uri": directory.ldap}))
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    directory.stop()
    for client in imap, pop3, submission, doveadm:
        assert client(server, person.uid, app_password.shown) == UNAVAILABLE
    directory.start()
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    assert imap(server, person.uid, person.password) == REFUSED


def many_logins_in_an_outage_delay_none_after_it(server, directory, person, app_password):
    """Dovecot starts no workers for up to a minute if more than ten fail within a second."""
    directory.stop()
    with ThreadPoolExecutor(20) as clients:
        verdicts = set(clients.map(lambda _: imap(server, person.uid, app_password.shown), range(60)))
    assert verdicts == {UNAVAILABLE}
    directory.start()
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    assert "throttling" not in server.log.read_text(errors="replace")


def test_many_logins_in_an_outage(dovecot_with_pam, services, own_directory):
    directory = own_directory()
    server = dovecot_with_pam(services({"uri": directory.ldap}))
    many_logins_in_an_outage_delay_none_after_it(
        server, directory, *directory.new_person(mfa=True, app_passwords=1))


def test_without_tempfail_exit_dovecot_says_that_the_password_is_wrong(
        dovecot_with_pam, services):
    """The reason for it in the example."""
    asked = services({"uri": f"ldap://127.0.0.1:{free_port()}"},
                     arguments=lambda line: line.replace("tempfail=exit", ""))
    assert imap(dovecot_with_pam(asked), "alice", "secret") == REFUSED
    assert "verdict=unavailable reason=directory-unavailable" in asked.events()[-1]


def test_a_worker_keeps_one_connection_for_all_its_logins(
        dovecot_with_pam, services, own_directory):
    """Although each login loads the module and lets it go."""
    directory = own_directory()
    logins = [directory.new_person(mfa=True, app_passwords=1) for _ in range(4)]
    server = dovecot_with_pam(services({"uri": directory.ldap}))
    mark = directory.mark()
    for person, app_password in logins:
        assert imap(server, person.uid, app_password.shown) == ACCEPTED
        assert imap(server, person.uid, person.password) == REFUSED
    assert directory.binds_since(mark) == [IDENTITIES["mail server"]]
