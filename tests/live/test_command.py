# SPDX-License-Identifier: BSD-2-Clause
"""The command app-password, as administrators call it, against a directory under our own rules."""

import json
import os
import pathlib
import re
import signal
import subprocess
from datetime import datetime, timedelta, timezone

import ldap
import pytest

import apppassword
from administration import (COMMAND, CONFIGURATION, DONE, FAILED, NOT_PERMITTED, PREFIX, UNAVAILABLE,
                            USAGE, Site)
from processes import free_port
from slapd import (BASE, CLOSED_SITE, DISABLED, GROUP, IDENTITIES, MEMBER, NON_MEMBER, TWINS,
                   Slapd, secret)
from terminal import Terminal

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "completions" / "app-password"

SHOWN = r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){4}"
RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module")
def directory(workdir):
    """The user running the tests is an administrator over ldapi; memberOf can be searched."""
    caller = f"gidNumber={os.getgid()}[+]uidNumber={os.getuid()},cn=peercred,cn=external,cn=auth"
    slapd = Slapd(
        workdir / "command",
        lines=f'authz-regexp "{caller}" "{IDENTITIES["administrator"]}"',
        site_rules=f"access to dn.subtree=ou=people,{BASE} attrs=memberOf by users search\n" +
        CLOSED_SITE).start()
    yield slapd
    slapd.stop()


@pytest.fixture
def user(directory):
    """A user with MFA on."""
    return directory.new_person(mfa=True)


def assert_failed(called, status, *words):
    """It exits with that status, prints nothing on standard output, and says why in one line."""
    assert called.returncode == status, called
    assert called.stdout == "", called
    first = called.stderr.splitlines()[0]
    assert first.startswith("app-password: "), called
    for word in words:
        assert word in first, called


# ---- the surroundings ----

@pytest.mark.parametrize("name, value", [
    ("LDAPKEEPALIVE_IDLE", "1"), ("LDAPSIZELIMIT", "1"), ("LDAPDEREF", "always")])
def test_ldap_variables_do_not_matter(site, user, name, value):
    """libldap 2.5 itself crashes on the first of these."""
    site.done("create", user.uid, "--label", "x", env=os.environ | {name: value})
    assert len(site.listed(user)) == 1


# ---- usage ----

@pytest.mark.parametrize("arguments, words", [
    pytest.param(arguments, words, id=name) for name, arguments, words in [
        ("no command at all", [], "COMMAND is missing"),
        ("an unknown command", ["destroy", "alice"], "no such command: destroy"),
        ("an unknown long option", ["list", "alice", "--yaml"], "no such option: --yaml"),
        ("an unknown short option", ["list", "-x", "alice"], "no such option: -x"),
        ("an unknown option before the command", ["-Z", "list", "alice"], "no such option: -Z"),
        ("an option without its value", ["create", "alice", "--label"], "--label needs a value"),
        ("a short option without its value", ["-H"], "-H needs a value"),
        ("a value that an option does not take", ["list", "alice", "--json=yes"],
         "--json takes no value"),
        ("mfa without a verb", ["mfa"], "on, off, status or reset"),
        ("mfa with an unknown verb", ["mfa", "maybe", "alice"], "on, off, status or reset"),
        ("mfa of nobody", ["mfa", "on"], "USER is missing"),
        ("a date for mfa off", ["mfa", "off", "alice", "--enforce-from", "2099-01-01"],
         "mfa on only"),
        ("a period for mfa off", ["mfa", "off", "alice", "--announce", "14d"], "mfa on only"),
        ("mfa status now", ["mfa", "status", "alice", "--now"], "mfa on only"),
        ("a date and a period", ["mfa", "on", "alice", "--enforce-from", "2099-01-01",
                                 "--announce", "14d"], "exclude each other"),
        ("a date and now", ["mfa", "on", "alice", "--enforce-from", "2099-01-01", "--now"],
         "exclude each other"),
        ("a period and now", ["mfa", "on", "alice", "--announce", "14d", "--now"],
         "exclude each other"),
        ("a period that is none", ["mfa", "on", "alice", "--announce", "2099-01-01"],
         "must be a period"),
        ("no time at all", ["mfa", "on", "alice", "--announce", "0d"], "must be a period"),
        ("a date that is none", ["mfa", "on", "alice", "--enforce-from", "31.1.2099"],
         "2027-01-31T08:00:00Z"),
        ("a date that does not exist", ["mfa", "on", "alice", "--enforce-from", "2099-02-30"],
         "neither a date"),
        ("a date that has passed", ["mfa", "on", "alice", "--enforce-from", "2020-01-01"],
         "give --now"),
        ("a code for mfa off", ["mfa", "off", "alice", "--code"], "mfa on and mfa reset only"),
        ("a code for mfa status", ["mfa", "status", "alice", "--code"],
         "mfa on and mfa reset only"),
        ("a code that is given", ["mfa", "on", "alice", "--code=k7q2"], "--code takes no value"),
        ("create for nobody", ["create", "--label", "x"], "USER is missing"),
        ("create for two", ["create", "alice", "bob", "--label", "x"], "one USER"),
        ("create without a label", ["create", "alice"], "--label"),
        ("an empty label", ["create", "alice", "--label", ""], "1 to 64 characters"),
        ("a label of 65 characters", ["create", "alice", "--label", "ä" * 65],
         "1 to 64 characters"),
        ("a label with a line break", ["create", "alice", "--label", "two\nlines"],
         "control characters"),
        ("a blank label", ["create", "alice", "--label", " \t "], "1 to 64 characters"),
        ("an option given twice", ["create", "alice", "--label", "x", "--services", "smtp",
                                   "--services", "imap"], "--services is given twice"),
        ("--from given twice", ["create", "alice", "--label", "x", "--from", "192.0.2.1",
                                "--from", "192.0.2.2"], "--from is given twice"),
        ("--label given twice", ["create", "--label", "x", "alice", "--lab=y"],
         "--label is given twice"),
        ("--expires given twice", ["create", "alice", "--label", "x", "--expires", "never",
                                   "--expires", "90d"], "--expires is given twice"),
        ("--enforce-from given twice", ["mfa", "on", "alice", "--enforce-from", "2099-01-01",
                                        "--enforce-from", "2099-01-02"], "is given twice"),
        ("--service given twice", ["check", "alice", "--service", "smtp", "--service", "imap"],
         "--service is given twice"),
        ("-H given twice", ["-H", "ldapi:///", "-H", "ldapi:///", "list", "alice"],
         "-H is given twice"),
        ("a service with a blank", ["create", "alice", "--label", "x", "--services", "smtp, imap"],
         '" imap"'),
        ("a service with an unknown character", ["create", "alice", "--label", "x",
                                                 "--services", "smtp,im@p"], '"im@p"'),
        ("an empty service", ["create", "alice", "--label", "x", "--services", "smtp,"], '""'),
        ("a network that is none", ["create", "alice", "--label", "x",
                                    "--from", "192.0.2.0/24,192.0.2.0/33"], '"192.0.2.0/33"'),
        ("a network with bits behind the prefix", ["create", "alice", "--label", "x",
                                                   "--from", "192.0.2.1/24"], '"192.0.2.1/24"'),
        ("an end in the past", ["create", "alice", "--label", "x", "--expires", "2020-01-31"],
         "passed already"),
        ("an end after no time", ["create", "alice", "--label", "x", "--expires", "0d"],
         "passed already"),
        ("an end in centuries", ["create", "alice", "--label", "x", "--expires", "2927-01-31"],
         "100 years"),
        ("an end that is none", ["create", "alice", "--label", "x", "--expires", "soon"], "90d"),
        ("list of two", ["list", "alice", "bob"], "one USER"),
        ("list of nobody", ["list"], "USER is missing"),
        ("revoke of nobody", ["revoke"], "USER is missing"),
        ("revoke of nothing", ["revoke", "alice"], "ID is missing"),
        ("revoke of some and of all", ["revoke", "alice", "k7q2", "--all"], "exclude each other"),
        ("check of nobody", ["check"], "USER is missing"),
        ("check as an administrator", ["-D", "cn=x", "-W", "check", "alice"], "leave"),
        ("check at a service that is none", ["check", "alice", "--service", "a b"], '"a b"'),
        ("check from an address that is none", ["check", "alice", "--client", "mail.example.org"],
         '"mail.example.org"'),
        ("-y and -W", ["-D", "cn=x", "-y", "file", "-W", "list", "alice"], "exclude each other"),
        ("-D without a password", ["-D", "cn=x", "list", "alice"], "-W or -y"),
        ("-W without -D", ["-W", "list", "alice"], "give -D"),
        ("-D with something else", ["-D", "administrator", "-W", "list", "alice"], "not a DN"),
        ("another mechanism", ["-Y", "PLAIN", "list", "alice"], "GSSAPI"),
        ("EXTERNAL with -D", ["-D", "cn=x", "-Y", "EXTERNAL", "list", "alice"],
         "-Y EXTERNAL and -D exclude each other"),
        ("a URI that is none", ["-H", "localhost", "list", "alice"], "-H"),
        ("a URI without TLS", ["-H", "ldap://ldap.example.org", "list", "alice"], "-H"),
    ]])
