"""What a line means that somebody typed or a script holds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from slipway.bot.chat.shared.mentions import said_around
from slipway.bot.core.totp import code_in

_AS = re.compile(r"@([A-Za-z][A-Za-z0-9._-]{0,63}):(?=$|[^\w]|\d+\s*$)\s*", re.ASCII)
_ALMOST_AS = re.compile(r"@([A-Za-z][A-Za-z0-9._-]{0,63})(?:\s+(.*))?", re.ASCII | re.DOTALL)
_BOT = re.compile(r"(?<![\w@])@slipway(?![\w.-]*\w)", re.IGNORECASE)
_BOT_BY_NAME = re.compile(r"slipway:(?=\s|$)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"\[?([0-9]+)\]?(?:\s+(.*))?", re.ASCII)
_LONGEST_NUMBER = 9  # digits; no session has more buttons
_SHOWN_DIGITS = 12
_SHOWN = 60  # characters of a line that are said back

_FULL_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: " "}
"""Signs as keyboards for Chinese and Japanese write them, to those of ASCII."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty line."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that starts with ``#``, which nobody hears."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Words for the bot."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button's number, how to write it, and what was said with it; ``number`` is None where it is greater than any
    can be."""

    speaker: str
    number: int | None
    shown: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """What may be a single-use code: six digits alone, which nothing shows again."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A line that means nothing; the sentence says what would."""

    sentence: str


Meaning = Nothing | Comment | Speech | Pressed | Code | Unclear


def read_line(line: str, speaker: str) -> Meaning:
    """Tell what a line means when ``speaker`` is at the keyboard.

    ``@bob: text`` is said by bob, ``@slipway`` mentions the bot wherever it stands, ``Slipway:`` in front, a number
    (``1`` or ``[1]``) presses a button, with a reason where one follows (``2 because bad``), an empty line is
    nothing, one that starts with ``#`` a comment, six digits are a code, and everything else is speech. All that may
    be typed in full-width signs, and a number in the digits of any script, as the dispatcher reads commands.
    """
    text = line.strip()
    plain = _in_ascii(text)  # as many characters, so that what follows is taken from the line as it was typed
    if not text:
        return Nothing()
    if plain.startswith("#"):
        return Comment()
    if (other := _AS.match(plain)) and not _BOT.match(plain):
        speaker, text, plain = other.group(1), text[other.end() :], plain[other.end() :]
        if not text:
            return Unclear(f"Write what {speaker} says behind the colon, like `@{speaker}: !pending`.")
    elif (almost := _ALMOST_AS.fullmatch(plain)) and not _BOT.match(plain):
        return Unclear(_without_colon(almost[1], almost[2] or "!pending"))
    if code_in(plain) is not None:
        return Code(speaker, plain)
    if number := _NUMBER.fullmatch(plain):
        digits = number.group(1).lstrip("0") or "0"
        within = len(digits) <= _LONGEST_NUMBER
        shown = digits if len(digits) <= _SHOWN_DIGITS else digits[:_SHOWN_DIGITS] + "…"
        reason = text[number.start(2) :] if number.group(2) else ""
        return Pressed(speaker, int(digits) if within else None, shown, reason)
    return Speech(speaker, _unmentioned(text))


def _in_ascii(text: str) -> str:
    """Full-width signs and the digits of other scripts as ASCII has them; each character stays one."""
    signs = text.translate(_FULL_WIDTH)
    digits = (unicodedata.decimal(each, None) for each in signs)
    return "".join(each if digit is None else str(digit) for each, digit in zip(signs, digits, strict=True))


def _without_colon(speaker: str, said: str) -> str:
    shown = said.replace("`", "")
    shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
    return f"To speak as {speaker}, put a colon behind the name: `@{speaker}: {shown}`."


def _unmentioned(text: str) -> str:
    if by_name := _BOT_BY_NAME.match(text):
        return text[by_name.end() :]
    mention = _BOT.search(text)
    said = None if mention is None else said_around(text[: mention.start()], text[mention.end() :])
    # Nobody else listens here, so that other words in front of a mention are no command either.
    return text if said is None or not said.certain else said.line


def no_such_button(shown: str, live: tuple[int, ...]) -> str:
    """The sentence for a number that presses nothing."""
    if not live:
        return f"There is no button {shown}. There are no buttons now; `pending` shows what waits."
    return f"There is no button {shown}. Buttons now: {', '.join(map(str, live))}."
