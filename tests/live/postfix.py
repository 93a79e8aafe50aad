# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix with its own configuration, queue and ports."""

import os
import pathlib
import re
import shutil
import subprocess
from collections import namedtuple

from processes import free_port, run, sanitizers, start, stop, wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "postfix"
# Adding a service to a running Postfix is a race: for a moment after a reload, an old smtpd takes
# connections unknown to the master. So all services exist from the start. Until it is used, a
# service has a SASL configuration with which no smtpd starts.
# kind: (its original in examples/postfix/master.cf, process limit, number of services, options)
KINDS = {
    "one process": ("submissions", "1", 360, []),
    "many processes": ("submissions", "-", 16, []),
    "one client each": ("submissions", "-", 3, ["max_use=1"]),
    "under load": ("submissions", "4", 4, ["max_use=1000000", "max_idle=1d"]),
    "starttls": ("submission", "1", 10, []),
    "local domain": ("submissions", "1", 5, ["smtpd_sasl_local_domain=example.org"]),
    "owns addresses": ("submissions", "1", 12, [
        "smtpd_sender_login_maps=texthash:$config_directory/senders",
        "smtpd_sender_restrictions=reject_sender_login_mismatch"]),
    "refuses recipients": ("submissions", "1", 2, [
        "{ smtpd_recipient_restrictions = check_recipient_access inline:{ "
        "{ refused@elsewhere.example = REJECT }, { later@elsewhere.example = DEFER } }, "
        "permit_sasl_authenticated, reject }",
        "{ smtpd_end_of_data_restrictions = check_sender_access inline:{ "
        "{ content@example.org = REJECT } } }"]),
    "asks Dovecot": ("submissions", "1", 5, ["smtpd_sasl_type=dovecot"]),
}

# Without a colon: an error for libsasl2, so smtpd ends before it takes a connection. An early
# connection to an unused service thus leaves no process with the wrong settings.
NOT_USED_YET = "not used yet\n"

Service = namedtuple("Service", "name port")


