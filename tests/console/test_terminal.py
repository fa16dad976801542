"""How cards look in a terminal."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.terminal import TerminalRenderer, terminal_console
from slipway.bot.chat.model import Button, Card, Field, Table, Tone
from tests.console.fakes import buttons
from tests.support import strategies
from tests.support.examples import examples

PROPOSAL = Card(
    tone=Tone.WAITING,
    title="Promote 43.20261115.0 of Fedora-Cloud-43-x64?",
    text="It becomes the latest in 2 regions. Machines launched from `Fedora-Cloud-43-x64` then run it.",
    fields=(
        Field(label="Asked by", value="alice"),
        Field(label="Needs", value="1 approval by a releaser other than alice, before 2026-11-21 14:05 UTC"),
    ),
    tables=(
        Table(
            title="Tests",
            columns=("Region", "Passed", "Why it counts"),
            rows=(
                ("eastus", "42", "booted and ran the whole test set on both sizes that we offer"),
                ("westeurope", "9", "booted"),
            ),
        ),
    ),
    notes=("Or type `!approve op-7k3f`.",),
    mentions=("bob",),
    buttons=buttons("op-7k3f"),
)

AT_80 = """\
╭─ op-7k3f ────────────────────────────────────────────────────────────────────╮
│ ⏳ Waiting · Promote 43.20261115.0 of Fedora-Cloud-43-x64?                   │
│                                                                              │
│ For bob                                                                      │
│                                                                              │
│ It becomes the latest in 2 regions. Machines launched from                   │
│ `Fedora-Cloud-43-x64` then run it.                                           │
│                                                                              │
│ Asked by  alice                                                              │
│ Needs     1 approval by a releaser other than alice, before 2026-11-21 14:05 │
│           UTC                                                                │
│                                                                              │
│ Tests                                                                        │
│ Region      Passed  Why it counts                                            │
│ ──────────────────────────────────────────────────────────────────────────── │
│ eastus          42  booted and ran the whole test set on both sizes that we  │
│                     offer                                                    │
│ westeurope       9  booted                                                   │
│                                                                              │
│ • Or type `!approve op-7k3f`.                                                │
│                                                                              │
│ [1] Approve   [2] Reject                                                     │
╰──────────────────────────────────────────────────────────────────────────────╯"""

AT_30 = """\
╭─ op-7k3f ──────────────────╮
│ ⏳ Waiting · Promote       │
│ 43.20261115.0 of           │
│ Fedora-Cloud-43-x64?       │
│                            │
│ For bob                    │
│                            │
│ It becomes the latest in 2 │
│ regions. Machines launched │
│ from `Fedora-Cloud-43-x64` │
│ then run it.               │
│                            │
│ Asked by  alice            │
│ Needs     1 approval by a  │
│           releaser other   │
│           than alice,      │
│           before           │
│           2026-11-21 14:05 │
│           UTC              │
│                            │
│ Tests                      │
│                     Why it │
│ Region      Passed  counts │
│ ────────────────────────── │
│ eastus          42  booted │
│                     and    │
│                     ran    │
│                     the    │
│                     whole  │
│                     test   │
│                     set on │
│                     both   │
│                     sizes  │
│                     that   │
│                     we     │
│                     offer  │
│ westeurope       9  booted │
│                            │
│ • Or type                  │
│   `!approve op-7k3f`.      │
│                            │
│ [1] Approve   [2] Reject   │
╰────────────────────────────╯"""


def renderer(width: int, *, colour: bool = False) -> TerminalRenderer:
    return TerminalRenderer(
        Console(
            file=io.StringIO(),
            width=width,
            force_terminal=colour,
            color_system="standard" if colour else None,
            no_color=not colour,
            legacy_windows=False,
        )
    )


def shown(card: Card, width: int, *, colour: bool = False) -> str:
    text = renderer(width, colour=colour).message(Board("s1", "console").post(card, thread=None))
    assert text is not None
    return text


def test_a_proposal_at_80_columns() -> None:
    assert shown(PROPOSAL, 80) == AT_80


def test_a_proposal_on_a_narrow_terminal() -> None:
    assert shown(PROPOSAL, 30) == AT_30


def test_a_table_whose_words_do_not_fit_becomes_a_list_a_row() -> None:
    table = Table(
        columns=("Definition", "Latest"),
        rows=(("Fedora-Cloud-43-x64", "43.20261101.0"), ("Fedora-Cloud-Rawhide-Arm64", "46.20261119.0")),
    )
    assert shown(Card(title="2 definitions", tables=(table,)), 44) == (
        "╭────────────────────────────────────────╮\n"
        "│ ℹ 2 definitions                        │\n"
        "│                                        │\n"
        "│ Definition  Fedora-Cloud-43-x64        │\n"
        "│ Latest      43.20261101.0              │\n"
        "│                                        │\n"
        "│ Definition  Fedora-Cloud-Rawhide-Arm64 │\n"
        "│ Latest      46.20261119.0              │\n"
        "╰────────────────────────────────────────╯"
    )


def test_on_a_narrow_terminal_buttons_stand_below_each_other_and_numbers_have_a_name() -> None:
    table = Table(columns=("", "Step"), rows=(("1", "delete-the-version-43.20261101.0"),))
    card = Card(title="Plan", tables=(table,), buttons=(*buttons("op-7k3f"), *buttons("op-8ajd")))
    lines = [line.strip("│ ") for line in shown(card, 34).split("\n")]
    assert lines[-5:-1] == ["[1] Approve", "[2] Reject", "[3] Approve", "[4] Reject"]
    assert any(line.split() == ["#", "1"] for line in lines)


FINGERPRINT = "SHA256:w9JkyiclkkAqpdVT6lpghccZv5xxhEuDBN5Hfbwro08"
COMMAND = "!launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261127.0 --profile small"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("coloured", [True, False])
def test_what_is_to_be_copied_is_broken_at_no_width(width: int, coloured: bool) -> None:
    card = Card(
        tone=Tone.WARNING,
        title=f"Use `{COMMAND}`",
        text=f"Its key is {FINGERPRINT}, as `{COMMAND}` shows.",
        fields=(Field(label="i-13104b60051879c9a ED25519", value=FINGERPRINT),),
        tables=(Table(columns=("Step", "Next"), rows=((f"add {FINGERPRINT} (Ed25519)", f"`{COMMAND}`"),)),),
        notes=(f"Did you mean `{COMMAND}`, or `{COMMAND} --no-ssh`?",),
    )
    board = Board("s1", "console")
    root = board.post(PROPOSAL, thread=None)
    look = renderer(width, colour=coloured)
    for posted in (board.post(card, thread=None), board.post(card, thread=root.id)):
        text = re.sub(r"\x1b\[[0-9;]*m", "", look.message(posted) or "")
        assert text.count(FINGERPRINT) == 3
        assert text.count(COMMAND) == 5
    under_way = board.post(
        Card(tone=Tone.RUNNING, title=f"It is {FINGERPRINT} by now"), thread=None, edits=root.id
    )
    assert FINGERPRINT in (look.message(under_way) or "")


def test_where_a_piece_is_wider_than_the_frame_there_is_none_and_the_rest_is_wrapped() -> None:
    card = Card(
        title="1 key", text="It opens what you launch from now on.", notes=(f"Remove `!x {FINGERPRINT}`",)
    )
    assert shown(card, 30) == (
        "──────────────────────────────\n"
        "ℹ 1 key\n"
        "\n"
        "It opens what you launch from\n"
        "now on.\n"
        "\n"
        "• Remove\n"
        f"`!x {FINGERPRINT}`\n"
        "──────────────────────────────"
    )


def test_a_value_that_has_no_room_beside_its_label_stands_below_it() -> None:
    fields = (
        Field(label="i-13104b60051879c9a ED25519", value=FINGERPRINT),
        Field(label="Ended", value="now"),
    )
    lines = [line.strip("│ ") for line in shown(Card(title="Up", fields=fields), 80).split("\n")]
    assert lines[3:6] == ["i-13104b60051879c9a ED25519", FINGERPRINT, "Ended                        now"]


def test_a_long_label_takes_no_room_from_the_values_of_others() -> None:
    long = Field(label="aws:Fedora-Cloud-42-x64: Deprecation of 42.20261014.0", value="in 30d")
    fields = (long, Field(label="Needs", value="1 approval: Bob"))
    lines = [line.strip("│ ") for line in shown(Card(title="Up", fields=fields), 80).split("\n")]
    assert lines[3:6] == [long.label, "in 30d", "Needs  1 approval: Bob"]


def test_a_wide_terminal_does_not_stretch_a_card() -> None:
    assert max(map(cell_len, shown(PROPOSAL, 300).split("\n"))) <= 120


def test_one_sentence_needs_no_border() -> None:
    assert shown(Card(tone=Tone.FAILED, title="There is no `x`."), 80) == "✘ There is no `x`."


def test_colour_takes_the_place_of_backticks_and_of_nothing_else() -> None:
    coloured = shown(PROPOSAL, 80, colour=True)
    assert "\x1b[33m" in coloured
    assert "Waiting" in coloured
    assert "`" not in coloured


def test_a_headline_sets_off_what_can_be_typed_as_the_rest_does() -> None:
    card = Card(tone=Tone.WARNING, title="You need the right `promote` for this.")
    assert shown(card, 80) == "⚠ You need the right `promote` for this."
    coloured = shown(card, 80, colour=True)
    assert "promote" in coloured
    assert "`" not in coloured


def test_what_stands_in_a_thread_is_set_in_and_marked() -> None:
    board = Board("s1", "console")
    root = board.post(PROPOSAL, thread=None)
    text = renderer(80).message(board.post(Card(tone=Tone.DONE, title="Verified."), thread=root.id))
    assert text == ("  ╭─ ↳ in op-7k3f ─╮\n  │ ✔ Verified.    │\n  ╰────────────────╯")


def test_progress_is_a_line_and_the_end_a_card() -> None:
    board, look = Board("s1", "console"), renderer(80)
    root = board.post(PROPOSAL, thread=None)
    running = Card(tone=Tone.RUNNING, title="Promoting", text="1 of 2 steps")
    texts = [
        look.message(board.post(card, thread=None, edits=root.id))
        for card in (
            running,
            running.model_copy(update={"text": "2 of 2 steps"}),
            running.model_copy(update={"text": "2 of 2 steps"}),
            Card(tone=Tone.DONE, title="Promoted.", text="It launches now."),
        )
    ]
    assert texts[:3] == [
        "▶ Running · op-7k3f: Promoting · 1 of 2 steps",
        "▶ Running · op-7k3f: 2 of 2 steps",
        None,
    ]
    assert texts[3] is not None
    assert texts[3].startswith("╭─ op-7k3f ─")
    assert "It launches now." in texts[3]


def test_a_message_of_an_earlier_session_is_shown_whole_when_it_changes() -> None:
    card = Card(tone=Tone.RUNNING, title="Promoting", text="1 of 2 steps", buttons=buttons("op-7k3f"))
    text = renderer(80).message(Board("s2", "console").post(card, thread=None, edits="s1-9"))
    assert text is not None
    assert "[1] Approve   [2] Reject" in text


def test_lines_said_and_told() -> None:
    look = renderer(80)
    assert look.said("bob", "!approve\x1b[2J") == "bob> !approve\ufffd[2J"
    assert look.narration("Look around.") == "\n— Look around."
    assert look.prompt("alice") == "alice> "


@pytest.mark.parametrize(
    ("variables", "coloured"), [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]
)
def test_no_color_is_respected(
    variables: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    prompt = TerminalRenderer(terminal_console(Terminal())).prompt("alice")
    assert ("32m" in prompt) is coloured


@settings(max_examples=examples(40))
@given(strategies.cards, st.lists(strategies.buttons, max_size=2), st.sampled_from([1, 20, 80]))
def test_no_card_breaks_the_terminal(card: Card, under_it: list[Button], width: int) -> None:
    text = shown(card.model_copy(update={"buttons": tuple(under_it)}), width)
    assert all(character == "\n" or ord(character) >= 32 for character in text)
    assert not any(0x7F <= ord(character) < 0xA0 or 0xD800 <= ord(character) < 0xE000 for character in text)
    wide = [line for line in text.split("\n") if cell_len(line) > max(width, 16)]
    assert not wide or text.lstrip()[0] != "╭"  # what is too wide has no frame that it would break
