# SPDX-License-Identifier: BSD-2-Clause
"""Lists in CSV: app passwords for many users, MFA of many users, and codes for a mail merge."""

import csv
import fcntl
import io
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from administration import DONE, FAILED, NOT_PERMITTED, UNAVAILABLE, USAGE, Site
from beside import DEFAULT_OFF, Beside
from processes import free_port, wait_until
from slapd import IDENTITIES, OPEN_SITE, Slapd, person, secret
from stored import People, StoredSite

SHOWN = r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){4}"
FORMULA, NAMED = person("=cmd|1"), person("letter")


@pytest.fixture(scope="module")
def directory(workdir):
    slapd = Slapd(workdir / "lists", site_rules=OPEN_SITE).start()
    root = slapd.connect_as_itself()
    for who, more in (FORMULA, {}), (NAMED, {"displayName": b"Lotte \"L\" Lys, Dr."}):
        root.add_s(who.dn, [(name, value) for name, value in {
            "objectClass": b"inetOrgPerson", "uid": who.uid.encode(), "cn": b"common", "sn": b"x",
            "mail": who.mail.encode(), **more}.items()])
    yield slapd
    slapd.stop()


@pytest.fixture
def users(directory):
    return [directory.new_person(mfa=True) for _ in range(3)]


@pytest.fixture
def write(tmp_path):
    def write_list(*rows, separator=",", encoding="utf-8", end="\r\n"):
        text = io.StringIO()
        csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
        file = tmp_path / "list.csv"
        file.write_bytes(text.getvalue().encode(encoding))
        return file
    return write_list


def rows_of(output):
    return list(csv.DictReader(io.StringIO(output)))


def fails(called, status, *words):
    assert (called.returncode, called.stdout) == (status, ""), called
    for word in words:
        assert word in called.stderr, called
    return True


def labels(site, who):
    return sorted(one["label"] for one in site.listed(who))


# ---- app passwords ----

def test_each_line_gets_an_app_password(site, users, write):
    alice, bob, carol = users
    file = write(["user", "label", "services", "expires", "from"],
                 [alice.uid, "Scanner, 2nd \"floor\"", "smtp,imap", "", ""],
                 [bob.mail, "Phone", "", "90d", "192.0.2.0/24"],
                 [carol.uid, "Phone", "all", "never", "all"],
                 [alice.uid, "Phone", "imap", "2099-01-31", ""])
    called = site.command("create", "--users", file)
    assert called.returncode == DONE, called
    rows = rows_of(called.stdout)
    assert [(row["user"], row["label"]) for row in rows] == [
        (alice.uid, 'Scanner, 2nd "floor"'), (bob.mail, "Phone"), (carol.uid, "Phone"),
        (alice.uid, "Phone")]
    for row in rows:
        assert re.fullmatch(SHOWN, row["password"]) and row["password"].startswith(row["id"] + "-")
    assert site.answers(alice.uid, rows[0]["password"], "--service", "smtp")[0] == "accepted"
    assert site.answers(alice.uid, rows[3]["password"], "--service", "smtp")[1] == "wrong-service"
    assert site.answers(bob.uid, rows[1]["password"], "--client", "198.51.100.1")[1] == \
        "wrong-network"
    scanner, phone = sorted(site.listed(alice), key=lambda one: one["label"], reverse=True)
    assert (scanner["services"], scanner["expires"]) == (["smtp", "imap"], None)
    assert phone["expires"] == "2099-02-01T00:00:00Z"
    assert "4 lines: 4 created, 0 left alone, 0 failed" in called.stderr
    assert not any(row["password"] in called.stderr for row in rows)


def test_each_line_is_logged(site, users, write):
    rows = rows_of(site.done("create", "--users",
                             write(["user", "label"], *[[who.uid, "x"] for who in users[:2]])))
    codes = rows_of(site.done("mfa", "reset", "--code", "--csv", users[2].uid))
    actor = IDENTITIES["administrator"]
    assert site.changes() == [
        f'action={action} actor="{actor}" user="{who.uid}" id={id} result=done'
        for action, who, id in [("create", users[0], rows[0]["id"]),
                                ("create", users[1], rows[1]["id"]),
                                ("reset", users[2], "-"), ("code", users[2], "-")]]
    log = site.log.read_text()
    assert not any(secret in log for secret in [
        *(row["password"] for row in rows), *(row["code"] for row in codes)])


@pytest.mark.parametrize("options", [
    {}, {"separator": ";", "encoding": "utf-8-sig"}, {"separator": "\t", "end": "\n"}],
    ids=["commas", "semicolons and a mark", "tabs"])
