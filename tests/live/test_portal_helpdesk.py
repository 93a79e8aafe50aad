# SPDX-License-Identifier: BSD-2-Clause
"""The help desk's pages: who sees them, whom they show, and what they say about a person."""

import re
import subprocess

import ldap
import pytest

from conftest import new_folder
from portal import PROGRAM, Portal
from processes import run
from slapd import ACL, OPEN_SITE, Slapd, help_desk_rights
from visits import enrolled, enrolled_by_mail, make_app_password, signed_in

PATHS = [("GET", "help-desk"), ("POST", "help-desk"), ("GET", "help-desk/person"),
         ("GET", "help-desk/person?person=alice")]
KEYS = {"helpdesk_filter": "(employeeType=helpdesk)", "helpdesk_users": "(employeeType=staff)"}
NOBODY = "There is nobody with this user name whom you may help."
UNKNOWN = "This page doesn’t exist."


def rules():
    """The rights that ldap-schema/README.md gives the page for a help desk, for slapd.conf."""
    return "\n".join(help_desk_rights("access to "))


@pytest.fixture(scope="module")
def directory(workdir, authority):
    server = Slapd(new_folder(workdir, "slapd"), authority=authority, first_rules=rules())
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def portal(start_portal):
    return start_portal(KEYS)


def change(directory, who, **attributes):
    """Set attributes of an entry, as the directory itself, to a value or a list."""
    directory.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, name, [one.encode() for one in ([value] if isinstance(value, str) else value)])
        for name, value in attributes.items()])


def new_staff(directory, mfa=True, **attributes):
    """Somebody whom the help desk may help."""
    who = directory.new_person(mfa=mfa)
    change(directory, who, employeeType="staff", **attributes)
    return who


def new_helper(directory):
    who = directory.new_person(mfa=True)
    change(directory, who, employeeType="helpdesk")
    return who


@pytest.fixture(scope="module")
def helper(directory, portal):
    """(user, client with all rights, Authenticator) of the help desk."""
    who = new_helper(directory)
    return who, *enrolled(portal, who)


def find(client, text):
    client.get("help-desk")
    return client.post("help-desk", find=text)


def found(page):
    """The logins in the list."""
    return re.findall(r'name="person" value="([^"]*)"', page.text)


def opened(client, who):
    return client.get(f"help-desk/person?person={who.uid}")


def said(page):
    """What the help desk can say."""
    return re.findall(r'<li class="said">(.*?)</li>', page.text)


def ask(client, method, path):
    """One request without following redirects; with POST, with the form's token."""
    if method == "GET":
        return client.ask_once("GET", path)
    client.get("")
    return client.ask_once("POST", path, f"csrf={client.page.token()}&find=alice&person=alice")


# ---- who sees them ----

@pytest.mark.parametrize("method, path", PATHS)
def test_without_helpdesk_filter_no_address_exists(start_portal, directory, method, path, plain=[]):
    if not plain:
        portal = start_portal()
        who = new_helper(directory)
        plain += [portal, enrolled(portal, who)[0]]
    portal, client = plain
    page = ask(client, method, path)
    assert page.status == 404 and UNKNOWN in page.words(), page.words()
    unknown = ask(client, method, "no-such-page")
    assert page.words() == unknown.words()
    assert "Help desk" not in client.get("").words()
    if method == "GET":
        assert portal.client().ask_once("GET", path).status == 404


@pytest.mark.parametrize("method, path", PATHS)
def test_others_see_an_unknown_address(directory, portal, method, path):
    client, _ = enrolled(portal, new_staff(directory))
    page = ask(client, method, path)
    assert page.status == 404 and UNKNOWN in page.words(), page.words()
    assert "Help desk" not in client.get("").words()


