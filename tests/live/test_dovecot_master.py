# SPDX-License-Identifier: BSD-2-Clause
"""Users who are looked up without their password: master users, and deliveries.

The master passdb is that of Debian's conf.d/auth-master.conf.ext.
"""

import imaplib
import os
import pathlib
import subprocess

import pytest

from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, doveadm, imap, imap_authenticate, pop3
from dovecot import submission
from slapd import DISABLED, TWINS
from test_dovecot_login import home_of
from test_names import branches  # noqa: F401: a fixture

pytestmark = pytest.mark.dovecot23

MASTER, PASSWORD = "admin", "The-Masters-Password"
DEBIANS = pathlib.Path("/etc/dovecot/conf.d/auth-master.conf.ext")


def add_master(folder):
    """Debian's example with a private file of master users, and the separator it needs."""
    users = folder / "master-users"
    users.write_text(f"{MASTER}:{{PLAIN}}{PASSWORD}\n")
    users.chmod(0o644)
    text = DEBIANS.read_text()
    assert "  master = yes\n" in text and "  pass = yes\n" in text
    return (text.replace("/etc/dovecot/master-users", str(users))
            + "auth_master_user_separator = *\n")


@pytest.fixture
def master_dovecot(dovecot, folder):
    """Makes Dovecots with a master passdb before ours."""
    def make(config=None, lines=""):
        master = add_master(folder)
        return dovecot({"login_attribute": "uid"} | (config or {}),
                       settings=lambda example: master + example, lines=lines)
    return make


def binds_of(directory, mark, person):
    return [dn for dn in directory.binds_since(mark) if dn == person.dn]


# ---- Master users ----

@pytest.mark.parametrize("client", [imap, pop3, submission, imap_authenticate, doveadm])
@pytest.mark.parametrize("mfa", [True, False])
def test_a_master_user_signs_in_as_a_user(master_dovecot, directory, client, mfa):
    person, app_password = directory.new_person(mfa=mfa, app_passwords=1)
    server, mark = master_dovecot(), directory.mark()
    assert client(server, f"{person.uid}*{MASTER}", PASSWORD) == ACCEPTED
    assert binds_of(directory, mark, person) == []  # the directory never sees that password
    assert server.events() == []  # no login of ours
    assert client(server, person.uid, app_password.shown) == ACCEPTED


def test_the_name_is_the_accepted_one(master_dovecot, directory):
    person = directory.new_person(mfa=True)
    server = master_dovecot()
    for login in person.mail, person.uid.upper(), person.uid:
        box = f"box-{login.replace('@', '-').replace('.', '-')}"
        assert imap(server, f"{login}*{MASTER}", PASSWORD, create=box) == ACCEPTED
        assert server.owner_of(box) == person.uid


def test_what_else_is_refused(master_dovecot, directory):
    person, other = directory.new_person(mfa=True), directory.new_person()
    server, mark = master_dovecot(), directory.mark()
    for login, password in [
            (f"{person.uid}*{MASTER}", "wrong"), (f"{person.uid}*{MASTER}", person.password),
            (f"{person.uid}*nobody", PASSWORD), (f"{person.uid}*{other.uid}", other.password),
            (f"nobody-here*{MASTER}", PASSWORD), (f"{DISABLED.uid}*{MASTER}", PASSWORD)]:
        assert imap(server, login, password) == REFUSED, login
    assert binds_of(directory, mark, person) == []
    assert server.events() == []


def test_the_master_users_password_opens_nothing_without_the_master_user(
        master_dovecot, directory):
    """Nor does the account password of a user with MFA."""
    person = directory.new_person(mfa=True)
    server = master_dovecot()
    for password in PASSWORD, person.password:
        assert imap(server, f"{person.uid}*{MASTER}", PASSWORD) == ACCEPTED
        assert imap(server, person.uid, password) == REFUSED
        assert "verdict=refused reason=account-password-with-mfa" in server.events()[-1]


def test_what_the_directory_does_not_answer_is_unavailable(
        master_dovecot, own_directory, branches):  # noqa: F811
    directory = own_directory()
    person = directory.new_person(mfa=True)
    server = master_dovecot({"uri": directory.ldap})
    assert imap(server, f"{person.uid}*{MASTER}", PASSWORD) == ACCEPTED
    directory.stop()
    for client in imap, pop3, submission:
        assert client(server, f"{person.uid}*{MASTER}", PASSWORD) == UNAVAILABLE
    assert "cannot tell whether a user exists: directory-unavailable: " in server.events()[-1]
    assert "verdict=" not in server.events()[-1]
    assert imap(server, f"{person.uid}*{MASTER}", "wrong") == REFUSED
    directory.start()
    assert imap(server, f"{person.uid}*{MASTER}", PASSWORD) == ACCEPTED


