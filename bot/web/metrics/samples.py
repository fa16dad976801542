"""What is looked at when metrics are asked for: how things are, rather than what happened."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

import structlog

from slipway import __version__
from slipway.bot.chat.model import Chat, Platform, Room
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.core.measuring.metrics import (
    BUILD,
    CHECK,
    CLOCK_SECONDS,
    CLOUD_FAILING,
    CONNECTED,
    DROPPED,
    FROZEN,
    HEARD,
    LOCK_HELD_SECONDS,
    LOCK_WAIT_SECONDS,
    LOCKS_HELD,
    LOCKS_WAITING,
    LOOK_FAILED,
    OLDEST_STEP,
    OPEN,
    PROBLEMS,
    QUEUE,
    QUEUE_SECONDS,
    READY,
    REPLICA,
    ROLE,
)
from slipway.bot.core.times import Clock
from slipway.bot.health.readiness import Looked
from slipway.bot.operations.locking.model import Claim
from slipway.bot.operations.model import OPEN as OPEN_STATES
from slipway.bot.operations.model import OperationState
from slipway.bot.web.metrics.prometheus import Sample

LOOKS_WITHIN = 5.0
"""Seconds in which the database has to answer; Prometheus itself waits for ten."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Standing:
    """How much of everything there is, as the database tells.

    Attributes:
        states: those of the operations that have not ended, one each.
        waiting: messages that wait, by platform.
        dropped: messages given up in the last day.
        problems: open entries in the list of what is wrong that nobody has put off.
        claims: of operations on what they change.
        frozen: whether anything is frozen, or nobody can tell.
    """

    states: tuple[OperationState, ...]
    waiting: Mapping[str, int]
    dropped: int
    problems: int
    claims: tuple[Claim, ...]
    frozen: bool


@dataclass(frozen=True)
class Sources:
    """Where it is looked.

    Attributes:
        look: how ready the bot is.
        standing: asks the database.
        deployment: its name in the configuration.
        chats: the platforms.
        contacts: when each cloud answered last.
        behind_since: rooms that wait for what was said there, and since when.
        clock: the time.
    """

    look: Callable[[], Awaitable[Looked]]
    standing: Callable[[], Awaitable[Standing]]
    deployment: str
    chats: Mapping[Platform, Chat]
    contacts: Mapping[str, CloudContact]
    behind_since: Callable[[], Mapping[Room, datetime]]
    clock: Clock


async def samples(sources: Sources) -> tuple[Sample, ...]:
    """How everything is now. What cannot be looked at is left out, and counted as that."""
    looked = await sources.look()
    try:
        async with asyncio.timeout(LOOKS_WITHIN):
            standing = await sources.standing()
    except Exception as error:  # noqa: BLE001 - a boundary: the rest is told all the same
        log.warning("metrics lack what stands in the database", problem=type(error).__name__)
        standing = None
    return (
        Sample(BUILD, 1, (__version__, platform.python_version(), version("dbos"))),
        *_of_readiness(looked, sources.deployment),
        *_of_chats(sources),
        *(
            Sample(CLOUD_FAILING, each.failure is not None, (name,))
            for name, each in sources.contacts.items()
        ),
        Sample(LOOK_FAILED, standing is None),
        *(_of_standing(standing, tuple(sources.chats), sources.clock()) if standing is not None else ()),
    )


def _of_readiness(looked: Looked, deployment: str) -> Iterator[Sample]:
    yield Sample(READY, looked.ready)
    yield Sample(ROLE, 1, (deployment, looked.role))
    if looked.replica:
        yield Sample(REPLICA, 1, (looked.replica,))
    ages = {check.name: check.age for check in looked.checks}
    for check in looked.checks:
        yield Sample(CHECK, check.ok, (check.name,))
    yield Sample(OLDEST_STEP, ages.get("steps") or 0.0)
    if (age := ages.get("clock")) is not None:
        yield Sample(CLOCK_SECONDS, age)


def _of_chats(sources: Sources) -> Iterator[Sample]:
    now = sources.clock()
    oldest: dict[str, float] = dict.fromkeys(sources.chats, 0.0)
    for room, since in sources.behind_since().items():
        oldest[room.platform] = max(oldest.get(room.platform, 0.0), (now - since).total_seconds())
    for name, chat in sources.chats.items():
        health = chat.health()
        yield Sample(CONNECTED, health.connected, (name,))
        if health.last_heard_from is not None:
            yield Sample(HEARD, health.last_heard_from.total_seconds(), (name,))
    for which, seconds in oldest.items():
        yield Sample(QUEUE_SECONDS, seconds, (which,))


def _of_standing(standing: Standing, platforms: tuple[str, ...], now: datetime) -> Iterator[Sample]:
    states = Counter(standing.states)
    for state in OPEN_STATES:
        yield Sample(OPEN, states[state], (state,))
    for name, count in {**dict.fromkeys(platforms, 0), **standing.waiting}.items():
        yield Sample(QUEUE, count, (name,))
    yield Sample(DROPPED, standing.dropped)
    yield Sample(PROBLEMS, standing.problems)
    yield Sample(FROZEN, standing.frozen)
    yield from _of_claims(standing.claims, now)


def _of_claims(claims: tuple[Claim, ...], now: datetime) -> Iterator[Sample]:
    held = [(now - each.since).total_seconds() for each in claims if each.since is not None]
    waiting = [(now - each.asked_at).total_seconds() for each in claims if each.since is None]
    yield Sample(LOCKS_HELD, len(held))
    yield Sample(LOCKS_WAITING, len(waiting))
    yield Sample(LOCK_HELD_SECONDS, max(held, default=0.0))
    yield Sample(LOCK_WAIT_SECONDS, max(waiting, default=0.0))
