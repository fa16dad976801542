"""Codes count once, and wrong ones are few: also over restarts, and for several replicas at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from slipway.bot.config.settings import StepUpSettings
from slipway.bot.core.totp import PERIOD, code_at, new_secret, step_at
from slipway.bot.operations.audit import Intact, lines, verify
from slipway.bot.operations.model import Operation
from slipway.bot.operations.step_up.model import (
    LOCKED_FOR,
    LONGEST_LOCK,
    TRIES,
    CodeOutcome,
    Heard,
    lock_after,
)
from slipway.bot.operations.step_up.service import StepUps
from slipway.bot.operations.step_up.store import StepUpStore, is_stepped_up
from slipway.bot.store.database import DATABASE, Database
from tests.operations.builders import operation
from tests.support.clock import FakeClock

SECRETS = {"alice": new_secret(), "bob": new_secret()}
WRONG = "000000"


def proposed(name: str = "op-7k3f") -> Operation:
    return operation().model_copy(update={"id": name})


class Desk:
    """Where codes are heard: one of several that work on one database."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.step_ups = StepUps(StepUpStore(database), SECRETS, StepUpSettings(), clock)
        self._events = 0

    def code(self, who: str = "bob", *, steps: int = 0) -> str:
        """The code that their app shows, or showed so many steps ago or later."""
        return code_at(SECRETS[who], step_at(self.clock()) + steps)

    async def ask(self, operation: Operation, who: str = "bob") -> None:
        await self.step_ups.ask(who, operation)

    async def give(self, code: str, who: str = "bob", *, event: str = "", of: str | None = None) -> Heard:
        self._events += 1
        return await self.step_ups.hear(event or f"e{id(self)}-{self._events}", who, code, of)


@asynccontextmanager
async def desk(folder: Path, clock: FakeClock | None = None) -> AsyncIterator[Desk]:
    database = Database(folder / DATABASE)
    await database.open()
    try:
        yield Desk(database, clock or FakeClock())
    finally:
        await database.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as opened:
        yield opened


async def test_a_right_code_counts_for_the_plan_that_was_pressed_and_its_event_alone(here: Desk) -> None:
    asked = proposed()
    await here.ask(asked)
    code = here.code()
    heard = await here.give(code, event="e1")
    assert (heard.outcome, heard.operation_id) == (CodeOutcome.RIGHT, asked.id)
    assert await here.give(code, event="e1") == heard, "an event that is delivered twice"
    async with here.database.reading() as connection:
        for event, who, digest, counts in (
            ("e1", "bob", asked.digest, True),
            ("e2", "bob", asked.digest, False),
            ("e1", "alice", asked.digest, False),
            ("e1", "bob", "f" * 64, False),
        ):
            assert await is_stepped_up(connection, event, who, asked.id, digest) is counts


async def test_a_code_is_used_up_by_being_right_and_so_are_those_before_it(here: Desk) -> None:
    asked = proposed()
    before, code = here.code(steps=-1), here.code()
    for given, outcome in ((code, CodeOutcome.RIGHT), (code, CodeOutcome.USED), (before, CodeOutcome.USED)):
        await here.ask(asked)
        assert (await here.give(given)).outcome is outcome
    here.clock.advance(PERIOD)
    await here.ask(asked)
    assert (await here.give(here.code())).right


async def test_two_replicas_that_hear_one_code_at_once_take_it_once(tmp_path: Path) -> None:
    clock = FakeClock()
    async with desk(tmp_path, clock) as one, desk(tmp_path, clock) as other:
        first, second = proposed("op-aaaa"), proposed("op-bbbb")
        await one.ask(first)
        await one.ask(second)
        code = one.code()
        both = await asyncio.gather(one.give(code, of=first.id), other.give(code, of=second.id))
        assert sorted(heard.outcome for heard in both) == [CodeOutcome.RIGHT, CodeOutcome.USED]
        # One event that both hear has one outcome, and a wrong one counts as one try.
        heard = await asyncio.gather(*(each.give(WRONG, event="same") for each in (one, other)))
        assert len({each.outcome for each in heard}) == 1


async def test_nobody_else_s_code_counts(here: Desk) -> None:
    await here.ask(proposed())
    assert (await here.give(here.code("alice"))).outcome is CodeOutcome.WRONG
    await here.ask(proposed(), "alice")
    assert (await here.give(here.code("bob"), "alice")).outcome is CodeOutcome.WRONG


async def test_a_code_that_was_not_asked_for_counts_for_nothing_and_is_used_up(here: Desk) -> None:
    code = here.code()
    assert (await here.give(code)).outcome is CodeOutcome.NOT_ASKED
    await here.ask(proposed("op-aaaa"))
    assert (await here.give(here.code(), of="op-bbbb")).outcome is CodeOutcome.NOT_ASKED
    assert (await here.give(code)).outcome is CodeOutcome.USED


