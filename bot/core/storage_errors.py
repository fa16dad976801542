"""Which errors say that nothing can be written now: a full disk, one that is read-only, or one that fails."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator

FULL = "the disk is full"

_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_IOERR: "the disk does not read or write",
    sqlite3.SQLITE_CANTOPEN: "a file in it cannot be opened",
}
"""SQLite's result codes of this kind; extended ones have more in their higher bits. Source: https://sqlite.org/rescode.html"""

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})

_PRIMARY = 0xFF
"""The part of an extended result code that is the primary one."""


def storage_failure(error: BaseException) -> str:
    """Why nothing can be written, where an error or what led to it says so; empty for any other error.

    Drivers and libraries wrap what the system said, so everything behind an error is looked at.
    """
    for each in _behind(error):
        if isinstance(each, sqlite3.Error):
            code = getattr(each, "sqlite_errorcode", 0) & _PRIMARY
            if code in _SQLITE:
                return _SQLITE[code]
        if isinstance(each, OSError) and each.errno in _ERRNOS:
            return os.strerror(each.errno)
    return ""


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that led to it, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [getattr(each, "orig", None), each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
