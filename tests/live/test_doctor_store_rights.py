# SPDX-License-Identifier: BSD-2-Clause
"""The doctor's findings about rights with a store: in both directories, and a fix that is pasted."""

import re

import ldap
import pytest

from beside import DEFAULT_ON, IN_USERS_DIRECTORY
from slapd import IDENTITIES
from stored import People
from test_doctor import assert_finds
from test_doctor_store import (as_one, assert_only, assert_silent, changed_store, doctor,  # noqa: F401
                               few_users, make_site, own_users, populate, site_of_few, store, users)

MAIL_SERVER = IDENTITIES["mail server"]

# ---- in the users' directory ----

USERS_RIGHTS = {
    "a user takes another's id": (
        "access to attrs=ipaUniqueID by self write by * read\n", "the user may write ipaUniqueID",
        "let only the administrators"),
    "a user takes another's name": (
        "access to attrs=uid by self write by * read\n", "the user may write uid",
        "let only the administrators"),
    "the mail server changes ids": (
        f'access to attrs=ipaUniqueID by dn.exact="{MAIL_SERVER}" write by * read\n',
        "the mail server may write ipaUniqueID", "read by * break"),
    "the mail server does not see the id": (
        f'access to attrs=ipaUniqueID by dn.exact="{MAIL_SERVER}" none by * read\n',
        "3 of 3 users have none", "olcAccess: {0}to attrs=ipaUniqueID"),
}


@pytest.mark.parametrize("broken", USERS_RIGHTS)
def test_right_in_the_users_directory(few_users, store, tmp_path, broken):
    rules, finding, fix = USERS_RIGHTS[broken]
    users = few_users([["a-1"], ["a-2"], ["a-3"]], rules)
    assert_only(as_one(site_of_few(tmp_path, users, store)), finding, fix)


def test_a_user_who_may_write_what_mfa_filter_reads(own_users, store, tmp_path):
    users = own_users("access to attrs=employeeType by self write by * read\n")
    site = make_site(tmp_path, People(users, store, IN_USERS_DIRECTORY),
                     mfa_filter="(employeeType=mfa)", mfa_off_filter="(employeeType=plain)",
                     mfa_witness=None)
    assert_finds(doctor(site), "the user may write employeeType", "let only the administrators")


# ---- rights in the store ----

RULES = 'access to dn.exact="ou=entries,o=app-passwords" attrs=children\n'


def may(who, right, attribute):
    return f'access to attrs={attribute} by dn.exact="cn={who},ou=services,o=app-passwords" ' \
        f'{right} by * break\n'


RIGHTS = {
    "the mail server writes app passwords": (
        may("mail-server", "write", "appPassword"), "the mail server may write appPassword",
        "read by * break"),
    "the mail server turns MFA off": (
        may("mail-server", "write", "appPasswordMfaEnabled"),
        "the mail server may write appPasswordMfaEnabled", "search by * break"),
    "the mail server gives entries to others": (
        may("mail-server", "write", "appPasswordOwner"),
        "the mail server may write appPasswordOwner", "read by * break"),
    "the mail server cannot record uses": (
        may("mail-server", "read", "appPasswordUsed"),
        "the mail server may not write appPasswordUsed", "write by * break"),
    "the mail server does not see app passwords": (
        may("mail-server", "none", "appPassword"), "the mail server cannot read appPassword",
        "read by * break"),
    "the mail server cannot ask for MFA": (
        may("mail-server", "none", "appPasswordMfaEnabled"), "neither (appPasswordMfaEnabled=TRUE)",
        "search"),
    "the mail server adds entries": (
        may("mail-server", "add", "children,entry,objectClass,appPasswordOwner"),
        "the mail server may add entries", "attrs=children"),
    "the portal cannot add entries": (
        may("portal", "none", "children"), "the portal may not add entries",
        "examples/store/slapd.conf"),
    "the portal turns MFA off": (
        may("portal", "write", "appPasswordMfaEnabled"),
        "the portal may write appPasswordMfaEnabled", "examples/store/slapd.conf"),
    "the portal cannot write app passwords": (
        may("portal", "read", "appPassword"), "the portal may not write appPassword",
        "examples/store/slapd.conf"),
    "the portal does not see second factors": (
        may("portal", "=w", "appPasswordMfaMethod"), "the portal cannot read appPasswordMfaMethod",
        "examples/store/slapd.conf"),
    "the administrator cannot record orphans": (
        may("administrator", "read", "appPasswordOrphanSince"),
        "the administrator may not write appPasswordOrphanSince", "write by * break"),
}


@pytest.mark.parametrize("broken", RIGHTS)
def test_right(users, changed_store, tmp_path, broken):
    rules, finding, fix = RIGHTS[broken]
    store = changed_store("slapd.conf", RULES, rules + RULES)
    called = doctor(make_site(tmp_path, populate(People(users, store, DEFAULT_ON)), portal=True))
    assert_finds(called, finding, fix)
    assert called.stdout.count("PROBLEM") == 1, called.stdout


def test_a_fix_pasted_into_the_store(users, changed_store, tmp_path):
    rules, finding, _ = RIGHTS["the mail server writes app passwords"]
    store = changed_store("slapd.conf", RULES, rules + RULES)
    site = make_site(tmp_path, populate(People(users, store, DEFAULT_ON)))
    line, = re.findall(r"fix: olcAccess: \{0\}(.*)", doctor(site).stdout)
    store.stop()
    config = store.folder / "slapd.conf"
    config.write_text(config.read_text().replace(rules, f"access {line}\n" + rules))
    store.start()
    assert_silent(doctor(site))


def test_anonymous_sees_entries(users, changed_store, tmp_path):
    rule = "access to attrs=entry,appPasswordOwner by anonymous read by * break\n"
    store = changed_store("slapd.conf", RULES, rule + RULES)
    store.stop()
    config = store.folder / "slapd.conf"
    config.write_text(config.read_text().replace("require authc\n", ""))
    start_open(store)
    called = doctor(make_site(tmp_path, populate(People(users, store, DEFAULT_ON))))
    assert_only(called, "anonymous can find entries of the store by appPasswordOwner",
                "by anonymous none by * break")


def start_open(store):
    """Start one that answers without a bind."""
    def answers():
        try:
            store.connect().search_s("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            return False
        except ldap.NO_SUCH_OBJECT:
            pass
        return True
    store._answers = answers
    store.start()


def test_other_rules_before_are_one_finding(users, changed_store, tmp_path):
    store = changed_store("slapd.conf", RULES, "access to dn.subtree=ou=entries,o=app-passwords by users write\n" + RULES)
    called = doctor(make_site(tmp_path, populate(People(users, store, DEFAULT_ON)), portal=True))
    assert_finds(called, "the rules of examples/store/slapd.conf are missing",
                 "put the rules of examples/store/slapd.conf first")
    assert called.stdout.count("PROBLEM") == 1, called.stdout
