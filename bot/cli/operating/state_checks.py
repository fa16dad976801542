"""Looks at the state folder and its databases, for `slipway doctor`, whether the bot runs or not. Changes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from slipway.bot.core.probes import Check, Finding, Verdict
from slipway.bot.core.storage_errors import storage_failure
from slipway.bot.health.report import report
from slipway.bot.store.database import DATABASE, HEAD
from slipway.bot.store.installation import losses
from slipway.bot.store.sqlite import WAY_ON
from slipway.bot.store.state_files import WORKFLOWS, look
from slipway.bot.store.storage import LOW_BYTES, LOW_SHARE, Space, space_of

WHAT = "state folder"
"""How it is called among what doctor looks at."""

_BUSY_SECONDS = 5.0
_MIB = 2**20


def examine_state(folder: Path, now: datetime, *, files: bool = True) -> Finding:
    """How the state folder is, and each database in it.

    Args:
        folder: the state folder.
        now: the present, for how old the bot's sign of life is.
        files: whether the databases are files in it.
    """
    if not os.path.exists(folder):  # noqa: PTH110 - pathlib's raises where a folder above may not be searched
        return _not_there(folder)
    access = _folder(folder)
    if access.verdict is Verdict.FAIL:  # then nothing in it can be looked at
        return Finding(WHAT, str(folder), connection=False, parts=(access, _bot(folder, now)))
    there = [name for name in (DATABASE, WORKFLOWS) if files and (folder / name).exists()]
    parts = (
        access,
        _space(folder),
        *(Check(name, parts=tuple(_database(folder / name))) for name in there),
        *((_together(folder),) if files else ()),
        _bot(folder, now),
    )
    return Finding(WHAT, str(folder), connection=False, parts=parts)


def _not_there(folder: Path) -> Finding:
    above = next(each for each in folder.absolute().parents if os.path.exists(each))  # noqa: PTH110 - as above
    if os.access(above, os.W_OK | os.X_OK):
        return Finding(WHAT, f"{folder} is made at the first start", connection=False)
    return Finding(
        WHAT,
        "does not work",
        (f"There is no {folder}, and it cannot be made: {above} may not be written by this user.",),
        "make it and give it to the user as whom Slipway runs, or change state_dir",
        connection=False,
    )


def _folder(folder: Path) -> Check:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check(
            "access",
            Verdict.FAIL,
            f"{folder} may not be read and written by this user.",
            "ask as the user as whom Slipway runs, or give the folder to that user",
        )
    loose = [each.name for each in folder.iterdir() if each.is_file() and each.stat().st_mode & 0o007]
    if loose:
        return Check(
            "access",
            Verdict.WARN,
            f"Everybody on this machine may read {', '.join(sorted(loose)[:3])}, which hold what people said.",
            f"chmod -R o-rwx {folder}",
        )
    return Check("access")


def _space(folder: Path) -> Check:
    try:
        space: Space = space_of(folder)
    except OSError as error:
        why = f"How much space is free is not told: {error.strerror}."
        return Check("free space", Verdict.WARN, why, f"look at the file system of {folder}")
    if space.read_only:
        return Check(
            "free space",
            Verdict.FAIL,
            f"{folder} is on a file system that is read-only.",
            "mount it writable",
        )
    little = min(LOW_BYTES, space.total // LOW_SHARE) if space.total else LOW_BYTES
    free = f"{space.free // _MIB:,} MiB are free"
    if space.free < little:
        why = f"{free}, and with less than {little // _MIB} MiB nothing new is taken in."
        return Check("free space", Verdict.FAIL, why, f"make space on the file system of {folder}")
    return Check("free space", says=f"{free}.")


def _database(path: Path) -> Iterator[Check]:
    """Whether it can be opened, has the schema of this version, is whole, and can be written."""
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
        ) as file:
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield Check("reachable")
            if path.name == DATABASE:
                yield _schema(file)
            yield _integrity(file, path)
            yield _writable(file, path)
    except sqlite3.Error as error:
        why = storage_failure(error) or str(error)
        yield Check("reachable", Verdict.FAIL, f"{path} cannot be used: {why}.", WAY_ON)


def _schema(file: sqlite3.Connection) -> Check:
    there = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = file.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
    found = str(row[0]) if row else "none"
    if found == HEAD:
        return Check("schema", says=f"{HEAD}, as this version has it.")
    if found != "none" and found > HEAD:
        why = f"It was written by a newer Slipway (schema {found}; this one knows {HEAD})."
        return Check(
            "schema", Verdict.FAIL, why, "start that version, or restore a backup made before the upgrade"
        )
    why = f"The schema is {found}, and {HEAD} in this version."
    return Check("schema", Verdict.WARN, why, "back it up, and start this version: it upgrades the database")


def _integrity(file: sqlite3.Connection, path: Path) -> Check:
    """SQLite's own look at every page. Source: sqlite.org, “PRAGMA quick_check”."""
    found = [str(row[0]) for row in file.execute("PRAGMA quick_check(3)")]
    if found == ["ok"]:
        return Check("integrity")
    return Check("integrity", Verdict.FAIL, f"{path} is damaged: {'; '.join(found)}.", WAY_ON)


def _writable(file: sqlite3.Connection, path: Path) -> Check:
    """By a transaction that writes nothing; a busy file is one that somebody else writes."""
    try:
        file.isolation_level = None
        file.execute("BEGIN IMMEDIATE")
        file.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return Check("writable", Verdict.WARN, f"{path} is held by another writer for long.", "try again")
        why = storage_failure(error) or str(error)
        return Check("writable", Verdict.FAIL, f"{path} cannot be written: {why}.", "make it writable")
    return Check("writable")


def _together(folder: Path) -> Check:
    """Whether the files belong together; what is damaged is told by the file's own checks."""
    name = "files belong together"
    missing = losses(look(folder))
    if missing:
        return Check(name, Verdict.FAIL, " ".join(missing), "`slipway state check` says how to go on")
    return Check(name)


def _bot(folder: Path, now: datetime) -> Check:
    """A bot that is not there is no fault: doctor is for that, too."""
    found = report(folder, now)
    if found.problem is None:
        return Check("the running bot", says="It is well.")
    if not found.alive:
        return Check("the running bot", Verdict.UNTRIED, found.problem)
    return Check("the running bot", Verdict.FAIL, found.problem, "`slipway health`, and the log")
