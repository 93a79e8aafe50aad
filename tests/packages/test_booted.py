# SPDX-License-Identifier: BSD-2-Clause
"""The page under its own unit, and "app-password setup", on a mail host with a booted systemd.

The tests of one Debian go on from each other, in this order, on one host.
"""

import contextlib
import pathlib
import re
import shutil
import time

import pytest

import builder
import roots
from authenticator import Authenticator
from host import ADMIN_PASSWORD, ALICE
from page_client import Client
from processes import wait_until
from test_packages import SOURCES, Host, release  # pylint: disable=unused-import
from visits import let_in, make_app_password, signed_in, subject_of

PAGE = "app-password-portal.service"
SOCKET = "run/app-password-portal/http.sock"
SETUP = "/root/app-password-setup"


class BootedHost(roots.Booted, Host):
    """A mail host with systemd, and its page as visits.py expects it.

    others  the units of the other servers
    """

    def __init__(self, release, folder):
        super().__init__(roots.site_root(release), folder)
        self.others = ["slapd", "dovecot", "nginx", "fail2ban",
                       "postfix@-" if release == "12" else "postfix"]

    @property
    def inside(self):
        """Its root folder with what it has mounted there, such as /run."""
        return pathlib.Path(f"/proc/{self.init}/root")

    def client(self, **headers):
        socket = self.inside / SOCKET
        wait_until(socket.exists, "the page's socket")
        return Client(str(socket), headers, root="app-passwords")

    def unit(self, name, *properties):
        """Values of "systemctl show"."""
        said = self.run("systemctl", "show", f"--property={','.join(properties)}", name)
        found = dict(line.split("=", 1) for line in said.splitlines())
        return [found[name] for name in properties]

    def main_pids(self):
        """Changes for a service that is restarted."""
        return {name: self.unit(name, "MainPID", "ActiveEnterTimestampMonotonic")
                for name in self.others}

    def stopped(self):
        """The other servers that do not run."""
        return [name for name in self.others if self.unit(name, "ActiveState") != ["active"]]

    def journal(self):
        """What the page has said since its last start."""
        invocation, = self.unit(PAGE, "InvocationID")
        return self.run("journalctl", f"_SYSTEMD_INVOCATION_ID={invocation}", "--output=cat")

    def mails(self):
        """The mails that alice has, as texts."""
        folder = self.root / "var/vmail/alice/Maildir/new"
        return [file.read_text() for file in folder.glob("*")]

    def apply(self, script="apply.sh"):
        """Run a script of setup, without a terminal."""
        (self.root / "root/admin.password").write_text(ADMIN_PASSWORD)
        return self.run(f"{SETUP}/{script}", "-y", "/root/admin.password")


@contextlib.contextmanager
def changed(path, text):
    """Append text to a file, and take it back."""
    before = path.read_text()
    path.write_text(before + text)
    try:
        yield
    finally:
        path.write_text(before)


@pytest.fixture(scope="module")
def host(release, workdir):
    """An existing site; our packages are there but not installed."""
    host = BootedHost(release, workdir / f"booted-{release}")
    shutil.copytree(SOURCES, host.root / "opt/source", symlinks=True)
    host.put(builder.packages(release, workdir), "opt/packages")
    host.fetch(["exim4-daemon-light"])
    (host.root / "var/log/auth.log").touch()  # Debian 12's fail2ban does not start without it
    with host:
        host.python("adopt.py", "prepare")
        host.files_before = host.files()
        yield host


def arrived(host, subject, count):
    """Wait for that many mails to alice with this subject."""
    wait_until(lambda: [subject_of(text) for text in host.mails()].count(subject) >= count,
               f"mail {count} with the subject {subject}", 20)


def test_dpkg_restarts_dovecot_and_nothing_else(host):
    before = host.main_pids()
    host.install("opt/packages")
    after = host.main_pids()
    assert {name for name in host.others if before[name] != after[name]} == {"dovecot"}
    assert host.unit(PAGE, "ActiveState", "UnitFileState") == ["inactive", "disabled"]
    assert host.stopped() == []


def test_setup_starts_and_reloads_what_it_configured(host):
    before = host.main_pids()
    print(host.python("adopt.py", "existing", "/opt/packages"))
    assert host.unit(PAGE, "ActiveState", "UnitFileState") == ["active", "enabled"]
    assert host.stopped() == []
    assert host.main_pids()["slapd"] == before["slapd"]
    assert "app-password" in host.run("fail2ban-client", "status")
    assert "www-data" in host.run("getent", "group", "app-password-portal")


def test_setup_again_changes_nothing(host):
    before = host.main_pids(), host.unit(PAGE, "MainPID")
    said = host.apply()
    assert re.findall(r"^(?!\w+: done already$)\w+: .*", said, re.MULTILINE) == []
    assert (host.main_pids(), host.unit(PAGE, "MainPID")) == before


def test_the_page_sends_mail_through_postfix(host):
    said = host.run("app-password", "mfa", "on", ALICE.uid, "--code")
    client = signed_in(host, ALICE)
    client.post("enrolment-code", code=said.split()[-1])
    client.post("start")
    client.post("choose", method="app")
    host.app = Authenticator(client.page.secret())
    client.post("verify", code=host.app.code())
    make_app_password(client)
    arrived(host, "A new app password", 1)
    assert "action=mail" not in host.journal()


