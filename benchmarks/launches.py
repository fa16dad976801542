"""Launches that are asked for at once, before an EC2 that is far away: until each is accepted, beside one alone."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.in_process import RecordingChat
from slipway.bot import logs
from slipway.bot.app import App
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Address, Card, MessageEvent, Room
from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.times import system_clock
from slipway.bot.declared import declared
from slipway.bot.wiring.parts import ChatBuilder, RunningBot

AT_ONCE = 10
ALONE = 2
"""So many before each run of all at once."""
LIMIT = 1.2
WARM_UP = 2

_OPERATION = re.compile(r"op-[0-9a-z]+(?= launch: )", re.ASCII)


class NotingChat(RecordingChat):
    """Notes when each operation was shown first: by a message, or by an edit of “Working on it…”."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: dict[str, float] = {}

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Note the moment."""
        self._note(card)
        return await super().send(room, card, thread=thread, key=key)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Note the moment."""
        self._note(card)

    def _note(self, card: Card) -> None:
        if found := _OPERATION.match(card.title):
            self.accepted.setdefault(found[0], time.perf_counter())


async def measure(*, latency: float, runs: int) -> Figures:
    """Ask for launches alone and for many at once, in turns; seconds until the card of each is there."""
    seed = fedora_machines(system_clock())
    aws = SimulatedAws(seed)
    with TemporaryDirectory(prefix="slipway-bench-") as folder:
        async with aws:
            await aws.ready()
            aws.quotas = dict.fromkeys(aws.quotas, 10_000.0)
            settings = demo_settings(
                state_dir=Path(folder) / "state",
                aws_endpoint=aws.url,
                azure_endpoint="http://127.0.0.1:9",  # nobody asks there
                spec=declared().spec,
            )
            logs.configure("console")
            chat = NotingChat()
            app = App(settings, declared(), chats=(ChatBuilder(CONSOLE, lambda _: chat),))
            async with app.running() as bot:
                image = max(each.name for each in seed.images if ".x86_64-43-" in each.name)
                return await _compare(bot, chat, aws, image, latency, runs)


async def _compare(
    bot: RunningBot, chat: NotingChat, aws: SimulatedAws, image: str, latency: float, runs: int
) -> Figures:
    line = f"!launch {image} --for 1h"
    for number in range(WARM_UP):
        await _ask(bot, chat, [f"warm-up {number}"], line)
    aws.faults.add(Fault(kind=FaultKind.FAR, seconds=latency, times=None))
    alone: list[float] = []
    together: list[float] = []
    processor: list[float] = []
    for run in range(runs):  # in turns, so that a busy moment falls on both
        for number in range(ALONE):
            say(f"launches: run {run + 1} of {runs}, {number + 1} of {ALONE} alone")
            alone += await _ask(bot, chat, [f"run {run}, alone {number}"], line)
        say(f"launches: run {run + 1} of {runs}, {AT_ONCE} at once")
        began = time.process_time()
        together.append(max(await _ask(bot, chat, [f"run {run}, {each}" for each in range(AT_ONCE)], line)))
        processor.append(time.process_time() - began)
    aws.faults.clear()
    return {
        "unit": "seconds",
        "at_once": AT_ONCE,
        "seconds_of_each_answer": latency,
        "alone": spread(alone),
        "the_last_of_all_at_once": spread(together),
        "processor_seconds_of_all_at_once": spread(
            processor
        ),  # the bot's and the front's, until all have ended
        "aim": aim(
            median(together) / median(alone), LIMIT, "times one alone, until the last is accepted; medians"
        ),
    }


async def _ask(bot: RunningBot, chat: NotingChat, keys: Sequence[str], line: str) -> list[float]:
    """Seconds until each of these was accepted; returns once all have ended."""
    chat.accepted.clear()
    began = time.perf_counter()
    await asyncio.gather(
        *(
            bot.dispatcher.accept(
                MessageEvent(
                    event_id=key,
                    room=Room(platform=CONSOLE, id="console"),
                    sender="alice",
                    text=line,
                    address=Address.DIRECT,
                    sent_at=system_clock(),
                )
            )
            for key in keys
        )
    )
    await bot.idle()
    took = [moment - began for moment in chat.accepted.values()]
    if len(took) != len(keys):
        raise RuntimeError(f"{len(keys)} launches were asked for, and {len(took)} accepted")
    return took
