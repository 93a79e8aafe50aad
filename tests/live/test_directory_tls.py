# SPDX-License-Identifier: BSD-2-Clause
"""Connections to the directory: encrypted, to the right server, and as app-password.conf says.

smtpd is chrooted, so each of these tests also shows that the CA file is read before the chroot.
"""

import pytest

import sample
from certificates import Authority
from conftest import example_smtpd_conf, write_config
from slapd import OUTSIDER
from smtp import ACCEPTED, REFUSED, UNAVAILABLE


@pytest.fixture(scope="session")
def stranger(workdir):
    """An untrusted CA."""
    return Authority(workdir / "stranger")


def settings(directory, way, ca):
    """The keys of app-password.conf for each way to ask with TLS."""
    if way == "ldaps":
        return {"uri": directory.ldaps, "tls_cacert": ca}
    return {"uri": directory.ldap, "start_tls": "yes", "tls_cacert": ca}


WAYS = pytest.mark.parametrize("way", ["ldaps", "StartTLS"])


@WAYS
def test_passwords_cross_the_network_encrypted(own_directory, mail_server, authority, way):
    """On both connections, TLS starts before the bind."""
    directory = own_directory()
    person = directory.new_person()
    mark = directory.mark()
    server = mail_server(settings(directory, way, authority.ca))
    assert server.sign_in(person.uid, person.password).code == ACCEPTED
    log = directory.log_since(mark)
    tls = [number for number, line in enumerate(log) if "TLS established" in line]
    binds = [number for number, line in enumerate(log) if "BIND dn=" in line and "method=" in line]
    assert len(tls) == len(binds) == 2
    assert all(before < bind for before, bind in zip(tls, binds))


@WAYS
def test_a_certificate_of_another_ca_is_unavailable(own_directory, mail_server, stranger, way):
    directory = own_directory()
    assert_nothing_is_sent(mail_server, directory, settings(directory, way, stranger.ca))


@WAYS
def test_a_certificate_for_another_name_is_unavailable(own_directory, mail_server, workdir, way):
    elsewhere = Authority(workdir / f"elsewhere-{way}", names="DNS:elsewhere.example.org")
    directory = own_directory(authority=elsewhere)
    assert_nothing_is_sent(mail_server, directory, settings(directory, way, elsewhere.ca))


@WAYS
def test_the_common_name_is_ignored_if_other_names_are_given(
        own_directory, mail_server, workdir, way):
    elsewhere = Authority(workdir / f"common-name-{way}", names="DNS:elsewhere.example.org",
                          common_name="127.0.0.1")
    directory = own_directory(authority=elsewhere)
    assert_nothing_is_sent(mail_server, directory, settings(directory, way, elsewhere.ca))


def test_a_server_that_cannot_do_starttls_is_unavailable(own_directory, mail_server, authority):
    directory = own_directory(authority=None)
    assert_nothing_is_sent(mail_server, directory, settings(directory, "StartTLS", authority.ca))


@WAYS
def test_a_tls_version_below_tls_min_is_unavailable(own_directory, mail_server, authority, way):
    directory = own_directory(lines="TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.2")
    config = settings(directory, way, authority.ca)
    assert_nothing_is_sent(mail_server, directory, config | {"tls_min": "1.3"})
    person = directory.new_person()
    assert mail_server(config).sign_in(person.uid, person.password).code == ACCEPTED


def assert_nothing_is_sent(mail_server, directory, config):
    """Logins fail, and no password reaches the server."""
    person, app_password = directory.new_person(app_passwords=1)
    mark = directory.mark()
    server = mail_server(config)
    assert server.sign_in(person.uid, app_password.shown).code == UNAVAILABLE
    assert server.sign_in(person.uid, person.password).code == UNAVAILABLE
    assert not [line for line in directory.log_since(mark) if " BIND " in line or " SRCH " in line]


def test_without_tls_only_loopback_is_asked(mail_server):
    """A configuration that would send passwords in the clear is an error."""
    server = mail_server({"uri": "ldap://192.0.2.1"})
    assert server.sign_in("somebody", "secret").code == UNAVAILABLE
    assert server.postfix_says("app-password.conf:")


def test_ldapi_with_sasl_external_needs_no_password(mail_server, directory):
    """smtpd runs as the user postfix, which this slapd maps to the mail server."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server({"bind": "external", "binddn": None, "bindpw_file": None})
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(person.uid, person.password).code == REFUSED


# ---- The host's ldap.conf and LDAP* variables do not apply ----

@pytest.fixture
def hostile(folder, postfix):
    """sign_in(config keys, user, password) in a program with a hostile environment."""
    ldap_conf = folder / "ldap.conf"

    def sign_in(trap, config, user, password):
        ldap_conf.write_text("".join(f"{name} {value}\n" for name, value in trap.items()))
        path = write_config(folder, **config)
        (folder / "sample.conf").write_text(example_smtpd_conf(path))
        answers = {
            sample.sign_in(folder, postfix.sasl_path, user, password, environment=environment)
            for environment in [{f"LDAP{name}": value for name, value in trap.items()},
                                {"LDAPCONF": str(ldap_conf)}]}
        assert len(answers) == 1, answers
        return answers.pop()
    return sign_in


@WAYS
def test_tls_reqcert_never_of_the_host_does_not_apply(hostile, directory, stranger, way):
    person = directory.new_person()
    answer = hostile({"TLS_REQCERT": "never"}, settings(directory, way, stranger.ca),
                     person.uid, person.password)
    assert "unavailable" in answer


@WAYS
def test_a_ca_of_the_host_does_not_apply(hostile, directory, authority, stranger, way):
    person = directory.new_person()
    trap = {"TLS_CACERT": str(authority.ca), "TLS_CACERTDIR": str(authority.ca.parent)}
    answer = hostile(trap, settings(directory, way, stranger.ca), person.uid, person.password)
    assert "unavailable" in answer


@pytest.mark.parametrize("trap", [
    pytest.param(trap, id=" ".join(trap)) for trap in [
        {"TLS_CACERT": "/nonexistent"},
        {"TLS_CIPHER_SUITE": "NONE"},
        {"TLS_CRLFILE": "/nonexistent"},
        {"TLS_CERT": "/nonexistent", "TLS_KEY": "/nonexistent"},
        {"URI": "ldap://192.0.2.1", "BASE": "dc=example,dc=com", "BINDDN": "cn=nobody"},
    ]])
def test_other_settings_of_the_host_do_not_apply(hostile, directory, authority, trap):
    person = directory.new_person()
    answer = hostile(trap, settings(directory, "ldaps", authority.ca), person.uid, person.password)
    assert answer == "accepted"


def test_a_size_limit_of_the_host_does_not_hide_the_second_of_two_entries(
        hostile, directory, authority):
    answer = hostile({"SIZELIMIT": "1"}, settings(directory, "ldaps", authority.ca),
                     "twins@example.org", "secret")
    assert "unavailable" in answer


def test_aliases_are_not_followed_despite_the_hosts_settings(hostile, directory, authority):
    """An alias below the base for a user outside it opens nothing."""
    config = settings(directory, "ldaps", authority.ca) | {"base": "ou=people,dc=example,dc=org"}
    answer = hostile({"DEREF": "always"}, config, OUTSIDER.uid, OUTSIDER.password)
    assert "unavailable" not in answer and answer != "accepted"
    config["base"] = "dc=example,dc=org"
    assert hostile({"DEREF": "always"}, config, OUTSIDER.uid, OUTSIDER.password) == "accepted"
