# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on the example's optional passdb, as doveconf prints it."""

import subprocess

import pytest

from administration import DONE
from conftest import EXAMPLES
from dovecot import with_hint
from test_doctor import (  # noqa: F401: fixtures
    OURS, PASSDB_2_4, assert_finds, dovecot, good_directory, site)

pytestmark = pytest.mark.dovecot23


def printed(tmp_path, *options):
    """doveconf's output for the optional passdb of the example for 2.3."""
    conf = tmp_path / "hint.conf"
    conf.write_text(with_hint((EXAMPLES.parent / "dovecot" / "dovecot-2.3.conf").read_text()))
    text = subprocess.run(["doveconf", *options, "-c", conf], capture_output=True, text=True,
                          check=True).stdout
    block = text[text.index("passdb {"):]
    return block[:block.index("}\n") + 2]


@pytest.mark.parametrize("options", [["-n"], []], ids=["doveconf -n", "doveconf"])
def test_the_optional_passdb_of_the_example_is_good(dovecot, tmp_path, options):  # noqa: F811
    block = printed(tmp_path, *options)
    assert "driver = static" in block
    called = dovecot(lambda text: block + text)
    assert called.returncode == DONE, called.stdout + called.stderr


CONTINUE = "  result_failure = continue\n  result_internalfail = continue\n"
ACCEPTING = {
    "2.3, ended by a success":
        "passdb {\n  args = noauthenticate\n  driver = static\n" + CONTINUE + "}\n",
    "2.3, with the word in the text":
        "passdb {\n  args = reason=No\tnoauthenticate\n  driver = static\n"
        "  result_success = continue\n" + CONTINUE + "}\n",
    "2.4, with the word in another block":
        "passdb static {\n  default {\n    noauthenticate = yes\n  }\n"
        "  result_success = continue\n" + CONTINUE + "}\n",
}


@pytest.mark.parametrize("accepting", ACCEPTING)
def test_another_static_passdb_is_a_finding(dovecot, accepting):  # noqa: F811
    called = dovecot(lambda _: OURS + ACCEPTING[accepting] + PASSDB_2_4)
    assert_finds(called, "a passdb with driver static, before", "!include")
