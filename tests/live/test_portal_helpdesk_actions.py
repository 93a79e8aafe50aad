# SPDX-License-Identifier: BSD-2-Clause
"""What the help desk does on the page: its log lines, its mails, and what it cannot do."""

import datetime
import re
import urllib.parse

import pytest

from authenticator import Authenticator
from page_client import SHOWN
from slapd import help_desk_rights
from visits import (ALTERNATE, at_once, enrolled, enrolled_by_mail, leave_codes, make_app_password,
                    second_factors, signed_in, subject_of)

NOT_FOUND = 404


class Desk:
    """A page with a help desk of two people, and clients of theirs."""

    def __init__(self, directory, start, conf=None, **options):
        self.directory = directory
        self.people = [directory.new_person(mfa=True) for _ in range(2)]
        staff = "".join(f"(uid={who.uid})" for who in self.people)
        self.conf = {"helpdesk_filter": f"(|{staff})", "helpdesk_users": "(uid=user*)",
                     "helpdesk_reset_delay": "24h"} | (conf or {})
        self.portal = start(self.conf, **options)

    def client(self, number=0):
        """Somebody of the help desk, with a second step that was just passed."""
        client, _ = enrolled(self.portal, self.people[number])
        return client

    def log(self, who):
        """What the help desk did about a person, without looking: (result or verdict, action, actor)."""
        lines = [line for line in self.portal.log.read_text().splitlines()
                 if f' user="{who.uid}"' in line and " actor=" in line
                 and f' actor="{who.uid}"' not in line and " action=help-desk-person " not in line]
        assert all(" client=127.0.0.1" in line for line in lines)
        return [tuple(re.search(rf' (?:{key})="?([^" ]+)', line)[1]
                      for key in ("result|verdict", "action", "actor")) for line in lines]

    def mails_to(self, address):
        return [text for to, text in self.portal.mails() if to == address]


def act(client, action, who, **fields):
    """A button on the person's page."""
    opened(client, who)
    return client.post(f"help-desk/{action}", person=who.uid, **fields)


def opened(client, who):
    return client.get("help-desk/person?" + urllib.parse.urlencode({"person": who.uid}))


@pytest.fixture(scope="module")
def desk(directory, start_portal):
    return Desk(directory, start_portal)


@pytest.fixture(scope="module")
def staff(desk):
    return desk.client()


@pytest.fixture
def owner(directory, desk):
    """(user, their client, Authenticator)"""
    who = directory.new_person(mfa=True)
    return who, *enrolled(desk.portal, who)


@pytest.fixture
def owner_with_address(directory, desk):
    who = directory.new_person(mfa=True)
    return who, enrolled_by_mail(desk.portal, who)


# ---- app passwords ----

def test_revoking_one(directory, desk, staff, owner):
    who, client, _ = owner
    shown = make_app_password(client, "Old phone")
    make_app_password(client, "Laptop")
    page = act(staff, "revoke", who, id=shown[:4])
    assert "The app password was revoked." in page.words()
    assert [value.rpartition("label=")[2] for value in directory.app_passwords(who)] == ["Laptop"]
    assert ("done", "revoke", desk.people[0].uid) in desk.log(who)
    text = desk.mails_to(who.mail)[-1]
    assert subject_of(text) == "An app password was revoked"
    assert "Your help desk revoked an app password" in text and "“Old phone”" in text
    assert desk.people[0].uid not in text and "Browser:" not in text, "the log has the name"
    assert f"Account: {who.uid}\n" in text
    mails = len(desk.portal.mails())
    again = act(staff, "revoke", who, id=shown[:4])
    assert len(desk.portal.mails()) == mails
    assert "This app password no longer exists." in again.words()
    assert desk.log(who)[-1] == ("failed", "revoke", desk.people[0].uid)

