"""The log of a program: where its standard error takes nothing, and where its database is away."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from slipway.bot.core.errors import StorageError
from tests.support.log_lines import lines
from tests.support.processes.program import environment

__all__ = ["lines"]

LOGS = """
import resource, structlog
from slipway.bot import logs

logs.configure("json")
log = structlog.get_logger()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
log.info("first")
log.error("second")
print("it goes on", flush=True)
if input():
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    log.info("third")
"""


HALF = """
import resource, structlog
from slipway.bot import logs

logs.configure("json")
log = structlog.get_logger()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, most))
log.info("first")
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
log.info("second")
"""

INTERRUPTED = """
import array, fcntl, os, signal, structlog, sys, termios, threading, time
from slipway.bot import logs

reading, writing = os.pipe()
os.dup2(writing, 2)
os.close(writing)
logs.configure("json")
signal.signal(signal.SIGUSR1, lambda *_: None)
taken = bytearray()

def waits():
    filled = array.array("i", [0])
    fcntl.ioctl(reading, termios.FIONREAD, filled)
    return filled[0] >= fcntl.fcntl(reading, fcntl.F_GETPIPE_SZ)

def read():
    while not waits():
        time.sleep(0.001)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
    while part := os.read(reading, 65536):
        taken.extend(part)

reader = threading.Thread(target=read)
reader.start()
structlog.get_logger().info("x" * 300_000)
os.close(2)
reader.join()
print(taken.count(b"x"), taken[-1:])
"""


def _run(log: Path, said: str, code: str = LOGS) -> str:
    with log.open("wb") as sink:
        done = subprocess.run(
            (sys.executable, "-c", code),
            input=said,
            stdout=subprocess.PIPE,
            stderr=sink,
            env=environment(),
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0
    return done.stdout


def test_a_log_on_a_full_disk_stops_nothing_and_tells_what_it_lacks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert _run(log, "space\n") == "it goes on\n"
    assert '"third"' in log.read_text()
    assert '"lines": 2, "event": "lines of this log could not be written"' in log.read_text()
    assert '"first"' not in log.read_text()


def test_a_line_of_which_only_a_part_could_be_written_counts_and_spoils_no_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    _run(log, "", HALF)
    part, second, lost = log.read_text().splitlines()
    assert len(part) == 20
    assert json.loads(second)["event"] == "second"
    assert json.loads(lost)["lines"] == 1


def test_a_line_that_is_interrupted_while_it_is_written_is_whole(tmp_path: Path) -> None:
    assert _run(tmp_path / "log", "", INTERRUPTED) == "300000 bytearray(b'\\n')\n"


def test_a_program_whose_log_stayed_full_ends_well(tmp_path: Path) -> None:
    assert _run(tmp_path / "log", "\n") == "it goes on\n"
    assert (tmp_path / "log").read_text() == ""


def test_a_program_without_standard_error_works_all_the_same() -> None:
    code = "from slipway.bot import logs\nlogs.configure('console')\nimport structlog\n"
    code += "structlog.get_logger().error('lost')\nprint('it goes on')"
    done = subprocess.run(
        ("/bin/sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code),
        capture_output=True,
        env=environment(),
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "it goes on\n")


@pytest.mark.parametrize(
    "error", [StorageError("The database cannot be used now: it does not answer."), ValueError()]
)
def test_what_fails_as_nothing_can_be_stored_is_told_in_a_sentence_and_all_else_with_its_traceback(
    lines: Callable[[], list[dict[str, Any]]], error: Exception
) -> None:
    try:
        raise error
    except type(error) as caught:
        structlog.get_logger().exception("one part failed")
        structlog.get_logger().error("another part failed", exc_info=caught)
    plain = isinstance(error, StorageError)
    assert [each.get("problem") for each in lines()] == [str(error) if plain else None] * 2
    assert ["exception" in each for each in lines()] == [not plain] * 2