@pytest.mark.parametrize("method, path", PATHS)
def test_the_account_password_alone_opens_nothing(directory, portal, helper, method, path):
    client = signed_in(portal, helper[0])
    assert client.page.title() == "Your second step"
    page = ask(client, method, path)
    assert page.status == 303 and page.headers["Location"] == "/", page.words()
    client = portal.client()
    client.get("")
    page = ask(client, method, path)
    assert page.status in (401, 403) or "signed" in page.words(), (page.status, page.words())


def test_the_link_stands_on_the_page_of_the_help_desk(helper):
    _, client, _ = helper
    assert 'href="/help-desk"' in client.get("").text
    assert client.get("help-desk").title() == "Help desk"


def test_somebody_who_leaves_the_help_desk_loses_it_at_once(directory, portal):
    who = new_helper(directory)
    client, _ = enrolled(portal, who)
    other = new_staff(directory)
    assert opened(client, other).status == 200
    change(directory, who, employeeType="staff")
    assert opened(client, other).status == 404
    assert client.get("help-desk").status == 404
    assert "Help desk" not in client.get("").words()


def test_a_remembered_browser_does_not_spare_the_help_desk_the_second_step(start_portal, directory):
    portal = start_portal(KEYS | {"remember_browser": "30d"})
    who = new_staff(directory)
    client, app = enrolled(portal, who)
    client = signed_in(portal, who)
    client.post("verify", code=app.code(), remember="yes")
    client.post("sign-out")
    client.sign_in(who)
    assert client.page.title() == "Your app passwords"
    change(directory, who, employeeType="helpdesk")
    assert client.get("help-desk").status == 404  # this session has passed no second step
    client.get("")
    client.post("sign-out")
    client.sign_in(who)
    assert client.page.title() == "Your second step"
    client.post("verify", code=app.code())
    assert client.get("help-desk").title() == "Help desk"


# ---- whom they find ----

def test_people_are_found_by_name_mail_and_login(directory, helper):
    _, client, _ = helper
    who = new_staff(directory, displayName="Kari Østerås Nordmann", cn="Kari N.")
    for text in ("Østerås", "østerås nord", "kari", "Kari N.", who.uid, who.mail, f"  {who.uid} ", who.mail[:-3]):
        page = find(client, text)
        assert who.uid in found(page), (text, page.words())
    assert "Kari Østerås Nordmann" in page.words() and who.mail in page.words()
    assert opened(client, who).status == 200


def test_what_was_typed_is_no_filter(directory, helper):
    _, client, _ = helper
    who = new_staff(directory, displayName="Star * (x)")
    for text in ("*", "***", "u*r", "a)(uid=*", "\\2a\\2a\\2a", "*)(objectClass=*"):
        assert found(find(client, text)) == [], text
    assert found(find(client, "* (x")) == [who.uid]
    page = find(client, '"><script>alert(1)</script>')
    assert found(page) == [] and "<script>alert" not in page.text


def test_a_short_text_finds_a_whole_login_only(directory, helper):
    _, client, _ = helper
    directory.connect_as_itself().add_s("uid=bo,ou=people,dc=example,dc=org", [
        ("objectClass", [b"inetOrgPerson"]), ("uid", [b"bo"]), ("cn", [b"bo"]), ("sn", [b"bo"]),
        ("employeeType", [b"staff"])])
    assert found(find(client, "bo")) == ["bo"]
    assert found(find(client, "us")) == []


def test_the_list_is_bounded(directory, helper):
    _, client, _ = helper
    for _ in range(21):
        new_staff(directory, mfa=False, displayName="Many People")
    page = find(client, "Many People")
    assert len(found(page)) == 20
    assert "More people match." in page.words()


def test_an_empty_search_says_what_to_enter(helper):
    _, client, _ = helper
    page = find(client, "  ")
    assert page.status == 400 and "Enter a name, a user name or an e-mail address." in page.words()


