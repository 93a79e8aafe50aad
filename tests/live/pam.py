# SPDX-License-Identifier: BSD-2-Clause
"""PAM with private service files, and two programs that use it: saslauthd and pamtester.

/etc/pam.d is not changed: in a mount namespace the programs see a private folder instead.
"""

import pathlib
import subprocess

from processes import kill, start, wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "pam"

# The example to which the other service names are linked.
SERVICES = ("imap", "pop", "pop3", "smtp", "submission")


def write_services(folder, module, config, arguments=lambda line: line):
    """The service files of examples/pam in a folder.

    module     pam_app_password.so
    config     its app-password.conf
    arguments  changes a line with the module
    """
    folder.mkdir()
    for example in EXAMPLES.iterdir():
        lines = [arguments(f"{line} config={config}").replace("pam_app_password.so", str(module))
                 if "pam_app_password.so" in line and not line.startswith("#") else line
                 for line in example.read_text().splitlines()]
        (folder / example.name).write_text("\n".join(lines) + "\n")
    for service in SERVICES[1:]:
        (folder / service).symlink_to("imap")
    (folder / "other").write_text("auth required pam_deny.so\naccount required pam_deny.so\n")
    return folder


def seeing(folder, command):
    """A prefix that runs a command with this folder as /etc/pam.d."""
    mount = 'mount --bind "$1" /etc/pam.d && shift && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *map(str, [folder, *command])]


def pamtester(folder, service, user, password, *operations, **items):
    """pamtester's output for operations such as authenticate and acct_mgmt."""
    options = [word for name, value in items.items() for word in ("-I", f"{name}={value}")]
    done = subprocess.run(
        seeing(folder, ["pamtester", *options, service, user, *operations]),
        input=password + "\n", text=True, capture_output=True, timeout=60)
    return (done.stdout + done.stderr).replace("Password: ", "").strip().splitlines()


class Saslauthd:
    """saslauthd -a pam, with one process; `options` are added, `clock` is a processes.Clock."""

    def __init__(self, folder, pam_d, *options, clock=None):
        self.folder = folder
        self.log = folder / "saslauthd.log"
        self.command = seeing(pam_d, ["saslauthd", "-a", "pam", "-d", "-n", "1", "-m", folder,
                                      *options])
        self.process = None
        self._env = clock.env if clock else None

    def start(self):
        """Start it and wait until it listens."""
        self.process = start(self.command, self.log, self._env)
        wait_until(lambda: "listening on socket" in self.log.read_text(),
                   f"saslauthd, see {self.log}")
        return self

    def stop(self):
        """Kill it. On SIGTERM it may deadlock, since its signal handler logs."""
        if self.process:
            kill(self.process)

    def says(self, user, password, service="imap"):
        """testsaslauthd's answer: OK, or NO with the reason."""
        done = subprocess.run(
            ["testsaslauthd", "-u", user, "-p", password, "-s", service, "-f", self.folder / "mux"],
            text=True, capture_output=True, timeout=60)
        return done.stdout.removeprefix("0: ").strip()
