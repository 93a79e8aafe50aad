# SPDX-License-Identifier: BSD-2-Clause
"""Links that give another device an app password: made on the page or by the command, used once."""

import concurrent.futures
import html
import itertools
import plistlib
import re
import threading

import pytest

from administration import Site
from authenticator import scan
from conftest import new_folder
from fakes import Relay
from processes import SLOWLY, seconds
from visits import ANDROID, IPHONE, at_once, enrolled, labels, let_in, make_app_password, subjects

DEAD = "This link isn’t valid:"


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


@pytest.fixture(scope="module")
def site(directory, workdir):
    """A help desk's host."""
    return Site(new_folder(workdir, "site") / "host", directory)


@pytest.fixture
def owner(directory, portal):
    """(user, client with all rights, Authenticator)"""
    who = directory.new_person(mfa=True)
    return who, *enrolled(portal, who)


def made(client, label="My phone"):
    """The path of a link made on the page."""
    client.get("")
    client.post("device-link", label=label)
    assert client.page.title() == "Set up your phone", client.page.words()
    link = html.unescape(re.search(r'<p class="secret small">([^<]*)</p>', client.page.text)[1])
    return re.search("device/.*", link)[0]


def id_of(client):
    """The id of the link on the page, as its forms send it."""
    return re.search(r'name="id" value="([^"]+)"', client.page.text)[1]


def invited(site, who, *options):
    """The path of a link made by the command."""
    link = site.done("invite", who.uid, "--label", "My phone", "--page", "https://x.example", *options)
    return re.search("device/.*", link)[0]


def used(portal, path, agent=ANDROID):
    """A phone that has opened a link and pressed the button."""
    phone = portal.client(**{"User-Agent": agent})
    assert phone.get(path).title() == "Set up mail on this device", phone.page.words()
    phone.post(path)
    return phone


def is_dead(portal, path, numbers=itertools.count()):
    """Asked from a network of its own, because dead links make a network wait."""
    phone = portal.client(**{"X-Real-IP": f"2001:db8:{next(numbers):x}::1"})
    page = phone.get(path)
    assert page.status != 410 or DEAD in page.words(), page.words()
    return page.status == 410


def verdict(site, who, password):
    return site.answers(who.uid, password, "--service", "imap", "--client", "203.0.113.7")[0]


# ---- the whole way ----

@pytest.mark.parametrize("source", ["the page", "the command"])
def test_a_link_gives_one_app_password_once(directory, portal, site, owner, source):
    who, client, _ = owner
    path = made(client) if source == "the page" else invited(site, who)
    assert directory.app_passwords(who) == []
    phone = used(portal, path)
    assert phone.page.title() == "Your app password", phone.page.words()
    assert verdict(site, who, phone.page.app_password()) == "accepted"
    value, = directory.app_passwords(who)
    assert value.endswith(" label=My phone")
    assert is_dead(portal, path)
    assert "can close this page" in phone.get("password").words()
    assert subjects(portal, who)[-1] == "A new app password"
    assert "created with a link that sets up another device" in portal.mails()[-1][1]
    assert len(directory.app_passwords(who)) == 1


def test_looking_at_a_link_uses_nothing(directory, portal, owner):
    who, client, _ = owner
    path = made(client)
    for _ in range(3):
        page = portal.client().get(path)
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
    assert portal.client().ask_once("HEAD", path).status == 200
    assert directory.app_passwords(who) == []
    assert used(portal, path).page.app_passwords()


def test_the_qr_code_has_the_link(portal, owner):
    _, client, _ = owner
    path = made(client)
    assert scan(client.page.text) == f"{portal.conf['public_url']}/{path}"


def test_an_iphone_gets_a_profile_first_and_may_fetch_it_again(start_portal, directory, site):
    portal = start_portal({"imap_server": "imap.example.net:993", "smtp_server": "smtp.example.net:465"})
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    phone = used(portal, made(client), IPHONE)
    text = phone.page.text
    assert text.index("Download the profile for iPhone") < text.index('id="app-password"')
    steps = ("Tap the button below, then Allow.", "tap “Profile Downloaded”, then Install",
             "you don’t need the rest of this page")
    places = [phone.page.words().index(step) for step in steps]
    assert places == sorted(places) and places[-1] < phone.page.words().index("Download the profile for iPhone")
    path = re.search(r'href="[^"]*/(profile/[^"]+)"', text)[1]
    profiles = [plistlib.loads(phone.get(path).text.encode()) for _ in range(2)]
    account = profiles[0]["PayloadContent"][0]
    assert verdict(site, who, account["IncomingPassword"]) == "accepted"
    assert profiles[1]["PayloadContent"][0]["IncomingPassword"] == account["IncomingPassword"]
    later = phone.get("password")
    assert "has already been shown once" in later.words() and path in later.text
    assert later.app_passwords() == []


