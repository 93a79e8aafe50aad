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
from visits import (ALTERNATE, choosing_app, enrolled, enrolled_by_mail, labels, let_in,
                    make_app_password, second_factors, signed_in, subject_of)

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


def events_of(portal, who):
    """A user's log lines as "verdict reason action", without missing parts."""
    found = []
    for line in portal.events():
        fields = dict(re.findall(r'([a-z-]+)=("[^"]*"|\S+)', line))
        if fields["user"] == f'"{who.uid}"':
            assert fields["service"] == "portal"
            found.append(" ".join(fields[key] for key in ("verdict", "reason", "action")
                                  if key in fields))
    return found


def subjects(portal, who):
    """The subjects of the mails in a user's own mailbox."""
    return [subject_of(text) for to, text in portal.mails() if to == who.mail]


# ---- the whole way ----

def test_users_without_mfa_see_that_and_whom_to_ask_and_nothing_else(directory, portal):
    who = directory.new_person()
    client = signed_in(portal, who)
    assert client.page.title() == "You don’t need an app password"
    assert "help@example.org" in client.page.words()
    assert re.findall(r'action="([^"]*)"', client.page.text) == ["/sign-out"]
    assert events_of(portal, who) == ["accepted account-password"]


def test_an_announcement_says_from_when_mail_programs_need_an_app_password(directory, portal):
    who = directory.new_person()
    directory.set_mfa(who, True, "20400101000000Z")
    client = signed_in(portal, who)
    assert "From 2040-01-01 on, mail programs need an app password" in client.page.words()
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
    assert all(name in words for name in ("Outlook", "Apple Mail", "Thunderbird", "Android"))
    assert usual.sign_in(who.uid, app_password).code == 235
    assert usual.sign_in(who.uid, who.password).code == 535
    assert events_of(portal, who) == ["accepted account-password", "accepted done enrol",
                                      "accepted done create"]
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
    day = (datetime.now(timezone.utc) + timedelta(days=90)).strftime("%Y-%m-%d")
    for text in ("Scanner <b>&amp;</b>", "2026-11-23", "smtp", "192.0.2.17", day,
                 "sending mail", shown[:4]):
        assert text in page.words(), text
    assert "<b>" not in page.text.split("<main>")[1]
    assert page.app_passwords() == []
    value, = directory.app_passwords(who)
    assert " services=smtp " in value and shown not in value


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
    assert 'role="alert"' in client.page.text
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
    assert events_of(portal, who)[5:] == [
        "accepted done revoke", "refused not-done revoke", "accepted done revoke",
        "accepted done revoke-all"]
    assert subjects(portal, who)[4:] == [
        "An app password was revoked", "An app password was revoked",
        "All your app passwords were revoked"]
    assert "“two”" in portal.mails()[-2][1]
    for secret in (who.password, first, second, third):
        assert not any(secret in text for to, text in portal.mails())


def test_nobody_revokes_another_users_app_password(directory, portal):
    other, theirs = directory.new_person(mfa=True, app_passwords=1)
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    client.post("revoke", id=theirs.id)
    assert "no longer exists" in client.page.words()
    assert directory.app_passwords(other) == [theirs.value]


