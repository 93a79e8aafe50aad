# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page on its own port, and a simple client for it."""

import base64
import hashlib
import hmac
import html
import http.client
import re
import secrets
import shutil
import socket
import time
import urllib.parse

from administration import PREFIX, Site
from processes import free_port, start, stop, wait_until
from slapd import IDENTITIES

PROGRAM = PREFIX / "bin" / "app-password-portal"
PORTAL_USER = 31598  # a number that no user of the machine has
SHOWN = r"[0-9a-z]{4}(?:-[0-9a-z]{4}){4}"


class Portal(Site):
    """app-password-portal with a directory, and a sendmail that keeps what it is given.

    conf  keys of portal.conf over the usual ones; None leaves one out
    keys  keys of app-password.conf
    """

    def __init__(self, folder, directory, conf=None, **keys):
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
        self.process = None

    def start(self, env=None):
        """Start it and wait until it answers."""
        self.process = start([PROGRAM, "-c", self.config], self.folder / "portal.out", env)
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

    def mails(self):
        """The messages given to sendmail, in order: (recipient, text)."""
        return [(file.read_text().split("\n", 1)) for file in
                sorted(self.mail.glob("*.mail"), key=lambda file: int(file.stem))]

    def code_by_mail(self):
        """The code in the newest mail."""
        return re.search(r"^    (\d{6})$", self.mails()[-1][1], re.MULTILINE)[1]

    def client(self, **headers):
        """A client; behind a single sign-on, it has the proxy's secret."""
        if "trusted_user_header" in self.conf:
            headers = {"X-App-Password-Proxy": self.proxy_secret} | headers
        return Client(self._where(), headers)

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
        """Replaces the mail system: one file for each message, with its recipient in the first line."""
        program = self.folder / "sendmail"
        program.write_text(f"""#!/bin/sh
[ ! -e {self.folder}/no-mail ] || exit 75
number=$(ls {self.mail} | wc -l)
cat > {self.mail}/.message
{{ sed -n 's/^To: //p;/^$/q' {self.mail}/.message; cat {self.mail}/.message; }} > {self.mail}/.new &&
    mv {self.mail}/.new {self.mail}/$number.mail
""")
        program.chmod(0o755)
        return program


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
        return self.socket.exists()


def totp(secret, at=None):
    """The code that an authenticator app shows for a key in base32 (RFC 6238)."""
    step = int(time.time() if at is None else at) // 30
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    number = int.from_bytes(digest[place:place + 4], "big") & 0x7fffffff
    return f"{number % 10**6:06}"


class Page:
    """An answer."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.text = body

    def words(self):
        """The visible text, white space folded."""
        bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", self.text, flags=re.DOTALL)
        return " ".join(html.unescape(bare).split())

    def title(self):
        return html.unescape(re.search(r"<h1>(.*?)</h1>", self.text)[1])

    def token(self):
        return re.search(r'name="csrf" value="([^"]*)"', self.text)[1]

    def secret(self):
        """The key for the authenticator app."""
        return re.search(r"secret=([A-Z2-7]+)&amp;", self.text)[1]

    def app_password(self):
        return re.search(rf'id="app-password"[^>]*>({SHOWN})<', self.text)[1]

    def app_passwords(self):
        """Whether it shows one."""
        return re.findall(SHOWN, self.text)


def connect(where, timeout=30):
    """A connection to a port of this host, or to a Unix socket by its path."""
    if isinstance(where, int):
        return http.client.HTTPConnection("127.0.0.1", where, timeout=timeout)
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(timeout)
    connection.sock.connect(where)
    return connection


class Client:
    """A client that keeps cookies, follows redirects and sends forms with their token.

    where  as for connect()
    """

    def __init__(self, where, headers=None):
        self.where = where
        self.headers = {"Accept-Language": "en"} | (headers or {})
        self.cookie = None  # of the session
        self.mark = None  # of the browser
        self.page = None

    def get(self, path):
        self.page = self._ask("GET", path)
        return self.page

    def post(self, path, token=None, **fields):
        """Send a form with the token of the page that was seen last."""
        if token is None:
            token = self.page.token()
        body = urllib.parse.urlencode({"csrf": token} | fields)
        self.page = self._ask("POST", path, body)
        return self.page

    def sign_in(self, who, password=None):
        self.get("")
        return self.post("sign-in", login=who.uid, password=password or who.password)

    def _ask(self, method, path, body=None):
        page = self.ask_once(method, path, body)
        while page.status == 303:
            page = self.ask_once("GET", page.headers["Location"].removeprefix("/"))
        return page

    def ask_once(self, method, path, body=None):
        """One request, without following redirects."""
        headers = dict(self.headers)
        if cookies := [cookie for cookie in (self.cookie, self.mark) if cookie]:
            headers["Cookie"] = "; ".join(cookies)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = connect(self.where)
        try:
            connection.request(method, f"/{path}", body, headers)
            response = connection.getresponse()
            page = Page(response, response.read().decode())
        finally:
            connection.close()
        for cookie in page.headers.get_all("Set-Cookie", []):
            if "app-password-browser=" in cookie:
                self.mark = cookie.split(";")[0]
            else:
                self.cookie = cookie.split(";")[0]
        return page
