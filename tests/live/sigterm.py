# SPDX-License-Identifier: BSD-2-Clause
"""SIGTERM ends pytest, and its servers before it."""

import os
import pathlib
import signal
import threading

import pytest


def clean_up(config):
    """With -n, the child processes of pytest have the servers: pass the signal on, and end after them."""
    def end(*_):
        if not config.getoption("numprocesses", None):
            pytest.exit("terminated")
        for file in pathlib.Path(f"/proc/{os.getpid()}/task").glob("*/children"):
            for pid in file.read_text().split():
                os.kill(int(pid), signal.SIGTERM)

    # On a busy machine, execnet may run a worker in another thread, where Python takes no handler:
    # SIGTERM then ends that worker at once.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
