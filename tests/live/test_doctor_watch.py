# SPDX-License-Identifier: BSD-2-Clause
"""The doctor on app-password-watch, by the heartbeat that it leaves."""

import time

import pytest


def findings(site, folder):
    """The lines about the watch, each finding with its fix."""
    lines = site.command("doctor", f"--watch={folder}").stdout.splitlines()
    begin, = [number for number, line in enumerate(lines) if " watch" in line[:16]]
    return "\n".join(lines[begin:begin + 2])


def heartbeat(folder, age=1, interval=5, waiting=0):
    folder.mkdir(exist_ok=True)
    (folder / "heartbeat").write_text(
        f"time {int(time.time()) - age}\ninterval {interval}\nusers 12\nwaiting {waiting}\n")


@pytest.mark.parametrize("beat, expected", [
    ({}, ["ok", "users connected now: 12"]),
    ({"age": 3600}, ["PROBLEM", "seconds ago", "systemctl status"]),
    ({"age": -3600}, ["PROBLEM", "seconds ago"]),
    ({"waiting": 51}, ["PROBLEM", "51 users wait", "systemctl kill -s USR1"]),
    ({"interval": 60}, ["PROBLEM", "every 60 seconds", "systemctl restart"])])
def test_a_heartbeat(make_site, tmp_path, beat, expected):
    site = make_site(watch_interval="5s")
    heartbeat(tmp_path / "state", **beat)
    found = findings(site, tmp_path / "state")
    assert found.startswith(expected[0]) and all(part in found for part in expected), found


def test_no_heartbeat(make_site, tmp_path):
    site = make_site(watch_interval="5s")
    assert "has not run on this host" in findings(site, tmp_path / "state")
    (tmp_path / "state").mkdir()
    (tmp_path / "state/heartbeat").write_text("")
    assert "has not run on this host" in findings(site, tmp_path / "state")


def test_no_watch_is_configured(make_site, tmp_path):
    heartbeat(tmp_path / "state")
    found = findings(make_site(), tmp_path / "state")
    assert found.startswith("PROBLEM") and "watch_interval is not set" in found
