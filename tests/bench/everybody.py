# SPDX-License-Identifier: BSD-2-Clause
"""Commands that read every user: their memory and time in a small and in a large directory."""

import ctypes
import os
import pathlib
import re
import subprocess
import time
import uuid
from collections import namedtuple

import apppassword
import report
import sites
from administration import DONE, FAILED, Site
from beside import Users
from operations import against, row
from slapd import ACL, BASE, IDENTITIES, Slapd
from store import Store

PEOPLE = f"ou=everybody,{BASE}"
EACH = 3  # app passwords of a user
# One user in so many has an expired app password; another one that was not used for long; or is gone
# from the users' directory, but not from the store.
EXPIRED, UNUSED, GONE = 100, 100, 200
MAXSIZE = f"maxsize {16 << 30}"

# KiB; seconds of CPU time, with that of the servers.
Spent = namedtuple("Spent", "peak cpu")


class Population:
    """Entries for `count` users."""

    def __init__(self, count):
        self.count = count
        hash = "{ARGON2}" + sites.phc(sites.DEFAULT_COST)
        created = apppassword.from_now(days=-300)
        self._passwords = [apppassword.make(hash=hash, created=created) for _ in range(EACH)]
        self._expired = apppassword.make(id=self._passwords[-1].id, hash=hash, created=created,
                                         expires=apppassword.from_now(days=-1))
        self._lately, self._long_ago = (apppassword.from_now(days=days) for days in (-1, -200))
        self.expired, self.unused, self.gone = (
            sum(1 for number in range(count) if is_it(number))
            for is_it in (_has_expired, _has_unused, _is_gone))

    def users(self):
        """Those of a users' directory without our attributes."""
        yield from _unit()
        for number in range(self.count):
            if not _is_gone(number):
                yield _dn(number), _person(number) | {"entryUUID": [_id(number)]}

    def stored(self, store):
        """Those of the store."""
        for number in range(self.count):
            yield store.dn(_id(number)), {
                "objectClass": ["appPasswordEntry", "appPasswordAccount"],
                "appPasswordOwner": [_id(number)], "uid": [_uid(number)]} | self._ours(number)

    def both(self):
        """Those of a directory with our attributes."""
        yield from _unit()
        for number in range(self.count):
            entry = _person(number) | self._ours(number)
            entry["objectClass"].append("appPasswordAccount")
            yield _dn(number), entry

    def _ours(self, number):
        passwords = self._passwords[:-1] + [
            self._expired if _has_expired(number) else self._passwords[-1]]
        used = [self._long_ago if _has_unused(number) else self._lately,
                *[self._lately] * (EACH - 1)]
        return {"appPassword": [one.value for one in passwords], "appPasswordMfaEnabled": ["TRUE"],
                "appPasswordUsed": [f"id={one.id} at={at} service=smtp from=192.0.2.17"
                                    for one, at in zip(passwords, used)]}


def _has_expired(number):
    return number % EXPIRED == 0


def _has_unused(number):
    return number % UNUSED == UNUSED // 2


def _is_gone(number):
    return number % GONE == GONE - 1


def _unit():
    yield PEOPLE, {"objectClass": ["organizationalUnit"], "ou": ["everybody"]}


def _uid(number):
    return f"user{number}"


def _dn(number):
    return f"uid={_uid(number)},{PEOPLE}"


def _id(number):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, _uid(number)))


def _person(number):
    uid = _uid(number)
    return {"objectClass": ["inetOrgPerson"], "uid": [uid], "cn": [uid], "sn": [uid],
            "mail": [f"{uid}@example.org"]}


class Alone:
    """A directory with our attributes."""

    def __init__(self, folder, count):
        folder.mkdir()
        self.population = Population(count)
        self.slapd = Slapd(folder / "slapd", acl=ACL["slapd.conf"][:1], ppolicy=False,
                           statistics=False, database=MAXSIZE)
        self.slapd.load(self.population.both())
        self.slapd.start()
        self.site = Site(folder / "site", self.slapd, base=PEOPLE, login_attribute="uid")

    @property
    def servers(self):
        return [self.slapd.process]

    def stop(self):
        self.slapd.stop()


