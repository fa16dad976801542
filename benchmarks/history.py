"""What a year of operations and events costs: every chat command, and the proof of the audit trail.

Two state folders are grown from the same day, a small one and one of a year. Each command is asked on both in turns,
and its times are compared: how much was ever done must not be felt. The proof stands beside a floor that was measured
in the same run: reading the same rows by the plain driver, and hashing the same bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figures, aim, say
from benchmarks.in_process import RecordingChat, fedora_on_azure, running_bot
from benchmarks.year import YEAR, grow
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import ButtonEvent, Choice, MessageEvent, Room
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.core.times import system_clock
from slipway.bot.garbage import collect_seldom
from slipway.bot.operations.audit import Intact, verify
from slipway.bot.operations.trail.verification import place_of
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.wiring.parts import RunningBot

LARGEST_RATIO = 1.3
"""The most that a command may take with a year behind it, to the same with a small past."""

LARGEST_PROOF_RATIO = 4.0
"""The most that the proof of the whole trail may take, to the floor."""

ROOM = Room(platform=CONSOLE, id="console")
DEFINITION = "Fedora-Cloud-43-x64"

COMMANDS = (
    "whoami",
    "status",
    "history",
    "history --limit 50",
    "pending",
    "op {operation}",
    "op op-zzzz",
    f"images {DEFINITION}",
    f"promote {DEFINITION} --dry-run",
    f"promote {DEFINITION}",
    "reject {proposed}",
    "cancel {operation}",
    "cleanup --dry-run",
)
"""What is asked, in this order; the newest operation and the newest proposal are filled in."""


async def measure(*, operations: int, events: int, small: int, runs: int) -> Figures:
    """Grow both folders, and compare."""
    collect_seldom()  # as the program does
    async with fedora_on_azure() as gallery:
        with TemporaryDirectory(prefix="slipway-bench-") as name:
            folder = Path(name)
            await _live_a_day(folder / "day", gallery)
            began = time.perf_counter()
            for of, count, heard in (("small", small, small), ("year", operations, events)):
                shutil.copytree(folder / "day", folder / of)
                grow(folder / of / "state", count, heard)
            say(f"grown in {time.perf_counter() - began:.0f} s")
            size = {file: (folder / "year" / "state" / file).stat().st_size for file in _files()}
            proof = await _proof(folder / "year" / "state" / DATABASE)
            commands, starts = await _compared(folder, gallery, runs)
    worst = max(each["ratio"] for each in commands.values())
    return {
        "operations": operations,
        "events": events,
        "small": small,
        "mib": {file: round(number / 2**20) for file, number in size.items()},
        "seconds_until_started": starts,
        "commands_processor_milliseconds": commands,
        "proof": proof,
        "aim": {
            "commands": aim(worst, LARGEST_RATIO, "times as long as with a small past"),
            "proof": aim(proof["ratio"], LARGEST_PROOF_RATIO, "times as long as the floor"),
            "met": worst < LARGEST_RATIO and proof["ratio"] < LARGEST_PROOF_RATIO,
        },
    }


def _files() -> tuple[str, ...]:
    from slipway.bot.store.state_files import WORKFLOWS

    return (DATABASE, WORKFLOWS)


class _Talk:
    """One who asks in the bot's room."""

    def __init__(self, bot: RunningBot, chat: RecordingChat, who: str = "") -> None:
        self._bot = bot
        self._chat = chat
        self._who = who
        self._said = 0

    async def ask(self, text: str, who: str = "alice") -> float:
        """Processor seconds from the event until all that follows from it is done: others' load does not count."""
        self._said += 1
        event = MessageEvent(
            event_id=f"{self._who}{who}-{self._said}-{time.time_ns()}",
            room=ROOM,
            sender=who,
            text=f"!{text}",
            sent_at=system_clock(),
        )
        began = time.process_time()
        await self._bot.dispatcher.accept(event)
        await self._bot.workflows.idle()
        return time.process_time() - began

    async def filled(self, text: str) -> str:
        """A command with the newest operation, or the newest proposal, in it."""
        (newest,) = await self._bot.operations.recent(1)
        return text.format(operation=newest.id, proposed=newest.id)

    async def approve(self) -> None:
        """Press the button of the newest card."""
        (newest,) = await self._bot.operations.recent(1)
        press = ButtonEvent(
            event_id=f"press-{newest.id}",
            room=ROOM,
            sender="bob",
            choice=Choice.APPROVE,
            operation_id=newest.id,
            digest_prefix=newest.digest_prefix,
            sent_at=system_clock(),
        )
        await self._bot.dispatcher.accept(press)
        await self._bot.workflows.idle()


