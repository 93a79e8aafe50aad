"""The app passwords that the tests make are those of the design, found out without our C code."""

import pytest

from apppassword import check_symbol


@pytest.mark.parametrize("symbols, check", [
    ("0" * 19, "0"),
    ("z" * 19, "k"),
    ("a1b2c3d4e5f6g7h8j9k", "d"),
    ("0123456789abcdefghj", "s"),
])
def test_the_check_symbol_is_that_of_the_design(symbols, check):
    assert check_symbol(symbols) == check
