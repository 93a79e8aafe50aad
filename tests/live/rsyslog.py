# SPDX-License-Identifier: BSD-2-Clause
"""A private rsyslogd on a socket of its own."""

import os
import socket
import subprocess

from postfix import EXAMPLES
from processes import start, stop, wait_until

EXAMPLE = EXAMPLES.parent / "rsyslog" / "app-password.conf"
PRIORITY = "<22>"  # mail.info


class Rsyslog:
    """rsyslogd with these actions; by default those of the example, in a folder instead of /var/log."""

    def __init__(self, folder, actions=None):
        self.folder = folder
        self.socket = folder / "log.socket"
        self.log = folder / "app-password.log"
        self.alarm = folder / "app-password-alarm.log"
        self.pid = folder / "pid"
        self._config = folder / "rsyslog.conf"
        self._config.write_text(f"""\
global(workDirectory="{folder}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{self.socket}" RateLimit.Interval="0")
{actions or EXAMPLE.read_text().replace("/var/log", str(folder))}""")

    def __enter__(self):
        checked = subprocess.run(["rsyslogd", "-N1", "-f", self._config], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        self._process = start(["rsyslogd", "-n", "-f", str(self._config), "-i", str(self.pid)],
                              self.folder / "rsyslogd.out", env=dict(os.environ))
        wait_until(self.socket.exists, "rsyslogd", 30)
        return self

    def __exit__(self, *_):
        stop(self._process)

    def send(self, line, program="smtpd[1]"):
        """As syslog(3) does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(str(self.socket))
            client.send(f"{PRIORITY}Nov 24 13:58:57 {program}: {line}".encode())
