"""The small language in which Block Kit's limits are written down (``elements.py``, ``blocks.py``).

A shape names the fields of one kind of object with a rule each. Checking gives complaints in the words that
Slack's API uses, each with a JSON pointer to what it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Complaints = list[str]
Rule = Callable[[Any, str], Complaints]


def complaint(text: str, pointer: str) -> str:
    """One complaint as Slack writes it."""
    return f"{text} [json-pointer:{pointer}]"


@dataclass(frozen=True)
class Shape:
    """An object: its fields, which of them must be there, and what else must hold between them."""

    fields: Mapping[str, Rule]
    required: frozenset[str] = frozenset()
    also: tuple[Callable[[dict[str, Any]], str | None], ...] = field(default=())

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with an object of this shape."""
        if not isinstance(value, dict):
            return [complaint("must be an object", pointer)]
        found = [
            complaint(f"missing required field: {name}", pointer)
            for name in sorted(self.required - value.keys())
        ]
        for name, content in value.items():
            if name == "type":
                continue
            rule = self.fields.get(name)
            if rule is None:
                found.append(complaint(f"invalid additional property: {name}", pointer))
            elif content is not None:
                found += rule(content, f"{pointer}/{name}")
        found += [complaint(text, pointer) for look in self.also if (text := look(value))]
        return found


@dataclass(frozen=True)
class Union:
    """An object whose ``type`` says which shape it has."""

    shapes: Mapping[str, Rule]

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with it, an unknown type first."""
        if not isinstance(value, dict):
            return [complaint("must be an object", pointer)]
        kind = value.get("type")
        if kind is None:
            return [complaint("missing required field: type", pointer)]
        rule = self.shapes.get(kind) if isinstance(kind, str) else None
        if rule is None:
            return [complaint(f"unsupported type: {kind}", f"{pointer}/type")]
        return rule(value, pointer)


@dataclass(frozen=True)
class Str:
    """A string of bounded length, in characters."""

    most: int
    least: int = 1

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with a string."""
        if not isinstance(value, str):
            return [complaint("must be a string", pointer)]
        if len(value) < self.least:
            return [complaint(f"must be more than {self.least - 1} characters", pointer)]
        if len(value) > self.most:
            return [complaint(f"must be less than {self.most + 1} characters", pointer)]
        return []


@dataclass(frozen=True)
class Text:
    """A text object; ``plain`` ones may not be ``mrkdwn``."""

    most: int
    plain: bool = False

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with a text object."""
        if not isinstance(value, dict):
            return [complaint("must be an object", pointer)]
        kinds = ("plain_text",) if self.plain else ("plain_text", "mrkdwn")
        if value.get("type") not in kinds:
            return [complaint(f"must be one of: {', '.join(kinds)}", f"{pointer}/type")]
        if "text" not in value:
            return [complaint("missing required field: text", pointer)]
        allowed = {"type", "text"} | ({"emoji"} if value["type"] == "plain_text" else {"verbatim"})
        extra = [
            complaint(f"invalid additional property: {n}", pointer) for n in sorted(value.keys() - allowed)
        ]
        return extra + Str(self.most)(value["text"], f"{pointer}/text")


@dataclass(frozen=True)
class Items:
    """A list of bounded length."""

    most: int
    rule: Rule
    least: int = 1

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with a list, its length before its items."""
        if not isinstance(value, list):
            return [complaint("must be an array", pointer)]
        if len(value) < self.least:
            return [complaint(f"no less than {self.least} items allowed", pointer)]
        if len(value) > self.most:
            return [complaint(f"no more than {self.most} items allowed", pointer)]
        return [text for place, item in enumerate(value) for text in self.rule(item, f"{pointer}/{place}")]


@dataclass(frozen=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with a word."""
        return [] if value in self.words else [complaint(f"must be one of: {', '.join(self.words)}", pointer)]


@dataclass(frozen=True)
class Url:
    """An address; with ``web`` only one of the web."""

    most: int
    web: bool = False

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with an address."""
        found = Str(self.most)(value, pointer)
        pattern = _WEB if self.web else _ANY_URL
        return found or ([] if pattern.fullmatch(value) else [complaint("must be a valid URL", pointer)])


_WEB = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)
_ANY_URL = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+", re.IGNORECASE)


@dataclass(frozen=True)
class Moment:
    """A date or a time of day, in a format of ``datetime.strptime``."""

    form: str
    shown: str

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with a date or a time."""
        try:
            # strptime takes one digit, too, where Slack wants two.
            good = datetime.strptime(value, self.form).strftime(self.form) == value  # noqa: DTZ007 - no zone
        except (TypeError, ValueError):
            good = False
        return [] if good else [complaint(f"must be of the form {self.shown}", pointer)]


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int

    def __call__(self, value: Any, pointer: str) -> Complaints:
        """What is wrong with a whole number."""
        if found := whole_number(value, pointer):
            return found
        if not self.least <= value <= self.most:
            return [complaint(f"must be between {self.least} and {self.most}", pointer)]
        return []


def whole_number(value: Any, pointer: str) -> Complaints:
    """A number without a fraction."""
    good = isinstance(value, int) and not isinstance(value, bool)
    return [] if good else [complaint("must be an integer", pointer)]


def decimal(value: Any, pointer: str) -> Complaints:
    """A number written as text."""
    good = isinstance(value, str) and re.fullmatch(r"-?\d+(?:\.\d+)?", value, re.ASCII)
    return [] if good else [complaint("must be a number written as a string", pointer)]


def flag(value: Any, pointer: str) -> Complaints:
    """A truth value."""
    return [] if isinstance(value, bool) else [complaint("must be a boolean", pointer)]


def number(value: Any, pointer: str) -> Complaints:
    """A number."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return [] if good else [complaint("must be a number", pointer)]


def anything(value: Any, pointer: str) -> Complaints:
    """What the simulator does not look into."""
    del value, pointer
    return []
