# SPDX-License-Identifier: BSD-2-Clause
"""The advice of doc/rollout.md on idle limits, passwords elsewhere, and names, on real servers."""

import contextlib
import re
import textwrap

import ldap
import pytest

import smtp
from fakes import YesMan
from processes import run, start, wait_until
from slapd import BASE, ITSELF, LDAP_SCHEMA, _user, person, secret

README = (LDAP_SCHEMA / "README.md").read_text()

POLICY = {"objectClass": ["applicationProcess", "pwdPolicy"], "pwdAttribute": ["userPassword"],
          "pwdLockout": ["TRUE"]}
IDLE = f"cn=idle,{BASE}"
BUSY, IDLER, ELSEWHERE = person("busy"), person("idler"), person("elsewhere")
LONG_AGO = "20260101000000Z"


# ---- idle limits ----

@pytest.fixture
def idle_directory(own_directory):
    """pwdMaxIdle is 90 days; the last bind of these users is longer ago."""
    directory = own_directory(database="lastbind on\n")
    directory.stop()
    old = {"pwdPolicySubentry": [IDLE], "pwdLastSuccess": [LONG_AGO]}
    directory.load([(IDLE, POLICY | {"cn": ["idle"], "pwdMaxIdle": ["7776000"]}),
                    *(_user(who, **old) for who in (BUSY, IDLER))])
    return directory.start()


def last_bind(directory, who):
    (_, entry), = directory.connect_as_itself().search_s(
        who.dn, ldap.SCOPE_BASE, attrlist=["pwdLastSuccess"])
    return entry["pwdLastSuccess"][0].decode()


def test_app_passwords_are_no_use_to_an_idle_limit(idle_directory, mail_server):
    directory = idle_directory
    server = mail_server({"uri": directory.ldap})
    app_password = directory.add_app_password(BUSY)
    for _ in range(2):
        assert server.sign_in(BUSY.uid, app_password.shown).code == smtp.ACCEPTED
    assert last_bind(directory, BUSY) == LONG_AGO
    for who in BUSY, IDLER:
        with pytest.raises(ldap.INVALID_CREDENTIALS):  # as for any other program that binds
            directory.connect(who)
        assert server.sign_in(who.uid, who.password).code == smtp.REFUSED
        assert " verdict=refused reason=account-locked " in server.events()[-1]


def test_the_policy_of_the_readme_unlocks_for_good(idle_directory, tmp_path):
    directory = idle_directory
    ldif = re.search(r"^((?:    .*\n|\n)+)", README[README.index("    dn: cn=app passwords,"):])[1]
    file = tmp_path / "policy.ldif"
    file.write_text(textwrap.dedent(ldif).replace("uid=alice,ou=people,dc=example,dc=org", BUSY.dn))
    run(["ldapmodify", "-x", "-D", ITSELF, "-w", secret("slapd itself"), "-H", directory.ldapi,
         "-f", file])
    directory.connect(BUSY)
    assert last_bind(directory, BUSY) > LONG_AGO
    with pytest.raises(ldap.INVALID_CREDENTIALS):
        directory.connect(IDLER)


# ---- passwords that slapd asks saslauthd for ----

@pytest.fixture
def passing_on(own_directory, folder):
    """A directory whose users have {SASL} passwords, and the saslauthd that it asks."""
    conf = folder / "sasl2"
    conf.mkdir()
    (conf / "slapd.conf").write_text(
        f"pwcheck_method: saslauthd\nsaslauthd_path: {folder}/saslauthd/mux\n")
    saslauthd = YesMan(folder / "saslauthd")
    directory = own_directory()
    directory.stop()
    directory.load([_user(ELSEWHERE, userPassword=["{SASL}elsewhere@EXAMPLE.ORG"])])
    directory.process = start(
        ["unshare", "--mount", "sh", "-c", f"mount --bind {conf} /etc/ldap/sasl2 && exec \"$@\"",
         "sh", "/usr/sbin/slapd", *directory._config, "-h", " ".join(directory.listeners),
         "-d", "stats"], directory.log)
    wait_until(directory._answers, "slapd")
    yield directory, saslauthd
    with contextlib.suppress(OSError):  # closed already
        saslauthd.close()


def test_an_outage_behind_sasl_passwords_looks_like_a_wrong_password(passing_on, mail_server):
    directory, saslauthd = passing_on
    server = mail_server({"uri": directory.ldap})
    app_password = directory.add_app_password(ELSEWHERE)
    assert server.sign_in(ELSEWHERE.uid, "what saslauthd accepts").code == smtp.ACCEPTED
    assert saslauthd.asked == ["elsewhere"]
    saslauthd.close()
    assert server.sign_in(ELSEWHERE.uid, "what saslauthd accepts").code == smtp.REFUSED
    assert " verdict=refused reason=wrong-account-password " in server.events()[-1]
    assert server.sign_in(ELSEWHERE.uid, app_password.shown).code == smtp.ACCEPTED


# ---- what is keyed on the accepted name ----

@pytest.mark.parametrize("attribute, owner", [("uid", "{0.uid}"), ("mail", "{0.mail}")])
def test_sender_login_maps_are_keyed_on_the_accepted_name(
        mail_server, directory, attribute, owner):
    """Whatever was typed. Without login_attribute, they are keyed on what was typed."""
    person, app_password = directory.new_person(app_passwords=1)
    server = mail_server({"login_attribute": attribute}, kind="owns addresses")
    (server.postfix.config / "senders").write_text(
        f"{person.mail} {owner.format(person)}\n")
    assert {sends(server, login, app_password, person.mail)
            for login in (person.mail, person.mail.upper())} == {250}
    assert sends(server, person.mail, app_password, "other@example.org") == 553


@pytest.mark.parametrize("owners, codes", [
    ("{0.mail}", [250, 553, 250]), ("{0.uid}", [553, 250, 553]), ("{0.uid}, {0.mail}", [250] * 3)])
def test_login_attribute_changes_the_owner(mail_server, directory, owners, codes):
    """A map for logins as they were typed no longer matches; one with both names does."""
    person, app_password = directory.new_person(app_passwords=1)
    found = []
    for attribute in None, "uid", "mail":
        server = mail_server({"login_attribute": attribute}, kind="owns addresses")
        (server.postfix.config / "senders").write_text(
            f"{person.mail} {owners.format(person)}\n")
        found.append(sends(server, person.mail, app_password, person.mail))
    assert found == codes


def sends(server, login, app_password, sender):
    """Postfix's answer to RCPT TO after a login and MAIL FROM."""
    client = server.connect()
    try:
        assert server.sign_in(login, app_password.shown, client=client).code == smtp.ACCEPTED
        client.docmd(f"MAIL FROM:<{sender}>")
        return client.docmd("RCPT TO:<somebody@example.net>")[0]
    finally:
        client.close()
