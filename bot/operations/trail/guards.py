"""The triggers that protect the tables, word for word: one of the same name that does nothing protects nothing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

GUARDS = {
    "audit_no_update": "9e9583ba7cd03ffddebe2123d8d983cfb81e228fcabd95f43623bfef35df1708",
    "audit_no_delete": "29ff16ae0e8acdc9e6675acd2fc3497b71672b865cb5975e42e4742e655c24f6",
    "audit_no_replace": "8417ddf5efd13510c8912c1941bfe87e978be69c258f2eb19d6e54574f3f21a6",
    "audit_counted": "ebbefb33733fd08576fc0c5ed91a5108b5e89d9b114c9b51f76829d6dafd75b6",
    "operation_ended": "192ee2ef8ef7b6f8b81415364261a5b378497b11447d1b5610b2cd2867bee649",
}
"""The triggers that keep the trail append-only and count it, and the one that notes what ended last; each with the
SHA-256 of its SQL, words apart by one blank. Made by the migrations 0001, 0005 and 0011."""


async def contradictions(connection: AsyncConnection) -> AsyncIterator[str]:
    """The triggers that are gone, or are others than were made, as clauses."""
    query = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    there = {str(row.name): str(row.sql) for row in await connection.execute(query)}
    for name, made in GUARDS.items():
        if name not in there:
            yield f"the trigger {name}, which protects its table, was removed"
        elif hashlib.sha256(" ".join(there[name].split()).encode()).hexdigest() != made:
            yield f"the trigger {name}, which protects its table, is another one than was made"
