# SPDX-License-Identifier: BSD-2-Clause
"""A running process notices within a minute that the witness no longer matches.

With groups in groups, mfa_filter names the outer one, and users are members of an inner one.
dynlist with `*` and 389's plugin look into them; OpenLDAP's memberof overlay does not.
"""

import itertools

import ldap
import ldap.modlist
import ldap.sasl
import pytest

from ds389 import DirectoryServer
from processes import Clock
from slapd import BASE, IDENTITIES, Slapd, person

MAIL_SERVER = IDENTITIES["mail server"]
MEMBEROF_PLUGIN = "cn=MemberOf Plugin,cn=plugins,cn=config"
DYNLIST = {
    "lines": "moduleload dynlist\ninclude /etc/ldap/schema/dyngroup.schema\n",
    "database": "overlay dynlist\n"
                "dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames*\n"}
REFUSED = ("refused", "account-password-with-mfa")
ACCEPTED = ("accepted", "account-password")
UNAVAILABLE = ("unavailable", "mfa-unreadable")

_numbers = itertools.count()


def new_slapd(folder, **options):
    rule = f'access to * by dn.exact="{MAIL_SERVER}" read by * break\n'
    server = Slapd(folder, first_rules=rule, **options).start()
    server.as_itself = server.connect_as_itself
    return server


def new_ds389(folder, **settings):
    server = DirectoryServer(folder).start()
    rule = b'(targetattr = "memberOf")(version 3.0; acl "groups"; allow (search) ' + \
        f'userdn = "ldap:///{MAIL_SERVER}";)'.encode()
    manager = server.manager()
    manager.modify_s(BASE, [(ldap.MOD_ADD, "aci", [rule])])
    settings = {"nsslapd-pluginEnabled": "on", "memberOfAutoAddOC": "nsMemberOf"} | settings
    manager.modify_s(MEMBEROF_PLUGIN, [(ldap.MOD_REPLACE, name, [value.encode()])
                                       for name, value in settings.items()])
    server.stop()
    server.start()
    server.as_itself = server.manager
    return server


DIRECTORIES = {
    "dynlist": lambda folder: new_slapd(folder, **DYNLIST),
    "389": new_ds389,
    # These two do not see members of inner groups.
    "memberof": new_slapd,
    "389, memberOfSkipNested": lambda folder: new_ds389(folder, memberOfSkipNested="on"),
}
NESTING = ["dynlist", "389"]


@pytest.fixture(scope="module")
def directories(workdir):
    """directories(name): one of DIRECTORIES, started on first use."""
    started = {}

    def get(name):
        if name not in started:
            started[name] = DIRECTORIES[name](workdir / f"nested{len(started)}")
        return started[name]

    yield get
    for server in started.values():
        server.stop()


class Groups:
    """An outer group with an inner one, whose members are a witness and a user with MFA."""

    def __init__(self, directory, app_passwords):
        self.directory = directory
        number = next(_numbers)
        self.inner, self.outer = (f"cn={name}{number},ou=groups,{BASE}"
                                  for name in ("inner", "outer"))
        self.with_mfa, self.witness, self.without_mfa = (directory.new_person() for _ in range(3))
        self.app_passwords = [(who, directory.add_app_password(who).shown)
                              for who in (self.with_mfa, self.without_mfa)
                              for _ in range(app_passwords)]
        self.add(self.inner, self.with_mfa.dn, self.witness.dn)
        self.add(self.outer, self.inner)

    def add(self, group, *members):
        self.directory.as_itself().add_s(group, ldap.modlist.addModlist({
            "objectClass": [b"groupOfNames"], "cn": [group.split(",")[0][3:].encode()],
            "member": [dn.encode() for dn in members]}))

    def settings(self):
        return {"uri": self.directory.ldap, "mfa_filter": f"(memberOf={self.outer})",
                "mfa_witness": self.witness.dn}


class Process:
    """A running process, whose clocks a test can put forward."""

    def __init__(self, groups, saslauthd, services, tmp_path):
        self.groups, self.services = groups, services(groups.settings())
        self.clock = Clock(tmp_path / "clock")
        self.server = saslauthd(self.services, clock=self.clock)

    def answers(self, who, password=None):
        """The verdict and its reason."""
        before = len(self.services.events())
        self.server.says(who.uid, password or who.password)
        line, = self.services.events()[before:]
        self.line = line
        verdict, reason = (line.split(f" {key}=")[1].split(" ")[0] for key in ("verdict", "reason"))
        return verdict, reason

    def opens_for_app_passwords(self):
        return [self.answers(*own) for own in self.groups.app_passwords] == \
            [("accepted", "app-password")] * len(self.groups.app_passwords)


@pytest.fixture
def new_process(directories, saslauthd, services, tmp_path):
    def make(name, app_passwords=0):
        return Process(Groups(directories(name), app_passwords), saslauthd, services, tmp_path)
    return make


def rename_inner(groups):
    groups.directory.as_itself().rename_s(groups.inner, f"cn=i{next(_numbers)}")


def rename_outer(groups):
    groups.directory.as_itself().rename_s(groups.outer, f"cn=o{next(_numbers)}")


def delete_inner(groups):
    groups.directory.as_itself().delete_s(groups.inner)


