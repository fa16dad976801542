"""How time passes for a bot under test: no message may come, or stay away, because the machine is busy."""

from __future__ import annotations

import asyncio
from typing import Any

from slipway.bot.health.heartbeat import LOOK_SECONDS as HEARTBEAT_LOOK_SECONDS
from slipway.bot.health.report import BEAT_SECONDS
from slipway.bot.operations.runs import display
from slipway.bot.store.storage import LOOK_SECONDS as STORAGE_LOOK_SECONDS
from slipway.bot.workflows import engine, unreadable
from slipway.commands.dispatch import dispatcher

_PATIENCE = {dispatcher.PATIENCE_SECONDS, display.PATIENCE_SECONDS}
"""How long something takes before people are told that it is being worked on."""

_REGULAR = {STORAGE_LOOK_SECONDS, BEAT_SECONDS, HEARTBEAT_LOOK_SECONDS}
"""Between looks that go on as long as the bot runs: at once, they would keep the processor from all else."""

_NEVER = 24 * 3600.0


async def nobody_waits(seconds: float) -> None:
    """Whatever is asked for is quick: nobody is told that it takes a while. All other pauses take their time."""
    await asyncio.sleep(_NEVER if seconds in _PATIENCE else seconds)


async def no_pauses(seconds: float) -> None:
    """The same for bots whose clouds or chats make them wait: pauses between looks and tries pass at once."""
    await asyncio.sleep(_NEVER if seconds in _PATIENCE else seconds if seconds in _REGULAR else 0)


async def impatient(seconds: float) -> None:
    """Nobody waits for anything: whatever takes any time at all is slow."""
    await asyncio.sleep(seconds if seconds in _REGULAR else 0)


_RECOVERY_SECONDS = 0.1  # each look is a transaction
_LISTENER_SECONDS = 0.02  # each look is a glance at an empty table in memory


def poll_often() -> None:
    """Have DBOS look more often for what its threads sleep through otherwise: workflows that a former process left,
    for which it looks once a second, and whether it is to stop, for which its listener looks. The same for what
    Slipway itself looks for after a start. Nothing that a bot does is done otherwise; only starts after an
    interruption, and stops, wait for less."""
    from dbos import Queue

    constructor: Any = Queue.__init__
    constructor.__kwdefaults__["polling_interval_sec"] = _RECOVERY_SECONDS
    vars(engine)["NOTIFICATION_POLL_SECONDS"] = vars(engine)["RESULT_POLL_SECONDS"] = _LISTENER_SECONDS
    vars(unreadable)["LOOK_SECONDS"] = _RECOVERY_SECONDS
