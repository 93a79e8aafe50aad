# SPDX-License-Identifier: BSD-2-Clause
"""A security key in software (WebAuthn level 2), which also answers wrongly if asked to."""

import base64
import hashlib
import html
import json
import re
import secrets

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ES256, EDDSA, RS256 = -7, -8, -257
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, HAS_CREDENTIAL = 0x01, 0x04, 0x08, 0x10, 0x40


def text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def asked(page, name):
    """What the page asks the browser for."""
    return html.unescape(re.search(rf'data-{name}="([^"]*)"', page.text)[1])


def fields_of(answer):
    """What a form of the page has of an answer."""
    return {name: answer[name] for name in
            ("credential", "client_data", "authenticator_data", "signature") if name in answer}


class SecurityKey:
    """With one credential.

    counts  its signature counter rises; otherwise it is always 0, as that of most passkeys
    flags   of each answer
    """

    def __init__(self, host, origin, algorithm=ES256, counts=True, flags=PRESENT | VERIFIED,
                 id_bytes=32):
        self.host, self.origin, self.flags = host, origin, flags
        self.counter = 1 if counts else 0
        self.counts = counts
        self.id = secrets.token_bytes(id_bytes)
        self._private, self.public = _KEYS[algorithm]()

    def credential(self):
        return text(self.id)

    def register(self, challenge, **changes):
        """The answer to navigator.credentials.create(); see _answer() for changes."""
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self.public
        answer, data, _ = self._answer(challenge, "webauthn.create", HAS_CREDENTIAL, attested,
                                       changes)
        return answer | {"attestation_object": text(
            b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59" + len(data).to_bytes(2, "big")
            + data)}

    def sign(self, challenge, **changes):
        """The answer to navigator.credentials.get(). Also changes: signed_by, another key."""
        self.counter += self.counts
        signed_by = changes.pop("signed_by", self)
        answer, data, client_data = self._answer(challenge, "webauthn.get", 0, b"", changes)
        return answer | {"signature": text(
            signed_by._sign(data + hashlib.sha256(client_data).digest()))}

    def _answer(self, challenge, type, flags, attested, changes):
        """changes: asked (another challenge), origin, type, host, flags, counter, client_data (more members),
        json (instead of the client data), behind (bytes behind the authenticator data)"""
        client_data = json.dumps({
            "type": changes.get("type", type), "challenge": changes.get("asked", challenge),
            "origin": changes.get("origin", self.origin), "crossOrigin": False}
            | changes.get("client_data", {})).encode()
        client_data = changes.get("json", client_data)
        data = hashlib.sha256(changes.get("host", self.host).encode()).digest() + \
            bytes([changes.get("flags", self.flags) | flags]) + \
            changes.get("counter", self.counter).to_bytes(4, "big") + attested + \
            changes.get("behind", b"")
        return {"credential": self.credential(), "client_data": text(client_data),
                "authenticator_data": text(data)}, data, client_data

    def _sign(self, data):
        return self._private(data)


# ---- keys, as COSE (RFC 9052) ----

def _es256():
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    return (lambda data: key.sign(data, ec.ECDSA(hashes.SHA256())),
            b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + numbers.x.to_bytes(32, "big")
            + b"\x22\x58\x20" + numbers.y.to_bytes(32, "big"))


def _eddsa():
    key = ed25519.Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(serialization.Encoding.Raw,
                                        serialization.PublicFormat.Raw)
    return key.sign, b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20" + raw


def _rs256():
    key = rsa.generate_private_key(65537, 2048)
    number = key.public_key().public_numbers().n
    return (lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()),
            b"\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00" + number.to_bytes(256, "big")
            + b"\x21\x43\x01\x00\x01")


_KEYS = {ES256: _es256, EDDSA: _eddsa, RS256: _rs256}
