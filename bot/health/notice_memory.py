"""Where cards stand that say that the state folder cannot be written, kept in a file that has its place beforehand.

On a full disk nothing new can be stored, but what a file holds already can be replaced. So the next start knows of
these cards, however the process ended. A read-only file system, and one that writes a change elsewhere than where it
stood, keep nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import Room
from slipway.bot.core.model import Model

NOTES = "storage-notices"
NOTES_BYTES = 64 * 1024
"""Enough for some two hundred rooms."""

log = structlog.get_logger(__name__)


class StandingNotice(Model):
    """A room that was told of trouble, or was to be told, and not yet that it is over.

    Attributes:
        room: where.
        since: when the trouble began.
        message_id: the message that says so; empty where none is known to stand there.
    """

    room: Room
    since: datetime
    message_id: str = ""


class _Notes(Model):
    standing: tuple[StandingNotice, ...] = ()


class NoticeMemory:
    """The file. What goes wrong with it is logged: what it is for is worth saying all the same.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NOTES

    def open(self) -> tuple[StandingNotice, ...]:
        """What the process before left; makes the file, or brings it to its size."""
        try:
            if self._path.exists() and self._path.stat().st_size == NOTES_BYTES:
                return _Notes.model_validate_json(self._path.read_bytes()).standing
            self._write(_Notes(), "wb")
        except ValidationError:
            log.warning("what rooms were told of the state folder cannot be read", file=NOTES)
        except OSError as error:
            log.warning("what rooms were told of the state folder is not known", why=error.strerror)
        return ()

    def keep(self, standing: Sequence[StandingNotice]) -> None:
        """Replace what the file holds."""
        try:
            self._write(_Notes(standing=tuple(standing)), "r+b")
        except OSError as error:
            log.info("what rooms are told of the state folder is not kept", why=error.strerror)

    def _write(self, notes: _Notes, mode: str) -> None:
        content = notes.model_dump_json().encode()
        if len(content) > NOTES_BYTES:
            log.warning("more rooms are told of the state folder than can be kept", rooms=len(notes.standing))
            return
        with self._path.open(mode, buffering=0) as file:
            left = content.ljust(NOTES_BYTES)
            while left:
                left = left[file.write(left) or 0 :]
            os.fsync(file.fileno())
