"""Messages that were not taken yet, in the order in which they were said."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table anew, as SQLite changes no column; what stood in it was sent, and nothing of it waits."""
    sqlite = (
        op.get_bind().dialect.name == "sqlite"
    )  # the only database that there was then: no other holds any
    if sqlite:
        op.execute("ALTER TABLE message RENAME TO message_before")
        op.execute("DROP INDEX ix_message_operation_id")
    else:
        op.drop_table("message")
    op.create_table(
        "message",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("thread", sa.Text),
        sa.Column("thread_of", sa.Text),
        sa.Column("message_id", sa.Text),
        sa.Column("operation_id", sa.Text, index=True),
        sa.Column("shown", sa.Text),
        sa.Column("edits", sa.Integer, nullable=False, server_default="0"),
        sa.Column("incomplete", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("card", sa.Text),
        sa.Column("turn", sa.Integer, index=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dropped", sa.Text, nullable=False, server_default=""),
        sa.Column("dropped_at", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("platform", "room", "message_id"),
    )
    if not sqlite:
        return
    op.execute(
        "INSERT INTO message"
        " (number, key, platform, room, thread, message_id, operation_id, shown, edits, until, sent_at)"
        " SELECT ROW_NUMBER() OVER (ORDER BY sent_at, rowid),"
        " key, platform, room, thread, message_id, operation_id, shown, edits, sent_at, sent_at FROM message_before"
    )
    op.execute("DROP TABLE message_before")
