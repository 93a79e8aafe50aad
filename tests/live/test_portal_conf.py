# SPDX-License-Identifier: BSD-2-Clause
"""portal.conf: the portal reports a mistake at the start, with file and line."""

import base64
import os
import re
import shutil
import socket
import subprocess

import pytest

from conftest import new_folder
from portal import PORTAL_USER, PROGRAM, Portal

GOOD = "0"
CASES = [
    # key, value, message
    ("binddn", None, "binddn is missing"),
    ("binddn", "portal", "is not a DN like"),
    ("bindpw_file", None, "bindpw_file is missing"),
    ("bindpw_file", "/nonexistent", "/nonexistent: No such file"),
    ("key_file", None, "key_file is missing"),
    ("key_file", "portal.key", "not an absolute path"),
    ("key_file", "/nonexistent", "/nonexistent: No such file"),
    ("key_file", "KEY 16 bytes", "not a key of 32 bytes in base64"),
    ("key_file", "KEY 48 bytes", "not a key of 32 bytes in base64"),
    ("key_file", "KEY no base64", "not a key of 32 bytes in base64"),
    ("key_file", "KEY empty", "the file must contain one line"),
    ("key_file", "KEY two lines", "the file must contain one line"),
    ("support", None, "support is missing"),
    ("support_in", "NB hjelp@example.org; en help@example.org", None),
    ("public_url", None, "public_url is missing"),
    ("public_url", "mail.example.org", "is not an address like https://"),
    ("public_url", "ftp://mail.example.org", "is not an address like https://"),
    ("public_url", "https://", "is not an address like https://"),
    ("public_url", "https:///x", "is not an address like https://"),
    ("public_url", "https://mail.example.org/a?b", "is not an address like https://"),
    ("public_url", "https://mail.example.org/a b", "is not an address like https://"),
    ("public_url", "https://mail.example.org/a\"b", "is not an address like https://"),
    ("public_url", "https://user@mail.example.org", "is not an address like https://"),
    ("public_url", "https://mail.example.org//elsewhere.example", "is not an address like https://"),
    ("public_url", "https://[::1", "is not an address like https://"),
    ("public_url", "http://mail.example.org", "use https"),
    ("public_url", "http://127.0.0.1.example.org", "use https"),
    ("public_url", "https://mail.example.org:8443/a/", None),
    ("public_url", "http://[::1]:8025", None),
    ("listen", "8025", "is neither unix:/run/… nor a loopback address"),
    ("listen", "0.0.0.0:8025", "is neither unix:/run/… nor a loopback address"),
    ("listen", "192.0.2.1:8025", "is neither unix:/run/… nor a loopback address"),
    ("listen", "[::]:8025", "is neither unix:/run/… nor a loopback address"),
    ("listen", "localhost:8025", "is neither unix:/run/… nor a loopback address"),
    ("listen", "127.0.0.1:0", "is neither unix:/run/… nor a loopback address"),
    ("listen", "127.0.0.1:65536", "is neither unix:/run/… nor a loopback address"),
    ("listen", "127.0.0.1:80x", "is neither unix:/run/… nor a loopback address"),
    ("listen", "unix:http.sock", "not an absolute path"),
    ("listen", "unix:/" + "x" * 108, "too long"),
    ("listen", "[::1]:8025", None),
    ("listen", None, None),
    ("enrolment", "closed", "is neither open nor code"),
    ("enrolment", "code", None),
    ("sendmail", "sendmail -t", "is not an absolute path"),
    ("own_domains", "someone@example.org", "is not a domain; it is a list like"),
    ("own_domains", ".example.org", "is not a domain; it is a list like"),
    ("own_domains", "example.org.", "is not a domain; it is a list like"),
    ("own_domains", "*.example.org", "is not a domain; it is a list like"),
    ("own_domains", "Example.ORG, example.net\txn--bcher-kva.example", None),
    ("imap_server", "imap.example.org", "not a host and port like"),
    ("imap_server", "imap.example.org:0", "not a host and port like"),
    ("imap_server", "imaps://imap.example.org:993", "not a host and port like"),
    ("imap_server", "::1:993", "not a host and port like"),
    ("smtp_server", "smtp.example.org:", "not a host and port like"),
    ("smtp_server", "<b>:25", "not a host and port like"),
    ("trusted_user_header", "X-Remote-User", 'trusted_user_header needs "listen unix:'),
    ("trusted_user_header", "X Remote", "is not the name of a header"),
    ("trusted_user_header", "X-Remote-User:", "is not the name of a header"),
    ("trusted_header", "X", 'unknown key "trusted_header"; app-password-portal(8) lists them'),
    ("key", "secret", "unknown key"),
]


class Files:
    """The files of a portal that never runs. No directory answers there, which -t says only if nothing else is
    wrong."""

    ldapi = "ldapi://%2Fnonexistent"
    settings = {"uri": ldapi}


@pytest.fixture(scope="module")
def make(workdir):
    def make_portal(conf):
        return Portal(new_folder(workdir, "conf") / "etc", Files, conf)
    return make_portal


def key_file(portal, kind):
    file = portal.folder / "other.key"
    encoded = base64.b64encode(bytes(48)).decode()
    file.write_text({"16 bytes": base64.b64encode(bytes(16)).decode() + "\n",
                     "48 bytes": encoded + "\n", "no base64": "!" * 44 + "\n", "empty": "",
                     "two lines": encoded[:32] + "\n" + encoded[32:] + "\n"}[kind])
    return file


def look(portal, program=PROGRAM, **variables):
    """The exit status and standard error of -t."""
    done = subprocess.run([program, "-t", "-c", portal.config], capture_output=True, text=True,
                          timeout=60, env=os.environ | variables)
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("key, value, said", [
    pytest.param(*case, id=f"{case[0]} {str(case[1])[:40]}") for case in CASES])
