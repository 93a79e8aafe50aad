# SPDX-License-Identifier: BSD-2-Clause
"""What still gets through: each of these fails until it is fixed."""

import pytest

from slapd import GROUP, MEMBER
from smtp import ACCEPTED, REFUSED
from test_mfa_shown import as_itself, proxy, visible_groups  # noqa: F401
from visits import enrolled_by_mail, signed_in


@pytest.mark.parametrize("app_passwords", [0, 1])
def test_a_proxy_that_drops_the_flag_without_a_witness(proxy, mail_server, app_passwords):
    """The default mfa_filter wants no witness: the account password of a user with MFA opens mail."""
    directory, uri = proxy
    who = directory.new_person(mfa=True)
    for _ in range(app_passwords):
        directory.add_app_password(who)
    assert mail_server({"uri": uri}).sign_in(who.uid, who.password).code != ACCEPTED


def test_a_disabled_filter_whose_group_was_renamed(own_directory, mail_server):
    """Active is inferred from the negation: an ended account's app password opens mail."""
    directory = own_directory(first_rules=visible_groups())
    app_password = directory.add_app_password(MEMBER)
    keys = {"uri": directory.ldap, "disabled_filter": f"(memberOf={GROUP})"}
    assert mail_server(keys).sign_in(MEMBER.uid, app_password.shown).code == REFUSED
    as_itself(directory).rename_s(GROUP, "cn=everybody")
    assert mail_server(keys).sign_in(MEMBER.uid, app_password.shown).code != ACCEPTED


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
