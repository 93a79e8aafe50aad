# SPDX-License-Identifier: BSD-2-Clause
"""Writes the results as a table and a chart."""

import json
import os
import pathlib
import re
import statistics
import subprocess
from datetime import date
from html import escape

CORES = os.cpu_count()
ORDER = ("first", "postfix", "dovecot", "again", "throughput", "many", "bad", "memory",
         "connections", "large")  # and "profile", with its own table
BEGIN, END = "<!-- measured -->\n", "<!-- end of measured -->\n"
PACKAGES = ("libsodium23", "libargon2-1", "slapd", "postfix", "sasl2-bin", "dovecot-core")


def number(value):
    """Three significant digits."""
    return f"{value:,.0f}".replace(",", " ") if value >= 100 else f"{value:.3g}"


def ratio(row):
    """Median, lowest and highest of the rounds."""
    low, high = min(row["ratios"]), max(row["ratios"])
    middle = statistics.median(row["ratios"])
    return f"{middle:.3f}" if low == high else f"{middle:.3f} ({low:.3f}–{high:.3f})"


def is_met(row):
    sign, goal = row["goal"]
    middle = statistics.median(row["ratios"])
    return middle <= goal if sign == "<=" else middle >= goal


def values(row):
    listed = ", ".join(f"{name} {number(value)}" for name, value in row["values"].items())
    return f"{listed} {row['unit']}".strip()


def text(rows):
    """The results as plain text, for the terminal."""
    return "\n".join(
        f"  {row['where']}: {row['what']}: {values(row)}"
        + (f"; {ratio(row)}" if row["ratios"] else "")
        + (f", goal {row['goal'][0]} {row['goal'][1]}: {'met' if is_met(row) else 'MISSED'}"
           if row["goal"] else "") for row in rows)


def table(rows):
    lines = ["| what | where | medians | ratio: median (lowest–highest) | goal | |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        goal = f"{row['goal'][0].replace('<=', '≤').replace('>=', '≥')} {row['goal'][1]}" \
            if row["goal"] else ""
        met = ("met" if is_met(row) else "**missed**") if row["goal"] else ""
        lines.append(f"| {row['what']} | {row['where']} | {values(row)} "
                     f"| {ratio(row) if row['ratios'] else ''} | {goal} | {met} |")
    return "\n".join(lines) + "\n"


def profile_table(rows):
    """The microseconds of a login by span."""
    first, again = (row["values"] for row in rows)
    lines = ["| µs, means of one login, 8 MiB/1 | first login | the same again |", "|---|--:|--:|"]
    lines += [f"| {name} | {spent:.1f} | {again[name]:.1f} |" for name, spent in first.items()]
    return "\n".join(lines) + "\n"


def machine():
    """The machine and the software of the measurement."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpu, re.MULTILINE)
    memory = int(re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    huge = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
    pages = re.search(r"\[(\w+)\]", huge.read_text())[1] if huge.exists() else "unknown"
    os_name = re.search(r'^PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text(),
                        re.MULTILINE)[1]
    versions = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}, ", *PACKAGES],
                              text=True, capture_output=True).stdout.rstrip(", ")
    return (f"{date.today()}. {CORES} cores of {model[1] if model else os.uname().machine}"
            f"{', a virtual machine' if ' hypervisor' in cpu else ''}, {memory / 2**20:.0f} GiB of "
            f"memory, Linux {os.uname().release}, transparent huge pages: {pages}. {os_name}: "
            f"{versions}.\n")


def write(out, rounds):
    """Makes RESULTS.md and chart.svg from the results in the folder."""
    parts = {name: json.loads((out / f"{name}.json").read_text()) for name in (*ORDER, "profile")
             if (out / f"{name}.json").exists()}
    rows = [row for name in ORDER for row in parts.get(name, [])]
    missing = [name for name in ORDER if name not in parts]
    measured = f"{machine()}\n{rounds} rounds.\n\n{table(rows)}"
    if missing:
        measured += f"\nNot measured here: `sudo scripts/bench {' '.join(missing)}`.\n"
    if "profile" in parts:
        measured += "\n" + profile_table(parts["profile"])
    document = (pathlib.Path(__file__).parent / "RESULTS.md").read_text()
    before, _, rest = document.partition(BEGIN)
    _, _, behind = rest.partition(END)
    (out / "RESULTS.md").write_text(before + BEGIN + measured + END + behind)
    if {"first", "postfix", "dovecot", "again"} <= parts.keys():
        (out / "chart.svg").write_text(chart(parts))


# ---- the chart ----

CHART_COST = "19 MiB/2"
FLOOR, OURS, PEER = "floor", "ours", "peer"
GAP = "", "", 0
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; }
.floor { fill: #8c959f; } .ours { fill: #0969da; } .peer { fill: #bf8700; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .floor { fill: #6e7681; } .ours { fill: #58a6ff; } .peer { fill: #d29922; }
}"""
WIDTH, LABELS, LINE = 760, 250, 24


def find(part, what, name):
    """A number from the results."""
    row, = [row for row in part if row["what"].startswith(what) and name in row["values"]]
    return row["values"][name]


def chart(parts):
    """The time of a login and, if measured, the logins a second."""
    body, height = panel(8, "One login, in milliseconds, with 19 MiB and 2 passes of Argon2id; each "
                            "group measured in turns", bars_of_times(parts))
    if "throughput" in parts:
        more, height = panel(height + 16, f"Logins a second, 8 clients, {CORES} cores",
                             bars_of_rates(parts))
        body += more
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img" '
            f'aria-label="How long a login takes, and how many there are in a second">\n'
            f"<style>\n{STYLE}\n</style>\n{body}</svg>\n")


