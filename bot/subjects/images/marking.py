"""What is taken back is called bad in the same step, by the word of whoever asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.steps import SetExcluded

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.evidence.store import EvidenceStore

WORDS = "rolled back"
"""What the evidence says. Stored."""


class MarkingExecutor:
    """Carries out :class:`.steps.SetExcluded`, and notes what a rollback took back once that is seen.

    Args:
        setter: sets and clears the flag.
        store: where evidence is kept.
        clock: the present.
    """

    def __init__(self, setter: SetExcludedExecutor, store: EvidenceStore, clock: Clock) -> None:
        self._setter = setter
        self._store = store
        self._clock = clock

    async def observe(self, step: SetExcluded, token: str) -> StepDone | None:
        """As :meth:`.executors.SetExcludedExecutor.observe`."""
        done = await self._setter.observe(step, token)
        return None if done is None else await self._marked(step, token, done)

    async def act(self, step: SetExcluded, token: str) -> None:
        """As :meth:`.executors.SetExcludedExecutor.act`."""
        await self._setter.act(step, token)

    async def verify(self, step: SetExcluded, token: str) -> StepDone:
        """As :meth:`.executors.SetExcludedExecutor.verify`."""
        return await self._marked(step, token, await self._setter.verify(step, token))

    async def _marked(self, step: SetExcluded, token: str, done: StepDone) -> StepDone:
        """The same, once it is noted that the version is bad: the step's token names that for ever, so that a step
        which runs again notes it once."""
        if step.person:
            await self._store.record(
                Evidence(
                    cloud=step.cloud,
                    definition=step.definition,
                    version=step.version,
                    kind=EvidenceKind.VERDICT,
                    outcome=Outcome.FAILED,
                    summary=WORDS,
                    source=step.person,
                    at=self._clock(),
                    key=token,
                )
            )
        return done
