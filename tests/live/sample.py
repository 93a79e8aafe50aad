# SPDX-License-Identifier: BSD-2-Clause
"""sasl-sample-server: a second program that loads the plugin, without Postfix and chroot.

It takes one login; we choose the client's address and the environment.
"""

import os
import subprocess
from base64 import b64encode


def sign_in(sasl_conf, sasl_path, user, password, service="smtp", client=None, environment=()):
    """AUTH PLAIN; returns "accepted" or sasl-sample-server's error.

    sasl_conf is the folder with sample.conf, sasl_path the plugin folders, separated by colons,
    client the client's address or None if unknown.
    """
    message = b"\0".join([b"PLAIN", b"", user.encode(), password.encode()])
    addresses = ["-i", f"local=192.0.2.1;25,remote={client};1234"] if client else []
    done = subprocess.run(
        ["sasl-sample-server", "-p", sasl_path, "-s", service, *addresses],
        input=b"C: " + b64encode(message) + b"\n", capture_output=True, timeout=300,
        env=os.environ | {"SASL_CONF_PATH": str(sasl_conf)} | dict(environment))
    if b"Negotiation complete" in done.stdout:
        return "accepted"
    return done.stderr.decode().strip().splitlines()[-1]
