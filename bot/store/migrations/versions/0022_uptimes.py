"""Uptimes beside moments that something rests on for days: announcements, and waits of steps."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the columns; of what was noted before, the clock alone tells."""
    for table in ("image_announcement", "step_wait"):
        op.add_column(table, sa.Column("boot", sa.Text))
        op.add_column(table, sa.Column("uptime", sa.Float))
