# SPDX-License-Identifier: BSD-2-Clause
"""Writes the results as a table and a chart."""

import json
import math
import os
import pathlib
import re
import statistics
import subprocess
from datetime import date
from html import escape

CORES = os.cpu_count()
ORDER = ("first", "store", "postfix", "dovecot", "again", "account", "throughput", "many", "bad",
         "memory", "connections", "crowd", "storm", "neighbors",
         "large", "everybody")  # and "profile", with its own table
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
.line { fill: none; stroke-width: 2; } .axis { stroke: #8c959f; stroke-width: 0.5; }
.ours.line { stroke: #0969da; } .peer.line { stroke: #bf8700; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .floor { fill: #6e7681; } .ours { fill: #58a6ff; } .peer { fill: #d29922; }
  .ours.line { stroke: #58a6ff; } .peer.line { stroke: #d29922; }
}"""
WIDTH, LABELS, LINE = 760, 250, 24


def find(part, what, name):
    """A number from the results."""
    row, = [row for row in part if row["what"].startswith(what) and name in row["values"]]
    return row["values"][name]


def chart(parts):
    """The time of a login and, if measured, the logins a second, the storm and the many users."""
    body, height = panel(8, "One login, in milliseconds, with 19 MiB and 2 passes of Argon2id; each "
                            "group measured in turns", bars_of_times(parts))
    panels = [("throughput", f"Logins a second, 8 clients, {CORES} cores", panel, bars_of_rates),
              ("storm", "Logins served in a second while twice as many arrive as the host can do",
               panel, lambda parts: bars_of_storm(parts, "served while it lasts", "served")),
              ("storm", "The longest wait for an answer then, in seconds", panel,
               lambda parts: bars_of_storm(parts, "until the answer, against", "longest")),
              ("crowd", "One login, in milliseconds, with so many app passwords in turn, and 1 MiB",
               curves, lines_of_crowd)]
    for part, title, draw, values_of in panels:
        if part in parts:
            more, height = draw(height + 16, title, values_of(parts))
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
        ("one search and one hash", FLOOR, rate["floor"]),
        ("lib", OURS, rate["lib"]),
        ("Dovecot, our module", OURS, rate["Dovecot ours"]),
        ("Dovecot, LDAP, fetched hash", PEER, rate["Dovecot fetched"]),
        ("saslauthd, LDAP bind", PEER, rate["saslauthd"]),
        ("Dovecot, LDAP, bind", PEER, rate["Dovecot bind"]),
    ]


def bars_of_storm(parts, what, name):
    """A number of each server, and the floor's if it is in the same rows."""
    rows = [row for row in parts["storm"] if what in row["what"]]
    floor = [("one search and one hash", FLOOR, rows[0]["values"]["floor"])] \
        if "floor" in rows[0]["values"] else []
    return floor + [(row["where"], PEER if "saslauthd" in row["where"] else OURS,
                     row["values"][name]) for row in rows]


def lines_of_crowd(parts):
    """(label, kind, {app passwords: milliseconds})."""
    lines = {}
    for row in parts["crowd"]:
        for name, value in row["values"].items():
            size = re.match(r"[0-9 ]+", row["what"])[0].replace(" ", "")
            if name.endswith(": login"):
                lines.setdefault((row["where"], OURS), {})[int(name.split(":")[0])] = value / 1000
            elif name in ("fetched", "bind"):
                lines.setdefault((f"Dovecot, LDAP, {name}", PEER), {})[int(size)] = value / 1000
    return [(label, kind, points) for (label, kind), points in lines.items()]


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


def curves(top, title, lines):
    """One panel of lines with logarithmic axes, and its lower end."""
    left, right, upper, lower = 60, WIDTH - 190, top + LINE + 8, top + LINE + 188
    sizes = sorted({size for _, _, points in lines for size in points})
    spent = [value for _, _, points in lines for value in points.values()]
    ticks = [10.0 ** power for power in range(math.floor(math.log10(min(spent))),
                                              math.ceil(math.log10(max(spent))) + 1)]

    def x(size):
        return left + (right - left) * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y(value):
        return lower - (lower - upper) * math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])

    drawn = [f'<text class="title" x="0" y="{top + 14}">{escape(title)}</text>\n']
    drawn += [f'<path class="axis" d="M {left} {y(tick):.1f} H {right}"/>\n'
              f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>\n'
              for tick in ticks]
    drawn += [f'<text x="{x(size):.1f}" y="{lower + 20}" text-anchor="middle">'
              f"{number(size)}</text>\n" for size in sizes]
    free = lower + LINE  # labels must not overlap: each is above the one before it
    for label, kind, points in sorted(lines, key=lambda line: line[2][max(line[2])]):
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in sorted(points.items()))
        free = min(free - 16, y(points[max(points)]) + 4)
        drawn.append(f'<polyline class="{kind} line" points="{path}"/>\n'
                     f'<text x="{right + 8}" y="{free:.1f}">{escape(label)}</text>\n')
    return "".join(drawn), lower + LINE + 8
