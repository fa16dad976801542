"""Of operations that were begun, every end is noted for what they change: what they did before they were stopped, or
did not hold any more, stands."""

from alembic import op

revision = "0011"
down_revision = "0010"

ENDED = """
CREATE TRIGGER operation_ended AFTER UPDATE OF state ON operation
WHEN OLD.state IS NOT NEW.state
AND (NEW.state IN ('done', 'failed') OR OLD.state = 'running' AND NEW.state IN ('stale', 'cancelled'))
BEGIN
  INSERT INTO target_end (target, kind, state, number, times)
  SELECT target, NEW.kind, NEW.state, coalesce(NEW.ended_sequence, 0), 1
  FROM operation_target WHERE operation_id = NEW.id
  ON CONFLICT (target, kind, state) DO UPDATE SET number = excluded.number, times = times + 1;
END
"""

POSTGRES_ENDED = (
    """
CREATE FUNCTION operation_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IS DISTINCT FROM NEW.state AND (
    NEW.state IN ('done', 'failed') OR OLD.state = 'running' AND NEW.state IN ('stale', 'cancelled')
  ) THEN
    INSERT INTO target_end AS noted (target, kind, state, number, times)
    SELECT target, NEW.kind, NEW.state, coalesce(NEW.ended_sequence, 0), 1
    FROM operation_target WHERE operation_id = NEW.id
    ON CONFLICT (target, kind, state) DO UPDATE SET number = excluded.number, times = noted.times + 1;
  END IF;
  RETURN NULL;
END $$
""",
    "CREATE TRIGGER operation_ended AFTER UPDATE ON operation FOR EACH ROW EXECUTE FUNCTION operation_ended()",
)

ENDED_SO_FAR = """
INSERT INTO target_end (target, kind, state, number, times)
SELECT target, kind, state, max(coalesce(ended_sequence, 0)), count(*)
FROM operation JOIN operation_target ON operation_target.operation_id = operation.id
WHERE state IN ('stale', 'cancelled')
AND EXISTS (SELECT 1 FROM audit WHERE audit.key = operation.id || ':' || 'started')
GROUP BY target, kind, state
"""


def upgrade() -> None:
    """Note those of before, too."""
    if op.get_bind().dialect.name != "sqlite":
        for statement in POSTGRES_ENDED:
            op.execute(statement)
        return
    op.execute(ENDED_SO_FAR)
    op.execute("DROP TRIGGER operation_ended")
    op.execute(ENDED)
