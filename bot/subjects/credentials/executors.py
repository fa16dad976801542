"""Keeping an answer to a reminder: look first, store, look again."""

from __future__ import annotations

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.credentials.answers import Answer, Answers
from slipway.bot.subjects.credentials.steps import KeepAnswer


class KeepAnswerExecutor:
    """Carries out :class:`.steps.KeepAnswer`.

    Args:
        answers: where answers are kept.
        clock: the present.
    """

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers = answers
        self._clock = clock

    async def observe(self, step: KeepAnswer, token: str) -> StepDone | None:
        """Done already if this very step kept it."""
        return _done(step, already=True) if await self._is_kept(step, token) else None

    async def act(self, step: KeepAnswer, token: str) -> None:
        """Keep it, in place of the answer before."""
        answer = Answer(person=step.person, at=self._clock(), until=step.until, key=token)
        await self._answers.keep(step.credential, step.ends_at, answer)

    async def verify(self, step: KeepAnswer, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is not there.
        """
        if not await self._is_kept(step, token):
            sentence = f"What you said of {step.name} was stored, and is not there."
            raise CloudError(CloudErrorKind.UNVERIFIED, cloud="credentials", sentence=sentence)
        return _done(step, already=False)

    async def _is_kept(self, step: KeepAnswer, token: str) -> bool:
        found = await self._answers.about(step.credential, step.ends_at)
        return found is not None and found.key == token


def _done(step: KeepAnswer, *, already: bool) -> StepDone:
    when = "any more" if step.until is None else f"until {step.until:%Y-%m-%d %H:%M} UTC"
    return StepDone(
        summary=f"Nobody is reminded of {step.name} {when}.",
        already=already,
        facts={"credential": step.credential, "person": step.person},
    )
