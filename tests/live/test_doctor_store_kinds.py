# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on a store beside Active Directory, 389 Directory Server and FreeIPA."""

import re

from test_doctor import safe
from test_doctor_store import doctor, empty
from test_store_directories import people, servers, site  # noqa: F401


def test_the_users_directory_needs_no_rights_of_ours(people, site):  # noqa: F811
    """Users and an ordinary account have those that they have by default. In these directories some
    accounts are in no group, and the account does not see all groups."""
    empty(people.store)
    who = people.new_person(mfa=True)
    site.create(who)
    called = doctor(safe(site), "--mfa-user", who.uid)
    for said in (f"the user may not write {people.users.id_attribute}",
                 f"users has one {people.users.id_attribute}", "entries of the store belongs to",
                 f"--mfa-user: {who.uid} has MFA on"):
        assert said in called.stdout, called.stdout
    findings = re.findall("^(?:PROBLEM|unknown) .*", called.stdout, re.MULTILINE)
    assert [line for line in findings if not line.startswith("PROBLEM  mfa_filter: ")] == [], called.stdout
    assert "set-rights" not in called.stdout
