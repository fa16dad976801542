"""Heads of the audit trail in a file outside the state folder, which has to be changed, too, to forge the trail.

One JSON object a line: ``at``, ``entries``, ``head``. Lines are only ever added.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from slipway.bot.core.chain import Place
from slipway.bot.core.errors import SlipwayError
from slipway.bot.operations.trail.chain import iso
from slipway.bot.operations.trail.verification import read_head


class HeadsFileError(SlipwayError):
    """A file of heads cannot be read as one."""


def add_head(path: Path, place: Place, at: datetime) -> None:
    """Add a head at the end of the file, unless it stands there already; on the disk when this returns.

    Raises:
        OSError: the file cannot be written.
    """
    line = f"{json.dumps({'at': iso(at), 'entries': place.entries, 'head': place.head})}\n".encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, len(line), max(0, size - len(line)))
        if tail == line:  # written by a former try, after which the process died
            return
        whole = not tail or tail.endswith(b"\n")
        os.write(descriptor, line if whole else b"\n" + line)  # a line that was cut short stays by itself
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_heads(path: Path) -> tuple[Place, ...]:
    """The places that a file of heads names, oldest first.

    Raises:
        HeadsFileError: it cannot be read, holds none, or a line of it is no head.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HeadsFileError(f"{path} cannot be read: {error}") from error
    places = tuple(_place(path, number, line) for number, line in enumerate(lines, start=1) if line.strip())
    if not places:
        raise HeadsFileError(f"{path} holds no head, so nothing would be proved.")
    return places


def _place(path: Path, number: int, line: str) -> Place:
    try:
        held = json.loads(line)
        entries, head = held["entries"], read_head(held["head"])
        if type(entries) is not int or entries < 0 or len(head) != 64:
            raise ValueError("is no place in a trail")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HeadsFileError(f"Line {number} of {path} is no head of an audit trail.") from error
    return Place(entries, head)
