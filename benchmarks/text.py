"""What lines cost that were built to be slow, and the look for what a mistyped name was meant to be among many.

Each beside the same at a quarter of the length: where the cost of each sign or name does not depend on how many there
are, the ratio is 1; where the work grows with the square of the length, it is 4.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks.figures import Figures, aim
from slipway.bot.chat.slack.events.markup import MAX_LENGTH, undo_markup
from slipway.bot.core.text import nearest
from slipway.commands.grammar.reading import LONGEST
from slipway.commands.grammar.repair import repair

MARKUP_BRICKS = ("<https:a|", "&amp;", "<@U", "&amp;lt;https:b|", "&lt;https:a|", "<!date^")
TYPED_BRICKS = ("`", "—-", " `", "*", "\u200d", "\uff01", "\ufe0f")

_RATIO = 2.0
_RUNS = 7


async def measure() -> Figures:
    """The dearest of each kind, in microseconds, and how its cost for each sign grows with the length."""
    kinds = {
        "markup_of_slack": _dearest(undo_markup, MARKUP_BRICKS, MAX_LENGTH),
        "repair_of_a_typed_line": _dearest(repair, TYPED_BRICKS, LONGEST),
        "nearest_of_names": _names(20_000),
    }
    grown = max(growth for _, growth in kinds.values())
    figures: Figures = {
        name: {
            "microseconds": round(seconds * 1e6),
            "cost_for_each_at_four_times_the_length": round(growth, 2),
        }
        for name, (seconds, growth) in kinds.items()
    }
    return {**figures, "aim": aim(grown, _RATIO, "times")}


def _dearest(read: Callable[[str], str], bricks: tuple[str, ...], length: int) -> tuple[float, float]:
    def costs(brick: str, length: int) -> float:
        head = (brick * length)[: length // 2]
        return max(
            _least_seconds(lambda: read(head + ">" * (length // 2))),
            _least_seconds(lambda: read(head + "&gt;" * (length // 8))),
        )

    found = [(costs(brick, length), costs(brick, length // 4)) for brick in bricks]
    return max(long for long, _ in found), max(long / short / 4 for long, short in found)


def _names(count: int) -> tuple[float, float]:
    def costs(count: int) -> float:
        names = [f"Fedora-Cloud-{number // 2}-{('x64', 'Arm64')[number % 2]}" for number in range(count)]
        return _least_seconds(lambda: nearest("Fedora-Cloud-4711-x46", names))

    long, short = costs(count), costs(count // 4)
    return long, long / short / 4


def _least_seconds(call: Callable[[], object]) -> float:
    samples = []
    for _ in range(_RUNS):
        before = time.process_time()
        call()
        samples.append(time.process_time() - before)
    return min(samples)
