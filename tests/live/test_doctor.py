# SPDX-License-Identifier: BSD-2-Clause
"""The doctor, on a good installation and on ones that are broken in exactly one way."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess

import ldap
import ldap.dn
import pytest

import apppassword
from administration import DONE, FAILED, PREFIX, USAGE, Site
from apppassword import from_now
from conftest import new_folder
from fakes import Relay
from slapd import (BASE, GROUP, IDENTITIES, LDAP_SCHEMA, MEMBER, PASSWORD_RULE, PEOPLE, Slapd,
                   schema_of_0_1)

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
# A site's own limit, before the one that comes with our rules.
LIMITED = f'limits dn.exact="{IDENTITIES["administrator"]}" size=5\n'


@pytest.fixture(scope="module")
def good_directory(workdir, authority):
    server = Slapd(new_folder(workdir, "doctor") / "slapd", authority=authority).start()
    populate(server)
    yield server
    server.stop()


def populate(server):
    """Fills in everything that the doctor compares."""
    who = server.new_person(mfa=True)
    server.set_mfa(who, True, enforce_from="20260101000000Z")
    app_password = server.add_app_password(who)
    server.administrate(who, appPasswordUsed=f"id={app_password.id} at={from_now(days=-1)}")


def safe(site):
    """Gives the files the modes that they should have."""
    site.folder.chmod(0o750)
    for file in site.folder.iterdir():
        file.chmod(0o640)
    return site


@pytest.fixture
def site(good_directory, tmp_path, authority):
    return safe(Site(tmp_path / "site", good_directory, uri=good_directory.ldaps,
                     tls_cacert=authority.ca, login_attribute="uid"))


def doctor(site, *options, input="", **more):
    """With a user of the directory for --as, unless the options name one."""
    if "--as" not in options:
        who = a_user(site.directory)
        options, input = ("--as", who.dn, *options), f"{who.password}\n{input}"
    return site.command("doctor", *options, input=input, **more)


def a_user(directory):
    """The same user for each call."""
    if not hasattr(directory, "doctors_user"):
        directory.doctors_user = directory.new_person()
    return directory.doctors_user


def assert_finds(called, finding, fix):
    """One problem of that kind, with its fix below."""
    assert called.returncode == FAILED, called.stdout + called.stderr
    lines = called.stdout.splitlines()
    places = [i for i, line in enumerate(lines)
              if line.startswith(("PROBLEM", "unknown")) and finding in line]
    assert places, called.stdout
    behind = "\n".join(lines[places[0] + 1:places[0] + 4])
    assert "fix: " in behind and fix in behind, called.stdout


def dump(server):
    """Everything that the directory holds, times of changes included."""
    return subprocess.run(["slapcat", *server._config, "-b", BASE], capture_output=True,
                          check=True).stdout


def test_a_good_set_up_has_no_finding_and_is_left_as_it_is(good_directory, site):
    who = good_directory.new_person()
    before = dump(good_directory)
    called = doctor(site, "--as", who.dn, "--mfa-user", "user000", input=who.password + "\n")
    assert called.returncode == DONE, called.stdout + called.stderr
    assert "PROBLEM" not in called.stdout and "unknown  " not in called.stdout
    assert " 0 problems, 0 unknown" in called.stdout
    assert dump(good_directory) == before


def test_without_an_administrator_it_goes_without(good_directory, tmp_path, authority):
    site = safe(Site(tmp_path / "site", good_directory, manage_as=None))
    called = doctor(site)
    assert called.returncode == DONE, called.stdout + called.stderr
    assert "no administrator here" in called.stdout


def test_without_a_user_it_says_what_it_does_not_know_and_names_one(site):
    called = site.command("doctor")
    assert_finds(called, "--as: what users may write was not checked", "app-password doctor --as")
    assert "0 problems, 1 unknown" in called.stdout
    line, = re.findall(r"fix: app-password (doctor --as .*)", called.stdout)
    words = shlex.split(line, comments=True)
    found = site.directory.connect_as_itself().search_s(words[2], ldap.SCOPE_BASE)
    assert b"inetOrgPerson" in found[0][1]["objectClass"]
    assert site.command(*words, input="wrong\n").returncode == FAILED


def test_a_filter_with_a_class_means_users_only(good_directory, tmp_path, authority):
    """Every entry has a class, the base, too."""
    site = site_with(good_directory, tmp_path, authority,
                     filter="(&(objectClass=inetOrgPerson)(|(uid=%u)(mail=%u)))")
    called = doctor(site)
    assert called.returncode == DONE, called.stdout
    assert "doctor --as 'uid=" in site.command("doctor").stdout


@pytest.mark.parametrize("name", ["o'neil", "a b $HOME `id`", "two''", "back\\slash"])
def test_the_line_with_the_user_can_be_copied(own_directory, tmp_path, name):
    server = own_directory()
    populate(server)
    dn = f"cn={ldap.dn.escape_dn_chars(name)},{BASE}"
    server.connect_as_itself().add_s(dn, [
        ("objectClass", [b"inetOrgPerson"]), ("cn", [name.encode()]), ("sn", [b"x"]),
        ("uid", [b"of-its-own"]), ("mail", [b"own@example.org"]), ("userPassword", [b"Right-1"])])
    site = safe(Site(tmp_path / "site", server, base=dn, scope="base"))
    line, = re.findall(r"fix: (app-password doctor --as .*)", site.command("doctor").stdout)
    printed = subprocess.run(["sh", "-c", f'app-password() {{ printf "%s" "$3"; }}; {line}'.replace(
        "app-password", "app_password")], capture_output=True, text=True, check=True).stdout
    assert ldap.dn.str2dn(printed) == ldap.dn.str2dn(dn)


# ---- files ----

DAMAGED = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def world_readable(name):
    return lambda site: (site.folder / name).chmod(0o644)


FILES = {
    "a secret that everybody reads": (
        world_readable("mail server.secret"), "bindpw_file: ", "chmod 0640"),
    "an administrator's secret that everybody reads": (
        world_readable("administrator.secret"), "bindpw_file of admin.conf", "chmod 0640"),
    "a configuration that everybody writes": (
        lambda site: site.config.chmod(0o666), "users other than its owner", "chmod go-w"),
    "a folder that everybody writes": (
        lambda site: site.folder.chmod(0o777), "everybody can write", "chmod o-w"),
    "a configuration with an unknown key": (
        lambda site: site.write(site.config, site.keys | {"ur": "x"}), "unknown key",
        "correct that line"),
    "a CA file without certificates": (
        lambda site: site.write(site.config, site.keys | {"tls_cacert": site.config}),
        "no certificate in PEM form", "certificate of the CA"),
    "a CA file that is damaged": (
        lambda site: (site.write(site.config, site.keys | {"tls_cacert": site.folder / "ca"}),
                      (site.folder / "ca").write_text(DAMAGED)),
        "cannot be read", "certificate of the CA"),
    "a log that everybody writes": (
        lambda site: (site.write(site.config, site.keys | {"log": site.folder / "log"}),
                      (site.folder / "log").touch(), (site.folder / "log").chmod(0o666)),
        "log: ", "chmod 0640"),
    "a log that is a folder": (
        lambda site: site.write(site.config, site.keys | {"log": site.folder / "log"})
        or (site.folder / "log").mkdir(), "log", "log /var/log"),
}


def test_a_stray_byte_in_a_secret_file_is_named(site):
    """One case only: the server locks an identity after some wrong passwords."""
    secret = site.folder / "mail server.secret"
    secret.write_text(secret.read_text().strip() + " \n")
    called = doctor(site)
    assert_finds(called, "bind: ", f"write the password into {secret} without it")
    assert f"; the password in {secret} ends in white space" in called.stdout


def test_a_byte_order_mark_in_a_secret_file_is_ignored_and_named(site):
    secret = site.folder / "mail server.secret"
    secret.write_bytes(b"\xef\xbb\xbf" + secret.read_bytes().strip() + b"\r\n")
    called = doctor(site)
    assert called.returncode == DONE
    assert f"{secret} begins with a byte-order mark" in called.stdout


@pytest.mark.parametrize("broken", FILES)
def test_file(site, broken):
    break_it, finding, fix = FILES[broken]
    break_it(site)
    assert_finds(doctor(site), finding, fix)


def test_the_fix_of_a_mode_fixes_it(site):
    world_readable("mail server.secret")(site)
    called = doctor(site)
    line, = [line for line in called.stdout.splitlines() if "fix: chmod 0640" in line]
    path = line.split("chmod 0640 ")[1].split(",")[0]
    subprocess.run(["chmod", "0640", path], check=True)
    assert doctor(site).returncode == DONE


# ---- servers ----

SERVERS = {
    "a server that is not there": (
        {"uri": "ldap://127.0.0.1:1"}, "uri: ", "start that server"),
    "a server among several that is not there": (
        {"uri": "{ldaps} ldap://127.0.0.1:1"}, "uri: ", "start that server"),
    "a write_uri that is not there": (
        {"write_uri": "ldap://127.0.0.1:1"}, "uri: ", "start that server"),
    "a certificate of another CA": (
        {"tls_cacert": "/etc/ssl/certs/ca-certificates.crt"}, "certificate: ", "tls_cacert"),
    "a wrong password": ({"bindpw_file": "{folder}/administrator.secret"}, "bind: ", "password"),
    "a base that is not there": ({"base": "dc=example,dc=net"}, "base: ", "base dc="),
    "an mfa_filter that reads what nobody may see": (
        {"mfa_filter": "(employeeNumber=1)", "mfa_off_filter": "(employeeNumber=0)"}, "mfa_filter: ", "search"),
    "an mfa_filter that reads what no schema has": (
        {"mfa_filter": "(noSuchAttribute=1)", "mfa_off_filter": "(noSuchAttribute=0)"}, "mfa_filter: ", "schema"),
}


@pytest.mark.parametrize("broken", SERVERS)
def test_server(good_directory, tmp_path, authority, broken):
    keys, finding, fix = SERVERS[broken]
    keys = {key: value.format(ldaps=good_directory.ldaps, folder=tmp_path / "site")
            for key, value in keys.items()}
    site = safe(Site(tmp_path / "site", good_directory, **{
        "uri": good_directory.ldaps, "tls_cacert": authority.ca,
        "write_uri": good_directory.ldaps} | keys))
    assert_finds(doctor(site), finding, fix)


def test_a_user_who_must_have_mfa_and_does_not(good_directory, site):
    who = good_directory.new_person()
    assert_finds(doctor(site, "--mfa-user", who.uid), "--mfa-user", "mfa on")
    site.done("mfa", "on", who.uid)
    assert doctor(site, "--mfa-user", who.uid).returncode == DONE


def test_a_new_site_where_nobody_has_mfa(own_directory, tmp_path):
    """As in steps 3 and 4 of doc/rollout.md. Without an administrator, the doctor cannot tell."""
    server = own_directory()
    called = doctor(safe(Site(tmp_path / "site", server)))
    assert called.returncode == DONE, called.stdout
    assert "mfa_filter: MFA is on for nobody yet" in called.stdout
    (tmp_path / "site" / "admin.conf").unlink()
    assert_finds(doctor(Site(tmp_path / "other", server, manage_as=None)), "MFA is on for none of the first", "mfa on")


def test_a_site_where_none_of_the_first_users_has_mfa(own_directory, tmp_path):
    """A large site that has begun with a few."""
    server = own_directory()
    last = f"user{PEOPLE - 1:03}"
    site = safe(Site(tmp_path / "site", server))
    site.done("mfa", "on", last)
    called = doctor(site)
    assert called.returncode == DONE, called.stdout
    assert f"MFA is on for none of the first 50 users, and for others such as uid={last}," in called.stdout


def test_a_user_who_must_have_mfa_and_does_not_exist(site):
    assert_finds(doctor(site, "--mfa-user", "nobody-at-all"), "--mfa-user", "name a user")


def site_with(good_directory, tmp_path, authority, **keys):
    return safe(Site(tmp_path / "site", good_directory, uri=good_directory.ldaps,
                     tls_cacert=authority.ca, login_attribute="uid", **keys))


def test_a_user_with_mfa_whose_account_password_still_opens_mail(
        good_directory, tmp_path, authority):
    report = site_with(good_directory, tmp_path, authority, mfa_enforcement="report")
    who = good_directory.new_person(mfa=True)
    assert_finds(doctor(report, "--mfa-user", who.uid), "mfa_enforcement is report", "enforce")


def test_a_user_for_whom_mfa_is_only_announced(good_directory, site):
    who = good_directory.new_person()
    good_directory.set_mfa(who, True, enforce_from=from_now(days=7))
    assert_finds(doctor(site, "--mfa-user", who.uid), "only announced", f"mfa on {who.uid} --now")


@pytest.mark.parametrize("account_password", ["when-mfa-off", "never"])
def test_a_user_with_mfa_whose_account_password_opens_mail_from_a_network(
        good_directory, tmp_path, authority, account_password):
    exempt = site_with(good_directory, tmp_path, authority, account_password=account_password,
                       account_password_from="192.0.2.0/24")
    who = good_directory.new_person(mfa=True)
    said = doctor(exempt, "--mfa-user", who.uid).stdout
    assert "the account password opens mail from account_password_from only" in said
    assert "has MFA on" not in said


def test_a_user_with_mfa_whose_account_password_opens_nothing(good_directory, site):
    who = good_directory.new_person(mfa=True)
    assert f"--mfa-user: {who.uid} has MFA on" in doctor(site, "--mfa-user", who.uid).stdout


NO_GROUP = "cn=no-such-group,ou=groups,dc=example,dc=org"
WITNESSES = {
    "a group that does not exist": (
        {"mfa_filter": f"(|(appPasswordMfaEnabled=TRUE)(memberOf={NO_GROUP}))"},
        f"mfa_filter: the mail server sees no entry {NO_GROUP}", "correct the DN"),
    "a witness without MFA": (
        {"mfa_witness": MEMBER.dn},
        f"mfa_witness: {MEMBER.dn} does not match (appPasswordMfaEnabled=TRUE)",
        "make the witness match"),
    "a witness that does not exist": (
        {"mfa_witness": f"uid=none,{BASE}"}, f"uid=none,{BASE} does not match", "witness"),
    "a witness that has not ended": (
        {"disabled_filter": "(employeeType=retired)", "disabled_witness": MEMBER.dn},
        f"disabled_witness: {MEMBER.dn} does not match (employeeType=retired)",
        "make the witness match (employeeType=retired)"),
    "a group of disabled_filter that does not exist": (
        {"disabled_filter": f"(memberOf={NO_GROUP})", "disabled_witness": MEMBER.dn},
        f"disabled_filter: the mail server sees no entry {NO_GROUP}", "correct the DN"),
    "no user with MFA": (
        {"mfa_filter": "(mail=none@example.net)", "mfa_off_filter": "(mail=*@*)"},
        "MFA is on for none of the first", "--mfa-user"),
}


@pytest.mark.parametrize("broken", WITNESSES)
def test_a_filter_that_cannot_be_trusted(good_directory, tmp_path, authority, broken):
    keys, finding, fix = WITNESSES[broken]
    if "memberOf" in keys.get("mfa_filter", ""):
        witness = good_directory.new_person(mfa=True)
        keys = keys | {"mfa_witness": witness.dn}
    assert_finds(doctor(site_with(good_directory, tmp_path, authority, **keys)), finding, fix)


# ---- rights ----

def mail_server_may(right, attribute):
    return f'access to attrs={attribute} by dn.exact="{IDENTITIES["mail server"]}" {right} ' \
        f'by * break\n'


RIGHTS = {
    "the mail server writes app passwords": (
        mail_server_may("write", "appPassword"), "the mail server may write appPassword", "read by * break"),
    "the mail server turns MFA off": (
        mail_server_may("write", "appPasswordMfaEnabled"),
        "the mail server may write appPasswordMfaEnabled", "search by * break"),
    "the mail server announces enforcement": (
        mail_server_may("write", "appPasswordMfaEnforceFrom"),
        "the mail server may write appPasswordMfaEnforceFrom", "read by * break"),
    "the mail server writes second factors": (
        mail_server_may("write", "appPasswordMfaMethod"),
        "the mail server may write appPasswordMfaMethod", "none by * break"),
    "the mail server adds classes": (
        mail_server_may("write", "objectClass"), "the mail server may write objectClass", "read by * break"),
    "the mail server renames users": (
        mail_server_may("write", "uid"), "the mail server may write uid", "read by * break"),
    "the mail server cannot record uses": (
        mail_server_may("read", "appPasswordUsed"), "may not write appPasswordUsed", "write"),
    "the mail server does not see app passwords": (
        mail_server_may("none", "appPassword"), "cannot read appPassword", "read"),
    "the mail server does not see announcements": (
        mail_server_may("none", "appPasswordMfaEnforceFrom"),
        "cannot read appPasswordMfaEnforceFrom", "read"),
    "the mail server does not see locks": (
        mail_server_may("none", "pwdAccountLockedTime"), "cannot read pwdAccountLockedTime",
        "read"),
    "the mail server does not see the login": (
        mail_server_may("search", "uid"), "cannot read uid", "read"),
    "the mail server cannot ask for MFA": (
        mail_server_may("none", "appPasswordMfaEnabled"), "neither (appPasswordMfaEnabled=TRUE)",
        "search"),
    "anonymous reads app passwords": (
        "access to attrs=appPassword,entry by anonymous read by * break\n",
        "anonymous can find users with appPassword:", "by anonymous none by * break"),
    "the administrator cannot write": (
        f'access to attrs=appPasswordMfaMethod by dn.exact="{IDENTITIES["administrator"]}" read '
        f'by * break\n', "the administrator may not write appPasswordMfaMethod", "write"),
}


@pytest.mark.parametrize("broken", RIGHTS)
def test_right(own_directory, tmp_path, broken):
    rules, finding, fix = RIGHTS[broken]
    server = own_directory(first_rules=rules)
    populate(server)
    assert_finds(doctor(safe(Site(tmp_path / "site", server))), finding, fix)


OUR_RULES = "put the rules of ldap-schema/acl-cnconfig.ldif before your own"
USER_RIGHTS = {
    "a user reads their app passwords": (
        "access to attrs=appPassword by self read by * break\n", "the user can read appPassword",
        OUR_RULES),
    "a user turns their MFA off": (
        "access to attrs=appPasswordMfaEnabled by self write by * break\n",
        "the user may write appPasswordMfaEnabled", OUR_RULES),
    "a user creates app passwords": (
        "access to attrs=appPassword by self write by * break\n",
        "the user may write appPassword", OUR_RULES),
    "a user takes another's address": (
        "access to attrs=mail by self write by * break\n", "the user may write mail", OUR_RULES),
    "a user adds classes": (
        "access to attrs=objectClass by self write by * break\n",
        "the user may write objectClass", OUR_RULES),
}


@pytest.mark.parametrize("broken", USER_RIGHTS)
def test_user(own_directory, tmp_path, broken):
    rules, finding, fix = USER_RIGHTS[broken]
    server = own_directory(first_rules=rules)
    who, _ = server.new_person(app_passwords=1)
    called = doctor(safe(Site(tmp_path / "site", server)), "--as", who.dn,
                    input=who.password + "\n")
    assert_finds(called, finding, fix)


def test_an_attribute_that_the_directory_maintains(own_directory, tmp_path):
    """No user may change OpenLDAP's memberOf, and slapd says so with another result than 50."""
    rules = (f'access to attrs=memberOf by dn.exact="{IDENTITIES["mail server"]}" search '
             f'by users read by * none\n')
    server = own_directory(first_rules=rules)
    site = safe(Site(tmp_path / "site", server, mfa_filter=f"(memberOf={GROUP})",
                     mfa_witness=MEMBER.dn))
    assert f"ok       rights: {server.ldapi}: the user may not write memberOf\n" in doctor(site).stdout


