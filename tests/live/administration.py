# SPDX-License-Identifier: BSD-2-Clause
"""The command app-password on one host, run as an administrator runs it."""

import json
import os
import pathlib
import re
import subprocess

from slapd import BASE, IDENTITIES, secret

PREFIX = pathlib.Path(os.environ.get("APW_PREFIX", "/usr"))
COMMAND = PREFIX / "bin" / "app-password"
DONE, FAILED, USAGE, UNAVAILABLE, NOT_PERMITTED, CONFIGURATION = 0, 1, 64, 75, 77, 78


class Site:
    """A host's configuration folder, and the command with this configuration."""

    def __init__(self, folder, directory, /, manage_as="administrator", **keys):
        self.folder = folder
        self.directory = directory
        folder.mkdir()
        self.config = folder / "app-password.conf"
        self.log = folder / "app-password.log"
        self.log.touch()  # the command does not create it
        self.keys = {
            # A busy machine may halt for some seconds.
            "base": BASE, "timeout": "10", "deadline": "20",
            "log": str(self.log),
            "binddn": IDENTITIES["mail server"],
            "bindpw_file": self.secret_file("mail server")} | directory.settings | keys
        self.write(self.config, self.keys)
        if manage_as:
            self.write(folder / "admin.conf", {
                "binddn": IDENTITIES[manage_as], "bindpw_file": self.secret_file(manage_as)})

    def secret_file(self, identity):
        file = self.folder / f"{identity}.secret"
        file.write_text(secret(identity) + "\n")
        return str(file)

    @staticmethod
    def write(file, keys):
        file.write_text("".join(f"{key} {value}\n" for key, value in keys.items()
                                if value is not None))

    def command(self, *arguments, input="", prefix=(), **options):
        """Call app-password; stdout and stderr are text. `prefix` is a command that runs it."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.run([*prefix, *self.argv(*arguments)], input=input, text=True, timeout=300,
                              **options)

    def argv(self, *arguments):
        """How the command is called here."""
        return [COMMAND, "-c", self.config, *arguments]

    def done(self, *arguments, **options):
        """Call app-password, which must succeed; return its output."""
        called = self.command(*arguments, **options)
        assert called.returncode == DONE, called
        return called.stdout

    def at_once(self, count, *arguments):
        """Call it several times at once; return exit status, stdout and stderr of each."""
        processes = [
            subprocess.Popen([COMMAND, "-c", self.config, *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for _ in range(count)]
        outputs = [process.communicate(timeout=300) for process in processes]
        return [(process.returncode, *output) for process, output in zip(processes, outputs)]

    def changes(self):
        """The lines about changes in its log, without the time and "app-password: "."""
        return [line.partition("app-password: ")[2] for line in self.log.read_text().splitlines()
                if "Z app-password: action=" in line]

    def create(self, who, *options):
        """Create an app password; return it as the user gets it."""
        return self.done("create", who.uid, "--label", "a test", *options).rstrip("\n")

    def check(self, login, password, *options):
        """Sign in as a mail server does; return the log line."""
        output = self.command("check", login, *options, input=f"{password}\n").stdout
        line, = [line for line in output.splitlines() if " verdict=" in line]
        return line

    def answers(self, login, password, *options):
        """The verdict of a login and its reason."""
        line = self.check(login, password, *options)
        return tuple(re.search(rf" {key}=(\S+)", line)[1] for key in ("verdict", "reason"))

    def listed(self, who):
        return json.loads(self.done("list", who.uid, "--json"))
