# SPDX-License-Identifier: BSD-2-Clause
"""Secrets as credentials of systemd, and the rules for AppArmor, on a mail host with a booted systemd.

The tests of one Debian go on from each other, in this order, on one host.
"""

import contextlib
import pathlib
import re
import shutil
import time

import pytest

import builder
from host import ADMIN, ADMIN_PASSWORD, ALICE, BASE, BOB
from processes import wait_until
from test_booted import HEARTBEAT, PAGE, REMINDERS, SOURCES, BootedHost, changed
from test_packages import release  # pylint: disable=unused-import
from visits import signed_in

WATCH = "app-password-watch.service"
FOLDER = "/etc/app-password"
STORE = "/etc/credstore.encrypted"
SYSTEM = "/etc/systemd/system"
PEOPLE = f"ou=people,{BASE}"


class CredentialHost(BootedHost):
    """A host with everything in use. Secrets are moved to /root/plain when they are encrypted."""

    def command(self, *command, status=0):
        """Run a command that exits with this status; return its output."""
        said = self.run("sh", "-c", '"$@" 2>&1; echo "exit $?"', "sh", *command)
        said, _, number = said.rstrip("\n").rpartition("exit ")
        assert number == str(status), f"{command}: exit {number}, not {status}\n{said}"
        return said

    def drop_in(self, unit):
        """The one that the package has as an example, installed as the man pages say."""
        name = f"{unit}.d/credentials.conf"
        self.run("install", "-D", "-m", "0644",
                 f"/usr/share/doc/app-password/examples/systemd/{name}", f"{SYSTEM}/{name}")
        return self.root / SYSTEM[1:] / name

    def encrypted_drop_in(self, unit):
        """The same with the other lines that it has."""
        path = self.drop_in(unit)
        text = re.sub("^LoadCredential=.*\n", "", path.read_text(), flags=re.MULTILINE)
        path.write_text(text.replace("#LoadCredentialEncrypted=", "LoadCredentialEncrypted="))
        return path

    def encrypt(self, name, text=None):
        """Encrypt a secret of ours, or a text in its place; there is no other file then."""
        self.run("install", "-d", "-m", "0700", STORE, "/root/plain")
        if text is not None:
            (self.root / "root/plain" / name).write_text(text)
        elif (self.root / FOLDER[1:] / name).exists():
            self.run("mv", f"{FOLDER}/{name}", "/root/plain")
        self.run("systemd-creds", "encrypt", f"--name={name}", f"/root/plain/{name}",
                 f"{STORE}/{name}")

    def restart_unit(self, unit):
        self.run("systemctl", "daemon-reload")
        self.command("sh", "-c", f"systemctl restart {unit} || :")

    def fails(self, unit, status):
        """Wait until a unit has ended for good; return what the journal has since its start."""
        cursor = self.run("journalctl", "--lines=0", "--show-cursor").strip().partition("cursor: ")[2]
        self.restart_unit(unit)
        wait_until(lambda: self.unit(unit, "ActiveState") == ["failed"], f"the end of {unit}", 60)
        time.sleep(7)  # RestartSec is 5
        assert self.unit(unit, "ActiveState", "ExecMainStatus", "NRestarts") == [
            "failed", str(status), "0"]
        return self.run("journalctl", f"--after-cursor={cursor}", "--output=cat")

    def answers(self):
        """The page, with its own identity, finds a user and checks the password."""
        client = signed_in(self, ALICE)
        assert client.page.title() == "The code from your administrator", client.page.words()


@pytest.fixture(scope="module")
def host(release, workdir):
    host = CredentialHost(release, workdir / f"credentials-{release}")
    host.put(builder.packages(release), "opt/packages")
    shutil.copytree(SOURCES, host.root / "opt/source", symlinks=True)
    host.fetch(["apparmor", "apparmor-profiles", "dbus"])
    (host.root / "var/log/auth.log").touch()  # Debian 12's fail2ban does not start without it
    with host:
        host.run("apt-get", "install", "--yes", "dbus")  # for systemd-run
        host.run("systemctl", "start", "dbus.socket")
        host.python("adopt.py", "prepare")
        host.python("adopt.py", "existing", "/opt/packages")
        host.secrets = {name: (host.root / FOLDER[1:] / name).read_text().strip()
                        for name in ("portal.secret", "portal.key", "mail-server.secret")}
        yield host