def test_a_user_with_a_wrong_password_is_unknown(good_directory, site):
    who = good_directory.new_person()
    assert doctor(site, "--as", who.dn, input="wrong\n").returncode == FAILED
    assert doctor(site, "--as", "not a DN").returncode == USAGE


def test_a_server_without_the_schema(own_directory, tmp_path):
    server = own_directory(schema=False, acl=(), site_rules=PASSWORD_RULE + "access to * by * read")
    assert_finds(doctor(safe(Site(tmp_path / "site", server))), "appPasswordUsed is not defined",
                 "ldapadd")


def test_a_server_without_the_definitions_of_a_store(own_directory, tmp_path):
    """Such as one with the schema of 0.1."""
    schema = tmp_path / "app-password.schema"
    schema.write_text(schema_of_0_1("app-password.schema"))
    server = own_directory(schema=False, lines=f"include {schema}\n")
    populate(server)
    assert f"ok       schema: {server.ldapi}\n" in doctor(safe(Site(tmp_path / "site", server))).stdout


def test_a_filter_without_an_index(own_directory, tmp_path):
    """The doctor measures time, so the directory must be large."""
    server = own_directory(first_rules="maxsize 1073741824\n")
    server.stop()
    users = "".join(f"dn: uid=many{i},ou=people,{BASE}\nobjectClass: inetOrgPerson\n"
                    f"uid: many{i}\ncn: many\nsn: many\ntelephoneNumber: {i}\n\n"
                    for i in range(60000))
    subprocess.run(["slapadd", "-q", *map(str, server._config)], input=users, text=True, check=True)
    server.start()
    site = safe(Site(tmp_path / "site", server, filter="(telephoneNumber=%u)", timeout="5",
                     deadline="12"))
    assert_finds(doctor(site), "has no index", "olcDbIndex: telephoneNumber eq")


