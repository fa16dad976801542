"""Adopting a foreign change: look whether it is so still, note it, look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.adopting.model import ForeignChange, Stage
from slipway.bot.subjects.images.adopting.steps import AdoptChange
from slipway.bot.subjects.images.step_version import conflict, look_at
from slipway.bot.subjects.images.watching.change import holds, how_it_is, in_words, seen

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.adopting.store import ForeignChangeStore


class AdoptChangeExecutor:
    """Carries out :class:`.steps.AdoptChange`.

    Args:
        clouds: one of them has the version.
        store: where foreign changes are kept.
        clock: the present.
    """

    def __init__(self, clouds: Clouds, store: ForeignChangeStore, clock: Clock) -> None:
        self._clouds = clouds
        self._store = store
        self._clock = clock

    async def observe(self, step: AdoptChange, token: str) -> StepDone | None:
        """Done already if this very step noted it.

        Raises:
            CloudError: CONFLICT where somebody else adopted it meanwhile, or the version is not as it left it; or it
                cannot be read.
        """
        kept = await self._store.find(step.id)
        if kept is not None and _noted(kept, token):
            return _adopted(step)
        if kept is None or not kept.open:
            raise conflict(step, _ended(step, kept))
        version = await look_at(self._clouds, step)
        now = None if version is None else seen(version)
        if not holds(step.change, now):
            stands = how_it_is(step.change.aspect, now)
            changed = f"{step.named} {in_words(step.change)}, and changed again since: now it {stands}."
            raise conflict(step, f"{changed} It was not adopted.")
        return None

    async def act(self, step: AdoptChange, token: str) -> None:
        """Note it."""
        await self._store.adopt(step.id, step.person, step.words, self._clock(), token)

    async def verify(self, step: AdoptChange, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: CONFLICT where it was adopted or over meanwhile, UNVERIFIED where nothing is noted.
        """
        kept = await self._store.find(step.id)
        if kept is not None and _noted(kept, token):
            return _adopted(step)
        if kept is None or not kept.open:
            raise conflict(step, _ended(step, kept))
        raise CloudError(
            CloudErrorKind.UNVERIFIED,
            cloud=step.cloud,
            sentence=f"That {step.named} {in_words(step.change)} was noted to be adopted, and is not.",
        )


def _noted(kept: ForeignChange, token: str) -> bool:
    return kept.stage is Stage.ADOPTED and kept.key == token


def _ended(step: AdoptChange, kept: ForeignChange | None) -> str:
    what = f"That {step.named} {in_words(step.change)}"
    if kept is None:
        return f"{what} is not known any more, and was not adopted."
    if kept.stage is Stage.ADOPTED:
        return f"{what} was adopted by somebody else meanwhile."
    return f"{what} was over meanwhile: it was put right, or changed again. It was not adopted."


def _adopted(step: AdoptChange) -> StepDone:
    return StepDone(
        summary=f"It is noted that {step.named} {in_words(step.change)}, and that this is right.",
        facts={"definition": step.definition, "version": step.version, "person": step.person},
    )
