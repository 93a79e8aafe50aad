# SPDX-License-Identifier: BSD-2-Clause
"""app-password invite --mail: the page's program mails the link to the alternate address."""

import base64
import os
import re
import subprocess
import time

import pytest

from administration import CONFIGURATION, DONE, FAILED, NOT_PERMITTED, PREFIX, UNAVAILABLE, USAGE
from conftest import new_folder
from portal import PORTAL_USER, PROGRAM
from processes import free_port, wait_until, wait_until_all_clocks_show
from visits import ALTERNATE, enrolled, enrolled_by_mail, signed_in

MASKED = "s…e@elsewhere.example"
OTHER = "other@elsewhere.example"
LINK = r"^(http://127\.0\.0\.1:\d+)/(device/[\w-]+/([\w-]{22}))$"


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal({"time_zone": "Europe/Oslo", "support_in": "nb hjelp@example.org"})


@pytest.fixture(scope="module")
def by_mail(directory, portal):
    """Somebody with an alternate address."""
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    return who


@pytest.fixture
def change(portal):
    """Changes portal.conf for one test: change(mail_relay="localhost:25"); None removes a key."""
    file = portal.folder / "portal.conf"
    before = file.read_text()
    yield lambda **keys: portal.write(file, portal.conf | keys)
    file.write_text(before)


def invite(portal, who, *options, path=f"{PREFIX}/bin:{os.environ['PATH']}", **more):
    return portal.command("invite", who.uid, "--label", "Phone", "--mail", *options,
                          env=os.environ | {"PATH": path}, **more)


def invitations(directory, who):
    return [value for value in directory.values(who, "appPasswordMfaMethod")
            if value.startswith("invitation ")]


def nothing_is_made(directory, portal, who, called, status, *words):
    """Neither an invitation nor a mail, and nothing but this is said."""
    assert called.returncode == status and called.stdout == "", called
    for word in words:
        assert word in called.stderr, called
    assert invitations(directory, who) == []


# ---- the mail ----

TEXTS = {
    "en": ("Set up mail on a device", """\
With this link, one device or program gets its own app password for your mail: “Phone”.

{link}

Open it on the device that will use it. It works once, until {time}.
Anyone who opens the link gets an app password for your mail, so don’t forward this mail.

If you didn’t expect this mail, don’t open the link, and tell help@example.org.

Account: {user}
App password page: {url}
"""),
    "nb": ("Sett opp e-post på en enhet", """\
Med denne lenken får én enhet eller ett program et eget app-passord for e-posten din: «Phone».

{link}

Åpne den på enheten som skal bruke det. Lenken virker én gang, til {time}.
Den som åpner lenken, får et app-passord for e-posten din, så ikke videresend denne e-posten.

Hvis du ikke ventet denne e-posten, la være å åpne lenken, og si fra til hjelp@example.org.

Konto: {user}
Siden for app-passord: {url}
""")}
TIMES = {"en": r"\d{1,2} \w+ \d{4}, \d\d:\d\d \(CES?T\)",
         "nb": r"\d{1,2}\. \w+ \d{4} kl\. \d\d\.\d\d \(CES?T\)"}


def test_the_link_goes_to_the_alternate_address_alone(directory, portal, by_mail):
    before = len(portal.messages())
    called = invite(portal, by_mail, "--services", "imap")
    assert called.returncode == DONE and called.stdout == "", called
    assert f"Mailed to {MASKED}.\n" in called.stderr and ALTERNATE not in called.stderr
    mail, = portal.messages()[before:]
    assert mail["To"] == ALTERNATE and mail["Auto-Submitted"] == "auto-generated"
    path, token = re.search(LINK, mail.get_content(), re.MULTILINE).groups()[1:]
    assert token not in called.stderr and token not in portal.log.read_text()
    client = portal.client()
    client.get(path)
    client.post(path)
    assert portal.answers(by_mail.uid, client.page.app_password(), "--service", "imap") == (
        "accepted", "app-password")
    assert invitations(directory, by_mail) == []


@pytest.mark.parametrize("language", ["en", "nb"])
def test_the_mail_says_what_the_link_is_and_who_can_be_asked(directory, portal, by_mail, language):
    called = invite(portal, by_mail, *([] if language == "en" else ["--language", language]))
    assert called.returncode == DONE, called
    mail = portal.messages()[-1]
    subject, text = TEXTS[language]
    assert (mail["Subject"], mail["Content-Language"]) == (subject, language)
    assert mail["Reply-To"] == {"en": "help@example.org", "nb": "hjelp@example.org"}[language]
    body = mail.get_content()
    link = re.search(LINK, body, re.MULTILINE)[0]
    pattern = re.escape(text).replace(r"\{time\}", TIMES[language])
    for key, value in (("link", link), ("user", by_mail.uid), ("url", portal.conf["public_url"])):
        pattern = pattern.replace(rf"\{{{key}\}}", re.escape(value))
    assert re.fullmatch(pattern, body), body
    portal.done("revoke", by_mail.uid, "--all")


