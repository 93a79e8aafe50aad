# SPDX-License-Identifier: BSD-2-Clause
"""MFA is off only if the directory says so."""

import ldap
import pytest

from slapd import GROUP, IDENTITIES, MEMBER, NON_MEMBER, PASSWORD_RULE
from smtp import ACCEPTED, REFUSED, UNAVAILABLE

MAIL_SERVER = IDENTITIES["mail server"]


def hide(attribute):
    """An access rule that hides an attribute from the mail server."""
    return f'access to attrs={attribute} by dn.exact="{MAIL_SERVER}" none by * break'


def show(attribute):
    """The access rule for another mfa_filter, from ldap-schema's README."""
    return f'access to attrs={attribute} by dn.exact="{MAIL_SERVER}" search by * break'


def test_with_a_hidden_flag_the_account_password_is_unavailable(own_directory, mail_server):
    """Whether MFA is on or off; app passwords still work."""
    directory = own_directory(first_rules=hide("appPasswordMfaEnabled"))
    server = mail_server({"uri": directory.ldap})
    with_mfa, app_password = directory.new_person(mfa=True, app_passwords=1)
    without_mfa = directory.new_person()
    assert server.sign_in(with_mfa.uid, with_mfa.password).code == UNAVAILABLE
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == UNAVAILABLE
    assert "reason=mfa-unreadable" in server.events()[-1]
    assert server.sign_in(with_mfa.uid, app_password.shown).code == ACCEPTED


def test_a_flag_that_may_only_be_searched_is_enough(own_directory, mail_server):
    """The right to compare it is not."""
    for right, code in (("search", ACCEPTED), ("compare", UNAVAILABLE)):
        directory = own_directory(first_rules=(
            f'access to attrs=appPasswordMfaEnabled by dn.exact="{MAIL_SERVER}" {right}'
            ' by * break'))
        person = directory.new_person()
        server = mail_server({"uri": directory.ldap})
        assert server.sign_in(person.uid, person.password).code == code


def test_with_a_hidden_object_class_the_decision_is_the_same(own_directory, mail_server):
    directory = own_directory(first_rules=hide("objectClass"))
    server = mail_server({"uri": directory.ldap})
    with_mfa, app_password = directory.new_person(mfa=True, app_passwords=1)
    without_mfa = directory.new_person()
    assert server.sign_in(with_mfa.uid, with_mfa.password).code == REFUSED
    assert server.sign_in(with_mfa.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == ACCEPTED


def test_a_hidden_enforce_from_means_now(own_directory, mail_server):
    directory = own_directory(first_rules=hide("appPasswordMfaEnforceFrom"))
    person = directory.new_person()
    directory.set_mfa(person, True, enforce_from="20990101000000Z")
    assert mail_server({"uri": directory.ldap}).sign_in(
        person.uid, person.password).code == REFUSED


def test_a_flag_unknown_to_the_schema_is_unavailable(mail_server, directory):
    server = mail_server({"mfa_filter": "(siteHasNoSuchFlag=TRUE)",
                          "mfa_off_filter": "(siteHasNoSuchFlag=FALSE)"})
    person, app_password = directory.new_person(app_passwords=1)
    assert server.sign_in(person.uid, person.password).code == UNAVAILABLE
    assert "reason=mfa-unreadable" in server.events()[-1]
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_a_replica_without_the_schema_is_unavailable(own_directory, mail_server):
    """It must not look like a site without MFA."""
    directory = own_directory(schema=False, acl=(),
                              site_rules=PASSWORD_RULE + "access to * by users read")
    person = directory.new_person()
    server = mail_server({"uri": directory.ldap})
    assert server.sign_in(person.uid, person.password).code == UNAVAILABLE


def test_a_flag_with_an_option_counts(usual, directory):
    person = directory.new_person()
    directory.administrate(person, **{"appPasswordMfaEnabled;lang-en": "TRUE"})
    assert usual.sign_in(person.uid, person.password).code == REFUSED


@pytest.mark.parametrize("value, code", [("TRUE", REFUSED), ("FALSE", ACCEPTED), (None, ACCEPTED)])
def test_the_flag_is_on_only_when_true(usual, directory, value, code):
    person = directory.new_person()
    directory.administrate(person, appPasswordMfaEnabled=value)
    assert usual.sign_in(person.uid, person.password).code == code


def test_a_filter_on_memberof_decides_by_group(own_directory, mail_server):
    directory = own_directory(first_rules=(
        show("memberOf")
        + f'\naccess to attrs=member by dn.exact="{IDENTITIES["user manager"]}" write by * break'))
    server = mail_server({"uri": directory.ldap, "mfa_filter": f"(memberOf={GROUP})",
                          "mfa_witness": MEMBER.dn})
    assert server.sign_in(MEMBER.uid, MEMBER.password).code == REFUSED
    assert server.sign_in(NON_MEMBER.uid, NON_MEMBER.password).code == ACCEPTED
    set_member(directory, NON_MEMBER)
    assert server.sign_in(NON_MEMBER.uid, NON_MEMBER.password).code == REFUSED


def test_a_hidden_group_is_unavailable(own_directory, mail_server):
    directory = own_directory()
    server = mail_server({"uri": directory.ldap, "mfa_filter": f"(memberOf={GROUP})",
                          "mfa_witness": MEMBER.dn})
    assert server.sign_in(MEMBER.uid, MEMBER.password).code == UNAVAILABLE
    assert server.sign_in(NON_MEMBER.uid, NON_MEMBER.password).code == UNAVAILABLE


@pytest.mark.parametrize("mfa_filter", [
    "(employeeType=mfa)",
    "(!(employeeType=exempt))",
    "(|(appPasswordMfaEnabled=TRUE)(employeeType=mfa))",
    "(&(objectClass=inetOrgPerson)(employeeType=m*))",
    "(employeeType:caseExactMatch:=mfa)",
])
def test_a_flag_of_the_sites_own_works(own_directory, mail_server, mfa_filter):
    directory = own_directory(first_rules=(
        f'access to attrs=employeeType by dn.exact="{MAIL_SERVER}" search'
        f' by dn.exact="{IDENTITIES["administrator"]}" write by * break'))
    with_mfa, without_mfa = directory.new_person(), directory.new_person()
    witness = directory.new_person(mfa=True)
    server = mail_server({"uri": directory.ldap, "mfa_filter": mfa_filter,
                          "mfa_witness": witness.dn})
    directory.administrate(witness, employeeType="mfa")
    directory.administrate(with_mfa, employeeType="mfa")
    directory.administrate(without_mfa, employeeType="exempt")
    assert server.sign_in(with_mfa.uid, with_mfa.password).code == REFUSED
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == ACCEPTED


def set_member(directory, person):
    """Add a user to the group, as the site's user manager."""
    directory.connect("user manager").modify_s(
        GROUP, [(ldap.MOD_ADD, "member", [person.dn.encode()])])
