# SPDX-License-Identifier: BSD-2-Clause
"""A store beside Active Directory, 389 Directory Server and FreeIPA, whose schema is untouched."""

import re

import ldap
import pytest

from administration import DONE
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY
from conftest import new_folder
from ds389 import DirectoryServer
from freeipa import GROUPS, SYSTEM, USERS, FreeIPA
from freeipa import group as ipa_group, user as ipa_user
from processes import wait_until
from samba import DISABLED, DomainController
from slapd import BASE, IDENTITIES, Person, person, secret
from store import Store
from stored import People, StoredPortal, StoredSite
from visits import enrolled, labels, let_in, make_app_password

ACCEPTED, REFUSED = "accepted", "refused"
NESTED = "1.2.840.113556.1.4.1941"  # LDAP_MATCHING_RULE_IN_CHAIN


class UntouchedDomain(DomainController):
    """Two ordinary accounts, for the mail server and the page, and no right more than those have."""

    id_attribute = "objectGUID"

    def id(self, who):
        (_, entry), = self.manager().search_s(who.dn, ldap.SCOPE_BASE, attrlist=["objectGUID"])
        return entry["objectGUID"][0].hex()

    @property
    def keys(self):
        off = self.mfa_off
        return {"directory": "active-directory", "uri": self.ldaps,
                "tls_cacert": self.authority.ca,
                "mfa_filter": f"(memberOf:{NESTED}:={self.mfa_on})",
                "mfa_off_filter": f"(memberOf:{NESTED}:={off})", "mfa_witness": self.witness.dn}

    def set_mfa(self, who, enabled, enforce_from=None):
        assert enforce_from is None
        for group, how in ((self.mfa_on, enabled), (self.mfa_off, not enabled)):
            members = self.manager().search_s(group, ldap.SCOPE_BASE, attrlist=["member"])[0][1]
            is_in = who.dn.lower().encode() in [one.lower() for one in members.get("member", [])]
            if is_in != how:
                self.manager().modify_s(group, [(
                    ldap.MOD_ADD if how else ldap.MOD_DELETE, "member", [who.dn.encode()])])

    def rename(self, who, uid):
        self.set(who, sAMAccountName=uid, mail=f"{uid}@example.org")
        self.manager().rename_s(who.dn, f"cn={uid}")
        return Person(uid, f"{uid}@example.org", f"cn={uid},ou=people,{BASE}", who.password)

    def disable(self, who):
        self.set(who, userAccountControl=DISABLED)

    def delete(self, who):
        self.manager().delete_s(who.dn)

    def add_again(self, who):
        self.add_user(who)

    def _load(self):
        for unit in "services", "groups", "people":
            self.add_unit(unit)
        for identity in "mail server", "portal":
            dn = IDENTITIES[identity]
            self.add_user(Person(dn.split(",")[0][3:], "service@example.org", dn,
                                 secret(identity)))
        self.witness = self._make_person("mfa-witness")
        self.mfa_on, self.mfa_off = self.add_group("mfa-on", self.witness.dn), \
            self.add_group("mfa-off")
        self._is_loaded = True


class Untouched389(DirectoryServer):
    id_attribute = "nsUniqueId"

    def __init__(self, folder):
        super().__init__(folder, aci=False)

    def id(self, who):
        (_, entry), = self.manager().search_s(who.dn, ldap.SCOPE_BASE, attrlist=["nsUniqueId"])
        return entry["nsUniqueId"][0].decode()

    @property
    def keys(self):
        return {"uri": self.ldap, "mfa_filter": "(employeeType=mfa)",
                "mfa_witness": person("user099").dn}

    connect_as_itself = DirectoryServer.manager

    def set_mfa(self, who, enabled, enforce_from=None):
        assert enforce_from is None
        self.manager().modify_s(who.dn, [(ldap.MOD_REPLACE, "employeeType",
                                          [b"mfa"] if enabled else None)])

    def rename(self, who, uid):
        self.manager().rename_s(who.dn, f"uid={uid}", None, True)
        renamed = person(uid)._replace(password=who.password)
        self.manager().modify_s(renamed.dn, [(ldap.MOD_REPLACE, "mail", [renamed.mail.encode()])])
        return renamed

    def disable(self, who):
        self.manager().modify_s(who.dn, [(ldap.MOD_REPLACE, "nsAccountLock", [b"true"])])

    def delete(self, who):
        self.manager().delete_s(who.dn)

    def add_again(self, who):
        self.manager().add_s(who.dn, [
            ("objectClass", [b"inetOrgPerson"]), ("userPassword", [who.password.encode()]),
            *((name, [value.encode()]) for name, value in (
                ("uid", who.uid), ("cn", who.uid), ("sn", who.uid), ("mail", who.mail)))])

    def _write_files(self):
        """It does not start without any file."""
        super()._write_files()
        (self.folder / "etc" / "schema" / "99app-password.ldif").write_text("dn: cn=schema\n")

    def _load(self):
        super()._load()
        self.manager().modify_s(BASE, [(ldap.MOD_ADD, "aci", [
            f'(targetattr != "userPassword")(version 3.0; acl "{identity}"; allow (read, search, '
            f'compare) userdn = "ldap:///{IDENTITIES[identity]}";)'.encode()
            for identity in ("mail server", "portal")])])
        self.set_mfa(person("user099"), True)


