"""Undoes what chats and keyboards do to a typed line: typographic quotes and dashes, full-width letters and digits,
invisible characters, code marks.

A platform's own markup is undone by its adapter. Nothing here knows what a command is; :func:`repair` gives
back the line as its writer meant it.
"""

from __future__ import annotations

import re
import unicodedata

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
    # Not seen, so not meant: soft hyphen, zero-width space, direction marks, word joiner, invisible operators, byte
    # order mark, of those that Unicode calls Default_Ignorable_Code_Point; and the object replacement character,
    # which stands for what is no text.
    "": "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064"
    "\u2065\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff\ufffc",
}
_PLAIN = str.maketrans({odd: plain for plain, odds in _NAMED.items() for odd in odds})

QUOTES = str.maketrans({odd: plain for plain in "'\"" for odd in _NAMED[plain]})
"""Typographic quotes to what they are read as."""

_WIDE = {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}  # Halfwidth and Fullwidth Forms
_SMALL = {  # Small Form Variants
    chr(small): plain
    for small in range(0xFE50, 0xFE6C)
    if len(plain := unicodedata.normalize("NFKC", chr(small))) == 1 and plain.isascii()
}
_STOPS = {"\N{IDEOGRAPHIC FULL STOP}": ".", "\N{HALFWIDTH IDEOGRAPHIC FULL STOP}": "."}
_LIGATURES = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB05)}
_ZEROS = (
    "\u0660\u06f0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\u0f20\u1040\u17e0\u1810"
)
"""Zeros of the scripts that keyboards write digits in; by Unicode's rule the other nine follow in order. An Arabic
keyboard writes ٣ where 3 is meant."""

_DIGITS = {chr(ord(zero) + value): str(value) for zero in _ZEROS for value in range(10)}

_IN_WORDS = str.maketrans({**_WIDE, **_SMALL, **_STOPS, **_LIGATURES, **_DIGITS})
"""What keyboards for other scripts, and copies out of documents, write for a sign of ASCII."""

_FOREIGN = re.escape("".join(map(chr, _IN_WORDS)))

# Joiners belong to emoji and to several scripts, so they stay between two characters outside ASCII. The rest of
# Unicode's Default_Ignorable_Code_Point (variation selectors, tags, fillers and the like) belongs to such a character
# before it, or makes a keycap of a digit; the signs above need none of it.
_STRAY = re.compile(
    r"(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])"
    rf"|(?<![^\x00-\x7f{_FOREIGN}])[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+(?!\u20e3)"
)

_ODD_WORD = re.compile(rf"(?<![^ \t\n])[!-~]*[{_FOREIGN}][!-~{_FOREIGN}]*(?![^ \t\n])")
"""A word that holds such a sign, and otherwise ASCII alone: other words are of a language that has it."""

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
    * Full-width signs, digits of other scripts and ligatures become ASCII in words that hold nothing else of another
      script, such as a command typed with a Japanese keyboard; other words stay.
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
    text = _STRAY.sub("", text.replace("\r\n", "\n").translate(_PLAIN))
    text = _ODD_WORD.sub(lambda match: match[0].translate(_IN_WORDS), text)
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
