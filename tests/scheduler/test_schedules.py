"""What the clock says in a room: the whole bot on its simulated gallery, with the time injected."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from slipway.bot.chat.model import Choice, Room
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.store.memory import TickMemory
from slipway.commands.dispatch.dispatcher import Dispatcher
from slipway.commands.dispatch.events import LineRequest
from tests.support.azure import ARM, CANDIDATE, RAWHIDE, X64
from tests.support.clock import NOW, FakeClock
from tests.support.harness import BotHarness, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

MONDAY_NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""The first time after NOW, a Friday, at which the weekly entries below tick."""


def entry(name: str = "weekly-promotion", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "cron": "0 9 * * mon",
        "command": "promote *",
        "room": "console:console",
        "roles": ["releng"],
        **more,
    }


PROMOTION = entry()
CLEANUP = entry("weekly-cleanup", cron="0 10 * * mon", command="cleanup Fedora-Cloud-Rawhide-*")
LISTING = entry("daily-list", command="images Fedora-Cloud-4*", cron="0 9 * * *", roles=["reader"])

NOBODY_ASKED = {kind: {"approvals_scheduled": 0} for kind in ("promote", "cleanup")}


class ScheduledBot(BotHarness):
    """A bot whose clock is moved to a moment, where it looks at what is due."""

    async def at(self, moment: datetime) -> list[PostedMessage]:
        """Let it be this moment, and return what the bot says then."""
        self.clock.now = moment
        before = len(self.messages)
        await self.running.schedules.wake()
        await self.running.workflows.idle()
        return self.messages[before:]


@asynccontextmanager
async def bot_with(
    state_dir: Path,
    *schedules: Mapping[str, Any],
    policy: Mapping[str, Any] | None = None,
    **more: Any,
) -> AsyncIterator[ScheduledBot]:
    """The bot with these schedules."""
    changes = {"schedule": list(schedules), "policy": policy or {}}
    async with running_bot(state_dir, changes=changes, **more) as bot:
        await bot.running.workflows.idle()
        yield ScheduledBot(bot.running, bot.chat, bot.clock, bot.azure)


@pytest.fixture
async def azure(clock: FakeClock) -> AsyncIterator[SimulatedAzure]:
    """A gallery that outlives the bot's restarts."""
    simulated = SimulatedAzure(fedora_gallery(NOW), clock=clock)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def chat() -> MemoryChat:
    return MemoryChat()


async def test_monday_promotes_and_cleans_up_and_says_so_in_the_room(tmp_path: Path) -> None:
    async with bot_with(tmp_path, PROMOTION, CLEANUP, policy=NOBODY_ASKED) as bot:
        assert await bot.at(MONDAY_NINE - timedelta(seconds=1)) == []
        assert bot.excluded(X64, CANDIDATE) is True

        card, report = await bot.at(MONDAY_NINE)
        assert bot.excluded(X64, CANDIDATE) is False
        assert (card.room, report.thread) == ("console", card.id)
        assert "promote: done" in card.text
        assert "the schedule weekly-promotion" in card.text
        assert f"{CANDIDATE} of {X64} is promoted" in report.text

        before = set(bot.azure.snapshot()["definitions"][RAWHIDE]["versions"])
        card, report = await bot.at(MONDAY_NINE + timedelta(hours=1))
        gone = before - set(bot.azure.snapshot()["definitions"][RAWHIDE]["versions"])
        assert len(before) - len(gone) == 7
        assert "cleanup: done" in card.text
        assert all(f"{version} of {RAWHIDE} is deleted" in report.text for version in gone)

        (operation, first) = await bot.running.operations.recent(10)
        assert [operation.requester, first.requester] == [
            "schedule:weekly-cleanup",
            "schedule:weekly-promotion",
        ]


