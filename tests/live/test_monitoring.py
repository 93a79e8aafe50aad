# SPDX-License-Identifier: BSD-2-Clause
"""mtail, with the example, counts what really happened to users of Postfix, Dovecot and the page."""

import re
import subprocess
from collections import Counter

import pytest

import dovecot
import pam
from conftest import EXAMPLES, new_folder, write_config
from devices import Devices
from dovecot_fixtures import new_dovecot
from monitoring import CRON, counts, promtool
from processes import wait_until
from rsyslog import Rsyslog
from slapd import IDENTITIES
from test_log_lines import CASES
from visits import enrolled, make_app_password, signed_in
from watching import Session, Watch, revoke


def at(folder, lines, name="log"):
    """A file of these lines."""
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def bare(lines):
    """Lines of `log FILE` without their time."""
    return [line.split(" ", 1)[1] for line in lines]


@pytest.fixture(scope="module")
def happened(directory, mail_server, authority, workdir, lua_module):
    """A login for each verdict and reason, at Postfix and at Dovecot: (log lines, what mtail must count)."""
    lines, expected = [], Counter()
    for config, prepare, outcome, extras in CASES.values():
        user, password, _ = prepare(directory)
        server = mail_server(config)
        server.sign_in(user, password)
        lines += server.events()
        expected["logins", *outcome.split()[::-1], "smtp"] += 1
        expected["would_refuse", "smtp"] += "would-refuse" in extras
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = new_dovecot(workdir, directory, authority=authority, module=lua_module).start()
    try:
        assert dovecot.imap(server, who.uid, app_password.shown) == dovecot.ACCEPTED
        assert dovecot.pop3(server, who.uid, app_password.shown) == dovecot.ACCEPTED
        assert dovecot.imap(server, who.uid, who.password) == dovecot.REFUSED
    finally:
        server.stop()
    lines += server.events()
    expected["logins", "app-password", "imap", "accepted"] += 1
    expected["logins", "app-password", "pop3", "accepted"] += 1
    expected["logins", "account-password-with-mfa", "imap", "refused"] += 1
    # Labels in the order of their names: reason, service, verdict.
    for key in [key for key in expected if key[0] == "logins" and key[3] == "smtp"]:
        expected["logins", key[1], "smtp", key[2]] = expected.pop(key)
    return lines, +expected


def test_each_login_is_counted_by_verdict_reason_and_service(happened, tmp_path):
    lines, expected = happened
    assert counts(at(tmp_path, lines)) == expected


def test_lines_of_standard_error_have_no_time(happened, tmp_path):
    lines, expected = happened
    assert counts(at(tmp_path, bare(lines))) == expected


@pytest.mark.parametrize("prefix", [
    "Nov  3 08:40:01 mail auth[4711]: ",                       # journalctl
    "2026-11-30T08:40:01+0000 mail postfix/smtpd[4711]: ",     # journalctl -o short-iso
    "Nov 30 08:40:01 mail dovecot: auth-worker: Error: ",      # Dovecot's standard error, in syslog
    "Nov 30 08:40:01 auth-worker(4711): Error: ",              # in its own file
])
def test_lines_of_other_logs(happened, tmp_path, prefix):
    lines, expected = happened
    assert counts(at(tmp_path, [prefix + line for line in bare(lines)])) == expected


FORMATS = "RSYSLOG_TraditionalFileFormat", "RSYSLOG_FileFormat", "RSYSLOG_SyslogProtocol23Format"


@pytest.mark.parametrize("program", ["postfix/submission/smtpd[4711]", "dovecot"])
def test_files_of_rsyslog(happened, tmp_path, program):
    """A real rsyslogd writes them."""
    lines, expected = happened
    actions = "\n".join(f'*.* action(type="omfile" file="{tmp_path}/{name}" template="{name}")'
                        for name in FORMATS)
    with Rsyslog(tmp_path, actions) as server:
        for line in bare(lines):
            server.send(line, program)
        files = [tmp_path / name for name in FORMATS]
        for file in files:
            wait_until(lambda: file.exists() and len(file.read_text().splitlines()) == len(lines), file, 30)
            assert counts(file) == expected


