"""PAM with service files of our own, and programs that ask it: saslauthd and pamtester.

/etc/pam.d stays as it is: these programs see a private folder in its place, in a mount namespace.
"""

import pathlib
import subprocess

from processes import kill, start, wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "pam"

# The name of the example under which the others are to be linked to it.
SERVICES = ("imap", "pop", "pop3", "smtp", "submission")


def write_services(folder, module, config, arguments=lambda line: line):
    """The service files of examples/pam in a folder.

    module     pam_app_password.so
    config     the app-password.conf it is to use
    arguments  turns a line with the module into another
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
    """The command that runs another one so that this folder is its /etc/pam.d."""
    mount = 'mount --bind "$1" /etc/pam.d && shift && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *map(str, [folder, *command])]


def pamtester(folder, service, user, password, *operations, **items):
    """What pamtester prints about operations such as authenticate and acct_mgmt."""
    options = [word for name, value in items.items() for word in ("-I", f"{name}={value}")]
    done = subprocess.run(
        seeing(folder, ["pamtester", *options, service, user, *operations]),
        input=password + "\n", text=True, capture_output=True, timeout=30)
    return (done.stdout + done.stderr).replace("Password: ", "").strip().splitlines()


class Saslauthd:
    """saslauthd -a pam, with one process; options may be added."""

    def __init__(self, folder, pam_d, *options):
        self.folder = folder
        self.log = folder / "saslauthd.log"
        self.command = seeing(pam_d, ["saslauthd", "-a", "pam", "-d", "-n", "1", "-m", folder,
                                      *options])
        self.process = None

    def start(self):
        """Start it and wait until it listens."""
        self.process = start(self.command, self.log)
        wait_until((self.folder / "mux").exists, f"saslauthd, see {self.log}")
        return self

    def stop(self):
        """End it. Asked to do so, it now and then waits for itself: its handler of SIGTERM logs."""
        if self.process:
            kill(self.process)

    def says(self, user, password, service="imap"):
        """The answer, by testsaslauthd: OK or NO and why."""
        done = subprocess.run(
            ["testsaslauthd", "-u", user, "-p", password, "-s", service, "-f", self.folder / "mux"],
            text=True, capture_output=True, timeout=30)
        return done.stdout.removeprefix("0: ").strip()
