"""What people see of schedules, run by hand, and pause, in the whole bot with the time injected."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.subjects.schedules.model import Fate, LastRun
from slipway.bot.subjects.schedules.services import ScheduleServices
from tests.scheduler.test_schedules import ScheduledBot
from tests.support.clock import NOW, FakeClock
from tests.support.harness import audit_trail, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

NINE = (NOW + timedelta(days=1)).replace(hour=9)

LISTING = {
    "name": "daily-list",
    "cron": "0 9 * * *",
    "command": "images Fedora-Cloud-4*",
    "room": "console:console",
    "roles": ["reader"],
}
PROMOTION = {
    **LISTING,
    "name": "weekly-promotion",
    "cron": "0 9 * * mon",
    "command": "promote *",
    "roles": ["releng"],
}


@asynccontextmanager
async def scheduled(
    folder: Path, clock: FakeClock, chat: MemoryChat, **more: Any
) -> AsyncIterator[ScheduledBot]:
    changes = {
        "schedule": [LISTING, PROMOTION],
        "roles": {"reader": {"may": ["read", "schedule.run"]}},
        **more,
    }
    azure = SimulatedAzure(fedora_gallery(NOW), clock=clock)
    await azure.start()
    try:
        async with running_bot(folder, changes=changes, clock=clock, chat=chat, azure=azure) as bot:
            await bot.running.idle()
            yield ScheduledBot(bot.running, bot.chat, bot.clock, bot.azure)
    finally:
        await azure.stop()


def table(message: PostedMessage) -> list[list[str]]:
    return [list(row) for row in message.card.tables[0].rows]


async def problems(bot: ScheduledBot) -> list[str]:
    await bot.running.problems.idle()  # what a look saw that began before is old
    await bot.running.problems.sweep()
    await bot.running.problems.idle()
    return sorted(each.found.key for each in await bot.running.services.problems.open_problems())


async def test_a_pause_is_seen_survives_a_restart_and_ends_by_itself(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    until = NINE + timedelta(days=2, hours=-1)

    async with scheduled(tmp_path, clock, chat) as bot:
        (before,) = await bot.say("carol", "!schedules")
        assert table(before) == [
            ["daily-list", "-", "Sat 21 Nov 09:00, in 21h"],
            ["weekly-promotion", "-", "Mon 23 Nov 09:00, in 2d21h"],
        ]
        await bot.at(NINE)
        (seen,) = await bot.say("carol", "!schedules")
        assert table(seen)[0] == ["daily-list", "0s ago: 5 image definitions", "Sun 22 Nov 09:00, in 1d"]

        (refused,) = await bot.say("carol", "!schedule pause daily-list me")
        assert "You need the right `schedule.pause`" in refused.text
        (meant,) = await bot.say("alice", "!schedule pause daily-lst the release")
        assert "daily-list" in meant.text
        (why,) = await bot.say("alice", "!schedule pause daily-list")
        assert "Say why" in why.text
        dry = await bot.say("alice", "!schedule pause --dry-run --for 47h daily-list the release")
        assert "dry run" in dry[0].text
        card, *_ = await bot.say("alice", "!schedule pause --for 47h daily-list the release")
        assert "schedule-pause: done" in card.text
        assert "does not run until 2026-11-23 08:00 UTC" in card.text
        assert await bot.at(NINE + timedelta(days=1)) == []
        (seen,) = await bot.say("carol", "!schedules")
        assert table(seen)[0] == ["daily-list", "0s ago: left out", "paused"]
        assert "daily-list is paused by Alice until 2026-11-23 08:00 UTC: the release" in seen.text
        assert await problems(bot) == ["paused daily-list"]

    async with scheduled(tmp_path, clock, chat) as bot:
        assert await bot.at(until - timedelta(seconds=1)) == []
        (over,) = await bot.at(until)
        assert over.card.title == "daily-list runs again"
        assert "The pause by Alice is over: the release" in over.text
        assert "It runs next at 2026-11-23 09:00 UTC" in over.text
        assert await bot.at(until + timedelta(minutes=1)) == []
        assert [entry["actor"] for entry in await audit_trail(bot) if entry["action"] == "pause over"] == [
            "slipway"
        ]
        assert len(await bot.at(NINE + timedelta(days=2))) == 2  # the list, and the promotion of a Monday
        assert await problems(bot) == []

        await bot.say("alice", "!schedule pause daily-list for good")
        (nothing, *_) = await bot.say("alice", "!schedule resume weekly-promotion")
        assert "weekly-promotion is not paused" in nothing.text
        card, *_ = await bot.say("alice", "!schedule resume daily-list it is better")
        assert "schedule-resume: done" in card.text
        assert len(await bot.at(NINE + timedelta(days=3))) == 1

        await bot.say("alice", "!schedule pause --for 24h daily-list for a day")
        titles = {each.card.title for each in await bot.at(NINE + timedelta(days=4))}
        assert titles == {"daily-list runs again", "5 image definitions"}, "its end is not in it"


async def test_a_pattern_lists_those_that_fit(tmp_path: Path) -> None:
    async with scheduled(tmp_path, FakeClock(), MemoryChat()) as bot:
        (listed,) = await bot.say("carol", "!schedules Weekly-*")
        assert [row[0] for row in table(listed)] == ["weekly-promotion"]
        (none,) = await bot.say("carol", "!schedules monthly-*")
        assert "No schedule fits `monthly-*`." in none.text


async def test_a_schedule_is_run_by_hand_with_the_rights_of_whoever_does(tmp_path: Path) -> None:
    async with scheduled(tmp_path, FakeClock(), MemoryChat()) as bot:
        (listed,) = await bot.say("carol", "!schedule run daily-list")
        assert listed.card.title == "5 image definitions"
        (refused,) = await bot.say("carol", "!schedule run weekly-promotion")
        assert "You need the right `promote`" in refused.text
        (dry,) = await bot.say("carol", "!schedule run --dry-run weekly-promotion")
        assert "dry run of promote" in dry.text
        (card,) = await bot.say("alice", "!schedule run weekly-promotion")
        assert "waits for 1 approval" in card.text
        assert "For bob" in card.text  # whoever runs it asks for it, and does not agree to it
        (one,) = await bot.say("carol", "!schedules weekly-promotion")
        assert "by Alice: proposed (op-" in one.text
        assert re.search(r"Next: +2026-11-23 09:00 UTC", one.text)
        assert re.search(r"If missed: +it runs once, if that is 2d late at most", one.text)


async def test_what_ran_in_vain_and_what_was_skipped_are_problems_until_it_runs_well(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    async with scheduled(tmp_path, clock, chat) as bot:
        clock.now = NINE + timedelta(days=6)
        bot.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="*", times=None))
        said = await bot.at(clock.now)
        assert "1 run was skipped: weekly-promotion" in said[0].text
        clock.advance(timedelta(minutes=2))
        assert await problems(bot) == ["failed daily-list", "skipped weekly-promotion"]
        (seen,) = await bot.say("carol", "!schedules")
        assert "daily-list ran, and what it says could not be done. images could not look" in seen.text
        assert max(len(cell) for cell in table(seen)[0]) <= 50, "it fits a phone"
        assert table(seen)[1] == ["weekly-promotion", "4d ago: skipped", "Mon 30 Nov 09:00, in 2d23h"]

        bot.azure.faults.clear()
        (refused,) = await bot.say("carol", "!schedule run weekly-promotion")
        assert "You need the right `promote`" in refused.text
        clock.advance(timedelta(minutes=2))
        assert await problems(bot) == ["failed daily-list", "skipped weekly-promotion"], "it did not run"
        await bot.say("carol", "!schedule run daily-list")
        await bot.say("alice", "!schedule run weekly-promotion")
        clock.advance(timedelta(minutes=2))
        assert await problems(bot) == []


async def test_what_ran_late_is_told_with_its_reason_until_all_is_well(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    async with scheduled(tmp_path, clock, chat):
        pass
    clock.now = NINE + timedelta(hours=2)
    async with scheduled(tmp_path, clock, chat) as bot:
        (down,) = bot.running.schedules.warnings()
        assert down.startswith(
            "The schedule daily-list ran late. Due at 2026-11-21 09:00 UTC. Slipway, or its machine"
        )
        assert await problems(bot) == ["late daily-list"]
        (seen,) = await bot.say("carol", "!schedules")
        assert "daily-list ran late. Slipway, or its machine, was not running then." in seen.text

        await bot.at(NINE + timedelta(days=1, seconds=5))  # as due
        assert list(bot.running.schedules.warnings()) == []
        assert await problems(bot) == []
        clock.now += timedelta(seconds=1)
        digest = "".join(each.text for each in await bot.say("alice", "!digest"))
        assert "1 skipped, late or in vain; well again" in digest
        assert "daily-list ran late. Due at 2026-11-21 09:00 UTC. Slipway, or its machine" in digest

        clock.now = NINE + timedelta(days=2, minutes=5)  # as where nothing else got its turn
        late = [
            f"The schedule {name} was due at 2026-11-23 09:00 UTC, and did not run yet." for name in NAMES
        ]
        assert list(bot.running.schedules.warnings()) == late
        await bot.at(clock.now)
        assert all("its machine stood still or was busy" in each for each in bot.running.schedules.warnings())
        assert await problems(bot) == ["late daily-list", "late weekly-promotion"]

        store = bot.running.services.get(ScheduleServices).store
        began = LastRun("daily-list", clock.now, clock.now, Fate.RAN, key="tick:daily-list:lost")
        await store.note(began)
        clock.now += timedelta(minutes=59)
        (seen,) = await bot.say("carol", "!schedules")
        assert table(seen)[0][1] == "59m ago: under way"
        clock.now += timedelta(minutes=2)
        (seen,) = await bot.say("carol", "!schedules")
        assert table(seen)[0][1] == "1h1m ago: not answered"
        assert "The schedule daily-list began, and nothing came of it." in seen.text
        assert "unanswered daily-list" in await problems(bot)
        await store.answered("tick:daily-list:lost", "5 image definitions", None)
        clock.now += timedelta(minutes=10)
        assert "unanswered daily-list" not in await problems(bot)


NAMES = ("daily-list", "weekly-promotion")