def test_wrong_usage(site, arguments, words):
    called = site.command(*arguments)
    assert_failed(called, USAGE, words)
    assert "--help" in called.stderr


def test_a_password_among_the_arguments_is_not_repeated(site):
    for arguments in (["list", "alice", "--password=Tr0ub4dor"], ["check", "alice", "Tr0ub4dor"],
                      ["revoke", "alice", "k7q2-9fjd-x3mh-4tnz-p8ww"]):
        called = site.command(*arguments)
        assert_failed(called, USAGE)
        assert "Tr0ub" not in called.stderr and "9fjd" not in called.stderr


def test_help_and_version(site):
    for options in (["-h"], ["--help"], ["create", "--help"], ["mfa", "-h"]):
        assert site.done(*options).startswith("Usage: app-password ")
    assert "--label TEXT" in site.done("create", "--help")
    assert "revoke" not in site.done("create", "--help")
    assert re.fullmatch(r"app-password \d+\.\d+\S*\n", site.done("-V"))
    assert site.done("--version") == site.done("-V")


@pytest.mark.parametrize("arguments, why", [
    (["--version"], "No space left on device"),
    (["--help"], "could not be written"),  # longer than the buffer: the first error is lost
])
def test_output_that_cannot_be_written_is_a_failure(site, arguments, why):
    with open("/dev/full", "w") as full:
        called = site.command(*arguments, stdout=full)
    assert called.returncode == FAILED
    assert called.stderr == f"app-password: standard output: {why}\n"


# ---- identity and server ----

def test_without_an_identity_it_says_how_to_give_one(make_site):
    site = make_site(manage_as=None)
    assert_failed(site.command("list", "alice"), CONFIGURATION, "-D DN", "-W", "-Y EXTERNAL",
                  str(site.folder / "admin.conf"))


def test_a_broken_admin_conf_is_named_with_its_line(site):
    (site.folder / "admin.conf").write_text("binddn cn=x\npassword y\n")
    assert_failed(site.command("list", "alice"), CONFIGURATION, "admin.conf:2", "password")


def test_options_win_over_admin_conf(make_site, user):
    site = make_site(manage_as="mail server")
    assert site.command("mfa", "off", user.uid).returncode == NOT_PERMITTED
    as_administrator = ["-D", IDENTITIES["administrator"], "-y", site.secret_file("administrator")]
    assert site.done(*as_administrator, "mfa", "off", user.uid) == f"{user.uid}: enforced → off\n"


def test_the_caller_manages_over_ldapi_with_external(make_site, user):
    site = make_site(manage_as=None)
    assert site.done("-Y", "EXTERNAL", "mfa", "off", user.uid) == f"{user.uid}: enforced → off\n"


def test_admin_conf_may_say_external(site, user):
    site.write(site.folder / "admin.conf", {"bind": "external"})
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: enforced → off\n"


def test_external_needs_ldapi(site, directory):
    assert_failed(site.command("-H", directory.ldap, "-Y", "EXTERNAL", "list", "alice"),
                  CONFIGURATION, "ldapi", directory.ldap)


def test_a_missing_password_file_is_named(site):
    assert_failed(site.command("-D", "cn=x", "-y", "/nonexistent/secret", "list", "alice"),
                  CONFIGURATION, "/nonexistent/secret")


def test_changes_go_to_write_uri(make_site, directory, user):
    nowhere = f"ldap://127.0.0.1:{free_port()}"
    site = make_site(uri=nowhere, write_uri=directory.ldap)
    assert site.done("mfa", "status", user.uid) == f"{user.uid}: on\n"


def test_of_several_uris_the_first_may_be_dead(make_site, directory, user):
    nowhere = f"ldap://127.0.0.1:{free_port()}"
    site = make_site(uri=nowhere)
    assert site.done("-H", f"{nowhere} {directory.ldap}", "mfa", "status", user.uid) == \
        f"{user.uid}: on\n"


