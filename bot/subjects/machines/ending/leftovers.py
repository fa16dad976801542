"""Removing what launches left behind and what belongs to no machine: disks, network interfaces, addresses."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Leftover
from slipway.bot.clouds.ports.machines import MACHINES, FindsLeftovers
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.machines.doubts import conflict
from slipway.bot.subjects.machines.requests import RemoveLeftovers
from slipway.bot.subjects.machines.steps import RemoveLeftover

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


async def leftovers_in(clouds: Clouds, leases: Leases) -> tuple[Leftover, ...]:
    """Everything of this deployment that belongs to no machine and to no launch that is under way.

    Raises:
        CloudError: a cloud cannot be read.
    """
    under_way = {claim.token for claim in await leases.open_claims()}
    found = []
    for machines in clouds.all(MACHINES).values():
        if isinstance(machines, FindsLeftovers):
            found += [each for each in await machines.leftovers() if each.token not in under_way]
    return tuple(sorted(found, key=lambda each: (each.cloud, each.region, each.id)))


class RemoveLeftoversPlanner:
    """Plans :class:`slipway.bot.subjects.machines.requests.RemoveLeftovers`."""

    def __init__(self, clouds: Clouds, leases: Leases) -> None:
        self._clouds = clouds
        self._leases = leases

    async def plan(self, request: RemoveLeftovers, now: datetime) -> Draft[RemoveLeftovers]:
        """Plan a step for each; once planned, only for those that were found then.

        Raises:
            CloudError: a cloud cannot be read.
        """
        every = await leftovers_in(self._clouds, self._leases)
        chosen = [each for each in every if not request.ids or each.id in request.ids]
        if not chosen:
            return Draft(
                request, "Nothing to remove: every disk, interface and address has its machine.", (), {}
            )
        many = f"{len(chosen)} leftovers" if len(chosen) > 1 else f"the {chosen[0].kind} {chosen[0].id}"
        return Draft(
            request=request.model_copy(update={"ids": tuple(each.id for each in chosen)}),
            summary=f"{many[:1].upper()}{many[1:]} removed.",
            steps=tuple(
                RemoveLeftover(
                    cloud=each.cloud,
                    region=each.region,
                    leftover_id=each.id,
                    what=each.kind,
                    launch=each.token,
                )
                for each in chosen
            ),
            observed={f"leftover {each.cloud} {each.id}": {"kind": each.kind} for each in chosen},
            independent=True,
        )


class RemoveLeftoverExecutor:
    """Carries out :class:`slipway.bot.subjects.machines.steps.RemoveLeftover`.

    Args:
        clouds: one of them has it.
        polling: how long its end may take to show.
    """

    def __init__(self, clouds: Clouds, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._polling = polling or Polling()

    async def observe(self, step: RemoveLeftover, token: str) -> StepDone | None:
        """Done already if it is gone, or belongs to a machine by now.

        Raises:
            CloudError: the cloud cannot be read.
        """
        return _removed(step, already=True) if await self._seen(step) is None else None

    async def act(self, step: RemoveLeftover, token: str) -> None:
        """Delete it, if it belongs to no machine still.

        Raises:
            CloudError: it was not done, or nobody can tell.
        """
        leftover = await self._seen(step)
        if leftover is not None:
            await self._finder(step).remove_leftover(leftover)

    async def verify(self, step: RemoveLeftover, token: str) -> StepDone:
        """Look until it is gone, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is still there.
        """
        if await self._polling.until(lambda: self._seen(step), lambda seen: seen is None) is not None:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"The order to {step.title} was taken, but it is still there.",
            )
        return _removed(step, already=False)

    async def _seen(self, step: RemoveLeftover) -> Leftover | None:
        found = await self._finder(step).leftovers()
        return next(
            (each for each in found if (each.id, each.region) == (step.leftover_id, step.region)), None
        )

    def _finder(self, step: RemoveLeftover) -> FindsLeftovers:
        machines = self._clouds.get(MACHINES, step.cloud)
        if not isinstance(machines, FindsLeftovers):
            raise conflict(step, f"{machines.title} does not tell what is left behind.")
        return machines


def _removed(step: RemoveLeftover, *, already: bool) -> StepDone:
    how = "was gone already" if already else "is removed"
    return StepDone(
        summary=f"The {step.what} {step.leftover_id} {how}.",
        already=already,
        facts={"leftover": step.leftover_id},
    )
