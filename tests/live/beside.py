# SPDX-License-Identifier: BSD-2-Clause
"""A users' directory whose schema nobody extended, and the store beside it.

MFA is a group of the users' directory, or the store's flag.
"""

import contextlib
import re

import ldap

import apppassword
from fakes import Relay
from slapd import BASE, GROUP, IDENTITIES, MEMBER, PASSWORD_RULE, Slapd, person

# The mail server reads; nobody writes but the rootdn.
READ_ONLY_SITE = (PASSWORD_RULE
                  + f'access to * by dn.exact="{IDENTITIES["mail server"]}" read by * none\n')
# The page reads, too.
READERS = READ_ONLY_SITE.replace(" read by * none", f"""
    read by dn.exact="{IDENTITIES["portal"]}" read by * none""")

# Where the flag is: keys of app-password.conf without those of the store's settings.
IN_USERS_DIRECTORY = "MFA in the users' directory"
DEFAULT_ON, DEFAULT_OFF = "store_mfa, default on", "store_mfa, default off"
MFA_PLACES = (IN_USERS_DIRECTORY, DEFAULT_ON, DEFAULT_OFF)


class Users(Slapd):
    """The users' directory, without our schema; see Slapd for the options."""

    def __init__(self, folder, **options):
        super().__init__(folder, **{"acl": (), "schema": False,
                                    "site_rules": READ_ONLY_SITE} | options)

    def id(self, who):
        """The value of id_attribute."""
        (_, entry), = self.connect_as_itself().search_s(who.dn, ldap.SCOPE_BASE,
                                                        attrlist=["entryUUID"])
        return entry["entryUUID"][0].decode()

    def set_mfa(self, who, enabled, enforce_from=None):
        """Put the user into the group, or take the user out of it."""
        assert enforce_from is None, "an announcement is an attribute of the store"
        how = ldap.MOD_ADD if enabled else ldap.MOD_DELETE
        with contextlib.suppress(ldap.TYPE_OR_VALUE_EXISTS, ldap.NO_SUCH_ATTRIBUTE):
            self.connect_as_itself().modify_s(GROUP, [(how, "member", [who.dn.encode()])])

    def rename(self, who, uid):
        """Give the user another login and mail address."""
        renamed = person(uid)._replace(password=who.password)
        root = self.connect_as_itself()
        root.rename_s(who.dn, f"uid={uid}", None, True)
        root.modify_s(renamed.dn, [(ldap.MOD_REPLACE, "mail", [renamed.mail.encode()])])
        return renamed

    def move(self, who, unit):
        """Move the entry to another branch."""
        parent = f"ou={unit},{BASE}"
        self.connect_as_itself().rename_s(who.dn, f"uid={who.uid}", parent, True)
        return who._replace(dn=f"uid={who.uid},{parent}")

    def delete(self, who):
        """Delete the user, who leaves the group, too."""
        self.set_mfa(who, False)
        self.connect_as_itself().delete_s(who.dn)

    def add(self, who):
        """Add a user of this name."""
        self.connect_as_itself().add_s(who.dn, [
            ("objectClass", [b"inetOrgPerson"]), ("userPassword", [who.password.encode()]),
            *((name, [value.encode()]) for name, value in (
                ("uid", who.uid), ("cn", who.uid), ("sn", who.uid), ("mail", who.mail)))])


class Beside:
    """Both directories; `mfa` is one of MFA_PLACES.

    `settings` are the keys of app-password.conf that lead to both, over TCP, which also works in
    Postfix's chroot.
    """

    def __init__(self, users, store, mfa):
        self.users, self.store, self.mfa = users, store, mfa

    @property
    def settings(self):
        return ({"uri": tcp(self.users), "id_attribute": "entryUUID"} | self.store.settings
                | self.store_uri | self.mfa_settings)

    @property
    def store_uri(self):
        return {"store_uri": tcp(self.store)}

    @property
    def mfa_settings(self):
        if self.mfa == IN_USERS_DIRECTORY:
            return {"mfa_filter": f"(memberOf={GROUP})", "mfa_witness": MEMBER.dn}
        if self.mfa == DEFAULT_ON:
            return {"store_mfa": "yes"}
        return {"store_mfa": "yes", "store_mfa_default": "off", "mfa_witness": self.store.witness}

    def new_person(self, mfa=False, app_passwords=0):
        """A user no other test has touched; with app_passwords, (person, app password…).

        The user has an entry in the store if one is needed to say so.
        """
        fresh = self.users.new_person()
        added = [apppassword.make() for _ in range(app_passwords)]
        self._set_mfa_in_users_directory(fresh, mfa)
        if added or self.mfa != IN_USERS_DIRECTORY:
            self.add_entry(fresh, mfa, added)
        return (fresh, *added) if added else fresh

    def add_entry(self, who, mfa, app_passwords=(), **attributes):
        """Add the user's entry to the store."""
        flag = {} if self.mfa == IN_USERS_DIRECTORY else {
            "appPasswordMfaEnabled": "TRUE" if mfa else "FALSE"}
        values = [one.value for one in app_passwords]
        return self.store.add_entry(
            self.users.id(who), **{"appPasswordMfaEnabled": [], "appPassword": values, "uid": who.uid}
            | flag | attributes)

    def revoke(self, who, app_password):
        self.store.revoke(self.users.id(who), app_password)

    def _set_mfa_in_users_directory(self, who, mfa):
        if self.mfa == IN_USERS_DIRECTORY and mfa:
            self.users.set_mfa(who, True)

    def searches(self, users_mark, store_mark):
        """How many searches each directory logged since a mark."""
        return tuple(sum(" SRCH base=" in line for line in directory.log_since(mark))
                     for directory, mark in ((self.users, users_mark), (self.store, store_mark)))


def tcp(directory):
    """The URI of the TCP port on the loopback."""
    return next(uri for uri in directory.listeners if uri.startswith(("ldap://", "ldaps://")))


def relay_to(directory):
    """A relay in front of that port."""
    return Relay(*tcp(directory).removeprefix("ldap://").split(":"))


class Front:
    """A mail server to sign in at: answers (verdict, reason), by its reply and its log."""

    def __init__(self, server, sign_in):
        self.server = server
        self._sign_in = sign_in

    def __call__(self, user, password):
        before = len(self.lines())
        verdict = self._sign_in(self.server, user, password)
        line, = self.lines()[before:]
        logged, reason = re.search(r" verdict=(\S+) reason=(\S+)", line).groups()
        assert logged == verdict, line
        return verdict, reason

    def lines(self):
        """The log lines of the logins so far."""
        return [line for line in self.server.events() if " verdict=" in line]
