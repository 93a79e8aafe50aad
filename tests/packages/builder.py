# SPDX-License-Identifier: BSD-2-Clause
"""Builds the packages in a Debian of their own."""

import os
import shutil
import subprocess

import roots
import shared


class Builder:
    """A Debian that has only what a build needs."""

    def __init__(self, machine):
        self.machine = machine
        self.root = machine.root

    def unpack(self, folder, source=roots.SOURCES):
        """A copy of the sources in a folder there."""
        shutil.copytree(source, self.root / folder, symlinks=True)
        return f"/{folder}"

    def make_dist(self, folder):
        """The contents of the tarball of "make dist"."""
        source = self.unpack("dist/source")
        self.machine.run("sh", "-ec", f"""cd {source}; autoreconf -fi; ./configure; make dist
            mkdir -p /{folder}; tar -C /{folder} --strip-components=1 -xf *.tar.xz""")
        return f"/{folder}"

    def build(self, source, options=("nocheck",), umask="022"):
        """Build there; returns the .deb files by name."""
        options = " ".join([*options, f"parallel={os.cpu_count()}"])
        # configure prefers bash, in which it takes 1.4 times as long.
        self.machine.run("sh", "-ec", f"""cd {source}; umask {umask}; export CONFIG_SHELL=/bin/sh
            DEB_BUILD_OPTIONS="{options}" dpkg-buildpackage -us -uc -b""")
        return {path.name: path for path in (self.root / source[1:]).parent.glob("*.deb")}


def build_folder(release):
    """What a build from a clean checkout leaves, in checkout and beside it; made once for all tests."""
    def build(folder):
        with roots.Machine(roots.build_root(release), folder / "root") as machine:
            builder = Builder(machine)
            # Another umask than for the tarball, which must give the same.
            builder.build(builder.unpack("build/checkout"), umask="002")
            shutil.move(machine.root / "build", folder)
    return shared.folder(f"packages-{release}", build) / "build"


def packages(release):
    """The .deb files by name."""
    return {path.name: path for path in build_folder(release).glob("*.deb")}


def field(deb, name):
    """A field of a package's control file."""
    return subprocess.run(["dpkg-deb", "--field", deb, name], text=True, stdout=subprocess.PIPE,
                          check=True).stdout.strip()
