"""A certificate authority for the tests, made by openssl."""

from processes import run

NAMES = "DNS:localhost,IP:127.0.0.1"


class Authority:
    """A CA with one server certificate: ca.pem, server.pem and server.key in a folder."""

    def __init__(self, folder, names=NAMES, common_name="server"):
        folder.mkdir()
        self.ca = folder / "ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        ca_key = folder / "ca.key"
        _request("/CN=Test CA", self.ca, ca_key)
        _request(f"/CN={common_name}", self.certificate, self.key,
                 "-CA", self.ca, "-CAkey", ca_key, "-addext", "basicConstraints=CA:FALSE",
                 "-addext", f"subjectAltName={names}")


def _request(subject, certificate, key, *options):
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", subject, "-out", certificate, "-keyout", key, *options])
