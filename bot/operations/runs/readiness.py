"""What a run waits for at a boundary, before it begins and before each step: its turn with what it changes, and the
end of a freeze."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from slipway.bot.operations.admission import Admission
from slipway.bot.operations.locking.store import LockStore
from slipway.bot.operations.locking.words import LockWords
from slipway.bot.operations.model import Plan
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.runs.waits import Waits


class Changed:
    """Tells those who wait for an operation that something is otherwise with it now, so that they look again."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.times = 0
        """How often anything was told: whoever looked before that looks again, and waits after that."""

    def tell(self, operation_id: str) -> None:
        """Let those look again who wait for this operation, and itself, if it waits."""
        self.times += 1
        for event in self._waiting.get(operation_id, ()):
            event.set()

    def tell_all(self) -> None:
        """Let everybody look again who waits."""
        for operation_id in tuple(self._waiting):
            self.tell(operation_id)

    async def of(self, *operation_ids: str, since: int) -> None:
        """Wait until it is told that something changed with one of these, ``times`` having been ``since`` at the look
        that found nothing else to do."""
        if self.times != since:
            return
        event, ids = asyncio.Event(), set(operation_ids)
        for each in ids:
            self._waiting.setdefault(each, set()).add(event)
        try:
            await event.wait()
        finally:
            for each in ids:
                self._waiting[each].discard(event)
                if not self._waiting[each]:
                    del self._waiting[each]


@dataclass
class Run:
    """One operation as this process carries it out.

    Attributes:
        operation_id: which.
        plan: what is carried out.
        news: set where its card is to show something else.
        held: what it has claimed and got, as far as this process knows.
        stood_still: whether it has given that up in between, so that what is left is to be planned again.
    """

    operation_id: str
    plan: Plan
    news: asyncio.Event
    held: frozenset[str] = field(default=frozenset())
    stood_still: bool = False


@dataclass(frozen=True)
class _Hindrance:
    """What a run waits for: in words for its card, and the operation with which that may change."""

    words: str
    operation_id: str


async def _nothing() -> None:
    """Nothing is to be noted."""


class Readiness:
    """Lets runs wait.

    Args:
        locks: whose turn it is.
        words: says whom one waits for.
        admission: whether one is frozen.
        operations: where somebody's wish to stop one is noted.
        waits: what operations wait for, for their cards.
        changed: is told where something may be free that was not.
        rest: within it a workflow does nothing but wait.
    """

    def __init__(
        self,
        locks: LockStore,
        words: LockWords,
        admission: Admission,
        operations: OperationRepository,
        waits: Waits,
        changed: Changed,
        rest: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._locks = locks
        self._words = words
        self._admission = admission
        self._operations = operations
        self._waits = waits
        self._changed = changed
        self._rest = rest

    async def ready(
        self, run: Run, targets: Iterable[str], standing: Callable[[], Awaitable[None]] = _nothing
    ) -> bool:
        """Wait until a run may work on something alone, or is to stop, in which case it may do no more than look.

        What it had before and does not name now is given up. It waits in line, behind those who came before it.

        Args:
            run: which.
            targets: what it is to have to itself.
            standing: is called when it begins to stand still in a freeze.

        Returns:
            Whether it waited.
        """
        wanted, waited = frozenset(targets), False
        while True:
            looked_at = self._changed.times
            hindrance = await self._hindrance(run, wanted)
            if hindrance is None:
                break
            if (await self._operations.step_status(run.operation_id, 1)).asked_to_stop:
                await self.release(run)  # it leaves the line
                break
            if run.stood_still and not waited:
                await standing()
            waited = True
            self._waits.shown(run.operation_id, hindrance.words)
            run.news.set()
            with self._rest():
                await self._changed.of(run.operation_id, hindrance.operation_id, since=looked_at)
        if waited:
            self._waits.over(run.operation_id)
            run.news.set()
        return waited

    async def _hindrance(self, run: Run, wanted: frozenset[str]) -> _Hindrance | None:
        """What it waits for; None where it has all that it wants.

        In a freeze it holds nothing: what is not frozen need not wait for it.
        """
        if frozen := await self._admission.frozen(run.plan):
            if await self._locks.of(run.operation_id) is not None:
                await self.release(run)
            run.stood_still = True
            return _Hindrance(f"stands still. {frozen}.", run.operation_id)
        if wanted == run.held:
            return None
        if not wanted:
            await self.release(run)
            return None
        turn = await self._locks.claim(run.operation_id, wanted)
        if run.held:
            self._changed.tell(run.operation_id)
        run.held = frozenset() if turn.before else wanted
        if not turn.before:
            return None
        # Whoever is right before it: of a long line, each wakes the next.
        return _Hindrance(await self._words.waits_for(turn), turn.before[-1].operation_id)

    async def release(self, run: Run) -> None:
        """Give up what it has."""
        await self._locks.release(run.operation_id)
        run.held = frozenset()
        self._changed.tell(run.operation_id)
