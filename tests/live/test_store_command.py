# SPDX-License-Identifier: BSD-2-Clause
"""The command with a store: MFA, app passwords, and what it says."""

import re

import ldap
import pytest

from administration import CONFIGURATION, DONE, FAILED, NOT_PERMITTED, UNAVAILABLE, USAGE
from beside import DEFAULT_OFF, DEFAULT_ON, IN_USERS_DIRECTORY, Beside
from slapd import BASE, IDENTITIES, person
from stored import StoredSite

ACCEPTED, REFUSED = "accepted", "refused"


@pytest.fixture
def make_site(tmp_path):
    numbers = iter(range(100))
    return lambda beside, **keys: StoredSite(tmp_path / f"site{next(numbers)}", beside, **keys)


@pytest.fixture
def site(make_site, beside):
    """With MFA in each of its places."""
    return make_site(beside)


@pytest.fixture(params=[DEFAULT_ON, DEFAULT_OFF])
def with_flag(request, users_and_store):
    """With the flag in the store."""
    return Beside(*users_and_store, request.param)


@pytest.fixture
def in_group(users_and_store):
    return Beside(*users_and_store, IN_USERS_DIRECTORY)


def has_entry(beside, who):
    return beside.users.id(who) in beside.store.owners()


def entry(beside, who):
    (_, found), = beside.store.connect("replicator").search_s(
        beside.store.dn(beside.users.id(who)), ldap.SCOPE_BASE)
    return {name: sorted(value.decode() for value in values) for name, values in found.items()}


# ---- App passwords ----

def test_one_is_created_listed_and_revoked(site, beside):
    who = beside.new_person(mfa=True)
    created = site.command("create", who.uid, "--label", "Åses Łaptop", "--services", "imap")
    assert created.returncode == DONE, created
    assert f"for {who.dn}\n" in created.stderr
    shown = created.stdout.strip()
    assert site.answers(who.mail, shown, "--service", "imap") == (ACCEPTED, "app-password")
    assert site.answers(who.uid, shown, "--service", "smtp") == (REFUSED, "wrong-service")
    listed, = site.listed(who)
    assert (listed["id"], listed["label"], listed["services"]) == (shown[:4], "Åses Łaptop", ["imap"])
    assert site.done("revoke", who.uid, shown[:4], "--dry-run") == \
        f"{who.uid}: {shown[:4]} would be revoked\n"
    assert site.answers(who.uid, shown, "--service", "imap") == (ACCEPTED, "app-password")
    assert site.done("revoke", who.uid, shown[:4], "--wait=5s") == f"{who.uid}: {shown[:4]} revoked\n"
    assert site.answers(who.uid, shown, "--service", "imap") == (REFUSED, "revoked")
    assert site.listed(who) == []
    assert "Åses Łaptop" in site.done("list", who.uid, "--revoked")


def test_the_first_one_adds_the_whole_entry_and_touches_no_user(site, beside):
    who = beside.users.new_person()
    if beside.mfa == IN_USERS_DIRECTORY:
        beside.users.set_mfa(who, True)
    mark = beside.users.mark()
    site.create(who, "--without-mfa")
    found = entry(beside, who)
    assert found.pop("appPassword")
    assert found.pop("objectClass") == ["appPasswordAccount", "appPasswordEntry"]
    assert found.pop("appPasswordOwner") == [beside.users.id(who)]
    assert found.pop("uid") == [who.uid]
    assert found == {IN_USERS_DIRECTORY: {}, DEFAULT_ON: {"appPasswordMfaEnabled": ["TRUE"]},
                     DEFAULT_OFF: {"appPasswordMfaEnabled": ["FALSE"]}}[beside.mfa]
    log = "\n".join(beside.users.log_since(mark))
    assert not re.search(r" (MOD|ADD|DEL|MODRDN) dn=", log)
    assert "appPassword" not in log


def test_several_at_once_add_one_entry(site, beside):
    who = beside.users.new_person()
    if beside.mfa == IN_USERS_DIRECTORY:
        beside.users.set_mfa(who, True)
    called = site.at_once(4, "create", who.uid, "--label", "a test", "--without-mfa")
    assert [status for status, _, _ in called] == [DONE] * 4, called
    assert {one["id"] for one in site.listed(who)} == {out[:4] for _, out, _ in called}


def test_all_are_revoked(site, beside):
    who, one, two = beside.new_person(mfa=True, app_passwords=2)
    assert site.done("revoke", who.uid, "--all", "--dry-run") == f"{who.uid}: 2 would be revoked\n"
    assert len(site.listed(who)) == 2
    assert site.done("revoke", who.uid, "--all", "--wait=5s") == f"{who.uid}: 2 revoked\n"
    for gone in one, two:
        assert site.answers(who.uid, gone.shown) == (REFUSED, "revoked")
    assert site.done("revoke", who.uid, "--all", "--wait=5s") == f"{who.uid}: unchanged\n"


