# SPDX-License-Identifier: BSD-2-Clause
"""The tests' own Python code makes app passwords as designed."""

import pytest

from apppassword import check_symbol


@pytest.mark.parametrize("symbols, check", [
    ("0" * 19, "0"),
    ("z" * 19, "k"),
    ("a1b2c3d4e5f6g7h8j9k", "d"),
    ("0123456789abcdefghj", "s"),
])
def test_the_check_symbol_matches_the_design(symbols, check):
    assert check_symbol(symbols) == check
