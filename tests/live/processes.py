# SPDX-License-Identifier: BSD-2-Clause
"""Start, wait for and end the private servers of the tests."""

import contextlib
import os
import pathlib
import random
import select
import signal
import socket
import subprocess
import time

_held = []


def free_port():
    """A TCP port of the loopback interface, reserved while the tests run.

    Found by bind(), since a connection could wake another program's server. The open socket keeps
    the port for our server, also while that is stopped. The server can bind it by SO_REUSEADDR,
    because this socket does not listen.
    """
    return _hold("127.0.0.1", 0)


def free_address(*ports):
    """A loopback address whose ports are free, reserved as by free_port().

    For a server with fixed ports, so that several can run on one host.
    """
    for _ in range(100):
        address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        try:
            for port in ports:
                _hold(address, port)
        except OSError as error:
            failure = error
        else:
            return address
    raise failure


def _hold(address, port):
    holder = socket.socket()
    holder.bind((address, port))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(holder)
    return holder.getsockname()[1]


def sanitizers():
    """The environment of a mail server that loads plugins with sanitizers.

    APW_SANITIZERS names the runtime library, which must be loaded before the plugins. A report ends
    the process, and the mail server logs that.
    """
    library = os.environ.get("APW_SANITIZERS")
    return f" LD_PRELOAD={library} ASAN_OPTIONS=detect_leaks=0:exitcode=86" if library else ""


SLOWLY = "+0 x0.1"  # for Clock.set(): from then on, a second lasts ten


class Clock:
    """The clocks of a process with the environment `env`: clock.set("+9m") puts them forward."""

    def __init__(self, file):
        self._file = file
        self.set("+0")
        (library,) = pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self.env = os.environ | {"LD_PRELOAD": str(library), "FAKETIME_NO_CACHE": "1",
                                 "FAKETIME_TIMESTAMP_FILE": str(file)}

    def set(self, offset):
        """Atomic: a process that finds an empty file has the real time."""
        new = self._file.with_suffix(".new")
        new.write_text(offset)
        new.rename(self._file)


def wait_until(condition, what, timeout=60):
    """Poll until condition() is true and return its result; fail after timeout seconds."""
    end = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(0.01)
    return result


def wait_until_all_clocks_show(moment):
    """Until a moment, in seconds since 1970: a C program's time() is up to 10 ms behind time.time()."""
    time.sleep(max(0, moment + 0.1 - time.time()))


def is_readable(file, timeout=0):
    """Whether there is something to read within timeout seconds; select() fails beyond 1023 open files."""
    poller = select.poll()
    poller.register(file, select.POLLIN)
    return bool(poller.poll(timeout * 1000))


def seconds(action):
    """The seconds that action() takes, and its result."""
    begin = time.monotonic()
    result = action()
    return time.monotonic() - begin, result


def run(argv, **options):
    """Run a command and return its output; the error of a failure contains it."""
    done = subprocess.run(argv, text=True, capture_output=True, **options)
    assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def start(argv, log, env=None):
    """Start a server in its own process group."""
    with open(log, "a") as output:
        return subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=output, start_new_session=True)


def stop(process):
    """End a server and all its children."""
    for number in (signal.SIGCONT, signal.SIGTERM):
        signal_group(process, number)
    try:
        process.wait(60)
    finally:
        signal_group(process, signal.SIGKILL)


def kill(process):
    """End a server that may not be able to end itself, and all its children."""
    signal_group(process, signal.SIGKILL)
    process.wait(60)


def signal_group(process, number):
    """Send a signal to a server and all its children."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def left_running(folder, timeout=10):
    """The commands of processes that work in a folder and do not end within timeout seconds."""
    end = time.monotonic() + timeout
    while (commands := [*_running_in(str(folder))]) and time.monotonic() < end:
        time.sleep(0.1)
    return commands


def _running_in(folder):
    """By their arguments, environment and working folder; a person's shell there counts, too."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        command = _about(process, "cmdline")
        if folder in " ".join([command, _about(process, "environ"), _about(process, "cwd")]):
            yield f"{process.name}: {command}"


def _about(process, name):
    """Empty if it has ended. In a container, root may read everybody's arguments, but environment
    and working folder only of processes with no other rights than its own."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        path = process / name
        return os.readlink(path) if path.is_symlink() else path.read_bytes().replace(b"\0", b" ").decode(
            errors="replace")
    return ""


def is_stopped(process):
    """True if all threads of a server have stopped after SIGSTOP."""
    threads = pathlib.Path(f"/proc/{process.pid}/task").glob("*/stat")
    return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)
