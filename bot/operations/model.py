"""What an operation is: its plan, its states, its votes, its end."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import SerializeAsAny

from slipway.bot.chat.model import Choice, Room
from slipway.bot.core.errors import CloudError, ResponsibleParty, UserError
from slipway.bot.core.model import Json, Model, canonical
from slipway.bot.core.reasons import with_reason
from slipway.bot.core.steps import Request, Step, StepDone

DIGEST_PREFIX = 8
"""How many digits of a plan's digest a button carries, and a card shows."""


class OperationState(StrEnum):
    """Where an operation is on its way. All but the first three are ends."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"  # what another version of Slipway stored; nothing is done with it here

    @classmethod
    def _missing_(cls, value: object) -> OperationState:
        return cls.UNKNOWN

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (OperationState.PROPOSED, OperationState.APPROVED, OperationState.RUNNING)


OPEN = tuple(state for state in OperationState if not state.ended)
"""The states in which something may still happen."""


class Demand(Model):
    """So many distinct persons of a role; of the empty role: of those who may ask for such an operation."""

    role: str
    approvals: int


class PolicyReason(Model):
    """Why a plan asks for what it asks: what says so, what that asks for, and of which of its targets."""

    by: str  # a table or rule of slipway.toml, a schedule, or the plan itself
    asks: str  # in words
    about: tuple[str, ...] = ()  # names, the first few of very many; none where it counts for the whole


class Policy(Model):
    """Who must agree to one operation. Part of its plan, so that a change of policy makes the plan stale.

    ``approvals`` persons of ``role`` and those of ``also``, each another one: who holds two roles stands for one.
    """

    approvals: int  # distinct persons
    role: str  # which they hold; empty: whoever may ask for such an operation
    requester_may_approve: bool
    forgeable_presses: bool = True  # whether a press counts that could have been made up on its way
    right: str = ""  # to ask for such an operation; empty: the kind's own name
    also: tuple[Demand, ...] = ()  # of other roles
    asked_by: tuple[PolicyReason, ...] = ()  # for reading; none where [policy.KIND] alone says all of it
    step_up: bool = False  # whether an approval counts only with a single-use code of its giver's
    emergency: str = ""  # why nobody else has to agree; empty where that is not passed over

    @property
    def demands(self) -> tuple[Demand, ...]:
        """How many of which role, those of whom somebody is asked for; where nobody is, the role of the table."""
        each = (Demand(role=self.role, approvals=self.approvals), *self.also)
        return tuple(demand for demand in each if demand.approvals) or each[:1]

    @property
    def needed(self) -> int:
        """How many persons have to agree."""
        return sum(demand.approvals for demand in self.demands)

    def covers(self, other: Policy) -> bool:
        """Whether what is agreed to by this is agreed to by another, too: it asks for no more, of no other role, and
        lets nobody speak whom the other does not."""
        asked = {demand.role: demand.approvals for demand in self.demands}
        return (
            all(demand.approvals <= asked.get(demand.role, 0) for demand in other.demands)
            and (other.requester_may_approve or not self.requester_may_approve or not other.needed)
            and (other.forgeable_presses or not self.forgeable_presses or not other.needed)
            and (self.step_up or not other.step_up or not other.needed)
            and self.right == other.right
            and self.emergency == other.emergency
        )

    @property
    def substance(self) -> Policy:
        """The same without what is only for reading."""
        return self.model_copy(update={"asked_by": ()})


PLAN_FORMAT = 4
"""The version of a stored plan's form. Format 1 had neither formats of its parts nor words to show them by; format 2
did not know that a plan may wait for its time, and format 3 not that several roles may be asked for, and why, and
codes. A plan is stored in the oldest format that can say it, which former versions read, too."""

_FORMAT_WITHOUT_RULES = 3
_FORMAT_OF_WHAT_NEED_NOT_WAIT = 2

_POLICY_SINCE_4 = ("also", "asked_by", "step_up", "emergency")
"""Fields of a policy that are not stored where they are empty, so that the digests of plans stay what they were."""

RETRIED_FOR = timedelta(hours=1)
"""How long what has its time is tried again where a cloud cannot be read at that; then it fails, and tells why."""


class Plan(Model):
    """What people agree to, word for word. Its digest stands for it; it never changes.

    ``evidence`` and ``warnings`` are for reading. What counts for staleness is :mod:`.staleness`. ``not_before`` is
    when it is carried out at the earliest; None for at once.
    """

    kind: str
    request: SerializeAsAny[Request]
    command: str = ""  # the line that asks for it, without its prefix: to plan it afresh
    requester: str
    policy: Policy
    expires_at: datetime
    summary: str
    steps: tuple[SerializeAsAny[Step], ...]
    observed: dict[str, Json]
    evidence: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    independent: bool = False
    not_before: datetime | None = None

    def ends_with(self, step: Step) -> bool:
        """Whether a failure of one of its steps leaves nothing worth doing of those behind it."""
        return step.STOPS and not self.independent

    @property
    def retried_until(self) -> datetime:
        """Until when it is tried again where a cloud cannot be read at its time.

        Raises:
            ValueError: it is carried out at once.
        """
        if self.not_before is None:
            raise ValueError("a plan that need not wait for its time is not tried again")
        return self.not_before + RETRIED_FOR

    @property
    def document(self) -> dict[str, Json]:
        """The plan as it is stored: each part with the version of its format, and each step with words to show
        it by where its kind is not known."""
        dumped = self.model_dump(mode="json")
        steps = (
            {"format": step.FORMAT, "title": step.title, "reason": step.reason, **dump}
            for step, dump in zip(self.steps, dumped["steps"], strict=True)
        )
        request = {"format": self.request.FORMAT, **dumped["request"]}
        ruled = [name for name in _POLICY_SINCE_4 if dumped["policy"][name]]
        for name in _POLICY_SINCE_4:
            if name not in ruled:
                del dumped["policy"][name]
        number = PLAN_FORMAT if ruled else _FORMAT_WITHOUT_RULES
        if self.not_before is None:
            number = number if ruled else _FORMAT_OF_WHAT_NEED_NOT_WAIT
            del dumped["not_before"]
        return {**dumped, "format": number, "request": request, "steps": list(steps)}

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(canonical(self.document).encode()).hexdigest()

    @property
    def unknown(self) -> str:
        """What this Slipway does not know of it, as the rest of a sentence; empty where it knows all."""
        parts = (self.request, *self.steps)
        unknown = (part.why for part in parts if isinstance(part, (UnknownRequest, UnknownStep)))
        return next(unknown, "")


class UnknownRequest(Request):
    """A request of a kind or format that this Slipway does not know: shown, and never carried out.

    ``why`` is the rest of a sentence that begins with “This Slipway”.
    """

    why: str


class UnknownStep(Step):
    """A step of such a kind or format, with the words that were stored with it."""

    why: str
    shown_title: str
    shown_reason: str

    @property
    def title(self) -> str:
        """What it would do."""
        return self.shown_title

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return self.shown_reason


class Vote(Model):
    """What one person said of an operation. One vote a person; the last word counts while it is pending."""

    person: str
    choice: Choice
    reason: str = ""
    at: datetime
    event_key: str = ""  # of the event by which it was given, and with which it can be taken back
    doubt: str = ""  # why it may not be that person's, as a sentence; empty where nobody doubts it
    stepped_up: bool = False  # whether it came with a single-use code of that person's


class Failure(Model):
    """A failure as a person should read it: what failed, whose move it is, what to type next.

    Stored within reports and outcomes: a field that came later has a default that means what its lack meant.
    """

    sentence: str
    responsible: ResponsibleParty
    code: str = ""
    reason: str = ""  # the cloud's own words, cleaned
    hint: str = ""  # a command without its prefix
    when: str = ""  # it is of use, as the rest of “Next, …:”; empty for at once
    unknown: bool = False  # of a step: it was begun, and nobody knows whether it took effect
    untried: bool = False  # of a step: the one before it, on which it rests, failed

    @classmethod
    def of(cls, error: CloudError | UserError, hint: str) -> Failure:
        """Put a typed error into words. ``hint`` is the command to type where the error names none."""
        if isinstance(error, UserError):
            return cls(
                sentence=error.sentence, responsible=ResponsibleParty.REQUESTER, hint=error.hint or hint
            )
        return cls(
            sentence=error.sentence,
            responsible=error.responsible,
            code=error.code,
            reason=error.reason,
            hint=error.remedy.command or hint,
            when=error.remedy.when,
        )

    @property
    def words(self) -> str:
        """The sentence, and the cloud's own reason beside it."""
        return with_reason(self.sentence, self.reason)


