# SPDX-License-Identifier: BSD-2-Clause
"""app-password invite: links that give a user an app password, once."""

import base64
import hashlib
import json
import os
import pty
import re
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from administration import COMMAND, DONE, FAILED, NOT_PERMITTED, USAGE
from slapd import DISABLED, Slapd

PAGE = "https://mail.example.net/app-passwords"
ID = "[0-9a-hjkmnp-tv-z]{4}"


@pytest.fixture(scope="module")
def directory(workdir):
    slapd = Slapd(workdir / "invite").start()
    yield slapd
    slapd.stop()


@pytest.fixture
def user(directory):
    return directory.new_person(mfa=True)


def stored(directory, who):
    """The invitations in the directory, as dictionaries."""
    values = [value for value in directory.values(who, "appPasswordMfaMethod")
              if value.startswith("invitation ")]
    found = [re.fullmatch(
        rf"invitation id=(?P<id>{ID}) created=(?P<created>\d{{14}}Z) until=(?P<until>\d{{14}}Z) "
        r"hash=(?P<hash>[\w-]{22})(?: expires=(?P<expires>\S+))?(?: services=(?P<services>\S+))?"
        r"(?: from=(?P<networks>\S+))? label=(?P<label>.*)", value) for value in values]
    assert all(found), values
    return [match.groupdict() for match in found]


def invite(site, who, *options):
    """Invite, and return the token of the link that was printed."""
    link = site.done("invite", who.uid, "--label", "Phone", "--page", PAGE, *options)
    login, token = re.fullmatch(rf"{PAGE}/device/([\w-]+)/([\w-]{{22}})\n", link).groups()
    assert base64.urlsafe_b64decode(login + "=" * (-len(login) % 4)).decode() == who.uid
    return token


