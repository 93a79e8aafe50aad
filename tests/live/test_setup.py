# SPDX-License-Identifier: BSD-2-Clause
"""Setting up a directory as ldap-schema's README says.

With Debian's slapd as its package configures it, without ppolicy and with it.
"""

import pathlib
import re
import subprocess
from urllib.parse import quote

import ldap
import pytest

import apppassword
from processes import run, start, stop, wait_until
from slapd import (ACL, BASE, CLOSED_SITE, IDENTITIES, LDAP_SCHEMA, OPEN_SITE,
                   example_identities, person)
from smtp import ACCEPTED, REFUSED

DEBIAN = pathlib.Path("/usr/share/slapd/slapd.init.ldif")
MANAGER, MANAGER_PASSWORD = f"cn=admin,{BASE}", "Debian's admin"
RULES, RULES_WITH_PPOLICY = ACL["cn=config"]
OUR_RULES = ["appPassword", "appPasswordMfaEnabled", "appPasswordMfaEnforceFrom",
             "appPasswordUsed", "appPasswordMfaMethod", "entryUUID", "objectClass val",
             "objectClass,uid,mail", "entry", "modifyTimestamp"]
PPOLICY_RULE = "pwdAccountLockedTime,pwdStartTime,pwdEndTime"
DEBIANS_RULES = ["userPassword", "shadowLastChange", "*"]
README = (LDAP_SCHEMA / "README.md").read_text()


class DebianSlapd:
    """slapd with the configuration of Debian's package, in its own folder."""

    def __init__(self, folder, suffix=BASE):
        self.folder, self.suffix, self.manager = folder, suffix, f"cn=admin,{suffix}"
        self.process = None
        self.uri = f"ldapi://{quote(str(folder / 'ldapi'), safe='')}"
        self.external = ["-Q", "-Y", "EXTERNAL", "-H", self.uri]
        self.as_manager = ["-x", "-H", self.uri, "-D", self.manager, "-y", folder / "manager.secret"]
        (folder / "manager.secret").write_text(MANAGER_PASSWORD)
        (folder / "db").mkdir()
        (folder / "slapd.d").mkdir()
        text = DEBIAN.read_text()
        for old, new in [("@SUFFIX@", suffix), ("@PASSWORD@", MANAGER_PASSWORD),
                         ("/var/lib/ldap", f"{folder}/db"), ("/var/run/slapd", str(folder))]:
            assert old in text
            text = text.replace(old, new)
        (folder / "init.ldif").write_text(text)
        run(["slapadd", "-F", folder / "slapd.d", "-n", "0", "-l", folder / "init.ldif"])

    def run(self):
        self.process = start(["/usr/sbin/slapd", "-F", self.folder / "slapd.d", "-h", self.uri,
                              "-d", "stats"], self.folder / "slapd.log")
        wait_until(self._answers, "slapd")

    def start(self):
        """Start slapd with only the base and ou=people."""
        self.run()
        self.add(self.suffix, objectClass=["domain"], dc=[self.suffix.split(",")[0][3:]])
        self.add(f"ou=people,{self.suffix}", objectClass=["organizationalUnit"], ou=["people"])

    def stop(self):
        if self.process:
            stop(self.process)

    def _answers(self):
        try:
            return ldap.initialize(self.uri).search_s("", ldap.SCOPE_BASE)
        except ldap.SERVER_DOWN:
            return None

    def connect(self, dn=None, password=MANAGER_PASSWORD):
        connection = ldap.initialize(self.uri)
        connection.simple_bind_s(dn or self.manager, password)
        return connection

    def add(self, dn, **entry):
        self.connect().add_s(dn, [(name, [value.encode() for value in values])
                                  for name, values in entry.items()])

    def load(self, command, file):
        """ldapadd or ldapmodify, as root on the directory's host."""
        return subprocess.run([command, *self.external, "-f", file],
                              capture_output=True, text=True)

    def config(self, attribute):
        """The values of an attribute of the database's configuration."""
        printed = run(["ldapsearch", *self.external, "-LLL", "-o", "ldif_wrap=no",
                       "-b", "cn=config", f"(olcSuffix={BASE})", attribute])
        return re.findall(rf"^{attribute}: (.*)$", printed, flags=re.MULTILINE)

    def rules(self):
        """The targets of the access rules in force, in order."""
        return [re.match(r"\{\d+\}to (?:attrs=)?((?:objectClass val)|\S+)", rule)[1]
                for rule in self.config("olcAccess")]


