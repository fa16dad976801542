"""Machines: what was launched, until when each one lives, and the keys that people reach them by."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "reservation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cap_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ssh_user", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "machine",
        sa.Column("cloud", sa.Text, primary_key=True),
        sa.Column("instance_id", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("reservation_id", sa.Text, sa.ForeignKey("reservation.id")),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cap_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("mirrored", sa.Integer, nullable=False, server_default="0"),
        sa.Column("told", sa.Text, nullable=False, server_default="{}"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "ssh_key",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, server_default=""),
        sa.Column("account_id", sa.Text, nullable=False, server_default=""),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_reservation_state", "reservation", ["state"])
    op.create_index("ix_reservation_owner", "reservation", ["owner"])
    op.create_index("ix_machine_reservation_id", "machine", ["reservation_id"])
    op.create_index("ix_machine_owner", "machine", ["owner"])
    op.create_index("ix_machine_lease_ends_at", "machine", ["lease_ends_at"])
    op.create_index("ix_machine_ended_at", "machine", ["ended_at"])
