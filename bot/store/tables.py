"""The tables. Times are UTC; what has a shape of its own is kept as JSON text of its model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite would drop the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times, and turn all others into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was about to be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        """Give back what was stored, aware again."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = sa.MetaData()

operation = sa.Table(
    "operation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # The event that asked for it: one event, one operation, however often the event is handled.
    sa.Column("event_key", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("requester", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("thread", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("outcome", sa.Text),
    sa.Column("cancelled_by", sa.Text),
    # The order in which operations were asked for, and in which they ended: clocks go back, numbers do not.
    sa.Column("sequence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ended_sequence", sa.Integer),
    sa.Column("doubt", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_operation_sequence", "sequence", unique=True),
    sa.Index("ix_operation_ended_sequence", "ended_sequence"),
    sa.Index("ix_operation_ended_at", "ended_at"),
    sa.Index("ix_operation_kind_state", "kind", "state", "ended_sequence"),
)

# What exactly an operation changes, so that what was done to one thing is found without reading every plan.
operation_target = sa.Table(
    "operation_target",
    metadata,
    sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Index("ix_operation_target_target", "target"),
)

# When an operation of each kind ended last in each state for a target, kept by a trigger: whatever was done to one
# thing in years is a few rows, numbered in the order in which they ended.
target_end = sa.Table(
    "target_end",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),  # the newest one's ended_sequence
    sa.Column("times", sa.Integer, nullable=False),  # how many ended so
)

# What operations claim, so that one works on a thing at a time. See bot.operations.locking.model.Claim.
operation_lock = sa.Table(
    "operation_lock",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
    sa.Column("ticket", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("since", UtcDateTime),  # null: it waits in line
    sa.Index("ix_operation_lock_operation", "operation_id"),
)

# By whose word nothing changes, and until when. See bot.operations.freezing.model.Freeze.
freeze = sa.Table(
    "freeze",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # of the step that placed it
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),  # null: until somebody ends it
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ended_by", sa.Text, nullable=False, server_default=""),
    sa.Column("ended_reason", sa.Text, nullable=False, server_default=""),
)

vote = sa.Table(
    "vote",
    metadata,
    sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("choice", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("event_key", sa.Text, nullable=False),
    sa.Column(
        "sequence", sa.Integer, nullable=False, server_default="0"
    ),  # the order of one operation's votes
    sa.Column("doubt", sa.Text, nullable=False, server_default=""),
    # Whether a single-use code of the person's came with it.
    sa.Column("stepped_up", sa.Boolean, nullable=False, server_default="0"),
    sa.Index("ix_vote_event", "event_key"),
)

step_report = sa.Table(
    "step_report",
    metadata,
    sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("report", sa.Text, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # Names what is recorded, so that a step which runs again after a crash records it once.
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("operation_id", sa.Text, index=True),
    sa.Column("detail", sa.Text, nullable=False),
    # Unique: the chain cannot fork, even with two writers.
    sa.Column("previous", sa.Text, nullable=False, unique=True),
    sa.Column("hash", sa.Text, nullable=False),
    # Of the text that is hashed; entries of before the column have format 1.
    sa.Column("format", sa.Integer, nullable=False, server_default="1"),
)

# How long the trail is, kept by a trigger in one row: a table that was emptied or cut contradicts it.
audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
)

# What this database knows of itself and of the workflow database beside it; and which head was told last.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

# What the bot says, said or not: see bot.messages.model.Message.
message = sa.Table(
    "message",
    metadata,
    sa.Column(
        "number", sa.Integer, primary_key=True, autoincrement=False
    ),  # the order in which they were made
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("thread", sa.Text),
    sa.Column("thread_of", sa.Text),
    sa.Column("message_id", sa.Text),
    # Set on the cards of an operation: a press on such a message is a press on that operation.
    sa.Column("operation_id", sa.Text, index=True),
    sa.Column("shown", sa.Text),  # digest of the card as it was last shown
    # Names the next edit: what a message shows again, such as after a vote was taken back, is another edit.
    sa.Column("edits", sa.Integer, nullable=False, server_default="0"),
    sa.Column("incomplete", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("card", sa.Text),
    sa.Column("turn", sa.Integer, index=True),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("dropped", sa.Text, nullable=False, server_default=""),
    sa.Column("dropped_at", UtcDateTime),
    sa.Column("sent_at", UtcDateTime),  # when its platform took it
    sa.Column("answers", sa.Text),
    sa.Column("card_since", UtcDateTime),  # when its platform took what made it an operation's card
    sa.UniqueConstraint("platform", "room", "message_id"),
)

# Few messages wait or were dropped, of very many: they are found without a look at the others.
sa.Index(
    "ix_message_waiting",
    message.c.platform,
    message.c.room,
    message.c.turn,
    sqlite_where=message.c.turn.is_not(None),
    postgresql_where=message.c.turn.is_not(None),
)
sa.Index(
    "ix_message_dropped_at",
    message.c.dropped_at,
    sqlite_where=message.c.dropped_at.is_not(None),
    postgresql_where=message.c.dropped_at.is_not(None),
)

chat_memory = sa.Table(
    "chat_memory",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

schedule_tick = sa.Table(
    "schedule_tick",
    metadata,
    sa.Column("schedule", sa.Text, primary_key=True),
    sa.Column("last", UtcDateTime, nullable=False),
)

# What one launch made, or is about to make: it counts against the limits from the moment it is claimed, so that two
# launches at once cannot both have the last place. See bot.subjects.machines.leases.model.Reservation.
reservation = sa.Table(
    "reservation",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # that of its operation
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("cloud", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("claimed_at", UtcDateTime, nullable=False),
    sa.Column("lease_ends_at", UtcDateTime, nullable=False),
    sa.Column("cap_ends_at", UtcDateTime, nullable=False),
    sa.Column("ssh_user", sa.Text, nullable=False, server_default=""),
)

# Until when each machine lives and whose it is; its tags only mirror that. See bot.subjects.machines.leases.model.
machine = sa.Table(
    "machine",
    metadata,
    sa.Column("cloud", sa.Text, primary_key=True),
    sa.Column("instance_id", sa.Text, primary_key=True),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("reservation_id", sa.Text, sa.ForeignKey("reservation.id"), index=True),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("launched_at", UtcDateTime, nullable=False),
    sa.Column("lease_ends_at", UtcDateTime, nullable=False, index=True),
    sa.Column("cap_ends_at", UtcDateTime, nullable=False),
    sa.Column("stopped_at", UtcDateTime),
    sa.Column("rested_seconds", sa.Integer, nullable=False, server_default="0"),  # before it ran last
    sa.Column("ended_at", UtcDateTime, index=True),
    sa.Column(
        "revision", sa.Integer, nullable=False, server_default="1"
    ),  # of owner and lease: compare and set
    sa.Column("mirrored", sa.Integer, nullable=False, server_default="0"),  # the revision that its tags say
    sa.Column(
        "told", sa.Text, nullable=False, server_default="{}"
    ),  # what its owner was told, for what revision
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", UtcDateTime),
)

# People's public keys, and the account elsewhere that they came from, by its number: names are given to others.
ssh_key = sa.Table(
    "ssh_key",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False, server_default=""),
    sa.Column("account_id", sa.Text, nullable=False, server_default=""),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
    sa.Column("checked_at", UtcDateTime, nullable=False),
    # Why the keys of its account are refused, as that was renamed or taken over, and since when.
    sa.Column("refused", sa.Text, nullable=False, server_default=""),
    sa.Column("refused_at", UtcDateTime),
    sa.Column("owner_told", sa.Boolean, nullable=False, server_default="0"),
)

# What is known of versions of images, in the order in which it was recorded; nothing in it is changed or removed. See
# bot.clouds.ports.image_evidence.
image_evidence = sa.Table(
    "image_evidence",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # one message, one entry
    sa.Column("cloud", sa.Text, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # in small letters: case does not count
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_image_evidence_version", "cloud", "definition", "version"),
)

# What people want neither promoted nor removed. See bot.subjects.images.holds.model.
image_hold = sa.Table(
    "image_hold",
    metadata,
    sa.Column("cloud", sa.Text, primary_key=True),
    sa.Column("definition", sa.Text, primary_key=True),  # in small letters: case does not count
    sa.Column("version", sa.Text, primary_key=True),  # empty for all of the definition
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),  # the definition's name as its cloud writes it
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),  # null: until somebody lifts it
    sa.Column("key", sa.Text, nullable=False),  # of the step that placed it
)

# What a clean-up will remove. See bot.subjects.images.announcing.model.
image_announcement = sa.Table(
    "image_announcement",
    metadata,
    sa.Column("cloud", sa.Text, primary_key=True),
    sa.Column("definition", sa.Text, primary_key=True),  # in small letters: case does not count
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("published", UtcDateTime),  # tells it from another one that has its number later
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("key", sa.Text, nullable=False),  # of the step that announced it
    sa.Column("boot", sa.Text),  # the machine's uptime at ``at``: of which boot, and how many seconds
    sa.Column("uptime", sa.Float),
)

# What others changed of versions, from when it was told. See bot.subjects.images.adopting.model.ForeignChange.
image_foreign_change = sa.Table(
    "image_foreign_change",
    metadata,
    sa.Column("cloud", sa.Text, primary_key=True),
    sa.Column("definition", sa.Text, primary_key=True),  # in small letters: case does not count
    sa.Column("notice", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("shown", sa.Text, nullable=False),  # the definition as it is written
    sa.Column("qualified", sa.Boolean, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("person", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("key", sa.Text, nullable=False, server_default=""),  # of the step that adopted it
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("told_revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("since", UtcDateTime),
    sa.Column("authorship", sa.Text, nullable=False, server_default=""),
    sa.Column("ask_at", UtcDateTime, index=True),
    sa.Index("ix_image_foreign_change_stage", "stage"),
)

# When steps that last began, by their tokens, and how often they tried. See bot.subjects.images.replication.waits.
step_wait = sa.Table(
    "step_wait",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("begun_at", UtcDateTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("boot", sa.Text),  # the machine's uptime at ``begun_at``, as above
    sa.Column("uptime", sa.Float),
)

# Which schedules do not run, by whose word, and until when. See bot.subjects.schedules.model.Pause.
schedule_pause = sa.Table(
    "schedule_pause",
    metadata,
    sa.Column("schedule", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),  # null: until somebody resumes it
    sa.Column("key", sa.Text, nullable=False),  # of the step that placed it
)

# How the newest time of each schedule went. See bot.subjects.schedules.model.LastRun.
schedule_run = sa.Table(
    "schedule_run",
    metadata,
    sa.Column("schedule", sa.Text, primary_key=True),
    sa.Column("due", UtcDateTime, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("fate", sa.Text, nullable=False),
    sa.Column("delay", sa.Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False, index=True),  # of the event that asked for it
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("operation_id", sa.Text),
)

# What is wrong and needs a person, one row a problem from the moment it was seen until it was over. See
# bot.problems.model.Entry.
problem = sa.Table(
    "problem",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("found", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column(
        "notice", sa.Text, nullable=False, server_default=""
    ),  # the key of the message that tells of it
    sa.Column("closed_at", UtcDateTime, index=True),
    sa.Column("ending", sa.Text),
    sa.Column("acknowledged_by", sa.Text, nullable=False, server_default=""),
    sa.Column("acknowledged_at", UtcDateTime),
    sa.Column("acknowledged_until", UtcDateTime),
    sa.Column("acknowledged_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("acknowledged_key", sa.Text, nullable=False, server_default=""),
    sa.Column("lapsed", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("remind", sa.Boolean, nullable=False, server_default="0"),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("told_revision", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_problem_source", "source", "closed_at"),
    sa.Index("ix_problem_notice", "notice"),
)

# A problem is in the list once, however many processes look.
sa.Index(
    "ix_problem_open",
    problem.c.source,
    problem.c.key,
    unique=True,
    sqlite_where=problem.c.closed_at.is_(None),
    postgresql_where=problem.c.closed_at.is_(None),
)

# Whose codes were used up to which time step of RFC 6238, and how many wrong ones followed one another. See
# bot.operations.step_up.
step_up_person = sa.Table(
    "step_up_person",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("last_step", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_until", UtcDateTime, index=True),
)

# Who was asked for a code, for which plan of which operation, and until when one counts.
step_up_request = sa.Table(
    "step_up_request",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("operation_id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
)

# What became of each code that was given, by the event that brought it: the code itself stands nowhere.
step_up_code = sa.Table(
    "step_up_code",
    metadata,
    sa.Column("event_key", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("operation_id", sa.Text, nullable=False, server_default=""),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("locked_until", UtcDateTime),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
)

# Which operations were asked for in an emergency, whether rooms were told, and what others say of it. See
# bot.operations.emergency.
emergency = sa.Table(
    "emergency",
    metadata,
    sa.Column("operation_id", sa.Text, sa.ForeignKey("operation.id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("told_at", UtcDateTime),
    sa.Column("reviewed_by", sa.Text, nullable=False, server_default=""),
    sa.Column("reviewed_at", UtcDateTime),
    sa.Column("verdict", sa.Text, nullable=False, server_default=""),
    sa.Column("review", sa.Text, nullable=False, server_default=""),
    sa.Column("review_key", sa.Text, nullable=False, server_default=""),  # of the step that stored it
)

# What is done again as a whole after a crash, such as an answer to what only reads. See bot.store.unrecorded.
unrecorded_run = sa.Table(
    "unrecorded_run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=False, index=True),
    sa.Column("ended_at", UtcDateTime),
)

sa.Index(
    "unrecorded_run_unended",
    unrecorded_run.c.begun_at,
    sqlite_where=unrecorded_run.c.ended_at.is_(None),
    postgresql_where=unrecorded_run.c.ended_at.is_(None),
)
