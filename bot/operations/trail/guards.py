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

POSTGRES_GUARDS = {
    "audit_no_update": "a1dab520176dc6e3890277c28887176bff36cc2952c4bb96eaf7dea1af75e0a3",
    "audit_no_delete": "00fbec6f02409d845e4440531dcecb3282760eb60da5abd69426f9925a35fd4b",
    "audit_no_truncate": "a972b09e208f5c4098bdc6906a8fb6bac6ad8067d36bf0d35b622eb4fe0e4f18",
    "audit_no_replace": "b41abab8736def15ae367b582f78939e2a2920bdd6e54530a2a24358bce06ed1",
    "audit_counted": "8f6fc62857f23260995ed6331791896bf6540f1ddc210fdd1ab2b44c4590bd5d",
    "operation_ended": "643abce79abe3b0f0a460d36d72968cd05427852e2148f28ea34437f03188df7",
}
"""The same on PostgreSQL, each with the SHA-256 of what :data:`_POSTGRES_TRIGGERS` gives of it."""

_SQLITE_TRIGGERS = sa.text("SELECT name, sql AS made FROM sqlite_master WHERE type = 'trigger'")

_POSTGRES_TRIGGERS = sa.text(
    "SELECT tgname AS name, concat_ws(' ', relname, tgtype, tgenabled, tgattr, tgqual, prosrc) AS made "
    "FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid "
    "WHERE relnamespace = to_regnamespace(current_schema()) AND NOT tgisinternal"
)
"""Of each trigger its table, what it is called for, whether it is switched on, for which columns and rows, and the
source of its function: which is the same whatever version of PostgreSQL tells it."""


async def contradictions(connection: AsyncConnection) -> AsyncIterator[str]:
    """The triggers that are gone, or are others than were made, as clauses."""
    postgres = connection.dialect.name == "postgresql"
    triggers = await connection.execute(_POSTGRES_TRIGGERS if postgres else _SQLITE_TRIGGERS)
    there = {str(row.name): str(row.made) for row in triggers}
    for name, made in (POSTGRES_GUARDS if postgres else GUARDS).items():
        if name not in there:
            yield f"the trigger {name}, which protects its table, was removed"
        elif hashlib.sha256(" ".join(there[name].split()).encode()).hexdigest() != made:
            yield f"the trigger {name}, which protects its table, is another one than was made"
