# SPDX-License-Identifier: BSD-2-Clause
"""store import: from a directory with our schema into a store, and back."""

import signal
import subprocess

import ldap
import pytest

import apppassword
from administration import (COMMAND, CONFIGURATION, DONE, FAILED, NOT_PERMITTED, UNAVAILABLE, USAGE,
                            Site)
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY, Beside, Users, relay_to, tcp
from conftest import new_folder
from processes import wait_until
from slapd import BASE, GROUP, IDENTITIES, PASSWORD_RULE, Slapd
from store import Store
from stored import StoredSite

ACCEPTED, REFUSED = "accepted", "refused"
# The administrator and the mail server see the users, and the ids.
SITE_RULES = PASSWORD_RULE + "access to * {} by * none\n".format(" ".join(
    f'by dn.exact="{IDENTITIES[name]}" read' for name in ("mail server", "administrator", "portal")))
OURS = ["appPassword", "appPasswordMfaEnabled", "appPasswordMfaEnforceFrom", "appPasswordMfaMethod",
        "appPasswordUsed"]
METHOD = "sealed=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo"


class Move:
    """A site with our schema in its directory (before), and the same with a store (after)."""

    def __init__(self, folder, directory, store, mfa=DEFAULT_OFF, **keys):
        folder.mkdir(exist_ok=True)
        self.directory, self.store = directory, store
        self.beside = Beside(directory, store, mfa)
        self.beside.users.id = self.id
        self.before = Site(folder / "before", Settings(directory), **keys)
        self.after = StoredSite(folder / "after", self.beside)

    def id(self, who):
        (_, entry), = self.directory.connect_as_itself().search_s(
            who.dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
        return entry["entryUUID"][0].decode()

    def into(self, *options, **more):
        return self.after.command("store", "import", "--from", self.before.config, *options, **more)

    def back(self, *options, **more):
        return self.before.command("store", "import", "--from", self.after.config, *options, **more)

    def in_directory(self, who):
        return {name: found for name in OURS if (found := sorted(
            value.decode() for value in self._entry(self.directory, who.dn).get(name, [])))}

    def in_store(self, who):
        """None without an entry."""
        try:
            found = self._entry(self.store, self.store.dn(self.id(who)))
        except ldap.NO_SUCH_OBJECT:
            return None
        return {name: sorted(value.decode() for value in found[name])
                for name in OURS if name in found}

    @staticmethod
    def _entry(server, dn):
        (_, entry), = server.connect_as_itself().search_s(dn, ldap.SCOPE_BASE)
        return entry

    def clean(self, who):
        """What ldap-schema/remove-from-entry.ldif does."""
        self.directory.connect_as_itself().modify_s(
            who.dn, [(ldap.MOD_REPLACE, name, None) for name in OURS]
            + [(ldap.MOD_DELETE, "objectClass", [b"appPasswordAccount"])])


class Settings:
    def __init__(self, directory):
        self.settings = {"uri": tcp(directory)}


@pytest.fixture
def make_move(workdir, tmp_path):
    servers = []

    def make(mfa=DEFAULT_OFF, lines="", **keys):
        servers.extend([Slapd(new_folder(workdir, "slapd"), site_rules=SITE_RULES, lines=lines),
                        Store(new_folder(workdir, "store"))])
        return Move(tmp_path, *(server.start() for server in servers[-2:]), mfa, **keys)

    yield make
    for server in servers:
        server.stop()


def people(move):
    """Users in every state: {name: (person, app password or None)}."""
    directory = move.directory
    full, one = directory.new_person(mfa=True, app_passwords=1)
    move.before.done("create", full.uid, "--label", "Åses Łaptop")
    gone = move.before.create(full)
    move.before.done("revoke", full.uid, gone[:4])
    directory.administrate(full, appPasswordMfaMethod=METHOD,
                           appPasswordUsed=f"id={one.shown[:4]} at=20261120101500Z service=imap")
    announced, two = directory.new_person(mfa=True, app_passwords=1)
    directory.administrate(announced, appPasswordMfaEnforceFrom="20990131000000Z")
    without_mfa, three = directory.new_person(app_passwords=1)
    return {"full": (full, one), "announced": (announced, two), "without MFA": (without_mfa, three),
            "flag only": (directory.new_person(mfa=True), None),
            "nothing": (directory.new_person(), None)}


def logins(site, users):
    return {name: [site.answers(who.uid, who.password)]
            + ([site.answers(who.uid, added.shown)] if added else [])
            for name, (who, added) in users.items()}


def test_into_a_store_and_back_changes_no_login(make_move):
    move = make_move()
    users = people(move)
    before = logins(move.before, users)
    assert before["full"] == [(REFUSED, "account-password-with-mfa"), (ACCEPTED, "app-password")]
    assert before["without MFA"][0] == (ACCEPTED, "account-password")
    kept = {name: move.in_directory(who) for name, (who, _) in users.items()}

    dry = move.into("--dry-run")
    assert dry.returncode == DONE, dry
    assert "4 would be copied, 0 unchanged, 0 left" in dry.stderr
    assert "nothing was written" in dry.stderr
    full = users["full"][0].uid
    assert f"{full}: 3 values of appPassword, a second factor, the last use, MFA on: would be copied\n" in dry.stdout
    assert move.store.owners() == [] and move.after.changes() == []

    done = move.into()
    assert done.returncode == DONE and "4 copied, 0 unchanged, 0 left" in done.stderr, done
    assert len(move.after.changes()) == 4 and (
        f'action=import actor="{move.store.identities["administrator"]}" user="{full}" id=- '
        'result=done') in move.after.changes()
    assert logins(move.after, users) == before
    for name, (who, _) in users.items():
        assert move.in_directory(who) == kept[name], "nothing is changed at the source"
        expected = kept[name] or None
        if name == "without MFA":
            expected = expected | {"appPasswordMfaEnabled": ["FALSE"]}
        assert move.in_store(who) == expected
    again = move.into()
    assert (again.returncode, again.stdout) == (DONE, "")
    assert "0 copied, 4 unchanged, 0 left" in again.stderr

    # Meanwhile in the store: one more, and one less.
    who, old = users["full"]
    new = move.after.create(who)
    move.after.done("revoke", who.uid, old.shown[:4])
    changed = logins(move.after, users)
    for one, _ in users.values():
        if move.in_directory(one):
            move.clean(one)
    assert "4 would be copied" in move.back("--dry-run").stderr
    assert not any(move.in_directory(one) for one, _ in users.values())
    done = move.back()
    assert done.returncode == DONE and "4 copied, 0 unchanged, 0 left" in done.stderr, done
    assert logins(move.before, users) == changed
    assert move.before.answers(who.uid, new) == (ACCEPTED, "app-password")
    assert move.before.answers(who.uid, old.shown) == (REFUSED, "revoked")
    for one, _ in users.values():
        assert move.in_directory(one) == (move.in_store(one) or {})
    assert "0 copied, 4 unchanged" in move.back().stderr


def test_mfa_by_a_group_becomes_the_flag(make_move):
    """Into a store with the flag, MFA is what the logins found so far."""
    move = make_move(DEFAULT_ON, mfa_filter=f"(memberOf={GROUP})", mfa_witness="uid=member,ou=people," + BASE)
    member, one = move.directory.new_person(app_passwords=1)
    other, two = move.directory.new_person(mfa=True, app_passwords=1)
    move.directory.connect_as_itself().modify_s(GROUP, [
        (ldap.MOD_ADD, "member", [member.dn.encode()])])
    users = {"member": (member, one), "other": (other, two)}
    before = logins(move.before, users)
    bare = move.directory.new_person()
    move.directory.connect_as_itself().modify_s(GROUP, [
        (ldap.MOD_ADD, "member", [bare.dn.encode()])])
    assert move.into().returncode == DONE
    assert move.in_store(bare) == {"appPasswordMfaEnabled": ["TRUE"]}, "who has nothing else of ours"
    assert move.in_store(member)["appPasswordMfaEnabled"] == ["TRUE"]
    assert move.in_store(other)["appPasswordMfaEnabled"] == ["FALSE"]
    assert logins(move.after, users) == before


def test_a_flag_that_stays_in_the_users_directory_is_not_copied(make_move):
    move = make_move(IN_USERS_DIRECTORY)
    who, _ = move.directory.new_person(mfa=True, app_passwords=1)
    only = move.directory.new_person(mfa=True)
    done = move.into()
    assert done.returncode == FAILED and "1 copied, 1 unchanged, 0 left" in done.stderr, done
    assert "appPasswordMfaEnabled" not in move.in_store(who) and move.in_store(only) is None
    assert "0 copied, 2 unchanged" in move.into().stderr
    assert "0 copied, 1 unchanged" in move.back().stderr


@pytest.mark.parametrize("name, value", [
    ("appPasswordMfaEnforceFrom", "20990131000000Z"), ("appPasswordMfaMethod", METHOD[:-1] + "A")])
@pytest.mark.parametrize("there", ["another", None])
def test_a_conflict_is_named_and_left(make_move, name, value, there):
    """Neither replaced nor, once removed, brought back; the other values follow."""
    move = make_move()
    who, one = move.directory.new_person(mfa=True, app_passwords=1)
    move.directory.administrate(who, **{name: value})
    assert move.into().returncode == DONE
    other = {"appPasswordMfaEnforceFrom": "20980131000000Z", "appPasswordMfaMethod": METHOD}[name]
    move.store.administrate(move.id(who), **{name: other if there else None})
    new = move.before.create(who)
    for options in ("--dry-run",), (), ():
        called = move.into(*options)
        assert called.returncode == FAILED and "1 with a conflict" in called.stderr, called
        assert f"{who.uid}: conflict: " in called.stderr and name in called.stderr
    assert move.in_store(who).get(name) == ([other] if there else None)
    assert move.in_store(who)["appPassword"] == move.in_directory(who)["appPassword"]
    assert len(move.in_store(who)["appPassword"]) == 2 and new != one.shown


def test_another_flag_is_a_conflict(make_move):
    move = make_move()
    who, _ = move.directory.new_person(mfa=True, app_passwords=1)
    assert move.into().returncode == DONE
    move.store.administrate(move.id(who), appPasswordMfaEnabled="FALSE")
    called = move.into()
    assert called.returncode == FAILED and "another value of appPasswordMfaEnabled" in called.stderr
    assert move.in_store(who)["appPasswordMfaEnabled"] == ["FALSE"]


def test_app_passwords_are_merged_by_id(make_move):
    """Others are added; a revoked one stays revoked on both ways; another value is a conflict."""
    move = make_move()
    who, revoked_there, revoked_here, same_id = move.directory.new_person(mfa=True, app_passwords=3)
    assert move.into().returncode == DONE
    only_there = move.after.create(who)
    only_here = move.before.create(who)
    move.after.done("revoke", who.uid, revoked_there.shown[:4])
    move.before.done("revoke", who.uid, revoked_here.shown[:4])
    done = move.into()
    assert done.returncode == DONE and "1 copied, 0 unchanged, 0 left" in done.stderr, done
    answers = [move.after.answers(who.uid, shown) for shown in (
        only_there, only_here, same_id.shown, revoked_there.shown, revoked_here.shown)]
    assert answers == 3 * [(ACCEPTED, "app-password")] + 2 * [(REFUSED, "revoked")]
    ids = [value.split()[0] for value in move.in_store(who)["appPassword"]]
    assert len(ids) == len(set(ids)) == 5, "the hash of a revoked one is gone"
    assert "0 copied, 1 unchanged" in move.into().stderr

    other = apppassword.make(id=same_id.shown[:4])
    there = [other.value if value == same_id.value else value
             for value in move.in_store(who)["appPassword"]]
    move.store.administrate(move.id(who), appPassword=there)
    called = move.into()
    assert called.returncode == FAILED, called
    assert f"has another app password with the id {same_id.shown[:4]}" in called.stderr
    assert move.in_store(who)["appPassword"] == sorted(there)


def test_the_later_use_stays(make_move):
    move = make_move()
    who, one = move.directory.new_person(mfa=True, app_passwords=1)
    assert move.into().returncode == DONE
    earlier, later, latest = (f"id={one.shown[:4]} at=2026112{day}101500Z service=imap"
                              for day in (0, 1, 2))
    move.directory.administrate(who, appPasswordUsed=later)
    move.store.administrate(move.id(who), appPasswordUsed=earlier)
    assert "1 copied, 0 unchanged, 0 left" in move.into().stderr
    assert move.in_store(who)["appPasswordUsed"] == [later]
    move.store.administrate(move.id(who), appPasswordUsed=latest)
    assert "0 copied, 1 unchanged, 0 left" in move.into().stderr
    assert move.in_store(who)["appPasswordUsed"] == [latest]


def test_users_whose_mfa_would_be_off_are_named(make_move):
    """Where the store does not have the flag, the new mfa_filter decides."""
    move = make_move(IN_USERS_DIRECTORY)
    lost, _ = move.directory.new_person(mfa=True, app_passwords=1)
    kept, _ = move.directory.new_person(mfa=True, app_passwords=1)
    bare = move.directory.new_person(mfa=True)
    move.directory.connect_as_itself().modify_s(GROUP, [
        (ldap.MOD_ADD, "member", [kept.dn.encode()])])
    for options in ("--dry-run",), ():
        called = move.into(*options)
        assert called.returncode == FAILED, called
        assert "2 whose MFA would be off after the switch" in called.stderr
        for who in lost, bare:
            assert f"{who.uid}: MFA is on by {move.before.config}, and off by" in called.stderr
        assert f"{kept.uid}: MFA" not in called.stderr


def test_mfa_that_the_way_back_would_lose_is_named(make_move):
    """Also without an entry in the store."""
    move = make_move(IN_USERS_DIRECTORY)
    bare = move.directory.new_person()
    move.directory.connect_as_itself().modify_s(GROUP, [
        (ldap.MOD_ADD, "member", [bare.dn.encode()])])
    called = move.back("--dry-run")
    assert called.returncode == FAILED, called
    assert f"{bare.uid}: MFA is on by {move.after.config}, and off by {move.before.config}" in called.stderr


def test_the_end_says_what_to_do(make_move):
    move = make_move(DEFAULT_ON)
    who, _ = move.directory.new_person(mfa=True, app_passwords=1)
    said = move.into().stderr
    assert "MFA is on for everybody without an entry in the store" in said
    assert "revoke app passwords in both" in said and "remove-from-entry.ldif" in said
    move.clean(who)
    said = move.back().stderr
    assert "without an entry" not in said and "nothing was removed from the store" in said


def test_killed_in_the_middle_and_called_again(make_move):
    """What is there is whole; the rest follows."""
    move = make_move()
    users = {str(number): move.directory.new_person(mfa=True, app_passwords=2)[:2]
             for number in range(120)}
    relay = relay_to(move.store)
    relay.delay = 0.05  # else the last may be copied before this test has looked
    text = move.after.config.read_text()
    assert (uri := tcp(move.store)) in text
    move.after.config.write_text(text.replace(uri, f"ldap://{relay.address}"))
    process = subprocess.Popen([COMMAND, "-c", move.after.config, "store", "import", "--from",
                                move.before.config],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(move.store.owners()) >= 10, "ten entries")
    process.send_signal(signal.SIGKILL)
    process.wait()
    relay.close()
    move.store.stop()  # its last request may be under way
    move.store.start()
    move.after.config.write_text(text)
    there = len(move.store.owners())
    assert 10 <= there < 120
    for who, _ in users.values():
        assert move.in_store(who) in (None, move.in_directory(who))
    again = move.into()
    assert again.returncode == DONE, again
    assert f"{120 - there} copied, {there} unchanged, 0 left" in again.stderr
    for who, _ in users.values():
        assert move.in_store(who) == move.in_directory(who)


def test_an_orphan_of_the_store_is_left(make_move):
    move = make_move()
    move.store.add_entry("11111111-2222-3333-4444-555555555555", uid="gone",
                         appPassword=apppassword.make().value)
    called = move.back()
    assert called.returncode == FAILED and "gone: left as it is: nobody" in called.stderr


OTHER_ID = """\
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'nsUniqueId' EQUALITY caseIgnoreMatch
    SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2 NAME 'named' SUP top AUXILIARY MAY nsUniqueId )
"""


def test_a_second_factor_for_another_id_is_named(make_move):
    """The page has sealed it for one attribute, and the store names users by another."""
    move = make_move(lines=OTHER_ID)
    with_factor, without = (move.directory.new_person(mfa=True, app_passwords=1)[0] for _ in range(2))
    move.directory.administrate(with_factor, appPasswordMfaMethod=METHOD)
    for who in with_factor, without:
        move.directory.connect_as_itself().modify_s(who.dn, [
            (ldap.MOD_ADD, "objectClass", [b"named"]),
            (ldap.MOD_ADD, "nsUniqueId", [f"0000-{who.uid}".encode()])])
    for options in ("--dry-run",), ():
        called = move.into(*options)
        assert called.returncode == DONE, called
        assert (f"{with_factor.uid}: the page cannot open the second factor there: it is for the id "
                f"0000-{with_factor.uid}, not {move.id(with_factor)};") in called.stderr
        assert f"{without.uid}: " not in called.stderr
        assert "1 with a second factor that the page cannot open there" in called.stderr
    assert move.store.owners() == sorted(move.id(who) for who in (with_factor, without))


def test_somebody_else_of_the_same_name_is_left(make_move, workdir):
    """Another directory has the same DN, with another id."""
    move = make_move()
    who, _ = move.directory.new_person(mfa=True, app_passwords=1)
    other = Users(new_folder(workdir, "slapd"), site_rules=SITE_RULES)
    other.start()
    try:
        move.after.write(move.after.config, move.after.keys | {"uri": tcp(other)})
        called = move.into()
        assert called.returncode == FAILED and move.store.owners() == [], called
        assert f"{who.uid}: left as it is: {who.dn} is somebody else there" in called.stderr

        move.store.add_entry(other.id(who), uid=who.uid, appPassword=apppassword.make().value)
        kept = move.in_directory(who)
        called = move.back()
        assert called.returncode == FAILED and "is somebody else there" in called.stderr, called
        assert move.in_directory(who) == kept
    finally:
        other.stop()


def test_somebody_without_an_id_is_left(make_move):
    move = make_move()
    who, _ = move.directory.new_person(mfa=True, app_passwords=1)
    move.after.write(move.after.config, move.after.keys | {
        "id_attribute": "nsUniqueId", "store_mfa_default": None, "mfa_witness": None})
    called = move.into()
    assert called.returncode in (FAILED, CONFIGURATION) and move.store.owners() == []
    assert f"{who.uid}: left as it is: id_attribute nsUniqueId has no value" in called.stderr


@pytest.mark.parametrize("server", ["directory", "store"])
def test_an_outage(make_move, server):
    move = make_move()
    move.directory.new_person(mfa=True, app_passwords=1)
    getattr(move, server).stop()
    called = move.into()
    assert called.returncode == UNAVAILABLE and "call it again" in called.stderr, called


def test_identities_and_usage(make_move, tmp_path):
    move = make_move()
    move.directory.new_person(mfa=True, app_passwords=1)
    move.after.manage_as(move.store, "mail server")
    called = move.into()
    assert called.returncode in (FAILED, NOT_PERMITTED) and move.store.owners() == [], called
    (move.before.folder / "admin.conf").unlink()
    called = move.into()
    assert called.returncode == CONFIGURATION and str(move.before.folder) in called.stderr, called
    for options in (), ("--from",), ("--from", "a", "b"), ("--from", "a", "--base", "o=a"):
        assert move.after.command("store", "import", *options).returncode == USAGE
    called = move.after.command("store", "import", "--from", move.after.config)
    assert called.returncode == USAGE and "only one" in called.stderr
    called = move.after.command("store", "init", tmp_path / "new", "--dry-run")
    assert called.returncode == USAGE and not (tmp_path / "new").exists()
