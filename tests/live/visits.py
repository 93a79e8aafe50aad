# SPDX-License-Identifier: BSD-2-Clause
"""Clients at each step of the self-service page."""

import email.header
import email.parser
import re

from authenticator import Authenticator

ALTERNATE = "someone@elsewhere.example"


def signed_in(portal, who, **headers):
    """With the account password; users without a second factor may then enroll."""
    client = portal.client(**headers)
    client.sign_in(who)
    return client


def choosing_app(portal, who, **headers):
    """With a new key in the app, not verified yet; (client, Authenticator)."""
    client = signed_in(portal, who, **headers)
    client.post("start")
    client.post("choose", method="app")
    return client, Authenticator(client.page.secret())


def enrolled(portal, who, **headers):
    """With an app that was just verified; (client, Authenticator)."""
    client, app = choosing_app(portal, who, **headers)
    client.post("verify", code=app.code())
    assert client.page.title() == "Your second step is set up", client.page.words()
    return client, app


def enrolled_by_mail(portal, who, address=ALTERNATE):
    """With an alternate address that was just verified."""
    client = signed_in(portal, who)
    client.post("start")
    client.post("choose", method="mail")
    client.post("contact", address=address)
    client.post("verify", code=portal.code_by_mail())
    assert client.page.title() == "Your second step is set up", client.page.words()
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
    return re.findall(r"<h2>([^<]*) <span", page.text)


def second_factors(directory, who):
    """An entry's second factors and enrollment codes, but not the count of wrong codes."""
    return sorted(value for value in directory.values(who, "appPasswordMfaMethod")
                  if not value.startswith("guesses "))


def link_in(portal):
    """The path of the link in the newest mail."""
    return re.search(rf"^http://127.0.0.1:{portal.port}/(this-browser/\S+)$", portal.mails()[-1][1],
                     re.MULTILINE)[1]


def subject_of(text):
    message = email.parser.Parser().parsestr(text)
    return str(email.header.make_header(email.header.decode_header(message["Subject"])))
