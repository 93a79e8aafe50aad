# SPDX-License-Identifier: BSD-2-Clause
"""A private Kerberos realm: MIT's KDC."""

import os
import socket

from processes import free_port, run, start, stop, wait_until

REALM = "EXAMPLE.ORG"


class Realm:
    """A KDC in its own folder, and tickets of its users.

    services  principals such as ldap/localhost, whose keys are in `keytab`
    """

    def __init__(self, folder, *services):
        self.folder = folder
        self.log = folder / "kdc.log"
        self.keytab = folder / "services.keytab"
        self.port = free_port()
        self.process = None
        folder.mkdir()
        configuration, profile = folder / "krb5.conf", folder / "kdc.conf"
        write_configuration(configuration, f"127.0.0.1:{self.port}")
        profile.write_text(f"""\
[realms]
{REALM} = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    kdc_listen = 127.0.0.1:{self.port}
    kdc_tcp_listen = 127.0.0.1:{self.port}
}}
""")
        self.environment = {"KRB5_CONFIG": str(configuration), "KRB5_KTNAME": str(self.keytab)}
        self._env = os.environ | self.environment | {"KRB5_KDC_PROFILE": str(profile)}
        run(["kdb5_util", "create", "-s", "-r", REALM, "-P", "Master.key/1"], env=self._env)
        for service in services:
            self._administrate(f"addprinc -randkey {service}")
            self._administrate(f"ktadd -k {self.keytab} {service}")

    def start(self):
        self.process = start(["/usr/sbin/krb5kdc", "-n"], self.log, self._env)
        wait_until(self._answers, f"the KDC, see {self.log}", timeout=60)
        return self

    def stop(self):
        if self.process:
            stop(self.process)
        self.process = None

    def add(self, *names):
        """Add users; the password is derived from the name."""
        for name in names:
            self._administrate(f"addprinc -pw {password(name)} {name}")

    def delete(self, principal):
        self._administrate(f"delprinc -force {principal}")

    def ticket(self, name, *options):
        """The environment of a user with a new ticket."""
        environment = self.without_ticket(name)
        sign_in(name, password(name), environment, *options)
        return environment

    def without_ticket(self, name):
        """The environment of a user."""
        return os.environ | self.environment | {"KRB5CCNAME": f"FILE:{self.folder}/cache-{name}"}

    def _administrate(self, command):
        run(["kadmin.local", "-r", REALM, "-q", command], env=self._env)

    def _answers(self):
        assert self.process.poll() is None, f"krb5kdc ended:\n{self.log.read_text()}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def password(name):
    return f"Kerberos.{name}/1"


def sign_in(name, secret, environment, *options):
    run(["kinit", *options, f"{name}@{REALM}"], env=environment, input=f"{secret}\n")


def write_configuration(file, kdc):
    """krb5.conf without DNS: a service has the name by which it is called."""
    file.write_text(f"""\
[libdefaults]
default_realm = {REALM}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{REALM} = {{
    kdc = {kdc}
}}
""")
