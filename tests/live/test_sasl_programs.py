# SPDX-License-Identifier: BSD-2-Clause
"""The other programs that ask libsasl2: what their clients see, and what our log says."""

import imaplib
import os
import re
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

import apppassword
from conftest import EXAMPLES, new_folder, write_config
from processes import wait_until
from sasl_programs import (ACCEPTED, REFUSED, CyrusImap, Exim, Memcached, Sendmail,
                           SlapdAsHost, Svnserve, UNAVAILABLE)

PROGRAMS = [CyrusImap, Exim, Memcached, Sendmail, SlapdAsHost, Svnserve]


@pytest.fixture
def program(workdir, plugin):
    """Starts a program: program(Memcached, directory, more keys of app-password.conf).

    before(server)  is called before the start
    """
    programs = []

    def make(kind, directory, before=lambda server: None, **keys):
        folder = new_folder(workdir, "program")
        config = write_config(folder, **{"uri": directory.ldap} | keys)
        programs.append(kind(folder, config, plugin.parent))
        before(programs[-1])
        return programs[-1].start()

    yield make
    for each in programs:
        each.stop()


def sign_in(server, user, password, outcome, verdict, reason):
    """One login: what the client sees, and the line that each try leaves."""
    before = server.events()
    assert server.sign_in(user, password) == outcome
    lines = server.events()[len(before):]
    assert len(lines) == (1 if outcome == ACCEPTED else server.tries)
    line, = {line.split(" ", 1)[1].removesuffix(" repeat=yes") for line in lines}
    assert f" verdict={verdict} reason={reason} user=\"{user}" in line
    assert f" service={server.service} " in line


@pytest.mark.parametrize("kind", PROGRAMS)
def test_accepted_refused_revoked(program, directory, kind):
    server = program(kind, directory)
    person, app_password, other = directory.new_person(mfa=True, app_passwords=2)
    sign_in(server, person.mail, app_password.shown, ACCEPTED, "accepted", "app-password")
    sign_in(server, person.mail, person.password, REFUSED, "refused", "account-password-with-mfa")
    sign_in(server, person.mail, apppassword.make(id=app_password.id).shown, REFUSED, "refused",
            "wrong-app-password")
    sign_in(server, "nobody@example.org", other.shown, REFUSED, "refused", "unknown-user")
    directory.revoke(person, app_password)
    sign_in(server, person.mail, app_password.shown, REFUSED, "refused", "unknown-app-password")
    directory.administrate(person, appPassword=[*directory.values(person, "appPassword"),
                                                apppassword.tombstone(app_password)])
    sign_in(server, person.mail, app_password.shown, REFUSED, "refused", "revoked")
    sign_in(server, person.mail, other.shown, ACCEPTED, "accepted", "app-password")


@pytest.mark.parametrize("kind", PROGRAMS)
def test_an_outage_and_the_recovery(program, own_directory, kind):
    """The program is not restarted or reloaded in between."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = program(kind, directory)
    sign_in(server, person.mail, app_password.shown, ACCEPTED, "accepted", "app-password")
    directory.stop()
    sign_in(server, person.mail, app_password.shown, kind.outage, "unavailable",
            "directory-unavailable")
    directory.start()
    sign_in(server, person.mail, app_password.shown, ACCEPTED, "accepted", "app-password")


def test_the_man_page_tells_of_each_program():
    """app-password-postfix(8) names its file, and what its clients see in an outage."""
    page = (EXAMPLES.parents[1] / "man" / "app-password-postfix.8").read_text()
    sections = dict(re.findall(r"^\.Ss (.*)\n((?:(?!\.S[sh]).*\n)*)", page, flags=re.MULTILINE))
    names = {CyrusImap: "Cyrus IMAP", SlapdAsHost: "slapd"}
    for kind in PROGRAMS:
        section = sections[names.get(kind, kind.__name__ if kind in (Exim, Sendmail)
                                     else kind.__name__.lower())]
        assert f"{kind.conf_folder}/" * bool(kind.conf_folder) + (kind.conf_name or "imapd.conf") \
            in section
        sign = {REFUSED: "the same as for a wrong password",
                UNAVAILABLE: "unavailable"}.get(kind.outage, str(kind.outage))
        assert sign in section


# ---- names that the program itself does not accept ----

def test_cyrus_refuses_another_realm_although_the_password_is_right(program, directory):
    """Cyrus checks its own rule last. It accepts a name without a realm with the same app password."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)

    def turn_virtual_domains_off(server):
        with open(server.folder / "imapd.conf", "a") as conf:
            conf.write("virtdomains: off\n")

    server = program(CyrusImap, directory, before=turn_virtual_domains_off,
                     login_attribute=None)
    sign_in(server, person.mail, app_password.shown, REFUSED, "refused", "refused-name")
    sign_in(server, person.mail, "wrong", REFUSED, "refused", "account-password-with-mfa")
    sign_in(server, person.uid, app_password.shown, ACCEPTED, "accepted", "app-password")


