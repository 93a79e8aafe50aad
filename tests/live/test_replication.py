# SPDX-License-Identifier: BSD-2-Clause
"""Replication: writes go to the provider; mail servers ask the consumer."""

import json
import re
import subprocess
import time

import ldap
import ldap.modlist
import pytest

import smtp
from administration import COMMAND, DONE, FAILED, UNAVAILABLE, Site
from conftest import new_folder
from processes import wait_until
from replication import Replication
from slapd import CLOSED_SITE, IDENTITIES, Slapd, person


@pytest.fixture(scope="module")
def pair(workdir, postfix):
    servers = Replication(workdir / "replication").start()
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def hosts(pair, mail_server, tmp_path_factory):
    """A mail server that asks the consumer, and an administrator's host at the provider."""
    keys = {"uri": pair.consumer.ldap, "write_uri": pair.provider.ldap}
    site = Site(tmp_path_factory.mktemp("replication") / "site", pair.provider, **keys)
    return mail_server(keys), site


def sign_in(server, who, password):
    return server.sign_in(who.uid, password).code


def test_an_app_password_made_at_the_provider_opens_mail_at_the_consumer(pair, hosts):
    server, site = hosts
    who = pair.provider.new_person()
    site.done("mfa", "on", who.uid)
    password = site.create(who)
    pair.in_step()
    assert sign_in(server, who, password) == smtp.ACCEPTED
    assert sign_in(server, who, who.password) == smtp.REFUSED


def test_a_consumer_that_lags_accepts_a_revoked_app_password_until_it_catches_up(pair, hosts):
    server, site = hosts
    who = pair.provider.new_person(mfa=True)
    password = site.create(who)
    pair.in_step()
    with pair.lag():
        site.done("revoke", who.uid, "--all")
        assert sign_in(server, who, password) == smtp.ACCEPTED
    assert sign_in(server, who, password) == smtp.REFUSED


def test_without_write_uri_the_error_names_it(pair, hosts, tmp_path):
    site = Site(tmp_path / "site", pair.consumer)
    who = pair.provider.new_person(mfa=True)
    pair.in_step()
    called = site.command("create", who.uid, "--label", "a test")
    assert called.returncode == FAILED and "write_uri" in called.stderr, called
    assert called.stdout == ""


def test_the_doctor_tells_of_a_write_uri_that_takes_no_changes(pair, tmp_path):
    site = Site(tmp_path / "site", pair.consumer)
    called = site.command("doctor")
    assert called.returncode == FAILED
    unknown, = [i for i, line in enumerate(called.stdout.splitlines())
                if line.startswith("unknown") and "no server of write_uri takes changes" in line]
    assert "fix: write_uri" in called.stdout.splitlines()[unknown + 1], called.stdout


TWO_WRITERS = "both take changes: until they have replicated"


def writers_of(site, is_page_here=True):
    """The doctor's lines about the page's servers."""
    if is_page_here:
        (site.config.parent / "portal.conf").touch()
    return [line for line in site.command("doctor").stdout.splitlines()
            if TWO_WRITERS in line or "one server takes the page's changes" in line]


def test_the_doctor_finds_two_providers_that_a_page_may_write_to(pair, workdir, tmp_path):
    pair.provider.new_person(mfa=True)
    other = Slapd(new_folder(workdir, "other"), site_rules=CLOSED_SITE).start()
    try:
        both = {"write_uri": f"{pair.provider.ldap} {other.ldap}"}
        line, = writers_of(Site(tmp_path / "both", pair.provider, **both))
        assert line.startswith("PROBLEM") and pair.provider.ldap in line and other.ldap in line
        assert writers_of(Site(tmp_path / "no page", pair.provider, **both), False) == []
    finally:
        other.stop()


@pytest.mark.parametrize("order", [1, -1])
def test_the_doctor_takes_a_provider_and_its_replica_for_one(pair, tmp_path, order):
    uris = [pair.provider.ldap, pair.consumer.ldap][::order]
    line, = writers_of(Site(tmp_path / "site", pair.provider, write_uri=" ".join(uris)))
    assert line.startswith("ok")
    assert writers_of(Site(tmp_path / "one", pair.provider, write_uri=pair.provider.ldap)) == []


@pytest.fixture(scope="module")
def forwarding_pair(workdir):
    """slapo-chain at the consumer."""
    servers = Replication(workdir / "forwarding", does_forward=True).start()
    yield servers
    servers.stop()