def shows_no_secret(host, unit):
    """What others can see of a service, and what it has said."""
    pid, = host.unit(unit, "MainPID")
    seen = host.run("sh", "-c", f"systemctl show {unit}; systemctl cat {unit}; journalctl; "
                    f"cat /proc/{pid}/environ /proc/{pid}/cmdline | tr '\\0' '\\n'")
    assert f"CREDENTIALS_DIRECTORY=/run/credentials/{unit}" in seen
    assert [name for name, text in host.secrets.items() if text in seen] == []


TEST = ["app-password-portal", "-t"]
HINT = "if app-password-portal.service has it, this test cannot read it"


def test_the_page_gets_files_that_belong_to_root(host):
    """-t reads the files, and says that the service may have something else."""
    host.run("chown", "root:root", *(f"{FOLDER}/{name}" for name in ("portal.secret", "portal.key")))
    host.drop_in(PAGE)
    host.restart_unit(PAGE)
    host.answers()
    shows_no_secret(host, PAGE)
    assert "app-password-portal.service has credentials, which this test did not use" \
        in host.command(*TEST)
    said = host.command("setpriv", "--reuid=app-password-portal", "--regid=app-password-portal",
                        "--groups=app-password", *TEST, status=78)
    assert f"{FOLDER}/portal.secret: Permission denied, and no credential" in said and HINT in said


def test_the_page_gets_encrypted_files(host):
    for name in "portal.secret", "portal.key":
        host.encrypt(name)
    host.encrypted_drop_in(PAGE)
    for _ in range(2):
        host.restart_unit(PAGE)
        host.answers()
    shows_no_secret(host, PAGE)
    grep = host.command("grep", "-rlF", "-e", host.secrets["portal.secret"], "/etc", "/var", status=1)
    assert grep == ""


def test_outside_the_service_a_test_does_not_pass(host):
    for command in TEST, ["app-password", "doctor", "--portal", "--as", f"uid=alice,{PEOPLE}"]:
        said = host.run("sh", "-c", '"$@" 2>&1 </dev/null || echo failed', "sh", *command)
        assert f"{FOLDER}/portal.secret: No such file or directory, and no credential" in said
        assert HINT in said and "failed" in said


def test_root_tests_what_the_running_service_has(host):
    said = host.command("env", f"CREDENTIALS_DIRECTORY=/run/credentials/{PAGE}", *TEST)
    assert "directory: good" in said and "credential" not in said


def test_a_new_secret_is_tested_before_the_service_has_it(host):
    """The command in app-password-portal(8); and the service then starts with it."""
    page = f"cn=portal,ou=services,{BASE}"
    manual = (SOURCES / "man/app-password-portal.8").read_text()
    command = re.search(r"^sudo (systemd-run (?:.*\\e\n)*.*)$", manual, re.MULTILINE)[1]
    command = command.replace("\\e\n", " ")
    assert "directory: good" in host.command("sh", "-c", command)
    host.encrypt("portal.secret", "another password\n")
    assert "app-password-portal: directory: " in host.command("sh", "-c", command, status=75)
    host.answers()  # it still has the old one
    host.run("ldappasswd", "-x", "-H", "ldapi:///", "-D", ADMIN, "-w", ADMIN_PASSWORD, "-s",
             "another password", page)
    assert "directory: good" in host.command("sh", "-c", command)
    host.restart_unit(PAGE)
    host.answers()


def test_mail_that_root_sends_uses_what_the_service_has(host):
    """The page's program opens the second factors and gets as far as to look for an address."""
    invite = ["app-password", "invite", ALICE.uid, "--label", "Phone", "--mail"]
    assert "no alternate address is on file" in host.command(*invite, status=1)
    host.run("systemctl", "stop", PAGE)
    assert 'no credential "portal.secret" from systemd' in host.command(*invite, status=78)
    host.run("systemctl", "start", PAGE)
    host.client()  # waits until it listens


