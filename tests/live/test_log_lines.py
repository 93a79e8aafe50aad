# SPDX-License-Identifier: BSD-2-Clause
"""The log line of each login, read by fail2ban and people."""

import re
import time

import pytest

import apppassword
import smtp
from fakes import dead_address
from slapd import DISABLED, MUST_CHANGE, TWINS
from smtp import ACCEPTED, REFUSED, UNAVAILABLE


def new_user(directory):
    person = directory.new_person()
    return person.uid, person.password, "-"


def mfa_user(directory):
    person = directory.new_person(mfa=True)
    return person.uid, person.password, "-"


def with_app_password(**fields):
    """A user who signs in with such an app password."""
    def prepare(directory):
        person = directory.new_person(mfa=True)
        added = directory.add_app_password(person, **fields)
        return person.uid, added.shown, added.id
    return prepare


def same_id_twice(directory):
    person = directory.new_person(mfa=True)
    directory.add_app_password(person, id="k7q2")
    return person.uid, directory.add_app_password(person, id="k7q2").shown, "k7q2"


def mistyped(directory):
    person = directory.new_person(mfa=True)
    directory.add_app_password(person, id="k7q2")
    return person.uid, apppassword.make(id="k7q2").shown, "k7q2"


def revoked(directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    directory.revoke(person, app_password)
    return person.uid, app_password.shown, "-"


def announced(directory):
    person = directory.new_person()
    directory.set_mfa(person, True, enforce_from=apppassword.from_now(hours=1))
    return person.uid, person.password, "-"


def locked(directory):
    person = directory.new_person()
    for _ in range(5):
        with pytest.raises(Exception, match="Invalid credentials"):
            directory.connect(person, "wrong")
    return person.uid, person.password, "-"


def fixed(login, password="wrong"):
    return lambda directory: (login, password, "-")


EXPIRED = apppassword.from_now(seconds=-1)
NEXT_WEEK = apppassword.from_now(days=7)
DEAD = f"ldap://{dead_address()}"
REPORT = {"mfa_enforcement": "report"}
NEVER = {"account_password": "never"}
WEBMAIL = {"account_password_from": "127.0.0.0/8"}

# Case: configuration, how to sign in, verdict and reason, the text after the id
CASES = {
    "an app password": ({}, with_app_password(), "accepted app-password", ""),
    "the account password without MFA": ({}, new_user, "accepted account-password", ""),
    "announced MFA": ({}, announced, "accepted account-password",
                      " would-refuse=account-password-with-mfa"),
    "report mode": (REPORT, mfa_user, "accepted account-password",
                    " would-refuse=account-password-with-mfa"),
    "report mode without MFA": (REPORT, new_user, "accepted account-password", ""),
    "a webmail host": (WEBMAIL, mfa_user, "accepted account-password", " exempt=network"),
    "an empty password": ({}, fixed("alice", ""), "refused malformed", ""),
    "an unknown user": ({}, fixed("nobody-here"), "refused unknown-user", ""),
    "a disabled account": ({}, fixed(DISABLED.uid), "refused account-disabled",
                           ' error="pwdAccountLockedTime ends the account"'),
    "a duplicate id": ({}, same_id_twice, "refused unusable-value",
                                  ' dn="uid=.*" error=".*"'),
    "a cost over the cap": (
        {}, with_app_password(cost=(33, 1)), "refused unusable-value",
        ' dn="uid=.*" error="the hash costs 33792 KiB and 1 passes, over the cap of .*"'),
    "passes over the cap": (
        {}, with_app_password(cost=(1, 5)), "refused unusable-value",
        ' dn="uid=.*" error="the hash costs 1024 KiB and 5 passes, over the cap of .*"'),
    "a cost at the cap": ({}, with_app_password(cost=(32, 4)), "accepted app-password", ""),
    "a cost over the default cap where new ones cost more": (
        {"hash_memory": "12M"}, with_app_password(cost=(33, 1)), "accepted app-password", ""),
    "an expired app password": ({}, with_app_password(expires=EXPIRED), "refused expired", ""),
    "another service": ({}, with_app_password(services="imap"), "refused wrong-service", ""),
    "another network": ({}, with_app_password(networks="192.0.2.0/24"), "refused wrong-network",
                        ""),
    "a mistyped app password": ({}, mistyped, "refused wrong-app-password", ""),
    "a revoked app password": ({}, revoked, "refused unknown-app-password", ""),
    "the account password with MFA": ({}, mfa_user, "refused account-password-with-mfa", ""),
    "a wrong account password": ({}, lambda directory: (directory.new_person().uid, "wrong", "-"),
                                 "refused wrong-account-password", ""),
    "a locked account": ({}, locked, "refused account-locked", ""),
    "a password to be changed": ({}, fixed(MUST_CHANGE.uid, MUST_CHANGE.password),
                                 "refused password-must-change", ""),
    "no account passwords": (NEVER, new_user, "refused account-password-never", ""),
    "two entries": ({}, fixed(TWINS[0].mail), "unavailable ambiguous-user",
                    ' dn="uid=twin-.*" error=".*"'),
    "a clock two days behind": ({}, with_app_password(created=NEXT_WEEK), "unavailable clock",
                                ' dn="uid=.*" error=".*"'),
    "no directory": ({"uri": DEAD}, fixed("alice"), "unavailable directory-unavailable",
                     ' error=".*"'),
    "a folder in place of the CA file": (
        {"uri": "ldaps://127.0.0.1", "tls_cacert": "/etc"}, fixed("alice"),
        "unavailable configuration", ' error=".*"'),
    "an unknown MFA flag": ({"mfa_filter": "(noSuchFlag=TRUE)",
                             "mfa_off_filter": "(noSuchFlag=FALSE)"}, new_user,
                            "unavailable mfa-unreadable", ' dn="uid=.*" error=".*"'),
}
CODES = {"accepted": ACCEPTED, "refused": REFUSED, "unavailable": UNAVAILABLE}


@pytest.mark.parametrize("config, prepare, outcome, extras", [
    pytest.param(*case, id=name) for name, case in CASES.items()])
def test_the_log_line_has_verdict_and_reason(
        mail_server, usual, directory, config, prepare, outcome, extras):
    """One line for each login, its keys in the documented order."""
    verdict, reason = outcome.split()
    user, password, id = prepare(directory)
    server = mail_server(config) if config else usual
    before = len(server.events())
    assert server.sign_in(user, password).code == CODES[verdict]
    (line,) = server.events()[before:]
    assert re.fullmatch(
        rf'\S+ app-password: verdict={verdict} reason={reason} user="{re.escape(user)}"'
        rf" service=smtp client=127\.0\.0\.1 id={id}{extras}", line)


def test_the_accepted_name_is_logged_if_it_is_not_what_was_typed(mail_server, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"login_attribute": "uid"})
    for login, end in (person.mail, f' name="{person.uid}"'), (person.uid.upper(), None), (
            person.uid, f" id={app_password.id}"):
        assert server.sign_in(login, app_password.shown).code == ACCEPTED
        assert server.events()[-1].endswith(end or f' name="{person.uid}"')
    assert server.sign_in(person.mail, person.password).code == REFUSED
    assert " name=" not in server.events()[-1]