async def _live_a_day(folder: Path, gallery: AzureGallery) -> None:
    chat = RecordingChat()
    async with running_bot(folder, chat, gallery) as bot:
        talk = _Talk(bot, chat, "day-")
        for line in (f"promote {DEFINITION}", f"rollback {DEFINITION}"):
            await talk.ask(line)
            await talk.approve()
        states = [operation.state.value for operation in await bot.operations.recent(2)]
        assert states == ["done", "done"], states
        await bot.upkeep.sweep()


async def _compared(
    folder: Path, gallery: AzureGallery, runs: int
) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Processor milliseconds of each command, with both pasts; and seconds until each bot had started.

    DBOS runs once in a process, so the bots take turns: small, year, small, year.
    """
    times: dict[str, dict[str, list[float]]] = {line: {"small": [], "year": []} for line in COMMANDS}
    starts: dict[str, list[float]] = {"small": [], "year": []}
    for _ in range(2):
        for of in ("small", "year"):
            began = time.perf_counter()
            async with _bot(folder / of, gallery) as talk:
                starts[of].append(time.perf_counter() - began)
                for line, took in await _asked(talk, runs):
                    times[line][of].append(took)
            say(f"{of}: asked")
    medians = {
        line: {of: statistics.median(taken) * 1000 for of, taken in each.items()}
        for line, each in times.items()
    }
    return (
        {
            line: {
                "small": round(each["small"], 2),
                "year": round(each["year"], 2),
                "ratio": round(each["year"] / each["small"], 2),
            }
            for line, each in medians.items()
        },
        {of: round(statistics.median(each), 2) for of, each in starts.items()},
    )


@asynccontextmanager
async def _bot(folder: Path, gallery: AzureGallery) -> AsyncIterator[_Talk]:
    chat = RecordingChat()
    # All of the year is kept, so that nothing is forgotten while it is measured.
    async with running_bot(folder, chat, gallery, keep=2 * YEAR) as bot:
        await bot.upkeep.sweep()
        await bot.idle()
        yield _Talk(bot, chat)


async def _asked(talk: _Talk, runs: int) -> list[tuple[str, float]]:
    """Each command so many times in turns; the first round, which loads what is loaded once, does not count."""
    return [
        (line, took)
        for run in range(runs + 1)
        for line in COMMANDS
        if (took := await talk.ask(await talk.filled(line))) and run
    ]


async def _proof(path: Path) -> dict[str, float]:
    """Seconds that the proof takes, from the beginning and from the last hundredth on; and the floor."""
    database = Database(path, read_only=True)
    await database.open()
    try:
        spent = time.process_time()
        whole, found = await _timed(lambda: verify(database))
        spent = time.process_time() - spent
        assert isinstance(found, Intact), found
        floor = min([await asyncio.to_thread(_floor, path) for _ in range(2)])
        whole = min(whole, (await _timed(lambda: verify(database)))[0])
        async with database.reading() as connection:
            head = await connection.exec_driver_sql(
                "SELECT hash FROM audit WHERE number = ?", (found.entries * 99 // 100,)
            )
            since = await place_of(database, str(head.scalar()))
        rest, _ = await _timed(lambda: verify(database, since=since))
    finally:
        await database.close()
    return {
        "entries": found.entries,
        "seconds": round(whole, 2),
        "processor_seconds": round(spent, 2),
        "seconds_since_a_checkpoint": round(rest, 2),
        "floor_seconds": round(floor, 2),
        "ratio": round(whole / floor, 2),
        "microseconds_an_entry": round(whole / found.entries * 1e6, 1),
    }


async def _timed(work: Callable[[], Awaitable[object]]) -> tuple[float, object]:
    began = time.perf_counter()
    found = await work()
    return time.perf_counter() - began, found


def _floor(path: Path) -> float:
    """Reading the same rows with the plain driver, and hashing the same bytes: no proof is quicker."""
    began = time.perf_counter()
    with closing(sqlite3.connect(path)) as file:
        for row in file.execute("SELECT * FROM audit ORDER BY number"):
            hashlib.sha256("".join(map(str, row)).encode()).hexdigest()
    return time.perf_counter() - began
