# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages: installed beside Debian's own servers, upgraded and removed.

The tests of one Debian go on from each other, in this order, on one machine.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import builder
import roots
from processes import wait_until

PACKAGES = ["app-password", "libsasl2-modules-app-password", "dovecot-app-password",
            "libpam-app-password", "app-password-portal"]
SETTINGS = ["postfix", "dovecot", "pam.d"]  # what the README changes in /etc
APPARMOR = [f"apparmor.d/abstractions/{name}app-password"
            for name in ("", "dovecot-common.d/", "postfix-common.d/")]
MASTERS = {"postfix": "/var/spool/postfix/pid/master.pid", "dovecot": "/run/dovecot/master.pid"}
SOURCES = roots.SOURCES
TESTS = "/opt/source/tests/packages"

# Files that a host changes by itself, and those of the tests and the directory.
VOLATILE = re.compile(r"""
    /(dev|opt|proc|root|run|sys|tmp)(/|$) |
    /var/(backups|cache|lib/(apt|dovecot|ldap|postfix)|log|spool/(postfix|rsyslog)|tmp)/ |
    /var/lib/(dpkg|sudo|systemd)/(available|lock|status|triggers|lectured|ts|timers|deb-systemd) |
    /etc/(ld\.so\.cache|(group|gshadow|passwd|shadow)-|ldap/slapd\.d/) |
    .*/__pycache__""", re.VERBOSE)


@pytest.fixture(scope="module", params=roots.SUITES)
def release(request):
    return request.param


class Host(roots.Machine):
    """A mail host with our packages in a folder."""

    def put(self, packages, folder):
        """The packages to install, without those for debuggers."""
        (self.root / folder).mkdir(parents=True)
        for name, path in packages.items():
            if "-dbgsym_" not in name:
                shutil.copy(path, self.root / folder)
        self.fetch([f"/{folder}/{path.name}" for path in (self.root / folder).iterdir()])

    def python(self, script, *arguments):
        return self.run("python3", f"{TESTS}/{script}", *arguments)

    def install(self, folder):
        """Install as the README says, without a network."""
        readme = (SOURCES / "README.md").read_text()
        command, = re.findall(r"^    cd \.\. && sudo (apt install \./app-password.*)$", readme,
                              re.MULTILINE)
        command += " ./libpam-app-password_*.deb ./app-password-portal_*.deb"
        return self.run("sh", "-c", f"cd /{folder} && {command} --yes")

    def files(self):
        """Describe each file of this host, except those that change by themselves."""
        return {f"/{path.relative_to(self.root)}": describe(path)
                for folder, folders, files in os.walk(self.root)
                for path in (pathlib.Path(folder, name) for name in folders + files)
                if not VOLATILE.match(f"/{path.relative_to(self.root)}")}

    def ours(self, folder):
        """The new files in a folder."""
        return {name.removeprefix(folder) for name in set(self.files()) - set(self.files_before)
                if name.startswith(folder)}

    def restart(self):
        """Restart each server, with the plugins that are installed now."""
        for name in "postfix", "dovecot", "slapd":
            self.run("service", name, "restart")

    def masters(self):
        """The process ids of Postfix and Dovecot."""
        return {name: self.run("cat", file).strip() for name, file in MASTERS.items()}

    def restarted_since(self, masters):
        """The servers that were restarted since then."""
        return {name for name, pid in self.masters().items() if pid != masters[name]}

    def installed(self):
        """The packages that are installed or have left settings behind."""
        return set(self.run("dpkg-query", "-W", "-f", "${Package}\\n").splitlines())


def describe(path):
    status = path.lstat()
    if path.is_symlink():
        contents = os.readlink(path)
    elif path.is_file():
        contents = hashlib.sha256(path.read_bytes()).hexdigest()
    else:
        contents = None
    return oct(status.st_mode), status.st_uid, status.st_gid, contents


