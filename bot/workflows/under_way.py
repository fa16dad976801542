"""Which workflows run in this process, or are still to: what a stop waits for, and what it interrupts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager
from typing import Any


class UnderWay:
    """Keeps the bodies that run, what of them is not stored as ended yet, and what has not begun again.

    Args:
        changed: called whenever any of it has changed.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._bodies: dict[asyncio.Task[Any], str] = {}
        self._unstored: dict[asyncio.Future[Any], str] = {}
        self._resting: set[str] = set()
        self._to_begin: set[str] = set()
        self._begun: set[str] | None = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def ids(self) -> set[str]:
        """The workflows that run."""
        return {*self._bodies.values(), *self._unstored.values()}

    @property
    def to_begin(self) -> Set[str]:
        """Those that were left, or were broken off, and do not run again yet."""
        return self._to_begin

    @property
    def anything(self) -> bool:
        """Whether there is something to interrupt."""
        return bool(self._bodies or self._unstored)

    @contextmanager
    def body(self, task: asyncio.Task[Any], workflow_id: str) -> Iterator[None]:
        """What this task does within is a workflow's body."""
        self._bodies[task] = workflow_id
        if self._begun is not None:
            self._begun.add(workflow_id)
        self._to_begin.discard(workflow_id)
        self._settle()
        try:
            yield
        finally:
            self._bodies.pop(task, None)
            self._settle()

    def until_stored(self, future: asyncio.Future[Any], workflow_id: str) -> None:
        """A workflow is under way until this, too, is done."""
        self._unstored[future] = workflow_id
        self._settle()
        future.add_done_callback(self._stored)

    def _stored(self, future: asyncio.Future[Any]) -> None:
        self._unstored.pop(future, None)
        self._settle()

    def found(self, left: Set[str]) -> None:
        """A former process left these; those that have begun here while that was found out are no more among them."""
        self._to_begin |= left - (self._begun or set())
        self._begun = None
        self._settle()

    def broken_off(self, workflow_id: str) -> None:
        """A workflow is to begin again."""
        self._to_begin.add(workflow_id)
        self._settle()

    def will_not_begin(self, ids: Iterable[str]) -> None:
        """Of those that were to begin these never will."""
        self._to_begin.difference_update(ids)
        self._settle()

    @contextmanager
    def rest(self) -> Iterator[None]:
        """What the body that runs now does within is to wait for something that takes hours."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker; something is awaited
        workflow_id = self._bodies[task]
        self._resting.add(workflow_id)
        self._settle()
        try:
            yield
        finally:
            self._resting.discard(workflow_id)
            self._settle()

    async def idle(self) -> None:
        """Wait until no workflow is running in this process."""
        await self._idle.wait()

    async def quiet(self) -> None:
        """Wait until each workflow that is running in this process, if any, rests."""
        await self._quiet.wait()

    async def interrupt(self) -> None:
        """Cancel every body, until none is left and nothing is to be stored any more."""
        while self.anything:
            running = tuple(self._bodies)
            for task in running:
                task.cancel()
            await asyncio.wait({*running, *self._unstored}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)

    def _settle(self) -> None:
        ids = self.ids
        for event, so in (
            (self._idle, not ids and not self._to_begin),
            (self._quiet, ids <= self._resting and not self._to_begin),
        ):
            event.set() if so else event.clear()
        self._changed()
