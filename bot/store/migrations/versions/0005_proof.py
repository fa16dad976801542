"""A trail that cannot be replaced or cut without a contradiction, databases that know each other, a short past."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

GENESIS = "0" * 64

# INSERT OR REPLACE removes rows without firing triggers on DELETE (unless recursive_triggers is on); those BEFORE
# INSERT are fired before it does. Source: https://www.sqlite.org/lang_conflict.html, "REPLACE".
ONLY_AT_THE_END = f"""
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM audit)
  OR NEW.previous IS NOT coalesce((SELECT hash FROM audit ORDER BY number DESC LIMIT 1), '{GENESIS}')
  OR EXISTS (SELECT 1 FROM audit WHERE key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END
"""  # noqa: S608 - a constant

SO_FAR = f"""
INSERT INTO audit_head (id, entries, head)
SELECT 1, coalesce(max(number), 0), coalesce((SELECT hash FROM audit ORDER BY number DESC LIMIT 1), '{GENESIS}')
FROM audit
"""  # noqa: S608 - a constant

COUNTED = """
CREATE TRIGGER audit_counted AFTER INSERT ON audit
BEGIN UPDATE audit_head SET entries = entries + 1, head = NEW.hash; END
"""

ENDED = """
CREATE TRIGGER operation_ended AFTER UPDATE OF state ON operation
WHEN NEW.state IN ('done', 'failed') AND OLD.state IS NOT NEW.state
BEGIN
  INSERT INTO target_end (target, kind, state, number, times)
  SELECT target, NEW.kind, NEW.state, coalesce(NEW.ended_sequence, 0), 1
  FROM operation_target WHERE operation_id = NEW.id
  ON CONFLICT (target, kind, state) DO UPDATE SET number = excluded.number, times = times + 1;
END
"""

POSTGRES_GUARDS = (
    f"""
CREATE FUNCTION audit_only_at_the_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.number IS DISTINCT FROM (SELECT coalesce(max(number), 0) + 1 FROM audit)
  OR NEW.previous IS DISTINCT FROM
    coalesce((SELECT hash FROM audit ORDER BY number DESC LIMIT 1), '{GENESIS}')
  OR EXISTS (SELECT 1 FROM audit WHERE key = NEW.key)
  THEN RAISE EXCEPTION 'the audit table is append-only'; END IF;
  RETURN NEW;
END $$
""",  # noqa: S608 - a constant
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_only_at_the_end()",
    """
CREATE FUNCTION audit_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE audit_head SET entries = entries + 1, head = NEW.hash;
  RETURN NULL;
END $$
""",
    "CREATE TRIGGER audit_counted AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_counted()",
    # A field of JSON text, whatever stands there: the audit trail is proved by comparing such.
    """
CREATE FUNCTION json_field(held text, path text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN held::jsonb #>> path;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN RETURN NULL;
END $$
""",
)

ENDED_SO_FAR = """
INSERT INTO target_end (target, kind, state, number, times)
SELECT target, kind, state, max(coalesce(ended_sequence, 0)), count(*)
FROM operation JOIN operation_target ON operation_target.operation_id = operation.id
WHERE state IN ('done', 'failed')
GROUP BY target, kind, state
"""


def upgrade() -> None:
    """Count what is there, let the database itself allow nothing but adding at the end, and note what ended last."""
    op.add_column("audit", sa.Column("format", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("head", sa.Text, nullable=False),
    )
    op.execute(SO_FAR)
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (ONLY_AT_THE_END, COUNTED) if sqlite else POSTGRES_GUARDS:
        op.execute(statement)
    op.create_table(
        "target_end",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
    )
    if sqlite:  # of others, 0011 makes it
        op.execute(ENDED_SO_FAR)
        op.execute(ENDED)
    op.create_table(
        "installation",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