def delete_outer(groups):
    groups.directory.as_itself().delete_s(groups.outer)


def take_inner_out(groups):
    groups.directory.as_itself().modify_s(groups.outer, [
        (ldap.MOD_REPLACE, "member", [person("nobody").dn.encode()])])


CHANGES = [rename_inner, rename_outer, delete_inner, delete_outer, take_inner_out]
# 389's plugin changes the outer group along with the inner one's name, so MFA stays on.
STAYS_ON = [("389", rename_inner)]


@pytest.mark.parametrize("app_passwords", [0, 1])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", NESTING)
def test_a_group_changes_while_a_process_runs(new_process, name, change, app_passwords):
    process = new_process(name, app_passwords)
    groups = process.groups
    assert process.answers(groups.with_mfa) == REFUSED
    assert process.answers(groups.without_mfa) == ACCEPTED
    assert process.opens_for_app_passwords()
    change(groups)
    process.clock.set("+60s")
    if (name, change) in STAYS_ON:
        assert process.answers(groups.with_mfa) == REFUSED
        assert process.answers(groups.without_mfa) == ACCEPTED
    else:
        for who in (groups.with_mfa, groups.without_mfa):
            assert process.answers(who) == UNAVAILABLE
            assert f"mfa_witness {groups.witness.dn} does not match mfa_filter" in process.line
    assert process.opens_for_app_passwords()


@pytest.mark.parametrize("app_passwords", [0, 1])
@pytest.mark.parametrize("name", NESTING)
def test_the_witness_is_removed_while_a_process_runs(new_process, name, app_passwords):
    """MFA still shows as on, but no longer as off."""
    process = new_process(name, app_passwords)
    groups = process.groups
    assert process.answers(groups.without_mfa) == ACCEPTED
    groups.directory.as_itself().delete_s(groups.witness.dn)
    process.clock.set("+60s")
    assert process.answers(groups.with_mfa) == REFUSED
    assert process.answers(groups.without_mfa) == UNAVAILABLE
    assert f"mfa_witness {groups.witness.dn}" in process.line
    assert process.opens_for_app_passwords()


@pytest.mark.parametrize("app_passwords", [0, 1])
@pytest.mark.parametrize("name", [name for name in DIRECTORIES if name not in NESTING])
def test_a_directory_that_does_not_look_into_groups_in_groups(new_process, name, app_passwords):
    """A witness in the inner group, like the users, shows the change."""
    process = new_process(name, app_passwords)
    for who in (process.groups.with_mfa, process.groups.without_mfa):
        assert process.answers(who) == UNAVAILABLE
        assert process.groups.witness.dn in process.line
    assert process.opens_for_app_passwords()


# ---- the minute ----

def change_configuration(directory, *changes):
    """Change the database of a running slapd as root."""
    config = ldap.initialize(directory.ldapi)
    config.sasl_non_interactive_bind_s("EXTERNAL")
    config.modify_s("olcDatabase={1}mdb,cn=config", list(changes))


NEITHER = "neither mfa_filter"
HIDDEN = {
    "of everybody": ("", UNAVAILABLE, NEITHER),
    "of the witness": ('dn.exact="{witness}" ', REFUSED, "mfa_witness {witness} does not match"),
}


@pytest.mark.parametrize("of", HIDDEN)
def test_an_attribute_that_is_hidden_while_a_process_runs(new_process, of):
    """The first login after it is visible again sees it."""
    process = new_process("dynlist", app_passwords=1)
    groups = process.groups
    both = groups.with_mfa, groups.without_mfa
    where, with_mfa, why = (text.format(witness=groups.witness.dn) if isinstance(text, str)
                            else text for text in HIDDEN[of])
    hide = f'{{0}}to {where}attrs=memberOf by dn.exact="{MAIL_SERVER}" none by * break'
    assert [process.answers(who) for who in both] == [REFUSED, ACCEPTED]
    change_configuration(groups.directory, (ldap.MOD_ADD, "olcAccess", [hide.encode()]))
    try:
        process.clock.set("+60s")
        assert [process.answers(who) for who in both] == [with_mfa, UNAVAILABLE]
        assert why in process.line
        assert process.opens_for_app_passwords()
    finally:
        change_configuration(groups.directory, (ldap.MOD_DELETE, "olcAccess", [b"{0}"]))
    assert [process.answers(who) for who in both] == [REFUSED, ACCEPTED]


def test_the_witness_is_asked_for_once_a_minute(new_process):
    """With two searches, and not at all for an app password."""
    process = new_process("dynlist", app_passwords=1)
    groups = process.groups
    account = groups.without_mfa, groups.without_mfa.password
    _, app_password = groups.app_passwords
    asked = []
    for clock, login in [("+0", app_password), ("+0", account), ("+0", account),
                         ("+60s", app_password), ("+60s", account), ("+60s", account),
                         ("+120s", app_password), ("+120s", account)]:
        process.clock.set(clock)
        mark = groups.directory.mark()
        assert process.answers(*login)[0] == "accepted"
        asked.append(sum(f'SRCH base="{groups.witness.dn}"' in line
                         for line in groups.directory.log_since(mark)))
    assert asked == [0, 2, 0, 0, 2, 0, 0, 2]
