"""Indexes of the few messages that wait or were dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Index what is there."""
    for name, columns, present in (
        ("ix_message_waiting", ["platform", "room", "turn"], "turn IS NOT NULL"),
        ("ix_message_dropped_at", ["dropped_at"], "dropped_at IS NOT NULL"),
    ):
        where = sa.text(present)
        op.create_index(name, "message", columns, sqlite_where=where, postgresql_where=where)
