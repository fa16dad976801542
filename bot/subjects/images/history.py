"""Which versions were rolled back: they are promoted again only when somebody names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import SetExcluded

TAKING_BACK = frozenset({"rollback", "revoke"})
"""The kinds of operation that take back what they change."""

PROMOTIONS = frozenset({"promote", "promote-override"})
"""The kinds that promote what they change."""

TAKEN_BACK = frozenset(
    {
        OperationState.APPROVED,
        OperationState.RUNNING,
        OperationState.FAILED,
        OperationState.DONE,
        OperationState.STALE,
        OperationState.CANCELLED,
    }
)
"""The states in which a rollback counts: from its approval on, and also if it failed or was stopped after it had
begun (of those that never began nothing is noted), because people agreed that the version is bad, and the flag may
have been set all the same. A promotion counts once it is done."""


MOST_TARGETS = 500
"""How many versions one query asks about: a statement of SQLite can have 32,766 parameters, and fewer before 3.32
(https://www.sqlite.org/limits.html); a gallery can have more versions."""


class PastChange(Protocol):
    """What an operation of the past changed, or was to change."""

    @property
    def target(self) -> str:
        """One thing that it changed."""
        ...

    @property
    def kind(self) -> str:
        """The operation's kind."""
        ...

    @property
    def state(self) -> OperationState:
        """Where the operation is."""
        ...

    @property
    def times(self) -> int:
        """How many such operations there were."""
        ...

    @property
    def operation_id(self) -> str:
        """Which operation it is, where it has not ended; empty otherwise."""
        ...


class PastOperations(Protocol):
    """What is asked of :class:`slipway.bot.operations.persistence.repository.OperationRepository`."""

    async def past(
        self, kinds: Collection[str], states: Collection[OperationState], targets: Collection[str]
    ) -> Sequence[PastChange]:
        """What operations of these kinds in these states last did to these targets, in the order in which they
        ended, open ones last."""
        ...


@dataclass(frozen=True)
class Rollbacks:
    """What some versions have been through.

    Attributes:
        back: those that were rolled back, and not promoted since.
        ended: how many rollbacks of each have ended, by target; none where there was none. The number only grows, so
            a greater one than was noted says that it was rolled back since, whatever the clock says.
        open: how many of each are agreed on and have not ended.
        moving: the operations that are agreed on and promote them, by target: with waves that takes days.
    """

    back: tuple[Pin, ...] = ()
    ended: Mapping[str, int] = field(default_factory=dict)
    open: Mapping[str, int] = field(default_factory=dict)
    moving: Mapping[str, str] = field(default_factory=dict)


class RollbackHistory:
    """Remembers by the operations which versions were rolled back."""

    def __init__(self, operations: PastOperations) -> None:
        self._operations = operations

    async def rolled_back(self, versions: Collection[Pin]) -> tuple[Pin, ...]:
        """Those of these versions that were rolled back, and not promoted since, in their order."""
        return (await self.look_up(versions)).back

    async def look_up(self, versions: Collection[Pin]) -> Rollbacks:
        """What these versions have been through."""
        targets = sorted({pin.target for pin in versions})
        asked = (targets[first : first + MOST_TARGETS] for first in range(0, len(targets), MOST_TARGETS))
        past = [
            change
            for some in asked
            for change in await self._operations.past((*TAKING_BACK, *PROMOTIONS), TAKEN_BACK, some)
        ]
        found = rolled_back(past)
        ended: Counter[str] = Counter()
        under_way: Counter[str] = Counter()
        for change in past:
            if change.kind in TAKING_BACK:
                (ended if change.state.ended else under_way)[change.target] += change.times
        back = tuple(dict.fromkeys(pin for pin in versions if pin.target in found))
        moving = {
            change.target: change.operation_id
            for change in past
            if change.kind in PROMOTIONS and not change.state.ended
        }
        return Rollbacks(back, ended, under_way, moving)

    async def taken_back_since(self, version: Pin, noted: int | None, *, named: bool) -> bool:
        """Whether a version was rolled back after it was chosen to be promoted.

        Args:
            version: which.
            noted: how many rollbacks of it had ended then; None where that was not noted.
            named: whether it was chosen by its number, which may be done after a rollback, too.
        """
        if noted is None and named:
            return False
        seen = await self.look_up([version])
        if noted is None:
            return bool(seen.back)
        return seen.ended.get(version.target, 0) + seen.open.get(version.target, 0) > noted


def let_be_latest(version: Pin, operation: Operation) -> bool:
    """Whether an operation's last step that promotes a version was done, whatever became of others of it."""
    done = {report.number for report in operation.reports if report.done is not None}
    flags = [
        number
        for number, step in enumerate(operation.plan.steps, start=1)
        if isinstance(step, SetExcluded) and not step.excluded and step.target == version.target
    ]
    return bool(flags) and flags[-1] in done


def rolled_back(changes: Iterable[PastChange]) -> frozenset[str]:
    """The targets that rollbacks took back, and that no promotion has promoted since.

    Args:
        changes: what rollbacks and promotions changed, in the order in which they ended, those that have not ended
            last. Other kinds and states may be among them, and count for nothing.
    """
    found: set[str] = set()
    for change in changes:
        if change.kind in TAKING_BACK and change.state in TAKEN_BACK:
            found.add(change.target)
        elif change.kind in PROMOTIONS and change.state is OperationState.DONE:
            found.discard(change.target)
    return frozenset(found)
