"""Ends the process at a commit, where a test asked for it. Python loads this at its start.

Only the tests in ``tests/crash`` put this folder on a bot's PYTHONPATH, so the bot itself knows nothing of it.
Every commit on any SQLite database, or on a PostgreSQL that ``PGPORT`` leads to, is a boundary if it changed a row,
and so is a statement of SQLite's that may change one and is a transaction of its own, as the Matrix library has them.
A test writes
``before 7`` into the file that ``SLIPWAY_LETHAL`` names: from then on commits are counted, and the process dies
at the seventh, with the transaction not there or there, as by ``kill -9`` from outside. ``before 7 any`` counts
commits that changed no row, too: those of the schema. ``before 2 message`` counts those alone that wrote to the table
``message``, whatever else is written meanwhile. ``before 2 a.json`` counts no commits, but what
makes a file with that in its name last: each time that it is put on the disk, or in the place of another.

What is looked at once a minute, as copies to regions are, is looked at ten times a second, where the program is
forked from one that has imported it.

Where ``SLIPWAY_LEASE`` holds seconds, they are the first of :class:`slipway.bot.replicas.model.LeaseTiming`.

Where ``SLIPWAY_MIGRATIONS`` names a folder, it is a later version's, whose newest migration is 9999.

At SIGUSR1 it writes on standard error what every thread and every task is at.

Where ``SLIPWAY_CLOCK`` names a file, the process's clock is off by as many seconds as stand in it.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

_ORDER = Path(os.environ["SLIPWAY_LETHAL"])
_LOCK = threading.Lock()
_REAL = sqlite3.connect
_CHANGING = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class _Count:
    """How many commits there were since the present order was given."""

    order: tuple[int, int] | None = None
    commits = 0

    @classmethod
    def one_more(cls) -> None:
        try:
            found = _ORDER.stat()
        except OSError:
            cls.order = None
            return
        order = (found.st_ino, found.st_mtime_ns)
        cls.order, cls.commits = order, cls.commits + 1 if order == cls.order else 1


def _due(moment: str) -> bool:
    """Whether the process is to die at this moment of the present commit."""
    try:
        ordered, number, *_ = _ORDER.read_text().split()
    except (OSError, ValueError):
        return False
    return ordered == moment and int(number) == _Count.commits


def _which() -> str:
    """Which commits count: ``any``; those that wrote to the table of this name; all that changed a row, if empty."""
    try:
        return " ".join(_ORDER.read_text().split()[2:])
    except OSError:
        return ""


def _writes_to(sql: str) -> str:
    """The table that a statement changes; empty where it changes none."""
    words = sql.replace('"', " ").replace("(", " ").split()
    match [word.upper() for word in words[:2]]:
        case ["INSERT" | "REPLACE" | "DELETE", _]:
            return words[words.index(next(each for each in words if each.upper() in ("INTO", "FROM"))) + 1]
        case ["UPDATE", _]:
            return words[1]
        case _:
            return ""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


class LethalCursor(sqlite3.Cursor):
    """A cursor whose statements are boundaries where each is a transaction of its own."""

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        if isinstance(self.connection, LethalConnection):
            self.connection.written.add(_writes_to(sql))
        alone = self.connection.isolation_level is None and not self.connection.in_transaction
        if not alone or not sql.lstrip().upper().startswith(_CHANGING):
            return super().execute(sql, parameters)
        with _LOCK:
            _Count.one_more()
            if _due("before"):
                _die()
            super().execute(sql, parameters)
            if _due("after"):
                _die()
            return self


class LethalConnection(sqlite3.Connection):
    """A connection whose commits are boundaries."""

    before = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written: set[str] = set()
        """The tables that the present transaction wrote to."""

    def cursor(self, factory: Any = LethalCursor) -> Any:
        return super().cursor(factory)

    def commit(self) -> None:
        changes, self.before = self.total_changes - self.before, self.total_changes
        written, self.written = self.written, set()
        counts = {"any": True, "": bool(changes)}.get(which := _which(), which in written)
        if not self.in_transaction or not counts:
            return super().commit()
        with _LOCK:  # one at a time, so that a number names one commit
            _Count.one_more()
            if _due("before"):
                _die()
            super().commit()
            if _due("after"):
                _die()
            return None


def _connect(*args: Any, **kwargs: Any) -> Any:
    kwargs.setdefault("factory", LethalConnection)
    return _REAL(*args, **kwargs)


sqlite3.connect = sqlite3.dbapi2.connect = _connect


def _watch_server_commits() -> None:
    """Have a commit on a server be a boundary, too, where its transaction changed something."""
    connections = importlib.import_module("psycopg._connection_base").BaseConnection
    busy = importlib.import_module("psycopg.pq").TransactionStatus.INTRANS
    commit = connections._commit_gen

    def lethal_commit(self: Any) -> Any:
        if self.pgconn.transaction_status != busy or not _ORDER.exists():
            return (yield from commit(self))
        found = yield from self._exec_command(b"SELECT pg_current_xact_id_if_assigned()")
        if found is None or found.get_value(0, 0) is None:
            return (yield from commit(self))
        with _LOCK:
            _Count.one_more()
            before, after = _due("before"), _due("after")
        if before:
            _die()
        result = yield from commit(self)
        if after:
            _die()
        return result

    connections._commit_gen = lethal_commit


def _tell_where_it_stands(*_signal: object) -> None:
    """Write what every task is at, for whoever waits for it in vain; where threads are stands there already."""
    loop = asyncio._get_running_loop()
    for task in asyncio.all_tasks(loop) if loop is not None else ():
        task.print_stack(file=sys.stderr)


signal.signal(signal.SIGUSR1, _tell_where_it_stands)
faulthandler.register(signal.SIGUSR1, chain=True)

if "PGPORT" in os.environ:  # a bot on a server that a test has
    _watch_server_commits()


def _boundary(act: Callable[..., Any]) -> Callable[..., Any]:
    """The same, and a boundary where it is done to a file of the name that is counted."""

    def do(file: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(Path(f"/proc/self/fd/{file}").readlink()) if isinstance(file, int) else os.fspath(file)
        if "." not in (which := _which()) or which not in name:
            return act(file, *args, **kwargs)
        with _LOCK:
            _Count.one_more()
            if _due("before"):
                _die()
            result = act(file, *args, **kwargs)
            if _due("after"):
                _die()
            return result

    return do


os.fsync, os.replace = _boundary(os.fsync), _boundary(os.replace)

if (step_runner := sys.modules.get("slipway.bot.operations.runs.step_runner")) is not None:
    step_runner.WAIT_SECONDS = 0.1  # type: ignore[attr-defined]

if "SLIPWAY_LEASE" in os.environ:
    timing = importlib.import_module("slipway.bot.replicas.model").LeaseTiming
    given = tuple(float(each) for each in os.environ["SLIPWAY_LEASE"].split())
    timing.__init__.__defaults__ = (*given, *timing.__init__.__defaults__[len(given) :])

if "SLIPWAY_MIGRATIONS" in os.environ:
    for name in ("slipway.bot.store.database", "slipway.bot.place", "slipway.bot.app"):
        importlib.import_module(name).HEAD = "9999"  # type: ignore[attr-defined]
    database = importlib.import_module("slipway.bot.store.database")
    database.MIGRATIONS = Path(os.environ["SLIPWAY_MIGRATIONS"])  # type: ignore[attr-defined]

if "SLIPWAY_CLOCK" in os.environ:
    importlib.import_module("moving_clock").follow(  # beside this module, not in a package
        Path(os.environ["SLIPWAY_CLOCK"])
    )
