"""Operations by when they ended: reports of a day, a week or a month read no others."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_operation_ended_at", "operation", ["ended_at"])
