"""What stops the next wave, who hears of it, and how it goes on; and what goes on meanwhile."""

from __future__ import annotations

import asyncio
import re

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.evidence.store import EvidenceStore
from slipway.bot.subjects.images.replication.reach import reach_of
from slipway.bot.subjects.images.replication.settings import ReplicationSettings
from tests.images.builders import version
from tests.images.evidence.facts import BOOT, FAILED, evidence
from tests.images.replication.world import EVERYWHERE, HOURS, WAVES, World, world
from tests.support.azure import ARM, X64
from tests.support.harness import BotHarness, newest_operation, propose

__all__ = ["world"]

ONE_MOVED = ["43.2.0", "43.1.0", "43.1.0"]


async def promotion(bot: BotHarness) -> Operation:
    """The newest promotion."""
    recent = await bot.running.services.operations.recent(9)
    return next(each for each in recent if each.kind == "promote")


async def said(bot: BotHarness, who: str, line: str) -> None:
    """Say something that is done, while a promotion waits."""
    before = len(bot.messages)
    await bot.say(who, line, wait=False)
    await bot.until(lambda: any(": done" in each.card.title for each in bot.messages[before:]))


@pytest.mark.parametrize(
    ("stops", "why", "lifts"),
    [
        (f"!bad {X64}/43.2.0 hangs at boot", "bad: hangs at boot", f"!good {X64}/43.2.0 it was the host"),
        (f"!hold {X64} a freeze", f"43.2.0 of {X64} is held by Bob (a freeze)", f"!unhold {X64}"),
    ],
)
async def test_what_speaks_against_it_stops_the_next_wave_and_once_lifted_it_goes_on_from_there(
    world: World, stops: str, why: str, lifts: str
) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES) as bot:
        card = await world.begin(bot, hours=10)
        await said(bot, "bob", stops)
        await world.end(bot)
        stopped = await promotion(bot)
        assert stopped.state in (OperationState.FAILED, OperationState.STALE)
        report = world.chat.report_of(card)
        assert why in report.text
        assert "For alice" in report.text  # whoever asked is told
        assert "• Next: `!" in report.text
        assert world.latest() == ONE_MOVED
        (owed,) = await bot.say("alice", "!regions")
        assert f"`!promote {X64}/43.2.0`" in owed.text
        await bot.say("bob", lifts)
        again, _ = await propose(bot, f"!promote {X64}/43.2.0")
        assert "wave second: westeurope" in again.text
        assert "wave first" not in again.text
        assert re.search(r"Promoted already: +eastus\n", again.text)
        assert "Latest in southeastasia and westeurope: 43.1.0 → 43.2.0" in again.text
        writes = len(world.azure.writes)
        await bot.press("bob", Choice.APPROVE, again)
        assert (await newest_operation(bot)).state is OperationState.DONE
        assert world.latest() == ["43.2.0"] * 3
        assert len(world.azure.writes) == writes + 2


async def test_a_freeze_stops_the_next_wave_and_it_goes_on_from_there_when_that_is_over(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES) as bot:
        card = await world.begin(bot, hours=10)
        await said(bot, "bob", "!freeze release week")
        world.passing.go_on()
        await bot.until(lambda: "stands still. Bob froze all changes until somebody ends that" in card.text)
        assert world.latest() == ONE_MOVED
        await said(bot, "bob", "!unfreeze it is out")
        await bot.running.housekeeping.sweep()
        await world.end(bot)
        assert (await promotion(bot)).state is OperationState.DONE
        assert world.latest() == ["43.2.0"] * 3


async def test_a_boot_test_that_fails_between_waves_stops_the_next_though_no_rule_asks_for_it(
    world: World,
) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES) as bot:
        store = EvidenceStore(bot.running.database)
        card = await world.begin(bot, hours=10)
        await store.record(evidence(BOOT, FAILED, version="43.2.0", summary="no address"))
        await world.end(bot)
        assert world.latest() == ONE_MOVED
        report = world.chat.report_of(card).text
        assert f"43.2.0 of {X64} failed its boot test (no address), after this was planned" in report
        again, _ = await propose(bot, f"!promote {X64}/43.2.0")
        assert "failed: boot test" in again.text
        await bot.press("bob", Choice.APPROVE, again)
        assert world.latest() == ["43.2.0"] * 3


async def test_where_the_right_to_a_lock_is_missing_the_next_waves_go_on_and_it_is_said_in_the_end(
    world: World,
) -> None:
    world.azure.conditions = world.azure.conditions.model_copy(update={"lock_rights": False})
    protected = {"promotion": {"*": {"protect": True}}, "azure": {"protection": "lock"}}
    async with world.bot(WAVES, **protected) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await world.end(bot)
        assert world.latest() == ["43.2.0"] * 3
        assert (await promotion(bot)).state is OperationState.FAILED
        assert "Microsoft.Authorization/locks/write" in world.chat.report_of(card).text


async def test_a_rollback_between_waves_touches_only_what_moved(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES, policy={"rollback": {"approvals": 0}}) as bot:
        await world.begin(bot, hours=10)
        before = world.azure.snapshot()["definitions"][X64]["versions"]["43.1.0"]
        writes = len(world.azure.writes)
        await bot.say("bob", f"!rollback {X64}", wait=False)
        await bot.until(lambda: world.latest() == ["43.1.0"] * 3)
        await world.end(bot)
        assert {entry.path.rsplit("/", 1)[1] for entry in world.azure.writes[writes:]} == {"43.2.0"}
        assert world.azure.snapshot()["definitions"][X64]["versions"]["43.1.0"] == before


async def test_a_cancel_in_a_wait_holds_over_a_restart_and_others_go_on_meanwhile(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES, policy={"promote": {"approvals": 0}}) as bot:
        world.pauses_after(10)
        await bot.say("alice", f"!promote {X64}", wait=False)
        await world.passing.stopped.wait()
        assert world.latest() == ONE_MOVED
        name = (await promotion(bot)).id
        for line in (f"!promote {X64}", "!promote --due --dry-run", f"!promote {X64}/43.2.0"):
            before = len(bot.messages)  # another promotion would not wait until the wave has baked
            await bot.say("bob", line, wait=False)
            told = f"{name} is promoting 43.2.0 of {X64} already"
            await bot.until(lambda: any(told in each.text for each in bot.messages[before:]))  # noqa: B023
        await said(bot, "alice", f"!promote {ARM}")  # nothing of it waits
        assert world.azure.latest(ARM, "eastus") == "43.2.0"
        async with asyncio.timeout(20):  # nor does a script wait for it, or whoever stops the bot
            await bot.running.workflows.quiet()
        await bot.say("alice", f"!cancel {name}", wait=False)
        await bot.until(lambda: any("Stopped by" in each.text for each in bot.messages))
    async with world.bot(WAVES) as bot:
        await world.end(bot)
        stopped = await bot.running.services.operations.get(name)
        assert stopped.state is OperationState.CANCELLED
        assert world.latest() == ONE_MOVED
        (owed,) = await bot.say("alice", "!regions")
        assert "Its waves did not come to their end" in owed.text


def test_a_candidate_goes_through_all_waves_and_is_taken_off_no_region() -> None:
    wanted = ReplicationSettings.model_validate(WAVES[X64])
    found = reach_of(version("43.2.0", regions=EVERYWHERE), wanted)
    assert found is not None
    assert ([wave.name for wave in found.waves], found.left) == (["first", "second"], ())
    half = reach_of(version("43.2.0", regions={name: name != "eastus" for name in EVERYWHERE}), wanted)
    assert half is not None
    assert [wave.name for wave in half.waves] == ["second"]
