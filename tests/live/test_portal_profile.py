# SPDX-License-Identifier: BSD-2-Clause
"""Profiles for Apple devices: what is in them, and their signature, which openssl verifies."""

import os
import plistlib
import re
import subprocess
import uuid

import ldap
import pytest

from administration import PREFIX, Site
from conftest import new_folder
from portal import PROGRAM, Portal
from processes import Clock
from signing import SigningAuthority, structure
from slapd import IDENTITIES, Slapd
from test_doctor import assert_finds, doctor
from test_portal_conf import Files
from visits import IPHONE, enrolled, make_app_password

SERVERS = {"imap_server": "imap.example.org:993", "smtp_server": "smtp.example.org:587"}
TYPE = "application/x-apple-aspen-config"
WARNING = "the profile isn’t signed"


@pytest.fixture(scope="module")
def authority(workdir):
    return SigningAuthority(new_folder(workdir, "signing") / "ca")


@pytest.fixture(scope="module")
def directory(workdir):
    """The site lets the page read names."""
    rule = f'access to attrs=displayName,cn by dn.exact="{IDENTITIES["portal"]}" read by * break\n'
    server = Slapd(new_folder(workdir, "slapd") / "d", first_rules=rule)
    try:
        yield server.start()
    finally:
        server.stop()


def keys_of(pair):
    certificate, key = pair
    return {"profile_certificate": certificate, "profile_key": key}


@pytest.fixture(scope="module", params=["EC", "RSA"])
def portal(request, start_portal, authority):
    return start_portal(SERVERS | keys_of(authority.issue(kind=request.param)))


def link_of(page):
    return re.search(r'href="[^"]*/(profile/[^"]+)"', page.text)[1]


def profile_of(client):
    """The profile of a new app password."""
    page = client.get(link_of(client.page))
    assert (page.status, page.headers["Content-Type"]) == (200, TYPE)
    assert page.headers["Cache-Control"] == "no-store"
    return page.bytes


# ---- what is in a profile ----

def check_payloads(profile):
    """What a device requires of any profile; returns the account in it."""
    account, = profile["PayloadContent"]
    for payload, kind in (profile, "Configuration"), (account, "com.apple.mail.managed"):
        assert (payload["PayloadType"], payload["PayloadVersion"]) == (kind, 1)
        assert uuid.UUID(payload["PayloadUUID"]).version == 4
        assert all(payload[key] for key in ("PayloadIdentifier", "PayloadDisplayName"))
    assert account["PayloadUUID"] != profile["PayloadUUID"]
    assert account["PayloadIdentifier"].startswith(profile["PayloadIdentifier"] + ".")
    for way in "Incoming", "Outgoing":
        assert isinstance(account[f"{way}MailServerPortNumber"], int)
        assert account[f"{way}MailServerUseSSL"] is True
        assert account[f"{way}MailServerAuthentication"] == "EmailAuthPassword"
    return account


@pytest.mark.parametrize("attributes, name", [
    ({"displayName": "Åse <Ås> & Co"}, "Åse <Ås> & Co"), ({"displayName": None, "cn": "Alice Alison"}, "Alice Alison")],
    ids=["displayName", "cn"])
def test_a_signed_profile_has_the_account_the_name_and_the_label(directory, portal, authority, attributes, name):
    who = directory.new_person(mfa=True)
    directory.connect_as_itself().modify_s(who.dn, [
        (ldap.MOD_REPLACE, key, value and [value.encode()]) for key, value in attributes.items()])
    client, _ = enrolled(portal, who)
    shown = make_app_password(client, label="Åse’s <b>phone</b> & 1")
    profile = plistlib.loads(authority.verify(profile_of(client)))
    account = check_payloads(profile)
    assert profile["PayloadDisplayName"] == f"Mail of {who.mail} (Åse’s <b>phone</b> & 1)"
    assert account["EmailAccountName"] == name
    assert (account["IncomingPassword"], account["IncomingMailServerUsername"]) == (shown, who.uid)
    assert portal.answers(who.uid, account["IncomingPassword"], "--service", "imap")[0] == "accepted"


