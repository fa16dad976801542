"""Pausing and resuming a schedule: planning it, and carrying it out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.text import nearest
from slipway.bot.core.times import Clock
from slipway.bot.subjects.schedules.model import Pause
from slipway.bot.subjects.schedules.requests import PauseSchedule, ResumeSchedule
from slipway.bot.subjects.schedules.steps import LiftPause, StorePause, until_words

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.schedules.store import ScheduleStore


def check_known(schedule: str, names: Collection[str]) -> None:
    """See that there is such a schedule.

    Raises:
        UserError: there is none, with those that may be meant.
    """
    if schedule not in names:
        sentence = f"There is no schedule {schedule}."
        raise UserError(sentence, nearest=nearest(schedule, names), given=schedule, hint="schedules")


class PausePlanner:
    """Plans :class:`.requests.PauseSchedule`.

    Args:
        store: where pauses are kept.
        names: the schedules of the configuration.
        name: a person as people call them, by their id.
    """

    def __init__(self, store: ScheduleStore, names: Collection[str], name: Callable[[str], str]) -> None:
        self._store = store
        self._names = names
        self._name = name

    async def plan(self, request: PauseSchedule, now: datetime) -> Draft[PauseSchedule]:
        """Plan to note it, instead of the pause that there is.

        Raises:
            UserError: there is no such schedule.
        """
        check_known(request.schedule, self._names)
        until = request.until
        if until is None and request.seconds is not None:
            until = (now + timedelta(seconds=request.seconds)).replace(microsecond=0)
        there = (await self._store.pauses()).get(request.schedule)
        paused = there is not None and there.holds(now)
        before = (
            (f"Until now, {self._name(there.person)} paused it: {there.reason}",) if there and paused else ()
        )
        step = StorePause(schedule=request.schedule, person=request.person, words=request.words, until=until)
        return Draft(
            request=request.model_copy(update={"until": until}),
            summary=f"{request.schedule} does not run until {until_words(until)}.",
            steps=(step,),
            observed={"schedule": request.schedule},
            warnings=before,
        )


class ResumePlanner:
    """Plans :class:`.requests.ResumeSchedule`."""

    def __init__(self, store: ScheduleStore, names: Collection[str], name: Callable[[str], str]) -> None:
        self._store = store
        self._names = names
        self._name = name

    async def plan(self, request: ResumeSchedule, now: datetime) -> Draft[ResumeSchedule]:
        """Plan to lift the pause that there is; nothing where there is none.

        Raises:
            UserError: there is no such schedule.
        """
        check_known(request.schedule, self._names)
        there = (await self._store.pauses()).get(request.schedule)
        if there is None or not there.holds(now):
            return Draft(
                request=request,
                summary=f"{request.schedule} is not paused.",
                steps=(),
                observed={"schedule": request.schedule},
            )
        return Draft(
            request=request,
            summary=f"{request.schedule} runs again from its next time on; what was left out is not made up for.",
            steps=(LiftPause(schedule=request.schedule, words=request.words, key=there.key),),
            observed={"schedule": request.schedule, "pause": there.key},
            evidence=(("Paused", f"by {self._name(there.person)}: {there.reason}"),),
        )


class PauseExecutor:
    """Carries out :class:`.steps.StorePause`.

    Args:
        store: where pauses are kept.
        clock: the present.
    """

    def __init__(self, store: ScheduleStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: StorePause, token: str) -> StepDone | None:
        """Done already if this very step noted it.

        Raises:
            CloudError: CONFLICT where the pause would be over by now.
        """
        if step.until is not None and step.until <= self._clock():
            raise CloudError(
                CloudErrorKind.CONFLICT,
                cloud="schedules",
                sentence=f"The pause was to end at {until_words(step.until)}, which has passed.",
            )
        return await self._noted(step, token)

    async def act(self, step: StorePause, token: str) -> None:
        """Note it."""
        pause = Pause(step.schedule, step.person, step.words, self._clock(), step.until, token)
        await self._store.pause(pause)

    async def verify(self, step: StorePause, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where nothing is noted.
        """
        found = await self._noted(step, token)
        if found is None:
            raise _unverified(f"The pause of {step.schedule} was stored, and is not there.")
        return found

    async def _noted(self, step: StorePause, token: str) -> StepDone | None:
        there = (await self._store.pauses()).get(step.schedule)
        if there is None or there.key != token:
            return None
        return StepDone(
            summary=f"{step.schedule} is paused until {until_words(step.until)}",
            facts={"schedule": step.schedule, "person": step.person},
        )


class ResumeExecutor:
    """Carries out :class:`.steps.LiftPause`."""

    def __init__(self, store: ScheduleStore) -> None:
        self._store = store

    async def observe(self, step: LiftPause, _token: str) -> StepDone | None:
        """Done already where the pause is not there any more, by this step or because its time is over."""
        there = (await self._store.pauses()).get(step.schedule)
        if there is not None and there.key == step.key:
            return None
        return StepDone(
            summary=f"{step.schedule} runs again from its next time on", facts={"schedule": step.schedule}
        )

    async def act(self, step: LiftPause, _token: str) -> None:
        """Lift it."""
        await self._store.resume(step.schedule, step.key)

    async def verify(self, step: LiftPause, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is there still.
        """
        found = await self.observe(step, token)
        if found is None:
            raise _unverified(f"The pause of {step.schedule} was lifted, and is there still.")
        return found


def _unverified(sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.UNVERIFIED, cloud="schedules", sentence=sentence)
