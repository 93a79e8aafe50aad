# SPDX-License-Identifier: BSD-2-Clause
"""report --progress: how far the rollout is, in all and by department."""

import csv
import io
import json
import os
import pty
import re

import pytest

import apppassword
from administration import DONE, FAILED, UNAVAILABLE, USAGE, Site
from apppassword import from_now
from slapd import IDENTITIES, MEMBER, Slapd
from terminal import read_to_the_end

KEYS = ["users", "mfa_enforced", "mfa_announced", "enrolled", "app_password", "used_in_30_days"]
# Nobody but the users of these tests has a departmentNumber.
FILTER = "(&(departmentNumber=*)(|(uid=%u)(mail=%u)))"

# On a closed site, the rules for app passwords alone do not show departments.
MAY_READ = f"""access to attrs=departmentNumber
    by dn.exact="{IDENTITIES["administrator"]}" read by * break
"""


@pytest.fixture(scope="module")
def directory(workdir):
    slapd = Slapd(workdir / "progress", first_rules=MAY_READ).start()
    fill(slapd)
    yield slapd
    slapd.stop()


def use(one, **delta):
    return f"id={one.id} at={from_now(**delta)} service=imap from=192.0.2.1"


def settle(slapd, departments, **attributes):
    """A new user in these departments; returns the person."""
    who = slapd.new_person()
    slapd.connect_as_itself().modify_s(who.dn, [
        (0, "departmentNumber", [one.encode() for one in departments])])
    if attributes:
        slapd.administrate(who, **attributes)
    return who


def fill(slapd):
    mfa = {"appPasswordMfaEnabled": "TRUE"}
    # Sales: enforced, and everything done
    working = apppassword.make()
    settle(slapd, ["Sales"], appPassword=working.value, appPasswordUsed=use(working, days=-1),
           appPasswordMfaMethod="sealed=AAAA", **mfa)
    # announced; a code to enroll with and a count of guesses are no second factor
    settle(slapd, ["sales"], appPasswordMfaEnforceFrom="20990131000000Z", appPasswordMfaMethod=[
        "code created=20261122101500Z expires=20261129101500Z hash=x",
        "guesses day=20261129000000Z count=12"], **mfa)
    # the announced day is over; an app password that nobody has used for long
    idle = apppassword.make()
    settle(slapd, ["Sales"], appPasswordMfaEnforceFrom="20260101000000Z", appPassword=idle.value,
           appPasswordUsed=use(idle, days=-31), **mfa)
    # Support: nothing that opens anything
    settle(slapd, ["Support"], appPassword=[
        "id=0000 created=20260101000000Z revoked=20260102000000Z label=gone"])
    settle(slapd, ["Support"], appPassword=apppassword.make(
        created=from_now(days=-9), expires=from_now(days=-1)).value)
    # in both
    settle(slapd, ["Support", "Sales"])


@pytest.fixture
def make_site(directory, tmp_path):
    return lambda **keys: Site(tmp_path / "site", directory, **{"filter": FILTER} | keys)


@pytest.fixture
def site(make_site):
    return make_site()


TOTAL = dict(zip(KEYS, [6, 2, 1, 1, 2, 1]))
SALES = {"value": "Sales"} | dict(zip(KEYS, [4, 2, 1, 1, 2, 1]))
SUPPORT = {"value": "Support"} | dict(zip(KEYS, [3, 0, 0, 0, 0, 0]))


def progress(site, *options):
    return json.loads(site.done("report", "--progress", "--json", *options))


def test_the_total(site):
    assert progress(site) == TOTAL


def test_one_row_for_each_department(site):
    assert progress(site, "--by", "departmentNumber") == TOTAL | {
        "by": "departmentNumber", "rows": [SALES, SUPPORT]}


def test_users_without_the_attribute_have_a_row_of_their_own(site):
    assert progress(site, "--by", "employeeType")["rows"] == [{"value": None} | TOTAL]
    called = site.command("report", "--progress", "--by", "employeeType")
    assert "no user has this attribute" in called.stderr
    assert re.search(r"^-   +6 +2 +1 +1 +2 +1$", called.stdout, re.M)


def test_as_text(site):
    assert site.done("report", "--progress", "--by", "departmentNumber").splitlines() == [
        "         USERS  MFA ENFORCED  ANNOUNCED  ENROLLED  APP PASSWORD  USED IN 30 DAYS",
        "Sales        4             2          1         1             2                1",
        "Support      3             0          0         0             0                0",
        "all          6             2          1         1             2                1"]


def test_bars_on_a_terminal(site):
    main, terminal = pty.openpty()
    called = site.command("report", "--progress", "--by", "departmentNumber", stdout=terminal)
    os.close(terminal)
    printed = read_to_the_end(main).splitlines()
    assert called.returncode == DONE
    assert printed[0].endswith("  MFA: # enforced, + announced")
    assert printed[1].endswith("  1  " + "#" * 10 + "+" * 5 + "." * 5)
    assert printed[2].endswith("  0  " + "." * 20)