def test_searches_are_throttled_and_logged(directory, portal):
    who = new_helper(directory)
    client, _ = enrolled(portal, who)
    pages = [find(client, f"nobody-{number}") for number in range(34)]
    assert pages[0].status == 200
    assert any("too many searches" in page.words() for page in pages)
    lines = [line for line in portal.events() if f'user="{who.uid}"' in line and "help-desk-find" in line]
    assert any("verdict=accepted reason=done" in line for line in lines)
    assert any("verdict=refused reason=too-many-tries" in line for line in lines)


# ---- whom they may help ----

def test_nobody_else_can_be_opened(directory, portal, helper):
    who, client, _ = helper
    outsiders = {"themselves": who.uid, "the help desk": new_helper(directory).uid,
                 "not in helpdesk_users": directory.new_person(mfa=True).uid, "nobody": "no-such-person",
                 "nothing": "", "everybody": "*", "too long": "x" * 300, "control": "a%01b"}
    words = {name: client.get(f"help-desk/person?person={login}") for name, login in outsiders.items()}
    for name, page in words.items():
        assert page.status == 404 and NOBODY in page.words(), (name, page.status, page.words())
    assert len({page.words() for page in words.values()}) == 1
    assert client.get("help-desk/person").status == 404
    assert client.get("help-desk/person?person=a&person=b").status == 404
    for login in (who.uid, outsiders["the help desk"], outsiders["not in helpdesk_users"]):
        assert found(find(client, login)) == []
    line = portal.events()[-1]
    assert any(f'user="{outsiders["the help desk"]}" service=portal' in line and f'actor="{who.uid}"' in line
               and "verdict=refused" in line for line in portal.events()), line


def test_somebody_of_both_filters_is_help_desk(start_portal, directory):
    """helpdesk_users that is too wide lets nobody help the help desk."""
    portal = start_portal(KEYS | {"helpdesk_users": "(objectClass=*)"})
    who, other = new_helper(directory), new_helper(directory)
    client, _ = enrolled(portal, who)
    assert opened(client, new_staff(directory)).status == 200
    assert opened(client, other).status == 404
    assert opened(client, who).status == 404


def test_helpdesk_base_limits_whom_they_may_help(start_portal, directory):
    portal = start_portal(KEYS | {"helpdesk_base": "ou=elsewhere,dc=example,dc=org"})
    client, _ = enrolled(portal, new_helper(directory))
    who = new_staff(directory)
    assert opened(client, who).status == 404
    assert found(find(client, who.uid)) == []


def test_a_hidden_attribute_lets_nobody_in(own_directory, start_portal):
    """Without the right to search by the attribute of helpdesk_filter."""
    directory = own_directory()
    portal = start_portal(KEYS, to=directory)
    client, _ = enrolled(portal, new_helper(directory))
    assert client.get("help-desk").status == 404


def test_user_managers_alone_decide_who_is_help_desk(own_directory):
    """The site's own rules let users change their entries."""
    directory = own_directory(first_rules=rules(), site_rules=OPEN_SITE)
    who = new_staff(directory)
    promotion = [(ldap.MOD_REPLACE, "employeeType", [b"helpdesk"])]
    with pytest.raises(ldap.INSUFFICIENT_ACCESS):
        directory.connect(who).modify_s(who.dn, promotion)
    directory.connect("user manager").modify_s(who.dn, promotion)
    assert directory.values(who, "employeeType") == ["helpdesk"]


def test_the_rights_for_cn_config(own_directory, start_portal):
    directory = own_directory(acl=ACL["cn=config"])
    ldif, = help_desk_rights("dn: olcDatabase=")
    run(["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", directory.ldapi], input=ldif)
    portal = start_portal(KEYS, to=directory)
    client, _ = enrolled(portal, new_helper(directory))
    who = new_staff(directory, displayName="Kari Nordmann")
    assert found(find(client, "Kari")) == [who.uid]


