# SPDX-License-Identifier: BSD-2-Clause
"""A passdb after ours that knows the account password: the example keeps Dovecot from asking it.

Both lines of the example are needed: without either, the second passdb accepts the login.
"""

import pytest

from dovecot import ACCEPTED, EXAMPLES, REFUSED, UNAVAILABLE, asking_pam, imap
from processes import free_port

pytestmark = pytest.mark.dovecot23

FAILURE, INTERNALFAIL = "  result_failure = return-fail\n", "  result_internalfail = return-fail\n"


@pytest.fixture(params=["Lua", "PAM"])
def chained(dovecot, services, folder, request):
    """Makes a Dovecot with a second passdb that knows one user's account password."""
    def make(person, without="", config=None):
        users = folder / "users"
        users.write_text(f"{person.uid}:{{PLAIN}}{person.password}\n")
        users.chmod(0o644)

        def settings(example):
            if request.param == "PAM":
                example = asking_pam(example)
            assert example.count(FAILURE) == example.count(INTERNALFAIL) == 1
            return example.replace(without, "")
        second = f"passdb {{\n  driver = passwd-file\n  args = username_format=%u {users}\n}}\n"
        if request.param == "Lua":
            return dovecot(config, settings=settings, lines=second)
        asked = services(config)
        server = dovecot(settings=settings, lines=second, pam_d=asked.pam_d)
        server.events = asked.events
        return server
    return make


@pytest.mark.parametrize("example", ["dovecot-2.3.conf", "dovecot-2.4.conf", "passdb-pam-2.3.conf",
                                     "passdb-pam-2.4.conf"])
def test_each_example_has_both_lines(example):
    """In its one passdb."""
    text = (EXAMPLES / example).read_text()
    assert text.count("\npassdb ") + text.startswith("passdb ") == 1
    assert text.count("result_failure = return-fail") == 1
    assert text.count("result_internalfail = return-fail") == 1


@pytest.mark.parametrize("without, verdict", [
    pytest.param("", REFUSED, id="closed as in the example"),
    pytest.param(INTERNALFAIL, REFUSED, id="closed without result_internalfail"),
    pytest.param(FAILURE, ACCEPTED, id="open without result_failure"),
])
def test_an_account_password_refused_by_the_first_passdb_is(chained, directory, without, verdict):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = chained(person, without)
    assert imap(server, person.uid, person.password) == verdict
    assert "verdict=refused reason=account-password-with-mfa" in server.events()[-1]
    assert imap(server, person.uid, app_password.shown) == ACCEPTED


@pytest.mark.parametrize("without, verdict", [
    pytest.param("", UNAVAILABLE, id="closed as in the example"),
    pytest.param(FAILURE, UNAVAILABLE, id="closed without result_failure"),
    pytest.param(INTERNALFAIL, ACCEPTED, id="open without result_internalfail"),
])
def test_an_account_password_in_an_outage_of_the_directory_is(
        chained, directory, without, verdict):
    person = directory.new_person(mfa=True)
    server = chained(person, without, {"uri": f"ldap://127.0.0.1:{free_port()}"})
    assert imap(server, person.uid, person.password) == verdict
    assert "verdict=unavailable reason=directory-unavailable" in server.events()[-1]
