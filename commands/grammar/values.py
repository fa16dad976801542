"""The kinds of value that commands take: how each is read, and what is said where it cannot be."""

from __future__ import annotations

import re
from abc import abstractmethod
from datetime import timedelta

import click

from slipway.bot.core.operation_ids import read_operation_id
from slipway.bot.core.text import nearest
from slipway.bot.core.times import parse_duration

LONGEST_SHOWN = 40
"""Characters of a wrong value that are said back."""

_TRAILING = ".,;:!?)]}>\"'"
_LEADING = "([{<\"'#"

_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)


def said_back(text: str) -> str:
    """What somebody typed, fit to be said back: in quotation marks, short, and without backticks."""
    plain = text.replace("`", "'")
    return f"“{plain}”" if len(plain) <= LONGEST_SHOWN else f"“{plain[: LONGEST_SHOWN - 1]}…”"


def without_punctuation(text: str) -> str:
    """An id as somebody typed it in a sentence, without what stands around it: ``(op-7k3f).`` is ``op-7k3f``."""
    return text.strip(" ").lstrip(_LEADING).rstrip(_TRAILING)


def without_full_stop(text: str) -> str:
    """A name as somebody typed it at the end of a sentence, without the sentence's end: no name ends so."""
    return text.rstrip(".,;:!") or text


class Value(click.ParamType[object, str]):
    """A kind of value. ``placeholder`` stands for it in the usage line; None: the parameter's name does."""

    placeholder: str | None = None

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Read a typed value; defaults, which are no text, pass as they are."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    @abstractmethod
    def read(self, text: str) -> object:
        """Read a typed value.

        Raises:
            ValueError: it is none; the words say why and how to write one.
        """


class NameValue(Value):
    """The name of something, or a pattern, as some cloud has it; the end of a sentence behind it is none of it."""

    name = "name"

    def read(self, text: str) -> str:
        """Take the name without the sentence's end."""
        return without_full_stop(text)


class FreeText(Value):
    """Words of a person's own: whatever they write from there on, quotes and dashes included.

    An argument of this kind is the last one, and takes all that is left (``nargs=-1``).
    """

    name = "text"

    def read(self, text: str) -> str:
        """Take a word as it is."""
        return text


class DurationValue(Value):
    """A duration such as ``90m``, ``2h30m`` or ``3d``."""

    name = "duration"
    placeholder = "2h"

    def read(self, text: str) -> timedelta:
        """Read a duration; words and units as :func:`slipway.bot.core.times.parse_duration` has them."""
        if len(text) > LONGEST_SHOWN:
            raise ValueError(f"{said_back(text)} is not a duration; write it like 90m, 2h30m or 3d")
        return parse_duration(text)


def operation_id_in(text: str) -> str | None:
    """The id of an operation that a word has the form of, spelt as the bot does; None for other words."""
    bare = without_punctuation(text).lower()
    return read_operation_id(re.sub(r"[\N{FIGURE DASH}\N{EN DASH}\N{EM DASH}_]", "-", bare))


class OperationIdValue(Value):
    """The id of an operation, ``op-7k3f``; also without ``op-``, in capitals, or with punctuation around."""

    name = "operation"
    placeholder = "ID"

    def read(self, text: str) -> str:
        """Read an operation's id, and spell it as the bot does."""
        found = operation_id_in(text)
        if found is None:
            raise ValueError(f"{said_back(text)} is not the id of an operation; they look like op-7k3f")
        return found


class OperationOrText(Value):
    """An operation's id, or the first word of what is said without one: which it is, the operations tell."""

    name = "operation"
    placeholder = "ID"

    def read(self, text: str) -> str:
        """Take the word as it is."""
        return text


class WholeNumber(Value):
    """A whole number from ``low`` to ``high``, both included; no ``high`` leaves the limit to the command."""

    name = "number"
    placeholder = "N"

    def __init__(self, low: int = 1, high: int | None = None) -> None:
        self.low = low
        self.high = high

    def read(self, text: str) -> int:
        """Read a whole number within the bounds."""
        number = int(text) if _WHOLE.fullmatch(text) else None
        if number is None or number < self.low or (self.high is not None and number > self.high):
            bounds = f"of at least {self.low}" if self.high is None else f"from {self.low} to {self.high}"
            raise ValueError(f"{said_back(text)} is not a whole number {bounds}")
        return number


class OneOf(Value):
    """One of a few words; case does not count."""

    name = "choice"

    def __init__(self, *words: str) -> None:
        self.words = words
        self.placeholder = "|".join(words)

    def read(self, text: str) -> str:
        """Read one of the words, spelt as declared."""
        for word in self.words:
            if word.casefold() == text.casefold():
                return word
        near = nearest(text, self.words, 1)
        hint = f"did you mean {near[0]}?" if near else f"it is one of {', '.join(self.words)}"
        raise ValueError(f"{said_back(text)} is none of them; {hint}")


DURATION = DurationValue()
NAME = NameValue()
OPERATION_ID = OperationIdValue()
OPERATION_OR_TEXT = OperationOrText()
FREE_TEXT = FreeText()