class UntouchedFreeIPA(FreeIPA):
    """Two system accounts, and no permission more than every account has."""

    id_attribute = "ipaUniqueID"
    identities = {"mail server": f"uid=mail-server,{SYSTEM}", "portal": f"uid=portal,{SYSTEM}"}

    def __init__(self, folder):
        super().__init__(folder, schema=False)

    def id(self, who):
        return self.values(who, "ipaUniqueID")[0]

    @property
    def keys(self):
        return {"uri": self.ldap, "base": USERS, "filter": "(|(uid=%u)(mail=%u))",
                "login_attribute": "uid", "binddn": self.identities["mail server"],
                "mfa_filter": f"(memberOf={self.mfa_on})", "mfa_witness": self.witness.dn}

    connect_as_itself = FreeIPA.manager

    def new_person(self):
        return self.new_user()

    def set_mfa(self, who, enabled, enforce_from=None):
        assert enforce_from is None
        self.manager().modify_s(self.mfa_on, [(
            ldap.MOD_ADD if enabled else ldap.MOD_DELETE, "member", [who.dn.encode()])])
        wait_until(lambda: bool(self.values(who, "memberOf")) == enabled, "memberOf")

    def rename(self, who, uid):
        self.manager().rename_s(who.dn, f"uid={uid}", None, True)
        renamed = who._replace(uid=uid, mail=f"{uid}@example.org", dn=f"uid={uid},{USERS}")
        self.set(renamed.dn, mail=renamed.mail)
        return renamed

    def disable(self, who):
        self.set(who.dn, nsAccountLock="TRUE")

    def delete(self, who):
        self.manager().delete_s(who.dn)

    def add_again(self, who):
        self.manager().add_s(who.dn, ldap.modlist.addModlist({
            name: [value.encode() for value in values]
            for name, values in ipa_user(who.uid, userPassword=[who.password]).items()}))

    def _load(self):
        super()._load()
        for identity, dn in self.identities.items():
            self.add(dn, {"objectClass": ["account", "simpleSecurityObject"],
                          "uid": [dn.split(",")[0][4:]], "userPassword": [secret(identity)]})
        self.mfa_on = f"cn=mfa,{GROUPS}"
        self.witness = self.new_user()
        self.add(self.mfa_on, ipa_group("mfa", self.witness.dn))


KINDS = {"Active Directory": UntouchedDomain, "389": Untouched389, "FreeIPA": UntouchedFreeIPA}


@pytest.fixture(scope="module", params=KINDS)
def servers(request, workdir):
    users = KINDS[request.param](new_folder(workdir, "users") / "server")
    store = Store(new_folder(workdir, "store"), id_attribute=users.id_attribute)
    try:
        yield users.start(), store.start()
    finally:
        users.stop()
        store.stop()


class Foreign(People):
    """A store beside one of these directories."""

    @property
    def settings(self):
        return self.users.keys | {"id_attribute": self.users.id_attribute} | self.store.settings \
            | self.store_uri | self.mfa_settings

    @property
    def mfa_settings(self):
        if self.mfa == IN_USERS_DIRECTORY:
            return {}
        return dict.fromkeys(("mfa_filter", "mfa_off_filter", "mfa_witness")) \
            | super().mfa_settings

    def new_person(self, mfa=False):
        fresh = self.users.new_person()
        if self.mfa == IN_USERS_DIRECTORY:
            self.set_mfa(fresh, mfa)
        else:
            self.add_entry(fresh, mfa)
        return fresh

    def set_mfa(self, who, enabled, enforce_from=None):
        if self.mfa != IN_USERS_DIRECTORY or isinstance(self.users, UntouchedDomain) or enabled:
            super().set_mfa(who, enabled, enforce_from)


