# SPDX-License-Identifier: BSD-2-Clause
"""Signing in with an Active Directory: names, app passwords, account passwords and MFA."""

import pytest

import apppassword
from administration import CONFIGURATION, Site
from samba import person, principal
from slapd import BASE

ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"
NESTED = "1.2.840.113556.1.4.1941"  # LDAP_MATCHING_RULE_IN_CHAIN


@pytest.fixture(scope="module")
def directory(active_directory):
    return active_directory


def with_mfa(directory, enabled, who=None):
    who = who or directory.new_person()
    directory.set_mfa(who, enabled)
    return who


# ---- names ----

NAMES = {"sAMAccountName": lambda who: who.uid, "userPrincipalName": principal,
         "mail": lambda who: who.mail, "another case": lambda who: who.mail.upper()}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_was_typed_the_accepted_name_is_the_account_name(directory, site, name):
    who, app_password = directory.new_person(app_passwords=1)
    line = site.check(NAMES[name](who), app_password.shown)
    assert " verdict=accepted reason=app-password " in line
    typed = NAMES[name](who)
    assert (f' name="{who.uid}"' in line) == (typed != who.uid), line


@pytest.mark.parametrize("name", [r"Berg\, Åse", r"\#1 \+ \"x\" \<y\>\; z", "Łódź 東京", "a (b) *"])
def test_a_dn_with_special_characters(directory, site, name):
    uid = f"dn{abs(hash(name)) % 10**9}"
    who = directory.add_user(person(uid)._replace(dn=f"cn={name},ou=people,{BASE}"))
    app_password = directory.add_app_password(who)
    assert site.answers(uid, app_password.shown) == (ACCEPTED, "app-password")
    directory.set_mfa(who, False)
    assert site.answers(uid, who.password) == (ACCEPTED, "account-password")
    directory.set_mfa(who, True)
    assert site.answers(uid, who.password) == (REFUSED, "account-password-with-mfa")


@pytest.mark.parametrize("count", [2, 3])
def test_a_name_of_several_users_is_ambiguous(directory, site, count):
    """Samba sends all of them, whatever the limit of the search."""
    people = [directory.new_person() for _ in range(count)]
    for who in people:
        directory.set(who, mail=f"shared{count}@example.org")
    app_password = directory.add_app_password(people[0])
    assert site.answers(f"shared{count}@example.org", app_password.shown) == \
        (UNAVAILABLE, "ambiguous-user")
    assert site.answers(people[0].uid, app_password.shown) == (ACCEPTED, "app-password")


def test_an_account_name_that_is_the_mail_address_of_another_is_ambiguous(directory, site):
    who, app_password = directory.new_person(app_passwords=1)
    directory.set(directory.new_person(), mail=who.uid)
    assert site.answers(principal(who), app_password.shown) == (UNAVAILABLE, "ambiguous-name")


@pytest.mark.parametrize("login", ["*", "user*", "nobody-here", "DC1$", "mail-administrators",
                                   "krbtgt", "Guest"])
def test_nobody_else_signs_in(site, login):
    verdict, reason = site.answers(login, "Guess.12345/x")
    assert verdict != ACCEPTED, reason
    if login not in ("krbtgt", "Guest"):  # these are users, and disabled
        assert reason == "unknown-user"
    else:
        assert reason == "account-disabled"


# ---- app passwords ----

def test_a_wrong_app_password(directory, site):
    who, right = directory.new_person(app_passwords=1)
    assert site.answers(who.uid, apppassword.make(id=right.id).shown) == \
        (REFUSED, "wrong-app-password")


@pytest.mark.parametrize("fields, reason", [
    ({"expires": "20260101000000Z"}, "expired"), ({"services": "imap"}, "wrong-service"),
    ({"networks": "192.0.2.0/24"}, "wrong-network")])
def test_a_restricted_app_password(directory, site, fields, reason):
    who = directory.new_person()
    app_password = directory.add_app_password(who, **fields)
    assert site.answers(who.uid, app_password.shown, "--service", "smtp", "--client",
                        "198.51.100.1") == (REFUSED, reason)


# ---- the account password and MFA ----

def test_mfa_on(directory, site):
    who = with_mfa(directory, True)
    assert site.answers(who.uid, who.password) == (REFUSED, "account-password-with-mfa")


def test_mfa_off(directory, site):
    who = with_mfa(directory, False)
    assert site.answers(who.uid, who.password) == (ACCEPTED, "account-password")
    assert site.answers(who.uid, "wrong") == (REFUSED, "wrong-account-password")


def test_mfa_announced(directory, site):
    who = directory.new_person()
    directory.set_mfa(who, True, enforce_from="20990101000000Z")
    line = site.check(who.uid, who.password)
    assert " verdict=accepted " in line and "would-refuse=account-password-with-mfa" in line


def test_without_a_flag_nothing_says_that_mfa_is_off(directory, site):
    who = directory.new_person()
    assert site.answers(who.uid, who.password) == (UNAVAILABLE, "mfa-unreadable")


def test_account_password_never_needs_no_flag(directory, make_site):
    site = make_site(account_password="never", mfa_off_filter=None)
    who, app_password = directory.new_person(app_passwords=1)
    assert site.answers(who.uid, app_password.shown) == (ACCEPTED, "app-password")
    verdict, _ = site.answers(who.uid, who.password)
    assert verdict == REFUSED


@pytest.mark.parametrize("enabled", [True, False])
def test_a_flag_that_is_hidden_in_one_entry(directory, site, enabled):
    who = with_mfa(directory, enabled)
    directory.hide(who, "appPasswordMfaEnabled")
    assert site.answers(who.uid, who.password) == (UNAVAILABLE, "mfa-unreadable")