def test_options_stand_for_empty_cells(site, users, write, options):
    file = write(["Services", "USER"], ["imap", users[0].uid], ["", users[1].uid], **options)
    site.done("create", "--users", file, "--label", "Möbel", "--services", "smtp")
    for who, services in (users[0], ["imap"]), (users[1], ["smtp"]):
        one, = site.listed(who)
        assert (one["label"], one["services"]) == ("Möbel", services)


def test_the_list_may_come_from_standard_input(site, users):
    output = site.done("create", "--users", "-", "--label", "x", input=f"user\n{users[0].uid}\n")
    row, = rows_of(output)
    assert row["user"] == users[0].uid


@pytest.mark.parametrize("rows, words", [pytest.param(rows, words, id=name) for name, rows, words in [
    ("an unknown column", [["user", "lable"], ["USER", "x"]], ":1: unknown column \"lable\""),
    ("no column for users", [["label"], ["x"]], "among them \"user\""),
    ("no label", [["user"], ["USER"]], ":2: USER: the label is missing"),
    ("no user", [["user", "label"], ["USER", "x"], ["", "y"]], ":3: ?: the user is missing"),
    ("a bad date", [["user", "label", "expires"], ["USER", "x", ""], ["USER", "y", "31.1.2027"]],
     ":3: USER: expires: \"31.1.2027\""),
    ("a bad network", [["user", "label", "from"], ["USER", "x", "192.0.2.300"]], ":2: USER: "),
    ("a label that is too long", [["user", "label"], ["USER", "x" * 65]], "1 to 64 characters"),
    ("a line twice", [["user", "label"], ["USER", "x"], ["USER", " x "]],
     ":3: USER: line 2 has the same user and label"),
    ("a short line", [["user", "label"], ["USER"]], ":2: 1 cells"),
]])
def test_a_wrong_line_stops_all(site, users, write, rows, words):
    who = users[0].uid
    file = write(*[[who if cell == "USER" else cell for cell in row] for row in rows])
    assert fails(site.command("create", "--users", file), USAGE, words.replace("USER", who))
    assert site.listed(users[0]) == []


def test_each_wrong_line_is_named(site, users, write):
    file = write(["user", "label", "services"], [users[0].uid, "", ""], [users[1].uid, "x", "smtp,"],
                 [users[2].uid, "x", ""])
    called = site.command("create", "--users", file)
    assert fails(called, USAGE, ":2: ", ":3: ", "nothing was created, because 2 of 3 lines are wrong")
    assert ":4: " not in called.stderr


def test_a_user_who_may_have_none_stops_all(site, directory, users, write):
    without = directory.new_person()
    file = write(["user", "label"], [users[0].uid, "x"], [without.uid, "x"], ["nobody-at-all", "x"])
    assert fails(site.command("create", "--users", file), FAILED,
                 f":3: {without.uid}: MFA is off", "--without-mfa", ":4: nobody-at-all: no such user",
                 "nothing was created, because 2 of 3 lines failed")
    assert site.listed(users[0]) == []


def test_a_list_may_be_given_again(site, users, write):
    head, first, second = ["user", "label"], [users[0].uid, "x"], [users[1].uid, "x"]
    one, = rows_of(site.done("create", "--users", write(head, first)))
    called = site.command("create", "--users", write(head, first, second))
    assert called.returncode == DONE, called
    assert [row["user"] for row in rows_of(called.stdout)] == [users[1].uid]
    assert f":2: {users[0].uid}: left alone: app password {one['id']} has this label" in \
        called.stderr
    assert "2 lines: 1 created, 1 left alone, 0 failed" in called.stderr
    assert labels(site, users[0]) == ["x"]
    site.done("revoke", users[0].uid, one["id"])
    again, = rows_of(site.done("create", "--users", write(head, first, second)))
    assert again["user"] == users[0].uid


def test_a_dry_run_makes_nothing(site, users, write):
    file = write(["user", "label"], [users[0].uid, "x"], [users[1].mail, "y z"])
    assert site.done("create", "--users", file, "--dry-run") == \
        f'{users[0].uid}: would create "x"\n{users[1].mail}: would create "y z"\n'
    assert [site.listed(who) for who in users[:2]] == [[], []]


def test_what_max_lifetime_shortens_is_counted(make_site, users, write):
    site = make_site(max_lifetime="30d")
    called = site.command("create", "--users", write(
        ["user", "label", "expires"], [users[0].uid, "x", "365d"], [users[1].uid, "x", "10d"]))
    assert called.returncode == DONE, called
    assert "1 lines end later than max_lifetime in " in called.stderr


def test_no_cell_becomes_a_formula(site, directory, write):
    directory.set_mfa(FORMULA, True)
    called = site.command("create", "--users", write(["user", "label"], [FORMULA.uid, "+1;@2"]))
    row, = rows_of(called.stdout)
    assert (row["user"], row["label"]) == ("'" + FORMULA.uid, "'+1;'@2")