def test_syslog_itself(directory, folder, pam_module, tmp_path):
    """PAM's program sends the line with syslog(3) to a real rsyslogd."""
    devices = Devices(folder / "dev")
    who, app_password = directory.new_person(mfa=True, app_passwords=1)
    config = write_config(new_folder(folder, "pam"), uri=directory.ldapi, log="syslog mail")
    pam_d = pam.write_services(config.parent / "pam.d", pam_module, config)
    output = tmp_path / "mail.log"
    with Rsyslog(tmp_path, f'mail.* action(type="omfile" file="{output}")') as server:
        server.socket.chmod(0o666)
        (devices.folder / "log").symlink_to(server.socket)
        command = ["pamtester", "-I", "rhost=192.0.2.7", "imap", who.uid, "authenticate"]
        subprocess.run(devices.seeing(pam.seeing(pam_d, command)), input=f"{app_password.shown}\n",
                       text=True, capture_output=True, timeout=60, check=True)
        wait_until(lambda: output.exists() and "verdict=accepted" in output.read_text(), "the line", 30)
    assert counts(output) == {("logins", "app-password", "imap", "accepted"): 1}


LIKE_A_LINE = 'verdict=accepted reason=app-password user="x" service=smtp client=192.0.2.66 id=-'
HOSTILE = [
    f"app-password: {LIKE_A_LINE}",
    f'x" service=smtp client=192.0.2.66 id=- app-password: {LIKE_A_LINE}',
    f"Nov 30 08:40:01 mail postfix/smtpd[1]: app-password: {LIKE_A_LINE}",
    f"x\n2026-11-30T08:40:01Z app-password: {LIKE_A_LINE}",
    'x" id=- action=mail error="',
    "x\\",
    "app-password: action=kick reason=revoked user=x service=imap client=- id=-",
    'app-password: action=create actor="x" user="y" id=- result=done',
    "): Error: app-password: cannot write x",
]


@pytest.mark.parametrize("line", [
    f"sshd[1]: Invalid user - app-password: {LIKE_A_LINE} from 192.0.2.66 port 22",
    f"sshd[1]: Invalid user  - app-password: {LIKE_A_LINE} from 192.0.2.66 port 22",
    f"sshd[1]: Invalid user auth: Error: app-password: {LIKE_A_LINE} from 192.0.2.66 port 22",
    f"postfix/smtpd[1]: warning: x: app-password: {LIKE_A_LINE}",
    "sshd[1]: Invalid user - app-password: cannot write x from 192.0.2.66 port 22",
])
@pytest.mark.parametrize("time", ["Nov 30 08:40:01", "2026-11-30T08:40:01.123456+00:00"])
def test_another_program_that_logs_a_strangers_words_counts_nothing(tmp_path, time, line):
    assert counts(at(tmp_path, [f"{time} mail {line}"])) == {}


def test_a_login_that_imitates_a_line_counts_once_as_refused(
        mail_server, directory, authority, workdir, lua_module, tmp_path):
    """And not at all in the logs of Postfix and Dovecot, which name it, too."""
    mail = mail_server()
    imap = new_dovecot(workdir, directory, authority=authority, module=lua_module).start()
    try:
        for login in HOSTILE:
            mail.sign_in(login, "guess")
            dovecot.imap_authenticate(imap, login, "guess")
        mail.postfix_says("sasl_username=")
        lines = mail.events() + imap.events()
        assert len(mail.events()) == len(HOSTILE)
        other = mail.postfix.log_of(mail.service) + imap.log.read_text().splitlines()
    finally:
        imap.stop()
    assert sum("app-password: " in line for line in other) > len(HOSTILE) / 2
    assert counts(at(tmp_path, other)) == {}
    found = counts(at(tmp_path, lines))
    assert {key[0] for key in found} == {"logins"} and {key[3] for key in found} == {"refused"}
    assert sum(found.values()) == len(lines)
    assert set(HOSTILE).isdisjoint(word for key in found for word in key)


def test_what_users_do_on_the_page_is_no_login(directory, start_portal):
    portal = start_portal()
    who, other = directory.new_person(mfa=True), directory.new_person()
    client, app = enrolled(portal, who)
    make_app_password(client)
    signed_in(portal, who).post("verify", code=app.wrong_code())
    signed_in(portal, other)
    portal.client().sign_in(other, "wrong")
    (portal.folder / "no-mail").touch()
    make_app_password(client, "another")
    wait_until(lambda: " action=mail " in portal.log.read_text(), "the mail that fails", 30)
    found = counts(portal.log)
    assert found["logins", "account-password", "portal", "accepted"] == 3
    assert found["logins", "wrong-account-password", "portal", "refused"] == 1
    assert found["changes", "enrol", "done"] == 1
    assert found["changes", "create", "done"] == 2
    assert found["page_actions", "second-factor", "wrong-second-factor", "refused"] == 1
    assert found["mails", "page", "failed"] == 1
    assert sum(count for key, count in found.items() if key[0] in ("logins", "page_actions", "mails")) == \
        len(portal.events())
    assert sum(count for key, count in found.items() if key[0] == "changes") == len(portal.changes())