class WithStore:
    """A users' directory without our attributes, and a store."""

    def __init__(self, folder, count):
        folder.mkdir()
        self.population = Population(count)
        self.users = Users(folder / "users", ppolicy=False, statistics=False, database=(
            f'{MAXSIZE}\nlimits dn.exact="{IDENTITIES["mail server"]}" size=unlimited\n'
            "index entryUUID eq"))
        self.users.load(self.population.users())
        self.store = Store(folder / "store", debug="0")
        config = self.store.folder / "slapd.conf"
        config.write_text(re.sub(r"^maxsize \d+$", MAXSIZE, config.read_text(), flags=re.MULTILINE))
        self.store.start()
        self.store.stop()
        self.store.load(self.population.stored(self.store))
        self.store.start()
        self.users.start()
        self.site = Site(folder / "site", self.users, manage_as=None, base=PEOPLE,
                         id_attribute="entryUUID", store_mfa="yes", **self.store.settings)
        Site.write(self.site.folder / "admin.conf", {
            "store_binddn": self.store.identities["administrator"],
            "store_bindpw_file": self.store.secret_file("administrator")})

    @property
    def servers(self):
        return [self.users.process, self.store.process]

    def stop(self):
        self.users.stop()
        self.store.stop()


# Each with something that it prints only if it has read everybody.
COMMANDS = {
    "report": lambda people: f": expired: {people.expired}\n",
    "doctor --json": lambda people: f"user{people.count - EXPIRED}: ",
    "revoke --expired --dry-run": lambda people: f" {people.expired} would be revoked, 0 failed\n",
    "report --progress": lambda people: f"\nall  {people.count:>5}  ",
}
STORE_COMMANDS = {
    "report --expired": COMMANDS["report"],
    "doctor --json": COMMANDS["doctor --json"],
    "revoke --orphans --dry-run":
        lambda people: f" {people.count} entries, {people.gone} without a user, ",
}
PLACES = {"one directory": (Alone, COMMANDS), "store": (WithStore, STORE_COMMANDS)}


def spend(place, command, expected):
    """Runs app-password; what it printed must have the expected text."""
    before = sum(map(_cpu_seconds, place.servers))
    with open(place.site.folder / "output", "w+") as output:
        process = subprocess.Popen(place.site.argv(*command.split()), stdout=output, stderr=output)
        peak = 0
        while (found := _peak(process.pid)) is not None:
            peak = found
            time.sleep(0.01)
        cpu = _cpu_seconds(process)  # still there: nobody has waited for it
        status = process.wait()
        output.seek(0)
        printed = output.read()
    assert status in (DONE, FAILED) and expected in printed, (command, status, printed[-2000:])
    return Spent(peak, cpu + sum(map(_cpu_seconds, place.servers)) - before)


def _peak(pid):
    """The peak of the resident memory; None once the process has ended."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(),
                      re.MULTILINE)
    return int(found[1]) if found else None


def _cpu_seconds(process):
    """The CPU time of all threads so far."""
    clock = ctypes.c_int()
    failed = ctypes.CDLL(None).clock_getcpuclockid(process.pid, ctypes.byref(clock))
    assert not failed, os.strerror(failed)
    return time.clock_gettime(clock.value)


def everybody(world, rounds):
    """Rows for each place and command."""
    rows = []
    for where, (place, commands) in PLACES.items():
        places = [world.everybody(place, count) for count in world.scale.populations]
        small, large = names = [f"{report.number(each.population.count)} users" for each in places]
        for command, expected in commands.items():
            spent = [[spend(each, command, expected(each.population)) for each in places]
                     for _ in range(min(rounds, 3))]
            rows += [
                row(f"{small} → {large}, {command}: peak memory", where,
                    [dict(zip(names, (each.peak for each in both))) for both in spent], "KiB",
                    against(large, small), ("<=", 1.1)),
                row(f"{small} → {large}, {command}: CPU time for each user, with the servers'", where,
                    [{name: 1e6 * each.cpu / one.population.count
                      for name, each, one in zip(names, both, places)} for both in spent], "µs",
                    against(large, small), ("<=", 1.2))]
    return rows
