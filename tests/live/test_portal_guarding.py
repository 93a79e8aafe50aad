# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page against intruders and attackers."""

import concurrent.futures
import pathlib
import re
import socket
import urllib.parse
from datetime import datetime, timedelta, timezone

import pytest

from administration import PREFIX
from authenticator import Authenticator
from processes import SLOWLY, seconds, wait_until
from slapd import DISABLED, MUST_CHANGE, WITHOUT_PASSWORD
from visits import (at_once, choosing_app, enrolled, enrolled_by_mail, let_in, link_in,
                    make_app_password, second_factors, signed_in, subject_of)

HTTPS = {"public_url": "https://mail.example.org/app-passwords"}
ROOT = "app-passwords"


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal()


@pytest.fixture(scope="module")
def https(start_portal):
    """A portal as behind a proxy that speaks TLS, with its own path."""
    return start_portal(HTTPS)


def reasons(portal, client):
    """The log lines about requests from an address, in order."""
    return [re.search(r" reason=(\S+)", line)[1] for line in portal.events()
            if f" client={client} " in line]


# ---- cookies and forms ----

def test_over_https_the_cookie_is_for_this_host_and_its_pages_alone(directory, https):
    page = https.client().get("")
    cookie = page.headers["Set-Cookie"]
    assert re.fullmatch(r"__Host-app-password=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure",
                        cookie)


def test_there_is_a_new_cookie_after_each_rise_of_rights_and_the_old_one_is_nobodys(
        directory, portal):
    who = directory.new_person(mfa=True)
    client, app = portal.client(), None
    cookies = []

    def note():
        assert client.cookie not in cookies
        cookies.append(client.cookie)

    client.get("")
    note()
    client.sign_in(who)
    note()
    client.post("start")
    client.post("choose", method="totp")
    app = Authenticator(client.page.secret())
    client.post("verify", code=app.code())
    note()
    client.get("")
    client.post("sign-out")
    note()
    client.sign_in(who)
    note()
    client.post("verify", code=app.code())
    note()
    for cookie in cookies[:-1]:
        thief = portal.client()
        thief.cookie = cookie
        assert thief.get("").title() == "App passwords for mail"
    assert client.get("").title() == "Your app passwords"


def test_nobody_chooses_the_cookie_of_somebody_else(directory, portal):
    who = directory.new_person(mfa=True)
    client = portal.client()
    client.cookie = "app-password=" + "A" * 43
    client.sign_in(who)
    assert client.cookie != "app-password=" + "A" * 43
    attacker = portal.client()
    attacker.cookie = "app-password=" + "A" * 43
    assert attacker.get("").title() == "App passwords for mail"


FORMS = ["sign-in", "sign-out", "enrolment-code", "start", "resend", "verify", "choose", "contact",
         "create", "rename", "revoke", "revoke-all", "add-factor"]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_the_visits_own_token_does_nothing(directory, portal, path):
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    client, _ = enrolled(portal, who)
    stranger = portal.client()
    fields = {"id": app_password.id, "label": "x", "expires": "never", "services": "",
              "method": "totp", "code": "1", "address": "a@b.example", "login": who.uid,
              "password": who.password}
    client.get("")
    right = client.page.token()
    for token in ("", "x", "A" * 43, right[:-1], right + "A", stranger.get("").token()):
        page = client.post(path, token, **fields)
        assert page.status == 403 and "came from another site" in page.words()
    cookie, client.cookie = client.cookie, None
    assert client.post(path, right, **fields).status == 403
    client.cookie = cookie
    assert client.get("").title() == "Your app passwords"
    assert directory.app_passwords(who) == [app_password.value]


def test_after_signing_out_the_cookie_and_the_token_are_worth_nothing(directory, portal):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    client.get("")
    cookie, token = client.cookie, client.page.token()
    client.post("sign-out")
    client.cookie = cookie
    client.post("create", token, label="x", services="", expires="never")
    assert client.page.status == 403
    assert directory.app_passwords(who) == []


def test_a_form_from_before_signing_out_elsewhere_says_that_nobody_is_signed_in(directory, portal):
    """A second tab, with the token of the cookie before."""
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    form = {"token": client.get("").token(), "label": "x", "services": "", "expires": "never"}
    client.post("sign-out")
    cookie = client.cookie
    page = client.post("create", **form)
    assert page.status == 403 and page.title() == "App passwords for mail"
    assert "You’re not signed in here. Your last click changed nothing." in page.words()
    assert client.cookie == cookie
    client.cookie = None
    page = client.post("create", **form)
    assert "came from another site" in page.words() and "Set-Cookie" not in page.headers
    client.cookie = cookie
    client.sign_in(who)
    client.post("verify", code=app.code())
    assert "came from another site" in client.post("create", **form).words(), "another visit's"
    assert directory.app_passwords(who) == []


def test_a_page_of_a_visit_that_is_over_leads_to_signing_in(directory, portal):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    client.get("")
    client.post("sign-out")
    for path in ("choose", "app", "contact", "contact-code", "verified", "password",
                 "profile/" + "A" * 43):
        page = client.get(path)
        assert (page.status, page.title()) == (403, "App passwords for mail")
        assert 'role="alert"' not in page.text, "they know that they signed out"
    assert client.get("nowhere").status == 404


# ---- hostile requests ----

def raw(portal, request, timeout=60):
    """The answer to exactly these bytes, or "" after 6 seconds without one. Waits that long because
    a client that hangs up sooner gets no answer."""
    answer = b""
    with socket.create_connection(("127.0.0.1", portal.port), 6) as connection:
        try:
            connection.sendall(request)
            while not is_whole(answer):
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(timeout)
                    continue
                if not data:
                    break
                answer += data
        except OSError:
            pass  # the server has closed the connection
    return answer.decode("latin-1")


def is_whole(answer):
    """Whether the body of an answer is complete."""
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head, re.IGNORECASE)
    return length is not None and len(body) >= int(length[1])


def form(client, path, body, type="application/x-www-form-urlencoded", more=""):
    """A request with the client's cookie and exactly this body."""
    body = body.encode("latin-1") if isinstance(body, str) else body
    return (f"POST /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {client.cookie}\r\n"
            f"Content-Type: {type}\r\nContent-Length: {len(body)}\r\n{more}\r\n").encode() + body