def test_an_outage_is_no_refusal(own_directory, start_portal):
    directory = own_directory(first_rules=rules())
    portal = start_portal(KEYS, to=directory, timeout="1", deadline="2")
    client, _ = enrolled(portal, new_helper(directory))
    who = new_staff(directory)
    client.get("help-desk")
    directory.stop()
    assert opened(client, who).status == 503
    directory.start()
    assert opened(client, who).status == 200


# ---- what they see ----

def test_a_person_without_mfa(directory, helper):
    _, client, _ = helper
    page = opened(client, new_staff(directory, mfa=False, displayName="Ola Nordmann"))
    assert "Ola Nordmann" in page.words() and "Two-step verification off" in page.words()
    assert said(page) == ["Two-step verification is off for you. Your mail program signs in with your account "
                          "password and doesn’t need an app password."]
    assert "Account in use" in page.words() and "There are no app passwords." in page.words()


def test_a_person_who_has_not_enrolled(directory, helper):
    _, client, _ = helper
    page = opened(client, new_staff(directory))
    assert "Two-step verification on" in page.words() and "No second step is set up." in page.words()
    assert ["You haven’t set up a second step yet." in text for text in said(page)] == [True]


def test_an_announced_date(directory, helper):
    _, client, _ = helper
    who = new_staff(directory)
    directory.set_mfa(who, True, enforce_from="20990131000000Z")
    page = opened(client, who)
    assert "Two-step verification announced Required from 31 January 2099" in page.words()
    assert said(page)[0].startswith("As of 31 January 2099")
    directory.set_mfa(who, True, enforce_from="20260131000000Z")
    assert "Two-step verification on Required since 31 January 2026" in opened(client, who).words()


