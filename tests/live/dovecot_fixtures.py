# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for the tests of Dovecot and PAM; conftest.py lists it in pytest_plugins."""

import os
import pathlib

import pytest

import pam
from conftest import new_folder, write_config
from dovecot24 import dovecot_of_this_machine, is_here


def pytest_addoption(parser):
    parser.addoption("--with-dovecot24", action="store_true",
                     help="also test Dovecot 2.4, in a Debian 13 that the first run downloads")


def pytest_collection_modifyitems(config, items):
    """Deselect the tests for the other Dovecot instead of skipping them."""
    if is_here():
        left_out = [item for item in items if item.get_closest_marker("dovecot23")]
    elif config.getoption("--with-dovecot24"):
        left_out = []
    else:
        left_out = [item for item in items if "debian13" in item.fixturenames]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def installed(name):
    """A file of the tree under test, by its path below lib: "lua/5.4/app_password.so"."""
    prefix = os.environ.get("APW_PREFIX")
    if not prefix:
        pytest.fail("set APW_PREFIX to the folder of the installed package", pytrace=False)
    found = list(pathlib.Path(prefix).glob(f"lib/**/{name}"))
    if len(found) != 1:
        pytest.fail(f"one {name} expected below {prefix}/lib: {found}", pytrace=False)
    return found[0].resolve()


@pytest.fixture(scope="session")
def lua_module():
    """The app_password.so under test."""
    return installed("lua/5.4/app_password.so")


@pytest.fixture(scope="session")
def pam_module():
    """The pam_app_password.so under test."""
    return installed("security/pam_app_password.so")


def new_dovecot(workdir, directory, config=None, **options):
    """A Dovecot that asks a directory; config overrides the usual keys of app-password.conf."""
    folder = new_folder(workdir, "dovecot")
    path = write_config(folder, **directory.settings | (config or {}))
    return dovecot_of_this_machine()(folder, path, **options)


@pytest.fixture
def dovecot(directory, authority, workdir, lua_module):
    """Makes Dovecots and ends them after the test: dovecot({"timeout": 1}).

    config   overrides the usual keys of app-password.conf; None removes a key
    options  those of Dovecot
    """
    servers = []

    def make(config=None, **options):
        options = {"authority": authority, "module": lua_module} | options
        servers.append(new_dovecot(workdir, directory, config, **options))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def usual_dovecot(directory, authority, workdir, lua_module):
    """A Dovecot with the usual configuration."""
    server = new_dovecot(workdir, directory, authority=authority, module=lua_module, tls=True)
    try:
        yield server.start()
    finally:
        server.stop()


class Services:
    """A private /etc/pam.d whose module asks a directory."""

    def __init__(self, folder, module, config, **options):
        self.pam_d = pam.write_services(folder / "pam.d", module, config, **options)
        self.log = folder / "app-password.log"

    def events(self):
        """The log lines of the logins so far."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def services(workdir, directory, pam_module):
    """Writes service files: services({"timeout": 1}); options are those of pam.write_services."""
    def make(config=None, **options):
        folder = new_folder(workdir, "pam")
        path = write_config(folder, **directory.settings | (config or {}))
        return Services(folder, pam_module, path, **options)
    return make


@pytest.fixture
def saslauthd(folder):
    """Starts a saslauthd that asks PAM: saslauthd(services(), "-c")."""
    servers = []

    def make(services, *options, **more):
        servers.append(pam.Saslauthd(new_folder(folder, "run"), services.pam_d, *options, **more))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()