@pytest.fixture(scope="module", params=[IN_USERS_DIRECTORY, DEFAULT_ON, DEFAULT_OFF])
def people(request, servers):
    return Foreign(*servers, request.param)


@pytest.fixture
def site(people, tmp_path):
    return StoredSite(tmp_path / "site", people)


def test_logins(people, site):
    who = people.new_person(mfa=True)
    shown = site.create(who)
    for login in who.uid, who.mail, who.uid.upper():
        assert site.answers(login, shown) == (ACCEPTED, "app-password")
        assert site.answers(login, who.password) == (REFUSED, "account-password-with-mfa")
    without = people.new_person(mfa=False)
    assert site.answers(without.uid, without.password) == (ACCEPTED, "account-password")
    assert site.answers(without.uid, "wrong") == (REFUSED, "wrong-account-password")
    people.users.disable(who)
    assert site.answers(who.uid, shown) == (REFUSED, "account-disabled")


def test_the_entry_is_named_after_the_id(people, site):
    who = people.new_person(mfa=True)
    site.create(who)
    owner = people.users.id(who)
    assert re.fullmatch("[0-9a-f-]{32,36}", owner) and owner in people.store.owners()
    listed, = site.listed(who)
    assert listed["label"] == "a test"
    assert people.values(who, "uid")[0].lower() == who.uid.lower()


def test_a_renamed_user_and_a_successor(people, site):
    who = people.new_person(mfa=True)
    shown = site.create(who)
    new = people.users.rename(who, f"re-{who.uid}")
    assert site.answers(new.uid, shown) == (ACCEPTED, "app-password")
    people.users.delete(new)
    people.users.add_again(new)
    people.set_mfa(new, True)
    assert site.answers(new.uid, shown)[0] == REFUSED
    assert site.listed(new) == []


def test_reports_are_joined_by_id(people, site):
    who, gone, disabled = (people.new_person(mfa=True) for _ in range(3))
    ids = {one.uid: site.create(one, "--expires", "2h")[:4] for one in (who, gone, disabled)}
    people.users.disable(disabled)
    people.users.delete(gone)
    called = site.command("report", "--expiring", "1d", "--disabled")
    assert called.returncode == DONE, called
    found = {tuple(line.split()[:3]) for line in called.stdout.splitlines()}
    for one in who, gone, disabled:
        assert ("expiring", one.uid, ids[one.uid]) in found
    for one in gone, disabled:
        assert ("disabled-account", one.uid, ids[one.uid]) in found
    assert ("disabled-account", who.uid, ids[who.uid]) not in found
    assert site.command("report", "--progress").returncode == DONE
    assert site.command("report", "--mfa-without-app-password").returncode == DONE


def test_mfa_on_and_off(people, site):
    who = people.new_person(mfa=False)
    called = site.command("mfa", "on", who.uid, "--announce", "14d")
    if people.mfa == IN_USERS_DIRECTORY:
        assert "turn it on and off there" in called.stderr
        return
    assert f"{who.uid}: off → announced for 20" in called.stdout
    assert site.answers(who.uid, who.password)[0] == ACCEPTED
    site.done("mfa", "on", who.uid, "--now")
    assert site.answers(who.uid, who.password)[0] == REFUSED
    assert site.done("mfa", "off", who.uid) == f"{who.uid}: enforced → off\n"


@pytest.fixture(scope="module")
def portal(people, workdir):
    conf = {"binddn": people.users.identities["portal"]} if isinstance(
        people.users, UntouchedFreeIPA) else {}
    running = StoredPortal(new_folder(workdir, "portal") / "etc", people, conf).start()
    yield running
    running.stop()


def test_the_page(people, portal):
    who = people.new_person(mfa=True)
    client, app = enrolled(portal, who, **{"X-Real-IP": f"203.0.113.{len(portal.events()) % 250}"})
    shown = make_app_password(client)
    assert portal.answers(who.uid, shown) == (ACCEPTED, "app-password")
    client = let_in(portal, who, app, **{"X-Real-IP": f"198.51.100.{len(portal.events()) % 250}"})
    assert labels(client.page) == ["a test"]
    client.post("revoke", id=shown[:4])
    assert portal.answers(who.uid, shown) == (REFUSED, "revoked")
    people.users.disable(who)
    assert client.get("").title() != "Your app passwords"
