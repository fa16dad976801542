"""The state folder's disk: what is taken for a full one, when new work waits for it, and what people hear of it."""

from __future__ import annotations

import asyncio
import errno
import importlib
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Accept, MessageEvent, Room
from slipway.bot.core.errors import StorageError
from slipway.bot.core.storage_errors import StorageFailure, storage_failure
from slipway.bot.health.heartbeat import Heartbeat
from slipway.bot.health.report import problem
from slipway.bot.store.database import Database
from slipway.bot.store.storage import LOW_BYTES, Space, Storage, StorageState
from tests.support.clock import NOW, FakeClock
from tests.support.harness import running_bot
from tests.support.memory_chat import MemoryChat

PLENTY = Space(free=2**34, total=2**35, read_only=False)
LITTLE = Space(free=LOW_BYTES - 1, total=2**35, read_only=False)
MORE = Space(free=LOW_BYTES + 1, total=2**35, read_only=False)
READ_ONLY = Space(free=2**34, total=2**35, read_only=True)


def full_sqlite(path: Path) -> sqlite3.Connection:
    """A database that may grow no further."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.execute("PRAGMA max_page_count=1")
    return connection


def by_sqlite(folder: Path) -> None:
    full_sqlite(folder / "a.db").execute("INSERT INTO t VALUES (zeroblob(100000))")


def by_a_read_only_file(folder: Path) -> None:
    full_sqlite(folder / "a.db").close()
    sqlite3.connect((folder / "a.db").as_uri() + "?mode=ro", uri=True).execute("INSERT INTO t VALUES (1)")


def by_sqlalchemy(folder: Path) -> None:
    engine = sa.create_engine("sqlite://", creator=lambda: full_sqlite(folder / "a.db"))
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO t VALUES (zeroblob(100000))"))


def by_peewee(folder: Path) -> None:
    """As matrix-nio's key store."""
    peewee = importlib.import_module("peewee")  # it ships no type information
    database = peewee.SqliteDatabase(folder / "a.db", pragmas={"max_page_count": 2})
    database.execute_sql("CREATE TABLE t (x)")
    database.execute_sql("INSERT INTO t VALUES (zeroblob(100000))")


def by_the_system(_folder: Path) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise RuntimeError("something else could not go on") from error


def several_at_once(folder: Path) -> None:
    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(by_sqlite, folder))

    asyncio.run(both())


