# SPDX-License-Identifier: BSD-2-Clause
"""The settings that mail programs look for by themselves, through a real nginx with the unchanged example."""

import concurrent.futures
import http.client
import imaplib
import json
import plistlib
import random
import re
import socket
import ssl
import urllib.parse
import xml.etree.ElementTree

import pytest

from certificates import Authority
from conftest import new_folder
from nginx import Nginx
from portal import PortalOnSocket
from processes import wait_until
from thunderbird import Thunderbird

DOMAIN = "example.org"
SERVERS = {"imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:587",
           "pop3_server": "pop.example.org:995", "managesieve_server": "sieve.example.org:4190",
           "own_domains": f"{DOMAIN} example.net"}
ALICE = f"alice@{DOMAIN}"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
RESPONSE = f"{{{OUTLOOK}/responseschema/2006a}}"


class Site:
    """The hosts of the domain, and that of the page."""

    def __init__(self, portal, nginx):
        self.portal = portal
        self.nginx = nginx

    def ask(self, address, method="GET", body=None, headers=None):
        """The answer at an address of the domain, as a mail program gets it; a redirect is one, too."""
        url = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(url.hostname, timeout=60)
        local = (("127.0.0.1", self.nginx.port) if url.hostname == "localhost" else
                 (self.nginx.address, 443 if url.scheme == "https" else 80))
        # From another address each time, because nginx limits how often one may ask.
        source = ".".join(["127", *(str(random.randint(1, 254)) for _ in range(3))])
        connection.sock = socket.create_connection(local, timeout=60, source_address=(source, 0))
        if url.scheme == "https":
            context = ssl.create_default_context(cafile=self.nginx.ca)
            connection.sock = context.wrap_socket(connection.sock, server_hostname=url.hostname)
        try:
            connection.request(method, url.path + (f"?{url.query}" if url.query else ""), body,
                               headers or {})
            answer = connection.getresponse()
            answer.text = answer.read().decode()
            return answer
        finally:
            connection.close()

    def ask_outlook(self, body, path="/autodiscover/autodiscover.xml", kind="text/xml; charset=utf-8"):
        return self.ask(f"https://autodiscover.{DOMAIN}{path}", "POST", body, {
            "Content-Type": kind} if kind else {})


@pytest.fixture(scope="module")
def domain_authority(workdir):
    return Authority(new_folder(workdir, "domain") / "ca",
                     f"DNS:{DOMAIN},DNS:*.{DOMAIN},DNS:localhost,IP:127.0.0.1")


@pytest.fixture(scope="module")
def new_site(workdir, directory, domain_authority):
    """Makes sites: new_site(conf, **options of Nginx)."""
    servers = []

    def make(conf=None, keys=None, **options):
        folder = new_folder(workdir, "autoconfig")
        portal = PortalOnSocket(folder / "portal", directory, SERVERS | (conf or {}), **(keys or {}))
        servers.append(portal.start())
        nginx = Nginx(folder / "nginx", domain_authority, portal.socket, domain=DOMAIN,
                      **{"secret": portal.proxy_secret} | options)
        servers.append(nginx.start())
        return Site(portal, nginx)

    yield make
    for server in reversed(servers):
        server.stop()


@pytest.fixture(scope="module")
def site(new_site):
    return new_site()


def request_of(address, schema=f"{OUTLOOK}/responseschema/2006a"):
    """What Outlook sends."""
    return (f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{OUTLOOK}/requestschema/2006">'
            f"<Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}"
            "</AcceptableResponseSchema></Request></Autodiscover>")


def read(answer):
    assert answer.status == 200, answer.text
    return xml.etree.ElementTree.fromstring(answer.text)


def servers_of(settings):
    """Thunderbird's settings, one dictionary for each server."""
    return [{"element": server.tag, "type": server.get("type")} |
            {child.tag: child.text for child in server}
            for server in settings.iter() if server.get("type")]


def protocols_of(settings):
    """Outlook's, likewise."""
    return [{child.tag.removeprefix(RESPONSE): child.text for child in protocol}
            for protocol in settings.iter(f"{RESPONSE}Protocol")]


def looks_empty(answer):
    """It says nothing, and leaves nothing in the browser."""
    has_port = re.search(r"\b993\b", answer.text)  # and not only a hash with these digits
    return answer.status == 404 and "Set-Cookie" not in answer.headers and not has_port


