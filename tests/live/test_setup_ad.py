# SPDX-License-Identifier: BSD-2-Clause
"""app-password setup for Active Directory, with a Samba domain that knows nothing of app passwords."""

import contextlib
import os
import pty
import re
import subprocess

import ldap
import pytest

from administration import COMMAND
from conftest import new_folder
from processes import run
from samba import PASSWORD, DomainController, encode_password, person
from slapd import BASE

ADMIN = f"CN=Administrator,CN=Users,{BASE.replace('dc=', 'DC=')}"
STEPS = ["schema", "identities", "rights", "mfa"]
ALICE = person("alice")


class Domain(DomainController):
    """Without our schema, identities and rights; alice is a user."""

    def _load(self):
        self.add_unit("people")
        self.add_user(ALICE)
        (self.folder / "manager.secret").write_text(PASSWORD)
        self._is_loaded = True

    def has(self, dn):
        try:
            return bool(self.manager().search_s(dn, ldap.SCOPE_BASE, attrlist=["1.1"]))
        except ldap.NO_SUCH_OBJECT:
            return False

    def users_without_value(self):
        found = self.manager().search_s(
            BASE, ldap.SCOPE_SUBTREE, "(&(objectCategory=person)(objectClass=user)(!(appPasswordMfaEnabled=*)))", ["1.1"])
        return [dn for dn, _ in found if dn]