@pytest.mark.parametrize("agent, opened", [(IPHONE, "iPhone and iPad"), (ANDROID, "Android phone or tablet")])
def test_the_steps_for_the_device_are_open(portal, owner, agent, opened):
    _, client, _ = owner
    phone = used(portal, made(client), agent)
    assert re.findall(r"<details open>\s*<summary>([^<]*)<", phone.page.text) == [opened]
    assert ("Download the profile" in phone.page.text) == (agent == IPHONE and "profile/" in phone.page.text)


def test_a_device_that_is_set_up_gets_the_settings_of_a_new_account_first(start_portal, directory):
    portal = start_portal({"imap_server": "imap.example.net:993", "smtp_server": "smtp.example.net:465"})
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    words = used(portal, made(client)).page.words()
    assert words.index("imap.example.net port 993") < words.index("Where is the Password box?")
    make_app_password(client)
    words = client.page.words()
    assert words.index("Where is the Password box?") < words.index("imap.example.net port 993")


# ---- the owner's own browser ----

def test_an_owner_who_opens_the_link_is_told_that_the_visit_would_end(directory, portal, owner):
    who, client, _ = owner
    assert f"You’re signed in as {who.uid} in this browser." not in portal.client().get(path := made(client)).words()
    assert f"You’re signed in as {who.uid} in this browser." in client.get(path).words()
    assert client.get("").title() == "Your app passwords", "looking ends nothing"
    client.get(path)
    client.post(path)
    assert client.page.title() == "Your app password"
    words = client.page.words()
    assert "Signed in as" not in words and f"Opened with a link of {who.uid}, without signing in" in words


# ---- the owner sees it ----

def test_the_owner_sees_who_used_the_link_and_can_undo_it(directory, portal, site, owner):
    who, client, _ = owner
    path = made(client)
    id = id_of(client)
    assert client.get("device-used").text == id
    password = used(portal, path, IPHONE).page.app_password()
    assert client.get("device-used").text == ""
    words = client.get("device-link").words()
    assert "Safari – iPhone" in words and "127.0.0.1" in words, words
    client.post("device-undo", id=id)
    assert "was revoked" in client.page.words()
    assert directory.app_passwords(who) == []
    assert verdict(site, who, password) == "refused"
    assert subjects(portal, who)[-1] == "An app password was revoked"


def test_a_link_can_be_withdrawn_before_it_is_used(directory, portal, owner):
    who, client, _ = owner
    path = made(client)
    client.post("device-undo", id=id_of(client))
    assert "The link was withdrawn." in client.page.words()
    assert is_dead(portal, path) and directory.app_passwords(who) == []


def test_the_list_shows_unused_links_of_the_command_too_and_withdraws_them(portal, site, owner):
    who, client, _ = owner
    path = invited(site, who)
    assert "Links not used yet" in client.get("").words()
    id = re.search(r'name="id" value="([^"]+)">\s*<p class="actions"><button type="submit" '
                   r'class="secondary">Withdraw', client.page.text)[1]
    client.post("revoke", id=id)
    assert "The link was withdrawn." in client.page.words()
    assert "Links not used yet" not in client.page.words() and is_dead(portal, path)


def test_the_list_says_so_if_a_link_was_used_before_it_was_withdrawn(directory, portal, owner):
    who, client, _ = owner
    path = made(client)
    id, token = re.search(r'name="id" value="([^"]+)">\s*<p class="actions"><button type="submit" '
                          r'class="secondary">Withdraw', client.get("").text)[1], client.page.token()
    used(portal, path)
    words = client.post("revoke", token=token, id=id).words()
    assert "This link was used before you withdrew it." in words and "My phone" in words
    assert len(directory.app_passwords(who)) == 1


def test_revoking_all_withdraws_links_too(portal, site, owner):
    who, client, _ = owner
    make_app_password(client)
    path = invited(site, who)
    client.get("")
    client.post("revoke-all")
    assert is_dead(portal, path)


