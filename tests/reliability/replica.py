"""One replica of the bot, or the only one, as processes that are killed again and again, and started again."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from tests.crash.bot_process import LETHAL
from tests.crash.clouds import CrashTiming
from tests.support.processes.program import ROOT, environment

START_SECONDS = 120.0
"""How long a start may take on a machine with much else to do."""

STOP_SECONDS = 180.0
"""How long the bot may take to stop when it is asked to: 20 s for its work, and its messages (bot.app.GRACE), and
what Python itself does at its end, which takes 1.3 s of processor time, on a machine with much else to do."""

_PIPE_BYTES = 4096  # the least that Linux gives: a console that is not read stops the bot soon
_LONGEST_LINE = 2**22
_LOOK_EVERY = 0.05
_TELLING_SECONDS = 2.0
_RESTART_PAUSE = 1.0  # seconds, as a service manager has one

_READY, _LEADS, _WORKS = (
    b'"event": "%s"' % each for each in (b"ready", b"this replica leads", b"this replica works now")
)
_LOST = b"another replica leads by now"

Line = dict[str, Any]


@dataclass
class Life:
    """One process, from its start to its end.

    Attributes:
        number: of all, in the order of their starts.
        replica: the number of the replica that it is.
        turn: which it was of all that led; 0 while it does not lead. One that is alone leads.
        lost: whether it says that another one leads by now.
        began, ready_at, led_at, works_at, ended_at: when it was started, heard, led, had taken up the work, and was
            gone, in seconds of the driver's monotonic clock.
    """

    number: int
    process: asyncio.subprocess.Process
    output: asyncio.ReadTransport
    log: Path
    replica: int = 1
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    turn: int = 0
    lost: bool = False
    began: float = field(default_factory=time.monotonic)
    ready_at: float | None = None
    led_at: float | None = None
    works_at: float | None = None
    ended_at: float | None = None
    lines: list[tuple[float, Line]] = field(default_factory=list)
    asked_to_stop: bool = False
    at_rest: bool = False
    dying: bool = False
    code: int | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs, and was not killed: the system needs a moment to tell."""
        return self.process.returncode is None and not self.dying

    @property
    def leads(self) -> bool:
        """Whether it is the one that works, as far as it knows."""
        return self.alive and bool(self.turn) and not self.lost

    @property
    def killed(self) -> bool:
        """Whether ``kill -9`` ended it."""
        return self.code == -signal.SIGKILL


@dataclass
class Company:
    """What all replicas share: their lives, and what numbers these, and those that began to lead."""

    lives: list[Life] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    turns: Iterator[int] = field(default_factory=lambda: count(1))


