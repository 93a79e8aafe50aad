# SPDX-License-Identifier: BSD-2-Clause
"""Hostile clients: deceptive names, and fields of every size.

The directory decides which user a name means: the tests ask it with a filter escaped by
python-ldap. The right app password under any other name opens nothing. An accepted user has the
name from login_attribute.
"""

import re
import smtplib
import socket
from concurrent.futures import ThreadPoolExecutor

import ldap
import pytest
from ldap.filter import escape_filter_chars

import dovecot
import smtp
from processes import wait_until
from slapd import BASE
from smtp import ACCEPTED, REFUSED
from test_load import died

# Each trick changes a login name. The directory decides whether it finds the entry by the result.
TRICKS = {
    "as it is": lambda uid: uid,
    "upper case": str.upper,
    "mixed case": str.title,
    "spaces around": lambda uid: f"  {uid} ",
    "a space within": lambda uid: f"{uid[:3]} {uid[3:]}",
    "spaces within the domain": lambda uid: f"{uid}@ example.org",
    "full-width letters": lambda uid: "".join(chr(ord(c) + 0xfee0) for c in uid),
    "one full-width letter": lambda uid: chr(ord(uid[0]) + 0xfee0) + uid[1:],
    "a Cyrillic letter": lambda uid: uid.replace("e", "\u0435"),
    "a soft hyphen": lambda uid: f"{uid[:2]}\u00ad{uid[2:]}",
    "a zero-width space": lambda uid: f"{uid[:2]}\u200b{uid[2:]}",
    "a combining accent": lambda uid: f"{uid}\u0301",
    "right to left": lambda uid: f"\u202e{uid[::-1]}",
    "an isolate": lambda uid: f"\u2067{uid}\u2069",
    "a control character": lambda uid: f"{uid}\x07",
    "a line break and more": lambda uid: f"{uid}\r\nverdict=accepted",
    "a NUL": lambda uid: f"{uid}\0",
    "its domain": lambda uid: f"{uid}@example.org",
    "another domain": lambda uid: f"{uid}@example.net",
    "two domains": lambda uid: f"{uid}@example.org@example.org",
    "an empty domain": lambda uid: f"{uid}@",
    "an empty name": lambda uid: f"@{uid}",
    "an asterisk": lambda uid: f"{uid[:3]}*",
    "a filter": lambda uid: f"{uid})(objectClass=*",
    "the rest of a filter": lambda uid: f"x)(uid={uid}))(|(uid=x",
    "an escape": lambda uid: f"\\{ord(uid[0]):02x}{uid[1:]}",
    "half an escape": lambda uid: f"{uid}\\",
    "a DN": lambda uid: f"uid={uid},ou=people,{BASE}",
    "a DN's escape": lambda uid: f"{uid}\\,ou=people",
    "more values": lambda uid: f"{uid}+cn={uid}",
    "a quotation mark": lambda uid: f'"{uid}"',
    "a percent sign": lambda uid: f"%u{uid}",
    "a template": lambda uid: "%u",
    "another's name in front": lambda uid: f"user000,{uid}",
}


def known_by(directory, login):
    """The DNs that the directory finds for a login, with the usual filter."""
    login = login.strip(" \t\r\n\v\f\u202e\u2067\u2069")  # invisible at the ends: no part of it
    if not login or "\0" in login:
        return []
    value = escape_filter_chars(login)
    connection = directory.connect("mail server")
    found = connection.search_s(BASE, ldap.SCOPE_SUBTREE, f"(|(uid={value})(mail={value}))",
                                ["uid"])
    return [dn for dn, _ in found if dn]


@pytest.fixture(scope="module")
def named(mail_server):
    """A mail server that reports the directory's spelling of the name."""
    return mail_server({"login_attribute": "uid", "remember": "no"}, kind="under load")


@pytest.fixture(scope="module")
def pair(directory):
    """A user, their app password, and another user."""
    owner, app_password = directory.new_person(mfa=True, app_passwords=1)
    return owner, app_password.shown, directory.new_person(mfa=True, app_passwords=1)[0]


