# SPDX-License-Identifier: BSD-2-Clause
"""The page's mail through a real Postfix, which asks for TLS and a password."""

import os
import re
import socket
import subprocess

import ldap
import pytest

import fakes
from administration import PREFIX
from conftest import new_folder
from portal import PROGRAM
from processes import Clock, free_address, free_port, seconds, wait_until
from slapd import IDENTITIES
from visits import enrolled, make_app_password, signed_in


@pytest.fixture(scope="module")
def relay(usual, directory, authority, workdir):
    """The keys of portal.conf for Postfix as the relay."""
    who = directory.new_person()
    secret = workdir / "relay.secret"
    secret.write_text(who.password + "\n")
    return {"sendmail": None, "mail_relay": f"localhost:{usual.service.port}",
            "mail_relay_tls": "smtps", "mail_relay_cacert": authority.ca,
            "mail_relay_user": who.uid, "mail_relay_password_file": secret,
            "mail_from": "sender@example.org"}


def tried(portal, prefix=()):
    result = subprocess.run([*prefix, PROGRAM, "-c", portal.config, "-t"], capture_output=True,
                            text=True, check=False, timeout=60)
    return result.returncode, result.stdout + result.stderr


def test_a_relay_takes_mail_over_tls_with_a_password(usual, directory, start_portal, relay):
    portal = start_portal(relay)
    assert tried(portal) == (0, f"directory: good\nmail_relay {relay['mail_relay']}: good\n")
    enrolled(portal, directory.new_person(mfa=True))
    assert "action=mail" not in portal.log.read_text()
    wait_until(lambda: "from=<sender@example.org>" in usual.postfix.log.read_text(),
               "the message in Postfix's queue")


@pytest.mark.parametrize("change, why", [
    ({"mail_relay_cacert": None}, "certificate"),
    ({"mail_relay": f"127.0.0.1:{free_port()}"}, "connect"),
    ({"mail_relay": "a name"}, "does not match"),
])
def test_a_relay_that_cannot_be_used_is_named_and_logged(directory, start_portal, relay, change,
                                                         why):
    if change == {"mail_relay": "a name"}:  # known to libcurl, but not in the certificate
        change = {"mail_relay": relay["mail_relay"].replace("localhost", "relay.localhost")}
    portal = start_portal(relay | change)
    status, text = tried(portal)
    assert status == 75 and "mail_relay " in text and why in text
    enrolled(portal, directory.new_person(mfa=True))
    assert "action=mail" in portal.events()[-1] and why in portal.events()[-1]


def test_the_doctor_tries_the_relay(start_portal, relay):
    env = os.environ | {"PATH": f"{PREFIX}/bin:{os.environ['PATH']}"}
    nowhere = f"127.0.0.1:{free_port()}"
    for conf, expected in [
            (relay, f"mail_relay {relay['mail_relay']}: good"),
            (relay | {"mail_relay": nowhere}, f"PROBLEM  portal: mail_relay {nowhere}: ")]:
        called = start_portal(conf).command("doctor", "--portal", env=env)
        assert expected in called.stdout, called.stdout


def test_a_wrong_password_for_the_relay_is_found(start_portal, relay, workdir):
    wrong = workdir / "wrong.secret"
    wrong.write_text("wrong\n")
    status, text = tried(start_portal(relay | {"mail_relay_password_file": wrong}))
    assert status == 75 and "Login denied" in text


def test_a_wrong_password_for_the_directory_is_found(start_portal, relay, workdir):
    portal = start_portal(relay)
    (portal.folder / "portal.conf").write_text(re.sub(
        "(?m)^bindpw_file .*", f"bindpw_file {workdir / 'wrong.secret'}", (portal.folder / "portal.conf").read_text()))
    (workdir / "wrong.secret").write_text("wrong\n")
    status, text = tried(portal)
    assert status == 75 and IDENTITIES["portal"] in text and "good" in text
    path = f"{PREFIX}/bin:{PREFIX}/sbin:{os.environ['PATH']}"
    said = subprocess.run([PREFIX / "bin" / "app-password", "-c", portal.config, "doctor", "--portal"],
                          capture_output=True, text=True, env=os.environ | {"PATH": path}).stdout
    assert re.search(rf"PROBLEM  portal: .*{IDENTITIES['portal']}", said), said
    assert re.search(r"(?m)^-  +portal: mail_relay \S+: good$", said), said


