# SPDX-License-Identifier: BSD-2-Clause
"""Clients that sign in without pause while directories fail, and what becomes of the servers."""

import pathlib
import random
import re
import smtplib
import ssl
import threading
import time
from collections import Counter, namedtuple

import dovecot
import smtp
from apppassword import from_now

# `needs_store`: whether the answer depends on the store, if there is one.
Login = namedtuple("Login", "user password is_good needs_store", defaults=[True])
Answer = namedtuple("Answer", "protocol login verdict begin end")
Footprint = namedtuple("Footprint", "resident files threads")  # KiB, open files, threads

STALL = 0.5  # seconds by which a thread wakes up late

VERDICTS = {smtp.ACCEPTED: dovecot.ACCEPTED, smtp.REFUSED: dovecot.REFUSED,
            smtp.UNAVAILABLE: dovecot.UNAVAILABLE}


class Clients:
    """Threads that sign in until stopped.

    ways    one for each thread: (protocol, function that signs in and returns the verdict)
    stalls  (from, to): when the whole machine stood still, or nearly so
    """

    def __init__(self, logins, ways):
        self.answers, self.troubles, self.stalls = [], [], []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._note_stalls)] + [
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

    def _note_stalls(self):
        while not self._ended.is_set():
            begin = time.monotonic()
            time.sleep(0.1)
            if (end := time.monotonic()) - begin > STALL:
                self.stalls.append((begin, end))

    def _run(self, protocol, way, dice, logins):
        while not self._ended.is_set():
            login = dice.choice(logins)
            begin = time.monotonic()
            try:
                verdict = way(login.user, login.password)
                self.answers.append(Answer(protocol, login, verdict, begin, time.monotonic()))
            except Exception as error:  # pylint: disable=broad-except # it would end the thread
                self.troubles.append((protocol, repr(error)))


def over_smtp(server):
    """Signs in at a conftest.MailServer. After a refusal, a thread tries the next login on the same connection."""
    context = ssl.create_default_context(cafile=server.ca)
    own = threading.local()

    def connect():
        client = smtplib.SMTP_SSL("127.0.0.1", server.port, "client.example.org", timeout=60, context=context)
        client.ehlo()
        return client

    def sign_in(user, password):
        client, own.client = getattr(own, "client", None) or connect(), None
        try:
            verdict = VERDICTS[smtp.plain(client, user, password).code]
            if verdict == dovecot.REFUSED:  # the answer to an outage may be immediate, and would fill the sums
                own.client = client
            return verdict
        finally:
            if not own.client:
                client.close()
    return "SMTP", sign_in


def over_imap(server):
    """Signs in at a Dovecot."""
    return "IMAP", lambda user, password: dovecot.imap(server, user, password)


def wrong_verdicts(answers, back, could_answer, stalls=()):
    """Answers that the state of the directories does not explain.

    back          the seconds in which the service must find a directory again
    could_answer  (login, begin, end): whether the directories it needs were up for the whole time
    stalls        those of Clients; to a login meanwhile, a directory may seem to be silent
    """
    for answer in answers:
        right = dovecot.ACCEPTED if answer.login.is_good else dovecot.REFUSED
        if answer.verdict not in (right, dovecot.UNAVAILABLE):
            yield "wrong", answer
        elif answer.verdict == dovecot.UNAVAILABLE and could_answer(
                answer.login, answer.begin - back, answer.end) and not any(
                    since < answer.end and answer.begin < until for since, until in stalls):
            yield "unavailable although the directories were up", answer


def make_logins(directory, mfa_is_in_store=True):
    """Good and bad logins of every kind; directory is a Slapd or has its interface."""
    logins = []
    for _ in range(4):
        person, app_password, revoked = directory.new_person(mfa=True, app_passwords=2)
        directory.revoke(person, revoked)
        expired = directory.add_app_password(person, created=from_now(days=-10),
                                             expires=from_now(days=-3))
        without_mfa, mistaken = directory.new_person(), directory.new_person()
        for off in without_mfa, mistaken:
            directory.set_mfa(off, False)  # Active Directory shows only a value
        foreign = directory.new_person(mfa=True, app_passwords=1)[1]
        wrong = app_password.shown[:5] + foreign.shown[5:]
        logins += [Login(person.uid, app_password.shown, True),
                   Login(person.mail, app_password.shown, True),
                   Login(without_mfa.uid, without_mfa.password, True, mfa_is_in_store),
                   Login(person.uid, person.password, False),
                   Login(person.uid, revoked.shown, False),
                   Login(person.uid, expired.shown, False),
                   Login(person.uid, wrong, False),
                   Login(without_mfa.uid, app_password.shown, False),
                   Login(mistaken.uid, "wrong", False, mfa_is_in_store),
                   Login("nobody", app_password.shown, False, False)]
    return logins


def footprint(pids):
    """{process: Footprint}"""
    result = {}
    for pid in pids:
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            files = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = dict(re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE))
        if "VmRSS" in fields:  # not a zombie
            result[pid] = Footprint(int(fields["VmRSS"]), files, int(fields["Threads"]))
    return result


def died(lines):
    """Log lines about crashed processes."""
    return [line for line in lines if any(word in line for word in (
        "killed by signal", "killed with signal", "fatal:", "Fatal:", "panic:", "Panic:",
        "exit status", "core dumped"))]


def inflict(victims, kinds, dice, how_many, enough):
    """Break and repair one directory or both until there were enough faults and logins."""
    count = Counter()
    while sum(count.values()) < how_many or not enough():
        chosen = victims if dice.random() < 0.4 else [dice.choice(victims)]
        for victim in chosen:
            kind = dice.choice(kinds)
            victim.break_by(kind, dice)
            count[kind] += 1
        time.sleep(dice.uniform(0.2, 2.2))
        for victim in dice.sample(chosen, len(chosen)):
            victim.repair()
        time.sleep(dice.uniform(0.2, 5))
    return count
