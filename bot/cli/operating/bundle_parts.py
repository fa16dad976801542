"""What a support bundle is made of: facts about an installation, without a secret and without people's words."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

from slipway import __version__
from slipway.bot.core.settings import Settings
from slipway.bot.store.database import DATABASE
from slipway.bot.store.state_files import WORKFLOWS

REMOVED = "[removed]"
"""In place of a secret, wherever one is found."""

_SHORTEST = 4
"""A shorter secret is not looked for: it would be found in every word."""

_SHORTEST_LINE = 16
"""Of a secret of several lines, such as a key: shorter lines are no secret by themselves."""

_LAST = 512 * 1024
"""Bytes of a log that are taken, from its end."""


def secrets_of(settings: Settings, environ: Mapping[str, str]) -> frozenset[str]:
    """All secrets that are known here: the configuration's, and what variables with such names hold."""
    found = {value for value in _secret_values(settings) if value}
    words = ("SECRET", "PASSWORD", "TOKEN", "ACCESS_KEY", "SEEDS")
    found |= {value for name, value in environ.items() if any(word in name.upper() for word in words)}
    return frozenset(each for each in found if len(each) >= _SHORTEST)


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A text in which no known secret is: as it stands, as JSON or an address writes it, nor a line of one."""
    lines = {line for secret in secrets for line in secret.splitlines() if len(line) >= _SHORTEST_LINE}
    for secret in sorted({*secrets, *lines}, key=len, reverse=True):
        for written in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret)):
            text = text.replace(written, REMOVED)
    return text


def _secret_values(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secret_values(getattr(value, name))
        case Mapping():
            for each in value.values():
                yield from _secret_values(each)
        case tuple() | list() | frozenset():
            for each in value:
                yield from _secret_values(each)
        case _:
            return


def versions() -> dict[str, Any]:
    """Of Slipway, of what it runs on, and of every package that is installed beside it."""
    packages = {str(each.metadata["Name"]).lower(): each.version for each in distributions()}
    return {
        "slipway": __version__,
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(),
        "packages": dict(sorted(packages.items())),
    }


def database_facts(folder: Path) -> dict[str, Any]:
    """Schema, number of rows by table, and size of each database; nothing of what the rows say."""
    found = {}
    for name in (DATABASE, WORKFLOWS):
        path = folder / name
        if not path.exists():
            continue
        try:
            found[name] = {"bytes": path.stat().st_size, **_counts(path)}
        except sqlite3.Error as error:
            found[name] = {"bytes": path.stat().st_size, "error": type(error).__name__}
    return found


def _counts(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5)) as file:
        file.execute("PRAGMA query_only=ON")
        tables = [
            str(row[0])
            for row in file.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
            )
        ]
        rows = {
            table: file.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608 - its own name
            for table in tables
        }
        schema = None
        if "alembic_version" in tables:
            row = file.execute("SELECT version_num FROM alembic_version").fetchone()
            schema = row[0] if row else None
    return {"schema": schema, "rows": rows}


def files_of(folder: Path) -> list[dict[str, Any]]:
    """Names, sizes and modes of the state folder's files; nothing of what they hold."""
    found = []
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found.append(
            {
                "path": str(path.relative_to(folder)),
                "bytes": status.st_size,
                "mode": oct(status.st_mode & 0o7777),
                "own": status.st_uid == os.geteuid(),
            }
        )
    return found


def tail(path: Path) -> str:
    """The end of a log, in whole lines."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LAST))
        text = file.read().decode(errors="replace")
    return text if size <= _LAST else text.partition("\n")[2]


def configuration(settings: Settings) -> str:
    """The settings as JSON; of a secret, only that there is one."""
    return json.dumps(settings.model_dump(), default=str, indent=2, ensure_ascii=False)


def packed(parts: Mapping[str, str], secrets: Sequence[str] | frozenset[str]) -> dict[str, bytes]:
    """The files of the bundle, each looked through for secrets once more."""
    return {name: without_secrets(text, secrets).encode() for name, text in parts.items()}