# ---- Thunderbird ----

@pytest.mark.parametrize("address", [
    f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml",
    f"http://autoconfig.{DOMAIN}/mail/config-v1.1.xml",
    f"https://{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml",
    f"http://{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml",
    "https://localhost/.well-known/autoconfig/mail/config-v1.1.xml",
])
def test_thunderbirds_addresses_have_all_servers(site, address):
    answer = site.ask(f"{address}?emailaddress={ALICE.replace('@', '%40')}")
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    settings = read(answer)
    assert (settings.tag, settings.get("version")) == ("clientConfig", "1.1")
    provider = settings.find("emailProvider")
    assert provider.get("id") == DOMAIN
    assert [domain.text for domain in provider.findall("domain")] == [DOMAIN]
    ours = {"authentication": "password-cleartext", "username": "%EMAILADDRESS%"}
    assert servers_of(settings) == [
        {"element": element, "type": kind, "hostname": host, "port": port, "socketType": security} | ours
        for element, kind, host, port, security in (
            ("incomingServer", "imap", "imap.example.org", "993", "SSL"),
            ("incomingServer", "pop3", "pop.example.org", "995", "SSL"),
            ("outgoingServer", "smtp", "smtp.example.org", "587", "STARTTLS"),
            ("setupServer", "managesieve", "sieve.example.org", "4190", "STARTTLS"))]


def test_without_an_address_the_settings_are_for_all_domains(site):
    settings = read(site.ask(f"http://autoconfig.{DOMAIN}/mail/config-v1.1.xml"))
    assert [domain.text for domain in settings.iter("domain")] == [DOMAIN, "example.net"]
    assert settings.find("emailProvider").get("id") == DOMAIN


