# SPDX-License-Identifier: BSD-2-Clause
"""An authenticator app (RFC 6238)."""

import base64
import hashlib
import hmac
import subprocess
import time
import urllib.parse

PERIOD = 30


def totp(secret, at=None):
    """The code that an authenticator app shows for a key in base32 (RFC 6238)."""
    step = int(time.time() if at is None else at) // 30
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    number = int.from_bytes(digest[place:place + 4], "big") & 0x7fffffff
    return f"{number % 10**6:06}"


class Authenticator:
    """An app with one account; the key as in an otpauth URI, spaces do not matter."""

    def __init__(self, secret):
        self._secret = secret.replace(" ", "")
        self._last = 0

    @classmethod
    def scan(cls, png):
        """Read the QR code in a picture, like a phone's camera."""
        done = subprocess.run(["zbarimg", "--quiet", "--raw", "-"], input=png, check=True,
                              stdout=subprocess.PIPE)
        uri = urllib.parse.urlsplit(done.stdout.decode().strip())
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
        values = dict(urllib.parse.parse_qsl(uri.query))
        usual = {"algorithm": "SHA1", "digits": "6", "period": "30"}  # all that most apps can do
        assert {name: values.get(name, usual[name]) for name in usual} == usual
        return cls(values["secret"])

    def code(self):
        """A code that is valid now and was not returned before.

        The portal forgives one step of drift, so that the codes of three steps are good at any
        time; who needs more has to wait.
        """
        grace = 5  # for the way to the portal
        step = max(self._last + 1, int(time.time() + grace) // PERIOD - 1)
        while step > int(time.time()) // PERIOD + 1:
            time.sleep(0.1)
        self._last = step
        return self._code_of(step)

    def last_code(self):
        """The last result of code()."""
        return self._code_of(self._last)

    def wrong_code(self):
        """Six digits that are valid neither now nor soon."""
        now = int(time.time()) // PERIOD
        good = {self._code_of(step) for step in range(now - 3, now + 5)}
        return next(code for code in (f"{number:06}" for number in range(100)) if code not in good)

    def _code_of(self, step):
        return totp(self._secret, step * PERIOD)
