"""Tables and buttons as a phone can show them."""

from __future__ import annotations

from typing import Any

from slipway.bot.chat.model import Button, Card, Choice, Consequence, Field, Shortcut, Table, TableForm
from slipway.bot.chat.slack.rendering.render import fits, home_blocks, message
from slipway.bot.chat.slack.rendering.tables import COLUMNS_ON_A_PHONE
from slipway.bot.core.steps import Permanence
from slipway.bot.subjects.images.steps import DeleteVersion, SetExcluded
from slipway.bot.subjects.machines.steps import LaunchMachines, TerminateMachine
from tests.slack.simulator.block_kit.blocks import Surface, check_blocks


def table_of(card: Card) -> dict[str, Any]:
    (found,) = (block for block in message(card).blocks if block["type"] == "table")
    return found


def texts(row: list[dict[str, Any]]) -> list[str]:
    return [cell["text"] for cell in row]


def test_numbers_stand_right_and_long_columns_are_wrapped() -> None:
    rows = (("Fedora-Cloud-Rawhide-Arm64", "12", "new"), ("Fedora-Cloud-43-x64", "7", "-"))
    found = table_of(Card(title="x", tables=(Table(columns=("Definition", "All", "State"), rows=rows),)))
    assert found["column_settings"] == [
        {"align": "left", "is_wrapped": True},
        {"align": "right"},
        {"align": "left", "is_wrapped": False},
    ]


def test_no_more_columns_than_a_phone_shows_stand_side_by_side_and_nothing_is_lost() -> None:
    columns = ("ID", "Of", "State", "Type", "Address", "Until")
    rows = (
        ("i-1", "alice", "running", "t3.small", "192.0.2.1", "noon"),
        ("i-2", "bob", "pending", "", "", "-"),
    )
    found = table_of(Card(title="x", tables=(Table(columns=columns, rows=rows),)))
    assert [len(row) for row in found["rows"]] == [COLUMNS_ON_A_PHONE] * 3
    assert texts(found["rows"][0])[-1] == "Type, Address, Until"
    assert texts(found["rows"][1])[-1] == "t3.small · 192.0.2.1 · noon"
    assert texts(found["rows"][2])[-1] == "-"


def test_what_stands_between_folded_columns_makes_no_table_too_large_for_slack() -> None:
    wide = Table(columns=tuple("ABCDEFGHIJKLMNOPQRST"), rows=(("12345",) * 20,) * 75)
    assert check_blocks(message(Card(title="x", tables=(wide,))).blocks, Surface.MESSAGE) == []


def test_a_list_is_read_line_by_line_and_leaves_the_table_to_what_is_compared() -> None:
    commands = Table(columns=("Command", "What"), rows=(("`!status`", "How it is."),), form=TableForm.LIST)
    grid = Table(columns=("A", "B"), rows=(("1", "2"),))
    blocks = message(Card(title="x", tables=(commands, grid, grid))).blocks
    assert [block["type"] for block in blocks] == ["header", "section", "table", "section"]
    assert blocks[1]["text"]["text"] == "`!status` How it is."
    assert blocks[3]["text"]["text"] == "_A · B_\n*1* · 2"


def test_a_long_cell_is_cut_where_the_whole_comes_as_a_file() -> None:
    card = Card(title="x", tables=(Table(columns=("A", "B"), rows=(("1", "why " * 60),)),))
    assert not fits(card)  # so that the whole is attached
    rendered = message(card)
    (found,) = (block for block in rendered.blocks if block["type"] == "table")
    assert len(found["rows"][1][1]["text"]) <= 100
    assert "The attached file has all of it." in str(rendered.blocks)


def proposed(consequence: Consequence) -> Card:
    return Card(
        title="x",
        text="When it is done: all is gone.",
        fields=tuple(Field(label=f"Field {number}", value="x") for number in range(7)),
        tables=(Table(columns=("A", "B"), rows=(("1", "2"),)),),
        notes=("Approve: `!approve op-7k3f`",),
        buttons=tuple(
            Button(
                choice=choice,
                label=choice.value.title(),
                operation_id="op-7k3f",
                digest_prefix="abcdef12",
                consequence=consequence,
            )
            for choice in (Choice.APPROVE, Choice.REJECT)
        ),
    )


def test_buttons_follow_what_has_to_be_known_and_precede_the_rest() -> None:
    blocks = message(proposed(Consequence.ORDINARY)).blocks
    assert [block["type"] for block in blocks] == [
        *("header", "section", "section", "actions", "section", "table", "context")
    ]
    assert len(blocks[2]["fields"]) == 4
    assert "block_id" in blocks[3]


def test_what_ends_something_for_good_looks_like_it() -> None:
    for consequence, style in ((Consequence.ORDINARY, "primary"), (Consequence.ENDING, "danger")):
        (actions,) = (b for b in message(proposed(consequence)).blocks if b["type"] == "actions")
        approve, reject, _ = actions["elements"]
        assert (approve["style"], approve["confirm"]["style"]) == (style, style)
        assert "style" not in reject
    ending = Shortcut(label="Terminate i-1", command="terminate i-1", consequence=Consequence.ENDING)
    (actions,) = (b for b in home_blocks([Card(title="x", shortcuts=(ending,))]) if b["type"] == "actions")
    assert actions["elements"][0]["style"] == "danger"


def test_what_deletes_or_terminates_is_final() -> None:
    assert DeleteVersion.PERMANENCE is TerminateMachine.PERMANENCE is Permanence.FINAL
    assert SetExcluded.PERMANENCE is LaunchMachines.PERMANENCE is Permanence.REVERSIBLE
