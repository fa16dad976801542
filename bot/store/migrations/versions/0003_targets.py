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
    """The versions that a plan of before changes: the steps that there were then, in the one cloud that there was.

    A plan or a step that is not as Slipway wrote them names none, so that one odd row keeps nobody from starting.
    """
    try:
        stored = json.loads(plan)
    except (ValueError, RecursionError):
        return set()
    steps = stored.get("steps") if isinstance(stored, dict) else None
    found = (_target(step) for step in (steps if isinstance(steps, list) else ()))
    return {target for target in found if target is not None}


def _target(step: object) -> str | None:
    if not isinstance(step, dict) or step.get("kind") not in ("set-excluded", "delete-version"):
        return None
    definition, version = step.get("definition"), step.get("version")
    if not isinstance(definition, str) or not isinstance(version, str):
        return None
    return f"version azure {definition.casefold()} {version}"