def test_sigterm_ends_the_page_cleanly(host):
    start = time.monotonic()
    host.run("systemctl", "stop", PAGE)
    assert time.monotonic() - start < 10
    # 1 is CLD_EXITED: it was not killed.
    assert host.unit(PAGE, "ActiveState", "Result", "ExecMainCode", "ExecMainStatus") == [
        "inactive", "success", "1", "0"]
    assert not (host.inside / SOCKET).exists()


@contextlib.contextmanager
def replaced_key(host, source):
    """Without a key, or with the contents of another file in its place."""
    path = "/etc/app-password/portal.key"
    host.run("mv", path, f"{path}.good")
    try:
        if source:
            host.run("install", "-o", "app-password-portal", "-m", "0600", source, path)
        yield path
    finally:
        host.run("mv", f"{path}.good", path)
        host.run("systemctl", "restart", PAGE)


@pytest.mark.parametrize("source", [None, "/etc/hostname"], ids=["missing", "wrong"])
def test_a_key_that_cannot_be_used_ends_the_unit_and_is_named(host, source):
    with replaced_key(host, source) as path:
        host.run("systemctl", "restart", PAGE)
        wait_until(lambda: host.unit(PAGE, "ActiveState") == ["failed"], "the end of the page")
        time.sleep(7)  # RestartSec is 5
        assert host.unit(PAGE, "ActiveState", "Result", "ExecMainStatus", "NRestarts") == [
            "failed", "exit-code", "78", "0"]
        assert path in host.journal()


def sendmail_lines():
    """What the unit says that Postfix's sendmail needs."""
    text = (SOURCES / "examples/systemd/app-password-portal.service").read_text()
    return "".join(f"{line}\n" for line in re.findall(r"^#     (\w+=.*)", text, re.MULTILINE))


def test_sendmail_needs_the_lines_that_the_unit_names(host):
    drop_in = host.root / "etc/systemd/system" / f"{PAGE}.d"
    with changed(host.root / "etc/app-password/portal.conf", "sendmail /usr/sbin/sendmail\n"):
        host.run("systemctl", "restart", PAGE)
        make_app_password(let_in(host, ALICE, host.app))
        assert "action=mail" in host.journal()
        drop_in.mkdir()
        (drop_in / "sendmail.conf").write_text("[Service]\n" + sendmail_lines())
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "restart", PAGE)
        make_app_password(let_in(host, ALICE, host.app))
        arrived(host, "A new app password", 2)
    shutil.rmtree(drop_in)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "restart", PAGE)


def test_the_journal_says_whom_enforcement_would_lock_out(host):
    with changed(host.root / "etc/app-password/app-password.conf", "mfa_enforcement report\n"):
        host.run("systemctl", "restart", "dovecot")
        host.run("doveadm", "auth", "login", *ALICE)
        said = host.run("app-password", "report", "--would-refuse")
    host.run("systemctl", "restart", "dovecot")
    assert re.search(rf"^{ALICE.uid}\b.*\b1\b", said, re.MULTILINE), said


def test_undo_stops_the_page_and_brings_the_servers_back(host):
    host.python("adopt.py", "undo")
    assert host.unit(PAGE, "ActiveState", "UnitFileState") == ["inactive", "disabled"]
    assert host.stopped() == []
    assert "app-password" not in host.run("fail2ban-client", "status")


def test_undo_again_changes_nothing(host):
    before = host.main_pids(), host.files()
    host.apply("undo.sh")
    assert (host.main_pids(), host.files()) == before


def test_a_purge_leaves_nothing(host):
    host.run("sh", "-c", "apt-get purge --yes '*app-password*'")
    assert host.unit(PAGE, "LoadState", "ActiveState") == ["not-found", "inactive"]
    assert host.run("sh", "-c", "getent passwd app-password-portal; "
                                "getent group app-password app-password-portal || :") == ""
    names = host.files().keys() - host.files_before.keys()
    assert [name for name in names if re.search("app-?_?password", name)] == []


def test_the_page_sends_mail_on_a_host_without_postfix(host):
    """Not even its group postdrop is there. Exim accepts the mail on the same port."""
    host.install("opt/packages")
    host.apply()
    host.run("app-password", "mfa", "on", ALICE.uid)
    host.run("apt-get", "install", "--yes", "--no-install-recommends", "exim4-daemon-light")
    host.run("apt-get", "purge", "--yes", "postfix")
    host.run("sh", "-c", "! getent group postdrop || groupdel postdrop")
    host.run("useradd", "--create-home", ALICE.uid)
    settings = host.root / "etc/exim4/update-exim4.conf.conf"
    settings.write_text(settings.read_text().replace("dc_other_hostnames='",
                                                     "dc_other_hostnames='example.org:"))
    for unit in "exim4", PAGE:
        host.run("systemctl", "restart", unit)
    make_app_password(let_in(host, ALICE, host.app))
    mailbox = host.root / "var/mail" / ALICE.uid
    wait_until(mailbox.exists, "Exim's delivery", 20)
    assert subject_of(mailbox.read_text().partition("\n")[2]) == "A new app password"


def test_a_running_page_ends_with_its_package(host):
    host.run("apt-get", "purge", "--yes", "app-password-portal")
    assert host.unit(PAGE, "LoadState", "ActiveState") == ["not-found", "inactive"]
    assert not (host.inside / SOCKET).parent.exists()