def test_what_cannot_be_printed_is_revoked(site, directory, users, write):
    file = write(["user", "label"], *[[who.uid, "x"] for who in users])
    with open("/dev/full", "w") as full:
        called = site.command("create", "--users", file, stdout=full)
    assert called.returncode == FAILED, called
    assert "nobody has seen app password" in called.stderr
    assert f"list.csv was not tried from line 3 on" in called.stderr
    assert [directory.app_passwords(who) for who in users] == [[], [], []]


def test_a_reader_that_leaves_halfway_has_all_that_is_valid(site, directory, write):
    """Every app password that exists was written whole; the list can be given again. It is long,
    so that it lasts for a while if this test is slow to leave."""
    people = [directory.new_person(mfa=True) for _ in range(100)]
    file = write(["user", "label"], *[[who.uid, "x"] for who in people])
    process = subprocess.Popen(site.argv("create", "--users", file), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    first = rows_of('user,label,id,password\n' + process.stdout.readline())[0]
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(300) == FAILED, said
    assert "was revoked" in said
    assert site.answers(first["user"], first["password"])[0] == "accepted"


def test_two_names_of_one_user_get_one_app_password(site, users, write):
    file = write(["user", "label"], [users[0].uid, "x"], [users[0].mail, "x"])
    called = site.command("create", "--users", file)
    assert called.returncode == DONE, called
    row, = rows_of(called.stdout)
    assert f":3: {users[0].mail}: left alone: app password {row['id']} has this label" in \
        called.stderr
    assert "2 lines: 1 created, 1 left alone, 0 failed" in called.stderr
    assert labels(site, users[0]) == ["x"]


def is_held(process, number):
    """Whether the process has got the signal and does not act on it yet."""
    fields = dict(line.split(":\t") for line in
                  Path(f"/proc/{process.pid}/status").read_text().splitlines() if ":\t" in line)
    return all(int(fields[name], 16) & 1 << number - 1 for name in ("SigBlk", "ShdPnd"))


@pytest.mark.parametrize("is_list", [True, False], ids=["list", "one"])
def test_an_interruption_waits_until_the_app_password_is_printed(
        site, directory, users, write, is_list):
    """Nobody reads standard output, so the first one is stored and not yet printed."""
    arguments = ["--users", write(["user", "label"], *[[who.uid, "x"] for who in users])] \
        if is_list else [users[0].uid, "--label", "x"]
    reader, writer = os.pipe()
    filler = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"-" * filler)
    process = subprocess.Popen(site.argv("create", *arguments), stdout=writer,
                               stderr=subprocess.DEVNULL)
    os.close(writer)
    wait_until(lambda: directory.app_passwords(users[0]), "the app password")
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: process.poll() is not None or is_held(process, signal.SIGTERM), "the signal")
    with open(reader, newline="") as output:
        printed = output.read()[filler:]
    assert process.wait(300) == -signal.SIGTERM
    password = rows_of(printed)[0]["password"] if is_list else printed.strip()
    assert site.answers(users[0].uid, password)[0] == "accepted"
    assert [directory.app_passwords(who) for who in users[1:]] == [[], []]


def test_a_line_that_may_not_be_done_is_logged(site, directory, users, write):
    without = directory.new_person(mfa=False)
    file = write(["user", "label"], [users[0].uid, "x"], [without.uid, "x"])
    fails(site.command("create", "--users", file, "--dry-run"), FAILED, without.uid)
    assert site.changes() == []
    fails(site.command("create", "--users", file), FAILED, without.uid)
    change, = site.changes()
    assert f'user="{without.uid}" id=- result=failed error="MFA is off' in change


def test_a_directory_that_is_down_is_unavailable(make_site, write):
    site = make_site(uri=f"ldap://127.0.0.1:{free_port()}")
    file = write(["user", "label"], ["alice", "x"], ["bob", "x"])
    assert fails(site.command("create", "--users", file), UNAVAILABLE, ":2: alice: ")


def test_who_may_not_write_creates_nothing(make_site, directory, users, write):
    site = make_site(manage_as="mail server")
    called = site.command("create", "--users",
                          write(["user", "label"], [users[0].uid, "x"], [users[1].uid, "x"]))
    assert called.returncode == NOT_PERMITTED, called
    assert called.stdout == 'user,label,id,password\n'
    assert directory.app_passwords(users[0]) == []


def test_a_store_takes_a_list_too(tmp_path, users_and_store, write):
    beside = People(*users_and_store, DEFAULT_OFF)
    site = StoredSite(tmp_path / "stored", beside)
    people = [beside.new_person(mfa=True) for _ in range(2)]
    rows = rows_of(site.done("create", "--users",
                             write(["user", "label"], *[[who.uid, "x"] for who in people])))
    for who, row in zip(people, rows):
        assert site.answers(who.uid, row["password"]) == ("accepted", "app-password")


