# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority for the tests, made by openssl."""

from processes import run

NAMES = "DNS:localhost,IP:127.0.0.1"


class Authority:
    """A CA with one server certificate: ca.pem, server.pem and server.key in a folder."""

    def __init__(self, folder, names=NAMES, common_name="server", days=30):
        folder.mkdir()
        self.ca = folder / "ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        ca_key = folder / "ca.key"
        # Python 3.13 rejects a CA without keyUsage.
        _request("/CN=Test CA", self.ca, ca_key, "-days", str(days),
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _request(f"/CN={common_name}", self.certificate, self.key,
                 "-days", str(days), "-CA", self.ca, "-CAkey", ca_key, "-addext", "basicConstraints=CA:FALSE",
                 "-addext", f"subjectAltName={names}")

    def expired(self, folder):
        """A certificate for the same names and key, valid for one day long ago."""
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "ca.conf").write_text(f"""\
[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
authorityKeyIdentifier = keyid
subjectAltName = {NAMES}
""")
        run(["openssl", "req", "-new", "-key", self.key, "-subj", "/CN=server",
             "-out", folder / "request.pem"])
        run(["openssl", "ca", "-batch", "-notext", "-create_serial", "-config", folder / "ca.conf",
             "-cert", self.ca, "-keyfile", self.ca.with_name("ca.key"),
             "-startdate", "20200101000000Z", "-enddate", "20200102000000Z",
             "-in", folder / "request.pem", "-out", folder / "expired.pem"])
        return folder / "expired.pem"


def _request(subject, certificate, key, *options):
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", subject, "-out", certificate, "-keyout", key, *options])
