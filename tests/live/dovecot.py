# SPDX-License-Identifier: BSD-2-Clause
"""A private Dovecot with its own configuration, sockets, ports and mail."""

import imaplib
import os
import pathlib
import poplib
import re
import signal
import smtplib
import subprocess

import pam
import smtp
from processes import free_port, run, sanitizers, signal_group, start, wait_until
from slapd import BASE, IDENTITIES, secret

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "dovecot"

# Dovecot's login services, each with its listeners: without and with TLS.
SERVICES = {"imap-login": ("imap", "imaps"), "pop3-login": ("pop3", "pop3s"),
            "submission-login": ("submission", "submissions")}

# The owner of the mail: a number that no user of the machine has.
MAIL_USER = 31597

# Sanitizers map terabytes of address space.
NO_MEMORY_LIMIT = """\
default_vsz_limit = 0
service auth-worker {
  vsz_limit = 0
}
"""

ACCEPTED, REFUSED, UNAVAILABLE = "accepted", "refused", "unavailable"

# Dovecot's answers over IMAP, POP3 and SMTP, and those of "doveadm auth test".
SIGNS = {
    ACCEPTED: ("Logged in", "auth succeeded"),
    REFUSED: ("NO [AUTHENTICATIONFAILED]", "NO [AUTHORIZATIONFAILED]", "NO [ALERT]", "-ERR [AUTH]",
              "535 5.7.8", "auth failed"),
    UNAVAILABLE: ("NO [UNAVAILABLE]", "-ERR [SYS/TEMP]", "454 4.7.0"),
}


def with_hint(settings):
    """The example with its optional passdb that says in a refusal that an app password is needed."""
    return _with_optional(settings, 0)


def with_arrival(settings):
    """The example with its optional passdb that notes when a login arrives."""
    return _with_optional(settings, 1)


def _with_optional(settings, number):
    passdb = re.findall(r"(?ms)^#passdb.*?^#\}$", settings)[number]
    return settings.replace(passdb, re.sub(r"(?m)^#", "", passdb))


class Dovecot:
    """Dovecot 2.3 for IMAP, POP3 and submission, with the files of examples/dovecot.

    config       its app-password.conf
    module       app_password.so
    settings     changes the text of the example's dovecot-2.3.conf
    lines        more settings, after it
    tls          true: it also listens for TLS
    userdb       a Slapd as userdb, the example's second variant
    auth_socket  the socket for Postfix
    pam_d        a folder to mount as /etc/pam.d
    """

    example = "dovecot-2.3.conf"

    def __init__(self, folder, config, module, authority, settings=lambda text: text, lines="",
                 tls=False, userdb=None, auth_socket=None, pam_d=None):
        self.folder = folder
        self.config = folder / "dovecot.conf"
        self.log = folder / "dovecot.log"
        self.event_log = config.parent / "app-password.log"
        self.mail = folder / "mail"
        self.ca = authority.ca
        self.ports = {name: free_port() if tls or name == plain else 0  # 0: does not listen
                      for plain, with_tls in SERVICES.values() for name in (plain, with_tls)}
        self.process = None
        self.pam_d = pam_d
        self._places = {
            "/etc/app-password/app-password.conf": config,
            "/etc/dovecot": folder,
            "/var/spool/postfix/private/auth": auth_socket or folder / "auth",
            "/var/vmail": self.mail,
            "=vmail": f"={MAIL_USER}",
        }
        self._module = module
        self._authority = authority
        self.log.touch()
        self.mail.mkdir()
        os.chown(self.mail, MAIL_USER, MAIL_USER)
        for script in "app-password.lua", "app-password-arrived.lua":
            (folder / script).write_text(self._example(script))
        example = self._example(self.example)
        if userdb:
            example = self._look_users_up_in(userdb, example)
        self.config.write_text("\n".join(
            [self._settings_before(), settings(example), self._settings_behind(), lines]))

    def start(self):
        """Start it and wait until it listens."""
        self.process = start(self._command(), self.folder / "dovecot.out")
        wait_until(self._is_up, f"Dovecot, see {self.log}")
        return self

    def stop(self):
        """Kill all its processes; on a normal stop the master waits for seconds."""
        if self.process:
            signal_group(self.process, signal.SIGKILL)
            self.process.wait(60)
        self.process = None

    def reload(self):
        """Reload the configuration; the old processes run on for a moment."""
        run(["doveadm", "-c", self.config, "reload"])

    def events(self):
        """The log lines of the logins so far."""
        return self.event_log.read_text().splitlines() if self.event_log.exists() else []

    def says(self, text):
        """Wait until Dovecot has logged a line with this text, and return it."""
        return wait_until(
            lambda: next((line for line in self.log.read_text(errors="replace").splitlines()
                          if text in line), None),
            f"{text!r} in {self.log}")

    def workers(self):
        """The process ids of the current auth workers."""
        done = subprocess.run(["pgrep", "-g", str(self.process.pid), "-f", "^dovecot/auth -w"],
                              text=True, capture_output=True)
        return [int(pid) for pid in done.stdout.split()]

    def owner_of(self, mailbox):
        """The user whose home has this mailbox."""
        (place,) = self.mail.glob(f"*/mail/.{mailbox}")
        return place.relative_to(self.mail).parts[0]

    def _is_up(self):
        out = self.folder / "dovecot.out"
        assert self.process.poll() is None, f"Dovecot ended:\n{out.read_text()}"
        return "starting up" in self.log.read_text()

    def _example(self, name):
        """An example with this Dovecot's paths."""
        text = (EXAMPLES / name).read_text()
        for place, private in self._places.items():
            text = text.replace(place, str(private))
        return text

    def _look_users_up_in(self, directory, settings):
        """The settings with the example's second userdb instead of the first."""
        text = self._example("dovecot-ldap.conf.ext")
        for name, value in {"uris": directory.ldapi, "dn": IDENTITIES["mail server"],
                            "dnpass": secret("mail server"), "base": BASE}.items():
            text = re.sub(rf"^{name} = .*", f"{name} = {value}", text, flags=re.MULTILINE)
        (self.folder / "dovecot-ldap.conf.ext").write_text(text)
        static, ldap = re.findall(r"^#?userdb \{\n(?:#? .*\n)+#?\}\n", settings, re.MULTILINE)
        return settings.replace(static, "").replace(ldap, ldap.replace("#", ""))

    def _command(self):
        command = ["dovecot", "-F", "-c", self.config]
        return pam.seeing(self.pam_d, command) if self.pam_d else command

    def _settings_before(self):
        """The settings that the example lacks."""
        return f"""\
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log}
import_environment = $import_environment LUA_CPATH={self._module.parent}/?.so{sanitizers()}
protocols = imap pop3 submission
listen = 127.0.0.1
mail_location = maildir:~/mail
ssl_cert = <{self._authority.certificate}
ssl_key = <{self._authority.key}
submission_relay_host = 127.0.0.1
submission_relay_port = 1
{"".join(self._listeners(service) for service in SERVICES)}"""

    def _settings_behind(self):
        """Verbose logging, and the shortest delays that Dovecot allows."""
        return (NO_MEMORY_LIMIT if sanitizers() else "") + """\
auth_verbose = yes
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}"""

    def _listeners(self, service):
        plain, with_tls = SERVICES[service]
        return f"""\
service {service} {{
  inet_listener {plain} {{
    port = {self.ports[plain]}
  }}
  inet_listener {with_tls} {{
    port = {self.ports[with_tls]}
    ssl = yes
  }}
}}
"""


