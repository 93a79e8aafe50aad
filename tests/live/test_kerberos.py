# SPDX-License-Identifier: BSD-2-Clause
"""-Y GSSAPI: the command with a Kerberos ticket, on OpenLDAP and on Samba."""

import socket

import pytest

import kerberos
from administration import (CONFIGURATION, DONE, NOT_PERMITTED, UNAVAILABLE, USAGE, Site)
from certificates import NAMES, Authority
from processes import Clock, run, wait_until
from samba import ADMINISTRATOR, KERBEROS, PASSWORD, DomainController
from slapd import BASE, IDENTITIES, OPEN_SITE, Slapd

ANNA, CARL = "anna", "carl"  # an administrator, and somebody who may only read


@pytest.fixture(scope="module")
def realm(workdir):
    realm = kerberos.Realm(workdir / "realm", "ldap/localhost")
    try:
        realm.start()
        realm.add(ANNA, CARL)
        yield realm
    finally:
        realm.stop()


@pytest.fixture(scope="module")
def directory(workdir, realm):
    """libldap takes the host's name for localhost."""
    names = f"{NAMES},DNS:{socket.getfqdn()},DNS:{socket.gethostname()}"
    slapd = Slapd(
        workdir / "kerberos", authority=Authority(workdir / "kerberos-ca", names=names),
        environment=realm.environment, site_rules=OPEN_SITE, lines=f"""\
sasl-host localhost
authz-regexp "uid={ANNA},cn=gssapi,cn=auth" "{IDENTITIES['administrator']}"
authz-regexp "uid=([^,]*),cn=gssapi,cn=auth" "uid=$1,ou=people,{BASE}"
""")
    slapd.ca = workdir / "kerberos-ca" / "ca.pem"
    try:
        yield slapd.start()
    finally:
        slapd.stop()


def by_name(uri):
    return uri.replace("127.0.0.1", "localhost")


@pytest.fixture
def site(directory, tmp_path):
    return Site(tmp_path / "site", directory, manage_as=None, uri=by_name(directory.ldaps),
                tls_cacert=directory.ca)


@pytest.fixture
def user(directory):
    return directory.new_person(mfa=True)


def create(site, user, environment, *options):
    return site.command("-Y", "GSSAPI", *options, "create", user.uid, "--label", "x",
                        env=environment)


def fails(called, status, *words):
    assert (called.returncode, called.stdout) == (status, ""), called
    for word in words:
        assert word in called.stderr, called
    return True


def test_the_ticket_says_who_manages(site, realm, user):
    created = create(site, user, realm.ticket(ANNA))
    assert created.returncode == DONE, created
    shown = created.stdout.strip()
    assert site.answers(user.uid, shown) == ("accepted", "app-password")
    assert site.changes() == [f'action=create actor="{IDENTITIES["administrator"]}" '
                              f'user="{user.uid}" id={shown[:4]} result=done']


def test_admin_conf_may_say_gssapi(site, realm, user):
    site.write(site.folder / "admin.conf", {"bind": "gssapi"})
    assert site.done("mfa", "off", user.uid, env=realm.ticket(ANNA)) == \
        f"{user.uid}: enforced → off\n"


def test_a_ticket_of_somebody_else_gives_no_rights(site, realm, directory, user):
    assert fails(create(site, user, realm.ticket(CARL)), NOT_PERMITTED,
                 f"you are not a mail administrator for this user: uid={CARL},ou=people,{BASE} may not ")
    assert directory.app_passwords(user) == []


def test_it_works_on_the_loopback_without_tls(site, realm, directory, user):
    assert create(site, user, realm.ticket(ANNA), "-H", by_name(directory.ldap)).returncode == DONE


def test_a_ticket_is_no_reason_to_do_without_tls(site, realm, user):
    assert fails(create(site, user, realm.ticket(ANNA), "-H", "ldap://ldap.example.org"), USAGE,
                 "start_tls")


def test_without_a_ticket_it_says_kinit(site, realm, user):
    assert fails(create(site, user, realm.without_ticket("dora")), NOT_PERMITTED,
                 "there is no Kerberos ticket; run kinit")


