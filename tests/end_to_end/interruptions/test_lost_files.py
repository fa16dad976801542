"""Files of the state folder that are lost: the start names what is missing, and there is a way on."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slipway.bot.chat.model import Choice
from slipway.bot.cli.main import main
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.core.errors import StateError
from slipway.bot.operations.model import OperationState
from tests.operations.test_audit import tamper
from tests.support.azure import ARM, CANDIDATE, X64, simulated_gallery
from tests.support.harness import (
    BotHarness,
    audit_trail,
    inject_fault,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.memory_chat import MemoryChat, PostedMessage


class Place:
    """A state folder, and the world around it that outlives the bot."""

    def __init__(self, folder: Path, azure: SimulatedAzure) -> None:
        self.state = folder / "state"
        self.backup = folder / "backup"
        self.azure = azure
        self.chat = MemoryChat()

    @asynccontextmanager
    async def bot(self, grace: timedelta = timedelta(seconds=10)) -> AsyncIterator[BotHarness]:
        """The bot at work there; both databases know each other by then."""
        async with running_bot(self.state, azure=self.azure, chat=self.chat, grace=grace) as bot:
            await bot.running.upkeep.sweep()
            yield bot

    async def run(self, *words: str) -> Result:
        """What the program says of the folder."""
        return await asyncio.to_thread(CliRunner().invoke, main, [*words, "--state", str(self.state)])

    async def accept(self, *missing: str) -> None:
        """Follow “Lost files” in docs/operating.md."""
        said = await self.run("state", "check")
        assert said.exit_code == 1
        for each in missing:
            assert each in said.output
        assert (await self.run("state", "accept", "--yes")).exit_code == 0
        assert (await self.run("state", "check")).exit_code == 0

    def lose(self, name: str) -> None:
        for file in self.state.glob(f"{name}*"):
            file.unlink()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with simulated_gallery() as azure:
        yield Place(tmp_path, azure)


async def stopped_at_work(place: Place, fault: FaultKind) -> tuple[PostedMessage, str]:
    """A bot that was stopped while its write was held; the card, and its operation's id."""
    async with place.bot(grace=timedelta()) as bot:
        card, name = await propose(bot)
        held = inject_fault(bot, fault, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
    place.azure.faults.clear()
    return card, name


async def refused(place: Place) -> str:
    """What the start says that refuses."""
    with pytest.raises(StateError, match="something is missing") as refusal:
        async with place.bot():
            pass
    assert "slipway state accept" in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("fault", "writes"),
    [
        (FaultKind.HOLD_BEFORE, 2),
        (FaultKind.HOLD_AFTER, 1),
    ],  # the held request is handled when it is released
)
async def test_without_workflows_db_the_start_says_so_and_a_run_under_way_is_carried_on_when_that_is_accepted(
    place: Place, fault: FaultKind, writes: int
) -> None:
    card, name = await stopped_at_work(place, fault)
    place.lose("workflows.db")
    assert "workflows.db is gone" in await refused(place)

    await place.accept("workflows.db is gone")
    async with place.bot() as bot:
        await bot.running.workflows.idle()
        assert await newest_state(bot) is OperationState.DONE
        assert bot.excluded(X64, CANDIDATE) is False
        assert "done" in card.card.title
        trail = await audit_trail(bot)
        (loss,) = [entry for entry in trail if entry["action"] == "loss accepted"]
        assert "workflows.db is gone" in str(loss["detail"]["missing"])
        (asked_again,) = await bot.say("alice", f"!op {name}")
        assert "done" in asked_again.card.title
    assert len(place.azure.writes) == writes


async def test_a_run_that_no_workflow_knows_is_carried_on_at_the_next_start(place: Place) -> None:
    """Such as where the last moments of workflows.db were lost, which no note tells."""
    await stopped_at_work(place, FaultKind.HOLD_AFTER)
    with sqlite3.connect(place.state / "workflows.db") as file:
        file.execute("DELETE FROM workflow_status WHERE workflow_uuid LIKE 'do:%'")
    async with place.bot() as bot:
        await bot.running.workflows.idle()
        assert await newest_state(bot) is OperationState.DONE
    assert len(place.azure.writes) == 1


@pytest.mark.parametrize("held_now", [None, b"", b"another\n", b"\xff\x00"])
async def test_what_is_under_way_goes_on_though_the_id_of_who_began_it_is_lost(
    place: Place, held_now: bytes | None
) -> None:
    await stopped_at_work(place, FaultKind.HOLD_AFTER)
    place.lose("executor-id")
    if held_now is not None:
        (place.state / "executor-id").write_bytes(held_now)
    for _ in range(2):
        async with place.bot() as bot:
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.DONE
    assert len(place.azure.writes) == 1


def emptied(folder: Path) -> None:
    (folder / "slipway.db").write_bytes(b"")


def deleted_rows(folder: Path) -> None:
    tamper(
        folder, "DELETE FROM audit", "DELETE FROM vote", "DELETE FROM operation", "DELETE FROM installation"
    )


LOST_DATABASES = {
    "gone": lambda folder: (folder / "slipway.db").unlink(),
    "of no bytes": emptied,
    "of no rows": deleted_rows,
}


