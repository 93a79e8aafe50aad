# SPDX-License-Identifier: BSD-2-Clause
"""An independent verifier of passkeys: @simplewebauthn/server, from npm."""

import json
import pathlib
import shutil
import subprocess

from processes import run

FOLDER = pathlib.Path(__file__).parent / "webauthn"


class Verifier:
    """Installed into a folder of its own, with the versions and checksums of the lock file."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        for file in FOLDER.iterdir():
            shutil.copy(file, folder)
        run(["npm", "ci", "--silent", "--ignore-scripts", "--cache", folder / "cache"], cwd=folder)

    def accepts(self, answers):
        """Whether it accepts each answer (SecurityKey's, with what was asked for)."""
        done = subprocess.run(["node", "verify.mjs"], input=json.dumps(answers), cwd=self.folder,
                              check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)