def test_an_expired_ticket_is_named(site, realm, user):
    environment = realm.ticket(ANNA, "-l", "1s")
    wait_until(lambda: site.command("-Y", "GSSAPI", "list", user.uid, env=environment).returncode,
               "the ticket to expire", 60)
    assert fails(create(site, user, environment), NOT_PERMITTED,
                 "the Kerberos ticket has expired; run kinit again")


def test_clocks_that_differ_are_named(site, realm, user, tmp_path):
    environment = realm.ticket(ANNA)
    clock = Clock(tmp_path / "clock")
    clock.set("+20m")
    faked = {name: clock.env[name] for name in clock.env if name not in environment}
    assert fails(create(site, user, environment | faked), NOT_PERMITTED, "the clocks of this host",
                 "Clock skew too great")


def test_a_server_that_kerberos_does_not_know_is_named(site, realm, directory, user):
    assert fails(create(site, user, realm.ticket(ANNA), "-H", directory.ldap), NOT_PERMITTED,
                 "Kerberos does not know the server by this name", "ldap/127.0.0.1@EXAMPLE.ORG")


def test_a_missing_module_is_named(site, realm, user):
    assert fails(create(site, user, realm.ticket(ANNA) | {"SASL_PATH": "/nonexistent"}),
                 NOT_PERMITTED, "libsasl2-modules-gssapi-mit")


def test_without_a_kdc_it_is_unavailable(site, realm, user):
    environment = realm.ticket(ANNA)
    realm.stop()
    try:
        assert fails(create(site, user, environment), UNAVAILABLE, "no KDC answers")
    finally:
        realm.start()


def test_a_server_without_gssapi_is_named(site, realm, user, own_directory, tmp_path):
    other = own_directory(lines="sasl-host localhost")  # no keytab
    called = create(Site(tmp_path / "other", other, manage_as=None, uri=by_name(other.ldap)), user,
                    realm.ticket(ANNA))
    assert called.returncode in (NOT_PERMITTED, UNAVAILABLE), called
    assert "bind with GSSAPI: " in called.stderr


@pytest.mark.parametrize("arguments, words", [
    (["-Y", "GSSAPI", "-D", "cn=x"], "the Kerberos ticket says who you are"),
    (["-Y", "GSSAPI", "-W"], "exclude each other"), (["-Y", "PLAIN"], "EXTERNAL, over ldapi, or GSSAPI")])
def test_wrong_usage(site, arguments, words):
    assert fails(site.command(*arguments, "list", "alice"), USAGE, words)


def test_the_mail_server_has_no_ticket(site):
    """A login must not wait for a KDC."""
    site.write(site.config, {key: value for key, value in site.keys.items()
                             if key not in ("binddn", "bindpw_file")} | {"bind": "gssapi"})
    called = site.command("check", "alice", input="x\n")
    assert called.returncode == CONFIGURATION, called
    assert "must be external" in called.stderr


# ---- Samba ----

def test_a_ticket_of_active_directory(workdir, tmp_path):
    domain = DomainController(workdir / "samba-kdc", kdc=True)
    try:
        domain.start()
        run(["samba-tool", "spn", "add", f"ldap/{domain.address}", "DC1$", "-s", domain.config])
        kerberos.write_configuration(tmp_path / "krb5.conf", f"{domain.address}:{KERBEROS}")
        environment = {"KRB5_CONFIG": str(tmp_path / "krb5.conf"),
                       "KRB5CCNAME": f"FILE:{tmp_path}/cache"} | {"PATH": "/usr/sbin:/usr/bin"}
        kerberos.sign_in(ADMINISTRATOR.split("@")[0], PASSWORD, environment)
        site = Site(tmp_path / "site", domain, manage_as=None)
        user, other = domain.new_person(mfa=True), domain.new_person()
        called = create(site, user, environment)
        if called.returncode != DONE:  # before 4.21
            assert fails(called, NOT_PERMITTED, "for Samba before 4.21 see -Y in app-password(1)")
            domain.stop()
            with open(domain.config, "a") as config:
                config.write("ldap server require strong auth = allow_sasl_over_tls\n")
            domain.start()
            called = create(site, user, environment)
        assert called.returncode == DONE, called
        kerberos.sign_in(other.uid, other.password, environment)
        assert fails(create(site, user, environment), NOT_PERMITTED)
    finally:
        domain.stop()
