# SPDX-License-Identifier: BSD-2-Clause
"""Programs with their own /dev, in which a test decides whether anything listens on /dev/log."""

import socket
import threading

NODES = "null", "zero", "full", "random", "urandom", "tty", "ptmx"
SCRIPT = f"""\
set -e
dev=$1
shift
for node in {" ".join(NODES)}; do touch "$dev/$node"; mount --bind "/dev/$node" "$dev/$node"; done
mkdir -p "$dev/pts" "$dev/shm"
mount --bind /dev/pts "$dev/pts"
mount --bind /dev/shm "$dev/shm"
mount --rbind "$dev" /dev
exec "$@"
"""


class Devices:
    """A folder that the programs see as /dev, at first without a syslog server."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            (folder / name).symlink_to(f"/proc/self/fd/{number}")
        (folder / "fd").symlink_to("/proc/self/fd")
        self.lines = []
        self._socket = self._thread = None

    def seeing(self, command):
        """The command, in a mount namespace with this /dev."""
        return ["unshare", "--mount", "sh", "-c", SCRIPT, "sh",
                *map(str, [self.folder, *command])]

    def start_syslog(self, kind=socket.SOCK_DGRAM):
        """Listen on /dev/log; the messages are in `lines`."""
        self._socket = socket.socket(socket.AF_UNIX, kind)
        self._socket.bind(str(self.folder / "log"))
        (self.folder / "log").chmod(0o666)
        self._thread = threading.Thread(target=self._receive, args=[self._socket], daemon=True)
        self._thread.start()

    def stop_syslog(self, unlink=False):
        """Stop the syslog server; its socket stays, as after a crash, unless it is unlinked."""
        if self._socket:
            self._socket.shutdown(socket.SHUT_RD)
            self._thread.join()  # while it receives, the socket takes messages even if closed
            self._socket.close()
            self._socket = None
        if unlink:
            (self.folder / "log").unlink(missing_ok=True)

    def _receive(self, server):
        while data := self._next(server):
            self.lines.append(data.decode(errors="replace"))

    @staticmethod
    def _next(server):
        try:
            return server.recv(8192)
        except OSError:
            return b""
