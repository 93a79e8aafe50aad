# SPDX-License-Identifier: BSD-2-Clause
"""The stock mechanisms never accept a bare account password, whatever is broken.

Each test has a saslauthd that accepts every password, or a sasldb that contains it.
"""

import os
import re
import smtplib
import socket
import subprocess

import pytest

from conftest import example_smtpd_conf, write_config
from fakes import YesMan
from processes import run, wait_until
from smtp import ACCEPTED, REFUSED, UNAVAILABLE


@pytest.fixture(scope="module")
def yes_man(postfix):
    """saslauthd inside the chroot, at /yes/mux."""
    server = YesMan(postfix.queue / "yes")
    yield server
    server.close()


@pytest.fixture
def load_plugins(postfix):
    """Changes the plugins of services that start later; restores the usual order afterwards."""
    yield postfix.load_plugins
    postfix.load_plugins(postfix.ours, postfix.stock)


def with_yes_man(text):
    """smtpd.conf with saslauthd for the stock mechanisms."""
    return replace_line(text, "pwcheck_method", "saslauthd") + "saslauthd_path: /yes/mux\n"


def replace_line(text, option, value):
    """smtpd.conf with another value of an option; None removes the option."""
    lines = [line for line in text.splitlines() if not line.startswith(f"{option}:")]
    assert len(lines) == len(text.splitlines()) - 1
    return "\n".join(lines + ([f"{option}: {value}"] if value else [])) + "\n"


def test_the_yes_man_accepts_every_login_if_our_plugin_is_not_configured(
        mail_server, yes_man, directory):
    """The installed plugin declines, and the stock mechanisms work as before."""
    person = directory.new_person(mfa=True)
    server = mail_server(smtpd_conf=lambda text: (
        "mech_list: PLAIN LOGIN\npwcheck_method: saslauthd\nsaslauthd_path: /yes/mux\n"))
    asked = len(yes_man.asked)
    assert server.sign_in(person.uid, "whatever", logged=False).code == ACCEPTED
    assert len(yes_man.asked) == asked + 1


@pytest.mark.parametrize("stock_first", [False, True])
def test_the_plugin_takes_precedence_over_the_stock_mechanisms_in_either_order(
        mail_server, postfix, load_plugins, directory, yes_man, stock_first):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    folders = [postfix.ours, postfix.stock]
    load_plugins(*reversed(folders) if stock_first else folders)
    server = mail_server(smtpd_conf=with_yes_man)
    asked = len(yes_man.asked)
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(person.uid, person.password).code == REFUSED
    assert len(yes_man.asked) == asked
    assert len(server.events()) == 2


def test_without_the_plugin_every_login_fails(mail_server, postfix, load_plugins, directory):
    """Without the .so, with smtpd.conf as shipped."""
    load_plugins(postfix.stock, None)
    assert_every_login_fails(mail_server(), directory, REFUSED)


def test_without_the_plugin_the_guard_line_alone_keeps_everybody_out(
        mail_server, postfix, load_plugins, directory, yes_man):
    load_plugins(postfix.stock, None)
    assert_every_login_fails(mail_server(smtpd_conf=with_yes_man), directory, REFUSED)


def test_without_the_plugin_pwcheck_method_disabled_alone_keeps_everybody_out(
        mail_server, postfix, load_plugins, directory):
    load_plugins(postfix.stock, None)
    server = mail_server(smtpd_conf=lambda text: replace_line(text, "canon_user_plugin", None))
    assert_every_login_fails(server, directory, REFUSED)


def test_an_empty_app_password_conf_keeps_everybody_out(mail_server, directory, yes_man):
    server = mail_server(smtpd_conf=with_yes_man)
    (server.folder / "app-password.conf").write_text("")
    assert_every_login_fails(server, directory, UNAVAILABLE)


def test_app_password_conf_of_another_name_keeps_everybody_out(mail_server, directory, yes_man):
    server = mail_server(smtpd_conf=lambda text: replace_line(
        with_yes_man(text), "apppassword_config", "/nonexistent/app-password.conf"))
    assert_every_login_fails(server, directory, UNAVAILABLE)
    assert server.postfix_says("/nonexistent/app-password.conf")


def test_without_the_option_apppassword_config_the_guard_keeps_everybody_out(
        mail_server, directory, yes_man):
    server = mail_server(smtpd_conf=lambda text: replace_line(
        with_yes_man(text), "apppassword_config", None))
    assert_every_login_fails(server, directory, REFUSED)


@pytest.mark.parametrize("line, complaint", [
    ("no_such_key value", "no_such_key"),
    ("timeout soon", "timeout"),
    ("base dc=example,dc=org", "base"),
    ("mfa_filter appPasswordMfaEnabled=TRUE)", "mfa_filter"),
])
def test_a_bad_line_in_app_password_conf_keeps_everybody_out_and_is_named(
        mail_server, directory, yes_man, line, complaint):
    server = mail_server(smtpd_conf=with_yes_man)
    path = server.folder / "app-password.conf"
    number = len(path.read_text().splitlines()) + 1
    with open(path, "a") as config:
        config.write(line + "\n")
    assert_every_login_fails(server, directory, UNAVAILABLE)
    assert complaint in server.postfix_says(f"app-password.conf:{number}:")


