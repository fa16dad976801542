"""The program of :mod:`tests.support.processes.warm_program`, which has it started:
``python -P forked_slipway.py SOCKET`` imports what `slipway` imports, listens, says so by a line, and ends with its
standard input.

Each connection is one run: it brings arguments, folder and environment as JSON, and standard streams; it is told the
process's id, and how that ended (as ``subprocess`` tells it: an exit status, or minus a signal).

A run shares the memory of what was imported, and would copy every page of it to look for circles of objects there, or
to take each module down at its end: most of a second of processor time, in which it does nothing of its own. So the
collector leaves alone what was imported, and a run ends as soon as all that it registered for its end has run.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

_STREAMS = 3
_MOST = 131_072  # bytes of a request; far more than an environment of a test has

_IMPORTED = (
    "slipway.bot.cli.main",
    "slipway.bot.cli.demo",
    "slipway.bot.cli.doctor",
    "slipway.bot.cli.init",
    "slipway.bot.cli.say",
    "slipway.bot.cli.state",
    "slipway.bot.app",
    "slipway.bot.declared",
    "azure.mgmt.compute",
    "boto3",
    "dbos",
    "slipway.__main__",
)
"""By name: nothing here uses them, and an import that is not used is taken out by the next who tidies up."""


class _Run(Exception):  # noqa: N818 - unwinds the child of a fork to where a program of its own begins
    def __init__(self, request: dict[str, Any], streams: list[int]) -> None:
        super().__init__()
        self.request = request
        self.streams = streams


def _serve(address: str) -> None:
    """Fork a child for each connection, and tell who waits there how it ended.

    Raises:
        _Run: in the child.
    """
    ended, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            readable, _, _ = select.select([listening.fileno(), ended, 0], [], [])
            if 0 in readable:  # its end: nobody writes there
                return
            if ended in readable:
                os.read(ended, 4096)
                _reap(waiting)
            if listening.fileno() in readable:
                connection, _ = listening.accept()
                text, streams, *_ = socket.recv_fds(connection, _MOST, _STREAMS)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    for each in (*waiting.values(), connection, listening):
                        each.close()
                    os.close(ended)
                    os.close(tell)
                    raise _Run(json.loads(text), streams)
                for stream in streams:
                    os.close(stream)
                waiting[pid] = connection
                connection.send(str(pid).encode())


def _reap(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with waiting.pop(pid) as connection:
            try:
                connection.send(str(os.waitstatus_to_exitcode(status)).encode())
            except BrokenPipeError:
                continue  # nobody waits for it any more


def _become(run: _Run) -> NoReturn:
    """The program with these streams, in this folder, with this environment and these arguments."""
    for number, stream in enumerate(run.streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), "utf-8", "strict")  # noqa: SIM115 - for its whole life
    sys.stdout = _output(1, "strict")
    sys.stderr = _output(2, "backslashreplace")
    os.chdir(run.request["folder"])
    os.environ.clear()
    os.environ.update(run.request["environment"])
    time.tzset()
    tempfile.tempdir = None  # what TMPDIR says is kept where somebody has asked before
    sys.argv = ["slipway", *run.request["arguments"]]
    added = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each not in sys.path]
    sys.path[:0] = added
    if any((Path(each) / "sitecustomize.py").is_file() for each in added):  # Python does so at a start
        sys.modules.pop("sitecustomize", None)
        import_module("sitecustomize")
    status = 0
    try:
        sys.modules["slipway.__main__"].main()
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:  # noqa: BLE001 - as Python ends a program
        traceback.print_exc()
        status = 1
    _end(status)


def _status(code: object) -> int:
    """What a process exits with where ``sys.exit`` was called with this."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)  # noqa: T201 - as Python says it
    return 1


def _end(status: int) -> NoReturn:
    """As Python ends a program, without taking its modules down."""
    ending: Any = threading
    ending._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, BrokenPipeError):  # closed, or nobody reads any more
            stream.flush()
    os._exit(status)


def _output(number: int, errors: str) -> io.TextIOWrapper:
    raw = open(number, "wb", closefd=False, buffering=-1)  # noqa: SIM115 - for its whole life
    lines = number == 2 or os.isatty(number)
    return io.TextIOWrapper(raw, "utf-8", errors, line_buffering=lines, write_through=number == 2)


def _import() -> None:
    for name in _IMPORTED:
        import_module(name)
    sys.modules["slipway.bot.declared"].declared()
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _import()
    try:
        _serve(sys.argv[1])
    except _Run as request:
        run = request
    else:
        sys.exit()
    _become(run)
