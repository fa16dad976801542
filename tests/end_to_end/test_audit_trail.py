"""What the audit trail holds after people talked: who did what to which plan, each thing once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from slipway.bot.chat.model import Choice
from slipway.bot.cli.main import main
from tests.support.azure import ARM, CANDIDATE, X64, simulated_gallery
from tests.support.harness import audit_trail, newest_operation, propose, running_bot
from tests.support.memory_chat import MemoryChat


async def test_a_promotion_leaves_who_asked_who_agreed_to_which_plan_and_what_was_done(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        bot.clock.advance(timedelta(minutes=7))
        await bot.press("bob", Choice.APPROVE, card)
        digest = (await newest_operation(bot)).digest
        written = await audit_trail(bot)

        assert [(entry["actor"], entry["action"]) for entry in written] == [
            ("alice", "proposed"),
            ("bob", "approval"),
            ("bob", "approved"),
            ("slipway", "started"),
            ("slipway", "step-1:begun"),
            ("slipway", "step-1:done"),
            ("slipway", "done"),
        ]
        assert {entry["operation"] for entry in written} == {name}
        assert [entry["detail"].get("digest") for entry in written[:3]] == [digest] * 3
        assert written[5]["detail"]["version"] == CANDIDATE
        assert written[5]["detail"]["definition"] == X64
        assert written[0]["at"].startswith("2026-11-20T12:00")
        assert written[1]["at"].startswith("2026-11-20T12:07")
        assert [entry["number"] for entry in written] == list(range(2, 9))


async def test_reading_and_refusals_leave_nothing_and_decisions_leave_their_reason(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        await bot.say("alice", "!images")
        await bot.say("alice", f"!promote {X64} --dry-run")
        await bot.say("carol", f"!promote {X64}")
        assert await audit_trail(bot) == []
        _, name = await propose(bot)
        await bot.say("bob", f"!reject {name} it does not boot")
        rejection = (await audit_trail(bot))[1]
        assert (rejection["actor"], rejection["action"]) == ("bob", "rejection")
        assert rejection["detail"]["reason"] == "it does not boot"


async def test_a_policy_that_asks_for_nobody_is_named_as_the_reason(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"approvals": 0}}}) as bot:
        await bot.say("alice", f"!promote {ARM}")
        approved = (await audit_trail(bot))[1]
        assert (approved["actor"], approved["action"]) == ("slipway", "approved")
        assert approved["detail"]["why"] == "policy asks for no approval"


async def test_a_restart_doubles_nothing_and_the_operator_can_prove_it(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        chat = MemoryChat()
        async with running_bot(tmp_path, azure=azure, chat=chat) as bot:
            card, _ = await propose(bot)
            await bot.press("bob", Choice.APPROVE, card, event_id="press")
            before = await audit_trail(bot)
        async with running_bot(tmp_path, azure=azure, chat=chat) as bot:
            await bot.running.housekeeping.sweep()
            await bot.press("bob", Choice.APPROVE, card, event_id="press")
            assert await audit_trail(bot) == before
    assert len(azure.writes) == 1


def test_the_operator_is_shown_the_head_and_told_of_a_cut_tail(tmp_path: Path) -> None:
    import asyncio

    from slipway.bot.operations.audit import append
    from slipway.bot.store.database import Database
    from tests.operations.test_audit import entry, tamper

    async def write() -> None:
        database = Database(tmp_path / "slipway.db")
        await database.open()
        for number in (1, 2, 3):
            async with database.writing() as connection:
                await append(connection, entry(number))
        await database.close()

    asyncio.run(write())
    state = ["--state", str(tmp_path)]
    runner = CliRunner()
    whole = runner.invoke(main, ["audit", "verify", *state])
    assert whole.exit_code == 0
    assert "The audit trail holds: 3 entries." in whole.output
    head = whole.output.split("Head: ")[1].strip()
    assert runner.invoke(main, ["audit", "verify", *state, "--expect", head]).exit_code == 0
    shown = runner.invoke(main, ["audit", "show", *state, "op-7k3f"])
    assert len(shown.output.splitlines()) == 2

    tamper(tmp_path, "DELETE FROM audit WHERE number = 3")
    unasked = runner.invoke(main, ["audit", "verify", *state])
    assert unasked.exit_code == 1
    assert "it has 2 entries, and 3 were written" in unasked.output
    cut = runner.invoke(main, ["audit", "verify", *state, "--expect", head])
    assert cut.exit_code != 0
    assert "newer entries were cut off" in cut.output
    tamper(tmp_path, "UPDATE audit SET detail = 'not JSON' WHERE number = 1")
    changed = runner.invoke(main, ["audit", "verify", *state])
    assert changed.exit_code != 0
    assert "entry 1 was changed after it was written" in changed.output


@pytest.fixture
def state(tmp_path: Path) -> list[str]:
    """A state folder with three entries in its trail, as an option."""
    import asyncio

    from slipway.bot.operations.audit import append
    from slipway.bot.store.database import Database
    from tests.operations.test_audit import entry

    async def write() -> None:
        database = Database(tmp_path / "slipway.db")
        await database.open()
        for number in (1, 2, 3):
            async with database.writing() as connection:
                await append(connection, entry(number))
        await database.close()

    asyncio.run(write())
    return ["--state", str(tmp_path)]


@pytest.mark.parametrize("option", ["--expect", "--since"])
@pytest.mark.parametrize("text", ["", " ", "horse", "3f0c9d2b7a615e4", "f" * 65])
def test_a_head_that_can_be_none_is_an_error_of_use_and_no_alarm(
    state: list[str], option: str, text: str
) -> None:
    said = CliRunner().invoke(main, ["audit", "verify", *state, option, text])
    assert said.exit_code == 2
    assert "does not hold" not in said.output
    assert "head" in said.output


def test_the_first_digits_of_a_head_are_enough_in_any_case(state: list[str]) -> None:
    runner = CliRunner()
    head = runner.invoke(main, ["audit", "verify", *state]).output.split("Head: ")[1].strip()
    for text in (head[:16], head[:16].upper(), head.upper()):
        for option in ("--expect", "--since"):
            assert runner.invoke(main, ["audit", "verify", *state, option, text]).exit_code == 0
    for option in ("--expect", "--since"):
        other = runner.invoke(main, ["audit", "verify", *state, option, "1234567890abcdef"])
        assert other.exit_code == 1
        assert "does not hold" in other.output


@pytest.mark.parametrize("name", ["op-7k3f", "op7k3f", "7k3f", "OP-7K3F", " 7K3F "])
def test_the_trail_of_one_operation_is_asked_for_as_people_name_it(state: list[str], name: str) -> None:
    shown = CliRunner().invoke(main, ["audit", "show", *state, name])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) == 2


def test_what_can_be_no_operation_is_an_error_of_use(state: list[str]) -> None:
    said = CliRunner().invoke(main, ["audit", "show", *state, "op-1"])
    assert said.exit_code == 2
    assert "write it like op-7k3f" in said.output
    unknown = CliRunner().invoke(main, ["audit", "show", *state, "zzzz"])
    assert unknown.exit_code == 1
    assert "The trail holds nothing of op-zzzz" in unknown.output