def test_a_link_used_at_the_same_moment_is_not_called_withdrawn(directory, portal, site, owner):
    """The page then shows what became of it, where the app password can be revoked."""
    who, client, _ = owner
    path = made(client)
    token, id = client.page.token(), id_of(client)
    phone = used(portal, path)
    assert client.post("device-undo", token=token, id=id).title() == "Your app passwords"
    assert "was revoked" in client.page.words() and directory.app_passwords(who) == []
    made(client)
    id, = re.findall("^invitation id=([^ ]+)", "\n".join(directory.values(who, "appPasswordMfaMethod")),
                     re.MULTILINE)
    site.done("revoke", who.uid, id)  # as if it was used, and the page was restarted
    words = client.post("device-undo", id=id).words()
    assert "no longer works: it was used, withdrawn" in words, words
    assert phone.get("password").app_passwords() == []


@pytest.mark.parametrize("is_used", [False, True], ids=["withdraw", "undo"])
def test_each_tab_undoes_its_own_link(directory, portal, site, owner, is_used):
    who, client, _ = owner
    first = made(client, "First phone")
    id = id_of(client)
    password = used(portal, first).page.app_password() if is_used else None
    second = made(client, "Second phone")
    assert client.get("device-used").text != id, "the first tab must learn that its link is not the last"
    client.get("device-link")
    words = client.post("device-undo", id=id).words()
    if is_used:
        assert "was revoked" in words and verdict(site, who, password) == "refused"
        assert "First phone" in portal.mails()[-1][1]
    else:
        assert "The link was withdrawn." in words and is_dead(portal, first)
    assert "Second phone" in client.get("device-link").words()
    assert used(portal, second).page.app_passwords()


def ran_out(number):
    return (f"invitation id=k{number}q2 created=20260101000000Z until=20260101001000Z "
            f"hash={'A' * 22} label=Old")


def test_links_that_ran_out_do_not_stop_new_ones(directory, portal, owner):
    who, client, _ = owner
    values = directory.values(who, "appPasswordMfaMethod")
    directory.administrate(who, appPasswordMfaMethod=values + [ran_out(number) for number in range(10)])
    assert "Links not used yet" not in client.get("").words()
    assert used(portal, made(client)).page.app_passwords()
    assert not [value for value in directory.values(who, "appPasswordMfaMethod") if "label=Old" in value]


# ---- links that do not work ----

@pytest.mark.parametrize("what", [
    "a reset", "turning MFA off", "revoking"])
def test_it_ends_with_what_it_rests_on(directory, portal, site, owner, what):
    who, client, _ = owner
    path = made(client)
    if what == "a reset":
        site.done("mfa", "reset", who.uid)
    elif what == "turning MFA off":
        site.done("mfa", "off", who.uid)
    else:
        site.done("revoke", who.uid, "--all")
    assert is_dead(portal, path)
    assert directory.app_passwords(who) == []


def test_it_ends_with_the_second_factor_of_the_visit(directory, portal, owner):
    who, client, app = owner
    first, = re.findall(r'id="name-([0-9a-f]{8})"', client.get("second-steps").text)
    path = made(client)
    client.get("second-steps")
    client.post("add-factor")
    client.post("choose", method="mail")
    client.post("contact", address="someone@elsewhere.example")
    client.post("verify", code=portal.code_by_mail())
    assert portal.client().get(path).status == 200
    client.get("second-steps")
    client.post("remove-factor", id=first)
    assert is_dead(portal, path), client.page.words()


def test_another_users_login_with_my_token_is_dead(directory, portal, site, owner):
    who, _, _ = owner
    mine, other = invited(site, who), directory.new_person(mfa=True)
    enrolled(portal, other)
    theirs = invited(site, other)
    crossed = theirs.rsplit("/", 1)[0] + "/" + mine.rsplit("/", 1)[1]
    assert is_dead(portal, crossed)
    assert directory.app_passwords(other) == []


@pytest.mark.parametrize("path", [
    "device/", "device/x", "device//", "device/YWxpY2U", "device/YWxpY2U/", "device/YWxpY2U/AAAA",
    "device/" + "A" * 300 + "/" + "A" * 22, "device/YWxpY2U/AAAAAAAAAAAAAAAAAAAAAA",
    "device/YWxpY2U/AAAAAAAAAAAAAAAAAAAAAA/x", "device/Kg/AAAAAAAAAAAAAAAAAAAAAA"])
