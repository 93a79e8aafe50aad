# SPDX-License-Identifier: BSD-2-Clause
"""The morning's storm: mail servers that have just been restarted, and everybody signs in.

Clients arrive at random moments, however long the answers take. Each connects from an address of
its own, signs in once and disconnects. One in twenty has a wrong password.
"""

import asyncio
import base64
import bisect
import itertools
import random
import resource
import ssl
import time
from collections import Counter, namedtuple

import report
import sites
import smtp
from crowd import worker_count
from dovecot import ACCEPTED, REFUSED, UNAVAILABLE, verdict_of
from operations import floor, median, rates, row
from sites import STORM_COST as COST

SMTP_SHARE = 11  # one client in so many uses SMTP, the others IMAP
WRONG_SHARE = 20  # one in so many has a wrong password
PATIENCE = 60  # seconds until a client gives up, as Outlook does
DEADLINE = 12  # seconds, the default of app-password.conf(5)
NO_ANSWER = "no answer"
BEST_OF = 10  # seconds: the best rate is that of so many

# The same for all Dovecots, to spend little time on what is no login: IMAP has no TLS, and programs
# serve more than one session.
DOVECOT_LINES = f"""\
disable_plaintext_auth = no
service imap-login {{
  service_count = 0
  process_min_avail = {report.CORES}
}}
service imap {{
  service_count = 1000
}}
""" + worker_count(report.CORES)

# Seconds, from the begin of the storm.
Login = namedtuple("Login", "begin end verdict is_right")
# The logins of a storm, and the cores that its clients kept busy.
Storm = namedtuple("Storm", "logins clients")


# ---- clients ----

async def _imap(stream, user, password):
    reader, writer = stream
    await reader.readline()  # the greeting
    writer.write(f"a LOGIN {user} {password}\r\n".encode())
    while not (line := await _line(reader)).startswith("a "):
        pass
    return verdict_of(line)


SMTP_VERDICTS = {smtp.ACCEPTED: ACCEPTED, smtp.REFUSED: REFUSED, smtp.UNAVAILABLE: UNAVAILABLE}


async def _smtp(stream, user, password):
    reader, writer = stream
    await _reply(reader)
    writer.write(b"EHLO client.example.org\r\n")
    await _reply(reader)
    message = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    writer.write(f"AUTH PLAIN {message}\r\n".encode())
    return SMTP_VERDICTS[await _reply(reader)]


async def _reply(reader):
    """The code of an SMTP reply, which may have several lines."""
    while (line := await _line(reader))[3] == "-":
        pass
    return int(line[:3])


async def _line(reader):
    line = await reader.readline()
    if not line:
        raise ConnectionError("closed")
    return line.decode()


async def _sign_in(number, port, tls, talk, user, password):
    """The verdict that one client gets."""
    address = f"127.1.{number // 250 % 250}.{number % 250 + 1}"
    stream = await asyncio.open_connection("127.0.0.1", port, ssl=tls, local_addr=(address, 0))
    try:
        return await talk(stream, user, password)
    finally:
        stream[1].close()


async def _storm(imap_port, smtp_port, tls, moments):
    """The logins of clients who arrive at these moments."""
    begin = time.monotonic()

    async def client(number, moment):
        is_right = number % WRONG_SHARE != WRONG_SHARE - 1
        how = (smtp_port, tls, _smtp) if number % SMTP_SHARE == 0 else (imap_port, None, _imap)
        await asyncio.sleep(moment - (time.monotonic() - begin))
        start = time.monotonic() - begin
        try:
            verdict = await asyncio.wait_for(_sign_in(
                number, *how, sites.names(COST).replace("#", str(number)),
                sites.CANONICAL if is_right else sites.WRONG_SECRET), PATIENCE)
        except (OSError, asyncio.TimeoutError):
            verdict = NO_ANSWER
        return Login(start, time.monotonic() - begin, verdict, is_right)

    return await asyncio.gather(*itertools.starmap(client, enumerate(moments)))


# ---- storms ----

def storm_at(world, kind, rate, count):
    """A Storm of `count` clients, `rate` a second, at new servers of this kind."""
    chance = random.Random(count)
    moments = sorted(chance.uniform(0, count / rate) for _ in range(count))
    if kind in ("ours", sites.IN_TIME):
        config = world.config("storm-config", uri=world.directory.ldapi_in_chroot)
        smtp_port = world.smtpd(sites.conftest.example_smtpd_conf(config), "many processes")
    else:
        world.saslauthd  # must exist
        smtp_port = world.smtpd(sites.ASKS_SASLAUTHD, "many processes")
    tls = ssl.create_default_context(cafile=world.authority.ca)
    server = world.dovecot(f"storm-{next(_number)}", kind, DOVECOT_LINES)
    try:
        begin, used = time.monotonic(), time.process_time()
        logins = asyncio.run(_storm(server.ports["imap"], smtp_port, tls, moments))
        assert any(login.verdict == ACCEPTED for login in logins), f"{kind}: nobody got in"
        return Storm(logins, (time.process_time() - used) / (time.monotonic() - begin))
    finally:
        server.stop()