def test_a_mistake_is_reported_with_file_and_line(make, key, value, said):
    portal = make({})
    conf = portal.conf | {key: value}
    if str(value).startswith("KEY "):
        conf[key] = key_file(portal, value.removeprefix("KEY "))
    if key == "trusted_user_header" and said is None:
        conf["listen"] = f"unix:{portal.folder}/http"
    conf = {name: text for name, text in conf.items() if text is not None}
    file = portal.folder / "portal.conf"
    portal.write(file, conf)
    status, error = look(portal)
    if said is None:
        assert status == 75 and "ldapi://%2Fnonexistent" in error and error.count("\n") == 1, error
        return
    assert status == 78 and said in error
    line = list(conf).index(key) + 1 if key in conf else None
    where = f"{file}:{line}: " if line and "needs" not in said else f"{file}: "
    assert error.startswith(f"app-password-portal: {where}"), error
    secret = (portal.folder / "portal.secret").read_text().strip()
    assert secret not in error and error.count("\n") == 1


@pytest.mark.parametrize("key, text", [
    ("bindpw_file", "password"), ("key_file", base64.b64encode(bytes(32)).decode()),
    ("mail_relay_password_file", "password"), ("trusted_user_secret_file", "0" * 32)])
def test_a_credential_takes_the_place_of_each_file(make, key, text):
    """And only one with its name. Then nothing is wrong but that no directory answers."""
    portal = make({"sendmail": None, "mail_relay": "127.0.0.1:1", "mail_relay_user": "portal",
                   "mail_relay_password_file": "/nonexistent"} if key.startswith("mail") else {})
    credentials = new_folder(portal.folder, "credentials")
    conf = portal.conf | {key: "/nonexistent/page.secret"}
    if key.startswith("trusted"):
        conf |= {"trusted_user_header": "X-Remote-User", "listen": f"unix:{portal.folder}/http"}
    portal.write(portal.folder / "portal.conf",
                 {name: value for name, value in conf.items() if value is not None})
    missing = (f"{key}: /nonexistent/page.secret: No such file or directory, and no credential "
               '"page.secret" from systemd')
    status, error = look(portal)
    assert status == 78 and missing in error
    assert "if app-password-portal.service has it, this test cannot read it" in error
    (credentials / "another.secret").write_text(text)
    status, error = look(portal, CREDENTIALS_DIRECTORY=str(credentials))
    assert status == 78 and missing in error and "app-password-portal.service" not in error
    (credentials / "page.secret").write_text(text)
    status, error = look(portal, CREDENTIALS_DIRECTORY=str(credentials))
    assert status == 75 and "/nonexistent/page.secret" not in error, error


def test_a_program_with_more_rights_than_its_caller_ignores_credentials(make):
    """As a PAM module may run in one, whose caller chooses the environment."""
    portal = make({})
    (portal.folder / "credentials").mkdir()
    (portal.folder / "credentials/portal.secret").write_text("two\nlines\n")
    variables = {"CREDENTIALS_DIRECTORY": str(portal.folder / "credentials")}
    program = portal.folder / "program"
    shutil.copy(PROGRAM, program)
    assert look(portal, program, **variables)[0] == 78
    os.chown(program, 0, PORTAL_USER)
    program.chmod(0o2755)
    assert look(portal, program, **variables)[0] == 75


def test_support_is_for_languages_of_the_page(make):
    portal = make({"support_in": "nb hjelp@example.org; no hjelp@example.org"})
    status, error = look(portal)
    assert status == 78
    assert re.fullmatch('app-password-portal: portal.conf: support_in: "no" is no language of the page; '
                        "it has en .*nb.*\n", error)


@pytest.mark.parametrize("text, said", [
    ("support a\nsupport b\n", '"support" is already set on line'),
    ("support\n", '"support" needs a value'),
    ("support \xff\n", "the line is not UTF-8"),
    ("support a\0b\n", "contains a NUL")])
def test_an_invalid_line_is_reported(make, text, said):
    portal = make({"support": None})
    file = portal.folder / "portal.conf"
    file.write_bytes(file.read_bytes() + text.encode("latin-1"))
    status, error = look(portal)
    assert status == 78 and re.search(rf"portal\.conf:\d+: .*{re.escape(said)}", error)


def test_without_portal_conf_it_does_not_start(make):
    portal = make({})
    (portal.folder / "portal.conf").unlink()
    status, error = look(portal)
    assert status == 78 and error.endswith("portal.conf: No such file or directory\n")


@pytest.mark.parametrize("arguments, status", [
    (["-h"], 0), (["--version"], 0), (["--no-such-option"], 64), (["extra"], 64), (["-c"], 64)])
def test_options_are_read_before_anything_else(arguments, status):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert (done.stdout if status == 0 else done.stderr) != ""


def test_a_port_that_is_taken_is_said(make):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        portal = make({"listen": "127.0.0.1:%d" % taken.getsockname()[1]})
        done = subprocess.run([PROGRAM, "-c", portal.config], capture_output=True, text=True,
                              timeout=60)
    assert done.returncode == 78
    assert re.search(r"listen 127\.0\.0\.1:\d+: Address already in use", done.stderr)


def test_a_socket_in_use_is_left_alone_and_a_stale_one_is_replaced(start_portal, make, workdir):
    path = new_folder(workdir, "s") / "http"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    portal = start_portal({"listen": f"unix:{path}"})
    assert path.stat().st_mode & 0o777 == 0o660
    second = make({"listen": f"unix:{path}"})
    done = subprocess.run([PROGRAM, "-c", second.config], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 78 and "Address already in use" in done.stderr
    assert portal.client().get("").status == 200
    portal.stop()
    assert not path.exists()