def test_a_wrong_password_of_the_administrator_is_not_permitted(site, user):
    (site.folder / "administrator.secret").write_text("wrong\n")
    assert_failed(site.command("list", user.uid), NOT_PERMITTED)


@pytest.mark.parametrize("arguments", [
    pytest.param(arguments, id=" ".join(arguments[:2])) for arguments in [
        ["mfa", "off", "USER"], ["mfa", "reset", "USER"], ["create", "USER", "--label", "x"],
        ["revoke", "USER", "ID"], ["revoke", "USER", "--all"]]])
def test_the_mail_server_may_change_nothing(make_site, directory, arguments):
    site = make_site(manage_as="mail server")
    user, one = directory.new_person(mfa=True, app_passwords=1)
    names = {"USER": user.uid, "ID": one.id}
    called = site.command(*(names.get(word, word) for word in arguments))
    assert_failed(called, NOT_PERMITTED, user.uid)
    assert directory.app_passwords(user) == [one.value]
    assert directory.values(user, "appPasswordMfaEnabled") == ["TRUE"]


@pytest.mark.parametrize("arguments", [
    ["mfa", "on", "alice"], ["mfa", "status", "alice", "bob"], ["create", "alice", "--label", "x"],
    ["list", "alice"], ["revoke", "alice", "k7q2"]], ids=lambda arguments: arguments[0])
def test_a_directory_that_is_down_is_unavailable(make_site, arguments):
    site = make_site(uri=f"ldap://127.0.0.1:{free_port()}")
    assert_failed(site.command(*arguments), UNAVAILABLE, "alice", "127.0.0.1")


def test_a_directory_that_is_silent_is_unavailable(make_site, directory, user):
    site = make_site(timeout="2", deadline="4")
    directory.pause()
    try:
        assert_failed(site.command("list", user.uid), UNAVAILABLE, user.uid)
    finally:
        directory.resume()


def test_a_broken_configuration_is_named_with_its_line(site):
    site.config.write_text(site.config.read_text() + "color blue\n")
    line = len(site.keys) + 1
    for arguments in (["list", "alice"], ["check", "alice"]):
        assert_failed(site.command(*arguments), CONFIGURATION, f"app-password.conf:{line}",
                      "color")


def test_a_missing_configuration_is_named(site):
    site.config.unlink()
    assert_failed(site.command("list", "alice"), CONFIGURATION, str(site.config))


def test_a_base_that_does_not_exist_is_named(make_site):
    site = make_site(base="dc=example,dc=net")
    assert_failed(site.command("list", "alice"), CONFIGURATION, "dc=example,dc=net")


# ---- a terminal ----

def test_the_password_of_dn_is_asked_for_without_echo(make_site, user):
    site = make_site(manage_as=None)
    dn = IDENTITIES["administrator"]
    with Terminal(site, "-D", dn, "-W", "mfa", "off", user.uid) as terminal:
        terminal.see(f"Password of {dn}: ")
        assert not terminal.echoes()
        terminal.type(secret("administrator") + "\n")
        assert terminal.finish() == (DONE, f"{user.uid}: enforced → off\n", "")
        assert terminal.echoes()
        terminal.see("\r\n")
        assert secret("administrator") not in terminal.screen


def test_interrupting_the_question_brings_the_echo_back(make_site, user):
    site = make_site(manage_as=None)
    with Terminal(site, "-D", IDENTITIES["administrator"], "-W", "list", user.uid) as terminal:
        terminal.see("Password of ")
        terminal.type("half a passw\x03")
        status, out, _ = terminal.finish()
        assert (status, out) == (-signal.SIGINT, "")
        assert terminal.echoes()


def test_check_asks_for_the_password_where_input_is_a_terminal(site, directory):
    user = directory.new_person()
    with Terminal(site, "check", user.uid, stdin="terminal") as terminal:
        terminal.see(f"Password of {user.uid}: ")
        terminal.type(user.password + "\n")
        status, out, _ = terminal.finish()
        assert status == DONE
        assert "verdict=accepted reason=account-password " in out


def test_without_a_terminal_there_is_nobody_to_ask(make_site):
    site = make_site(manage_as=None)
    called = site.command("-D", "cn=x", "-W", "list", "alice", start_new_session=True)
    assert_failed(called, CONFIGURATION, "/dev/tty")


# ---- mfa ----

def test_mfa_goes_on_and_off_and_says_when_nothing_changed(site, directory):
    user = directory.new_person()
    name = user.uid
    assert site.done("mfa", "status", name) == f"{name}: off\n"
    assert site.done("mfa", "off", name) == f"{name}: unchanged, off\n"
    assert directory.values(user, "objectClass") == ["inetOrgPerson"]
    assert site.done("mfa", "on", name) == f"{name}: off → enforced now\n"
    assert site.done("mfa", "on", name) == f"{name}: unchanged, enforced\n"
    assert site.done("mfa", "status", name) == f"{name}: on\n"
    assert directory.values(user, "appPasswordMfaEnabled") == ["TRUE"]
    assert "appPasswordAccount" in directory.values(user, "objectClass")
    assert site.done("mfa", "off", name) == f"{name}: enforced → off\n"
    assert site.done("mfa", "off", name) == f"{name}: unchanged, off\n"
    assert site.done("mfa", "status", name) == f"{name}: off\n"


def test_of_several_users_one_that_does_not_exist_stops_nothing(site, directory):
    one, two = directory.new_person(), directory.new_person()
    called = site.command("mfa", "on", one.uid, "nobody", two.uid)
    assert called.returncode == FAILED
    assert called.stdout == "".join(f"{who.uid}: off → enforced now\n" for who in (one, two))
    assert "app-password: nobody: no such user" in called.stderr
    assert site.done("mfa", "status", one.uid, two.uid) == f"{one.uid}: on\n{two.uid}: on\n"


def test_where_all_users_fail_in_the_same_way_the_status_says_which(make_site, directory):
    site = make_site(manage_as="mail server")
    one, two = directory.new_person(), directory.new_person()
    assert_failed(site.command("mfa", "on", one.uid, two.uid), NOT_PERMITTED, one.uid)
    assert_failed(site.command("mfa", "on", one.uid, "nobody"), FAILED, one.uid)


def test_a_user_is_found_by_mail_address_too(site, directory, user):
    assert site.done("mfa", "off", user.mail) == f"{user.mail}: enforced → off\n"
    assert directory.values(user, "appPasswordMfaEnabled") == ["FALSE"]