class Setup:
    """A folder that setup wrote. Of the steps on the mail host, only the one in the directory is run."""

    def __init__(self, folder, domain, **answers):
        self.path, self.domain = folder / "setup", domain
        answers = {"directory_uri": domain.ldaps, "tls_cacert": domain.authority.ca, "dovecot": "no", "postfix": "no",
                   "page": "yes", "nginx": "no", "public_url": "https://mail.example.org/app-passwords",
                   "support": "helpdesk", "own_domains": "example.org", "imap_server": "imap.example.org:993",
                   "smtp_server": "smtp.example.org:587", "fail2ban": "no"} | answers
        self.answers = folder / "answers"
        self.answers.write_text("".join(f"{key} {value}\n" for key, value in answers.items()))
        run([COMMAND, "setup", "--answers", self.answers, self.path], stdin=subprocess.DEVNULL)
        self.site = self.path / "site.sh"
        assert "host_steps='configuration mfa page'" in self.site.read_text()
        self.site.write_text(self.site.read_text().replace("'configuration mfa page'", "'mfa'"))
        # Where apply.sh would install the files.
        conf = self.etc / "app-password.conf"
        conf.write_text(conf.read_text().replace("/etc/app-password", str(self.etc)))

    @property
    def etc(self):
        return self.path / "etc/app-password"

    def call(self, name, *arguments, path=None, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
        return subprocess.run([self.path / name, "-y", self.domain.folder / "manager.secret", *arguments], text=True,
                              timeout=300, env=os.environ | {"PATH": path or f"{COMMAND.parent}:{os.environ['PATH']}"},
                              **options)

    def script(self, name, *arguments, status=0, **options):
        """Run a script; return what it prints."""
        done = self.call(name, *arguments, **options)
        assert done.returncode == status, done.stdout
        return done.stdout

    def check(self):
        done = self.call("apply.sh", "--check", stderr=subprocess.PIPE)
        assert done.stderr == ""
        states = dict(reversed(line.split()) for line in done.stdout.splitlines())
        assert done.returncode == (0 if set(states.values()) == {"same"} else 1)
        return states

    def command(self, *arguments, **options):
        """As the administrators' identity that setup made."""
        return run([COMMAND, "-c", self.etc / "app-password.conf", "-D", f"cn=administrator,ou=services,{BASE}",
                    "-y", self.etc / "admin.secret", *arguments], **options)


@contextlib.contextmanager
def keyboard(*lines):
    """A terminal on which this was typed."""
    screen, terminal = pty.openpty()
    os.write(screen, "".join(f"{line}\n" for line in lines).encode())
    try:
        yield terminal
    finally:
        os.close(screen)
        os.close(terminal)


@pytest.fixture
def domain(workdir):
    server = Domain(new_folder(workdir, "ad-setup") / "samba").start()
    yield server
    server.stop()


@pytest.fixture
def setup(tmp_path, domain):
    return Setup(tmp_path, domain)


def test_it_finds_the_domain_and_its_administrator(setup):
    answers = dict(line.split(maxsplit=1) for line in (setup.path / "answers").read_text().splitlines()[1:])
    assert answers["directory"] == "active-directory"
    assert answers["suffix"] == answers["forest"] == answers["base"] == "DC=example,DC=org"
    assert answers["directory_admin"] == ADMIN
    assert answers["uri"] == setup.domain.ldaps
    assert answers["login_attribute"] == "sAMAccountName"
    assert not {"database", "ppolicy", "replicator", "user_manager"} & set(answers)


def test_the_configuration_is_the_one_for_active_directory(setup):
    lines = (setup.etc / "app-password.conf").read_text().splitlines()
    assert {"directory active-directory", "mfa_off_filter (appPasswordMfaEnabled=FALSE)",
            f"tls_cacert {setup.domain.authority.ca}", f"uri {setup.domain.ldaps}"} <= set(lines)


def test_from_an_untouched_domain_to_an_app_password_and_back(setup, domain):
    before = domain.rights_of(BASE)
    assert setup.check() == dict.fromkeys(STEPS, "missing")
    assert "permanent" in setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")
    assert domain.users_without_value() == []
    assert "alice: off" in setup.command("mfa", "status", "alice")

    setup.command("mfa", "on", "alice")
    shown = setup.command("create", "alice", "--label", "x")
    password = next(line for line in shown.splitlines() if re.fullmatch("(....-){4}....", line))
    check = [COMMAND, "-c", setup.etc / "app-password.conf", "check", "alice"]
    assert "reason=app-password " in run(check, input=password)
    refused = subprocess.run(check, input=ALICE.password, capture_output=True, text=True)
    assert "reason=account-password-with-mfa" in refused.stdout

    assert setup.script("apply.sh").count("done already") == len(STEPS)
    rights = domain.rights_of(BASE)

    said = setup.script("undo.sh")
    assert "never deletes" in said and "left: app passwords" in said
    assert domain.rights_of(BASE) == before != rights
    assert not domain.has(f"ou=services,{BASE}") and not domain.has(f"ou=groups,{BASE}")
    assert setup.check() == dict.fromkeys(STEPS, "missing") | {"schema": "same"}
    setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")


def test_a_new_user_is_missing_and_gets_a_value(setup, domain):
    setup.script("apply.sh")
    bob = domain.add_user(person("bob"))
    assert setup.check()["mfa"] == "differs"
    assert [dn.lower() for dn in domain.users_without_value()] == [bob.dn]
    setup.script("apply.sh")
    assert setup.check()["mfa"] == "same"


def test_on_a_terminal_it_asks_before_what_is_permanent(setup):
    with keyboard("no") as terminal:
        assert "schema: not loaded" in setup.script("apply.sh", status=1, stdin=terminal)
    assert setup.check()["schema"] == "missing"


def test_no_mail_server_is_switched_while_users_are_neither_on_nor_off(setup, domain):
    setup.site.write_text(setup.site.read_text().replace("'mfa'", "'mfa postfix'"))
    with keyboard("yes", "no") as terminal:
        said = setup.script("apply.sh", status=1, stdin=terminal)
    assert "app-password -D" in said and "postfix:" not in said
    assert "8 users are neither on nor off" in said and len(domain.users_without_value()) == 8


def test_identities_without_a_password_get_one_and_others_keep_theirs(setup, domain):
    domain.ldapmodify(setup.path / "directory" / "schema.ldif")
    domain.ldapmodify(setup.path / "directory" / "identities.ldif")
    domain.set(f"cn=portal,ou=services,{BASE}", userAccountControl="66050")
    domain.manager().modify_s(f"cn=portal,ou=services,{BASE}", [
        (ldap.MOD_REPLACE, "unicodePwd", [encode_password("In.use/1")])])
    assert "exists already and has another password" in setup.script("apply.sh", status=1)
    (setup.etc / "portal.secret").write_text("In.use/1")
    domain.set(f"cn=portal,ou=services,{BASE}", userAccountControl="66048")
    setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")
    setup.script("undo.sh")
    assert domain.has(f"cn=portal,ou=services,{BASE}")


def test_setup_compares_as_well(setup):
    setup.script("apply.sh")
    with keyboard(PASSWORD) as terminal:
        run([COMMAND, "setup", "--check", setup.path], stdin=terminal,
            env=os.environ | {"PATH": f"{COMMAND.parent}:{os.environ['PATH']}"})


def test_without_sambas_tools_it_stops_and_names_the_script(setup, domain, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in (COMMAND.parent, "/usr/bin", "/bin"):
        for tool in os.scandir(folder):
            link = tools / tool.name
            if tool.name not in ("samba-tool", "ldbmodify") and not link.is_symlink():
                link.symlink_to(tool.path)
    said = setup.script("apply.sh", status=1, path=str(tools))
    assert r".\set-rights.ps1 'DC=example,DC=org'" in said and f"copy {setup.path}/directory" in said
    assert "mfa:" not in said and domain.users_without_value()
    assert setup.check() == dict(zip(STEPS, ["same", "same", "missing", "missing"]))
    run(["sh", setup.path / "directory" / "set-rights.sh", BASE, *domain.local])
    setup.script("apply.sh", path=str(tools))
    assert setup.check() == dict.fromkeys(STEPS, "same")
    assert "-Remove" in setup.script("undo.sh", status=1, path=str(tools))
    assert domain.has(f"cn=mail-server,ou=services,{BASE}")


def test_a_rule_that_is_gone_is_noticed(setup, domain):
    setup.script("apply.sh")
    denial = re.search(r"\(OD;[^)]*;WP;1955d56c[^)]*\)", domain.rights_of(BASE))[0]
    domain.set_rights_of(BASE, domain.rights_of(BASE).replace(denial, ""))
    assert setup.check()["rights"] == "differs"
    setup.script("apply.sh")
    assert setup.check()["rights"] == "same"


def test_it_needs_ldaps(tmp_path):
    answers = tmp_path / "answers"
    answers.write_text("directory_uri ldapi:///\ndirectory active-directory\n")
    done = subprocess.run([COMMAND, "setup", "--answers", answers, tmp_path / "folder"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 78 and "-H ldaps://" in done.stderr
