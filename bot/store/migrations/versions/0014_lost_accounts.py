"""Accounts whose keys are refused, since they were renamed or taken over, and whether their persons were told."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """What was refused before is seen to be so at the next look."""
    op.add_column("ssh_key", sa.Column("refused", sa.Text, nullable=False, server_default=""))
    op.add_column("ssh_key", sa.Column("refused_at", sa.DateTime(timezone=True)))
    op.add_column("ssh_key", sa.Column("owner_told", sa.Boolean, nullable=False, server_default="0"))
