# SPDX-License-Identifier: BSD-2-Clause
"""The directories of a round: what breaks in them, and when they could have answered.

Each has Slapd's interface in `directory`, where users are made; the keys of app-password.conf that
lead there through relays in `settings`, and for the page in `page_settings`; and breakable.Servers of the same `kinds` of faults in `servers`.
"""

from beside import IN_USERS_DIRECTORY, MFA_PLACES, READERS, Users, tcp
from breakable import ReplicatedServers, Server
from conftest import new_folder
from samba import DomainController
from store import Store
from stored import People


class Replicated:
    """Two slapds in replication, over ldaps: one is enough."""

    kinds = ["kill", "stop", "restart", "cut", "slow", "expire"]
    mfa_is_in_store = False

    def __init__(self, folder, authority, _):
        self._servers = ReplicatedServers(folder, authority)
        self.servers = self._servers.pair
        self.directory = self._servers.both.provider
        self.settings = self._servers.settings | {"tls_cacert": authority.ca, "login_attribute": "uid"}
        self.page_settings = self.settings | {"uri": self.servers[0].uri}  # it has to see its changes

    def start(self):
        self._servers.start()

    def stop(self):
        self._servers.stop()

    def settle(self):
        """Wait until every server knows of all changes."""
        self._servers.both.in_step()

    def could_answer(self, _, begin, end):
        return self._servers.was_one_up(begin, end)


class WithStore:
    """A users' directory and a store: most logins need both."""

    kinds = ["kill", "stop", "restart", "cut", "slow"]

    def __init__(self, folder, _, dice):
        self._both = [Users(new_folder(folder, "users"), ppolicy=False, site_rules=READERS),
                      Store(new_folder(folder, "store"))]
        self.directory = People(*self._both, dice.choice(MFA_PLACES))
        self.mfa_is_in_store = self.directory.mfa != IN_USERS_DIRECTORY
        self.servers = []

    def start(self):
        for slapd in self._both:
            slapd.start()
            self.servers.append(Server(slapd, tcp(slapd)))

    def stop(self):
        for server in self.servers:
            server.close()
        for slapd in self._both:
            slapd.stop()

    @property
    def settings(self):
        users, store = self.servers
        return self.directory.settings | {"uri": users.uri, "store_uri": store.uri,
                                          "login_attribute": "uid"}

    @property
    def page_settings(self):
        return self.settings

    def settle(self):
        pass

    def could_answer(self, login, begin, end):
        users, store = self.servers
        return users.was_up(begin, end) and (not login.needs_store or store.was_up(begin, end))


class ActiveDirectory:
    """One domain controller of Samba, over ldaps."""

    kinds = ["kill", "stop", "restart", "cut", "slow"]
    mfa_is_in_store = False

    def __init__(self, folder, *_):
        self.directory = DomainController(new_folder(folder, "samba"))
        self.servers = []

    def start(self):
        self.directory.start()
        self.servers.append(Server(self.directory, self.directory.ldaps))

    def stop(self):
        for server in self.servers:
            server.close()
        self.directory.stop()

    @property
    def settings(self):
        return self.directory.settings | {"uri": self.servers[0].uri}

    @property
    def page_settings(self):
        return self.settings

    def settle(self):
        pass

    def could_answer(self, _, begin, end):
        return self.servers[0].was_up(begin, end)


LANDSCAPES = {"replicated": Replicated, "store": WithStore, "active-directory": ActiveDirectory}