async def test_the_same_tick_runs_once_also_over_a_restart(
    tmp_path: Path, azure: SimulatedAzure, clock: FakeClock, chat: MemoryChat
) -> None:
    where: dict[str, Any] = {"policy": NOBODY_ASKED, "azure": azure, "clock": clock, "chat": chat}
    async with bot_with(tmp_path, PROMOTION, **where) as bot:
        assert len(await bot.at(MONDAY_NINE)) == 2
        assert await bot.at(MONDAY_NINE + timedelta(seconds=20)) == []
        room = Room(platform=chat.platform, id="console")
        tick = LineRequest.of_schedule("weekly-promotion", MONDAY_NINE, room, "promote *", quiet=False)
        await bot.running.dispatcher.accept_line(tick)  # as a second process would
        await bot.running.workflows.idle()
    async with bot_with(tmp_path, PROMOTION, **where) as bot:
        assert await bot.at(MONDAY_NINE + timedelta(seconds=40)) == []
        assert len(bot.messages) == 2
        assert len(await bot.running.operations.recent(10)) == 1


async def test_a_tick_that_needs_approval_waits_for_a_person(tmp_path: Path) -> None:
    async with bot_with(tmp_path, PROMOTION) as bot:
        (card,) = await bot.at(MONDAY_NINE)
        assert "waits for 1 approval" in card.text
        assert card.card.mentions == ("alice", "bob")  # those who can agree are called upon
        assert bot.excluded(X64, CANDIDATE) is True
        (refusal,) = await bot.press("carol", Choice.APPROVE, card)
        assert "may not approve" in refusal.text
        (report,) = await bot.press("alice", Choice.APPROVE, card)
        assert bot.excluded(X64, CANDIDATE) is False
        assert report.thread == card.id
        assert "Alice approved" in card.text


async def test_a_schedule_does_not_pile_up_proposals_that_nobody_answers(tmp_path: Path) -> None:
    daily = entry("daily-promotion", cron="0 9 * * *")
    week = {kind: {"expires": "7d"} for kind in ("promote",)}
    async with bot_with(tmp_path, daily, policy=week) as bot:
        (card,) = await bot.at(MONDAY_NINE)
        (again,) = await bot.at(MONDAY_NINE + timedelta(days=1))
        (operation,) = await bot.running.operations.recent(10)
        assert operation.id in card.text
        assert f"{operation.id} proposes the same already" in again.text


async def test_an_entry_says_whether_its_plan_runs_is_asked_for_or_is_only_told(tmp_path: Path) -> None:
    entries = [
        entry("at-once", command=f"promote {X64}", mode="run"),
        entry("asking", command="cleanup Fedora-Cloud-Rawhide-*", mode="ask"),
        entry("telling", command=f"promote {ARM}", mode="report", roles=["reader"]),
    ]
    rawhide = "Fedora-Cloud-Rawhide-x64"
    async with bot_with(tmp_path, *entries, policy={"cleanup": NOBODY_ASKED["cleanup"]}) as bot:
        before = bot.azure.snapshot()["definitions"][rawhide]
        said = [each for each in await bot.at(MONDAY_NINE) if each.thread is None]
        promoted, asked, told = said  # in the order in which they are written
        assert "promote: done" in promoted.text
        assert "policy asks for no approval" not in promoted.text
        assert "waits for 1 approval" in asked.text
        assert "the schedule telling" in told.text
        assert "dry run of promote" in told.text
        assert bot.excluded(X64, CANDIDATE) is False
        assert bot.excluded(ARM, CANDIDATE) is True
        assert bot.azure.snapshot()["definitions"][rawhide] == before
        assert len(await bot.running.operations.recent(10)) == 2
        await bot.press("bob", Choice.APPROVE, asked)
        assert bot.azure.snapshot()["definitions"][rawhide] != before


