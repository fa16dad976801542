"""slipway.example.toml as a form to fill in: its comments stay, its values are replaced, what is not wanted goes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

TomlValue = str | int | bool | tuple[str, ...]

_HEADER = re.compile(r"(?P<off># )?(?P<open>\[\[?)(?P<table>[a-z][\w.-]*)\]\]?$")
_BANNER = "# ──"
_PERSON = "person"


def literal(value: TomlValue) -> str:
    """A value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return f"[{', '.join(map(literal, value))}]"


@dataclass
class Block:
    """A table of the example with the comments right above it, or text between tables.

    Attributes:
        table: what stands in the brackets; empty for the top of the file and the headings between tables.
        lines: all of its lines.
        header: which line holds the brackets; None where there are none.
    """

    table: str = ""
    lines: list[str] = field(default_factory=list)
    header: int | None = None

    @property
    def is_heading(self) -> bool:
        """Whether it introduces the tables below it."""
        return bool(self.lines) and self.lines[0].startswith(_BANNER)

    def switch_on(self) -> None:
        """Take the # away that stands before the brackets."""
        if self.header is not None:
            self.lines[self.header] = self.lines[self.header].removeprefix("# ")

    def put(self, key: str, value: TomlValue) -> None:
        """Give a key a value, in place of what stands there or is shown as a comment."""
        new = f"{key} = {literal(value)}"
        start = self._find(key)
        if start is None:
            filled = [at for at, line in enumerate(self.lines) if line]
            self.lines.insert(filled[-1] + 1 if filled else 0, new)
            return
        self.lines[start : self._end(start)] = [new]

    def text_of(self, key: str) -> str:
        """The text that a key has; empty where it has none."""
        at = self._find(key)
        match = re.fullmatch(rf'{key} = "(.*)"', self.lines[at]) if at is not None else None
        return match[1] if match else ""

    def leave_out(self, key: str) -> None:
        """Make a comment of a key's line."""
        at = self._find(key)
        if at is not None and not self.lines[at].startswith("#"):
            self.lines[at] = f"# {self.lines[at]}"

    def _find(self, key: str) -> int | None:
        found = [at for at, line in enumerate(self.lines) if re.match(rf"(?:# )?{re.escape(key)} = ", line)]
        return next((at for at in found if not self.lines[at].startswith("#")), found[0] if found else None)

    def _end(self, start: int) -> int:
        """The line behind a value, which may be a list of many lines."""
        if not self.lines[start].endswith("["):
            return start + 1
        return self.lines.index("]", start) + 1


class Template:
    """The example, to be filled in."""

    def __init__(self, text: str) -> None:
        self.blocks = list(_blocks(text.splitlines()))

    def text(self) -> str:
        """The whole, without headings that nothing stands below."""
        kept = [
            block
            for at, block in enumerate(self.blocks)
            if not (block.is_heading and (at + 1 == len(self.blocks) or self.blocks[at + 1].is_heading))
        ]
        return "\n".join(line for block in kept for line in block.lines).rstrip("\n") + "\n"

    def put(self, table: str, key: str, value: TomlValue) -> None:
        """Set a key of a table, which is added at the end where the example has none; no table: the file's top."""
        block = next((block for block in self.blocks if block.table == table and not block.is_heading), None)
        if block is None:
            block = Block(table, ["", f"[{table}]", ""], 1)
            self.blocks.append(block)
        block.switch_on()
        block.put(key, value)

    def switch_on(self, table: str) -> None:
        """Take the # away before a table that the example shows as a comment."""
        for block in self.blocks:
            if block.table == table:
                block.switch_on()

    def keep_only(self, family: Iterable[str], chosen: Iterable[str]) -> None:
        """Of these tables and those below them (``azure``, ``azure.staging``) leave only the chosen ones."""
        gone = set(family) - set(chosen)
        self.blocks = [block for block in self.blocks if block.table.partition(".")[0] not in gone]

    def drop(self, block: Block) -> None:
        """Take a table out."""
        self.blocks.remove(block)

    def entries(self, table: str) -> list[Block]:
        """The blocks of a table that may stand several times, such as ``schedule``."""
        return [block for block in self.blocks if block.table == table]

    def put_persons(self, persons: Iterable[Mapping[str, TomlValue]]) -> None:
        """Have these ``[[person]]`` entries in place of the example's, with the comments of its first one."""
        first, *others = self.entries(_PERSON)
        for block in others:
            self.drop(block)
        for key in ("name", "zone", "keys"):
            first.leave_out(key)
        after = self.blocks.index(first) + 1
        for number, person in enumerate(persons):
            block = first if number == 0 else Block(_PERSON, ["[[person]]", ""], 0)
            for key, value in person.items():
                block.put(key, value)
            if number:
                self.blocks.insert(after, block)
                after += 1


def _blocks(lines: list[str]) -> Iterable[Block]:
    block = Block()
    for at, line in enumerate(lines):
        found = _HEADER.match(line)
        if line.startswith(_BANNER):
            yield block
            block = Block(lines=[line])
            continue
        if found is None:
            block.lines.append(line)
            continue
        above: list[str] = []
        while not block.is_heading and block.lines and block.lines[-1].startswith("#"):
            above.insert(0, block.lines.pop())
        yield block
        block = Block(found["table"], [*above, lines[at]], len(above))
    yield block