@pytest.mark.parametrize("order", [1, -1])
def test_the_doctor_takes_a_replica_that_forwards_writes_for_one(forwarding_pair, tmp_path, order):
    pair = forwarding_pair
    uris = [pair.provider.ldap, pair.consumer.ldap][::order]
    line, = writers_of(Site(tmp_path / "site", pair.provider, write_uri=" ".join(uris)))
    assert line.startswith("ok"), line


def test_a_replica_that_forwards_writes_is_as_good_as_its_provider(forwarding_pair, tmp_path):
    pair = forwarding_pair
    who = pair.provider.new_person(mfa=True)
    pair.in_step()
    site = Site(tmp_path / "site", pair.consumer)
    site.create(who)
    assert len(pair.provider.app_passwords(who)) == 1
    assert re.search(r"^ok       rights: ldapi://\S+: the mail server may write appPasswordUsed$",
                     site.command("doctor").stdout, re.MULTILINE)


def test_a_provider_that_is_down_leaves_logins_and_says_so_to_the_administrator(pair, hosts):
    server, site = hosts
    who, app_password = pair.provider.new_person(mfa=True, app_passwords=1)
    pair.in_step()
    pair.provider.stop()
    try:
        called = site.command("revoke", who.uid, app_password.id)
        assert called.returncode == UNAVAILABLE and pair.provider.ldap in called.stderr, called
        assert sign_in(server, who, app_password.shown) == smtp.ACCEPTED
    finally:
        pair.provider.start()
    assert pair.provider.app_passwords(who) == [app_password.value]


def test_the_last_use_is_written_to_the_provider(pair, mail_server):
    server = mail_server({"record_use": "1d", "uri": pair.consumer.ldap, "write_uri": pair.provider.ldap})
    who, app_password = pair.provider.new_person(mfa=True, app_passwords=1)
    pair.in_step()
    assert sign_in(server, who, app_password.shown) == smtp.ACCEPTED
    wait_until(lambda: pair.provider.values(who, "appPasswordUsed"), "the use to be recorded")


def test_a_consumer_that_takes_no_writes_is_skipped_silently(pair, mail_server):
    server = mail_server({"record_use": "1d", "uri": pair.consumer.ldap, "write_uri": pair.consumer.ldap})
    who, app_password = pair.provider.new_person(mfa=True, app_passwords=1)
    pair.in_step()
    mark = pair.consumer.mark()
    assert sign_in(server, who, app_password.shown) == smtp.ACCEPTED
    wait_until(lambda: any("err=10" in line for line in pair.consumer.log_since(mark)),
               "the consumer to refer the write")
    assert len(server.events()) == 1
    assert "last use" not in "\n".join(server.postfix.log_of(server.service))


def test_wait_returns_when_the_consumer_has_forgotten(pair, hosts):
    _, site = hosts
    who = pair.provider.new_person(mfa=True)
    ids = [site.create(who)[:4] for _ in range(2)]
    pair.in_step()
    assert site.command("revoke", who.uid, *ids, "--wait").returncode == DONE
    assert pair.consumer.app_passwords(who) == []


WAYS = {
    "an id": lambda who, app_password: [who.uid, app_password.id],
    "all": lambda who, app_password: [who.uid, "--all"],
    "whatever has expired": lambda who, app_password: ["--expired", who.uid],
}


@pytest.mark.parametrize("way", WAYS)
def test_wait_gives_up_in_time_and_names_the_server_that_lags(pair, hosts, way):
    _, site = hosts
    who = pair.provider.new_person(mfa=True)
    old = pair.provider.add_app_password(who, expires="20260101000000Z")
    pair.in_step()
    with pair.lag():
        start = time.monotonic()
        called = site.command("revoke", *WAYS[way](who, old), "--wait=1s")
        assert 1 <= time.monotonic() - start < 20, "by default it waits for five minutes"
        assert called.returncode == UNAVAILABLE, called
        assert pair.consumer.ldap in called.stderr and pair.provider.ldap not in called.stderr
        assert pair.provider.app_passwords(who) == []


@pytest.mark.parametrize("way", WAYS)
def test_wait_is_not_over_where_the_app_password_has_not_arrived(pair, hosts, way):
    """The app password may arrive there before its tombstone, and would open mail in between."""
    _, site = hosts
    who = pair.provider.new_person(mfa=True)
    pair.in_step()
    with pair.lag():
        new = pair.provider.add_app_password(who, expires="20260101000000Z")
        called = site.command("revoke", *WAYS[way](who, new), "--wait=1s")
        assert called.returncode == UNAVAILABLE, called
        assert f"--wait: {pair.consumer.ldap}: does not show yet that {new.id} of {who.dn} was " \
            "revoked" in called.stderr
    assert re.fullmatch(rf"id={new.id} created=\S+ revoked=\S+ label=.*",
                        *pair.consumer.values(who, "appPassword"))


