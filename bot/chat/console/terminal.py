"""Cards for a terminal, by `rich`. Colour only adds to what symbols and words already say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich import box
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text

from slipway.bot.chat.console.board import Offer, Posted
from slipway.bot.chat.console.rendering import (
    answer_mark,
    is_awaited,
    is_repetition,
    is_update,
    said_line,
    thread_mark,
    update_line,
)
from slipway.bot.chat.console.wrapping import joined, widest, wrapped
from slipway.bot.chat.model import NONE, Button, Card, Choice, Field, Table, Tone
from slipway.bot.chat.shared.plain import clean_line, display_width, headline, without_ticks

_WIDEST = 120  # columns; longer lines are hard to read
_FRAME = 4  # columns that a card's border and padding take
_INDENT = 2  # columns before what stands in a thread
_NOTE = 2  # columns that a note's dot takes
_CELL_GAP = 2  # columns between cells; in a table, one of them is the box's own

_COLOURS = {
    Tone.INFO: "cyan",
    Tone.WAITING: "yellow",
    Tone.RUNNING: "blue",
    Tone.DONE: "green",
    Tone.WARNING: "yellow",
    Tone.FAILED: "red",
}
_CHOICE_STYLES = {Choice.APPROVE: "bold green", Choice.REJECT: "bold red"}


def terminal_console(stream: TextIO) -> Console:
    """A console that measures the stream's terminal and knows which colours it can show."""
    return Console(file=stream, highlight=False, markup=False, emoji=False)