def test_a_directory_that_is_busy_for_a_moment_has_its_indexes(good_directory, tmp_path):
    relay = Relay(*good_directory.ldap.removeprefix("ldap://").split(":"))
    relay.hindered = [b"app-password-doctor-", 7, 0.1]
    called = doctor(safe(Site(tmp_path / "site", good_directory, uri=f"ldap://{relay.address}",
                              login_attribute="uid")))
    relay.close()
    assert relay.hindered[1] == 0 and "has no index" not in called.stdout, called.stdout


@pytest.mark.parametrize("attribute, old, new", [
    ("appPassword", "caseExactMatch", "caseIgnoreMatch"),
    ("appPasswordOwner", "caseIgnoreMatch", "caseExactMatch"),
])
def test_a_server_with_another_definition(own_directory, tmp_path, attribute, old, new):
    text = (LDAP_SCHEMA / "app-password.schema").read_text()
    schema = tmp_path / "other.schema"
    schema.write_text(text.replace(old, new, 1))
    server = own_directory(schema=False, lines=f"include {schema}\n")
    populate(server)
    assert_finds(doctor(safe(Site(tmp_path / "site", server))),
                 f"{attribute} has another definition", "ldap-schema/")


def test_a_base_without_users(good_directory, tmp_path):
    site = safe(Site(tmp_path / "site", good_directory, base=f"ou=elsewhere,{BASE}",
                     filter="(uid=%u)", scope="base"))
    assert_finds(doctor(site), "to test them on", "must find your users")


