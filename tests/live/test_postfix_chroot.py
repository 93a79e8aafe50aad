# SPDX-License-Identifier: BSD-2-Clause
"""Host names in uri: smtpd looks them up from within its chroot.

Debian's start of Postfix copies hosts, resolv.conf and nsswitch.conf there.
"""

import pytest

from certificates import Authority
from smtp import ACCEPTED, REFUSED, UNAVAILABLE

NAME = "directory.invalid"  # unknown to every name server


@pytest.fixture
def hosts(postfix):
    """etc/hosts within the chroot; restored afterwards."""
    path = postfix.queue / "etc" / "hosts"
    before = path.read_text()
    yield path
    path.write_text(before)


@pytest.fixture(scope="module")
def named(workdir):
    """A CA with a certificate for that name alone."""
    return Authority(workdir / "named", names=f"DNS:{NAME}")


def test_localhost_is_resolved(mail_server, directory):
    user, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"uri": directory.ldap.replace("127.0.0.1", "localhost")})
    assert server.sign_in(user.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(user.uid, user.password).code == REFUSED


def test_a_name_that_only_the_chroot_knows_is_resolved(mail_server, own_directory, named, hosts):
    directory = own_directory(authority=named)
    user, app_password = directory.new_person(mfa=True, app_passwords=1)
    hosts.write_text(f"{hosts.read_text()}127.0.0.1 {NAME}\n")
    server = mail_server(settings(directory, named))
    assert server.sign_in(user.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(user.uid, user.password).code == REFUSED


def test_a_name_that_the_chroot_cannot_resolve_is_unavailable_and_named_in_both_logs(
        mail_server, own_directory, named):
    directory = own_directory(authority=named)
    user, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server(settings(directory, named))
    for password in app_password.shown, user.password:
        assert server.sign_in(user.uid, password).code == UNAVAILABLE
        line = server.events()[-1]
        assert "verdict=unavailable reason=directory-unavailable" in line
        assert NAME in line.split(" error=")[1]
    assert "SASL authentication problem" in server.postfix_says(NAME)


def settings(directory, authority):
    return {"uri": directory.ldaps.replace("127.0.0.1", NAME), "tls_cacert": authority.ca}
