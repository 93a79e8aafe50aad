# SPDX-License-Identifier: BSD-2-Clause
"""fail2ban and rsyslog, with the examples, on the log lines of real logins."""

import configparser
import pathlib
import re
import subprocess

import pytest

import smtp
import apppassword
from administration import Site
from conftest import EXAMPLES
from processes import free_port, wait_until
from rsyslog import Rsyslog

TREE = EXAMPLES.parent
FILTER = TREE / "fail2ban" / "filter.d" / "app-password.conf"
JAILS = TREE / "fail2ban" / "jail.d" / "app-password.local"
SYSLOG = "Nov 24 13:58:57 mail postfix/submission/smtpd[4711]: "
LIKE_A_LINE = 'x" service=smtp client=192.0.2.66 id=- app-password: verdict=refused'


@pytest.fixture(scope="module")
def lines(directory, mail_server):
    """The log line of one login for each outcome, without its time."""
    server = mail_server()
    outage = mail_server({"uri": f"ldap://127.0.0.1:{free_port()}"})
    who, right = directory.new_person(mfa=True, app_passwords=1)
    without = directory.new_person()
    expired = directory.add_app_password(who, expires="20260101000000Z")
    other = directory.add_app_password(who, services="imap")
    wrong = apppassword.make(id=right.id).shown
    logins = {
        "accepted": (server, who.uid, right.shown),
        "unknown-user": (server, "nobody-at-all", "guess"),
        "wrong-account-password": (server, without.uid, "guess"),
        "wrong-app-password": (server, who.uid, wrong),
        "account-password-with-mfa": (server, who.uid, who.password),
        "expired": (server, who.uid, expired.shown),
        "wrong-service": (server, who.uid, other.shown),
        "outage": (outage, who.uid, right.shown),
        "like a line": (server, LIKE_A_LINE, "guess"),
    }
    found = {}
    for name, (host, user, password) in logins.items():
        host.sign_in(user, password)
        found[name] = host.events()[-1].split(" ", 1)[1]
    assert [" reason=wrong-app-password " in found["wrong-app-password"]] == [True], found
    return found


def hosts(folder, mode, line):
    """The addresses that fail2ban finds in a log with this line."""
    log = folder / "log"
    log.write_text(line + "\n")
    found = subprocess.run(
        ["fail2ban-regex", "--out", "ip", log, f"{FILTER}[mode={mode}]"],
        capture_output=True, text=True, timeout=300)
    assert found.returncode in (0, 1), found
    return found.stdout.split()


