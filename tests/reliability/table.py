"""What a run came to, as a line an episode and a table in the end."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from tests.reliability.episode import Result
from tests.reliability.invariants import INVARIANTS

ROWS = (
    "kills",
    "stops",
    "freezes",
    "chat faults",
    "cloud faults",
    "outages",
    "redeliveries",
    "moves of the clock",
    "database restarts",
    "cuts",
    "take-overs",
    "leases lost",
    "changes behind its back",
    "plans undermined",
    "orders",
    "questions",
    "ticks",
    "approves",
    "rejects",
    "cancels",
    "votes taken back",
    "operations",
    "messages",
    "machines on Azure",
    "changes",
)


@dataclass
class Totals:
    """All episodes so far."""

    seed: int
    commit: str
    episodes: int = 0
    replicated: int = 0
    failed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    logged: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    longest_absence: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def add(self, result: Result) -> None:
        """Count one."""
        self.episodes += 1
        self.failed += bool(result.violations)
        self.counts += result.counts
        self.logged += result.logged
        self.broken += Counter(each.partition(":")[0] for each in result.violations)
        self.slowest = max(self.slowest, result.settled_after)
        self.longest_absence = max(self.longest_absence, result.longest_absence)
        self.replicated += result.options.replicas > 1

    def line(self, result: Result) -> str:
        """One episode."""
        counts = " ".join(
            f"{result.counts[row]} {row}," for row in ("kills", "operations", "changes", "messages")
        )
        outcome = f"{len(result.violations)} VIOLATIONS" if result.violations else "holds"
        return (
            f"{time.monotonic() - self.began:7.0f} s  episode {result.options.episode} on {result.options.storage}: "
            f"{counts} "
            f"at rest after {result.settled_after:.1f} s: {outcome}"
        )

    def table(self) -> str:
        """All of them, in Markdown."""
        lines = [
            f"Seed {self.seed}, commit {self.commit}, {(time.monotonic() - self.began) / 60:.0f} minutes.",
            "",
            "| What happened | How often |",
            "| --- | --- |",
            f"| episodes | {self.episodes} |",
            f"| of these on PostgreSQL with two replicas | {self.replicated} |",
            *(f"| {row} | {self.counts[row]:,} |" for row in ROWS),
            f"| longest until a dead replica's work was taken up, seconds | {self.longest_absence:.0f} |",
            f"| longest until all had ended, seconds | {self.slowest:.0f} |",
            "",
            "| Invariant | Violations |",
            "| --- | --- |",
            *(f"| {each.name} | {self.broken[each.name]} |" for each in INVARIANTS),
            "",
            "| In the bot's logs | How often |",
            "| --- | --- |",
            *(f"| {words} | {times} |" for words, times in self.logged.most_common()),
        ]
        return "\n".join(lines)
