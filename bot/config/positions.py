"""In which line of slipway.toml a key stands. TOML's reader in Python's library does not say."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace

from slipway.bot.config.schema import key_of
from slipway.bot.config.tables import Place, Plain
from slipway.bot.core.problems import Problem

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]*")
_PART_OF_KEY = re.compile(r"(?:\.| #)[^.]*$")


class KeyLines:
    """The lines of a document by its keys, as problems call them.

    Args:
        text: the document, which is known to be TOML.
        content: what it holds.
    """

    def __init__(self, text: str, content: Mapping[str, Plain]) -> None:
        self._lines: dict[str, int] = {}
        document = dict(content)
        for place, line in places(text).items():
            self._lines[key_of(place, document)] = line
            if (
                key := _key_by_name(place, document)
            ) is not None:  # of two entries of one name: the later one
                self._lines[key] = line

    def line(self, key: str) -> int | None:
        """The line of a key; of what is missing, that of the nearest table above; None where nothing is there."""
        while key not in self._lines:
            shorter = _PART_OF_KEY.sub("", key)
            if shorter == key:
                return None
            key = shorter
        return self._lines[key]

    def placed(self, problem: Problem) -> Problem:
        """The same problem with its line."""
        return replace(problem, line=self.line(problem.key))


def _key_by_name(place: Place, document: Mapping[str, Plain]) -> str | None:
    """``person.alice.zone`` for what stands in a ``[[person]]``, also where two of them are called alice."""
    if len(place) < 2 or not isinstance(place[1], int):
        return None
    entries = document.get(str(place[0]))
    entry = entries[place[1]] if isinstance(entries, list) and place[1] < len(entries) else None
    name = entry.get("id", entry.get("name")) if isinstance(entry, dict) else None
    return ".".join((str(place[0]), name, *map(str, place[2:]))) if isinstance(name, str) else None


def places(text: str) -> dict[Place, int]:
    """The line, from 1 on, in which each key, table and entry of a list begins."""
    return dict(_Scanner(text.replace("\r\n", "\n")).places())


class _Scanner:
    """Walks over a text that is known to be TOML, so that it need not tell any mistake."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._counts: dict[Place, int] = {}  # of each array of tables, the number of its newest entry
        self._seen: set[Place] = set()

    def places(self) -> Iterator[tuple[Place, int]]:
        table: Place = ()
        while True:
            self._skip(_BETWEEN)
            if self._at >= len(self._text):
                return
            line = self._line()
            if self._text[self._at] == "[":
                table = self._header()
                yield from self._new(table, line)
            else:
                yield from self._pair(table)

    def _header(self) -> Place:
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        keys = self._key()
        self._at += brackets
        place: Place = ()
        for key in keys[:-1]:
            place = (*place, key)
            place = (*place, self._counts[place]) if place in self._counts else place
        place = (*place, keys[-1])
        if brackets == 1:
            return place
        self._counts[place] = self._counts.get(place, -1) + 1
        return (*place, self._counts[place])

    def _pair(self, table: Place) -> Iterator[tuple[Place, int]]:
        line = self._line()
        place = (*table, *self._key())
        yield from self._new(place, line)
        self._at += 1  # the equals sign
        self._skip(_BLANK)
        yield from self._value(place)

    def _value(self, place: Place) -> Iterator[tuple[Place, int]]:
        match self._text[self._at : self._at + 1]:
            case "[":
                yield from self._list(place)
            case "{":
                yield from self._inline_table(place)
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_SCALAR)

    def _list(self, place: Place) -> Iterator[tuple[Place, int]]:
        self._at += 1
        index = 0
        while self._more("]"):
            entry = (*place, index)
            yield from self._new(entry, self._line())
            yield from self._value(entry)
            index += 1

    def _inline_table(self, place: Place) -> Iterator[tuple[Place, int]]:
        self._at += 1
        while self._more("}"):
            yield from self._pair(place)

    def _more(self, end: str) -> bool:
        """Whether another entry comes; if not, what ends them is passed."""
        self._skip(_BETWEEN)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_BETWEEN)
        if self._at < len(self._text) and self._text[self._at] != end:
            return True
        self._at += 1
        return False

    def _key(self) -> tuple[str, ...]:
        """A key, its parts one by one, and the blanks behind it."""
        parts: list[str] = []
        while True:
            self._skip(_BLANK)
            start = self._at
            self._skip(_BARE_KEY if _BARE_KEY.match(self._text, start) else _STRING)
            written = self._text[start : self._at]
            parts.append(next(iter(tomllib.loads(f"{written} = 0"))))
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return tuple(parts)
            self._at += 1

    def _new(self, place: Place, line: int) -> Iterator[tuple[Place, int]]:
        """A place and all above it that were not seen yet."""
        for depth in range(1, len(place) + 1):
            if place[:depth] not in self._seen:
                self._seen.add(place[:depth])
                yield place[:depth], line

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None  # noqa: S101 - the text is TOML
        self._at = match.end()

    def _line(self) -> int:
        return bisect_right(self._newlines, self._at - 1) + 1