def test_revoking_all(directory, desk, staff, owner):
    who, client, _ = owner
    make_app_password(client, "one")
    make_app_password(client, "two")
    assert "All app passwords were revoked." in act(staff, "revoke-all", who).words()
    assert directory.app_passwords(who) == []
    assert subject_of(desk.mails_to(who.mail)[-1]) == "All your app passwords were revoked"
    assert ("done", "revoke", desk.people[0].uid) in desk.log(who)
    mails = len(desk.mails_to(who.mail))
    assert "There was no app password to revoke." in act(staff, "revoke-all", who).words()
    assert desk.log(who)[-1][:2] == ("failed", "revoke")
    assert len(desk.mails_to(who.mail)) == mails


# ---- a link ----

def link_to(desk, address):
    return re.search(rf"^{re.escape(desk.portal.conf['public_url'])}/(device/\S+)$",
                     desk.mails_to(address)[-1], re.MULTILINE)[1]


def test_a_link_goes_to_the_alternate_address_and_nowhere_else(directory, desk, staff,
                                                               owner_with_address):
    who, client = owner_with_address
    page = act(staff, "link", who, label="New phone")
    assert "The link is on its way to the alternate address." in page.words()
    link = link_to(desk, ALTERNATE)
    token = link.rpartition("/")[2]
    assert token not in page.text and token not in opened(staff, who).text
    assert token not in "".join(desk.mails_to(who.mail)) + "\n".join(desk.portal.events())
    assert ALTERNATE not in opened(staff, who).text, "masked"
    told = desk.mails_to(who.mail)[-1]
    assert subject_of(told) == "A link for another device was sent to you"
    assert "s…e@elsewhere.example" in told and ALTERNATE not in told
    assert ("done", "invite", desk.people[0].uid) in desk.log(who)
    phone = desk.portal.client()
    phone.get(link)
    phone.post(link)
    assert phone.page.app_password()
    assert len(directory.app_passwords(who)) == 1


def test_a_link_can_be_withdrawn_by_both(directory, desk, staff, owner_with_address):
    who, client = owner_with_address
    for withdraw in (lambda id: act(staff, "revoke", who, id=id),
                     lambda id: client.get("") and client.post("revoke", id=id)):
        act(staff, "link", who, label="New phone")
        link = link_to(desk, ALTERNATE)
        value, = [value for value in directory.values(who, "appPasswordMfaMethod")
                  if value.startswith("invitation ")]
        assert "The link was withdrawn." in withdraw(value[14:18]).words()
        assert desk.portal.client().get(link).status == 410


def test_a_link_ends_with_its_address(directory, desk, staff, owner_with_address):
    who, client = owner_with_address
    act(staff, "link", who, label="New phone")
    link = link_to(desk, ALTERNATE)
    by_mail = re.search(r'name="id" value="([0-9a-f]{8})"', client.get("second-steps").text)[1]
    client.post("add-factor")
    client.post("choose", method="totp")
    client.post("verify", code=Authenticator(client.page.secret()).code())
    client.get("second-steps")
    client.post("remove-factor", id=by_mail)
    assert "The second step was removed." in client.page.words()
    phone = desk.portal.client()
    assert phone.get(link).status == 410 or phone.post(link).status == 410
    assert directory.app_passwords(who) == []


def test_a_second_click_sends_no_second_link(directory, desk, staff, owner_with_address):
    who, _ = owner_with_address
    act(staff, "link", who, label="New phone")
    mails = len(desk.portal.mails())
    page = staff.post("help-desk/link", person=who.uid, label="New phone")
    assert "A link with this name is on its way already." in page.words()
    assert len(desk.portal.mails()) == mails


def test_a_link_that_cannot_be_mailed_is_withdrawn(directory, desk, staff, owner_with_address):
    who, _ = owner_with_address
    opened(staff, who)
    (desk.portal.folder / "no-mail").touch()
    try:
        page = staff.post("help-desk/link", person=who.uid, label="New phone")
    finally:
        (desk.portal.folder / "no-mail").unlink()
    assert "so the link was withdrawn" in page.words()
    assert "invitation " not in "".join(directory.values(who, "appPasswordMfaMethod"))
    assert [(result, action) for result, action, _ in desk.log(who)[-3:]] == [
        ("done", "invite"), ("unavailable", "mail"), ("done", "revoke")]


