# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for portals; each ends with the tests of its file."""

import pytest

from conftest import new_folder
from portal import Portal


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
