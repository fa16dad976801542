"""Why it is doubted that a person asked for an operation, or voted on it, where it is."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """What stood there was not asked for its doubts, and is shown as before."""
    for table in ("operation", "vote"):
        op.add_column(table, sa.Column("doubt", sa.Text, nullable=False, server_default=""))