def test_a_subdomain_is_ours(site):
    settings = read(site.ask(
        f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml?emailaddress=alice@sales.example.org"))
    assert [domain.text for domain in settings.iter("domain")] == ["sales.example.org"]


@pytest.mark.parametrize("query", [
    "emailaddress=alice@example.com", "emailaddress=alice@notexample.org", "emailaddress=alice",
    "emailaddress=@example.org", "emailaddress=%3Cb%3E@example.org", "emailaddress=a%00b@example.org",
    "emailaddress=alice@example.org&emailaddress=bob@example.org",
    "emailaddress=alice@example.org&EmailAddress=alice@example.com",
    f"emailaddress={'x' * 300}@example.org", "emailaddress=%C3%A5se@example.org",
    "emailaddress=alice@example.org%0d%0aSet-Cookie:%20x=y",
], ids=["another domain", "an ending that is alike", "no domain", "no name", "a tag", "a NUL", "twice",
        "twice in another case", "too long", "past ASCII", "a line"])
@pytest.mark.parametrize("path", ["/mail/config-v1.1.xml", "/mail.mobileconfig"])
def test_other_addresses_get_no_settings(site, path, query):
    assert looks_empty(site.ask(f"https://autoconfig.{DOMAIN}{path}?{query}"))


def test_some_servers_may_be_missing(new_site):
    site = new_site({"imap_server": None, "managesieve_server": None, "pop3_server": "[::1]:110"})
    settings = read(site.ask(f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml?emailaddress={ALICE}"))
    assert [(server["type"], server["hostname"], server["socketType"]) for server in
            servers_of(settings)] == [("pop3", "::1", "STARTTLS"),
                                      ("smtp", "smtp.example.org", "STARTTLS")]
    assert [protocol["Type"] for protocol in protocols_of(read(site.ask_outlook(request_of(ALICE))))] == [
        "POP3", "SMTP"]
    account, = profile_of(site.ask(f"https://{DOMAIN}/mail.mobileconfig"))["PayloadContent"]
    assert (account["EmailAccountType"], account["IncomingMailServerPortNumber"]) == (
        "EmailTypePOP", 110)


@pytest.mark.parametrize("missing", [["smtp_server"], ["own_domains"], ["imap_server", "pop3_server"]],
                         ids=" ".join)
def test_without_the_servers_of_an_account_there_are_no_settings(new_site, missing):
    site = new_site(dict.fromkeys(missing))
    for path in ("/mail/config-v1.1.xml", f"/mail/config-v1.1.xml?emailaddress={ALICE}",
                 "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1", "/mail.mobileconfig"):
        assert looks_empty(site.ask(f"https://autoconfig.{DOMAIN}{path}"))
    assert looks_empty(site.ask_outlook(request_of(ALICE)))


# ---- Outlook ----

@pytest.mark.parametrize("path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml",
                                  "/AutoDiscover/AutoDiscover.XML"])
@pytest.mark.parametrize("kind", ["text/xml", "text/xml; charset=utf-8", "application/xml", "TEXT/XML"])
def test_outlook_gets_its_settings_in_any_case(site, path, kind):
    settings = read(site.ask_outlook(request_of(ALICE), path, kind))
    assert settings.find(f"{RESPONSE}Response/{RESPONSE}Account/{RESPONSE}Action").text == "settings"
    ours = {"DomainRequired": "off", "LoginName": ALICE, "SPA": "off", "SSL": "on", "AuthRequired": "on"}
    assert protocols_of(settings) == [
        {"Type": "IMAP", "Server": "imap.example.org", "Port": "993", "Encryption": "SSL"} | ours,
        {"Type": "POP3", "Server": "pop.example.org", "Port": "995", "Encryption": "SSL"} | ours,
        {"Type": "SMTP", "Server": "smtp.example.org", "Port": "587", "Encryption": "TLS",
         "UsePOPAuth": "on"} | ours]


@pytest.mark.parametrize("path", [
    "/autodiscover/autodiscover.json/v1.0/alice@example.org?Protocol=Autodiscoverv1&RedirectCount=1",
    "/autodiscover/autodiscover.json?Email=alice%40example.org&Protocol=AutodiscoverV1&RedirectCount=1",
    "/Autodiscover/Autodiscover.json?protocol=autodiscoverv1",
])
def test_a_newer_outlook_is_told_where_to_ask(site, path):
    answer = site.ask(f"https://autodiscover.{DOMAIN}{path}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    found = json.loads(answer.text)
    assert found == {"Protocol": "AutodiscoverV1",
                     "Url": "https://localhost/autodiscover/autodiscover.xml"}
    settings = read(site.ask(found["Url"], "POST", request_of(ALICE), {"Content-Type": "text/xml"}))
    assert protocols_of(settings)[0]["LoginName"] == ALICE


@pytest.mark.parametrize("query", ["", "?Protocol=ActiveSync", "?Protocol=EWS", "?Protocol=",
                                   f"?Protocol=AutodiscoverV1{'x' * 40}",
                                   "?Protocol=AutodiscoverV1&protocol=ActiveSync"])
def test_other_protocols_are_not_spoken_here(site, query):
    assert looks_empty(site.ask(f"https://autodiscover.{DOMAIN}/autodiscover/autodiscover.json{query}"))


BOMB = "<!DOCTYPE a [<!ENTITY a 'x'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10 if n else '&a;' * 10}'>" for n in range(9)) + "]>"


@pytest.mark.parametrize("body", [
    b"", b"<", b"\0" * 1000, b"\xff\xfe<\0A\0", b"alice@example.org", request_of("").encode(),
    request_of("alice@example.com").encode(), request_of("alice").encode(),
    request_of(ALICE, "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006").encode(),
    request_of(f"</EMailAddress><LoginName>{ALICE}").encode(), request_of("&a8;").encode(),
    (BOMB + request_of("&a8;@example.org")).encode(), request_of(f"{ALICE}\0").encode(),
    request_of("a" * 8000 + "@example.org").encode(), b"<EMailAddress>" * 1000,
    request_of(ALICE).encode()[:150],
], ids=["nothing", "a bracket", "NULs", "UTF-16", "an address alone", "no address", "another domain",
        "no domain", "a phone's", "a tag in it", "an entity", "a bomb of entities", "a NUL in it",
        "too long an address", "an address begun often", "cut off"])
def test_no_settings_for_what_is_no_request_of_outlook(site, body):
    assert looks_empty(site.ask_outlook(body))
    assert read(site.ask_outlook(request_of(ALICE))) is not None, "it goes on answering"


@pytest.mark.parametrize("kind", [None, "", "text/html", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=x", "application/json"])
def test_no_settings_for_another_kind_of_body(site, kind):
    assert looks_empty(site.ask_outlook(request_of(ALICE), kind=kind))


def test_a_request_has_a_bounded_size(site):
    padded = request_of(ALICE) + " " * (16 * 1024 - len(request_of(ALICE)))
    assert read(site.ask_outlook(padded)) is not None
    assert site.ask_outlook(padded + " ").status == 413
    connection = site.portal.connect()  # without nginx
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.request("POST", "/app-passwords/autodiscover/autodiscover.xml", padded + " ",
                           {"Content-Type": "text/xml"})
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize("method, path", [
    ("GET", "/autodiscover/autodiscover.xml"), ("POST", "/mail/config-v1.1.xml"),
    ("POST", "/mail.mobileconfig"), ("POST", "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1")])
def test_other_methods_get_no_settings(site, method, path):
    assert looks_empty(site.ask(f"https://autodiscover.{DOMAIN}{path}", method,
                                request_of(ALICE) if method == "POST" else None,
                                {"Content-Type": "text/xml"}))


def test_xml_does_not_get_past_the_token_of_a_form(site):
    answer = site.ask("https://localhost/app-passwords/sign-in", "POST", request_of(ALICE),
                      {"Content-Type": "text/xml", "Cookie": "__Host-app-password=" + "x" * 43})
    assert answer.status == 403


# ---- Apple ----

def profile_of(answer):
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-apple-aspen-config")
    return plistlib.loads(answer.text.encode())


def test_apple_devices_get_a_profile_that_lets_them_ask(site):
    plain, with_address = (profile_of(site.ask(f"https://{DOMAIN}/mail.mobileconfig{query}"))
                           for query in ("", f"?emailaddress={ALICE}"))
    account, = plain["PayloadContent"]
    assert account["PayloadType"] == "com.apple.mail.managed"
    assert (account["EmailAccountType"], account["IncomingMailServerHostName"],
            account["IncomingMailServerPortNumber"], account["IncomingMailServerUseSSL"]) == (
        "EmailTypeIMAP", "imap.example.org", 993, True)
    assert (account["OutgoingMailServerHostName"], account["OutgoingMailServerPortNumber"],
            account["OutgoingMailServerUseSSL"], account["OutgoingPasswordSameAsIncomingPassword"]) == (
        "smtp.example.org", 587, True, True)
    asked = {"EmailAddress", "IncomingMailServerUsername", "OutgoingMailServerUsername",
             "IncomingPassword", "OutgoingPassword", "EmailAccountName"}
    assert not asked & account.keys(), "what the profile does not have, the device asks for"
    account, = with_address["PayloadContent"]
    assert {key: account[key] for key in asked & account.keys()} == dict.fromkeys(
        ("EmailAddress", "IncomingMailServerUsername", "OutgoingMailServerUsername"), ALICE)
    uuids = [payload["PayloadUUID"] for profile in (plain, with_address)
             for payload in (profile, *profile["PayloadContent"])]
    assert len(set(uuids)) == 4
    assert plain["PayloadIdentifier"] != with_address["PayloadIdentifier"]


# ---- What the answers do not depend on ----

def test_nobody_learns_whether_an_address_exists(site, directory):
    person = directory.new_person(mfa=True)
    for ask in (lambda address: site.ask(
                    f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml?emailaddress={address}"),
                lambda address: site.ask_outlook(request_of(address))):
        there, missing = ask(f"{person.uid}@{DOMAIN}"), ask(f"{person.uid}x@{DOMAIN}")
        assert (there.status, there.text.replace(person.uid, "U")) == (
            missing.status, missing.text.replace(f"{person.uid}x", "U"))


def test_nobody_has_to_sign_in_and_the_directory_is_not_asked(new_site):
    """Behind a single sign-on, with a directory that is down."""
    site = new_site({"trusted_user_header": "X-Remote-User"}, {"uri": "ldap://127.0.0.1:9"},
                    single_sign_on={"right": "alice"})
    assert site.ask("https://localhost/app-passwords/").status == 401
    for host in (f"autoconfig.{DOMAIN}", "localhost"):
        assert read(site.ask(f"https://{host}/mail/config-v1.1.xml?emailaddress={ALICE}")) is not None
    assert read(site.ask_outlook(request_of(ALICE))) is not None
    assert site.portal.events() == []


def test_nginx_keeps_passwords_that_programs_send_unasked(workdir, domain_authority):
    """What reaches the portal's socket; Thunderbird sends the account password, for example."""
    folder = new_folder(workdir, "autoconfig")
    path = folder / "http.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen()
        listener.settimeout(20)
        nginx = Nginx(folder / "nginx", domain_authority, path, domain=DOMAIN)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            try:
                answer = pool.submit(
                    Site(None, nginx.start()).ask, f"https://{DOMAIN}/mail.mobileconfig?emailaddress={ALICE}",
                    headers={"Authorization": "Basic YWxpY2U6c2VjcmV0", "Cookie": "sso=right",
                             "X-Remote-User": "alice", "X-Real-IP": "192.0.2.1"})
                seen, _ = listener.accept()
                sent = seen.recv(65536).decode()
                seen.close()
                answer.result()
            finally:
                nginx.stop()
    line, *headers = sent.split("\r\n")
    assert line == f"GET /app-passwords/mail.mobileconfig?emailaddress={ALICE} HTTP/1.1"
    names = {header.partition(":")[0].lower() for header in headers if header}
    assert names <= {"host", "x-real-ip", "connection", "accept-encoding", "user-agent"}
    assert "192.0.2.1" not in sent


# ---- Thunderbird itself ----

@pytest.fixture
def mailbox(dovecot, domain_authority):
    """The domain's Dovecot, with STARTTLS."""
    return dovecot(authority=domain_authority, tls=True)


@pytest.fixture
def outgoing(mail_server):
    """A Postfix with STARTTLS."""
    return mail_server(kind="starttls")


@pytest.fixture
def mail_site(new_site, mailbox, outgoing):
    """A site with real mail servers."""
    return new_site({"imap_server": f"imap.{DOMAIN}:{mailbox.ports['imap']}", "pop3_server": None,
                     "smtp_server": f"localhost:{outgoing.port}"})


@pytest.fixture
def new_thunderbird(workdir, mail_site, authority):
    """Thunderbirds in a network in which only some of the site's hosts have a record."""
    programs = []

    def make(*hosts):
        programs.append(Thunderbird(
            new_folder(workdir, "thunderbird"),
            {f"imap.{DOMAIN}": "127.0.0.1"} | dict.fromkeys(hosts, mail_site.nginx.address),
            [mail_site.nginx.ca, authority.ca]))
        return programs[-1].start()

    yield make
    for program in programs:
        program.stop()


def send(mailbox, person, app_password, subject):
    """A message for somebody, in their inbox."""
    with imaplib.IMAP4("127.0.0.1", mailbox.ports["imap"], timeout=60) as client:
        client.login(person.uid, app_password.shown)
        assert client.append("INBOX", None, None, f"Subject: {subject}\r\n\r\nHello\r\n".encode())[0] == "OK"


STARTTLS, PASSWORD = 2, 3  # nsMsgSocketType.alwaysSTARTTLS, nsMsgAuthMethod.passwordCleartext


@pytest.mark.parametrize("hosts", [
    [f"autoconfig.{DOMAIN}"], [DOMAIN], [f"autoconfig.{DOMAIN}", f"autodiscover.{DOMAIN}", DOMAIN]],
    ids=["autoconfig", "well-known", "all"])
def test_thunderbird_needs_only_the_address_and_an_app_password(
        new_thunderbird, mailbox, outgoing, directory, hosts):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    program = new_thunderbird(*hosts)
    assert program.set_up("Alice", person.mail, app_password.shown)
    account, = program.accounts()
    assert account == {
        "address": person.mail,
        "incoming": ["imap", f"imap.{DOMAIN}", mailbox.ports["imap"], STARTTLS, PASSWORD, person.mail],
        "outgoing": ["smtp", "localhost", outgoing.port, STARTTLS, PASSWORD, person.mail]}
    send(mailbox, person, app_password, "It arrives")
    wait_until(lambda: program.subjects() == ["It arrives"], "mail in Thunderbird", 60)
    assert program.send("bob@example.com") == 0
    for server, service in ((mailbox, "imap"), (outgoing, "smtp")):
        lines = server.events()
        assert lines and all(" verdict=accepted " in line and f" service={service} " in line
                             for line in lines), lines


def test_thunderbird_does_not_get_in_with_the_account_password(new_thunderbird, mailbox, directory):
    person = directory.new_person(mfa=True)
    program = new_thunderbird(f"autoconfig.{DOMAIN}")
    assert not program.set_up("Alice", person.mail, person.password)
    assert program.accounts() == []
    assert mailbox.events() and all(" verdict=refused " in line for line in mailbox.events())
