"""A promotion that copies to regions for hours and goes by waves, in the room, with injected time and restarts."""

from __future__ import annotations

from slipway.bot.chat.model import Choice
from slipway.bot.operations.model import OperationState
from tests.images.replication.world import COPIED, EVERYWHERE, HOURS, WAVES, World, world
from tests.support.azure import ARM, X64
from tests.support.clock import HOUR
from tests.support.harness import audit_trail, newest_operation, propose

__all__ = ["world"]


async def test_copies_of_hours_come_first_over_a_restart_and_then_the_flag(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(COPIED) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        assert "43.1.0 → 43.2.0" in card.text
        assert "to eastus, southeastasia and westeurope, now in eastus" in card.text
        world.pauses_after(1)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await world.passing.stopped.wait()
        await bot.until(lambda: "southeastasia replicates, 25 %; westeurope replicates, 50 %" in card.text)
        assert world.latest() == ["43.1.0"] * 3
    before = len(world.azure.writes)
    world.clock.advance(HOUR)
    world.uptime.advance(HOUR)
    async with world.bot(COPIED) as bot:
        operation = await world.end(bot)
    assert operation.state is OperationState.DONE, operation.outcome
    assert world.latest() == ["43.2.0"] * 3
    assert 4 <= world.hours() < 5
    assert len(world.azure.writes) == before + 1  # the copies were begun once
    assert "Latest is 43.2.0 in all 3 regions." in world.chat.report_of(card).text


async def test_a_region_that_fails_is_copied_again_and_then_named(world: World) -> None:
    world.copying(HOURS.model_copy(update={"fails": {"westeurope": 1}, "details": "No capacity."}))
    async with world.bot(COPIED) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        assert (await newest_operation(bot)).state is OperationState.DONE
        assert world.latest() == ["43.2.0"] * 3


async def test_a_region_that_keeps_failing_is_named_and_nothing_is_promoted(world: World) -> None:
    world.copying(HOURS.model_copy(update={"fails": {"westeurope": 9}, "details": "No capacity."}))
    async with world.bot(COPIED) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        report = world.chat.report_of(card)
        assert "were made 3 times and are not complete: westeurope failed (“No capacity.”)" in report.text
        assert "With a reason, it is promoted elsewhere: `--without westeurope`." in report.text
        assert world.latest() == ["43.1.0"] * 3
        # Left out, it is owed, and the next promotion copies to it besides.
        (refused,) = await bot.say("alice", f"!promote --without westeurop {X64} it fails")
        assert "westeurop is no region of [replication]" in refused.text
        (silent,) = await bot.say("alice", f"!promote --without westeurope {X64}")
        assert "Say why, behind the image" in silent.text
        card, name = await propose(bot, f"!promote --without westeurope {X64} no capacity there this week")
        assert "westeurope is left out, since no capacity there this week." in card.text
        await bot.press("bob", Choice.APPROVE, card)
        ended = next(each for each in await audit_trail(bot) if each["key"].endswith(f"{name}:done"))
        assert "Without westeurope: no capacity there this week" in ended["detail"]["summary"]
        assert world.latest() == ["43.2.0", "43.2.0", "43.1.0"]
        (overview,) = await bot.say("carol", "!images")
        assert "43.2.0 (older in some regions)" in overview.text
        (owed,) = await bot.say("alice", "!regions")
        assert "westeurope replicates, 0 %" in owed.text  # each write has the cloud try again
        assert f"`!region retry {X64}`" in owed.text
        world.copying(HOURS)
        card, _ = await propose(bot, f"!promote {X64}")
        assert f"43.2.0 of {X64}, promoted before, is in westeurope, too." in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert world.latest() == ["43.2.0"] * 3
        (owed,) = await bot.say("alice", "!regions")
        assert "Every promoted version is where it is wanted" in owed.text


async def test_a_version_that_its_cloud_calls_failed_for_one_region_is_promoted_without_it(
    world: World,
) -> None:
    world.copying(
        HOURS.model_copy(update={"ends_updates": True, "fails": {"westeurope": 9}, "details": "No capacity."})
    )
    async with world.bot(COPIED) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        assert "`--without westeurope`" in world.chat.report_of(card).text
        (refused,) = await bot.say("alice", f"!promote {X64}/43.2.0")
        assert "is Failed, not Succeeded" in refused.text
        (refused,) = await bot.say("alice", f"!promote --without southeastasia {X64}/43.2.0 another one")
        assert "is Failed, not Succeeded" in refused.text
        card, _ = await propose(bot, f"!promote --without westeurope {X64} no capacity there")
        assert f"take 43.2.0 of {X64} off westeurope" in card.text
        assert "its copy failed there" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert (await newest_operation(bot)).state is OperationState.DONE
        assert world.latest() == ["43.2.0", "43.2.0", "43.1.0"]
        assert (
            "43.2.0 in eastus and southeastasia and 43.1.0 in westeurope" in world.chat.report_of(card).text
        )
        world.copying(HOURS)
        await bot.say("alice", f"!region retry {X64}")
        assert world.latest() == ["43.2.0"] * 3


async def test_a_region_that_is_configured_newly_is_owed_and_a_rollback_takes_that_with_it(
    world: World,
) -> None:
    async with world.bot(COPIED, policy={"rollback": {"approvals": 0}, "promote": {"approvals": 0}}) as bot:
        await bot.say("bob", f"!promote {X64}")
        assert world.latest() == ["43.2.0"] * 3
    more = {X64: {"regions": [*EVERYWHERE, "uksouth"]}}
    async with world.bot(more, policy={"rollback": {"approvals": 0}, "promote": {"approvals": 0}}) as bot:
        (owed,) = await bot.say("alice", "!regions")
        assert "43.2.0" in owed.text
        assert "uksouth has none" in owed.text
        await bot.say("bob", f"!rollback {X64}")
        (owed,) = await bot.say("alice", "!regions")
        assert "43.2.0" not in owed.text
        assert "43.1.0" in owed.text
        await bot.say("bob", "!promote --due")
        assert world.azure.latest(X64, "uksouth") == "43.1.0"
        assert world.azure.latest(ARM, "uksouth") is None


async def test_waves_follow_each_other_with_time_between_over_restarts(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES) as bot:
        card = await world.begin(bot, hours=10)
        assert world.latest() == ["43.2.0", "43.1.0", "43.1.0"]
        await bot.until(lambda: "wave first bakes until 2026-11-21 16:" in card.text)
    async with world.bot(WAVES) as bot:
        world.pauses_after(29)
        await world.passing.stopped.wait()
        assert world.latest() == ["43.2.0", "43.1.0", "43.2.0"]
        operation = await world.end(bot)
    assert operation.state is OperationState.DONE, operation.outcome
    assert world.latest() == ["43.2.0"] * 3
    assert 30 <= world.hours() < 32


async def test_a_rollback_in_between_goes_through_and_stops_the_next_wave(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(WAVES, policy={"rollback": {"approvals": 0}}) as bot:
        await world.begin(bot, hours=10)
        await bot.say("bob", f"!rollback {X64}", wait=False)
        await bot.until(lambda: world.latest() == ["43.1.0"] * 3)
        await world.end(bot)
        texts = "\n".join(message.text for message in world.chat.messages)
    assert "was rolled back after this was planned" in texts
    assert world.latest() == ["43.1.0"] * 3


async def test_whoever_stops_it_need_not_wait_for_hours(world: World) -> None:
    world.copying(HOURS)
    async with world.bot(COPIED) as bot:
        card, name = await propose(bot, f"!promote {X64}")
        world.pauses_after(1)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await world.passing.stopped.wait()
        await bot.say("alice", f"!cancel {name}", wait=False)
        await bot.until(lambda: "Stopped by" in card.text)
        operation = await world.end(bot)
    assert operation.state is OperationState.CANCELLED
    assert operation.outcome is not None
    assert "1 of 3 steps were done, the others were not begun" in operation.outcome.summary
    assert world.latest() == ["43.1.0"] * 3
    assert world.hours() < 2


async def test_several_definitions_are_copied_at_the_same_time(world: World) -> None:
    world.copying(HOURS)
    async with world.bot({"Fedora-Cloud-43-*": COPIED[X64]}) as bot:
        card, _ = await propose(bot, "!promote Fedora-Cloud-43-*")
        await bot.press("bob", Choice.APPROVE, card)
        assert (await newest_operation(bot)).state is OperationState.DONE
    assert [*world.latest(X64), *world.latest(ARM)] == ["43.2.0"] * 6
    assert world.hours() < 5
