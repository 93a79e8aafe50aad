# SPDX-License-Identifier: BSD-2-Clause
"""App passwords and their values in the directory, made independently of the code under test."""

import ctypes
import re
import secrets
from collections import namedtuple
from datetime import datetime, timedelta, timezone

SYMBOLS = "0123456789abcdefghjkmnpqrstvwxyz"

_given = {"zzzz", "k7q2"}  # the ids that tests have, or use as that of nothing

# shown: in the user's form; id: its first group; value: the appPassword value
AppPassword = namedtuple("AppPassword", "shown id value")


def check_symbol(symbols):
    """Luhn mod 32 over the 19 symbols, the rightmost doubled first."""
    total = 0
    for place, symbol in enumerate(reversed(symbols)):
        value = SYMBOLS.index(symbol)
        if place % 2 == 0:
            value = value * 2 // 32 + value * 2 % 32
        total += value
    return SYMBOLS[-total % 32]


def group(canonical):
    """The user's form: five groups of four."""
    return "-".join(canonical[i:i + 4] for i in range(0, 20, 4))


def stamp(when):
    """A datetime as GeneralizedTime."""
    return when.astimezone(timezone.utc).strftime("%Y%m%d%H%M%SZ")


def from_now(**delta):
    """The GeneralizedTime at this distance from now: from_now(days=-1) is yesterday."""
    return stamp(datetime.now(timezone.utc) + timedelta(**delta))


def argon2id(canonical, mebibytes=8, passes=1):
    """The {ARGON2} hash of libsodium."""
    sodium = ctypes.CDLL("libsodium.so.23")
    output = ctypes.create_string_buffer(128)
    secret = canonical.encode()
    done = sodium.crypto_pwhash_str(
        output, secret, ctypes.c_ulonglong(len(secret)),
        ctypes.c_ulonglong(passes), ctypes.c_size_t(mebibytes << 20))
    assert done == 0, "crypto_pwhash_str failed"
    return "{ARGON2}" + output.value.decode()


def is_hash_of(value, canonical):
    """True if libsodium verifies the password against the {ARGON2}… hash."""
    secret = canonical.encode()
    return ctypes.CDLL("libsodium.so.23").crypto_pwhash_str_verify(
        value.removeprefix("{ARGON2}").encode(), secret, ctypes.c_ulonglong(len(secret))) == 0


def make(id=None, created=None, hash=None, cost=(8, 1), label="a test", **restrictions):
    """A new app password; cost is MiB and passes; restrictions are expires=, services= and networks= as in the value."""
    symbols = (id or _fresh_id()) + _random(15)
    canonical = symbols + check_symbol(symbols)
    fields = {
        "id": canonical[:4],
        "created": created or from_now(minutes=-1),
        "expires": restrictions.pop("expires", None),
        "services": restrictions.pop("services", None),
        "from": restrictions.pop("networks", None),
        "hash": hash or argon2id(canonical, *cost),
        "label": label,
    }
    assert not restrictions, f"no such restriction: {restrictions}"
    value = " ".join(f"{key}={text}" for key, text in fields.items() if text is not None)
    return AppPassword(group(canonical), canonical[:4], value)


def tombstone(app_password, label="a test", revoked=None):
    """What a revoked app password leaves in appPassword."""
    return (f"id={app_password.id} created={from_now(days=-2)} revoked={revoked or from_now(days=-1)}"
            f" label={label}")


def _fresh_id():
    """Of 23 ids by chance alone, two are the same once in 4,000 times.

    No word has a digit, and no date or UUID a letter after f: so none of them contains the id.
    """
    while (id := _random(4)) in _given or not re.search("[0-9]", id) or not re.search("[g-z]", id):
        pass
    _given.add(id)
    return id


def _random(count):
    return "".join(secrets.choice(SYMBOLS) for _ in range(count))