def test_a_user_who_is_not_one_entry_is_refused(site):
    called = site.command("mfa", "on", TWINS[0].mail)
    assert_failed(called, FAILED, "more than one entry", TWINS[0].dn, TWINS[1].dn)


def test_a_name_that_nobody_can_have_is_not_found(site):
    assert_failed(site.command("mfa", "status", " "), FAILED, "no login can have this name")
    assert_failed(site.command("list", "*"), FAILED, "no such user")


def test_mfa_cannot_be_set_where_its_filter_reads_something_else(make_site):
    site = make_site(mfa_filter=f"(memberOf={GROUP})", mfa_witness=MEMBER.dn)
    for verb in ("on", "off"):
        assert_failed(site.command("mfa", verb, MEMBER.uid), CONFIGURATION, "mfa_filter",
                      "appPasswordMfaEnabled")
    assert site.done("mfa", "status", MEMBER.uid, NON_MEMBER.uid) == \
        f"{MEMBER.uid}: on\n{NON_MEMBER.uid}: off\n"


def test_mfa_that_is_set_without_effect_is_told(make_site, directory):
    directory.set_mfa(MEMBER, True)
    both = make_site(mfa_filter=f"(&(APPPASSWORDMFAENABLED=TRUE)(memberOf={GROUP}))",
                     mfa_witness=MEMBER.dn)
    assert_failed(both.command("mfa", "on", NON_MEMBER.uid), FAILED, "MFA is still off")
    either = make_site(mfa_filter=f"(|(memberOf={GROUP})(appPasswordMfaEnabled=TRUE))",
                       mfa_witness=MEMBER.dn)
    assert_failed(either.command("mfa", "off", MEMBER.uid), FAILED, "MFA is still on")


def test_mfa_goes_off_where_it_is_on_by_default(make_site, directory):
    site = make_site(mfa_filter="(!(appPasswordMfaEnabled=FALSE))",
                     mfa_off_filter="(appPasswordMfaEnabled=FALSE)")
    user = directory.new_person()
    assert site.done("mfa", "status", user.uid) == f"{user.uid}: on\n"
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: enforced → off\n"
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: unchanged, off\n"


def test_mfa_off_shows_off_to_an_off_filter(make_site, directory):
    site = make_site(mfa_off_filter="(appPasswordMfaEnabled=FALSE)")
    user = directory.new_person()
    assert site.command("mfa", "status", user.uid).returncode == NOT_PERMITTED
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: neither on nor off → off\n"
    assert site.done("mfa", "status", user.uid) == f"{user.uid}: off\n"
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: unchanged, off\n"


def test_mfa_that_cannot_be_read_is_an_error(make_site, user):
    site = make_site(mfa_filter="(noSuchAttribute=TRUE)",
                     mfa_off_filter="(noSuchAttribute=FALSE)")
    assert_failed(site.command("mfa", "status", user.uid), NOT_PERMITTED, user.uid,
                  "noSuchAttribute")


def test_mfa_reset_removes_the_second_factor(site, directory, user):
    directory.administrate(user, appPasswordMfaMethod="sealed")
    assert site.done("mfa", "reset", user.uid) == f"{user.uid}: second factors removed\n"
    assert site.done("mfa", "reset", user.uid) == f"{user.uid}: unchanged\n"
    assert directory.values(user, "appPasswordMfaMethod") == []
    assert directory.values(user, "appPasswordMfaEnabled") == ["TRUE"]


# ---- enrollment codes ----

CODE_LINE = rf"code to enroll with, once, within 7 days: ({SHOWN})\n"


def stored_codes(directory, who):
    """Their values: (created, expires, hash)."""
    values = [value for value in directory.values(who, "appPasswordMfaMethod")
              if value.startswith("code ")]
    found = [re.fullmatch(r"code created=(\d{14}Z) expires=(\d{14}Z) hash=(\{ARGON2\}\S+)", value)
             for value in values]
    assert all(found), values
    return [match.groups() for match in found]


def is_code(stored, shown):
    return apppassword.is_hash_of(stored[2], shown.replace("-", ""))


def test_a_code_is_printed_once_and_stored_as_a_hash(site, directory):
    user = directory.new_person()
    called = site.command("mfa", "on", user.uid, "--code")
    assert called.returncode == DONE and not re.search(SHOWN, called.stderr), called
    shown = re.fullmatch(rf"{user.uid}: off → enforced now\n{user.uid}: {CODE_LINE}",
                         called.stdout)[1]
    stored, = stored_codes(directory, user)
    created, expires = (datetime.strptime(text, "%Y%m%d%H%M%SZ") for text in stored[:2])
    assert expires - created == timedelta(days=7)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    assert abs(now - created) < timedelta(minutes=5)
    assert stored[2].startswith("{ARGON2}$argon2id$v=19$m=8192,t=1,p=1$")
    assert is_code(stored, shown)
    assert shown[5:] not in stored[2] and shown.replace("-", "") not in stored[2]
    assert directory.values(user, "appPasswordMfaEnabled") == ["TRUE"]
    assert directory.app_passwords(user) == []


def test_a_code_can_be_had_while_mfa_is_on_already(site, directory, user):
    output = site.done("mfa", "on", "--code", user.uid)
    assert re.fullmatch(rf"{user.uid}: unchanged, enforced\n{user.uid}: {CODE_LINE}", output)
    assert len(stored_codes(directory, user)) == 1


def test_a_new_code_takes_the_place_of_the_one_before(site, directory, user):
    first, second = (re.search(CODE_LINE, site.done("mfa", "on", "--code", user.uid))[1]
                     for _ in range(2))
    stored, = stored_codes(directory, user)
    assert first != second
    assert is_code(stored, second) and not is_code(stored, first)


def test_a_code_leaves_the_second_factor_alone(site, directory, user):
    directory.administrate(user, appPasswordMfaMethod="sealed=AAAA")
    for _ in range(2):
        site.done("mfa", "on", "--code", user.uid)
        assert len(stored_codes(directory, user)) == 1
        assert "sealed=AAAA" in directory.values(user, "appPasswordMfaMethod")


def test_reset_removes_the_second_factor_and_prints_a_code(site, directory, user):
    directory.administrate(user, appPasswordMfaMethod="sealed=AAAA")
    old = re.search(CODE_LINE, site.done("mfa", "on", "--code", user.uid))[1]
    output = site.done("mfa", "reset", user.uid, "--code")
    shown = re.fullmatch(rf"{user.uid}: second factors removed; {CODE_LINE}", output)[1]
    stored, = stored_codes(directory, user)
    assert is_code(stored, shown) and not is_code(stored, old)
    assert len(directory.values(user, "appPasswordMfaMethod")) == 1
    assert directory.values(user, "appPasswordMfaEnabled") == ["TRUE"]


