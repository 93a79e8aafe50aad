# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the live tests: a folder, removed afterwards, and private servers.

Run them as root, with Debian's Python, against an installed tree:

    APW_PREFIX=/usr /usr/bin/python3 -m pytest tests/live
"""

import os
import pathlib
import shutil
import tempfile
import time

import pytest

import shared
import sigterm
import smtp
from administration import Site
from certificates import Authority
from postfix import EXAMPLES, Postfix
from processes import left_running, wait_until
from samba import DomainController
from slapd import BASE, IDENTITIES, Slapd, secret
from store import Store

pytest_plugins = ["dovecot_fixtures", "portal_fixtures", "beside_fixtures"]


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true",
                     help="run the fault tests until there were 20,000 logins, and the tests "
                          "marked as long")
    parser.addoption("--without-npm", action="store_true",
                     help="the page alone judges passkeys, and not another verifier, too")


# They take minutes. Several files run at the same time, and nothing else would be left beside these at the end.
SLOW_FILES = ("test_dovecot24.py", "test_dovecot_lmtp.py", "test_portal_browser.py", "test_portal_browser_languages.py",
              "test_portal_guarding.py", "test_setup_ad.py", "test_setup_folder.py", "test_store_login.py",
              "test_store_outage.py")


def pytest_collection_modifyitems(config, items):
    """The slow files first. Without the option, deselect the long tests instead of skipping them."""
    items.sort(key=lambda item: item.path.name not in SLOW_FILES)
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_configure(config):
    sigterm.clean_up(config)
    shared.prepare(config)


@pytest.fixture(autouse=True)
def no_midnight():
    """Tests compare dates and count by the day (UTC): none begins shortly before the next one."""
    left = 86400 - time.time() % 86400
    if left < 120:
        time.sleep(left + 1)


@pytest.fixture(scope="session")
def workdir():
    """A folder readable for the servers' users, with a name short enough for sockets."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apw-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    processes = left_running(folder)
    shutil.rmtree(folder, ignore_errors=bool(processes))
    assert processes == [], "a test of this worker, and not always the last one, has left them"


@pytest.fixture
def make_site(directory, tmp_path):
    """Makes hosts whose configurations differ; a test module may have a directory of its own."""
    numbers = iter(range(100))
    return lambda **keys: Site(tmp_path / f"site{next(numbers)}", directory, **keys)


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture
def folder(workdir):
    """A folder for one test."""
    return new_folder(workdir, "test")


def new_folder(parent, name):
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def plugin():
    """The libapppassword.so under test."""
    prefix = os.environ.get("APW_PREFIX")
    if not prefix:
        pytest.fail("set APW_PREFIX to the folder of the installed package", pytrace=False)
    found = list(pathlib.Path(prefix).glob("lib/**/sasl2/libapppassword.so"))
    if len(found) != 1:
        pytest.fail(f"one libapppassword.so expected below {prefix}/lib: {found}", pytrace=False)
    return found[0].resolve()


@pytest.fixture(scope="session")
def authority(workdir):
    """The CA of the servers' certificates."""
    return Authority(workdir / "ca")


@pytest.fixture(scope="session")
def postfix(workdir, plugin, authority):
    """The Postfix of all tests; each configuration is a separate service."""
    server = Postfix(workdir / "postfix", plugin, authority)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def directory(workdir, postfix, authority):
    """The directory of the tests that only sign in; no test stops it."""
    server = Slapd(workdir / "slapd", authority=authority, chroot=postfix.queue)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def own_directory(workdir, authority):
    """Makes directories for tests that stop, pause or configure them: own_directory(lines=…)."""
    servers = []

    def make(**options):
        folder = new_folder(workdir, "slapd")
        options = {"authority": authority} | options
        servers.append(Slapd(folder, **options))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def own_store(workdir):
    """Makes stores: own_store()."""
    stores = []

    def make(**options):
        stores.append(Store(new_folder(workdir, "store"), **options))
        return stores[-1].start()

    yield make
    for store in stores:
        store.stop()


