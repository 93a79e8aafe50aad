# SPDX-License-Identifier: BSD-2-Clause
"""The rounds so far, in a file that is whole at any moment; sums are for the same sources."""

import json
from collections import Counter


class Totals:
    """The rounds of all states of the sources in `file`; the sums of one."""

    def __init__(self, file, sources):
        self._file, self._sources = file, sources
        self._rounds = json.loads(file.read_text()) if file.exists() else {}

    @property
    def rounds(self):
        return self._rounds.get(self._sources, [])

    def add(self, figures):
        """Add a round's figures: the old file or the new one remains, whatever happens."""
        self._rounds.setdefault(self._sources, []).append(figures)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._rounds, indent=1))
        new.rename(self._file)

    @property
    def logins(self):
        return sum(self._sum("logins").values())

    @property
    def faults(self):
        return sum(self._sum("faults").values())

    @property
    def problems(self):
        return sum(one["problem_count"] for one in self.rounds)

    def summary(self, goal_logins, goal_faults):
        """Lines for people."""
        if not self.rounds:
            return f"sources {self._sources}: no round yet\n"
        hours = sum(one["passed"] for one in self.rounds) / 3600
        commits = ", ".join(dict.fromkeys(one["commit"] for one in self.rounds))
        lines = [f"sources {self._sources}, tested at {commits}: {len(self.rounds)} rounds in {hours:.1f} hours, "
                 f"{self.logins:,} of {goal_logins:,} logins, {self.faults:,} of {goal_faults:,} faults, "
                 f"{self.problems or 'no'} problems, "
                 f"the longest answer {max(one['longest'] for one in self.rounds):.1f} s",
                 "logins: " + _table(self._sum("logins")),
                 f"while the directories were up, so that no login may be unavailable: "
                 f"{sum(one['certain'] for one in self.rounds):,}",
                 "faults: " + _table(self._sum("faults")),
                 *self._resources()]
        others = sorted(self._rounds.keys() - {self._sources})
        if others:
            lines.append(f"kept of other sources, and not counted: {', '.join(others)}")
        return "".join(f"{line}\n" for line in lines)

    def _sum(self, what):
        return sum((Counter(one[what]) for one in self.rounds), Counter())

    def _resources(self):
        roles = sorted({role for one in self.rounds for role in one["resources"]})
        for role in roles:
            seen = [one["resources"][role] for one in self.rounds if role in one["resources"]]
            growth = [max(used["growth"][what] for used in seen) for what in range(3)]
            yield (f"{role}: {sum(used['processes'] for used in seen)} processes, at most "
                   f"{max(used['resident'] for used in seen):,} KiB; after the warm-up, the one that grew "
                   "most by {} KiB, {} files, {} threads".format(*growth))


def _table(counter):
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counter.items()))
