# SPDX-License-Identifier: BSD-2-Clause
"""The page under its own unit, and "app-password setup", on a mail host with a booted systemd.

The tests of one Debian go on from each other, in this order, on one host.
"""

import contextlib
import pathlib
import re
import shutil
import socket
import time

import pytest

import builder
import roots
from authenticator import Authenticator
from host import ADMIN_PASSWORD, ALICE
from page_client import Client
from processes import wait_until
from security_key import EDDSA, ES256, RS256, SecurityKey, asked, fields_of
from test_packages import SOURCES, Host, release  # pylint: disable=unused-import
from visits import let_in, make_app_password, signed_in, subject_of

PAGE = "app-password-portal.service"
REMINDERS = "app-password-remind"
HEARTBEAT = "var/lib/app-password-portal/remind"
SOCKET = "run/app-password-portal/http.sock"
SETUP = "/root/app-password-setup"


def accepts(path):
    """Whether a server accepts connections on a socket."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        return True
    return False


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
        path = self.inside / SOCKET
        wait_until(lambda: accepts(path), "the page to listen")
        return Client(str(path), headers, root="app-passwords")

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
        """What the page has said since its last start.

        By its process, because journald loses the unit of a process that ends at once.
        """
        pid, = self.unit(PAGE, "ExecMainPID")
        return self.run("journalctl", f"_PID={pid}", "--output=cat")

    def says(self, text):
        """Wait until the journal has what the page has said."""
        wait_until(lambda: text in self.journal(), f"{text!r} in the journal")

    def doctor(self, *options):
        """What the doctor prints, whatever it finds."""
        return self.run("sh", "-c", 'app-password doctor "$@" || :', "sh", *options)

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
    host.put(builder.packages(release), "opt/packages")
    host.fetch(["exim4-daemon-light"])
    (host.root / "var/log/auth.log").touch()  # Debian 12's fail2ban does not start without it
    with host:
        host.python("adopt.py", "prepare")
        host.files_before = host.files()
        yield host


def arrived(host, subject, count):
    """Wait for that many mails to alice with this subject."""
    wait_until(lambda: [subject_of(text) for text in host.mails()].count(subject) >= count,
               f"mail {count} with the subject {subject}")


def test_dpkg_restarts_dovecot_and_nothing_else(host):
    before = host.main_pids()
    host.install("opt/packages")
    after = host.main_pids()
    assert {name for name in host.others if before[name] != after[name]} == {"dovecot"}
    assert host.unit(PAGE, "ActiveState", "UnitFileState") == ["inactive", "disabled"]
    assert host.stopped() == []


def test_the_timer_of_the_reminders_is_on_and_no_run_was_started(host):
    assert host.unit(f"{REMINDERS}.timer", "ActiveState", "UnitFileState", "SubState") == [
        "active", "enabled", "waiting"]
    assert host.unit(f"{REMINDERS}.service", "ActiveState", "ExecMainPID") == ["inactive", "0"]


def said_by_reminders(host):
    return host.run("journalctl", f"--unit={REMINDERS}", "--output=cat")


def test_reminders_do_nothing_on_a_host_whose_page_is_not_configured(host):
    host.run("systemctl", "start", REMINDERS)
    assert host.unit(f"{REMINDERS}.service", "Result", "ExecMainStatus") == ["success", "0"]
    assert "remind is off in portal.conf: nothing to do" in said_by_reminders(host)
    assert not (host.root / HEARTBEAT).exists()


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
    client.post("choose", method="totp")
    host.app = Authenticator(client.page.secret())
    client.post("verify", code=host.app.code())
    make_app_password(client)
    arrived(host, "A new app password", 1)
    assert "action=mail" not in host.journal()


def test_the_timer_runs_reminders_as_the_page(host):
    """Once they are configured: the first run finds nothing, the next one an app password by root."""
    drop_in = host.root / "etc/systemd/system" / f"{REMINDERS}.timer.d"
    heartbeat = host.root / HEARTBEAT
    with changed(host.root / "etc/app-password/portal.conf", "remind all\n"):
        host.run("systemctl", "restart", PAGE)
        assert "there was no run on this host yet" in host.doctor("--portal")
        host.run("systemctl", "start", REMINDERS)
        assert host.run("stat", "--format=%U %a", f"/{HEARTBEAT}") == "app-password-portal 644\n"
        assert "reminders: the last run, 0 hours ago, sent 0 mails" in host.doctor("--portal")
        time.sleep(1)
        host.run("app-password", "create", ALICE.uid, "--label", "Scanner")
        drop_in.mkdir()
        (drop_in / "often.conf").write_text(
            "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/5\nRandomizedDelaySec=0\nAccuracySec=1s\n")
        host.run("systemctl", "daemon-reload")
        host.run("systemctl", "restart", f"{REMINDERS}.timer")
        arrived(host, "An app password was created for you", 1)
        wait_until(lambda: "sent 1 " in heartbeat.read_text() or "sent 0 " in heartbeat.read_text(),
                   "the end of the run", 60)
        assert "ok       reminders: app-password-remind.timer is on" in host.doctor("--portal")
        host.run("systemctl", "stop", f"{REMINDERS}.timer")
        assert "PROBLEM  reminders: app-password-remind.timer is inactive" in host.doctor("--portal")
    shutil.rmtree(drop_in)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "start", f"{REMINDERS}.timer")
    host.run("systemctl", "restart", PAGE)
    assert [subject_of(text) for text in host.mails()].count("An app password was created for you") == 1


def ids(page):
    """Those of the second steps on the page."""
    return re.findall(r'name="id" value="(\w+)"', page.text)


def test_passkeys_need_nothing_that_the_unit_takes_away(host):
    """It has no devices, a filter for system calls, and no memory that is both writable and executable."""
    assert host.unit(PAGE, "PrivateDevices", "MemoryDenyWriteExecute") == ["yes", "yes"]
    client = let_in(host, ALICE, host.app)
    before = ids(client.get("second-steps"))
    for algorithm in ES256, EDDSA, RS256:
        client.post("add-factor")
        client.post("choose", method="passkey")
        site = asked(client.page, "host")
        key = SecurityKey(site, f"https://{site}", algorithm)
        client.post("passkey", **fields_of(key.register(asked(client.page, "challenge"))))
        assert client.page.title() == "Your second steps", client.page.words()
        visit = signed_in(host, ALICE)
        if "data-challenge" not in visit.page.text:  # it asks for the one last used
            visit.post("use-factor", id=re.search(
                r'value="(\w+)">\s*<button[^>]*>Passkey', visit.page.text)[1])
        visit.post("verify", **fields_of(key.sign(asked(visit.page, "challenge"))))
        assert visit.page.title() == "Your app passwords", visit.page.words()
    for id in set(ids(client.get("second-steps"))) - set(before):
        client.post("remove-factor", id=id)


def test_the_list_has_host_names_under_the_unit(host):
    """From /etc/hosts, which the system's resolver also reads."""
    address = "203.0.113.77"
    with changed(host.root / "etc/app-password/portal.conf", "reverse_names yes\n"), \
            changed(host.root / "etc/hosts", f"{address} phone.example.net\n"):
        host.run("systemctl", "restart", PAGE)
        client = let_in(host, ALICE, host.app)
        shown = make_app_password(client)
        host.run("doveadm", "auth", "test", "-x", "service=imap", "-x", f"rip={address}", ALICE.uid,
                 shown)
        wait_until(lambda: f"reading mail {address} phone.example.net" in client.get("").words(),
                   "the last use with its name")
    host.run("systemctl", "restart", PAGE)


