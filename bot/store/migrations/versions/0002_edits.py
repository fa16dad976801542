"""How often each message was edited."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the count; what was edited before begins anew, as its edits had names of another form."""
    op.add_column("message", sa.Column("edits", sa.Integer, nullable=False, server_default="0"))
