# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page against those who know an account password and have many networks."""

import re
import socket
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from processes import SLOWLY, seconds, wait_until
from test_portal_guarding import at_once, form, guess_codes, guesses, in_browser, known_to, link_in
from visits import (enrolled, enrolled_by_mail, labels, make_app_password, second_factors,
                    signed_in, subject_of)
GUESSED = "Somebody else may know your password"


def network(number):
    """An address in a /64 of its own; all are of one /48."""
    return {"X-Real-IP": f"2001:db8:77:{number:x}::1"}


def told(portal):
    return [text for _, text in portal.mails() if subject_of(text) == GUESSED]


# ---- the link in the mail ----

@pytest.mark.parametrize("behind", [
    "..%2frevoke-all", "..%2f..%2fx", "%2e%2e%5crevoke-all", "x/../y", "", "A" * 21, "A" * 23])
def test_the_page_of_the_link_sends_its_form_to_no_other_place(directory, start_portal, behind):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client, "stays")
    page = client.get(f"this-browser/{behind}")
    if page.status == 200:
        action = re.search(r'action="([^"]*this-b[^"]*)"', page.text)[1].replace("\\", "/")
        client.post(urllib.parse.urljoin("http://x/y", action).removeprefix("http://x/"))
    assert labels(client.get("")) == ["stays"]
    assert page.status == 404


def test_the_owner_gets_the_link_as_soon_as_mail_works_again(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    broken = portal.folder / "no-mail"
    broken.touch()
    guess_codes(portal, who, app, 50)
    broken.unlink()
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})

    def is_told():
        owner.headers |= network(len(portal.events()))
        assert "open the link in the mail" in owner.post("verify", code=app.code()).words()
        return told(portal)

    wait_until(is_told, "a mail")
    assert len(told(portal)) == 1
    owner.get(link_in(portal))
    owner.post(link_in(portal))
    assert owner.post("verify", code=app.code()).title() == "Your app passwords"