def test_reminders_get_what_the_page_gets(host):
    """In a service of their own, and with the page's when root starts them."""
    heartbeat = host.root / HEARTBEAT
    with changed(host.root / FOLDER[1:] / "portal.conf", "remind all\n"):
        said = host.fails(f"{REMINDERS}.service", 78)
        assert 'no credential "portal.secret" from systemd' in said
        assert not heartbeat.exists()
        host.encrypted_drop_in(f"{REMINDERS}.service")
        host.restart_unit(f"{REMINDERS}.service")
        assert host.unit(f"{REMINDERS}.service", "Result", "ExecMainStatus") == ["success", "0"]
        assert heartbeat.exists()
        assert host.unit(PAGE, "ActiveState") == ["active"], host.journal()
        host.command("app-password", "remind", "--dry-run")


@pytest.mark.parametrize("lines, status, said", [
    ("LoadCredentialEncrypted=portal.key:{STORE}/portal.key\n", 78,
     'portal.secret: No such file or directory, and no credential "portal.secret" from systemd'),
    ("LoadCredential=portal-secret:/root/plain/portal.secret\n", 78,
     'portal.secret: No such file or directory, and no credential "portal.secret" from systemd'),
    ("LoadCredentialEncrypted=portal-secret:{STORE}/portal.secret\n", 243,
     "'portal.secret' does not match filename 'portal-secret'"),
    ("LoadCredentialEncrypted=portal.secret:{STORE}/nowhere\n", 243, "CREDENTIALS")],
    ids=["no credential", "another name", "another name, encrypted", "no file"])
def test_a_wrong_credential_ends_the_unit_and_is_named(host, lines, status, said):
    drop_in = host.root / SYSTEM[1:] / f"{PAGE}.d/credentials.conf"
    text = re.sub("^LoadCredential.*\n", "", drop_in.read_text(), flags=re.MULTILINE)
    with changed(drop_in, ""):
        drop_in.write_text(text + lines.format(STORE=STORE))
        assert said in host.fails(PAGE, status)
    host.restart_unit(PAGE)
    host.answers()


def beats(host):
    """The watch has heard from Dovecot and the directory since its start."""
    heartbeat = host.inside / "run/app-password-watch/heartbeat"
    heartbeat.unlink(missing_ok=True)
    host.restart_unit(WATCH)
    wait_until(heartbeat.exists, "the heartbeat", 60)


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
def test_the_watch_gets_a_file_that_belongs_to_root(host, is_encrypted):
    """Dovecot reads the file itself, so that stays where it is."""
    config = host.root / FOLDER[1:] / "app-password.conf"
    if "watch_interval" not in config.read_text():
        config.write_text(config.read_text() + "watch_interval 5s\n")
        (host.root / "etc/dovecot/conf.d/99-anvil.conf").write_text(
            "service anvil {\n  unix_listener anvil {\n    mode = 0660\n"
            "    group = app-password-watch\n  }\n}\n")
        host.run("systemctl", "restart", "dovecot")
        assert "mail-server.secret: Permission denied, and no credential" in host.fails(WATCH, 78)
    if is_encrypted:
        host.encrypt("mail-server.secret")
        host.run("cp", "-p", "/root/plain/mail-server.secret", FOLDER)
    (host.encrypted_drop_in if is_encrypted else host.drop_in)(WATCH)
    beats(host)
    beats(host)
    shows_no_secret(host, WATCH)


def accepted(host, password=BOB.password):
    """By Dovecot, and by Postfix with the plugin."""
    host.run("doveadm", "auth", "test", BOB.uid, password)
    assert " 235 " in host.run("swaks", "--server", "127.0.0.1:587", "--tls", "--auth", "PLAIN",
                               "--auth-user", BOB.uid, "--auth-password", password,
                               "--to", "alice@example.org", "--quit-after", "AUTH")


