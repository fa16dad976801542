"""Carrying out the last step of a boot test: its machine is ended, whatever became of the test."""

from __future__ import annotations

from slipway.bot.clouds.machine_model import Instance
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.model import Json
from slipway.bot.core.steps import StepDone
from slipway.bot.subjects.machines.doubts import SEE_MACHINES, machines_of
from slipway.bot.subjects.machines.ending.executor import TerminateExecutor
from slipway.bot.subjects.machines.leases.model import ReservationState
from slipway.bot.subjects.machines.steps import TerminateMachine
from slipway.bot.subjects.machines.testing.steps import EndTest
from slipway.bot.subjects.machines.testing.terms import launch_token
from slipway.bot.subjects.machines.testing.watching import Sights


class EndTestExecutor:
    """Carries out :class:`.steps.EndTest`. Only what the test's own launch made is touched, whoever has it by now.

    Args:
        sights: where the machine is, and what is stored of it.
        ends: ends machines.
    """

    def __init__(self, sights: Sights, ends: TerminateExecutor) -> None:
        self._sights = sights
        self._ends = ends

    async def observe(self, step: EndTest, token: str) -> StepDone | None:
        """Done already if there is none, or none any more.

        Raises:
            CloudError: UNVERIFIED where it is not known whether one was launched.
        """
        launch = launch_token(token, step.launch)
        found, living = await self._found(step, launch), await self._living(launch)
        if living or any(not each.state.gone for each in found):
            return None
        claim = await self._sights.leases.reservation(launch)
        if not found and claim is not None and claim.state is ReservationState.CLAIMED:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence="It is not known whether a machine was launched. If one shows, Slipway ends it then.",
                remedy=SEE_MACHINES,
                doubtful=True,
            )
        return StepDone(summary="No machine of this test is left.", already=True)

    async def act(self, step: EndTest, token: str) -> None:
        """Ask for its end, as :meth:`.ending.executor.TerminateExecutor.act` does."""
        for instance_id in await self._all(step, launch_token(token, step.launch)):
            await self._ends.act(_end_of(step, instance_id), token)

    async def verify(self, step: EndTest, token: str) -> StepDone:
        """Look until it is going or gone, or time is up, and note that.

        Raises:
            CloudError: UNVERIFIED where it still lives.
        """
        ids = await self._all(step, launch_token(token, step.launch))
        ended = [await self._ends.verify(_end_of(step, each), token) for each in ids]
        facts: dict[str, Json] = {"instances": list(ids)}
        return StepDone(summary=" ".join(each.summary for each in ended), facts=facts)

    async def _all(self, step: EndTest, launch: str) -> tuple[str, ...]:
        """Whatever the launch made, as far as the cloud shows it or it is stored."""
        found = {each.id for each in await self._found(step, launch)}
        return tuple(sorted(found | await self._living(launch)))

    async def _found(self, step: EndTest, launch: str) -> tuple[Instance, ...]:
        return await machines_of(self._sights.clouds, step).launched_with(launch)

    async def _living(self, launch: str) -> set[str]:
        """What is stored of it and was not seen gone: a listing may lag behind."""
        return {
            each.instance_id for each in await self._sights.leases.living() if each.reservation_id == launch
        }


def _end_of(step: EndTest, instance_id: str) -> TerminateMachine:
    return TerminateMachine(instance_id=instance_id, owner="", cloud=step.cloud, region=step.region)
