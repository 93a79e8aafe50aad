# SPDX-License-Identifier: BSD-2-Clause
"""Dovecot 2.4, of this machine or in a Debian 13 of its own.

debootstrap makes the Debian 13 once; it is kept and never changed. In a mount namespace, its
programs see the tests' folder at the usual path.
"""

import os
import pathlib
import re
import shutil

import debian
import pam
import shared
from dovecot import MAIL_USER, SERVICES, Dovecot
from processes import run, sanitizers
from slapd import BASE, IDENTITIES, secret

PACKAGES = """dovecot-auth-lua dovecot-core dovecot-imapd dovecot-ldap dovecot-lmtpd dovecot-pop3d
dovecot-submissiond gcc libc6-dev libjansson-dev libldap-dev liblua5.4-dev libpam0g-dev
libidn2-dev libsasl2-dev libsodium-dev make pkgconf"""

SOURCES = pathlib.Path(__file__).resolve().parents[2]
NOT_SOURCES = (".git", "*.o", "*.a", "*.so", "config.status", "configure.lineno", "Makefile",
               "stamp-h1", "apw_build.h", "autom4te.cache", "__pycache__")


class Debian13:
    """A Debian 13 with Dovecot, and our modules for it in the tests' folder."""

    def __init__(self, folder):
        self.folder = folder
        self.root = debian.make("debian-13", "trixie", PACKAGES.split())
        built = shared.folder("dovecot-2.4", self._build) / "build"
        self.lua_module = folder / "app_password.so"
        self.pam_module = folder / "pam_app_password.so"
        for module in (self.lua_module, self.pam_module):
            shutil.copy(built / module.name, folder)

    def inside(self, command, pam_d=None, seen=None):
        """A prefix that runs a command there, which sees a folder, by default that of the tests.

        pam_d  a folder to mount as /etc/pam.d
        """
        enter = """set -e; root=$1 seen=$2 pam_d=$3; shift 3
            mount -t proc proc "$root/proc"
            [ -z "$pam_d" ] || mount --bind "$pam_d" "$root/etc/pam.d"
            mount -t tmpfs tmpfs "$root/tmp"
            mkdir -p "$root$seen"
            mount --bind "$seen" "$root$seen"
            exec chroot "$root" "$@" """
        return ["unshare", "--mount", "sh", "-c", enter, "sh",
                *map(str, [self.root, seen or self.folder.parent, pam_d or "", *command])]

    def _build(self, folder):
        source, build = folder / "source", folder / "build"
        shutil.copytree(SOURCES, source, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        build.mkdir()
        run(["autoreconf", "-i", source])  # nothing to do if up to date
        run(self.inside(["sh", "-c", f"cd {build} && ../source/configure && "
                                     f"make -j{os.cpu_count()} app_password.so pam_app_password.so"],
                        seen=folder))


class ThisMachine:
    """The same for a machine that has Dovecot 2.4 itself."""

    def __init__(self, lua_module, pam_module):
        self.lua_module, self.pam_module = lua_module, pam_module

    @staticmethod
    def inside(command, pam_d=None):
        return pam.seeing(pam_d, command) if pam_d else command


def is_here():
    """Whether this machine has Dovecot 2.4 itself."""
    return run(["dovecot", "--version"]).startswith("2.4.")


def dovecot_of_this_machine():
    """The class for its Dovecot."""
    return Dovecot24 if is_here() else Dovecot


class Dovecot24(Dovecot):
    """Dovecot 2.4; arguments are those of Dovecot.

    inside  a prefix that runs a command where Dovecot 2.4 is
    """

    example = "dovecot-2.4.conf"

    def __init__(self, *arguments, inside=ThisMachine.inside, **options):
        self.inside = inside
        super().__init__(*arguments, **options)

    def _command(self):
        return self.inside(["dovecot", "-F", "-c", self.config], self.pam_d)

    def _example(self, name):
        """2.4 writes spaces around its signs, and a Debian 13 for Dovecot has no Postfix."""
        text = super()._example(name).replace(" = vmail", f" = {MAIL_USER}")
        return text if is_here() else text.replace(" = postfix", " = dovecot")

    def _look_users_up_in(self, directory, settings):
        """In 2.4 the settings contain the directory's address."""
        (static,) = re.findall(r"^userdb static \{\n(?:  .*\n)+\}\n", settings, re.MULTILINE)
        (ldap,) = re.findall(r"^#ldap_.*\n(?:#(?:ldap_|  |userdb |\}).*\n)+", settings, re.MULTILINE)
        active = ldap.replace("#", "")
        for name, value in {"uris": directory.ldapi, "auth_dn": IDENTITIES["mail server"],
                            "auth_dn_password": secret("mail server"), "base": BASE}.items():
            active = re.sub(rf"^ldap_{name} = .*", f"ldap_{name} = {value}", active,
                            flags=re.MULTILINE)
        return settings.replace(static, "").replace(ldap, active)

    def _settings_before(self):
        return f"""\
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log}
import_environment {{
  LUA_CPATH = {self._module.parent}/?.so{sanitizers()}
}}
protocols = imap pop3 submission
listen = 127.0.0.1
mail_driver = maildir
mail_path = ~/mail
ssl_server_cert_file = {self._authority.certificate}
ssl_server_key_file = {self._authority.key}
submission_relay_host = 127.0.0.1
submission_relay_port = 1
{"".join(self._listeners(service) for service in SERVICES)}"""

    def _settings_behind(self):
        return super()._settings_behind() + "\nauth_internal_failure_delay = 0"