class Replica:
    """An installation of the bot, and its lives.

    Args:
        folder: for its logs and the files that steer it.
        config: the configuration.
        secrets: more of its environment.
        number: its own among replicas.
        company: what all replicas share; None for one that shares it with nobody.
        alone: whether it is the only one, on files: then it works from its start.
    """

    def __init__(
        self,
        folder: Path,
        config: Path,
        secrets: Mapping[str, str],
        number: int = 1,
        company: Company | None = None,
        *,
        alone: bool = True,
    ) -> None:
        self._folder = folder
        self._config = config
        self._secrets = secrets
        self.number = number
        self._alone = alone
        self._company = company or Company()
        self._crash = folder / f"crash-at-{number}"
        self._clock = folder / f"clock-{number}"
        self._clock.write_text("0")
        self._keeping: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lives: list[Life] = []
        self.frozen: list[tuple[float, float]] = []
        """From when to when it stood still, by the driver's monotonic clock."""
        self._thaw: asyncio.TimerHandle | None = None
        self._frozen_at = 0.0
        self.pause = 0.0
        self.resting = False
        self.on_start: list[Callable[[], object]] = []

    @property
    def life(self) -> Life:
        """The newest process."""
        return self.lives[-1]

    def keep(self) -> None:
        """Start it, and start it again whenever it ends, until :meth:`rest`."""
        self.resting = False
        self._keeping = asyncio.create_task(self._keep(), name="keep the bot alive")

    async def ready(self) -> None:
        """Wait until it runs and is ready; it may die meanwhile."""
        async with asyncio.timeout(START_SECONDS * 2):
            while not self.lives or not self.life.ready.is_set() or not self.life.alive:
                if self._keeping is not None and self._keeping.done():
                    self._keeping.result()
                await asyncio.sleep(0.05)

    async def restart(self) -> None:
        """Stop it as an upgrade does, and wait until the next process is ready."""
        life = self.life
        self.terminate()
        await self._ended(life)
        async with asyncio.timeout(START_SECONDS):
            while self.life is life:
                if self._keeping is not None and self._keeping.done():
                    self._keeping.result()
                await asyncio.sleep(0.05)
        await self.ready()

    async def rest(self) -> int:
        """Stop it as a service manager does, for good; its exit code."""
        self.resting = True
        self.life.at_rest = True
        self.terminate()
        code = await self._ended(self.life)
        assert self._keeping is not None
        await asyncio.wait_for(self._keeping, STOP_SECONDS)
        return code

    async def _ended(self, life: Life) -> int:
        """Wait until a process has ended that was told to; its exit code. Where it does not, its log says where it
        stands.

        Raises:
            TimeoutError: it does not.
        """
        try:
            return await asyncio.wait_for(life.process.wait(), STOP_SECONDS)
        except TimeoutError:
            life.process.send_signal(signal.SIGUSR1)
            await asyncio.sleep(_TELLING_SECONDS)
            raise

    async def close(self) -> None:
        """Leave no process behind."""
        self.resting = True
        if self._keeping is not None:
            if self.lives and self.life.alive:
                self.life.process.kill()
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self.lives:
            if self.life.alive:
                self.life.process.kill()
            await self.life.process.wait()

    def kill(self) -> None:
        """``kill -9``, if it runs."""
        if self.lives and self.life.alive:
            self.life.dying = True
            self.life.process.kill()

    def terminate(self) -> None:
        """SIGTERM, if it runs and was not told so already: a second one ends it at once."""
        if self.lives and self.life.alive and not self.life.asked_to_stop:
            self.life.asked_to_stop = True
            self.life.process.send_signal(signal.SIGTERM)

    def freeze(self, seconds: float) -> bool:
        """Have it stand still for a while, if it runs and does not already."""
        if self._thaw is not None or not self.lives or not self.life.alive:
            return False
        self.life.process.send_signal(signal.SIGSTOP)
        self._thaw = asyncio.get_running_loop().call_later(seconds, self.thaw)
        self._frozen_at = time.monotonic()
        return True

    def thaw(self) -> None:
        """Have it go on where it stood still."""
        if self._thaw is None:
            return
        self._thaw.cancel()
        self._thaw = None
        self.frozen.append((self._frozen_at, time.monotonic()))
        if self.life.alive:
            self.life.process.send_signal(signal.SIGCONT)

    def kill_at_commit(self, timing: CrashTiming, number: int) -> None:
        """Have it die at its n-th commit from now on."""
        fresh = self._crash.with_suffix(".new")
        fresh.write_text(f"{timing} {number}")
        fresh.replace(self._crash)

    def spare(self) -> None:
        """Have it die at no commit."""
        self._crash.unlink(missing_ok=True)

    def move_clock(self, minutes: int) -> None:
        """Have its clock show so many minutes more than the machine's."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(minutes * 60))
        fresh.replace(self._clock)

    def say(self, line: str) -> bool:
        """Type a line, if somebody is there to read it."""
        stdin = self.life.process.stdin if self.lives and self.life.alive else None
        if stdin is None or stdin.is_closing() or not self.life.ready.is_set():
            return False
        stdin.write(f"{line}\n".encode())
        return True

    async def _keep(self) -> None:
        while not self.resting:
            life = await self._start()
            life.code = await life.process.wait()
            life.ended_at = time.monotonic()
            if life.killed:
                self.spare()
            if not self.resting:
                await asyncio.sleep(self.pause if life.killed or life.code == 0 else _RESTART_PAUSE)
                self.pause = 0.0

    async def _start(self) -> Life:
        number = next(self._company.numbers)
        readable, writable = os.pipe()
        fcntl.fcntl(readable, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        log = self._folder / f"bot-{number}.log"
        try:
            with log.open("wb") as sink:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-m", "slipway", "run", "--config", str(self._config)),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=writable,
                    stderr=sink,
                    cwd=ROOT,
                    env=environment(
                        PYTHONPATH=f"{LETHAL}{os.pathsep}{ROOT}",
                        SLIPWAY_LETHAL=str(self._crash),
                        SLIPWAY_CLOCK=str(self._clock),
                        **self._secrets,
                    ),
                )
        finally:
            os.close(writable)
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(readable, "rb")
        )
        life = Life(number, process, transport, log, self.number)
        if self._alone:
            life.turn = number
        self.lives.append(life)
        self._company.lives.append(life)
        for work in (self._read(life, reader), self._watch(life)):
            task = asyncio.create_task(work)
            self._tasks.add(task)  # also of a process that is dead: its last lines may still have to be read
            task.add_done_callback(self._tasks.discard)
        for tell in self.on_start:
            tell()
        return life

    async def _read(self, life: Life, reader: asyncio.StreamReader) -> None:
        while text := await reader.readline():
            if text.endswith(b"\n"):  # else a kill cut it off
                life.lines.append((time.time(), json.loads(text)))

    async def _watch(self, life: Life) -> None:
        """Look into its log, for what tells that it is ready, and whether it leads."""
        with life.log.open("rb") as log:
            while life.alive and not (self._alone and life.ready.is_set()):
                self._note(life, log)
                await asyncio.sleep(_LOOK_EVERY)
            self._note(life, log)

    def _note(self, life: Life, log: BinaryIO) -> None:
        now, news = time.monotonic(), log.read()
        news, _, cut_off = news.rpartition(b"\n")
        log.seek(-len(cut_off), os.SEEK_CUR)
        if _READY in news:
            life.ready_at = now
            life.ready.set()
        if _LEADS in news and not life.turn:
            life.led_at = now
            life.turn = next(self._company.turns)
        if life.works_at is None and (_WORKS in news or (life.led_at is not None and _READY in news)):
            life.works_at = now
        life.lost = life.lost or _LOST in news