@pytest.mark.parametrize("login, logged", [
    pytest.param('a"b\\c', r"a\x22b\x5cc", id="a quotation mark and a backslash"),
    pytest.param(b"a\xe9b", r"a\xe9b", id="a byte that is not UTF-8"),
    pytest.param("Zoë", "Zoë", id="UTF-8"),
    pytest.param("a\nverdict=accepted", r"a\x0averdict=accepted", id="a line break"),
    pytest.param("a" * 300, "a" * 255, id="300 bytes"),
    pytest.param(apppassword.make().shown, "(app password)", id="an app password by mistake"),
])
@pytest.mark.parametrize("how", [smtp.plain, smtp.login])
def test_the_typed_login_is_logged_safely(usual, login, logged, how):
    assert usual.sign_in(login, "secret", how).code == REFUSED
    assert f' user="{logged}" ' in usual.events()[-1]


def test_postfix_names_the_user_in_its_own_failure_line(mail_server, directory):
    """fail2ban also reads this line."""
    person = directory.new_person(mfa=True)
    for how in smtp.plain, smtp.login:
        server = mail_server()
        assert server.sign_in(person.uid, person.password, how).code == REFUSED
        assert re.search(
            rf"warning: localhost\[127\.0\.0\.1\]: SASL {how.__name__.upper()} authentication "
            rf"failed: .*, sasl_username={person.uid}$", server.postfix_says("sasl_username="))


def test_the_authorization_identity_of_another_user_is_logged_as_refused(mail_server, directory):
    """And delayed, like every refusal."""
    person, another = directory.new_person(), directory.new_person()
    server = mail_server({"refusal_delay": 1})
    began = time.monotonic()
    assert server.sign_in(person.uid, person.password, authzid=another.uid).code == REFUSED
    assert time.monotonic() - began >= 1
    line, = server.events()
    assert f'verdict=refused reason=foreign-authzid user="{person.uid}"' in line


def test_an_app_password_typed_as_login_is_in_no_log(mail_server, directory):
    """Neither in ours nor in Postfix's."""
    server = mail_server()
    _, app_password = directory.new_person(mfa=True, app_passwords=1)
    for how in smtp.plain, smtp.login:
        assert server.sign_in(app_password.shown, "whatever", how=how).code == REFUSED
    server.postfix_says("authentication failed")
    assert app_password.shown not in "\n".join(
        server.events() + server.postfix.log_of(server.service))


def test_postfix_says_that_the_directory_is_away(mail_server):
    server = mail_server({"uri": DEAD})
    assert server.sign_in("alice", "secret").code == UNAVAILABLE
    assert "SASL authentication problem" in server.postfix_says("127.0.0.1:")


def test_no_password_is_ever_logged(mail_server, directory):
    """Not by us, Postfix or slapd, whether accepted or refused."""
    person, app_password = directory.new_person(app_passwords=1)
    server = mail_server()
    mark = directory.mark()
    passwords = [person.password, app_password.shown, "A-Wrong-Password",
                 apppassword.make(id=app_password.id).shown]
    for password in passwords:
        for how in smtp.plain, smtp.login:
            server.sign_in(person.uid, password, how)
    server.postfix_says("disconnect")
    logged = "\n".join(server.events() + server.postfix.log_of(server.service)
                       + directory.log_since(mark))
    for password in passwords:
        assert password not in logged
        assert password.replace("-", "") not in logged
    assert "argon2" not in logged


def test_the_log_file_is_not_for_everybody(usual):
    usual.sign_in("nobody-here", "wrong")
    assert usual.log.owner() == "root"
    assert usual.log.stat().st_mode & 0o027 == 0
