# SPDX-License-Identifier: BSD-2-Clause
"""Private instances of the other programs that ask libsasl2, each with a client.

What does not install beside Postfix is unpacked into a folder by scripts/common.
"""

import imaplib
import os
import pathlib
import re
import smtplib
import socket
import struct
import subprocess

from processes import free_port, run, start, stop, wait_until

COMMON = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "common"
LIBRARIES = "usr/lib/x86_64-linux-gnu"

NOBODY = 65534

ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"

SASL_CONF = """\
mech_list: PLAIN LOGIN
pwcheck_method: disabled
canon_user_plugin: apppassword
auxprop_plugin: none
apppassword_config: {config}
"""


def unpacked(*packages):
    """The folders in which these Debian packages are unpacked."""
    printed = run(["sh", "-c", '. "$0"; unpack_packages "$@" >&2 && echo "$unpacked_folder"',
                   COMMON, *packages])
    return [pathlib.Path(printed.strip()) / package for package in packages]


class Program:
    """One running program; `ours` is the folder of the plugin.

    In each subclass:
    conf_name  the file that libsasl2 looks for
    service    what the log line calls it
    outage     what a client sees while the directory does not answer
    user       number of the user that reads the secret
    tries      how many logins its client makes of one that fails
    """

    user, tries = 0, 1

    conf_name = service = outage = None
    conf_folder = None  # where it looks for that file, regardless of SASL_CONF_PATH
    more_lines = {}  # of files in /etc, which only this program sees

    def __init__(self, folder, config, ours):
        self.folder = folder
        self.config = config
        self.event_log = config.parent / "app-password.log"
        self.output = folder / "output"
        self.port = free_port()
        stock = pathlib.Path(f"/{LIBRARIES}/sasl2")
        self.environment = os.environ | {"SASL_CONF_PATH": str(folder),
                                         "SASL_PATH": f"{ours}:{stock}"}
        self.process = None
        self.event_log.touch(0o640)  # before Exim does it as root
        self.secret = config.parent / "bindpw"
        for file in (config.parent, self.secret, self.event_log):
            os.chown(file, self.user, -1)
        if self.conf_name:
            (folder / self.conf_name).write_text(SASL_CONF.format(config=config))
        self.prepare()

    def prepare(self):
        """Write the program's own configuration."""

    def argv(self):
        """The command that starts it in the foreground."""
        raise NotImplementedError

    def start(self):
        argv = [str(word) for word in self.argv()]
        if self.more_lines or self.conf_folder:
            argv = self._with_own_etc(argv)
        self.process = start(argv, self.output, env=self.environment)
        wait_until(self._listens, f"{argv[0]}, see {self.output}")
        return self

    def stop(self):
        if self.process:
            stop(self.process)

    def sign_in(self, user, password):
        """One login; its outcome as the client sees it."""
        raise NotImplementedError

    def events(self):
        text = self.event_log.read_text() if self.event_log.exists() else ""
        return [line for line in text.splitlines() if " verdict=" in line]

    def _listens(self):
        assert self.process.poll() is None, self.output.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _with_own_etc(self, argv):
        script = "set -e\n"
        if self.conf_folder:
            script += f"mount --bind '{self.folder}' {self.conf_folder}\n"
        for name, lines in self.more_lines.items():
            file = self.folder / name
            file.write_text(lines + pathlib.Path(f"/etc/{name}").read_text())
            script += f"mount --bind '{file}' /etc/{name}\n"
        return ["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh", *argv]


class SlapdAsHost(Program):
    """slapd, for PLAIN binds; its users are in another slapd."""

    user = NOBODY
    conf_name, service, outage = "slapd.conf", "ldap", UNAVAILABLE
    conf_folder = "/etc/ldap/sasl2"

    def prepare(self):
        (self.folder / "server.conf").write_text("""\
include /etc/ldap/schema/core.schema
sasl-secprops none
authz-regexp "^uid=([^,]+).*,cn=auth$" "uid=$1,dc=signed,dc=in"
""")

    def argv(self):
        return ["/usr/sbin/slapd", "-f", self.folder / "server.conf", "-d", "0",
                "-u", "nobody", "-g", "nogroup", "-h", f"ldap://127.0.0.1:{self.port}"]

    def sign_in(self, user, password):
        done = subprocess.run(
            ["ldapwhoami", "-H", f"ldap://127.0.0.1:{self.port}", "-Y", "PLAIN", "-U", user,
             "-O", "none", "-y", "/dev/stdin"],
            input=password, text=True, capture_output=True, timeout=300)
        if done.returncode == 0:
            return ACCEPTED
        return {49: REFUSED, 52: UNAVAILABLE}.get(done.returncode, done.stderr)


