# SPDX-License-Identifier: BSD-2-Clause
"""A store beside a directory that can only be read: a proxy that refuses every change."""

import ldap
import pytest

import apppassword
from administration import Site
from beside import IN_USERS_DIRECTORY, MFA_PLACES, Beside
from conftest import new_folder
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE
from proxy import BACKENDS, Proxy
from slapd import IDENTITIES, secret


@pytest.fixture(scope="module", params=BACKENDS)
def proxy(request, workdir, users_and_store):
    users, _ = users_and_store
    server = Proxy(new_folder(workdir, "proxy"), users, request.param)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module", params=MFA_PLACES)
def behind(request, users_and_store):
    """Both directories; mail servers ask the proxy for the users."""
    return Beside(*users_and_store, request.param)


def test_the_proxy_shows_the_id_and_refuses_changes(proxy, users_and_store):
    users, _ = users_and_store
    who = users.new_person()
    client = ldap.initialize(proxy.ldap)
    client.simple_bind_s(IDENTITIES["mail server"], secret("mail server"))
    (dn, entry), = client.search_s("dc=example,dc=org", ldap.SCOPE_SUBTREE, f"(uid={who.uid})",
                                   ["entryUUID"])
    assert (dn, entry["entryUUID"][0].decode()) == (who.dn, users.id(who))
    with pytest.raises(ldap.UNWILLING_TO_PERFORM):
        client.modify_s(who.dn, [(ldap.MOD_REPLACE, "description", [b"x"])])


def test_users_behind_a_read_only_proxy_sign_in(make_front, proxy, behind):
    front = make_front(behind.settings | {"uri": proxy.ldap})
    who, app_password, revoked = behind.new_person(mfa=True, app_passwords=2)
    without = behind.new_person()
    behind.revoke(who, revoked)
    for login in who.uid, who.mail:
        assert front(login, app_password.shown) == (ACCEPTED, "app-password")
    assert front(who.uid, who.password) == (REFUSED, "account-password-with-mfa")
    assert front(who.uid, revoked.shown) == (REFUSED, "unknown-app-password")
    assert front(who.uid, apppassword.make().shown) == (REFUSED, "unknown-app-password")
    assert front(without.uid, without.password) == (ACCEPTED, "account-password")
    assert front(without.uid, "wrong") == (REFUSED, "wrong-account-password")
    assert front("nobody", without.password) == (REFUSED, "unknown-user")


def test_a_renamed_user_and_a_successor_behind_a_proxy(make_front, proxy, behind):
    front = make_front(behind.settings | {"uri": proxy.ldap})
    who, app_password = behind.new_person(mfa=True, app_passwords=1)
    assert front(who.uid, app_password.shown)[0] == ACCEPTED
    renamed = behind.users.rename(who, f"{who.uid}-proxied")
    assert front(renamed.uid, app_password.shown)[0] == ACCEPTED
    behind.users.add(who)
    assert front(who.uid, app_password.shown) == (REFUSED, "unknown-app-password")


def test_with_the_directory_behind_the_proxy_down_everybody_is_unavailable(
        own_beside, make_front, workdir):
    """The proxy answers, and neither "no such user" nor "wrong password" may be its answer."""
    for backend in BACKENDS:
        beside = own_beside(IN_USERS_DIRECTORY)
        server = Proxy(new_folder(workdir, "proxy"), beside.users, backend).start()
        try:
            front = make_front(beside.settings | {"uri": server.ldap})
            who, app_password = beside.new_person(mfa=True, app_passwords=1)
            without = beside.new_person()
            logins = [(who.uid, app_password.shown), (who.uid, who.password),
                      (without.uid, without.password)]
            assert front(*logins[0])[0] == ACCEPTED
            beside.users.stop()
            for login in logins:
                assert front(*login) == (UNAVAILABLE, "directory-unavailable"), backend
            beside.users.start()
            assert [front(*login)[0] for login in logins] == [ACCEPTED, REFUSED, ACCEPTED]
        finally:
            server.stop()


def test_an_administrator_manages_app_passwords_of_users_behind_a_proxy(tmp_path, proxy, behind):
    """The proxy refuses changes: everything goes to the store."""
    store = behind.store
    site = Site(tmp_path / "site", behind.users, manage_as=None,
                **behind.settings | {"uri": proxy.ldap})
    site.write(site.folder / "admin.conf", {
        "store_binddn": store.identities["administrator"],
        "store_bindpw_file": store.secret_file("administrator")})
    who = behind.users.new_person()
    if behind.mfa == IN_USERS_DIRECTORY:
        behind.users.set_mfa(who, True)
    else:
        site.done("mfa", "on", who.uid)
    shown = site.create(who)
    assert site.answers(who.uid, shown) == (ACCEPTED, "app-password")
    assert site.answers(who.uid, who.password) == (REFUSED, "account-password-with-mfa")
    site.done("revoke", who.uid, "--all")
    assert site.answers(who.uid, shown)[0] == REFUSED
