# SPDX-License-Identifier: BSD-2-Clause
"""What an Android phone gets: a QR code for Thunderbird, shown by another device, and the steps."""

import json
import re

import pytest

from administration import Site
from authenticator import scan
from conftest import new_folder
from visits import ANDROID, IPHONE, enrolled, make_app_password

SERVERS = {"imap_server": "imap.example.net:993", "smtp_server": "smtp.example.net:587"}
IPAD = "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) Version/16.6 Mobile/15E148 Safari/604.1"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.1 Safari/605.1.15"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SHOW = "Show the QR code for Thunderbird"


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal(SERVERS)


@pytest.fixture(scope="module")
def site(directory, workdir):
    return Site(new_folder(workdir, "site") / "host", directory)


@pytest.fixture
def who(directory):
    return directory.new_person(mfa=True)


@pytest.mark.parametrize("agent", [LINUX, MAC])
def test_a_computer_shows_a_qr_code_with_the_account(portal, directory, site, who, agent):
    client, _ = enrolled(portal, who, **{"User-Agent": agent})
    password = make_app_password(client)
    assert SHOW in client.page.words()
    assert client.page.headers["Cache-Control"] == "no-store"
    assert json.loads(scan(client.page.text)) == [
        1, [1, 1],
        [0, "imap.example.net", 993, 3, 1, who.uid, "", password],
        [[[0, "smtp.example.net", 587, 2, 1, who.uid, password], [who.mail, who.mail]]]]
    assert site.answers(who.uid, password, "--service", "imap", "--client", "203.0.113.7")[0] == "accepted"
    again = client.get("password")
    assert SHOW not in again.words() and "<svg class=\"qr" not in again.text


@pytest.mark.parametrize("agent, is_told", [(LINUX, True), (MAC, True), (IPHONE, False), (ANDROID, False)])
def test_the_list_says_where_the_qr_code_is(portal, who, agent, is_told):
    client, _ = enrolled(portal, who, **{"User-Agent": agent})
    words = client.get("").words()
    assert ("its page has a QR code for Thunderbird" in words) == is_told, words
    make_app_password(client)
    assert (SHOW in client.page.words()) == is_told


@pytest.mark.parametrize("agent", [IPHONE, IPAD, ANDROID])
def test_a_phone_that_would_have_to_scan_itself_shows_none(portal, who, agent):
    client, _ = enrolled(portal, who, **{"User-Agent": agent})
    make_app_password(client)
    assert "<svg class=\"qr" not in client.page.text


@pytest.mark.parametrize("services", ["imap,pop3", "smtp"])
def test_an_app_password_for_half_of_it_has_none(portal, who, services):
    client, _ = enrolled(portal, who, **{"User-Agent": LINUX})
    make_app_password(client, services=services)
    assert "<svg class=\"qr" not in client.page.text


def test_without_both_servers_there_is_none(start_portal, who):
    client, _ = enrolled(start_portal({"imap_server": "imap.example.net:993"}), who, **{"User-Agent": LINUX})
    assert "its page has a QR code for Thunderbird" not in client.get("").words()
    make_app_password(client)
    assert "<svg class=\"qr" not in client.page.text


def test_android_gets_the_steps_of_three_programs_and_the_servers(portal, who):
    client, _ = enrolled(portal, who, **{"User-Agent": ANDROID})
    make_app_password(client)
    words = client.page.words()
    servers = words.index("imap.example.net port 993, SSL/TLS")
    steps = words.index("Where to enter them on this phone or tablet")
    assert servers < steps and "smtp.example.net port 587, STARTTLS" in words[servers:steps]
    assert re.findall("<summary>(Thunderbird|Gmail|Samsung Email)</summary>", client.page.text)[-3:] == [
        "Thunderbird", "Gmail", "Samsung Email"]
    for sentence in ("Tap your picture, then “Add another account”", "Open the menu, then Settings › Add account",
                     "Samsung Email: open the menu", "“Fetching mail” › “Incoming server”"):
        assert sentence in words, sentence


def test_other_devices_get_no_steps_for_android(portal, who):
    client, _ = enrolled(portal, who, **{"User-Agent": LINUX})
    make_app_password(client)
    assert "Where to enter them on this phone or tablet" not in client.page.words()