def test_nothing_to_revoke_or_to_reset_adds_no_entry(site, beside):
    who = beside.users.new_person()
    assert site.done("revoke", who.uid, "--all") == f"{who.uid}: unchanged\n"
    assert site.done("mfa", "reset", who.uid) == f"{who.uid}: unchanged\n"
    missing = site.command("revoke", who.uid, "k7q2")
    assert missing.returncode == FAILED and "no app password k7q2" in missing.stderr
    assert site.listed(who) == []
    assert not has_entry(beside, who)


def test_without_mfa_none_is_created(site, beside):
    who = beside.new_person(mfa=False)
    called = site.command("create", who.uid, "--label", "a test")
    assert called.returncode == FAILED and "MFA is off" in called.stderr
    assert ("(app-password mfa on)" in called.stderr) == (beside.mfa != IN_USERS_DIRECTORY)
    site.create(who, "--without-mfa")


def test_a_renamed_and_moved_user_keeps_them(site, beside):
    who = beside.new_person(mfa=True)
    shown = site.create(who)
    new = beside.users.move(beside.users.rename(who, f"re-{who.uid}"), "elsewhere")
    assert [one["id"] for one in site.listed(new)] == [shown[:4]]
    assert site.answers(new.uid, shown) == (ACCEPTED, "app-password")
    assert entry(beside, new)["uid"] == [who.uid], "only a remark"
    assert site.done("revoke", new.uid, shown[:4]) == f"{new.uid}: {shown[:4]} revoked\n"


def test_a_successor_has_none(site, beside):
    who = beside.new_person(mfa=True)
    site.create(who)
    beside.users.delete(who)
    assert "no such user" in site.command("list", who.uid).stderr
    beside.users.add(who)
    assert site.listed(who) == []


# ---- MFA ----

def test_mfa_on_and_off_in_the_store(make_site, with_flag):
    site, who = make_site(with_flag), with_flag.new_person(mfa=False)
    assert site.done("mfa", "on", who.uid) == f"{who.uid}: off → enforced now\n"
    assert site.answers(who.uid, who.password) == (REFUSED, "account-password-with-mfa")
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: on\n"
    assert site.done("mfa", "off", who.uid) == f"{who.uid}: enforced → off\n"
    assert entry(with_flag, who)["appPasswordMfaEnabled"] == ["FALSE"]
    assert site.answers(who.uid, who.password) == (ACCEPTED, "account-password")
    assert site.done("mfa", "off", who.uid) == f"{who.uid}: unchanged, off\n"


@pytest.mark.parametrize("options, said", [
    (["on"], "enforced now"), (["on", "--announce", "14d"], "announced for 20"),
    (["on", "--enforce-from", "2099-01-31"], "announced for 2099-01-31")])
def test_somebody_without_an_entry_and_default_off(make_site, users_and_store, options, said):
    beside = Beside(*users_and_store, DEFAULT_OFF)
    site, who = make_site(beside), beside.users.new_person()
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: off\n"
    dry = site.done("mfa", *options, who.uid, "--dry-run")
    assert f"{who.uid}: off → {said}" in dry and not has_entry(beside, who)
    assert f"{who.uid}: off → {said}" in site.done("mfa", *options, who.uid)
    assert entry(beside, who)["appPasswordMfaEnabled"] == ["TRUE"]
    verdict, _ = site.answers(who.uid, who.password)
    assert verdict == (REFUSED if said == "enforced now" else ACCEPTED)


@pytest.mark.parametrize("options, after, accepted", [
    (["off"], "off", True), (["on"], "enforced now", False),
    (["on", "--announce", "14d"], "enforced now", False),
    (["on", "--enforce-from", "2099-01-31"], "announced for 2099-01-31", True)])
def test_somebody_without_an_entry_and_default_on(make_site, users_and_store, options, after,
                                                  accepted):
    """It says that nobody has decided yet, and an announcement enforces nothing later."""
    beside = Beside(*users_and_store, DEFAULT_ON)
    site, who = make_site(beside), beside.users.new_person()
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: on\n"
    assert site.done("mfa", *options, who.uid) == f"{who.uid}: enforced by default → {after}\n"
    assert has_entry(beside, who)
    assert site.answers(who.uid, who.password)[0] == (ACCEPTED if accepted else REFUSED)


