#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Adopts app passwords with "app-password setup", counting commands and minutes.

    adopt.py prepare        makes an existing site: a directory, Dovecot with an LDAP passdb, Postfix
                            that asks Dovecot, deliveries over LMTP
    adopt.py slapd.conf     the same with slapd.conf
    adopt.py existing DEBS  adopts there
    adopt.py empty DEBS     the same on a host where Debian's packages are only installed
    adopt.py undo           undo.sh, and the site is as before
    adopt.py broken         apply.sh again, first with settings that Dovecot rejects

It changes this machine's own mail servers and directory: for machines made for it, as root.
"""

import contextlib
import pathlib
import re
import smtplib
import subprocess
import sys
import time

import pexpect

import host
import sign_in
from host import ADMIN, ADMIN_PASSWORD, ALICE, BASE, BOB, run
from sign_in import ACCEPTED, REFUSED, imap, smtp

MOST_COMMANDS, MOST_MINUTES = 15, 5
IS_24 = sign_in.is_dovecot_24()
ETC = ["/etc/dovecot", "/etc/postfix", "/etc/fail2ban", "/etc/app-password"]


# ---- An existing site ----

LDAP_23 = f"""uris = ldap://127.0.0.1
base = ou=people,{BASE}
auth_bind = yes
user_filter = (|(uid=%u)(mail=%u))
user_attrs = uid=user
pass_filter = (|(uid=%u)(mail=%u))
pass_attrs = uid=user
"""

AUTH_23 = """passdb {
  driver = ldap
  args = /etc/dovecot/dovecot-ldap.conf.ext
}
userdb {
  driver = ldap
  args = /etc/dovecot/dovecot-ldap.conf.ext
  override_fields = uid=vmail gid=vmail home=/var/vmail/%u
}
"""

AUTH_24 = f"""ldap_uris = ldap://127.0.0.1
ldap_base = ou=people,{BASE}
passdb ldap {{
  filter = (|(uid=%{{user}})(mail=%{{user}}))
  bind = yes
  fields {{
    user = %{{ldap:uid}}
  }}
}}
userdb ldap {{
  filter = (|(uid=%{{user}})(mail=%{{user}}))
  fields {{
    user = %{{ldap:uid}}
    uid = vmail
    gid = vmail
    home = /var/vmail/%{{ldap:uid}}
  }}
}}
"""

MAIL_23 = "mail_location = maildir:~/Maildir\n"
MAIL_24 = "mail_driver = maildir\nmail_path = ~/Maildir\nmail_inbox_path = ~/Maildir\n"

SOCKETS = """service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
"""


def prepare():
    """As it stands at many sites."""
    host.prepare()
    run("useradd", "-r", "-m", "-d", "/var/vmail", "vmail")
    conf = pathlib.Path("/etc/dovecot/conf.d")
    main = conf / "10-auth.conf"
    main.write_text(re.sub("^!include auth-.*", "!include auth-ldap.conf.ext", main.read_text(),
                           flags=re.MULTILINE))
    (conf / "auth-ldap.conf.ext").write_text(AUTH_24 if IS_24 else AUTH_23)
    if not IS_24:
        pathlib.Path("/etc/dovecot/dovecot-ldap.conf.ext").write_text(LDAP_23)
    (conf / "95-site.conf").write_text((MAIL_24 if IS_24 else MAIL_23) + SOCKETS)
    host.restart("dovecot")
    run("postconf", "-e", "smtpd_sasl_type=dovecot", "smtpd_sasl_path=private/auth",
        "myhostname=mail.example.org", "virtual_mailbox_domains=example.org",
        "virtual_transport=lmtp:unix:private/dovecot-lmtp")
    run("postconf", "-M", "submission/inet=submission inet n - y - - smtpd")
    run("postconf", "-P", "submission/inet/smtpd_sasl_auth_enable=yes",
        "submission/inet/smtpd_tls_security_level=encrypt")
    host.restart("postfix")
    before()


SLAPD_CONF = f"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile /var/run/slapd/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile /etc/ldap/directory.pem
TLSCertificateKeyFile /etc/ldap/directory.key

database mdb
suffix "{BASE}"
rootdn "{ADMIN}"
rootpw "{ADMIN_PASSWORD}"
directory /var/lib/ldap
index objectClass eq
index cn,uid eq
access to attrs=userPassword by self write by anonymous auth by * none
access to * by self write by * read
"""


