# SPDX-License-Identifier: BSD-2-Clause
"""The second half of scripts/screenshots: visits each page and takes its picture."""

import base64
import contextlib
import os
import pathlib
import signal
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "live"))

from browser import Browser
from certificates import Authority
from nginx import Nginx
from portal import PortalOnSocket, locales
from portal_tour import HELP_DESK, Tour
from processes import run
from slapd import IDENTITIES, Slapd, person

HOST = "mail.example.org"
WIDE, PHONE = 760, 360
ALSO_DARK_AND_NARROW = ("sign-in", "start", "choose", "app", "passkey", "recovery codes", "password", "list",
                        "challenge by passkey", "second steps, browser remembered", "list, unused link",
                        "device link", "device link, used", "device, iPhone", "device, app password, iPhone")
HIRING = f'access to * by dn.exact="{IDENTITIES["user manager"]}" manage by * break'
IN_README = {"second steps, browser remembered": "second-steps", "password, Outlook": "password",
             "list": "list"}  # beside one another
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir>
<cachedir>{folder}/fonts</cachedir>
<alias binding="same"><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
<alias binding="same"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
</fontconfig>
"""


class Directory(Slapd):
    """People with names that look good in a picture."""

    # Four for each language.
    names = iter("""ola kari anna per liv astrid emma noah nora jakob sofie oskar ella filip maja emil ida
        jonas lea leo sara elias alma axel vera hugo signe isak mia adam eva max julia simon olga
        jan clara anton marie otto lena paul rosa tom iris finn nina erik""".split())

    def new_person(self, mfa=False):
        who = person(next(self.names))
        self.connect("user manager").add_s(who.dn, [
            (name, [value.encode() for value in values]) for name, values in {
                "objectClass": ["inetOrgPerson"], "uid": [who.uid], "cn": [who.uid],
                "sn": [who.uid], "mail": [who.mail], "userPassword": [who.password]}.items()])
        if mfa:
            self.set_mfa(who, True)
        return who


def portal_behind_nginx(started, work, name, directory, authority, **conf):
    nginx = Nginx(work / f"{name}-nginx", authority, work / name / "http.sock")
    portal = PortalOnSocket(work / name, directory, {
        "support": "helpdesk@example.org, telephone 1234",
        "public_url": f"https://{HOST}:{nginx.port}/app-passwords", **conf})
    for server in (portal, nginx):
        started.callback(server.stop)
        server.start()
    return portal


def take(browser, file, width=WIDE, colors="light", height=None, scale=1):
    """A picture of the whole page, or of its beginning."""
    browser.use_colors(colors)
    browser.use_width(width, 1)
    height = height or browser.script("return document.documentElement.scrollHeight")
    browser.use_width(width, height, scale)
    taken = browser.devtools("Page.captureScreenshot", format="png")
    file.write_bytes(base64.b64decode(taken["data"]))
    browser.use_colors("light")
    browser.use_window_width()


def take_all(browser, tour, folder):
    folder.mkdir()
    for number, page in enumerate(tour.pages(), 1):
        name = f"{number:02}-{page.replace(',', '').replace(' ', '-')}"
        take(browser, folder / f"{name}.png")
        if page in ALSO_DARK_AND_NARROW:
            take(browser, folder / f"{name}-dark.png", colors="dark")
            take(browser, folder / f"{name}-phone.png", width=PHONE)
        if page in IN_README and folder.name == "en":
            file = folder / f"readme-{IN_README[page]}.png"
            take(browser, file, width=520, height=930, scale=1.5)
            run(["pngquant", "--force", "--ext", ".png", "--speed", "1", "--strip", file])


def main(work, folder, *languages):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    (work / "fonts.conf").write_text(FONTS.format(folder=work))
    os.environ["FONTCONFIG_FILE"] = str(work / "fonts.conf")
    with contextlib.ExitStack() as started:
        authority = Authority(work / "ca")
        directory = Directory(work / "slapd", first_rules=HIRING)
        started.callback(directory.stop)
        directory.start()
        portal = portal_behind_nginx(
            started, work, "portal", directory, authority,
            imap_server="imap.example.org:993", smtp_server="smtp.example.org:587", remember_browser="30d",
            **HELP_DESK)
        with_code = portal_behind_nginx(
            started, work, "code", directory, authority, enrolment="code")
        browser = Browser(work / "browser", flags=[
            "--ignore-certificate-errors", "--hide-scrollbars",
            f"--host-resolver-rules=MAP {HOST} 127.0.0.1"])
        started.callback(browser.quit)
        for language in languages or locales():
            browser.forget()
            portal.stop()  # forgets wrong passwords: each tour has one
            portal.start()
            browser.open(f"{portal.conf['public_url']}/?lang={language}")
            take_all(browser, Tour(browser, portal, with_code, directory), folder / language)


main(*map(pathlib.Path, sys.argv[1:3]), *sys.argv[3:])
