"""Step-up: whose codes are used up, who was asked for one, and what became of each; votes that came with one."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create the tables. Votes of before came with none."""
    op.create_table(
        "step_up_person",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("last_step", sa.Integer, nullable=False, server_default="-1"),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_step_up_person_locked_until", "step_up_person", ["locked_until"])
    op.create_table(
        "step_up_request",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("operation_id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "step_up_code",
        sa.Column("event_key", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("operation_id", sa.Text, nullable=False, server_default=""),
        sa.Column("digest", sa.Text, nullable=False, server_default=""),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_step_up_code_at", "step_up_code", ["at"])
    stepped_up = sa.Column("stepped_up", sa.Boolean, nullable=False, server_default="0")
    op.add_column("vote", stepped_up)
