"""Acknowledging a problem: planning it, and carrying it out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.text import nearest
from slipway.bot.core.times import Clock
from slipway.bot.problems.model import Acknowledgement, Entry
from slipway.bot.subjects.problems.requests import Acknowledge
from slipway.bot.subjects.problems.steps import StoreAcknowledgement

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.problems.store import ProblemStore

LONGEST = timedelta(days=30)
"""How long an acknowledgement holds at most: what nobody mends in that time is to be seen again."""


class AcknowledgePlanner:
    """Plans :class:`.requests.Acknowledge`.

    Args:
        store: where problems are kept.
        name: a person as people call them, by their id.
    """

    def __init__(self, store: ProblemStore, name: Callable[[str], str]) -> None:
        self._store = store
        self._name = name

    async def plan(self, request: Acknowledge, now: datetime) -> Draft[Acknowledge]:
        """Plan to note it.

        Raises:
            UserError: there is no such problem, or it is over.
        """
        entry = await self._open(request.problem)
        until = request.until or (now + timedelta(seconds=request.seconds)).replace(microsecond=0)
        step = StoreAcknowledgement(problem=entry.id, person=request.person, words=request.words, until=until)
        given = entry.standing(now)
        before = (
            (f"Until now, {self._name(given.by)} saw to it: {given.reason}",) if given is not None else ()
        )
        return Draft(
            request=request.model_copy(update={"problem": entry.id, "until": until}),
            summary=f"{self._name(request.person)} sees to {entry.id} until {until:%Y-%m-%d %H:%M} UTC.",
            steps=(step,),
            observed={"problem": entry.id},
            evidence=(("Problem", entry.found.what),),
            warnings=before,
        )

    async def _open(self, problem: str) -> Entry:
        entry = await self._store.find(problem)
        if entry is None:
            there = [each.id for each in await self._store.open_problems()]
            raise UserError(
                f"There is no problem {problem}.",
                nearest=nearest(problem, there),
                given=problem,
                hint="problems",
            )
        if entry.closed:
            raise UserError(f"{entry.id} is over: there is nothing to acknowledge.", hint="problems")
        return entry


class AcknowledgeExecutor:
    """Carries out :class:`.steps.StoreAcknowledgement`.

    Args:
        store: where problems are kept.
        clock: the present.
    """

    def __init__(self, store: ProblemStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: StoreAcknowledgement, token: str) -> StepDone | None:
        """Done already if this very step noted it.

        Raises:
            CloudError: CONFLICT where the problem is over, or the acknowledgement would have lapsed by now.
        """
        entry = await self._store.find(step.problem)
        if entry is None or entry.closed:
            raise _refused(f"{step.problem} is over: there is nothing to acknowledge any more.")
        if step.until <= self._clock():
            raise _refused(
                f"The acknowledgement was to lapse on {step.until:%Y-%m-%d %H:%M} UTC, which has passed."
            )
        return _noted(step, entry) if _is_there(entry, token) else None

    async def act(self, step: StoreAcknowledgement, token: str) -> None:
        """Note it."""
        given = Acknowledgement(step.person, self._clock(), step.until, step.words, token)
        await self._store.acknowledge(step.problem, given)

    async def verify(self, step: StoreAcknowledgement, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: CONFLICT where the problem was over meanwhile, UNVERIFIED where nothing is noted.
        """
        entry = await self._store.find(step.problem)
        if entry is None or (entry.closed and not _is_there(entry, token)):
            raise _refused(f"{step.problem} was over meanwhile: nothing was acknowledged.")
        if not _is_there(entry, token):
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud="problems",
                sentence=f"The acknowledgement of {step.problem} was stored, and is not there.",
            )
        return _noted(step, entry)


def _is_there(entry: Entry, token: str) -> bool:
    return entry.acknowledged is not None and entry.acknowledged.key == token


def _noted(step: StoreAcknowledgement, entry: Entry) -> StepDone:
    return StepDone(
        summary=f"{step.problem} is acknowledged until {step.until:%Y-%m-%d %H:%M} UTC: {entry.found.what}",
        facts={"problem": step.problem, "person": step.person},
    )


def _refused(sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.CONFLICT, cloud="problems", sentence=sentence)
