# SPDX-License-Identifier: BSD-2-Clause
"""What the page's mails say, to whom, and their headers, as a mail program reads them."""

import email
import email.policy
import email.utils
import os
import pathlib
import re
import subprocess
import time

import ldap
import pytest

from authenticator import Authenticator
from processes import wait_until
from visits import ALTERNATE, enrolled, enrolled_by_mail, labels, make_app_password, signed_in

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
WHERE = {"User-Agent": FIREFOX, "X-Real-IP": "2001:db8:0:17::5"}
OTHER = "other@elsewhere.example"

# Behind each of the texts.
FACTS = {
    "en": """
Account: {user}
App password page: {url}
Time: {time}
Browser: Firefox – Windows
Network address: {client}
""",
    "nb": """
Konto: {user}
Siden for app-passord: {url}
Tid: {time}
Nettleser: Firefox – Windows
Nettverksadresse: {client}
"""}
STILL_CONNECTED = {
    "en": "A program that is still connected may stay connected for days. To have it signed out, tell "
          "help@example.org.",
    "nb": "Et program som fortsatt er tilkoblet, kan forbli tilkoblet i flere dager. Si fra til "
          "hjelp@example.org for å få det logget ut."}
ENDING = {
    "en": """
If it was you, you don’t need to do anything.
If it wasn’t you, somebody knows your password. Change it now, and tell help@example.org.
""",
    "nb": """
Hvis det var deg, trenger du ikke å gjøre noe.
Hvis det ikke var deg, er det noen som kjenner passordet ditt. Bytt det nå, og si fra til hjelp@example.org.
"""}
SITE = "127.0.0.1"
MAILS = {
    "en": {
        "contact": (f"Your code for {SITE}", f"""Your code is:

    {{code}}

Enter it on the app password page at {SITE}. It works once, for 10 minutes.
Nobody will ever ask you for it by phone or e-mail.

Somebody entered this address as the alternate e-mail address of the account below.
If it wasn’t you, ignore this mail: without the code, nothing happens.
"""),
        "code": (f"Your code for {SITE}", f"""Your code is:

    {{code}}

Enter it on the app password page at {SITE}. It works once, for 10 minutes.
Nobody will ever ask you for it by phone or e-mail.

If you didn’t ask for this code, somebody knows your password. Change it now, and tell help@example.org.
"""),
        "enrolled": ("Two-step verification is set up", f"""\
Two-step verification was set up for your account at {SITE}: Code by e-mail – s…e@elsewhere.example
The app password page now asks for it in addition to your password.
""" + ENDING["en"]),
        "created": ("A new app password", f"""\
An app password was created for your account at {SITE}: “Phone”.
A mail program can read and send your mail with it. You can revoke it on the app password page.
""" + ENDING["en"]),
        "revoked": ("An app password was revoked", f"""\
An app password of your account at {SITE} was revoked: “Phone”.
The mail program that used it can no longer sign in.
{STILL_CONNECTED["en"]}
""" + ENDING["en"]),
        "revoked-all": ("All your app passwords were revoked", f"""\
All app passwords of your account at {SITE} were revoked.
Your mail programs can’t sign in until you give each of them a new one.
{STILL_CONNECTED["en"]}
""" + ENDING["en"]),
        "added": ("A second step was added", f"""\
A second step was added to your sign-in at {SITE}: Authenticator app
It works like the ones you had before. You can remove it on the app password page.
""" + ENDING["en"]),
        "removed": ("A second step was removed", f"""\
A second step of your sign-in at {SITE} was removed: Code by e-mail – s…e@elsewhere.example
It no longer works. Your other second steps keep working.
""" + ENDING["en"]),
        "recovery-made": ("You have new recovery codes", f"""\
New recovery codes were created for your account at {SITE}.
Earlier ones no longer work.
""" + ENDING["en"]),
        "recovery-used": ("A recovery code was used", f"""\
Somebody signed in to the app password page at {SITE} with one of your recovery codes.
Unused codes: 9 of 10. You can create new ones on the app password page.
""" + ENDING["en"]),
        "guessed": ("Somebody else may know your password", f"""\
Somebody who knows the password of your account at {SITE} has entered many wrong codes for the second step, or asked for many.
They didn’t get in, but they know your password. Change it now.

If the page no longer accepts your code, sign in with your password and open this link in the same browser. It works once, for 7 days:

{{link}}

If it wasn’t you, tell help@example.org.

The last try:
""")},
    "nb": {
        "contact": (f"Koden din for {SITE}", f"""Koden din er:

    {{code}}

Skriv den inn på siden for app-passord på {SITE}. Den virker én gang, i 10 minutter.
Ingen vil noen gang be deg om den på telefon eller e-post.

Noen har oppgitt denne adressen som alternativ e-postadresse for kontoen nedenfor.
Hvis det ikke var deg, kan du se bort fra denne e-posten: Uten koden skjer det ingenting.
"""),
        "code": (f"Koden din for {SITE}", f"""Koden din er:

    {{code}}

Skriv den inn på siden for app-passord på {SITE}. Den virker én gang, i 10 minutter.
Ingen vil noen gang be deg om den på telefon eller e-post.

Hvis du ikke har bedt om denne koden, er det noen som kjenner passordet ditt. Bytt det nå, og si fra til hjelp@example.org.
"""),
        "enrolled": ("Totrinnsbekreftelse er konfigurert", f"""\
Totrinnsbekreftelse er konfigurert for kontoen din på {SITE}: Kode på e-post – s…e@elsewhere.example
Siden for app-passord spør nå etter den i tillegg til passordet ditt.
""" + ENDING["nb"]),
        "created": ("Et nytt app-passord", f"""\
Det er laget et app-passord for kontoen din på {SITE}: «Phone».
Med det kan et e-postprogram lese og sende e-posten din. Du kan trekke det tilbake på siden for app-passord.
""" + ENDING["nb"]),
        "revoked": ("Et app-passord er trukket tilbake", f"""\
Et app-passord for kontoen din på {SITE} er trukket tilbake: «Phone».
E-postprogrammet som brukte det, kan ikke lenger logge inn.
{STILL_CONNECTED["nb"]}
""" + ENDING["nb"]),
        "revoked-all": ("Alle app-passordene dine er trukket tilbake", f"""\
Alle app-passordene for kontoen din på {SITE} er trukket tilbake.
E-postprogrammene dine kan ikke logge inn før du gir hvert av dem et nytt.
{STILL_CONNECTED["nb"]}
""" + ENDING["nb"]),
        "added": ("Et trinn til er lagt til", f"""\
Et ekstra trinn er lagt til for påloggingen din på {SITE}: Autentiseringsapp
Det virker på samme måte som de du hadde fra før. Du kan fjerne det på siden for app-passord.
""" + ENDING["nb"]),
        "removed": ("Et ekstra trinn er fjernet", f"""\
Et ekstra trinn for påloggingen din på {SITE} er fjernet: Kode på e-post – s…e@elsewhere.example
Det virker ikke lenger. De andre virker som før.
""" + ENDING["nb"]),
        "recovery-made": ("Du har fått nye gjenopprettingskoder", f"""\
Det er laget nye gjenopprettingskoder for kontoen din på {SITE}.
De gamle virker ikke lenger.
""" + ENDING["nb"]),
        "recovery-used": ("En gjenopprettingskode er brukt", f"""\
Noen logget på siden for app-passord på {SITE} med en av gjenopprettingskodene dine.
Ubrukte koder: 9 av 10. Du kan lage nye på siden for app-passord.
""" + ENDING["nb"]),
        "guessed": ("Noen andre kan kjenne passordet ditt", f"""\
Noen som kjenner passordet til kontoen din på {SITE}, har skrevet inn mange feil koder for det andre trinnet, eller bedt om mange.
De kom ikke inn, men de kjenner passordet ditt. Bytt det nå.

Hvis siden ikke lenger tar imot koden din, logger du inn med passordet og åpner denne lenken i samme nettleser. Den virker én gang, i 7 dager:

{{link}}

Hvis det ikke var deg, si fra til hjelp@example.org.

Siste forsøk:
""")}}
TIMES = {"en": r"\d{1,2} \w+ \d{4}, \d\d:\d\d \(CES?T\)",
         "nb": r"\d{1,2}\. \w+ \d{4} kl\. \d\d\.\d\d \(CES?T\)"}


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal({"time_zone": "Europe/Oslo", "support_in": "nb hjelp@example.org"})


