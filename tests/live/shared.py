# SPDX-License-Identifier: BSD-2-Clause
"""What one process of pytest makes for all of them, if pytest-xdist runs several."""

import fcntl
import os
import pathlib
import tempfile

VARIABLE = "APW_SHARED"


def prepare(config):
    """Make the folder, in pytest's first process; the others inherit the variable."""
    if VARIABLE not in os.environ:
        top = tempfile.TemporaryDirectory(prefix="apw-shared-", dir="/tmp")
        pathlib.Path(top.name).chmod(0o755)
        os.environ[VARIABLE] = top.name
        config.add_cleanup(top.cleanup)


def folder(name, make):
    """The folder of that name, which make(folder) has filled; the others wait for the first."""
    top = pathlib.Path(os.environ[VARIABLE])
    with open(top / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (top / name).exists():
            part = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=top))
            part.chmod(0o755)
            make(part)
            part.rename(top / name)
    return top / name
