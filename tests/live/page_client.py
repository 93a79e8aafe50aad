# SPDX-License-Identifier: BSD-2-Clause
"""A simple client for the self-service page."""

import html
import http.client
import re
import socket
import urllib.parse

SHOWN = r"[0-9a-z]{4}(?:-[0-9a-z]{4}){4}"


class Page:
    """An answer."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.bytes = body
        # Of a signed profile there is no text.
        text = body.decode(errors="strict" if body[:1] != b"\x30" else "replace")
        self.text = text.replace("<wbr>", "")  # where a line may end

    def words(self):
        """The visible text, white space folded."""
        bare = re.sub(r"<(script|style|template).*?</\1>|<[^>]+>", " ", self.text, flags=re.DOTALL)
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


def connect(where, timeout=60):
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
    root   the path of public_url, without its first slash
    """

    def __init__(self, where, headers=None, root=""):
        self.where = where
        self.root = root and f"{root}/"
        self.headers = {"Accept-Language": "en"} | (headers or {})
        self.cookie = None  # of the session
        self.mark = None  # of the browser
        self.draft = None  # the key of an app that is being set up
        self.remembered = None  # of a browser that skips the second step
        self.language = None  # that was chosen
        self.page = None

    def get(self, path):
        self.page = self._ask("GET", self.root + path)
        return self.page

    def post(self, path, token=None, **fields):
        """Send a form with the token of the page that was seen last."""
        if token is None:
            token = self.page.token()
        body = urllib.parse.urlencode({"csrf": token} | fields)
        self.page = self._ask("POST", self.root + path, body)
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
        if cookies := [cookie for cookie in (self.cookie, self.mark, self.draft, self.remembered,
                                       self.language) if cookie]:
            headers["Cookie"] = "; ".join(cookies)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = connect(self.where)
        try:
            connection.request(method, f"/{path}", body, headers)
            response = connection.getresponse()
            page = Page(response, response.read())
        finally:
            connection.close()
        for cookie in page.headers.get_all("Set-Cookie", []):
            if "app-password-browser=" in cookie:
                self.mark = cookie.split(";")[0]
            elif "app-password-draft=" in cookie:
                self.draft = None if "Max-Age=0" in cookie else cookie.split(";")[0]
            elif "app-password-remembered=" in cookie:
                self.remembered = cookie.split(";")[0]
            elif "app-password-language=" in cookie:
                self.language = cookie.split(";")[0]
            else:
                self.cookie = cookie.split(";")[0]
        return page
