"""Which message one answers, for platforms that show it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """What was said before answers nothing that is known."""
    op.add_column("message", sa.Column("answers", sa.Text))
