"""How long each machine rested, which costs only its disks."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Of machines of before it is not known: they count as if they never had, but for the rest that they are at."""
    op.add_column("machine", sa.Column("rested_seconds", sa.Integer, nullable=False, server_default="0"))
