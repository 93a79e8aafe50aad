# SPDX-License-Identifier: BSD-2-Clause
"""The portal on its socket, behind a real nginx with the unchanged example file."""

import concurrent.futures
import http.client
import os
import re
import ssl
import stat
import subprocess
import urllib.parse

import pytest

import smtp
from administration import CONFIGURATION
from browser import Browser
from conftest import new_folder
from nginx import Nginx
from page_client import Page
from portal import PROGRAM, Portal, PortalOnSocket
from processes import seconds, wait_until

TRUSTED = {"trusted_user_header": "X-Remote-User"}
NOT_SAID = "This site’s single sign-on didn’t tell us who you are."


@pytest.fixture
def behind_nginx(workdir, directory, authority):
    """Makes portals, each with an nginx: portal, site = behind_nginx(conf, **options of Nginx)."""
    servers = []

    def make(conf=None, keys=None, **options):
        folder = new_folder(workdir, "nginx")
        servers.append(PortalOnSocket(folder / "portal", directory, conf, **(keys or {})))
        portal = servers[-1].start()
        options = {"secret": portal.proxy_secret} | options
        servers.append(Nginx(folder / "nginx", authority, portal.socket, **options))
        return portal, Site(servers[-1].start())

    yield make
    for server in reversed(servers):
        server.stop()


class Site:
    """A client's answer over TLS."""

    def __init__(self, nginx):
        self.nginx = nginx
        self.address = f"https://localhost:{nginx.port}/app-passwords"

    def ask(self, method, path, headers=(), source="127.0.0.1", **fields):
        """One request from that address; headers are pairs, so one may be repeated."""
        context = ssl.create_default_context(cafile=self.nginx.ca)
        connection = http.client.HTTPSConnection("localhost", self.nginx.port, timeout=60,
                                                 source_address=(source, 0), context=context)
        body = urllib.parse.urlencode(fields).encode()
        try:
            connection.putrequest(method, f"/app-passwords/{path}")
            for name, value in headers:
                connection.putheader(name, value)
            if method == "POST":
                connection.putheader("Content-Type", "application/x-www-form-urlencoded")
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if method == "POST" else None)
            response = connection.getresponse()
            return Page(response, response.read())
        finally:
            connection.close()


def cookie_of(page):
    return page.headers["Set-Cookie"].split(";")[0]


# ---- What nginx removes ----

def test_the_log_has_the_address_that_nginx_sees(behind_nginx, directory):
    portal, site = behind_nginx()
    page = site.ask("GET", "")
    person = directory.new_person(mfa=True)
    for password, verdict in (("wrong", "refused"), (person.password, "accepted")):
        site.ask("POST", "sign-in", [
            ("Cookie", cookie_of(page)), ("X-Real-IP", "203.0.113.9"),
            ("X-Forwarded-For", "203.0.113.9")],
            csrf=page.token(), login=person.uid, password=password)
        line = portal.events()[-1]
        assert f"verdict={verdict} " in line and " client=127.0.0.1 " in line


@pytest.mark.parametrize("headers", [
    [("X-Remote-User", "NAME")],
    [("x-remote-user", "NAME"), ("X-REMOTE-USER", "NAME")],
    [("X_Remote_User", "NAME")],
    [("Connection", "X-Remote-User"), ("X-Remote-User", "NAME")],
], ids=["as it is", "twice", "with underscores", "as a hop's own"])
def test_clients_cannot_name_their_own_user(behind_nginx, directory, headers):
    person = directory.new_person(mfa=True)
    portal, site = behind_nginx(TRUSTED)
    page = site.ask("GET", "", [(name, value.replace("NAME", person.uid))
                                for name, value in headers])
    assert page.status == 403 and NOT_SAID in page.words()
    assert portal.events() == []


# ---- What nginx lets through ----

def test_one_address_gets_so_much_and_others_are_served_meanwhile(behind_nginx, directory):
    """nginx and the page delay or refuse three hundred sign-ins; none gets a 502."""
    portal, site = behind_nginx(keys={"refusal_delay": "15"})
    page = site.ask("GET", "")

    def guess(_):
        return site.ask("POST", "sign-in", [("Cookie", cookie_of(page))], csrf=page.token(),
                        login="nobody", password="x").status

    with concurrent.futures.ThreadPoolExecutor(150) as pool:
        guesses = [pool.submit(guess, number) for number in range(300)]
        wait_until(portal.events, "the first guess")
        took, other = seconds(lambda: site.ask("GET", "", source="127.0.0.2"))
        statuses = {guess.result() for guess in guesses}
    assert other.status == 200 and took < 10
    assert statuses <= {403, 429} and 429 in statuses
    assert len(portal.events()) <= 61 + 5 * 60, "what the rate allows"


# ---- Single sign-on ----

@pytest.fixture
def signed_on(behind_nginx, directory):
    """A site with single sign-on, and the user of the cookie sso=right."""
    person = directory.new_person(mfa=True)
    portal, site = behind_nginx(TRUSTED, single_sign_on={"right": person.uid})
    return portal, site, person