def hash_of(token):
    digest = hashlib.blake2b(token.encode(), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def seconds_of(text):
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def test_the_link_is_printed_alone_and_only_its_hash_is_stored(site, directory, user):
    called = site.command("invite", user.uid, "--label", "Phone", "--page", PAGE + "/",
                          "--services", "imap,smtp", "--from", "192.0.2.0/24",
                          "--expires", "2099-01-31")
    assert called.returncode == DONE, called
    token = re.fullmatch(rf"{PAGE}/device/[\w-]+/([\w-]{{22}})\n", called.stdout)[1]
    assert token not in called.stderr
    value, = stored(directory, user)
    assert value["hash"] == hash_of(token)
    assert (value["label"], value["services"], value["networks"], value["expires"]) == (
        "Phone", "imap,smtp", "192.0.2.0/24", "20990201000000Z")
    assert seconds_of(value["until"]) - seconds_of(value["created"]) == timedelta(hours=24)
    assert directory.app_passwords(user) == []
    assert value["id"] in called.stderr and f"revoke {user.uid} {value['id']}" in called.stderr


@pytest.mark.parametrize("period, length", [
    ("90s", timedelta(seconds=90)), ("30d", timedelta(days=30))])
def test_it_works_for_the_period_asked_for(site, directory, user, period, length):
    invite(site, user, "--valid", period)
    value, = stored(directory, user)
    assert seconds_of(value["until"]) - seconds_of(value["created"]) == length


def test_the_page_is_that_of_portal_conf(site, user):
    (site.folder / "portal.conf").write_text("public_url https://mail.example.org/page/\n")
    try:
        link = site.done("invite", user.uid, "--label", "Phone")
    finally:
        (site.folder / "portal.conf").unlink()
    assert link.startswith("https://mail.example.org/page/device/")


@pytest.mark.parametrize("arguments, words", [
    (["--label", "Phone"], "no public_url in a portal.conf"),
    (["--label", "Phone", "--page", "mail.example.net"], "does not begin with https://"),
    (["--page", PAGE], "--label TEXT is missing"),
    (["--label", "Phone", "--page", PAGE, "--valid", "31d"], "from 1s to 30d"),
    (["--label", "Phone", "--page", PAGE, "--valid", "soon"], "--valid"),
    (["--label", " ", "--page", PAGE], "a label has"),
    (["--label", "Phone", "--page", PAGE, "--services", "a b"], "not the name of a service"),
    (["--label", "Phone", "--page", PAGE, "--expires", "2020-01-01"], "expires: \"2020-01-01\""),
])
def test_wrong_usage_stores_nothing(site, directory, user, arguments, words):
    called = site.command("invite", user.uid, *arguments)
    assert called.returncode == USAGE and words in called.stderr and called.stdout == "", called
    assert stored(directory, user) == []


def test_users_without_mfa_are_not_invited(site, directory):
    user = directory.new_person()
    called = site.command("invite", user.uid, "--label", "Phone", "--page", PAGE)
    assert called.returncode == FAILED and "MFA is off" in called.stderr, called
    assert stored(directory, user) == []


def test_users_whose_account_has_ended_are_not_invited(site, directory):
    called = site.command("invite", DISABLED.uid, "--label", "Phone", "--page", PAGE)
    assert called.returncode == FAILED and called.stdout == "", called
    assert stored(directory, DISABLED) == []


def test_the_mail_server_may_not_invite(make_site, directory, user):
    called = make_site(manage_as="mail server").command("invite", user.uid, "--label", "x", "--page", PAGE)
    assert called.returncode == NOT_PERMITTED and called.stdout == "", called
    assert stored(directory, user) == []


def test_it_is_listed_until_it_is_used_or_revoked(site, directory, user):
    invite(site, user, "--services", "imap")
    value, = stored(directory, user)
    assert "1 unused invitation" in site.command("list", user.uid).stderr
    assert re.search(rf"^{value['id']}  .*  Phone$", site.done("list", user.uid, "--invitations"), re.M)
    assert site.listed(user) == []
    listed, = json.loads(site.done("list", user.uid, "--json", "--invitations"))
    assert listed["id"] == value["id"] and listed["services"] == ["imap"]
    assert listed["label"] == "Phone" and listed["valid_until"] > listed["invited"]
    assert site.done("revoke", user.uid, value["id"]) == f"{user.uid}: {value['id']} revoked\n"
    assert stored(directory, user) == [] and directory.app_passwords(user) == []


def test_revoking_all_removes_invitations_and_leaves_second_factors(site, directory, user):
    directory.administrate(user, appPasswordMfaMethod="sealed=AAAA")
    password = site.create(user)
    invite(site, user)
    invite(site, user)
    site.done("revoke", user.uid, "--all")
    assert directory.values(user, "appPasswordMfaMethod") == ["sealed=AAAA"]
    assert site.answers(user.uid, password)[0] == "refused"
    invite(site, user)
    assert site.done("revoke", user.uid, "--all") == f"{user.uid}: 1 revoked\n"
    assert stored(directory, user) == []


def test_resetting_the_second_factor_removes_invitations(site, directory, user):
    invite(site, user)
    site.done("mfa", "reset", user.uid)
    assert directory.values(user, "appPasswordMfaMethod") == []


def test_turning_mfa_off_removes_invitations_and_leaves_second_factors(site, directory, user):
    directory.administrate(user, appPasswordMfaMethod="sealed=AAAA")
    invite(site, user)
    invite(site, user)
    said = f"{user.uid}: enforced → off; unused links withdrawn: 2"
    assert site.done("mfa", "off", "--dry-run", user.uid) == said + " (dry run)\n"
    assert len(stored(directory, user)) == 2
    assert site.done("mfa", "off", "--filter", f"(uid={user.uid})") == said + "\n"
    assert directory.values(user, "appPasswordMfaMethod") == ["sealed=AAAA"]
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: unchanged, off\n"
    site.done("mfa", "on", user.uid)
    assert stored(directory, user) == []


def test_turning_mfa_off_again_removes_what_another_program_left(site, directory, user):
    invite(site, user)
    directory.administrate(user, appPasswordMfaEnabled="FALSE")
    assert site.done("mfa", "off", user.uid) == f"{user.uid}: off → off; unused links withdrawn: 1\n"
    assert stored(directory, user) == []


def test_there_are_ten_at_most_and_expired_ones_make_room(site, directory, user):
    old = ("invitation id=zzzz created=20200101000000Z until=20200102000000Z "
           "hash=AAAAAAAAAAAAAAAAAAAAAA label=Old")
    directory.administrate(user, appPasswordMfaMethod=old)
    for _ in range(10):
        invite(site, user)
    called = site.command("invite", user.uid, "--label", "Phone", "--page", PAGE)
    assert called.returncode == FAILED and "10 invitations" in called.stderr, called
    assert len(stored(directory, user)) == 10
    assert old not in directory.values(user, "appPasswordMfaMethod")


def test_invitations_made_at_once_all_work(site, directory, user):
    results = site.at_once(4, "invite", user.uid, "--label", "Phone", "--page", PAGE)
    assert [status for status, _, _ in results] == [DONE] * 4, results
    tokens = [output.rstrip("\n").rsplit("/", 1)[1] for _, output, _ in results]
    assert {value["hash"] for value in stored(directory, user)} == set(map(hash_of, tokens))
    assert len({value["id"] for value in stored(directory, user)}) == 4


def test_a_link_that_nobody_saw_is_withdrawn(site, directory, user):
    with open("/dev/full", "w") as full:
        called = site.command("invite", user.uid, "--label", "x", "--page", PAGE, stdout=full)
    assert called.returncode != DONE and "withdrawn" in called.stderr, called
    assert stored(directory, user) == []


def test_a_terminal_shows_a_qr_code_of_the_link(site, user, workdir):
    """zbar reads it, once the terminal's blocks are drawn as a picture."""
    master, slave = pty.openpty()
    called = subprocess.run(
        [COMMAND, "-c", site.config, "invite", user.uid, "--label", "x", "--page", PAGE],
        stdout=subprocess.PIPE, stderr=slave, text=True, timeout=300)
    os.close(slave)
    output = b""
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(master)
    rows = re.findall("\x1b\\[30;107m([ ▀▄█]+)\x1b\\[0m", output.decode())
    assert len(rows) > 15, output
    picture = workdir / "terminal.pbm"
    bits = []
    for row in rows:
        bits.append(["1" if block in "▀█" else "0" for block in row])
        bits.append(["1" if block in "▄█" else "0" for block in row])
    scale = 4
    lines = ["".join(bit * scale for bit in line) for line in bits for _ in range(scale)]
    picture.write_text(f"P1\n{len(lines[0])} {len(lines)}\n" + "\n".join(lines) + "\n")
    read = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)], capture_output=True, text=True)
    assert read.stdout.strip() == called.stdout.strip(), read
