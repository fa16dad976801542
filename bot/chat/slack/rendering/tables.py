"""Tables as Slack shows them: one of a message as a table, narrow enough for a phone; all others line by line."""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import Block, MarkdownTextObject, SectionBlock, TableBlock

from slipway.bot.chat.model import NONE, Card, Table, TableForm
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.chat.shared.plain import all_numbers, clean_line, without_ticks
from slipway.bot.chat.shared.shorten import LONGEST_CELL
from slipway.bot.chat.slack.rendering import limits
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn

COLUMNS_ON_A_PHONE = 4
"""Columns that a phone shows side by side; what further ones hold stands in the last of these."""

_WRAPPED_FROM = 20
"""Characters of a cell from which on its column is wrapped: Slack would give it one line, as wide as it takes."""

_BETWEEN = " · "


def shown_as_block(card: Card) -> int | None:
    """Which table is shown as Slack's own, of which a message may hold one: the first grid, if not too large."""
    for place, table in enumerate(card.tables):
        if table.form is TableForm.GRID:
            return place if _is_block(table) else None
    return None


def table_fits(table: Table, *, as_block: bool) -> bool:
    """Whether the whole of a table is shown."""
    if as_block:
        return all(len(without_ticks(cell)) <= LONGEST_CELL for row in table.rows for cell in row)
    return len(as_lines(table)) <= limits.SECTION


def table_blocks(table: Table, *, as_block: bool) -> list[Block]:
    """A table with its title."""
    blocks: list[Block] = []
    if table.title:
        blocks.append(SectionBlock(text=MarkdownTextObject(text=f"*{mrkdwn(clean_line(table.title), 500)}*")))
    if as_block:
        blocks.append(_block(_folded(table)))
    elif table.columns and table.rows:
        lines = as_lines(table)
        while len(lines) > limits.SECTION:
            lines = lines[: limits.SECTION].rpartition("\n")[0] or lines[: limits.SECTION]
        blocks.append(SectionBlock(text=MarkdownTextObject(text=lines, verbatim=True)))
    return blocks


def as_lines(table: Table) -> str:
    """The rows one below another: in a list the term and what is said of it, else what the columns are first."""
    if not table.columns:
        return ""
    if table.form is TableForm.LIST:
        return "\n".join(" ".join(_uncut(cell) for cell in row if cell.strip()) for row in table.rows)
    heading = _BETWEEN.join(_uncut(clean_line(column)) for column in table.columns if column.strip())
    return "\n".join([f"_{heading}_", *map(_line, table.rows)])


def _line(row: Sequence[str]) -> str:
    first, *others = (_uncut(clean_line(without_ticks(cell))) if cell.strip() else "-" for cell in row)
    return _BETWEEN.join([f"*{first}*", *others])


def _uncut(text: str) -> str:
    return mrkdwn(text, 10**9)


def _is_block(table: Table) -> bool:
    shown = _folded(table)
    cells = [*shown.columns, *(cell for row in shown.rows for cell in row)]
    return (
        0 < len(table.columns) <= limits.TABLE_COLUMNS
        and len(table.rows) < limits.TABLE_ROWS
        and sum(len(clean_line(cell)) + 1 for cell in cells) <= limits.TABLE_TEXT
    )


def _folded(table: Table) -> Table:
    """The table with no more columns than a phone shows."""
    if len(table.columns) <= COLUMNS_ON_A_PHONE:
        return table
    kept = COLUMNS_ON_A_PHONE - 1

    def fold(row: tuple[str, ...], between: str) -> tuple[str, ...]:
        return (*row[:kept], between.join(cell for cell in row[kept:] if cell.strip() not in ("", NONE)))

    rows = tuple(fold(row, _BETWEEN) for row in table.rows)
    return table.model_copy(update={"columns": fold(table.columns, ", "), "rows": rows})


def _block(table: Table) -> TableBlock:
    head = [_text(cell) or "#" for cell in table.columns]
    rows = [[_text(cell) or "-" for cell in row] for row in table.rows]
    settings = [_settings(column) for column in zip(*rows, strict=True)] if rows else None
    cells = [[{"type": "raw_text", "text": cell} for cell in row] for row in (head, *rows)]
    return TableBlock(rows=cells, column_settings=settings)


def _text(cell: str) -> str:
    return without_ticks(clean_line(cell)).strip()


def _settings(column: Sequence[str]) -> JsonObject:
    """Numbers stand right, and what is long is wrapped."""
    if all_numbers(column):
        return {"align": "right"}
    return {"align": "left", "is_wrapped": max(map(len, column)) >= _WRAPPED_FROM}
