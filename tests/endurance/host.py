# SPDX-License-Identifier: BSD-2-Clause
"""The host of a round: Postfix, Dovecot, Dovecot with PAM, the page and the watch."""

import re
import time

import dovecot
import pam
from beside_fixtures import Settings
from certificates import Authority
from conftest import MailServer, example_smtpd_conf, new_folder, write_config
from dovecot24 import is_here
from dovecot_fixtures import Services, installed, new_dovecot
from load import died, make_logins, over_imap, over_smtp
from portal import Portal
from postfix import Postfix
from processes import Clock, run, wait_until
from stored import People, StoredPortal
from watching import Watch

# In seconds.
TIMEOUT, DEADLINE = 3, 9
BACK = TIMEOUT + 2  # the service must find a directory again within this time

# For each user, many more connections than clients. A new process for each connection is slow.
DOVECOT_LINES = "mail_max_userip_connections = 1000\n" + ("" if is_here() else """\
service imap-login {
  service_count = 0
}
service pop3-login {
  service_count = 0
}
service imap {
  service_count = 1000
}
service pop3 {
  service_count = 1000
}
""")


class Host:
    """Its servers sign users of a landscape in; their logs share a small disk."""

    def __init__(self, folder, make_landscape, dice):
        self._folder = folder
        self.kicked = set()  # whose sessions the watch has to end
        authority = Authority(folder / "ca")
        self.disk = folder / "disk"
        self.disk.mkdir()
        run(["mount", "-t", "tmpfs", "-o", "size=32m,mode=0755", "tmpfs", self.disk])
        self.landscape = make_landscape(new_folder(folder, "directories"), authority, dice)
        self.landscape.start()
        keys = self.landscape.settings | {"timeout": TIMEOUT, "deadline": DEADLINE}
        self._start_mail_servers(keys | {"log": self.disk / "app-password.log"}, authority)
        self._start_saslauthd(keys)
        directory = self.landscape.directory
        page = StoredPortal if isinstance(directory, People) else Portal
        self.portal = page(folder / "page", directory, timeout=TIMEOUT, deadline=DEADLINE,
                           **self.landscape.page_settings).start()
        self.watch = Watch(new_folder(folder, "watch"), self.dovecot, directory).start()
        self.logins = make_logins(directory, self.landscape.mfa_is_in_store)
        self.landscape.settle()
        for login in self.logins_by_uid:  # the clients are not at saslauthd, so this is its warm-up
            self.asks_saslauthd(login)

    @property
    def ways(self):
        """One for each client, as for load.Clients. Dovecot is slow to refuse, so it has more clients."""
        def pop3(user, password):
            return dovecot.pop3(self.dovecot, user, password)

        _, over_pam = over_imap(self.dovecot_with_pam)
        dovecots = [over_imap(self.dovecot), ("POP3", pop3), ("PAM", over_pam)]
        return [over_smtp(self.smtp)] * 4 + dovecots * 14

    def processes(self):
        """{role: the ids of its processes}, of those that live long."""
        programs = {"page": self.portal, "watch": self.watch, "saslauthd": self.saslauthd}
        return {"smtpd": self.postfix.processes(self.smtp.service),
                "auth worker": self.dovecot.workers(),
                "auth worker with PAM": self.dovecot_with_pam.workers(),
                } | {role: [one.process.pid] for role, one in programs.items() if one.process}

    def asks_saslauthd(self, login):
        """The verdict in its log: saslauthd itself has one answer for a refusal and an outage."""
        says = self.saslauthd.says(login.user, login.password)
        verdict = re.search(r" verdict=(\S+)", self._services.events()[-1])[1]
        assert says.startswith("OK") == (verdict == dovecot.ACCEPTED), (says, verdict)
        return verdict

    @property
    def logins_by_uid(self):
        """Those that saslauthd can pass on: it goes on with the name that was typed."""
        return [login for login in self.logins if "@" not in login.user]

    def serves(self):
        """Wait until the mail servers have noticed that the directories are back."""
        time.sleep(BACK)

    def complaints(self):
        """What the logs say of processes that ended, and of sessions that the watch ended."""
        lines = self.postfix.log_of(self.smtp.service)
        for server in self.dovecot, self.dovecot_with_pam:
            lines += server.log.read_text(errors="replace").splitlines()
        kicks = [line for line in self.watch.lines("action=kick")
                 if not any(f'user="{user}"' in line for user in self.kicked)]
        return died(lines) + kicks

    def stop(self):
        for server in (self.watch, self.portal, self.saslauthd, self.dovecot_with_pam, self.dovecot,
                       self.postfix, self.landscape):
            server.stop()

    def _start_mail_servers(self, keys, authority):
        self.postfix = Postfix(self._folder / "postfix", installed("sasl2/libapppassword.so"), authority)
        own = new_folder(self._folder, "mail-server")
        path = write_config(own, **keys)
        service = self.postfix.service(example_smtpd_conf(path), "under load")
        self.smtp = MailServer(self.postfix, service, authority, own)
        options = {"authority": authority, "module": installed("lua/5.4/app_password.so"),
                   "lines": DOVECOT_LINES}
        self.dovecot = new_dovecot(self._folder, Settings(keys), **options)
        example = "passdb-pam-2.4.conf" if is_here() else "passdb-pam-2.3.conf"
        self.dovecot_with_pam = new_dovecot(
            self._folder, Settings(keys), pam_d=self._pam_services(keys).pam_d,
            settings=lambda text: dovecot.asking_pam(text, example), **options)
        for server in self.postfix, self.dovecot, self.dovecot_with_pam:
            server.start()

    def _start_saslauthd(self, keys):
        """With a clock that can be set."""
        self.clock = Clock(self._folder / "clock")
        self.clock.env["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"  # a step does not change it
        self._services = self._pam_services(keys)
        self.saslauthd = pam.Saslauthd(new_folder(self._folder, "run"), self._services.pam_d,
                                       clock=self.clock).start()

    def _pam_services(self, keys):
        folder = new_folder(self._folder, "pam")
        path = write_config(folder, **keys)
        return Services(folder, installed("security/pam_app_password.so"), path)


def wait_for_service(clients):
    """Wait until nothing is unavailable any more."""
    wait_until(lambda: all(answer.verdict != dovecot.UNAVAILABLE for answer in clients.answers[-100:]),
               "service", timeout=120)