@pytest.fixture(scope="session")
def active_directory(workdir):
    """The Active Directory of all tests; who stops or configures it restores it."""
    server = DomainController(new_folder(workdir, "samba"))
    try:
        yield server.start()
    finally:
        server.stop()


class MailServer:
    """A service of Postfix that asks a directory for app passwords."""

    def __init__(self, postfix, service, authority, folder):
        self.postfix = postfix
        self.service = service
        self.port = service.port
        self.ca = authority.ca
        self.folder = folder
        self.log = folder / "app-password.log"

    def connect(self, starttls=False):
        """An SMTP client that may now sign in."""
        return smtp.connect(self.port, self.ca, starttls)

    def sign_in(self, user, password, how=smtp.plain, client=None, logged=True, **options):
        """The reply to one login, on a new connection or on the client's.

        The plugin must log each verdict in exactly one line. logged=False: the plugin must not
        log the login, because another program answered or it was not a login.
        """
        before = self.events()
        connection = client or self.connect()
        try:
            reply = how(connection, user, password, **options)
        finally:
            if not client:
                connection.close()
        new = self.events()[len(before):]
        if not logged:
            assert new == [], "the plugin must not see this login"
        elif verdict := {smtp.ACCEPTED: "accepted", smtp.REFUSED: "refused"}.get(reply.code):
            assert [f" verdict={verdict} " in line for line in new] == [True], (reply, new)
        return reply

    def events(self):
        """The log lines of the logins so far."""
        return [line for line in self.log_lines() if " verdict=" in line]

    def log_lines(self):
        """All lines of the log."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def postfix_says(self, text):
        """Wait until this service has logged a line with this text, and return it."""
        def find():
            return next((line for line in self.postfix.log_of(self.service) if text in line), None)
        return wait_until(find, f"{text!r} in the log of Postfix")


@pytest.fixture(scope="session")
def mail_server(postfix, directory, authority, workdir):
    """Makes mail servers: mail_server({"mfa_enforcement": "report"}).

    config     keys of app-password.conf over the usual ones; None leaves a key out
    smtpd_conf turns the text of examples/postfix/smtpd.conf into another
    kind       a key of postfix.KINDS
    """
    def make(config=None, smtpd_conf=lambda text: text, kind="one process"):
        folder = new_folder(workdir, "mail-server")
        path = write_config(folder, **{"uri": directory.ldapi_in_chroot} | (config or {}))
        service = postfix.service(smtpd_conf(example_smtpd_conf(path)), kind)
        return MailServer(postfix, service, authority, folder)
    return make


@pytest.fixture(scope="session")
def usual(mail_server):
    """A mail server with the usual configuration."""
    return mail_server()


def example_smtpd_conf(config):
    """The text of examples/postfix/smtpd.conf for another app-password.conf."""
    text = (EXAMPLES / "smtpd.conf").read_text()
    return text.replace("/etc/app-password/app-password.conf", str(config))


def write_config(folder, **keys):
    """examples/app-password.conf in a folder, with changed and added keys; None removes a key."""
    bindpw = folder / "bindpw"
    bindpw.write_text(secret("mail server") + "\n")
    bindpw.chmod(0o600)
    settings = {
        "base": BASE,
        "binddn": IDENTITIES["mail server"],
        "bindpw_file": bindpw,
        "refusal_delay": 0,
        "record_use": "never",  # it has its own tests; others count connections
        "log": folder / "app-password.log",
    } | keys
    lines = []
    for line in (EXAMPLES.parent / "app-password.conf").read_text().splitlines():
        key = line.split(" ")[0]
        if key in settings:
            value = settings.pop(key)
            line = f"{key} {value}" if value is not None else f"# no {key}"
        lines.append(line)
    lines += [f"{key} {value}" for key, value in settings.items() if value is not None]
    path = folder / "app-password.conf"
    path.write_text("\n".join(lines) + "\n")
    return path
