# SPDX-License-Identifier: BSD-2-Clause
"""app-password setup: the folder, and what apply.sh and undo.sh do to a directory.

With Debian's slapd as its package configures it, and with 389 Directory Server. tests/packages does
the same for whole hosts, and for slapd.conf.
"""

import os
import re
import signal
import subprocess

import ldap
import pytest

import ds389
from administration import COMMAND, PREFIX
from processes import run
from slapd import BASE, IDENTITIES, schema_of_0_1
from test_setup import (DEBIANS_RULES, MANAGER, OUR_RULES, PPOLICY_RULE, debian,
                        load_ppolicy)  # pylint: disable=unused-import

ANSWERS = {"directory": "cn=config", "suffix": BASE, "base": f"ou=people,{BASE}", "dovecot": "no",
           "postfix": "no", "page": "no", "fail2ban": "no"}
STEPS = ["schema", "identities", "rights", "index"]


class Setup:
    """A folder that setup wrote for a directory."""

    def __init__(self, folder, server, **answers):
        self.path = folder / "setup"
        self.server = server
        answers = {"directory_uri": server.uri, "uri": server.uri} | ANSWERS | answers
        self.answers = folder / "answers"
        self.answers.write_text("".join(f"{key} {value}\n" for key, value in answers.items()))
        self.written = run([COMMAND, "setup", "--answers", self.answers, self.path],
                           stdin=subprocess.DEVNULL)

    def script(self, name, *arguments, status=0):
        """Run a script for the directory; return what it prints."""
        done = subprocess.run([self.path / name, "-y", self.server.folder / "manager.secret",
                               "directory", *arguments], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        assert done.returncode == status, done.stdout
        return done.stdout

    def check(self):
        """The state of each step, as setup --check prints it."""
        secret = self.server.folder / "manager.secret"
        done = subprocess.run([self.path / "apply.sh", "--check", "-y", secret, "directory"],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        assert done.stderr == ""
        states = dict(reversed(line.split()) for line in done.stdout.splitlines())
        assert done.returncode == (0 if set(states.values()) == {"same"} else 1)
        return states

    def secret(self, name):
        return (self.path / f"etc/app-password/{name}.secret").read_text()


@pytest.fixture
def setup(tmp_path, debian):
    return Setup(tmp_path, debian)


def test_it_finds_the_database_and_its_administrator(setup):
    answers = (setup.path / "answers").read_text().split()
    assert "olcDatabase={1}mdb,cn=config" in answers
    assert MANAGER in answers


def test_nothing_is_applied_unasked(setup, debian):
    assert debian.rules() == DEBIANS_RULES
    assert setup.check() == dict.fromkeys(STEPS, "missing")


def test_only_its_owner_can_read_the_folder(setup):
    assert oct(setup.path.stat().st_mode & 0o777) == "0o700"
    for file in setup.path.rglob("*.secret"):
        assert oct(file.stat().st_mode & 0o777) == "0o600"


def test_fail2bans_own_jails_stay_for_a_server_that_does_not_ask_us(tmp_path, debian):
    for postfix, left in ("no", {"app-password", "app-password-mfa"}), \
            ("dovecot", {"app-password", "app-password-mfa", "postfix-sasl"}):
        folder = tmp_path / postfix
        folder.mkdir()
        setup = Setup(folder, debian, fail2ban="yes", postfix=postfix)
        jails = (setup.path / "etc/fail2ban/jail.d/app-password.local").read_text()
        assert set(re.findall(r"^\[(.*)\]$", jails, re.MULTILINE)) == left


@pytest.mark.parametrize("main_cf, host, domains", [
    ("myhostname = mail.example.net\n", "mail.example.net", "example.net"),
    ("myhostname = mx1\n", "mx1.example.org", "example.org"),
    ("myhostname = mx1.localdomain\n", "mx1.example.org", "example.org"),
    ("myhostname = localhost\n", "mail.example.org", "example.org"),
    ("myhostname = mail.example.net\nmydomain = example.net\n"
     "virtual_mailbox_domains = $mydomain, hash:/etc/postfix/domains example.com\n"
     "virtual_alias_domains = example.org\n",
     "mail.example.net", "example.net example.com example.org"),
])
def test_hosts_and_domains_are_found_without_a_full_host_name(tmp_path, debian, monkeypatch,
                                                              main_cf, host, domains):
    (tmp_path / "main.cf").write_text(main_cf)
    monkeypatch.setenv("MAIL_CONFIG", str(tmp_path))
    setup = Setup(tmp_path, debian, page="yes", nginx="no", support="helpdesk@example.org")
    answers = dict(line.split(maxsplit=1)
                   for line in (setup.path / "answers").read_text().splitlines())
    assert answers["own_domains"] == domains
    assert answers["public_url"] == f"https://{host}/app-passwords"
    assert (answers["imap_server"], answers["smtp_server"]) == (f"{host}:993", f"{host}:587")


def test_nginx_gets_a_snippet_for_mail_programs_and_dns_is_named(tmp_path, debian):
    setup = Setup(tmp_path, debian, page="yes", nginx="yes", support="helpdesk@example.org",
                  public_url="https://mail.example.org:8443/app-passwords", own_domains="example.org, example.net",
                  imap_server="imap.example.org:993", smtp_server="smtp.example.org:587")
    name = "nginx/snippets/app-password-autoconfig.conf"
    assert f"nginx 0644 root:root /etc/{name}\n" in (setup.path / "files").read_text()
    example = PREFIX / "share/sasl-app-password/examples/nginx/app-password-autoconfig.conf"
    assert (setup.path / "etc" / name).read_text() == example.read_text()
    said = (setup.path / "next").read_text()
    assert "\n    include snippets/app-password-autoconfig.conf;\n" in said
    for domain in "example.org", "example.net":
        for host in "autoconfig", "autodiscover":
            assert re.search(rf"^    {host}\.{re.escape(domain)}\. +CNAME +mail\.example\.org\.$", said, re.MULTILINE)


def test_a_folder_that_exists_is_left_alone(setup):
    secret = setup.secret("mail-server")
    done = subprocess.run([COMMAND, "setup", "--answers", setup.answers, setup.path],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "its passwords may be in use" in done.stderr
    assert setup.secret("mail-server") == secret


def test_apply_makes_all_of_it_and_again_changes_nothing(setup, debian):
    setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")
    rules = debian.config("olcAccess")
    assert debian.rules() == OUR_RULES + DEBIANS_RULES
    said = setup.script("apply.sh")
    assert [line.partition(":")[2] for line in said.splitlines()[:4]] == [" done already"] * 4
    assert debian.config("olcAccess") == rules


def test_a_directory_with_the_schema_of_0_1_does_not_need_that_of_a_store(setup, debian, tmp_path):
    schema = tmp_path / "app-password.ldif"
    schema.write_text(schema_of_0_1("app-password.ldif"))
    loaded = debian.load("ldapadd", schema)
    assert loaded.returncode == 0, loaded
    assert setup.check()["schema"] == "same"


def test_the_identities_have_the_passwords_of_the_folder(setup, debian):
    setup.script("apply.sh")
    for identity, secret in ("mail server", "mail-server"), ("administrator", "admin"):
        debian.connect(IDENTITIES[identity], setup.secret(secret))


def test_an_app_password_can_be_made_with_it(setup, debian):
    setup.script("apply.sh")
    debian.add(f"uid=alice,ou=people,{BASE}", objectClass=["inetOrgPerson"], uid=["alice"],
               cn=["alice"], sn=["alice"], userPassword=["Account.alice/1"])
    make_app_password(setup)


def test_apply_prints_a_command_for_the_doctor_that_leaves_nothing_unknown(setup):
    printed, = re.findall("^ +app-password (doctor .*)$", setup.script("apply.sh"), re.MULTILINE)
    assert f"--as 'uid=USER,ou=people,{BASE}'" in printed
    assert "--mfa-user USER" in printed


def make_app_password(setup):
    """For alice, with the configuration and the identities of the folder."""
    conf = setup.path / "etc/app-password/app-password.conf"
    conf.write_text(conf.read_text().replace("/etc/app-password", str(conf.parent)))
    as_admin = ["-c", conf, "-D", IDENTITIES["administrator"], "-y", conf.parent / "admin.secret"]
    shown = run([COMMAND, *as_admin, "create", "alice", "--label", "x", "--without-mfa"])
    password = next(line for line in shown.splitlines() if line.count("-") == 4)
    assert "reason=app-password " in run([COMMAND, "-c", conf, "check", "alice"], input=password)


def test_undo_leaves_the_directory_as_it_was_but_for_the_schema(setup, debian):
    before = {name: debian.config(name) for name in
              ("olcAccess", "olcLimits", "olcDbIndex", "olcAddContentAcl")}
    setup.script("apply.sh")
    assert "your own rules\nnow decide who may read" in setup.script("undo.sh")
    assert {name: debian.config(name) for name in before} == before
    assert setup.check() == dict.fromkeys(STEPS, "missing") | {"schema": "same"}
    setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")


def test_undo_of_another_folder_does_not_guess_what_was_before(setup, tmp_path, debian):
    setup.script("apply.sh")
    (tmp_path / "other").mkdir()
    said = Setup(tmp_path / "other", debian).script("undo.sh")
    assert "No such file" not in said
    assert debian.rules() == DEBIANS_RULES
    assert debian.config("olcAddContentAcl") == ["TRUE"]


def test_ppolicys_rule_is_loaded_if_its_overlay_is(tmp_path, debian):
    load_ppolicy(debian)
    setup = Setup(tmp_path, debian)
    setup.script("apply.sh")
    assert debian.rules() == OUR_RULES + [PPOLICY_RULE] + DEBIANS_RULES
    assert setup.check()["rights"] == "same"


def test_user_managers_and_replicators_get_their_lines(tmp_path, debian):
    manager, replicator = IDENTITIES["user manager"], f"cn=copy,{BASE}"
    load_ppolicy(debian)
    setup = Setup(tmp_path, debian, user_manager=manager, replicator=replicator)
    setup.script("apply.sh")
    rules = debian.config("olcAccess")
    assert sum(f'by dn.exact="{manager}" write' in rule for rule in rules) == 3
    assert sum(f'by dn.exact="{replicator}" read' in rule for rule in rules) == 7
    assert not any("cn=replicator," in rule for rule in rules)


def test_rules_that_were_changed_are_left(setup, debian):
    setup.script("apply.sh")
    run(["ldapmodify", *debian.external], input="""dn: olcDatabase={1}mdb,cn=config
changetype: modify
delete: olcAccess
olcAccess: {2}
""")
    assert setup.check()["rights"] == "differs"
    assert "other rules about app passwords" in setup.script("apply.sh", status=1)
    assert "left, because the rules were changed" in setup.script("undo.sh", status=1)
    assert len(debian.rules()) == len(OUR_RULES + DEBIANS_RULES) - 1


def test_an_identity_of_the_site_keeps_its_password(setup, debian):
    debian.add(f"ou=services,{BASE}", objectClass=["organizationalUnit"], ou=["services"])
    debian.add(IDENTITIES["mail server"], cn=["mail-server"], userPassword=["in use"],
               objectClass=["applicationProcess", "simpleSecurityObject"])
    assert "exists already and has another password" in setup.script("apply.sh", status=1)
    debian.connect(IDENTITIES["mail server"], "in use")
    (setup.path / "etc/app-password/mail-server.secret").write_text("in use")
    setup.script("apply.sh")
    setup.script("undo.sh")
    debian.connect(IDENTITIES["mail server"], "in use")


def test_a_wrong_password_of_the_administrator_stops_it(setup, debian, tmp_path):
    (debian.folder / "manager.secret").write_text("wrong")
    assert f"cannot bind as {MANAGER}" in setup.script("apply.sh", status=1)
    assert setup.check()["identities"] == "missing"
    assert not list(setup.path.glob("admin.??????"))


class OneFile:
    """A folder whose only step on the host is one file; there is no app-password.conf to verify it."""

    def __init__(self, setup, file, found):
        self.setup, self.file, self.found = setup, file, found
        for folder, text in ("found", found), (".", "new"):
            if text:
                there = setup.path / folder / str(file)[1:]
                there.parent.mkdir(parents=True, exist_ok=True)
                there.write_text(text)
        if found:
            file.write_text(found)
        (setup.path / "files").write_text(f"configuration 0644 root:root {file}\n")

    def apply(self, programs=COMMAND.parent):
        path = f"{programs}:{os.environ['PATH']}"
        return subprocess.run([self.setup.path / "apply.sh", "host"], capture_output=True,
                              text=True, env=os.environ | {"PATH": path})

    def expect_taken_back(self):
        done = self.apply()
        assert done.returncode == 1 and "the old one is back" in done.stderr, done.stdout
        assert (self.file.read_text() if self.file.exists() else None) == self.found


@pytest.mark.parametrize("found", ["between", "first", None])
def test_files_that_are_taken_back_are_as_setup_found_them(setup, tmp_path, found):
    """Even if apply.sh of an earlier folder left a FILE.before."""
    before = tmp_path / "app-password.conf.before"
    before.write_text("first")
    OneFile(setup, tmp_path / "app-password.conf", found).expect_taken_back()
    assert before.exists() == (found != "first")


def test_a_step_that_was_interrupted_is_done_again(setup, tmp_path):
    step = OneFile(setup, tmp_path / "app-password.conf", "old")
    (tmp_path / "app-password").write_text("#!/bin/sh\nkill -KILL $PPID\n")
    (tmp_path / "app-password").chmod(0o755)
    assert step.apply(programs=tmp_path).returncode == -signal.SIGKILL
    assert step.file.read_text() == "new"
    step.expect_taken_back()


def test_slapd_conf_gets_each_line_once(tmp_path, debian):
    conf = tmp_path / "slapd.conf"
    conf.write_text(f'include core.schema\ndatabase mdb\nsuffix "{BASE}"\naccess to * by * read\n')

    def write(folder):
        (tmp_path / folder).mkdir()
        setup = Setup(tmp_path / folder, debian, directory="slapd.conf", database=conf,
                      directory_admin=MANAGER)
        return ((setup.path / str(conf)[1:]).read_text(),
                (setup.path / "directory/slapd.conf").read_text())

    changed, undone = write("first")
    assert changed.count("app-password-rights.conf") == changed.count("index mail eq") == 1
    assert "app-password-rights.conf" not in undone
    conf.write_text(changed)
    assert write("second") == (changed, undone.replace("access", "index mail eq\naccess"))


def test_a_slapd_that_starts_slowly_is_waited_for(setup, debian):
    scripts = PREFIX / "share/sasl-app-password/setup"
    (setup.path / "rights.sh").write_text((scripts / "rights-slapdconf.sh").read_text())
    debian.stop()
    waiting = subprocess.Popen(["sh", "-euc", ". ./site.sh; . ./steps.sh; wait_for_directory"],
                               cwd=setup.path)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    debian.run()
    assert waiting.wait(60) == 0


@pytest.mark.parametrize("line, complaint", [
    ("dovecto yes", "dovecto"),
    ("dovecot maybe", '"maybe" is not one of yes, no'),
    ("suffix example", "must be a DN"),
    ("uri http://example.org", "is not a URI"),
])
def test_a_wrong_answer_is_named(tmp_path, line, complaint):
    answers = tmp_path / "answers"
    answers.write_text(line + "\n")
    done = subprocess.run([COMMAND, "setup", "--answers", answers, tmp_path / "folder"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 78 and complaint in done.stderr
    assert f"{answers}:1: " in done.stderr
    assert not os.path.exists(tmp_path / "folder")


# ---- 389 Directory Server ----

class Fresh389(ds389.DirectoryServer):
    """389 before it knows app passwords, with alice."""

    def __init__(self, folder):
        super().__init__(folder, aci=False)
        self.uri = self.ldapi
        # A server starts with the file of its own definitions.
        (folder / "etc" / "schema" / "99app-password.ldif").rename(
            folder / "etc" / "schema" / "99user.ldif").write_text(
            "dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\nobjectClass: subschema\n"
            "cn: schema\n")
        (folder / "manager.secret").write_text(ds389.MANAGER_PASSWORD)

    @staticmethod
    def _entries():
        yield BASE, {"objectClass": ["domain"], "dc": ["example"]}
        yield f"ou=people,{BASE}", {"objectClass": ["organizationalUnit"], "ou": ["people"]}
        yield f"uid=alice,ou=people,{BASE}", {
            "objectClass": ["inetOrgPerson"], "uid": ["alice"], "cn": ["alice"], "sn": ["alice"],
            "mail": ["alice@example.org"], "userPassword": ["Account.alice/1"]}

    def rules(self):
        (_, entry), = self.manager().search_s(BASE, ldap.SCOPE_BASE, attrlist=["aci"])
        return sorted(entry.get("aci", []))


@pytest.fixture
def fresh389(folder):
    server = Fresh389(folder / "389")
    try:
        yield server.start()
    finally:
        server.stop()


def test_389_directory_server_gets_all_of_it_and_loses_it_again(tmp_path, fresh389):
    before = fresh389.rules()
    setup = Setup(tmp_path, fresh389, directory="389")
    assert ds389.MANAGER in (setup.path / "answers").read_text()
    assert setup.check() == dict.fromkeys(STEPS, "missing")
    setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")
    rules = fresh389.rules()
    assert set(before) < set(rules) and any(b"mail server and portal read" in rule for rule in rules)
    assert setup.script("apply.sh").count("done already") == len(STEPS)
    make_app_password(setup)
    setup.script("undo.sh")
    assert fresh389.rules() == before
    assert setup.check() == dict.fromkeys(STEPS, "missing") | {"schema": "same"}
    setup.script("apply.sh")
    assert setup.check() == dict.fromkeys(STEPS, "same")


def test_389_directory_server_gets_the_page_later(tmp_path, fresh389):
    """With the portal's identity come its limits, although the rules are there already."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first = Setup(tmp_path / "first", fresh389, directory="389")
    first.script("apply.sh")
    second = Setup(tmp_path / "second", fresh389, directory="389", page="yes", nginx="no",
                   support="helpdesk@example.org")
    for name in ("mail-server", "admin"):
        secret = f"etc/app-password/{name}.secret"
        (second.path / secret).write_text((first.path / secret).read_text())
    assert second.check()["rights"] == "missing"
    second.script("apply.sh")
    assert set(second.check().values()) == {"same"}
    (_, portal), = fresh389.manager().search_s(IDENTITIES["portal"], ldap.SCOPE_BASE,
                                                attrlist=["nsPagedLookThroughLimit"])
    assert portal["nsPagedLookThroughLimit"] == [b"-1"]
    second.script("undo.sh")