# ---- values ----

def test_more_values_than_the_server_shows(own_directory, tmp_path):
    server = own_directory(first_rules=LIMITED)
    populate(server)
    for _ in range(6):
        server.new_person(app_passwords=1)
    assert_finds(doctor(safe(Site(tmp_path / "site", server))), "values: ", "olcLimits")


VALUES = {
    "expired": (lambda: apppassword.make(expires="20260101000000Z").value, "has expired"),
    "unusable": (lambda: apppassword.make().value.replace("argon2id", "argon2i"), "is unusable"),
    "without id": (lambda: "nonsense", "a value without id"),
}


@pytest.mark.parametrize("broken", VALUES)
def test_value(good_directory, site, broken):
    make, finding = VALUES[broken]
    who = good_directory.new_person(mfa=True)
    good_directory.administrate(who, appPassword=make())
    called = doctor(site)
    assert_finds(called, finding, f"app-password revoke {who.uid} ")
    line, = [line for line in called.stdout.splitlines() if f"revoke {who.uid}" in line]
    site.done(*line.split("app-password ")[1].split("#")[0].split())
    assert doctor(site).returncode == DONE


# ---- names ----

def add_entry(server, dn, name):
    server.connect_as_itself().add_s(dn, [
        ("objectClass", [b"inetOrgPerson"]), ("cn", [b"x"]), ("sn", [b"x"]),
        ("uid", [name.encode()])])


