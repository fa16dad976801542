"""How long an answer takes: from the event handed to the dispatcher until the reply is handed to the chat."""

from __future__ import annotations

import copy
import itertools
import sqlite3
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from dbos import DBOS, SetWorkflowID

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.in_process import RecordingChat, running_bot
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Address, MessageEvent, Room
from slipway.bot.core.model import Json
from slipway.bot.core.times import system_clock
from slipway.bot.store.storage import Storage
from slipway.bot.wiring.parts import RunningBot
from slipway.bot.workflows.bodies import Payload
from slipway.bot.workflows.engine import Effect, WorkflowEngine
from slipway.commands.dispatch.dispatcher import Dispatcher

LIMIT_MS = 15.0
WARM_UP = 20
"""Answers before the measuring: the first ones compile statements and open connections."""


Way = Callable[[str], Awaitable[float]]
"""Does one thing under a key, and gives the seconds it took."""


class Unrecorded(WorkflowEngine):
    """Runs the dispatcher's own answering at once, in the caller's task, and records nothing."""

    async def start(self, name: str, workflow_id: str, payload: Payload) -> None:
        """Run the body to its end."""
        await self._bodies[name](payload)

    async def step(self, name: str, effect: Effect) -> Json:
        """Only the effect."""
        return await effect()


async def measure(*, messages: int) -> Figures:
    """Answer so many `!whoami` with and without the durable record, taking turns, beside an empty workflow."""
    with TemporaryDirectory(prefix="slipway-bench-") as folder:
        chat = RecordingChat()
        empty_workflow = _EmptyWorkflow()
        async with running_bot(Path(folder), chat) as bot:
            direct = _without_record(bot.dispatcher, Path(folder))
            ways: dict[str, Way] = {
                "with_record": partial(_answer, bot, bot.dispatcher, chat),
                "without_record": partial(_answer, bot, direct, chat),
                "floor_empty_workflow": empty_workflow.run,
                "floor_commit": _Commits(Path(folder)).run,
            }
            samples = await _take_turns(ways, messages)
    pairs = zip(samples["with_record"], samples["without_record"], strict=True)
    overhead = [recorded - unrecorded for recorded, unrecorded in pairs]
    typical = {name: median(each) for name, each in samples.items()}
    return {
        "unit": "milliseconds",
        "command": "!whoami",
        **{name: spread(each) for name, each in samples.items()},
        "overhead": spread(overhead),
        "ratio_of_with_record_to_empty_workflow": round(
            typical["with_record"] / typical["floor_empty_workflow"], 2
        ),
        "aim": aim(median(overhead), LIMIT_MS, "milliseconds of overhead, median"),
    }


async def _take_turns(ways: dict[str, Way], messages: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-WARM_UP, messages):
        if number % 100 == 0:
            say(f"reply: {number} of {messages}")
        for name, way in ways.items():
            took = await way(f"{name}-{number}")
            if number >= 0:
                samples[name].append(took * 1000)
    return samples


async def _answer(bot: RunningBot, dispatcher: Dispatcher, chat: RecordingChat, key: str) -> float:
    """Seconds until the reply was handed to the chat; returns once nothing is under way any more."""
    heard = MessageEvent(
        event_id=key,
        room=Room(platform=CONSOLE, id="console"),
        sender="alice",
        text="!whoami",
        address=Address.DIRECT,
        sent_at=system_clock(),
    )
    chat.sent.clear()
    began = time.perf_counter()
    await dispatcher.accept(heard)
    await chat.sent.wait()
    took = chat.sent_at_seconds - began
    await bot.workflows.idle()
    return took


def _without_record(dispatcher: Dispatcher, folder: Path) -> Dispatcher:
    """The same dispatcher, people, commands and messages, whose answers run without DBOS."""
    twin = copy.copy(dispatcher)
    unrecorded = Unrecorded(folder, Storage(folder))
    unrecorded.register("hear", twin._handle)
    twin._workflows = unrecorded
    return twin


class _EmptyWorkflow:
    """What DBOS takes by itself: a workflow with two empty steps, in the same database as the bot's.

    Made before the bot starts DBOS, so that DBOS knows the workflow.
    """

    def __init__(self) -> None:
        self._second_step_at = 0.0

        async def first() -> None:
            return None

        async def second() -> None:
            self._second_step_at = time.perf_counter()

        async def empty() -> None:
            await DBOS.run_step_async({"name": "first"}, first)
            await DBOS.run_step_async({"name": "second"}, second)

        self._empty = DBOS.workflow(name="empty")(empty)

    async def run(self, key: str) -> float:
        """Seconds until the second step runs, as the bot's reply is handed to the chat in its second step."""
        began = time.perf_counter()
        with SetWorkflowID(key):
            handle = await DBOS.start_workflow_async(self._empty)
        await handle.get_result()
        return self._second_step_at - began


class _Commits:
    """What the disk takes: one small row committed to SQLite with the bot's settings."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE row (n INTEGER)")
        self._numbers = itertools.count()

    async def run(self, _key: str) -> float:
        """Seconds for one commit."""
        began = time.perf_counter()
        self._connection.execute("INSERT INTO row VALUES (?)", (next(self._numbers),))
        return time.perf_counter() - began
