# SPDX-License-Identifier: BSD-2-Clause
"""The example's optional passdb opens nothing: not with PAM, master users, a cache or CRAM-MD5."""

import pytest

from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, asking_pam, imap, pop3, submission, with_hint
from processes import free_port
from test_dovecot_master import MASTER, PASSWORD, add_master, cram_md5

pytestmark = pytest.mark.dovecot23


@pytest.fixture
def asking_pam_with_hint(dovecot, services):
    """Makes Dovecots with the hint that ask PAM."""
    def make(config=None):
        return dovecot(settings=lambda example: with_hint(asking_pam(example)),
                       pam_d=services(config).pam_d)
    return make


@pytest.mark.parametrize("client", [imap, pop3, submission])
def test_a_dovecot_that_asks_pam(asking_pam_with_hint, directory, client):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = asking_pam_with_hint()
    assert client(server, person.uid, app_password.shown) == ACCEPTED
    assert client(server, person.uid, person.password) == REFUSED
    outage = asking_pam_with_hint({"uri": f"ldap://127.0.0.1:{free_port()}"})
    assert client(outage, person.uid, app_password.shown) == UNAVAILABLE


def test_master_users_sign_in_as_without_it(dovecot, directory, folder):
    person, master = directory.new_person(mfa=True), add_master(folder)
    server = dovecot({"login_attribute": "uid"},
                     settings=lambda example: master + with_hint(example))
    for login, password, verdict in [
            (f"{person.mail}*{MASTER}", PASSWORD, ACCEPTED),
            (f"{person.uid}*{MASTER}", "wrong", REFUSED),
            (f"nobody-here*{MASTER}", PASSWORD, REFUSED)]:
        assert imap(server, login, password) == verdict, login


def test_a_cache_and_other_mechanisms_accept_nobody(dovecot, directory):
    """Dovecot adds "nopassword" to what this passdb answers."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot(settings=with_hint, lines="auth_cache_size = 1 M\n"
                                               "auth_mechanisms = plain login cram-md5\n")
    for _ in range(2):
        assert imap(server, person.uid, app_password.shown) == ACCEPTED
        for password in "", "wrong", person.password:
            assert imap(server, person.uid, password) == REFUSED
            assert cram_md5(server, person.uid, password) == REFUSED