def next_second():
    """Uses are recorded by the second."""
    wait_until_all_clocks_show(int(time.time()) + 1)


def sign_in_by_mail(portal, who, masked):
    """With a code to an address that is not the one asked for first."""
    client = signed_in(portal, who)
    id, = re.findall(r'name="id" value="([0-9a-f]{8})">\s*<button[^>]*>[^<]*' + re.escape(masked),
                     client.page.text)
    client.post("use-factor", id=id)
    client.post("verify", code=portal.code_by_mail())
    assert client.page.title() == "Your app passwords", client.page.words()


def test_of_several_addresses_the_last_one_used_gets_it(directory, portal):
    who = directory.new_person(mfa=True)
    client = enrolled_by_mail(portal, who)
    client.get("second-steps")
    client.post("add-factor")
    client.post("choose", method="mail")
    client.post("contact", address=OTHER)
    next_second()
    client.post("verify", code=portal.code_by_mail())
    for address, masked in ((ALTERNATE, MASKED), (OTHER, "o…r@elsewhere.example")):
        next_second()
        sign_in_by_mail(portal, who, masked)
        before = len(portal.messages())
        called = invite(portal, who)
        assert called.returncode == DONE and f"Mailed to {masked}." in called.stderr, called
        assert [mail["To"] for mail in portal.messages()[before:]] == [address]


def test_the_page_writes_no_log_as_root(portal, by_mail):
    portal.log.rename(portal.log.with_suffix(".old"))
    try:
        assert invite(portal, by_mail).returncode == DONE
        assert not portal.log.exists()
    finally:
        portal.log.with_suffix(".old").rename(portal.log)
    portal.done("revoke", by_mail.uid, "--all")


def test_a_real_relay_takes_it_and_logs_no_link(usual, directory, portal, by_mail, change,
                                                authority, workdir):
    relay = directory.new_person()
    secret = workdir / "invite-relay.secret"
    secret.write_text(relay.password + "\n")
    change(sendmail=None, mail_relay=f"localhost:{usual.service.port}", mail_relay_tls="smtps",
           mail_relay_cacert=authority.ca, mail_relay_user=relay.uid,
           mail_relay_password_file=secret, mail_from="inviting@example.org")
    called = invite(portal, by_mail)
    assert called.returncode == DONE, called
    wait_until(lambda: "from=<inviting@example.org>" in usual.postfix.log.read_text(),
               "the message in Postfix's queue")
    assert "/device/" not in usual.postfix.log.read_text()
    portal.done("revoke", by_mail.uid, "--all")


# ---- what is in the way ----

def test_somebody_who_has_set_up_nothing_has_no_address(directory, portal):
    who = directory.new_person(mfa=True)
    nothing_is_made(directory, portal, who, invite(portal, who), FAILED,
                    "no second step is set up;", "without --mail", "it asks to set one up first")


def test_behind_a_single_sign_on_the_link_asks_for_no_second_step(start_portal, directory, workdir):
    folder = new_folder(workdir, "single-sign-on")
    portal = start_portal({"trusted_user_header": "X-Remote-User", "listen": f"unix:{folder}/socket"})
    who = directory.new_person(mfa=True)
    called = invite(portal, who)
    nothing_is_made(directory, portal, who, called, FAILED, "no second step is set up;")
    assert "set one up first" not in called.stderr