class Mailbox:
    """The messages since the last look."""

    def __init__(self, portal):
        self.portal = portal
        self.seen = len(portal.messages())

    def new(self):
        messages = self.portal.messages()[self.seen:]
        self.seen += len(messages)
        return messages

    def recipients(self):
        return [message["To"] for message in self.new()]


class Reader:
    """Compares the new mails of one person with MAILS."""

    def __init__(self, portal, who, language):
        self.portal, self.who, self.language = portal, who, language
        self.mailbox = Mailbox(portal)

    def expect(self, name, *recipients, client="2001:db8:0:17::5 (2001:db8:0:17::/64)"):
        messages = self.mailbox.new()
        assert [message["To"] for message in messages] == list(recipients), name
        for message in messages:
            subject, text = MAILS[self.language][name]
            assert message["Subject"] == subject
            body = message.get_content()
            values = {"user": self.who.uid, "url": self.portal.conf["public_url"], "client": client}
            for key, pattern in (("code", r"^    (\d{6})$"), ("link", r"^(http\S+/this-browser/\S+)$"),
                                 ("time", rf": ({TIMES[self.language]})$")):
                found = re.findall(pattern, body, re.MULTILINE)
                values[key] = found[0] if found else f"no {key}"
            assert body == (text + FACTS[self.language]).format(**values)