def test_mfa_of_the_users_directory_is_turned_on_there(make_site, in_group):
    site, who = make_site(in_group), in_group.new_person()
    for verb in "on", "off":
        called = site.command("mfa", verb, who.uid)
        assert called.returncode == CONFIGURATION, called
        assert "turn it on and off there" in called.stderr
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: off\n"
    in_group.users.set_mfa(who, True)
    assert site.done("mfa", "status", who.uid) == f"{who.uid}: on\n"
    assert not has_entry(in_group, who)


def test_the_error_names_the_way_to_a_code(make_site, in_group):
    site, who = make_site(in_group), in_group.new_person(mfa=True)
    called = site.command("mfa", "on", who.uid, "--code")
    assert called.returncode == CONFIGURATION and "mfa reset --code" in called.stderr, called
    said = site.done("mfa", "reset", who.uid, "--code")
    assert re.search(r"\b[0-9a-z]{4}(-[0-9a-z]{4}){4}\n$", said), said
    assert entry(in_group, who)["appPasswordMfaMethod"]


# ---- Many at once ----

def test_a_filter_selects_by_attributes_of_the_users_directory(make_site, with_flag):
    site = make_site(with_flag)
    some = [with_flag.new_person(mfa=False) for _ in range(3)]
    root = with_flag.users.connect_as_itself()
    unit = f"unit of {some[0].uid}"
    for who in some:
        root.modify_s(who.dn, [(ldap.MOD_REPLACE, "departmentNumber", [unit.encode()])])
    select = ["--filter", f"(departmentNumber={unit})"]
    called = site.command("mfa", "on", *select, "--announce", "14d", "--dry-run")
    assert called.stdout.count(": off → announced for 20") == 3 and "3 would change" in called.stderr
    assert site.command("mfa", "on", *select).stdout == "".join(
        f"{who.uid}: off → enforced now\n" for who in some)
    called = site.command("mfa", "on", *select)
    assert "3 users: 0 done, 3 unchanged, 0 failed" in called.stderr
    assert site.command("mfa", "off", *select).stdout.count(": enforced → off") == 3


def test_a_filter_selects_by_what_is_in_the_store(make_site, users_and_store):
    """As after a lost key: only for those who have something."""
    beside = Beside(*users_and_store, DEFAULT_ON)
    site, some = make_site(beside), [beside.new_person(mfa=True) for _ in range(2)]
    for who in some:
        site.done("mfa", "reset", who.uid, "--code")
    select = ["--filter", "(&(appPasswordMfaMethod=*)(!(APPPASSWORDMFAENABLED=FALSE)))"]
    dry = site.done("mfa", "reset", *select, "--dry-run")
    assert {f"{who.uid}: second factors removed" for who in some} <= set(dry.splitlines())
    assert site.done("mfa", "reset", *select) == dry
    called = site.command("mfa", "reset", *select)
    assert called.returncode == FAILED and f'no entry below "{beside.store.entries}"' in called.stderr


def test_entries_that_say_neither_on_nor_off_are_found(make_site, own_beside):
    """Logins with these are unavailable. Those of deleted users are left out."""
    beside = own_beside(DEFAULT_ON)
    site, (who, gone) = make_site(beside), [beside.users.new_person() for _ in range(2)]
    for one in who, gone:
        beside.store.add_entry(beside.users.id(one), appPasswordMfaEnabled=[], uid=one.uid)
    beside.users.delete(gone)
    called = site.command("mfa", "off", "--filter", "(!(appPasswordMfaEnabled=*))")
    assert called.stdout == f"{who.uid}: neither on nor off → off\n" and called.returncode == DONE
    assert f"{gone.uid}: left out: nobody in the users' directory has the id" in called.stderr
    assert site.answers(who.uid, who.password) == (ACCEPTED, "account-password")
    called = site.command("mfa", "off", "--filter", "(!(appPasswordMfaEnabled=*))")
    assert "left out" in called.stderr and "no entry below" not in called.stderr, called


def test_a_filter_cannot_ask_both(make_site, with_flag):
    called = make_site(with_flag).command("mfa", "off", "--filter", "(&(uid=*)(appPassword=*))")
    assert called.returncode == USAGE and called.stdout == "", called
    assert "appPassword is in the store" in called.stderr


def test_somebody_without_an_id_does_not_stop_the_others(own_beside, make_site):
    hidden = person("user001")
    beside = own_beside(DEFAULT_ON, first_rules=f"""\
access to dn.exact="{hidden.dn}" attrs=entryUUID by * none
""", database=f'limits dn.exact="{IDENTITIES["mail server"]}" size=unlimited')
    site = make_site(beside)
    for options in ["user000", "user001", "user002"], [
            "--filter", "(|(uid=user000)(uid=user001)(uid=user002))"]:
        called = site.command("mfa", "on", *options)
        assert re.findall(r"^(\S+): ", called.stdout, re.M) == ["user000", "user002"], called
        assert f"id_attribute entryUUID has no value in {hidden.dn}" in called.stderr
        assert called.returncode == FAILED, called
        site.done("mfa", "off", "user000", "user002")
    called = site.command("report", "--progress")
    assert called.returncode == CONFIGURATION and called.stdout == "", called
    assert "users cannot be counted" in called.stderr and hidden.dn in called.stderr