def test_somebody_with_an_app_alone_has_no_address(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled(portal, who)
    called = invite(portal, who)
    nothing_is_made(directory, portal, who, called, FAILED, "no alternate address is on file;")
    assert "set one up" not in called.stderr


@pytest.mark.parametrize("keys, words", [
    ({"own_domains": "example.org elsewhere.example"}, "own_domains"),
    ({"second_factors": "totp passkey"}, "no longer allows codes by mail"),
])
def test_an_address_that_the_site_excludes_gets_nothing(directory, portal, by_mail, change, keys,
                                                        words):
    change(**keys)
    before = len(portal.messages())
    nothing_is_made(directory, portal, by_mail, invite(portal, by_mail), FAILED, words)
    assert len(portal.messages()) == before


def test_users_without_mfa_are_told_that_first(directory, portal):
    who = directory.new_person()
    nothing_is_made(directory, portal, who, invite(portal, who), FAILED, "MFA is off")


@pytest.mark.parametrize("file", ["portal.conf", "portal.key"])
def test_a_file_that_the_caller_may_not_read_is_named_with_its_owner(directory, portal, by_mail,
                                                                     file):
    (portal.folder / file).chmod(0o600)
    try:
        called = invite(portal, by_mail, prefix=[
            "setpriv", f"--reuid={PORTAL_USER}", "--regid=nogroup", "--clear-groups"])
    finally:
        (portal.folder / file).chmod(0o644)
    nothing_is_made(directory, portal, by_mail, called, NOT_PERMITTED,
                    f"{portal.folder / file}: Permission denied", "belongs to root", "as root")


def test_elsewhere_than_on_the_pages_host_it_says_so(directory, portal, by_mail):
    file = portal.folder / "portal.conf"
    file.rename(portal.folder / "away")
    try:
        called = invite(portal, by_mail)
    finally:
        (portal.folder / "away").rename(file)
    nothing_is_made(directory, portal, by_mail, called, CONFIGURATION, f"{file}: No such file",
                    "host of the self-service page")


def test_without_the_pages_program_it_says_so(directory, portal, by_mail):
    nothing_is_made(directory, portal, by_mail, invite(portal, by_mail, path="/usr/bin:/usr/sbin"),
                    UNAVAILABLE, "app-password-portal: No such file")


def test_a_setting_that_the_page_would_reject_is_named(directory, portal, by_mail, change):
    change(own_domains="a_b")
    nothing_is_made(directory, portal, by_mail, invite(portal, by_mail), CONFIGURATION,
                    "portal.conf:", "own_domains")


def test_a_key_that_does_not_open_the_address_is_found(directory, portal, by_mail, change,
                                                       workdir):
    other = workdir / "other.key"
    other.write_text(base64.b64encode(bytes(32)).decode() + "\n")
    change(key_file=other)
    nothing_is_made(directory, portal, by_mail, invite(portal, by_mail), CONFIGURATION,
                    "sealed with another key")


@pytest.mark.parametrize("options, words", [
    (["--page", "https://mail.example.net/"], "--mail and --page exclude each other"),
    (["--language", "tlh"], '"tlh" is no language of the page'),
])
def test_wrong_usage_makes_nothing(directory, portal, by_mail, options, words):
    nothing_is_made(directory, portal, by_mail, invite(portal, by_mail, *options), USAGE, words)


def test_the_language_is_that_of_a_mail(directory, portal, by_mail):
    called = portal.command("invite", by_mail.uid, "--label", "x", "--language", "nb")
    nothing_is_made(directory, portal, by_mail, called, USAGE, "--language goes with --mail only")


# ---- mail that cannot be sent ----

def test_a_relay_that_is_down_withdraws_the_invitation(directory, portal, by_mail, change):
    nowhere = f"127.0.0.1:{free_port()}"
    change(sendmail=None, mail_relay=nowhere)
    nothing_is_made(directory, portal, by_mail, invite(portal, by_mail), UNAVAILABLE,
                    f"mail_relay {nowhere}: ", "was withdrawn")


def test_a_sendmail_that_fails_withdraws_the_invitation(directory, portal, by_mail):
    (portal.folder / "no-mail").touch()
    try:
        called = invite(portal, by_mail)
    finally:
        (portal.folder / "no-mail").unlink()
    nothing_is_made(directory, portal, by_mail, called, UNAVAILABLE,
                    f"{portal.folder}/sendmail ended with status 75", "was withdrawn")


def test_a_relay_that_refuses_the_address_withdraws_the_invitation(
        mail_server, directory, portal, change, authority, workdir):
    server = mail_server(kind="refuses recipients")
    who, relay = directory.new_person(mfa=True), directory.new_person()
    enrolled_by_mail(portal, who, "refused@elsewhere.example")
    secret = workdir / "refusing-relay.secret"
    secret.write_text(relay.password + "\n")
    change(sendmail=None, mail_relay=f"localhost:{server.port}", mail_relay_tls="smtps",
           mail_relay_cacert=authority.ca, mail_relay_user=relay.uid,
           mail_relay_password_file=secret, mail_from="inviting@example.org")
    nothing_is_made(directory, portal, who, invite(portal, who), FAILED, "RCPT failed: 554",
                    "was withdrawn")


# ---- the page's program by itself ----

@pytest.mark.parametrize("text, status, words", [
    ("", 0, MASKED), ("no token", 64, "standard input"), ("A" * 23, 64, "standard input"),
    ("A" * 22 + "\n", 75, "does not show the invitation"),
])
def test_it_mails_only_links_of_the_directory(portal, by_mail, text, status, words):
    before = len(portal.messages())
    called = subprocess.run([PROGRAM, "-c", portal.config, "--mail-invitation", by_mail.uid],
                            input=text, capture_output=True, text=True, timeout=60, check=False)
    assert called.returncode == status and words in called.stdout + called.stderr, called
    assert len(portal.messages()) == before
