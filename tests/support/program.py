"""Runs the `slipway` program as a person or a service manager does: as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 60.0  # seconds; far more than any of these runs takes

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


def run_slipway(
    *arguments: str, said: str = "", cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with these lines on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "slipway", *arguments],
        input=said,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        cwd=cwd,
        env=environment(**(env or {})),
        check=False,
    )


@contextmanager
def running_slipway(*arguments: str, cwd: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    """The program with its streams open; ended by force where the test did not end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=environment(),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_with(stream: Iterator[str] | None, text: str) -> str:
    """Read on until a line holds the text."""
    assert stream is not None
    seen = []
    for line in stream:
        if text in line:
            return line
        seen.append(line)
    raise AssertionError(f"no line with {text!r} in {seen}")
