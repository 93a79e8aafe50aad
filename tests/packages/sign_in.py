#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sets up a mail host as README.md says, and signs in to it.

    sign_in.py prepare     makes a directory and mail servers of Debian's packages, see host.py
    sign_in.py set-up      follows README.md, ldap-schema/README.md and the man pages word for word
    sign_in.py new-debian  follows doc/upgrading.md after an upgrade to Debian 13
    sign_in.py             signs in over SMTP and IMAP, and asks PAM
    sign_in.py portal      sets the self-service page up as its man page says, and opens it
    sign_in.py go-on FILE  keeps signing in until this file exists
    sign_in.py nobody      nobody gets in

It changes this machine's own mail servers and directory: for machines made for it, as root.
"""

import contextlib
import imaplib
import itertools
import pathlib
import re
import smtplib
import ssl
import subprocess
import sys

import host
import readme
from host import ALICE, BOB, run

MAIL_SERVER, ADMINISTRATOR, PORTAL = (f"the secret of the {identity}" for identity in
                                      ("mail server", "administrator", "portal"))
EXAMPLES = readme.TOP / "examples"
ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"

# Commands of ldap-schema/README.md for other kinds of directory.
OF_OTHERS = re.compile("389|INSTANCE|ppolicy|slapd.conf")


def is_dovecot_24():
    return run("dovecot", "--version").startswith("2.4")


def set_up():
    """Turn installed packages into mail servers that know app passwords."""
    admin_conf = [line.strip() for line in (readme.TOP / "README.md").read_text().splitlines()
                  if re.match("    (binddn|bindpw_file) ", line)]
    assert len(admin_conf) == 2
    terminal = readme.Terminal(
        answers={("cn=mail-server", "(New|new) password"): MAIL_SERVER,
                 ("cn=administrator", "(New|new) password"): ADMINISTRATOR,
                 ("cn=portal", "(New|new) password"): PORTAL,
                 ("^ldap", "LDAP Password"): host.ADMIN_PASSWORD,
                 ("check alice", ""): ALICE.password, ("swaks", ""): ALICE.password,
                 ("doveadm auth test", ""): ALICE.password},
        edits={"/etc/app-password/app-password.conf": (EXAMPLES / "app-password.conf").read_text(),
               "/etc/app-password/mail-server.secret": MAIL_SERVER + "\n",
               "/etc/app-password/admin.conf": "\n".join(admin_conf) + "\n",
               "/etc/app-password/admin.secret": ADMINISTRATOR + "\n",
               "/etc/postfix/reject-footer": (EXAMPLES / "postfix/reject-footer").read_text()})
    for command in readme.commands("README.md", "Directory"):
        terminal.type(command)
    for command in readme.commands("ldap-schema/README.md", "Loading the schema",
                                   "Creating the identities", "Loading the rules", "Indexes"):
        if not OF_OTHERS.search(command):
            terminal.type(command)
    for command in itertools.chain(
            readme.commands("README.md", "Configuration"),
            readme.commands("man/app-password-postfix.8", "CONFIGURING POSTFIX"),
            readme.commands("man/app-password-dovecot.8", "CONFIGURING DOVECOT"),
            readme.commands("man/pam_app_password.8", "CONFIGURING PAM")):
        if is_dovecot_24():
            command = command.replace("dovecot-2.3.conf", "dovecot-2.4.conf")
        is_doctor = " doctor " in command  # without --as, it does not know what users may write
        said = terminal.type(command, status=1 if is_doctor else 0)
        if command == "app-password check alice":
            assert "verdict=accepted reason=account-password " in said
        elif is_doctor:
            for mechanism in "PLAIN", "LOGIN":
                assert f"{mechanism} is answered by apppassword" in said
        elif command.startswith("swaks "):
            assert "235 2.7.0 Authentication successful" in said
            swaks_three_times(terminal, command)
        elif "doveadm auth test" in command:
            assert "auth succeeded" in said
    assert not terminal.unused_edits


def new_debian():
    """Configure Dovecot 2.4 in place of 2.3, and check what the upgrade made of Postfix."""
    terminal = readme.Terminal(answers={("doveadm auth test", ""): ALICE.password}, edits={})
    for command in readme.commands("doc/upgrading.md", "From Debian 12 to 13"):
        is_doctor = "doctor" in command  # without --as, it does not know what users may write
        said = terminal.type(command, status=1 if is_doctor else 0)
        if is_doctor:
            assert "PLAIN is answered by apppassword" in said
        elif "cyrus_sasl_config_path" in command:
            assert "= /etc/postfix/sasl" in said
    assert "auth succeeded" in said


def swaks_three_times(terminal, command):
    """As in the README: the account password is accepted; then turn MFA on."""
    terminal.type("app-password mfa on alice")
    said = terminal.type(command, status=28)
    footer, = re.findall("^/.*/  (.*)$", (EXAMPLES / "postfix/reject-footer").read_text(),
                         re.MULTILINE)
    assert f"535 5.7.8 {footer}" in said
    app_password = AppPassword()
    assert "235 2.7.0" in terminal.type(command, answer=app_password.shown)
    app_password.revoke()
    terminal.type("app-password mfa off alice")


class AppPassword:
    """An app password of alice."""

    def __init__(self):
        said = run("app-password", "create", ALICE.uid, "--label", "a test", "--without-mfa")
        self.shown, = re.findall(r"^[0-9a-z]{4}(?:-[0-9a-z]{4}){4}$", said, re.MULTILINE)

    def revoke(self):
        run("app-password", "revoke", ALICE.uid, self.shown[:4])


def smtp(user, password, mechanism="PLAIN", port=587):
    """Postfix's answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # Debian's own certificate
    if port == 465:
        client = smtplib.SMTP_SSL("127.0.0.1", port, timeout=60, context=context)
    else:
        client = smtplib.SMTP("127.0.0.1", port, timeout=60)
        client.starttls(context=context)
    with client:
        client.ehlo()
        client.user, client.password = user, password
        try:
            code, _ = client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
        except smtplib.SMTPAuthenticationError as error:
            code = error.smtp_code
    return {235: ACCEPTED, 535: REFUSED, 454: UNAVAILABLE}[code]


