# SPDX-License-Identifier: BSD-2-Clause
"""The personal admin.conf: whose it is, when it counts, and the password that is typed once."""

import os
import pathlib
import subprocess

import pytest

from administration import COMMAND, CONFIGURATION, DONE, NOT_PERMITTED, PREFIX, Site
from beside import DEFAULT_OFF, Beside
from processes import run
from slapd import IDENTITIES, OPEN_SITE, Slapd, secret
from stored import StoredSite
from terminal import Terminal

# Where app-password.conf is by default.
USUAL = pathlib.Path("/etc" if str(PREFIX) == "/usr" else PREFIX / "etc") / "app-password"
SOMEBODY = 65534  # a user who is not root

IN_USUAL_FOLDER = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


@pytest.fixture(scope="module")
def directory(workdir):
    slapd = Slapd(workdir / "admin-file", site_rules=OPEN_SITE).start()
    yield slapd
    slapd.stop()


@pytest.fixture(autouse=True, scope="module")
def usual_folder():
    missing = [folder for folder in (USUAL, USUAL.parent) if not folder.exists()]
    USUAL.mkdir(parents=True, exist_ok=True)
    yield
    for folder in missing:
        folder.rmdir()


class Here:
    """The command of a host whose usual configuration is that of a site, and its user."""

    def __init__(self, site, home, uid=0):
        self.site, self.home, self.uid = site, home, uid
        self.directory = site.directory
        self.folder = home / ".config" / "app-password"
        self.file = self.folder / "admin.conf"
        self.folder.mkdir(parents=True)
        home.chmod(0o755)
        self.env = {name: value for name, value in os.environ.items() if name != "XDG_CONFIG_HOME"}
        self.env["HOME"] = str(home)

    def argv(self, *arguments):
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return ["unshare", "--mount", "sh", "-c", IN_USUAL_FOLDER, "sh", self.site.folder, USUAL,
                *(become if self.uid else []), COMMAND, *arguments]

    def command(self, *arguments, **more):
        return subprocess.run(self.argv(*arguments), text=True, capture_output=True, timeout=300,
                              stdin=subprocess.DEVNULL, **({"env": self.env} | more))

    def write(self, secret_mode=0o600, **keys):
        """Write the personal file; the value of a password's file is the password."""
        for key in ("bindpw_file", "store_bindpw_file"):
            if key in keys:
                file = self.folder / key
                file.write_text(keys[key] + "\n")
                file.chmod(secret_mode)
                keys[key] = file
        Site.write(self.file, keys)
        run(["chown", "-R", f"{self.uid}:{self.uid}", self.home])

    def write_administrator(self, **more):
        self.write(binddn=IDENTITIES["administrator"], bindpw_file=secret("administrator"), **more)


@pytest.fixture
def make_here(make_site, folder):
    """By default, the host's own admin.conf names somebody who may change nothing."""
    def make(uid=0, site=None, manage_as="mail server"):
        return Here(site or make_site(manage_as=manage_as), folder / "home", uid)
    return make


def switches_off(here, *arguments, **options):
    """Whether this identity may turn MFA off."""
    user = here.directory.new_person(mfa=True)
    called = here.command(*arguments, "mfa", "off", user.uid, **options)
    assert called.returncode in (DONE, NOT_PERMITTED), called
    return called.returncode == DONE


def fails(called, *words):
    assert (called.returncode, called.stdout) == (CONFIGURATION, ""), called
    for word in words:
        assert word in called.stderr, called
    return True


# ---- which file counts ----

@pytest.mark.parametrize("uid", [0, SOMEBODY])
def test_the_personal_file_comes_before_that_of_the_host(make_here, uid):
    here = make_here(uid)
    here.site.config.chmod(0o644)
    if uid == 0:
        assert not switches_off(here)
    here.write_administrator()
    assert switches_off(here)


def test_options_come_before_the_personal_file(make_here):
    here = make_here()
    here.write_administrator()
    assert not switches_off(here, "-D", IDENTITIES["mail server"],
                            "-y", here.site.secret_file("mail server"))


def test_the_personal_password_goes_to_the_servers_of_this_host_alone(make_here):
    here = make_here()
    here.write_administrator()
    assert not switches_off(here, "-c", str(here.site.config))


def test_it_is_where_xdg_config_home_says(make_here):
    here = make_here()
    here.write_administrator()
    elsewhere = here.home / "elsewhere"
    (elsewhere / "app-password").mkdir(parents=True)
    here.file.rename(elsewhere / "app-password" / "admin.conf")
    assert not switches_off(here)
    assert switches_off(here, env=here.env | {"XDG_CONFIG_HOME": str(elsewhere)})
    assert not switches_off(here, env=here.env | {"XDG_CONFIG_HOME": "elsewhere"}, cwd=here.home)


