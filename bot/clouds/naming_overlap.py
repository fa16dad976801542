"""Whether one name fits two patterns of images' names, and which: pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import product

from slipway.bot.clouds.image_naming import MOST_DIGITS, NamePattern

_Place = tuple[int, int]
"""In a list of pieces: the piece, and how many signs of it there are."""


def common_name(first: NamePattern, second: NamePattern) -> str | None:
    """The shortest name that fits both; None where none does."""
    for one, other in product(first.expansions, second.expansions):
        if (found := _shortest(one, other)) is not None:
            return found
    return None


def _shortest(one: tuple[str | None, ...], other: tuple[str | None, ...]) -> str | None:
    """Walks through both at once, sign by sign. Fixed digits and 0 and 1 stand for all digits: to numbers that are
    open the rest are the same."""
    signs = sorted({"0", "1", *(sign for piece in (*one, *other) if piece for sign in piece)})
    reached: dict[tuple[_Place, _Place], str] = {((0, 0), (0, 0)): ""}
    waiting = deque(reached)
    while waiting:
        here = waiting.popleft()
        if _at_end(one, here[0]) and _at_end(other, here[1]):
            return reached[here]
        for sign in signs:
            for there in product(_after(one, here[0], sign), _after(other, here[1], sign)):
                if there not in reached:
                    reached[there] = reached[here] + sign
                    waiting.append(there)
    return None


def _after(pieces: tuple[str | None, ...], place: _Place, sign: str) -> Iterator[_Place]:
    index, there = place
    if index == len(pieces):
        return
    piece = pieces[index]
    if piece is not None:
        if piece[there] == sign:
            yield (index, there + 1) if there + 1 < len(piece) else (index + 1, 0)
        return
    if there:  # the number may have ended before
        yield from _after(pieces, (index + 1, 0), sign)
    if sign.isdigit() and there < MOST_DIGITS:
        yield index, MOST_DIGITS if not there and sign == "0" else there + 1  # nothing follows a leading zero


def _at_end(pieces: tuple[str | None, ...], place: _Place) -> bool:
    index, there = place
    return index == len(pieces) or (index == len(pieces) - 1 and pieces[index] is None and there > 0)
