# SPDX-License-Identifier: BSD-2-Clause
"""Clients at each step of the self-service page."""

import concurrent.futures
import email.header
import email.parser
import re

from authenticator import Authenticator

RECOVERY = "factor v=2 kind=recovery "
ALTERNATE = "someone@elsewhere.example"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/131.0.0.0 Mobile Safari/537.36"


def signed_in(portal, who, **headers):
    """With the account password; users without a second factor may then enroll."""
    client = portal.client(**headers)
    client.sign_in(who)
    return client


def choosing_app(portal, who, **headers):
    """With a new key in the app, not verified yet; (client, Authenticator)."""
    client = signed_in(portal, who, **headers)
    client.post("start")
    client.post("choose", method="totp")
    return client, Authenticator(client.page.secret())


def leave_codes(client):
    """From the recovery codes, which follow the enrollment, to the next page."""
    assert client.page.title() == "Your recovery codes", client.page.words()
    assert client.get("verified").title() in ("Your second step is set up", "Your app passwords")


def enrolled(portal, who, **headers):
    """With an app that was just verified; (client, Authenticator)."""
    client, app = choosing_app(portal, who, **headers)
    client.post("verify", code=app.code())
    leave_codes(client)
    return client, app


def enrolled_by_mail(portal, who, address=ALTERNATE):
    """With an alternate address that was just verified."""
    client = signed_in(portal, who)
    client.post("start")
    client.post("choose", method="mail")
    client.post("contact", address=address)
    client.post("verify", code=portal.code_by_mail())
    leave_codes(client)
    return client


def let_in(portal, who, app, **headers):
    """With account password and second factor."""
    client = signed_in(portal, who, **headers)
    client.post("verify", code=app.code())
    assert client.page.title() == "Your app passwords", client.page.words()
    return client


def make_app_password(client, label="a test", services="", expires="never"):
    """A new app password, as the page shows it."""
    client.get("")
    client.post("create", label=label, services=services, expires=expires)
    return client.page.app_password()


def labels(page):
    """The ids of the app passwords in the list."""
    return re.findall(r"""<h2><span lang="">([^<]*)</span> <span""", page.text)


def second_factors(directory, who):
    """An entry's second factors and enrollment codes, but neither recovery codes, nor the count of
    wrong codes, nor remembered browsers, nor a reset that waits."""
    return sorted(value for value in directory.values(who, "appPasswordMfaMethod")
                  if not value.startswith(("guesses ", "browser ", "reset ", RECOVERY)))


def link_in(portal):
    """The path of the link in the newest mail."""
    return re.search(rf"^{re.escape(portal.conf['public_url'])}/(this-browser/\S+)$",
                     portal.mails()[-1][1], re.MULTILINE)[1]


def subject_of(text):
    message = email.parser.Parser().parsestr(text)
    return str(email.header.make_header(email.header.decode_header(message["Subject"])))


def events_of(portal, who):
    """A user's log lines as "verdict reason action", without missing parts, or "result action"."""
    found = []
    for line in portal.log.read_text().splitlines():
        fields = dict(re.findall(r'([a-z-]+)=("[^"]*"|\S+)', line))
        if fields.get("user") == f'"{who.uid}"':
            assert fields.get("service") == "portal" or "result" in fields
            found.append(" ".join(fields[key] for key in ("verdict", "reason", "result", "action")
                                  if key in fields))
    return found


def subjects(portal, who):
    """The subjects of the mails in a user's own mailbox."""
    return [subject_of(text) for to, text in portal.mails() if to == who.mail]


def at_once(count, action):
    """The results of concurrent calls of action(number)."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(action, range(count)))
