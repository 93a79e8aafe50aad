# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for portals; each ends with the tests of its file."""

import functools

import pytest

from conftest import new_folder
from portal import Portal
from processes import Clock


@pytest.fixture(scope="module")
def start_portal(directory, workdir):
    """Starts portals: start_portal({"enrolment": "code"}, refusal_delay="1")."""
    started = []

    def make(conf=None, to=directory, env=None, **keys):
        started.append(Portal(new_folder(workdir, "portal") / "etc", to, conf, **keys))
        return started[-1].start(env)

    yield make
    for portal in started:
        portal.stop()


@pytest.fixture
def start_portal_with_clock(directory, workdir):
    """Starts portals for one test whose clocks can be set: set_clock("+9m")."""
    started = []

    def make(conf=None, to=directory, **keys):
        server = Portal(new_folder(workdir, "clock") / "portal", to, conf, **keys)
        clock = Clock(server.folder / "clock")
        server.set_clock = clock.set
        server.start = functools.partial(server.start, clock.env)
        started.append(server)
        return server.start()

    yield make
    for server in started:
        server.stop()