def test_the_second_factor_is_changed_and_the_one_before_is_worth_nothing(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    elsewhere = let_in(portal, who, app)
    client.get("")
    client.post("change-method")
    client.post("choose", method="mail")
    client.post("contact", address=ALTERNATE)
    page = client.post("verify", code=portal.code_by_mail())
    assert "was changed" in page.words() and "code by e-mail" in page.words()
    assert elsewhere.get("").title() == "App passwords for mail"
    assert signed_in(portal, who).page.title() == "Your second step"
    assert portal.mails()[-1][0] == ALTERNATE
    assert len(second_factors(directory, who)) == 1
    assert "accepted done change-method" in events_of(portal, who)
    assert subjects(portal, who)[-1] == "Your second step was changed"


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
    for path, fields in [("start", {}), ("choose", {"method": "app"}),
                         ("contact", {"address": ALTERNATE}), ("verify", {"code": "123456"})]:
        assert client.post(path, **fields).title() == "The code from your administrator"
    code = code_for(by_code, who)
    wrong = apppassword.make().shown
    assert "is wrong" in client.post("enrolment-code", code=wrong).words()
    assert client.post("enrolment-code", code=code).title() == \
        "Two-step verification is turned on for you"
    client.post("start")
    client.post("choose", method="app")
    app = Authenticator(client.page.secret())
    assert client.post("verify", code=app.code()).title() == "Your second step is set up"
    value, = directory.values(who, "appPasswordMfaMethod")
    assert value.startswith("sealed="), "the code is used up"
    assert events_of(by_code, who) == [
        "accepted account-password", "refused wrong-enrolment-code enrolment-code",
        "accepted enrolment-code enrolment-code", "accepted done enrol"]


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
        client.post("choose", method="app")
        visits.append((client, Authenticator(client.page.secret())))
    titles = [client.post("verify", code=app.code()).title() for client, app in visits]
    assert titles == ["Your second step is set up", "Your second step"]


@pytest.mark.parametrize("how", ["reset --code", "reset", "expired"])
def test_a_code_that_was_replaced_taken_back_or_is_too_old_enrolls_nobody(directory, by_code, how):
    who = directory.new_person(mfa=True)
    code = code_for(by_code, who)
    early = signed_in(by_code, who)
    early.post("enrolment-code", code=code)
    early.post("start")
    early.post("choose", method="app")
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
                if value.startswith("sealed=")]


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
    ("GET", "verified", {}), ("GET", "password", {}), ("GET", "profile", {}),
    ("GET", "profile/" + "A" * 43, {}),
    ("POST", "enrolment-code", {"code": apppassword.make().shown}),
    ("POST", "resend", {}), ("POST", "verify", {"code": "000000"}), ("POST", "verify", {}),
    ("POST", "contact-code", {}), ("POST", "app", {}),
    ("POST", "create", {"label": "x", "services": "", "expires": "never"}),
    ("POST", "revoke", {"id": "k7q2"}), ("POST", "revoke-all", {}), ("POST", "change-method", {}),
    ("POST", "profile", {}), ("POST", "password", {}), ("POST", "", {}),
    ("GET", "create", {}), ("GET", "revoke-all", {}), ("GET", "sign-out", {}),
]
FORBIDDEN = ("Your app passwords", "Your app password", "Your second step is set up")


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
        assert "k7q2" not in page.text, (method, path)
        if tokens := re.findall(r'name="csrf" value="([^"]*)"', page.text):
            token = tokens[0]
    assert not has_entry or values_of(directory, who) == before


def values_of(directory, who):
    return {"second factors": second_factors(directory, who)} | {
        name: sorted(directory.values(who, name))
        for name in ("appPassword", "objectClass", "appPasswordMfaEnabled")}


def test_only_users_with_all_rights_who_ask_for_it_change_the_second_factor(
        directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.get("")
    for path, fields in [("choose", {"method": "app"}), ("contact", {"address": ALTERNATE}),
                         ("start", {}), ("verify", {"code": app.code()})]:
        assert client.post(path, **fields).title() == "Your app passwords"
    assert client.post("change-method").title() == "Choose your second step"


def test_a_second_factor_may_be_changed_while_the_old_one_stays_good(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    client.get("")
    client.post("change-method")
    client.post("choose", method="app")
    assert let_in(portal, who, app)


# ---- single sign-on ----

def test_single_sign_on_needs_neither_password_nor_second_factor(directory, single_sign_on, usual):
    who = directory.new_person(mfa=True)
    client = single_sign_on.client(**{"X-Remote-User": who.uid})
    assert client.get("").title() == "Your app passwords"
    assert usual.sign_in(who.uid, make_app_password(client)).code == 235
    assert events_of(single_sign_on, who)[:2] == ["accepted single-sign-on", "accepted done create"]
    assert "change-method" not in client.get("").text
    for path, fields in [("change-method", {}), ("choose", {"method": "app"}), ("start", {}),
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
    for expected in ("You’re no longer signed in", "didn’t tell us who you are"):
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


def test_the_profile_for_apple_devices_has_everything_and_is_there_once(directory, portal):
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
    assert client.get(link).status == 410


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
