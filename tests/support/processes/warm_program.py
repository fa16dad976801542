"""`slipway` without its seconds of importing: a process of each worker's has imported it, and is forked for each run.
A run is a process of its own all the same, with nothing in it of the ones before."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Self

_PROGRAM = Path(__file__).with_name("forked_slipway.py")


class WarmProgram:
    """A run of `slipway` whose streams are pipes; to be used as a :class:`subprocess.Popen` is.

    Args:
        arguments: those of `slipway`.
        folder: where it runs.
        environment: all of its environment. What Python itself would read of it at a start is not heard.
    """

    def __init__(self, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> None:
        (read_in, write_in), (read_out, write_out), (read_err, write_err) = (os.pipe() for _ in range(3))
        request = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(_server())
        socket.send_fds(self._connection, [json.dumps(request).encode()], [read_in, write_out, write_err])
        for stream in (read_in, write_out, write_err):
            os.close(stream)  # they are the child's now
        self.pid = int(self._connection.recv(64))
        self.returncode: int | None = None
        self.stdin: IO[str] = open(write_in, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - closed by whoever runs it
        self.stdout: IO[str] = open(read_out, encoding="utf-8")  # noqa: SIM115, PTH123
        self.stderr: IO[str] = open(read_err, encoding="utf-8")  # noqa: SIM115, PTH123

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for stream in (self.stdin, self.stdout, self.stderr):
            with suppress(BrokenPipeError):
                stream.close()
        self.wait()

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, so many seconds; how it ended.

        Raises:
            subprocess.TimeoutExpired: it runs still.
        """
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("slipway", timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM, as a service manager stops a service."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9``."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, said: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Write to it, and read what it writes to its end.

        Raises:
            subprocess.TimeoutExpired: it did not end within so many seconds; it was ended by force.
        """
        with ThreadPoolExecutor(3) as threads:
            written = threads.submit(self._write, said)
            read = [threads.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                code = self.wait(timeout)
            finally:
                self.kill()
            written.result()
            output, errors = (each.result() for each in read)
        self.stdout.close()
        self.stderr.close()
        return subprocess.CompletedProcess("slipway", code, output, errors)

    def _write(self, said: str) -> None:
        with suppress(BrokenPipeError), self.stdin:
            self.stdin.write(said)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            self.returncode = int(self._connection.recv(64))
            self._connection.close()
        return self.returncode


@cache
def _server() -> str:
    """The address of what is forked; the first call starts it."""
    folder = tempfile.TemporaryDirectory(prefix="slipway-")
    address = str(Path(folder.name) / "socket")
    process = subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAM), address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # an interrupt at the terminal is the worker's to answer
    )
    atexit.register(_end, process, folder)
    assert process.stdout is not None
    process.stdout.readline()
    return address


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.communicate()
    folder.cleanup()
