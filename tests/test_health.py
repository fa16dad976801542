"""The heartbeat: what the bot writes of itself, and what `slipway health` says of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from slipway.bot.chat.model import ChatHealth
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.health.heartbeat import Heartbeat
from slipway.bot.health.report import FILE, problem, report
from tests.support.clock import NOW, FakeClock
from tests.support.memory_chat import MemoryChat


class Beating:
    """A bot's heartbeat, of which each pause ends when the test says so."""

    def __init__(self, state_dir: Path) -> None:
        self.clock = FakeClock()
        self.readiness: list[str] = []
        self._seconds = 0.0
        self._paused: asyncio.Queue[float] = asyncio.Queue()
        self._go_on: asyncio.Queue[None] = asyncio.Queue()
        chat = MemoryChat()
        chat.accept = self._accept
        heartbeat = Heartbeat(
            state_dir, {chat.platform: chat}, self.clock, monotonic=lambda: self._seconds, sleep=self._sleep
        )
        self.task = asyncio.create_task(heartbeat.run(self._ready))

    async def pause(self) -> None:
        """Return when the heartbeat pauses; raises what it ended with, if it did."""
        paused = asyncio.create_task(self._paused.get())
        await asyncio.wait({paused, self.task}, return_when=asyncio.FIRST_COMPLETED)
        if not paused.done():
            paused.cancel()
            await self.task

    async def beat(self) -> None:
        """End the pause, and return at the next one."""
        self._go_on.put_nowait(None)
        await self.pause()

    async def _ready(self) -> None:
        self.readiness.append("ready")

    async def _accept(self, _event: object) -> bool:
        return True

    async def _sleep(self, seconds: float) -> None:
        self._paused.put_nowait(seconds)
        await self._go_on.get()
        self._seconds += seconds
        self.clock.advance(timedelta(seconds=seconds))


@asynccontextmanager
async def beating(state_dir: Path) -> AsyncIterator[Beating]:
    """A heartbeat that has beaten once."""
    bot = Beating(state_dir)
    try:
        await bot.pause()
        yield bot
    finally:
        bot.task.cancel()
        await asyncio.gather(bot.task, return_exceptions=True)


async def test_a_bot_is_well_while_it_beats_and_gone_when_it_ends(tmp_path: Path) -> None:
    async with beating(tmp_path) as bot:
        assert bot.readiness == ["ready"]
        for _ in range(6):  # longer than a heartbeat lasts
            assert problem(tmp_path, bot.clock()) is None
            await bot.beat()
        assert bot.readiness == ["ready"]
    assert problem(tmp_path, bot.clock()) == f"No Slipway is running on {tmp_path}."


async def test_a_bot_goes_on_where_its_heartbeat_cannot_be_written_and_says_so_once_a_spell(
    tmp_path: Path,
) -> None:
    in_the_way = tmp_path / "health.new"
    with capture_logs() as logs:
        async with beating(tmp_path) as bot:
            for _ in range(2):
                in_the_way.mkdir()
                for _ in range(5):
                    await bot.beat()
                assert "no sign of life since" in (problem(tmp_path, bot.clock()) or "")
                in_the_way.rmdir()
                await bot.beat()
                assert problem(tmp_path, bot.clock()) is None
    assert [entry["log_level"] for entry in logs] == ["error", "info", "error", "info"]
    assert "Is a directory" in logs[0]["problem"]


