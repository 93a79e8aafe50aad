# SPDX-License-Identifier: BSD-2-Clause
"""Debian's mtail and promtool with examples/monitoring."""

import re
from collections import Counter

from postfix import EXAMPLES
from processes import run
from sasl_programs import unpacked

FOLDER = EXAMPLES.parent / "monitoring"
PROGRAM = FOLDER / "app-password.mtail"
ALERTS = FOLDER / "app-password-alerts.yml"
DASHBOARD = FOLDER / "app-password-dashboard.json"
CRON = FOLDER / "app-password-watch.cron"

SAMPLE = re.compile(r'(app_password_\w+)\{([^}]*)\} (\S+)')


def mtail(*logs):
    """What the real mtail exports after it has read these files: {("logins", "accepted", …): count}.

    A key is the metric's name without "app_password_" and "_total", and the values of its labels in
    the order of the labels' names.
    """
    place, = unpacked("mtail")
    options = [f"--logs={log}" for log in logs]
    text = run([place / "usr/bin/mtail", "--logtostderr", "--one_shot", "--one_shot_format=prometheus",
                "--address=127.0.0.1", "--port=0", f"--progs={PROGRAM}", *options], timeout=600)
    found = Counter()
    for name, labels, value in SAMPLE.findall(text):
        labels = re.findall(r'(\w+)="([^"]*)"', labels)
        key = name.removeprefix("app_password_").removesuffix("_total")
        found[key, *(value for label, value in labels if label != "prog")] = float(value)
    return found


def counts(*logs):
    """The same without what is zero."""
    return +mtail(*logs)


def promtool(*arguments, **options):
    """Output of the real promtool; a failure is an error."""
    package = run(["sh", "-c", '. "$0"; echo $promtool_package',
                   EXAMPLES.parents[1] / "scripts" / "common"]).strip()
    place, = unpacked(package)
    return run([place / "usr/bin/promtool", *arguments], timeout=600, **options)
