# SPDX-License-Identifier: BSD-2-Clause
"""logrotate with the example, while clients of a chrooted Postfix and of Dovecot sign in."""

import gzip
import os
import pathlib
import re
import subprocess
from collections import Counter
from types import SimpleNamespace

import pytest

import dovecot
from conftest import EXAMPLES, MailServer, example_smtpd_conf, new_folder, write_config
from dovecot_fixtures import new_dovecot
from load import Clients, Login, over_imap, over_smtp
from portal import PORTAL_USER
from postfix import Postfix
from processes import wait_until
from rsyslog import Rsyslog

EXAMPLE = EXAMPLES.parent / "logrotate" / "app-password"
LINE = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ app-password: verdict=accepted reason=app-password '
                  r'user="\S+" service=(smtp|imap) client=127\.0\.0\.1 id=\S+(?: session=\S+)?')


class Rotation:
    """The example for a log in another place."""

    def __init__(self, folder, environment=None):
        self.folder = folder
        self.log = folder / "app-password.log"
        self._environment = os.environ | (environment or {})
        self._config = folder / "logrotate.conf"
        text = EXAMPLE.read_text()
        assert "/var/log/app-password.log" in text
        # rsyslog-rotate would be about this machine's rsyslog.
        text = text.replace("/var/log", str(folder)).replace("/usr/lib/rsyslog/", str(folder) + "/")
        self._config.write_text(text)

    def rotate(self):
        """An error is a failure."""
        called = subprocess.run(
            ["logrotate", "--verbose", "--force", "--state", self.folder / "state", self._config],
            text=True, capture_output=True, env=self._environment, timeout=60)
        assert called.returncode == 0 and "error:" not in called.stderr, called.stderr
        assert "running postrotate script" in called.stderr, called.stderr

    def lines(self):
        """Those of all files, the oldest first."""
        found = []
        for file in sorted(self.folder.glob("app-password.log*"), key=self._age, reverse=True):
            data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            found += data.decode().splitlines()
        return found

    @staticmethod
    def _age(file):
        return int((re.findall(r"log\.(\d+)", file.name) or ["0"])[0])


@pytest.fixture
def site(workdir, plugin, authority, own_directory, lua_module):
    """Postfix and Dovecot with one log; its rotation."""
    place = new_folder(workdir, "rotated")
    postfix = Postfix(new_folder(workdir, "p"), plugin, authority)
    directory = own_directory(chroot=postfix.queue)
    rotation = Rotation(place, {"MAIL_CONFIG": str(postfix.config)})
    config = write_config(new_folder(workdir, "mail"), uri=directory.ldapi_in_chroot, log=rotation.log)
    service = postfix.service(example_smtpd_conf(config), "many processes")
    mail = MailServer(postfix, service, authority, place)
    imap = new_dovecot(workdir, directory, {"log": rotation.log}, authority=authority, module=lua_module)
    postfix.start()
    imap.start()
    yield SimpleNamespace(directory=directory, postfix=postfix, mail=mail, imap=imap, rotation=rotation)
    imap.stop()
    postfix.stop()


def has_rotated_file(pid):
    """Whether a process still writes to the file of before; the next rotation compresses that one."""
    try:
        return any(os.readlink(file).endswith("app-password.log.1")
                   for file in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has ended, or has just closed a file
        return pathlib.Path(f"/proc/{pid}").exists()


def test_no_line_is_lost_while_clients_sign_in(site):
    """Each accepted login has its line in one of the files, whole, and once."""
    logins = [Login(person.uid, app_password.shown, True) for person, app_password in
              (site.directory.new_person(mfa=True, app_passwords=1) for _ in range(4))]
    site.mail.sign_in(logins[0].user, logins[0].password)
    with Clients(logins, [over_smtp(site.mail), over_imap(site.imap)] * 4) as clients:
        for rotation in range(1, 7):
            wait_until(lambda: len(clients.answers) >= 50 * rotation, "logins", 120)
            site.rotation.rotate()
            wait_until(lambda: not any(map(has_rotated_file, site.postfix.processes(site.mail.service))),
                       "the end of the smtpds that have the old file", 60)
            wait_until(lambda: site.rotation.log.stat().st_size > 0, "lines in the new file", 60)
    answered = Counter(answer.protocol.lower() for answer in clients.answers)
    answered["smtp"] += 1
    lines = site.rotation.lines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert all(answer.verdict == dovecot.ACCEPTED for answer in clients.answers)
    logged = Counter(LINE.fullmatch(line)[1] for line in lines)
    # A client whose connection broke may have a line, too.
    unanswered = Counter(protocol.lower() for protocol, _ in clients.troubles)
    for service, count in answered.items():
        assert count <= logged[service] <= count + unanswered[service], (logged, answered, clients.troubles)
    assert len(list(site.rotation.folder.glob("app-password.log.*.gz"))) == 5


def test_the_page_writes_to_the_new_file_without_a_restart(workdir, directory, start_portal):
    rotation = Rotation(new_folder(workdir, "rotated"))
    portal = start_portal(log=rotation.log)
    before, after = directory.new_person(), directory.new_person()
    portal.client().sign_in(before)
    owner = rotation.log.stat()
    os.chown(rotation.log, PORTAL_USER, -1)
    rotation.rotate()
    assert rotation.log.stat().st_uid == PORTAL_USER and rotation.log.stat().st_mode == owner.st_mode
    portal.client().sign_in(after)
    assert f'"{before.uid}"' not in rotation.log.read_text()
    assert f'"{after.uid}"' in rotation.log.read_text()
    assert f'"{after.uid}"' not in (rotation.folder / "app-password.log.1").read_text()


@pytest.fixture
def rsyslog_rotation(tmp_path):
    """The example for rsyslog writes the same files."""
    rotate = tmp_path / "rsyslog-rotate"
    rotate.write_text(f"#!/bin/sh\nkill -HUP $(cat {tmp_path}/pid)\n")
    rotate.chmod(0o755)
    return Rotation(tmp_path)


def test_rsyslog_writes_changes_to_the_new_file(tmp_path, rsyslog_rotation):
    audit = tmp_path / "app-password-audit.log"
    line = 'app-password: action=create actor="%s" user="alice" id=k7q2 result=done'
    with Rsyslog(tmp_path) as server:
        server.send(line % "before")
        wait_until(lambda: audit.exists() and "before" in audit.read_text(), "the line", 30)
        rsyslog_rotation.rotate()

        def has_moved():
            server.send(line % "after")
            return "after" in audit.read_text()
        wait_until(has_moved, "a line in the new file", 30)
    assert "before" in (tmp_path / "app-password-audit.log.1").read_text()
    assert "before" not in audit.read_text()


def test_rsyslog_writes_to_the_new_file(tmp_path, rsyslog_rotation):
    rotation = rsyslog_rotation
    with Rsyslog(tmp_path) as server:
        line = 'app-password: verdict=refused reason=expired user="%s" service=smtp client=192.0.2.7 id=-'
        server.send(line % "before")
        wait_until(lambda: server.log.exists() and "before" in server.log.read_text(), "the line", 30)
        rotation.rotate()
        number = 0

        def has_moved():
            nonlocal number
            number += 1
            server.send(line % f"after-{number}")
            return "after-" in server.log.read_text()
        wait_until(has_moved, "a line in the new file", 30)
        old = (tmp_path / "app-password.log.1").read_text()
        wait_until(lambda: f"after-{number}" in server.log.read_text(), "the last line", 30)
        found = re.findall(r"after-(\d+)", old + server.log.read_text())
        assert found == [str(count) for count in range(1, number + 1)]