class Svnserve(Program):
    """Subversion's server; its realm is the domain of the mail addresses."""

    conf_name, service, outage, tries = "svn.conf", "svn", UNAVAILABLE, 2
    realm = "example.org"

    def prepare(self):
        run(["svnadmin", "create", str(self.folder / "repository")])
        (self.folder / "repository" / "conf" / "svnserve.conf").write_text(
            f"[general]\nanon-access = none\nauth-access = read\nrealm = {self.realm}\n"
            "[sasl]\nuse-sasl = true\n")

    def argv(self):
        return ["svnserve", "-d", "--foreground", "-r", self.folder,
                "--listen-host", "127.0.0.1", "--listen-port", self.port]

    def sign_in(self, user, password):
        done = subprocess.run(
            ["svn", "info", "--non-interactive", "--no-auth-cache", "--username", user,
             "--password-from-stdin",
             # A keyring of this machine would be one more try.
             "--config-option", "config:auth:password-stores=gpg-agent", "--config-dir", self.folder / "client",
             f"svn://127.0.0.1:{self.port}/repository"],
            input=password, text=True, capture_output=True, timeout=300)
        if done.returncode == 0:
            return ACCEPTED
        for sign, outcome in (("SASL(-13)", REFUSED), ("SASL(-24)", UNAVAILABLE)):
            if sign in done.stderr:
                return outcome
        return done.stderr


class Memcached(Program):
    """memcached -S, with its binary protocol."""

    user = NOBODY
    conf_name, service, outage = "memcached.conf", "memcached", REFUSED

    def argv(self):
        return ["memcached", "-S", "-B", "binary", "-l", "127.0.0.1", "-p", self.port, "-U", "0",
                "-u", "nobody", "-t", "1"]

    def sign_in(self, user, password):
        key, value = b"PLAIN", f"\0{user}\0{password}".encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=300) as client:
            client.sendall(struct.pack("!BBHBBHIIQ", 0x80, 0x21, len(key), 0, 0, 0,
                                       len(key) + len(value), 0, 0) + key + value)
            reply = client.recv(24, socket.MSG_WAITALL)
        status = struct.unpack("!H", reply[6:8])[0]
        return {0: ACCEPTED, 0x20: REFUSED}.get(status, status)

    def version(self):
        """A command that needs no login."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=300) as client:
            client.sendall(struct.pack("!BBHBBHIIQ", 0x80, 0x0b, 0, 0, 0, 0, 0, 0, 0))
            return client.recv(24, socket.MSG_WAITALL)

    def waits_for(self, directory):
        """Whether a paused directory has an unread request in its socket."""
        port = int(directory.ldap.rpartition(":")[2])
        lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        return any(int(fields[1].rpartition(":")[2], 16) == port
                   and int(fields[4].rpartition(":")[2], 16) > 0
                   for fields in map(str.split, lines) if fields[3] == "01")


class Exim(Program):
    """Exim's cyrus_sasl authenticator."""

    conf_name, service, outage = "exim.conf", "smtp", 435
    user = 31598
    more_lines = {"passwd": "Debian-exim:x:31598:31598::/nonexistent:/usr/sbin/nologin\n",
                  "group": "Debian-exim:x:31598:\n"}

    def prepare(self):
        self.exim = unpacked("exim4-daemon-heavy")[0] / "usr/sbin/exim4"
        spool = self.folder / "spool"
        spool.mkdir()
        os.chown(spool, self.user, self.user)
        (self.folder / "exim4.conf").write_text(f"""\
exim_path = {self.exim}
primary_hostname = mail.example.org
spool_directory = {spool}
log_file_path = {spool}/%slog
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
auth_advertise_hosts = *
keep_environment = SASL_PATH : SASL_CONF_PATH
begin authenticators
plain:
  driver = cyrus_sasl
  public_name = PLAIN
  server_set_id = $auth1
login:
  driver = cyrus_sasl
  public_name = LOGIN
  server_set_id = $auth1
""")

    def argv(self):
        return [self.exim, "-C", self.folder / "exim4.conf", "-bdf", "-oP", self.folder / "pid"]

    def sign_in(self, user, password):
        return smtp_sign_in(self.port, user, password)


