"""The order in which operations were asked for and ended, and votes were given: by number, as clocks go back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Number what there is: operations in the order of their rows, which are never deleted; their ends in that of the
    audit trail."""
    op.add_column("operation", sa.Column("sequence", sa.Integer, nullable=False, server_default="0"))
    op.add_column("operation", sa.Column("ended_sequence", sa.Integer))
    op.add_column("vote", sa.Column("sequence", sa.Integer, nullable=False, server_default="0"))
    if op.get_bind().dialect.name == "sqlite":  # the only database that there was then
        op.execute("UPDATE operation SET sequence = rowid")
        op.execute("UPDATE vote SET sequence = rowid")
    op.execute(
        "UPDATE operation SET ended_sequence = coalesce((SELECT max(number) FROM audit"
        " WHERE audit.operation_id = operation.id AND audit.action = operation.state), 0)"
        " WHERE ended_at IS NOT NULL"
    )
    op.create_index("ix_operation_sequence", "operation", ["sequence"], unique=True)
    op.create_index("ix_operation_ended_sequence", "operation", ["ended_sequence"])
    op.drop_index("ix_operation_kind_state", "operation")
    op.create_index("ix_operation_kind_state", "operation", ["kind", "state", "ended_sequence"])
