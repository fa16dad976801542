"""Copies a state folder at one moment, while the bot works on it.

Both databases belong together, so both are held against writers for the moment in which a snapshot of each begins,
and copied from these snapshots while the bot writes on. Sources: sqlite.org, “Isolation in SQLite” and “SQLite Backup
API”: in WAL mode a read transaction sees one state of the database however long it lasts, and a backup within it
copies that.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path

from slipway import __version__
from slipway.bot.core.errors import StateError
from slipway.bot.store.backups.manifest import MANIFEST, BackedUpFile, Manifest
from slipway.bot.store.database import DATABASE
from slipway.bot.store.installation import damaged, losses
from slipway.bot.store.sqlite import BUSY_TIMEOUT_MS
from slipway.bot.store.state_files import WORKFLOWS, look

_PASSING = ("-wal", "-shm", "-journal", ".new", ".partial", ".log", ".sock", ".tmp")
"""Ends of files that are no memory: parts of an open database, which its copy has whole, and what only a running bot
needs."""

_NOT_KEPT = frozenset({"lock", "health.json", "storage-notices", "storage-probe"})

_MAGIC = b"SQLite format 3\0"
"""Source: sqlite.org, “Database File Format”, section 1.3.1."""


def make_backup(folder: Path, target: Path, deployment: str, now: datetime) -> Manifest:
    """Write a backup of a state folder into one file, and prove it before it bears its name.

    Args:
        folder: the state folder; a bot may work on it.
        target: the file, which must not be there yet.
        deployment: the name in the configuration.
        now: the present.

    Raises:
        StateError: there is nothing to back up, what there is does not belong together, or it cannot be written.
    """
    if not (folder / DATABASE).exists():
        raise StateError(f"There is no {DATABASE} in {folder}, so there is nothing to back up.")
    if target.exists():
        raise StateError(f"{target} is there already; name another file.")
    if target.absolute().is_relative_to(folder.absolute()):
        raise StateError(
            f"{target} would be a part of the next backup, and lost with {folder}; name another."
        )
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".slipway-backup-") as scratch:
            copy = Path(scratch)
            _copy(folder, copy)
            manifest = _manifest(copy, deployment, now)
            _prove(copy, folder)
            _pack(copy, manifest, target)
    except sqlite3.Error as error:
        raise StateError(f"The databases in {folder} cannot be copied: {error}.") from error
    except OSError as error:
        raise StateError(
            f"The backup cannot be written to {target.parent}: {error.strerror or error}."
        ) from error
    return manifest


def file_name(deployment: str, now: datetime) -> str:
    """What a backup is called in a folder of backups."""
    return f"{deployment}-{now:%Y-%m-%dT%H%M%SZ}.tar.gz"


def _copy(folder: Path, copy: Path) -> None:
    databases, others = _found(folder)
    with ExitStack() as stack:
        first = [path for path in (folder / DATABASE, folder / WORKFLOWS) if path in databases]
        snapshots = _snapshots(first, stack)
        for path in (each for each in databases if each not in first):
            snapshots |= _snapshots([path], stack)
        for path, source in snapshots.items():
            target = _place(copy, path.relative_to(folder))
            with closing(sqlite3.connect(target)) as into:
                source.backup(into)
                into.execute("PRAGMA journal_mode=DELETE")  # one file, whole by itself
    for path in others:
        with suppress(FileNotFoundError):  # a bot at work took it away since it was listed
            content = path.read_bytes()
            _place(copy, path.relative_to(folder)).write_bytes(content)


def _found(folder: Path) -> tuple[list[Path], list[Path]]:
    """The databases, and the other files that are kept."""
    databases: list[Path] = []
    others: list[Path] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink() or path.name in _NOT_KEPT or path.name.endswith(_PASSING):
            continue
        with suppress(FileNotFoundError), path.open("rb") as file:
            (databases if file.read(len(_MAGIC)) == _MAGIC else others).append(path)
    return databases, others


def _snapshots(paths: list[Path], stack: ExitStack) -> dict[Path, sqlite3.Connection]:
    """A connection to each database that sees it as it was when nobody could write to any of them."""
    with ExitStack() as held:
        for path in paths:
            holder = held.enter_context(closing(_opened(path)))
            holder.execute("BEGIN IMMEDIATE")
        found = {}
        for path in paths:
            reader = stack.enter_context(closing(_opened(path)))
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the snapshot begins with a read
            found[path] = reader
        return found


def _opened(path: Path) -> sqlite3.Connection:
    where = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(where, uri=True, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def _place(copy: Path, inside: Path) -> Path:
    target = copy / inside
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return target


def files_of(folder: Path) -> Iterator[str]:
    """The paths of all files in a folder."""
    return (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())


def digest_of(path: Path) -> BackedUpFile:
    """Size and SHA-256 of a file."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
    return BackedUpFile(path.stat().st_size, found.hexdigest())


def _manifest(copy: Path, deployment: str, now: datetime) -> Manifest:
    place = look(copy).database.place
    with closing(sqlite3.connect(copy / DATABASE)) as file:
        there = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = file.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
    return Manifest(
        now.isoformat(timespec="seconds"),
        __version__,
        deployment,
        str(row[0]) if row else "",
        place.entries,
        place.head,
        {path: digest_of(copy / path) for path in files_of(copy)},
    )


def _prove(copy: Path, folder: Path) -> None:
    """See that a copy can be started from.

    Raises:
        StateError: it cannot, or what it is of cannot.
    """
    facts = look(copy)
    wrong = [*damaged(facts), *losses(facts)]
    for name in (DATABASE, WORKFLOWS):
        if (copy / name).exists():
            wrong += _unsound(copy / name)
    if wrong:
        raise StateError(f"No backup was made, as {folder} is not whole: {' '.join(wrong)}")


def _unsound(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        found = [str(row[0]) for row in file.execute("PRAGMA quick_check(3)")]
    return [] if found == ["ok"] else [f"{path.name} is damaged: {'; '.join(found)}."]


def _pack(copy: Path, manifest: Manifest, target: Path) -> None:
    """Write all of it beside the target, for this user alone, and on the disk before it bears its name."""
    beside = target.with_name(f".{target.name}.partial")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                text = manifest.text().encode()
                head = tarfile.TarInfo(MANIFEST)
                head.size, head.mode = len(text), 0o600
                archive.addfile(head, io.BytesIO(text))
                for path in manifest.files:
                    archive.add(copy / path, arcname=path, filter=_private)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(target)
    finally:
        beside.unlink(missing_ok=True)


def _private(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nobody's, and for its user alone."""
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o600, 0, 0, "", ""
    return entry