def codes_on(page):
    return re.findall(r"<li>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</li>", page.text)


def factors_on(page):
    """The ids of the second factors, the oldest first."""
    return re.findall(r'id="name-([0-9a-f]{8})"', page.text)


@pytest.mark.parametrize("language", ["en", "nb"])
def test_every_mail_says_who_when_where_and_what(directory, portal, language):
    where = WHERE | {"Accept-Language": language}
    who = directory.new_person(mfa=True)
    reader = Reader(portal, who, language)
    client = signed_in(portal, who, **where)
    client.post("start")
    client.post("choose", method="mail")
    client.post("contact", address=ALTERNATE)
    reader.expect("contact", ALTERNATE)
    client.post("verify", code=portal.code_by_mail())
    reader.expect("enrolled", who.mail)
    make_app_password(client, "Phone")
    reader.expect("created", who.mail)
    client.get("")
    client.post("revoke", id=re.search(r'name="id" value="(\w{4})"', client.page.text)[1])
    reader.expect("revoked", who.mail)
    make_app_password(client, "Phone")
    reader.expect("created", who.mail)
    client.get("")
    client.post("revoke-all")
    reader.expect("revoked-all", who.mail)

    mailed, = factors_on(client.get("second-steps"))
    time.sleep(1.1)  # times are in seconds, and the last one is asked for
    client.post("add-factor")
    client.post("choose", method="totp")
    app = Authenticator(client.page.secret())
    client.post("verify", code=app.code())
    reader.expect("added", who.mail, ALTERNATE)
    client.get("second-steps")
    client.post("recovery-codes")
    code = codes_on(client.page)[0]
    reader.expect("recovery-made", who.mail, ALTERNATE)

    other = signed_in(portal, who, **where)
    other.post("use-factor", id=mailed)
    reader.expect("code", ALTERNATE)
    other = signed_in(portal, who, **where)
    recovery, = re.findall(r'value="([0-9a-f]{8})">\s*<[^>]*>(?:Recovery code|Gjenopprettingskode)',
                           other.page.text)
    other.post("use-factor", id=recovery)
    other.post("verify", code=code)
    reader.expect("recovery-used", who.mail, ALTERNATE)
    client.get("second-steps")
    client.post("remove-factor", id=mailed)
    reader.expect("removed", who.mail, ALTERNATE)
    for number in range(10):
        guesser = signed_in(portal, who, **where | {"X-Real-IP": f"203.0.113.{number}"})
        guesser.post("verify", code=app.wrong_code())
    reader.expect("guessed", who.mail, client="203.0.113.9")


