"""Which errors say that nothing can be written now: a full disk, one that is read-only, a database that is away."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

FULL = "the disk is full"


class StoragePlace(StrEnum):
    """What it is that cannot be written."""

    FOLDER = "folder"  # the state folder
    DATABASE = "database"  # a server's


@dataclass(frozen=True)
class StorageFailure:
    """Nothing can be written.

    Attributes:
        why: in a few words.
        place: where.
    """

    why: str
    place: StoragePlace = StoragePlace.FOLDER

    def __str__(self) -> str:
        return self.why

    @property
    def sentence(self) -> str:
        """What is wrong, for people."""
        match self.place:
            case StoragePlace.FOLDER:
                return f"The state folder cannot be written: {self.why}."
            case StoragePlace.DATABASE:
                return f"The database cannot be used: {self.why}."


_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_IOERR: "the disk does not read or write",
    sqlite3.SQLITE_CANTOPEN: "a file in it cannot be opened",
}
"""SQLite's result codes of this kind; extended ones have more in their higher bits. Source: https://sqlite.org/rescode.html"""

_REFUSED = re.compile(r"FATAL: +(.+)")
"""What a server says to a connection that it does not take, such as that there is no such database or user."""

_NO_ANSWER = "it does not answer"

_POSTGRES = {
    "08": _NO_ANSWER,  # connection exception
    "53100": "its disk is full",
    "53200": "it has no memory left",
    "53300": "it takes no more connections",
    "55P03": "another program keeps it locked",
    "57P01": _NO_ANSWER,  # shutdown by an administrator
    "57P02": _NO_ANSWER,  # after a crash
    "57P03": _NO_ANSWER,  # it is starting
    "57P05": _NO_ANSWER,  # the session did nothing for long
    "25006": "it is read-only",
    "25P03": "a transaction took too long",
    "58030": "its disk does not read or write",
}
"""PostgreSQL's error codes of this kind, and classes of them. Source: appendix A of its documentation."""

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})

_PRIMARY = 0xFF
"""The part of an extended result code that is the primary one."""


def storage_failure(error: BaseException) -> StorageFailure | None:
    """Why nothing can be written, where an error or what led to it says so; None for any other error.

    Drivers and libraries wrap what the system said, so everything behind an error is looked at.
    """
    for each in _behind(error):
        if isinstance(each, sqlite3.Error):
            code = getattr(each, "sqlite_errorcode", 0) & _PRIMARY
            if code in _SQLITE:
                return StorageFailure(_SQLITE[code])
        if isinstance(each, OSError) and each.errno in _ERRNOS:
            return StorageFailure(os.strerror(each.errno))
        if why := _of_postgres(each):
            return StorageFailure(why, StoragePlace.DATABASE)
    return None


def _of_postgres(error: BaseException) -> str:
    """Why a PostgreSQL cannot be used, where its driver says so. Who works with SQLite alone has not loaded that."""
    psycopg = sys.modules.get("psycopg")
    if psycopg is None or not isinstance(error, psycopg.Error):
        return ""
    state = error.sqlstate
    if state is None:  # the driver's own words: a connection that was not made, or has ended
        refused = _REFUSED.search(str(error))
        if refused is not None:
            return f"the server says: {refused[1].rstrip('. ')}"
        return _NO_ANSWER if isinstance(error, psycopg.OperationalError) else ""
    return _POSTGRES.get(state) or _POSTGRES.get(state[:2], "")


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
