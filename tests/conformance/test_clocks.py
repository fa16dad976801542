"""A bot on a machine whose clock is wrong: people are told, instead of wondering why nothing happens."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.chat.model import Choice
from slipway.bot.core.times import system_clock
from tests.conformance.harness import Capability
from tests.conformance.run import ConformanceRun

# Far from a full minute: what answers take, and the whole seconds of headers, change no word.
OFF = timedelta(hours=3, seconds=30)


async def test_a_clock_that_is_ahead_is_told_once_to_each_who_is_not_heard_and_by_status(
    run: ConformanceRun,
) -> None:
    session = run.session
    session.requires(Capability.OWN_CLOCK)
    ahead = f"clock is 3h ahead of that of {session.platform.platform.title()}"
    async with run.bot(clock=lambda: system_clock() + OFF):
        for who in ("alice", "bob"):
            (told,) = await session.say(who, "!whoami")
            assert ahead in told.text
            assert "nothing that is said here is acted on" in told.text
            assert await session.say(who, "!whoami") == []
        (status,) = await session.say("bob", "!status")
        assert "Waiting for approval" in status.text
        assert ahead in status.text
        health = run.running.chats[session.platform.platform].health()
        assert health.clock_ahead is not None
        assert abs(health.clock_ahead - OFF) < timedelta(seconds=40)


async def test_nobody_is_told_again_of_a_clock_that_was_never_seen_right_meanwhile(
    run: ConformanceRun,
) -> None:
    session = run.session
    session.requires(Capability.OWN_CLOCK)
    off = OFF

    def clock() -> datetime:
        return system_clock() + off

    async def asked(ahead: timedelta) -> list[str]:
        nonlocal off
        off = ahead
        if session.received:  # the platform answers something, and so tells its time
            await session.chat_in_use.why_gone(session.received[-1].room.id)
        return [each.text for each in await session.say("bob", "!whoami")]

    async with run.bot(clock=clock):
        (told,) = await asked(OFF)
        assert "clock is 3h ahead" in told
        (answer,) = await asked(timedelta(minutes=3))  # wrong, and what is said does not look too old
        assert "You are Bob" in answer
        assert await asked(OFF) == []
        (answer,) = await asked(timedelta())
        assert "You are Bob" in answer
        (told,) = await asked(OFF)
        assert "clock is 3h ahead" in told


async def test_who_decides_is_told_each_time_that_it_does_not_count_while_the_clock_is_ahead(
    run: ConformanceRun,
) -> None:
    session = run.session
    session.requires(Capability.OWN_CLOCK)
    async with run.bot():
        card, operation = await session.propose()
    async with run.bot(clock=lambda: system_clock() + OFF):
        (told,) = await session.say("bob", "!images")
        assert "This does not count." not in told.text
        for _ in range(2):
            (told,) = await session.say("bob", f"!approve {operation}")
            assert "This does not count." in told.text
        (told,) = await session.press("bob", Choice.APPROVE, card)  # whose time not every platform tells
        assert "This does not count." in told.text
        assert run.excluded()
    async with run.bot():  # the clock is right again
        await session.say("bob", f"!approve {operation}")
        assert not run.excluded()


async def test_a_clock_that_is_behind_is_told_by_status_and_all_is_answered(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.OWN_CLOCK)
    async with run.bot(clock=lambda: system_clock() - OFF):
        (told,) = await session.say("alice", "!status")
        assert f"clock is 3h behind that of {session.platform.platform.title()}" in told.text
