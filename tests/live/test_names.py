# SPDX-License-Identifier: BSD-2-Clause
"""Which name an accepted login gets, and whom else that name leads to."""

import itertools

import ldap
import pytest

import smtp
from slapd import BASE, Person
from smtp import ACCEPTED, REFUSED, UNAVAILABLE

numbers = itertools.count()


def add_person(directory, uid, unit, mail):
    """A user in another branch; several mail addresses have spaces between them."""
    dn = f"uid={uid},ou={unit},{BASE}"
    who = Person(uid, mail.split()[0], dn, "A-Password/1")
    directory.connect_as_itself().add_s(dn, [
        ("objectClass", [b"inetOrgPerson", b"appPasswordAccount"]), ("uid", [uid.encode()]),
        ("cn", [b"x"]), ("sn", [b"x"]), ("userPassword", [who.password.encode()]),
        ("mail", [address.encode() for address in mail.split()])])
    return who


@pytest.fixture
def branches(directory):
    """Two branches with a Sam each, under different mail addresses."""
    sam, root = f"sam{next(numbers)}", directory.connect_as_itself()
    made = []
    for unit in f"a-{sam}", f"b-{sam}":
        dn = f"ou={unit},ou=people,{BASE}"
        root.add_s(dn, [("objectClass", b"organizationalUnit"), ("ou", unit.encode())])
        made.append(dn)
    yield sam, lambda letter, mail: add_person(
        directory, sam, f"{letter}-{sam},ou=people", mail)
    for dn in made:
        for entry, _ in root.search_s(dn, ldap.SCOPE_SUBTREE, attrlist=["1.1"])[::-1]:
            root.delete_s(entry)


def test_a_name_that_two_branches_have_opens_no_mailbox(mail_server, directory, branches):
    sam, add = branches
    first, second = add("a", f"{sam}@a.test"), add("b", f"{sam}@b.test")
    server = mail_server({"login_attribute": "uid"})
    shown = directory.add_app_password(second).shown
    for password in shown, second.password:
        assert server.sign_in(second.mail, password).code == UNAVAILABLE
        line = server.events()[-1]
        assert " verdict=unavailable reason=ambiguous-name " in line
        assert f' dn="{second.dn}" ' in line and first.dn in line


def test_when_one_of_the_two_is_gone_the_other_signs_in(mail_server, directory, branches):
    sam, add = branches
    first, second = add("a", f"{sam}@a.test"), add("b", f"{sam}@b.test")
    server = mail_server({"login_attribute": "uid"})
    assert server.sign_in(second.mail, second.password).code == UNAVAILABLE
    directory.connect_as_itself().delete_s(first.dn)
    assert server.sign_in(second.mail, second.password).code == ACCEPTED


def test_a_filter_that_does_not_look_for_the_name_opens_nothing(mail_server, directory):
    person, app_password = directory.new_person(app_passwords=1)
    server = mail_server({"login_attribute": "uid", "filter": "(mail=%u)"})
    assert server.sign_in(person.mail, app_password.shown).code == UNAVAILABLE
    assert "reason=ambiguous-name" in server.events()[-1]
    assert f'finds no entry by the accepted name \\x22{person.uid}\\x22' in server.events()[-1]


def test_one_search_more_for_a_new_spelling_and_none_for_an_hour(mail_server, directory):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"login_attribute": "uid"})
    searches = []
    for login in person.mail, person.mail, person.uid.upper(), person.uid:
        mark = directory.mark()
        assert server.sign_in(login, app_password.shown).code == ACCEPTED
        searches.append(sum(" SRCH base=" in line for line in directory.log_since(mark)))
    assert searches == [2, 1, 1, 1]


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_of_several_addresses_the_one_typed_is_the_name(
        mail_server, directory, branches, spelling, number):
    sam, add = branches
    addresses = [f"{sam}@a.test", f"{sam}.x@a.test", f"x.{sam}@b.test"]
    who = add("a", " ".join(addresses))
    server = mail_server({"login_attribute": "mail"})
    client = server.connect()
    assert smtp.plain(client, spelling(addresses[number]), who.password).code == ACCEPTED
    client.sendmail("sender@example.org", ["recipient@example.net"], "Subject: a test\n\nHello")
    client.quit()
    assert server.postfix_says("sasl_username=").endswith(f"sasl_username={addresses[number]}")


def test_a_login_that_is_none_of_several_addresses(mail_server, directory, branches):
    sam, add = branches
    who = add("a", f"{sam}@a.test {sam}.x@a.test")
    server = mail_server({"login_attribute": "mail"})
    assert server.sign_in(sam, who.password).code == UNAVAILABLE
    assert " reason=no-name " in server.events()[-1]
    assert "login_attribute mail has 2 values here" in server.events()[-1]
    assert server.sign_in(sam, "wrong").code == REFUSED


@pytest.mark.parametrize("filter, login", [
    ("(uid=%t)", "{uid}+news@example.org"), ("(uid=%b)", r"EXAMPLE\{uid}"),
    ("(uid=%n)", "{uid}@any.example"), ("(|(uid=%b)(mail=%u))", "{mail}"),
])
def test_the_logins_that_clients_send_find_the_entry(mail_server, directory, filter, login):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"login_attribute": "uid", "filter": filter})
    assert server.sign_in(login.format(uid=person.uid, mail=person.mail),
                          app_password.shown).code == ACCEPTED


def test_an_internationalized_domain_finds_its_a_labels(mail_server, directory, branches):
    sam, add = branches
    who = add("a", f"{sam}@xn--bcher-kva.example {sam}@a.test")
    for attribute in "uid", "mail":
        server = mail_server({"login_attribute": attribute})
        for domain in "b\u00fccher", "B\u00dcCHER", "xn--bcher-kva":
            assert server.sign_in(f"{sam}@{domain}.example", who.password).code == ACCEPTED


@pytest.mark.parametrize("before, after", [
    ("\u00a0", ""), ("", "\u200b"), ("\ufeff", "\u00a0 "), ("", "\u2028")])
def test_pasted_invisible_characters_are_ignored_in_logins_and_app_passwords(
        mail_server, directory, before, after):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert mail_server().sign_in(f"{before}{person.uid}{after}",
                                 f"{before}{app_password.shown}{after}").code == ACCEPTED