@pytest.fixture(scope="module")
def earlier(release, workdir):
    """The packages with a lower version number."""
    built, folder = builder.packages(release), workdir / f"earlier-{release}"
    version, = {builder.field(path, "Version") for path in built.values()}
    folder.mkdir()
    for path in built.values():
        tree = folder / "tree"
        subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub("^(Version|Depends):.*", lambda line: line[0].replace(version, "0.0.9"),
                                  control.read_text(), flags=re.MULTILINE))
        subprocess.run(["dpkg-deb", "-b", tree, folder], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(tree)
    packages = {path.name: path for path in folder.glob("*.deb")}
    assert len(packages) == len(built)
    return packages


@pytest.fixture(scope="module")
def host(release, workdir, earlier):
    """A mail host with a directory; our packages are there but not installed."""
    host = Host(roots.host_root(release), workdir / f"host-{release}")
    shutil.copytree(SOURCES, host.root / "opt/source", symlinks=True)
    host.put(earlier, "opt/earlier")
    host.put(builder.packages(release), "opt/built")
    # Without an init system, Debian's maintainer scripts restart no server unless this allows it.
    policy = host.root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    policy.chmod(0o755)
    with host:
        host.python("sign_in.py", "prepare")
        host.python("stock.py", "prepare")
        host.before = host.python("stock.py")
        host.files_before, host.installed_before = host.files(), host.installed()
        yield host


def test_installing_changes_nothing_for_debians_own_mechanisms(host):
    masters = host.masters()
    host.install("opt/earlier")
    assert host.restarted_since(masters) == {"dovecot"}  # as the README says: dovecot-auth-lua is new
    host.restart()
    assert host.python("stock.py") == host.before
    changed = {name for name, what in host.files().items()
               if host.files_before.get(name, what) != what}
    assert changed == {f"/etc/{name}" for name in ("group", "gshadow", "passwd", "shadow")}
    settings = {name for name in host.ours("/etc/") if (host.root / "etc" / name).is_file()}
    assert settings == {"app-password/app-password.conf", "app-password/portal.conf",
                        "logrotate.d/app-password", *APPARMOR}


def test_the_page_for_users_has_a_user_of_its_own_and_is_not_enabled(host):
    assert host.run("id", "-Gn", "app-password-portal") == "app-password-portal app-password\n"
    assert not list(host.root.glob("etc/systemd/system/*.wants/app-password-portal.service"))


def test_the_folder_of_settings_is_closed_and_its_files_are_conffiles(host):
    folder = "/etc/app-password"
    assert host.run("stat", "-c", "%A %U %G %n", folder, f"{folder}/app-password.conf",
                    f"{folder}/portal.conf").splitlines() == [
        f"drwxr-x--- root app-password {folder}",
        f"-rw-r--r-- root root {folder}/app-password.conf",
        f"-rw-r----- root app-password-portal {folder}/portal.conf"]
    conffiles = host.run("dpkg-query", "-W", "-f", "${Conffiles}\n", *PACKAGES)
    assert set(re.findall(r"/\S+", conffiles)) == {
        f"{folder}/app-password.conf", f"{folder}/portal.conf", "/etc/logrotate.d/app-password",
        *(f"/etc/{name}" for name in APPARMOR)}


def test_the_readme_leads_to_mail_servers_that_know_app_passwords(host):
    for name in SETTINGS:
        host.run("cp", "-a", f"/etc/{name}", "/opt")
    (host.root / "etc/pam.d/sieve").write_text("# the site's own\n")
    host.python("sign_in.py", "set-up")
    kept = host.root / "etc/postfix/sasl/smtpd.conf.~1~"
    assert kept.read_text() == (host.root / "opt/postfix/sasl/smtpd.conf").read_text()
    assert (host.root / "etc/pam.d/sieve.~1~").read_text() == "# the site's own\n"
    host.python("sign_in.py")
    host.python("sign_in.py", "portal")


def test_an_upgrade_disturbs_no_client(host):
    end = host.root / "opt/end"
    client = subprocess.Popen(host.argv("python3", f"{TESTS}/sign_in.py", "go-on", "/opt/end"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert client.stdout.readline() == "1 times\n"
        masters = host.masters()
        host.install("opt/built")
        assert host.restarted_since(masters) == set()
        assert client.poll() is None
    finally:
        end.touch()
        said, _ = client.communicate(timeout=120)
    assert client.returncode == 0 and "2 times" in said, said
    versions = host.run("dpkg-query", "-W", "-f", "${Version}\n", *PACKAGES)
    assert "0.0.9" not in versions


WHO_HAS_THE_OLD = r"""for process in /proc/[0-9]*; do
    ! grep -qs 'app_*password.*(deleted)' $process/maps || cat $process/comm
done"""


def test_after_a_reload_nobody_has_the_old_version(host):
    host.run("postfix", "reload")
    host.run("doveadm", "reload")
    # slapd has loaded the plugin, as it loads every plugin, and does not use it.
    wait_until(lambda: set(host.run("sh", "-c", WHO_HAS_THE_OLD).split()) <= {"slapd"},
               "the end of processes with the old version")
    host.python("sign_in.py")


# ---- Removing ----

def test_once_the_plugins_are_removed_the_settings_that_name_them_let_nobody_in(host):
    host.run("apt-get", "remove", "-y", *PACKAGES)
    host.run("postfix", "reload")
    host.run("doveadm", "reload")
    host.python("sign_in.py", "nobody")
    assert host.ours("/etc/app-password/") == {
        "app-password.conf", "mail-server.secret", "admin.conf", "admin.secret", "portal.conf",
        "portal.key", "portal.secret", "proxy.secret"}


def test_with_the_settings_from_before_all_is_as_before(host):
    for name in SETTINGS:
        host.run("rm", "-r", f"/etc/{name}")
        host.run("mv", f"/opt/{name}", "/etc/")
    host.run("userdel", "--remove", "vmail")
    host.restart()
    assert host.python("stock.py") == host.before


def test_a_purge_leaves_nothing_behind_but_the_sites_own_files(host):
    """Not even a group with a member; and no file that belongs to nobody."""
    host.run("gpasswd", "--add", "www-data", "app-password-portal")
    host.run("install", "-m", "0640", "-o", "app-password-portal", "-g", "app-password-portal",
             "/dev/null", "/etc/app-password/own")
    host.run("cp", "-p", "/etc/app-password/portal.key", "/etc/app-password/portal.key.~1~")
    for name in "app-password.conf", "portal.conf", "mail-server.secret", "portal.secret":
        host.run("cp", "-p", f"/etc/app-password/{name}", f"/etc/app-password/{name}.before")
    rollout = (SOURCES / "doc/rollout.md").read_text()
    command, = re.findall("^    sudo (apt purge .*)$", rollout, re.MULTILINE)
    host.run("sh", "-c", f"{command} --yes")
    assert not host.installed() & set(PACKAGES)
    # The dependencies that apt installed; autoremove keeps what other packages suggest.
    host.run("apt-get", "purge", "-y", *(host.installed() - host.installed_before))
    assert host.installed() == host.installed_before
    assert host.run("stat", "-c", "%A %U %G %n", "/etc/app-password", "/etc/app-password/own") == (
        "drwxr-x--- root root /etc/app-password\n-rw-r----- root root /etc/app-password/own\n")
    assert host.ours("/etc/app-password") == {"", "/own"}
    host.run("rm", "-r", "/etc/app-password")
    files = host.files()
    different = {name: (host.files_before.get(name), files.get(name))
                 for name in files.keys() | host.files_before.keys()
                 if host.files_before.get(name) != files.get(name)}
    assert different == {}