def test_no_link_without_an_alternate_address(directory, desk, staff, owner):
    who, _, _ = owner
    assert "There is no alternate e-mail address" in act(staff, "link", who, label="x").words()
    assert "Name the program" in act(staff, "link", who, label="").words()
    off = directory.new_person()
    assert "Two-step verification is off" in act(staff, "link", off, label="x").words()
    assert directory.values(off, "appPasswordMfaMethod") == []


# ---- an enrollment code ----

@pytest.fixture(scope="module")
def code_desk(directory, start_portal):
    return Desk(directory, start_portal, {"enrolment": "code"})


def enrolled_with_code(portal, who, code=None, hours=0):
    """As visits.enrolled(), with a code of the command or with this one, and the page's clock so much ahead."""
    code = code or re.search(SHOWN, portal.done("mfa", "on", who.uid, "--code"))[0]
    client = signed_in(portal, who)
    client.post("enrolment-code", code=code)
    client.post("start")
    client.post("choose", method="totp")
    client.post("verify", code=Authenticator(client.page.secret()).code_in(hours))
    leave_codes(client)
    return client


@pytest.fixture(scope="module")
def code_staff(code_desk):
    return enrolled_with_code(code_desk.portal, code_desk.people[0])


def test_a_code_is_shown_once_and_needs_the_account_password(directory, code_desk, code_staff):
    desk, staff = code_desk, code_staff
    who = directory.new_person(mfa=True)
    page = act(staff, "code", who)
    assert page.title() == "A code to read out" and page.headers["Cache-Control"] == "no-store"
    code = re.search(SHOWN, page.text)[0]
    assert not re.search(SHOWN, staff.get("help-desk/code").text), "once"
    assert ("done", "code", desk.people[0].uid) in desk.log(who)
    assert code not in "\n".join(desk.portal.events()) + desk.mails_to(who.mail)[-1]
    assert subject_of(desk.mails_to(who.mail)[-1]) == "A code to set up your second step"
    client = signed_in(desk.portal, who)
    client.post("enrolment-code", code=code)
    client.post("start")
    assert client.page.title() == "Choose your second step"
    second = re.search(SHOWN, act(staff, "code", who).text)[0]
    assert len([value for value in second_factors(directory, who) if value.startswith("code ")]) == 1
    assert second != code


def test_no_code_for_somebody_who_has_a_second_step(directory, desk, staff, owner, code_desk,
                                                    code_staff):
    who, _, _ = owner
    page = act(staff, "code", who)
    assert "No code is needed" in page.words(), "enrolment open"
    assert "code " not in " ".join(directory.values(who, "appPasswordMfaMethod"))
    off = directory.new_person()
    assert "Two-step verification is off" in act(code_staff, "code", off).words()
    has_one = directory.new_person(mfa=True)
    enrolled_with_code(code_desk.portal, has_one)
    assert "No code was made, because a second step is set up" in act(code_staff, "code", has_one).words()
    assert "code " not in " ".join(directory.values(has_one, "appPasswordMfaMethod"))


def test_a_code_that_waits_for_a_reset(directory, start_portal_with_clock):
    desk = Desk(directory, start_portal_with_clock, {"enrolment": "code"})
    staff = enrolled_with_code(desk.portal, desk.people[0])
    who = directory.new_person(mfa=True)
    enrolled_with_code(desk.portal, who)
    act(staff, "reset", who)
    code = re.search(SHOWN, act(staff, "code", who).text)[0]
    client = signed_in(desk.portal, who)
    client.post("enrolment-code", code=code)
    assert client.page.title() == "Your second step", "not before its time"
    desk.portal.set_clock("+25h")
    assert signed_in(desk.portal, who).page.title() == "The code from your administrator"
    enrolled_with_code(desk.portal, who, code, hours=25)
    factor, = second_factors(directory, who)
    assert factor.startswith("factor ")


# ---- resetting the second steps ----

def resets(directory, who):
    return [value for value in directory.values(who, "appPasswordMfaMethod")
            if value.startswith("reset ")]