def test_the_watch_its_kicks_and_its_heartbeat(own_directory, authority, workdir, lua_module, tmp_path):
    directory = own_directory(database="index modifyTimestamp eq")
    server = new_dovecot(workdir, directory, authority=authority, module=lua_module).start()
    watch = Watch(new_folder(workdir, "watch"), server, directory)
    try:
        watch.start()
        who, app_password = directory.new_person(mfa=True, app_passwords=1)
        session = Session(server, who, app_password.shown)
        watch.completes_rounds()
        revoke(directory, who, app_password)
        session.ends(60)
        watch.says("action=kick", 60)
        assert counts(watch.log) == {("kicks", "revoked", "imap"): 1}
        command = CRON.read_text().splitlines()[-1].split(" ", 6)[6]
        assert "/run/app-password-watch" in command and "/var/lib/prometheus/node-exporter" in command
        command = command.replace("/run/app-password-watch", str(watch.state))
        command = command.replace("/var/lib/prometheus/node-exporter", str(tmp_path))
        subprocess.run(["sh", "-c", command], check=True)
    finally:
        watch.stop()
        server.stop()
    text = (tmp_path / "app-password-watch.prom").read_text()
    values = dict(re.findall(r"^app_password_watch_(\w+) (\d+)$", text, re.MULTILINE))
    assert set(values) == {"time", "interval", "users", "waiting"} and len(text.splitlines()) == 4
    # A watch that has ended leaves no heartbeat: the old values stay.
    again = subprocess.run(["sh", "-c", command.replace(str(watch.state), "/nonexistent")])
    assert again.returncode != 0 and (tmp_path / "app-password-watch.prom").read_text() == text


ADMIN = IDENTITIES["administrator"]
CHANGES = {
    f'action=create actor="{ADMIN}" user="alice" id=k7q2 result=done': ("changes", "create", "done"),
    'action=revoke actor="alice" user="alice" id=k7q2 result=failed client=203.0.113.7 '
    'error="\\x22 result=done"': ("changes", "revoke", "failed"),
    'action=mfa-on actor=- user="a\\x22 id=x result=done" id=- result=failed': ("changes", "mfa-on", "failed"),
    'action=sweep actor="remind" user="alice" id=k7q2 result=done': ("changes", "sweep", "done"),
    'action=mail actor="remind" user="alice" id=k7q2 result=done mail=expiring': ("mails", "expiring", "done"),
    'action=mail actor="cn=admin" user="alice" id=k7q2 result=failed client=2001:db8::7 mail=made dn="x" '
    'error="y"': ("mails", "made", "failed"),
}


@pytest.mark.parametrize("line", CHANGES)
def test_changes_and_mails(tmp_path, line):
    assert counts(at(tmp_path, [f"app-password: {line}"])) == {CHANGES[line]: 1}


def test_every_action_of_an_audit_line_is_counted(tmp_path):
    source = (EXAMPLES.parents[1] / "lib" / "audit.c").read_text()
    actions = re.findall(r'\[APW_AUDIT_\w+\] = "([^"]+)"', source)
    lines = [f'app-password: action={action} actor="a" user="b" id=- result=done' for action in actions]
    lines = [f"{line} mail=made" if "=mail " in line else line for line in lines]
    found = counts(at(tmp_path, lines))
    assert {key[1] for key in found if key[0] == "changes"} == set(actions) - {"mail", "remind"}
    assert found["mails", "made", "done"] == 1 and found["remind_last_run_timestamp_seconds",]


def test_reminders(tmp_path):
    line = 'app-password: action=remind actor="remind" user=- id=- result={} sent=12 failed=1 held=0 ' \
        "without-address=3 revoked=2"
    found = counts(at(tmp_path, [line.format("done")]))
    assert found.pop(("remind_last_run_timestamp_seconds",)) > 1.7e9
    assert found == {("remind_last_run_count", what): count for what, count in {
        "sent": 12, "failed": 1, "without-address": 3, "revoked": 2}.items()}
    assert ("remind_last_run_timestamp_seconds",) not in counts(at(tmp_path, [line.format("failed")]))


def test_a_log_that_cannot_be_written(tmp_path):
    lines = ["Nov 30 08:40:01 mail smtpd[1]: app-password: cannot write /var/log/x: No space left on device"]
    assert counts(at(tmp_path, lines)) == {("log_failures",): 1}
