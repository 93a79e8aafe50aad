# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for the tests of logins with a store; conftest.py lists it in pytest_plugins."""

import pytest

import dovecot
import smtp
from beside import MFA_PLACES, Beside, Front, Users
from conftest import new_folder
from dovecot_fixtures import new_dovecot
from store import Store

REPLIES = {smtp.ACCEPTED: dovecot.ACCEPTED, smtp.REFUSED: dovecot.REFUSED,
           smtp.UNAVAILABLE: dovecot.UNAVAILABLE}


@pytest.fixture(scope="module")
def users_and_store(workdir):
    """A users' directory and a store for the tests of a module; no test stops them."""
    servers = [Users(new_folder(workdir, "users")), Store(new_folder(workdir, "store"))]
    try:
        yield [server.start() for server in servers]
    finally:
        for server in servers:
            server.stop()


@pytest.fixture
def own_beside(workdir):
    """Makes both directories for a test that stops or changes them: own_beside(mfa)."""
    servers = []

    def make(mfa, **options):
        servers.extend([Users(new_folder(workdir, "users"), **options),
                        Store(new_folder(workdir, "store"))])
        return Beside(*(server.start() for server in servers[-2:]), mfa)

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module", params=MFA_PLACES)
def beside(request, users_and_store):
    return Beside(*users_and_store, request.param)


@pytest.fixture(scope="module", params=["Postfix", "Dovecot"])
def make_front(request, workdir, mail_server, authority, lua_module):
    """Makes mail servers of both kinds: make_front(settings)."""
    servers = []

    def of_postfix(settings):
        return Front(mail_server(settings), lambda server, *login: REPLIES[
            server.sign_in(*login).code])

    def of_dovecot(settings):
        server = new_dovecot(workdir, Settings(settings), authority=authority, module=lua_module)
        servers.append(server.start())
        return Front(server, dovecot.imap)

    yield of_postfix if request.param == "Postfix" else of_dovecot
    for server in servers:
        server.stop()


class Settings:
    """Keys of app-password.conf, where a directory is asked for."""

    def __init__(self, settings):
        self.settings = settings


@pytest.fixture(scope="module")
def front(make_front, beside):
    """A mail server with the usual configuration beside both directories."""
    return make_front(beside.settings)