def test_a_reset_waits_and_its_owner_cancels_it(directory, desk, staff, owner_with_address):
    who, client = owner_with_address
    site = desk.portal
    before = second_factors(directory, who)
    page = act(staff, "reset", who)
    assert "The reset was recorded" in page.words()
    assert f"{desk.people[0].uid} asked for this." in opened(staff, who).words()
    assert len(resets(directory, who)) == 1
    for address in (who.mail, ALTERNATE):
        text = desk.mails_to(address)[-1]
        assert subject_of(text) == "Your second steps will be reset"
        assert "choose “Cancel the reset”" in text and f"Account: {who.uid}\n" in text
        assert desk.people[0].uid not in text
    status = site.done("mfa", "status", who.uid)
    assert f"{desk.people[0].uid} of the help desk has asked to remove the second factors" in status
    assert signed_in(site, who).page.title() == "Your second step", "not yet"
    words = client.get("").words()
    assert "Your second steps will be reset:" in words
    assert f"{desk.people[0].uid} of your help desk asked for this." in words
    assert "The reset was canceled." in client.post("cancel-reset").words()
    assert resets(directory, who) == [] and second_factors(directory, who) == before
    for address in (who.mail, ALTERNATE):
        assert subject_of(desk.mails_to(address)[-1]) == "The reset of your second steps was canceled"
    assert "There was no reset to cancel." in client.post("cancel-reset").words()


def test_the_help_desk_cancels_a_reset(directory, desk, staff, owner):
    who, client, _ = owner
    act(staff, "reset", who)
    assert "The reset was canceled." in act(staff, "cancel-reset", who).words()
    assert resets(directory, who) == []
    assert [line[:2] for line in desk.log(who)[-2:]] == [("done", "request-reset"),
                                                         ("done", "cancel-reset")]
    assert "Your help desk canceled the reset" in desk.mails_to(who.mail)[-1]
    assert "There was no reset to cancel." in act(staff, "cancel-reset", who).words()


def test_a_second_reset_changes_nothing(directory, desk, staff, owner):
    who, _, _ = owner
    act(staff, "reset", who)
    value, = resets(directory, who)
    mails = len(desk.portal.mails())
    assert "A reset was asked for before." in act(staff, "reset", who).words()
    assert resets(directory, who) == [value] and len(desk.portal.mails()) == mails


def test_only_a_full_sign_in_cancels(directory, desk, staff, owner):
    who, _, _ = owner
    act(staff, "reset", who)
    half = signed_in(desk.portal, who)
    half.post("cancel-reset")
    assert len(resets(directory, who)) == 1, "an attacker may only have the password"
    assert "will be reset" not in half.page.words()


def test_nothing_to_reset(directory, desk, staff):
    who = directory.new_person(mfa=True)
    assert "There is no second step to reset." in act(staff, "reset", who).words()
    assert resets(directory, who) == []


@pytest.fixture
def timed(directory, start_portal_with_clock):
    """A help desk whose page's clock can be set."""
    desk = Desk(directory, start_portal_with_clock, {"helpdesk_reset_delay": "2h"})
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(desk.portal, who)
    shown = make_app_password(client)
    act(desk.client(), "reset", who)
    assert len(resets(directory, who)) == 1
    return desk, who, shown


def test_after_its_time_a_sign_in_removes_the_second_steps(directory, timed):
    desk, who, shown = timed
    desk.portal.set_clock("+119m")
    assert signed_in(desk.portal, who).page.title() == "Your second step"
    desk.portal.set_clock("+121m")
    wrong = desk.portal.client()
    wrong.sign_in(who, "not the password")
    assert len(resets(directory, who)) == 1
    client = signed_in(desk.portal, who)
    assert client.page.title() == "Two-step verification is turned on for you"
    assert directory.values(who, "appPasswordMfaMethod") == []
    for address in (who.mail, ALTERNATE):
        assert subject_of(desk.mails_to(address)[-1]) == "Your second steps were reset"
    assert f'action=reset actor="{desk.people[0].uid}" user="{who.uid}"' in desk.portal.changes()[-1]
    client.post("start")
    client.post("choose", method="totp")
    assert desk.portal.answers(who.uid, shown, "--service", "imap")[0] == "accepted", "untouched"


