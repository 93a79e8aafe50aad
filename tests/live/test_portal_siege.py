# SPDX-License-Identifier: BSD-2-Clause
"""The self-service page against those who know an account password and have many networks."""

import re
import urllib.parse

import pytest

from visits import enrolled, labels, make_app_password

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
