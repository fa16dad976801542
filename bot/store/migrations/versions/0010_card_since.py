"""Since when a message shows an operation: nobody has seen its plan before."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Of what stands there it is known when it was sent, and when the operation was proposed: the later one."""
    op.add_column("message", sa.Column("card_since", sa.DateTime(timezone=True)))
    if op.get_bind().dialect.name != "sqlite":  # the only database that there was then: no other holds any
        return
    op.execute(
        "UPDATE message SET card_since = max(sent_at, (SELECT created_at FROM operation"
        " WHERE operation.id = message.operation_id))"
        " WHERE sent_at IS NOT NULL AND operation_id IN (SELECT id FROM operation)"
    )
