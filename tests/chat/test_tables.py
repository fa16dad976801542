"""What programs read in tables: the values beside the words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import Card, Choice, Table
from slipway.bot.chat.shared.shorten import shorten
from slipway.bot.chat.tables import Cell, moment, number, span, table_of, text, texts
from tests.support.azure import CANDIDATE, X64
from tests.support.harness import BotHarness, propose, running_bot

BERLIN = datetime(2026, 11, 20, 13, 4, tzinfo=ZoneInfo("Europe/Berlin"))


def test_a_cell_says_in_words_what_its_value_is() -> None:
    row = {
        "id": text("op-7k3f"),
        "none": text(None),
        "person": text("alice", "Alice Archer"),
        "count": number(3),
        "many": texts(("a", "b"), "a and b"),
        "at": moment(BERLIN, "13:04 CET"),
        "never": moment(None, "-"),
        "seconds": span(timedelta(minutes=1.5), "1m30s"),
        "hidden": Cell("", True),
    }
    shown = {name: name.title() for name in row if name != "hidden"}
    table = table_of(shown, [row], title="All")
    assert table.columns == tuple(shown.values())
    assert table.rows == (("op-7k3f", "-", "Alice Archer", "3", "a and b", "13:04 CET", "-", "1m30s"),)
    assert table.values == (
        {
            "id": "op-7k3f",
            "none": None,
            "person": "alice",
            "count": 3,
            "many": ["a", "b"],
            "at": "2026-11-20T12:04:00Z",
            "never": None,
            "seconds": 90.0,
            "hidden": True,
        },
    )
    assert Table.model_validate_json(table.model_dump_json()) == table


def test_a_table_that_loses_rows_loses_their_values() -> None:
    table = table_of({"n": "N"}, [{"n": number(place)} for place in range(100)])
    shorter = shorten(Card(title="x", tables=(table,)), lambda card: len(card.tables[0].rows) < 50)
    (left,) = shorter.tables
    assert len(left.rows) < 50
    assert [value["n"] for value in left.values] == [int(row[0]) for row in left.rows]


async def _values(bot: BotHarness, line: str, table: int = 0) -> list[dict[str, Any]]:
    answer = (await bot.say("alice", line))[-1]
    return list(answer.card.tables[table].values)


async def test_commands_that_list_give_values(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        definitions = {row["definition"]: row for row in await _values(bot, "!images")}
        assert definitions[X64]["to_promote"] == CANDIDATE
        assert type(definitions[X64]["candidates"]) is type(definitions[X64]["versions"]) is int
        assert {row["to_promote"] for row in definitions.values()} >= {None}
        versions = {row["version"]: row for row in await _values(bot, f"!images {X64}")}
        assert versions[CANDIDATE]["is"] == ["candidate"]
        assert isinstance(versions[CANDIDATE]["regions"], list)
        assert datetime.fromisoformat(versions[CANDIDATE]["published"]).tzinfo == UTC

        card, name = await propose(bot)
        (waiting,) = await _values(bot, "!pending")
        assert (waiting["id"], waiting["kind"], waiting["state"]) == (name, "promote", "proposed")
        assert (waiting["requester"], waiting["approvals_missing"]) == ("alice", 1)
        assert datetime.fromisoformat(waiting["expires_at"]) > bot.clock()
        await bot.press("bob", Choice.APPROVE, card)
        (done,) = await _values(bot, "!history")
        assert (done["id"], done["kind"], done["state"]) == (name, "promote", "done")
        assert datetime.fromisoformat(done["asked_at"]) <= datetime.fromisoformat(done["ended_at"])

        (chat,) = await _values(bot, "!status")
        assert (chat["chat"], chat["connected"]) == ("console", True)


async def test_the_steps_of_a_plan_give_their_kinds_and_states(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        planned = await _values(bot, "!cleanup --dry-run")
        assert {row["kind"] for row in planned} == {"delete-version"}
        assert [row["number"] for row in planned] == list(range(1, len(planned) + 1))
        card, whole = await bot.say("alice", "!cleanup")
        assert list(whole.card.tables[0].values) == planned
        assert {row["state"] for row in card.card.tables[0].values} == {"waits"}
        assert all(row["why"] for row in card.card.tables[0].values)
        name = card.card.buttons[0].operation_id
        await bot.press("bob", Choice.APPROVE, card)
        report = bot.chat.report_of(card)
        assert {row["state"] for row in report.card.tables[0].values} == {"done"}
        assert {row["state"] for row in await _values(bot, f"!op {name}")} == {"done"}