def test_each_profile_has_uuids_of_its_own_and_the_same_identifier(directory, portal, authority):
    """A device replaces a profile by one with its identifier."""
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    make_app_password(client)
    link = link_of(client.page)
    first, second = (plistlib.loads(authority.verify(client.get(link).bytes)) for _ in range(2))
    assert first["PayloadIdentifier"] == second["PayloadIdentifier"]
    assert len({payload["PayloadUUID"] for profile in (first, second)
                for payload in (profile, *profile["PayloadContent"])}) == 4


# ---- the signature ----

def test_the_signature_is_what_devices_expect(directory, portal, authority):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    make_app_password(client)
    assert WARNING not in client.page.words()
    signed = profile_of(client)
    words = structure(signed)
    assert "pkcs7-signedData" in words and "eContentType: pkcs7-data" in words
    assert sorted(re.findall("subject: CN *= *(.*)", words)) == ["Intermediate", "mail.example.org"]
    signer = words[words.index("signerInfos"):]
    assert "algorithm: sha256" in signer
    for attribute in "contentType", "signingTime", "messageDigest":
        assert f"object: {attribute}" in signer
    assert "S/MIME Capabilities" not in signer


def test_no_changed_byte_goes_unnoticed(directory, portal, authority):
    client, _ = enrolled(portal, directory.new_person(mfa=True))
    shown = make_app_password(client)
    signed = profile_of(client)
    at = signed.index(shown.encode())
    assert authority.verify(signed)
    for offset in at, signed.index(b"imap.example.org"), len(signed) - 1:
        changed = bytearray(signed)
        changed[offset] ^= 1
        assert authority.verify(bytes(changed)) is None
    assert SigningAuthority(authority.folder / f"other-{len(signed)}").verify(signed) is None


def test_the_profile_without_a_password_is_signed_too(portal, authority):
    page = portal.client().get("mail.mobileconfig?emailaddress=alice@example.org")
    assert (page.status, page.headers["Content-Type"]) == (200, TYPE)
    account = check_payloads(plistlib.loads(authority.verify(page.bytes)))
    assert account["EmailAddress"] == "alice@example.org" and "IncomingPassword" not in account


def test_a_device_set_up_by_a_link_gets_a_signed_profile(directory, portal, authority):
    who = directory.new_person(mfa=True)
    enrolled(portal, who)
    site = Site(new_folder(portal.folder, "help-desk") / "host", directory)
    link = re.search("device/.*", site.done("invite", who.uid, "--label", "My phone", "--page",
                                            "https://x.example"))[0]
    phone = portal.client(**{"User-Agent": IPHONE})
    phone.get(link)
    phone.post(link)
    profile = plistlib.loads(authority.verify(profile_of(phone)))
    assert profile["PayloadDisplayName"].endswith(" (My phone)")


def test_without_a_certificate_the_page_says_that_devices_warn(directory, start_portal):
    client, _ = enrolled(start_portal(SERVERS), directory.new_person(mfa=True))
    make_app_password(client)
    assert WARNING in client.page.words()
    check_payloads(plistlib.loads(profile_of(client)))


# ---- the certificate's end ----

def test_after_the_end_of_the_certificate_profiles_are_unsigned_and_the_log_says_so_once_a_day(
        start_portal_with_clock, directory, authority):
    portal = start_portal_with_clock(SERVERS | keys_of(authority.issue(days=20)))
    address = "mail.mobileconfig"

    def warnings():
        return [line for line in portal.log.read_text().splitlines() if "profile_certificate" in line]

    assert authority.verify(portal.client().get(address).bytes) and warnings() == []
    for clock, count in ("+21d", 1), ("+21d", 1), ("+22d", 2):
        portal.set_clock(clock)
        check_payloads(plistlib.loads(portal.client().get(address).bytes))
        check_payloads(plistlib.loads(portal.client().get(address).bytes))
        assert len(warnings()) == count
    assert re.search(r"the certificate expired on \d{4}-\d\d-\d\d .*; profiles are not signed until the page is "
                     "restarted with a valid one",
                     warnings()[0])


