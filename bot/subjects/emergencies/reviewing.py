"""Reviewing an emergency: planning it, and carrying it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.text import nearest
from slipway.bot.core.times import Clock
from slipway.bot.operations.emergency.model import Emergency, Review
from slipway.bot.subjects.emergencies.requests import ReviewEmergency
from slipway.bot.subjects.emergencies.steps import StoreReview

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.emergency.store import EmergencyStore


class ReviewPlanner:
    """Plans :class:`.requests.ReviewEmergency`.

    Args:
        store: where emergencies are kept.
        name: a person as people call them, by their id.
    """

    def __init__(self, store: EmergencyStore, name: Callable[[str], str]) -> None:
        self._store = store
        self._name = name

    async def plan(self, request: ReviewEmergency, now: datetime) -> Draft[ReviewEmergency]:
        """Plan to note it.

        Raises:
            UserError: there is no such emergency, somebody has reviewed it, or whoever asks let it run themselves.
        """
        found = await self._open(request.operation)
        if found.person == request.person:
            raise UserError(
                f"You let {found.operation_id} run yourself, so somebody else has to review it.",
                hint=f"op {found.operation_id}",
            )
        step = StoreReview(
            operation=found.operation_id, person=request.person, verdict=request.verdict, words=request.words
        )
        return Draft(
            request=request.model_copy(update={"operation": found.operation_id}),
            summary=f"The emergency {found.operation_id} was {request.verdict}, says {self._name(request.person)}.",
            steps=(step,),
            observed={"emergency": found.operation_id, "by": found.person},
            evidence=(("What was done", found.command), ("Why it could not wait", found.reason)),
        )

    async def _open(self, operation_id: str) -> Emergency:
        found = await self._store.find(operation_id)
        if found is None:
            there = [each.operation_id for each in await self._store.open_ones()]
            raise UserError(
                f"{operation_id} was let run by no emergency.",
                nearest=nearest(operation_id, there),
                given=operation_id,
                hint="emergencies",
            )
        if found.review is not None:
            raise UserError(
                f"{self._name(found.review.by)} has reviewed {operation_id} already: {found.review.verdict}.",
                hint="emergencies",
            )
        return found


class ReviewExecutor:
    """Carries out :class:`.steps.StoreReview`.

    Args:
        store: where emergencies are kept.
        clock: the present.
    """

    def __init__(self, store: EmergencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: StoreReview, token: str) -> StepDone | None:
        """Done already if this very step noted it.

        Raises:
            CloudError: CONFLICT where somebody else has reviewed it, or it is not theirs to review.
        """
        found = await self._store.find(step.operation)
        if found is None or found.person == step.person:
            raise _refused(f"{step.operation} is no emergency that {step.person} can review.")
        if found.review is None:
            return None
        if found.review.key != token:
            raise _refused(f"{step.operation} was reviewed by somebody else meanwhile.")
        return _noted(step)

    async def act(self, step: StoreReview, token: str) -> None:
        """Note it."""
        await self._store.review(
            step.operation, Review(step.person, step.verdict, step.words, self._clock(), token)
        )

    async def verify(self, step: StoreReview, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: CONFLICT where somebody else was quicker, UNVERIFIED where nothing is noted.
        """
        done = await self.observe(step, token)
        if done is None:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud="emergencies",
                sentence=f"The review of {step.operation} was stored, and is not there.",
            )
        return done


def _noted(step: StoreReview) -> StepDone:
    return StepDone(
        summary=f"The emergency {step.operation} was {step.verdict}: {step.words}",
        facts={"operation": step.operation, "person": step.person, "verdict": step.verdict.value},
    )


def _refused(sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.CONFLICT, cloud="emergencies", sentence=sentence)
