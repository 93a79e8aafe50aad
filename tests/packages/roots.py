# SPDX-License-Identifier: BSD-2-Clause
"""Debian systems to build packages in, and to install them on.

Each is a folder that debian.make() keeps, and of which a test gets a copy. What runs in a copy has
process ids, a network and a host name of its own: servers have their usual ports there, and all of
them end with it.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import debian
from processes import wait_until

SUITES = {"12": "bookworm", "13": "trixie"}

# The packages of a mail host before ours, and those that the tests need.
HOST = """ca-certificates curl debconf-utils dovecot-imapd ldap-utils libnet-ssleay-perl
libsasl2-modules openssl pamtester postfix python3 python3-pexpect rsyslog sasl2-bin slapd
subversion sudo swaks systemd""".split()

SOURCES = pathlib.Path(__file__).resolve().parents[2]


def build_root(release):
    """A Debian with the build dependencies of debian/control and nothing else."""
    control = SOURCES / "debian/control"

    def finish(root):
        shutil.copytree(SOURCES / "debian", root / "source/debian")
        debian.apt_get(root, "install", "build-essential")
        debian.apt_get(root, "build-dep", "/source")
    return debian.make(f"build-{release}", SUITES[release], finish=finish,
                       key=control.read_text().partition("\n\n")[0])


def host_root(release):
    """A Debian with mail servers and a directory, not started yet."""
    return debian.make(f"host-{release}", SUITES[release], key=" ".join(HOST),
                       finish=lambda root: debian.apt_get(root, "install", *HOST))


def site_root(release):
    """The same with more of what existing sites have."""
    packages = HOST + ["dovecot-ldap", "dovecot-lmtpd", "fail2ban", "nginx-light"]
    return debian.make(f"site-{release}", SUITES[release], key=" ".join(packages),
                       finish=lambda root: debian.apt_get(root, "install", *packages))


class Machine:
    """A copy of such a Debian that runs like a machine of its own; a context manager."""

    ENVIRONMENT = ["/usr/bin/env", "-i", "HOME=/root", "LC_ALL=C.UTF-8",
                   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                   "DEBIAN_FRONTEND=noninteractive"]
    ENTER = """set -e
        ip link set lo up
        hostname mail
        mount -t proc proc "$0/proc"
        mount -t devpts devpts "$0/dev/pts"
        mount -t tmpfs tmpfs "$0/dev/shm"
        mount -t tmpfs tmpfs "$0/run"
        mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
        # A shell reaps processes that have lost their parent.
        exec chroot "$0" sh -c 'while :; do sleep 1; done'"""

    def __init__(self, root, folder):
        self.root = folder
        subprocess.run(["cp", "-a", "--reflink=auto", root, folder], check=True)
        (folder / "etc/hosts").write_text("127.0.0.1 localhost\n")

    def __enter__(self):
        self._outer = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child",
             "sh", "-c", self.ENTER, self.root])
        wait_until(self._is_ready, "the machine")
        return self

    def _find_init(self):
        """The process id that its first process has here; empty at first."""
        children = pathlib.Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children")
        self.init = children.read_text().strip()
        return self.init

    def _is_ready(self):
        """Whether its first process is the one that waits."""
        self._find_init()
        with contextlib.suppress(OSError):
            command = pathlib.Path(f"/proc/{self.init}/cmdline").read_text()
            return command.startswith("sh\0-c\0while")
        return False

    def __exit__(self, *_):
        self._outer.send_signal(signal.SIGKILL)
        self._outer.wait()
        shutil.rmtree(self.root)

    def argv(self, *command):
        """The command that runs another one there, as root."""
        return ["nsenter", "--target", self.init, "--mount", "--pid", "--net", "--uts", "--ipc",
                "chroot", self.root, *self.ENVIRONMENT, *map(str, command)]

    def run(self, *command):
        """Run a command, which must succeed; return its output."""
        # Not through a pipe, which a server that it starts may keep open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(self.argv(*command), stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=output, timeout=1800)
            output.seek(0)
            said = output.read()
        assert done.returncode == 0, f"{command}: exit {done.returncode}\n{said[-20000:]}"
        return said

    def fetch(self, packages):
        """Download the dependencies of our packages, so that apt finds them without a network."""
        debian.apt_get(self.root, "install", "--download-only", *packages)


def own_cgroup():
    """The folder of this process's cgroup v2.

    Two containers with the same folder would take each other's services for their own.
    """
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    places = [mount[1] for mount in mounts if mount[2] == "cgroup2"]
    assert places, "systemd in a container needs cgroup v2, and this machine has not mounted it"
    path, = re.findall("^0::/(.*)$", pathlib.Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    return pathlib.Path(places[0], path)


class Booted(Machine):
    """The same with systemd as its first process, in a container of systemd-nspawn."""

    def __init__(self, root, folder):
        super().__init__(root, folder)
        debian.apt_get(self.root, "install", "systemd-sysv")  # without it, invoke-rc.d does nothing
        manager = self.root / "etc/systemd/system.conf.d/tests.conf"
        manager.parent.mkdir(exist_ok=True)
        # Tests restart the page more often than an administrator: by default, five times in ten seconds.
        manager.write_text("[Manager]\nDefaultStartLimitBurst=1000\n")

    def __enter__(self):
        self._log = self.root.with_name(f"{self.root.name}.log")
        self._cgroup = own_cgroup() / f"{self.root.name}-{os.getpid()}"
        self._cgroup.mkdir()
        with self._log.open("w") as log:
            # systemd 257 needs cgroup v2. This option gives it one also where this machine has both.
            self._outer = subprocess.Popen(
                ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self._cgroup,
                 "systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--private-network",
                 "--hostname=mail", f"--directory={self.root}", "--boot"],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._is_ready, f"systemd, see {self._log}", 300)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _is_ready(self):
        """Whether systemd has started everything, even if a service has failed."""
        assert self._outer.poll() is None, \
            f"systemd-nspawn cannot boot a Debian here: {self._log.read_text()}"
        self._find_init()
        with contextlib.suppress(OSError):
            # Until then, it is a part of systemd-nspawn, and maybe not in the container yet.
            if os.readlink(f"/proc/{self.init}/exe").endswith("/systemd"):
                done = subprocess.run(self.argv("systemctl", "is-system-running", "--wait"),
                                      text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)
                return done.stdout.strip() in ("running", "degraded")
        return False

    def __exit__(self, *_):
        self._outer.terminate()  # systemd-nspawn then shuts the container down
        try:
            self._outer.wait(60)
        except subprocess.TimeoutExpired:
            (self._cgroup / "cgroup.kill").write_text("1")
            self._outer.wait()
        events = self._cgroup / "cgroup.events"
        wait_until(lambda: "populated 0" in events.read_text(), "the end of the container")
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            os.rmdir(folder)
        shutil.rmtree(self.root)

    def argv(self, *command):
        return ["nsenter", "--target", self.init, "--all", *self.ENVIRONMENT, *map(str, command)]
