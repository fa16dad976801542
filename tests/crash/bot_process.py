"""The bot as a process of its own, as an operator would run it, and what it prints."""

from __future__ import annotations

import json
import queue
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.crash.clouds import TIMEOUT_SECONDS
from tests.support.processes.program import environment
from tests.support.processes.warm_program import WarmProgram

LETHAL = Path(__file__).parent / "lethal"

Line = dict[str, Any]


class Died(Exception):  # noqa: N818 - what happens here is no error
    """The process has ended, and everything that it printed was read."""


class BotProcess:
    """``python -m slipway run`` with its console on pipes.

    Args:
        config: the configuration file.
        crash_file: the file that names the commit at which it dies, once it is there.
        environ: more of its environment.
    """

    def __init__(
        self, config: Path, crash_file: Path, environ: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._popen = WarmProgram(
            ("run", "--config", str(config)),
            Path.cwd(),
            environment(
                PYTHONPATH=str(LETHAL),
                SLIPWAY_LETHAL=str(crash_file),
                SLIPWAY_AWS_ACCESS_KEY_ID="test",
                SLIPWAY_AWS_SECRET_ACCESS_KEY="test",
                **environ,
            ),
        )
        self.lines: list[Line] = []
        self.errors: list[str] = []
        self._fresh: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._readers = [
            threading.Thread(target=reader, daemon=True) for reader in (self._read_out, self._read_err)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen.poll() is None

    def ready(self) -> None:
        """Wait until it says that it is ready.

        Raises:
            Died: it ended first.
        """
        assert self._ready.wait(TIMEOUT_SECONDS), self.stderr_text()
        if not any("ready" in text for text in self.errors):
            raise Died

    def say(self, text: str) -> None:
        """Type a line.

        Raises:
            Died: nobody is there to read it.
        """
        try:
            self._popen.stdin.write(text + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            raise Died from None

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """Read on until a message is as wanted.

        Raises:
            Died: it ended first.
        """
        while True:
            line = self._fresh.get(timeout=TIMEOUT_SECONDS)
            if line is None:
                raise Died
            if wanted(line):
                return line

    def report(self, operation: str = "") -> Line:
        """Read on until something is told of how an operation ended: of this one, or of any.

        Raises:
            Died: it ended first.
        """
        return self.until(lambda line: is_report(line) and operation in line["title"])

    def skip_output(self) -> None:
        """Pass over what was printed so far."""
        while not self._fresh.empty():
            self._fresh.get()

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        self._popen.kill()
        self.ended()

    def terminate(self) -> None:
        """SIGTERM, as a service manager stops a service."""
        self._popen.send_signal(signal.SIGTERM)

    def close_input(self) -> None:
        """End its input."""
        self._popen.stdin.close()

    def ended(self, within: float = TIMEOUT_SECONDS) -> int:
        """Wait until it has ended; its exit code (negative for a signal)."""
        code = self._popen.wait(within)
        for reader in self._readers:
            reader.join(TIMEOUT_SECONDS)
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            try:
                pipe.close()
            except BrokenPipeError:
                continue
        return code

    def stderr_text(self) -> str:
        """What it wrote on standard error."""
        return "".join(self.errors)

    def _read_out(self) -> None:
        for text in self._popen.stdout:
            line: Line = json.loads(text)
            self.lines.append(line)
            self._fresh.put(line)
        self._fresh.put(None)

    def _read_err(self) -> None:
        for text in self._popen.stderr:
            self.errors.append(text)
            if "ready" in text:
                self._ready.set()
        self._ready.set()


def is_report(line: Line) -> bool:
    """Whether a line tells in a thread how an operation goes on.

    The call to those who have to approve, which follows a card that took long to draw up, stands there, too, and is
    none.
    """
    calls = line["title"].endswith("your approval is asked for")
    return line["thread"] is not None and line["edits"] is None and not calls
