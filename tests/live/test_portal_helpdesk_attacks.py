# SPDX-License-Identifier: BSD-2-Clause
"""What somebody of the help desk could try against those whom they may help, and against others."""

import urllib.parse

import ldap
import pytest

from processes import SLOWLY
from test_portal_devices import made
from test_portal_helpdesk_actions import (ALTERNATE, NOT_FOUND, Desk, act, link_to, opened, resets)
from visits import enrolled, enrolled_by_mail, second_factors, subject_of

TOO_MANY = 429
UNAVAILABLE = 503


@pytest.fixture(scope="module")
def desk(directory, start_portal):
    return Desk(directory, start_portal)


@pytest.fixture(scope="module")
def staff(desk):
    return desk.client()


def change(directory, who, **attributes):
    directory.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, name, [one.encode() for one in values]) for name, values in attributes.items()])


# ---- nothing without a mail ----

def test_the_owner_learns_that_a_link_was_withdrawn(directory, desk, staff):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(desk.portal, who)
    act(staff, "link", who, label="New phone")
    link = link_to(desk, ALTERNATE)
    value, = [value for value in directory.values(who, "appPasswordMfaMethod")
              if value.startswith("invitation ")]
    assert "The link was withdrawn." in act(staff, "revoke", who, id=value[14:18]).words()
    assert desk.portal.client().get(link).status == 410
    told = desk.mails_to(who.mail)[-1]
    assert subject_of(told) == "A link for another device was withdrawn"
    assert "“New phone”" in told and desk.people[0].uid not in told


def test_no_reset_that_its_owner_cannot_learn_of(directory, desk, staff):
    who = directory.new_person(mfa=True)
    enrolled(desk.portal, who)
    before = second_factors(directory, who)
    change(directory, who, mail=[])
    page = act(staff, "reset", who)
    assert "No mail about the reset can reach this person" in page.words()
    assert resets(directory, who) == [] and second_factors(directory, who) == before
    assert desk.log(who)[-1] == ("done", "cancel-reset", desk.people[0].uid)


def test_a_reset_whose_mail_waits_for_the_relay(directory, start_portal):
    desk = Desk(directory, start_portal)  # of its own: the mail comes in a minute, in the midst of another test
    staff, who = desk.client(), directory.new_person(mfa=True)
    enrolled(desk.portal, who)
    opened(staff, who)
    (desk.portal.folder / "no-mail").touch()
    try:
        staff.post("help-desk/reset", person=who.uid)
    finally:
        (desk.portal.folder / "no-mail").unlink()
    assert len(resets(directory, who)) == 1
    assert ("unavailable", "mail", desk.people[0].uid) in desk.log(who)
    assert any("trying again for a day" in line and f'user="{who.uid}"' in line
               for line in desk.portal.events())


# ---- reading out the directory ----

def test_opening_people_is_throttled(directory, start_portal_with_clock):
    desk = Desk(directory, start_portal_with_clock)
    client = desk.client()
    desk.portal.set_clock(SLOWLY)  # the first wait is a second
    who = directory.new_person(mfa=True)
    act(client, "cancel-reset", who)  # the next person's page is paid with it, and no other
    states = [client.get(f"help-desk/person?person=nobody-{number}").status for number in range(204)]
    assert states[0] == NOT_FOUND and TOO_MANY in states[-6:]
    assert states.count(NOT_FOUND) <= 201, "a page that is not shown costs the same"
    page = client.post("help-desk/reset", person=who.uid)
    assert page.status in (TOO_MANY, 200)
    assert any("reason=too-many-tries" in line and "help-desk-person" in line
               and f'actor="{desk.people[0].uid}"' in line for line in desk.portal.events())


# ---- other spellings ----

@pytest.mark.parametrize("spelling", [
    "{0} ", " {0}", "\u00ad{0}", "{1}\u00ad{2}", "{1}\u200b{2}", "{1}\u2060{2}", "{1}\ufe0f{2}", "{3}", "*{2}",
    "{1}*", "{0})(uid=*", "{0}\\00"])
def test_no_spelling_helps_the_help_desk(directory, desk, staff, spelling):
    for who in desk.people:
        for name in (who.uid, who.mail):
            typed = spelling.format(name, name[:3], name[3:], name.upper())
            staff.get("")
            assert staff.post("help-desk/revoke-all", person=typed).status == NOT_FOUND
            assert staff.get("help-desk/person?" + urllib.parse.urlencode({"person": typed})).status == NOT_FOUND


