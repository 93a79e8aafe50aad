# SPDX-License-Identifier: BSD-2-Clause
"""app-password setup on whole hosts: how much is there to type, and how long does it take?"""

import shutil

import pytest

import builder
import roots
from test_packages import SOURCES, Host, release  # pylint: disable=unused-import


@pytest.fixture(scope="module")
def packages(release):
    """The packages to install."""
    return builder.packages(release)


def make_host(root, folder, packages):
    host = Host(root, folder)
    shutil.copytree(SOURCES, host.root / "opt/source", symlinks=True)
    host.put({name: path for name, path in packages.items()
              if not name.startswith("libpam-")}, "opt/packages")
    return host


@pytest.fixture(scope="module")
def site(release, workdir, packages):
    """A site that has used its directory, Dovecot and Postfix for years."""
    with make_host(roots.site_root(release), workdir / f"site-{release}", packages) as host:
        host.python("adopt.py", "prepare")
        yield host


def test_an_existing_site_adopts_app_passwords(site):
    print(site.python("adopt.py", "existing", "/opt/packages"))


def test_undo_brings_the_site_back(site):
    print(site.python("adopt.py", "undo"))


def test_settings_that_dovecot_rejects_are_taken_back(site):
    print(site.python("adopt.py", "broken"))


def test_an_empty_host_becomes_a_mail_host_with_app_passwords(release, workdir, packages):
    with make_host(roots.host_root(release), workdir / f"empty-{release}", packages) as host:
        print(host.python("adopt.py", "empty", "/opt/packages"))


def test_a_site_with_slapd_conf_does_so_too_and_back(release, workdir, packages):
    with make_host(roots.site_root(release), workdir / f"conf-{release}", packages) as host:
        host.python("adopt.py", "slapd.conf")
        print(host.python("adopt.py", "existing", "/opt/packages"))
        print(host.python("adopt.py", "undo"))
