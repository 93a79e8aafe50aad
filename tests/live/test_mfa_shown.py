# SPDX-License-Identifier: BSD-2-Clause
"""MFA never reads as off by accident: the witness, on directories that answer wrongly."""

import io
import re
import textwrap

import ldap
import ldap.modlist
import ldif
import pytest

from administration import Site
from processes import free_port, start, stop, wait_until
from slapd import BASE, GROUP, IDENTITIES, LDAP_SCHEMA, MEMBER, NON_MEMBER
from smtp import ACCEPTED, REFUSED, UNAVAILABLE

MAIL_SERVER = IDENTITIES["mail server"]
BY_GROUP = {"mfa_filter": f"(memberOf={GROUP})", "mfa_witness": MEMBER.dn}


def visible_groups():
    return f'access to attrs=memberOf,employeeType by dn.exact="{MAIL_SERVER}" search by * break'


def as_itself(directory):
    return directory.connect_as_itself()


@pytest.fixture
def by_group(own_directory, mail_server):
    """A directory whose group decides, and a mail server that has just let a user in."""
    directory = own_directory(first_rules=visible_groups())
    keys = {"uri": directory.ldap} | BY_GROUP
    server = mail_server(keys)
    assert server.sign_in(NON_MEMBER.uid, NON_MEMBER.password).code == ACCEPTED
    return directory, server, lambda: mail_server(keys)


def rename_group(directory):
    as_itself(directory).rename_s(GROUP, "cn=two-factor")


def delete_group(directory):
    as_itself(directory).delete_s(GROUP)


def remove_witness(directory):
    as_itself(directory).delete_s(MEMBER.dn)


def end_membership_of_witness(directory):
    as_itself(directory).modify_s(GROUP, [
        (ldap.MOD_ADD, "member", [NON_MEMBER.dn.encode()]),
        (ldap.MOD_DELETE, "member", [MEMBER.dn.encode()])])


CHANGES = [rename_group, delete_group, remove_witness, end_membership_of_witness]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("app_passwords", [0, 1])
def test_after_a_change_nobody_is_off(by_group, change, app_passwords):
    """A new process and one that has lost its connection see it at once."""
    directory, server, another_server = by_group
    person, *own = [directory.new_person(app_passwords=app_passwords)] if app_passwords == 0 \
        else directory.new_person(app_passwords=app_passwords)
    change(directory)
    directory.stop()
    directory.start()
    for asked in (server, another_server()):
        assert asked.sign_in(person.uid, person.password).code == UNAVAILABLE
        line = asked.events()[-1]
        assert " reason=mfa-unreadable " in line and f"mfa_witness {MEMBER.dn}" in line
        for app_password in own:
            assert asked.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_a_group_hidden_by_an_acl(own_directory, mail_server):
    directory = own_directory(first_rules=(
        f'access to attrs=memberOf by dn.exact="{MAIL_SERVER}" none by * break'))
    server = mail_server({"uri": directory.ldap} | BY_GROUP)
    for who in (MEMBER, NON_MEMBER, directory.new_person()):
        assert server.sign_in(who.uid, who.password).code == UNAVAILABLE


def test_a_mistyped_group(own_directory, mail_server):
    directory = own_directory(first_rules=visible_groups())
    server = mail_server({"uri": directory.ldap, "mfa_witness": MEMBER.dn,
                          "mfa_filter": "(memberOf=cn=mfa-users,ou=grops,dc=example,dc=org)"})
    for who in (MEMBER, NON_MEMBER):
        assert server.sign_in(who.uid, who.password).code == UNAVAILABLE


OTHER_GROUP = f"cn=staff,ou=groups,{BASE}"


@pytest.mark.parametrize("mfa_filter", [
    f"(|(memberOf={GROUP})(memberOf={OTHER_GROUP}))",
    f"(|(employeeType=mfa)(memberOf={OTHER_GROUP}))",
    f"(&(uid=*)(|(employeeType=mfa)(&(uid=*)(memberOf={OTHER_GROUP}))))"])
def test_a_witness_vouches_for_each_part_of_the_filter(own_directory, mail_server, mfa_filter):
    """The witness must be in both groups of the filter, also in the one that was renamed."""
    directory = own_directory(first_rules=visible_groups())
    with_mfa, without_mfa, witness = (directory.new_person() for _ in range(3))
    root = as_itself(directory)
    root.add_s(OTHER_GROUP, [("objectClass", [b"groupOfNames"]), ("cn", [b"staff"]),
                             ("member", [with_mfa.dn.encode()])])
    root.modify_s(witness.dn, [(ldap.MOD_REPLACE, "employeeType", [b"mfa"])])
    root.modify_s(GROUP, [(ldap.MOD_ADD, "member", [witness.dn.encode()])])
    keys = {"uri": directory.ldap, "mfa_witness": witness.dn, "mfa_filter": mfa_filter}
    server = mail_server(keys)
    assert server.sign_in(with_mfa.uid, with_mfa.password).code == REFUSED
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == UNAVAILABLE
    assert "does not match each part of mfa_filter" in server.events()[-1]
    root.modify_s(OTHER_GROUP, [(ldap.MOD_ADD, "member", [witness.dn.encode()])])
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == ACCEPTED
    root.rename_s(OTHER_GROUP, "cn=everybody")
    for who in with_mfa, without_mfa:
        assert mail_server(keys).sign_in(who.uid, who.password).code == UNAVAILABLE