def test_an_attribute_without_doubles_is_good(site):
    assert re.search(r"^ok .* login_attribute: uid is unique in \d\d\d+ entries$",
                     doctor(site).stdout, re.MULTILINE)


@pytest.mark.parametrize("name, other", [
    ("sam", "sam"), ("sam", "SAM"), ("s  am", "s am"), ("\u00e5se", "\u00c5SE"), ("s-m", "s-m"),
])
def test_two_entries_with_one_name(own_directory, tmp_path, name, other):
    server = own_directory()
    populate(server)
    one, two = (f"cn=x,uid={uid},ou=people,{BASE}" for uid in ("user001", "user599"))
    add_entry(server, one, name)
    add_entry(server, two, other)
    site = safe(Site(tmp_path / "site", server, login_attribute="uid"))
    called = doctor(site)
    assert_finds(called, f'is a value of "{two}" and of "{one}"', "change uid of one of them")
    assert called.stdout.count("is a value of") == 1
    server.connect_as_itself().delete_s(two)
    add_entry(server, two, name + "m")
    assert "login_attribute: uid is unique" in doctor(site).stdout


def test_an_entry_without_a_name(own_directory, tmp_path):
    server = own_directory()
    populate(server)
    site = safe(Site(tmp_path / "site", server, login_attribute="uid"))
    assert "(no-name)" not in doctor(site).stdout
    dn = f"cn=nameless,ou=people,{BASE}"
    server.connect_as_itself().add_s(dn, [
        ("objectClass", [b"inetOrgPerson"]), ("cn", [b"nameless"]), ("sn", [b"x"]),
        ("mail", [b"nameless@example.org"])])
    assert_finds(doctor(site), f"{dn} has no uid: a login with the right password is unavailable "
                 "(no-name)", "add uid to this entry")