def test_wait_is_not_over_where_the_entry_has_not_arrived(pair, hosts):
    _, site = hosts
    who = person("newcomer")
    with pair.lag():
        pair.provider.connect_as_itself().add_s(who.dn, ldap.modlist.addModlist({
            "objectClass": [b"inetOrgPerson"], "mail": [who.mail.encode()],
            **{name: [who.uid.encode()] for name in ("uid", "cn", "sn")}}))
        new = pair.provider.add_app_password(who)
        called = site.command("revoke", who.uid, new.id, "--wait=1s")
        assert called.returncode == UNAVAILABLE, called
        assert f"--wait: {pair.consumer.ldap}: has no entry {who.dn}" in called.stderr


def test_wait_is_not_over_where_the_administrator_may_not_look(pair, workdir, tmp_path):
    hide = f'access to attrs=appPassword by dn.exact="{IDENTITIES["administrator"]}" none by * break'
    hidden = Slapd(new_folder(workdir, "hidden"), first_rules=hide).start()
    try:
        site = Site(tmp_path / "site", pair.provider, uri=hidden.ldap,
                    write_uri=pair.provider.ldap)
        who, app_password = pair.provider.new_person(app_passwords=1)
        called = site.command("revoke", who.uid, app_password.id, "--wait=1s")
        assert called.returncode == UNAVAILABLE and hidden.ldap in called.stderr, called
    finally:
        hidden.stop()


@pytest.mark.parametrize("way", WAYS)
def test_after_wait_the_consumer_refuses_it_as_revoked(pair, hosts, way):
    """While it still accepts the app password, the command is still waiting."""
    server, site = hosts
    who = pair.provider.new_person(mfa=True)
    old, other = (pair.provider.add_app_password(who) for _ in range(2))
    if way == "whatever has expired":
        pair.provider.revoke(who, old)
        old = pair.provider.add_app_password(who, expires="20260101000000Z")
    pair.in_step()
    with pair.lag():
        waiting = subprocess.Popen(
            [COMMAND, "-c", site.config, "revoke", *WAYS[way](who, old), "--wait"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: old.value not in pair.provider.values(who, "appPassword"),
                   "the provider to have it revoked")
        mark = pair.consumer.mark()
        wait_until(lambda: sum(f'SRCH base="{who.dn}"' in line
                               for line in pair.consumer.log_since(mark)) > 1,
                   "the command to ask the consumer again")
        assert sign_in(server, who, other.shown) == smtp.ACCEPTED
        assert waiting.poll() is None
        pair.relay.restore()
        assert waiting.wait(60) == DONE, waiting.stderr.read()
        waiting.stderr.close()
        assert sign_in(server, who, old.shown) == smtp.REFUSED
        line = server.events()[-1]
        assert " reason=revoked " in line and f" id={old.id}" in line
        assert sign_in(server, who, other.shown) == (
            smtp.REFUSED if way == "all" else smtp.ACCEPTED)


def test_reports_of_the_consumer_know_what_was_revoked(pair, hosts, tmp_path):
    _, site = hosts
    at_consumer = Site(tmp_path / "site", pair.consumer)
    who, kept = (pair.provider.new_person(mfa=True) for _ in range(2))
    expired = [pair.provider.add_app_password(one, expires="20260101000000Z")
               for one in (who, kept)]
    pair.in_step()

    def reported(*options):
        output = at_consumer.command("report", *options).stdout
        return [one for one in (who, kept) if one.uid in output]

    assert reported("--expired") == [who, kept]
    assert reported("--mfa-without-app-password") == []
    site.done("revoke", who.uid, expired[0].id, "--wait")
    assert reported("--expired") == [kept]
    assert reported("--mfa-without-app-password") == [who]
    assert at_consumer.listed(who) == []
    assert [one["id"] for one in json.loads(
        at_consumer.done("list", who.uid, "--json", "--revoked"))] == [expired[0].id]


def test_wait_names_a_server_that_does_not_answer(pair, hosts):
    _, site = hosts
    who, app_password = pair.provider.new_person(mfa=True, app_passwords=1)
    pair.in_step()
    pair.consumer.stop()
    try:
        called = site.command("revoke", who.uid, app_password.id, "--wait=1s")
        assert called.returncode == UNAVAILABLE and pair.consumer.ldap in called.stderr, called
    finally:
        pair.consumer.start()
        pair.in_step()
