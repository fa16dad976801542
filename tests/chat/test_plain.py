"""What a person reads in a terminal, and in clients that show plain text only."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import SYMBOLS, Card, Field, Table, Tone
from slipway.bot.chat.shared.plain import (
    clean,
    display_width,
    headline,
    pad,
    render_plain,
    spans,
    table_lines,
)
from tests.support.strategies import anything, cards, tables


def test_a_whole_card_reads_well() -> None:
    card = Card(
        tone=Tone.WAITING,
        title="Promote 43.20261120.0 of Fedora-Cloud-43-x64?",
        text="Launches in 2 regions change.",
        fields=(Field(label="Asked by", value="alice"), Field(label="Plan", value="1 step\n2 regions")),
        tables=(Table(columns=("Region", "Replicas"), rows=(("eastus", "3"), ("westeurope", "12"))),),
        notes=("Type `!approve op-7k3f`.",),
        mentions=("@bob:example.org",),
    )
    assert render_plain(card) == (
        "⏳ Waiting · Promote 43.20261120.0 of Fedora-Cloud-43-x64?\n\n"
        "For @bob:example.org\n\n"
        "Launches in 2 regions change.\n\n"
        "Asked by: alice\n"
        "Plan:     1 step\n"
        "          2 regions\n\n"
        "Region      Replicas\n"
        "──────────  ────────\n"
        "eastus             3\n"
        "westeurope        12\n\n"
        "• Type `!approve op-7k3f`."
    )


def test_the_word_of_a_state_is_said_once() -> None:
    titles = {
        Tone.WAITING: "op-7k3f promote: waits for 1 approval",
        Tone.RUNNING: "op-7k3f promote: running, 1 of 2 steps done",
        Tone.DONE: "op-7k3f promote: done",
        Tone.FAILED: "op-7k3f promote: failed",
    }
    for tone, title in titles.items():
        assert headline(Card(tone=tone, title=title)) == f"{SYMBOLS[tone]} {title}"
    assert headline(Card(tone=Tone.WAITING, title="1 open operation")) == "⏳ Waiting · 1 open operation"
    assert headline(Card(tone=Tone.FAILED, title="web ended 3 days ago")) == "✘ web ended 3 days ago"
    assert headline(Card(tone=Tone.DONE, title="There are no problems.")) == "✔ There are no problems."


def test_wide_characters_and_emoji_keep_the_columns() -> None:
    lines = table_lines(
        Table(columns=("Name", "Who"), rows=(("日本語", "a"), ("👩‍💻 ok", "b"), ("e\u0301", "c")))
    )
    assert [display_width(line[: line.rindex(who)]) for line, who in zip(lines[2:], "abc", strict=True)] == [
        8,
        8,
        8,
    ]


def test_versions_are_not_taken_for_numbers() -> None:
    lines = table_lines(Table(columns=("Version",), rows=(("9.1.0",), ("43.20261120.0",))))
    assert lines[2] == "9.1.0"


def test_a_name_cannot_turn_the_reading_direction_or_move_the_cursor() -> None:
    shown = render_plain(Card(title="evil\u202etxt.\x1b[2J", fields=(Field(label="a\nb", value="c"),)))
    assert shown.splitlines()[0] == "ℹ evil\ufffdtxt.\ufffd[2J"
    assert "a b: c" in shown


def test_backticks_mark_code_and_a_single_one_is_literal() -> None:
    assert spans("type `!help` or ` alone") == (("type ", False), ("!help", True), (" or ` alone", False))


@given(cards)
def test_whatever_a_cloud_calls_its_things_the_text_is_printable(card: Card) -> None:
    text = render_plain(card)
    assert text.encode()
    assert not [
        sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") and sign != "\n"
    ]


@given(tables)
def test_every_row_stays_one_line_and_columns_start_together(table: Table) -> None:
    lines = table_lines(table)
    assert len(lines) == 2 + len(table.rows)
    assert all("\n" not in line for line in lines)
    assert all(display_width(line) <= display_width(lines[1]) for line in lines)


@given(anything)
def test_spans_lose_nothing(text: str) -> None:
    assert "".join(f"`{span.text}`" if span.code else span.text for span in spans(text)) == text


@given(anything, st.integers(0, 60))
def test_padding_reaches_its_width(text: str, width: int) -> None:
    shown = clean(text)
    assert display_width(pad(shown, width)) == max(width, display_width(shown))
