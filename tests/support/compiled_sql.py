"""SQL that one bot has compiled is the next one's too: each has an engine of its own, whose statements are the same.

SQLAlchemy keeps what it compiled with the engine, by the dialect and the statement. A fifth of the processor time of
a short story would go into compiling what the story before it has compiled.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

_SHARED: tuple[type[Any], ...] = (SQLiteDialect_aiosqlite, SQLiteDialect_pysqlite)
"""Nothing in these depends on a server: two of one class compile alike. Others keep what they compile apart."""

_SIZE = 5000  # statements

_cache: LRUCache[Any, Any] = LRUCache(_SIZE)


def share_compiled_sql() -> None:
    """Let all engines of this process that compile alike look up, and keep, what they compile in one place."""
    for dialect in _SHARED:
        dialect.__eq__ = _same_class  # type: ignore[assignment]
        dialect.__hash__ = _of_class  # type: ignore[assignment]
    Engine._compiled_cache = property(_cache_of, _keep_own)  # type: ignore[assignment]


def _same_class(one: object, other: object) -> bool:
    return type(one) is type(other)


def _of_class(one: object) -> int:
    return hash(type(one))


def _cache_of(engine: Any) -> object:
    return _cache if isinstance(engine.dialect, _SHARED) else vars(engine).get("own_compiled_cache")


def _keep_own(engine: Any, cache: object) -> None:
    vars(engine)["own_compiled_cache"] = cache