# ---- What is wrong ----

def test_who_has_no_identity_in_the_store_is_told_what_to_name(make_site, in_group):
    site, who = make_site(in_group), in_group.new_person()
    (site.folder / "admin.conf").unlink()
    for _ in range(2):
        called = site.command("list", who.uid)
        assert called.returncode == CONFIGURATION
        assert f"set store_binddn in {site.folder}/admin.conf" in called.stderr
        assert "in the store" in called.stderr and "EXTERNAL" not in called.stderr
        site.write(site.folder / "admin.conf", {
            "binddn": IDENTITIES["administrator"],
            "bindpw_file": site.secret_file("administrator")})


def test_options_name_the_identity_in_the_store(make_site, in_group):
    site, store = make_site(in_group, manage_as="mail server"), in_group.store
    who = in_group.new_person(mfa=True)
    assert site.command("create", who.uid, "--label", "x").returncode == NOT_PERMITTED
    identity = ["-D", store.identities["administrator"], "-y", store.secret_file("administrator")]
    assert site.command(*identity, "create", who.uid, "--label", "x").returncode == DONE
    assert site.command(*identity, "-H", store.ldapi, "list", who.uid).returncode == DONE
    wrong = site.command(*identity, "-H", in_group.users.ldap, "list", who.uid)
    assert wrong.returncode == NOT_PERMITTED and in_group.users.ldap in wrong.stderr


def test_admin_conf_may_name_a_reader_of_users(own_beside, make_site):
    """Such as one without a size limit, or one that sees everybody."""
    beside = own_beside(IN_USERS_DIRECTORY, site_rules=f"""\
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{IDENTITIES["administrator"]}" read by * none
""")
    who = beside.new_person()
    assert make_site(beside).command("list", who.uid).returncode == CONFIGURATION
    site = make_site(beside)
    site.manage_as(beside.store, "administrator", binddn=IDENTITIES["administrator"],
                   bindpw_file=site.secret_file("administrator"))
    assert site.done("list", who.uid, "--json") == "[]\n"


@pytest.mark.parametrize("arguments", [
    ["report"], ["report", "--progress"], ["revoke", "--expired"], ["list", "user000"],
    ["create", "user000", "--label", "x", "--without-mfa"], ["mfa", "on", "user000"]])
def test_a_store_without_its_base(make_site, users_and_store, arguments):
    beside = Beside(*users_and_store, DEFAULT_ON)
    called = make_site(beside, store_base="ou=elsewhere,o=app-passwords").command(*arguments)
    assert called.returncode == CONFIGURATION and called.stdout == "", called
    assert 'store_base "ou=elsewhere,o=app-passwords" does not exist' in called.stderr


def test_an_entry_that_another_hand_made_is_not_overwritten(make_site, with_flag):
    """Two entries with one id: nobody guesses."""
    site, who = make_site(with_flag), with_flag.new_person(mfa=True)
    owner = with_flag.users.id(who)
    root = with_flag.store.connect_as_itself()
    other = f"uid=other,{with_flag.store.entries}"
    root.add_s(other, [("objectClass", [b"appPasswordEntry", b"appPasswordAccount"]),
                       ("uid", [b"other"]), ("appPasswordOwner", [owner.encode()])])
    try:
        called = site.command("create", who.uid, "--label", "x")
        assert called.returncode == FAILED and "more than one entry" in called.stderr, called
    finally:
        root.delete_s(other)


@pytest.mark.parametrize("which", ["users", "store"])
def test_a_directory_that_is_away(own_beside, make_site, which):
    beside = own_beside(DEFAULT_ON)
    site = make_site(beside)
    getattr(beside, which).stop()
    uri = beside.settings["uri" if which == "users" else "store_uri"]
    for arguments in (["list", "user000"], ["create", "user000", "--label", "x"],
                      ["mfa", "on", "user000"], ["mfa", "status", "user000"], ["report"],
                      ["report", "--progress"], ["revoke", "user000", "--all"]):
        called = site.command(*arguments)
        assert called.returncode == UNAVAILABLE, called
        assert called.stdout == "" and uri in called.stderr, called
    stopped = site.command("mfa", "on", "user000", "user001")
    assert "stopped: 1 not tried" in stopped.stderr