def test_a_reset_that_nobody_uses_ends_after_a_week(directory, timed):
    desk, who, _ = timed
    desk.portal.set_clock(f"+{2 + 7 * 24 + 1}h")
    assert signed_in(desk.portal, who).page.title() == "Your second step"
    assert len(second_factors(directory, who)) == 1


def test_a_damaged_reset_is_loud_and_changes_nothing(directory, desk, owner):
    who, client, _ = owner
    directory.administrate(who, appPasswordMfaMethod=directory.values(
        who, "appPasswordMfaMethod") + ["reset id=k7q2 created=yesterday"])
    assert signed_in(desk.portal, who).page.title() == "Your second step"
    line = [line for line in desk.portal.events() if f'user="{who.uid}"' in line
            and "action=reset" in line][-1]
    assert "verdict=unavailable" in line and "malformed reset" in line
    assert "malformed reset" in desk.portal.command("mfa", "status", who.uid).stderr
    assert len(second_factors(directory, who)) == 1
    client.get("")
    assert "The reset was canceled." in client.post("cancel-reset").words()
    assert resets(directory, who) == []


def test_without_a_delay_the_next_sign_in_removes_them(directory, start_portal):
    desk = Desk(directory, start_portal, {"helpdesk_reset_delay": "0"})
    who = directory.new_person(mfa=True)
    enrolled(desk.portal, who)
    act(desk.client(), "reset", who)
    assert signed_in(desk.portal, who).page.title() == "Two-step verification is turned on for you"


def test_the_command_removes_a_reset(directory, desk, staff, owner):
    who, _, _ = owner
    act(staff, "reset", who)
    desk.portal.done("mfa", "reset", who.uid)
    assert directory.values(who, "appPasswordMfaMethod") == []


def test_of_two_people_who_ask_at_once_one_wins(directory, desk, staff, owner):
    who, _, _ = owner
    clients = [staff, desk.client(1)]
    for client in clients:
        opened(client, who)
    pages = at_once(2, lambda number: clients[number].post("help-desk/reset", person=who.uid))
    won = [page for page in pages if "The reset was recorded" in page.words()]
    assert len(won) <= 1 and len(resets(directory, who)) == len(won)
    for page in pages:
        assert page in won or "A reset was asked for before." in page.words() \
            or "Something else changed at the same time" in page.words()


def test_of_a_cancellation_and_another_one_wins(directory, desk, staff, owner):
    who, client, _ = owner
    act(staff, "reset", who)
    opened(staff, who)
    client.get("")
    pages = at_once(2, lambda number: client.post("cancel-reset") if number else
                    staff.post("help-desk/cancel-reset", person=who.uid))
    words = sorted(page.words() for page in pages)
    assert sum("The reset was canceled." in word for word in words) == 1
    assert sum("There was no reset to cancel." in word for word in words) == 1
    assert resets(directory, who) == []


# ---- turning MFA on and off ----

SOON = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()


def flag(directory, who):
    return directory.values(who, "appPasswordMfaEnabled")


def test_without_the_right_the_page_says_so(directory, desk, staff):
    who = directory.new_person()
    page = act(staff, "mfa-on", who, date=SOON)
    assert "This page has no right to change that in the directory" in page.words()
    assert flag(directory, who) == []
    assert desk.log(who)[-1] == ("failed", "mfa-on", desk.people[0].uid)


@pytest.fixture
def mfa_desk(own_directory, start_portal):
    rule, = help_desk_rights("access to ", "The help desk turns MFA on")

    def make(**conf):
        directory = own_directory(first_rules=rule)
        desk = Desk(directory, start_portal, conf, to=directory)
        return directory, desk, desk.client()
    return make


