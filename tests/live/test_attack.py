# SPDX-License-Identifier: BSD-2-Clause
"""What still gets through: each of these fails until it is fixed."""

import pytest

from smtp import ACCEPTED
from test_mfa_shown import proxy  # noqa: F401
from visits import enrolled_by_mail, signed_in


@pytest.mark.parametrize("app_passwords", [0, 1])
def test_a_proxy_that_drops_the_flag_without_a_witness(proxy, mail_server, app_passwords):
    """The default mfa_filter wants no witness: the account password of a user with MFA opens mail."""
    directory, uri = proxy
    who = directory.new_person(mfa=True)
    for _ in range(app_passwords):
        directory.add_app_password(who)
    assert mail_server({"uri": uri}).sign_in(who.uid, who.password).code != ACCEPTED


def test_codes_by_mail_that_four_networks_used_up(directory, start_portal):
    """A new browser of the owner gets no code, and there is no mail with a link either."""
    portal = start_portal()
    who = directory.new_person(mfa=True)
    enrolled_by_mail(portal, who)
    for number in range(12):
        signed_in(portal, who, **{"X-Real-IP": f"203.0.113.{number // 3}"})
    client = signed_in(portal, who, **{"X-Real-IP": "198.51.100.95"})
    client.post("verify", code=portal.code_by_mail())
    assert client.page.title() == "Your app passwords"


def test_two_devices_with_old_passwords_are_no_guesser(directory, mail_server):
    """A mail server's process ends soon; in each new one the second device counts as a guess, and
    five of them are a ban by the strict jail."""
    who, guesses = directory.new_person(mfa=True), 0
    for _ in range(5):
        server = mail_server()
        for password in ("an old password", "an older one"):
            server.sign_in(who.uid, password)
        guesses += sum(" repeat=no" in line for line in server.events())
    assert guesses < 5
