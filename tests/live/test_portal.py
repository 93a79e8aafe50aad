# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page over HTTP: the whole way, who may see what, the log and the mail."""

import pathlib
import plistlib
import re
import urllib.parse
from datetime import datetime, timedelta, timezone

import ldap
import pytest

import apppassword
from authenticator import Authenticator
from conftest import new_folder
from processes import SLOWLY
from visits import (ALTERNATE, choosing_app, enrolled, enrolled_by_mail, events_of, labels,
                    leave_codes, let_in, make_app_password, second_factors, signed_in, subject_of,
                    subjects)

SERVERS = {"imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:587"}


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal(SERVERS, filter="(&(uid=%u)(mail=*@*))")  # a site with its own filter


@pytest.fixture(scope="module")
def by_code(start_portal):
    return start_portal({"enrolment": "code"})


@pytest.fixture(scope="module")
def single_sign_on(start_portal, workdir):
    """The socket's folder has a short path, and only the test can open it."""
    return start_portal({"trusted_user_header": "X-Remote-User",
                         "listen": f"unix:{new_folder(workdir, 's')}/http"} | SERVERS)


# ---- the whole way ----

def test_users_without_mfa_see_that_and_whom_to_ask_and_nothing_else(directory, portal):
    who = directory.new_person()
    client = signed_in(portal, who)
    assert client.page.title() == "You don’t need an app password"
    assert client.page.words().count("help@example.org") == 1
    assert re.findall(r'action="([^"]*)"', client.page.text) == ["/sign-out"]
    assert events_of(portal, who) == ["accepted account-password"]


@pytest.mark.parametrize("language, link, text", [
    ("en", "mailto:help@example.org", "help@example.org, tel. 1"),
    ("nb", "https://example.org/hjelp", "Se https://example.org/hjelp.")])
def test_support_is_a_link_and_may_differ_by_language(start_portal, language, link, text):
    portal = start_portal({"support": "help@example.org, tel. 1",
                           "support_in": "nb Se https://example.org/hjelp."})
    page = portal.client(**{"Accept-Language": language}).get("")
    assert f'<a href="{link}">{text}</a>' in page.text


def test_an_announcement_says_from_when_mail_programs_need_an_app_password(directory, portal):
    who = directory.new_person()
    directory.set_mfa(who, True, "20400101000000Z")
    client = signed_in(portal, who)
    assert "As of 1 January 2040, mail programs need an app password" in client.page.words()
    assert client.post("start").title() == "Choose your second step"


def test_from_the_account_password_to_an_app_password_with_an_authenticator_app(
        directory, portal, usual):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.post("create", label="Outlook on the laptop", services="", expires="never")
    assert client.page.title() == "Your app password"
    app_password = client.page.app_password()
    words = client.page.words()
    assert "Paste it into the Password box, for incoming and outgoing mail. Leave your user name" \
        " as it is. You can’t see it again. If you lose it, create another." in words
    assert all(name in words for name in (
        "Outlook for Windows (classic)", "Outlook for Windows (new)", "Outlook for Mac",
        "Outlook on a phone", "Microsoft’s servers", "Apple Mail", "Thunderbird", "Android"))
    assert usual.sign_in(who.uid, app_password).code == 235
    assert usual.sign_in(who.uid, who.password).code == 535
    assert events_of(portal, who) == ["accepted account-password", "done enrol",
                                      "done recovery-codes", "done create"]
    assert subjects(portal, who) == ["Two-step verification is set up", "A new app password"]


def test_from_the_account_password_to_an_app_password_with_codes_by_mail(
        directory, portal, usual):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who, f"{who.uid}@elsewhere.example")
    client.post("create", label="x", services="", expires="never")
    assert usual.sign_in(who.uid, client.page.app_password()).code == 235
    client = signed_in(portal, who)
    assert client.page.title() == "Your second step"
    assert f"{who.uid[0]}…{who.uid[-1]}@elsewhere.example" in client.page.words()
    to, text = portal.mails()[-1]
    assert to == f"{who.uid}@elsewhere.example"
    assert client.post("verify", code=portal.code_by_mail()).title() == "Your app passwords"