def smtp_sign_in(port, user, password):
    """AUTH PLAIN; a code that is neither acceptance nor refusal is returned as it is."""
    with smtplib.SMTP("127.0.0.1", port, timeout=300) as client:
        try:
            client.ehlo()
            client.user, client.password = user, password
            code, _ = client.auth("PLAIN", client.auth_plain)
        except smtplib.SMTPAuthenticationError as refusal:
            code = refusal.smtp_code
    return {235: ACCEPTED, 535: REFUSED}.get(code, code)


class Sendmail(Program):
    """sendmail, with a configuration made by its own macros."""

    conf_name, service, outage = "Sendmail.conf", "smtp", REFUSED
    # Without the machine's full name, it sleeps for a minute.
    more_lines = {"hosts": f"127.0.0.1 mail.example.org {socket.gethostname()}\n"}

    def prepare(self):
        binary, macros = unpacked("sendmail-bin", "sendmail-cf")
        self.sendmail = binary / "usr/libexec/sendmail/sendmail"
        queue = self.folder / "queue"
        queue.mkdir(mode=0o700)
        (self.folder / "aliases").touch()
        source = self.folder / "sendmail.mc"
        source.write_text(f"""\
OSTYPE(`linux')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
define(`confAUTH_OPTIONS', `A')dnl
define(`QUEUE_DIR', `{queue}')dnl
define(`ALIAS_FILE', `{self.folder}/aliases')dnl
define(`STATUS_FILE', `{self.folder}/statistics')dnl
define(`confPID_FILE', `{self.folder}/pid')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')dnl
define(`confDOMAIN_NAME', `mail.example.org')dnl
define(`confTRUSTED_USER', `root')dnl
define(`confRUN_AS_USER', `root')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={self.port}')dnl
LOCAL_CONFIG
ESASL_PATH={self.environment["SASL_PATH"]}
ESASL_CONF_PATH={self.folder}
""")
        macro_folder = macros / "usr/share/sendmail/cf/"
        (self.folder / "sendmail.cf").write_text(run(
            ["m4", f"-D_CF_DIR_={macro_folder}/", f"-I{macro_folder}",
             macro_folder / "m4/cf.m4", source]))

    def argv(self):
        return [self.sendmail, "-bD", f"-C{self.folder}/sendmail.cf"]

    def sign_in(self, user, password):
        return smtp_sign_in(self.port, user, password)


class CyrusImap(Program):
    """Cyrus IMAP's AUTHENTICATE, under its master."""

    service, outage = "imap", UNAVAILABLE
    user = NOBODY

    def prepare(self):
        common, imapd = unpacked("cyrus-common", "cyrus-imapd")
        self.bin = common / "usr/lib/cyrus/bin"
        self.environment["LD_LIBRARY_PATH"] = f"{common}/{LIBRARIES}"
        options = re.sub(r"(?m)^(?=[a-z])", "sasl_", SASL_CONF.format(config=self.config))
        for name in ("config", "mail", "run"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, self.user, 65534)
        (self.folder / "imapd.conf").write_text(f"""\
configdirectory: {self.folder}/config
defaultpartition: default
partition-default: {self.folder}/mail
proc_path: {self.folder}/run/proc
mboxname_lockpath: {self.folder}/run/lock
cyrus_user: nobody
cyrus_group: nogroup
admins: cyrus
allowplaintext: yes
failedloginpause: 0
servername: mail.example.org
{options}""")
        (self.folder / "cyrus.conf").write_text(f"""\
START {{
  recover cmd="{self.bin}/ctl_cyrusdb -C {self.folder}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="{imapd}/usr/lib/cyrus/bin/imapd -C {self.folder}/imapd.conf" listen="127.0.0.1:{self.port}" prefork=0
}}
""")

    def argv(self):
        return [self.bin / "master", "-D", "-C", self.folder / "imapd.conf",
                "-M", self.folder / "cyrus.conf", "-p", self.folder / "run/pid"]

    def sign_in(self, user, password):
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=300)
        try:
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            return ACCEPTED
        except client.error as refusal:
            return {"authentication failure": REFUSED,
                    "remote authentication server unavailable": UNAVAILABLE}.get(
                        str(refusal), str(refusal))
        finally:
            client.shutdown()