@pytest.mark.parametrize("template, is_found", [
    ("(mail=%u)", False), ("(&(objectClass=person)(mail=%u))", False),
    ("(|(uid=%u)(mail=%u))", True), ("(|(mail=%u)(UID=%l))", True)])
def test_a_filter_that_does_not_look_for_the_accepted_name(good_directory, tmp_path, authority,
                                                           template, is_found):
    called = doctor(safe(Site(tmp_path / "site", good_directory, login_attribute="uid",
                              filter=template)))
    if is_found:
        assert "does not look for" not in called.stdout
    else:
        assert_finds(called, f"login_attribute: filter {template} does not look for uid",
                     f"filter (|(uid=%u){template})")


def test_many_doubles_are_counted(own_directory, tmp_path):
    server = own_directory()
    populate(server)
    for number in range(30):
        add_entry(server, f"cn=x,uid=user{number:03},ou=people,{BASE}", f"user{number + 100}")
    called = doctor(safe(Site(tmp_path / "site", server, login_attribute="uid")))
    assert called.stdout.count("is a value of") == 20
    assert "login_attribute: 10 more are not shown" in called.stdout


def test_names_that_the_server_does_not_show(own_directory, tmp_path):
    server = own_directory(first_rules=LIMITED)
    populate(server)
    assert_finds(doctor(safe(Site(tmp_path / "site", server, login_attribute="uid"))),
                 "login_attribute: ", "olcLimits")


def test_two_values_with_one_id(good_directory, site):
    who = good_directory.new_person(mfa=True)
    for _ in range(2):
        good_directory.add_app_password(who, id="k7q2")
    assert_finds(doctor(site), "is unusable: another value has the same id", "revoke")
    site.done("revoke", who.uid, "--all")


# ---- libsasl2 ----

@pytest.fixture
def sasl(site, tmp_path):
    """Checks the example's smtpd.conf, changed."""
    folder = tmp_path / "sasl"
    folder.mkdir()
    text = (EXAMPLES / "postfix" / "smtpd.conf").read_text()
    text = text.replace("/etc/app-password/app-password.conf", str(site.config))

    def look(change=lambda text: text, plugins=True):
        (folder / "smtpd.conf").write_text(change(text))
        stock = "/usr/lib/x86_64-linux-gnu/sasl2"
        own = next(PREFIX.glob("lib/**/sasl2/libapppassword.so")).parent
        path = f"{own}:{stock}" if plugins else stock
        return doctor(site, "--sasl", folder / "smtpd.conf", env=os.environ | {"SASL_PATH": path})
    return look