def test_later_the_list_shows_each_app_password_and_its_last_use(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    shown = make_app_password(client, "Scanner <b>&amp;</b>", "smtp", "90d")
    directory.administrate(
        who, appPasswordUsed=f"id={shown[:4]} at=20261123070000Z service=smtp from=192.0.2.17")
    page = client.get("")
    day = (datetime.now(timezone.utc) + timedelta(days=90)).strftime("%-d %B %Y")
    for text in ("Scanner <b>&amp;</b>", "23 November 2026, 07:00 sending mail 192.0.2.17", day,
                 "Allows sending mail", shown[:4]):
        assert text in page.words(), text
    assert "<b>" not in page.text.split("<main>")[1]
    assert page.app_passwords() == []
    value, = directory.app_passwords(who)
    assert " services=smtp " in value and shown not in value


def test_right_codes_by_mail_do_not_count_as_tries(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    for _ in range(8):
        before = len(portal.mails())
        client = signed_in(portal, who)
        assert len(portal.mails()) == before + 1
        assert client.post("verify", code=portal.code_by_mail()).title() == "Your app passwords"


def test_without_a_code_the_page_says_that_it_sent_none_and_how_long_to_wait(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    before = len(portal.mails())
    clients = [signed_in(portal, who) for _ in range(4)]
    assert len(portal.mails()) == before + 3
    words = clients[-1].page.words()
    assert re.search(r"We didn’t send a code, because too many were asked for. "
                     r"Try again in [12] min.", words)
    assert "wrong tries" not in words and "We’ve sent" not in words
    assert 'action="/verify"' not in clients[-1].page.text, "there is no code to enter"
    words = clients[-2].post("resend").words()
    assert "We didn’t send a code" in words and "We’ve sent a six-digit code to" in words
    assert clients[-2].post("verify", code=portal.code_by_mail()).title() == "Your app passwords"


def test_a_code_on_its_way_is_not_lost_if_another_cannot_be_sent(directory, portal):
    client = signed_in(portal, directory.new_person(mfa=True))
    client.post("start")
    client.post("choose", method="mail")
    for _ in range(3):
        client.post("contact", address=ALTERNATE)
        assert client.page.title() == "Verify your alternate e-mail address"
    words = client.post("contact", address=ALTERNATE).words()
    assert "We didn’t send a code" in words and "A new code is on its way" not in words
    assert client.post("verify", code=portal.code_by_mail()).title() == "Your recovery codes"


def test_a_wrong_code_by_mail_says_what_to_do_and_when_it_is_dead(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    client = signed_in(portal, who)
    wrong = f"{(int(portal.code_by_mail()) + 1) % 1000000:06}"
    for number in range(5):
        words = client.post("verify", code=wrong).words()
        if number < 4:
            assert "Check the newest mail we sent, or send another code." in words
    assert "This code no longer works" in words and "the next one" not in words
    assert 'action="/verify"' not in client.page.text


def test_too_many_wrong_passwords_name_the_wait(directory, start_portal_with_clock):
    portal = start_portal_with_clock()
    portal.set_clock(SLOWLY)  # the first wait is two seconds
    who = directory.new_person()
    client = portal.client(**{"X-Real-IP": "203.0.113.77"})
    for _ in range(10):
        words = client.sign_in(who, "wrong").words()
        assert "Check your user name and password. If they’re right, wait a few minutes" in words
    client.sign_in(who, "wrong")
    assert "too many wrong passwords. Try again in 1 min." in client.sign_in(who).words()


def test_too_many_wrong_codes_name_the_wait(directory, portal):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    client = portal.client()
    client.sign_in(who)
    waits = []
    for _ in range(9):
        words = client.post("verify", code=app.wrong_code()).words()
        waits += map(int, re.findall(r"Try again in (\d+) min\.", words))
    assert 0 < waits[0] < waits[-1] <= 15 and waits == sorted(waits), waits


def test_the_list_speaks_to_people(directory, portal):
    """Plain words for services, dates as the language writes them, the last day, and from where."""
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    used = directory.add_app_password(who, label="Phone", services="sieve,imap,smtp,pop3",
                                      created="20261116101500Z", expires="20401217000000Z",
                                      networks="192.0.2.0/24,2001:db8::/32")
    directory.administrate(who, appPasswordUsed=(
        f"id={used.id} at=20261123070000Z service=imap from=2001:db8:0:17:4a02:1:2:3"))
    words = client.get("").words()
    assert "Last used 23 November 2026, 07:00 reading mail 2001:db8:0:17::/64" in words
    assert "Created 16 November 2026 Expires 16 December 2040" in words
    assert "Allows reading mail, sending mail, mail filters" in words
    assert "Works only from 192.0.2.0/24,2001:db8::/32" in words
    client.headers |= {"X-Real-IP": "2001:db8:0:17::5", "Accept-Language": "nb"}
    words = client.get("").words()
    assert "23. november 2026 kl. 07.00 å lese e-post 2001:db8:0:17::/64 nettverket du er på nå" \
        in words
    assert "16. desember 2040" in words


def test_dates_are_in_the_sites_time_zone(directory, start_portal):
    portal = start_portal({"time_zone": "America/New_York"})
    who = directory.new_person(mfa=True)
    directory.add_app_password(who, created="20261116031500Z", expires="20401217000000Z")
    client, _ = enrolled(portal, who)
    words = client.get("").words()
    assert "Created 15 November 2026 Expires 16 December 2040, 19:00" in words
    assert re.search(r"^Time: \d+ \w+ \d{4}, \d\d:\d\d \(E[SD]T\)$", portal.mails()[-1][1],
                     re.MULTILINE)


@pytest.mark.parametrize("services, texts, has_profile, mailed", [
    ("", ["for incoming and outgoing mail.", "Incoming mail (IMAP) imap.example.org",
          "Outgoing mail (SMTP) smtp.example.org"], True,
     "A mail program can read and send your mail with it."),
    ("imap,pop3", ["for incoming mail only.", "Incoming mail (IMAP) imap.example.org"], False,
     "A mail program can read your mail with it."),
    ("smtp", ["for outgoing mail only.", "Outgoing mail (SMTP) smtp.example.org"], False,
     "A program or a device can send mail in your name with it."),
    ("sieve", ["It’s only for: mail filters."], False, "It’s only for: mail filters.")])
def test_every_text_and_the_profile_follow_the_chosen_services(
        directory, portal, services, texts, has_profile, mailed):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client, services=services)
    words = client.page.words()
    every = ["for incoming and outgoing mail.", "for incoming mail only.", "for outgoing mail only.",
             "It’s only for: mail filters.", "Incoming mail (IMAP) imap.example.org",
             "Outgoing mail (SMTP) smtp.example.org"]
    assert [text for text in every if text in words] == texts
    assert ("Download the profile" in words) == has_profile
    assert ("Apple Mail" in words) == (services == "")
    text = portal.mails()[-1][1]
    assert mailed in text and ("read" in mailed or "read" not in text)


@pytest.mark.parametrize("services, expires", [
    ("imap,pop3", "30d"), ("smtp", "365d"), ("", "never"), ("imap", "1d")])
def test_services_and_expiry_are_those_that_were_chosen(directory, portal, services, expires):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client, services=services, expires=expires)
    value, = directory.app_passwords(who)
    assert (f" services={services} " in value) == bool(services)
    assert (" expires=" in value) == (expires != "never")


@pytest.mark.parametrize("field, value", [
    ("label", ""), ("label", "  "), ("label", "x" * 65), ("label", "a\nb"), ("label", "a\x7fb"),
    ("label", "a\u202eb"), ("label", "\ud800".encode("utf-8", "surrogatepass")),
    ("services", "imap,,smtp"), ("services", "../x"), ("services", "x" * 63),
    ("expires", ""), ("expires", "0d"), ("expires", "-1d"), ("expires", "2027-01-01"),
    ("expires", "9999999d"), ("expires", "NEVER")])
def test_fields_that_our_forms_do_not_send_create_no_app_password(directory, portal, field, value):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    fields = {"label": "x", "services": "", "expires": "never"} | {field: value}
    client.post("create", **fields)
    assert client.page.title() == "Your app passwords"
    assert "<title>Error: " in client.page.text
    assert directory.app_passwords(who) == []


def test_one_is_revoked_then_all_of_them(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    first, second, third = (make_app_password(client, label) for label in ("one", "two", "three"))
    client.get("")
    page = client.post("revoke", id=first[:4])
    assert "was revoked" in page.words() and sorted(labels(page)) == ["three", "two"]
    page = client.post("revoke", id=first[:4])
    assert "no longer exists" in page.words()
    page = client.post("revoke", id=second[:4].upper())
    assert labels(page) == ["three"]
    page = client.post("revoke-all")
    assert "You have no app passwords" in page.words()
    assert directory.app_passwords(who) == []
    assert events_of(portal, who)[6:] == [
        "done revoke", "failed revoke", "done revoke", "done revoke"]
    assert subjects(portal, who)[4:] == [
        "An app password was revoked", "An app password was revoked",
        "All your app passwords were revoked"]
    assert "“two”" in portal.mails()[-2][1]
    for secret in (who.password, first, second, third):
        assert not any(secret in text for to, text in portal.mails())


def test_an_app_password_gets_another_name_and_stays_good(directory, portal, usual):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    shown = make_app_password(client, "Phone", "smtp", "90d")
    before, = directory.app_passwords(who)
    client.get("")
    page = client.post("rename", id=shown[:4], label="Old phone, “blå”")
    assert "has a new name" in page.words() and labels(page) == ["Old phone, “blå”"]
    after, = directory.app_passwords(who)
    assert after == before.replace("label=Phone", "label=Old phone, “blå”")
    assert usual.sign_in(who.uid, shown).code == 235
    assert "done rename" in events_of(portal, who)
    for label in ("", "x" * 65, "a\nb"):
        assert "Name the program" in client.post("rename", id=shown[:4], label=label).words()
    assert "no longer exists" in client.post("rename", id="zzzz", label="x").words()
    client.post("revoke", id=shown[:4])
    assert "no longer exists" in client.post("rename", id=shown[:4], label="x").words()
    assert directory.app_passwords(who) == []


def test_after_a_reset_users_with_app_passwords_get_their_list(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client, "Phone")
    portal.command("mfa", "reset", who.uid)
    client = signed_in(portal, who)
    assert "Your app passwords keep working" in client.page.words()
    assert "first app password" not in client.page.words()
    client.post("start")
    client.post("choose", method="totp")
    app = Authenticator(client.page.secret())
    page = client.post("verify", code=app.code())
    assert page.title() == "Your recovery codes"
    assert "Your second step is set up." in page.words()
    page = client.get("verified")
    assert page.title() == "Your app passwords" and labels(page) == ["Phone"]


def test_the_page_says_what_becomes_of_open_sessions(directory, portal, start_portal):
    for where, words in [
            (portal, "may stay connected for days. To have it signed out, tell help@example.org."),
            (start_portal(watch_interval="5s"), "is signed out within 10 s.")]:
        who = directory.new_person(mfa=True)
        client, _ = enrolled(where, who)
        shown = make_app_password(client)
        assert words in client.get("").words()
        assert words in client.post("revoke", id=shown[:4]).words()
        make_app_password(client)
        assert words in client.post("revoke-all").words()


def test_without_app_passwords_there_is_nothing_to_revoke(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    page = client.get("")
    assert "revoke-all" not in page.text
    before = len(portal.mails())
    page = client.post("revoke-all")
    assert "There was no app password to revoke." in page.words()
    assert len(portal.mails()) == before, "and no alarm"
    make_app_password(client)
    assert "revoke-all" in client.get("").text


def test_adding_a_second_step_can_be_left(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.get("")
    client.post("add-factor")
    for path, fields in [(None, None), ("choose", {"method": "totp"}), ("choose", {"method": "mail"}),
                         ("contact", {"address": ALTERNATE})]:
        if path:
            client.post(path, **fields)
        assert re.search(r'<a href="/">Cancel</a>', client.page.text), path
    assert let_in(portal, who, app)


@pytest.mark.parametrize("method", ["totp", "mail"])
def test_each_page_of_the_enrolment_says_which_step_it_is(directory, portal, method):
    client = signed_in(portal, directory.new_person(mfa=True))
    assert "Step" not in client.page.words()
    seen = [client.post("start"), client.post("choose", method=method)]
    if method == "mail":
        seen.append(client.post("contact", address=ALTERNATE))
        code = portal.code_by_mail()
    else:
        code = Authenticator(client.page.secret()).code()
    seen.append(client.post("verify", code=code))
    leave_codes(client)
    seen.append(client.page)
    seen.append(client.post("create", label="x", services="", expires="never"))
    assert [re.search(r"Step \d of \d", page.words())[0] for page in seen] == [
        f"Step {step} of 4" for step in ([1, 2, 2, 2, 3, 4] if method == "mail" else [1, 2, 2, 3, 4])]
    client.get("")
    client.post("create", label="y", services="", expires="never")
    assert "Step" not in client.page.words()
    client.get("")
    assert "Step 1 of 2" in client.post("add-factor").words()


def test_while_enrolling_for_the_first_time_there_is_nothing_to_cancel(directory, portal):
    client, _ = choosing_app(portal, directory.new_person(mfa=True))
    assert "Cancel" not in client.page.text


def test_another_way_and_back_shows_the_same_key(directory, portal):
    client, app = choosing_app(portal, directory.new_person(mfa=True))
    secret = client.page.secret()
    client.get("choose")
    client.post("choose", method="mail")
    client.post("choose", method="totp")
    assert client.page.secret() == secret
    assert client.post("verify", code=app.code()).title() == "Your recovery codes"


def test_nobody_revokes_another_users_app_password(directory, portal):
    other, theirs = directory.new_person(mfa=True, app_passwords=1)
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    client.post("revoke", id=theirs.id)
    assert "no longer exists" in client.page.words()
    assert directory.app_passwords(other) == [theirs.value]


@pytest.mark.parametrize("address, is_taken", [
    ("someone@elsewhere.example", True), ("some+one@elsewhere.example", True),
    ("SELF", False), ("other@example.org", False), ("other@sub.example.org", False),
    ("other@EXAMPLE.ORG", False), ("other@example.org.", False), ("other@notexample.org", True),
    ("", False), ("x", False), ("@elsewhere.example", False), ("-oQ@elsewhere.example", False),
    ("a@b@elsewhere.example", False), ("a b@elsewhere.example", False),
    ("a@elsewhere.example\nBcc: x@example.net", False), ("a%example.org@elsewhere.example", False),
    ("\"a\"@elsewhere.example", False), ("a@[192.0.2.1]", False), ("|sh@elsewhere.example", False),
    ("æ@elsewhere.example", False), ("a@localhost", False)])
def test_codes_go_to_no_address_that_depends_on_the_mailbox(directory, portal, address, is_taken):
    who = directory.new_person(mfa=True)
    directory.connect_as_itself().modify_s(
        who.dn, [(ldap.MOD_REPLACE, "mail", [f"{who.uid}@private.example".encode()])])
    client = signed_in(portal, who)
    client.post("start")
    client.post("choose", method="mail")
    before = len(portal.mails())
    client.post("contact", address=f"{who.uid.upper()}@private.example" if address == "SELF"
                else address)
    assert client.page.title() == ("Verify your alternate e-mail address" if is_taken
                                   else "Your alternate e-mail address")
    assert len(portal.mails()) - before == int(is_taken)


# ---- the administrator's code ----

def code_for(portal, who):
    return portal.done("mfa", "on", who.uid, "--code").split()[-1]


def test_where_a_code_is_asked_for_nobody_enrolls_without_it(directory, by_code):
    who = directory.new_person(mfa=True)
    client = signed_in(by_code, who)
    assert client.page.title() == "The code from your administrator"
    for path, fields in [("start", {}), ("choose", {"method": "totp"}),
                         ("contact", {"address": ALTERNATE}), ("verify", {"code": "123456"})]:
        assert client.post(path, **fields).title() == "The code from your administrator"
    code = code_for(by_code, who)
    wrong = apppassword.make().shown
    assert "is wrong" in client.post("enrolment-code", code=wrong).words()
    assert client.post("enrolment-code", code=code).title() == \
        "Two-step verification is turned on for you"
    client.post("start")
    client.post("choose", method="totp")
    app = Authenticator(client.page.secret())
    assert client.post("verify", code=app.code()).title() == "Your recovery codes"
    value, = second_factors(directory, who)
    assert value.startswith("factor v=2 kind=totp "), "the code is used up"
    assert events_of(by_code, who) == [
        "accepted account-password", "done code", "refused wrong-enrolment-code enrolment-code",
        "accepted enrolment-code enrolment-code", "done enrol", "done recovery-codes"]


@pytest.mark.parametrize("cost, title", [
    ((32, 4), "Two-step verification is turned on for you"),
    ((33, 1), "The code from your administrator"),
    ((1, 5), "The code from your administrator"),
], ids=["at the cap", "memory over the cap", "passes over the cap"])
def test_the_hash_of_an_administrators_code_is_capped(directory, by_code, cost, title):
    who = directory.new_person(mfa=True)
    code = code_for(by_code, who)
    value, = directory.values(who, "appPasswordMfaMethod")
    hash = apppassword.argon2id(code.replace("-", ""), *cost)
    directory.administrate(
        who, appPasswordMfaMethod=re.sub(r"\{ARGON2\}\S+", lambda _: hash, value))
    client = signed_in(by_code, who)
    assert client.post("enrolment-code", code=code).title() == title


def test_one_code_of_the_administrator_serves_one_of_two_visits(directory, by_code):
    who = directory.new_person(mfa=True)
    code = code_for(by_code, who)
    visits = []
    for _ in range(2):
        client = signed_in(by_code, who)
        client.post("enrolment-code", code=code)
        client.post("start")
        client.post("choose", method="totp")
        visits.append((client, Authenticator(client.page.secret())))
    titles = [client.post("verify", code=app.code()).title() for client, app in visits]
    assert titles == ["Your recovery codes", "Your second step"]


@pytest.mark.parametrize("how", ["reset --code", "reset", "expired"])
def test_a_code_that_was_replaced_taken_back_or_is_too_old_enrolls_nobody(directory, by_code, how):
    who = directory.new_person(mfa=True)
    code = code_for(by_code, who)
    early = signed_in(by_code, who)
    early.post("enrolment-code", code=code)
    early.post("start")
    early.post("choose", method="totp")
    app = Authenticator(early.page.secret())
    if how == "expired":
        value, = directory.values(who, "appPasswordMfaMethod")
        directory.administrate(who, appPasswordMfaMethod=re.sub(
            r"expires=\S+", "expires=" + apppassword.from_now(seconds=-1), value))
    else:
        by_code.command("mfa", *how.split(" ")[:1], who.uid, *how.split(" ")[1:])
    late = signed_in(by_code, who)
    assert "is wrong" in late.post("enrolment-code", code=code).words()
    early.post("verify", code=app.code())
    assert early.page.title() == "The code from your administrator"
    assert not [value for value in directory.values(who, "appPasswordMfaMethod")
                if value.startswith("factor v=2 ")]


# ---- who may see what ----

STATES = {}


def state(name):
    def add(make):
        STATES[name] = make
        return make
    return add


@state("not signed in")
def _(directory, portal, by_code):
    client = portal.client()
    client.get("")
    return client, directory.new_person(mfa=True)


@state("without MFA")
def _(directory, portal, by_code):
    who = directory.new_person()
    return signed_in(portal, who), who


@state("nothing enrolled")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    return signed_in(portal, who), who


@state("nothing enrolled, by code")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    return signed_in(by_code, who), who


@state("app not verified yet")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    return choosing_app(portal, who)[0], who


@state("address not verified yet")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client = signed_in(portal, who)
    client.post("start")
    client.post("choose", method="mail")
    client.post("contact", address=ALTERNATE)
    return client, who


@state("without the second factor")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    enrolled(portal, who)
    return signed_in(portal, who), who


@state("choosing while another visit has enrolled")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client, _ = choosing_app(portal, who)
    enrolled(portal, who)
    return client, who


@state("let in, MFA turned off meanwhile")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    directory.set_mfa(who, False)
    return client, who


@state("let in, second factor reset meanwhile")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    portal.command("mfa", "reset", who.uid)
    return client, who


@state("let in, account disabled meanwhile")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    disable(directory, who)
    return client, who


@state("let in, no longer found by the filter")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    directory.connect_as_itself().modify_s(who.dn, [(ldap.MOD_REPLACE, "mail", [b"none"])])
    return client, who


@state("let in, entry deleted meanwhile")
def _(directory, portal, by_code):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    directory.connect_as_itself().delete_s(who.dn)
    return client, who


def disable(directory, who):
    directory.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, "pwdAccountLockedTime", [b"000001010000Z"])])


ATTEMPTS = [
    ("GET", "choose", {}), ("GET", "app", {}), ("GET", "contact", {}), ("GET", "contact-code", {}),
    ("GET", "verified", {}), ("GET", "recovery-codes", {}),
    ("GET", "recovery-codes.txt", {}), ("POST", "recovery-codes", {}), ("GET", "password", {}), ("GET", "profile", {}),
    ("GET", "profile/" + "A" * 43, {}),
    ("POST", "enrolment-code", {"code": apppassword.make().shown}),
    ("POST", "resend", {}), ("POST", "verify", {"code": "000000"}), ("POST", "verify", {}),
    ("POST", "contact-code", {}), ("POST", "app", {}),
    ("POST", "create", {"label": "x", "services": "", "expires": "never"}),
    ("POST", "rename", {"id": "k7q2", "label": "x"}), ("POST", "revoke", {"id": "k7q2"}),
    ("POST", "revoke-all", {}), ("POST", "add-factor", {}),
    ("GET", "second-steps", {}), ("POST", "remove-factor", {"id": "1f2e3d4c"}),
    ("POST", "rename-factor", {"id": "1f2e3d4c", "label": "x"}),
    ("POST", "use-factor", {"id": "1f2e3d4c"}),
    ("POST", "profile", {}), ("POST", "password", {}), ("POST", "", {}),
    ("GET", "create", {}), ("GET", "revoke-all", {}), ("GET", "sign-out", {}),
]
FORBIDDEN = ("Your app passwords", "Your app password", "Your second step is set up",
             "Your recovery codes", "Your second steps")


@pytest.mark.parametrize("name", STATES)
def test_nobody_without_all_rights_gets_to_app_passwords(directory, portal, by_code, name):
    """No page and no form, in any order, shows one or changes the entry."""
    client, who = STATES[name](directory, portal, by_code)
    has_entry = "deleted" not in name
    if has_entry and "MFA" not in name:
        directory.add_app_password(who, id="k7q2")
    before = has_entry and values_of(directory, who)
    token = client.page.token()
    for method, path, fields in ATTEMPTS:
        if method == "GET":
            page = client.get(path)
        else:
            page = client.post(path, token, **fields)
        assert page.status in (200, 403, 404), (path, page.status)
        assert page.title() not in FORBIDDEN, (method, path)
        assert page.app_passwords() == []
        assert "k7q2" not in re.sub('name="csrf" value="[^"]*"', "", page.text), (method, path)
        if tokens := re.findall(r'name="csrf" value="([^"]*)"', page.text):
            token = tokens[0]
    assert not has_entry or values_of(directory, who) == before


def values_of(directory, who):
    return {"second factors": second_factors(directory, who)} | {
        name: sorted(directory.values(who, name))
        for name in ("appPassword", "objectClass", "appPasswordMfaEnabled")}


def test_only_users_with_all_rights_who_ask_for_it_add_a_second_factor(
        directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.get("")
    for path, fields in [("choose", {"method": "totp"}), ("contact", {"address": ALTERNATE}),
                         ("start", {}), ("verify", {"code": app.code()})]:
        assert client.post(path, **fields).title() == "Your app passwords"
    assert client.post("add-factor").title() == "Choose your second step"


# ---- single sign-on ----

def test_single_sign_on_needs_neither_password_nor_second_factor(directory, single_sign_on, usual):
    who = directory.new_person(mfa=True)
    client = single_sign_on.client(**{"X-Remote-User": who.uid})
    assert client.get("").title() == "Your app passwords"
    assert usual.sign_in(who.uid, make_app_password(client)).code == 235
    assert events_of(single_sign_on, who)[:2] == ["accepted single-sign-on", "done create"]
    assert "second-steps" not in client.get("").text
    assert client.get("second-steps").title() == "Your app passwords"
    for path, fields in [("add-factor", {}), ("remove-factor", {"id": "1f2e3d4c"}), ("choose", {"method": "totp"}), ("start", {}),
                         ("enrolment-code", {"code": "x"}), ("resend", {}), ("verify", {})]:
        assert client.post(path, **fields).title() == "Your app passwords"
    assert directory.values(who, "appPasswordMfaMethod") == []


@pytest.mark.parametrize("headers", [
    {}, {"X-Remote-User": ""}, {"X-Remote-User": "nobody-at-all"}, {"X-Remote-User": "*"},
    {"X-Remote-User": "disabled"}, {"X_Remote_User": "user000"}, {"X-Remote-Users": "user000"}])
def test_nobody_gets_in_whom_the_proxy_does_not_name(single_sign_on, headers):
    page = single_sign_on.client(**headers).get("")
    assert (page.status, page.title()) == (403, "That didn’t work")
    assert "single sign-on" in page.words()


@pytest.mark.parametrize("sent", [[], [""], ["wrong"], ["SECRET", "SECRET"], ["SECRETx"],
                                  ["SECRE"], ["SECRET", "wrong"], ["PASSWORD"]])
def test_nobody_is_believed_without_the_proxys_secret(directory, single_sign_on, sent):
    """Other programs of the proxy's user can connect to the socket, too."""
    who = directory.new_person(mfa=True)
    secret = single_sign_on.proxy_secret
    warnings = single_sign_on.log.read_text().count("without the right X-App-Password-Proxy header")
    connection = single_sign_on.connect()
    connection.putrequest("GET", "/")
    connection.putheader("X-Remote-User", who.uid)
    for value in sent:
        connection.putheader("X-App-Password-Proxy", value.replace("SECRET", secret).replace(
            "SECRE", secret[:-1]).replace("PASSWORD", who.password))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 403
    assert "didn’t tell us who you are" in response.read().decode()
    connection.close()
    assert events_of(single_sign_on, who) == []
    log = single_sign_on.log.read_text()
    assert log.count("without the right X-App-Password-Proxy header") == warnings + 1
    assert secret not in log


def test_two_names_are_none(directory, single_sign_on):
    who = directory.new_person(mfa=True)
    connection = single_sign_on.connect()
    connection.putrequest("GET", "/")
    for value in (who.uid, who.uid):
        connection.putheader("X-Remote-User", value)
    connection.putheader("X-App-Password-Proxy", single_sign_on.proxy_secret)
    connection.endheaders()
    assert connection.getresponse().status == 403
    connection.close()


def test_a_visit_ends_where_the_proxy_names_somebody_else_or_nobody(directory, single_sign_on):
    who, other = directory.new_person(mfa=True), directory.new_person(mfa=True)
    client = single_sign_on.client(**{"X-Remote-User": who.uid})
    make_app_password(client, "of the first")
    form = client.get("")
    client.headers["X-Remote-User"] = other.uid
    page = client.post("create", form.token(), label="x", services="", expires="never")
    assert page.status == 403 and "came from another site" in page.words()
    page = client.get("")
    assert "You have no app passwords" in page.words() and other.uid in page.words()
    del client.headers["X-Remote-User"]
    assert client.get("").status == 403
    assert directory.app_passwords(other) == []


def test_a_user_disabled_while_signed_on_is_out_and_sees_no_form_for_a_password(
        directory, single_sign_on):
    who = directory.new_person(mfa=True)
    client = single_sign_on.client(**{"X-Remote-User": who.uid})
    client.get("")
    disable(directory, who)
    for expected in ("your account has changed or ended", "didn’t tell us who you are"):
        page = client.get("")
        assert page.status == 403 and expected in page.words()
        assert "password" not in re.findall(r'type="([^"]*)"', page.text)


def test_the_socket_of_single_sign_on_is_for_the_proxys_group_alone(single_sign_on):
    path = pathlib.Path(single_sign_on.conf["listen"].removeprefix("unix:"))
    assert path.stat().st_mode & 0o777 == 0o660


def test_the_health_check_needs_no_single_sign_on(single_sign_on):
    assert single_sign_on.client().get("healthz").status == 200


def test_without_trusted_user_header_nobody_is_believed(directory, portal):
    who = directory.new_person(mfa=True)
    for name in ("X-Remote-User", "Remote-User", "X-Forwarded-User", "Authorization"):
        assert portal.client(**{name: who.uid}).get("").title() == "App passwords for mail"


# ---- shown once ----

def test_a_button_pressed_twice_makes_one_app_password(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    form = urllib.parse.urlencode({"csrf": client.page.token(), "label": "My mail program",
                                   "services": "", "expires": "never"})
    for _ in range(2):
        page = client.ask_once("POST", "create", form)
        assert (page.status, page.headers["Location"]) == (303, "/password")
    assert client.get("password").app_password()
    assert len(directory.app_passwords(who)) == 1
    make_app_password(client, "My mail program")
    assert len(directory.app_passwords(who)) == 2, "the one that was shown is done with"


def test_an_app_password_is_shown_once(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    shown = make_app_password(client)
    assert client.page.headers["Cache-Control"] == "no-store"
    again = client.get("password")
    assert again.app_passwords() == [] and "has already been shown once" in again.words()
    assert shown not in again.text + client.get("").text


def test_the_profile_for_apple_devices_has_everything(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    shown = make_app_password(client)
    link = re.search(r'href="/(profile/[^"]+)"', client.page.text)[1]
    assert portal.client().get(link).app_passwords() == [], "the link alone is worth nothing"
    page = client.get(link)
    assert page.headers["Content-Type"] == "application/x-apple-aspen-config"
    assert page.headers["Cache-Control"] == "no-store"
    mail, = plistlib.loads(page.text.encode())["PayloadContent"]
    expected = {
        "EmailAddress": who.mail, "IncomingPassword": shown, "IncomingMailServerUsername": who.uid,
        "IncomingMailServerHostName": "imap.example.org", "IncomingMailServerPortNumber": 993,
        "OutgoingMailServerHostName": "smtp.example.org", "OutgoingMailServerPortNumber": 587,
        "IncomingMailServerUseSSL": True, "OutgoingMailServerUseSSL": True,
        "OutgoingPasswordSameAsIncomingPassword": True}
    assert expected.items() <= mail.items()
    assert mail["EmailAccountName"] == who.mail, "our rules hide displayName and cn from the page"
    again, = plistlib.loads(client.get(link).text.encode())["PayloadContent"]
    assert again["IncomingPassword"] == shown, "a button may be pressed twice"


@pytest.mark.parametrize("path", ["revoke", "revoke-all"])
def test_the_link_to_the_profile_dies_with_the_app_password(directory, portal, path):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    shown = make_app_password(client)
    link = re.search(r'href="/(profile/[^"]+)"', client.page.text)[1]
    client.get("")
    client.post(path, id=shown[:4])
    page = client.get(link)
    assert page.status == 410 and page.app_passwords() == []


def test_the_link_to_the_profile_dies_with_the_visit(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    make_app_password(client)
    link = re.search(r'href="/(profile/[^"]+)"', client.page.text)[1]
    client.get("")
    client.post("sign-out")
    assert client.get(link).app_passwords() == []
    assert let_in(portal, who, app).get(link).app_passwords() == []
