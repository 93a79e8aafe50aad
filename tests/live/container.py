# SPDX-License-Identifier: BSD-2-Clause
"""Programs as in a container, without its image.

The program is process 1, sees nothing but its own processes, has no syslog, can write to one folder
only, and its output is a pipe.
"""

import os
import pathlib
import signal

ENTER = """set -e; folder=$1; shift
mount --bind "$folder" "$folder"
mount -o remount,bind,ro /
mount -t proc proc /proc
[ ! -e /dev/log ] || mount --bind /dev/null /dev/log
exec "$@" """


def inside(folder, command):
    """A prefix that runs a command as a container with this writable folder."""
    return ["bash", "-c", 'exec > >(cat) 2>&1; exec "$@"', "bash",
            "unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "sh", "-c", ENTER,
            "sh", *map(str, [folder, *command])]


def end(process):
    """SIGTERM to process 1 of a container; returns its exit status."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    _cat, pid = children.read_text().split()
    os.kill(int(pid), signal.SIGTERM)
    return process.wait(30)
