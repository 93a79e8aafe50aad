# SPDX-License-Identifier: BSD-2-Clause
"""The example's optional passdbs open nothing: not with PAM, master users, a cache or CRAM-MD5."""

import pytest

from dovecot import (
    ACCEPTED, REFUSED, UNAVAILABLE, asking_pam, imap, pop3, submission, with_arrival, with_hint)
from processes import free_port
from test_dovecot_master import MASTER, PASSWORD, add_master, cram_md5

pytestmark = pytest.mark.dovecot23


@pytest.fixture(params=[with_hint, with_arrival, lambda text: with_hint(with_arrival(text))],
                ids=["hint", "arrival", "both"])
def optional(request):
    """Adds optional passdbs to the example."""
    return request.param


@pytest.fixture
def asking_pam_too(dovecot, services, optional):
    """Makes Dovecots with optional passdbs that ask PAM."""
    def make(config=None):
        return dovecot(settings=lambda example: optional(asking_pam(example)),
                       pam_d=services(config).pam_d)
    return make


@pytest.mark.parametrize("client", [imap, pop3, submission])
def test_a_dovecot_that_asks_pam(asking_pam_too, directory, client):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = asking_pam_too()
    assert client(server, person.uid, app_password.shown) == ACCEPTED
    assert client(server, person.uid, person.password) == REFUSED
    outage = asking_pam_too({"uri": f"ldap://127.0.0.1:{free_port()}"})
    assert client(outage, person.uid, app_password.shown) == UNAVAILABLE


def test_master_users_sign_in_as_without_it(dovecot, directory, folder, optional):
    person, master = directory.new_person(mfa=True), add_master(folder)
    server = dovecot({"login_attribute": "uid"},
                     settings=lambda example: master + optional(example))
    for login, password, verdict in [
            (f"{person.mail}*{MASTER}", PASSWORD, ACCEPTED),
            (f"{person.uid}*{MASTER}", "wrong", REFUSED),
            (f"nobody-here*{MASTER}", PASSWORD, REFUSED)]:
        assert imap(server, login, password) == verdict, login


def test_a_cache_and_other_mechanisms_accept_nobody(dovecot, directory, optional):
    """Dovecot adds "nopassword" to what a static passdb answers."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot(settings=optional, lines="auth_cache_size = 1 M\n"
                                               "auth_mechanisms = plain login cram-md5\n")
    for _ in range(2):
        assert imap(server, person.uid, app_password.shown) == ACCEPTED
        for password in "", "wrong", person.password:
            assert imap(server, person.uid, password) == REFUSED
            assert cram_md5(server, person.uid, password) == REFUSED
