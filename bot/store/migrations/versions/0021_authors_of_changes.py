"""Who made a foreign change: what is known of that, and when it is asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the columns."""
    for column in (
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.Column("authorship", sa.Text, nullable=False, server_default=""),
        sa.Column("ask_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("image_foreign_change", column)
    op.create_index("ix_image_foreign_change_ask_at", "image_foreign_change", ["ask_at"])