def asking_pam(settings, example="passdb-pam-2.3.conf"):
    """An example's settings with the passdb for hosts without Lua instead of the Lua one."""
    (lua,) = re.findall(r"^passdb .*\{\n(?:  .*\n)+\}\n", settings, re.MULTILINE)
    return settings.replace(lua, (EXAMPLES / example).read_text())


# ---- Clients: each signs in on its own connection and returns the outcome ----

def imap(server, user, password, create=None):
    """LOGIN over IMAP, by imaplib; after an accepted login it may create a mailbox."""
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
    try:
        verdict = verdict_of(imap_login(client, user, password))
        if create and verdict == ACCEPTED:
            client.create(create)
        return verdict
    finally:
        client.shutdown()


def imap_login(client, user, password):
    """The server's answer to an imaplib client's LOGIN, without the tag."""
    try:
        kind, (text,) = client.login(user, password)
        return f"{kind} {text.decode()}"
    except imaplib.IMAP4.error as error:
        return f"NO {error.args[0].decode()}"


def imap_authenticate(server, user, password, authzid=""):
    """AUTHENTICATE PLAIN over IMAP, by imaplib; allows any characters."""
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
    try:
        kind, (text,) = client.authenticate(
            "PLAIN", lambda _: b"\0".join(part.encode() for part in (authzid, user, password)))
        return verdict_of(f"{kind} {text.decode()}")
    except imaplib.IMAP4.error as error:
        return verdict_of(f"NO {error.args[0]}")
    finally:
        client.shutdown()


def pop3(server, user, password):
    """USER and PASS over POP3, by poplib."""
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    try:
        client.user(user)
        return verdict_of(client.pass_(password).decode())
    except poplib.error_proto as error:
        return verdict_of(error.args[0].decode())
    finally:
        client.close()


def submission(server, user, password, how=smtp.plain):
    """AUTH PLAIN or AUTH LOGIN over SMTP, by smtplib."""
    client = smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=60)
    try:
        client.ehlo()
        reply = how(client, user, password)
        return verdict_of(f"{reply.code} {reply.text}")
    finally:
        client.close()


def submission_login(server, user, password):
    """AUTH LOGIN over SMTP, as Outlook sends it."""
    return submission(server, user, password, smtp.login)


def curl(server, user, password, scheme):
    """curl, with TLS from the first byte: imaps, pop3s or smtps."""
    port = server.ports["submissions" if scheme == "smtps" else scheme]
    done = subprocess.run(
        ["curl", "--silent", "--verbose", "--cacert", server.ca, "--config", "-",
         f"{scheme}://127.0.0.1:{port}"],
        input=f'user = "{user}:{password}"\n', text=True, capture_output=True, timeout=60)
    return verdict_of("\n".join(line for line in done.stderr.splitlines() if line.startswith("< ")))


def curl_imaps(server, user, password):
    return curl(server, user, password, "imaps")


def curl_pop3s(server, user, password):
    return curl(server, user, password, "pop3s")


def curl_smtps(server, user, password):
    return curl(server, user, password, "smtps")


def doveadm(server, user, password, **about):
    """doveadm auth test; service=, rip= and others are passed to Dovecot unchanged."""
    options = [word for name, text in {"service": "imap", **about}.items()
               for word in ("-x", f"{name}={text}")]
    done = subprocess.run(
        ["doveadm", "-c", server.config, "auth", "test", *options, user],
        input=password + "\n", text=True, capture_output=True, timeout=60)
    return UNAVAILABLE if "code=temp_fail" in done.stdout else verdict_of(done.stdout)


def verdict_of(answer):
    """The verdict of an answer; there are three."""
    verdict, = {verdict for verdict, signs in SIGNS.items() for sign in signs if sign in answer}
    return verdict
