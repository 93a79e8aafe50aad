# SPDX-License-Identifier: BSD-2-Clause
"""Every language fits a narrow phone, also with large text."""

import urllib.parse

import ldap
import pytest

from apppassword import from_now
from browser import Browser
from portal import locales, on_localhost
from portal_tour import HELP_DESK, Tour
from visits import enrolled

# Of the tour: those with the longest texts and the widest parts.
LONG = {"sign-in", "error", "not enabled", "enrolment code", "start", "choose", "app, key as text",
        "contact", "contact code", "recovery codes", "verified", "list, everything open",
        "challenge by mail", "second steps, everything open", "use this browser",
        "challenge, in a known browser", "passkey", "challenge by passkey, others",
        "challenge by recovery code", "second steps, browser remembered", "device link", "device link, used",
        "list, unused link", "device link, over", "device, signed in",
        "device, iPhone", "device, second step first"}
PHONE = 360  # pixels

# Opens everything, and yields what is wider than the screen, and words on more than one line, at the usual size and
# at twice that. Words have no hyphens here: Chromium has their dictionaries only on phones.
MEASURE = r"""
    function measured(page, size, width) {
        const found = [];
        for (const each of document.querySelectorAll("details")) each.open = true;
        document.documentElement.style.fontSize = size;
        if (document.documentElement.scrollWidth > width)
            found.push(document.documentElement.scrollWidth + " pixels wide: " +
                [...document.querySelectorAll("body *")].filter(each => each.checkVisibility()
                    && !each.closest(".unseen") && each.getBoundingClientRect().right > width)
                    .map(each => each.outerHTML.slice(0, 80)).slice(-1));
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node; size == "100%" && (node = walker.nextNode());) {
            if (!node.parentElement.checkVisibility() || node.parentElement.closest(".unseen")) continue;
            for (const word of node.data.matchAll(/(?<=^|[\s(“„«])[\p{L}\p{M}’]{2,}(?=[\s.,:;!?)”“»]|$)/gu)) {
                const range = document.createRange();
                range.setStart(node, word.index);
                range.setEnd(node, word.index + word[0].length);
                const lines = new Set([...range.getClientRects()].map(each => Math.round(each.top)));
                if (lines.size > 1) found.push("breaks within " + word[0]);
            }
        }
        document.documentElement.style.fontSize = "";
        return found.map(each => `${page} in ${document.documentElement.lang}, text at ${size}: ${each}`);
    }
    function atBothSizes(page, width) {
        return [...measured(page, "100%", width), ...measured(page, "200%", width)];
    }
"""

# The same for each language, in place of the page's body: to load every page takes Chromium long. What a script has
# shown, such as the button that copies, is shown again.
IN_EACH_LANGUAGE = """
    const [page, width, languages] = arguments, found = [];
    async function show(language) {
        const answer = await fetch(location.pathname + "?lang=" + language);
        const translated = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.url != location.href || translated.documentElement.lang != language)
            throw Error(`${page} in ${language}: ${answer.status} ${answer.url}`);
        const shown = [...document.querySelectorAll("[id]:not([hidden])")].map(each => each.id);
        document.documentElement.lang = language;
        document.body.replaceWith(translated.body);
        for (const id of shown) document.getElementById(id)?.removeAttribute("hidden");
    }
    return (async () => {
        for (const language of languages) {
            await show(language);
            found.push(...atBothSizes(page, width));
        }
        return found;
    })();"""


@pytest.fixture(scope="module")
def portal(workdir, directory):
    server = on_localhost(workdir / "portal-languages", directory, {
        "imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:465",
        "remember_browser": "30d"} | HELP_DESK)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def browser(workdir):
    browser = Browser(workdir / "browser-languages")
    browser.use_width(PHONE)
    try:
        yield browser
    finally:
        browser.quit()


def measured(browser, page):
    """What does not fit on the page as it is now."""
    return browser.script(f"{MEASURE} return atBothSizes(...arguments)", page, PHONE)


def in_each_language(browser, page):
    """The same for every language, and back to English."""
    address = browser.driver.current_url
    others = [code for code in locales() if code != "en"]
    wrong = browser.script(MEASURE + IN_EACH_LANGUAGE, page, PHONE, others)
    browser.open(f"{address}?lang=en")
    assert browser.driver.current_url == address
    assert browser.find("html").get_attribute("lang") == "en"
    return wrong + measured(browser, page)


def test_long_pages_fit_a_phone_in_every_language(browser, portal, start_portal, directory):
    wrong, seen = [], set()
    for page in Tour(browser, portal, start_portal({"enrolment": "code"}), directory).pages():
        if page in LONG:
            seen.add(page)
            wrong += in_each_language(browser, page)
    assert not wrong, "\n".join(wrong)
    assert seen == LONG


def test_the_page_of_an_app_password_fits_a_phone_in_every_language(browser, portal, directory):
    """It has the longest text, and is shown once."""
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    wrong = []
    for language in locales():
        client.get("")
        form = {"csrf": client.page.token(), "label": "Outlook", "services": "", "expires": "never"}
        assert client.ask_once("POST", "create", urllib.parse.urlencode(form)).status == 303
        name, value = client.cookie.split("=")
        browser.devtools("Network.setCookie", name=name, value=value, url=portal.conf["public_url"])
        browser.devtools("Network.setCookie", name="app-password-language", value=language,
                         url=portal.conf["public_url"])
        browser.open(f"{portal.conf['public_url']}/password")
        assert browser.find("#app-password") and browser.find("html").get_attribute("lang") == language
        wrong += measured(browser, "password")
    assert not wrong, "\n".join(wrong)


def test_the_pages_of_the_help_desk_fit_a_phone_in_every_language(browser, portal, directory):
    """The person's page has no links to other languages."""
    helper, person = directory.new_person(mfa=True), directory.new_person(mfa=True)
    directory.connect_as_itself().modify_s(
        helper.dn, [(ldap.MOD_REPLACE, "mail", [f"helpdesk-{helper.mail}".encode()])])
    client, _ = enrolled(portal, helper)
    enrolled(portal, person)
    directory.add_app_password(person, label="Scanner", services="smtp", networks="192.0.2.0/24,2001:db8::/32")
    directory.set_mfa(person, True, from_now(days=20))
    client.get(f"help-desk/person?person={person.uid}")
    client.post("help-desk/reset", person=person.uid)
    name, value = client.cookie.split("=")
    browser.open(portal.conf["public_url"])
    browser.devtools("Network.setCookie", name=name, value=value, url=portal.conf["public_url"])
    wrong = []
    for language in locales():
        browser.devtools("Network.setCookie", name="app-password-language", value=language,
                         url=portal.conf["public_url"])
        for path in ("help-desk", f"help-desk/person?person={person.uid}"):
            browser.open(f"{portal.conf['public_url']}/{path}")
            assert browser.find(".who a") and browser.find("html").get_attribute("lang") == language
            browser.script("for (const each of document.querySelectorAll('details')) each.open = true")
            wrong += measured(browser, path)
    assert not wrong, "\n".join(wrong)