def test_the_example_for_postfix_is_good(sasl):
    called = sasl()
    assert called.returncode == DONE, called.stdout + called.stderr
    assert "PLAIN is answered by apppassword" in called.stdout


def instead(old, new):
    return lambda text: text.replace(old, new)


SASL = {
    "a mechanism too many": (
        instead("PLAIN LOGIN", "PLAIN LOGIN CRAM-MD5"), "mech_list offers CRAM-MD5",
        "mech_list: PLAIN LOGIN"),
    "no mech_list": (instead("mech_list: PLAIN LOGIN\n", ""), "mech_list is not set", "mech_list:"),
    "a live pwcheck_method": (
        instead("pwcheck_method: disabled", "pwcheck_method: saslauthd"),
        "pwcheck_method is saslauthd", "pwcheck_method: disabled"),
    "no pwcheck_method": (
        instead("pwcheck_method: disabled\n", ""), "pwcheck_method is not set", "disabled"),
    "no guard": (
        instead("canon_user_plugin: apppassword\n", ""), "canon_user_plugin is not set",
        "canon_user_plugin: apppassword"),
    "a live auxprop plugin": (
        instead("auxprop_plugin: none", "auxprop_plugin: sasldb"), "auxprop_plugin is sasldb",
        "auxprop_plugin: none"),
    "no configuration": (
        lambda text: "".join(line for line in text.splitlines(True) if "_config:" not in line),
        "apppassword_config is not set", "apppassword_config: "),
    "a configuration that is not there": (
        lambda text: text.replace("app-password.conf", "other.conf"), "other.conf: ",
        "apppassword_config: "),
    "an option that is misspelt": (
        lambda text: text + "apppassword_also_mech: GSSAPI\n", "no option apppassword_also_mech",
        "apppassword_config"),
    "a line that libsasl2 rejects": (
        lambda text: text + "mech_list PLAIN\n", "because of this line", "name: value"),
}


@pytest.mark.parametrize("broken", SASL)
def test_sasl(sasl, broken):
    change, finding, fix = SASL[broken]
    assert_finds(sasl(change), finding, fix)


def like_imapd_conf(text):
    """The same options as Cyrus IMAP has them in imapd.conf, beside its own."""
    return "admins: cyrus\n" + re.sub(r"(?m)^(?=[a-z])", "sasl_", text)


def test_imapd_conf_of_cyrus_is_good(sasl):
    called = sasl(like_imapd_conf)
    assert called.returncode == DONE, called.stdout + called.stderr
    assert "sasl_mech_list: PLAIN LOGIN" in called.stdout
    assert "PLAIN is answered by apppassword" in called.stdout


@pytest.mark.parametrize("broken", [
    "a mechanism too many", "no mech_list", "a live pwcheck_method", "no pwcheck_method",
    "no guard", "a live auxprop plugin", "no configuration", "a configuration that is not there",
    "an option that is misspelt"])
def test_imapd_conf(sasl, broken):
    """The finding names the option as it is written there."""
    change, finding, fix = SASL[broken]
    finding = re.sub(r"(mech_list|pwcheck_method|canon_user_plugin|auxprop_plugin|"
                     r"apppassword_config|apppassword_also_mech)\b", r"sasl_\1", finding)
    called = sasl(lambda text: like_imapd_conf(change(text)))
    assert_finds(called, finding, fix)
    assert "fix: sasl_" in called.stdout


@pytest.mark.parametrize("line", ["@include: /etc/other.conf", "imap_sasl_mech_list: CRAM-MD5"])
def test_imapd_conf_may_be_overridden(sasl, line):
    called = sasl(lambda text: like_imapd_conf(text) + line + "\n")
    assert_finds(called, "takes precedence", "this file only")


def test_a_plugin_that_is_not_found_does_not_win(sasl):
    assert_finds(sasl(plugins=False), 'PLAIN is answered by "plain"', "libapppassword.so")


def test_a_file_that_is_not_there(site):
    assert_finds(doctor(site, "--sasl", "/nonexistent"), "/nonexistent", "cp examples")
    assert_finds(doctor(site, "--dovecot", "/nonexistent"), "/nonexistent", "doveconf -n")


# ---- Dovecot ----

PASSDB_2_4 = "passdb lua {\n  lua_file = LUA\n  use_worker = yes\n" \
    "  result_failure = return-fail\n  result_internalfail = return-fail\n}\n"
SYSTEM = "passdb {\n  driver = pam\n  args = no-such-service\n}\n"


@pytest.fixture
def dovecot(site, tmp_path):
    """Checks the output of doveconf for the example, changed."""
    lua = tmp_path / "app-password.lua"
    shutil.copy(EXAMPLES / "dovecot" / "app-password.lua", lua)
    conf = tmp_path / "dovecot.conf"
    text = (EXAMPLES / "dovecot" / "dovecot-2.3.conf").read_text()
    conf.write_text(text.replace("/etc/dovecot/app-password.lua", str(lua)))
    printed = subprocess.run(["doveconf", "-n", "-c", conf], capture_output=True, text=True,
                             check=True).stdout

    def look(change=lambda text: text):
        return doctor(site, "--dovecot", "-", input=change(printed).replace("LUA", str(lua)))
    return look