@pytest.mark.parametrize("days, is_soon", [(10, True), (20, False)])
def test_the_doctor_finds_that_the_certificate_ends_soon(make, directory, authority, days, is_soon):
    portal = make(keys_of(authority.issue(days=days)), directory)
    done = subprocess.run([PROGRAM, "-t", "-c", portal.config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and ("the certificate expires on" in done.stderr) == is_soon, done.stderr
    called = doctor(portal, "--portal", env=os.environ | {"PATH": f"{PREFIX}/bin:{os.environ['PATH']}"})
    if is_soon:
        assert_finds(called, "portal: profile_certificate ", "app-password-portal -t")
    assert ("-t finds nothing wrong" in called.stdout) != is_soon


# ---- mistakes, at the start ----

@pytest.fixture
def make(workdir):
    def make_portal(conf, directory=Files):
        return Portal(new_folder(workdir, "conf") / "etc", directory, SERVERS | conf)
    return make_portal


def encrypted(authority, folder):
    certificate, key = authority.issue()
    locked = folder / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", locked], check=True)
    return certificate, locked


def open_to_all(authority, folder):
    certificate, key = authority.issue()
    key.chmod(0o644)
    return certificate, key


def chain_first(authority, folder):
    certificate, key = authority.issue(chain=False)
    (folder / "chain.pem").write_text(authority.intermediate.read_text() + certificate.read_text())
    return folder / "chain.pem", key


def broken(authority, folder):
    certificate, key = authority.issue(chain=False)
    text = certificate.read_text()
    (folder / "broken.pem").write_text(text + text[:200] + "!" + text[200:])
    return folder / "broken.pem", key


MISTAKES = {
    "a key without a certificate": (lambda ca, _: (None, ca.issue()[1]), "profile_key", "needs profile_certificate"),
    "a certificate without a key": (lambda ca, _: (ca.issue()[0], None), None, "profile_certificate needs profile_key"),
    "the key of another certificate": (
        lambda ca, _: (ca.issue()[0], ca.issue()[1]), "profile_key", "is not the key of the first certificate in"),
    "the intermediate first": (chain_first, "profile_key", "must be the signer's own, before its intermediates"),
    "an encrypted key": (encrypted, "profile_key", "is encrypted, and the page cannot ask"),
    "a key that all may read": (open_to_all, "profile_key", "has mode 0644: others can read or change it"),
    "a key of a type that devices do not know": (
        lambda ca, _: ca.issue(kind="Ed25519"), "profile_key", "must be of the type RSA or EC"),
    "a certificate for a key": (lambda ca, _: (ca.issue()[0],) * 2, "profile_key", "others can read or change it"),
    "a key for a certificate": (lambda ca, _: (ca.issue()[1],) * 2, "profile_certificate", "has no certificate"),
    "a damaged certificate": (broken, "profile_certificate", "a certificate that cannot be read"),
    "no such certificate": (lambda ca, _: ("/nonexistent", ca.issue()[1]), "profile_certificate", "No such file"),
    "no such key": (lambda ca, _: (ca.issue()[0], "/nonexistent"), "profile_key", "No such file"),
    "a relative path": (lambda ca, _: ("c.pem", ca.issue()[1]), "profile_certificate", "not an absolute path"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_at_the_start(make, authority, folder, mistake):
    make_pair, key, said = MISTAKES[mistake]
    portal = make({name: file for name, file in keys_of(make_pair(authority, folder)).items() if file})
    done = subprocess.run([PROGRAM, "-c", portal.config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    line = list(portal.conf).index(key) + 1 if key else None
    where = f"portal.conf:{line}: " if line else "portal.conf: "
    assert where in done.stderr, done.stderr


@pytest.mark.parametrize("clock, said", [("+61d", "the certificate expired on"), ("-2d", "is not valid before")])
def test_a_certificate_that_is_not_valid_now_does_not_keep_the_page_down(
        start_portal_with_clock, authority, folder, clock, said):
    portal = start_portal_with_clock(SERVERS | keys_of(authority.issue()))
    portal.set_clock(clock)
    check_payloads(plistlib.loads(portal.client().get("mail.mobileconfig").bytes))
    assert said in portal.log.read_text()
    other = Clock(folder / "clock")
    other.set(clock)
    done = subprocess.run([PROGRAM, "-t", "-c", portal.config], env=other.env, capture_output=True, text=True,
                          timeout=60)
    assert said in done.stderr, done.stderr