def test_without_a_home_there_is_no_personal_file(make_here):
    here = make_here()
    here.write_administrator()
    del here.env["HOME"]
    assert not switches_off(here)


def test_a_user_who_may_not_read_the_file_of_the_host_learns_of_another(make_here):
    here = make_here(SOMEBODY)
    here.site.config.chmod(0o644)
    (here.site.folder / "admin.conf").chmod(0o600)
    assert fails(here.command("list", "alice"), "admin.conf: Permission denied", "-Y GSSAPI",
                 "~/.config/app-password/admin.conf")


def test_without_any_file_the_personal_one_is_named_too(make_here):
    assert fails(make_here(manage_as=None).command("list", "alice"), "no administrator identity",
                 "~/.config/app-password/admin.conf", str(USUAL / "admin.conf"))


# ---- whose it is ----

@pytest.mark.parametrize("path", [".config/app-password", ".config/app-password/admin.conf",
                                  ".config/app-password/bindpw_file"])
def test_that_of_another_user_is_refused(make_here, path):
    """As after a sudo that keeps HOME."""
    here = make_here()
    here.write_administrator()
    os.chown(here.home / path, SOMEBODY, SOMEBODY)
    assert fails(here.command("list", "alice"), f"{here.home / path} belongs to nobody", "sudo -H")


def test_a_password_that_others_can_read_is_refused(make_here):
    here = make_here()
    here.write(binddn=IDENTITIES["administrator"], bindpw_file=secret("administrator"),
               secret_mode=0o644)
    assert fails(here.command("list", "alice"), "bindpw_file has mode 0644", "chmod go-rwx")


def test_a_program_that_is_setuid_ignores_it(make_here, folder, monkeypatch):
    """secure_getenv(3)."""
    here = make_here(SOMEBODY)
    here.write_administrator()
    program = folder / "app-password"
    program.write_bytes(COMMAND.read_bytes())
    program.chmod(0o4755)
    monkeypatch.setattr("test_admin_file.COMMAND", program)
    assert not switches_off(here)


# ---- the password is typed once ----

@pytest.mark.parametrize("arguments", [
    pytest.param(arguments, id=" ".join(arguments[:2])) for arguments in [
        ["mfa", "on", "USER", "USER", "USER"], ["create", "USER", "--label", "x"], ["list", "USER"],
        ["revoke", "USER", "--all"], ["report", "--costly"],
        ["mfa", "status", "--filter", "(appPasswordMfaEnabled=TRUE)"]]])
@pytest.mark.parametrize("options", [[], ["-D", IDENTITIES["administrator"], "-W"]],
                         ids=["by the file", "by options"])
def test_the_password_is_asked_for_once(make_here, arguments, options):
    here = make_here()
    here.write(binddn=IDENTITIES["administrator"])
    words = [here.directory.new_person(mfa=True).uid if word == "USER" else word
             for word in arguments]
    with Terminal(here, *options, *words, env=here.env) as terminal:
        terminal.see(f"Password of {IDENTITIES['administrator']}: ")
        terminal.type(secret("administrator") + "\n")
        status, out, err = terminal.finish()
        assert status == DONE, (out, err)
        assert terminal.screen.count("Password of ") == 1


def test_without_a_terminal_the_missing_password_is_named(make_here):
    here = make_here()
    here.write(binddn=IDENTITIES["administrator"])
    assert fails(here.command("list", "alice", start_new_session=True), str(here.file),
                 f"names no file with the password of {IDENTITIES['administrator']}", "/dev/tty")


def test_each_password_of_two_directories_is_asked_for_once(make_here, users_and_store, tmp_path):
    beside = Beside(*users_and_store, DEFAULT_OFF)
    here = make_here(site=StoredSite(tmp_path / "stored", beside))
    here.write(store_binddn=beside.store.identities["administrator"],
               binddn=IDENTITIES["mail server"])
    who = beside.new_person(mfa=True)
    with Terminal(here, "mfa", "off", who.uid, who.mail, env=here.env) as terminal:
        terminal.see(f"Password of {beside.store.identities['administrator']}: ")
        terminal.type(beside.store.secret_file("administrator").read_text().rstrip("\n") + "\n")
        terminal.see(f"Password of {IDENTITIES['mail server']}: ")
        terminal.type(secret("mail server") + "\n")
        status, out, err = terminal.finish()
        assert status == DONE, (out, err)
        assert terminal.screen.count("Password of ") == 2
