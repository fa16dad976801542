"""Whether the bot can do its work now, and each thing that says so: the one source of the heartbeat, from which
`slipway health` reads, and of ``/readyz``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from slipway.bot.chat.model import Chat, ChatHealth, Platform
from slipway.bot.core.times import Clock, format_span

DATABASE_WITHIN = 5.0
"""Seconds in which the database has to answer."""

CLOCK_SILENT = timedelta(minutes=10)
"""What the clock does at least every five minutes hangs or fails where it did not succeed for so long."""

log = structlog.get_logger(__name__)


class Role(StrEnum):
    """What a replica does of the work."""

    ALONE = "alone"  # all of it: there is no other
    LEADER = "leader"  # all of it, and others hear with it
    FOLLOWER = "follower"  # it hears, and hands what it heard to the leader


@dataclass(frozen=True)
class UnderWay:
    """A step that was begun and has not ended."""

    operation_id: str
    since: datetime


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what, in one word.
        problem: what is wrong with it, as a sentence; empty where the bot can work.
        detail: how it is, as a sentence.
        age: seconds since the last sign of it, or since it began; None where there is none.
    """

    name: str
    problem: str = ""
    detail: str = ""
    age: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


@dataclass(frozen=True)
class Looked:
    """How everything was at one moment. Ready is who can hear and, unless another replica leads, work."""

    role: Role
    checks: tuple[Check, ...]
    replica: str = ""
    """Which of several replicas this is; empty where there is one process."""

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.ok for check in self.checks)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, a sentence each."""
        return tuple(check.problem for check in self.checks if check.problem)


class Readiness:
    """Looks at everything that the bot's work takes.

    Args:
        chats: how they are.
        oldest_step: asks the database which step was begun first of those that have not ended.
        clock: the time.
        trouble: what is wrong with the state folder, as a sentence; empty where nothing is.
        clock_work: how long ago the clock's work succeeded last; None where it has not begun.
        role: what this replica does.
        replica: which of several it is; empty where it is alone.
    """

    def __init__(
        self,
        chats: Mapping[Platform, Chat],
        oldest_step: Callable[[], Awaitable[UnderWay | None]],
        clock: Clock,
        *,
        trouble: Callable[[], str] = lambda: "",
        clock_work: Callable[[], timedelta | None] = lambda: None,
        role: Callable[[], Role] = lambda: Role.ALONE,
        replica: str = "",
    ) -> None:
        self._replica = replica
        self._chats = chats
        self._oldest_step = oldest_step
        self._clock = clock
        self._trouble = trouble
        self._clock_work = clock_work
        self._role = role

    async def look(self) -> Looked:
        """How everything is now."""
        role = self._role()
        return Looked(
            role,
            (
                *(_of_chat(name, chat.health()) for name, chat in self._chats.items()),
                Check("storage", self._trouble()),
                *await self._of_database(),
                *self._of_clock(role),
            ),
            self._replica,
        )

    async def _of_database(self) -> tuple[Check, ...]:
        try:
            async with asyncio.timeout(DATABASE_WITHIN):
                oldest = await self._oldest_step()
        except TimeoutError:
            return (Check("database", f"The database did not answer within {DATABASE_WITHIN:.0f} seconds."),)
        except Exception as error:  # noqa: BLE001 - a boundary: whatever it is, the answer is that it cannot be read
            log.warning("the database could not be read", problem=type(error).__name__)
            return (Check("database", f"The database cannot be read ({type(error).__name__})."),)
        return (Check("database", detail="The database answers."), self._of_step(oldest))

    def _of_step(self, oldest: UnderWay | None) -> Check:
        """A step may last for days, as one that waits for copies of an image does: its age is told, and no fault."""
        if oldest is None:
            return Check("steps", detail="No step is under way.")
        age = self._clock() - oldest.since
        detail = f"The oldest step under way is one of {oldest.operation_id}, begun {format_span(age)} ago."
        return Check("steps", detail=detail, age=max(0.0, age.total_seconds()))

    def _of_clock(self, role: Role) -> Iterator[Check]:
        if role is Role.FOLLOWER:  # the leader has the clock
            return
        age = self._clock_work()
        if age is None:
            yield Check("clock", "The clock does not tick yet.")
        elif age > CLOCK_SILENT:
            said = f"What the clock does failed or hangs: it succeeded last {format_span(age)} ago."
            yield Check("clock", said, age=age.total_seconds())
        else:
            yield Check("clock", detail="The clock ticks.", age=age.total_seconds())


def _of_chat(name: str, health: ChatHealth) -> Check:
    age = None if health.last_heard_from is None else max(0.0, health.last_heard_from.total_seconds())
    return Check(name, "" if health.connected else f"{name}: {health.detail}", health.detail, age)
