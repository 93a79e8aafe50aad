# SPDX-License-Identifier: BSD-2-Clause
"""The doctor's findings about rights: of which server, in which syntax, and how many."""

import pytest

from administration import FAILED, Site
from slapd import IDENTITIES, PASSWORD_RULE
from test_doctor import assert_finds, doctor, good_directory, populate, safe, site  # noqa: F401

MAIL_SERVER = IDENTITIES["mail server"]


def test_a_finding_names_the_server_and_the_rule(own_directory, good_directory, tmp_path):  # noqa: F811
    """The first server has the same users and rules, but for one."""
    rule = f'access to attrs=appPasswordUsed by dn.exact="{MAIL_SERVER}" read by * break\n'
    server = own_directory(first_rules=rule)
    populate(server)
    site = safe(Site(tmp_path / "site", server,  # noqa: F811
                     uri=f"{good_directory.ldapi} {server.ldapi}", write_uri=server.ldapi))
    called = doctor(site)
    assert_finds(called, f"rights: {server.ldapi}: the mail server may not write appPasswordUsed",
                 f'olcAccess: {{0}}to attrs=appPasswordUsed by dn.exact="{MAIL_SERVER}" write')
    assert f"rights: {good_directory.ldapi}: the mail server can read appPassword" in called.stdout


@pytest.mark.parametrize("rules", ["by self write by * read", "by self write by users read by * auth"])
def test_rules_before_ours_are_one_finding(own_directory, tmp_path, rules):
    server = own_directory(first_rules=PASSWORD_RULE + f"access to * {rules}\n")
    called = doctor(safe(Site(tmp_path / "site", server)))
    found = [line for line in called.stdout.splitlines() if line.startswith("PROBLEM  rights")]
    assert called.returncode == FAILED and len(found) == 1, called.stdout
    assert "your rules stand before those of ldap-schema/acl-cnconfig.ldif" in found[0]
    assert "the mail server may not write appPasswordUsed; " in found[0]
    assert "the user may write" in found[0]
    assert_finds(called, "your rules stand before", "put our rules first: olcAccess {0}")


def test_a_server_that_is_not_there_has_no_findings_about_rights(good_directory, tmp_path):  # noqa: F811
    site = safe(Site(tmp_path / "site", good_directory,  # noqa: F811
                     uri=f"{good_directory.ldapi} ldap://127.0.0.1:1"))
    called = doctor(site)
    assert called.stdout.count("PROBLEM") == 1 and "unknown  " not in called.stdout
    assert_finds(called, "uri: ldap://127.0.0.1:1", "start that server")
