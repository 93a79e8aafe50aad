# SPDX-License-Identifier: BSD-2-Clause
"""The page, Dovecot and Postfix as in a container; see container.py."""

import pytest

import container
import smtp
from conftest import MailServer, example_smtpd_conf, new_folder, write_config
from dovecot import ACCEPTED, REFUSED, imap
from dovecot24 import dovecot_of_this_machine
from portal import PROGRAM, Portal
from postfix import Postfix
from processes import start, stop, wait_until


@pytest.fixture
def ending():
    """Ends the processes of a list after the test."""
    processes = []
    yield processes
    for process in processes:
        stop(process)


def test_the_page_is_process_1_and_ends_with_status_0(directory, workdir, folder, ending):
    person = directory.new_person(mfa=True)
    portal = Portal(new_folder(workdir, "portal") / "etc", directory, log="stderr")
    out = folder / "out"
    ending.append(start(container.inside(folder, [PROGRAM, "-c", portal.config]), out))
    portal.process = ending[0]
    wait_until(portal._answers, f"the page, see {out}")
    client = portal.client()
    client.get("")
    assert client.post("sign-in", login=person.uid, password="wrong").status == 403
    assert client.get("healthz").status == 200
    assert container.end(ending[0]) == 0
    line = f'verdict=refused reason=wrong-account-password user="{person.uid}"'
    wait_until(lambda: line in out.read_text(), "the line, which comes through a pipe")


def test_dovecot_is_process_1_and_logs_to_standard_error(
        directory, authority, workdir, lua_module, ending):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    folder = new_folder(workdir, "dovecot")
    config = write_config(new_folder(workdir, "etc"), uri=directory.ldap, log="stderr")
    server = dovecot_of_this_machine()(folder, config, lua_module, authority,
                                       lines="log_path = /dev/stderr")
    server.log = folder / "dovecot.out"
    ending.append(start(container.inside(folder, server._command()), server.log))
    server.process = ending[0]
    wait_until(server._is_up, f"Dovecot, see {server.log}")
    assert imap(server, person.uid, app_password.shown) == ACCEPTED
    assert imap(server, person.uid, person.password) == REFUSED
    assert server.says(f'verdict=accepted reason=app-password user="{person.uid}" service=imap')
    assert server.says("verdict=refused reason=account-password-with-mfa")
    assert container.end(ending[0]) == 0


def test_postfix_is_process_1_and_the_plugin_logs_to_its_output(
        directory, plugin, authority, workdir, ending, monkeypatch):
    person, app_password = directory.new_person(mfa=True, app_passwords=1)
    monkeypatch.setattr("postfix.KINDS", {"one process": ("submissions", "1", 1, [])})
    folder = new_folder(workdir, "postfix")
    server = Postfix(folder / "container", plugin, authority)
    config = write_config(new_folder(workdir, "etc"), uri=directory.ldap, log="/proc/1/fd/1")
    service = server.service(example_smtpd_conf(config))
    main_cf = server.config / "main.cf"
    text = main_cf.read_text()
    main_cf.write_text(text.replace(f"maillog_file = {server.log}", "maillog_file = /dev/stdout")
                       .replace("maillog_file_prefixes = ", "maillog_file_prefixes = /dev/stdout "))
    server.log = server.folder / "master.out"
    server.start(seeing=lambda command: container.inside(
        server.folder, ["postfix", "-c", server.config, "start-fg"]))
    ending.append(server.process)
    mail_server = MailServer(server, service, authority, server.folder)
    for password, code, verdict in ((app_password.shown, smtp.ACCEPTED, "accepted"),
                                    (person.password, smtp.REFUSED, "refused")):
        assert smtp.plain(mail_server.connect(), person.uid, password).code == code
        wait_until(lambda: f" verdict={verdict} " in server.log.read_text(), "the log line")
    assert container.end(server.process) == 0
