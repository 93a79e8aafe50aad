# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page with a store: it only reads the users' directory."""

import concurrent.futures
import os
import re
import subprocess

import ldap
import pytest

from administration import CONFIGURATION, DONE, PREFIX, UNAVAILABLE
from apppassword import from_now
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY, MFA_PLACES, READERS, Users
from conftest import new_folder
from portal import PROGRAM
from store import Store
from stored import People, StoredPortal
from visits import (ALTERNATE, choosing_app, enrolled, enrolled_by_mail, labels, let_in,
                    make_app_password, second_factors, signed_in)

IN = "Your app passwords"
SET_UP = "Two-step verification is turned on for you"


def start(workdir, **options):
    options = {"site_rules": READERS} | options
    return [Users(new_folder(workdir, "users"), **options).start(),
            Store(new_folder(workdir, "store")).start()]


@pytest.fixture(scope="module")
def servers(workdir):
    started = start(workdir)
    yield started
    for server in started:
        server.stop()


@pytest.fixture
def own_people(workdir):
    """Makes directories for a test that stops or changes them."""
    started = []

    def make(mfa, **options):
        started.extend(start(workdir, **options))
        return People(*started[-2:], mfa)

    yield make
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def make_portal(workdir):
    started = []

    def make(people, conf=None, **keys):
        started.append(StoredPortal(new_folder(workdir, "portal") / "etc", people, conf, **keys))
        return started[-1].start()

    yield make
    for portal in started:
        portal.stop()


@pytest.fixture(scope="module", params=MFA_PLACES)
def people(request, servers):
    return People(*servers, request.param)


@pytest.fixture(scope="module")
def portal(make_portal, people):
    return make_portal(people)


@pytest.fixture
def alice(people):
    """With MFA on, and without an entry in the store if that is possible."""
    if people.mfa == DEFAULT_OFF:
        return people.new_person(mfa=True)
    who = people.users.new_person()
    if people.mfa == IN_USERS_DIRECTORY:
        people.set_mfa(who, True)
    return who


def fresh_address():
    """Each visit comes from a network of its own, so that none is throttled."""
    fresh_address.count += 1
    return {"X-Real-IP": f"203.0.{113 + fresh_address.count // 250}.{fresh_address.count % 250}"}


fresh_address.count = 0


def visit(step, portal, who, *arguments):
    return step(portal, who, *arguments, **fresh_address())


def test_the_whole_way(people, portal, alice):
    mark = people.users.mark()
    client, app = visit(enrolled, portal, alice)
    shown = make_app_password(client, label="Åses Łaptop", services="imap")
    assert portal.answers(alice.uid, shown, "--service", "imap") == ("accepted", "app-password")
    assert portal.answers(alice.uid, shown, "--service", "smtp") == ("refused", "wrong-service")
    people.administrate(alice, appPasswordUsed=(
        f"id={shown[:4]} at={from_now(days=-1)} service=imap from=192.0.2.77"))
    client = visit(let_in, portal, alice, app)
    assert labels(client.page) == ["Åses Łaptop"] and "192.0.2.77" in client.page.words()
    client.post("revoke", id=shown[:4])
    assert portal.answers(alice.uid, shown, "--service", "imap") == ("refused", "revoked")
    others = [make_app_password(client, label=label) for label in ("one", "two")]
    client.get("")
    client.post("revoke-all")
    for other in others:
        assert portal.answers(alice.uid, other) == ("refused", "revoked")
    assert people.app_passwords(alice) == []
    log = "\n".join(people.users.log_since(mark))
    assert not re.search(r" (MOD|ADD|DEL|MODRDN) dn=", log), "the users' directory is only read"
    assert alice.mail in [recipient for recipient, _ in portal.mails()], "from its mail attribute"


def test_the_first_visit_adds_the_entry(people, portal, alice):
    client = visit(signed_in, portal, alice)
    if people.mfa != DEFAULT_OFF:
        assert people.users.id(alice) not in people.store.owners(), "a sign-in writes nothing"
    visit(enrolled, portal, alice)
    assert people.values(alice, "uid") == [alice.uid]
    assert people.values(alice, "appPasswordMfaEnabled") == (
        [] if people.mfa == IN_USERS_DIRECTORY else ["TRUE"])
    assert len(second_factors(people, alice)) == 1


def test_codes_by_mail(people, portal, alice):
    enrolled_by_mail(portal, alice)
    client = visit(signed_in, portal, alice)
    assert client.post("verify", code=portal.code_by_mail()).title() == IN


