# SPDX-License-Identifier: BSD-2-Clause
"""Seals second factors as version 0.1 did: XChaCha20-Poly1305, by libsodium."""

import base64
import ctypes
import ctypes.util
import secrets

import ldap

NONCE_BYTES, TAG_BYTES = 24, 16


def seal_as_0_1(portal, directory, who, text):
    """The value of appPasswordMfaMethod with that text inside."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    key = base64.b64decode((portal.folder / "portal.key").read_text())
    (_, entry), = directory.connect_as_itself().search_s(who.dn, ldap.SCOPE_BASE,
                                                         attrlist=["entryUUID"])
    entry, = entry["entryUUID"]
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = ctypes.create_string_buffer(len(text) + TAG_BYTES)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed, None, text.encode(), ctypes.c_ulonglong(len(text)), entry,
        ctypes.c_ulonglong(len(entry)), None, nonce, key)
    return "sealed=" + base64.urlsafe_b64encode(nonce + sealed.raw).decode().rstrip("=")