def test_single_sign_on_vouches_for_its_users(signed_on, directory):
    portal, site, person = signed_on
    other = directory.new_person(mfa=True)
    assert site.ask("GET", "").status == 401
    assert site.ask("GET", "", [("X-Remote-User", other.uid), ("Cookie", "sso=wrong")]).status == 401
    page = site.ask("GET", "", [("X-Remote-User", other.uid), ("Cookie", "sso=right")])
    assert page.title() == "Your app passwords"
    assert f"Signed in as {person.uid}" in page.words()
    assert [re.search(r"user=\"([^\"]*)\"", line)[1] for line in portal.events()] == [person.uid]


def test_with_single_sign_on_the_password_and_the_second_step_are_the_sites(
        signed_on, workdir, usual):
    _, site, person = signed_on
    browser = Browser(new_folder(workdir, "browser") / "b", flags=["--ignore-certificate-errors"])
    try:
        browser.open(site.address)
        browser.driver.add_cookie({"name": "sso", "value": "right"})
        browser.open(site.address)
        browser.expect("Your app passwords")
        assert "Sign out" not in browser.text() and "second step" not in browser.text()
        browser.fill("Which program is it for?", "Outlook")
        browser.send("create")
        browser.expect("Your app password")
        shown = browser.find("#app-password").text
        assert usual.sign_in(person.uid, shown).code == smtp.ACCEPTED
        assert usual.sign_in(person.uid, person.password).code == smtp.REFUSED
        browser.press("I’ve pasted it")
        browser.driver.back()
        browser.expect("Your app password")
        assert shown not in browser.driver.page_source
    finally:
        browser.quit()


def test_a_proxy_without_the_secret_vouches_for_nobody(behind_nginx, directory):
    person = directory.new_person(mfa=True)
    portal, site = behind_nginx(TRUSTED, single_sign_on={"right": person.uid}, secret="0" * 64)
    for headers in ([], [("X-App-Password-Proxy", portal.proxy_secret)]):
        page = site.ask("GET", "", [("Cookie", "sso=right"), *headers])
        assert page.status == 403 and NOT_SAID in page.words()
    assert portal.events() == []
    assert portal.log.read_text().count("without the right X-App-Password-Proxy header") == 2


def test_it_is_started_with_a_trusted_header_on_a_socket_only(folder, directory):
    portal = Portal(folder / "portal", directory, TRUSTED)
    done = subprocess.run([PROGRAM, "-c", portal.config], text=True, capture_output=True,
                          timeout=60)
    assert done.returncode == CONFIGURATION
    assert 'trusted_user_header needs "listen unix:' in done.stderr


# ---- The socket and the cookie ----

def test_the_socket_is_for_the_group_and_nobody_else(behind_nginx):
    portal, site = behind_nginx(group="www-data")
    assert stat.S_IMODE(os.stat(portal.socket).st_mode) == 0o660
    assert site.ask("GET", "").status == 502  # nginx is not in the group
    portal.stop()
    assert not portal.socket.exists()


def test_the_cookie_is_for_this_host_and_https_only(behind_nginx, directory, workdir):
    portal, site = behind_nginx()
    assert re.fullmatch(r"__Host-app-password=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure",
                        site.ask("GET", "").headers["Set-Cookie"])
    person = directory.new_person(mfa=True)
    browser = Browser(new_folder(workdir, "browser") / "b", flags=["--ignore-certificate-errors"])
    try:
        browser.open(site.address)
        browser.fill("User name", person.uid)
        browser.fill("Account password", person.password)
        browser.press("Sign in")
        browser.expect("Two-step verification is turned on for you")
        (cookie,) = browser.driver.get_cookies()
        assert cookie["name"] == "__Host-app-password"
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
            True, True, "Lax", "/")
    finally:
        browser.quit()
    assert f'user="{person.uid}"' in portal.events()[-1]


def test_nginx_counts_a_64_of_ipv6_as_one_address(workdir, directory, authority):
    """The address comes from a header here, as from another proxy in front."""
    folder = new_folder(workdir, "nginx")
    portal = PortalOnSocket(folder / "portal", directory).start()
    nginx = Nginx(folder / "nginx", authority, portal.socket)
    conf = nginx.folder / "nginx.conf"
    conf.write_text(conf.read_text().replace(
        "server_name", "set_real_ip_from 127.0.0.1; real_ip_header X-Test; server_name"))
    try:
        site = Site(nginx.start())

        def ask(address):
            return site.ask("GET", "icon.svg", [("X-Test", address)]).status

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            # So many that a busy machine asks too fast, too.
            answers = list(pool.map(ask, [f"2001:db8:1:2::{number:x}" for number in range(1, 251)]))
        assert 429 in answers
        assert ask("2001:db8:1:3::1") == 200
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, [f"{form}192.0.2.{number}" for form in ("", "::ffff:")
                                          for number in range(1, 91)]))
        assert set(answers) == {200}, "each IPv4 address is one, in either form"
    finally:
        nginx.stop()
        portal.stop()