def turn_into_slapd_conf():
    """As at sites from before cn=config."""
    conf = pathlib.Path("/etc/ldap/slapd.conf")
    conf.write_text(SLAPD_CONF)
    conf.chmod(0o640)
    run("chown", "root:openldap", conf)
    settings = pathlib.Path("/etc/default/slapd")
    settings.write_text(re.sub("^SLAPD_CONF=.*", f"SLAPD_CONF={conf}", settings.read_text(),
                               flags=re.MULTILINE))
    host.restart("slapd")


def before():
    """What works before."""
    for user in ALICE, BOB:
        assert imap(*user) == smtp(*user) == ACCEPTED
        assert imap(user.uid, "wrong") == smtp(user.uid, "wrong") == REFUSED
    deliver()


def deliver():
    """Mail to the address of a user arrives in the mailbox of that user, and nobody else gets any."""
    mailbox = pathlib.Path("/var/vmail/alice/Maildir/new")
    count = len(list(mailbox.glob("*")))
    with smtplib.LMTP("/var/spool/postfix/private/dovecot-lmtp") as client:
        client.sendmail("", ["alice@example.org"], "Subject: hello\n\nhello\n")
        with contextlib.suppress(smtplib.SMTPRecipientsRefused):
            client.sendmail("", ["nobody@example.org"], "Subject: hello\n\nhello\n")
            raise AssertionError("accepts mail to an unknown user")
    host.wait_until(lambda: len(list(mailbox.glob("*"))) > count, "the delivery")


# ---- Adopting ----

class Terminal:
    """Types commands, answers their questions, and counts."""

    QUESTION = r"(?:^|\n)([^\r\n]*): $"

    def __init__(self):
        self.count = 0
        self.start = time.monotonic()

    def type(self, command, status=0, **answers):
        """Answer a question with the value whose name is in it, otherwise with Enter."""
        self.count += 1
        print(f"$ {command}", flush=True)
        child = pexpect.spawn("/bin/bash", ["-c", command], encoding="utf-8", timeout=240,
                              cwd="/root")
        said = ""
        while child.expect([self.QUESTION, pexpect.EOF]) == 0:
            said += child.before + child.after
            child.sendline(next((value for name, value in answers.items()
                                 if name in child.match[1]), ""))
        said += child.before
        child.close()
        print(said.replace("\r", ""), flush=True)
        assert child.exitstatus == status, f"{command}: exit {child.exitstatus}"
        return said

    def finish(self):
        minutes = (time.monotonic() - self.start) / 60
        print(f"{self.count} commands, {minutes:.1f} minutes", flush=True)
        assert self.count <= MOST_COMMANDS and minutes <= MOST_MINUTES


def adopt(terminal):
    """From installed packages to the first login with an app password."""
    terminal.type("app-password setup", support="helpdesk@example.org")
    terminal.type("diff -ru app-password-setup/found/etc app-password-setup/etc", status=1)
    terminal.type("app-password-setup/apply.sh", Password=ADMIN_PASSWORD)
    terminal.type("app-password mfa on alice")
    said = terminal.type('app-password create alice --label "first app password"')
    shown, = re.findall(r"^[0-9a-z]{4}(?:-[0-9a-z]{4}){4}(?=\r?$)", said, re.MULTILINE)
    terminal.type("swaks --server 127.0.0.1:587 --tls --auth PLAIN --auth-user alice "
                  "--to alice@example.org --quit-after AUTH", Password=shown)
    terminal.finish()
    return shown


def check(app_password):
    """App passwords work, the account password of a user with MFA does not, and checks agree."""
    print(run("app-password", "setup", "--check", "/root/app-password-setup"), flush=True)
    set_up_again()
    assert imap(ALICE.uid, app_password) == smtp(ALICE.uid, app_password) == ACCEPTED
    assert imap(*ALICE) == smtp(*ALICE) == REFUSED
    assert imap(*BOB) == smtp(*BOB) == ACCEPTED
    assert "helpdesk@example.org" in sign_in.page()


def set_up_again():
    """Another folder finds nothing left to do: it takes over the passwords that are in use."""
    answers, other = "/root/app-password-setup/answers", "/root/other-setup"
    run("app-password", "setup", "--answers", answers, other)
    secret = pathlib.Path("/root/admin.secret")
    secret.write_text(ADMIN_PASSWORD)
    states = run(f"{other}/apply.sh", "--check", "-y", secret)
    assert {line.split()[0] for line in states.splitlines()} == {"same"}, states
    run("rm", "-r", other, secret)


