# SPDX-License-Identifier: BSD-2-Clause
"""Faults under load: eight clients sign in without pause while the directory fails repeatedly.

Two directories in replication, reached by ldaps, are killed, stopped, restarted, cut off and given
an expired certificate, one at a time or both. A wrong password is never accepted and a right one
never refused, each login gets its answer in time, and logins work again as soon as one directory
does.
"""

import itertools
import pathlib
import random
import shutil
import signal
import smtplib
import socket
import ssl
import threading
import time
from collections import Counter, namedtuple
from types import SimpleNamespace

import pytest

import dovecot
import smtp
from dovecot_fixtures import new_dovecot
from fakes import Relay
from processes import sanitizers, signal_group, wait_until
from replication import Replication
from slapd import ACL

# In seconds. The slack allows for a busy machine.
TIMEOUT, DEADLINE, SLACK = 1, 4, 2.5

# The service must find a directory again within this time.
BACK = TIMEOUT + 0.5

SHORT, LONG = SimpleNamespace(logins=1500, faults=10), SimpleNamespace(logins=20000, faults=50)

Login = namedtuple("Login", "user password is_good")
Answer = namedtuple("Answer", "protocol login verdict begin end")


class Server:
    """One of the two directories, and the times when it was up."""

    def __init__(self, slapd, certificate, good, expired):
        self.slapd = slapd
        self.relay = Relay(*slapd.ldaps.removeprefix("ldaps://").split(":"))
        self.uri = f"ldaps://{self.relay.address}"
        self.up_since = time.monotonic()
        self.times_up = []  # (from, to)
        self._certificate, self._good, self._expired = certificate, good, expired
        self._repair = None

    @property
    def is_up(self):
        return self._repair is None

    def break_by(self, kind):
        self.times_up.append((self.up_since, time.monotonic()))
        self._repair = getattr(self, f"_{kind}")()

    def repair(self):
        self._repair()
        self._repair = None
        self.up_since = time.monotonic()

    def was_up(self, begin, end):
        """True if it was up for the whole time."""
        times = [*self.times_up, (self.up_since, time.monotonic())] if self.is_up \
            else self.times_up
        return any(since <= begin and end <= until for since, until in times)

    def _kill(self):
        signal_group(self.slapd.process, signal.SIGKILL)
        self.slapd.process.wait(10)
        return self.slapd.start

    def _stop(self):
        self.slapd.pause()
        return self.slapd.resume

    def _restart(self):
        self.slapd.stop()
        return self.slapd.start

    def _cut(self):
        self.relay.cut()
        return self.relay.restore

    def _expire(self):
        self.slapd.stop()
        shutil.copy(self._expired, self._certificate)
        self.slapd.start()

        def renew():
            self.slapd.stop()
            shutil.copy(self._good, self._certificate)
            self.slapd.start()
        return renew


KINDS = ["kill", "stop", "restart", "cut", "expire"]


@pytest.fixture
def servers(folder, authority):
    """A provider and a consumer, each with its own replaceable certificate."""
    expired = authority.expired(folder / "expired")
    certificates = [folder / "provider.pem", folder / "consumer.pem"]
    for certificate in certificates:
        shutil.copy(authority.certificate, certificate)
    both = Replication(folder / "replication", ppolicy=False, acl=ACL["slapd.conf"][:1],
                       authority=authority)
    for slapd, certificate in zip((both.provider, both.consumer), certificates):
        config = slapd.folder / "slapd.conf"
        config.write_text(config.read_text().replace(
            f"TLSCertificateFile {authority.certificate}", f"TLSCertificateFile {certificate}"))
    both.start()
    pair = [Server(slapd, certificate, authority.certificate, expired)
            for slapd, certificate in zip((both.provider, both.consumer), certificates)]
    yield SimpleNamespace(both=both, pair=pair)
    for server in pair:
        if not server.is_up:
            server.repair()
        server.relay.close()
    both.stop()


def make_logins(directory):
    """Good and bad logins of every kind."""
    logins = []
    for _ in range(4):
        person, app_password, revoked = directory.new_person(mfa=True, app_passwords=2)
        directory.revoke(person, revoked)
        without_mfa, mistaken = directory.new_person(), directory.new_person()
        wrong = app_password.shown[:5] + directory.new_person(app_passwords=1)[1].shown[5:]
        logins += [Login(person.uid, app_password.shown, True),
                   Login(person.mail, app_password.shown, True),
                   Login(without_mfa.uid, without_mfa.password, True),
                   Login(person.uid, person.password, False),
                   Login(person.uid, revoked.shown, False),
                   Login(person.uid, wrong, False),
                   Login(mistaken.uid, "wrong", False),
                   Login("nobody", app_password.shown, False)]
    return logins