def assert_every_login_fails(server, directory, code):
    """With the account password, MFA on or off, and with an app password.

    A refusal comes from the plugin's replacement, not from our plugin.
    """
    with_mfa, app_password = directory.new_person(mfa=True, app_passwords=1)
    without_mfa = directory.new_person()
    for person, password in [(with_mfa, with_mfa.password), (with_mfa, app_password.shown),
                             (without_mfa, without_mfa.password)]:
        assert server.sign_in(person.uid, password, logged=code != REFUSED).code == code


# ---- The administrator's view: saslpluginviewer ----

@pytest.fixture
def plugins(folder, postfix):
    """The names of the plugins for a mechanism, in libsasl2's order."""
    def listed(mechanism, options):
        (folder / "pluginviewer.conf").write_text(options)
        printed = run(["saslpluginviewer", "-s", "-m", mechanism], env=os.environ | {
            "SASL_CONF_PATH": str(folder), "SASL_PATH": postfix.sasl_path})
        return re.findall(r'^Plugin "(\w+)"', printed, flags=re.MULTILINE)
    return listed


@pytest.mark.parametrize("stock_first", [False, True])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_saslpluginviewer_lists_ours_first(
        plugins, postfix, load_plugins, directory, folder, mechanism, stock_first):
    """With the options of examples/postfix/smtpd.conf."""
    folders = [postfix.ours, postfix.stock]
    load_plugins(*reversed(folders) if stock_first else folders)
    options = example_smtpd_conf(write_config(folder, uri=directory.ldapi))
    assert plugins(mechanism, options) == ["apppassword", mechanism.lower()]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_saslpluginviewer_lists_ours_nowhere_without_its_options(plugins, mechanism):
    assert plugins(mechanism, "pwcheck_method: saslauthd\n") == [mechanism.lower()]


# ---- Other mechanisms ----

@pytest.fixture(scope="module")
def sasldb(postfix, directory):
    """A user with a bare password in a sasldb inside the chroot: (user, password)."""
    path = postfix.queue / "sasldb2"
    subprocess.run(["saslpasswd2", "-c", "-p", "-f", path, "-u", "mail.example.org", "crammer"],
                   input=b"the bare password", check=True)
    path.chmod(0o644)
    return "crammer", "the bare password"


def with_cram_md5(text):
    """smtpd.conf that also offers CRAM-MD5 and looks passwords up in the sasldb."""
    text = replace_line(text, "mech_list", "PLAIN LOGIN CRAM-MD5")
    return replace_line(text, "auxprop_plugin", "sasldb") + "sasldb_path: /sasldb2\n"


def cram_md5(server, user, password):
    client = server.connect()
    client.user, client.password = user, password
    try:
        return client.auth("CRAM-MD5", client.auth_cram_md5)[0]
    except smtplib.SMTPAuthenticationError as refusal:
        return refusal.smtp_code
    finally:
        client.close()


def test_the_guard_stops_other_mechanisms(mail_server, sasldb):
    server = mail_server(smtpd_conf=with_cram_md5)
    assert cram_md5(server, *sasldb) == REFUSED
    assert server.postfix_says("CRAM-MD5")


def test_apppassword_also_mechs_lets_a_mechanism_pass(mail_server, sasldb, directory):
    """That mechanism only; a bare password by PLAIN is still refused."""
    server = mail_server(
        smtpd_conf=lambda text: with_cram_md5(text) + "apppassword_also_mechs: CRAM-MD5\n")
    assert cram_md5(server, *sasldb) == ACCEPTED
    assert server.sign_in(*sasldb).code == REFUSED
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED


def test_apppassword_also_mechs_never_lets_the_stock_plain_pass(
        mail_server, postfix, load_plugins, directory, yes_man):
    load_plugins(postfix.stock, None)
    server = mail_server(smtpd_conf=lambda text: (
        with_yes_man(text) + "apppassword_also_mechs: PLAIN LOGIN\n"))
    assert_every_login_fails(server, directory, REFUSED)


# ---- The tests themselves ----

def test_an_early_connection_to_a_service_leaves_no_process(
        mail_server, postfix, directory):
    """An smtpd without the test's settings would use the stock mechanisms."""
    service = postfix.next_service()
    with socket.create_connection(("127.0.0.1", service.port)):
        wait_until(lambda: "SASL per-process initialization failed" in str(postfix.log_of(service)),
                   "smtpd to end")
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    server = mail_server()
    assert server.service == service
    assert server.sign_in(person.uid, app_password.shown).code == ACCEPTED
    assert server.sign_in(person.uid, person.password).code == REFUSED
