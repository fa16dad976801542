"""What a plan is made of, common to every subject: requests, steps, drafts and how a step is carried out.

A subject (images, machines, …) subclasses :class:`Request` and :class:`Step`, writes a planner that turns a
request into a :class:`Draft`, and an :class:`Executor` for each kind of step, and declares them in its
:class:`slipway.bot.operations.declarations.Subject`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import Field

from slipway.bot.core.model import Json, Model, canonical


class Stored(Model):
    """Data that is stored by its kind, and read again by whoever knows that kind.

    ``kind`` names it for ever; a subclass gives it as ``kind: Literal["launch"] = "launch"``. ``FORMAT`` is the
    version of its form: it goes up when a field is renamed, removed or given another meaning, or one is added that
    has no default, together with a function in the declaration that turns the form before into this one. A field
    added with a default that means what its absence meant needs none of it.
    """

    FORMAT: ClassVar[int] = 1

    kind: str


class Request(Stored):
    """What somebody wants done, pinned so far that planning it again means the same thing."""


class Permanence(StrEnum):
    """Whether what a step does can be taken back."""

    REVERSIBLE = "reversible"
    FINAL = "final"


class Reach(StrEnum):
    """How far a change reaches, and so whether a freeze is about it."""

    OUTSIDE = "outside"  # a cloud, a secret store, whatever is not Slipway's own
    RECORDS = "records"  # what Slipway itself remembers, and nothing else


@dataclass(frozen=True, slots=True)
class Target:
    """What a step changes, as far as policies tell changes apart.

    Attributes:
        name: what people call it: a definition, profile, credential, schedule, machine.
        cloud: the account of a cloud that it is in; empty for none.
        item: which of those that have the name, such as a version.
        count: for how many it stands.
    """

    name: str = ""
    cloud: str = ""
    item: str = ""
    count: int = 1

    def __str__(self) -> str:
        where = f"{self.cloud}:" if self.cloud else ""
        return f"{where}{self.name}"


class Step(Stored):
    """One change in a cloud. It is data; an executor carries it out.

    ``REASONS`` are those of its fields that only say why: two steps that differ in these alone change the same.
    ``REACH`` says whether it changes anything beside what Slipway remembers: that alone goes on in a freeze.
    ``PERMANENCE`` says whether another step could take back what it does: a deletion is final. One that is
    ``LASTING`` may take hours or days, in which others may change what its plan touches; its executor is a
    :class:`LastingExecutor`. One that does not ``STOPS`` leaves the steps behind it worth doing where it fails, also
    in a plan whose steps are not independent.
    """

    REASONS: ClassVar[frozenset[str]] = frozenset()
    REACH: ClassVar[Reach] = Reach.OUTSIDE
    PERMANENCE: ClassVar[Permanence] = Permanence.REVERSIBLE
    LASTING: ClassVar[bool] = False
    STOPS: ClassVar[bool] = True

    @property
    def effect(self) -> str:
        """What it changes, as a text that is equal for equal changes."""
        return canonical(self.model_dump(mode="json", exclude=set(self.REASONS)))

    @property
    def title(self) -> str:
        """What it does, as an order in plain words: ``delete 43.20261001.0 of Fedora-Cloud-43-x64``."""
        raise NotImplementedError

    @property
    def reason(self) -> str:
        """Why it is in the plan: the rule or the wish that chose it."""
        raise NotImplementedError

    def rests_on(self, before: Step) -> bool:
        """Whether it cannot be done unless the step right before it in its plan was; such a one is not even tried."""
        return False

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """What it changes, by which policies tell changes apart; none where it changes nothing by itself, as one that
        waits. A step that names none is asked for as its table of slipway.toml says, whatever rules there are."""
        return ()

    @property
    def concerns(self) -> tuple[str, ...]:
        """The ids of those whom it concerns beside whoever asked for it, and who are told once it is done."""
        return ()


class StepDone(Model):
    """A step's end. ``already`` says that nothing had to be done; ``facts`` are worth keeping (no secrets)."""

    summary: str
    already: bool = False
    facts: dict[str, Json] = Field(default_factory=dict)


RequestT = TypeVar("RequestT", bound=Request)
StepT = TypeVar("StepT", bound=Step)
StepT_contra = TypeVar("StepT_contra", bound=Step, contravariant=True)


@dataclass(frozen=True)
class Draft(Generic[RequestT]):
    """What a planner found: the steps, and the facts they rest on.

    Attributes:
        request: the request with everything resolved (newest candidate → a version, $Default → a number).
        summary: what will have changed when it is done, in one sentence.
        steps: in order; none means that there is nothing to do, and ``summary`` says why.
        observed: the facts the plan rests on; if they differ later, the plan is stale. Nothing volatile.
        evidence: label and value pairs that speak for (or against) the plan, for the card.
        warnings: what the approver must know, a sentence each. Below it, on lines of their own, may stand all the
            cases that it counts: these are for the whole of a plan, which its card has in short.
        independent: whether one step's failure leaves the others worth doing.
        needs_approval: a reason to ask for approval even where policy asks for none; empty for none.
        by_another: whether only somebody else than the requester can give it, whatever policy says.
        harmless: whether it changes nothing but what Slipway itself remembers, so that nobody has to agree, whatever
            policy says.
        not_before: when it is carried out at the earliest, once it is agreed to; None for at once.
    """

    request: RequestT
    summary: str
    steps: tuple[Step, ...]
    observed: dict[str, Json]
    evidence: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    independent: bool = False
    needs_approval: str = ""
    by_another: bool = False
    harmless: bool = False
    not_before: datetime | None = None


class Planner(Protocol[RequestT]):
    """Turns a request into a draft by looking at the clouds; changes nothing.

    Raises UserError where the request cannot be met as asked, CloudError where a cloud cannot be read.
    """

    async def plan(self, request: RequestT, now: datetime) -> Draft[RequestT]:
        """Plan the request as things stand at ``now``."""
        ...


class Executor(Protocol[StepT_contra]):
    """Carries out one kind of step: observe, act, verify. Each may raise CloudError.

    A step runs again after a crash, so ``act`` must be harmless when repeated with the same token.
    """

    async def observe(self, step: StepT_contra, token: str) -> StepDone | None:
        """The step's end if things are already so; None if there is something to do.

        Raises CloudError CONFLICT where acting would no longer be right (a version was promoted since).
        """
        ...

    async def act(self, step: StepT_contra, token: str) -> None:
        """Make the change. ``token`` is the same each time this step of this operation is tried."""
        ...

    async def verify(self, step: StepT_contra, token: str) -> StepDone:
        """Look again, and say what is now so; CloudError UNVERIFIED where the change cannot be seen."""
        ...


@runtime_checkable
class LastingExecutor(Executor[StepT_contra], Protocol[StepT_contra]):
    """Carries out a step that lasts: between ``act`` and ``verify`` it is asked again and again what it waits for.

    All that it knows of the beginning is kept by its ``token`` outside of the process: after a restart it is observed
    and begun again.
    """

    async def waiting(self, step: StepT_contra, token: str) -> str:
        """What it waits for now, in a few words for the operation's card; empty once it is over.

        Raises CloudError where it does not come to its end.
        """
        ...


Confirmation = Callable[[Sequence[Step]], Awaitable[str]]
"""Looks once more at the end of an operation, at all of its steps that were done: a sentence that says what is not so
after all; empty where everything holds. Raises CloudError where it cannot be looked at, which leaves it unknown."""