@pytest.fixture
def debian(folder):
    server = DebianSlapd(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def load_ppolicy(debian):
    ppolicy = debian.folder / "ppolicy.ldif"
    ppolicy.write_text("""\
dn: cn=module{0},cn=config
changetype: modify
add: olcModuleLoad
olcModuleLoad: ppolicy

dn: olcOverlay=ppolicy,olcDatabase={1}mdb,cn=config
changetype: add
objectClass: olcPPolicyConfig
""")
    loaded = debian.load("ldapmodify", ppolicy)
    assert loaded.returncode == 0, loaded


def load_all(debian, *rules):
    for command, file in [("ldapadd", LDAP_SCHEMA / "app-password.ldif"),
                          *(("ldapmodify", file) for file in rules),
                          ("ldapmodify", LDAP_SCHEMA / "index-cnconfig.ldif")]:
        loaded = debian.load(command, file)
        assert loaded.returncode == 0, loaded


def test_the_rules_load_on_debians_slapd_and_come_first(debian):
    assert debian.rules() == DEBIANS_RULES
    load_all(debian, RULES)
    assert debian.rules() == OUR_RULES + DEBIANS_RULES
    assert debian.config("olcAddContentAcl") == ["TRUE"]


@pytest.mark.parametrize("rules, expected", [
    pytest.param([RULES, RULES_WITH_PPOLICY], [PPOLICY_RULE, *OUR_RULES],
                 id="that for ppolicy afterwards"),
    pytest.param([RULES_WITH_PPOLICY, RULES], [*OUR_RULES, PPOLICY_RULE],
                 id="that for ppolicy before"),
    pytest.param([RULES], OUR_RULES, id="without that for ppolicy"),
])
def test_with_ppolicy_the_rules_come_first_whichever_is_loaded_first(debian, rules, expected):
    load_ppolicy(debian)
    load_all(debian, *rules)
    assert debian.rules() == expected + DEBIANS_RULES


def test_the_rule_for_ppolicy_without_it_changes_nothing_and_says_what_the_readme_quotes(debian):
    load_all(debian, RULES)
    failed = debian.load("ldapmodify", RULES_WITH_PPOLICY)
    assert failed.returncode == 80
    for line in failed.stderr.strip().splitlines():
        assert line.strip() in README
    assert debian.rules() == OUR_RULES + DEBIANS_RULES


@pytest.mark.parametrize("ppolicy", [False, True])
@pytest.mark.parametrize("form", ACL)
def test_both_forms_work_with_and_without_ppolicy(own_directory, mail_server, form, ppolicy):
    """Before a site's generous rules."""
    acl = ACL[form] if ppolicy else ACL[form][:1]
    directory = own_directory(acl=acl, ppolicy=ppolicy, site_rules=OPEN_SITE)
    server = mail_server({"uri": directory.ldap})
    user, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert server.sign_in(user.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(user.uid, user.password).code == REFUSED
    for connection in directory.connect(), directory.connect(user):
        (_, entry), = connection.search_s(user.dn, ldap.SCOPE_BASE, attrlist=["appPassword"])
        assert entry == {}


def test_the_index_for_mail_is_added_to_debians(debian):
    before = debian.config("olcDbIndex")
    load_all(debian, RULES)
    assert debian.config("olcDbIndex") == [*before, "mail eq"]
    assert {"objectClass eq", "cn,uid eq"} <= set(before)


def test_no_example_identity_signs_in_before_it_has_a_password(debian):
    add_identities(debian)
    for dn, entry in example_identities().items():
        for guess in ["!", "*", "*0", "*1", "x", *entry.get("userPassword", [])]:
            with pytest.raises(ldap.INVALID_CREDENTIALS):
                debian.connect(dn, guess)


def test_with_passwords_the_example_identities_have_the_rights_of_the_table(debian):
    """From an empty directory to an app password that the mail server reads, as in the README."""
    load_all(debian, RULES)
    add_identities(debian)
    new = debian.folder / "new.secret"
    new.write_text("a new password")
    for identity in "mail server", "administrator":
        run(["ldappasswd", *debian.as_manager, "-T", new, IDENTITIES[identity]])
    user = person("alice")
    debian.add(user.dn, objectClass=["inetOrgPerson"], uid=[user.uid], cn=[user.uid],
               sn=[user.uid], mail=[user.mail])
    value = apppassword.make().value.encode()
    debian.connect(IDENTITIES["administrator"], "a new password").modify_s(user.dn, [
        (ldap.MOD_ADD, "objectClass", [b"appPasswordAccount"]),
        (ldap.MOD_ADD, "appPassword", [value])])
    mail_server = debian.connect(IDENTITIES["mail server"], "a new password")
    assert mail_server.search_s(BASE, ldap.SCOPE_SUBTREE, f"(mail={user.mail})", ["appPassword"]) \
        == [(user.dn, {"appPassword": [value]})]
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        mail_server.modify_s(user.dn, [(ldap.MOD_DELETE, "appPassword", [value])])


def add_identities(debian):
    run(["ldapadd", "-c", *debian.as_manager, "-f", LDAP_SCHEMA / "identities.ldif"])


# ---- Anonymous compares ----

def compares(directory, who, attribute, value):
    try:
        return directory.connect().compare_s(who.dn, attribute, value.encode())
    except (ldap.INSUFFICIENT_ACCESS, ldap.NO_SUCH_OBJECT):
        return None


def test_anonymous_compares_a_hidden_users_mail_address_as_the_readme_says(own_directory):
    directory = own_directory(site_rules=CLOSED_SITE)
    user = directory.new_person()
    assert compares(directory, user, "mail", user.mail) is True
    assert compares(directory, user, "mail", "another@example.org") is False


@pytest.mark.parametrize("instead", [
    pytest.param("by users read", id="by users read"),
    pytest.param("\n    ".join(
        [f'by dn.exact="{IDENTITIES[identity]}" read' for identity in
         ("mail server", "portal", "replicator")]
        + [f'by group.exact="cn=mail-administrators,ou=groups,{BASE}" read',
           "by self read", "by * none"]), id="by * none"),
])
def test_with_the_readmes_line_anonymous_compares_nothing_and_logins_go_on(
        own_directory, mail_server, folder, instead):
    rules, ppolicy = ACL["slapd.conf"]
    adapted = folder / "acl.conf"
    text, count = re.subn(r"^    by \* read$", f"    {instead}", rules.read_text(),
                          flags=re.MULTILINE)
    assert count == 2
    adapted.write_text(text)
    directory = own_directory(acl=(adapted, ppolicy))
    user, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert compares(directory, user, "mail", user.mail) is None
    assert compares(directory, user, "objectClass", "inetOrgPerson") is None
    server = mail_server({"uri": directory.ldap})
    assert server.sign_in(user.mail, app_password.shown).code == ACCEPTED
    assert server.sign_in(user.uid, user.password).code == REFUSED