@pytest.mark.parametrize("how", [smtp.plain, smtp.login])
def test_a_name_opens_only_the_entry_that_the_directory_finds_for_it(
        named, directory, pair, how):
    owner, shown, other = pair
    accepted = set()
    for name, trick in TRICKS.items():
        for target in owner, other:
            login = trick(target.uid)
            client = named.connect()
            reply = how(client, login, shown)
            if reply.code == ACCEPTED:
                assert target is owner and known_by(directory, login) == [owner.dn], name
                assert accepted_name(named, client) == owner.uid, name
                accepted.add(name)
            else:
                assert reply.code in (REFUSED, 501), (name, reply)
                assert target is other or known_by(directory, login) != [owner.dn] \
                    or name in NO_LOGINS, name
            client.close()
    assert {"as it is", "upper case", "its domain", "full-width letters"} <= accepted
    assert all(re.match(r"\d{4}-\d\d-\d\dT\S+Z app-password: verdict=", line)
               for line in named.log_lines())


# The directory might find a user by these names, but they are not valid logins.
NO_LOGINS = {"a control character", "a line break and more"}


def accepted_name(server, client):
    """The name that Postfix logs for a message of this client."""
    def names():
        return re.findall(r"sasl_method=.*sasl_username=(\S+)",
                          "\n".join(server.postfix.log_of(server.service)))
    before = len(names())
    client.mail("a@example.org")
    client.rcpt("b@example.net")
    return wait_until(lambda: names()[before:], "the name in the log of Postfix")[-1]


def test_the_same_over_imap(usual_dovecot, directory, pair):
    """Dovecot allows only certain characters in a name; the directory decides about the rest."""
    owner, shown, other = pair

    def verdict(login):
        return dovecot.imap_authenticate(usual_dovecot, login, shown)

    with ThreadPoolExecutor(8) as threads:
        logins = [(target, trick(target.uid)) for target in (owner, other)
                  for trick in TRICKS.values()]
        verdicts = list(threads.map(verdict, [login for _, login in logins]))
    for (target, login), verdict in zip(logins, verdicts):
        if verdict == dovecot.ACCEPTED:
            assert target is owner and known_by(directory, login) == [owner.dn], login
    assert dovecot.ACCEPTED in verdicts and dovecot.UNAVAILABLE not in verdicts


SIZES = [0, 1, 254, 255, 256, 1023, 1024, 1025, 4096, 12288, 65536, 1 << 20]


@pytest.mark.parametrize("field, how", [
    ("login", smtp.plain), ("login", smtp.login), ("password", smtp.plain),
    ("password", smtp.login), ("authzid", smtp.plain)])
def test_no_field_of_any_size_gets_in_or_ends_the_process(named, pair, field, how):
    owner, shown, _ = pair
    assert named.sign_in(owner.uid, shown).code == ACCEPTED
    before = set(named.postfix.processes(named.service))
    for size in SIZES:
        fields = {"user": owner.uid, "password": shown} | {
            "user" if field == "login" else field: "x" * size}
        client = named.connect()
        try:
            reply = how(client, **fields)
            assert reply.code in (REFUSED, 500, 501) or (field, size) == ("authzid", 0), reply
        except (smtplib.SMTPException, OSError):
            pass  # it was sent away
        finally:
            client.close()
    assert named.sign_in(owner.uid, shown).code == ACCEPTED
    assert before <= set(named.postfix.processes(named.service))
    assert died(named.postfix.log_of(named.service)) == []


def test_imap_fields_of_any_size_leave_dovecot_well(usual_dovecot, pair):
    owner, shown, _ = pair
    dovecot.imap(usual_dovecot, owner.uid, "wrong")
    workers = set(wait_until(usual_dovecot.workers, "a worker"))
    attempts = [attempt for size in SIZES
                for attempt in ((b"x" * size, b"y"), (owner.uid.encode(), b"x" * size))]
    with ThreadPoolExecutor(8) as threads:
        for answer in threads.map(lambda attempt: literal_login(usual_dovecot, *attempt), attempts):
            assert b"OK" not in answer.split(b"\r\na ")[-1][:3]
    assert dovecot.imap(usual_dovecot, owner.uid, shown) == dovecot.ACCEPTED
    assert workers <= set(usual_dovecot.workers())
    assert died(usual_dovecot.log.read_text(errors="replace").splitlines()) == []


def literal_login(server, login, password):
    """LOGIN with both as non-synchronizing literals; returns all of the server's output."""
    with socket.create_connection(("127.0.0.1", server.ports["imap"]), timeout=60) as connection:
        answer = connection.recv(4096)
        try:
            connection.sendall(b"a LOGIN {%d+}\r\n%s {%d+}\r\n%s\r\n"
                               % (len(login), login, len(password), password))
            while not re.search(rb"\r\n(a (OK|NO|BAD)|\* BYE)", answer):
                data = connection.recv(65536)
                if not data:
                    break
                answer += data
        except OSError:
            pass  # it was sent away
        return answer
