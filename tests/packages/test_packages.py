# SPDX-License-Identifier: BSD-2-Clause
"""The Debian packages: built, installed beside Debian's own servers, upgraded and removed.

The tests of one Debian go on from each other, in this order, on one machine.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import roots
from builder import Builder, build_folder
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


# ---- Building ----

@pytest.fixture(scope="module")
def builder(release, workdir):
    with roots.Machine(roots.build_root(release), workdir / f"build-{release}") as machine:
        yield Builder(machine)


@pytest.fixture(scope="module")
def built(release, builder):
    """The packages, built from a clean checkout."""
    shutil.copytree(build_folder(release), builder.root / "build", symlinks=True)
    return {path.name: path for path in (builder.root / "build").glob("*.deb")}


@pytest.fixture(scope="module")
def earlier(builder, built):
    """The same with a lower version number."""
    version, = {field(path, "Version") for path in built.values()}
    builder.machine.run("sh", "-ec", r"""mkdir /earlier; for deb in /build/*.deb; do
        dpkg-deb -R "$deb" /earlier/tree
        sed -i "/^Version:\|^Depends:/ s/$0/0.0.9/" /earlier/tree/DEBIAN/control
        dpkg-deb -b /earlier/tree /earlier
        rm -r /earlier/tree
        done""", version.replace(".", r"\."))
    packages = {path.name: path for path in (builder.root / "earlier").glob("*.deb")}
    assert len(packages) == len(built)
    return packages


def checksums(packages):
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in packages.items()}


def test_every_package_is_built(built):
    names = {name.partition("_")[0] for name in built}
    assert names - {name for name in names if name.endswith("-dbgsym")} == set(PACKAGES)


def test_the_tarball_of_make_dist_builds_the_same_elsewhere(builder, built):
    """With the unit tests, whose files must be there, too."""
    tarball = builder.make_dist("some/where/else/a-longer-name")
    again = builder.build(tarball, options=())
    assert checksums(again) == checksums(built)


@pytest.mark.usefixtures("release")  # once for each
def test_the_archive_of_git_has_the_same_sources(tmp_path):
    """Fails if there are uncommitted changes, because then it packs something else."""
    checkout = os.environ["APW_CHECKOUT"]
    # It may belong to another user, as it does in continuous integration.
    git = ["git", "-c", f"safe.directory={checkout}", "-C", checkout]
    archive = subprocess.run([*git, "archive", "HEAD"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-C", tmp_path, "-xf", "-"], input=archive, check=True)
    git = ["git", "-C", tmp_path]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "--force", "--all"], check=True)
    differences = subprocess.run([*git, f"--work-tree={SOURCES}", "diff", "--stat"],
                                 text=True, stdout=subprocess.PIPE, check=True).stdout
    differences += subprocess.run([*git, f"--work-tree={SOURCES}", "ls-files", "--others",
                                   "--exclude-standard"],
                                  text=True, stdout=subprocess.PIPE, check=True).stdout
    assert differences == ""


def test_git_ignores_what_a_build_leaves_in_the_tree(builder, built):
    checkout = builder.root / "build/checkout"
    subprocess.run(["git", "init", "-q", checkout], check=True)
    listed = subprocess.run(["git", "-C", checkout, "ls-files", "--others", "--exclude-standard"],
                            text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    assert [name for name in listed if not (SOURCES / name).exists()] == []


def field(deb, name):
    return subprocess.run(["dpkg-deb", "--field", deb, name], text=True, stdout=subprocess.PIPE,
                          check=True).stdout.strip()


def is_earlier(version, other):
    return subprocess.run(["dpkg", "--compare-versions", version, "lt", other]).returncode == 0


def test_an_upgraded_debian_gets_the_packages_that_were_built_on_it(builder, built, release):
    version, = {field(path, "Version") for path in built.values()}
    source = builder.machine.run("dpkg-parsechangelog", "-l", "/build/checkout/debian/changelog",
                                 "-S", "Version").strip()
    assert version == f"{source}~deb{release}u1"
    older, newer = (f"{source}~deb{number}u1" for number in sorted(roots.SUITES, key=int))
    assert is_earlier("0.1.0", older) and is_earlier(older, newer) and is_earlier(newer, source)
    for path in built.values():
        if field(path, "Package") in PACKAGES[1:]:
            assert f"app-password (= {version})" in field(path, "Depends")


def test_apt_listchanges_shows_what_to_do_before_an_upgrade_from_0_1_and_only_then(builder, built):
    """It shows the entries that are newer than the installed version."""
    deb, = (path for name, path in built.items() if name.startswith("app-password_"))
    builder.machine.run("dpkg-deb", "-x", f"/build/{deb.name}", "/news")
    news = builder.machine.run("zcat", "/news/usr/share/doc/app-password/NEWS.Debian.gz")
    first = re.match(r"sasl-app-password \((\S+)\)", news)[1]
    assert is_earlier("0.1.0", first) and is_earlier(first, field(deb, "Version"))
    named, = re.findall(r"/usr/share/doc/\S+\.gz", news)
    assert (builder.root / f"news{named}").exists()


def test_lintian_has_nothing_to_say(builder, built):
    """That of this machine."""
    changes, = (builder.root / "build").glob("*.changes")
    said = subprocess.run(["lintian", "--fail-on", "error,warning", "--display-info", changes],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert said.returncode == 0, said.stdout


# ---- Installing ----

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
def host(release, workdir, built, earlier):
    """A mail host with a directory; our packages are there but not installed."""
    host = Host(roots.host_root(release), workdir / f"host-{release}")
    shutil.copytree(SOURCES, host.root / "opt/source", symlinks=True)
    host.put(earlier, "opt/earlier")
    host.put(built, "opt/built")
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
