# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page against those who know an account password and have many networks."""

import re
import urllib.parse

import pytest

from test_portal_guarding import at_once, in_browser, known_to
from visits import enrolled, labels, make_app_password

def network(number):
    """An address in a /64 of its own; all are of one /48."""
    return {"X-Real-IP": f"2001:db8:77:{number:x}::1"}


# ---- the link in the mail ----

@pytest.mark.parametrize("behind", [
    "..%2frevoke-all", "..%2f..%2fx", "%2e%2e%5crevoke-all", "x/../y", "", "A" * 21, "A" * 23])
def test_the_page_of_the_link_sends_its_form_to_no_other_place(directory, start_portal, behind):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    client, _ = enrolled(portal, who)
    make_app_password(client, "stays")
    page = client.get(f"this-browser/{behind}")
    if page.status == 200:
        action = re.search(r'action="([^"]*this-b[^"]*)"', page.text)[1].replace("\\", "/")
        client.post(urllib.parse.urljoin("http://x/y", action).removeprefix("http://x/"))
    assert labels(client.get("")) == ["stays"]
    assert page.status == 404


def test_who_has_many_networks_makes_no_known_browser_forget_its_tries(directory, start_portal):
    """4096 of them filled the table in which its tries stood."""
    portal = start_portal()
    who, crowd = directory.new_person(mfa=True), directory.new_person(mfa=True)
    mark, app = known_to(portal, who)
    thief = in_browser(portal, mark)
    thief.sign_in(who)
    for _ in range(7):
        thief.post("verify", code=app.wrong_code())
    assert " reason=too-many-tries " in portal.events()[-1]

    def fill(thread):
        client = portal.client()
        for number in range(700):
            client.headers |= network(thread * 1000 + number)
            client.get("")
            client.ask_once("POST", "sign-in", urllib.parse.urlencode(
                {"csrf": client.page.token(), "login": crowd.uid, "password": crowd.password}))

    at_once(6, fill)
    thief.sign_in(who)
    thief.post("verify", code=app.wrong_code())
    assert " reason=too-many-tries " in portal.events()[-1]
