# SPDX-License-Identifier: BSD-2-Clause
"""An authenticator app (RFC 6238)."""

import base64
import hashlib
import hmac
import re
import subprocess
import time
import urllib.parse

from processes import wait_until_all_clocks_show

PERIOD = 30


def totp(secret, at=None):
    """The code that an authenticator app shows for a key in base32 (RFC 6238)."""
    step = int(time.time() if at is None else at) // 30
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    place = digest[-1] & 15
    number = int.from_bytes(digest[place:place + 4], "big") & 0x7fffffff
    return f"{number % 10**6:06}"


def code_of_clock(secret, ahead):
    """The code of an app whose clock is so many seconds ahead, a multiple of a step, while the step lasts some seconds
    more; "" if the app has that code at another time near, too, which happens once in 10,000 times."""
    wait_until_all_clocks_show(int(time.time() + 10) // PERIOD * PERIOD)
    now = time.time()
    others = {totp(secret, now + step * PERIOD) for step in range(-70, 71) if step * PERIOD != ahead}
    code = totp(secret, now + ahead)
    return code if code not in others else ""


def read_qr(picture):
    """The text of the QR code in a picture, as a phone's camera reads it."""
    # It finds bar codes of other kinds in one picture of a thousand.
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", "-"], input=picture,
                          check=True, stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


def scan(page):
    """What a phone reads in the QR code of a page."""
    size = int(re.search(r'viewBox="0 0 (\d+) \d+" shape-rendering', page)[1])
    dark = {(int(x) + i, int(y)) for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", page)
            for i in range(int(width))}
    scale = 6
    rows = ["".join(("1" if (x, y) in dark else "0") * scale for x in range(size)) for y in range(size)]
    picture = f"P1\n{size * scale} {size * scale}\n" + "\n".join(row for row in rows for _ in range(scale)) + "\n"
    return read_qr(picture.encode())


class Authenticator:
    """An app with one account; the key as in an otpauth URI, spaces do not matter."""

    def __init__(self, secret):
        self._secret = secret.replace(" ", "")
        self._last = 0

    @classmethod
    def scan(cls, png):
        """Read the QR code in a picture, like a phone's camera."""
        uri = urllib.parse.urlsplit(read_qr(png))
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
        values = dict(urllib.parse.parse_qsl(uri.query))
        usual = {"algorithm": "SHA1", "digits": "6", "period": "30"}  # all that most apps can do
        assert {name: values.get(name, usual[name]) for name in usual} == usual
        return cls(values["secret"])

    def code(self, grace=10):
        """A code that is valid now and was not returned before, and so many seconds from now on (60 at most).

        The portal forgives one step of drift, so that the codes of three steps are good at any
        time; who needs more has to wait.
        """
        step = max(self._last + 1, int(time.time() + grace) // PERIOD - 1)
        wait_until_all_clocks_show((step - 1) * PERIOD)
        self._last = step
        return self._code_of(step)

    def code_in(self, hours):
        """The code that it shows then."""
        return totp(self._secret, time.time() + hours * 3600)

    def last_code(self):
        """The last result of code()."""
        return self._code_of(self._last)

    def wrong_code(self):
        """Six digits that are valid at no time near: the portal may look for them in half an hour before and
        after, to say that the phone's clock is wrong."""
        now = int(time.time()) // PERIOD
        good = {self._code_of(step) for step in range(now - 70, now + 71)}
        return next(code for code in (f"{number:06}" for number in range(100)) if code not in good)

    def _code_of(self, step):
        return totp(self._secret, step * PERIOD)
