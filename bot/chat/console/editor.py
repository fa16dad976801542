"""A line of text being typed: keys go in, finished lines come out. It touches no terminal."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len

LONGEST = 256 * 1024
"""Characters a line may have. Longer than anything a person means, short enough to keep in memory."""

_PASTE_BEGINS, _PASTE_ENDS = "[200~", "[201~"
_HISTORY = 500  # lines
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~])")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]{0,16}[ -/]{0,4}|O)?")


@dataclass(frozen=True, slots=True)
class Entered:
    """A line was finished."""

    text: str


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line was finished that has more than :data:`LONGEST` characters; it was not kept."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Ctrl-D on an empty line."""


class Editor:
    """Keeps the text, the cursor and the history of one prompt, with the keys that shells have."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._cursor = 0
        self._overflow = False
        self._history: deque[str] = deque(maxlen=_HISTORY)
        self._back = 0  # how many lines back in the history; 0 is the line being typed
        self._draft: list[str] = []
        self._pending = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._keys = self._bindings()
        self.pasting = False
        """Whether a paste has begun and not ended, where the terminal says so."""

    @property
    def text(self) -> str:
        """What is typed so far."""
        return "".join(self._text)

    def feed(self, data: bytes) -> list[Entered | TooLong | Closed]:
        """Take in what the keyboard sent, and return what it finished. Broken UTF-8 becomes ``\\ufffd``."""
        keys = self._pending + self._decoder.decode(data)
        self._pending = ""
        done: list[Entered | TooLong | Closed] = []
        at = 0
        while at < len(keys):
            if keys[at] != "\x1b":
                finished = self._press(keys[at])
                at += 1
                done += [finished] if finished else []
            elif sequence := _SEQUENCE.match(keys, at):
                self._move(sequence.group()[1:])
                at = sequence.end()
            elif _UNFINISHED.fullmatch(keys, at):
                self._pending = keys[at:]
                break
            else:
                at += 1  # an escape that begins nothing
        return done

    def view(self, columns: int) -> tuple[str, int]:
        """The part of the text that fits into so many columns, and the cursor's column in it."""
        start, before = self._cursor, 0
        while start > 0 and before + cell_len(self._text[start - 1]) < columns:
            start -= 1
            before += cell_len(self._text[start])
        end, width = self._cursor, before
        while end < len(self._text) and width + cell_len(self._text[end]) <= columns:
            width += cell_len(self._text[end])
            end += 1
        return "".join(self._text[start:end]), before

    def _press(self, key: str) -> Entered | TooLong | Closed | None:
        if key in "\r\n":
            return self._enter()
        if self.pasting and not key.isprintable() and key != "\t":
            return None  # what is pasted is text, and moves nothing
        if key == "\x04" and not self._text:
            return Closed()
        if action := self._keys.get(key):
            action()
        elif key == "\t":
            self._insert(" ")
        elif key.isprintable():
            self._insert(key)
        return None

    def _move(self, sequence: str) -> None:
        if sequence in (_PASTE_BEGINS, _PASTE_ENDS):
            self.pasting = sequence == _PASTE_BEGINS
        elif action := self._keys.get(sequence):
            action()

    def _bindings(self) -> dict[str, Callable[[], None]]:
        moves = {
            self._left: ("\x02", "[D", "OD"),
            self._right: ("\x06", "[C", "OC"),
            self._home: ("\x01", "[H", "OH", "[1~", "[7~"),
            self._end: ("\x05", "[F", "OF", "[4~", "[8~"),
            self._older: ("\x10", "[A", "OA"),
            self._newer: ("\x0e", "[B", "OB"),
            self._word_left: ("[1;5D", "[1;3D"),
            self._word_right: ("[1;5C", "[1;3C"),
            self._backspace: ("\x7f", "\x08"),
            self._delete: ("\x04", "[3~"),
            self._cut_before: ("\x15",),
            self._cut_after: ("\x0b",),
            self._cut_word: ("\x17",),
        }
        return {key: action for action, keys in moves.items() for key in keys}

    def _insert(self, character: str) -> None:
        if len(self._text) >= LONGEST:
            self._overflow = True
            return
        self._text.insert(self._cursor, character)
        self._cursor += 1

    def _enter(self) -> Entered | TooLong:
        text, overflow = self.text, self._overflow
        self._show([])
        self._back, self._overflow = 0, False
        if overflow:
            return TooLong()
        if text.strip() and (not self._history or self._history[-1] != text):
            self._history.append(text)
        return Entered(text)

    def _show(self, text: list[str]) -> None:
        self._text = text
        self._cursor = len(text)

    def _older(self) -> None:
        if self._back < len(self._history):
            if not self._back:
                self._draft = self._text
            self._back += 1
            self._show(list(self._history[-self._back]))

    def _newer(self) -> None:
        if self._back:
            self._back -= 1
            self._show(list(self._history[-self._back]) if self._back else self._draft)

    def _left(self) -> None:
        self._cursor = max(0, self._cursor - 1)

    def _right(self) -> None:
        self._cursor = min(len(self._text), self._cursor + 1)

    def _home(self) -> None:
        self._cursor = 0

    def _end(self) -> None:
        self._cursor = len(self._text)

    def _word_start(self) -> int:
        at = self._cursor
        while at > 0 and self._text[at - 1] == " ":
            at -= 1
        while at > 0 and self._text[at - 1] != " ":
            at -= 1
        return at

    def _word_left(self) -> None:
        self._cursor = self._word_start()

    def _word_right(self) -> None:
        at = self._cursor
        while at < len(self._text) and self._text[at] == " ":
            at += 1
        while at < len(self._text) and self._text[at] != " ":
            at += 1
        self._cursor = at

    def _backspace(self) -> None:
        if self._cursor:
            self._cursor -= 1
            del self._text[self._cursor]

    def _delete(self) -> None:
        del self._text[self._cursor : self._cursor + 1]

    def _cut_before(self) -> None:
        del self._text[: self._cursor]
        self._cursor = 0

    def _cut_after(self) -> None:
        del self._text[self._cursor :]

    def _cut_word(self) -> None:
        start = self._word_start()
        del self._text[start : self._cursor]
        self._cursor = start