def test_a_witness_has_one_of_several_values(own_directory, mail_server):
    directory = own_directory(first_rules=visible_groups())
    on, off, witness = (directory.new_person() for _ in range(3))
    for who, value in (on, b"admin"), (witness, b"mfa"), (off, b"plain"):
        as_itself(directory).modify_s(who.dn, [(ldap.MOD_REPLACE, "employeeType", [value])])
    server = mail_server({"uri": directory.ldap, "mfa_witness": witness.dn,
                          "mfa_filter": "(|(employeeType=mfa)(employeeType=admin))"})
    assert server.sign_in(on.uid, on.password).code == REFUSED
    assert server.sign_in(off.uid, off.password).code == ACCEPTED


@pytest.mark.parametrize("mfa_filter", ["(employeeType=mfa)", f"(memberOf={GROUP})"])
def test_the_witness_of_the_readme(own_directory, mail_server, mfa_filter):
    """As shown for a flag; for a group, without the flag and as a member."""
    directory = own_directory(first_rules=visible_groups())
    text = re.search(r"^ +dn: uid=mfa-witness,.*?\n\n", (LDAP_SCHEMA / "README.md").read_text(),
                     flags=re.DOTALL | re.MULTILINE)[0]
    parser = ldif.LDIFRecordList(io.StringIO(textwrap.dedent(text)))
    parser.parse()
    (dn, entry), = parser.all_records
    root = as_itself(directory)
    with_mfa, without_mfa = (directory.new_person() for _ in range(2))
    if mfa_filter.startswith("(memberOf"):
        del entry["employeeType"]
        root.add_s(dn, ldap.modlist.addModlist(entry))
        root.modify_s(GROUP, [(ldap.MOD_ADD, "member", [dn.encode(), with_mfa.dn.encode()])])
    else:
        root.add_s(dn, ldap.modlist.addModlist(entry))
        root.modify_s(with_mfa.dn, [(ldap.MOD_REPLACE, "employeeType", [b"mfa"])])
    keys = {"uri": directory.ldap, "mfa_filter": mfa_filter, "mfa_witness": dn}
    server = mail_server(keys)
    assert server.sign_in(with_mfa.uid, with_mfa.password).code == REFUSED
    assert server.sign_in(without_mfa.uid, without_mfa.password).code == ACCEPTED
    root.delete_s(dn)
    assert mail_server(keys).sign_in(without_mfa.uid, without_mfa.password).code == UNAVAILABLE


def test_an_off_filter_shows_off_by_itself(own_directory, mail_server):
    """Without the value that says off, the account password is unavailable, not accepted."""
    directory = own_directory(first_rules=visible_groups())
    server = mail_server({"uri": directory.ldap, "mfa_filter": "(employeeType=mfa)",
                          "mfa_off_filter": "(employeeType=plain)"})
    off, on, neither, both = (directory.new_person() for _ in range(4))
    for who, values in (off, [b"plain"]), (on, [b"mfa"]), (both, [b"mfa", b"plain"]):
        as_itself(directory).modify_s(who.dn, [(ldap.MOD_REPLACE, "employeeType", values)])
    for who, code in (off, ACCEPTED), (on, REFUSED), (neither, UNAVAILABLE), (both, REFUSED):
        assert server.sign_in(who.uid, who.password).code == code, who


PROXIES = {
    "rwm": """\
moduleload back_ldap
moduleload rwm
database ldap
suffix {base}
uri "{uri}"
overlay rwm
{mapped}
rwm-map attribute *
""",
    "back-meta": """\
moduleload back_ldap
moduleload back_meta
database meta
suffix {base}
uri "{uri}/{base}"
{mapped_meta}
map attribute *
""",
}
MAPPED = ["uid", "mail", "cn", "sn", "appPassword", "userPassword",
          "appPasswordMfaEnforceFrom"]


