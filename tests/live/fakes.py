# SPDX-License-Identifier: BSD-2-Clause
"""Absent and misbehaving servers, and a saslauthd that accepts every password."""

import contextlib
import pathlib
import socket
import struct
import threading
import time

_bound = []


def dead_address():
    """An address without a listener; it stays reserved while the tests run."""
    _bound.append(socket.socket())
    _bound[-1].bind(("127.0.0.1", 0))
    return "127.0.0.1:%d" % _bound[-1].getsockname()[1]


class FakeLdap:
    """A directory that accepts connections and then stays silent or very slow.

    starttls  true: it first accepts StartTLS
    drip      bytes that it sends, one per second, after the client's first message
    """

    def __init__(self, starttls=False, drip=b""):
        self.starttls = starttls
        self.drip = drip
        self.connections = 0
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            if self.starttls:
                request = connection.recv(1000)
                message_id = request[4:5]
                # LDAPMessage: the request's id (one byte) and ExtendedResponse success
                connection.sendall(b"\x30\x0c\x02\x01" + message_id
                                   + b"\x78\x07\x0a\x01\x00\x04\x00\x04\x00")
            connection.recv(1000)
            for byte in self.drip:
                if self._ended.wait(1):
                    return
                connection.sendall(bytes([byte]))
            self._ended.wait()


# The first bytes of a TLS record of 16 KiB and of an LDAP message of 16 MiB: a reader waits for the
# rest.
TLS_DRIP = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(100)
LDAP_DRIP = b"\x30\x84\x01\x00\x00\x00\x02\x01\x01\x61" + bytes(100)


class YesMan:
    """A saslauthd that accepts every login and records the logins."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir()
        self.asked = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / "mux"))
        (folder / "mux").chmod(0o777)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, connection.makefile("rb") as request:
                    # login, password, service and realm, each after its length
                    parts = [request.read(struct.unpack("!H", request.read(2))[0])
                             for _ in range(4)]
                    self.asked.append(parts[0].decode())
                    connection.sendall(b"\x00\x02OK")


class Relay:
    """Forwards TCP connections to another address until it is cut.

    near      the address to listen at
    delay     the seconds that each piece of an answer waits
    hindered  [bytes, count, seconds]: so many of the requests with these bytes wait so long
    pieces    what was forwarded, in turn: True is a piece of an answer, False one of a request
    """

    def __init__(self, host, port, near="127.0.0.1"):
        self.delay = 0
        self.hindered = [b"", 0, 0]
        self.pieces = []
        self._target = host, int(port)
        self._is_cut = False
        self._links = set()
        self._swallowed = set()
        self.connections = 0
        self._listener = socket.create_server((near, 0))
        self.address = "%s:%d" % self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """End all connections, and new ones immediately."""
        self._is_cut = True
        for link in list(self._links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def swallow(self):
        """Stop forwarding on the current connections without telling either side, like a load
        balancer that has forgotten them."""
        self._swallowed |= self._links

    def restore(self):
        """Forward new connections again."""
        self._is_cut = False

    def close(self):
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near, contextlib.suppress(OSError):
            if self._is_cut:
                return
            with socket.create_connection(self._target) as far:
                self._links |= {near, far}
                if not self._is_cut:  # in the meantime; from now on, cut() ends this link, too
                    back = threading.Thread(target=self._pump, args=(far, near, True), daemon=True)
                    back.start()
                    self._pump(near, far)
                    back.join()
                self._links -= {near, far}

    def _pump(self, source, sink, is_answer=False):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer:
                    time.sleep(self.delay)
                elif self.hindered[1] > 0 and self.hindered[0] in data:
                    self.hindered[1] -= 1
                    time.sleep(self.hindered[2])
                if source not in self._swallowed:
                    self.pieces.append(is_answer)
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
