"""Runs the `slipway` program as a person or a service manager does: as a process of its own."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes.warm_program import WarmProgram

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 110.0  # seconds; far more than any of these runs takes, also where a machine is busy

CONSOLE_CONFIGURATION = """
[console]
enabled = true

[azure]
subscription_id = "00000000-0000-4000-8000-00000000fed0"
resource_group = "fedora-cloud"
gallery = "Fedora"
endpoint = "http://127.0.0.1:9"

[[person]]
id = "alice"
identities = ["console:alice"]
roles = ["releng"]

[[person]]
id = "bob"
identities = ["console:bob"]
roles = ["releng"]

[roles.releng]
may = ["*"]
"""
"""A configuration that starts, and reaches nothing outside this machine."""


KEPT = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV", "COV_", "COVERAGE_")
"""What a program needs of this process's environment, by the beginning of its name. The rest could change what it
does: a terminal's width, a locale, a time zone, a proxy, credentials, a home folder with settings."""


def environment(**more: str) -> dict[str, str]:
    """An environment of its own for a program that a test starts."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
    own = {"HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(ROOT)}
    return {**kept, **own, **more}


_OF_TESTS = (
    "PYTEST_",
    "HYPOTHESIS_",
    "SLIPWAY_TEST_",
    "SLIPWAY_UPDATE_GOLDEN",
    "SLIPWAY_TEST_",
    "PYTHONPATH",
    "USER",
)


def forget_the_environment() -> None:
    """Take out of this process's environment what could change what tests see, here and in all that they start."""
    for name in [each for each in os.environ if not each.startswith((*KEPT, *_OF_TESTS))]:
        del os.environ[name]
    os.environ.update({"HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": "UTC"})
    time.tzset()
    # Where PYTHONDONTWRITEBYTECODE was set, each program of a test would compile all of Slipway again, which takes
    # half a second of processor time, and each run of the tests would prepare all of their modules again.
    sys.dont_write_bytecode = False
    if (
        signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):  # as a shell's background jobs have it, and all they start
        signal.signal(signal.SIGINT, signal.default_int_handler)


_OF_PYTHON = ("PYTHON", "LC_", "LANG", "COV")
"""What Python itself reads at a start, by the beginning of its name."""


def run_slipway(
    *arguments: str,
    said: str = "",
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    fresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with these lines on standard input.

    Args:
        arguments: those of `slipway`.
        said: what it reads.
        cwd: the folder in which it runs.
        env: more of an environment.
        fresh: whether it is to import what it needs by itself, which takes a second and can write warnings.
    """
    whole = environment(**(env or {}))
    if not fresh and not any(name.startswith(_OF_PYTHON) for name in env or {}):
        return WarmProgram(arguments, cwd, whole).communicate(said, TIMEOUT_SECONDS)
    return subprocess.run(
        [sys.executable, "-m", "slipway", *arguments],
        input=said,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        cwd=cwd,
        env=whole,
        check=False,
    )


@contextmanager
def running_slipway(
    *arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> Iterator[WarmProgram]:
    """The program with its streams open; ended by force where the test did not end it."""
    with WarmProgram(arguments, cwd, environment(**(env or {}))) as process:
        yield process


def line_with(stream: Iterator[str] | None, text: str) -> str:
    """Read on until a line holds the text."""
    assert stream is not None
    seen = []
    for line in stream:
        if text in line:
            return line
        seen.append(line)
    raise AssertionError(f"no line with {text!r} in {seen}")


def until(descriptor: int, *texts: str, end: bool = False) -> str:
    """Read from a terminal until the texts have come one after the other, or until it is closed."""
    seen = b""
    while end or not _in_order(seen.decode(errors="replace"), texts):
        assert select.select([descriptor], [], [], TIMEOUT_SECONDS)[0], seen
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other end was closed
            chunk = b""
        if not chunk:
            assert end, seen
            break
        seen += chunk
    return seen.decode(errors="replace")


def _in_order(seen: str, texts: tuple[str, ...]) -> bool:
    at = 0
    for text in texts:
        at = seen.find(text, at) + len(text)
        if at < len(text):
            return False
    return True