async def test_a_press_is_forgotten_after_its_time(here: Desk) -> None:
    await here.ask(proposed())
    here.clock.advance(timedelta(minutes=5))
    assert (await here.give(here.code())).outcome is CodeOutcome.NOT_ASKED


async def test_of_several_that_wait_one_has_to_be_named(here: Desk) -> None:
    for name in ("op-aaaa", "op-bbbb"):
        await here.ask(proposed(name))
    code = here.code()
    assert (await here.give(code)).outcome is CodeOutcome.UNCLEAR
    assert (await here.give(code, of="op-bbbb")).operation_id == "op-bbbb"


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_one_code(here: Desk, steps: int, right: bool) -> None:
    await here.ask(proposed())
    assert (await here.give(here.code(steps=steps))).right is right


async def test_wrong_codes_lock_a_person_out_over_restarts_and_on_every_replica(tmp_path: Path) -> None:
    clock, asked = FakeClock(), proposed()
    for number in range(TRIES):  # each by a process of its own
        async with desk(tmp_path, clock) as one:
            await one.ask(asked)
            heard = await one.give(WRONG)
            assert (heard.locked_until is not None) is (number == TRIES - 1)
    async with desk(tmp_path, clock) as one:
        assert (await one.give(one.code())).outcome is CodeOutcome.LOCKED, "a right one is not looked at"
        (locked,) = await one.step_ups.locked()
        assert (locked.person, locked.until) == ("bob", clock() + LOCKED_FOR)
        await one.ask(asked, "alice")
        assert (await one.give(one.code("alice"), "alice")).right, "others are not locked out"
        clock.advance(LOCKED_FOR)
        assert not await one.step_ups.locked()
        await one.ask(asked)
        assert (await one.give(one.code())).right
        entries = "\n".join(await lines(one.database))
        assert "locked out of step-up" in entries
        assert isinstance(await verify(one.database), Intact)


async def test_tries_at_once_are_counted_before_they_are_looked_at(tmp_path: Path) -> None:
    clock = FakeClock()
    async with desk(tmp_path, clock) as one, desk(tmp_path, clock) as other:
        await one.ask(proposed())
        given = [each.give(f"{number:06}") for number in range(10) for each in (one, other)]
        outcomes = [heard.outcome for heard in await asyncio.gather(*given)]
    assert outcomes.count(CodeOutcome.WRONG) == TRIES
    assert outcomes.count(CodeOutcome.LOCKED) == len(outcomes) - TRIES


def test_each_lock_is_twice_as_long_as_the_one_before_up_to_a_day() -> None:
    locks = [lock_after(tries) for tries in range(1, 10 * TRIES + 1)]
    lengths = [length for length in locks if length is not None]
    assert locks.index(LOCKED_FOR) == TRIES - 1
    assert lengths[:3] == [LOCKED_FOR, 2 * LOCKED_FOR, 4 * LOCKED_FOR]
    assert lengths[-1] == LONGEST_LOCK
    assert lock_after(10_000 * TRIES) == LONGEST_LOCK


async def test_a_code_that_others_saw_is_used_up_also_by_a_clock_minutes_off(here: Desk) -> None:
    assert not await here.step_ups.burn("e0", "bob", "nothing of 123 alone")
    seen = here.code(steps=6)
    assert await here.step_ups.burn("e1", "bob", f"my code is {seen}, right?")
    here.clock.advance(6 * PERIOD)
    await here.ask(proposed())
    assert (await here.give(seen)).outcome is CodeOutcome.USED
    assert not await here.step_ups.burn("e2", "alice", seen), "it is nobody else's"
    assert not await here.step_ups.burn("e3", "carol", seen), "who has no secret has no code"


async def test_no_code_stands_in_the_database(here: Desk, tmp_path: Path) -> None:
    codes = [here.code(steps=step) for step in (-1, 0, 1)]
    for code in (*codes, WRONG):
        await here.ask(proposed())
        await here.give(code)
        await here.step_ups.burn(f"burnt {id(code)}", "bob", code)
    await here.database.close()
    held = await asyncio.to_thread(lambda: b"".join(each.read_bytes() for each in tmp_path.iterdir()))
    assert not [code for code in codes if code.encode() in held]


async def test_who_has_no_secret_is_told_so(here: Desk) -> None:
    assert (await here.give("123456", "carol")).outcome is CodeOutcome.NO_SECRET
    assert not here.step_ups.has_secret("carol")
    assert isinstance(SECRETS["bob"], SecretStr)


async def test_what_is_long_over_is_forgotten_and_a_used_code_stays_used(here: Desk) -> None:
    await here.ask(proposed())
    code = here.code()
    assert (await here.give(code, event="e1")).right
    here.clock.advance(timedelta(days=91))
    await here.step_ups.prune()
    assert await StepUpStore(here.database).known("e1") is None
    here.clock.now -= timedelta(days=91)  # as of a machine whose clock is set back
    await here.ask(proposed())
    assert (await here.give(code)).outcome is CodeOutcome.USED