async def test_several_that_were_missed_begin_in_the_order_of_their_times_also_after_a_kill(
    tmp_path: Path,
    azure: SimulatedAzure,
    clock: FakeClock,
    chat: MemoryChat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    last, first = ({**LISTING, "name": f"at-{hour}", "cron": f"0 {hour} * * *"} for hour in (11, 9))
    entries = (last, PROMOTION, first)
    async with bot_with(tmp_path, *entries, **where):
        pass
    accept = Dispatcher.accept_line

    async def killed_at_the_last(dispatcher: Dispatcher, line: LineRequest) -> None:
        if line.requester == "schedule:at-11":
            raise Killed
        await accept(dispatcher, line)

    clock.now = MONDAY_NINE + timedelta(hours=4)
    with monkeypatch.context() as dying:
        dying.setattr(Dispatcher, "accept_line", killed_at_the_last)
        async with bot_with(tmp_path, *entries, **where):
            pass
    async with bot_with(tmp_path, *entries, **where):
        pass
    said = [re.search("the schedule ([a-z0-9-]+)", each.text) for each in chat.messages]
    assert [found[1] for found in said if found] == ["weekly-promotion", "at-9", "at-11"]


async def test_a_large_clean_up_asks_even_where_policy_does_not(tmp_path: Path) -> None:
    ended = entry("ended", command="cleanup Fedora-Cloud-41-x64")
    async with bot_with(tmp_path, ended, policy=NOBODY_ASKED) as bot:
        before = bot.azure.snapshot()["definitions"]["Fedora-Cloud-41-x64"]
        (card,) = await bot.at(MONDAY_NINE)
        assert "waits for 1 approval" in card.text
        assert bot.azure.snapshot()["definitions"]["Fedora-Cloud-41-x64"] == before


async def test_a_run_missed_while_the_bot_was_down_is_caught_up_once(
    tmp_path: Path, azure: SimulatedAzure, clock: FakeClock, chat: MemoryChat
) -> None:
    where: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    async with bot_with(tmp_path, LISTING, **where):
        assert chat.messages == []  # a first start owes nothing
    clock.now = NOW + timedelta(days=4)  # four runs later
    async with bot_with(tmp_path, LISTING, **where) as bot:
        (caught_up,) = chat.messages
        assert "image definitions" in caught_up.text
        assert "Asked by: the schedule daily-list: `!images Fedora-Cloud-4*`" in caught_up.text
        assert await bot.at(clock.now + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("rule", "away", "said"),
    [
        ({"missed": "skip"}, timedelta(days=4), "4 runs were skipped: daily-list"),
        ({"missed": "skip"}, timedelta(days=1), "1 run was skipped: daily-list"),
        ({"max_late": "2h"}, timedelta(days=1), "1 run was skipped: daily-list"),
    ],
)
async def test_what_is_not_caught_up_is_reported(
    tmp_path: Path,
    azure: SimulatedAzure,
    clock: FakeClock,
    chat: MemoryChat,
    rule: dict[str, str],
    away: timedelta,
    said: str,
) -> None:
    where: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    async with bot_with(tmp_path, {**LISTING, **rule}, **where):
        pass
    clock.now = NOW + away
    async with bot_with(tmp_path, {**LISTING, **rule}, **where) as bot:
        (report,) = chat.messages
        assert said in report.text
        assert "To run it now: `!schedule run daily-list`" in report.text
        assert await bot.at(clock.now + timedelta(minutes=1)) == []
        at_nine = (clock.now + timedelta(days=1)).replace(hour=9)
        assert "image definitions" in (await bot.at(at_nine))[0].text  # it goes on as ever


class Killed(Exception):  # noqa: N818 - what a dying process does not do any more
    """The process died here."""


async def killed(*_: object) -> None:
    raise Killed


SKIPPING = {**LISTING, "missed": "skip"}
NINE = (NOW + timedelta(days=1)).replace(hour=9)


@pytest.mark.parametrize(
    ("dies_at", "missed", "said"),
    [
        ("remember", {"missed": "skip"}, ["5 image definitions"]),
        ("remember", {"missed_within": "1h"}, ["5 image definitions"]),
        ("accept_line", {"missed": "skip"}, ["1 run was skipped: daily-list"]),
    ],
)
async def test_a_run_that_began_before_the_process_died_is_not_called_skipped(
    tmp_path: Path,
    azure: SimulatedAzure,
    clock: FakeClock,
    chat: MemoryChat,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: str,
    missed: dict[str, str],
    said: list[str],
) -> None:
    where: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    async with bot_with(tmp_path, {**LISTING, **missed}, **where) as bot:
        with monkeypatch.context() as dying:
            dying.setattr(TickMemory if dies_at == "remember" else Dispatcher, dies_at, killed)
            with pytest.raises(ExceptionGroup, match="some schedules"):
                await bot.at(NINE)
        await bot.running.idle()
    clock.now = NINE + timedelta(hours=4)
    async with bot_with(tmp_path, {**LISTING, **missed}, **where) as bot:
        assert await bot.at(clock.now + timedelta(minutes=1)) == []
        assert [each.card.title for each in bot.messages] == said
        (next_day,) = await bot.at(NINE + timedelta(days=1))
        assert "image definitions" in next_day.text


async def test_what_was_skipped_is_counted_once_though_the_process_died_after_it_told_that(
    tmp_path: Path,
    azure: SimulatedAzure,
    clock: FakeClock,
    chat: MemoryChat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    async with bot_with(tmp_path, SKIPPING, **where):
        pass
    with monkeypatch.context() as dying:
        dying.setattr(Dispatcher, "accept_line", killed)
        clock.now = NINE + timedelta(days=2)  # at the time of the third
        async with bot_with(tmp_path, SKIPPING, **where) as bot:
            (told,) = bot.messages
    assert told.card.title == "2 runs were skipped: daily-list"
    assert "The newest was due at 2026-11-22 09:00 UTC" in told.text, "what is still to run is called skipped"
    clock.now += timedelta(hours=3)
    async with bot_with(tmp_path, SKIPPING, **where) as bot:
        assert [each.card.title for each in bot.messages[1:]] == ["1 run was skipped: daily-list"]


async def test_a_changed_time_or_a_pause_makes_nobody_late(
    tmp_path: Path, azure: SimulatedAzure, clock: FakeClock, chat: MemoryChat
) -> None:
    where: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    thursdays = {**LISTING, "cron": "0 9 * * thu"}
    async with bot_with(tmp_path, thursdays, **where) as bot:
        assert await bot.at(NOW + timedelta(days=4)) == []
    async with bot_with(tmp_path, LISTING, **where):  # daily from now on; four days had no run, nor owe one
        assert chat.messages == []
    async with bot_with(tmp_path, {**LISTING, "enabled": False}, **where) as bot:
        assert await bot.at(clock.now + timedelta(days=2)) == []
    async with bot_with(tmp_path, LISTING, **where) as bot:
        assert chat.messages == []
        at_nine = (clock.now + timedelta(days=1)).replace(hour=9)
        assert len(await bot.at(at_nine)) == 1


async def test_a_clock_that_was_years_ahead_does_not_stop_a_schedule(tmp_path: Path) -> None:
    async with bot_with(tmp_path, LISTING, entry()) as bot:
        await bot.at(NOW + timedelta(days=3650))
        await bot.say("alice", "!schedule pause --for 20h weekly-promotion by that clock")
        said = len(bot.messages)
        with structlog.testing.capture_logs() as logs:
            assert await bot.at(NOW) == []
        assert "the clock was set back" in [each["event"] for each in logs]
        told = await bot.at((NOW + timedelta(days=1)).replace(hour=9))
        titles = {each.card.title for each in told}
        assert titles == {"weekly-promotion runs again", "5 image definitions"}
        assert len(bot.messages) == said + 2


async def test_a_quiet_schedule_speaks_only_of_changes(tmp_path: Path) -> None:
    quiet = entry(command=f"promote {X64}", cron="0 * * * *", quiet=True)
    loud = entry("loud", command=f"promote {X64}", cron="30 13 * * *")
    async with bot_with(tmp_path, quiet, loud, policy=NOBODY_ASKED) as bot:
        card, _report = await bot.at(NOW + timedelta(hours=1))
        assert "promote: done" in card.text
        (said,) = await bot.at(NOW + timedelta(hours=1, minutes=30))
        assert "Nothing to do" in said.text
        assert "the schedule loud" in said.text
        assert await bot.at(NOW + timedelta(hours=2)) == []


async def test_a_schedule_without_the_right_is_refused_in_the_room(tmp_path: Path) -> None:
    # The configuration's check would refuse this at the start; a right can be lost between tick and run.
    rights = {"roles": {"publisher": {"may": ["promote"]}}}
    entries = [entry(roles=["publisher"]), entry("lists", command="pending", roles=["reader"])]
    async with running_bot(
        tmp_path, changes={"schedule": entries, **rights, "policy": NOBODY_ASKED}
    ) as found:
        bot = ScheduledBot(found.running, found.chat, found.clock, found.azure)
        room = Room(platform=bot.chat.platform, id="console")
        tick = LineRequest.of_schedule("lists", NOW, room, f"promote {X64}", quiet=False)
        await bot.running.dispatcher.accept_line(tick)
        await bot.running.workflows.idle()
        (refusal,) = bot.messages
        assert "The schedule lists needs the right `promote` for this; " in refusal.text
        assert "Alice (alice), Bob (bob) and Admin (admin) have it." in refusal.text
        assert f"Asked by: the schedule lists: `!promote {X64}`" in refusal.text
        assert bot.excluded(X64, CANDIDATE) is True


async def test_a_tick_whose_cloud_fails_says_so_and_the_next_one_tries_again(tmp_path: Path) -> None:
    listing = entry("list", command="images", cron="0 * * * *", roles=["reader"])
    async with bot_with(tmp_path, listing) as bot:
        url = bot.azure.url
        await bot.azure.stop()
        (said,) = await bot.at(NOW + timedelta(hours=1))
        assert "images could not look at the cloud" in said.text
        assert url not in said.text


async def test_what_a_disabled_entry_says_is_never_said(tmp_path: Path) -> None:
    async with bot_with(tmp_path, {**LISTING, "enabled": False}) as bot:
        assert await bot.at(NOW + timedelta(days=30)) == []
        (status,) = await bot.say("alice", "!status")
        assert "daily-list" not in status.text


async def test_status_shows_the_next_runs(tmp_path: Path) -> None:
    prague = {**CLEANUP, "zone": "Europe/Prague"}
    async with bot_with(tmp_path, PROMOTION, prague) as bot:
        (status,) = await bot.say("alice", "!status")
        table = status.card.tables[1]
        assert table.rows == (
            ("weekly-promotion", "promote *", "2026-11-23 09:00 UTC", "2d21h"),
            ("weekly-cleanup", "cleanup Fedora-Cloud-Rawhide-*", "2026-11-23 10:00 CET", "2d21h"),
        )


async def test_one_schedule_in_trouble_does_not_hold_up_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot_with(tmp_path, LISTING, {**LISTING, "name": "other"}) as bot:
        accept = bot.running.dispatcher.accept_line
        full = [OSError("no space left on device")]

        async def refuse_once(tick: LineRequest) -> None:
            if tick.requester == "schedule:daily-list" and full:
                raise full.pop()
            await accept(tick)

        monkeypatch.setattr(bot.running.dispatcher, "accept_line", refuse_once)
        at_nine = MONDAY_NINE - timedelta(days=2)
        with pytest.raises(ExceptionGroup, match="some schedules"):
            await bot.at(at_nine)
        await bot.running.workflows.idle()
        assert ["the schedule other" in each.text for each in bot.messages] == [True]
        (late,) = await bot.at(at_nine + timedelta(seconds=20))
        assert "the schedule daily-list" in late.text
