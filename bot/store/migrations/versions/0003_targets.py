"""One name for the event that led to something, and what each operation changes, to be found by it."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Rename, index, and fill in the targets of the operations that there are."""
    op.execute("ALTER TABLE operation RENAME COLUMN origin TO event_key")
    op.execute("ALTER TABLE vote RENAME COLUMN event TO event_key")
    op.create_index("ix_operation_kind_state", "operation", ["kind", "state", "ended_at"])
    op.create_table(
        "operation_target",
        sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
        sa.Column("target", sa.Text, primary_key=True),
        sa.Index("ix_operation_target_target", "target"),
    )
    connection = op.get_bind()
    plans = connection.execute(sa.text("SELECT id, plan FROM operation")).all()
    rows = [
        {"operation_id": row.id, "target": target} for row in plans for target in sorted(_targets(row.plan))
    ]
    if rows:
        insert = sa.text(
            "INSERT INTO operation_target (operation_id, target) VALUES (:operation_id, :target)"
        )
        connection.execute(insert, rows)


def _targets(plan: str) -> set[str]:
    """The versions that a plan of before changes: the steps that there were then, in the one cloud that there was."""
    try:
        steps = json.loads(plan)["steps"]
    except (ValueError, KeyError, TypeError):
        return set()
    return {
        f"version azure {step['definition'].casefold()} {step['version']}"
        for step in steps
        if isinstance(step, dict) and step.get("kind") in ("set-excluded", "delete-version")
    }
