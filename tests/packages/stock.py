#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Signs in with the stock mechanisms of Debian's Postfix, Dovecot, slapd and svnserve.

    stock.py prepare     sets them up, beside what host.py prepares
    stock.py             signs in, and prints what each of them offers and answers

On a host that only has our packages installed, the lines are the same as before.
"""

import imaplib
import pathlib
import re
import smtplib
import ssl
import subprocess
import sys

import host
from host import BASE, BOB, run

PASSWORD, WRONG = "Stock.password/1", "Wrong.password/1"
REPOSITORY = "svn://127.0.0.1/repository"


def prepare():
    """Password files of Cyrus SASL for Postfix and svnserve, a system user for Dovecot."""
    sasl = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: {}\n"
    write("/etc/postfix/sasl/smtpd.conf", sasl.format("PLAIN LOGIN CRAM-MD5"))
    write("/etc/sasl2/svn.conf", sasl.format("DIGEST-MD5 CRAM-MD5"))
    for realm in "mail.example.org", "svn":
        run("saslpasswd2", "-p", "-c", "-u", realm, "carol", input=PASSWORD)
    run("cp", "/etc/sasldb2", "/var/spool/postfix/etc/sasldb2")
    run("chgrp", "postfix", "/etc/sasldb2", "/var/spool/postfix/etc/sasldb2")
    run("postconf", "-e", "myhostname=mail.example.org", "smtpd_sasl_auth_enable=yes",
        "cyrus_sasl_config_path=/etc/postfix/sasl")
    host.restart("postfix")
    run("useradd", "--create-home", "carol")
    run("chpasswd", input=f"carol:{PASSWORD}\n")
    host.config(f"""dn: cn=config
changetype: modify
replace: olcAuthzRegexp
olcAuthzRegexp: uid=([^,]+),.*cn=(digest-md5|cram-md5),cn=auth uid=$1,ou=people,{BASE}
""")
    run("svnadmin", "create", "/srv/repository")
    write("/srv/repository/conf/svnserve.conf",
          "[general]\nanon-access = none\nrealm = svn\n[sasl]\nuse-sasl = true\n")


def write(path, text):
    """Write a file; create its folder if necessary."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def postfix():
    """Each mechanism of libsasl2, with a password file."""
    for password in PASSWORD, WRONG:
        for mechanism in "PLAIN", "LOGIN", "CRAM-MD5":
            with smtplib.SMTP("127.0.0.1", timeout=60) as client:
                client.starttls(context=ssl._create_unverified_context())
                client.ehlo()
                if (mechanism, password) == ("PLAIN", PASSWORD):
                    yield f"offers {sorted(client.esmtp_features['auth'].split())}"
                client.user, client.password = "carol@mail.example.org", password
                answer = getattr(client, f"auth_{mechanism.lower().replace('-', '_')}")
                try:
                    code, _ = client.auth(mechanism, answer)
                except smtplib.SMTPAuthenticationError as error:
                    code = error.smtp_code
                yield f"{mechanism} {password}: {code}"


def dovecot():
    """PAM, with a user of the system."""
    for password in PASSWORD, WRONG:
        client = imaplib.IMAP4("127.0.0.1")
        client.starttls(ssl._create_unverified_context())
        if password == PASSWORD:
            yield f"offers {sorted(c for c in client.capabilities if c.startswith('AUTH'))}"
        try:
            answer = client.login("carol", password)[0]
        except client.error as error:
            answer = str(error)
        yield f"LOGIN {password}: {answer}"


def slapd():
    """libsasl2's mechanisms, with a password from the directory itself."""
    offered = run("ldapsearch", "-x", "-H", "ldapi:///", "-LLL", "-s", "base", "-b", "",
                  "supportedSASLMechanisms")
    yield f"offers {sorted(re.findall('^supportedSASLMechanisms: (.*)', offered, re.MULTILINE))}"
    for password in BOB.password, WRONG:
        for mechanism in "DIGEST-MD5", "CRAM-MD5":
            yield f"{mechanism} {password}: " + said(
                "ldapwhoami", "-Q", "-H", "ldapi:///", "-Y", mechanism, "-U", BOB.uid,
                "-w", password)


def svnserve():
    """libsasl2's mechanisms, with a password file; only this test runs svnserve."""
    server = subprocess.Popen(["svnserve", "--daemon", "--foreground", "--listen-host", "127.0.0.1",
                               "--root", "/srv"])
    host.wait_until(lambda: host.is_listening(3690), "svnserve")
    for password in PASSWORD, WRONG:
        yield f"{password}: " + said(
            "svn", "info", "--show-item=revision", "--non-interactive", "--no-auth-cache",
            "--username", "carol", "--password-from-stdin", REPOSITORY, input=password + "\n")
    server.terminate()
    server.wait()


def said(*argv, **options):
    """A command's exit status, and its output in one line."""
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    return f"exit {done.returncode}: {' '.join(done.stdout.split())}"


def check(lines):
    """Every server accepts the right password and nothing else."""
    for line in lines:
        if " offers " not in line:
            is_in = line.endswith((": 235", ": OK")) or ": exit 0: " in line
            assert is_in == (WRONG not in line), line


def main():
    if sys.argv[1:] == ["prepare"]:
        prepare()
        return
    for port in host.PORTS.values():
        host.wait_until(lambda: host.is_listening(port), f"port {port}")
    lines = [f"{server.__name__} {line}" for server in (postfix, dovecot, slapd, svnserve)
             for line in server()]
    print("\n".join(lines))
    check(lines)


if __name__ == "__main__":
    main()
