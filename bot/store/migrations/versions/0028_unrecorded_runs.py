"""What only reads is answered without a workflow: one row says that it was asked, and that it was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "unrecorded_run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    unended = sa.text("ended_at IS NULL")
    op.create_index(
        "unrecorded_run_unended",
        "unrecorded_run",
        ["begun_at"],
        sqlite_where=unended,
        postgresql_where=unended,
    )
