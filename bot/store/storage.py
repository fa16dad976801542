"""Whether the state folder, and a server's database, can be written: for all that must not be begun, or has to wait,
while they cannot."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from slipway.bot.core.errors import StateError
from slipway.bot.core.storage_errors import FULL, StorageFailure, StoragePlace, storage_failure
from slipway.bot.core.waiting import Backoff, Sleep, first_of

LOW_BYTES = 16 * 2**20
LOW_SHARE = 20
"""Less free space than :data:`LOW_BYTES`, or than one part of :data:`LOW_SHARE` of a small file system, is little:
what is under way still fits, and nothing new is begun."""

ENOUGH = 2
"""So many times as much must be free again: the bot must not say every minute that it stops and goes on."""

LOOK_SECONDS = 10.0
FAILING_LOOK_SECONDS = 2.0
LONGEST_FAILING_LOOK_SECONDS = 30.0
"""How often it is looked: while all is well, after a failure, and after many in a row."""

DATABASE_LOOK_SECONDS = 1.0
LONGEST_DATABASE_LOOK_SECONDS = 5.0
"""The same after a failure of a server's database, which a look costs little, and after many in a row."""

DATABASE_PATIENCE = 5
"""So many looks a database may be away before people are told: a server that is restarted is back sooner."""

PROBE = "storage-probe"
PROBE_BYTES = 256 * 1024
"""What must fit before it is believed that the folder can be written again: more than any transaction needs."""


class StorageState(StrEnum):
    """How the state folder is."""

    WELL = "well"
    LOW = "low"  # it can be written, and hardly anything is free
    FAILING = "failing"  # it cannot be written


@dataclass(frozen=True)
class Space:
    """What the system says of a folder's file system: bytes that are free for the bot, bytes in all (0 where it does
    not say), and whether it is read-only."""

    free: int
    total: int
    read_only: bool


def space_of(folder: Path) -> Space:
    """Ask the system.

    Raises:
        OSError: it does not say.
    """
    found = os.statvfs(folder)
    read_only = bool(found.f_flag & os.ST_RDONLY)
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, read_only)


def not_writable(folder: Path, failure: StorageFailure) -> StateError:
    """What whoever starts something is told where the state folder, or the database, cannot be written.

    Args:
        folder: the state folder.
        failure: as :func:`storage_failure` gives it.
    """
    if failure.place is StoragePlace.DATABASE:
        return StateError(f"{failure.sentence} See that PostgreSQL runs and can be written, and start again.")
    return StateError(
        f"The state folder {folder} cannot be written: {failure}. Make space there, or make it writable, and start "
        "again."
    )


ProbeDatabase = Callable[[], StorageFailure | None]
"""Asks a server, in a thread, why its database cannot be written; None where it can."""