def test_mfa_from_a_date_and_back(mfa_desk):
    directory, desk, staff = mfa_desk()
    who = directory.new_person()
    for date in ("", "tomorrow", "2020-01-01", "2099-01-01", "2027-02-30", SOON + "x"):
        assert "Choose a date" in act(staff, "mfa-on", who, date=date).words(), date
    assert flag(directory, who) == []
    assert "will be on from that date" in act(staff, "mfa-on", who, date=SOON).words()
    assert flag(directory, who) == ["TRUE"]
    text = desk.mails_to(who.mail)[-1]
    assert subject_of(text) == "Two-step verification will be turned on"
    assert "is on already" in act(staff, "mfa-on", who, date=SOON).words()
    assert "Two-step verification is off." in act(staff, "mfa-off", who).words(), "not enforced yet"
    assert flag(directory, who) == ["FALSE"]
    assert directory.values(who, "appPasswordMfaEnforceFrom") == []
    assert subject_of(desk.mails_to(who.mail)[-1]) == "Two-step verification was turned off"
    assert [line[:2] for line in desk.log(who)[-3:]] == [
        ("done", "mfa-on"), ("failed", "mfa-on"), ("done", "mfa-off")]


def test_mfa_that_is_enforced_stays_on(mfa_desk):
    directory, desk, staff = mfa_desk()
    who = directory.new_person(mfa=True)
    assert "may not turn off" in act(staff, "mfa-off", who).words()
    assert flag(directory, who) == ["TRUE"]
    assert desk.log(who)[-1][:2] == ("failed", "mfa-off")


def test_mfa_off_where_the_site_allows_it(mfa_desk):
    directory, desk, staff = mfa_desk(helpdesk_may="mfa-off")
    who = directory.new_person(mfa=True)
    enrolled_by_mail(desk.portal, who)
    assert "Two-step verification is off." in act(staff, "mfa-off", who).words()
    assert flag(directory, who) == ["FALSE"]
    for address in (who.mail, ALTERNATE):
        assert subject_of(desk.mails_to(address)[-1]) == "Two-step verification was turned off"


# ---- those who may not be helped, and those who may not help ----

ACTIONS = {"revoke": {"id": "k7q2"}, "revoke-all": {}, "link": {"label": "x"}, "code": {},
           "reset": {}, "cancel-reset": {}, "mfa-on": {"date": SOON}, "mfa-off": {}}


@pytest.mark.parametrize("action", ACTIONS)
def test_people_who_may_not_be_helped(directory, desk, staff, action):
    own, colleague = desk.people
    before = [(directory.values(who, "appPasswordMfaMethod"), flag(directory, who))
              for who in desk.people]
    staff.get("")
    for person in (own.uid, own.mail, colleague.uid, colleague.mail, "nobody-at-all", "*", "",
                   "member"):
        page = staff.post(f"help-desk/{action}", staff.page.token() if "csrf" in staff.page.text
                          else staff.get("").token(), person=person, **ACTIONS[action])
        assert page.status == NOT_FOUND, (person, page.words())
    assert [(directory.values(who, "appPasswordMfaMethod"), flag(directory, who))
            for who in desk.people] == before


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_else_gets_at_the_actions(directory, desk, owner, action):
    who, client, _ = owner
    other = directory.new_person(mfa=True)
    enrolled(desk.portal, other)
    client.get("")
    page = client.post(f"help-desk/{action}", person=other.uid, **ACTIONS[action])
    assert page.status == NOT_FOUND
    half = signed_in(desk.portal, desk.people[0])
    half.post(f"help-desk/{action}", person=other.uid, **ACTIONS[action])
    assert half.page.title() == "Your second step"
    foreign = desk.portal.client()
    foreign.get("")
    assert foreign.post(f"help-desk/{action}", token="x", person=other.uid).status == 403
    assert resets(directory, other) == [] and desk.log(other) == []


def test_a_form_without_its_token_does_nothing(directory, desk, staff, owner):
    who, _, _ = owner
    opened(staff, who)
    assert staff.post("help-desk/reset", token="x", person=who.uid).status == 403
    assert resets(directory, who) == []
