"""Shell-style patterns that stand for names, in tables of slipway.toml and in what people type.

Case does not count, as with Azure, whose names differ by more than their case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase

from slipway.bot.core.problems import Problem


def fits(name: str, pattern: str) -> bool:
    """Whether a name is this one, or one that the pattern means."""
    return fnmatchcase(name.casefold(), pattern.casefold())


def never_counting(table: str) -> Callable[[Mapping[str, object], frozenset[str]], Iterator[Problem]]:
    """A check of tables by pattern of which the first that fits counts, alone: one behind another that means all of
    its names, too, would never count.

    Args:
        table: the name that stands before the pattern, as in ``[promotion."PATTERN"]``.
    """

    def check(tables: Mapping[str, object], _accounts: frozenset[str]) -> Iterator[Problem]:
        before: list[str] = []
        for pattern in tables:
            wider = next((each for each in before if fits(pattern, each)), None)
            if wider is not None:
                why = f'[{table}."{wider}"] stands before it, and the first that fits counts; move it up'
                yield Problem(f"{table}.{pattern}", f"never counts: {why}")
            before.append(pattern)

    return check
