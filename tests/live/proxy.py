# SPDX-License-Identifier: BSD-2-Clause
"""A read-only LDAP in front of a directory: what a site gets that may not write there."""

from urllib.parse import quote

import ldap

from processes import free_port, start, stop, wait_until
from slapd import BASE

# How slapd forwards to another server. Both pass a bind on to it.
BACKENDS = {"back-ldap": "ldap", "back-meta": "meta"}


class Proxy:
    """slapd without entries of its own: it forwards binds and searches, and refuses changes.

    target   a Slapd
    backend  one of BACKENDS
    """

    def __init__(self, folder, target, backend):
        self.ldap = f"ldap://127.0.0.1:{free_port()}"
        self.ldapi = f"ldapi://{quote(str(folder / 'ldapi'), safe='')}"
        self.log = folder / "slapd.log"
        self.process = None
        self._config = folder / "slapd.conf"
        kind = BACKENDS[backend]
        uri = f"{target.ldap}/{BASE}" if kind == "meta" else target.ldap
        self._config.write_text(f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_ldap
moduleload back_meta
moduleload memberof
moduleload ppolicy
database {kind}
suffix {BASE}
uri "{uri}"
rebind-as-user yes
readonly on
""")

    def start(self):
        self.process = start(["/usr/sbin/slapd", "-f", self._config, "-h",
                              f"{self.ldap} {self.ldapi}", "-d", "stats"], self.log)
        wait_until(self._answers, f"slapd, see {self.log}")
        return self

    def stop(self):
        if self.process:
            stop(self.process)
        self.process = None

    def _answers(self):
        assert self.process.poll() is None, f"slapd ended:\n{self.log.read_text()}"
        try:
            return ldap.initialize(self.ldapi).search_s("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            return None
