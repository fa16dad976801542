"""How much work a vote and the run after it make: transactions, whole operations read, look-ups of cards, lines read.

Counted, not timed: the same on every machine. An aim is the most that each may be.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from benchmarks.figures import Figures
from benchmarks.in_process import RecordingChat, fedora_on_azure, running_bot
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import ButtonEvent, Choice, MessageEvent, Room
from slipway.bot.core.times import system_clock
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.persistence.rows import OperationRows
from slipway.bot.store.database import Database
from slipway.bot.wiring.parts import RunningBot
from slipway.commands.grammar import registry
from slipway.commands.grammar.reading import read_line

AIMS = {
    "reading_transactions": 9,
    "writing_transactions": 5,
    "operations_loaded": 3,
    "card_lookups": 1,
    "lines_read": 1,
}
"""Of one promotion: of its proposal, the lines read; of the vote and the run, all else."""

ROOM = Room(platform=CONSOLE, id="console")


async def measure() -> Figures:
    """Propose one promotion, approve it by a button, and count until nothing is under way any more."""
    async with fedora_on_azure() as gallery:
        with TemporaryDirectory(prefix="slipway-bench-") as folder:
            async with running_bot(Path(folder), RecordingChat(), gallery) as bot:
                return await _count(bot)


async def _count(bot: RunningBot) -> Figures:
    with _counting() as counts:
        await bot.dispatcher.accept(
            MessageEvent(
                event_id="ask",
                room=ROOM,
                sender="alice",
                text="!promote Fedora-Cloud-43-x64",
                sent_at=system_clock(),
            )
        )
        await bot.workflows.idle()
        lines = counts["lines_read"]
        counts.clear()
        (operation,) = await bot.operations.recent(1)
        counts.clear()
        press = ButtonEvent(
            event_id="press",
            room=ROOM,
            sender="bob",
            choice=Choice.APPROVE,
            message_id="hear:console:ask",
            sent_at=system_clock(),
        )
        await bot.dispatcher.accept(press)
        await asyncio.wait_for(bot.workflows.idle(), timeout=60)
        found = {**counts, "lines_read": lines}
    state = (await bot.operations.get(operation.id)).state
    made = {name: found.get(name, 0) for name in AIMS}
    met = state == "done" and all(made[name] <= most for name, most in AIMS.items())
    return {"of_a_vote_and_its_run": made, "most": AIMS, "ended": state.value, "aim": {"met": met}}


@contextmanager
def _counting() -> Iterator[Counter[str]]:
    """Count calls of the parts in question, which work as ever."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            counts[name] += 1
            return function(*args, **more)

        return call

    parts: tuple[tuple[object, str, Any], ...] = (
        (Database, "reading", counted("reading_transactions", Database.reading)),
        (Database, "write", counted("writing_transactions", Database.write)),
        (
            OperationRows,
            "_operation",
            counted("operations_loaded", OperationRows._operation),
        ),
        (MessageService, "card_of", counted("card_lookups", MessageService.card_of)),
        (MessageService, "card_at", counted("card_lookups", MessageService.card_at)),
        (registry, "read_line", counted("lines_read", read_line)),
    )
    with ExitStack() as stack:
        for owner, name, replacement in parts:
            stack.enter_context(mock.patch.object(owner, name, replacement))
        yield counts
