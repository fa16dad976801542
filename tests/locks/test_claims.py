"""Claims in the database, whatever order operations come in, end in, or die in."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from slipway.bot.operations.locking.model import lines
from slipway.bot.operations.locking.store import LockStore
from slipway.bot.operations.model import OperationState
from slipway.bot.store.database import Database
from slipway.bot.store.tables import operation
from tests.locks.builders import database_with
from tests.support.clock import FakeClock

OPERATIONS = tuple(f"op-{letter * 4}" for letter in "abcdef")
TARGETS = ("definition X", "definition Y", "machine i-1")
WANTED = st.frozensets(st.sampled_from(TARGETS), min_size=1)


class Interleavings(RuleBasedStateMachine):
    """Operations claim, wait, end and die in any order. What each claims is kept here, in the order of the claims."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = TemporaryDirectory(prefix="slipway-locks-")
        self.claimed: dict[str, frozenset[str]] = {}
        self.held: set[str] = set()
        self.ended: set[str] = set()
        self.database: Database
        self.locks: LockStore

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        """Operations run."""
        made = database_with(Path(self.folder.name), OPERATIONS)
        self.database = self.run(self.stack.enter_async_context(made))
        self.locks = LockStore(self.database, FakeClock())

    def _of(self, number: int) -> str | None:
        living = [each for each in OPERATIONS if each not in self.ended]
        return living[number % len(living)] if living else None

    @rule(number=st.integers(0, 5), wanted=WANTED)
    def claim(self, number: int, wanted: frozenset[str]) -> None:
        """One claims something, anew or once more, such as after a crash; what it had of other things is given up."""
        if (operation_id := self._of(number)) is None:
            return
        if self.claimed.get(operation_id) != wanted:
            self.claimed.pop(operation_id, None)
            self.held.discard(operation_id)
            self.claimed[operation_id] = wanted
        turn = self.run(self.locks.claim(operation_id, wanted))
        earlier = list(self.claimed)[: list(self.claimed).index(operation_id)]
        before = [each for each in earlier if self.claimed[each] & wanted]
        assert [each.operation_id for each in turn.before] == before
        assert turn.claim.held == (not before)
        self.held |= {operation_id} if turn.claim.held else set()

    @precondition(lambda self: self.claimed)
    @rule(number=st.integers(0, 5))
    def release(self, number: int) -> None:
        """One gives up what it has, or its place in line."""
        operation_id = list(self.claimed)[number % len(self.claimed)]
        self.run(self.locks.release(operation_id))
        del self.claimed[operation_id]
        self.held.discard(operation_id)

    @rule(number=st.integers(0, 5))
    def end_unseen(self, number: int) -> None:
        """One ends, and its process dies before anybody hears of that; the next look drops what it claimed."""
        if (operation_id := self._of(number)) is None:
            return
        self.ended.add(operation_id)
        change = operation.update().where(operation.c.id == operation_id).values(state=OperationState.FAILED)
        self.run(self.database.execute(change))
        had = len(self.claimed.pop(operation_id, ()))
        self.held.discard(operation_id)
        assert self.run(self.locks.drop_ended()) == had

    @rule()
    def restart(self) -> None:
        """Another process takes over."""
        self.locks = LockStore(self.database, FakeClock())

    @invariant()
    def nobody_shares_and_everybody_keeps_their_place(self) -> None:
        """One holder at most a target; what is held and in which order it was claimed is as noted here."""
        claims = self.run(self.locks.all()) if hasattr(self, "locks") else ()
        assert {each.operation_id: each.targets for each in claims} == self.claimed
        assert [each.operation_id for each in claims] == list(self.claimed)
        assert {each.operation_id for each in claims if each.held} == self.held
        for line in lines(claims).values():
            assert [each.held for each in line[1:]] == [False] * (len(line) - 1)

    @invariant()
    def somebody_can_always_go_on(self) -> None:
        """No claims wait for each other: the first in line gets what it claims as soon as it asks."""
        if self.claimed:
            first = next(iter(self.claimed))
            assert self.run(self.locks.claim(first, self.claimed[first])).claim.held
            self.held.add(first)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