# ---- who is told of a changed second factor ----

def add_address(client, portal, address):
    client.get("second-steps")
    client.post("add-factor")
    client.post("choose", method="mail")
    client.post("contact", address=address)
    client.post("verify", code=portal.code_by_mail())
    assert client.page.title() == "Your second steps", client.page.words()


def test_an_address_is_told_what_takes_its_place(directory, portal):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    first, = factors_on(client.get("second-steps"))
    mailbox = Mailbox(portal)
    add_address(client, portal, OTHER)
    code, *told = mailbox.new()
    assert code["To"] == OTHER
    assert [message["To"] for message in told] == [who.mail, ALTERNATE], "not the new one"
    for message in told:
        assert "Code by e-mail – o…r@elsewhere.example" in message.get_content()
        assert OTHER not in message.get_content()
    client.post("remove-factor", id=first)
    told = mailbox.new()
    assert sorted(message["To"] for message in told) == sorted([who.mail, ALTERNATE, OTHER])
    for message in told:
        assert message["Subject"] == "A second step was removed"
        assert "Code by e-mail – s…e@elsewhere.example" in message.get_content()
        assert ALTERNATE not in message.get_content()


def test_nobody_is_told_twice_of_the_same(directory, portal):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    add_address(client, portal, ALTERNATE)
    mailbox = Mailbox(portal)
    client.get("second-steps")
    client.post("recovery-codes")
    assert mailbox.recipients() == [who.mail, ALTERNATE]
    directory.connect_as_itself().modify_s(
        who.dn, [(ldap.MOD_REPLACE, "mail", [ALTERNATE.upper().encode()])])
    client.get("second-steps")
    client.post("recovery-codes")
    assert mailbox.recipients() == [ALTERNATE.upper()]


def test_an_alternate_address_is_told_even_if_there_is_no_other(directory, portal):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    directory.connect_as_itself().modify_s(who.dn, [(ldap.MOD_REPLACE, "mail", [b"none"])])
    mailbox = Mailbox(portal)
    client.get("second-steps")
    client.post("recovery-codes")
    assert mailbox.recipients() == [ALTERNATE]


def test_alternate_addresses_hear_nothing_of_app_passwords(directory, portal):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    mailbox = Mailbox(portal)
    make_app_password(client)
    assert mailbox.recipients() == [who.mail]


def test_after_a_reset_the_page_no_longer_knows_the_address(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    portal.done("mfa", "reset", who.uid)
    mailbox = Mailbox(portal)
    enrolled_by_mail(portal, who, OTHER)
    assert mailbox.recipients() == [OTHER, who.mail]


def test_a_notice_to_each_address_is_tried_again(directory, start_portal):
    portal = start_portal()  # of its own: the notices come in a minute, in the midst of another test
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    (portal.folder / "no-mail").touch()
    client.get("second-steps")
    client.post("recovery-codes")
    (portal.folder / "no-mail").unlink()
    own, other = [line for line in portal.events() if f'user="{who.uid}"' in line
                  and " action=mail " in line]
    assert own.endswith('ended with status 75; trying again for a day"')
    assert other.endswith('trying again for a day"')


# ---- values of others ----

def newest(portal):
    """The bytes of the newest message."""
    return max(portal.mail.glob("*.mail"), key=lambda file: int(file.stem)).read_bytes()


@pytest.mark.parametrize("label", [
    "a\r\nBcc: eve@example.net", "a\nb", "a\u2028b", "a\u202eb", "a\x85b", "a\x1b[31mb"])
def test_no_label_breaks_a_line(directory, portal, label):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    before = len(portal.messages())
    client.get("")
    client.post("create", label=label, services="", expires="never")
    assert len(portal.messages()) == before, "refused"
    assert labels(client.get("")) == []


@pytest.mark.parametrize("label", [
    "\U0001f600" * 64, "Subject: x", "=?utf-8?q?x?=", "From here", ".", "a = b", "{site} {{link}}",
    "x" * 64, "{code}", "https://evil.example/"])
def test_a_label_arrives_as_it_was_typed(directory, portal, label):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client, label)
    message = portal.messages()[-1]
    assert f": “{label}”.\n" in message.get_content()
    assert message["Subject"] == "A new app password" and message["Bcc"] is None
    raw = newest(portal)
    assert max(map(len, raw.split(b"\n"))) <= 76
    assert raw.isascii()