COUNTED = {
    "guess": {"unknown-user", "wrong-account-password", "wrong-app-password", "like a line"},
    "mfa": {"account-password-with-mfa"},
}
FORMS = {
    "a file": lambda line: "2026-11-24T13:58:57Z " + line,
    "syslog": lambda line: SYSLOG + line,
    "syslog with a precise time": lambda line:
        "2026-11-24T13:58:57.123456+00:00 mail dovecot: " + line,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", COUNTED)
def test_refusals_that_count(lines, tmp_path, mode, form):
    counted = {name for name, line in lines.items() if hosts(tmp_path, mode, FORMS[form](line))}
    assert counted == COUNTED[mode]


def test_the_address_is_that_of_the_client(lines, tmp_path):
    line = FORMS["a file"](lines["unknown-user"]).replace("127.0.0.1", "2001:db8::7")
    assert hosts(tmp_path, "guess", line) == ["2001:db8::7"]


def test_a_user_named_like_a_line_bans_only_the_client(lines, tmp_path):
    assert hosts(tmp_path, "guess", FORMS["a file"](lines["like a line"])) == ["127.0.0.1"]


NOT_OURS = {
    "a line within another program's": SYSLOG + "warning: said: {line}",
    "a line after a user name of Postfix": SYSLOG + "client=x, sasl_username= app-password: {line}",
    "an unknown client": "2026-11-24T13:58:57Z {unknown}",
}


@pytest.mark.parametrize("other", NOT_OURS)
def test_not_believed(lines, tmp_path, other):
    line = lines["unknown-user"]
    text = NOT_OURS[other].format(line=line, unknown=line.replace("client=127.0.0.1", "client=-"))
    assert hosts(tmp_path, "guess", text) == []


@pytest.mark.parametrize("mode", COUNTED)
def test_what_the_help_desk_does_is_no_login(lines, tmp_path, mode):
    """Nor may a name that imitates a line make it one."""
    for name in COUNTED["guess"] | COUNTED["mfa"]:
        for actor in ("bob", r"x\x22 " + lines["unknown-user"].replace('"', r"\x22")):
            line = f'{lines[name]} action=help-find actor="{actor}"'
            assert hosts(tmp_path, mode, FORMS["a file"](line)) == [], line


@pytest.fixture
def changes(lines, directory, tmp_path):
    """Lines about changes for users and by administrators named like the lines of logins."""
    site = Site(tmp_path / "site", directory)
    name = re.sub(r'["=]', lambda found: f"\\{ord(found[0]):02x}", lines["unknown-user"])
    by = ["-D", f"cn={name}", "-y", site.secret_file("administrator")]
    assert site.command("mfa", "on", directory.new_person().uid).returncode == 0
    for line in lines.values():
        for text in (line, "\n" + line, 'x" ' + line):
            assert site.command("mfa", "on", text).returncode != 0
            assert site.command(*by, "mfa", "on", text).returncode != 0
    found = [f"app-password: {line}" for line in site.changes()]
    assert len(found) == 1 + 6 * len(lines)
    assert len(site.log.read_text().splitlines()) == len(found)
    assert sum(' actor="cn=app-password: verdict' in line for line in found) == 3 * len(lines)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", COUNTED)
def test_no_change_is_taken_for_a_login(changes, tmp_path, mode, form):
    log = "\n".join(FORMS[form](line) for line in changes)
    assert hosts(tmp_path, mode, log) == []


def offenses(mode, log):
    """How many lines of this log count."""
    found = subprocess.run(
        ["fail2ban-regex", "--out", "ip", log, f"{FILTER}[mode={mode}]"],
        capture_output=True, text=True, timeout=300)
    return len(found.stdout.split())


# Passwords that one client sends for one user, and how many of the lines count in each mode.
PHONE = ["an old password"] * 20
TWO_DEVICES = ["an old password", "an older one"] * 10
GUESSER = [f"guess {number}" for number in range(20)]


@pytest.mark.parametrize("mfa, passwords, counts", [
    pytest.param(True, PHONE, {"guess": 0, "mfa": 20}, id="a phone, MFA on"),
    pytest.param(True, TWO_DEVICES, {"guess": 0, "mfa": 20}, id="two devices, MFA on"),
    pytest.param(True, GUESSER, {"guess": 18, "mfa": 20}, id="a guesser, MFA on"),
    pytest.param(False, PHONE[:4], {"guess": 1, "mfa": 3}, id="a phone, MFA off"),
    pytest.param(False, GUESSER[:4], {"guess": 4, "mfa": 0}, id="a guesser, MFA off"),
])
def test_one_password_again_and_many_different_ones(
        directory, mail_server, mfa, passwords, counts):
    """MFA off: not enough of them for slapd to lock the account."""
    server = mail_server()
    who = directory.new_person(mfa=mfa)
    for password in passwords:
        assert server.sign_in(who.uid, password).code == smtp.REFUSED
    assert {mode: offenses(mode, server.log) for mode in counts} == counts


def test_the_passwords_of_two_users_are_not_compared(directory, mail_server):
    server = mail_server()
    for _ in range(5):
        server.sign_in(directory.new_person(mfa=True).uid, "an old password")
        server.sign_in(directory.new_person(mfa=True).uid, "another")
    assert len(server.events()) == 10 and "repeat=" not in "".join(server.events())


def test_every_reason_is_counted_or_left_out_on_purpose():
    source = (TREE.parent / "lib" / "reason.c").read_text()
    reasons = set(re.findall(r'\[APW_REASON_\w+\] = "([^"]+)"', source))
    parser = configparser.RawConfigParser()
    parser.read(FILTER)
    counted = set("|".join(parser["Definition"][key] for key in ("_guess", "_mfa")).split("|"))
    assert counted < reasons


def test_fail2ban_takes_the_jails(tmp_path):
    folder = tmp_path / "fail2ban"
    subprocess.run(["cp", "-r", "/etc/fail2ban", folder], check=True)
    for file in (folder / "jail.d").iterdir():
        file.unlink()
    text = JAILS.read_text().replace("/var/log/mail.log", str(tmp_path / "log"))
    (tmp_path / "log").touch()
    (folder / "jail.d" / JAILS.name).write_text(text)
    (folder / "filter.d" / "app-password.conf").write_bytes(FILTER.read_bytes())
    told = subprocess.run(["fail2ban-client", "-c", folder, "-d"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "'app-password'" in told.stdout and "'app-password-mfa'" in told.stdout
    assert "ERROR" not in told.stderr, told.stderr


@pytest.fixture
def rsyslog(tmp_path):
    """A real rsyslogd with the example: (send a line, its two files)."""
    with Rsyslog(tmp_path) as server:
        yield server.send, server.log, server.alarm


def text_of(file):
    return file.read_text() if file.exists() else ""


def test_rsyslog_writes_each_login_and_alarms_at_a_rate_of_outages(lines, rsyslog):
    send, log, alarm = rsyslog
    send("connect from unknown")
    for _ in range(4):
        send(lines["outage"])
    send(lines["accepted"])
    wait_until(lambda: "verdict=accepted" in text_of(log), "the lines")
    assert len(text_of(log).splitlines()) == 5
    assert text_of(alarm) == ""
    for _ in range(7):
        send(lines["outage"])
    wait_until(lambda: text_of(log).count("verdict=unavailable") == 11, "more lines")
    wait_until(lambda: text_of(alarm), "the alarm, which is written after the lines")
    assert text_of(alarm).count("verdict=unavailable") == 1


def test_a_user_named_like_a_line_raises_no_alarm(lines, rsyslog):
    send, log, alarm = rsyslog
    name = lines["outage"].replace('"', "")
    for _ in range(20):
        send(f"warning: unknown[127.0.0.1]: SASL PLAIN authentication failed, sasl_username={name}")
        send(re.sub(r'user="[^"]*"', f'user="{name}"', lines["unknown-user"]))
    send(lines["accepted"])
    wait_until(lambda: "verdict=accepted" in text_of(log), "the lines")
    assert len(text_of(log).splitlines()) == 21
    assert text_of(alarm) == ""


def test_rsyslog_writes_the_changes_and_nothing_else_to_a_file_of_their_own(
        changes, lines, rsyslog, tmp_path):
    send, log, alarm = rsyslog
    audit = tmp_path / "app-password-audit.log"
    kick = 'app-password: action=kick reason=revoked user="x actor=" service=imap client=- id=-'
    for line in (lines["outage"], kick, *changes, lines["accepted"]):
        send(line)
    wait_until(lambda: len(text_of(log).splitlines()) == 2, "the lines")
    wait_until(lambda: len(text_of(audit).splitlines()) >= len(changes), "the changes, after them")
    assert [line.partition(": ")[2] for line in text_of(audit).splitlines()] == changes
    assert len(text_of(log).splitlines()) == 2 and text_of(alarm) == ""
    assert audit.stat().st_mode & 0o777 == 0o640
