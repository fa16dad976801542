"""Announced in the room, over restarts and days; what is held or promoted meanwhile stays."""

from __future__ import annotations

from pathlib import Path

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.support.azure import RAWHIDE, X64, publishing_profile, version_numbers
from tests.support.clock import DAY, HOUR, NOW, FakeClock, FakeUptime
from tests.support.harness import BotHarness, newest_operation, newest_state, propose, running_bot
from tests.support.memory_chat import MemoryChat

ANNOUNCING = {"retention": {"announce": "3d"}}


async def announced(bot: BotHarness) -> list[str]:
    """The versions that the newest plan announces."""
    steps = (await newest_operation(bot)).plan.steps
    return [step.version for step in steps if isinstance(step, AnnounceRemoval)]


async def test_what_goes_is_announced_once_and_goes_days_later_over_a_restart(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    azure = SimulatedAzure(fedora_gallery(NOW), clock=clock)
    await azure.start()
    try:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=ANNOUNCING) as bot:
            held = version_numbers(bot.azure, X64)
            (dry,) = await bot.say("carol", f"!cleanup --dry-run {X64}")
            assert "announce that 4" in dry.text
            assert "Would need: nobody" in dry.text.replace("  ", " ")
            card, report = await bot.say("alice", f"!cleanup {X64}")  # a dry run has announced nothing
            doomed = await announced(bot)
            assert "cleanup: done" in card.card.title
            assert all(not each.buttons for each in card.cards)
            assert f"{len(doomed)} versions of {X64} announced" in card.text
            assert report.thread == card.id
            for number in doomed:
                assert (
                    f"{number} of {X64} is announced to go, not before 2026-11-23 12:00 UTC: it "
                    in report.text
                )
            assert bot.azure.writes == []

            (shown,) = await bot.say("alice", f"!images {X64}/{doomed[0]}")
            assert (
                f"stays until 2026-11-23 12:00 UTC: `!hold {X64}/{doomed[0]} REASON` keeps it." in shown.text
            )

            clock.advance(2 * DAY)
            (waits,) = await bot.say("alice", f"!cleanup {X64}")
            assert waits.card.title == "Nothing to do"
            assert "Announced, and not gone before 2026-11-23 12:00 UTC: " in waits.text
            assert all(number in waits.text for number in doomed)
        chat.listening.clear()
        clock.advance(DAY)
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=ANNOUNCING) as bot:
            card, _ = await propose(bot, f"!cleanup {X64}")
            assert "waits for 1 approval" in card.text
            assert "announced on 2026-11-20" in card.text
            clock.advance(HOUR)  # which changes nothing of what was proposed
            (report,) = await bot.press("bob", Choice.APPROVE, card)
            assert "cleanup: done" in report.card.title
            assert held - version_numbers(bot.azure, X64) == set(doomed)
            (shown,) = await bot.say("carol", f"!cleanup --dry-run {X64}")
            assert "Announced" not in shown.text
    finally:
        await azure.stop()


async def test_what_is_held_meanwhile_is_told_and_has_all_its_time_again(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock, changes=ANNOUNCING) as bot:
        await bot.say("alice", f"!cleanup {X64}")
        first, second, *_ = await announced(bot)
        await bot.say("bob", f"!hold {X64}/{first} it is looked at")
        clock.advance(3 * DAY)
        card, _ = await propose(bot, f"!cleanup {X64}")
        assert f"take back that {first} of {X64} goes" in card.text
        assert "it is not due any more: somebody holds it" in card.text
        await bot.press("bob", Choice.APPROVE, card)
        left = version_numbers(bot.azure, X64)
        assert (first in left, second in left) == (True, False)

        await bot.say("bob", f"!unhold {X64}/{first}")
        again = await bot.say("alice", f"!cleanup {X64}")
        assert "cleanup: done" in again[0].card.title
        assert await announced(bot) == [first]
        assert first in version_numbers(bot.azure, X64)


async def test_a_roll_back_or_a_clock_set_back_before_the_approval_makes_it_stale(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock, changes=ANNOUNCING) as bot:
        await bot.say("alice", f"!cleanup {RAWHIDE}")
        clock.advance(3 * DAY)
        card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
        clock.advance(-3 * HOUR)
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.STALE
        assert "Announced, and not gone before 2026-11-23 12:00 UTC: " in report.text
        assert bot.azure.writes == []

        clock.advance(3 * HOUR)
        card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
        steps = (await newest_operation(bot)).plan.steps
        taken = next(step for step in steps if isinstance(step, DeleteVersion))
        for number in version_numbers(bot.azure, RAWHIDE):  # all that is newer is taken back from latest
            publishing_profile(bot.azure, RAWHIDE, number)["excludeFromLatest"] = number != taken.version
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"no longer planned: delete {taken.version} of {RAWHIDE}" in report.text
        assert taken.version in version_numbers(bot.azure, RAWHIDE)


async def test_what_was_announced_by_a_clock_that_was_behind_has_all_its_time(tmp_path: Path) -> None:
    clock, uptime = FakeClock(NOW - 5 * DAY), FakeUptime()
    async with running_bot(tmp_path, clock=clock, uptime=uptime, changes=ANNOUNCING) as bot:
        await bot.say("alice", f"!cleanup {RAWHIDE}")
        (doomed, *_) = await announced(bot)
        clock.advance(5 * DAY)  # it is set right an hour later
        uptime.advance(HOUR)
        (waits,) = await bot.say("alice", f"!cleanup --dry-run {RAWHIDE}")
        assert f"{doomed} of {RAWHIDE}" in waits.text
        assert "Announced, and not gone before 2026-11-23 11:00 UTC" in waits.text
        assert "delete" not in waits.text
