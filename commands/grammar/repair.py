"""Undoes what chats do to a typed line: typographic quotes and dashes, invisible characters, code marks.

A platform's own markup is undone by its adapter. Nothing here knows what a command is; :func:`repair` gives
back the line as its writer meant it.
"""

from __future__ import annotations

import re

_NAMED = {
    "'": "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{SINGLE LOW-9 QUOTATION MARK}"
    "\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}\N{PRIME}\N{FULLWIDTH APOSTROPHE}",
    '"': "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}"
    "\N{DOUBLE HIGH-REVERSED-9 QUOTATION MARK}\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{DOUBLE PRIME}\N{FULLWIDTH QUOTATION MARK}",
    # These look like a hyphen, so they can only have been meant as one, wherever they stand.
    "-": "\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{MINUS SIGN}\N{SMALL HYPHEN-MINUS}\N{FULLWIDTH HYPHEN-MINUS}",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\r\u0085\u2028\u2029",
    # Soft hyphen, zero-width space, direction marks, word joiner, byte order mark: not seen, so not meant.
    "": "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060"
    "\u2066\u2067\u2068\u2069\ufeff",
}
_PLAIN = str.maketrans({odd: plain for plain, odds in _NAMED.items() for odd in odds})

# Joiners belong to emoji and to several scripts, so they stay between two characters outside ASCII.
_STRAY_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])")

_FENCED = re.compile(r"```(?:[\w+-]*\n(?=\s*[^\s`]))?([^`]+)```", re.ASCII)
_CODED = re.compile(r"`+([^`]+)`+")
_CODED_ARGUMENT = re.compile(r"(?<=\s)(`+)([^`\n]+)\1(?![^\s.,;:!?])")

_LONG_DASHES = "\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}\N{HORIZONTAL BAR}"
_OPTION_START = re.compile(rf"(?<!\S)-*[{_LONG_DASHES}][-{_LONG_DASHES}]*(?=[A-Za-z])")
_OPTION_NAME = re.compile(rf"(?<!\S)--[A-Za-z][\w-]*(?:[{_LONG_DASHES}][\w-]*)+")
_HYPHENS = str.maketrans(dict.fromkeys(_LONG_DASHES, "-"))


def repair(text: str) -> str:
    """The line as it was meant, with what a chat platform or a phone made of it undone.

    * Typographic quotes become ``'`` and ``"``; odd spaces become spaces, odd line ends become newlines, and
      invisible characters go.
    * A long dash where an option starts becomes ``--``; one inside an option's name becomes ``-``. Anywhere
      else it stays: ``slow — see thread`` is prose.
    * Code marks go when they enclose the whole text or one argument.

    Pure and idempotent. Costs one look at the text for each level of nesting, so give it bounded text.
    """
    before = None
    # Undoing one thing can bare another (code marks in code marks), so go on until nothing changes. Each
    # round either shortens the text or leaves fewer odd characters in it; it must come to an end.
    while text != before:
        before, text = text, _undo(text)
    return text


def _undo(text: str) -> str:
    text = _STRAY_JOINER.sub("", text.replace("\r\n", "\n").translate(_PLAIN))
    text = _uncode(text.strip(" \t\n"))
    text = _OPTION_START.sub(_option_start, text)
    return _OPTION_NAME.sub(lambda match: match[0].translate(_HYPHENS), text)


def _uncode(text: str) -> str:
    whole = _FENCED.fullmatch(text) or _CODED.fullmatch(text)
    return whole[1] if whole else _CODED_ARGUMENT.sub(r"\2", text)


def _option_start(match: re.Match[str]) -> str:
    """One dash before a single letter (``-h``), two before a name or where more than one was typed."""
    after = match.string[match.end() + 1 : match.end() + 2]
    return "-" if len(match[0]) == 1 and (not after or after.isspace()) else "--"