def test_a_link_by_mail(people, portal, alice):
    """Made in the store, withdrawn with MFA."""
    enrolled_by_mail(portal, alice)
    for number in range(2):
        called = portal.command("invite", alice.uid, "--label", "Phone", "--mail",
                                env=os.environ | {"PATH": f"{PREFIX}/bin:{os.environ['PATH']}"})
        assert called.returncode == DONE and portal.mails()[-1][0] == ALTERNATE, called
        path = re.search(r"device/\S+", portal.mails()[-1][1])[0]
        if number == 0:
            client = portal.client(**fresh_address())
            client.get(path)
            assert portal.answers(alice.uid, client.post(path).app_password())[0] == "accepted"
    if people.mfa == IN_USERS_DIRECTORY:
        return
    assert "unused links withdrawn: 1" in portal.done("mfa", "off", alice.uid)
    assert not [value for value in people.values(alice, "appPasswordMfaMethod")
                if value.startswith("invitation ")]


def test_two_first_enrolments_at_once(people, portal, alice):
    """Both would add the entry."""
    clients = [visit(choosing_app, portal, alice) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        titles = sorted(pool.map(
            lambda pair: pair[0].post("verify", code=pair[1].code()).title(), clients))
    assert len(second_factors(people, alice)) <= 1, titles
    assert titles.count("Your recovery codes") == len(second_factors(people, alice))


def test_wrong_codes_are_counted_in_the_store(people, portal, alice):
    _, app = visit(enrolled, portal, alice)
    client = visit(signed_in, portal, alice)
    client.post("verify", code=app.wrong_code())
    value, = [value for value in people.values(alice, "appPasswordMfaMethod")
              if value.startswith("guesses ")]
    assert " count=1" in value


def test_without_mfa_there_is_nothing_to_set_up(people, portal):
    if people.mfa == DEFAULT_ON:
        who = people.new_person(mfa=False)
    else:
        who = people.users.new_person()
    client = visit(signed_in, portal, who)
    assert client.page.status == 200 and client.page.title() not in (IN, SET_UP)
    client.post("start")
    client.post("choose", method="totp")
    assert not client.page.app_passwords() and client.page.title() not in (IN, SET_UP)
    assert second_factors(people, who) == []


def test_a_code_of_the_administrator(make_portal, people, alice):
    portal = make_portal(people, {"enrolment": "code"})
    printed = portal.done("mfa", "reset", alice.uid, "--code")
    client = visit(signed_in, portal, alice)
    assert client.page.title() != SET_UP
    client.post("enrolment-code", code=re.search(r"\b[0-9a-z]{4}(?:-[0-9a-z]{4})+\b", printed)[0])
    assert client.page.title() == SET_UP


def test_after_a_reset_the_second_factor_is_gone(people, portal, alice):
    client, app = visit(enrolled, portal, alice)
    portal.done("mfa", "reset", "--filter", "(appPasswordMfaMethod=*)")
    assert second_factors(people, alice) == []
    assert client.get("").title() != IN
    assert visit(signed_in, portal, alice).page.title() == SET_UP


# ---- an account is its id ----

def test_a_renamed_account_keeps_its_second_factor(people, portal, alice):
    client, app = visit(enrolled, portal, alice)
    make_app_password(client)
    new = people.users.rename(alice, f"re-{alice.uid}")
    if people.mfa == IN_USERS_DIRECTORY:
        people.set_mfa(new, True)
    client = visit(let_in, portal, new, app)
    assert labels(client.page) == ["a test"]


def test_a_successor_of_the_same_name_inherits_nothing(people, portal, alice):
    client, _ = visit(enrolled, portal, alice)
    shown = make_app_password(client)
    people.users.delete(alice)
    people.users.add(alice)
    people.set_mfa(alice, True)
    assert client.get("").title() != IN, "the old visit"
    assert visit(signed_in, portal, alice).page.title() == SET_UP
    assert portal.answers(alice.uid, shown) == ("refused", "unknown-app-password")


# ---- what is wrong ----

@pytest.mark.parametrize("which", ["users", "store"])
def test_a_directory_that_is_away(own_people, make_portal, which):
    people = own_people(IN_USERS_DIRECTORY)
    portal = make_portal(people)
    (alice, _), bob = people.new_person(mfa=True, app_passwords=1), people.new_person()
    client, app = enrolled(portal, alice)
    server = getattr(people, which)
    server.stop()
    try:
        assert client.get("").status == 503
        assert client.page.title() == "That didn’t work"
        for who in alice, bob:
            page = visit(signed_in, portal, who).page
            assert page.status == 503, (who, page.words())
            assert " verdict=unavailable reason=directory-unavailable " in portal.events()[-1]
        uri = people.settings["uri" if which == "users" else "store_uri"]
        assert uri in portal.events()[-1]
    finally:
        server.start()
    assert client.get("").title() == IN
    visit(let_in, portal, alice, app)


def test_a_store_that_has_lost_its_base(own_people, make_portal):
    people = own_people(DEFAULT_ON)
    portal, alice = make_portal(people), people.users.new_person()
    people.store.connect_as_itself().delete_s(people.store.entries)
    page = visit(signed_in, portal, alice).page
    assert page.status == 503, page.words()
    assert "does not exist" in portal.events()[-1]


def test_without_an_id_nobody_gets_in(own_people, make_portal):
    """It could be anybody's second factor."""
    for mfa in MFA_PLACES:
        people = own_people(mfa, first_rules="access to attrs=entryUUID by * none\n")
        portal, alice = make_portal(people), people.users.new_person()
        if mfa == IN_USERS_DIRECTORY:
            people.set_mfa(alice, True)
        page = visit(signed_in, portal, alice).page
        assert page.status == 503, (mfa, page.words())
        assert "id_attribute entryUUID has no value" in portal.events()[-1]


def test_an_entry_without_the_flag(people, portal):
    """With store_mfa it must say TRUE or FALSE."""
    who = people.users.new_person()
    people.set_mfa(who, True)
    if people.mfa == IN_USERS_DIRECTORY:
        return
    people.administrate(who, appPasswordMfaEnabled=None)
    assert visit(signed_in, portal, who).page.status == 503


CONF = {
    "no identity": ({"store_binddn": None, "store_bindpw_file": None}, "store_binddn is missing"),
    "no password": ({"store_bindpw_file": None}, "store_bindpw_file is missing"),
    "no DN": ({"store_binddn": "portal"}, "is not a DN like"),
    "no such file": ({"store_bindpw_file": "/nonexistent"}, "/nonexistent: No such file")}


@pytest.mark.parametrize("name", CONF)
def test_portal_conf(servers, tmp_path, name):
    conf, said = CONF[name]
    portal = StoredPortal(tmp_path / "etc", People(*servers, DEFAULT_ON), conf)
    called = subprocess.run([PROGRAM, "-c", portal.config, "-t"], text=True, capture_output=True)
    assert called.returncode == CONFIGURATION and said in called.stderr, called
    assert "portal.conf" in called.stderr


def test_portal_conf_without_a_store(servers, tmp_path):
    portal = StoredPortal(tmp_path / "etc", People(*servers, DEFAULT_ON), store_uri=None,
                          store_base=None, store_binddn=None, store_bindpw_file=None,
                          store_mfa=None, id_attribute=None)
    called = subprocess.run([PROGRAM, "-c", portal.config, "-t"], text=True, capture_output=True)
    assert called.returncode == CONFIGURATION and "need store_uri" in called.stderr, called


def test_the_test_of_the_configuration_tries_both(own_people, make_portal, tmp_path):
    people = own_people(DEFAULT_ON)
    portal = StoredPortal(tmp_path / "etc", people)
    test = [PROGRAM, "-c", portal.config, "-t"]
    called = subprocess.run(test, text=True, capture_output=True)
    assert "directory: good\n" in called.stdout and "store: good\n" in called.stdout
    (portal.folder / "wrong").write_text("wrong\n")
    portal.write(portal.folder / "portal.conf", {
        key: value for key, value in portal.conf.items() if value is not None}
        | {"store_bindpw_file": portal.folder / "wrong"})
    called = subprocess.run(test, text=True, capture_output=True)
    assert called.returncode == UNAVAILABLE and "directory: good\n" in called.stdout
    assert "store: " in called.stderr and "Invalid credentials" in called.stderr, called


def test_a_help_desk(make_portal, people, servers):
    """The filters are asked of the users' directory; what is shown is in the store."""
    helper, who = people.new_person(mfa=True), people.new_person(mfa=True)
    for person, kind in ((helper, "helpdesk"), (who, "staff")):
        servers[0].connect_as_itself().modify_s(person.dn, [(ldap.MOD_REPLACE, "employeeType", [kind.encode()])])
    portal = make_portal(people, {"helpdesk_filter": "(employeeType=helpdesk)",
                                  "helpdesk_users": "(employeeType=staff)"})
    make_app_password(enrolled(portal, who)[0], "Outlook")
    client, _ = enrolled(portal, helper)
    client.get("help-desk")
    assert f'value="{who.uid}"' in client.post("help-desk", find=who.uid).text
    page = client.get(f"help-desk/person?person={who.uid}")
    assert "Outlook" in page.words() and "Two-step verification on" in page.words()
    assert client.get(f"help-desk/person?person={helper.uid}").status == 404