@pytest.fixture(params=PROXIES)
def proxy(request, own_directory, tmp_path):
    """An LDAP proxy that passes only the attributes named to it, and the directory behind it."""
    directory = own_directory(first_rules=visible_groups())
    config, uri = tmp_path / "proxy.conf", f"ldap://127.0.0.1:{free_port()}"
    schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n"
                      for name in ("core", "cosine", "inetorgperson"))
    schemas += f"include {LDAP_SCHEMA}/app-password.schema\n"
    config.write_text(schemas + "modulepath /usr/lib/ldap\nmoduleload memberof\n" + PROXIES[request.param].format(
        base=BASE, uri=directory.ldap,
        mapped="\n".join(f"rwm-map attribute {name} {name}" for name in MAPPED),
        mapped_meta="\n".join(f"map attribute {name} {name}" for name in MAPPED)))
    process = start(["/usr/sbin/slapd", "-f", config, "-h", uri, "-d", "0"], tmp_path / "proxy.log")

    def answers():
        try:
            return ldap.initialize(uri).search_s("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            assert process.poll() is None, (tmp_path / "proxy.log").read_text()
            return None

    wait_until(answers, "the proxy")
    yield directory, uri
    stop(process)


@pytest.mark.parametrize("app_passwords", [0, 1])
def test_a_proxy_that_drops_attributes(proxy, mail_server, app_passwords):
    directory, uri = proxy
    server = mail_server({"uri": uri} | BY_GROUP)
    for who in (MEMBER, NON_MEMBER):
        own = [directory.add_app_password(who) for _ in range(app_passwords)]
        assert server.sign_in(who.uid, who.password).code == UNAVAILABLE
        assert "reason=mfa-unreadable" in server.events()[-1]
        for app_password in own:
            assert server.sign_in(who.uid, app_password.shown).code == ACCEPTED


DYNAMIC = f"cn=dynamic,ou=groups,{BASE}"


@pytest.mark.parametrize("app_passwords", [0, 1])
@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_dynamic_group(own_directory, mail_server, is_hidden, app_passwords):
    """Seen, it decides; hidden from the mail server, its members look as if they had MFA off."""
    hide = f'access to dn.exact="{DYNAMIC}" by dn.exact="{MAIL_SERVER}" none by * break\n'
    directory = own_directory(
        first_rules=(hide if is_hidden else "")
        + f'access to * by dn.exact="{MAIL_SERVER}" read by * break\n',
        lines="moduleload dynlist\ninclude /etc/ldap/schema/dyngroup.schema\n",
        database="overlay dynlist\n"
                 "dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames\n")
    with_mfa, witness, without_mfa = (directory.new_person() for _ in range(3))
    for who in (with_mfa, witness):
        directory.administrate(who, appPasswordMfaEnabled="TRUE")
    own = [directory.add_app_password(with_mfa) for _ in range(app_passwords)]
    url = f"ldap:///ou=people,{BASE}??sub?(appPasswordMfaEnabled=TRUE)"
    as_itself(directory).add_s(DYNAMIC, [
        ("objectClass", [b"groupOfURLs"]), ("cn", [b"dynamic"]), ("memberURL", [url.encode()])])
    server = mail_server({"uri": directory.ldap, "mfa_filter": f"(memberOf={DYNAMIC})",
                          "mfa_witness": witness.dn})
    for who, code in ((with_mfa, REFUSED), (without_mfa, ACCEPTED)):
        assert server.sign_in(who.uid, who.password).code == (UNAVAILABLE if is_hidden else code)
        if is_hidden:
            assert "reason=mfa-unreadable" in server.events()[-1]
            assert witness.dn in server.events()[-1]
    for app_password in own:
        assert server.sign_in(with_mfa.uid, app_password.shown).code == ACCEPTED


def test_the_witness_is_asked_once_over_a_connection(by_group):
    """And not at all for an app password."""
    directory, _, another_server = by_group
    server = another_server()
    app_password = directory.add_app_password(NON_MEMBER)
    asked = []
    for password in (app_password.shown, NON_MEMBER.password, NON_MEMBER.password):
        mark = directory.mark()
        assert server.sign_in(NON_MEMBER.uid, password).code == ACCEPTED
        asked.append(sum(f'SRCH base="{MEMBER.dn}"' in line for line in directory.log_since(mark)))
    assert asked == [0, 2, 0]


# ---- the default filter behind such a proxy ----

@pytest.mark.parametrize("app_passwords", [0, 1])
def test_with_a_witness_the_default_filter_is_safe_behind_a_proxy(
        proxy, mail_server, app_passwords):
    directory, uri = proxy
    witness, with_mfa, without_mfa = (directory.new_person(mfa=mfa) for mfa in (True, True, False))
    own = [directory.add_app_password(with_mfa) for _ in range(app_passwords)]
    server = mail_server({"uri": uri, "mfa_witness": witness.dn})
    for who in (with_mfa, without_mfa):
        assert server.sign_in(who.uid, who.password).code == UNAVAILABLE
        line = server.events()[-1]
        assert " reason=mfa-unreadable " in line
        assert f"mfa_witness {witness.dn} does not match mfa_filter" in line
    for app_password in own:
        assert server.sign_in(with_mfa.uid, app_password.shown).code == ACCEPTED


@pytest.mark.parametrize("is_proxied", [True, False])
def test_the_doctor_finds_a_proxy_that_drops_the_flag(proxy, tmp_path, is_proxied):
    """Also without a user to try."""
    directory, uri = proxy
    who = directory.new_person(mfa=True)
    site = Site(tmp_path / "site", directory, uri=uri if is_proxied else directory.ldap,
                write_uri=directory.ldap)
    lines = site.command("doctor").stdout.splitlines()
    found = [number for number, line in enumerate(lines)
             if f"MFA is on for {who.dn}, but the mail server reads it as off" in line]
    assert len(found) == is_proxied
    for number in found:
        assert lines[number].startswith("PROBLEM  mfa_filter: ")
        assert "fix: pass the attributes of mfa_filter" in lines[number + 1]
        assert f'"mfa_witness uid=mfa-witness,{BASE}"' in lines[number + 1]
