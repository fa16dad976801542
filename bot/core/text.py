"""Small help with words: which names somebody may have meant, and how many there are."""

from __future__ import annotations

import heapq
import re
import shlex
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher

_LONGEST = 128  # of what was typed, only this much is compared: chat text can be 100 KB
_SHORTLIST = 40  # names that the exact, slower comparison looks at
_NAMED = 6  # more names than this are only counted
_PARTS = re.compile(r"[^0-9a-z]+")  # what stands between the parts of a name
_ALIKE = 0.6  # difflib's own measure of "close"
_ONE_WORD = re.compile(r"""(?:[^\s'"\\]|(?<=\w)')+""")  # as chat commands are split into words
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


FAILED_MARK = "✘ "
"""Begins what was answered, in short, where what was asked for could not be met. Stored."""

LONGEST_FOREIGN = 160
"""Characters that :func:`fit_for_a_line` leaves of a text."""


def fit_for_a_line(text: str, longest: int = LONGEST_FOREIGN) -> str:
    """A text of a stranger's choice without line breaks, signs that cannot be seen, and backticks, which would end or
    begin what is shown as typed; cut where it is longer than ``longest``."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text.replace("`", "'"))
    words = " ".join(plain.split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def storable(text: str) -> str:
    """A text with U+FFFD in place of each sign that not every database keeps: NUL, which no text of PostgreSQL holds,
    and lone surrogates, which no UTF-8 carries."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_storable(text: str) -> bool:
    """Whether every database keeps a text as it is; see :func:`storable`."""
    return _UNSTORABLE.search(text) is None


def as_typed(words: Iterable[str]) -> str:
    """Words as the line that people would type: one is in quotes only where it would fall apart or mean another thing
    without them. Patterns, dashes and apostrophes within a word stay as they are."""
    return " ".join(word if _ONE_WORD.fullmatch(word) else shlex.quote(word) for word in words)


def nearest(word: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The names that ``word`` may have been meant to be, best first, at most ``limit``.

    Case does not count. A name that holds the word as it is counts as near, whatever its length (a word of one or
    two signs: as a part of its own, such as 43); nothing near gives an empty tuple. Stays quick for tens of
    thousands of names: shared letter pairs choose a shortlist, and only that is compared in full.
    """
    wanted = word.strip().casefold()[:_LONGEST]
    if not wanted or limit < 1:
        return ()
    pairs = _pairs(wanted)
    candidates = [(name.casefold(), name) for name in dict.fromkeys(names)]
    shortlist = heapq.nlargest(
        max(limit, _SHORTLIST), candidates, key=lambda each: _overlap(pairs, wanted, each[0])
    )
    matcher = SequenceMatcher(None, b=wanted, autojunk=False)
    scored = []
    for folded, name in shortlist:
        matcher.set_seq1(folded[:_LONGEST])
        holds = (len(wanted) > 2 and wanted in folded) or wanted in _PARTS.split(folded)
        ratio = matcher.ratio()
        if holds or ratio >= _ALIKE:
            scored.append((not folded.startswith(wanted) if holds else True, -ratio, name))
    return tuple(name for _, _, name in sorted(scored)[:limit])


def counted(names: Collection[str], noun: str) -> str:
    """How many there are, and which, where those are few: ``2 rooms (a, b)``."""
    plural = "" if len(names) == 1 else "s"
    named = f" ({', '.join(names)})" if 0 < len(names) <= _NAMED else ""
    return f"{len(names)} {noun}{plural}{named}"


def _pairs(text: str) -> set[str]:
    return {text[start : start + 2] for start in range(len(text) - 1)}


def _overlap(pairs: set[str], wanted: str, folded: str) -> tuple[bool, float]:
    """How promising a name is: holding the word first, then the Dice measure of shared letter pairs."""
    others = _pairs(folded[:_LONGEST])
    return wanted in folded, 2 * len(pairs & others) / (len(pairs) + len(others) or 1)
