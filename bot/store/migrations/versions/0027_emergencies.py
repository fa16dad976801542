"""Emergencies: operations that nobody else agreed to, and what others say of them."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "emergency",
        sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("reviewed_by", sa.Text, nullable=False, server_default=""),
        sa.Column("reviewed_at", sa.DateTime(timezone=True)),
        sa.Column("verdict", sa.Text, nullable=False, server_default=""),
        sa.Column("review", sa.Text, nullable=False, server_default=""),
        sa.Column("review_key", sa.Text, nullable=False, server_default=""),
    )
