# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on the example's optional passdbs, as doveconf prints them."""

import subprocess

import pytest

from administration import DONE
from conftest import EXAMPLES
from dovecot import with_arrival, with_hint
from test_doctor import (  # noqa: F401: fixtures
    OURS, PASSDB_2_4, assert_finds, dovecot, good_directory, site)

pytestmark = pytest.mark.dovecot23


def printed(tmp_path, with_optional, *options):
    """doveconf's output for an optional passdb of the example for 2.3."""
    conf = tmp_path / "optional.conf"
    conf.write_text(with_optional((EXAMPLES.parent / "dovecot" / "dovecot-2.3.conf").read_text()))
    text = subprocess.run(["doveconf", *options, "-c", conf], capture_output=True, text=True,
                          check=True).stdout
    block = text[text.index("passdb {"):]
    return block[:block.index("}\n") + 2]


@pytest.mark.parametrize("options", [["-n"], []], ids=["doveconf -n", "doveconf"])
@pytest.mark.parametrize("with_optional, driver, says", [
    (with_hint, "static", "a static passdb adds a text to each refusal, and accepts nobody"),
    (with_arrival, "lua", "a lua passdb adds fields to each login, and accepts nobody")])
def test_an_optional_passdb_of_the_example_is_good(
        dovecot, tmp_path, with_optional, driver, says, options):  # noqa: F811
    block = printed(tmp_path, with_optional, *options)
    assert f"driver = {driver}" in block and "app-password.lua" not in block
    called = dovecot(lambda text: block + text)
    assert called.returncode == DONE, called.stdout + called.stderr
    assert says in called.stdout


CONTINUE = "  result_failure = continue\n  result_internalfail = continue\n"
ACCEPTING = {
    "2.3, ended by a success":
        "passdb {\n  args = noauthenticate\n  driver = static\n" + CONTINUE + "}\n",
    "2.3, with the word in the text":
        "passdb {\n  args = reason=No\tnoauthenticate\n  driver = static\n"
        "  result_success = continue\n" + CONTINUE + "}\n",
    "2.3, Lua, with the word in another field":
        "passdb {\n  args = file=/dev/null\n  default_fields = reason=noauthenticate=yes\n"
        "  driver = lua\n  result_success = continue\n" + CONTINUE + "}\n",
    "2.4, with the word in another block":
        "passdb static {\n  default {\n    noauthenticate = yes\n  }\n"
        "  result_success = continue\n" + CONTINUE + "}\n",
}


@pytest.mark.parametrize("accepting", ACCEPTING)
def test_another_such_passdb_is_a_finding(dovecot, accepting):  # noqa: F811
    called = dovecot(lambda _: OURS + ACCEPTING[accepting] + PASSDB_2_4)
    driver = "lua and the file /dev/null" if "Lua" in accepting else "static"
    assert_finds(called, f"a passdb with driver {driver}, before", "!include")


@pytest.mark.parametrize("change, says, fix", [
    (lambda block, text: block.replace(" blocking=no", "") + text, "the wait for a worker", "use_worker = no"),
    (lambda block, text: text + block, "after ours", "move it before")])
def test_a_script_that_notes_arrivals_too_late_is_a_finding(
        dovecot, tmp_path, change, says, fix):  # noqa: F811
    block = printed(tmp_path, with_arrival)
    assert_finds(dovecot(lambda text: change(block, text)), says, fix)