class TerminalRenderer:
    """Cards with borders, at the width the terminal has when each is shown."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @property
    def columns(self) -> int:
        """How wide the terminal is now."""
        return self._console.width

    def message(self, posted: Posted) -> str | None:
        """The card; an update as one line; None where an edit changed nothing, or says what another did."""
        if posted.card == posted.before or is_repetition(posted):
            return None
        if posted.answered and is_awaited(posted.card):
            return self._awaited(posted)
        block = self._block(posted)
        if not posted.answered:
            return block
        mark = joined(self._wrapped(answer_mark(posted)))
        return f"{self._text(mark)}\n{block}"

    def _awaited(self, posted: Posted) -> str:
        """On one line, whatever is typed: it is taken away again."""
        line = Text(headline(posted.card), style=f"bold {_COLOURS[posted.card.tone]}")
        line.append(f"  {without_ticks(answer_mark(posted))}", style="not bold default")
        line.truncate(self._width - 1, overflow="ellipsis")
        return self._text(line)

    def _block(self, posted: Posted) -> str:
        if is_update(posted):
            return self._text(_styled(self._wrapped(update_line(posted)), _COLOURS[posted.card.tone]))
        ticks, mark = not self._coloured, thread_mark(posted)
        indent = _INDENT if posted.thread else 0
        room = self._width - indent - _FRAME
        framed = _widest(posted.card, ticks=ticks) <= room
        body = _body(posted.card, posted.offers, room if framed else self._width, ticks=ticks)
        if len(body) == 1 and not mark:
            return self._text(_body(posted.card, (), self._width, ticks=ticks)[0])
        name = mark or clean_line(posted.name)
        if not framed:
            return self._open(name, body, _COLOURS[posted.card.tone])
        panel = Panel(
            Group(*_spaced(body)),
            box=box.ROUNDED,
            title=Text(name) if name else None,
            title_align="left",
            border_style=_COLOURS[posted.card.tone],
            padding=(0, 1),
            expand=False,
        )
        return self._text(Padding(panel, (0, 0, 0, indent), expand=False))

    def _open(self, name: str, body: list[RenderableType], colour: str) -> str:
        """Between two lines, without a frame at the sides: what is wider than the terminal is broken by the terminal
        itself, and so is copied as one."""
        above = f"─ {name} " if name else ""
        rules = [Text(each.ljust(self._width, "─")[: self._width], style=colour) for each in (above, "")]
        return self._text(Group(rules[0], *_spaced(body), rules[1]))

    def _wrapped(self, text: str) -> list[Text]:
        return wrapped(text, self._width, ticks=not self._coloured)

    def said(self, speaker: str, text: str) -> str | None:
        """``alice> !images``, as it looks when it is typed."""
        line = Text(f"{speaker}> ", style="bold green")
        line.append(said_line(text), style="not bold default")
        return self._text(line)

    def narration(self, text: str) -> str | None:
        """A sentence to the reader, set apart by an empty line and a dash."""
        return "\n" + self._text(Text(f"— {clean_line(text)}", style="italic magenta"))

    def prompt(self, speaker: str) -> str:
        """The prompt of a speaker: ``alice> ``."""
        with self._console.capture() as capture:
            self._console.print(Text(f"{speaker}> ", style="bold green"), end="")
        return capture.get()

    @property
    def _width(self) -> int:
        return max(_FRAME * 4, min(self._console.width, _WIDEST))

    @property
    def _coloured(self) -> bool:
        return self._console.color_system is not None and not self._console.no_color

    def _text(self, renderable: RenderableType) -> str:
        with self._console.capture() as capture:
            # In a group, since a text that is printed by itself loses that it breaks nowhere else.
            self._console.print(Group(renderable), width=self._width, crop=False)
        return capture.get().rstrip("\n")


def _widest(card: Card, *, ticks: bool) -> int:
    """How many columns the widest piece of a card takes that is not to be broken."""
    texts = [headline(card), card.text, *(field.value for field in card.fields)]
    cells = (cell for table in card.tables for row in table.rows for cell in row)
    found = [widest(each, ticks=ticks) for each in texts]
    found += [_NOTE + widest(each, ticks=ticks) for each in card.notes]
    return max(*found, *(widest(clean_line(cell), ticks=False) for cell in cells))


def _body(card: Card, offers: tuple[Offer, ...], width: int, *, ticks: bool) -> list[RenderableType]:
    """The blocks of a card from top to bottom; just its headline if there is no more to it."""
    title = wrapped(headline(card), width, ticks=ticks)
    blocks: list[RenderableType] = [_styled(title, f"bold {_COLOURS[card.tone]}")]
    if card.mentions:
        blocks.append(Text("For " + ", ".join(map(clean_line, card.mentions)), style="bold"))
    if card.text:
        blocks.append(joined(wrapped(card.text, width, ticks=ticks)))
    if card.fields:
        blocks.append(_fields(card.fields, width, ticks=ticks))
    blocks += [_table(table, width, ticks=ticks) for table in card.tables]
    if card.notes:
        blocks.append(_notes(card.notes, width, ticks=ticks))
    if offers:
        blocks.append(_buttons(offers, width))
    return blocks


def _styled(lines: list[Text], style: str) -> Text:
    text = joined(lines)
    text.style = style
    return text


def _spaced(blocks: list[RenderableType]) -> Iterable[RenderableType]:
    """The blocks with an empty line between them."""
    for index, block in enumerate(blocks):
        if index:
            yield Text("")
        yield block


def _fields(fields: tuple[Field, ...], width: int, *, ticks: bool) -> Text:
    """Labels beside their values; above one that has a piece for which there is no room beside them.

    A label that would take more than half of the width stands above its value, too, and leaves the room beside it to
    the values of the others.
    """
    labels = [clean_line(field.label) for field in fields]
    taken = [display_width(label) + _CELL_GAP for label in labels]
    first = max((each for each in taken if each <= width // 2), default=0)
    lines: list[Text] = []
    for label, field in zip(labels, fields, strict=True):
        head, least = Text(label, style="dim"), widest(field.value, ticks=ticks)
        if display_width(label) + _CELL_GAP <= first <= width - least:
            head.append(" " * (first - display_width(label)))
            values, indent = wrapped(field.value, width - first, ticks=ticks), first
            lines.append(Text.assemble(head, values[0]))
        else:
            lines.append(joined(wrapped(label, width, ticks=False)))
            indent = _INDENT if _INDENT + least <= width else 0
            values = [Text(), *wrapped(field.value, width - indent, ticks=ticks)]
        lines += (Text.assemble(" " * indent, value) for value in values[1:])
    return joined(lines)


def _notes(notes: tuple[str, ...], width: int, *, ticks: bool) -> Text:
    """Each behind a dot, or below it where it has a piece that is wider than what is left."""
    lines: list[Text] = []
    for note in notes:
        indent = _NOTE if _NOTE + widest(note, ticks=ticks) <= width else 0
        first, *others = wrapped(note, width - indent, ticks=ticks)
        lines.append(Text.assemble("• ", first))
        lines += (Text.assemble(" " * indent, each) for each in others)
    return joined(lines)


def _buttons(offers: tuple[Offer, ...], width: int) -> Text:
    """In a row where they fit, else one below the other: a label is not to break among those beside it."""
    row, gap = Text(), "   "
    labels = [f"[{offer.number}] {clean_line(offer.button.label)}" for offer in offers]
    between = gap if display_width(gap.join(labels)) <= width else "\n"
    for index, (offer, label) in enumerate(zip(offers, labels, strict=True)):
        row.append(between if index else "")
        button = offer.button
        row.append(label, style=_CHOICE_STYLES[button.choice] if isinstance(button, Button) else "bold")
    return row


def _table(table: Table, width: int, *, ticks: bool) -> RenderableType:
    """Columns where they fit without breaking a word, else one short list a row."""
    widths = _widths(table, width)
    grid = _columns(table, widths) if widths else _records(table, width, ticks=ticks)
    if not table.title:
        return grid
    return Group(Text(clean_line(table.title), style="bold"), grid)


def _widths(table: Table, width: int) -> list[int] | None:
    """How wide each column is: as its longest cell where there is room, never less than its longest word.

    What room there is beyond the words is shared by what each column lacks. None if the words do not fit.
    """
    columns = [list(map(_shown, column)) for column in zip(table.columns, *table.rows, strict=True)]
    whole = [max(1, *map(display_width, column)) for column in columns]
    words = [
        max(widest(clean_line(cell), ticks=False) for cell in column)
        for column in zip(table.columns, *table.rows, strict=True)
    ]
    room = width - _CELL_GAP * (len(columns) - 1) - sum(words)
    lacking = [most - least for most, least in zip(whole, words, strict=True)]
    if room < 0:
        return None
    if room >= sum(lacking):
        return whole
    return [least + room * lack // sum(lacking) for least, lack in zip(words, lacking, strict=True)]


def _shown(cell: str) -> str:
    return without_ticks(clean_line(cell))


def _columns(table: Table, widths: list[int]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _CELL_GAP - 1, 0, 0))
    for index, (heading, width) in enumerate(zip(table.columns, widths, strict=True)):
        side: JustifyMethod = "right" if _numbers([row[index] for row in table.rows]) else "left"
        grid.add_column(Text(_shown(heading), style="bold"), width=width, justify=side)
    for row in table.rows:
        cells = zip(row, widths, strict=True)
        grid.add_row(
            *(Text("\n").join(wrapped(clean_line(cell), width, ticks=False)) for cell, width in cells)
        )
    return grid


def _numbers(cells: list[str]) -> bool:
    """Whether a column holds counts, which stand right so that their digits line up."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(cell.replace(",", "").isdecimal() for cell in filled)


def _records(table: Table, width: int, *, ticks: bool) -> Group:
    """Each row as a list of its own, without what it has nothing of."""
    rows = (
        [Field(label=label or "#", value=cell) for label, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    )
    lists = [tuple(each for each in row if each.value not in ("", NONE)) or tuple(row) for row in rows]
    return Group(*_spaced([_fields(fields, width, ticks=ticks) for fields in lists]))
