"""What an operation is: its plan, its states, its votes, its end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from slipway.bot.chat.model import Choice, Room
from slipway.bot.config.settings import OperationKind
from slipway.bot.core.errors import CloudError, ResponsibleParty, UserError
from slipway.bot.core.model import Json, Model, digest
from slipway.bot.core.steps import StepDone
from slipway.bot.operations.kinds import AnyRequest, AnyStep

DIGEST_PREFIX = 8
"""How many digits of a plan's digest a button carries, and a card shows."""


class OperationState(StrEnum):
    """Where an operation is on its way. The last six are ends."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (OperationState.PROPOSED, OperationState.APPROVED, OperationState.RUNNING)


OPEN = tuple(state for state in OperationState if not state.ended)
"""The states in which something may still happen."""


class Policy(Model):
    """Who must agree to one operation. Part of its plan, so that a change of policy makes the plan stale."""

    approvals: int  # distinct persons
    role: str  # which they hold; empty: whoever may ask for such an operation
    requester_may_approve: bool
    forgeable_presses: bool = True  # whether a press counts that could have been made up on its way


class Plan(Model):
    """What people agree to, word for word. Its digest stands for it; it never changes.

    ``evidence`` and ``warnings`` are for reading. What counts for staleness is :meth:`substance`.
    """

    kind: OperationKind
    request: AnyRequest
    requester: str
    policy: Policy
    expires_at: datetime
    summary: str
    steps: tuple[AnyStep, ...]
    observed: dict[str, Json]
    evidence: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    independent: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON."""
        return digest(self)


class Vote(Model):
    """What one person said of an operation. One vote a person; the last word counts while it is pending."""

    person: str
    choice: Choice
    reason: str = ""
    at: datetime
    event: str = ""  # by which it was given, and with which it can be taken back


class Failure(Model):
    """A failure as a person should read it: what failed, whose move it is, what to type next."""

    sentence: str
    mover: ResponsibleParty
    code: str = ""
    hint: str = ""  # a command without its prefix

    @classmethod
    def of(cls, error: CloudError | UserError, hint: str) -> Failure:
        """Put a typed error into words. ``hint`` is the command to type where the error names none."""
        if isinstance(error, UserError):
            return cls(sentence=error.sentence, mover=ResponsibleParty.REQUESTER, hint=error.hint or hint)
        return cls(sentence=error.sentence, mover=error.mover, code=error.code, hint=hint)


class StepReport(Model):
    """How one step ended. Exactly one of ``done`` and ``trouble`` is set."""

    number: int  # from 1, as people count
    title: str
    done: StepDone | None = None
    trouble: Failure | None = None


class Outcome(Model):
    """How an operation ended, beyond its state."""

    summary: str
    trouble: Failure | None = None
    differences: tuple[str, ...] = ()  # of a stale plan


class Operation(Model):
    """An operation as it is stored now."""

    id: str
    kind: OperationKind
    state: OperationState
    plan: Plan
    digest: str
    requester: str
    room: Room
    thread: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
    reports: tuple[StepReport, ...] = ()
    outcome: Outcome | None = None
    cancelled_by: str | None = None

    @property
    def digest_prefix(self) -> str:
        """The digits that stand for the plan on buttons and cards."""
        return self.digest[:DIGEST_PREFIX]

    def token(self, number: int) -> str:
        """The idempotency token of a step: the same at each try, and no other operation's ever.

        The digest keeps two installations apart that happen to use one operation id. At most 64 ASCII
        characters, as EC2's ClientToken allows.
        """
        return f"slipway-{self.id}-{self.digest[:16]}-{number}"
