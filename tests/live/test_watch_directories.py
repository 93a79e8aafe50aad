# SPDX-License-Identifier: BSD-2-Clause
"""app-password-watch with each kind of directory: it notices changes before the user's turn comes."""

import pytest

from conftest import new_folder
from dovecot_fixtures import new_dovecot
from ds389 import DirectoryServer
from processes import wait_until
from watching import Session, Watch

CROWD = 4000  # more users than have their turn while the test waits

@pytest.fixture(scope="module")
def directory389(workdir):
    server = DirectoryServer(new_folder(workdir, "ds389")).start()
    yield server
    server.stop()


@pytest.fixture
def watching(authority, workdir, lua_module):
    """Makes a Dovecot and a watch that ask a directory: watching(directory)."""
    servers = []

    def make(directory, config=None):
        dovecot = new_dovecot(workdir, directory, config, authority=authority, module=lua_module)
        servers.append(dovecot.start())
        servers.append(Watch(new_folder(workdir, "watch"), dovecot, directory, **config or {}))
        return dovecot, servers[-1].start()

    yield make
    for server in reversed(servers):
        server.stop()


def assert_that_a_revoked_one_ends(directory, dovecot, watch):
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    other, others = directory.new_person(mfa=True, app_passwords=1)
    ends, stays = Session(dovecot, who, app_password.shown), Session(dovecot, other, others.shown)
    watch.completes_rounds()
    watch.join(CROWD)
    wait_until(lambda: watch.heartbeat().get("users") == str(CROWD + 2), "the crowd")
    directory.revoke(who, app_password)
    ends.ends()
    watch.completes_rounds()
    assert stays.is_open() and len(watch.lines("action=kick")) == 1
    assert not watch.lines("watch: ")


def test_openldap(own_directory, watching):
    directory = own_directory(database="limits * size=unlimited")
    assert_that_a_revoked_one_ends(directory, *watching(directory))


def test_without_the_right_to_search_for_changes_it_says_so(own_directory, watching):
    directory = own_directory(first_rules="access to attrs=modifyTimestamp by * none\n")
    _, watch = watching(directory)
    watch.says("this identity cannot search for the time of the last change of the entries under")


def test_389_directory_server(directory389, watching):
    dovecot, watch = watching(directory389, {"uri": directory389.ldap})
    assert_that_a_revoked_one_ends(directory389, dovecot, watch)


def test_active_directory(active_directory, watching):
    assert_that_a_revoked_one_ends(active_directory, *watching(active_directory))


def test_a_store(beside, watching):
    assert_that_a_revoked_one_ends(beside, *watching(beside))