class Storage:
    """The state folder, as far as it can be written; every database in it reports here what failed.

    Args:
        folder: the state folder.
        sleep: lets time pass between two looks.
        space: asks the system how much is free.
        database: asks the server that has the database; None where it is a file in the folder.
    """

    def __init__(
        self,
        folder: Path,
        sleep: Sleep = asyncio.sleep,
        space: Callable[[Path], Space] = space_of,
        database: ProbeDatabase | None = None,
    ) -> None:
        self._folder = folder
        self._sleep = sleep
        self._space = space
        self._database = database
        self._state = StorageState.WELL
        self._failure: StorageFailure | None = None
        self._little = ""  # how little is free
        self._failures = 0
        self._lock = threading.Lock()  # what fails is told from DBOS's threads, too
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._better = asyncio.Event()
        self._released = threading.Event()
        """For threads: set while nothing has to be waited for."""
        self._released.set()
        self._closed = False

    @property
    def state(self) -> StorageState:
        """How it is, as far as is known."""
        return self._state

    @property
    def failure(self) -> StorageFailure | None:
        """Why it cannot be written; None where it can."""
        return self._failure if self._state is StorageState.FAILING else None

    @property
    def problem(self) -> str:
        """What is wrong, as a sentence; empty where nothing is."""
        match self._state:
            case StorageState.WELL:
                return ""
            case StorageState.LOW:
                return f"Hardly any space is left for the state folder: {self._little}."
            case StorageState.FAILING:
                return self._failure.sentence if self._failure is not None else ""

    def failed(self, failure: StorageFailure) -> StorageFailure:
        """Note that something could not be written; may be called from any thread.

        Args:
            failure: as :func:`storage_failure` gives it.

        Returns:
            What is noted: SQLite takes a full disk for one that fails where it can make no file.
        """
        if failure.place is StoragePlace.FOLDER:
            with suppress(OSError):
                space = self._space(self._folder)
                if space.total and not space.free:
                    failure = StorageFailure(FULL)
        with self._lock:
            self._failures += 1
            self._state, self._failure = StorageState.FAILING, failure
            if not self._closed:
                self._released.clear()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)
        return failure

    async def fails(self) -> None:
        """Wait until it cannot be written."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            if self._state is StorageState.FAILING:
                return
            await self._news.wait()

    async def writable(self) -> None:
        """Wait until it can be written, as far as is known."""
        while self._state is StorageState.FAILING:
            await self._better.wait()

    async def roomy(self) -> None:
        """Wait until new work can be kept."""
        while self._state is not StorageState.WELL:
            await self._better.wait()

    def wait_in_thread(self) -> bool:
        """The same as :meth:`writable` for a thread that is not the loop's; False when the bot stops meanwhile."""
        self._released.wait()
        return not (self._closed and self._state is StorageState.FAILING)

    def close(self) -> None:
        """The bot stops: no thread waits any longer."""
        with self._lock:
            self._closed = True
            self._released.set()

    async def watch(self, changed: Callable[[str], None]) -> None:
        """Look how it is until cancelled; ``changed`` hears what is wrong, "" for nothing: first as it is, and then
        whenever that changes."""
        self._loop = asyncio.get_running_loop()
        backoff = Backoff(FAILING_LOOK_SECONDS, LONGEST_FAILING_LOOK_SECONDS)
        told: StorageState | None = None
        await self._look()
        while True:
            self._news.clear()
            await self._have_patience()
            while self._state is not told:  # what hears of it may find that more is wrong
                told = self._state
                changed(self.problem)
            if self._fails():
                await self._sleep(self._pause(backoff.next()))
            else:
                await first_of(self._sleep(LOOK_SECONDS), self._news.wait())
                if self._fails():
                    continue
                backoff.reset()  # not sooner: what fails again at once is to be looked at ever less often
            await self._look()

    async def _have_patience(self) -> None:
        """Where a server's database is away: see whether it comes back before anybody has to hear of it."""
        for _ in range(DATABASE_PATIENCE):
            if not self._fails_at_database():
                return
            await self._look()
            if self._fails_at_database():
                await self._sleep(DATABASE_LOOK_SECONDS)

    def _pause(self, seconds: float) -> float:
        return min(seconds, LONGEST_DATABASE_LOOK_SECONDS) if self._fails_at_database() else seconds

    def _fails_at_database(self) -> bool:
        return self._fails() and self._failure is not None and self._failure.place is StoragePlace.DATABASE

    def _fails(self) -> bool:
        return self._state is StorageState.FAILING

    async def _look(self) -> None:
        before = self._failures
        failing = self._state is StorageState.FAILING
        try:
            space = await asyncio.to_thread(self._ask, probing=failing)
        except OSError as error:
            self._fail(storage_failure(error) or StorageFailure(str(error.strerror)))
            return
        if failing and self._database is not None:
            failure = await asyncio.to_thread(self._database)
            if failure is not None:
                self._fail(failure)
                return
        low = min(LOW_BYTES, space.total // LOW_SHARE)
        if space.read_only:
            self._fail(StorageFailure("it is read-only"))
        elif space.total and space.free < (low if self._state is StorageState.WELL else ENOUGH * low):
            self._found(StorageState.LOW, before, f"{space.free / 2**20:.1f} MiB are free")
        else:
            self._found(StorageState.WELL, before)

    def _ask(self, *, probing: bool) -> Space:
        """How much is free; before a folder that failed is believed again, something is written to it."""
        space = self._space(self._folder)
        if probing and not space.read_only:
            path = self._folder / PROBE
            try:
                with path.open("wb") as file:
                    file.write(bytes(PROBE_BYTES))
                    file.flush()
                    os.fsync(file.fileno())
            finally:
                path.unlink(missing_ok=True)
        return space

    def _fail(self, failure: StorageFailure) -> None:
        with self._lock:
            self._state, self._failure = StorageState.FAILING, failure
            if not self._closed:
                self._released.clear()
            else:
                self._released.set()
        self._tell_waiting()

    def _found(self, state: StorageState, failures: int, little: str = "") -> None:
        with self._lock:
            if self._failures != failures:
                return  # something failed while this was found out
            self._state, self._little = state, little
            self._released.set()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        better, self._better = self._better, asyncio.Event()
        better.set()
