# SPDX-License-Identifier: BSD-2-Clause
"""A stored hash may cost four times as much as a new one."""

import json
import re

import pytest

from slapd import Slapd

OVER = re.compile(r"the hash costs (\d+) KiB and (\d+) passes, over the cap of (\d+) KiB and (\d+)")


@pytest.fixture
def directory(workdir, tmp_path_factory):
    """Each test has its own directory: doctor and report are about every user."""
    slapd = Slapd(workdir / tmp_path_factory.mktemp("cost").name).start()
    yield slapd
    slapd.stop()


def check(site, who, app_password):
    """The reason of a login, and the cost in its log line."""
    line = site.command("check", who.uid, input=app_password + "\n").stdout
    return re.search(r"reason=(\S+)", line)[1], OVER.search(line)


def values_found(site):
    """doctor's lines about values."""
    return [line for line in site.command("doctor").stdout.splitlines()
            if re.match(r"\S+ +values:", line)]


def test_a_site_that_lowers_its_cost_later(make_site, directory):
    """Values over four times the new cost are refused and reported until the setting is raised."""
    who = directory.new_person(mfa=True)
    app_password = make_site(hash_memory="64M", hash_passes="2").create(who)
    id = app_password[:4]
    lowered = make_site(hash_memory="8M", hash_passes="2")
    reason, over = check(lowered, who, app_password)
    assert reason == "unusable-value"
    assert over.groups() == ("65536", "2", "32768", "8")
    assert OVER.search(lowered.listed(who)[0]["unusable"])
    assert OVER.search(lowered.done("list", who.uid))
    assert any(line.startswith("PROBLEM") and OVER.search(line) for line in values_found(lowered))
    assert f"{id}  a test  costs 65536 KiB and 2 passes" in lowered.done("report", "--costly")

    raised = make_site(hash_memory="16M")
    assert check(raised, who, app_password)[0] == "app-password"
    assert "unusable" not in raised.listed(who)[0]
    assert values_found(raised) == [
        f"-        values: {who.uid}: {id} costs 65536 KiB and 2 passes, more than hash_memory "
        "and hash_passes; it is accepted",
        "ok       values: 1 app passwords are usable"]

    again = make_site(hash_memory="64M", hash_passes="2")
    assert json.loads(again.done("report", "--costly", "--json")) == []
    assert values_found(again) == ["ok       values: 1 app passwords are usable"]


def test_more_passes_alone_are_costly(make_site, directory):
    who = directory.new_person(mfa=True)
    dear, dearer = (directory.add_app_password(who, cost=(1, passes)) for passes in (4, 5))
    site = make_site()
    assert check(site, who, dear.shown)[0] == "app-password"
    assert check(site, who, dearer.shown)[0] == "unusable-value"
    found = json.loads(site.done("report", "--costly", "--json"))
    assert {one["id"]: "unusable" in one for one in found} == {dear.id: False, dearer.id: True}


def test_doctor_names_the_first_costly_ones_and_counts_the_rest(make_site, directory):
    who = directory.new_person(mfa=True)
    values = [directory.add_app_password(who, cost=(1, 2)) for _ in range(23)]
    found = values_found(make_site())
    assert found[-2] == f"ok       values: {len(values)} app passwords are usable"
    assert sum("costs 1024 KiB and 2 passes" in line for line in found) == 20
    assert found[-1] == ("-        values: 3 more are costly; app-password report --costly lists "
                         "them")
