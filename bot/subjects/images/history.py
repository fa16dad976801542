"""Which versions were rolled back: they are promoted again only when somebody names them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from slipway.bot.core.steps import Step
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import SetExcluded

KINDS = ("rollback", "promote")
"""The kinds of operation that say it."""

TAKEN_BACK = frozenset(
    {OperationState.APPROVED, OperationState.RUNNING, OperationState.FAILED, OperationState.DONE}
)
"""The states in which a rollback counts: from its approval on, and also if it failed, because people agreed that the
version is bad, and the flag may have been set all the same. A promotion counts once it is done."""


MOST_TARGETS = 500
"""How many versions one query asks about: a statement of SQLite can have 32,766 parameters, and fewer before 3.32
(https://www.sqlite.org/limits.html); a gallery can have more versions."""


class PastSteps(Protocol):
    """What an operation of the past changed, or was to change."""

    @property
    def state(self) -> OperationState:
        """Where the operation is."""
        ...

    @property
    def steps(self) -> Sequence[Step]:
        """Its plan's steps."""
        ...


class PastOperations(Protocol):
    """What is asked of :class:`slipway.bot.operations.repository.OperationRepository`."""

    async def past(
        self,
        kinds: Collection[str],
        states: Collection[OperationState],
        targets: Collection[str] | None = None,
    ) -> Sequence[PastSteps]:
        """The operations of these kinds in these states that change one of these targets (None: whatever they
        change), in the order in which they ended, open ones last."""
        ...


class RollbackHistory:
    """Remembers by the operations which versions were rolled back."""

    def __init__(self, operations: PastOperations) -> None:
        self._operations = operations

    async def rolled_back(self, versions: Collection[Pin] | None = None) -> tuple[Pin, ...]:
        """Those of these versions (None: of all) that were rolled back, and not promoted since."""
        if versions is not None and not versions:
            return ()
        if versions is None:
            return await self._among(None)
        targets = sorted({pin.target for pin in versions})
        asked = (targets[first : first + MOST_TARGETS] for first in range(0, len(targets), MOST_TARGETS))
        return tuple([pin for some in asked for pin in await self._among(some)])

    async def _among(self, targets: Collection[str] | None) -> tuple[Pin, ...]:
        past = await self._operations.past(KINDS, TAKEN_BACK, targets)
        found = rolled_back((each.state, each.steps) for each in past)
        return tuple(pin for pin in found if targets is None or pin.target in targets)


def rolled_back(operations: Iterable[tuple[OperationState, Sequence[Step]]]) -> tuple[Pin, ...]:
    """The versions that rollbacks took back, and that no promotion has promoted since.

    Args:
        operations: state and steps of rollbacks and promotions, in the order in which they ended, those that
            have not ended last. Other steps and states may be among them, and count for nothing.
    """
    found: dict[str, Pin] = {}
    for state, steps in operations:
        for step in steps:
            if not isinstance(step, SetExcluded):
                continue
            if step.excluded and state in TAKEN_BACK:
                found[step.target] = step.pin
            elif not step.excluded and state is OperationState.DONE:
                found.pop(step.target, None)
    return tuple(found.values())