def test_mail_servers_get_an_encrypted_file(host, release):
    """As app-password.conf(5) says: each passes the variable on to its own processes."""
    units = [f"{name}.service" for name in host.others if name.startswith(("postfix", "dovecot"))]
    for unit in units:
        path = host.root / SYSTEM[1:] / f"{unit}.d/credentials.conf"
        path.parent.mkdir()
        path.write_text("[Service]\nLoadCredentialEncrypted="
                        f"mail-server.secret:{STORE}/mail-server.secret\n")
    manual = (SOURCES / "man/app-password.conf.5").read_text()
    dovecot = {"12": "import_environment = $import_environment CREDENTIALS_DIRECTORY",
               "13": "import_environment {\n  CREDENTIALS_DIRECTORY = %{env:CREDENTIALS_DIRECTORY}\n}"}
    assert all(lines in manual for lines in dovecot.values())
    (host.root / "etc/dovecot/conf.d/99-credentials.conf").write_text(dovecot[release] + "\n")
    host.run("sh", "-c", re.search("^sudo (postconf -e .*)$", manual, re.MULTILINE)[1])
    host.run("cp", "/usr/share/doc/app-password/examples/postfix/smtpd.conf", "/etc/postfix/sasl/")
    host.run("postconf", "-P", "submission/inet/smtpd_sasl_type=cyrus",
             "submission/inet/smtpd_sasl_path=smtpd")
    host.run("rm", f"{FOLDER}/mail-server.secret")
    for unit in units:
        host.restart_unit(unit)
    accepted(host)
    for unit in units:
        host.run("systemctl", "reload", unit)
    accepted(host)


def test_the_command_needs_the_credential_of_a_mail_server(host):
    check = ["sh", "-c", f"echo {BOB.password} | app-password check {BOB.uid}"]
    assert 'no credential "mail-server.secret" from systemd' in host.command(*check, status=78)
    variable = "CREDENTIALS_DIRECTORY=/run/credentials/dovecot.service"
    assert "verdict=accepted" in host.command("env", variable, *check)
    said = host.run("sh", "-c", f"app-password doctor --as uid=alice,{PEOPLE} </dev/null 2>&1 || :")
    assert 'no credential "mail-server.secret" from systemd' in said
    said = host.run("sh", "-c", f"{variable} app-password doctor --as uid=alice,{PEOPLE} "
                    "</dev/null 2>&1 || :")
    assert "others cannot read or change /run/credentials/dovecot.service/mail-server.secret" in said


def test_setup_makes_no_other_secret(host):
    """Neither a password nor a key, which would replace the one that opens the second factors."""
    setup = ["app-password", "setup", "--answers", "/root/app-password-setup/answers", "/root/again"]
    for name in "mail-server.secret", "portal.secret", "portal.key":
        said = host.command("sh", "-c", '"$@"; status=$?; rm -rf /root/again; exit $status', "sh",
                            *setup, status=1)
        decrypt = f"systemd-creds decrypt {STORE}/{name} {FOLDER}/{name}"
        assert f'{FOLDER}/{name} is in use but encrypted' in said and f'"{decrypt}"' in said
        host.run("sh", "-c", decrypt)


RULES = {
    "usr.lib.dovecot.auth": ["/etc/app-password/{app-password.conf,*mail-server.secret} r,",
                             "/usr/lib/@{multiarch}/lua/5.4/app_password.so mr,"],
    "postfix-smtpd": ["/etc/app-password/{app-password.conf,*mail-server.secret} r,",
                      "/etc/postfix/sasl/* r,"]}


def test_apparmor_profiles_of_debian_have_our_rules(host):
    """And all profiles that get them are still valid. The kernel is not asked."""
    host.run("apt-get", "install", "--yes", "apparmor", "apparmor-profiles")
    host.run("sh", "-c", "cp /usr/share/apparmor/extra-profiles/*dovecot* "
             "/usr/share/apparmor/extra-profiles/postfix-* /etc/apparmor.d/")
    folder = host.root / "etc/apparmor.d"
    profiles = [*folder.glob("*dovecot*"), *folder.glob("postfix-*")]
    assert len(profiles) > 20
    for profile in profiles:
        host.run("apparmor_parser", "--skip-kernel-load", "--skip-cache",
                 f"/etc/apparmor.d/{profile.name}")
    for name, rules in RULES.items():
        text = host.run("apparmor_parser", "--preprocess", f"/etc/apparmor.d/{name}")
        assert [rule for rule in rules if rule not in text] == []