@pytest.mark.parametrize("login", ["al/ice", "al%ice", "al*ice"])
def test_cyrus_refuses_a_name_before_we_are_asked(program, directory, login):
    server = program(CyrusImap, directory)
    sign_in(server, login, "secret", REFUSED, "refused", "malformed")
    assert "the program rejected the name" in server.events()[-1]


def test_svnserve_refuses_another_realm(program, directory):
    """Its canon_user answers SASL_BADPROT."""
    server = program(Svnserve, directory)
    sign_in(server, "alice@other.example", "secret", REFUSED, "refused", "malformed")
    assert "the program rejected the name" in server.events()[-1]


# ---- what the program's user cannot read ----

@pytest.mark.parametrize("kind", [CyrusImap, Exim, Memcached, SlapdAsHost])
def test_a_secret_that_the_programs_user_cannot_read_is_logged(program, directory, kind):
    def hide(server):
        os.chown(server.secret, 0, 0)

    server = program(kind, directory, before=hide)
    sign_in(server, "alice", "secret", kind.outage, "unavailable", "configuration")
    assert f"{server.secret}: Permission denied" in server.events()[-1]


# ---- other than by the mechanisms ----

def test_the_login_command_of_cyrus_lets_nobody_in(program, directory):
    """It asks pwcheck_method, which is disabled, instead of us."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = program(CyrusImap, directory, login_attribute="uid")
    sign_in(server, person.uid, app_password.shown, ACCEPTED, "accepted", "app-password")
    before = server.events()
    for password in (app_password.shown, person.password):
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            with pytest.raises(client.error):
                client.login(person.uid, password)
    assert server.events() == before


@pytest.mark.parametrize("has_guard", [False, True])
def test_the_login_command_of_cyrus_through_saslauthd(program, directory, services, saslauthd,
                                                      has_guard):
    """The guard refuses what saslauthd accepts, so it must not be configured there."""
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    asked = saslauthd(services())
    os.chmod(asked.folder, 0o755)

    def ask_saslauthd(server):
        conf = server.folder / "imapd.conf"
        lines = [line for line in conf.read_text().splitlines()
                 if "pwcheck_method" not in line
                 and (has_guard or "canon_user_plugin" not in line)]
        lines += ["sasl_pwcheck_method: saslauthd", f"sasl_saslauthd_path: {asked.folder}/mux"]
        conf.write_text("\n".join(lines) + "\n")

    server = program(CyrusImap, directory, before=ask_saslauthd, login_attribute="uid")

    def login(password):
        with imaplib.IMAP4("127.0.0.1", server.port) as client:
            try:
                client.login(person.uid, password)
            except client.error:
                return REFUSED
            return ACCEPTED

    assert login(app_password.shown) == (REFUSED if has_guard else ACCEPTED)
    assert login(person.password) == REFUSED
    sign_in(server, person.uid, app_password.shown, ACCEPTED, "accepted", "app-password")
    sign_in(server, person.uid, person.password, REFUSED, "refused", "account-password-with-mfa")


def test_memcached_waits_as_a_whole_while_the_directory_hangs(program, own_directory):
    """A waiting worker serves none of its other clients; here there is one worker."""
    directory = own_directory()
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = program(Memcached, directory, timeout=6, deadline=6)
    sign_in(server, person.mail, app_password.shown, ACCEPTED, "accepted", "app-password")
    directory.pause()
    with ThreadPoolExecutor(2) as pool:
        login = pool.submit(server.sign_in, person.mail, app_password.shown)
        wait_until(lambda: server.waits_for(directory), "the login to wait")
        version = pool.submit(server.version)
        assert not wait([version], timeout=0.5).done
        assert login.result() == REFUSED
        assert version.result()
    directory.resume()
    sign_in(server, person.mail, app_password.shown, ACCEPTED, "accepted", "app-password")