def bars_of_times(parts):
    """(label, kind, milliseconds), in groups that were measured together."""
    first, postfix, dovecot, again = (parts[name] for name in
                                      ("first", "postfix", "dovecot", "again"))
    one = f"first login, {CHART_COST}"
    times = [
        ("one search and one hash", FLOOR, find(first, one, "floor")),
        ("lib", OURS, find(first, one, "login")),
        GAP,
        ("Postfix, our plugin", OURS, find(postfix, one, "plugin")),
        ("Postfix, saslauthd, LDAP bind", PEER, find(postfix, one, "saslauthd")),
        GAP,
        ("Dovecot, our module", OURS, find(dovecot, f"{one}, against a bind", "ours")),
        ("Dovecot, LDAP, fetched hash", PEER, find(dovecot, one, "fetched")),
        ("Dovecot, LDAP, bind", PEER, find(dovecot, one, "bind")),
        GAP,
        ("the same login again, lib", OURS, find(again, "the same login again", "lib")),
        ("the same login again, Dovecot", OURS, find(again, "the same login again, one",
                                                     "Dovecot")),
    ]
    return [(label, kind, microseconds / 1000) for label, kind, microseconds in times]


def bars_of_rates(parts):
    what = f"first logins a second, 8 clients, {CHART_COST}"
    rate = {name: value for row in parts["throughput"] if row["what"].startswith(what)
            for name, value in row["values"].items()}
    return [
        ("hashes alone", FLOOR, rate["raw"]),
        ("lib", OURS, rate["lib"]),
        ("Dovecot, our module", OURS, rate["Dovecot ours"]),
        ("Dovecot, LDAP, fetched hash", PEER, rate["Dovecot fetched"]),
        ("saslauthd, LDAP bind", PEER, rate["saslauthd"]),
        ("Dovecot, LDAP, bind", PEER, rate["Dovecot bind"]),
    ]


def panel(top, title, bars):
    """One panel of bars, and its lower end."""
    longest = max(value for _, _, value in bars)
    lines = [f'<text class="title" x="0" y="{top + 14}">{escape(title)}</text>\n']
    y = top + LINE
    for label, kind, value in bars:
        if not label:
            y += LINE // 3
            continue
        width = max(1.0, value / longest * (WIDTH - LABELS - 60))
        lines.append(
            f'<text x="{LABELS - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>\n'
            f'<rect class="{kind}" x="{LABELS}" y="{y + 2}" width="{width:.1f}" height="16"/>\n'
            f'<text x="{LABELS + width + 6:.1f}" y="{y + 14}">{number(value)}</text>\n')
        y += LINE
    return "".join(lines), y