def test_reset_without_a_code_takes_codes_away_as_well(site, directory, user):
    site.done("mfa", "on", "--code", user.uid)
    assert site.done("mfa", "reset", user.uid) == f"{user.uid}: second factors removed\n"
    assert directory.values(user, "appPasswordMfaMethod") == []


def test_a_code_adds_the_class(site, directory):
    user = directory.new_person()
    site.done("mfa", "reset", "--code", user.uid)
    assert "appPasswordAccount" in directory.values(user, "objectClass")


def test_each_of_several_users_has_a_code_of_their_own(site, directory):
    users = [directory.new_person() for _ in range(3)]
    output = site.done("mfa", "on", "--code", *(who.uid for who in users))
    shown = [found[1] for found in re.finditer(CODE_LINE, output)]
    assert len(set(shown)) == 3
    for who, code in zip(users, shown):
        assert f"{who.uid}: off → enforced now\n{who.uid}: code" in output
        assert is_code(stored_codes(directory, who)[0], code)


def test_codes_asked_for_at_once_leave_the_second_factor_alone(site, directory, user):
    directory.administrate(user, appPasswordMfaMethod="sealed=AAAA")
    site.done("mfa", "on", "--code", user.uid)
    ended = site.at_once(4, "mfa", "on", "--code", user.uid)
    shown = [re.search(CODE_LINE, stdout)[1] for status, stdout, _ in ended if status == DONE]
    assert shown and "sealed=AAAA" in directory.values(user, "appPasswordMfaMethod")
    stored, = stored_codes(directory, user)
    assert sum(is_code(stored, code) for code in shown) == 1


def test_a_dry_run_makes_no_code(site, directory):
    user = directory.new_person()
    assert site.done("mfa", "on", "--code", "--dry-run", user.uid) == f"{user.uid}: off → enforced now (dry run)\n"
    assert directory.values(user, "appPasswordMfaMethod") == []
    assert directory.values(user, "appPasswordMfaEnabled") == []


def test_users_who_fail_get_no_code(site, make_site, directory, user):
    assert_failed(site.command("mfa", "on", "--code", "nobody"), FAILED, "no such user")
    assert_failed(site.command("mfa", "reset", "--code", "nobody"), FAILED, "no such user")
    server = make_site(manage_as="mail server")
    assert_failed(server.command("mfa", "on", "--code", directory.new_person().uid), NOT_PERMITTED)
    assert_failed(server.command("mfa", "reset", "--code", user.uid), NOT_PERMITTED, user.uid)
    directory.set_mfa(MEMBER, True)
    both = make_site(mfa_filter=f"(&(appPasswordMfaEnabled=TRUE)(memberOf={GROUP}))",
                     mfa_witness=MEMBER.dn)
    assert_failed(both.command("mfa", "on", "--code", user.uid), FAILED, "MFA is still off")
    away = make_site(uri=f"ldap://127.0.0.1:{free_port()}")
    assert_failed(away.command("mfa", "reset", "--code", user.uid), UNAVAILABLE)
    assert directory.values(user, "appPasswordMfaMethod") == []


def test_a_failing_user_costs_no_other_user_the_code(site, directory):
    one, two = directory.new_person(), directory.new_person()
    called = site.command("mfa", "on", "--code", one.uid, "nobody", two.uid)
    assert called.returncode == FAILED
    assert len(re.findall(CODE_LINE, called.stdout)) == 2
    assert not re.search(SHOWN, called.stderr)


def test_a_code_that_cannot_be_printed_is_a_failure(site, user):
    with open("/dev/full", "w") as full:
        called = site.command("mfa", "reset", "--code", user.uid, stdout=full)
    assert called.returncode == FAILED
    assert "No space left" in called.stderr and not re.search(SHOWN, called.stderr)


# ---- create ----

def test_create_prints_the_app_password_alone(site, directory, user):
    called = site.command("create", user.uid, "--label", "Grüße aus dem Büro")
    assert called.returncode == DONE
    assert re.fullmatch(SHOWN + "\n", called.stdout)
    shown = called.stdout.rstrip()
    for words in (user.uid, user.dn, "Grüße aus dem Büro", shown[:4], "never", "all"):
        assert words in called.stderr
    assert shown[5:] not in called.stderr and "argon2" not in called.stderr
    value, = directory.app_passwords(user)
    assert re.fullmatch(rf"id={shown[:4]} created=\d{{14}}Z "
                        r"hash=\{ARGON2\}\$argon2id\$v=19\$m=8192,t=1,p=1\$\S+ "
                        "label=Grüße aus dem Büro", value)
    canonical = shown.replace("-", "")
    assert canonical[19] == apppassword.check_symbol(canonical[:19])


def test_create_adds_the_class_where_it_is_missing(site, directory):
    user = directory.new_person()
    site.create(user, "--without-mfa")
    assert "appPasswordAccount" in directory.values(user, "objectClass")


def test_create_refuses_a_user_without_mfa(site, directory):
    user = directory.new_person()
    called = site.command("create", user.uid, "--label", "x")
    assert_failed(called, FAILED, user.uid, "MFA is off", "mfa on", "--without-mfa")
    assert directory.app_passwords(user) == []
    assert re.fullmatch(SHOWN, site.create(user, "--without-mfa"))


def test_create_goes_on_while_mfa_is_only_announced(site, directory):
    user = directory.new_person()
    site.done("mfa", "on", user.uid, "--enforce-from", "2099-01-01")
    assert re.fullmatch(SHOWN, site.create(user))


def test_create_stops_at_max_app_passwords(make_site, user):
    site = make_site(max_app_passwords="2")
    site.create(user)
    site.create(user)
    assert_failed(site.command("create", user.uid, "--label", "x"), FAILED, user.uid,
                  "max_app_passwords is 2", "revoke")


def test_create_refuses_a_disabled_account_unless_forced(site):
    create = "create", DISABLED.uid, "--label", "x", "--without-mfa"
    assert_failed(site.command(*create), FAILED, "pwdAccountLockedTime ends the account", "--force")
    called = site.command(*create, "--force")
    assert called.returncode == DONE
    assert "disabled" in called.stderr


def test_create_uses_the_cost_of_the_configuration(make_site, directory, user):
    make_site(hash_memory="9M", hash_passes="2").create(user)
    assert "$m=9216,t=2,p=1$" in directory.app_passwords(user)[0]