async def test_a_bot_ends_in_peace_where_its_heartbeat_cannot_be_taken_away(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with beating(tmp_path):
            (tmp_path / FILE).unlink()
            (tmp_path / FILE).mkdir()
    assert [entry["log_level"] for entry in logs] == ["warning"]


def test_a_wrong_clock_is_told_and_makes_no_bot_ill(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    ahead = ChatHealth(True, timedelta(), "", clock_ahead=timedelta(hours=3))
    (tmp_path / FILE).write_text(Heartbeat(tmp_path, {}, clock)._beat({chat.platform: ahead}))
    found = report(tmp_path, clock())
    assert found.problem is None
    (warning,) = found.warnings
    assert warning.startswith("This machine's clock is 3h ahead of that of Console")


def test_when_each_cloud_answered_is_told_and_makes_no_bot_ill(tmp_path: Path) -> None:
    clock = FakeClock()
    contacts = {name: CloudContact(clock) for name in ("aws", "azure", "azure.staging")}

    def ask(name: str, kind: CloudErrorKind | None = None) -> None:
        with suppress(CloudError), contacts[name].noting("look"):
            if kind is not None:
                raise CloudError(kind, cloud=name, sentence="It did not do it.")

    def clouds() -> tuple[str, ...]:
        heartbeat = Heartbeat(tmp_path, {}, clock, contacts=contacts)
        (tmp_path / FILE).write_text(heartbeat._beat({}))
        found = report(tmp_path, clock())
        assert found.problem is None
        return found.clouds

    ask("aws")
    ask("azure", CloudErrorKind.NOT_FOUND)  # an answer all the same
    clock.advance(timedelta(minutes=3))
    assert clouds() == (
        "aws answered 3 min ago.",
        "azure answered 3 min ago.",
        "azure.staging was not asked for anything since the start.",
    )
    ask("aws", CloudErrorKind.UNREACHABLE)
    ask("azure.staging", CloudErrorKind.REFUSED)
    clock.advance(timedelta(hours=50))
    ask("azure")
    assert clouds() == (
        "aws failed 2 days ago: It did not do it. Before, it answered 2 days ago.",
        "azure answered less than a minute ago.",
        "azure.staging failed 2 days ago: It did not do it.",
    )
    ask("aws", CloudErrorKind.CAPACITY)
    clock.advance(timedelta(hours=2))
    assert clouds()[0] == "aws answered 2 h ago."


def told(folder: Path, text: str) -> str | None:
    """What is said of a heartbeat."""
    (folder / FILE).write_text(text)
    return problem(folder, NOW)


def test_a_bot_that_hangs_or_is_not_connected_is_told(tmp_path: Path) -> None:
    beat = {"at": NOW.isoformat(), "chats": {"matrix": {"connected": True, "detail": "Listening."}}}
    assert told(tmp_path, json.dumps(beat)) is None
    assert problem(tmp_path, NOW + timedelta(seconds=30)) is None
    assert "no sign of life since 2026-11-20 12:00:00" in (
        problem(tmp_path, NOW + timedelta(minutes=1)) or ""
    )
    assert "no sign of life" in (problem(tmp_path, NOW - timedelta(hours=1)) or "")

    disconnected = {"at": NOW.isoformat(), "chats": {"matrix": {"connected": False, "detail": "It is down."}}}
    assert told(tmp_path, json.dumps(disconnected)) == "Not connected. matrix: It is down."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"at": 1}',
        '{"at": "2026-11-20T12:00:00", "chats": {}}',
        '{"at": null}',
        "[" * 100_000,
        f'{{"at": "{NOW.isoformat()}", "chats": [1]}}',
    ],
)
def test_a_damaged_heartbeat_is_not_taken_for_a_bot_that_does_not_run(text: str, tmp_path: Path) -> None:
    assert told(tmp_path, text) == (
        f"Whether Slipway is running on {tmp_path} is not known: health.json there is damaged. "
        "A running Slipway writes it anew every 10 seconds: ask again then."
    )


def test_a_heartbeat_that_cannot_be_read_is_not_taken_for_a_bot_that_does_not_run(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert problem(tmp_path, NOW) == (
        f"Whether Slipway is running on {tmp_path} is not known: health.json there cannot be read (Is a directory)."
    )
    (tmp_path / "file").touch()
    assert "cannot be read (Not a directory)" in (problem(tmp_path / "file", NOW) or "")
    assert problem(tmp_path / "nowhere", NOW) == f"No Slipway is running on {tmp_path / 'nowhere'}."