def imap(user, password):
    """Dovecot's answer."""
    client = imaplib.IMAP4("127.0.0.1", timeout=60)
    client.starttls(ssl._create_unverified_context())
    try:
        client.login(user, password)
    except client.error as error:
        code = re.search(r"\[(\w+)\]", str(error))[1]
        return {"AUTHENTICATIONFAILED": REFUSED, "UNAVAILABLE": UNAVAILABLE}[code]
    finally:
        client.shutdown()
    return ACCEPTED


def pam(user, password):
    """The answer of PAM's service "imap", which the README set up."""
    said = readme.pexpect.run(f"pamtester imap {user} authenticate", encoding="utf-8", timeout=60,
                              events={"(?i)password: ": password + "\n"})
    return ACCEPTED if "successfully authenticated" in said else \
        REFUSED if "Authentication failure" in said else UNAVAILABLE


ROADS = {
    "SMTP, PLAIN": smtp,
    "SMTP, LOGIN": lambda *who: smtp(*who, mechanism="LOGIN"),
    "SMTP, TLS from the first byte": lambda *who: smtp(*who, port=465),
    "IMAP": imap,
    "PAM": pam,
}


def expect(verdict, reason, user, password):
    """Every server gives the same verdict, and logs one line for it."""
    for name, road in ROADS.items():
        before = host.MAIL_LOG.stat().st_size
        got = road(user, password)
        print(f"{name}: {user}: {got}, {reason}", flush=True)
        assert got == verdict, f"{name}: {user}: {got} instead of {verdict}"
        host.wait_until(lambda: re.search(
            rf'app-password: verdict={verdict} reason={reason} user="{user}" service=\w+ client=',
            logged_since(before)), f"{reason} in the log:\n{logged_since(before)}")


