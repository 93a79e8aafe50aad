# SPDX-License-Identifier: BSD-2-Clause
"""app-password remind on a host of the page, whose mails a sendmail keeps."""

import os
import re
import subprocess
import time

import ldap
import pytest

from administration import COMMAND, PREFIX
from apppassword import from_now
from conftest import new_folder
from portal import Portal
from slapd import BASE, IDENTITIES, Slapd

# All but the yearly ones: those of some user may be due on any day.
USUAL = {"remind": "mfa made expiring unused", "remind_rate": "6000"}
PATH = f"{PREFIX}/bin:{os.environ['PATH']}"
LANGUAGES = f"""\
access to attrs=preferredLanguage by dn.exact="{IDENTITIES["portal"]}" read by * none
"""

EXPIRING = "An app password expires soon"
MADE = "An app password was created for you"
UNUSED = "Do you still need these app passwords?"
REVOKED_SOON = "Unused app passwords will be revoked"
ANNOUNCED = "Your mail programs will need an app password"
WEEK = "Your mail programs will soon need an app password"
TODAY = "Your mail programs need an app password now"


class Host:
    """A host with the page's files; the page itself need not run.

    portal  a Portal or StoredPortal; its `conf` turns reminders on
    """

    def __init__(self, portal):
        self.portal = portal
        self.state = portal.folder / "state"
        self.state.mkdir(exist_ok=True)
        self.seen = 0

    def env(self, env=None):
        return (env or os.environ) | {"PATH": PATH, "STATE_DIRECTORY": str(self.state)}

    def remind(self, *arguments, env=None):
        """Call it; the result of subprocess.run()."""
        return self.portal.command("remind", *arguments, env=self.env(env))

    def start(self, *arguments):
        """Start it and go on."""
        return subprocess.Popen([COMMAND, "-c", self.portal.config, "remind", *arguments],
                                env=self.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def begin(self, days_ago=0):
        """As if reminders had begun so long ago."""
        began = int(time.time()) - days_ago * 86400
        (self.state / "remind").write_text(f"began {began}\ntime {began}\n")

    def new(self):
        """(recipient, subject) of the mails since the last call."""
        messages = self.portal.messages()[self.seen:]
        self.seen += len(messages)
        return [(message["To"], message["Subject"]) for message in messages]

    def newest(self):
        """The text of the newest mail."""
        return self.portal.messages()[-1].get_content()

    def lines(self, action):
        """The lines of the log with that action, without their time."""
        lines = self.portal.log.read_text().splitlines() if self.portal.log.exists() else []
        return [line.partition(" ")[2] for line in lines
                if line.partition(" ")[2].startswith(f"app-password: action={action} ")]


def reminders(directory, who):
    """What is recorded for a user, in order."""
    return sorted(value.removeprefix("reminder ") for value in
                  directory.values(who, "appPasswordMfaMethod") if value.startswith("reminder "))


def told_of_end(days, app_password):
    """The record of the mail so many days before the end in the app password's value."""
    end = re.search(r"expires=(\S+)", app_password.value)[1]
    return f"kind=expiring-{days} id={app_password.id} of={end}"


def counts(called):
    """sent, failed, held and revoked of the sum."""
    return tuple(map(int, re.search(
        r"^mails: (\d+) (?:would be )?sent, (\d+) failed, (\d+) left for the next run; "
        r"app passwords: (\d+) (?:would be )?revoked$", called.stdout, re.MULTILINE).groups()))


def make_host(folder, directory, conf=None, **keys):
    return Host(Portal(folder, directory, USUAL | (conf or {}), **keys))


@pytest.fixture(scope="module")
def people(workdir):
    """A directory of which each test empties what it used."""
    server = Slapd(new_folder(workdir, "slapd"), first_rules=LANGUAGES)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def host(people, folder):
    """A host on which reminders began ten days ago."""
    made = make_host(folder / "etc", people, log=folder / "etc" / "portal.log")
    made.begin(days_ago=10)
    yield made
    forget_everybody(people)


def forget_everybody(directory):
    """Removes what would be due in the next test."""
    administrator = directory.connect("administrator")
    for dn, entry in administrator.search_s(
            f"ou=people,{BASE}", ldap.SCOPE_SUBTREE,
            "(|(appPassword=*)(appPasswordMfaEnforceFrom=*)(appPasswordMfaMethod=*))"):
        administrator.modify_s(dn, [(ldap.MOD_DELETE, name, None) for name in entry
                                    if name.startswith("appPassword")])


def used(directory, who, app_password, **ago):
    """Records a use so long ago."""
    directory._modify(who, [(ldap.MOD_ADD, "appPasswordUsed", [
        f"id={app_password.id} at={from_now(**ago)} service=imap".encode()])])


def with_one(directory, **fields):
    """A user with an app password made 100 days ago."""
    who = directory.new_person(mfa=True)
    return who, directory.add_app_password(who, **{"created": from_now(days=-100)} | fields)


def expiring(directory, days=10, **fields):
    return with_one(directory, expires=from_now(days=days), **fields)