@pytest.mark.parametrize("address", [
    "a@elsewhere.example\r\nBcc: eve@example.net", "a@elsewhere.example, eve@example.net",
    "a@elsewhere.example\n", "<a@elsewhere.example>", "-a@elsewhere.example"])
def test_no_address_becomes_a_header_or_a_second_recipient(directory, portal, address):
    who = directory.new_person(mfa=True)
    client = signed_in(portal, who)
    client.post("start")
    client.post("choose", method="mail")
    mailbox = Mailbox(portal)
    client.post("contact", address=address)
    assert mailbox.new() == []
    client, _ = enrolled(portal, who)
    directory.connect_as_itself().modify_s(who.dn, [(ldap.MOD_REPLACE, "mail", [address.encode()])])
    mailbox = Mailbox(portal)
    make_app_password(client)
    assert mailbox.new() == []
    assert "no valid mail address" in portal.events()[-1]


def test_a_long_text_about_support_makes_no_long_line(directory, start_portal):
    support = "help@example.org, " + "ask for Kari " * 60 + "x" * 1000
    portal = start_portal({"support": support})
    enrolled(portal, directory.new_person(mfa=True))
    assert f"tell {support}." in portal.messages()[-1].get_content()
    raw, = portal.mail.glob("*.mail")
    assert max(map(len, raw.read_bytes().split(b"\n"))) <= 76


@pytest.mark.parametrize("agent, named", [
    ("Firefox/1\x7fBcc: eve@example.net", "Firefox"), ("<b>{user}</b>", "?"), ("", "?")])
def test_of_a_browser_only_a_name_of_ours_is_mailed(directory, portal, agent, named):
    who = directory.new_person(mfa=True)
    enrolled(portal, who, **{"User-Agent": agent})
    assert f"\nBrowser: {named}\n" in portal.messages()[-1].get_content()


# ---- the header ----

def header_of(message, sender, reply_to, language):
    """Checks what all mails have in their header."""
    assert str(message["From"]) == f"{'App-passord' if language == 'nb' else 'App passwords'} <{sender}>"
    assert message["Reply-To"] == reply_to
    assert message["Content-Language"] == language
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(time.time() - message["Date"].datetime.timestamp()) < 300
    assert re.fullmatch(r"<[0-9a-f]{32}@%s>" % re.escape(sender.partition("@")[2]),
                        message["Message-ID"])
    assert (message["MIME-Version"], message.get_content_type(), message.get_content_charset()) == (
        "1.0", "text/plain", "utf-8")
    for name in ("From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted"):
        assert len(message.get_all(name)) == 1
    assert not message.defects


@pytest.mark.parametrize("support, reply_to", [
    ("help@example.org", "help@example.org"),
    ("Ask the help desk (help@example.org, telephone 1234)", "help@example.org"),
    ("https://help.example.org/", None), ("telephone 1234", None)])
@pytest.mark.parametrize("language", ["en", "nb"])
def test_the_header(directory, start_portal, support, reply_to, language):
    portal = start_portal({"support": support, "mail_from": "sender@example.org"})
    who = directory.new_person(mfa=True)
    client = signed_in(portal, who, **{"Accept-Language": language})
    client.post("start")
    client.post("choose", method="mail")
    client.post("contact", address=ALTERNATE)
    message, = portal.messages()
    header_of(message, "sender@example.org", reply_to, language)
    raw, = portal.mail.glob("*.mail")
    assert b"=?" not in raw.read_bytes(), "no encoded words for ASCII"


