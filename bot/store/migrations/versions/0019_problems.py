"""Problems: what is wrong and needs a person."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "problem",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("found", sa.Text, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notice", sa.Text, nullable=False, server_default=""),
        sa.Column("closed_at", sa.DateTime(timezone=True), index=True),
        sa.Column("ending", sa.Text),
        sa.Column("acknowledged_by", sa.Text, nullable=False, server_default=""),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True)),
        sa.Column("acknowledged_until", sa.DateTime(timezone=True)),
        sa.Column("acknowledged_reason", sa.Text, nullable=False, server_default=""),
        sa.Column("acknowledged_key", sa.Text, nullable=False, server_default=""),
        sa.Column("lapsed", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("remind", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("told_revision", sa.Integer, nullable=False, server_default="0"),
        sa.Index("ix_problem_source", "source", "closed_at"),
        sa.Index("ix_problem_notice", "notice"),
    )
    op.create_index(
        "ix_problem_open",
        "problem",
        ["source", "key"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
