# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page with an Active Directory."""

import re

import pytest

import apppassword
from samba import DISABLED, person, principal
from slapd import BASE
from visits import choosing_app, enrolled, enrolled_by_mail, labels, let_in, make_app_password, \
    second_factors, signed_in

IN = "Your app passwords"
AGAIN = "We couldn’t sign you in"


@pytest.fixture(scope="module")
def directory(active_directory):
    return active_directory


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


@pytest.fixture
def alice(directory):
    return directory.new_person(mfa=True)


def fresh_address():
    """Each visit comes from a network of its own, so that none is throttled."""
    fresh_address.count += 1
    return {"X-Real-IP": f"203.0.113.{fresh_address.count}"}


fresh_address.count = 0


def test_the_whole_way(directory, portal, alice):
    client, app = enrolled(portal, alice, **fresh_address())
    shown = make_app_password(client, label="Åses Łaptop", services="imap")
    assert portal.answers(alice.uid, shown, "--service", "imap") == ("accepted", "app-password")
    assert portal.answers(alice.uid, shown, "--service", "smtp") == ("refused", "wrong-service")
    client = let_in(portal, alice, app, **fresh_address())
    assert labels(client.page) == ["Åses Łaptop"]
    client.post("revoke-all")
    assert portal.answers(alice.uid, shown, "--service", "imap") == ("refused", "revoked")
    assert directory.app_passwords(alice) == []


def test_codes_by_mail(directory, portal, alice):
    enrolled_by_mail(portal, alice)
    client = signed_in(portal, alice, **fresh_address())
    assert client.post("verify", code=portal.code_by_mail()).title() == IN


def test_a_code_of_the_administrator(directory, start_portal):
    portal = start_portal({"enrolment": "code"})
    who = directory.new_person()
    directory.set_mfa(who, False)
    printed = portal.done("mfa", "on", who.uid, "--code")
    client = signed_in(portal, who, **fresh_address())
    client.post("enrolment-code", code=re.search(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4})+\b", printed)[0])
    assert client.page.title() == "Two-step verification is turned on for you"


@pytest.mark.parametrize("name", ["userPrincipalName", "mail", "sAMAccountName in capitals"])
def test_people_sign_in_by_each_name(portal, alice, name):
    typed = {"userPrincipalName": principal(alice), "mail": alice.mail,
             "sAMAccountName in capitals": alice.uid.upper()}[name]
    client, app = enrolled(portal, alice, **fresh_address())
    client = portal.client(**fresh_address())
    client.get("")
    client.post("sign-in", login=typed, password=alice.password)
    assert client.post("verify", code=app.code()).title() == IN


# ---- an account is its objectGUID ----

def test_a_successor_of_the_same_name_inherits_nothing(directory, portal):
    who = person("Page.Heir")
    directory.add_user(who)
    directory.set_mfa(who, True)
    client, _ = enrolled(portal, who, **fresh_address())
    old_factors = second_factors(directory, who)
    shown = make_app_password(client)
    directory.manager().delete_s(who.dn)
    directory.add_user(who)
    directory.set_mfa(who, True)
    assert client.get("").title() != IN, "the old visit"
    assert signed_in(portal, who, **fresh_address()).page.title() == \
        "Two-step verification is turned on for you"
    assert portal.answers(who.uid, shown) == ("refused", "unknown-app-password")
    # Nor does a value that an administrator restored let the old app in.
    directory.administrate(who, appPasswordMfaMethod=old_factors)
    client = signed_in(portal, who, **fresh_address())
    assert client.page.status == 503, client.page.words()


def test_a_renamed_account_keeps_its_second_factor(directory, portal, alice):
    client, app = enrolled(portal, alice, **fresh_address())
    shown = make_app_password(client)
    new = alice._replace(uid=f"re-{alice.uid}", dn=f"cn=re-{alice.uid},ou=people,{BASE}")
    directory.set(alice, sAMAccountName=new.uid)
    directory.manager().rename_s(alice.dn, f"cn={new.uid}")
    client = let_in(portal, new, app, **fresh_address())
    assert labels(client.page) == ["a test"]
    assert portal.answers(new.uid, shown) == ("accepted", "app-password")


