# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority for profiles, with an intermediate as public ones have it, and what openssl says of a
signature."""

import subprocess

from processes import run

KEYS = {"EC": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "RSA": ["rsa:2048"], "Ed25519": ["ed25519"]}


class SigningAuthority:
    """A root, an intermediate, and certificates that they sign, in a folder."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.root = folder / "root.pem"
        self.intermediate = folder / "intermediate.pem"
        is_ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        _request(self.root, folder / "root.key", "/CN=Root", "EC", "-days", "30", *is_ca)
        _request(self.intermediate, folder / "intermediate.key", "/CN=Intermediate", "EC", "-days", "30",
                 "-CA", self.root, "-CAkey", folder / "root.key", *is_ca)

    def issue(self, name="mail.example.org", kind="EC", days=60, chain=True):
        """(certificate with its intermediate, key) as a public CA hands them out."""
        number = len(list(self.folder.glob("*.key")))
        certificate, key = self.folder / f"{number}.pem", self.folder / f"{number}.key"
        _request(certificate, key, f"/CN={name}", kind, "-days", str(days), "-CA", self.intermediate,
                 "-CAkey", self.folder / "intermediate.key", "-addext", "basicConstraints=CA:FALSE",
                 "-addext", f"subjectAltName=DNS:{name}", "-addext", "extendedKeyUsage=serverAuth")
        key.chmod(0o600)
        if chain:
            certificate.write_text(certificate.read_text() + self.intermediate.read_text())
        return certificate, key

    def verify(self, signed):
        """The content of a signed profile; None if it is not good for somebody who knows the root alone."""
        done = subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-CAfile", self.root, "-purpose",
                               "any", "-binary"], input=signed, capture_output=True)
        return done.stdout if done.returncode == 0 else None


def structure(signed):
    """What openssl prints of a signature, in words."""
    done = subprocess.run(["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER"], input=signed,
                          capture_output=True, check=True)
    return done.stdout.decode()


def _request(certificate, key, subject, kind, *options):
    run(["openssl", "req", "-x509", "-newkey", *KEYS[kind], "-nodes", "-subj", subject, "-out", certificate,
         "-keyout", key, *options])
