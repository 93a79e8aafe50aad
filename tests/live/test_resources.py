# SPDX-License-Identifier: BSD-2-Clause
"""A mail server without memory, file descriptors or disk space reports that and recovers.

Without a restart: the same process answers all logins.
"""

import contextlib
import re
import subprocess

import pytest

import smtp
from processes import run
from smtp import ACCEPTED, REFUSED, UNAVAILABLE


def limit(pid, resource, value):
    """Set the soft limit of a running smtpd, as its user."""
    run(["prlimit", f"--pid={pid}", f"--{resource}={value}:"],
        user="postfix", group="postfix", extra_groups=[])


@pytest.fixture
def signed_on(mail_server, directory):
    """A client of a server whose process has not handled a login yet."""
    server = mail_server({"refusal_delay": 0})
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    client = server.connect()
    (pid,) = server.postfix.processes(server.service)
    yield server, client, pid, person, app_password
    client.close()


def address_space(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmSize:\s+(\d+) kB", status.read())[1]) << 10


def test_no_memory_is_unavailable_and_then_accepted(signed_on):
    """A hash takes 8 MiB."""
    server, client, pid, person, app_password = signed_on
    assert server.sign_in(person.uid, "wrong", client=client).code == REFUSED
    limit(pid, "as", address_space(pid) + (2 << 20))
    assert smtp.plain(client, person.uid, app_password.shown).code == UNAVAILABLE
    assert "not enough memory" in server.events()[-1]
    limit(pid, "as", "unlimited")
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED


def test_no_file_descriptor_is_unavailable_and_then_accepted(signed_on):
    """The connection to the directory needs one."""
    server, client, pid, person, app_password = signed_on
    limit(pid, "nofile", 3)
    assert smtp.plain(client, person.uid, app_password.shown).code == UNAVAILABLE
    assert "Too many open files" in server.events()[-1]
    limit(pid, "nofile", 1024)
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED


@pytest.fixture
def small_disk(folder):
    """A file system of 16 KiB."""
    place = folder / "disk"
    place.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=0755", "tmpfs", place])
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_changes_no_verdict(small_disk, mail_server, directory):
    """Lines go to syslog while the disk is full (a unit test covers that), then to the file again.
    """
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    log = small_disk / "app-password.log"
    client = mail_server({"log": log}).connect()
    assert smtp.plain(client, person.uid, person.password).code == REFUSED
    filler = small_disk / "filler"
    fill(filler)
    size = -1
    while log.stat().st_size != size:  # until the file's last page is full
        size = log.stat().st_size
        assert smtp.plain(client, person.uid, person.password).code == REFUSED
    filler.unlink()
    assert smtp.plain(client, person.uid, app_password.shown).code == ACCEPTED
    client.close()
    lines = log.read_text().splitlines()
    assert " verdict=accepted " in lines[-1]
    assert all(line.count("verdict=") <= 1 for line in lines)


def fill(path):
    """Write to a file until the disk is full."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
