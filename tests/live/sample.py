"""sasl-sample-server: a second program that loads the plugin, without Postfix and chroot.

It takes one login, the client's address and the environment as we like them.
"""

import os
import subprocess
from base64 import b64encode

from postfix import STOCK_PLUGINS


def sign_in(sasl_conf, plugins, user, password, service="smtp", client=None, environment=()):
    """AUTH PLAIN; returns "accepted" or what sasl-sample-server says instead.

    sasl_conf is the folder with sample.conf, client the client's address or None for unknown.
    """
    message = b"\0".join([b"PLAIN", b"", user.encode(), password.encode()])
    addresses = ["-i", f"local=192.0.2.1;25,remote={client};1234"] if client else []
    done = subprocess.run(
        ["sasl-sample-server", "-s", service, *addresses],
        input=b"C: " + b64encode(message) + b"\n", capture_output=True, timeout=60,
        env=os.environ | {"SASL_CONF_PATH": str(sasl_conf),
                          "SASL_PATH": f"{plugins}:{STOCK_PLUGINS}"} | dict(environment))
    if b"Negotiation complete" in done.stdout:
        return "accepted"
    return done.stderr.decode().strip().splitlines()[-1]
