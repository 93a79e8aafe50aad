# SPDX-License-Identifier: BSD-2-Clause
"""The log line about each change by the command: who did what to whom, and what failed."""

import os
import re

import pytest

import apppassword
from administration import CONFIGURATION, DONE, FAILED, NOT_PERMITTED, UNAVAILABLE, USAGE, Site
from apppassword import from_now
from conftest import new_folder
from devices import Devices
from ds389 import DirectoryServer
from fakes import dead_address
from processes import wait_until
from slapd import CLOSED_SITE, IDENTITIES, Slapd
from stored import StoredSite
from visits import enrolled, make_app_password

ADMINISTRATOR = f'actor="{IDENTITIES["administrator"]}"'


@pytest.fixture
def site(directory, tmp_path):
    return Site(tmp_path / "site", directory)


@pytest.fixture
def user(directory):
    return directory.new_person(mfa=True)


def line(action, login, id="-", result="done", actor=ADMINISTRATOR):
    return f'action={action} {actor} user="{login}" id={id} result={result}'


def failed(site, *arguments, status=NOT_PERMITTED):
    """Call it, which must fail; return its only line, and the error on its end."""
    called = site.command(*arguments)
    assert called.returncode == status, called
    text, _, error = site.changes()[-1].partition(" error=")
    assert len(site.changes()) == 1 and error
    return text, error


def assert_no_secret(site, *secrets):
    log = site.log.read_text()
    for secret in secrets:
        for form in (secret, secret.replace("-", ""), secret[5:]):
            assert form not in log


# ---- what is done ----

def test_each_command_leaves_one_line_for_each_change(site, directory, user):
    shown = site.done("create", user.uid, "--label", "k7q2 action=mfa-off").strip()
    code = site.done("mfa", "on", user.uid, "--now", "--code").split()[-1]
    link = site.done("invite", user.uid, "--label", "x", "--page", "https://x.example").strip()
    invited = next(value for value in directory.values(user, "appPasswordMfaMethod")
                   if value.startswith("invitation")).split("id=")[1][:4]
    other = site.done("mfa", "reset", user.uid, "--code").split()[-1]
    site.done("revoke", user.uid, shown[:4])
    site.done("mfa", "off", user.uid)
    site.done("mfa", "on", user.uid)
    site.done("mfa", "reset", user.uid)
    site.done("mfa", "reset", user.uid)
    assert site.changes() == [
        line("create", user.uid, shown[:4]), line("code", user.uid),
        line("invite", user.uid, invited), line("reset", user.uid), line("code", user.uid),
        line("revoke", user.uid, shown[:4]), line("mfa-off", user.uid), line("mfa-on", user.uid),
        line("reset", user.uid)], "the first `mfa on` and the last reset changed nothing"
    assert_no_secret(site, shown, code, other, link, link.rpartition("/")[2])
    assert "argon2" not in site.log.read_text().lower()
    password = (site.folder / "administrator.secret").read_text().strip()
    assert password and password not in site.log.read_text()


def test_all_of_them_have_a_line_each(site, directory, user):
    ids = [site.create(user)[:4], site.create(user)[:4]]
    site.done("invite", user.uid, "--label", "x", "--page", "https://x.example")
    invited = next(value for value in directory.values(user, "appPasswordMfaMethod")
                   if value.startswith("invitation")).split("id=")[1][:4]
    directory.administrate(user, appPassword=directory.app_passwords(user) + ["unreadable"])
    site.done("revoke", user.uid, "--all")
    assert sorted(site.changes()[3:]) == sorted(
        line("revoke", user.uid, id) for id in [*ids, invited, "-"])


def test_users_of_a_filter_have_a_line_each(site, directory):
    people = [directory.new_person() for _ in range(3)]
    site.done("mfa", "on", *[who.uid for who in people[:1]])
    site.done("mfa", "on", "--filter", f"(|{''.join(f'(uid={who.uid})' for who in people)})")
    assert sorted(site.changes()) == sorted(line("mfa-on", who.uid) for who in people)


def test_a_sweep_is_told_from_a_revocation_by_name(site, directory, user):
    old = directory.add_app_password(user, created=from_now(days=-9), expires=from_now(days=-1))
    site.done("revoke", "--expired", user.uid)
    assert site.changes() == [line("sweep", user.uid, old.id)]


def test_dry_runs_reading_and_usage_errors_leave_none(site, directory, user):
    app_password = directory.add_app_password(user)
    for arguments in (["revoke", user.uid, app_password.id, "--dry-run"],
                      ["revoke", user.uid, "--all", "--dry-run"], ["mfa", "off", user.uid, "--dry-run"],
                      ["mfa", "status", user.uid], ["list", user.uid], ["report"]):
        site.command(*arguments)
    assert site.command("create", user.uid).returncode == USAGE
    assert site.command("revoke", user.uid, "not an id").returncode == USAGE
    assert site.log.read_text() == ""