def install(terminal, packages):
    terminal.type(f"apt-get install --yes {packages}/*.deb")


def existing(packages):
    before()
    terminal = Terminal()
    install(terminal, packages)
    app_password = adopt(terminal)
    check(app_password)
    deliver()


def empty(packages):
    """A host on which Debian's packages were installed a moment ago, and nothing else was done."""
    with open("/etc/hosts", "a") as hosts:
        hosts.write("127.0.0.1 localhost mail mail.example.org\n")
    run("postconf", "-e", "myhostname=mail.example.org")  # what Postfix's package asks
    host.service("rsyslog", "restart")
    host.make_empty_directory()
    for name in "postfix", "dovecot":
        host.restart(name)
    terminal = Terminal()
    terminal.count += 1  # apt-get install slapd postfix dovecot-imapd
    install(terminal, packages)
    pathlib.Path("/root/people.ldif").write_text(host.people())
    terminal.type(f"ldapadd -x -H ldapi:/// -D {ADMIN} -W -f people.ldif",
                  Password=ADMIN_PASSWORD)
    check(adopt(terminal))


def undo():
    """Except for what apply.sh must leave."""
    run("app-password", "mfa", "off", ALICE.uid)
    terminal = Terminal()
    with included_page():
        said = terminal.type("app-password-setup/undo.sh", Password=ADMIN_PASSWORD, status=1)
        for name in "portal", "autoconfig":
            assert f"nginx uses snippets/app-password-{name}.conf; remove its include" in said
        run("nginx", "-t")
    terminal.type("app-password-setup/undo.sh", Password=ADMIN_PASSWORD)
    assert subprocess.run(["grep", "-rl", "app_password", "/etc/dovecot", "/etc/postfix"],
                          stdout=subprocess.DEVNULL).returncode == 1
    assert not list(pathlib.Path("/etc").rglob("*.before"))
    before()


@contextlib.contextmanager
def included_page():
    """A site of nginx includes the page."""
    site = pathlib.Path("/etc/nginx/sites-available/default")
    before = site.read_text()
    line = "server_name _;"
    includes = "".join(f"\n\tinclude snippets/app-password-{name}.conf;" for name in ("portal", "autoconfig"))
    site.write_text(before.replace(line, line + includes, 1))
    yield
    site.write_text(before)


def broken():
    """Settings that Dovecot rejects, or that leave another passdb, are taken back at once."""
    settings = pathlib.Path("/root/app-password-setup/etc/dovecot/conf.d/90-app-password.conf")
    good = settings.read_text()
    passdb = "passdb pam {\n}\n" if IS_24 else "passdb {\n  driver = pam\n}\n"
    for bad, why in ("nonsense = yes\n", "nonsense"), (passdb, "there is another passdb: pam"):
        settings.write_text(good + bad)
        said = Terminal().type("app-password-setup/apply.sh", Password=ADMIN_PASSWORD, status=1)
        assert why in said and "the old one is back" in said
        assert not list(pathlib.Path("/etc/dovecot").rglob("*app-password*"))
        before()
    settings.write_text(good)
    Terminal().type("app-password-setup/apply.sh", Password=ADMIN_PASSWORD)
    run("app-password", "setup", "--check", "/root/app-password-setup")
    undo()
    overridden()


def overridden():
    """No plugin for a port that asks Dovecot whatever main.cf says."""
    override = "submission/inet/smtpd_sasl_type=dovecot"
    run("postconf", "-P", override)
    answers = pathlib.Path("/root/app-password-setup/answers")
    other = pathlib.Path("/root/plugin.answers")
    other.write_text(re.sub("^postfix .*", "postfix plugin", answers.read_text(),
                            flags=re.MULTILINE))
    done = subprocess.run(["app-password", "setup", "--answers", other, "/root/plugin"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "master.cf overrides main.cf (submission/inet/" in done.stderr
    run("postconf", "-PX", override.partition("=")[0])
    run("rm", "-r", "/root/plugin")


def main():
    match sys.argv[1:]:
        case ["prepare"]:
            prepare()
        case ["slapd.conf"]:
            prepare()
            turn_into_slapd_conf()
            before()
        case ["existing", packages]:
            existing(packages)
        case ["empty", packages]:
            empty(packages)
        case ["undo"]:
            undo()
        case ["broken"]:
            broken()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
