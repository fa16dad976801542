"""What a promotion left out in a region is tried again by itself, in the room, with injected time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipway.bot.chat.model import Choice
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.replication.debts import debt_lines
from slipway.bot.subjects.images.services import ImageServices
from tests.images.replication.world import COPIED, EVERYWHERE, HOURS, World, world
from tests.support.azure import X64
from tests.support.clock import HOUR
from tests.support.harness import BotHarness, newest_operation, propose
from tests.support.memory_chat import PostedMessage

__all__ = ["world"]

TOLD: dict[str, Any] = {"commands": {"room": "console:console"}}
FAILS = HOURS.model_copy(update={"fails": {"westeurope": 99}, "details": "No capacity."})


async def later(bot: BotHarness, world: World, hours: float) -> None:
    """So much time passes, and the bot looks after what it has to."""
    world.clock.advance(timedelta(hours=hours))
    world.uptime.advance(timedelta(hours=hours))
    await bot.running.upkeep.sweep()
    await bot.running.idle()


async def waive(bot: BotHarness) -> Operation:
    """Promote without westeurope, whose copy fails."""
    card, _ = await propose(bot, f"!promote --without westeurope {X64} no capacity this week")
    await bot.press("bob", Choice.APPROVE, card)
    return await newest_operation(bot)


def card_of(bot: BotHarness, operation: Operation) -> PostedMessage:
    """The first message that shows an operation."""
    return next(
        each
        for each in bot.messages
        if each.card.operation is not None and each.card.operation.id == operation.id
    )


def texts(bot: BotHarness) -> str:
    return "\n".join(message.text for message in bot.messages)


async def test_it_comes_by_itself_in_the_thread_of_the_promotion_and_names_who_agreed(world: World) -> None:
    world.copying(FAILS)
    async with world.bot(COPIED, **TOLD) as bot:
        promotion = await waive(bot)
        assert promotion.state is OperationState.DONE
        await later(bot, world, 0.2)
        assert "43.2.0 of Fedora-Cloud-43-x64: westeurope" in bot.messages[-1].text
        assert "It is tried again from" in bot.messages[-1].text
        told = bot.messages[-1]
        await later(bot, world, 1)
        failed = await newest_operation(bot)
        assert (failed.kind, failed.requester) == ("region-retry", "service:regions")
        assert failed.state is OperationState.FAILED
        assert world.latest() == ["43.2.0", "43.2.0", "43.1.0"]
        assert f"That was agreed to in {promotion.id}." in failed.plan.summary
        assert dict(failed.plan.evidence)["Agreed to in"] == f"{promotion.id}, by Bob"
        assert card_of(bot, failed).thread == card_of(bot, promotion).id
        world.copying(HOURS)
        before = len(bot.messages)
        await later(bot, world, 1)  # not yet: twice as long after a try
        assert len(bot.messages) == before
        await later(bot, world, 1)
        assert (await newest_operation(bot)).state is OperationState.DONE
        assert world.latest() == ["43.2.0"] * 3
        await later(bot, world, 1)
        assert "Every promoted version is where it is wanted" in told.text
        services = bot.running.services.get(ImageServices)
        assert await debt_lines(services.replication.debts, "!") == ()


async def test_a_restart_in_the_hours_of_a_try_goes_on_with_it(world: World) -> None:
    world.copying(HOURS.model_copy(update={"fails": {"westeurope": 2}}))
    async with world.bot(COPIED) as bot:
        await waive(bot)
        started = world.hours() + 1
        world.pauses_after(started + 1)
        world.clock.advance(HOUR)
        world.uptime.advance(HOUR)
        await bot.running.upkeep.sweep()
        await world.passing.stopped.wait()
        assert world.latest() == ["43.2.0", "43.2.0", "43.1.0"]
    async with world.bot(COPIED) as bot:
        operation = await world.end(bot)
        assert (operation.kind, operation.state) == ("region-retry", OperationState.DONE)
        assert world.latest() == ["43.2.0"] * 3


async def test_what_was_rolled_back_is_owed_no_more_and_ends_what_waits_for_its_copies(world: World) -> None:
    world.copying(HOURS.model_copy(update={"fails": {"westeurope": 4}}))
    async with world.bot(COPIED, policy={"rollback": {"approvals": 0}}, **TOLD) as bot:
        await waive(bot)
        world.pauses_after(world.hours() + 1.5)
        world.clock.advance(HOUR)
        world.uptime.advance(HOUR)
        await bot.running.upkeep.sweep()
        await world.passing.stopped.wait()
        await bot.say("bob", f"!rollback {X64}", wait=False)
        await bot.until(lambda: world.latest() == ["43.1.0"] * 3)
        await world.end(bot)
        assert "was taken back, so nothing is owed of it any more" in texts(bot)
        before = len(world.azure.writes)
        await later(bot, world, 48)
        assert len(world.azure.writes) == before
        assert world.latest() == ["43.1.0"] * 3
        (none,) = await bot.say("alice", "!regions")
        assert "Every promoted version is where it is wanted" in none.text


async def test_a_hold_lets_it_wait_and_a_new_region_is_asked_for_and_not_done(world: World) -> None:
    world.copying(FAILS)
    async with world.bot(COPIED, **TOLD) as bot:
        await waive(bot)
        await bot.say("bob", f"!hold --for 2d {X64} a freeze")
        world.copying(HOURS)
        before = len(world.azure.writes)
        await later(bot, world, 5)
        assert "It waits, since the version is held by Bob" in texts(bot)
        said = len(bot.messages)
        await bot.running.problems.sweep()
        await bot.running.problems.idle()
        assert len(bot.messages) == said, "one message tells of it, and the list names it, too"
        (problems,) = await bot.say("alice", "!problems")
        assert f"43.2.0 of {X64} is owed in westeurope." in problems.text
        (refused,) = await bot.say("alice", f"!region retry {X64}")
        assert "Nothing to try again" in refused.text
        assert len(world.azure.writes) == before
    more = {X64: {"regions": [*EVERYWHERE, "uksouth"]}}
    async with world.bot(more, **TOLD) as bot:
        await later(bot, world, 48)
        assert world.latest() == ["43.2.0"] * 3  # the hold is over
        assert world.azure.latest(X64, "uksouth") is None
        await later(bot, world, 1)
        assert "uksouth has none. Nobody has agreed to that yet: `!promote" in texts(bot)
        writes = len(world.azure.writes)
        await later(bot, world, 24)
        assert len(world.azure.writes) == writes
        card, _ = await propose(bot, f"!promote {X64}")
        assert f"43.2.0 of {X64}, promoted before, is in uksouth, too." in card.text
        await bot.press("bob", Choice.APPROVE, card)
        assert world.azure.latest(X64, "uksouth") == "43.2.0"


async def test_after_a_good_week_it_is_somebodys_move(world: World) -> None:
    world.copying(FAILS)
    async with world.bot(COPIED, **TOLD) as bot:
        await waive(bot)
        for _ in range(14):
            await later(bot, world, 25)
        operations = await bot.running.services.operations.recent(50)
        assert sum(each.kind == "region-retry" for each in operations) == 10
        assert (
            f"It was tried 10 times by itself, and is not any more: look why, then `!region retry {X64}`"
            in (texts(bot))
        )
        world.copying(HOURS)
        await bot.say("alice", f"!region retry {X64}")
        assert world.latest() == ["43.2.0"] * 3


async def test_where_policy_asks_it_asks(world: World) -> None:
    world.copying(FAILS)
    asked = {"policy": {"region-retry": {"approvals": 1, "role": "releng"}}}
    async with world.bot(COPIED, **asked) as bot:
        await waive(bot)
        await later(bot, world, 2)
        operation = await newest_operation(bot)
        assert (operation.kind, operation.state) == ("region-retry", OperationState.PROPOSED)
        await bot.say("bob", f"!reject {operation.id} not this week")
        await later(bot, world, 48)
        assert (await newest_operation(bot)).id == operation.id
        (owed,) = await bot.say("alice", "!regions")
        assert f"{operation.id} was stopped, so it is not tried by itself any more" in owed.text