@pytest.mark.parametrize("enabled", [True, False])
def test_an_account_under_adminsdholder(directory, site, enabled):
    who = with_mfa(directory, enabled)
    app_password = directory.add_app_password(who)
    directory.protect(who)
    for password in (who.password, app_password.shown):
        assert site.answers(who.uid, password) == (UNAVAILABLE, "mfa-unreadable")


@pytest.mark.parametrize("enabled", [True, False])
def test_a_unit_that_inherits_nothing(directory, site, enabled):
    unit = directory.add_unit(f"alone{enabled}")
    who = directory.add_user(person(f"alone{enabled}")._replace(dn=f"cn=alone,{unit}"))
    app_password = directory.add_app_password(with_mfa(directory, enabled, who))
    directory.block_inheritance(unit)
    for password in (who.password, app_password.shown):
        line = site.check(who.uid, password)
        assert " verdict=unavailable reason=directory-unavailable " in line
        assert "userAccountControl cannot be read" in line


def test_a_class_that_the_rights_leave_out(directory, site):
    """inetOrgPerson is derived from user, but inherited rights name one class."""
    who = directory.add_user(person("inet"), objectClass=["inetOrgPerson"], sn=["inet"])
    app_password = apppassword.make()
    directory.set(who, appPassword=app_password.value, appPasswordMfaEnabled="FALSE")
    for password in (who.password, app_password.shown):
        assert site.answers(who.uid, password) == (UNAVAILABLE, "mfa-unreadable")


# ---- groups ----

class Groups:
    """Users with MFA on and off by groups, each directly and by a group within."""

    def __init__(self, directory):
        self.direct, self.nested, self.without, self.neither = (
            directory.new_person() for _ in range(4))
        inner = directory.add_group("mfa-on-inner", self.nested.dn)
        self.on = directory.add_group("mfa-on", self.direct.dn, inner)
        inner = directory.add_group("mfa-off-inner", self.without.dn)
        self.off = directory.add_group("mfa-off", inner)


@pytest.fixture(scope="module")
def groups(directory):
    return Groups(directory)


def by_groups(groups, rule=f":{NESTED}:"):
    return {"mfa_filter": f"(memberOf{rule}={groups.on})", "mfa_off_filter": f"(memberOf{rule}={groups.off})",
            "mfa_witness": (groups.nested if rule else groups.direct).dn}


def test_nested_groups(make_site, groups):
    site = make_site(**by_groups(groups))
    for who in (groups.direct, groups.nested):
        assert site.answers(who.uid, who.password) == (REFUSED, "account-password-with-mfa")
    assert site.answers(groups.without.uid, groups.without.password) == \
        (ACCEPTED, "account-password")
    assert site.answers(groups.neither.uid, groups.neither.password) == \
        (UNAVAILABLE, "mfa-unreadable")


def test_memberof_knows_direct_members_only(make_site, groups):
    site = make_site(**by_groups(groups, rule=""))
    assert site.answers(groups.direct.uid, groups.direct.password) == \
        (REFUSED, "account-password-with-mfa")
    for who in (groups.nested, groups.without):
        assert site.answers(who.uid, who.password) == (UNAVAILABLE, "mfa-unreadable")


@pytest.mark.parametrize("rule", ["", f":{NESTED}:"], ids=["memberOf", "nested"])
@pytest.mark.parametrize("which", ["mfa_filter", "mfa_off_filter"])
def test_a_mistyped_group_is_unavailable(make_site, groups, which, rule):
    right = by_groups(groups, rule)
    site = make_site(**right | {which: f"(memberOf{rule}=cn=mistyped,ou=groups,{BASE})"})
    people = (groups.direct,) if which == "mfa_filter" else (groups.without,)
    for who in people:
        assert site.answers(who.uid, who.password) == (UNAVAILABLE, "mfa-unreadable")


@pytest.mark.parametrize("rule", ["", f":{NESTED}:"], ids=["memberOf", "nested"])
def test_a_witness_finds_a_mistyped_group_where_a_flag_says_off(
        directory, make_site, groups, rule, tmp_path):
    """Whether the group or the flag is believed must not depend on spelling."""
    who = directory.new_person()
    directory.manager().modify_s(groups.on, [(0, "member", [who.dn.encode()])])
    directory.set_mfa(who, False)
    keys = {"mfa_witness": groups.direct.dn, "mfa_filter": f"(memberOf{rule}={groups.on})"}
    assert make_site(**keys).answers(who.uid, who.password) == \
        (REFUSED, "account-password-with-mfa")
    keys["mfa_filter"] = keys["mfa_filter"].replace("mfa-on", "mistyped")
    site = Site(tmp_path / "mistyped", directory, **keys)
    assert site.answers(who.uid, who.password) == (UNAVAILABLE, "mfa-unreadable")


@pytest.mark.parametrize("off", [
    "(!(memberOf={on}))", "(&(objectCategory=person)(!(memberOf={on})))",
    "(&(objectCategory=person)(!(memberOf={off})))",
    "(&(objectClass=user)(!(objectClass=computer)))", "(sAMAccountType=805306368)"])
def test_what_every_user_matches_is_no_proof_that_mfa_is_off(make_site, groups, off):
    site = make_site(mfa_filter=f"(memberOf={groups.on})",
                     mfa_off_filter=off.format(on=groups.on, off=groups.off))
    called = site.command("check", groups.neither.uid, input="x\n")
    assert called.returncode == CONFIGURATION and "mfa_off_filter also matches" in called.stderr
