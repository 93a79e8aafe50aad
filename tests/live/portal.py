# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page on its own port."""

import base64
import email
import email.policy
import re
import secrets
import shutil
import socket
from urllib.parse import urlsplit

from administration import PREFIX, Site
from page_client import Client, connect
from processes import free_port, start, stop, wait_until
from slapd import IDENTITIES

PROGRAM = PREFIX / "bin" / "app-password-portal"
PORTAL_USER = 31598  # a number that no user of the machine has


def locales():
    """The codes of the languages that are installed."""
    files = (PREFIX / "share" / "locale").glob("*/LC_MESSAGES/app-password-portal.mo")
    return ["en", *sorted(file.parts[-3].replace("_", "-") for file in files)]


class Portal(Site):
    """app-password-portal with a directory, and a sendmail that keeps what it is given.

    conf  keys of portal.conf over the usual ones; None leaves one out
    keys  keys of app-password.conf
    """

    def __init__(self, folder, directory, /, conf=None, **keys):
        super().__init__(folder, directory, **{
            "log": folder / "portal.log", "refusal_delay": "0"} | keys)
        self.log = folder / "portal.log"
        self.port = free_port()
        self.mail = folder / "mail"
        self.mail.mkdir()
        key = folder / "portal.key"
        key.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        self.conf = {
            "binddn": IDENTITIES["portal"], "bindpw_file": self.secret_file("portal"),
            "listen": f"127.0.0.1:{self.port}", "public_url": f"http://127.0.0.1:{self.port}",
            "key_file": key, "support": "help@example.org", "sendmail": self._write_sendmail(),
            "own_domains": "example.org"} | (conf or {})
        self.proxy_secret = secrets.token_hex(32)
        if "trusted_user_header" in self.conf and "trusted_user_secret_file" not in self.conf:
            file = folder / "proxy.secret"
            file.write_text(self.proxy_secret + "\n")
            self.conf["trusted_user_secret_file"] = file
        self.write(folder / "portal.conf",
                   {key: value for key, value in self.conf.items() if value is not None})
        self.enter = []  # a program that starts it
        self.process = None

    def start(self, env=None):
        """Start it and wait until it answers."""
        self.process = start([*self.enter, PROGRAM, "-c", self.config], self.folder / "portal.out", env)
        wait_until(self._answers, f"the portal, see {self.folder}/portal.out")
        return self

    def stop(self):
        if self.process:
            stop(self.process)
        self.process = None

    def events(self):
        """The lines of its log."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if " verdict=" in line]

    def messages(self):
        """The messages given to sendmail, in order, as a mail program reads them."""
        files = sorted(self.mail.glob("*.mail"), key=lambda file: int(file.stem))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                for file in files]

    def mails(self):
        """The same as (recipient, text): the header as it was sent, and the decoded body."""
        return [(message["To"], message.as_string().partition("\n\n")[0] + "\n\n" +
                 message.get_content()) for message in self.messages()]

    def code_by_mail(self):
        """The code in the newest mail."""
        return re.search(r"^    (\d{6})$", self.mails()[-1][1], re.MULTILINE)[1]

    def client(self, **headers):
        """A client; behind a single sign-on, it has the proxy's secret."""
        if "trusted_user_header" in self.conf:
            headers = {"X-App-Password-Proxy": self.proxy_secret} | headers
        return Client(self._where(), headers, urlsplit(self.conf["public_url"] or "").path.strip("/"))

    def connect(self):
        """A new connection of http.client."""
        return connect(self._where())

    def _where(self):
        listen = str(self.conf["listen"])
        return listen.removeprefix("unix:") if listen.startswith("unix:") else self.port

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "portal.out").read_text()
        try:
            return self.client().get("").status
        except OSError:
            return False

    def _write_sendmail(self):
        """Replaces the mail system: one file for each message."""
        program = self.folder / "sendmail"
        program.write_text(f"""#!/bin/sh
[ ! -e {self.folder}/no-mail ] || exit 75
new=$(mktemp {self.mail}/.new.XXXXXX) && cat > $new || exit 75
number=$(ls {self.mail} | wc -l)
while [ -e $new ] && ! ln $new {self.mail}/$number.mail 2>/dev/null; do number=$((number + 1)); done
rm $new
""")
        program.chmod(0o755)
        return program


def on_localhost(folder, directory, conf=None):
    """A portal whose host has a name, as passkeys need it."""
    portal = Portal(folder, directory)
    portal.conf |= {"public_url": f"http://localhost:{portal.port}"} | (conf or {})
    portal.write(portal.folder / "portal.conf", portal.conf)
    return portal


class PortalOnSocket(Portal):
    """Listens on a socket for nginx, as its own user in nginx's group."""

    def __init__(self, folder, directory, conf=None, **keys):
        self.socket = folder / "http.sock"
        super().__init__(folder, directory, {
            "listen": f"unix:{self.socket}",
            "public_url": "https://localhost/app-passwords"} | (conf or {}), **keys)
        for file in [folder, *folder.iterdir()]:
            shutil.chown(file, PORTAL_USER)
        for secret in [*folder.glob("*.secret"), folder / "portal.key"]:
            secret.chmod(0o400)

    def start(self, env=None):
        self.process = start(
            ["setpriv", f"--reuid={PORTAL_USER}", "--regid=nogroup", "--clear-groups",
             PROGRAM, "-c", self.config], self.folder / "portal.out", env)
        wait_until(self._answers, f"the portal, see {self.folder}/portal.out")
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.folder / "portal.out").read_text()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0