def test_a_silent_relay_is_given_up_after_ten_seconds(start_portal, relay):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        portal = start_portal(relay | {
            "mail_relay": f"127.0.0.1:{silent.getsockname()[1]}", "mail_relay_tls": "starttls"})
        took, (status, text) = seconds(lambda: tried(portal))
    assert status == 75 and "timed out" in text.lower() and 10 <= took < 30


def test_a_silent_name_server_is_given_up_after_ten_seconds(start_portal, relay, tmp_path):
    address = free_address(53)
    (tmp_path / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n")
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind((address, 53))
        portal = start_portal(relay | {"mail_relay": "relay.example.net:25"})
        took, (status, text) = seconds(lambda: tried(portal, [
            "unshare", "--mount", "sh", "-ec", 'mount --bind "$0" /etc/resolv.conf; exec "$@"',
            tmp_path / "resolv.conf"]))
    assert status == 75 and "timed out" in text.lower() and 10 <= took < 30


def test_starttls_is_required_by_default_and_its_certificate_checked(
        mail_server, directory, start_portal, relay):
    server = mail_server(kind="starttls")
    conf = relay | {"mail_relay": f"localhost:{server.port}", "mail_relay_tls": None}
    assert tried(start_portal(conf))[0] == 0
    status, text = tried(start_portal(conf | {"mail_relay_cacert": None}))
    assert status == 75 and "certificate" in text


# ---- notices that were not sent ----

AGAIN = '; trying again for a day"'


@pytest.fixture
def clock(workdir):
    return Clock(new_folder(workdir, "clock") / "clock")


PATIENT = {"timeout": "100", "deadline": "300"}  # by a fast clock, the usual ones are soon over


@pytest.fixture
def road(usual):
    """A way to Postfix that can be cut."""
    road = fakes.Relay("127.0.0.1", usual.port)
    yield road
    road.close()


def on(road, relay, sender):
    """portal.conf for Postfix at the end of that way."""
    return relay | {"mail_relay": road.address.replace("127.0.0.1", "localhost"),
                    "mail_from": sender}


def mail_events(portal):
    return [line for line in portal.events() if " action=mail" in line]


def sent_by(usual, sender):
    """The number of messages in Postfix from a sender."""
    return usual.postfix.log.read_text().count(f"from=<{sender}>, size=")


@pytest.fixture(scope="module")
def picky(mail_server, relay):
    """A relay that refuses refused@elsewhere.example, and later@elsewhere.example for now."""
    server = mail_server(kind="refuses recipients")
    return relay | {"mail_relay": f"localhost:{server.port}"}


def person_at(directory, address):
    who = directory.new_person(mfa=True)
    directory.connect_as_itself().modify_s(
        who.dn, [(ldap.MOD_REPLACE, "mail", [address.encode()])])
    return who


def test_a_notice_is_sent_when_the_relay_is_back(
        usual, directory, start_portal, relay, road, clock):
    sender = "back@example.org"
    portal = start_portal(on(road, relay, sender), env=clock.env, **PATIENT)
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    wait_until(lambda: sent_by(usual, sender) == 1, "the first mail")
    clock.set("+0 x5")  # the minute takes twelve seconds; the ten for an attempt take two
    road.cut()
    make_app_password(client)
    failed, = mail_events(portal)
    assert "verdict=unavailable reason=not-done" in failed and failed.endswith(AGAIN)
    road.restore()
    wait_until(lambda: sent_by(usual, sender) == 2, "the mail", 90)
    wait_until(lambda: len(mail_events(portal)) == 2, "a log line", 90)  # or another attempt
    assert "verdict=accepted reason=done" in mail_events(portal)[1]
    assert f'user="{who.uid}"' in mail_events(portal)[1]
    portal.stop()
    assert len(mail_events(portal)) == 2, "nothing is left"


def test_a_notice_that_could_not_be_sent_for_a_day_is_given_up(
        directory, start_portal, relay, road, clock):
    road.cut()
    portal = start_portal(on(road, relay, "gone@example.org"), env=clock.env, **PATIENT)
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    clock.set("+0 x10")  # the fifteen seconds that a request may pause last one and a half
    make_app_password(client)
    before = road.connections
    wait_until(lambda: road.connections >= before + 2, "a second attempt for each")
    assert len(mail_events(portal)) == 2, "only the first failure is logged"
    clock.set("+25h x10")
    wait_until(lambda: len(mail_events(portal)) == 4, "the end of both notices")
    for event in mail_events(portal)[2:]:
        assert f'user="{who.uid}"' in event and event.endswith('; given up after a day"')
        assert "reason=not-done" in event


def test_a_notice_for_a_refused_recipient_is_not_tried_again(directory, start_portal, picky):
    portal = start_portal(picky)
    who = person_at(directory, "refused@elsewhere.example")
    enrolled(portal, who)
    portal.stop()
    event, = mail_events(portal)
    assert f'user="{who.uid}"' in event and "client=127.0.0.1" in event
    assert event.endswith('RCPT failed: 554"')


def test_a_notice_whose_content_is_refused_is_not_tried_again(directory, start_portal, picky):
    portal = start_portal(picky | {"mail_from": "content@example.org"})
    enrolled(portal, directory.new_person(mfa=True))
    portal.stop()
    event, = mail_events(portal)
    assert "reason=not-done" in event and event.endswith(' (554)"')


def test_a_notice_is_tried_again_if_the_relay_refuses_our_password(
        directory, start_portal, relay, workdir):
    wrong = workdir / "outdated.secret"
    wrong.write_text("outdated\n")
    portal = start_portal(relay | {"mail_relay_password_file": wrong})
    enrolled(portal, directory.new_person(mfa=True))
    event, = mail_events(portal)
    assert "Login denied (535)" in event and event.endswith(AGAIN)


def test_a_notice_for_a_recipient_refused_for_now_is_tried_again(directory, start_portal, picky):
    portal = start_portal(picky)
    who = person_at(directory, "later@elsewhere.example")
    enrolled(portal, who)
    event, = mail_events(portal)
    assert "RCPT failed: 450" in event and event.endswith(AGAIN)


def test_notices_that_wait_at_the_end_are_logged(directory, start_portal, relay):
    portal = start_portal(relay | {"mail_relay": f"127.0.0.1:{free_port()}"})
    people = [directory.new_person(mfa=True) for _ in range(2)]
    for who in people:
        enrolled(portal, who)
    assert len(mail_events(portal)) == 2
    portal.stop()
    for who, event in zip(people, mail_events(portal)[2:], strict=True):
        assert "verdict=unavailable reason=not-done" in event
        assert f'user="{who.uid}"' in event and "client=127.0.0.1" in event
        assert event.endswith('error="the page ends before this mail could be sent"')


def notices(portal, who, count):
    """How many of a user's notices are kept, and why the last one is not. Setting up is the first."""
    client, _ = enrolled(portal, who)
    token = client.get("").token()
    for number in range(count - 1):  # without an app password there is nothing to revoke
        client.ask_once("POST", "revoke-all" if number % 2 else "create",
                        f"csrf={token}&label={number}&expires=never")
    kept = [event.endswith(AGAIN) for event in mail_events(portal) if f'user="{who.uid}"' in event]
    return sum(kept), mail_events(portal)[-1].rpartition("; not trying again: ")[2]


def test_the_list_of_notices_is_bounded_for_a_user_and_for_all(directory, start_portal, relay):
    portal = start_portal(relay | {"mail_relay": f"127.0.0.1:{free_port()}"})
    full = (20, '20 others to this address wait to be sent"')
    assert notices(portal, directory.new_person(mfa=True), 22) == full
    for _ in range(24):
        assert notices(portal, directory.new_person(mfa=True), 20)[0] == 20
    assert notices(portal, directory.new_person(mfa=True), 1) == (
        0, '500 others wait to be sent"')


@pytest.mark.parametrize("address, says, counts", [
    ("refused@elsewhere.example", "doesn’t accept mail to this address", True),
    ("later@elsewhere.example", "couldn’t send the mail right now", False),
])
def test_a_code_that_cannot_be_sent_is_said_at_once_and_never_sent_later(
        directory, start_portal, picky, address, says, counts):
    portal = start_portal(picky)
    client = signed_in(portal, directory.new_person(mfa=True))
    client.post("start")
    client.post("choose", method="mail")
    page = client.post("contact", address=address)
    assert says in page.words() and page.title() == "Your alternate e-mail address"
    event, = mail_events(portal)
    assert "again" not in event and "RCPT failed: " in event
    for _ in range(10):
        page = client.post("contact", address=address)
    assert ("Try again in" in page.words()) == counts, page.words()
    before = len(mail_events(portal))
    portal.stop()
    assert len(mail_events(portal)) == before