def test_as_csv(site):
    rows = list(csv.DictReader(io.StringIO(
        site.done("report", "--progress", "--by", "departmentNumber", "--csv"))))
    assert [row["departmentNumber"] for row in rows] == ["Sales", "Support"]
    assert [rows[0][key] for key in KEYS] == ["4", "2", "1", "1", "2", "1"]
    row, = csv.DictReader(io.StringIO(site.done("report", "--progress", "--csv")))
    assert row == {key: str(count) for key, count in TOTAL.items()}


def test_a_department_is_no_formula_and_controls_no_terminal(directory, make_site):
    who = settle(directory, ["=1+1", "x\u009b31m\u202ey"])
    try:
        site = make_site(filter=f"(&(uid={who.uid})(uid=%u))")
        options = ["report", "--progress", "--by", "departmentNumber"]
        assert '"\'=1+1","1",' in site.done(*options, "--csv")
        for text in (site.done(*options), site.done(*options, "--csv")):
            assert "31m" in text and not set("\u009b\u202e") & set(text)
        assert {row["value"] for row in progress(site, "--by", "departmentNumber")["rows"]} == \
            {"=1+1", "x\u009b31m\u202ey"}
    finally:
        directory.connect_as_itself().delete_s(who.dn)


def test_an_attribute_that_groups_nobody(directory, make_site):
    """Each value is a row in memory."""
    who = settle(directory, [str(number) for number in range(10001)])
    try:
        called = make_site(filter=f"(&(uid={who.uid})(uid=%u))").command(
            "report", "--progress", "--by", "departmentNumber")
        assert called.returncode == FAILED and called.stdout == ""
        assert "--by departmentNumber: there are more than 10000 values" in called.stderr
    finally:
        directory.connect_as_itself().delete_s(who.dn)


def test_any_mfa_filter(make_site):
    site = make_site(mfa_filter="(departmentNumber=sales)",
                     mfa_witness=MEMBER.dn)
    assert progress(site) == TOTAL | {"mfa_enforced": 3}


def test_without_recorded_uses(make_site):
    """A zero would say that nobody uses one."""
    site = make_site(filter="(&(departmentNumber=support)(uid=%u))")
    called = site.command("report", "--progress", "--json")
    assert json.loads(called.stdout) == dict(zip(KEYS, [3, 0, 0, 0, 0, None]))
    assert "last use is not recorded here" in called.stderr
    assert re.search(r"^all +3 +0 +0 +0 +0 +-$", site.done("report", "--progress"), re.M)


def test_no_users_at_all(make_site):
    site = make_site(filter="(&(departmentNumber=none)(uid=%u))")
    assert progress(site, "--by", "departmentNumber")["rows"] == []
    assert site.done("report", "--progress").splitlines()[-1].split() == ["all", *"00000-"]


def test_it_says_if_account_passwords_still_work(make_site):
    called = make_site(mfa_enforcement="report").command("report", "--progress")
    assert "account passwords still work" in called.stderr


@pytest.mark.parametrize("options, said", [
    (["--progress", "--expired"], "--progress excludes"),
    (["--progress", "--would-refuse"], "--would-refuse and --progress exclude"),
    (["--by", "ou"], "--by needs --progress"),
    (["--progress", "--by", "appPassword"], "holds no secret"),
    (["--progress", "--by", "APPPASSWORDMFAMETHOD"], "holds no secret"),
    (["--progress", "--by", "userPassword"], "holds no secret"),
    (["--progress", "--by", "userPassword;x-y"], "holds no secret"),
    (["--progress", "--by", ""], "holds no secret"),
    (["--progress", "--json", "--csv"], "exclude each other"),
    (["--progress", "alice"], "whole directory")])
def test_wrong_usage(site, options, said):
    called = site.command("report", *options)
    assert called.returncode == USAGE
    assert said in called.stderr and called.stdout == ""


def test_no_counts_without_a_directory(directory, make_site):
    site = make_site(timeout="2", deadline="4")
    directory.pause()
    try:
        called = site.command("report", "--progress")
    finally:
        directory.resume()
    assert called.returncode == UNAVAILABLE
    assert "users cannot be counted: " in called.stderr and called.stdout == ""


def test_a_size_limit_gives_no_counts(directory, tmp_path):
    """Part of the users would look like all of them."""
    called = Site(tmp_path / "site", directory, manage_as="replicator").command(
        "report", "--progress", "--json")
    assert called.returncode == FAILED, called
    assert "users cannot be counted: " in called.stderr and called.stdout == ""
