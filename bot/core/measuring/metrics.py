"""Every metric, for those who report and for the reference in docs/metrics.md."""

from __future__ import annotations

from enum import StrEnum

from slipway.bot.core.measuring.meter import Bound, Counter, Gauge, Histogram, Label, Metric

_QUICK = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_CALLS = (0.05, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0, 120.0)
_WORK = (0.5, 2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0, 259200.0)
_PEOPLE = (10.0, 60.0, 300.0, 1800.0, 3600.0, 14400.0, 43200.0, 86400.0)
_LATE = (1.0, 5.0, 20.0, 60.0, 300.0, 3600.0, 86400.0)


class LineOutcome(StrEnum):
    """What came of a line."""

    ANSWERED = "answered"
    PROPOSED = "proposed"  # an operation was asked for, or shown anew
    OBJECTED = "objected"  # refused, not understood, or a cloud did not answer
    FAILED = "failed"  # by a fault of Slipway's own


class Decided(StrEnum):
    """What ended the wait for people."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class StepOutcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"  # somebody wanted no more of it while it waited


_COMMAND = Label("command", Bound.COMMANDS)
_KIND = Label("kind", Bound.KINDS)
_CLOUD = Label("cloud", Bound.CLOUDS)
_PLATFORM = Label("platform", Bound.PLATFORMS)

LINES = Counter(
    "slipway_commands_total",
    "Lines that were answered, by the command and what came of it; what is no command counts as other.",
    (_COMMAND, Label("outcome", LineOutcome)),
)
LINE_SECONDS = Histogram(
    "slipway_command_seconds",
    "How long it took to find the answer to a line, looks at clouds included.",
    _QUICK,
    (_COMMAND,),
)
TRANSITIONS = Counter(
    "slipway_operations_total",
    "Operations that came into a state: proposed, approved, running, and each way to end.",
    (_KIND, Label("state", Bound.STATES)),
    from_zero=True,
)
APPROVAL_SECONDS = Histogram(
    "slipway_approval_wait_seconds",
    "How long a proposal waited for people, until it was decided.",
    _PEOPLE,
    (_KIND, Label("decided", Decided)),
)
VOTES = Counter(
    "slipway_votes_total",
    "Votes that counted.",
    (_KIND, Label("choice", Bound.CODE)),
)
STEP_SECONDS = Histogram(
    "slipway_step_seconds",
    "How long a step took in this process, its waits included.",
    _WORK,
    (Label("step", Bound.STEPS), Label("outcome", StepOutcome)),
)
CLOUD_SECONDS = Histogram(
    "slipway_cloud_call_seconds",
    "How long a request to a cloud took: of AWS by the operation's name, each try; of Azure by the verb, all tries "
    "together. The outcome is ok, or the kind of failure.",
    _CALLS,
    (_CLOUD, Label("call", Bound.CODE), Label("outcome", Bound.CODE)),
)
THROTTLES = Counter(
    "slipway_cloud_throttles_total",
    "Requests that a cloud refused because there were too many.",
    (_CLOUD,),
)
LATE_SECONDS = Histogram(
    "slipway_schedule_late_seconds",
    "How long after its time a schedule's line was handed on.",
    _LATE,
    (Label("schedule", Bound.SCHEDULES),),
    from_zero=True,
)
HTTP_SECONDS = Histogram(
    "slipway_http_request_seconds",
    "How long an HTTP request took to be answered; what is not found has the route other.",
    _QUICK,
    (Label("listener", Bound.CODE), Label("route", Bound.ROUTES), Label("status", Bound.CODE)),
)

BUILD = Gauge("slipway_build_info", "Always 1; the labels say what runs.", (
    Label("version", Bound.CODE), Label("python", Bound.CODE), Label("dbos", Bound.CODE),
))  # fmt: skip
READY = Gauge("slipway_ready", "Whether the bot is ready, as /readyz says: 1 or 0.")
CHECK = Gauge(
    "slipway_check_ok", "Each check of /readyz: 1 where nothing is wrong.", (Label("check", Bound.CODE),)
)
ROLE = Gauge(
    "slipway_role_info",
    "Always 1; the labels say which deployment this is, and whether this replica leads.",
    (Label("deployment", Bound.DEPLOYMENT), Label("role", Bound.CODE)),
)
REPLICA = Gauge(
    "slipway_replica_info",
    "Always 1, where there can be several replicas; the label says which this is, as its log lines do.",
    (Label("replica", Bound.REPLICA),),
)
CONNECTED = Gauge("slipway_chat_connected", "Whether a chat platform is connected: 1 or 0.", (_PLATFORM,))
HEARD = Gauge(
    "slipway_chat_last_heard_seconds", "How long ago a chat platform was heard from last.", (_PLATFORM,)
)
QUEUE = Gauge("slipway_messages_waiting", "Messages that a platform has not taken yet.", (_PLATFORM,))
QUEUE_SECONDS = Gauge(
    "slipway_messages_behind_seconds",
    "How long a room of a platform has been waiting for what was said there, the longest of all, in this process.",
    (_PLATFORM,),
)
DROPPED = Gauge("slipway_messages_dropped", "Messages given up in the last day.")
OPEN = Gauge(
    "slipway_operations_open", "Operations that have not ended, by state.", (Label("state", Bound.STATES),)
)
OLDEST_STEP = Gauge(
    "slipway_step_oldest_seconds", "How long ago the oldest step under way was begun; 0 where none is."
)
LOCKS_HELD = Gauge("slipway_locks_held", "Operations that have to themselves what they change.")
LOCKS_WAITING = Gauge(
    "slipway_locks_waiting", "Operations that wait in line for what another one has to itself."
)
LOCK_HELD_SECONDS = Gauge(
    "slipway_lock_held_oldest_seconds",
    "How long an operation has had to itself what it changes, the longest of all; 0 where none has.",
)
LOCK_WAIT_SECONDS = Gauge(
    "slipway_lock_wait_oldest_seconds",
    "How long an operation has waited in line for another, the longest of all; 0 where none waits.",
)
FROZEN = Gauge(
    "slipway_frozen",
    "Whether changes are frozen, by a person, by a window of the configuration, or since nobody can tell: 1 or 0.",
)
PROBLEMS = Gauge("slipway_problems_open", "Entries in the list of what is wrong that nobody has put off.")
CLOCK_SECONDS = Gauge(
    "slipway_clock_last_success_seconds", "How long ago what the clock does succeeded last."
)
CLOUD_FAILING = Gauge(
    "slipway_cloud_failing", "Whether a cloud's newest answer was a failure of its own: 1 or 0.", (_CLOUD,)
)
LOOK_FAILED = Gauge(
    "slipway_look_failed", "Whether what stands in the database could not be looked at just now: 1 or 0."
)

METRICS: tuple[Metric, ...] = (
    LINES,
    LINE_SECONDS,
    TRANSITIONS,
    VOTES,
    APPROVAL_SECONDS,
    OPEN,
    STEP_SECONDS,
    OLDEST_STEP,
    LOCKS_HELD,
    LOCKS_WAITING,
    LOCK_HELD_SECONDS,
    LOCK_WAIT_SECONDS,
    FROZEN,
    CLOUD_SECONDS,
    THROTTLES,
    CLOUD_FAILING,
    CONNECTED,
    HEARD,
    QUEUE,
    QUEUE_SECONDS,
    DROPPED,
    LATE_SECONDS,
    CLOCK_SECONDS,
    PROBLEMS,
    READY,
    CHECK,
    ROLE,
    REPLICA,
    LOOK_FAILED,
    HTTP_SECONDS,
    BUILD,
)
"""All of them, in the order of the reference."""