def test_restrictions_are_stored_as_servers_know_them(site, directory, user):
    site.create(user, "--services", "IMAPS,submission,smtp", "--from", "192.0.2.0/24,2001:db8::7")
    one, = site.listed(user)
    assert one["services"] == ["imap", "smtp"]
    assert one["from"] == ["192.0.2.0/24", "2001:db8::7"]


def test_all_is_no_restriction(site, user):
    site.create(user, "--services", "all", "--from", "all", "--expires", "never")
    one, = site.listed(user)
    assert (one["services"], one["from"], one["expires"]) == (None, None, None)


def test_a_period_counts_from_now(site, user):
    site.create(user, "--expires", "90d")
    one, = site.listed(user)
    assert moment(one["expires"]) - moment(one["created"]) <= timedelta(days=90)
    assert moment(one["expires"]) - moment(one["created"]) > timedelta(days=90, seconds=-60)


def test_a_date_counts_to_the_end_of_that_day(site, user):
    today = datetime.now(timezone.utc).date()
    for day in (today, today + timedelta(days=40)):
        shown = site.create(user, "--expires", day.isoformat())
        one, = (one for one in site.listed(user) if one["id"] == shown[:4])
        assert one["expires"] == f"{day + timedelta(days=1)}T00:00:00Z"


def test_an_app_password_that_cannot_be_printed_is_revoked(site, directory, user):
    reader, writer = os.pipe()
    os.close(reader)
    for name, options in {
            "a full disk": {"stdout": os.open("/dev/full", os.O_WRONLY)},
            "a pipe that nobody reads": {"stdout": writer},
            "no standard output": {"preexec_fn": lambda: os.close(1), "stdout": None}}.items():
        called = site.command("create", user.uid, "--label", "x", **options)
        assert called.returncode == FAILED, name
        assert "was revoked" in called.stderr, name
        assert directory.app_passwords(user) == [], name


def test_an_app_password_is_printed_before_anything_else_is_said(site, user):
    """If the command is interrupted then, the administrator has the app password."""
    called = site.command("create", user.uid, "--label", "x", stderr=subprocess.STDOUT)
    assert re.match(SHOWN + "\napp-password: ", called.stdout)


def test_white_space_around_a_label_is_left_out(site, user):
    site.done("create", user.uid, "--label", " \tmy old  phone \n")
    assert [one["label"] for one in site.listed(user)] == ["my old  phone"]


def test_of_many_creates_at_once_all_succeed(site, directory):
    """The class is missing at first, so all but one must read the entry again."""
    user = directory.new_person()
    ended = site.at_once(8, "create", user.uid, "--label", "x", "--without-mfa")
    assert [status for status, *_ in ended] == [DONE] * 8, ended
    shown = {out.rstrip() for _, out, _ in ended}
    assert {one["id"] for one in site.listed(user)} == {one[:4] for one in shown}
    assert len(directory.app_passwords(user)) == 8


# ---- list ----

def test_list_is_a_table_aligned_by_characters(site, directory, user):
    site.create(user)
    site.done("create", user.uid, "--label", "Jürgens Größe: 日本", "--services", "smtp,imap",
              "--from", "192.0.2.0/24", "--expires", "2099-01-31")
    header, *rows = site.done("list", user.uid).splitlines()
    assert re.split(r"  +", header) == ["ID", "LABEL", "CREATED (UTC)", "EXPIRES (UTC)",
                                        "SERVICES", "FROM", "LAST USED (UTC)"]
    starts = [header.index(name) for name in re.split(r"  +", header)]
    today = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    cells = [[row[start:end].strip() for start, end in zip(starts, starts[1:] + [None])]
             for row in sorted(rows, key=lambda row: "Größe" in row)]
    assert cells[0][1:] == ["a test", cells[0][2], "never", "all", "all", "-"]
    assert cells[0][2].startswith(today)
    assert cells[1][1:] == ["Jürgens Größe: 日本", cells[1][2], "2099-02-01 00:00", "smtp,imap",
                            "192.0.2.0/24", "-"]


def test_list_shows_expired_app_passwords_and_last_uses(site, directory, user):
    old = directory.add_app_password(user, created="20200101000000Z", expires="20210101000000Z")
    directory.administrate(user, appPasswordUsed=f"id={old.id} at=20200601123456Z service=imap "
                                                 "from=192.0.2.17")
    table = site.done("list", user.uid)
    assert "2021-01-01 00:00 expired" in table
    assert "2020-06-01 12:34 imap 192.0.2.17" in table


def test_list_as_json(site, directory, user):
    directory.add_app_password(user, id="b2c3", created="20261122101500Z", label="second")
    directory.add_app_password(user, id="a1b2", created="20261121101500Z", label='"first"',
                               expires="20990522000000Z", services="smtp,imap",
                               networks="192.0.2.0/24,2001:db8::/32")
    add_uses(directory, user, "id=a1b2 at=20261122070000Z service=imap from=192.0.2.17",
             "id=a1b2 at=20261123070000Z service=smtp from=192.0.2.18",
             "id=a1b2 at=20261121070000Z", "id=a1b2 at=nonsense")
    assert site.listed(user) == [
        {"id": "a1b2", "label": '"first"', "created": "2026-11-21T10:15:00Z",
         "expires": "2099-05-22T00:00:00Z", "services": ["smtp", "imap"],
         "from": ["192.0.2.0/24", "2001:db8::/32"],
         "last_used": {"at": "2026-11-23T07:00:00Z", "service": "smtp", "from": "192.0.2.18"}},
        {"id": "b2c3", "label": "second", "created": "2026-11-22T10:15:00Z", "expires": None,
         "services": None, "from": None, "last_used": None}]
    assert list(site.listed(user)[0]) == ["id", "label", "created", "expires", "services", "from",
                                          "last_used"]


def test_a_use_without_service_and_address_has_nulls(site, directory, user):
    directory.add_app_password(user, id="a1b2")
    add_uses(directory, user, "id=a1b2 at=20261122070000Z")
    assert site.listed(user)[0]["last_used"] == {"at": "2026-11-22T07:00:00Z", "service": None,
                                                 "from": None}


def test_nothing_to_list(site, user):
    called = site.command("list", user.uid)
    assert (called.returncode, called.stdout) == (DONE, "")
    assert f"{user.uid}: no app passwords" in called.stderr
    assert site.listed(user) == []