@pytest.mark.parametrize("lose", LOST_DATABASES.values(), ids=LOST_DATABASES)
async def test_without_slipway_db_nothing_begins_anew_in_silence(place: Place, lose: object) -> None:
    async with place.bot() as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await bot.running.upkeep.sweep()
        entries = len(await audit_trail(bot)) + 1  # that of the start
    assert callable(lose)
    lose(place.state)
    said = await refused(place)
    assert "slipway.db is gone, empty or another one" in said
    assert f"{entries} entries" in said
    verified = await place.run("audit", "verify")
    assert verified.exit_code == 1

    (place.state / "slipway.db").unlink(missing_ok=True)
    await place.accept("operations, votes and the audit trail")
    async with place.bot() as bot:
        (first,) = await audit_trail(bot)
        assert first["action"] == "loss accepted"
        await propose(bot, f"!promote {ARM}")  # and life goes on
        assert (await newest_operation(bot)).state is OperationState.PROPOSED
    assert (await place.run("audit", "verify")).exit_code == 0


async def test_both_databases_gone_are_told_too(place: Place) -> None:
    async with place.bot():
        pass
    place.lose("slipway.db")
    place.lose("workflows.db")
    said = await refused(place)
    assert "slipway.db is gone" in said
    assert "workflows.db is gone" in said
    await place.accept("slipway.db is gone", "workflows.db is gone")
    async with place.bot() as bot:
        assert len(await audit_trail(bot)) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slipway.db", "slipway.db is older than workflows.db"),
        ("workflows.db", "workflows.db is older than slipway.db"),
    ],
)
async def test_one_database_from_a_backup_and_the_other_of_today_are_told_apart(
    place: Place, name: str, said: str
) -> None:
    async with place.bot():
        pass
    shutil.copytree(place.state, place.backup)
    async with place.bot() as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await bot.running.upkeep.sweep()
    place.lose(name)
    shutil.copy(place.backup / name, place.state / name)
    assert said in await refused(place)

    shutil.rmtree(place.state)
    shutil.copytree(place.backup, place.state)  # both from one backup
    async with place.bot() as bot:
        assert await audit_trail(bot) == []


async def test_a_write_ahead_log_that_is_lost_is_told_however_little_it_held(place: Place) -> None:
    async with place.bot() as bot:
        shutil.copytree(
            place.state, place.backup, ignore=shutil.ignore_patterns("*.sock")
        )  # as a crash leaves it: nothing was written back yet
        card, name = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
    place.lose("slipway.db")
    for file in place.backup.glob("slipway.db*"):
        shutil.copy(file, place.state / file.name)
    assert f"slipway.db lacks operations that workflows.db carries out: {name}" in await refused(place)


async def test_two_installations_are_told_apart(place: Place, tmp_path: Path) -> None:
    async with place.bot():
        pass
    other = Place(tmp_path / "other", place.azure)
    async with other.bot():
        pass
    place.lose("workflows.db")
    shutil.copy(other.state / "workflows.db", place.state / "workflows.db")
    assert "slipway.db and workflows.db belong to two installations" in await refused(place)


async def test_a_cut_trail_is_told_by_what_the_other_database_noted(place: Place) -> None:
    async with place.bot() as bot:
        _, name = await propose(bot)
        await bot.say("bob", f"!reject {name} it does not boot")
        await bot.running.upkeep.sweep()
    assert (await place.run("audit", "verify")).exit_code == 0
    tamper(
        place.state,
        "DELETE FROM audit",
        "DELETE FROM vote",
        "DELETE FROM operation",
        "UPDATE audit_head SET entries = 0, head = previous FROM (SELECT printf('%064d', 0) AS previous)",
    )
    cut = await place.run("audit", "verify")
    assert cut.exit_code == 1
    assert "entry 4 was noted with the head" in cut.output
    assert "it has 0 entries of the 4 that there were" in await refused(place)


async def test_nothing_is_accepted_that_nobody_said_yes_to_or_while_the_bot_runs(place: Place) -> None:
    async with place.bot():
        running = await place.run("state", "accept", "--yes")
        assert running.exit_code == 1
        assert "already works on" in running.output
        assert running.output.endswith("Stop it first.\n")  # no folder of one's own would help
    assert "Nothing is missing" in (await place.run("state", "accept")).output
    place.lose("workflows.db")
    unsaid = await place.run("state", "accept")  # and no answer on its standard input
    assert unsaid.exit_code == 1
    assert (await place.run("state", "check")).exit_code == 1


@pytest.mark.parametrize("words", [("check",), ("accept", "--yes")], ids=lambda words: words[0])
def test_where_no_bot_has_worked_yet_nothing_is_said_to_be_whole_or_accepted(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    typo = tmp_path / "typo"
    file = tmp_path / "slipway.toml"
    file.write_text(f'state_dir = "{typo}"\n')
    said = CliRunner().invoke(main, ["state", *words, "--config", str(file)])
    assert said.exit_code == 1
    assert f"There is no state in {typo} yet: there is no such folder." in said.output
    assert not typo.exists()
    typo.mkdir()
    said = CliRunner().invoke(main, ["state", *words, "--config", str(file)])
    assert (said.exit_code, "yet: it holds no database." in said.output) == (1, True)
    assert list(typo.iterdir()) == []