@pytest.mark.dovecot23
def test_the_example_for_dovecot_2_3_is_good(dovecot):
    called = dovecot()
    assert called.returncode == DONE, called.stdout + called.stderr


@pytest.mark.dovecot23
def test_the_passdb_of_dovecot_2_4_is_good(dovecot):
    called = dovecot(lambda _: "auth_mechanisms = plain login\n" + PASSDB_2_4)
    assert called.returncode == DONE, called.stdout + called.stderr


HINT = {
    "2.3": "passdb {\n  args = noauthenticate reason=An\tapp\tpassword\n  driver = static\n"
           "  result_failure = continue\n  result_internalfail = continue\n"
           "  result_success = continue\n}\n",
    "2.4": "passdb static {\n  fields {\n    noauthenticate = yes\n    reason = An app password\n  }\n"
           "  result_failure = continue\n  result_internalfail = continue\n"
           "  result_success = continue\n}\n",
}


@pytest.mark.dovecot23
@pytest.mark.parametrize("release", HINT)
def test_a_static_passdb_that_accepts_nobody_is_good(dovecot, release):
    called = dovecot(lambda text: HINT[release] + text)
    assert called.returncode == DONE, called.stdout + called.stderr
    assert "adds a text to each refusal" in called.stdout


@pytest.mark.dovecot23
@pytest.mark.parametrize("release", HINT)
@pytest.mark.parametrize("good, bad", [
    ("result_success = continue", "result_success = return-ok"),
    ("result_failure = continue", "result_failure = return-ok"),
    ("result_internalfail = continue", "result_internalfail = continue-ok"),
    ("noauthenticate", "nopassword")])
def test_another_static_passdb_is_not(dovecot, release, good, bad):
    called = dovecot(lambda text: HINT[release].replace(good, bad) + text)
    assert_finds(called, "a passdb with driver static, before", "!include")


OURS = "auth_mechanisms = plain login\n"
DOVECOT = {
    "a passdb behind": (lambda text: text + "passdb {\n  driver = passwd-file\n}\n",
                        "a passdb with driver passwd-file, after ours", "!include"),
    "a passdb before": (lambda text: "passdb {\n  driver = ldap\n}\n" + text,
                        "a passdb with driver ldap, before", "!include"),
    "no passdb of ours": (lambda _: OURS + "passdb {\n  driver = ldap\n}\n",
                          "no passdb checks app passwords", "cp examples"),
    "no passdb at all": (lambda _: OURS, "no passdb checks app passwords", "cp examples"),
    "an auth cache": (lambda text: text + "auth_cache_size = 10 M\n", "auth cache (10 M)",
                      "auth_cache_size = 0"),
    "a small vsz_limit": (
        lambda text: text + "service auth-worker {\n  vsz_limit = 32 M\n}\n",
        "vsz_limit of auth-worker is 32 M", "vsz_limit = 512 M"),
    "a mechanism too many": (
        lambda _: "auth_mechanisms = plain login cram-md5\n" + PASSDB_2_4,
        "auth_mechanisms offers cram-md5", "plain login"),
    "no return-fail after a refusal": (
        lambda _: OURS + PASSDB_2_4.replace("  result_failure = return-fail\n", ""),
        "result_failure of the passdb is not set", "return-fail"),
    "no return-fail in an outage": (
        lambda _: OURS + PASSDB_2_4.replace("  result_internalfail = return-fail\n", ""),
        "result_internalfail of the passdb is not set", "return-fail"),
    "going on after success": (
        lambda _: OURS + PASSDB_2_4.replace("}", "  result_success = continue\n}"),
        "result_success of the passdb is continue", "return-ok"),
    "a passdb of ours that is a master's": (
        lambda _: OURS + PASSDB_2_4.replace("}", "  master = yes\n}"),
        "the passdb is a master passdb", "master = no"),
    "no worker": (lambda _: OURS + PASSDB_2_4.replace("use_worker = yes", "use_worker = no"),
                  "blocks all others", "use_worker = yes"),
    "a script that is not there": (
        lambda _: OURS + PASSDB_2_4.replace("LUA", "/nonexistent.lua"), "/nonexistent.lua",
        "as root"),
    "what doveconf does not print": (lambda _: "hello\n", "not the output of doveconf",
                                     "doveconf -n"),
    "a file that is cut off": (lambda _: OURS + PASSDB_2_4[:-2], "not the output of doveconf",
                               "doveconf -n"),
}


@pytest.mark.dovecot23
@pytest.mark.parametrize("broken", DOVECOT)
def test_dovecot(dovecot, broken):
    change, finding, fix = DOVECOT[broken]
    assert_finds(dovecot(change), finding, fix)