def test_without_the_id_nobody_enrolls(directory, portal, alice):
    directory.hide(alice, "objectGUID", "portal")
    client = signed_in(portal, alice, **fresh_address())
    assert client.page.status == 503
    assert "objectGUID" in portal.log.read_text()


# ---- accounts that may not ----

def test_an_account_that_has_ended(directory, portal, alice):
    directory.set(alice, userAccountControl=DISABLED)
    client = signed_in(portal, alice, **fresh_address())
    assert AGAIN in client.page.words()
    assert " verdict=refused reason=account-disabled " in portal.events()[-1]


@pytest.mark.parametrize("attribute", ["userAccountControl", "accountExpires"])
def test_an_account_that_may_have_ended(directory, portal, alice, attribute):
    directory.hide(alice, attribute, "portal")
    client = signed_in(portal, alice, **fresh_address())
    assert client.page.status == 503, client.page.words()
    assert f"{attribute} cannot be read" in portal.events()[-1]


def test_an_account_that_ends_during_the_visit(directory, portal, alice):
    client, _ = enrolled(portal, alice, **fresh_address())
    directory.set(alice, accountExpires="1")
    assert client.get("").title() not in (IN, "Your second step is set up", "Your recovery codes")


def test_a_password_that_must_be_changed(directory, portal, alice):
    directory.set(alice, userAccountControl="512", pwdLastSet="0")
    client = signed_in(portal, alice, **fresh_address())
    assert client.page.title() != IN
    line = portal.events()[-1]
    assert " verdict=refused reason=password-must-change " in line, line


def test_an_app_password_typed_here_does_not_count(directory, portal, alice):
    client = portal.client(**fresh_address())
    for _ in range(2):
        client.sign_in(alice, apppassword.make().shown)
    assert " reason=unknown-app-password " in portal.events()[-1]
    assert (directory.values(alice, "badPwdCount") or ["0"]) == ["0"]


@pytest.mark.parametrize("is_enrolled", [True, False])
def test_an_account_under_adminsdholder_enrolls_nobody(directory, portal, alice, is_enrolled):
    """Its second factor is hidden, so it looks as if there was none."""
    if is_enrolled:
        enrolled(portal, alice, **fresh_address())
    directory.protect(alice)
    client = signed_in(portal, alice, **fresh_address())
    assert client.page.status == 503, client.page.words()
    assert " verdict=unavailable reason=directory-unavailable " in portal.events()[-1]


def test_a_hidden_flag_enrolls_nobody(directory, portal, alice):
    directory.hide(alice, "appPasswordMfaEnabled", "portal")
    client = signed_in(portal, alice, **fresh_address())
    assert client.page.status == 503, client.page.words()


def test_a_hidden_second_factor_is_not_replaced(directory, portal, alice):
    """It looks as if there was none."""
    enrolled(portal, alice, **fresh_address())
    before = second_factors(directory, alice)
    directory.hide(alice, "appPasswordMfaMethod", "portal")
    client, app = choosing_app(portal, alice, **fresh_address())
    client.post("verify", code=app.code())
    assert client.page.title() != "Your recovery codes"
    assert client.get("").title() != IN
    assert second_factors(directory, alice) == before


def test_a_help_desk(directory, start_portal):
    helper, who, admin = (directory.new_person(mfa=True) for _ in range(3))
    group = directory.add_group("help-desk", helper.dn)
    staff = directory.add_group("staff", helper.dn, who.dn, admin.dn)
    directory.set(admin, adminCount="1")
    portal = start_portal({"helpdesk_filter": f"(memberOf={group})", "helpdesk_users": f"(memberOf={staff})"})
    client, _ = enrolled(portal, helper, **fresh_address())

    def found(text):
        client.get("help-desk")
        return re.findall(r'name="person" value="([^"]*)"', client.post("help-desk", find=text).text)

    assert found(who.uid) == found(who.mail) == found(principal(who)) == [who.uid]
    assert client.get(f"help-desk/person?person={who.uid}").status == 200
    assert client.get(f"help-desk/person?person={principal(who)}").status == 200
    for other in (helper, admin):
        assert found(other.uid) == []
        assert client.get(f"help-desk/person?person={other.uid}").status == 404
    assert enrolled(portal, who, **fresh_address())[0].get("help-desk").status == 404
