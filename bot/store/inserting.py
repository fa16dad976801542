"""INSERT with ON CONFLICT, for SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert


def insert(table: sa.Table) -> Insert:
    """An INSERT that may have an ON CONFLICT.

    The clause is PostgreSQL's own, which SQLite took over word for word (https://sqlite.org/lang_upsert.html), and
    SQLAlchemy's compiler for SQLite writes the one of either dialect.
    """
    return postgresql_insert(table)