def logged_since(position):
    with host.MAIL_LOG.open() as log:
        log.seek(position)
        return log.read()


def sign_in():
    """Test the account password without MFA, only an app password with MFA, and an outage."""
    app_password = AppPassword()
    app = ALICE.uid, app_password.shown
    expect(ACCEPTED, "account-password", *ALICE)
    expect(ACCEPTED, "app-password", *app)
    expect(REFUSED, "wrong-account-password", ALICE.uid, "a wrong password")
    run("app-password", "mfa", "on", ALICE.uid)
    expect(REFUSED, "account-password-with-mfa", *ALICE)
    expect(ACCEPTED, "app-password", *app)
    expect(ACCEPTED, "account-password", *BOB)
    host.stop("slapd")
    expect(UNAVAILABLE, "directory-unavailable", *app)
    host.service("slapd", "start")
    host.wait_until(lambda: host.is_listening(host.PORTS["slapd"]), "slapd")
    host.wait_until(lambda: smtp(*app) == ACCEPTED, "the directory to be asked again", 90)
    app_password.revoke()
    expect(REFUSED, "revoked", *app)
    run("app-password", "mfa", "off", ALICE.uid)


def go_on(end):
    """Sign in until the file exists: the right password is always accepted, the wrong one never."""
    app_password = AppPassword()
    count = 0
    while not end.exists():
        assert smtp(ALICE.uid, app_password.shown) == ACCEPTED
        assert imap(ALICE.uid, app_password.shown) == ACCEPTED
        assert smtp(ALICE.uid, "a wrong password") == REFUSED
        count += 1
        print(f"{count} times", flush=True)
    app_password.revoke()


SOCKET = pathlib.Path("/run/app-password-portal/http.sock")


def portal():
    """The self-service page answers its proxy."""
    terminal = readme.Terminal(answers={}, edits={
        "/etc/app-password/portal.conf": (EXAMPLES / "portal.conf").read_text(),
        "/etc/app-password/portal.secret": PORTAL + "\n"})
    for command in readme.commands("man/app-password-portal.8", "SETTING IT UP"):
        if "nginx" not in command and (has_systemd() or "systemctl" not in command):
            terminal.type(command)
    assert not terminal.unused_edits
    assert "helpdesk@example.org" in page()


def page():
    """The page as its proxy gets it."""
    with contextlib.nullcontext() if has_systemd() else portal_like_its_unit():
        host.wait_until(SOCKET.exists, "the page's socket")
        return run("curl", "--silent", "--show-error", "--fail", "--unix-socket", SOCKET,
                   "http://localhost/app-passwords/")


def has_systemd():
    return pathlib.Path("/run/systemd/system").exists()


@contextlib.contextmanager
def portal_like_its_unit():
    """Do what the unit does, without systemd."""
    user = "app-password-portal"
    run("install", "-d", "-m", "0750", "-o", user, "-g", user, SOCKET.parent)
    process = subprocess.Popen(["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups",
                                "app-password-portal"])
    yield
    process.terminate()
    assert process.wait(60) == 0


def nobody():
    """Nobody gets in, not even with the right password, whatever the answer."""
    for user in ALICE, BOB:
        for name, road in ROADS.items():
            try:
                got = road(*user)
            except (OSError, smtplib.SMTPException, imaplib.IMAP4.error, KeyError) as error:
                got = repr(error)
            print(f"{name}: {user.uid}: {got}", flush=True)
            assert got != ACCEPTED, f"{name} lets {user.uid} in"


def main():
    match sys.argv[1:]:
        case ["prepare"]:
            host.prepare()
        case ["set-up"]:
            set_up()
        case ["new-debian"]:
            new_debian()
        case ["portal"]:
            portal()
        case ["go-on", file]:
            go_on(pathlib.Path(file))
        case ["nobody"]:
            nobody()
        case []:
            sign_in()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
