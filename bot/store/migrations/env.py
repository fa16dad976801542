"""Runs migrations on the connection that `slipway.bot.store.database` hands over."""

from typing import Any

import sqlalchemy as sa
from alembic import context

from slipway.bot.store.tables import metadata

connection = context.config.attributes["connection"]


def compare_bytes(column: sa.Column[Any], _table: sa.Table) -> None:
    """Let PostgreSQL order and compare text by its bytes, as SQLite does, whatever language a database is made for:
    ranges of ids, and what comes first, are the same on both."""
    if isinstance(column.type, sa.Text):
        column.type = sa.Text(collation="C")


on_postgres = connection.dialect.name == "postgresql"
context.configure(connection=connection, target_metadata=metadata)
if on_postgres:
    sa.event.listen(sa.Column, "after_parent_attach", compare_bytes)
try:
    with context.begin_transaction():
        context.run_migrations()
finally:
    if on_postgres:
        sa.event.remove(sa.Column, "after_parent_attach", compare_bytes)
connection.commit()