_number = itertools.count(1)


def storm(world, _rounds):
    """For us and for peers, a storm that the floor could serve, and one of twice the floor's rate."""
    clients, seconds = world.scale.storm
    rows = []
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    clients = min(clients, files - 1000)  # each needs one
    for kind in SERVERS:
        storms = {}
        for factor in 0.9, 2:
            rate = floor_rate(world)
            count = min(clients, max(11, int(factor * rate * seconds)))
            storms[factor] = storm_at(world, kind, factor * rate, count)
        rows += rows_of_a_storm(kind, 0.9, storms[0.9])
        rows += rows_of_too_much(kind, 2, rate, storms[2], max(map(best_rate, storms.values())))
    return rows


def floor_rate(world):
    """Searches with a hash in a second, measured before each storm."""
    (rate, _), = rates(world, [floor(world.directory, COST)], 0, world.scale.storm[0], report.CORES,
                       5 * world.scale.seconds).values()
    return rate


SERVERS = {sites.IN_TIME: "Dovecot and Postfix, ours", "ours": "ours without the optional passdb",
           "fetched": "Dovecot fetched, Postfix saslauthd",
           "bind": "Dovecot bind, Postfix saslauthd"}


def is_served(login):
    return login.verdict in (ACCEPTED, REFUSED)


def without_clients(storm, rate):
    """What the servers could do if clients on other hosts did not need their cores."""
    return rate * report.CORES / (report.CORES - storm.clients)


def best_rate(storm):
    """The most that were served in a second, over BEST_OF seconds."""
    ends = sorted(login.end for login in storm.logins if is_served(login))
    most = max(bisect.bisect_left(ends, end + BEST_OF) - number for number, end in enumerate(ends))
    return without_clients(storm, most / BEST_OF)


def rows_of_a_storm(kind, factor, storm):
    """Rows about a storm that can be served: everybody is in soon."""
    logins = storm.logins
    last = max(login.begin for login in logins)
    return [row_of(kind, factor, "all answered, against the storm's length",
                   {"last arrival": last, "last answer": max(login.end for login in logins)}, "s",
                   lambda each: each["last answer"] / each["last arrival"], ("<=", 1.1)),
            row_of(kind, factor, "share without the right answer", counts(logins), "clients",
                   lambda each: 1 - each["right"] / len(logins), ("<=", 0)),
            row_of(kind, factor, "until the answer", waits(logins), "s")]


def rows_of_too_much(kind, factor, rate, storm, best):
    """Rows about a storm that cannot be served: it delays many, but nothing breaks down."""
    logins = storm.logins
    last = max(login.begin for login in logins)
    served = sum(is_served(login) and login.end <= last for login in logins) / last
    rates_of = {"floor": rate, "best": best, "served": without_clients(storm, served)}
    return [row_of(kind, factor, "served while it lasts, against the best of both storms", rates_of, "/s",
                   lambda each: each["served"] / each["best"], (">=", 0.9)),
            row_of(kind, factor, "share with the wrong verdict", counts(logins), "clients",
                   lambda each: each["wrong"] / len(logins), ("<=", 0)),
            row_of(kind, factor, "until the answer, against the deadline", waits(logins), "s",
                   lambda each: each["longest"] / DEADLINE, ("<=", 1)),
            row_of(kind, factor, "last answer after the last arrival, against the deadline",
                   {"later": max(login.end for login in logins) - last}, "s",
                   lambda each: each["later"] / DEADLINE, ("<=", 1))]


def row_of(kind, factor, what, values, unit, ratio=None, goal=None):
    return row(f"storm at {factor} × the floor's rate, {COST}: {what}", SERVERS[kind], [values], unit,
               ratio, goal if kind == sites.IN_TIME else None)


def counts(logins):
    """The clients by what they were told; those with a wrong password must be refused."""
    wanted = {True: ACCEPTED, False: REFUSED}
    found = Counter("right" if login.verdict == wanted[login.is_right] else
                    "wrong" if login.verdict in (ACCEPTED, REFUSED) else
                    login.verdict for login in logins)
    return {name: found[name] for name in ("right", "wrong", UNAVAILABLE, NO_ANSWER)}


def waits(logins):
    spent = sorted(login.end - login.begin for login in logins)
    return {"median": median(spent), "95 %": spent[len(spent) * 95 // 100], "longest": spent[-1]}