def test_odd_links_are_dead(portal, path):
    assert is_dead(portal, path)


def test_many_dead_links_make_a_network_wait_and_nobody_else(start_portal_with_clock, directory, site):
    portal = start_portal_with_clock()
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    path = made(client)
    portal.set_clock(SLOWLY)  # the first wait is two seconds
    guesser = portal.client(**{"X-Real-IP": "203.0.113.9"})
    answers = [guesser.get("device/YWxpY2U/AAAAAAAAAAAAAAAAAAAAAA").status for _ in range(25)]
    assert 429 in answers
    phone = portal.client(**{"X-Real-IP": "198.51.100.9"})
    assert phone.get(path).status == 200


def test_dead_links_take_the_same_time_whoever_they_name(start_portal_with_clock, directory, site):
    """The searches count as part of the waiting time."""
    host, port = directory.ldap.removeprefix("ldap://").split(":")
    relay = Relay(host, port)
    portal = start_portal_with_clock(uri=f"ldap://{relay.address}", refusal_delay="2")
    portal.set_clock(SLOWLY)
    who = directory.new_person(mfa=True)
    path = invited(site, who)
    wrong = path.rsplit("/", 1)[0] + "/" + "A" * 22
    portal.client().get(path)
    relay.delay = 3  # up to five times in a request: less than the 20 s of a wait
    paths = (wrong, "device/bm9ib2R5/" + "A" * 22, "device/x")
    times = [time for time, _ in at_once(3, lambda number: seconds(lambda: is_dead(portal, paths[number])))]
    relay.close()
    assert all(20 <= time < 25 for time in times), times


def test_an_outage_makes_no_network_wait(start_portal, directory, site):
    host, port = directory.ldap.removeprefix("ldap://").split(":")
    relay = Relay(host, port)
    portal = start_portal(uri=f"ldap://{relay.address}")
    who = directory.new_person(mfa=True)
    enrolled(portal, who)
    path = invited(site, who)
    phone = portal.client()
    relay.cut()
    assert {phone.get(path).status for _ in range(25)} == {503}
    relay.restore()
    assert phone.get(path).status == 200
    relay.close()


def test_it_is_not_logged(directory, portal, owner):
    _, client, _ = owner
    path = made(client)
    used(portal, path)
    token = path.rsplit("/", 1)[1]
    assert token not in portal.log.read_text()


def test_the_log_says_which_invitation_became_which_app_password(directory, portal, site, owner):
    who, _, _ = owner
    path = invited(site, who)
    invitation, = re.findall("^invitation id=([^ ]+)", "\n".join(directory.values(who, "appPasswordMfaMethod")),
                             re.MULTILINE)
    used(portal, path)
    password = re.match("id=([^ ]+)", directory.app_passwords(who)[0])[1]
    line, = [line for line in portal.changes() if f'user="{who.uid}"' in line and "invitation=" in line]
    assert line.startswith(f'action=create actor="{who.uid}" user="{who.uid}" id={password} result=done '
                           f"invitation={invitation} client=")


def test_the_owner_of_too_many_app_passwords_is_told_so(directory, portal, owner):
    who, client, _ = owner
    path = made(client)
    for _ in range(40):
        directory.add_app_password(who)
    phone = used(portal, path)
    assert phone.page.status == 503 and "maximum number of app passwords" in phone.page.words()
    assert len(directory.app_passwords(who)) == 40


# ---- who has no second step yet ----

def test_somebody_without_a_second_step_is_led_to_set_it_up_first(directory, portal, site):
    who = directory.new_person(mfa=True)
    path = invited(site, who)
    phone = portal.client()
    assert "set it up, then open this link again" in phone.get(path).words()
    phone.post(path, token="x")
    assert directory.app_passwords(who) == []
    enrolled(portal, who)
    assert used(portal, path).page.app_passwords()


# ---- what the session of a phone may do ----

@pytest.mark.parametrize("path", [
    "", "choose", "second-steps", "recovery-codes", "recovery-codes.txt", "device-link", "verified",
    "app", "contact", "passkey"])
def test_a_phone_sees_nothing_else(portal, owner, path):
    _, client, _ = owner
    phone = used(portal, made(client))
    words = phone.get(path).words()
    assert "can close this page" in words or phone.page.status != 200, words


