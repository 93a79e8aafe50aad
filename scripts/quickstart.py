#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The part of scripts/quickstart that needs packages: it builds, starts servers and signs in.

    quickstart.py [--keep] [--demo active-directory|store] FOLDER INSTALLED

Builds FOLDER/source, a copy of the tree, and removes FOLDER at the end. INSTALLED lists the Debian
packages that scripts/quickstart installed, separated by spaces.
"""

import argparse
import contextlib
import imaplib
import os
import pathlib
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import textwrap
import time
import traceback
from collections import namedtuple

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "live"))

import authenticator  # noqa: E402
import dovecot  # noqa: E402
import dovecot24  # noqa: E402
import page_client  # noqa: E402
import postfix  # noqa: E402
import processes  # noqa: E402
import samba  # noqa: E402
import slapd  # noqa: E402
import smtp  # noqa: E402
import store  # noqa: E402
from certificates import Authority  # noqa: E402

User = namedtuple("User", "name password")
ALICE = User("alice", "Account.alice/1")
BOB = User("bob", "Account.bob/1")
CAROL = User("carol", "Account.carol/1")
ACCOUNT_PASSWORD = "account password"
APP_PASSWORD = "app password"
SHOWN = page_client.SHOWN

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNED = {"smtp": {"accepted": "235 ", "refused": "535 5.7.8 "},
          "imap": {"accepted": "OK ", "refused": "NO [AUTHENTICATIONFAILED] "}}


def story(demo_class):
    """The steps in order: a sentence for the reader, and the function that does it."""
    label = "Thunderbird on the laptop"
    return [
        ("Build the software from this tree and install it in a temporary folder.",
         demo_class.build),
        ("Start a directory with three users, alice, bob and carol. Each has an account password, as "
         "in any directory.",
         demo_class.start_directory),
        *demo_class.preparation,
        ("Start a mail server. These lines are the whole configuration for Postfix's logins: the app "
         "password plugin checks every login, and nothing else does.",
         demo_class.start_mail_server),
        ("Start an IMAP server. This part of examples/dovecot makes Dovecot check every login with a "
         "few lines of Lua, and with nothing else.",
         demo_class.start_imap_server),
        ("alice signs in with her account password, to send mail (SMTP) and to read it (IMAP). "
         "Nothing has changed for her yet, so this still works.",
         lambda demo: demo.sign_in(ALICE, ACCOUNT_PASSWORD, "accepted", "account-password")),
        ("The administrator turns multi-factor authentication (MFA) on for alice. Most mail clients "
         "cannot do a second factor against a self-hosted server, so the mail servers must no "
         "longer accept her account password.",
         lambda demo: demo.command("mfa", "on", "alice", shows="enforced now")),
        ("alice signs in with the same account password, and is refused: a thief who has it can no "
         "longer send mail as alice or read her mail.",
         lambda demo: demo.sign_in(ALICE, ACCOUNT_PASSWORD, "refused",
                                   "account-password-with-mfa")),
        ("The administrator creates an app password for one of alice's mail clients. alice types the "
         "first line into it; the directory stores only a hash.",
         lambda demo: demo.create_app_password(label)),
        ("alice's mail client signs in with the app password, instead of the account password.",
         lambda demo: demo.sign_in(ALICE, APP_PASSWORD, "accepted", "app-password")),
        ("The administrator can see which app passwords alice has, but not the passwords themselves.",
         lambda demo: demo.command("list", "alice", shows=label)),
        ("bob has no MFA and signs in with his account password: nothing changes for users "
         "without MFA.",
         lambda demo: demo.sign_in(BOB, ACCOUNT_PASSWORD, "accepted", "account-password")),
        ("The laptop is lost. The administrator revokes its app password; any other app passwords "
         "of alice would keep working.",
         lambda demo: demo.command("revoke", "alice", demo.app_password[:4], shows="revoked")),
        ("From now on, anyone who finds the laptop is refused.",
         lambda demo: demo.sign_in(ALICE, APP_PASSWORD, "refused", "revoked")),
        ("Start the self-service page, so that users need no administrator. It runs as its own user "
         "and has its own identity in the directory.",
         demo_class.start_portal),
        ("The administrator turns MFA on for carol, too. She signs in to the page with her account "
         "password, sets up an authenticator app, and creates an app password.",
         demo_class.help_oneself),
        ("carol's mail client signs in with that app password.",
         lambda demo: demo.sign_in(CAROL, APP_PASSWORD, "accepted", "app-password")),
    ]


class Failure(Exception):
    """A step did not show the expected result."""


class Transcript:
    """Prints the output. Color never carries information alone."""

    def __init__(self):
        self.is_colored = (sys.stdout.isatty() and not os.environ.get("NO_COLOR")
                            and os.environ.get("TERM", "dumb") != "dumb")
        self.step_number = 1  # that of the packages

    def step(self, sentence):
        """Begin a step."""
        self.step_number += 1
        print()
        self.bold(textwrap.fill(f"{self.step_number}. {sentence}", 97, subsequent_indent="   "))

    def command(self, line):
        """A command as an administrator types it."""
        self.text(f"$ {line}", "1")

    def proof(self, text):
        """The result that a step has shown."""
        self.text(f"=> {text}", "32")

    def text(self, text, color=None):
        """Some lines of a step."""
        for line in text.splitlines():
            print("   " + self._paint(line, color))

    def bold(self, text):
        """A title."""
        print(self._paint(text, "1"))

    def _paint(self, text, color):
        return f"\033[{color}m{text}\033[0m" if color and self.is_colored else text


class Demo:
    """The private servers, and what the users and the administrator do with them."""

    preparation = []  # steps before the mail servers start
    portal_settings = ""  # more lines of portal.conf

    def __init__(self, folder, ending):
        self.folder = folder
        self.ending = ending  # an ExitStack
        self.transcript = Transcript()
        self.prefix = folder / "prefix"
        self.etc = folder / "etc"
        self.log = folder / "app-password.log"
        self.build_log = folder / "build.log"
        self.is_built = False
        self.app_password = None

    def build(self):
        """autoreconf to make install, as in the README."""
        self.transcript.command("autoreconf -fi && ./configure && make && make install")
        begin = time.monotonic()
        # With this sysconfdir, app-password finds its settings without -c.
        script = f"""
            cd {self.folder}/source && autoreconf -fi
            mkdir {self.folder}/build && cd {self.folder}/build
            # For speed: configure is slower in bash, which it prefers, and nothing is measured here.
            CONFIG_SHELL=/bin/sh ../source/configure --prefix={self.prefix} --sysconfdir={self.etc} CFLAGS=-O1
            make -j{os.cpu_count()}
            make install"""
        compiler = processes.start(["sh", "-exc", script], self.build_log)
        try:
            status = compiler.wait()
        finally:
            if compiler.returncode is None:
                processes.stop(compiler)
        if status != 0:
            raise Failure("cannot build the software")
        self.plugin, = self.prefix.glob("lib/**/sasl2/libapppassword.so")
        self.is_built = True
        self.transcript.proof(f"done in {time.monotonic() - begin:.0f} seconds")

    def start_directory(self):
        """slapd with the access rules of ldap-schema/; root on this machine may do everything."""
        self.authority = Authority(self.folder / "ca")
        root = slapd.peer(os.getgid(), os.getuid(), "[+]")
        self.directory = slapd.Slapd(
            self.folder / "slapd", authority=self.authority,
            lines=f'authz-regexp "{root}" "cn=slapd itself,{slapd.BASE}"')
        self.ending.callback(self.directory.stop)
        self.directory.start()
        users = self.folder / "users.ldif"
        write_secret(users, "\n".join(ldif_of(user) for user in (ALICE, BOB, CAROL)))
        self.transcript.command("ldapadd -Q -Y EXTERNAL -H ldapi:/// -f users.ldif")
        self.run(["ldapadd", "-Q", "-Y", "EXTERNAL", "-H", self.directory.ldapi, "-f", users],
                 shows="uid=carol")
        self.write_settings({"uri": self.directory.ldap})

    def start_mail_server(self):
        """Postfix with examples/postfix, on private ports."""
        postfix.KINDS = {"submission": ("submission", "-", 1, []),
                         "submissions": ("submissions", "-", 1, [])}
        self.postfix = postfix.Postfix(self.folder / "postfix", self.plugin, self.authority)
        text = (postfix.EXAMPLES / "smtpd.conf").read_text().replace(
            "/etc/app-password/app-password.conf", str(self.etc / "app-password/app-password.conf"))
        self.submission = self.postfix.service(text, "submission")
        self.submissions = self.postfix.service(text, "submissions")
        self.ending.callback(self.postfix.stop)
        self.postfix.start()
        self.transcript.command("grep '^[^#]' sasl/smtpd.conf")
        self.transcript.text("\n".join(
            line for line in text.splitlines() if line and not line.startswith("#")))

    def start_imap_server(self):
        """Dovecot with examples/dovecot, on private ports."""
        folder = self.folder / "dovecot"
        folder.mkdir()
        module, = self.prefix.glob("lib/lua/*/app_password.so")
        self.dovecot = dovecot24.dovecot_of_this_machine()(
            folder, self.etc / "app-password/app-password.conf", module, self.authority,
            lines="protocols = imap")
        self.ending.callback(self.dovecot.stop)
        self.dovecot.start()
        self.transcript.command("sed '/^passdb/,/^}/!d; /^ *#/d' dovecot.conf")
        self.run(["sed", "/^passdb/,/^}/!d; /^ *#/d", self.dovecot.config], shows="app-password.lua")

    def start_portal(self):
        """The page with examples/portal.conf, on a private port."""
        folder = self.etc / "app-password"
        # The socket stays open, so no other program can take the port.
        self.portal_port = processes.free_port()
        self.portal_url = f"http://127.0.0.1:{self.portal_port}/"
        self.mails = self.folder / "mails"
        self.mails.mkdir()
        sendmail = self.folder / "sendmail"
        sendmail.write_text(f"#!/bin/sh\ncat > {self.mails}/$(date +%s%N)\n")
        sendmail.chmod(0o755)
        write_secret(folder / "portal.secret", slapd.secret("portal") + "\n")
        with open(folder / "portal.key", "w") as key:
            subprocess.run(["openssl", "rand", "-base64", "32"], stdout=key, check=True)
        text = (SOURCE / "examples/portal.conf").read_text()
        for key, value in (("bindpw_file", folder / "portal.secret"),
                           ("key_file", folder / "portal.key"),
                           ("listen", f"127.0.0.1:{self.portal_port}"),
                           ("public_url", self.portal_url), ("enrolment", "open"),
                           ("imap_server", f"127.0.0.1:{self.dovecot.ports['imap']}"),
                           ("smtp_server", f"127.0.0.1:{self.submission.port}")):
            text = re.sub(rf"^{key} .*", f"{key} {value}", text, flags=re.MULTILINE)
        (folder / "portal.conf").write_text(f"{text}\nsendmail {sendmail}\n{self.portal_settings}")
        for path in (folder / "portal.secret", folder / "portal.key", self.mails):
            shutil.chown(path, "nobody")
        self.log.chmod(0o666)  # several users write to it; with syslog this is not needed
        self.portal = processes.start(
            ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
             self.prefix / "bin" / "app-password-portal", "-c", folder / "app-password.conf"],
            self.folder / "portal.log")
        self.ending.callback(processes.stop, self.portal)
        visitor = page_client.Client(self.portal_port)

        def answers():
            if self.portal.poll() is not None:
                raise Failure("cannot start the page")
            with contextlib.suppress(OSError):
                return visitor.get("").status == 200
        processes.wait_until(answers, "the page")
        self.transcript.command("app-password-portal")
        self.transcript.text(f"It answers at {self.portal_url}, without TLS. In production, put a proxy "
                             "such as nginx in front of it.")

    def help_oneself(self):
        """carol's browser sends forms, and the page answers."""
        self.command("mfa", "on", "carol", shows="enforced now")
        visitor = page_client.Client(self.portal_port)
        visitor.get("")
        steps = [("sign-in", {"login": CAROL.name, "password": CAROL.password}, "Sign in"),
                 ("start", {}, "Set it up now"),
                 ("choose", {"method": "totp"}, "an authenticator app")]
        for path, fields, button in steps:
            self.visit(visitor, path, fields, button)
        self.visit(visitor, "verify", {"code": authenticator.totp(visitor.page.secret())},
                   "the six digits of the app")
        self.visit(visitor, "create", {"label": "Outlook", "services": "", "expires": "never"},
                   "Next")
        shown = visitor.page.app_passwords()
        if len(shown) != 1:
            raise Failure("the page should show one app password")
        self.app_password = shown[0]
        self.transcript.proof(f"{self.app_password}, shown once")

    def visit(self, visitor, path, fields, button):
        """Send a form of the page."""
        page = visitor.post(path, **fields)
        self.transcript.text(f"{CAROL.name}: {button}")
        self.transcript.text(f"page:  {page.title()}")
        if page.status != 200:
            raise Failure(f"the page answered with status {page.status}")

    def write_settings(self, keys):
        """app-password.conf for the mail servers, and admin.conf for the administrator."""
        folder = self.etc / "app-password"
        folder.mkdir(parents=True)
        for name, identity in (("mail-server", "mail server"), ("admin", "administrator")):
            write_secret(folder / f"{name}.password", slapd.secret(identity) + "\n")
        text = (SOURCE / "examples/app-password.conf").read_text()
        for key, value in (keys | {"bindpw_file": folder / "mail-server.password"}).items():
            text, count = re.subn(rf"^{key} .*", f"{key} {value}", text, flags=re.MULTILINE)
            if count == 0:
                text += f"\n{key} {value}"
        (folder / "app-password.conf").write_text(f"{text}\nlog {self.log}\n")
        (folder / "admin.conf").write_text(f"""\
binddn {slapd.IDENTITIES["administrator"]}
bindpw_file {folder}/admin.password
""")

    def command(self, *arguments, shows):
        """Run app-password and return its output, which must contain `shows`."""
        self.transcript.command(shlex.join(["app-password", *arguments]))
        return self.run([self.prefix / "bin" / "app-password", *arguments], shows)

    def run(self, argv, shows):
        """Run a command, show its output and return it; it must succeed and print `shows`."""
        # One pipe for both keeps the lines in order.
        done = subprocess.run(argv, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.transcript.text(done.stdout.rstrip())
        if done.returncode != 0:
            raise Failure(f"this command ended with exit status {done.returncode}")
        if shows not in done.stdout:
            raise Failure(f"this command should print {shows!r}")
        return done.stdout

    def create_app_password(self, label):
        """Create an app password for alice and remember it."""
        output = self.command("create", "alice", "--label", label, shows="new app password")
        self.app_password = output.splitlines()[0]
        if not re.fullmatch(SHOWN, self.app_password):
            raise Failure("the first line should be the app password")

    def sign_in(self, user, which, verdict, reason):
        """One login over SMTP and one over IMAP; replies and log lines must match."""
        for service, ask in (("smtp", self.ask_smtp), ("imap", self.ask_imap)):
            count = len(self.events())
            answer = ask(user, which)
            for line in answer:
                self.transcript.text(f"server: {line}")
            with contextlib.suppress(TimeoutError):
                processes.wait_until(lambda: len(self.events()) > count, "the log line", timeout=30)
            event = "\n".join(self.events()[count:])
            self.transcript.text("log: " + (event or "nothing"))
            sign = SIGNED[service][verdict]
            if not answer[-1].startswith(sign):
                raise Failure(f"this login should be {verdict}, with {sign.strip()}")
            told = f"verdict={verdict} reason={reason}"
            if f" {told} user=\"{user.name}\" service={service} " not in event:
                raise Failure(f"the log should contain {told} and service={service}")
        self.transcript.proof(f"{verdict} over SMTP and IMAP, as expected")

    def ask_smtp(self, user, which):
        """The dialogue of one login at the submission port; the lines of the answer."""
        self.transcript.text(f"(SMTP: connects to port {self.submission.port} and starts TLS)")
        client = smtp.connect(self.submission.port, self.authority.ca, starttls=True)
        try:
            self.transcript.text(f"client: AUTH PLAIN <credentials of {user.name}, {which}>")
            reply = smtp.plain(client, user.name, self.password_of(user, which))
        finally:
            client.close()
        *first, last = reply.text.splitlines()
        return [*(f"{reply.code}-{line}" for line in first), f"{reply.code} {last}"]

    def ask_imap(self, user, which):
        """The dialogue of one login over IMAP, without tags; the line of the answer."""
        port = self.dovecot.ports["imap"]
        self.transcript.text(f"(IMAP: connects to port {port} and starts TLS)")
        client = imaplib.IMAP4("127.0.0.1", port, timeout=30)
        try:
            client.starttls(ssl.create_default_context(cafile=self.authority.ca))
            self.transcript.text(f"client: LOGIN <credentials of {user.name}, {which}>")
            return [dovecot.imap_login(client, user.name, self.password_of(user, which))]
        finally:
            client.shutdown()

    def password_of(self, user, which):
        """The password that the user types into a mail client."""
        return self.app_password if which == APP_PASSWORD else user.password

    def events(self):
        """The log lines of all logins."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def where_the_directory_is(self):
        """For somebody who wants to look into it."""
        return (f"{self.directory.ldap}, {slapd.BASE}; root may do everything over\n"
                f"           {self.directory.ldapi}")

    def logs(self):
        """The logs that may tell why a step failed."""
        if not self.is_built:
            return [self.build_log]
        return [self.log, self.folder / "postfix/mail.log", self.folder / "dovecot/dovecot.log",
                self.directory.log, self.folder / "portal.log"]


class ActiveDirectoryDemo(Demo):
    """The same with Samba's domain controller."""

    preparation = [
        ("Active Directory cannot tell a hidden attribute from a missing one. So an account password is "
         "accepted only where a value says that MFA is off, and the administrator writes it for all users.",
         lambda demo: demo.command("mfa", "off", "--filter", "(mail=*)", shows="carol"))]

    def start_directory(self):
        """A Samba domain controller with the schema and rights of ldap-schema/active-directory."""
        self.authority = Authority(self.folder / "ca")
        self.directory = samba.DomainController(self.folder / "samba")
        self.ending.callback(self.directory.stop)
        self.directory.start()
        for user in (ALICE, BOB, CAROL):
            who = samba.person(user.name)
            self.directory.add_user(who)
            self.transcript.text(f"added {who.dn}")
        self.write_settings(self.directory.settings | {"login_attribute": "sAMAccountName"})

    def where_the_directory_is(self):
        return (f"{self.directory.ldaps}, {slapd.BASE}; certificates of\n"
                f"           {self.directory.authority.ca}\n"
                f"           {samba.ADMINISTRATOR} has the password {samba.PASSWORD}")


class StoreDemo(Demo):
    """The same with a directory that has no schema of ours and is only read, and with a store."""

    preparation = [
        ("That directory belongs to another department: its schema is untouched, and nobody here may "
         "write to it. So make a store for the app passwords, a small OpenLDAP of its own, and start it.",
         lambda demo: demo.start_store())]

    def start_directory(self):
        """slapd as it comes: everybody reads, nobody writes, and it knows nothing of app passwords."""
        self.authority = Authority(self.folder / "ca")
        self.directory = slapd.Slapd(
            self.folder / "slapd", acl=(), schema=False, authority=self.authority,
            site_rules="access to attrs=userPassword by anonymous auth\naccess to * by * read\n")
        self.ending.callback(self.directory.stop)
        self.directory.load((f"uid={user.name},ou=people,{slapd.BASE}", {
            "objectClass": ["inetOrgPerson"], "uid": [user.name], "cn": [user.name], "sn": [user.name],
            "mail": [f"{user.name}@example.org"], "userPassword": [user.password]})
            for user in (ALICE, BOB, CAROL))
        self.directory.start()
        self.transcript.command("ldapsearch -x '(mail=*)' uid")
        self.run(["ldapsearch", "-x", "-LLL", "-H", self.directory.ldapi, "-b", slapd.BASE,
                  "(|(uid=alice)(uid=bob)(uid=carol))", "uid"], shows="uid: carol")

    def start_store(self):
        """The store as app-password store init writes it; its settings join those of the directory."""
        init = self.folder / "store-init"
        uri = f"ldap://127.0.0.1:{processes.free_port()}"
        self.transcript.command(f"app-password store init store-init --listen {uri}")
        subprocess.run([self.prefix / "bin" / "app-password", "store", "init", init, "--listen", uri],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.transcript.text("\n".join(sorted(path.name for path in init.iterdir())))
        self.store = store.Store(self.folder / "store", init=init)
        self.ending.callback(self.store.stop)
        self.store.start()
        self.transcript.command("slapd -f slapd.conf -h ldapi://…")
        self.transcript.command("ldapadd … -f entries.ldif  &&  ldapadd … -f mfa-witness.ldif")
        self.write_settings({"uri": self.directory.ldap})
        folder = self.etc / "app-password"
        for name in ("app-password.conf", "admin.conf"):
            text = (init / name).read_text().replace("/etc/app-password/", f"{init}/")
            before = "" if name == "admin.conf" else (folder / name).read_text()
            (folder / name).write_text(before + text)
        self.transcript.command("cat app-password.conf")
        self.run(["sed", "/^$/d; /^#/d", folder / "app-password.conf"], shows="store_uri")

    def start_portal(self):
        """The page, with its identity in the store."""
        secret = self.etc / "app-password" / "store-portal.secret"
        write_secret(secret, self.store.secret_file("portal").read_text())
        shutil.chown(secret, "nobody")
        self.portal_settings = (f"store_binddn {self.store.identities['portal']}\n"
                                f"store_bindpw_file {secret}\n")
        super().start_portal()

    def where_the_directory_is(self):
        return f"{self.directory.ldap}, {slapd.BASE}\nstore      {self.store.listeners[-1]}, {self.store.base}"


DEMOS = {"ldap": Demo, "active-directory": ActiveDirectoryDemo, "store": StoreDemo}


def ldif_of(user):
    """An ordinary user, as many directories have them."""
    return f"""\
dn: uid={user.name},ou=people,{slapd.BASE}
objectClass: inetOrgPerson
uid: {user.name}
cn: {user.name.capitalize()}
sn: {user.name.capitalize()}
mail: {user.name}@example.org
userPassword: {user.password}
"""


def write_secret(path, text):
    """Write a file that only root can read."""
    path.touch(0o600)
    path.write_text(text)


def say_what_stays(installed):
    """Say which packages stay installed."""
    if not installed:
        return
    servers = sorted(installed & {"dovecot-core", "postfix", "samba", "slapd"})
    print(textwrap.fill(
        "The Debian packages of step 1 stay installed."
        + (f" Their services ({', '.join(servers)}) were not started, but the next boot will start"
           f" them. To remove them: apt-get purge {' '.join(servers)}" if servers else ""), 97))


def say_what_next():
    """Say what to read next."""
    sections = {
        "Installing": "set this up on your own mail server and directory",
        "Day to day": "commands for administrators and help desks",
    }
    readme = (SOURCE / "README.md").read_text()
    print("\nWhat to read next, in README.md:")
    for section, words in sections.items():
        if f"\n## {section}\n" not in readme:
            raise Failure(f"README.md has no section \"{section}\"")
        print(f"   {section:30}{words}")
    print("and in doc/users.md, where to enter an app password in Outlook, Apple Mail and others;")
    print("and in man/: app-password(1), app-password-portal(8), app-password.conf(5).")


def explain_kept(demo):
    """Say how to use the running servers and how to stop them."""
    sudo = "sudo " if "SUDO_USER" in os.environ else ""
    stop = demo.folder / "stop"
    servers = " ".join(
        str(process.pid) for process in (demo.directory.process, demo.postfix.process,
                                         demo.dovecot.process, demo.portal))
    stop.write_text(f"""\
#!/bin/sh
# Stops the servers that scripts/quickstart --keep left running, and removes this folder.
is_ours() {{
    grep -qs {demo.folder} "/proc/$1/cmdline"
}}

if is_ours {os.getpid()}; then
    # It ends the servers and then removes the folder.
    kill {os.getpid()} || exit
    tenths=0
    while [ -e {demo.folder} ] && [ $tenths -lt 300 ]; do
        sleep 0.1
        tenths=$((tenths + 1))
    done
fi
for server in {servers}; do
    if is_ours "$server"; then kill "$server"; fi
done
rm -rf {demo.folder} && echo "Stopped and removed."
""")
    stop.chmod(0o755)
    demo.transcript.step("Everything stays running. alice gets another app password for you "
                         "to try.")
    demo.create_app_password("to try")
    demo.command("mfa", "reset", "carol", shows="carol: second factors removed")
    command = demo.prefix / "bin" / "app-password"
    demo.transcript.text(f"""
users      alice, with MFA:  {demo.app_password} (app password)
                             {ALICE.password} (account password)
           bob, without MFA: {BOB.password} (account password)
           carol, with MFA:  {CAROL.password} (account password), to try the page with
page       {demo.portal_url}; it saves the mails it sends in {demo.mails}
SMTP       127.0.0.1 port {demo.submission.port} (STARTTLS) and {demo.submissions.port} (TLS); \
mail is discarded
IMAP       127.0.0.1 port {demo.dovecot.ports["imap"]} (STARTTLS)
           certificates of {demo.authority.ca}
directory  {demo.where_the_directory_is()}
folder     {demo.folder}, in it:
           app-password.log, the logins; etc/app-password, the settings; postfix/etc; dovecot

To manage: {sudo}{command} list alice
To try:    {sudo}{command} check alice --service smtp
           swaks --server 127.0.0.1:{demo.submission.port} --tls --auth PLAIN --auth-user alice \\
               --to you@example.org              (from the Debian package swaks)
To stop and remove all this: {sudo}{stop}""")


def complain(demo, error):
    """Print the failed step, the reason and the ends of the logs to standard error."""
    sys.stdout.flush()
    reason = str(error) or type(error).__name__
    lines = [f"quickstart: step {demo.transcript.step_number} failed: {reason}"]
    if not isinstance(error, Failure):
        lines += "".join(traceback.format_tb(error.__traceback__)).splitlines()
    for log in demo.logs():
        if log.exists() and log.stat().st_size > 0:
            lines += ["", f"The end of {log.relative_to(demo.folder)}:"]
            lines += [f"   | {line}" for line in log.read_text(errors="replace").splitlines()[-30:]]
    print("\n" + "\n".join(lines), file=sys.stderr)


def show(demo, options):
    """Run all steps."""
    for sentence, act in story(type(demo)):
        demo.transcript.step(sentence)
        act(demo)
    print()
    demo.transcript.bold("Every step showed the expected result.")
    say_what_stays(set(options.installed.split()))
    say_what_next()
    if options.keep:
        explain_kept(demo)
    sys.stdout.flush()


def run_demo(options, once_shown=lambda: None):
    """Run everything and return the exit status. Always cleans up."""
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, options.folder)
        demo = DEMOS[options.demo](options.folder, ending)
        try:
            show(demo, options)
            once_shown()
            return 0
        except Exception as error:
            complain(demo, error)
            return 1
        finally:
            ignore_signals()  # the cleanup must not be interrupted


def ignore_signals():
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda *_: None)


def end_by_signal(number, _):
    """Unwind the stack, which stops and removes everything."""
    ignore_signals()
    sys.exit(128 + number)


def run_in_background(options):
    """Run the demo in a child that stays and stops the servers on a signal."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)

        def go_on():
            os.setsid()
            for stream in range(3):
                os.dup2(os.open(os.devnull, os.O_RDWR), stream)
            os.write(writer, b"shown")
            os.close(writer)
            while True:
                signal.pause()
        return run_demo(options, go_on)
    os.close(writer)
    for number in ENDING_SIGNALS:
        signal.signal(number, lambda number, _: os.kill(child, number))
    if os.read(reader, 5):
        return 0
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--demo", choices=DEMOS, default="ldap")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("installed")
    options = parser.parse_args()
    for number in ENDING_SIGNALS:
        signal.signal(number, end_by_signal)
    sys.stdout.reconfigure(line_buffering=True)
    return run_in_background(options) if options.keep else run_demo(options)


if __name__ == "__main__":
    sys.exit(main())
