"""Placing and ending a freeze: planning it, and carrying it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.times import Clock
from slipway.bot.operations.freezing.model import Freeze, FreezeState, Unreadable
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.freezes.requests import FreezeChanges, UnfreezeChanges
from slipway.bot.subjects.freezes.steps import LiftFreeze, PlaceFreeze, until_words

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.freezing.store import FreezeStore
    from slipway.bot.operations.persistence.repository import OperationRepository

Name = Callable[[str], str]


def holding(state: FreezeState, now: datetime) -> tuple[Freeze, ...]:
    """The freezes that hold; none where they cannot be read."""
    return () if isinstance(state, Unreadable) else tuple(each for each in state if each.holds(now))


class FreezePlanner:
    """Plans :class:`.requests.FreezeChanges`.

    Args:
        store: where freezes are kept.
        operations: what is under way.
        name: a person as people call them, by their id.
    """

    def __init__(self, store: FreezeStore, operations: OperationRepository, name: Name) -> None:
        self._store = store
        self._operations = operations
        self._name = name

    async def plan(self, request: FreezeChanges, now: datetime) -> Draft[FreezeChanges]:
        """Plan to note it, beside those that there are: nobody ends another's sooner by that."""
        until = request.until
        if until is None and request.seconds is not None:
            until = (now + timedelta(seconds=request.seconds)).replace(microsecond=0)
        there = holding(await self._store.read(), now)
        pinned = request.model_copy(update={"until": until})
        for each in there:
            if each.until is None or (until is not None and until <= each.until):
                how = f"until {until_words(each.until)}: {each.reason}"
                summary = f"{self._name(each.person)} froze all changes already, {how}"
                return Draft(pinned, summary, (), {})
        return Draft(
            request=pinned,
            summary=f"Nothing changes in any cloud until {until_words(until)}.",
            steps=(PlaceFreeze(person=request.person, words=request.words, until=until),),
            observed={},
            evidence=await self._under_way(),
            warnings=tuple(f"Until now, {self._name(each.person)} froze it: {each.reason}" for each in there),
        )

    async def _under_way(self) -> tuple[tuple[str, str], ...]:
        states = Counter(each.state for each in await self._operations.open_ones())
        running = states[OperationState.RUNNING]
        waiting = states[OperationState.PROPOSED] + states[OperationState.APPROVED]
        parts = [f"{running} under way, which stop after the step they are at"] if running else []
        parts += [f"{waiting} waiting, which do not begin before it ends"] if waiting else []
        return (("Operations", "; ".join(parts)),) if parts else ()


class UnfreezePlanner:
    """Plans :class:`.requests.UnfreezeChanges`."""

    def __init__(
        self, store: FreezeStore, windows: Callable[[datetime], tuple[str, ...]], name: Name
    ) -> None:
        self._store = store
        self._windows = windows
        self._name = name

    async def plan(self, request: UnfreezeChanges, now: datetime) -> Draft[UnfreezeChanges]:
        """Plan to end all freezes that people said; nothing where there is none. Windows go on."""
        state = await self._store.read()
        there = holding(state, now)
        windows = self._windows(now)
        stay = tuple(f"The freeze window {name} of slipway.toml goes on all the same." for name in windows)
        if not there and not isinstance(state, Unreadable):
            nobody = "Nobody froze anything."
            return Draft(request, " ".join((nobody, *stay)), (), {}, warnings=stay)
        by = "; ".join(f"{self._name(each.person)}: {each.reason}" for each in there)
        keys = tuple(each.key for each in there)
        return Draft(
            request=request,
            summary="Things may change again; what waits begins within a minute.",
            steps=(LiftFreeze(person=request.person, words=request.words, keys=keys),),
            observed={"freezes": list(keys)},
            evidence=(("Frozen", by or "it cannot be read by whom"),),
            warnings=stay,
        )


class PlaceExecutor:
    """Carries out :class:`.steps.PlaceFreeze`.

    Args:
        store: where freezes are kept.
        clock: the present.
    """

    def __init__(self, store: FreezeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: PlaceFreeze, token: str) -> StepDone | None:
        """Done already if this very step noted it.

        Raises:
            CloudError: CONFLICT where it would be over by now.
        """
        if await self._store.placed(token):
            return _placed(step)
        if step.until is not None and step.until <= self._clock():
            raise CloudError(
                CloudErrorKind.CONFLICT,
                cloud="freezes",
                sentence=f"The freeze was to end at {until_words(step.until)}, which has passed.",
            )
        return None

    async def act(self, step: PlaceFreeze, token: str) -> None:
        """Note it."""
        await self._store.place(Freeze(token, step.person, step.words, self._clock(), step.until))

    async def verify(self, step: PlaceFreeze, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where nothing is noted.
        """
        if not await self._store.placed(token):
            raise _unverified("The freeze was stored, and is not there.")
        return _placed(step)


class LiftExecutor:
    """Carries out :class:`.steps.LiftFreeze`."""

    def __init__(self, store: FreezeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: LiftFreeze, _token: str) -> StepDone | None:
        """Done already where none of them is there any more."""
        state = await self._store.read()
        if isinstance(state, Unreadable) or any(each.key in step.keys for each in state):
            return None
        return _lifted(step)

    async def act(self, step: LiftFreeze, _token: str) -> None:
        """End them."""
        await self._store.lift(step.person, step.words, self._clock())

    async def verify(self, step: LiftFreeze, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where one is there still, or that cannot be told.
        """
        if await self.observe(step, token) is None:
            raise _unverified("The freeze was ended, and is there still.")
        return _lifted(step)


def _placed(step: PlaceFreeze) -> StepDone:
    return StepDone(summary=f"nothing changes until {until_words(step.until)}", facts={"person": step.person})


def _lifted(step: LiftFreeze) -> StepDone:
    return StepDone(summary="things may change again", facts={"person": step.person})


def _unverified(sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.UNVERIFIED, cloud="freezes", sentence=sentence)