def test_an_app_password_that_nobody_has_seen_leaves_two(site, user):
    with open("/dev/full", "w") as full:
        assert site.command("create", user.uid, "--label", "x", stdout=full).returncode == FAILED
    created, revoked = site.changes()
    id = created.split(" id=")[1][:4]
    assert (created, revoked) == (line("create", user.uid, id), line("revoke", user.uid, id))


# ---- what fails ----

@pytest.mark.parametrize("arguments, action", [
    (["create", "USER", "--label", "x"], "create"), (["revoke", "USER", "ID"], "revoke"),
    (["revoke", "USER", "--all"], "revoke"), (["revoke", "--expired", "USER"], "sweep"),
    (["mfa", "off", "USER"], "mfa-off"), (["mfa", "reset", "USER"], "reset"),
    (["mfa", "reset", "USER", "--code"], "reset"),
    (["invite", "USER", "--label", "x", "--page", "https://x.example"], "invite"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else value)
def test_who_may_not_is_logged(directory, tmp_path, arguments, action):
    site = Site(tmp_path / "site", directory, manage_as="mail server")
    user = directory.new_person(mfa=True)
    one = directory.add_app_password(user, created=from_now(days=-9), expires=from_now(days=-1))
    names = {"USER": user.uid, "ID": one.id}
    text, error = failed(site, *(names.get(word, word) for word in arguments))
    id = one.id if arguments[0] == "revoke" and "--all" not in arguments else "-"
    assert text == line(action, user.uid, id, "failed", f'actor="{IDENTITIES["mail server"]}"')
    assert "ccess" in error or "may not" in error


def test_a_directory_that_is_down_is_logged(directory, tmp_path):
    address = dead_address()
    site = Site(tmp_path / "site", directory, uri=f"ldap://{address}")
    text, error = failed(site, "create", "alice", "--label", "x", status=UNAVAILABLE)
    assert text == line("create", "alice", result="failed") and address in error


def test_a_directory_that_is_down_tells_nobodys_name(directory, tmp_path):
    site = Site(tmp_path / "site", directory, manage_as=None, uri="ldapi://%2Fnowhere%2Fldapi")
    text, _ = failed(site, "-Y", "EXTERNAL", "mfa", "off", "alice", status=UNAVAILABLE)
    assert text == line("mfa-off", "alice", result="failed", actor="actor=-")


def test_a_user_who_is_not_there_is_logged(site):
    text, error = failed(site, "mfa", "on", "nobody-at-all", status=FAILED)
    assert text == line("mfa-on", "nobody-at-all", result="failed") and "no such user" in error


# ---- who ----

@pytest.fixture
def mapped(workdir):
    """A directory that knows the user who runs the tests as an administrator, over ldapi."""
    caller = f"gidNumber={os.getgid()}[+]uidNumber={os.getuid()},cn=peercred,cn=external,cn=auth"
    slapd = Slapd(new_folder(workdir, "mapped"), site_rules=CLOSED_SITE,
                  lines=f'authz-regexp "{caller}" "{IDENTITIES["administrator"]}"').start()
    yield slapd
    slapd.stop()


def test_with_external_the_directory_is_asked_once_who_it_is(mapped, tmp_path):
    site = Site(tmp_path / "site", mapped, manage_as=None)
    people = [mapped.new_person().uid for _ in range(3)]
    mark = mapped.mark()
    site.done("-Y", "EXTERNAL", "mfa", "status", *people)
    assert not any("WHOAMI" in text for text in mapped.log_since(mark))
    site.done("-Y", "EXTERNAL", "mfa", "on", *people)
    assert site.changes() == [line("mfa-on", login) for login in people]
    assert sum("WHOAMI" in text for text in mapped.log_since(mark)) == 1


def test_an_external_identity_without_an_entry_is_named_as_the_directory_does(directory, tmp_path):
    """It may do nothing here."""
    site = Site(tmp_path / "site", directory, manage_as=None)
    text, _ = failed(site, "-Y", "EXTERNAL", "mfa", "off", "alice", status=CONFIGURATION)
    known = f"gidNumber={os.getgid()}+uidNumber={os.getuid()},cn=peercred,cn=external,cn=auth"
    assert text == line("mfa-off", "alice", result="failed", actor=f'actor="{known}"')


def test_389_directory_server_knows_the_administrator(workdir, tmp_path):
    server = DirectoryServer(new_folder(workdir, "ds389")).start()
    try:
        site = Site(tmp_path / "site", server, uri=server.ldap)
        who = server.new_person(mfa=True)
        shown = site.create(who)
        site.done("revoke", who.uid, shown[:4])
        assert site.changes() == [line("create", who.uid, shown[:4]),
                                  line("revoke", who.uid, shown[:4])]
    finally:
        server.stop()


def test_with_a_store_the_actor_is_that_of_the_store(beside, tmp_path):
    site = StoredSite(tmp_path / "site", beside)
    who = beside.new_person(mfa=True)
    shown = site.create(who)
    actor = f'actor="{beside.store.identities["administrator"]}"'
    assert site.changes() == [line("create", who.uid, shown[:4], actor=actor)]


# ---- the page ----

def test_each_change_on_the_page_leaves_one_line(directory, start_portal):
    portal = start_portal()
    who = directory.new_person(mfa=True)
    client, app = enrolled(portal, who)
    shown, second = make_app_password(client, "one"), make_app_password(client, "two")
    client.get("")
    client.post("rename", id=shown[:4], label="x\" result=failed")
    client.post("rename", id=shown[:4], label="x\" result=failed")
    client.post("device-link", label="Phone")
    token = re.search(r"device/[^/]+/([^<]+)</p>", client.page.text)[1]
    link, = (value.split("id=")[1][:4] for value in directory.values(who, "appPasswordMfaMethod")
             if value.startswith("invitation"))
    client.get("")
    client.post("revoke", id=link)
    client.post("revoke", id=shown[:4])
    client.post("revoke", id=shown[:4])
    client.post("revoke-all")
    client.post("revoke-all")
    client.get("second-steps")
    client.post("recovery-codes")
    recovery = re.findall(r"<li>([0-9a-z]{4}(?:-[0-9a-z]{4}){2})</li>", client.page.text)

    def of(action, id="-", result="done"):
        return (f'action={action} actor="{who.uid}" user="{who.uid}" id={id} result={result} '
                "client=127.0.0.1")
    lines = portal.changes()
    assert [text.partition(" error=")[0] for text in lines] == [
        of("enrol"), of("recovery-codes"), of("create", shown[:4]), of("create", second[:4]),
        of("rename", shown[:4]), of("invite", link), of("revoke", link), of("revoke", shown[:4]),
        of("revoke", shown[:4], "failed"), of("revoke", second[:4]), of("recovery-codes")]
    assert not any(f" action={action}" in text for text in portal.events()
                   for action in ("enrol", "create", "rename", "revoke", "invite"))
    assert len(recovery) == 10
    assert_no_secret(portal, shown, second, token, app._secret, who.password, *recovery)


# ---- hostile names ----

@pytest.mark.parametrize("login, shown", [
    ('x" result=done', r"x\x22 result=done"),
    ("x\napp-password: verdict=refused", r"x\x0aapp-password: verdict=refused"),
    ("x\u202egro", r"x\xe2\x80\xaegro"),
    ("k7q2-9fjd-x3mh-4tnz-p8ww", "(app password)"),
])
def test_a_hostile_login_stays_within_its_field(site, login, shown):
    called = site.command("mfa", "on", login)
    assert called.returncode == FAILED
    text, = site.changes()
    assert text.startswith(line("mfa-on", shown, result="failed"))
    assert len(site.log.read_text().splitlines()) == 1
    assert "9fjd" not in text


def test_a_hostile_administrator_stays_within_the_field(directory, tmp_path):
    site = Site(tmp_path / "site", directory)
    called = site.command("-D", 'cn=x\\" user=\\"root,dc=example', "-y",
                          site.secret_file("administrator"), "mfa", "on", "alice")
    assert called.returncode == NOT_PERMITTED, called
    text, = site.changes()
    assert text.startswith(r'action=mfa-on actor="cn=x\x5c\x22 user=\x5c\x22root,dc=example" '
                           'user="alice" id=- result=failed')


# ---- where ----

@pytest.fixture
def devices(tmp_path):
    made = Devices(tmp_path / "dev")
    yield made
    made.stop_syslog()


@pytest.fixture
def made_by(directory, tmp_path, devices, user):
    """Creates an app password on a host with this `log` and a syslog server; returns the process."""
    def make(log):
        site = Site(tmp_path / "site", directory, log=log)
        return site.command("create", user.uid, "--label", "x", prefix=devices.seeing([]))
    return make


def test_syslog_has_the_line_under_the_name_of_the_program(made_by, devices, user):
    devices.start_syslog()
    called = made_by("syslog auth")
    assert called.returncode == DONE and "logged" not in called.stderr
    wait_until(lambda: "action=" in "".join(devices.lines), "the line")
    text, = [text for text in devices.lines if "action=" in text]
    assert text.startswith("<37>") and " app-password: app-password: action=create" in text
    assert f'user="{user.uid}"' in text


@pytest.mark.parametrize("where, why", [
    ("missing/log", "No such file or directory"), ("log", "No such file or directory"),
    ("", "Is a directory")])
def test_a_file_that_cannot_be_written_fails_no_command(made_by, devices, tmp_path, where, why):
    """The command creates no file: the mail servers might not be able to open it."""
    devices.start_syslog()
    folder = tmp_path / "logs"
    folder.mkdir()
    called = made_by(str(folder / where))
    assert called.returncode == DONE and "logged" not in called.stderr
    wait_until(lambda: "action=" in "".join(devices.lines), "the line")
    lines = [text.partition(" app-password: app-password: ")[2] for text in devices.lines]
    assert f"log {folder / where}: {why}" in lines
    assert list(folder.iterdir()) == []


def test_without_any_log_the_command_says_so(made_by, tmp_path):
    called = made_by(str(tmp_path / "none" / "log"))
    assert called.returncode == DONE and len(called.stdout.strip()) == 24
    assert f"the change is not logged: log {tmp_path}/none/log: No such file" in called.stderr
