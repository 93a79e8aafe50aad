# SPDX-License-Identifier: BSD-2-Clause
"""Directories that break and are repaired, and the times when they were up."""

import shutil
import signal
import time
from urllib.parse import urlsplit

from fakes import Relay
from processes import signal_group
from replication import Replication
from slapd import ACL

PORTS = {"ldap": 389, "ldaps": 636}


class Server:
    """A directory behind a relay, and the times when it was up.

    uri  the one of its URIs to which the relay leads
    """

    def __init__(self, slapd, uri):
        self.slapd = slapd
        address = urlsplit(uri)
        # At the directory's own address, because its certificate may name no other.
        self.relay = Relay(address.hostname, address.port or PORTS[address.scheme], address.hostname)
        self.uri = f"{address.scheme}://{self.relay.address}"
        self._up_since = time.monotonic()
        self._times_up = []  # (from, to)
        self._repair = None

    def break_by(self, kind, dice):
        self._times_up.append((self._up_since, time.monotonic()))
        self._repair = getattr(self, f"_{kind}")(dice)

    def repair(self):
        if self._repair:
            self._repair()
            self._repair = None
            self._up_since = time.monotonic()

    def was_up(self, begin, end):
        """True if it was up for the whole time."""
        times = self._times_up if self._repair else \
            [*self._times_up, (self._up_since, time.monotonic())]
        return any(since <= begin and end <= until for since, until in times)

    def close(self):
        self.repair()
        self.relay.close()

    def _kill(self, _):
        signal_group(self.slapd.process, signal.SIGKILL)
        self.slapd.process.wait(60)
        return self.slapd.start

    def _stop(self, _):
        self.slapd.pause()
        return self.slapd.resume

    def _restart(self, _):
        self.slapd.stop()
        return self.slapd.start

    def _cut(self, _):
        self.relay.cut()
        return self.relay.restore

    def _slow(self, dice):
        self.relay.delay = dice.choice([0.1, 0.6, 3])

        def hurry():
            late, self.relay.delay = self.relay.delay, 0
            time.sleep(late)  # for the answers under way
        return hurry


class ServerWithCertificate(Server):
    """Its certificate can expire: the files `good` and `expired` replace `certificate`."""

    def __init__(self, slapd, certificate, good, expired):
        super().__init__(slapd, slapd.ldaps)
        self._certificate, self._good, self._expired = certificate, good, expired

    def _expire(self, _):
        self._restart_with(self._expired)
        return lambda: self._restart_with(self._good)

    def _restart_with(self, certificate):
        self.slapd.stop()
        shutil.copy(certificate, self._certificate)
        self.slapd.start()


class ReplicatedServers:
    """A provider and a consumer, each with its own replaceable certificate: `both` and `pair`."""

    def __init__(self, folder, authority):
        expired = authority.expired(folder / "expired")
        self.both = Replication(folder / "replication", ppolicy=False, acl=ACL["slapd.conf"][:1],
                                authority=authority)
        self.pair = []
        for slapd in (self.both.provider, self.both.consumer):
            certificate = folder / f"{slapd.folder.name}.pem"
            shutil.copy(authority.certificate, certificate)
            config = slapd.folder / "slapd.conf"
            config.write_text(config.read_text().replace(
                f"TLSCertificateFile {authority.certificate}", f"TLSCertificateFile {certificate}"))
            self.pair.append(ServerWithCertificate(slapd, certificate, authority.certificate, expired))

    def start(self):
        self.both.start()
        return self

    def stop(self):
        for server in self.pair:
            server.close()
        self.both.stop()

    @property
    def settings(self):
        return {"uri": " ".join(server.uri for server in self.pair)}

    def was_one_up(self, begin, end):
        """True if the same one was up for the whole time."""
        return any(server.was_up(begin, end) for server in self.pair)
