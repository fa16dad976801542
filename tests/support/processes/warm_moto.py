"""Moto without its two seconds of importing: a process of each worker's has imported it, and is forked for each
server. A server is a process of its own all the same, with nothing in it of the ones before."""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_PROGRAMS = Path(__file__).with_name("forked_moto.py")


@cache
def warm_moto() -> tuple[str, ...]:
    """The program that a simulated EC2 starts in place of moto's own; the first call starts what is forked for it."""
    folder = tempfile.TemporaryDirectory(prefix="moto-")
    address = str(Path(folder.name) / "socket")
    process = subprocess.Popen(
        [sys.executable, "-P", str(_PROGRAMS), "serve", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # an interrupt at the terminal is the worker's to answer
    )
    atexit.register(_end, process, folder)
    assert process.stdout is not None
    process.stdout.readline()
    return (sys.executable, "-I", "-S", str(_PROGRAMS), "ask", address)


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.communicate()
    folder.cleanup()