class Clients:
    """Eight threads that sign in until stopped."""

    def __init__(self, logins, mail_server, imap_server):
        self.answers, self.troubles = [], []
        self._ended = threading.Event()
        self._mail_server, self._imap_server = mail_server, imap_server
        self._context = ssl.create_default_context(cafile=mail_server.ca)
        ways = [("SMTP", self._smtp), ("IMAP", self._imap)] * 4
        self._threads = [
            threading.Thread(target=self._run, args=(protocol, way, random.Random(number), logins))
            for number, (protocol, way) in enumerate(ways)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    def _run(self, protocol, way, dice, logins):
        while not self._ended.is_set():
            login = dice.choice(logins)
            begin = time.monotonic()
            try:
                verdict = way(login)
                self.answers.append(Answer(protocol, login, verdict, begin, time.monotonic()))
            except (OSError, smtplib.SMTPException, ValueError) as error:
                self.troubles.append((protocol, repr(error)))

    def _smtp(self, login):
        client = smtplib.SMTP_SSL("127.0.0.1", self._mail_server.port, timeout=30,
                                  context=self._context)
        try:
            client.ehlo()
            reply = smtp.plain(client, login.user, login.password)
            return {smtp.ACCEPTED: dovecot.ACCEPTED, smtp.REFUSED: dovecot.REFUSED,
                    smtp.UNAVAILABLE: dovecot.UNAVAILABLE}[reply.code]
        finally:
            client.close()

    def _imap(self, login):
        return dovecot.imap(self._imap_server, login.user, login.password)


def inflict(servers, dice, how_many, enough):
    """Break and repair one directory or both until there were enough faults and logins."""
    count = Counter()
    while sum(count.values()) < how_many or not enough():
        victims = servers if dice.random() < 0.4 else [dice.choice(servers)]
        for victim in victims:
            kind = dice.choice(KINDS)
            victim.break_by(kind)
            count[kind] += 1
        time.sleep(dice.uniform(0.2, 2.2))
        for victim in dice.sample(victims, len(victims)):
            victim.repair()
        time.sleep(dice.uniform(0.2, 2.5))
    return count


def wrong_verdicts(answers, servers):
    """Answers that the state of the directories does not explain."""
    for answer in answers:
        right = dovecot.ACCEPTED if answer.login.is_good else dovecot.REFUSED
        if answer.verdict not in (right, dovecot.UNAVAILABLE):
            yield "wrong", answer
        elif answer.verdict == dovecot.UNAVAILABLE and any(
                server.was_up(answer.begin - BACK, answer.end) for server in servers):
            yield "unavailable although a directory was up", answer


def footprint(pids):
    """{process: (resident KiB, open files)}"""
    result = {}
    for pid in pids:
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            files = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            continue
        resident = next(int(line.split()[1]) for line in status.splitlines()
                        if line.startswith("VmRSS"))
        result[pid] = resident, files
    return result


def test_faults_under_load(request, servers, postfix, mail_server, workdir, authority, lua_module):
    size = LONG if request.config.getoption("--long") else SHORT
    logins = make_logins(servers.both.provider)
    servers.both.in_step()
    config = {"uri": " ".join(server.uri for server in servers.pair), "tls_cacert": authority.ca,
              "timeout": TIMEOUT, "deadline": DEADLINE, "login_attribute": "uid"}
    smtp_server = mail_server(config, kind="under load")
    imap_server = new_dovecot(workdir, servers.both.provider, config, authority=authority,
                              module=lua_module)
    imap_server.start()

    def processes():
        return footprint(postfix.processes(smtp_server.service) + imap_server.workers())

    try:
        with Clients(logins, smtp_server, imap_server) as clients:
            wait_until(lambda: len(clients.answers) > min(1000, size.logins // 3), "logins",
                       timeout=120)
            before = processes()
            count = inflict(servers.pair, random.Random(7), size.faults,
                            lambda: len(clients.answers) >= size.logins)
            wait_until(lambda: all(answer.verdict != dovecot.UNAVAILABLE
                                   for answer in clients.answers[-100:]), "service", timeout=60)
            after = processes()
        answers = clients.answers
        longest = max(answer.end - answer.begin for answer in answers)
        verdicts = Counter((answer.protocol, answer.verdict) for answer in answers)
        kept = before.keys() & after.keys()
        growth = max(after[pid][0] - before[pid][0] for pid in kept)
        print(f"\n{len(answers)} logins, {dict(count)} faults, verdicts {dict(verdicts)}, "
              f"longest {longest:.2f} s, {len(kept)} processes from first to last, "
              f"the largest grew by {growth} KiB, files {before} -> {after}")
        assert list(itertools.islice(wrong_verdicts(answers, servers.pair), 5)) == []
        assert clients.troubles == []
        assert longest < DEADLINE + SLACK
        assert kept and (growth < 2048 or sanitizers())
        assert all(after[pid][1] <= before[pid][1] + 2 for pid in kept)
        assert died(postfix.log_of(smtp_server.service)) == []
        assert died(imap_server.log.read_text(errors="replace").splitlines()) == []
    finally:
        imap_server.stop()


def died(lines):
    """Log lines about crashed processes."""
    return [line for line in lines if any(word in line for word in (
        "killed by signal", "killed with signal", "fatal:", "Fatal:", "panic:", "Panic:",
        "exit status", "core dumped"))]
