# SPDX-License-Identifier: BSD-2-Clause
"""Debian systems in folders, made by debootstrap and kept for the next run."""

import contextlib
import fcntl
import pathlib
import shutil
import subprocess

from processes import run

CACHE = pathlib.Path("/var/cache/sasl-app-password")


def make(name, suite, packages=(), finish=lambda root: None, key=""):
    """The folder of a small Debian with these packages.

    finish(root)  completes the system
    key           describes finish; if it or the packages differ, the folder is made again
    """
    root = CACHE / name
    contents = root / "contents"
    wanted = " ".join([*packages, key])
    with locked(name):
        if not contents.exists() or contents.read_text() != wanted:
            shutil.rmtree(root, ignore_errors=True)
            run(["cp", "-a", "--reflink=auto", _smallest(suite), root])
            if packages:
                apt_get(root, "install", *packages)
            finish(root)
            contents.write_text(wanted)
    return root


def _smallest(suite):
    """The folder of a Debian with nothing but apt, which the others are copies of."""
    root, part = CACHE / suite, CACHE / f"{suite}.part"
    with locked(suite):
        if not root.exists():
            shutil.rmtree(part, ignore_errors=True)
            run(["debootstrap", "--variant=minbase", suite, part, *_mirror()])
            # Nobody needs it after a power failure.
            (part / "etc/dpkg/dpkg.cfg.d/no-fsync").write_text("force-unsafe-io\n")
            part.rename(root)
    return root


def apt_get(root, *arguments):
    """apt-get in a folder, with the network of this machine; it starts no service."""
    script = """set -e
        printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q update
        apt-get -q -y --no-install-recommends "$@"
        rm /usr/sbin/policy-rc.d"""
    enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" sh -c "$@"'
    done = subprocess.run(["unshare", "--mount", "sh", "-c", enter, root, script, "sh", *arguments],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"apt-get {arguments}\n{done.stdout[-8000:]}"


@contextlib.contextmanager
def locked(name):
    """Only one process at a time makes what is kept under this name; the others wait."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mirror():
    """This machine's Debian 12 mirror, from apt's sources; empty if they name none."""
    uris = run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                "Created-By: Packages", "Release: bookworm"])
    return uris.split()[:1]
