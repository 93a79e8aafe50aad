# SPDX-License-Identifier: BSD-2-Clause
"""SMTP clients that sign in: Python's smtplib, swaks, and AUTH line by line."""

import re
import smtplib
import ssl
import subprocess
from base64 import b64encode
from collections import namedtuple

Reply = namedtuple("Reply", "code text")

# Postfix's answers to AUTH.
ACCEPTED, REFUSED, UNAVAILABLE = 235, 535, 454


def connect(port, ca, starttls=False):
    """An smtplib client after EHLO, with TLS from the first byte or by STARTTLS."""
    context = ssl.create_default_context(cafile=ca)
    if starttls:
        client = smtplib.SMTP("127.0.0.1", port, timeout=60)
        client.starttls(context=context)
    else:
        client = smtplib.SMTP_SSL("127.0.0.1", port, timeout=60, context=context)
    client.ehlo()
    return client


def command(client, line):
    """Send one line, given as str or bytes, and return the reply."""
    client.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
    code, text = client.getreply()
    return Reply(code, text.decode())


def plain(client, user, password, authzid="", initial_response=True):
    """AUTH PLAIN; user, password and authzid may be str or bytes."""
    return auth(client, "PLAIN", [b"\0".join(_bytes(part) for part in (authzid, user, password))],
                initial_response)


def login(client, user, password, initial_response=False):
    """AUTH LOGIN; an initial response sends the user with the command."""
    return auth(client, "LOGIN", [_bytes(user), _bytes(password)], initial_response)


def auth(client, mechanism, answers, initial_response):
    """AUTH with the client's answers, each encoded in base64."""
    answers = [b64encode(answer).decode() or "=" for answer in answers]
    first = f"AUTH {mechanism}"
    if initial_response:
        first += " " + answers.pop(0)
    reply = command(client, first)
    for answer in answers:
        if reply.code != 334:
            break
        reply = command(client, answer if answer != "=" else "")
    return reply


def swaks(port, ca, user, password, mechanism, folder):
    """swaks, with TLS from the first byte, up to AUTH; it reads the password from a file."""
    options = folder / "swaksrc"
    options.write_text(f"auth-user {user}\nauth-password {password}\n")
    options.chmod(0o600)
    done = subprocess.run(
        ["swaks", "--config", options, "--server", f"127.0.0.1:{port}", "--to", "a@example.net",
         "--tlsc", "--tls-verify", "--tls-ca-path", ca, "--auth", mechanism,
         "--quit-after", "AUTH"],
        text=True, capture_output=True)
    replies = re.findall(r"^<~[ *]* (\d{3})[ -](.*)$", done.stdout, flags=re.MULTILINE)
    last, _ = replies[-2]  # the answer to QUIT follows
    return Reply(int(last), "\n".join(text for code, text in replies if code == last))


def _bytes(text):
    return text.encode() if isinstance(text, str) else text
