# SPDX-License-Identifier: BSD-2-Clause
"""The command and the page on a host whose app passwords are in a store, and its users."""

import contextlib

import ldap

import apppassword
from administration import Site
from beside import IN_USERS_DIRECTORY, Beside
from portal import Portal


class StoredSite(Site):
    """Manages as an identity of the store, and reads users as the mail server.

    beside     a Beside, or anything with `settings`, and the store in `store`
    manage_as  an identity of the store
    admin      more keys of admin.conf
    """

    def __init__(self, folder, beside, /, manage_as="administrator", admin=None, **keys):
        super().__init__(folder, beside, manage_as=None, **keys)
        self.manage_as(beside.store, manage_as, **(admin or {}))

    def manage_as(self, store, identity, **keys):
        self.write(self.folder / "admin.conf", {
            "store_binddn": store.identities[identity],
            "store_bindpw_file": store.secret_file(identity)} | keys)


class StoredPortal(Portal):
    """The page; with the portal's identity in both directories."""

    def __init__(self, folder, beside, conf=None, **keys):
        super().__init__(folder, beside, {
            "store_binddn": beside.store.identities["portal"],
            "store_bindpw_file": beside.store.secret_file("portal")} | (conf or {}), **keys)
        StoredSite.manage_as(self, beside.store, "administrator")


class People(Beside):
    """Both directories with the interface of Slapd: our attributes are in the store."""

    def set_mfa(self, who, enabled, enforce_from=None):
        if self.mfa == IN_USERS_DIRECTORY:
            self.users.set_mfa(who, enabled, enforce_from)
        else:
            self.administrate(who, appPasswordMfaEnabled="TRUE" if enabled else "FALSE",
                              appPasswordMfaEnforceFrom=enforce_from)

    def add_app_password(self, who, **fields):
        added = apppassword.make(**fields)
        self._add_missing_entry(who)
        self._modify(who, [(ldap.MOD_ADD, "appPassword", [added.value.encode()])])
        return added

    def administrate(self, who, **attributes):
        self._add_missing_entry(who)
        self.store.administrate(self.users.id(who), **attributes)

    def values(self, who, attribute):
        """Empty also without an entry."""
        with contextlib.suppress(ldap.NO_SUCH_OBJECT):
            return self.store.values(self.users.id(who), attribute)
        return []

    def app_passwords(self, who):
        return [value for value in self.values(who, "appPassword") if " revoked=" not in value]

    def _add_missing_entry(self, who):
        with contextlib.suppress(ldap.ALREADY_EXISTS):
            self.add_entry(who, False)

    def _modify(self, who, changes):
        self.store.connect("administrator").modify_s(self.store.dn(self.users.id(who)), changes)