def test_a_phone_learns_when_its_visit_ends(portal, owner):
    """In words for people who have not signed in."""
    _, client, _ = owner
    phone = used(portal, made(client))
    assert "The links on this page stop working" in phone.page.text and "signed out" not in phone.page.text
    assert "Sign out" not in phone.page.text and "Finish" in phone.page.words()
    assert re.fullmatch(r"\d+ (yes|no)\s*", phone.get("stay").text)


@pytest.mark.parametrize("path, fields", [
    ("create", {"label": "x", "services": "", "expires": "never"}), ("revoke-all", {}),
    ("device-link", {"label": "x"}), ("add-factor", {}), ("start", {}), ("choose", {"method": "totp"}),
    ("recovery-codes", {}), ("enrolment-code", {"code": "x"}), ("verify", {"code": "000000"})])
def test_a_phone_can_do_nothing_else(directory, portal, owner, path, fields):
    who, client, _ = owner
    phone = portal.client()
    page = phone.get(link := made(client))
    phone.post(link)
    before = sorted(directory.values(who, "appPasswordMfaMethod")), directory.app_passwords(who)
    phone.post(path, token=page.token(), **fields)  # the token of the cookie before
    phone.get("password")
    match = re.search(r'name="csrf" value="([^"]*)"', phone.page.text)
    if match:
        phone.post(path, token=match[1], **fields)
    after = sorted(directory.values(who, "appPasswordMfaMethod")), directory.app_passwords(who)
    assert after == before


# ---- races ----

def test_of_two_phones_at_once_one_gets_it(directory, portal, owner):
    who, client, _ = owner
    for _ in range(5):
        path = made(client)
        phones = [portal.client(**{"X-Real-IP": f"198.51.100.{number}"}) for number in range(4)]
        for phone in phones:
            phone.get(path)
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            pages = list(threads.map(lambda phone: phone.post(path), phones))
        assert sorted(page.status for page in pages) == [200, 410, 410, 410]
        assert sum(bool(page.app_passwords()) for page in pages) == 1
    assert len(directory.app_passwords(who)) == 5


def test_of_twenty_who_open_the_commands_link_at_once_one_gets_it(directory, portal, site, owner):
    who, _, _ = owner
    path = invited(site, who)
    phones = [portal.client(**{"X-Real-IP": f"198.51.100.{number}"}) for number in range(20)]
    tokens = [phone.get(path).token() for phone in phones]
    together = threading.Barrier(len(phones))

    def press(number):
        together.wait()
        return phones[number].post(path, token=tokens[number])

    pages = at_once(len(phones), press)
    winner, = [page for page in pages if page.app_passwords()]
    assert all(page.status == 410 and DEAD in page.words() for page in pages if page is not winner)
    assert verdict(site, who, winner.app_password()) == "accepted"
    number = pages.index(winner) - 1  # one of the losers, again
    assert phones[number].post(path, token=tokens[number]).status == 410
    assert len(directory.app_passwords(who)) == 1


# ---- a single sign-on ----

def test_behind_a_single_sign_on_a_phone_need_not_sign_on(start_portal, directory, site, folder):
    portal = start_portal({"trusted_user_header": "X-Remote-User", "listen": f"unix:{folder}/socket"})
    who = directory.new_person(mfa=True)
    owner = portal.client(**{"X-Remote-User": who.uid})
    assert owner.get("").title() == "Your app passwords", owner.page.words()
    for path in made(owner), invited(site, who):
        phone = portal.client()
        phone.get(path)
        password = phone.post(path).app_password()
        assert verdict(site, who, password) == "accepted"
        phone.get("")
        assert "can close this page" in phone.page.words()
    assert len(directory.app_passwords(who)) == 2


def test_behind_a_single_sign_on_signing_out_shows_no_form(start_portal, directory, site, folder):
    """An owner who has opened a link in the own browser gets back to the list."""
    portal = start_portal({"trusted_user_header": "X-Remote-User", "listen": f"unix:{folder}/socket"})
    who = directory.new_person(mfa=True)
    browser = portal.client(**{"X-Remote-User": who.uid})
    browser.get(path := invited(site, who))
    browser.post(path)
    browser.get("")
    assert browser.post("sign-out").title() == "Your app passwords", browser.page.words()
