# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the Debian packages; run them as root, where debootstrap can fetch Debian packages.

    APW_CHECKOUT=FOLDER /usr/bin/python3 -m pytest tests/packages

FOLDER is the git checkout that this is a copy of, or this one.
"""

import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "live"))

import shared
import sigterm


def pytest_configure(config):
    sigterm.clean_up(config)
    shared.prepare(config)


@pytest.fixture(scope="session")
def workdir():
    """A folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="apw-packages-", dir="/tmp") as folder:
        yield pathlib.Path(folder)
