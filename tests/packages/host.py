# SPDX-License-Identifier: BSD-2-Clause
"""The mail host before our packages are installed: Debian's packages with their own settings.

All of it is on one machine: the directory with two people, which also answers to the name of the
examples, Postfix and Dovecot.
"""

import contextlib
import pathlib
import re
import socket
import subprocess
import tempfile
import time
from collections import namedtuple

BASE = "dc=example,dc=org"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{BASE}", "the directory's own administrator"
NAMES = "ldap1.example.org ldap2.example.org mail.example.org"
PORTS = {"slapd": 636, "postfix": 25, "dovecot": 143}
MAIL_LOG = pathlib.Path("/var/log/mail.log")

User = namedtuple("User", "uid password")
ALICE, BOB = User("alice", "Account.alice/1"), User("bob", "Account.bob/1")

# What Debian's slapd asks.
SELECTIONS = f"""\
slapd slapd/domain string example.org
slapd shared/organization string Example
slapd slapd/password1 password {ADMIN_PASSWORD}
slapd slapd/password2 password {ADMIN_PASSWORD}
slapd slapd/move_old_database boolean false
"""

TLS = """dn: cn=config
changetype: modify
replace: olcTLSCertificateFile
olcTLSCertificateFile: /etc/ldap/directory.pem
-
replace: olcTLSCertificateKeyFile
olcTLSCertificateKeyFile: /etc/ldap/directory.key
"""


def run(*argv, **options):
    """Run a command, which must succeed; return its output."""
    # Not through a pipe, which a server that it starts would keep open.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(argv, text=True, stdout=output, stderr=output, timeout=1800, **options)
        output.seek(0)
        said = output.read()
    assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{said}"
    return said


def service(name, action):
    """Like service(8), which without systemd does not know rsyslog."""
    if name == "rsyslog" and not pathlib.Path("/run/systemd/system").exists():
        return run("rsyslogd")
    return run("service", name, action)


def wait_until(condition, what, timeout=60):
    """Poll until condition() is true and return its result."""
    end = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < end, f"waited {timeout} s for {what}"
        time.sleep(0.05)
    return result


def is_listening(port):
    """Whether a server listens on a port of this machine."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def restart(name):
    """Wait until it listens on its port again."""
    service(name, "restart")
    wait_until(lambda: is_listening(PORTS[name]), f"{name} on port {PORTS[name]}")


def stop(name):
    """Wait until it no longer listens."""
    service(name, "stop")
    wait_until(lambda: not is_listening(PORTS[name]), f"the end of {name}")


def prepare():
    """Turn freshly installed packages into a mail host with a directory of people."""
    with open("/etc/hosts", "a") as hosts:
        hosts.write(f"127.0.0.1 localhost mail {NAMES}\n")
    service("rsyslog", "restart")
    make_certificate()
    make_directory()
    for name in "postfix", "dovecot":
        restart(name)


def make_certificate():
    """A certificate for the directory, from a CA that the system trusts."""
    folder = pathlib.Path("/etc/ldap")
    ca = "/usr/local/share/ca-certificates/site.crt"
    names = ",".join(f"DNS:{name}" for name in NAMES.split())
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
           "-nodes", "-days", "30"]
    run(*new, "-subj", "/CN=the site's CA", "-keyout", folder / "ca.key", "-out", ca)
    run(*new, "-subj", "/CN=ldap1.example.org", "-addext", f"subjectAltName={names}",
        "-addext", "basicConstraints=critical,CA:FALSE", "-CA", ca, "-CAkey", folder / "ca.key",
        "-keyout", folder / "directory.key", "-out", folder / "directory.pem")
    run("chown", "openldap", folder / "directory.key")
    run("update-ca-certificates")


def make_directory():
    """Debian's slapd for example.org, with TLS, and the people in it."""
    make_empty_directory()
    config(TLS)
    restart("slapd")
    add(people())


def make_empty_directory():
    """Debian's slapd for example.org, as its package asks and makes it."""
    run("debconf-set-selections", input=SELECTIONS)
    subprocess.run(["service", "slapd", "stop"], stdout=subprocess.DEVNULL)
    run("find", "/var/lib/ldap", "-type", "f", "-delete")
    run("dpkg-reconfigure", "--frontend=noninteractive", "slapd")
    settings = pathlib.Path("/etc/default/slapd")
    services = 'SLAPD_SERVICES="ldap:/// ldapi:/// ldaps:///"'
    settings.write_text(re.sub("^SLAPD_SERVICES=.*", services, settings.read_text(),
                               flags=re.MULTILINE))
    service("slapd", "restart")
    wait_until(lambda: is_listening(389), "slapd")


def people():
    """The entries of the users, as LDIF."""
    return f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\n" + "".join(
        f"\ndn: uid={user.uid},ou=people,{BASE}\nobjectClass: inetOrgPerson\ncn: {user.uid}\n"
        f"sn: {user.uid}\nmail: {user.uid}@example.org\nuserPassword: {user.password}\n"
        for user in (ALICE, BOB))


def config(ldif):
    """Change cn=config, as root may."""
    run("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", input=ldif)


def add(ldif):
    """Add entries, as the directory's administrator."""
    run("ldapadd", "-x", "-H", "ldapi:///", "-D", ADMIN, "-w", ADMIN_PASSWORD, input=ldif)