class Postfix:
    """Postfix with Debian's master.cf and chroot, and the settings of examples/postfix.

    plugin  the libapppassword.so under test; load_plugins() changes the loaded plugins
    """

    def __init__(self, folder, plugin, authority):
        self.folder = folder
        self.config = folder / "etc"
        self.queue = folder / "queue"
        self.log = folder / "mail.log"
        self.ours, self.stock = folder / "sasl2" / "ours", folder / "sasl2" / "stock"
        self.sasl_path = f"{folder}/sasl2/first:{folder}/sasl2/second"
        self.process = None
        for part in (self.config / "sasl", self.queue, folder / "data", self.ours, self.stock):
            part.mkdir(parents=True)
        shutil.chown(folder / "data", "postfix")
        self.log.touch()
        self._link_plugins(plugin)
        shutil.copy(EXAMPLES / "reject-footer", self.config)
        self._write_master_cf()
        self._write_main_cf(authority)

    def start(self, seeing=lambda command: command):
        """Prepare the queue and the chroot as Debian does, and start."""
        environment = os.environ | {"MAIL_CONFIG": str(self.config)}
        run(["postfix", "check"], env=environment)
        # What postfix-script of Debian 13 exports; the script of Debian 12 reads none of it.
        run(["sh", "/usr/lib/postfix/configure-instance.sh"], env=environment | {
            "queue_directory": str(self.queue), "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin"})
        # The last step of "postfix start", but as our child process.
        self.process = start(seeing(["/usr/lib/postfix/sbin/master", "-s", "-c", str(self.config)]),
                             self.folder / "master.out", env=environment)
        wait_until(lambda: "daemon started" in self.log.read_text(), f"Postfix, see {self.log}")
        return self

    def stop(self):
        """End it and all its processes."""
        if self.process:
            stop(self.process)

    def load_plugins(self, first, second):
        """Set the plugin folders (ours, stock or None) of new smtpd processes.

        libsasl2 reads the folders in order; the order within a folder cannot be chosen.
        """
        for place, folder in (("first", first), ("second", second)):
            link = self.folder / "sasl2" / place
            link.unlink(missing_ok=True)
            link.symlink_to(folder or "/nonexistent")

    def service(self, smtpd_conf, kind="one process"):
        """An unused smtpd of one of KINDS, with this SASL configuration.

        The first connection starts its process, which reads the plugins and the files then.
        """
        service = self.next_service(kind)
        self._unused[kind].remove(service)
        self._write_sasl_conf(service, smtpd_conf)
        return service

    def next_service(self, kind="one process"):
        """The service that service() will return next."""
        return self._unused[kind][-1]

    def socket_of(self, service):
        """The path of Dovecot's socket for a service, outside the chroot."""
        return self.queue / service.name

    def processes(self, service):
        """The process ids of the smtpds of one service."""
        done = subprocess.run(["pgrep", "-f", f"^smtpd (-l )?-n 127.0.0.1:{service.port} "],
                              text=True, capture_output=True)
        return [int(pid) for pid in done.stdout.split()]

    def log_of(self, service):
        """The log lines of one service."""
        return [line for line in self.log.read_text(errors="replace").splitlines()
                if f" postfix/{service.name}/" in line]

    def _write_sasl_conf(self, service, text):
        """Atomic: a starting process reads the old text or the new one."""
        path = self.config / "sasl" / f"{service.name}.conf"
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").rename(path)

    def _write_master_cf(self):
        """Debian's services, with copies of our example's instead of that on port 25."""
        debian = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text()
        lines = [re.sub(r"^smtp +inet .*\n", "", debian, flags=re.MULTILINE)]
        self._unused = {}
        for kind, (original, most_processes, count, options) in KINDS.items():
            self._unused[kind] = [Service(f"{kind.replace(' ', '-')}-{number}", free_port())
                                  for number in range(count)]
            for service in self._unused[kind]:
                lines += _copy_of(original, service, most_processes)
                lines += [f"    -o {option}" for option in options]
                self._write_sasl_conf(service, NOT_USED_YET)
        (self.config / "master.cf").write_text("\n".join(lines) + "\n")

    def _link_plugins(self, plugin):
        """Separate our plugin from the stock ones, wherever it is installed."""
        (self.ours / plugin.name).symlink_to(plugin)
        for stock in pathlib.Path("/usr/lib").glob("*/sasl2/*.so"):
            if stock.name != plugin.name:
                (self.stock / stock.name).symlink_to(stock)
        self.load_plugins(self.ours, self.stock)

    def _write_main_cf(self, authority):
        (self.config / "main.cf").write_text(f"""\
compatibility_level = 3.6
multi_instance_name = postfix-test
queue_directory = {self.queue}
data_directory = {self.folder}/data
cyrus_sasl_config_path = {self.config}/sasl
maillog_file = {self.log}
maillog_file_prefixes = {self.folder}
import_environment = MAIL_CONFIG LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME
    SASL_PATH={self.sasl_path}{sanitizers()}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
mynetworks =
local_recipient_maps =
default_transport = discard:
smtpd_tls_cert_file = {authority.certificate}
smtpd_tls_key_file = {authority.key}
service_throttle_time = 1s
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
{(EXAMPLES / "main.cf").read_text()}""")


def _copy_of(original, service, most_processes):
    """The lines of one service of examples/postfix/master.cf, on a port of its own."""
    example = (EXAMPLES / "master.cf").read_text()
    text, = re.findall(rf"^{original} .*\n(?:[ \t].*\n)+", example, flags=re.MULTILINE)
    first, *options = text.splitlines()
    assert first.split()[1:] == ["inet", "n", "-", "y", "-", "-", "smtpd"], "Debian's chrooted form"
    return [f"127.0.0.1:{service.port} inet n - y - {most_processes} smtpd", *options,
            f"    -o syslog_name=postfix/{service.name}", f"    -o smtpd_sasl_path={service.name}"]
