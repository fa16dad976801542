"""Locks: what each operation claims, so that one works on a thing at a time, whichever process does the work. And
freezes: by whose word nothing changes, until when, and who ended that."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "operation_lock",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
        sa.Column("ticket", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_operation_lock_operation", "operation_lock", ["operation_id"])
    op.create_table(
        "freeze",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.Text, nullable=False, server_default=""),
        sa.Column("ended_reason", sa.Text, nullable=False, server_default=""),
    )