@pytest.mark.parametrize("text", ["\u00ad" * 3, "\u200b" * 3, "\ufe0f" * 3, "   \u00ad   ", "***", "a**", "a\u00ad\u00ad",
                                  "a  ", ")(uid=*", "\\2a\\2a", "%u%u", "*)(objectClass=*"])
def test_no_search_matches_everybody(desk, staff, text):
    staff.get("help-desk")
    assert 'name="person"' not in staff.post("help-desk", find=text).text


def test_a_login_that_means_somebody_else_too(directory, desk, staff):
    """Whom the help desk may help has the address of somebody whom it may not help."""
    who, own, colleague = directory.new_person(mfa=True), *desk.people
    enrolled(desk.portal, who)
    change(directory, who, mail=[who.mail, colleague.mail, own.mail])
    for name in (colleague.mail, own.mail):
        staff.get("")
        page = staff.post("help-desk/reset", person=name)
        assert page.status in (NOT_FOUND, UNAVAILABLE) and who.uid not in page.text
    assert resets(directory, who) == [] == resets(directory, own)
    assert not [line for line in desk.portal.changes() if "result=done" in line
                and (f'user="{own.mail}"' in line or f'user="{colleague.mail}"' in line)]
    assert opened(staff, who).status == 200, "nobody else has the login"
    change(directory, who, mail=[who.mail])


# ---- where a link goes ----

def test_no_link_into_the_mailbox_that_it_opens(directory, desk, staff):
    """The alternate address has become one of the person's own: whoever reads that mail with a stolen app password would
    get another one."""
    who = directory.new_person(mfa=True)
    enrolled_by_mail(desk.portal, who)
    change(directory, who, mail=[who.mail, ALTERNATE])
    mails = len(desk.portal.mails())
    page = act(staff, "link", who, label="New phone")
    assert "There is no alternate e-mail address, so no link was sent." in page.words()
    assert "Send a link that sets up a device" not in page.text
    assert len(desk.portal.mails()) == mails
    assert "invitation " not in "".join(directory.values(who, "appPasswordMfaMethod"))
    change(directory, who, mail=[who.mail])


# ---- what they type, in a mail ----

@pytest.mark.parametrize("label", ["x\nBcc: eve@evil.example", "x\r\n\r\nhttps://evil.example/", "\u202egnp", "x" * 65])
def test_a_label_is_one_short_line(directory, desk, staff, label):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(desk.portal, who)
    mails = len(desk.portal.mails())
    assert "on its way" not in act(staff, "link", who, label=label).words()
    assert len(desk.portal.mails()) == mails


# ---- moving MFA's date ----

@pytest.mark.parametrize("date", ["9999-12-31", "2020-01-01", "-001-01-01", "2027-02-30", "2027-1-1x", "", "tomorrow",
                                  "99999-01-01"])
def test_only_a_date_within_a_year(directory, desk, staff, date):
    who = directory.new_person()
    assert "Choose a date from tomorrow on, within a year." in act(staff, "mfa-on", who, date=date).words()
    assert directory.values(who, "appPasswordMfaEnforceFrom") == []


# ---- a session that is less than a full sign-in, or over ----

def test_the_link_of_a_help_desk_person_opens_no_help_desk(directory, start_portal):
    desk = Desk(directory, start_portal)
    client = desk.client()
    link = made(client)
    who = directory.new_person(mfa=True)
    enrolled(desk.portal, who)
    phone = desk.portal.client()
    phone.get(link)
    phone.post(link)
    assert phone.page.app_password()
    for page in (opened(phone, who), phone.post("help-desk/reset", person=who.uid)):
        assert who.mail not in page.text and "What you can do" not in page.text
    assert resets(directory, who) == [] and desk.log(who) == []


def test_a_form_from_before_leaving_or_signing_out_does_nothing(directory, start_portal):
    desk = Desk(directory, start_portal, {"helpdesk_filter": "(displayName=Help desk)"})
    change(directory, desk.people[0], displayName=["Help desk"])
    client, who = desk.client(), directory.new_person(mfa=True)
    enrolled(desk.portal, who)
    token = opened(client, who).token()
    change(directory, desk.people[0], displayName=[])
    assert client.post("help-desk/reset", token, person=who.uid).status == NOT_FOUND
    change(directory, desk.people[0], displayName=["Help desk"])
    client.post("sign-out")
    assert client.post("help-desk/reset", token, person=who.uid).status == 403
    assert resets(directory, who) == [] and desk.log(who) == []