def test_a_login_that_is_not_one_user_is_unavailable(master_dovecot, directory, branches):  # noqa: F811
    sam, add = branches
    add("a", f"{sam}@a.test")
    second = add("b", f"{sam}@b.test")
    server = master_dovecot()
    for login, reason in (TWINS[0].mail, "ambiguous-user"), (second.mail, "ambiguous-name"):
        assert imap(server, f"{login}*{MASTER}", PASSWORD) == UNAVAILABLE
        assert f"cannot tell whether a user exists: {reason}: " in server.events()[-1]
        assert server.says(f"app-password: {reason}: ")


def test_disabled_filter_ends_an_account_here_too(master_dovecot, directory):
    gone, here = directory.new_person(mfa=True), directory.new_person(mfa=True)
    server = master_dovecot({"disabled_filter": f"(uid={gone.uid})", "disabled_witness": gone.dn})
    assert imap(server, f"{gone.uid}*{MASTER}", PASSWORD) == REFUSED
    assert imap(server, f"{here.uid}*{MASTER}", PASSWORD) == ACCEPTED


# ---- Mechanisms that ask for a stored password ----

def cram_md5(server, user, password):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
    try:
        client.login_cram_md5(user, password)
        return ACCEPTED
    except imaplib.IMAP4.error as error:
        return UNAVAILABLE if "UNAVAILABLE" in str(error) else REFUSED
    finally:
        client.shutdown()


def test_with_cram_md5_nobody_signs_in(master_dovecot, directory):
    """Not even the master user: Dovecot's workers cannot pass on the master's stored password."""
    person, app_password = directory.new_person(app_passwords=1)
    server = master_dovecot(lines="auth_mechanisms = plain login cram-md5\n")
    assert imap(server, f"{person.uid}*{MASTER}", PASSWORD) == ACCEPTED
    for login in f"{person.uid}*{MASTER}", f"nobody-here*{MASTER}", person.uid:
        for password in PASSWORD, person.password, app_password.shown, "", "*", "{CRYPT}*":
            assert cram_md5(server, login, password) == REFUSED


@pytest.mark.parametrize("rule", ["pass = yes", "result_success = continue-ok"])
def test_another_passdb_that_accepted_is_no_reason_to_skip_ours(dovecot, directory, folder, rule):
    """One that knows the account password, by PLAIN and by CRAM-MD5."""
    person = directory.new_person(mfa=True)
    users = folder / "users"
    users.write_text(f"{person.uid}:{{PLAIN}}{person.password}\n")
    users.chmod(0o644)
    first = (f"passdb {{\n  driver = passwd-file\n  args = username_format=%u {users}\n"
             f"  {rule}\n}}\n")
    server = dovecot(settings=lambda example: first + example,
                     lines="auth_mechanisms = plain login cram-md5\n")
    assert imap(server, person.uid, person.password) == REFUSED
    assert "reason=account-password-with-mfa" in server.events()[-1]
    assert cram_md5(server, person.uid, person.password) == REFUSED


# ---- Lookups for deliveries and administrators ----

def passdb_lookup(server, name):
    """doveadm's answer about a user: the exit status and the fields."""
    done = subprocess.run(["doveadm", "-c", server.config, "auth", "lookup", name],
                          text=True, capture_output=True)
    return done.returncode, done.stdout


def test_the_static_userdb_knows_which_users_exist(dovecot, directory):
    person = directory.new_person(mfa=True)
    server = dovecot({"login_attribute": "uid"})
    home = f"{server.mail}/{person.uid}"
    for name in person.uid, person.mail, person.uid.upper():
        assert home_of(server, name) == (os.EX_OK, home)
    for name in "nobody-here", DISABLED.uid, "a" * 300:
        assert home_of(server, name) == (os.EX_NOUSER, "")
    assert home_of(server, TWINS[0].mail) == (os.EX_TEMPFAIL, "")
    assert all("verdict=" not in line for line in server.events())


def test_in_an_outage_the_static_userdb_does_not_know(dovecot, own_directory):
    directory = own_directory()
    person = directory.new_person()
    server = dovecot({"uri": directory.ldap})
    directory.stop()
    for name in person.uid, "nobody-here":
        assert home_of(server, name) == (os.EX_TEMPFAIL, "")


def test_a_lookup_shows_no_password_and_no_way_around_one(dovecot, directory):
    person, _ = directory.new_person(mfa=True, app_passwords=1)
    server = dovecot({"login_attribute": "uid"})
    status, text = passdb_lookup(server, person.mail)
    assert status == os.EX_OK and f"user={person.uid}" in text.replace("user      : ", "user=")
    for word in "password", "CRYPT", "ARGON2", "proxy":
        assert word not in text
    assert passdb_lookup(server, "nobody-here")[0] != os.EX_OK


def test_after_a_lookup_no_password_opens_mail_even_with_a_cache(dovecot, directory):
    """With the field "nopassword", any password would."""
    person = directory.new_person(mfa=True)
    server = dovecot({"login_attribute": "uid"}, lines="auth_cache_size = 1 M\n"
                     "auth_mechanisms = plain login cram-md5\n")
    assert home_of(server, person.uid)[0] == os.EX_OK
    for password in "x", "*", "{CRYPT}*", person.password:
        assert imap(server, person.uid, password) == REFUSED
        assert cram_md5(server, person.uid, password) == REFUSED