@pytest.mark.parametrize(
    ("fail", "why"),
    [
        (by_sqlite, "the disk is full"),
        (by_a_read_only_file, "it is read-only"),
        (by_sqlalchemy, "the disk is full"),
        (by_peewee, "the disk is full"),
        (by_the_system, "No space left on device"),
        (several_at_once, "the disk is full"),
    ],
)
def test_a_full_disk_is_known_however_a_library_wraps_it(
    fail: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library has its own
        fail(tmp_path)
    assert storage_failure(caught.value) == StorageFailure(why)


def test_other_errors_of_a_database_are_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    connection = full_sqlite(tmp_path / "a.db")
    for statement in ("INSERT INTO nowhere VALUES (1)", "nonsense"):
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute(statement)
        assert storage_failure(caught.value) is None
    assert storage_failure(FileNotFoundError(errno.ENOENT, "gone")) is None


class Disk:
    """A storage whose looks happen when the test says so."""

    def __init__(self, folder: Path, space: Space) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.pauses: list[float] = []
        self.paused = asyncio.Event()
        self._space, self._looks = space, 0
        self._go_on: asyncio.Queue[None] = asyncio.Queue()
        self.storage = Storage(folder, self._sleep, self._ask)

    async def look(self, space: Space | None = None) -> StorageState:
        """Let time pass until it was looked once more; how it is then."""
        self._space = space or self._space
        before = self._looks
        self._go_on.put_nowait(None)
        while self._looks == before or not self.paused.is_set():
            self.paused.clear()
            await self.paused.wait()
        return self.storage.state

    def _ask(self, _folder: Path) -> Space:
        self._looks += 1
        return self._space

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.paused.set()
        await self._go_on.get()


@asynccontextmanager
async def watched(folder: Path, space: Space = PLENTY) -> AsyncIterator[Disk]:
    disk = Disk(folder, space)
    watching = asyncio.create_task(disk.storage.watch(disk.told.put_nowait))
    await disk.paused.wait()
    if space == PLENTY:
        assert disk.told.get_nowait() == ""
    try:
        yield disk
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def subfiles(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def waits(work: Awaitable[None]) -> bool:
    """Whether something waits when all that can happen has happened."""
    task = asyncio.ensure_future(work)
    for _ in range(10):
        await asyncio.sleep(0)
    done = task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return not done


async def test_with_little_space_new_work_waits_and_work_under_way_goes_on(tmp_path: Path) -> None:
    async with watched(tmp_path, LITTLE) as disk:
        assert await disk.told.get() == "Hardly any space is left for the state folder: 16.0 MiB are free."
        assert await waits(disk.storage.roomy())
        assert not await waits(disk.storage.writable())
        assert await disk.look(MORE) is StorageState.LOW  # hardly more: it would soon be little again
        roomy = asyncio.create_task(disk.storage.roomy())
        await disk.look(PLENTY)
        await roomy
        assert await disk.told.get() == ""


async def test_a_small_file_system_counts_as_full_when_hardly_any_of_it_is_left(tmp_path: Path) -> None:
    async with watched(tmp_path, Space(free=7 * 2**20, total=2**26, read_only=False)) as disk:
        assert await disk.look() is StorageState.WELL
        assert await disk.look(Space(free=3 * 2**20, total=2**26, read_only=False)) is StorageState.LOW
        unknown = Space(free=0, total=0, read_only=False)
        assert await disk.look(unknown) is StorageState.WELL


async def test_a_disk_that_turns_read_only_is_seen_before_anything_fails(tmp_path: Path) -> None:
    async with watched(tmp_path) as disk:
        await disk.look(READ_ONLY)
        assert await disk.told.get() == "The state folder cannot be written: it is read-only."
        assert await waits(disk.storage.writable())
        await disk.look(PLENTY)
        assert await disk.told.get() == ""
    assert subfiles(tmp_path) == [], "what was tried is left there"


async def test_what_fails_again_and_again_is_looked_at_ever_less_often(tmp_path: Path) -> None:
    async with watched(tmp_path) as disk:
        for _ in range(8):
            disk.storage.failed(StorageFailure("the disk is full"))
            assert await disk.told.get() == "The state folder cannot be written: the disk is full."
            await disk.look()  # what is tried succeeds
            assert await disk.told.get() == ""
    failing = disk.pauses[1::2]
    assert failing[0] <= 2
    assert 15 <= failing[-1] <= 30


async def test_what_fails_while_something_is_told_is_told_at_once(tmp_path: Path) -> None:
    disk = Disk(tmp_path, LITTLE)
    told: list[str] = []

    def tell(problem: str) -> None:
        told.append(problem)
        if len(told) == 1:
            disk.storage.failed(StorageFailure("the disk is full"))

    watching = asyncio.create_task(disk.storage.watch(tell))
    await disk.paused.wait()
    assert told == [
        "Hardly any space is left for the state folder: 16.0 MiB are free.",
        "The state folder cannot be written: the disk is full.",
    ]
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_full_disk_on_which_no_file_can_be_made_is_called_full(tmp_path: Path) -> None:
    storage = Storage(tmp_path, space=lambda _: Space(free=0, total=2**26, read_only=False))
    (tmp_path / "slipway.db").touch()
    (tmp_path / "slipway.db-wal").mkdir()  # a file of this name cannot be made
    database = Database(tmp_path / "slipway.db", storage=storage)
    with pytest.raises(StorageError, match=r"slipway\.db cannot be used now: the disk is full\."):
        await database.open()
    await database.close()


async def test_a_write_that_finds_the_disk_full_is_done_whole_when_there_is_space(tmp_path: Path) -> None:
    async with watched(tmp_path) as disk:
        database = Database(tmp_path / "slipway.db", storage=disk.storage)
        await database.execute(sa.text("CREATE TABLE t (x)"))
        tries = 0

        async def write(connection: AsyncConnection) -> int:
            nonlocal tries
            tries += 1
            pages = 1 if tries == 1 else 2**30
            await connection.execute(sa.text(f"PRAGMA max_page_count={pages}"))
            for _ in range(3):
                await connection.execute(sa.text("INSERT INTO t VALUES (zeroblob(10000))"))
            return tries

        writing = asyncio.create_task(database.write(write))
        assert await disk.told.get() == "The state folder cannot be written: the disk is full."
        assert tries == 1
        await disk.look()
        assert await writing == 2
        async with database.reading() as connection:
            assert await connection.scalar(sa.text("SELECT count(*) FROM t")) == 3
        await database.close()


async def test_whoever_is_cancelled_while_writing_leaves_the_database_whole_and_free(tmp_path: Path) -> None:
    database = Database(tmp_path / "slipway.db")
    await database.execute(sa.text("CREATE TABLE t (x)"))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        begun.set()
        await go_on.wait()

    writing = asyncio.create_task(database.write(write))
    await begun.wait()
    for _ in range(3):
        writing.cancel()
        await asyncio.sleep(0)
    assert not writing.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    with sqlite3.connect(tmp_path / "slipway.db", timeout=0) as other:
        assert other.execute("SELECT x FROM t").fetchall() == [(1,)]
        other.execute("INSERT INTO t VALUES (2)")
    await database.close()


async def test_health_names_the_state_folder(tmp_path: Path) -> None:
    chat = MemoryChat()
    beaten = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        beaten.set()
        await asyncio.Event().wait()

    heartbeat = Heartbeat(
        tmp_path, {CONSOLE: chat}, FakeClock(), trouble=lambda: "Hardly any space.", sleep=sleep
    )
    beating = asyncio.create_task(heartbeat.run(asyncio.Event().wait))  # type: ignore[arg-type]
    await beaten.wait()
    assert (problem(tmp_path, NOW) or "").startswith("Hardly any space. Not connected.")
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


class ForgetfulChat(MemoryChat):
    """A chat that cannot store what it heard, once: as Matrix, whose keys stand in a file."""

    runs = 0

    async def run(self, accept: Accept) -> None:
        self.runs += 1
        if self.runs == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        await super().run(accept)


async def test_a_chat_that_cannot_store_what_it_heard_listens_again_when_it_can(tmp_path: Path) -> None:
    async with running_bot(tmp_path, chat=ForgetfulChat()) as bot:
        (answer,) = await bot.say("carol", "!whoami")
    assert answer.card.title == "You are Carol."


async def test_with_little_space_a_bot_takes_nothing_in_that_it_can_leave_to_its_chat_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def little(folder: Path) -> os.statvfs_result:
        found = real(folder)
        return os.statvfs_result((*found[:4], 1, *found[5:]))  # one block is free for others than root

    real = os.statvfs
    monkeypatch.setattr(os, "statvfs", little)
    async with running_bot(tmp_path) as bot:
        await bot.until(lambda: bool(bot.messages))
        (notice,) = bot.messages
        assert "I take nothing in now" in notice.text
        assert "Hardly any space is left for the state folder: 0.0 MiB are free" in notice.text
        asked = asyncio.create_task(bot.say("carol", "!whoami"))
        await asyncio.sleep(0)
        room = Room(platform=bot.chat.platform, id="console")
        later = MessageEvent(event_id="later", room=room, sender="bob", text="!whoami", sent_at=bot.clock())
        await bot.running.dispatcher.accept(later)  # as what is under way goes on
        await bot.running.idle()
        assert not asked.done(), "the event was acknowledged"
        assert [each.card.title for each in bot.messages[1:]] == ["You are Bob."]
        asked.cancel()
    monkeypatch.undo()
    async with running_bot(tmp_path) as bot:
        (answer,) = await bot.say("carol", "!whoami")
    assert answer.card.title == "You are Carol."
