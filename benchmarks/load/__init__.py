"""What the bot bears: many commands over its chats, many operations that wait, several replicas, and doing nothing.

Each part is a program run of its own, and has aims; :mod:`benchmarks.load.summary` says which were met.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.figures import Figures, say

PARTS = ("start", "chats", "waiting", "replicas", "echo")
"""In the order in which they run: what a busy machine spoils most comes first."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    slack: int = 10_000
    """Commands over the simulated Slack."""
    rate: int = 50
    """Of them a second."""
    matrix: int = 2_000
    """Commands over a real Synapse."""
    matrix_rate: int = 10
    """Of them a second: Synapse itself takes most of a core for that."""
    waiting: int = 200
    """Operations that wait at once."""
    idle_seconds: int = 60
    """How long the bot has nothing to do."""
    replicas: int = 600
    """Commands to one replica, and as many to two."""
    replicas_rate: int = 20
    """Of them a second."""
    echo: int = 200
    """Questions to the bot and to the bare ones on Synapse."""
    runs: int = 5
    """Starts of each kind."""

    def times(self, share: float) -> Sizes:
        """So much of it, at the same rates; one of everything at the least."""

        def some(number: int) -> int:
            return max(1, round(number * share))

        return replace(
            self,
            slack=some(self.slack),
            matrix=some(self.matrix),
            waiting=some(self.waiting),
            idle_seconds=some(self.idle_seconds),
            replicas=max(3, some(self.replicas)),
            echo=some(self.echo),
            runs=some(self.runs),
        )


async def measure(parts: tuple[str, ...], sizes: Sizes) -> Figures:
    """Measure what is named, one part after the other, and sum up by aims."""
    from benchmarks.load.summary import table

    found: dict[str, Any] = {}
    for name in PARTS:
        if name in parts:
            found[name] = await _part(name, sizes)
    aims = {
        f"{part}: {name}": each for part, figures in found.items() for name, each in _aims(figures).items()
    }
    say(table(aims))
    return {**found, "aims": aims}


def _part(name: str, sizes: Sizes) -> Coroutine[Any, Any, Figures]:
    # Each is imported only when it is its turn: what one loads must not count for another.
    match name:
        case "start":
            from benchmarks import start

            return start.measure(runs=sizes.runs, matrix=True, aws=False)
        case "chats":
            from benchmarks.load import chats

            return chats.measure(sizes)
        case "waiting":
            from benchmarks.load import waiting

            return waiting.measure(sizes.waiting)
        case "replicas":
            from benchmarks.load import replicas

            return replicas.measure(sizes.replicas, sizes.replicas_rate)
        case "echo":
            from benchmarks import matrix

            return matrix.measure(messages=sizes.echo, encrypted=False, bursts=False)
        case _:
            raise ValueError(name)


def _aims(figures: Figures) -> dict[str, Any]:
    """The aims of a part, which has one or several."""
    several = figures.get("aims")
    if isinstance(several, dict):
        return several
    return {"": figures["aim"]} if "aim" in figures else {}
