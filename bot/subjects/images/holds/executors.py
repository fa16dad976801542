"""Placing and lifting holds: look first, store, look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.holds.steps import HoldStep, LiftHold, PlaceHold

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.holds.store import HoldStore


class PlaceHoldExecutor:
    """Carries out :class:`.steps.PlaceHold`.

    Args:
        store: where holds are kept.
        clock: the present.
    """

    def __init__(self, store: HoldStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: PlaceHold, token: str) -> StepDone | None:
        """Done already if this very step placed it.

        Raises:
            CloudError: CONFLICT where it would have ended by now.
        """
        if step.until is not None and step.until <= self._clock():
            raise CloudError(
                CloudErrorKind.CONFLICT,
                cloud=step.cloud,
                sentence=f"The hold of {step.named} was to end on {step.until:%Y-%m-%d %H:%M} UTC, which has passed.",
            )
        return _placed(step) if await self._store.has(self._hold(step, token)) else None

    async def act(self, step: PlaceHold, token: str) -> None:
        """Place it."""
        await self._store.place(self._hold(step, token))

    async def verify(self, step: PlaceHold, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is not there.
        """
        if not await self._store.has(self._hold(step, token)):
            raise _not_so(step, f"The hold of {step.named} was stored, and is not there.")
        return _placed(step)

    def _hold(self, step: PlaceHold, token: str) -> PlacedHold:
        return PlacedHold(
            cloud=step.cloud,
            definition=step.definition,
            version=step.version,
            person=step.person,
            reason=step.words,
            since=self._clock(),
            until=step.until,
            key=token,
        )


class LiftHoldExecutor:
    """Carries out :class:`.steps.LiftHold`.

    Args:
        store: where holds are kept.
        clock: the present.
    """

    def __init__(self, store: HoldStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: LiftHold, token: str) -> StepDone | None:
        """Done already if it is not there any more."""
        return None if await self._has(step) else _lifted(step, already=True)

    async def act(self, step: LiftHold, token: str) -> None:
        """Lift it."""
        await self._store.lift(step.person, _subject(step), step.key)

    async def verify(self, step: LiftHold, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is still there.
        """
        if await self._has(step):
            raise _not_so(step, f"The hold of {step.name} on {step.named} was lifted, and is still there.")
        return _lifted(step, already=False)

    async def _has(self, step: LiftHold) -> bool:
        holds = (await self._store.read()).active(self._clock())
        wanted = (_subject(step), step.person, step.key)
        return any((each.subject, each.person, each.key) == wanted for each in holds)


def _subject(step: HoldStep) -> tuple[str, str, str]:
    return step.cloud, step.definition.casefold(), step.version


def _placed(step: PlaceHold) -> StepDone:
    until = "" if step.until is None else f" until {step.until:%Y-%m-%d %H:%M} UTC"
    return StepDone(
        summary=f"{step.named[:1].upper()}{step.named[1:]} is held{until}.",
        facts={"definition": step.definition, "version": step.version, "person": step.person},
    )


def _lifted(step: LiftHold, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"The hold of {step.name} on {step.named} {'was gone already' if already else 'is lifted'}.",
        already=already,
        facts={"definition": step.definition, "version": step.version, "person": step.person},
    )


def _not_so(step: HoldStep, sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.UNVERIFIED, cloud=step.cloud, sentence=sentence)