def test_what_the_owner_sees_is_seen(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    owner, _ = enrolled(portal, who)
    password = make_app_password(owner, "Outlook", "smtp", "30d")
    page = opened(client, who)
    own = owner.get("")
    facts = re.search(r"<dl>.*?</dl>", own.text, re.S)[0]
    assert facts in page.text
    assert password not in page.text and password[:4] in page.text
    assert any("Outlook” is only for: sending mail." in text for text in said(page))
    assert any("We don’t see that any program has signed in" in text for text in said(page))
    assert "Authenticator app" in page.words()
    assert "Recovery code" in page.words()


def test_an_alternate_address_is_masked(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    enrolled_by_mail(portal, who, "kari.nordmann@elsewhere.example")
    page = opened(client, who)
    assert "kari.nordmann" not in page.text and "Code by e-mail" in page.words()


def test_a_revoked_one_is_named_with_its_last_use(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    owner, _ = enrolled(portal, who)
    password = make_app_password(owner, "Outlook")
    directory.administrate(who, appPasswordUsed=f"id={password[:4]} at=20261101080000Z service=imap")
    owner.get("")
    owner.post("revoke", id=password[:4])
    text = next(text for text in said(opened(client, who)) if "revoked" in text)
    assert text.startswith("The app password “Outlook” was revoked on ")
    assert "A program last used it on 1 November 2026." in text
    password = make_app_password(owner, "Phone")
    owner.get("")
    owner.post("revoke", id=password[:4])
    text = next(text for text in said(opened(client, who)) if "“Phone” was revoked" in text)
    assert "last used" not in text


def test_expired_and_damaged_ones_are_named(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    enrolled(portal, who)
    directory.add_app_password(who, label="Old", created="20251201120000Z", expires="20260131120000Z")
    change(directory, who, appPassword=[*directory.values(who, "appPassword"), "id=0000 nonsense"])
    page = opened(client, who)
    assert any("“Old” expired on 31 January 2026." in text for text in said(page)), said(page)
    assert any("is damaged and no longer works" in text for text in said(page))


def test_nothing_wrong(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    owner, _ = enrolled(portal, who)
    password = make_app_password(owner, "Outlook")
    directory.administrate(who, appPasswordUsed=f"id={password[:4]} at=20261101080000Z service=imap")
    text, = said(opened(client, who))
    assert text.startswith("We see nothing wrong with your account")


def test_an_ended_account_is_shown(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    enrolled(portal, who)
    change(directory, who, pwdAccountLockedTime="000001010000Z")
    page = opened(client, who)
    assert "Account closed or locked" in page.words()
    assert [text.startswith("Your account is closed or locked") for text in said(page)] == [True]


def test_a_temporary_lock_is_told(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    enrolled(portal, who)
    change(directory, who, pwdAccountLockedTime="20261101080000Z")
    page = opened(client, who)
    assert "Account in use" in page.words()
    assert any("locked after too many wrong tries: 1 November 2026" in text for text in said(page)), said(page)


def test_an_unused_link_is_listed_without_the_link(directory, portal, helper):
    _, client, _ = helper
    who = new_staff(directory)
    owner, _ = enrolled(portal, who)
    owner.get("")
    owner.post("device-link", label="My tablet")
    page = opened(client, who)
    assert "Links not used yet" in page.words() and "My tablet" in page.words()
    assert "device/" not in page.text


def test_opening_a_person_is_logged_with_both_names(directory, portal, helper):
    helper_, client, _ = helper
    who = new_staff(directory)
    opened(client, who)
    assert any(line.startswith("app-password: verdict=accepted reason=done", line.index("app-password:"))
               and f'user="{who.uid}"' in line and f'actor="{helper_.uid}"' in line
               and "action=help-desk-person" in line for line in portal.events())


def test_a_name_with_markup_is_only_text(directory, helper):
    _, client, _ = helper
    who = new_staff(directory, displayName="<b>x</b> & {{root}} {user}")
    for page in (opened(client, who), find(client, who.uid)):
        assert "&lt;b&gt;x&lt;/b&gt; &amp; {{root}} {user}" in page.text


# ---- the configuration ----

@pytest.mark.parametrize("keys, complaint", [
    ({}, None),
    ({"helpdesk_filter": "(employeeType=nobody)"}, "helpdesk_filter matches nobody"),
    ({"helpdesk_filter": "(noSuchAttribute=x)"}, "helpdesk_filter matches nobody"),
    ({"helpdesk_users": "(employeeType=nobody)"}, "helpdesk_users matches nobody whom the help desk may help"),
    ({"helpdesk_users": "(employeeType=helpdesk)"}, "helpdesk_users matches nobody whom the help desk may help"),
])
def test_the_test_of_the_configuration_looks_at_the_filters(directory, workdir, keys, complaint):
    new_staff(directory)
    new_helper(directory)
    portal = Portal(new_folder(workdir, "portal") / "etc", directory, KEYS | keys)
    done = subprocess.run([PROGRAM, "-t", "-c", portal.config], capture_output=True, text=True)
    if complaint is None:
        assert (done.returncode, "help desk: good" in done.stdout) == (0, True), done
    else:
        assert done.returncode == 78 and complaint in done.stderr, done


@pytest.mark.parametrize("enrolment", ["open", "code"])
def test_the_test_of_the_configuration_warns_of_open_enrollment(directory, workdir, enrolment):
    new_staff(directory)
    new_helper(directory)
    portal = Portal(new_folder(workdir, "portal") / "etc", directory, KEYS | {"enrolment": enrolment})
    done = subprocess.run([PROGRAM, "-t", "-c", portal.config], capture_output=True, text=True)
    assert done.returncode == 0 and ('set "enrolment code"' in done.stderr) == (enrolment == "open"), done


def test_the_page_does_not_start_without_helpdesk_users(directory, workdir):
    portal = Portal(new_folder(workdir, "portal") / "etc", directory, KEYS | {"helpdesk_users": None})
    done = subprocess.run([PROGRAM, "-c", portal.config], capture_output=True, text=True, timeout=300)
    assert done.returncode == 78 and "helpdesk_filter needs helpdesk_users" in done.stderr