def test_unusable_values_come_last_with_the_reason(site, directory, user):
    add_values(directory, user, "rubbish", "id=c3d4 label=too little")
    directory.add_app_password(user, id="a1b2", label="expensive",
                               hash="{ARGON2}" + "$argon2id$v=19$m=1048576,t=1,p=1$" + "A" * 22 +
                               "$" + "A" * 43)
    directory.add_app_password(user, id="b2c3", label="one of two")
    directory.add_app_password(user, id="b2c3", label="two of two")
    directory.add_app_password(user, id="z9z9", label="a good one")
    good, *bad = site.listed(user)
    assert good["label"] == "a good one" and "unusable" not in good
    assert all(one["unusable"] for one in bad)
    by_id = {}
    for one in bad:
        by_id.setdefault(one["id"], []).append(one)
    assert by_id.keys() == {None, "a1b2", "b2c3", "c3d4"}
    assert {one["unusable"] for one in by_id["b2c3"]} == {"another value has the same id"}
    assert {one["label"] for one in by_id["b2c3"]} == {"one of two", "two of two"}
    assert by_id[None][0]["created"] is None
    table = site.done("list", user.uid).splitlines()
    assert "a good one" in table[1]
    assert len(table) == 7 and all("unusable: " in row for row in table[2:])


def test_create_looks_the_user_up_once(site, directory, user):
    mark = directory.mark()
    site.create(user)
    assert lookups_since(directory, mark) == 1


# ---- revoke ----

def test_revoke_looks_the_user_up_once(site, directory):
    user, one, two, _ = directory.new_person(app_passwords=3)
    for arguments in ([one.id, two.id], ["--all"]):
        mark = directory.mark()
        site.done("revoke", user.uid, *arguments)
        assert lookups_since(directory, mark) == 1, arguments


def test_revoke_deletes_one_of_several(site, directory):
    user, one, two = directory.new_person(mfa=True, app_passwords=2)
    add_uses(directory, user, f"id={one.id} at=20261122070000Z")
    assert site.done("revoke", user.uid, one.id) == f"{user.uid}: {one.id} revoked\n"
    assert directory.app_passwords(user) == [two.value]
    assert directory.values(user, "appPasswordUsed") == [f"id={one.id} at=20261122070000Z"]


@pytest.mark.parametrize("interval, words", [
    ("5s", "open IMAP and POP3 sessions end within 10 seconds"),
    (None, "open IMAP and POP3 sessions stay open; `doveadm kick USER` ends them")])
def test_revoke_says_what_becomes_of_open_sessions(make_site, directory, interval, words):
    site = make_site(watch_interval=interval)
    user, one, _ = directory.new_person(app_passwords=2)
    assert words not in site.command("revoke", user.uid, one.id, "--dry-run").stderr
    assert f"{user.uid}: {words}" in site.command("revoke", user.uid, one.id).stderr
    assert words not in site.command("revoke", user.uid, one.id).stderr
    assert words in site.command("revoke", user.uid, "--all").stderr


def test_revoke_takes_ids_in_upper_case(site, directory):
    user = directory.new_person()
    directory.add_app_password(user, id="a01b")
    assert site.done("revoke", user.uid, "AOLB") == f"{user.uid}: a01b revoked\n"


def test_revoke_reports_each_of_several(site, directory):
    user, one, two = directory.new_person(app_passwords=2)
    called = site.command("revoke", user.uid, one.id, "zzzz", two.id)
    assert called.returncode == FAILED
    assert called.stdout == f"{user.uid}: {one.id} revoked\n{user.uid}: {two.id} revoked\n"
    assert f"{user.uid}: no app password zzzz" in called.stderr
    assert directory.app_passwords(user) == []


def test_an_argument_that_is_no_id_revokes_nothing(site, directory):
    user, one = directory.new_person(app_passwords=1)
    assert_failed(site.command("revoke", user.uid, one.id, one.shown), USAGE, "argument 2",
                  "not an id")
    assert directory.app_passwords(user) == [one.value]


def test_revoke_deletes_unusable_values_with_that_id(site, directory, user):
    add_values(directory, user, "id=c3d4 label=too little", "id=c3d4 label=once more")
    site.done("revoke", user.uid, "c3d4")
    assert directory.app_passwords(user) == []


def test_revoke_all_deletes_every_value(site, directory):
    user, *_ = directory.new_person(mfa=True, app_passwords=2)
    add_values(directory, user, "rubbish")
    assert site.done("revoke", user.uid, "--all") == f"{user.uid}: 3 revoked\n"
    assert directory.app_passwords(user) == []
    assert site.done("revoke", user.uid, "--all") == f"{user.uid}: unchanged\n"


def test_values_from_the_directory_cannot_control_a_terminal(site, directory, user):
    add_values(directory, user, "id=c3d4 label=\x9b31m\u202egnp.exe\u2028end",
               "id=d4e5 created=20261122101500Z \x9b31m=\u202e label=x")
    called = site.command("list", user.uid)
    assert called.returncode == DONE
    for character in "\x9b\u202e\u2028":
        assert character not in called.stdout + called.stderr


def test_of_several_revocations_at_once_one_finds_something(site, directory):
    user, one = directory.new_person(app_passwords=1)
    ended = site.at_once(4, "revoke", user.uid, one.id)
    assert sorted(status for status, *_ in ended) == [DONE, FAILED, FAILED, FAILED], ended
    assert directory.app_passwords(user) == []


def test_revoke_of_an_unknown_user_is_not_found(site):
    assert_failed(site.command("revoke", "nobody", "--all"), FAILED, "nobody: no such user")


# ---- check ----

def test_a_new_app_password_is_accepted_until_it_is_revoked(site, user):
    shown = site.create(user)
    line = (f'user="{user.uid}" service=smtp client=203.0.113.7 id={shown[:4]}\n')
    options = ["--service", "submission", "--client", "203.0.113.7"]
    assert site.done("check", user.uid, *options, input=shown + "\n") == \
        f"app-password: verdict=accepted reason=app-password {line}"
    site.done("revoke", user.uid, shown[:4])
    called = site.command("check", user.uid, *options, input=shown)
    assert called.returncode == FAILED
    assert "verdict=refused reason=revoked " in called.stdout
    assert called.stderr == ""


def test_mfa_decides_about_the_account_password(site, directory):
    user = directory.new_person()
    assert "reason=account-password " in site.done("check", user.uid, input=user.password)
    site.done("mfa", "on", user.uid)
    called = site.command("check", user.uid, input=user.password + "\n")
    assert called.returncode == FAILED
    assert "verdict=refused reason=account-password-with-mfa " in called.stdout
    site.done("mfa", "on", user.uid, "--enforce-from", "2099-01-01")
    assert "would-refuse=account-password-with-mfa" in \
        site.done("check", user.uid, input=user.password)
    site.done("mfa", "off", user.uid)
    assert "reason=account-password " in site.done("check", user.uid, input=user.password)


