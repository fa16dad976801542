"""Reminders in the room: each once, calling the owner, until the source shows that nothing ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.graph import SeedCredential
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.credentials.test_listing import entries
from tests.support.azure import one_version_seed
from tests.support.clock import DAY, HOUR, FakeClock
from tests.support.directory import application, secret
from tests.support.harness import BotHarness, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

ROOM = {"commands": {"room": "console:console"}}


@dataclass
class World:
    """A directory with one application, and a room; bots come and go."""

    folder: Path
    azure: SimulatedAzure
    clock: FakeClock = field(default_factory=FakeClock)
    chat: MemoryChat = field(default_factory=MemoryChat)
    entry: dict[str, Any] = field(default_factory=dict)

    @property
    def secrets(self) -> list[SeedCredential]:
        """The secrets of the application."""
        return self.azure.graph.applications[0].secrets

    @asynccontextmanager
    async def bot(self, **more: Any) -> AsyncIterator[BotHarness]:
        """A bot in this world."""
        client = self.azure.graph.applications[0].client_id
        changes = {**entries(uploader={"application": client, **self.entry}), **ROOM, **more}
        async with running_bot(
            self.folder, azure=self.azure, clock=self.clock, chat=self.chat, changes=changes
        ) as bot:
            yield bot

    async def after(self, bot: BotHarness, time: timedelta) -> list[PostedMessage]:
        """What is said once so much time has passed."""
        before = len(self.chat.messages)
        self.clock.advance(time)
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        return self.chat.messages[before:]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = FakeClock()
    azure = SimulatedAzure(one_version_seed(), clock=clock)
    azure.graph.applications = [application("uploader", secret("ci", left=40 * DAY))]
    await azure.start()
    yield World(tmp_path / "state", azure, clock)
    await azure.stop()


def called(messages: list[PostedMessage]) -> list[tuple[str, ...]]:
    """Whom new messages called."""
    return [each.cards[0].mentions for each in messages]


async def test_each_threshold_is_told_once_over_restarts_in_one_thread_calling_the_owner(
    world: World,
) -> None:
    name = f"uploader/{world.secrets[0].id[:8]}"
    async with world.bot() as bot:
        assert await world.after(bot, timedelta()) == []
        assert await world.after(bot, 9 * DAY) == []
        (first,) = await world.after(bot, DAY)
        assert first.cards[0].title == f"{name} ends in 30 days"
        assert first.cards[0].mentions == ("alice",)
        assert [each.command for each in first.card.shortcuts] == [
            f"credential done {name}",
            f"credential snooze --for 3d {name}",
        ]
        assert await world.after(bot, DAY) == []
        assert first.card.title == f"{name} ends in 29 days", "the one message shows how it is now"
    async with world.bot() as bot:
        assert await world.after(bot, HOUR) == []
        (second,) = await world.after(bot, 15 * DAY)
        assert second.thread == first.id
        assert called([second]) == [("alice",)]
        assert "2026-12-30" in second.text
    async with world.bot() as bot:
        # What fell into a time when nobody looked is told once, as the newest of it.
        (third,) = await world.after(bot, 12 * DAY)
        assert third.thread == first.id
        assert "ends in" in first.card.title

        (fourth,) = await world.after(bot, DAY)
        (ended,) = await world.after(bot, DAY)
        assert "ended on 2026-12-30" in ended.text
        (day,) = await world.after(bot, DAY)
        assert {each.thread for each in (fourth, ended, day)} == {first.id}
        assert called([fourth, ended, day]) == [("alice",)] * 3
        (listed,) = await bot.say("carol", "!problems")
        assert f"{name} ended on 2026-12-30" in listed.text, "which its reminder has told the room"
        assert await world.after(bot, 6 * HOUR) == []
    assert world.secrets[0].hint not in "".join(each.text for each in world.chat.messages)


async def test_a_holder_of_a_role_is_called_as_well(world: World) -> None:
    world.entry = {"owner": "releng", "kept_in": "the vault", "used_by": "the uploader"}
    async with world.bot() as bot:
        (first,) = await world.after(bot, 15 * DAY)
    assert first.cards[0].mentions == ("alice", "bob")
    assert "the vault" in first.text


async def test_without_a_room_the_owner_hears_of_it_alone(world: World) -> None:
    async with world.bot(commands={}) as bot:
        (first,) = await world.after(bot, 15 * DAY)
        (second,) = await world.after(bot, 15 * DAY)
    assert (first.room, second.room) == ("direct:alice", "direct:alice")
    assert called([first, second]) == [("alice",)] * 2


class TestDone:
    async def test_it_is_not_believed_and_then_seen(self, world: World) -> None:
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 35 * DAY)
            line = f"!{reminder.card.shortcuts[0].command}"
            (refused,) = await bot.say("alice", line)
            assert "and none in its place" in refused.text
            world.secrets.append(secret("ci", left=400 * DAY))
            new = f"uploader/{world.secrets[1].id[:8]}"
            (changed,) = await world.after(bot, 6 * HOUR)
            assert f"{new} is new (secret “ci” of uploader)" in changed.text
            assert f"{new}, until 2027-12-25" in reminder.text, "the reminder names the newer one"
            card, report = await bot.say("alice", line)
            assert "credential-done: done" in card.text
            assert f"{new} is in its place" in card.text + report.text
            assert await world.after(bot, 6 * HOUR) == []
            assert "is seen to, says Alice" in reminder.text
            assert await world.after(bot, 2 * DAY) == []
            (again,) = await bot.say("alice", line)
            assert "Alice said already that" in again.text

    async def test_it_counts_for_as_long_as_the_other_one_is_there(self, world: World) -> None:
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 35 * DAY)
            world.secrets.append(secret("ci", left=400 * DAY))
            line = f"!{reminder.card.shortcuts[0].command}"
            card, *_ = await bot.say("alice", line)
            assert "credential-done: done" in card.text
            await world.after(bot, 7 * HOUR)
            assert "is seen to, says Alice" in reminder.text
            world.secrets.pop()
            again = await world.after(bot, 7 * HOUR)
            assert ("alice",) in called(again)
            assert any("what was in its place is gone" in each.text for each in again)
            assert "ends in" in reminder.text

    async def test_what_goes_by_itself_needs_no_word(self, world: World) -> None:
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 35 * DAY)
            world.secrets[:] = [secret("new", left=300 * DAY)]
            (changed,) = await world.after(bot, 6 * HOUR)
        assert "is gone (secret “ci” of uploader)" in changed.text
        assert "is new (secret “new” of uploader), and ends on 2027-09-16" in changed.text
        assert "is gone from its source" in reminder.text
        assert reminder.card.shortcuts == ()

    async def test_whoever_only_reads_may_look_at_what_it_would_mean(self, world: World) -> None:
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 35 * DAY)
            (refused,) = await bot.say("carol", f"!{reminder.card.shortcuts[0].command}")
        assert "credential.done" in refused.text


class TestSnooze:
    async def test_it_is_quiet_until_then_and_told_again_even_where_no_threshold_is_reached(
        self, world: World
    ) -> None:
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 12 * DAY)
            card, *_ = await bot.say("alice", f"!{reminder.card.shortcuts[1].command}")
            assert "credential-snooze: done" in card.text
            assert await world.after(bot, 2 * DAY) == []
            assert "2026-12-05 12:00 UTC" in reminder.text
            digest, *_ = await bot.say("alice", "!digest")
            assert "1 ends soon (1 put off)" in digest.text
        async with world.bot() as bot:
            (again,) = await world.after(bot, DAY)
            assert again.thread == reminder.id
            assert called([again]) == [("alice",)]
            assert "Put off" not in reminder.text
            assert await world.after(bot, DAY) == []

    async def test_the_last_reminder_before_the_end_stays_whatever_was_asked(self, world: World) -> None:
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 35 * DAY)
            name = reminder.cards[0].title.partition(" ")[0]
            card, *_ = await bot.say("alice", f"!credential snooze --for 30d {name}")
            assert "the last reminder before 2026-12-30 stays" in card.text
            assert "2026-12-29 12:00 UTC" in card.text
            assert await world.after(bot, 3 * DAY + 23 * HOUR) == []
            (last,) = await world.after(bot, HOUR)
            assert "ends on 2026-12-30" in last.text
            (late,) = await bot.say("alice", f"!credential snooze {name}")
            assert "too late to put it off" in late.text
            assert [each.label for each in reminder.card.shortcuts] == ["Done"], "nothing is offered in vain"

    async def test_of_one_threshold_alone_it_can_be_put_off_up_to_a_day_before_the_end(
        self, world: World
    ) -> None:
        world.entry = {"remind": ["30d"]}
        async with world.bot() as bot:
            (reminder,) = await world.after(bot, 20 * DAY)
            card, *_ = await bot.say("alice", f"!{reminder.card.shortcuts[1].command}".replace("3d", "30d"))
            assert "2026-12-29 12:00 UTC" in card.text
            await world.after(bot, MINUTE)
            assert "2026-12-29 12:00 UTC" in reminder.text, "the message shows it at once"
            (again,) = await world.after(bot, 19 * DAY)
            assert again.thread == reminder.id

    async def test_what_nobody_is_reminded_of_is_not_put_off(self, world: World) -> None:
        async with world.bot() as bot:
            (answer,) = await bot.say("alice", "!credential snooze uploader")
            (slip,) = await bot.say("alice", "!credential snooze uplaoder")
        assert "Nobody is reminded of uploader/" in answer.text
        assert "There is no credential uplaoder" in slip.text


MINUTE = timedelta(minutes=1)


async def test_a_source_that_cannot_be_read_is_a_problem_until_it_can_and_hides_nothing_as_gone(
    world: World,
) -> None:
    async with world.bot() as bot:
        assert await world.after(bot, timedelta()) == []
        world.azure.graph.refuses = True
        assert await world.after(bot, 6 * HOUR) == [], "once may be a moment's outage"
        (told,) = await world.after(bot, 15 * MINUTE) or await world.after(bot, MINUTE)
        assert "Credentials of uploader cannot be read" in told.text
        assert "Application.Read.All" in told.text
        assert called([told]) == [("alice",)]
        (refused,) = await bot.say("alice", "!credential done uploader")
        assert "nothing is believed of it" in refused.text
    async with world.bot() as bot:
        assert await world.after(bot, 6 * HOUR) == []
        world.azure.graph.refuses = False
        assert await world.after(bot, 6 * HOUR) == []
        assert await world.after(bot, MINUTE) == []
        (none,) = await bot.say("carol", "!problems")
        assert "cannot be read" not in none.text


async def test_what_another_entry_finds_meanwhile_is_neither_new_there_nor_gone(world: World) -> None:
    rest = {"owner": "bob", "application": "*"}
    world.azure.graph.applications.append(application("other", secret("x", left=300 * DAY)))
    client = world.azure.graph.applications[0].client_id
    both = {"credentials": {"uploader": {"owner": "alice", "application": client}, "rest": rest}}
    async with world.bot(**both) as bot:
        assert await world.after(bot, MINUTE) == []
        (reminder,) = await world.after(bot, 15 * DAY)
        fault = world.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="GET */applications(appId*"))
        assert await world.after(bot, 7 * HOUR) == []
        assert fault.hits, "it could not be read"
        world.azure.faults.clear()
        assert await world.after(bot, 7 * HOUR) == []
        assert reminder.card.title.startswith("uploader/")
    both["credentials"]["uploader"]["application"] = "no-such-*"
    async with world.bot(**both) as bot:  # from now on it is the other entry's
        assert await world.after(bot, 7 * HOUR) == []
        assert reminder.card.title.startswith("rest/")
        assert "Bob" in reminder.text


async def test_looks_that_somebody_hastens_make_no_lasting_outage_of_a_moments(world: World) -> None:
    async with world.bot() as bot:
        await world.after(bot, MINUTE)
        world.azure.graph.refuses = True
        for _ in range(3):
            await bot.say("alice", "!credentials")
            assert await world.after(bot, MINUTE) == []
        world.azure.graph.refuses = False
        await bot.say("alice", "!credentials")
        assert await world.after(bot, MINUTE) == []


async def test_without_a_room_owners_hear_alone_that_a_source_cannot_be_read(world: World) -> None:
    async with world.bot(commands={}) as bot:
        await world.after(bot, timedelta())
        world.azure.graph.refuses = True
        assert await world.after(bot, 6 * HOUR) == []
        (told,) = await world.after(bot, 15 * MINUTE)
        assert told.room == "direct:alice"
        world.azure.graph.refuses = False
        assert await world.after(bot, 6 * HOUR) == []
        assert "can be read again" in told.text


async def test_what_ended_stays_in_the_list_of_problems_until_its_source_shows_another(world: World) -> None:
    world.entry = {"used_by": "the uploader"}
    async with world.bot() as bot:
        await world.after(bot, 41 * DAY)
        await world.after(bot, MINUTE)
        (listed,) = await bot.say("carol", "!problems")
        assert "ended on 2026-12-30, and nothing is in its place" in listed.text
        world.azure.graph.refuses = True
        await world.after(bot, 6 * HOUR)
        (still,) = await bot.say("carol", "!problems")
        assert "ended on 2026-12-30" in still.text, "what cannot be read is not over"
        world.azure.graph.refuses = False
        world.secrets.append(secret("ci", left=400 * DAY))
        await world.after(bot, 6 * HOUR)
        await world.after(bot, MINUTE)
        (over,) = await bot.say("carol", "!problems")
        assert "ended on 2026-12-30" not in over.text


async def test_a_process_that_died_before_it_noted_what_it_said_says_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slipway.bot.subjects.credentials.watcher import Watcher

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    async with world.bot() as bot:
        await world.after(bot, timedelta())
        world.secrets.append(secret("new", left=300 * DAY))
        with monkeypatch.context() as patch:
            patch.setattr(Watcher, "_keep", dies)
            assert len(await world.after(bot, 35 * DAY)) == 2
    async with world.bot() as bot:
        assert await world.after(bot, timedelta()) == []
        assert await world.after(bot, 6 * HOUR) == []
