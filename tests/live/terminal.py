# SPDX-License-Identifier: BSD-2-Clause
"""The command app-password on a terminal."""

import fcntl
import os
import pty
import signal
import subprocess
import termios

from processes import is_readable


def read_to_the_end(main):
    """What a terminal shows after all programs on it have closed it; a single read may return a part."""
    shown = b""
    try:
        while data := os.read(main, 65536):
            shown += data
    except OSError:  # nobody has it open any more
        pass
    os.close(main)
    return shown.decode()


class Terminal:
    """The command on its own terminal, with a person in front of it."""

    def __init__(self, site, *arguments, stdin=subprocess.DEVNULL, **options):
        self.master, terminal = pty.openpty()
        stdin = terminal if stdin == "terminal" else stdin

        def start():
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background ignores it

        self.process = subprocess.Popen(
            site.argv(*arguments), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True, preexec_fn=start, **options)
        self.terminal = terminal
        self.screen = ""

    def see(self, text):
        while text not in self.screen:
            assert is_readable(self.master, 120), f"no {text} in {self.screen!r}"
            self.screen += os.read(self.master, 1000).decode()

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def finish(self):
        out, err = self.process.communicate(timeout=120)
        while is_readable(self.master):
            self.screen += os.read(self.master, 1000).decode()
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.master)
        os.close(self.terminal)