def test_who_asks_for_all_codes_by_mail_keeps_nobody_out(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    pollers = [signed_in(portal, who, **network(number)) for number in range(14)]
    for poller in pollers:
        poller.post("resend")
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    assert "open the link in the mail" in owner.page.words()
    assert len(told(portal)) == 1
    owner.get(link_in(portal))
    owner.post(link_in(portal))
    owner.post("resend")
    assert owner.post("verify", code=portal.code_by_mail()).title() == "Your app passwords"


def test_who_asks_for_codes_by_mail_too_often_alone_alarms_nobody(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    for _ in range(6):
        client.post("resend")
    assert "too many were asked for" in client.page.words()
    assert told(portal) == []


def test_the_owner_is_told_of_guesses_in_a_known_browser(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    mark, app = known_to(portal, who)
    thief = in_browser(portal, mark)
    thief.sign_in(who)
    for _ in range(9):
        thief.post("verify", code=app.wrong_code())
    assert len(told(portal)) == 1
    assert thief.mark == mark
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    assert owner.post("verify", code=app.code()).title() == "Your app passwords"


def test_a_mail_that_cannot_be_sent_harms_no_link_before_it(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    guess_codes(portal, who, app, 10)
    value, = guesses(directory, who)
    day = f"{datetime.now(timezone.utc) - timedelta(days=1):%Y%m%d}000000Z"
    directory.administrate(who, appPasswordMfaMethod=[
        *second_factors(directory, who), re.sub(r"(day|told)=\d+Z", rf"\1={day}", value)])
    (portal.folder / "no-mail").touch()
    guess_codes(portal, who, app, 12)
    wait_until(lambda: " action=mail error=" in portal.log.read_text(), "a mail that cannot be sent")
    assert len(told(portal)) == 1
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    owner.get(link_in(portal))
    owner.post(link_in(portal))
    assert owner.mark


def test_a_mark_is_worth_nothing_once_the_second_factor_was_set_up_anew(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    lost, app = known_to(portal, who)
    time.sleep(1.1)  # a mark has the time in seconds
    portal.done("mfa", "reset", who.uid)
    _, app = enrolled(portal, who)
    thief = in_browser(portal, lost)
    thief.sign_in(who)
    thief.post("verify", code=app.wrong_code())
    value, = guesses(directory, who)
    assert " count=1" in value
    time.sleep(1.1)
    owner = in_browser(portal, lost)
    owner.sign_in(who)
    owner.post("verify", code=app.code())
    assert owner.mark != lost, "a new one"
    for _ in range(2):
        owner = in_browser(portal, owner.mark)
        owner.sign_in(who)
        owner.post("verify", code=app.wrong_code())
    value, = guesses(directory, who)
    assert " count=1" in value


def test_who_polls_for_the_code_of_the_administrator_keeps_nobody_out(directory, start_portal):
    """Who waited for the account had its network's try given back, so asking cost nothing."""
    portal = start_portal({"enrolment": "code"})
    who = directory.new_person(mfa=True)
    code = portal.done("mfa", "on", who.uid, "--code").split()[-1]
    pollers = [signed_in(portal, who, **network(number)) for number in range(8)]
    for _ in range(5):
        for poller in pollers:
            poller.post("enrolment-code", code="x")
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    assert owner.post("enrolment-code", code=code).title() == \
        "Two-step verification is turned on for you"
    for poller in pollers:
        poller.post("enrolment-code", code=code)
        assert "too many wrong tries" in poller.page.words(), "and each has five"


# ---- many networks ----

def test_a_half_finished_visit_outlasts_a_rush_from_many_networks_of_one_site(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    at_once(5, lambda thread: [signed_in(portal, who, **network(10 * thread + number))
                               for number in range(8)])
    assert owner.post("verify", code=app.code()).title() == "Your app passwords"


def test_who_ends_the_visits_of_new_browsers_from_many_sites_brings_the_owner_the_link(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    for number in range(20):
        signed_in(portal, who, **{"X-Real-IP": f"192.0.2.{number}"})
    assert told(portal) == []
    signed_in(portal, who, **{"X-Real-IP": "192.0.2.20"})
    assert len(told(portal)) == 1
    owner = signed_in(portal, who, **{"X-Real-IP": "198.51.100.98"})
    owner.get(link_in(portal))
    owner.post(link_in(portal))
    for number in range(25):
        signed_in(portal, who, **{"X-Real-IP": f"192.0.2.{number}"})
    assert owner.post("verify", code=app.code()).title() == "Your app passwords"
    assert len(told(portal)) == 1


def test_who_has_many_networks_makes_no_known_browser_forget_its_tries(directory, start_portal_with_clock):
    """4096 of them filled the table in which its tries stood."""
    portal = start_portal_with_clock()
    who, crowd = directory.new_person(mfa=True), directory.new_person(mfa=True)
    mark, app = known_to(portal, who)
    portal.set_clock(SLOWLY)
    thief = in_browser(portal, mark)
    thief.sign_in(who)
    for _ in range(7):
        thief.post("verify", code=app.wrong_code())
    assert " reason=too-many-tries " in portal.events()[-1]

    def fill(thread):
        client = portal.client()
        for number in range(700):
            client.headers |= network(thread * 1000 + number)
            client.get("")
            client.ask_once("POST", "sign-in", urllib.parse.urlencode(
                {"csrf": client.page.token(), "login": crowd.uid, "password": crowd.password}))

    at_once(6, fill)
    thief.sign_in(who)
    thief.post("verify", code=app.wrong_code())
    assert " reason=too-many-tries " in portal.events()[-1]


def test_one_visit_holds_few_threads(directory, start_portal_with_clock):
    """Requests of one visit wait for each other; those of two networks took all threads."""
    portal = start_portal_with_clock()
    users, other = [directory.new_person(mfa=True) for _ in range(2)], directory.new_person(mfa=True)
    for who in users:
        enrolled_by_mail(portal, who)
    visits = [signed_in(portal, who, **network(number)) for number, who in enumerate(users)]
    program, go_on = portal.folder / "sendmail", portal.folder / "go-on"
    program.write_text(program.read_text().replace(
        "#!/bin/sh\n", f"#!/bin/sh\ntouch {portal.folder}/busy-$$; while [ ! -e {go_on} ]; do sleep 0.1; done\n"))

    def ask_for_mail(visit):
        return visit.ask_once("POST", "resend", f"csrf={visit.page.token()}").status

    portal.set_clock(SLOWLY)  # the ten seconds that sendmail may take last a hundred
    with ThreadPoolExecutor(62) as pool:
        waiting = [pool.submit(ask_for_mail, visit) for visit in visits]
        wait_until(lambda: len(list(portal.folder.glob("busy-*"))) == 2, "both mails")
        answers = [pool.submit(visit.ask_once, "GET", "") for visit in visits * 30]
        wait_until(lambda: sum(answer.done() for answer in answers) >= 46, "those that are too many")
        signed_in(portal, other, **{"X-Real-IP": "198.51.100.98"})
        assert not any(mail.done() for mail in waiting)
        go_on.touch()
        statuses = [answer.result().status for answer in answers]
    assert (statuses.count(429), statuses.count(200)) == (46, 14)


# ---- clocks ----

def test_after_a_clock_that_was_far_ahead_the_owner_waits_no_longer_than_a_day(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    far = f"{datetime.now(timezone.utc) + timedelta(days=3000):%Y%m%d}000000Z"
    directory.administrate(who, appPasswordMfaMethod=[
        *directory.values(who, "appPasswordMfaMethod"),
        f"guesses day={far} count=49 told={far} link={'A' * 22}"])
    guess_codes(portal, who, app, 1)
    today = f"{datetime.now(timezone.utc):%Y%m%d}000000Z"
    value, = guesses(directory, who)
    assert value.startswith(f"guesses day={today} count=50 told={today} link=")
    assert len(told(portal)) == 1


# ---- connections ----

def test_one_site_cannot_have_all_connections(directory, start_portal):
    """Sixteen /64s of one /48, each with as many requests as a network may have in work."""
    portal = start_portal(refusal_delay="15")
    who = directory.new_person(mfa=True)
    attackers = [portal.client(**network(number)) for number in range(16)]
    for attacker in attackers:
        attacker.get("")
    connections = []
    try:
        for number in range(512):
            attacker = attackers[number % 16]
            connections.append(socket.create_connection(("127.0.0.1", portal.port), 60))
            connections[-1].sendall(form(
                attacker, "sign-in", f"csrf={attacker.page.token()}&login=nobody&password=x",
                more=f"X-Real-IP: {attacker.headers['X-Real-IP']}\r\n"))
        took, page = seconds(lambda: signed_in(
            portal, who, **{"X-Real-IP": "198.51.100.98"}).page)
        assert page.title() == "Two-step verification is turned on for you" and took < 10
    finally:
        for connection in connections:
            connection.close()
