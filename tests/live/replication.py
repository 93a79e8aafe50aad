# SPDX-License-Identifier: BSD-2-Clause
"""A provider and a consumer in syncrepl replication."""

import contextlib

import ldap

from fakes import Relay
from processes import wait_until
from slapd import BASE, CLOSED_SITE, IDENTITIES, ITSELF, Slapd, secret

READ_ALL = f"""\
access to * by dn.exact="{IDENTITIES["replicator"]}" read by * break
"""
PROVIDER = f"""\
overlay syncprov
limits dn.exact="{IDENTITIES["replicator"]}" size=unlimited time=unlimited
"""
CONSUMER = """\
syncrepl rid=1 provider=ldap://{relay} searchbase={base} type=refreshAndPersist
  retry="1 +" bindmethod=simple binddn="{identity}" credentials="{password}"
updateref {provider}
"""
# slapo-chain(5): the consumer follows its own referrals, as the client.
CHAIN = """
moduleload back_ldap
overlay chain
chain-uri {provider}
chain-idassert-bind bindmethod=simple binddn="{identity}" credentials="{password}" mode=self
chain-return-error TRUE
"""


class Replication:
    """`provider` takes writes; `consumer` replicates it as "replicator" and refers writes to it.

    does_forward  true: it forwards writes instead
    The other options are those of Slapd, for both.
    """

    def __init__(self, folder, does_forward=False, **options):
        folder.mkdir(exist_ok=True)
        options = {"site_rules": CLOSED_SITE, "lines": "moduleload syncprov"} | options
        self.provider = Slapd(folder / "provider", first_rules=PROVIDER + READ_ALL, **options)
        self.relay = Relay(*self.provider.ldap.removeprefix("ldap://").split(":"))
        rules = CONSUMER.format(
            relay=self.relay.address, base=BASE, identity=IDENTITIES["replicator"],
            password=secret("replicator"), provider=self.provider.ldap) + READ_ALL
        if does_forward:
            options["lines"] += CHAIN.format(provider=self.provider.ldap, identity=ITSELF,
                                             password=secret("slapd itself"))
        self.consumer = Slapd(folder / "consumer", first_rules=rules, is_empty=True, **options)

    def start(self):
        self.provider.start()
        self.consumer.start()
        self.in_step()
        return self

    def stop(self):
        self.relay.close()
        self.consumer.stop()
        self.provider.stop()

    def in_step(self):
        """Wait until the consumer is up to date."""
        wait_until(lambda: context_csn(self.consumer) == context_csn(self.provider) != [],
                   "the consumer to catch up")

    @contextlib.contextmanager
    def lag(self):
        """Cut the replication within the block; wait for the consumer afterwards."""
        self.relay.cut()
        try:
            yield
        finally:
            self.relay.restore()
        self.in_step()


def context_csn(server):
    """A server's replication state; empty if the server does not answer."""
    try:
        (_, entry), = server.connect("replicator").search_s(
            BASE, ldap.SCOPE_BASE, "(objectClass=*)", ["contextCSN"])
    except (ldap.INVALID_CREDENTIALS, ldap.NO_SUCH_OBJECT, ldap.SERVER_DOWN):
        return []
    return sorted(entry.get("contextCSN", []))
