# SPDX-License-Identifier: BSD-2-Clause
"""A name server of our own, dnsmasq, and programs that ask no other one."""

import ipaddress
import socket

from processes import free_address, start, stop, wait_until

# The rest of the machine keeps its resolver.
ENTER = 'mount --bind "$0" /etc/resolv.conf && mount --bind "$1" /etc/nsswitch.conf && shift && exec "$@"'


class Resolver:
    """Answers for the names and addresses that it is given, and for no others.

    enter  what to put in front of a program so that it asks this one; the program waits 20 seconds for an answer
    """

    def __init__(self, folder):
        folder.mkdir()
        self.address = free_address(53)
        self.log = folder / "dnsmasq.log"
        resolv, nsswitch = folder / "resolv.conf", folder / "nsswitch.conf"
        resolv.write_text(f"nameserver {self.address}\noptions timeout:10 attempts:2\n")
        nsswitch.write_text("passwd: files\ngroup: files\nhosts: files dns\n")
        self.enter = ["unshare", "--mount", "sh", "-c", ENTER, str(resolv), str(nsswitch)]
        self.records = ["--local=/example/", "--local=/in-addr.arpa/", "--local=/ip6.arpa/"]
        self._mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._mute.bind((self.address, 0))
        self.process = None

    def name(self, address, name, forward=None):
        """The owner of the address gives it a name; that of the name gives it an address, by default the same."""
        self.records.append(f"--ptr-record={pointer(address)},{name}")
        if forward != "":
            self.records.append(f"--host-record={name},{forward or address}")

    def mute(self, address):
        """The name server of the address never answers."""
        port = self._mute.getsockname()[1]
        self.records.append(f"--server=/{pointer(address)}/{self.address}#{port}")

    def start(self):
        self.process = start(["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
                              "--no-hosts", "--bind-interfaces", f"--listen-address={self.address}",
                              "--user=root", "--pid-file=", "--log-queries", "--log-facility=-",
                              *self.records], self.log)
        wait_until(lambda: "started, version" in self.log.read_text(), "dnsmasq")
        return self

    def asked(self, address):
        """How often somebody asked it for the name of the address."""
        return self.log.read_text().count(f"query[PTR] {pointer(address)} ")

    def stop(self):
        if self.process:
            stop(self.process)
        self._mute.close()


def pointer(address):
    """The address as a name in the DNS, such as 17.2.0.192.in-addr.arpa."""
    return ipaddress.ip_address(address).reverse_pointer