def status(answer):
    return int(answer.split(" ")[1]) if answer else None


LABEL = "&services=&expires=never"
BODIES = {
    "a NUL in a field": "label=a%00b" + LABEL,
    "a NUL in a field as it is": "label=a\0b" + LABEL,
    "a NUL behind the token": "\0" + LABEL,
    "a field twice": "label=a&label=b" + LABEL,
    "a label that is too long": "label=" + "a" * 600 + LABEL,
    "a token that is too long": "label=a&csrf=x" + LABEL,
    "no field at all": "",
    "separators alone": "&&&===&&&",
    "half an escape": "label=%" + LABEL,
    "a field of all bytes": "label=" + "".join(f"%{byte:02x}" for byte in range(256)) + LABEL,
    "no UTF-8": "label=%ff%fe" + LABEL,
    "a wrong type": ("label=a" + LABEL, "text/plain"),
    "no type": ("label=a" + LABEL, ""),
    "multipart": ('--x\r\nContent-Disposition: form-data; name="label"\r\n\r\na\r\n--x--\r\n',
                  "multipart/form-data; boundary=x"),
    "multipart without a boundary": ("--\r\n", "multipart/form-data; boundary="),
    "JSON": ('{"label": "a"}', "application/json"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_form_that_is_not_ours_does_nothing(directory, portal, name):
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    body, type = (BODIES[name], "application/x-www-form-urlencoded") \
        if isinstance(BODIES[name], str) else BODIES[name]
    answer = raw(portal, form(client, "create", f"csrf={client.get('').token()}&" + body, type))
    assert status(answer) in (303, 400, 403)
    assert "/password\r\n" not in answer
    assert directory.app_passwords(who) == []


@pytest.mark.parametrize("behind", ["\0x", "%00x", "\0", "%00"])
def test_a_password_is_not_cut_off_at_a_nul(directory, portal, behind):
    who = directory.new_person(mfa=True)
    client = portal.client()
    token = client.get("").token()
    password = urllib.parse.quote(who.password)
    body = f"csrf={token}&login={who.uid}&password={password}"
    assert status(raw(portal, form(client, "sign-in", body + behind))) in (400, 403)
    assert status(raw(portal, form(client, "sign-in", body))) == 303


def test_a_body_of_any_form_is_accepted_up_to_16_kib(directory, portal):
    client = portal.client()
    token = client.get("").token()
    fits = f"csrf={token}&login=nobody&password=x&x=" + "x" * 8000
    assert status(raw(portal, form(client, "sign-in", fits))) == 403
    assert raw(portal, form(client, "sign-in", fits + "x" * 9000)) == ""
    head = (f"POST /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {client.cookie}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n")

    def chunked(text):
        parts = [text[i:i + 1000] for i in range(0, len(text), 1000)]
        return (head + "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts)
                + "0\r\n\r\n").encode()

    assert status(raw(portal, chunked(fits))) == 403
    assert raw(portal, chunked(fits + "x" * 9000)) == ""
    assert status(raw(portal, (head + "ffffffffffffffff\r\nx").encode())) in (None, 400, 413)
    assert client.get("").status == 200


@pytest.mark.parametrize("name, request_text, expected", [
    ("without a Host", "GET / HTTP/1.1\r\n\r\n", {400}),
    ("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", {200}),
    ("no HTTP", "EHLO mail.example.org\r\n\r\n", {400, 405, None}),
    ("a whole URL", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    ("a path upwards", "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    ("a path upwards in disguise", "GET /%2e%2e%2fportal.conf HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    ("a template", "GET /sign-in.html HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    ("a NUL in the path", "GET /nowhere%00x HTTP/1.1\r\nHost: x\r\n\r\n", {404, 403, 400}),
    ("a long path", "GET /" + "x" * 20000 + " HTTP/1.1\r\nHost: x\r\n\r\n", {404, 414, 431}),
    ("a long header", "GET / HTTP/1.1\r\nHost: x\r\nX: " + "x" * 60000 + "\r\n\r\n", {431, None}),
    ("many headers", "GET / HTTP/1.1\r\nHost: x\r\n" + "X: x\r\n" * 9000 + "\r\n", {431, None}),
    ("a long cookie", "GET / HTTP/1.1\r\nHost: x\r\nCookie: app-password=" + "x" * 9000
     + "\r\n\r\n", {200}),
    ("many languages", "GET / HTTP/1.1\r\nHost: x\r\nAccept-Language: "
     + ",".join(["nb;q=1e9", "de;q=", ";q=nan", "x" * 50, ";;;", " "] * 100) + "\r\n\r\n", {200}),
] + [(f"the method {method}", f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n", {405, 400})
     for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get")])
def test_a_request_that_no_browser_sends_is_answered_and_does_no_harm(
        portal, name, request_text, expected):
    answer = raw(portal, request_text.encode())
    assert status(answer) in expected, answer[:300]
    assert "root:" not in answer and "binddn" not in answer
    assert portal.client().get("").status == 200


HEADERS = {
    "Content-Security-Policy":
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def test_every_answer_has_the_headers_that_keep_browsers_strict(directory, https):
    client = https.client()
    pages = [client.get(path) for path in ("", "nowhere", "style.css", "copy.js")]
    client.get("")
    pages += [client.post("sign-in", "wrong"),
              client.ask_once("GET", "elsewhere"), client.ask_once("PUT", f"{ROOT}/")]
    client.get("")
    who = directory.new_person(mfa=True)
    pages.append(client.ask_once("POST", f"{ROOT}/sign-in", urllib.parse.urlencode(
        {"csrf": client.page.token(), "login": who.uid, "password": who.password})))
    assert [page.status for page in pages] == [200, 404, 200, 200, 403, 404, 405, 303]
    for page in pages:
        assert HEADERS.items() <= dict(page.headers).items()
        is_asset = page.headers["Content-Type"].startswith(("text/css", "text/javascript"))
        assert page.headers["Cache-Control"] == ("max-age=31536000, immutable" if is_asset else "no-store")
    assert pages[-2].headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path, code", [
    ("", 200), ("style.css", 200), ("healthz", 200), ("nowhere", 404), ("choose", 403)])
def test_head_is_answered_as_get_without_a_body(portal, path, code):
    connection = portal.connect()
    connection.request("HEAD", f"/{path}")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (code, b"")
    assert answer.headers["Content-Type"]
    connection.close()


def test_head_takes_nothing_away(directory, portal):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    client.ask_once("POST", "create", urllib.parse.urlencode({
        "csrf": client.page.token(), "label": "x", "services": "", "expires": "never"}))
    assert client.ask_once("HEAD", "password").status == 200
    assert client.get("password").app_password()
    client.get("")
    client.ask_once("POST", "revoke", urllib.parse.urlencode({"csrf": client.page.token()}))
    assert client.ask_once("HEAD", "").status == 200
    assert "no longer exists" in client.get("").words()


def test_one_connection_too_many_gets_an_answer(start_portal):
    portal = start_portal()
    connections = []
    try:
        connections += [socket.create_connection(("127.0.0.1", portal.port), 20)
                        for _ in range(512)]
        page = portal.client().get("")
        assert page.status == 503 and page.headers["Retry-After"] == "60"
        assert "Too many people use this page right now" in page.words()
        connections[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 200 " in connections[0].recv(100), "the others are served"
    finally:
        for connection in connections:
            connection.close()
    wait_until(lambda: portal.client().get("").status == 200, "room")


def test_the_address_of_each_asset_changes_with_its_content(portal):
    text = portal.client().get("").text
    versions = re.findall(r'(?:href|src)="/([\w.]+\.(?:css|js|svg))\?([0-9a-f]{32})"', text)
    assert {name for name, _ in versions} == {"style.css", "copy.js", "icon.svg"}
    assert len({version for _, version in versions}) == 1
    # A browser keeps each for a year.
    pages = (PREFIX / "share" / "sasl-app-password" / "portal").glob("*.html")
    assert {file.name: found for file in pages if (found := re.findall(
        r'(?:href|src)="[^"]*\.(?:css|js|svg)(?!\?\{\{version\}\}")[^"]*"', file.read_text()))} == {}


def test_no_page_has_script_or_style_of_its_own(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    pages = [client.page, client.get(""), client.get("choose"), client.get("contact"),
             client.get("app"), client.post("verify", code=app.code())]
    make_app_password(client)
    pages += [client.page, client.get("")]
    for page in pages:
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=|javascript:",
                             page.text)


@pytest.mark.parametrize("login", [
    "<script>alert(1)</script>", "\"><img src=x>", "a' onfocus='x", "x\r\nSet-Cookie: a=b",
    "x\u202ey", "{{csrf}}", "*", "*)(uid=*", "\\2a", "a" * 255, "a" * 256, "a" * 511, "a" * 512,
    "\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe", " ", ""])
def test_a_hostile_login_is_refused_and_stands_harmless_on_the_page_and_in_the_log(portal, login):
    client = portal.client()
    client.get("")
    page = client.post("sign-in", login=login, password="x")
    assert page.status in (400, 403)
    shown = page.text.split("<main>")[1]
    assert "<script" not in shown and "<img" not in shown and "Set-Cookie: a" not in str(
        page.headers)
    assert not re.search(r"value=\"[^\"]*<", shown)
    assert all(re.fullmatch(r"[ -~]+|.*user=\"[^\"\n]*\".*", line) for line in portal.events())


def test_an_app_password_in_the_wrong_field_is_neither_shown_nor_logged(directory, portal):
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    client = portal.client()
    client.get("")
    page = client.post("sign-in", login=app_password.shown, password=who.password)
    assert app_password.shown not in page.text
    log = portal.log.read_text()
    assert app_password.shown not in log and 'user="(app password)"' in log


# ---- refusals ----

def test_an_app_password_in_place_of_the_password_is_not_tried(directory, portal):
    """The directory would count it for its lockout."""
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    mark = directory.mark()
    client = portal.client(**{"X-Real-IP": "198.51.100.98"})
    assert client.sign_in(who, app_password.shown).status == 403
    assert " reason=unknown-app-password " in portal.events()[-1]
    assert who.dn not in directory.binds_since(mark)


def test_every_refusal_reads_the_same_and_takes_as_long(directory, start_portal_with_clock):
    portal = start_portal_with_clock(refusal_delay="1")
    portal.set_clock(SLOWLY)
    who = directory.new_person(mfa=True)
    cases = {
        "unknown-user": ("nobody-at-all", "x"),
        "wrong-account-password": (who.uid, "x"),
        "account-disabled": (DISABLED.uid, DISABLED.password),
        "password-must-change": (MUST_CHANGE.uid, MUST_CHANGE.password),
        "malformed": (who.uid, ""),
        "too-many-tries": None,
    }

    def refused(case):
        client = portal.client(**{"X-Real-IP": "198.51.100.9" if case else "198.51.100.10"})
        client.get("")
        login, password = case or (who.uid, who.password)
        took, page = seconds(lambda: client.post("sign-in", login=login, password=password))
        text = page.text.replace(login, "LOGIN").replace(page.token(), "TOKEN")
        return page.status, text, took

    at_once(10, lambda _: guess(portal, "198.51.100.10"))
    answers = at_once(len(cases), lambda number: refused(list(cases.values())[number]))
    answers.append(refused((WITHOUT_PASSWORD.uid, WITHOUT_PASSWORD.password)))
    assert {status for status, _, _ in answers} == {403}
    *others, waiting, _ = [text for _, text, _ in answers]
    assert len({*others, answers[-1][1]}) == 1 and "Try again in 1 min." in waiting
    assert all(10 <= took < 20 for _, _, took in answers), answers
    logged = reasons(portal, "198.51.100.9") + reasons(portal, "198.51.100.10")
    assert set(logged) == set(cases)


def sign_in_from(portal, address, who):
    """The status of one sign-in with the right password from an address."""
    return signed_in(portal, who, **{"X-Real-IP": address}).page.status


def guess(portal, address):
    """A wrong password for an unknown name, because the directory locks existing accounts."""
    client = portal.client(**{"X-Real-IP": address})
    client.get("")
    client.post("sign-in", login="nobody-at-all", password="guess")
    assert client.page.status == 403


# ---- waiting times ----

@pytest.fixture
def slow_portal(start_portal_with_clock):
    """Waiting times of two seconds last twenty."""
    portal = start_portal_with_clock()
    portal.set_clock(SLOWLY)
    return portal


def test_wrong_passwords_count_against_the_address_and_lock_nobody_out(directory, slow_portal):
    portal = slow_portal
    who = directory.new_person(mfa=True)
    at_once(30, lambda _: guess(portal, "198.51.100.1"))
    assert sorted(reasons(portal, "198.51.100.1")) == \
        ["too-many-tries"] * 20 + ["unknown-user"] * 10
    client = portal.client(**{"X-Real-IP": "198.51.100.1"})
    pages = [client.sign_in(who, password) for password in (who.password, "x")]
    assert {(page.status, page.words()) for page in pages} == {(403, pages[0].words())}, "unseen"
    assert reasons(portal, "198.51.100.1")[-1] == "too-many-tries"
    assert sign_in_from(portal, "198.51.100.2", who) == 200


@pytest.mark.parametrize("addresses", [
    pytest.param([f"2001:db8:0:1::{number:x}" for number in range(1, 12)], id="of one /64"),
    pytest.param(["198.51.100.3", "::ffff:198.51.100.3"] * 6, id="in both forms"),
    pytest.param(["", "x", "198.51.100.300", "1.2.3.4, 5.6.7.8", "\"'<>", "unknown"] * 2,
                 id="that are none")])
def test_addresses_that_are_one_share_their_tries(directory, slow_portal, addresses):
    portal = slow_portal
    for address in addresses:
        guess(portal, address)
    assert " reason=too-many-tries " in portal.events()[10]
    assert all(" reason=unknown-user " in line for line in portal.events()[:10])
    assert len(set(re.findall(r" client=(\S+)", "\n".join(portal.events())))) in (1, len(addresses))
    assert sign_in_from(portal, "2001:db8:0:2::1", directory.new_person(mfa=True)) == 200


def test_own_right_passwords_in_between_make_guessing_no_faster(directory, slow_portal):
    portal = slow_portal
    own = directory.new_person(mfa=True)
    for _ in range(15):
        sign_in_from(portal, "198.51.100.4", own)
        guess(portal, "198.51.100.4")
    assert reasons(portal, "198.51.100.4").count("unknown-user") == 10


def try_codes(portal, who, app, count, address):
    """Concurrent wrong codes from one address, each in its own session."""
    def one(_):
        client = signed_in(portal, who, **{"X-Real-IP": address})
        client.post("verify", code=app.wrong_code())
    return at_once(count, one)


def test_wrong_codes_count_against_account_and_address_after_a_right_password(directory, portal):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    try_codes(portal, who, app, 9, "198.51.100.5")
    counted = reasons(portal, "198.51.100.5")
    assert counted.count("wrong-second-factor") == 5
    assert counted.count("too-many-tries") == 4
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.5"})
    page = client.post("verify", code=app.code())
    assert "too many wrong tries" in page.words(), "unseen"
    assert let_in(portal, who, app, **{"X-Real-IP": "198.51.100.6"})
    other = directory.new_person(mfa=True)
    assert enrolled(portal, other, **{"X-Real-IP": "198.51.100.5"}), "another account"


# ---- guessing the second factor ----

def guesses(directory, who):
    """The entry's count of guesses."""
    return [value for value in directory.values(who, "appPasswordMfaMethod")
            if value.startswith("guesses ")]


def guess_codes(portal, who, app, count):
    """Wrong codes one after the other, five from each network."""
    for number in range(count):
        client = signed_in(portal, who, **{"X-Real-IP": f"203.0.113.{number // 5}"})
        client.post("verify", code=app.wrong_code())


def test_fifty_codes_a_day_are_looked_at_also_after_a_restart_and_on_another_host(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    guess_codes(portal, who, app, 30)
    portal.stop()
    portal.start()
    second = start_portal({"key_file": portal.conf["key_file"]})
    for number in range(30):
        client = signed_in(second, who, **{"X-Real-IP": f"198.51.100.{number}"})
        client.post("verify", code=app.wrong_code())
    looked_at = [line for host in (portal, second) for line in host.events()
                 if " reason=wrong-second-factor " in line]
    assert len(looked_at) == 50
    for host in (portal, second):
        client = signed_in(host, who, **{"X-Real-IP": "192.0.2.7"})
        page = client.post("verify", code=app.code())
        assert page.title() == "Your second step", "the right one is not looked at, either"
        assert "too many wrong codes for this account today" in page.words()
        assert " reason=too-many-tries " in host.events()[-1]
    value, = guesses(directory, who)
    assert f" count=50 told={datetime.now(timezone.utc):%Y%m%d}000000Z link=" in value


def test_a_code_of_every_browser_counts_however_many_send_it_at_once(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    visits = [signed_in(portal, who, **{"X-Real-IP": f"203.0.113.{number}"})
              for number in range(20)]
    at_once(20, lambda number: visits[number].post("verify", code=app.wrong_code()))
    looked_at = [line for line in portal.events() if " reason=wrong-second-factor " in line]
    value, = guesses(directory, who)
    assert re.search(rf" count={len(looked_at)}\b", value) and looked_at


def test_the_owner_gets_a_mail_after_ten_and_gets_in_by_the_link(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    before = len(portal.mails())
    try_codes(portal, who, app, 5, "203.0.113.200")
    try_codes(portal, who, app, 4, "203.0.113.201")
    assert len(portal.mails()) == before
    guess_codes(portal, who, app, 50)
    (to, text), = portal.mails()[before:]
    assert to == who.mail and subject_of(text) == "Somebody else may know your password"
    assert "Account: " + who.uid in text and "Network address: 203.0.113." in text
    path = link_in(portal)

    client = portal.client(**{"X-Real-IP": "192.0.2.7"})
    page = client.get(path)
    assert page.status == 403 and "Sign in here first, then open the link" in page.words()
    client.sign_in(who)
    assert client.get(path).title() == "Use this browser?"
    assert client.get(path).title() == "Use this browser?", "looking does not use it up"
    assert client.mark is None
    token = client.page.token()
    assert client.post(path).title() == "Your second step"
    assert client.mark and "This browser accepts your codes again" in client.page.words()
    assert client.post("verify", code=app.code()).title() == "Your app passwords"
    assert " reason=done " in portal.events()[-2] and portal.events()[-2].endswith(
        "action=this-browser")

    other = signed_in(portal, who, **{"X-Real-IP": "192.0.2.8"})
    other.get(path)
    page = other.post(path)
    assert "This link no longer works" in page.words() and other.mark is None
    assert "too many wrong codes" in other.post("verify", code=app.code()).words()


def test_a_link_is_worth_nothing_to_others(directory, start_portal):
    portal = start_portal()
    who, other = directory.new_person(mfa=True), directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    enrolled(portal, other)
    guess_codes(portal, who, app, 10)
    path = link_in(portal)
    stored = re.search(r" link=(\S+)", guesses(directory, who)[0])[1]
    thief = signed_in(portal, other)
    for wrong in (path, f"this-browser/{stored}"):
        thief.get(wrong)
        thief.post(wrong)
        assert thief.mark is None
    attacker = signed_in(portal, who, **{"X-Real-IP": "198.51.100.97"})
    for wrong in (path[:-1], path + "A", "this-browser/", f"this-browser/{stored}",
                  "this-browser/%00" + path[13:]):
        attacker.get("")
        attacker.post(wrong)
        assert attacker.mark is None
    attacker.get(path)
    assert attacker.post(path, "wrong").status == 403 and attacker.mark is None
    attacker.get(path)
    attacker.post(path)
    assert attacker.mark, "nothing of that has used it up"


def test_right_codes_do_not_count_and_no_count_harms_what_is_enrolled(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    try_codes(portal, who, app, 2, "203.0.113.1")
    let_in(portal, who, app, **{"X-Real-IP": "198.51.100.98"})
    value, = guesses(directory, who)
    assert value.endswith(" count=2")
    client.get("")
    client.post("add-factor")
    client.post("choose", method="mail")
    client.post("contact", address="someone@elsewhere.example")
    assert "was added" in client.post("verify", code=portal.code_by_mail()).words()
    assert len(second_factors(directory, who)) == 2 and guesses(directory, who)
    portal.done("mfa", "reset", who.uid)
    assert directory.values(who, "appPasswordMfaMethod") == []
    assert enrolled(portal, who)


def test_the_mail_goes_where_codes_go(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who, "someone@elsewhere.example")
    for number in range(10):
        client = signed_in(portal, who, **{"X-Real-IP": f"203.0.113.{number}"})
        client.post("verify", code="x")
    told = [to for to, text in portal.mails()
            if subject_of(text) == "Somebody else may know your password"]
    assert told == ["someone@elsewhere.example"]


@pytest.mark.parametrize("value", ["guesses day=20261129000000Z", "guesses ", "guesses count=1"])
def test_beside_a_damaged_count_no_code_is_looked_at(directory, portal, value):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    directory.administrate(who, appPasswordMfaMethod=[
        *directory.values(who, "appPasswordMfaMethod"), value])
    client = signed_in(portal, who)
    assert client.post("verify", code=app.code()).status == 503
    assert " verdict=unavailable " in portal.events()[-1]
    assert "malformed count of guesses; app-password mfa reset removes it" in portal.events()[-1]


@pytest.mark.parametrize("day, is_over", [(0, True), (1, True), (-1, False)])
def test_the_next_day_begins_anew_and_a_clock_that_went_back_does_not(
        directory, portal, day, is_over):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    date = datetime.now(timezone.utc) + timedelta(days=day)
    directory.administrate(who, appPasswordMfaMethod=[
        *directory.values(who, "appPasswordMfaMethod"),
        f"guesses day={date:%Y%m%d}000000Z count=50"])
    client = signed_in(portal, who)
    client.post("verify", code=app.code())
    assert (client.page.title() == "Your second step") == is_over


def test_two_providers_that_counted_apart_are_added(directory, portal):
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    today = f"{datetime.now(timezone.utc):%Y%m%d}000000Z"
    directory.administrate(who, appPasswordMfaMethod=[
        *directory.values(who, "appPasswordMfaMethod"),
        f"guesses day={today} count=20", f"guesses day={today} count=29"])
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.99"})
    client.post("verify", code=app.wrong_code())
    assert "wrong, has been used" in client.page.words()
    client.post("verify", code=app.code())
    assert "too many wrong codes" in client.page.words()
    assert re.match(f"guesses day={today} count=50 told={today} link=",
                    *guesses(directory, who))


# ---- browsers that are known ----

def known_to(portal, who):
    """(a mark of a browser in which somebody has enrolled, Authenticator)."""
    client, app = enrolled(portal, who)
    assert client.mark
    return client.mark, app


def test_the_mark_is_kept_for_a_year_and_given_once(directory, portal):
    who = directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    answer = client.ask_once("POST", "verify", urllib.parse.urlencode(
        {"csrf": client.page.token(), "code": app.code()}))
    visit, mark, draft = answer.headers.get_all("Set-Cookie")
    assert re.fullmatch(r"app-password=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax", visit)
    assert re.fullmatch(r"app-password-browser=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; "
                        r"Max-Age=31536000", mark)
    assert draft == "app-password-draft=-; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
    client.get("")
    client.post("sign-out")
    before = client.mark
    client.sign_in(who)
    client.post("verify", code=app.code())
    assert client.mark == before


def in_browser(portal, mark, address="198.51.100.50"):
    """A client that has nothing but the mark."""
    client = portal.client(**{"X-Real-IP": address})
    client.mark = mark
    return client


def test_the_zone_of_a_link_local_address_is_dropped(portal):
    guess(portal, "fe80::77%eth0")
    assert reasons(portal, "fe80::77") == ["unknown-user"]


def test_a_known_browser_is_let_in_whatever_others_try_at_the_account(directory, portal):
    who = directory.new_person(mfa=True)
    mark, app = known_to(portal, who)
    guess_codes(portal, who, app, 50)
    stranger = signed_in(portal, who, **{"X-Real-IP": "198.51.100.50"})
    assert "too many wrong codes" in stranger.post("verify", code=app.wrong_code()).words()
    client = in_browser(portal, mark)
    client.sign_in(who)
    assert client.post("verify", code=app.code()).title() == "Your app passwords"


def test_a_known_browser_is_let_in_whatever_others_try_from_its_address(directory, start_portal_with_clock):
    portal = start_portal_with_clock()
    who = directory.new_person(mfa=True)
    mark, _ = known_to(portal, who)
    portal.set_clock(SLOWLY)
    at_once(12, lambda _: guess(portal, "198.51.100.51"))
    assert sign_in_from(portal, "198.51.100.51", who) == 403
    assert in_browser(portal, mark, "198.51.100.51").sign_in(who).status == 200


def test_a_known_browser_gets_its_code_by_mail_whatever_others_ask_for(directory, portal):
    who = directory.new_person(mfa=True)
    mark = enrolled_by_mail(portal, who).mark
    for number in range(4):
        signed_in(portal, who, **{"X-Real-IP": "203.0.113.20"})
    assert reasons(portal, "203.0.113.20")[-1] == "too-many-tries"
    client = in_browser(portal, mark)
    client.sign_in(who)
    assert client.post("verify", code=portal.code_by_mail()).title() == "Your app passwords"


def test_a_known_browser_has_no_more_tries_than_an_address(directory, start_portal_with_clock):
    portal = start_portal_with_clock()
    who = directory.new_person(mfa=True)
    mark, app = known_to(portal, who)
    portal.set_clock(SLOWLY)
    client = in_browser(portal, mark, "198.51.100.52")
    client.sign_in(who)
    for number in range(7):
        client.headers["X-Real-IP"] = f"198.51.100.{52 + number}"
        client.post("verify", code=app.wrong_code())
    assert " reason=too-many-tries " in portal.events()[-1]
    for number in range(12):
        client = in_browser(portal, mark, f"198.51.100.{60 + number}")
        client.get("")
        client.post("sign-in", login=who.uid, password="")
        client.post("sign-in", login=who.uid.upper(), password="guess" if number % 3 else "x")
    assert " reason=too-many-tries " in portal.events()[-1]


def test_a_mark_is_worth_something_for_its_own_login_alone(directory, start_portal_with_clock):
    portal = start_portal_with_clock()
    who, other = directory.new_person(mfa=True), directory.new_person(mfa=True)
    mark, _ = known_to(portal, other)
    own, _ = known_to(portal, who)
    portal.set_clock(SLOWLY)
    at_once(12, lambda _: guess(portal, "198.51.100.80"))
    changed = own[:-2] + ("A" if own[-2] != "A" else "B") + own[-1]
    aliased = own.replace(own[-5], chr(0xc0 + ord(own[-5]) % 32))
    for worthless in (mark, changed, own[:-1], own + "A", aliased,
                      "app-password-browser=" + "A" * 43, ""):
        assert in_browser(portal, worthless, "198.51.100.80").sign_in(who).status == 403
    assert in_browser(portal, own, "198.51.100.80").sign_in(who).status == 200
    portal.stop()
    portal.start()
    at_once(12, lambda _: guess(portal, "198.51.100.80"))
    assert in_browser(portal, own, "198.51.100.80").sign_in(who).status == 200


# ---- codes that are used at the same moment ----

def test_a_code_of_the_app_lets_one_visit_in_however_many_send_it_at_once(directory, portal):
    for _ in range(3):
        who = directory.new_person(mfa=True)
        _, app = enrolled(portal, who)
        visits = [signed_in(portal, who) for _ in range(5)]
        code = app.code()
        pages = at_once(5, lambda number: visits[number].post("verify", code=code).title())
        assert sorted(pages) == ["Your app passwords"] + ["Your second step"] * 4
    assert sum(" reason=replayed-second-factor " in line for line in portal.events()) >= 12


def test_of_visits_that_enrol_at_once_at_most_one_does(directory, portal):
    """With nothing to replace, all may have to start again, but two never succeed."""
    for _ in range(5):
        who = directory.new_person(mfa=True)
        visits = [choosing_app(portal, who) for _ in range(4)]
        pages = at_once(4, lambda number: visits[number][0].post(
            "verify", code=visits[number][1].code()).title())
        winners = [app for (_, app), title in zip(visits, pages)
                   if title == "Your recovery codes"]
        stored = second_factors(directory, who)
        assert len(stored) == len(winners) <= 1
        if winners:
            assert let_in(portal, who, winners[0])
        else:
            assert enrolled(portal, who)


def test_of_sessions_with_one_administrators_code_exactly_one_enrolls(directory, start_portal):
    portal = start_portal({"enrolment": "code"})
    for _ in range(3):
        who = directory.new_person(mfa=True)
        code = portal.done("mfa", "on", who.uid, "--code").split()[-1]
        visits = []
        for _ in range(4):
            client = signed_in(portal, who)
            client.post("enrolment-code", code=code)
            client.post("start")
            client.post("choose", method="totp")
            visits.append((client, Authenticator(client.page.secret())))
        pages = at_once(4, lambda number: visits[number][0].post(
            "verify", code=visits[number][1].code()).title())
        assert pages.count("Your recovery codes") == 1
        assert len(second_factors(directory, who)) == 1


def test_a_code_by_mail_is_good_for_five_tries_and_once(directory, portal):
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    first, second = (signed_in(portal, who, **{"X-Real-IP": f"198.51.100.{20 + number}"})
                     for number in range(2))
    code = portal.code_by_mail()
    assert first.post("verify", code=code).title() == "Your second step", "another visit's"
    second.post("verify", code=code)
    second.post("sign-out")
    assert signed_in(portal, who).post("verify", code=code).title() == "Your second step"


def test_a_code_by_mail_is_worth_nothing_after_five_wrong_tries(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    client = signed_in(portal, who)
    code = portal.code_by_mail()
    wrong = f"{(int(code) + 1) % 1000000:06}"
    for number in range(5):
        client.headers["X-Real-IP"] = f"198.51.100.{30 + number}"
        client.post("verify", code=wrong)
    client.headers["X-Real-IP"] = "198.51.100.40"
    assert client.post("verify", code=code).title() == "Your second step"
    assert " reason=wrong-second-factor " in portal.events()[-1]


def test_a_code_of_the_app_lets_one_visit_in_on_two_hosts_that_write_to_one_server(
        directory, portal, start_portal):
    second = start_portal({"key_file": portal.conf["key_file"]})
    for _ in range(3):
        who = directory.new_person(mfa=True)
        _, app = enrolled(portal, who)
        visits = [signed_in(host, who) for host in (portal, second)]
        code = app.code()
        pages = at_once(2, lambda number: visits[number].post("verify", code=code).title())
        assert sorted(pages) == ["Your app passwords", "Your second step"]


def test_a_code_that_went_to_another_address_is_no_second_factor(directory, portal):
    alice = directory.new_person(mfa=True)
    thief = signed_in(portal, alice)  # knows the password; alice has not set up anything yet
    thief.post("start")
    thief.post("choose", method="mail")
    thief.post("contact", address="thief@elsewhere.example")
    code = portal.code_by_mail()
    enrolled_by_mail(portal, alice, "alice@elsewhere.example")
    thief.get("")
    assert thief.post("verify", code=code).title() == "Your second step"
    assert "revoke-all" not in thief.get("").text


# ---- attempts to lock others out ----

def test_slow_clients_hold_nobody_up(directory, portal):
    who = directory.new_person(mfa=True)
    slow = []
    for number in range(50):
        connection = socket.create_connection(("127.0.0.1", portal.port))
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " if number % 2 else
                           b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n")
        slow.append(connection)
    try:
        for _ in range(3):
            for connection in slow:
                connection.sendall(b"x")
            took, page = seconds(lambda: signed_in(portal, who).page)
            assert page.title() == "Two-step verification is turned on for you"
            assert took < 10, "the page ends a silent connection after 15 seconds"
    finally:
        for connection in slow:
            connection.close()


@pytest.mark.parametrize("address, count", [
    ("198.51.100.60", 300), ("2001:db8:1:{:x}::1", 600)], ids=["an address", "a /48"])
def test_refusals_that_wait_hold_nobody_up(directory, start_portal, address, count):
    """Hundreds of sign-ins from one network, each with a delayed answer."""
    portal = start_portal(refusal_delay="15")
    who = directory.new_person(mfa=True)
    attackers = [portal.client(**{"X-Real-IP": "198.51.100.60"}) for _ in range(20)]
    bodies = [f"csrf={attacker.get('').token()}&login=nobody&password=x" for attacker in attackers]
    connections = []
    try:
        for number in range(count):
            connections.append(socket.create_connection(("127.0.0.1", portal.port), 60))
            connections[-1].sendall(form(attackers[number % 20], "sign-in", bodies[number % 20],
                                         more=f"X-Real-IP: {address.format(number // 20)}\r\n"))
        for number in range(3):
            took, page = seconds(lambda: signed_in(
                portal, who, **{"X-Real-IP": f"198.51.100.{61 + number}"}).page)
            assert page.title() == "Two-step verification is turned on for you" and took < 10
        answers = [status(connection.recv(4096).decode("latin-1")) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert set(answers) == {403, 429}
    assert 10 <= answers.count(403) <= 32, "so many of one address wait at a time"
    page = attackers[0].get("")
    assert page.status == 200, "and as soon as they have their answers, others may ask"


def test_a_network_with_too_many_requests_is_refused_without_a_try(directory, start_portal):
    portal = start_portal(refusal_delay="8")  # all sixty must come meanwhile, also on a busy machine
    attackers = [portal.client(**{"X-Real-IP": f"2001:db8:9:{number:x}::1"})
                 for number in range(60)]
    for attacker in attackers:
        attacker.get("")
    pages = at_once(60, lambda number: attackers[number].post(
        "sign-in", login="nobody", password="x"))
    busy = [page for page in pages if page.status == 429]
    assert busy and len(portal.events()) == 60 - len(busy)
    assert busy[0].headers["Retry-After"] == "60"
    assert "too many requests from your network" in busy[0].words()


def test_requests_of_one_visit_that_wait_for_each_other_hold_nobody_up(directory, start_portal_with_clock):
    """From many networks, while one of them waits for the mail system."""
    portal = start_portal_with_clock()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    visit = signed_in(portal, who)
    busy, go_on = portal.folder / "busy", portal.folder / "go-on"
    program = pathlib.Path(portal.conf["sendmail"])
    program.write_text(program.read_text().replace(
        "#!/bin/sh\n", f"#!/bin/sh\ntouch {busy}; while [ ! -e {go_on} ]; do sleep 0.1; done\n"))

    def ask(number, *request):
        client = in_browser(portal, visit.mark, f"203.0.113.{number % 4}")
        client.cookie = visit.cookie
        return client.ask_once(*request).status

    portal.set_clock(SLOWLY)  # the ten seconds that sendmail may take last a hundred
    with concurrent.futures.ThreadPoolExecutor(80) as pool:
        answers = [pool.submit(ask, 0, "POST", "resend", f"csrf={visit.page.token()}")]
        wait_until(busy.exists, "sendmail")
        answers += [pool.submit(ask, number, "GET", "") for number in range(79)]
        wait_until(lambda: sum(answer.done() for answer in answers) >= 72, "those that are too many")
        page = portal.client(**{"X-Real-IP": "198.51.100.97"}).get("")
        assert page.status == 200 and not answers[0].done()
        go_on.touch()
        statuses = [answer.result() for answer in answers]
    assert statuses.count(429) == 72 and statuses.count(200) == 7


def test_a_restart_does_not_wait_for_answers_that_are_due_later(start_portal):
    portal = start_portal(refusal_delay="60")
    client = portal.client()
    client.get("")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        late = pool.submit(client.post, "sign-in", login="nobody", password="x")
        wait_until(portal.events, "the refusal")
        took, _ = seconds(portal.stop)
        assert took < 20
        assert late.exception() is not None or late.result().status == 403


def test_nobody_crowds_out_the_visits_of_others(directory, start_portal):
    """There is room for a thousand sessions; one person cannot have them all."""
    portal = start_portal()
    who, crowd = directory.new_person(mfa=True), directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    own, _ = enrolled(portal, crowd)
    at_once(8, lambda thread: [
        signed_in(portal, crowd, **{"X-Real-IP": f"203.0.{thread}.{number}"})
        for number in range(130)])
    assert client.get("").title() == "Your app passwords"
    assert own.get("").title() == "Your app passwords", "the one with more rights stays"


def rush(portal, who, networks, code=None):
    """Somebody who knows the password signs in as often as allowed from many networks and keeps
    sending a code."""
    def one(number):
        for _ in range(10):
            client = signed_in(portal, who, **{"X-Real-IP": f"203.0.113.{number % networks}"})
            if code and client.page.title() == "Your second step":
                client.post("verify", code=code)
    at_once(20, one)


def test_a_half_finished_visit_of_a_known_browser_outlasts_a_rush_of_unknown_ones(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    mark, app = known_to(portal, who)
    client = in_browser(portal, mark)
    client.sign_in(who)
    rush(portal, who, networks=20)
    assert client.post("verify", code=app.code()).title() == "Your app passwords"


def test_a_half_finished_visit_of_a_new_browser_outlasts_a_rush_from_a_few_networks(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.90"})
    rush(portal, who, networks=4)
    assert client.post("verify", code=app.code()).title() == "Your app passwords"


def test_a_half_finished_visit_of_a_new_browser_outlasts_a_rush_from_all_of_a_48(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.96"})
    for number in range(25):
        signed_in(portal, who, **{"X-Real-IP": f"2001:db8:1:{number:x}::1"})
    assert client.post("verify", code=app.code()).title() == "Your app passwords"


def test_right_passwords_wait_after_ten_of_one_account_and_network(directory, start_portal):
    portal = start_portal()
    who, other = directory.new_person(mfa=True), directory.new_person(mfa=True)
    mark, _ = known_to(portal, who)
    at_once(20, lambda _: sign_in_from(portal, "198.51.100.91", who))
    assert sorted(reasons(portal, "198.51.100.91")) == \
        ["account-password"] * 10 + ["too-many-tries"] * 10
    assert sign_in_from(portal, "198.51.100.91", other) == 200
    assert sign_in_from(portal, "198.51.100.92", who) == 200
    assert in_browser(portal, mark, "198.51.100.91").sign_in(who).status == 200


def test_users_who_pass_the_second_step_may_sign_in_as_often_as_they_like(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    for _ in range(2):
        for _ in range(8):
            assert sign_in_from(portal, "198.51.100.93", who) == 200
        assert let_in(portal, who, app, **{"X-Real-IP": "198.51.100.93"})


def test_a_new_browser_gets_in_while_somebody_polls_the_second_step(directory, start_portal):
    """Polling from six networks gets the first tries and then none, because each try restarts the wait."""
    portal = start_portal()
    who = directory.new_person(mfa=True)
    _, app = enrolled(portal, who)
    pollers = [signed_in(portal, who, **{"X-Real-IP": f"203.0.113.{number}"})
               for number in range(6)]
    for _ in range(12):
        for poller in pollers:
            poller.post("verify", code=app.wrong_code())
    for _ in range(3):
        client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.94"})
        for poller in pollers:
            poller.post("verify", code=app.wrong_code())
        assert client.post("verify", code=app.code()).title() == "Your app passwords"
        client.mark = None
    looked_at = [line for line in portal.events() if " reason=wrong-second-factor " in line]
    assert len(looked_at) == 30, "five of each"


def test_a_new_browser_gets_its_code_by_mail_while_somebody_asks_for_others(
        directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    poller = signed_in(portal, who, **{"X-Real-IP": "203.0.113.1"})
    for _ in range(10):
        poller.post("resend")
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.95"})
    assert client.post("verify", code=portal.code_by_mail()).title() == "Your app passwords"


# ---- secrets ----

def test_no_secret_gets_into_log_output_arguments_or_environment(directory, start_portal):
    portal = start_portal()
    program = pathlib.Path(portal.conf["sendmail"])
    program.write_text(program.read_text().replace(
        "#!/bin/sh\n", f'#!/bin/sh\n{{ echo "$@"; env; }} >>{portal.folder}/sendmail.called\n'))
    who = directory.new_person(mfa=True)
    client, app = choosing_app(portal, who)
    key = client.page.secret()
    used = [app.code()]
    client.post("verify", code=used[0])
    shown = make_app_password(client)
    client.get("")
    client.post("add-factor")
    client.post("choose", method="mail")
    client.post("contact", address="someone@elsewhere.example")
    used.append(portal.code_by_mail())
    client.post("verify", code=used[1])
    token, cookie = client.page.token(), client.cookie.split("=")[1]
    proc = pathlib.Path(f"/proc/{portal.process.pid}")
    places = {name: path.read_bytes().decode(errors="replace") for name, path in {
        "log": portal.log, "output": portal.folder / "portal.out",
        "arguments": proc / "cmdline", "environment": proc / "environ",
        "sendmail": portal.folder / "sendmail.called"}.items()}
    secrets = [who.password, key, shown, shown.replace("-", ""), *used, token, cookie,
               pathlib.Path(portal.conf["key_file"]).read_text().strip()]
    for name, text in places.items():
        for secret in secrets:
            assert secret in used or secret not in text, name
        for code in used:  # six digits may be a part of some longer number
            assert not re.search(rf"(?<!\d){code}(?!\d)", text), name
    called = set(places["sendmail"].splitlines())
    assert "-i -t -f app-passwords@127.0.0.1" in called
    assert "someone@elsewhere.example" not in places["sendmail"]
    assert {line for line in called if "=" in line and not line.startswith(("PWD=", "_=", "SHLVL="))
            } <= {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "OLDPWD="}