class StepReport(Model):
    """How one step ended. Exactly one of ``done`` and ``failure`` is set."""

    number: int  # from 1, as people count
    title: str
    done: StepDone | None = None
    failure: Failure | None = None

    @property
    def unknown(self) -> bool:
        """Whether it was begun, and nobody knows whether it took effect."""
        return self.failure is not None and self.failure.unknown

    @property
    def untried(self) -> bool:
        """Whether it was not even tried, as the step before it failed, on which it rests."""
        return self.failure is not None and self.failure.untried


class Outcome(Model):
    """How an operation ended, beyond its state."""

    summary: str
    failure: Failure | None = None
    differences: tuple[str, ...] = ()  # of a stale plan
    hint: str | None = (
        None  # of a stale plan, what to type next: None for its own command again, empty for nothing
    )
    doubt: str = ""  # why whoever ended it may not be who they seem, as a sentence


class Operation(Model):
    """An operation as it is stored now."""

    id: str
    event_key: str = ""  # of what asked for it
    kind: str
    state: OperationState
    plan: Plan
    digest: str
    requester: str
    room: Room | None  # where it is told; None for nowhere
    thread: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
    reports: tuple[StepReport, ...] = ()
    outcome: Outcome | None = None
    cancelled_by: str | None = None
    doubt: str = ""  # why it may not be the requester who asked for it, as a sentence

    @property
    def digest_prefix(self) -> str:
        """The digits that stand for the plan on buttons and cards."""
        return self.digest[:DIGEST_PREFIX]

    def token(self, number: int) -> str:
        """The idempotency token of a step; see :func:`step_token`."""
        return step_token(self.id, self.digest, number)


def step_token(operation_id: str, digest: str, number: int) -> str:
    """The idempotency token of a step: the same at each try, and no other operation's ever.

    The digest keeps two installations apart that happen to use one operation id. At most 64 ASCII characters, as
    EC2's ClientToken allows.
    """
    return f"slipway-{operation_id}-{digest[:16]}-{number}"


def operation_of(token: str) -> str | None:
    """The id of the operation that a step's token names; None where it is no such token."""
    found = _TOKEN.fullmatch(token)
    return found.group(1) if found else None


def sibling_token(token: str, number: int) -> str:
    """The token of another step of the operation that a step's token names."""
    return f"{token.rpartition('-')[0]}-{number}"


_TOKEN = re.compile(r"slipway-(.+)-[0-9a-f]{16}-\d+", re.ASCII)