def test_sigterm_ends_the_page_cleanly(host):
    host.client().get("")  # it has started: before that, the signal would just kill it
    start = time.monotonic()
    host.run("systemctl", "stop", PAGE)
    assert time.monotonic() - start < 45, "systemd would kill it after 90 seconds"
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
        host.says(path)


def sendmail_lines():
    """What the unit says that Postfix's sendmail needs."""
    text = (SOURCES / "examples/systemd/app-password-portal.service").read_text()
    return "".join(f"{line}\n" for line in re.findall(r"^#     (\w+=.*)", text, re.MULTILINE))


def test_sendmail_needs_the_lines_that_the_unit_names(host):
    drop_in = host.root / "etc/systemd/system" / f"{PAGE}.d"
    with changed(host.root / "etc/app-password/portal.conf", "sendmail /usr/sbin/sendmail\n"):
        host.run("systemctl", "restart", PAGE)
        make_app_password(let_in(host, ALICE, host.app))
        host.says("action=mail")
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
        wait_until(lambda: re.search(rf"^{ALICE.uid}\b.*\b1\b", host.run(
            "app-password", "report", "--would-refuse"), re.MULTILINE), "the line in the journal")
    host.run("systemctl", "restart", "dovecot")


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
    assert host.unit(f"{REMINDERS}.timer", "LoadState", "ActiveState") == ["not-found", "inactive"]
    assert not (host.root / HEARTBEAT).parent.exists()
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
    wait_until(lambda: mailbox.exists() and "\nSubject: " in mailbox.read_text(), "Exim's delivery")
    assert subject_of(mailbox.read_text().partition("\n")[2]) == "A new app password"


def test_a_running_page_ends_with_its_package(host):
    host.run("apt-get", "purge", "--yes", "app-password-portal")
    assert host.unit(PAGE, "LoadState", "ActiveState") == ["not-found", "inactive"]
    assert not (host.inside / SOCKET).parent.exists()
