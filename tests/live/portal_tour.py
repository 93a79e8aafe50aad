# SPDX-License-Identifier: BSD-2-Clause
"""A walk through every page of the portal, in the language that the browser asks for.

Forms and fields are found by their names, not by their texts, so that it is the same walk in each
language.
"""

import re

import ldap

from apppassword import from_now
from authenticator import Authenticator
from processes import wait_until
from virtual_authenticator import VirtualAuthenticator
from visits import ANDROID, IPHONE, enrolled, link_in, signed_in

HELP_DESK = {"helpdesk_filter": "(mail=helpdesk-*)", "helpdesk_users": "(mail=*)"}


class Tour:
    """One browser's walk; people are new ones of the directory.

    portal, with_code  portals on the same directory, the first with passkeys, "remember_browser" and HELP_DESK,
                       the second with "enrolment code"
    """

    def __init__(self, browser, portal, with_code, directory):
        self.browser = browser
        self.portal = portal
        self.with_code = with_code
        self.directory = directory

    def pages(self):
        """Yields the name of each page while the browser shows it."""
        yield from self._before_anything()
        yield from self._enrolment_code()
        person = self.directory.new_person()
        self.directory.set_mfa(person, True, from_now(days=20))
        self._sign_in(person)
        yield "start"
        yield from self._enrol(person)
        yield from self._app_password()
        self._fill_list(person)
        yield from self._list()
        yield from self._device_links()
        yield from self._later(person)
        newcomer = self.directory.new_person(mfa=True)
        yield from self._early_link(newcomer)
        yield from self._passkey(newcomer)
        yield from self._help_desk(person)

    def _sign_in(self, person, password=None, portal=None):
        self.browser.open((portal or self.portal).conf["public_url"] + "/")
        self._send("sign-in", login=person.uid, password=password or person.password)

    def _send(self, form, **fields):
        for name, text in fields.items():
            field = self.browser.find(f'form[action$="/{form}"] [name="{name}"]')
            field.clear()
            field.send_keys(text)
        self.browser.send(form)

    def _choose(self, method):
        self.browser.find(f'label[for="method-{method}"]').click()
        self.browser.send("choose")

    def _open_details(self):
        for summary in self.browser.find_all("details:not([open]) > summary"):
            summary.click()

    def _before_anything(self):
        browser = self.browser
        person = self.directory.new_person()
        browser.open(self.portal.conf["public_url"] + "/")
        yield "sign-in"
        self._sign_in(person, password="wrong")
        yield "sign-in, refused"
        browser.open(self.portal.conf["public_url"] + "/nothing")
        yield "error"
        self._sign_in(person)
        yield "not enabled"
        browser.send("sign-out")
        yield "signed out"

    def _enrolment_code(self):
        self._sign_in(self.directory.new_person(mfa=True), portal=self.with_code)
        yield "enrolment code"
        self._send("enrolment-code", code="k7q2-9fjd")
        yield "enrolment code, refused"
        self.browser.send("sign-out")

    def _enrol(self, person):
        browser = self.browser
        browser.send("start")
        yield "choose"
        self._choose("totp")
        yield "app"
        self._open_details()
        yield "app, key as text"
        app = Authenticator(browser.find(".secret").text)
        self._send("verify", code=app.wrong_code())
        yield "app, wrong code"
        browser.leave_by(browser.find('a[href$="/choose"]'))
        self._choose("mail")
        yield "contact"
        self._send("contact", address=person.mail)
        yield "contact, refused"
        self._send("contact", address="anna.berg@example.net")
        yield "contact code"
        self._send("verify", code=self.portal.code_by_mail())
        yield "recovery codes"
        browser.leave_by(browser.find('a[href$="/verified"]'))
        yield "verified"

    def _app_password(self):
        browser = self.browser
        self._send("create", label="Outlook on the laptop")
        yield "password"
        browser.find("summary").click()
        yield "password, Outlook"
        browser.find("#copy").click()
        self._open_details()
        yield "password, copied and everything open"
        browser.driver.refresh()
        yield "password, gone"

    def _fill_list(self, person):
        """App passwords in each state, some with a last use."""
        add = self.directory.add_app_password
        used = add(person, label="Phone", created=from_now(days=-200), services="imap,smtp")
        add(person, label="Old tablet", created=from_now(days=-100), expires=from_now(days=-10))
        add(person, label="Scanner in the corridor", created=from_now(days=-30), services="smtp",
            expires=from_now(days=90))
        self.directory.administrate(person, appPasswordUsed=(
            f"id={used.id} at={from_now(days=-1)} service=imap from=2001:db8::17:4a02"))

    def _list(self):
        self.browser.open(self.portal.conf["public_url"] + "/")
        yield "list"
        self._open_details()
        yield "list, everything open"
        self.browser.send("revoke-all")
        yield "list, empty"

    def _device_links(self):
        """Each is made in this browser; then it is the phone, too, while nobody is signed in."""
        browser = self.browser
        link = self._make_link()
        yield "device link"
        self._open_details()
        yield "device link, as text"
        path = link.removeprefix(self.portal.conf["public_url"] + "/")
        phone = self.portal.client(**{"User-Agent": ANDROID, "X-Real-IP": "2001:db8::17:4a02"})
        phone.get(path)
        phone.post(path)
        browser.open(self.portal.conf["public_url"] + "/device-link")
        yield "device link, used"
        withdrawn = self._make_link()
        browser.open(self.portal.conf["public_url"] + "/")
        yield "list, unused link"
        browser.leave_by(browser.find('form[action$="/revoke"] .secondary'))
        browser.open(self.portal.conf["public_url"] + "/device-link")
        yield "device link, over"
        for_phones = self._make_link(), self._make_link()
        browser.open(for_phones[0])
        yield "device, signed in"
        browser.open(self.portal.conf["public_url"] + "/")
        browser.send("sign-out")
        yield from self._on_the_phone(IPHONE, for_phones[0], "iPhone")
        yield from self._on_the_phone(ANDROID, for_phones[1], "Android")
        browser.open(withdrawn)
        yield "device, dead link"

    def _make_link(self):
        self.browser.open(self.portal.conf["public_url"] + "/")
        self._send("device-link", label="Anna’s phone")
        return self.browser.script("return document.querySelector('.secret').textContent")

    def _on_the_phone(self, agent, link, name):
        browser = self.browser
        browser.use_agent(agent)
        browser.open(link)
        yield f"device, {name}"
        browser.send(link.removeprefix(self.portal.conf["public_url"] + "/"))
        yield f"device, app password, {name}"
        browser.driver.refresh()
        yield f"device, done, {name}"
        browser.send("sign-out")
        browser.use_agent("")

    def _early_link(self, person):
        """The administrator sends it before the second step is set up."""
        browser = self.browser
        browser.open(self.portal.conf["public_url"] + "/")
        browser.send("sign-out")
        printed = self.portal.done("invite", person.uid, "--label", "Phone",
                                   "--page", self.portal.conf["public_url"])
        browser.open(re.search(r"http\S+/device/\S+", printed)[0])
        yield "device, second step first"

    def _later(self, person):
        browser = self.browser
        self._sign_in(person)
        yield "challenge by mail"
        self._send("verify", code=self.portal.code_by_mail())
        browser.leave_by(browser.find('a[href$="/second-steps"]'))
        yield "second steps, only one"
        browser.send("add-factor")
        self._choose("totp")
        app = Authenticator(browser.script(
            "return document.querySelector('.secret').textContent"))
        self._send("verify", code=app.code())
        yield "second steps"
        self._open_details()
        yield "second steps, everything open"
        browser.send("sign-out")
        self._sign_in(person)
        yield "challenge by app"
        yield from self._known_browser(person, app)

    def _known_browser(self, person, app):
        """Somebody guesses codes; the owner is mailed a link."""
        for number in range(10):
            client = signed_in(self.portal, person, **{"X-Real-IP": f"203.0.113.{number}"})
            client.post("verify", code=app.wrong_code())
        path = link_in(self.portal)
        self.browser.open(f"{self.portal.conf['public_url']}/{path}")
        yield "use this browser"
        self.browser.send(path)
        yield "challenge, in a known browser"
        self.browser.open(f"{self.portal.conf['public_url']}/{path}")
        self.browser.send(path)
        yield "use this browser, link used"

    def _help_desk(self, person):
        """Somebody of the help desk looks at that person."""
        browser, helper = self.browser, self.directory.new_person(mfa=True)
        self.directory.connect_as_itself().modify_s(
            helper.dn, [(ldap.MOD_REPLACE, "mail", [f"helpdesk-{helper.mail}".encode()])])
        _, app = enrolled(self.portal, helper, **{"X-Real-IP": "203.0.113.77"})
        self._fill_list(person)
        browser.open(self.portal.conf["public_url"] + "/")
        browser.send("sign-out")
        self._sign_in(helper)
        self._send("verify", code=app.code())
        yield "list, help desk"
        browser.leave_by(browser.find('a[href$="/help-desk"]'))
        yield "help desk"
        self._send("help-desk", find="no such person")
        yield "help desk, nobody"
        self._send("help-desk", find=person.uid)
        yield "help desk, found"
        browser.leave_by(browser.find('form[action$="/person"] button'))
        self._open_details()
        yield "help desk, person"
        self._send("help-desk/reset")
        self._open_details()
        yield "help desk, person with a reset"

    def _passkey(self, person):
        """Somebody without the passkey gets in with a recovery code, and has the browser remembered."""
        browser = self.browser
        device = VirtualAuthenticator(browser)
        self._sign_in(person)
        browser.send("start")
        self._choose("passkey")
        yield "passkey"
        self._send("passkey", label="Laptop")
        code = browser.find("#codes li").text
        browser.open(self.portal.conf["public_url"] + "/")
        browser.send("sign-out")
        self._sign_in(person)
        yield "challenge by passkey"
        device.lose()
        browser.find("#passkey-button").click()
        wait_until(lambda: browser.find("#passkey-status").text, "the text")
        yield "challenge by passkey, stopped"
        self._open_details()
        yield "challenge by passkey, others"
        browser.send("use-factor")
        yield "challenge by recovery code"
        browser.find("#remember").click()
        self._send("verify", code=code)
        browser.leave_by(browser.find('a[href$="/second-steps"]'))
        yield "second steps, browser remembered"
        device.remove()
