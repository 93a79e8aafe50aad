# SPDX-License-Identifier: BSD-2-Clause
"""A mail host with our packages is upgraded from Debian 12 to 13, as doc/upgrading.md says."""

import shutil

import pytest

import builder
import debian
import roots
from test_packages import SOURCES, Host

FULL_UPGRADE = ("full-upgrade", "--no-install-recommends",
                "-o", "Dpkg::Options::=--force-confold")

# As the administrator who chooses the maintainer's version of these files.
TAKE_DOVECOTS_NEW_FILES = """find /etc/dovecot -name '*.ucf-dist' |
while read -r file; do mv "$file" "${file%.ucf-dist}"; done"""


@pytest.fixture(scope="module")
def host(workdir):
    """A Debian 12 that was set up as the README says."""
    host = Host(roots.host_root("12"), workdir / "upgraded")
    shutil.copytree(SOURCES, host.root / "opt/source", symlinks=True)
    host.put(builder.packages("12"), "opt/12")
    with host:
        host.python("sign_in.py", "prepare")
        host.install("opt/12")
        host.python("sign_in.py", "set-up")
        yield host


def ours(host):
    """What the README made in /etc, without Dovecot's settings."""
    services = tuple(f"/etc/pam.d/{file.name}" for file in (SOURCES / "examples/pam").iterdir())
    return {name: what for name, what in host.files().items()
            if name.startswith(("/etc/app-password", "/etc/postfix/sasl", *services))}


def test_debian_13_needs_what_upgrading_md_says_and_nothing_else(host, workdir):
    settings = ours(host)
    sources = host.root / "etc/apt/sources.list"
    sources.write_text(sources.read_text().replace("bookworm", "trixie"))
    debian.apt_get(host.root, "--download-only", *FULL_UPGRADE)
    host.run("apt-get", "-y", "--no-download", *FULL_UPGRADE)
    host.run("sh", "-ec", TAKE_DOVECOTS_NEW_FILES)
    assert host.run("cat", "/etc/debian_version").startswith("13.")
    host.run("sh", "-c", "! doveconf -n")  # so it does not start with Debian's passdb alone
    host.put(builder.packages("13"), "opt/13")
    host.install("opt/13")
    for server in "slapd", "postfix":
        host.run("service", server, "restart")
    host.python("sign_in.py", "new-debian")
    host.python("sign_in.py")
    changed = {name for name, what in ours(host).items() if settings.get(name, what) != what}
    assert changed == set()
    assert settings.keys() <= ours(host).keys()