def test_check_knows_service_and_network(site, user):
    shown = site.create(user, "--services", "imap", "--from", "192.0.2.0/24")

    def reason(*options):
        called = site.command("check", user.uid, *options, input=shown)
        return called.returncode, re.search("reason=(\\S+)", called.stdout)[1]
    at_imap = ["--service", "imaps"]
    assert reason() == (FAILED, "wrong-service")
    assert reason("--service", "smtp", "--client", "192.0.2.7") == (FAILED, "wrong-service")
    assert reason(*at_imap) == (FAILED, "wrong-network")
    assert reason(*at_imap, "--client", "203.0.113.7") == (FAILED, "wrong-network")
    assert reason(*at_imap, "--client", "192.0.2.7") == (DONE, "app-password")
    assert reason(*at_imap, "--client", "::ffff:192.0.2.7") == (DONE, "app-password")


def test_check_drops_the_zone_of_a_link_local_address(site, user):
    shown = site.create(user, "--from", "fe80::/10")
    line = site.done("check", user.uid, "--client", "fe80::7%eth0", input=shown)
    assert "reason=app-password " in line and " client=fe80::7 " in line


@pytest.mark.parametrize("password", [
    pytest.param("", id="an empty one"),
    pytest.param("x" * 1025, id="one of 1025 bytes"),
    pytest.param("x" * 100_000, id="one of 100 kB"),
    pytest.param("right\0extra", id="one with a NUL")])
def test_check_refuses_a_password_that_cannot_be_one(site, user, password):
    called = site.command("check", user.uid, input=password + "\n")
    assert called.returncode == FAILED
    assert "verdict=refused reason=malformed " in called.stdout


def test_check_does_not_delay_a_refusal(make_site, user):
    site = make_site(refusal_delay="300")
    assert site.command("check", user.uid, input="wrong").returncode == FAILED


def test_check_without_a_directory_is_unavailable(make_site):
    site = make_site(uri=f"ldap://127.0.0.1:{free_port()}")
    called = site.command("check", "alice", input="password")
    assert called.returncode == UNAVAILABLE
    assert "verdict=unavailable reason=directory-unavailable " in called.stdout


def test_check_asks_as_the_mail_server(make_site, user):
    """Without admin.conf, and with another directory for the administrator."""
    site = make_site(manage_as=None, write_uri=f"ldap://127.0.0.1:{free_port()}")
    called = site.command("check", user.uid, input="wrong")
    assert called.returncode == FAILED
    assert "reason=account-password-with-mfa " in called.stdout


def test_check_writes_to_no_log(make_site, tmp_path, user):
    log = tmp_path / "login.log"
    site = make_site(log=str(log))
    site.command("check", user.uid, input="wrong")
    assert not log.exists()


# ---- the shell ----

@pytest.mark.parametrize("typed, offered", [
    ("", {"mfa", "create", "list", "revoke", "check", "-D", "--version"}),
    ("-c /dev/null cr", {"create"}),
    ("mfa o", {"on", "off"}),
    ("mfa on alice --", {"--enforce-from"}),
    ("create alice --", {"--label", "--services", "--expires", "--from", "--without-mfa"}),
    ("create alice --services ", {"smtp", "imap", "pop3", "sieve"}),
    ("list alice --", {"--json"}),
    ("mfa --enforce-from 2099-01-01 o", {"on", "off"}),
    ("revoke alice --", {"--all", "--wait"}),
    ("report --", {"--expired", "--mfa-without-app-password", "--csv"}),
    ("check alice --", {"--service", "--client"}),
    ("-Y ", {"EXTERNAL"}),
])
def test_bash_completes(typed, offered):
    assert offered <= complete(typed)


@pytest.mark.parametrize("typed", ["create alice --label ", "-D ", "report --unused ",
                                   "check alice --client "])
def test_bash_offers_nothing_for_a_value_that_only_the_user_knows(typed):
    assert complete(typed) == set()


@pytest.mark.parametrize("typed", ["-c ", "-y ", "doctor --sasl ", "doctor --dovecot "])
def test_bash_completes_files(typed, tmp_path):
    (tmp_path / "smtpd.conf").touch()
    assert complete(typed + str(tmp_path / "smt")) == {str(tmp_path / "smtpd.conf")}


def complete(typed):
    """The words that bash offers."""
    script = f"""
        source {COMPLETION}
        COMP_WORDS=(app-password {typed}{"''" if typed.endswith(" ") or not typed else ""})
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _app_password
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    completed = subprocess.run(["bash", "-c", script], text=True, capture_output=True)
    assert completed.stderr == ""
    return set(completed.stdout.split())


# ---- helpers ----

def lookups_since(directory, mark):
    """How often an entry with its app passwords was read."""
    return len([line for line in directory.log_since(mark)
                if re.search(r" SRCH attr=.*\bappPassword\b", line)])


def moment(text):
    assert re.fullmatch(RFC3339, text)
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def add_values(directory, who, *values):
    add(directory, who, "appPassword", values)


def add_uses(directory, who, *values):
    add(directory, who, "appPasswordUsed", values)


def add(directory, who, attribute, values):
    """Add values as they are, as an administrator."""
    connection = directory.connect("administrator")
    if "appPasswordAccount" not in directory.values(who, "objectClass"):
        connection.modify_s(who.dn, [(ldap.MOD_ADD, "objectClass", [b"appPasswordAccount"])])
    connection.modify_s(who.dn, [(ldap.MOD_ADD, attribute, [value.encode() for value in values])])


def test_no_character_from_the_directory_acts_on_a_terminal(tmp_path, own_directory):
    """In every format: C1 controls, DEL and changes of direction in a name."""
    directory = own_directory()
    name = "x\u009b31m\u202ey\u200fz"
    directory.connect_as_itself().add_s(f"uid={name},ou=people,{BASE}", [
        ("objectClass", [b"inetOrgPerson", b"appPasswordAccount"]), ("uid", [name.encode()]),
        ("cn", [b"x"]), ("sn", [b"x"]),
        ("appPassword", [apppassword.make(expires="20260101000000Z").value.encode()])])
    site = Site(tmp_path / "etc", directory)
    for arguments in ([], ["--csv"], ["--json"]):
        printed = site.done("report", "--expired", *arguments)
        assert "31m" in printed and not set(name) & set(printed) - set("x31myz"), arguments
    assert json.loads(printed)[0]["user"] == name