@pytest.mark.parametrize("arguments, words", [
    (["create", "alice", "--users", "FILE"], "exclude each other"),
    (["create", "alice", "--label", "x", "--dry-run"], "--users only"),
    (["create", "--users", "/nonexistent"], "/nonexistent: No such file"),
    (["mfa", "on", "alice", "--users", "FILE"], "exclude each other"),
    (["mfa", "on", "--filter", "(uid=x)", "--users", "FILE"], "exclude each other"),
    (["mfa", "reset", "--csv", "alice"], "--code only"),
    (["mfa", "reset", "--users", "/nonexistent"], "/nonexistent: No such file")])
def test_wrong_usage(site, write, arguments, words):
    file = write(["user", "label"], ["alice", "x"])
    assert fails(site.command(*[file if word == "FILE" else word for word in arguments]), USAGE, words)


# ---- MFA ----

def test_mfa_takes_a_list_with_other_columns(site, users, write):
    file = write(["Name", "User", "Department"], *[["x", who.uid, "y"] for who in users])
    assert site.done("mfa", "status", "--users", file) == "".join(
        f"{who.uid}: on\n" for who in users)
    assert site.done("mfa", "off", "--users", file) == "".join(
        f"{who.uid}: enforced → off\n" for who in users)


def test_a_name_in_a_list_is_never_standard_input(site, users, write):
    called = site.command("mfa", "off", "--users", write(["user"], ["-"]), input=f"{users[0].uid}\n")
    assert called.returncode == FAILED, called
    assert site.done("mfa", "status", users[0].uid) == f"{users[0].uid}: on\n"


def test_a_list_without_a_user_in_a_line_changes_nothing(site, users, write):
    file = write(["user", "name"], [users[0].uid, "x"], ["", "y"])
    assert fails(site.command("mfa", "off", "--users", file), USAGE, ":3: the user is missing")
    assert site.done("mfa", "status", users[0].uid) == f"{users[0].uid}: on\n"


def test_reset_of_a_list(site, directory, users, write):
    for who in users:
        directory.administrate(who, appPasswordMfaMethod="totp x")
    file = write(["user"], *[[who.uid] for who in users])
    site.done("mfa", "reset", "--users", file)
    assert [directory.values(who, "appPasswordMfaMethod") for who in users] == [[], [], []]


@pytest.mark.parametrize("verb", ["reset", "on"])
def test_codes_for_a_mail_merge(site, directory, users, write, verb):
    directory.set_mfa(NAMED, True)
    file = write(["user"], [users[0].uid], ["nobody-at-all"], [NAMED.mail])
    called = site.command("mfa", verb, "--users", file, "--code", "--csv")
    assert called.returncode == FAILED, called
    assert "nobody-at-all: no such user" in called.stderr
    first, second = rows_of(called.stdout)
    assert (first["user"], first["name"], first["mail"]) == \
        (users[0].uid, users[0].uid, users[0].mail)
    assert (second["user"], second["name"], second["mail"]) == \
        (NAMED.mail, 'Lotte "L" Lys, Dr.', NAMED.mail)
    for row in first, second:
        assert re.fullmatch(SHOWN, row["code"]) and row["code"] not in called.stderr
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["until"])
    assert first["code"] != second["code"]
    stored, = directory.values(users[0], "appPasswordMfaMethod")
    assert stored.startswith("code ")


@pytest.mark.parametrize("more", [["--csv"], []], ids=["csv", "lines"])
def test_codes_that_cannot_be_printed_end_the_list(site, directory, users, write, more):
    for who in users:
        directory.administrate(who, appPasswordMfaMethod="totp x")
    file = write(["user"], *[[who.uid] for who in users])
    with open("/dev/full", "w") as full:
        called = site.command("mfa", "reset", "--users", file, "--code", *more, stdout=full)
    assert called.returncode == FAILED, called
    assert f"{users[0].uid}: standard output: No space left on device" in called.stderr
    assert f'2 not tried, starting with "{users[1].uid}"' in called.stderr
    assert [directory.values(who, "appPasswordMfaMethod") for who in users[1:]] == [["totp x"]] * 2


def test_codes_of_a_filter_for_a_mail_merge(site, directory, users):
    row, = rows_of(site.done("mfa", "on", "--code", "--csv", "--filter", f"(uid={users[0].uid})"))
    assert (row["user"], row["mail"]) == (users[0].uid, users[0].mail)


def test_codes_of_a_store_for_a_mail_merge(tmp_path, users_and_store):
    beside = People(*users_and_store, DEFAULT_OFF)
    who = beside.new_person(mfa=True)
    row, = rows_of(StoredSite(tmp_path / "stored", beside).done("mfa", "on", who.uid, "--code",
                                                                "--csv"))
    assert row["mail"] == who.mail