def test_a_subject_past_ascii_is_encoded(directory, portal):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    client.headers["Accept-Language"] = "nb"
    client.get("second-steps")
    client.post("recovery-codes")
    raw = newest(portal)
    assert b"\nSubject: =?utf-8?B?" in raw and raw.isascii()
    assert portal.messages()[-1]["Subject"] == "Du har fått nye gjenopprettingskoder"


def test_a_mail_is_well_formed_in_every_language(directory, start_portal):
    portal = start_portal({"mail_from": "sender@example.org"})
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    languages = sorted(file.stem for file in (pathlib.Path(__file__).parents[2] / "po").glob("*.po"))
    assert "nb" in languages
    for language in languages:
        client.headers["Accept-Language"] = language
        client.get("second-steps")
        client.post("recovery-codes")
        message, raw = portal.messages()[-1], newest(portal)
        assert raw.isascii() and max(map(len, raw.split(b"\n"))) <= 76
        assert message["Content-Language"] == language and not message.defects
        assert message["From"].addresses[0].addr_spec == "sender@example.org"
        for header in (message["Subject"], message["From"].addresses[0].display_name):
            assert header and "=?" not in header
        assert f": {who.uid}\n" in message.get_content()


def test_the_sender_is_the_same_without_mail_from(directory, start_portal):
    portal = start_portal()
    enrolled(portal, directory.new_person(mfa=True))
    assert portal.messages()[-1]["From"].addresses[0].addr_spec.startswith("app-passwords@")


KEPT = "kept@example.org"  # mail from this sender stays in Postfix's queue


@pytest.fixture(scope="module")
def queue(usual):
    """The messages from KEPT that Postfix has, read with queue()."""
    environment = os.environ | {"MAIL_CONFIG": str(usual.postfix.config)}
    for command in (["postconf", "-e", "sender_dependent_default_transport_maps = "
                     f"inline:{{ {{ {KEPT} = smtp:[127.0.0.1]:1 }} }}"], ["postfix", "reload"]):
        subprocess.run(command, env=environment, check=True, capture_output=True)

    def read():
        ids = re.findall(rf": ([0-9A-F]+): from=<{re.escape(KEPT)}>, size=",
                         usual.postfix.log.read_text())
        return [email.message_from_bytes(
            subprocess.run(["postcat", "-bhq", id], env=environment, check=True,
                           capture_output=True).stdout, policy=email.policy.default)
            for id in dict.fromkeys(ids)]
    return read


@pytest.mark.parametrize("way", ["relay", "sendmail"])
def test_postfix_takes_the_same_message_on_both_ways(
        usual, directory, start_portal, authority, queue, tmp_path, way):
    program, secret = tmp_path / "sendmail", tmp_path / "relay.secret"
    who, relay_user = directory.new_person(mfa=True), directory.new_person()
    program.write_text(
        f"#!/bin/sh\nMAIL_CONFIG={usual.postfix.config} exec /usr/sbin/sendmail \"$@\"\n")
    program.chmod(0o755)
    secret.write_text(relay_user.password + "\n")
    ways = {"sendmail": {"sendmail": program},
            "relay": {"sendmail": None, "mail_relay": f"localhost:{usual.port}",
                      "mail_relay_tls": "smtps", "mail_relay_cacert": authority.ca,
                      "mail_relay_user": relay_user.uid, "mail_relay_password_file": secret}}
    portal = start_portal(ways[way] | {"mail_from": KEPT})
    before = len(queue())
    enrolled(portal, who)
    assert "action=mail" not in portal.log.read_text()
    wait_until(lambda: len(queue()) > before, "the message")
    message = queue()[-1]
    header_of(message, KEPT, "help@example.org", "en")
    assert message["To"] == who.mail
    assert f"\nAccount: {who.uid}\n" in message.get_content()
