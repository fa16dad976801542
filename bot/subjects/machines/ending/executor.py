"""Carrying out the end of a machine: look first, end it, look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.machines.doubts import (
    SEE_MACHINES,
    conflict,
    machines_of,
    not_looked_up,
    undecided,
)
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.steps import TerminateMachine
from slipway.bot.subjects.machines.tags import DEPLOYMENT, owner_of, until_of

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


class TerminateExecutor:
    """Carries out :class:`slipway.bot.subjects.machines.steps.TerminateMachine`.

    Args:
        clouds: one of them has the machine.
        leases: whose it is and until when it may live; its tags, where nothing is stored of it.
        deployment: what the tag says that all machines of this deployment carry.
        clock: the present, for machines that are ended because their time is up.
        polling: how long the end may take to show.
    """

    def __init__(
        self, clouds: Clouds, leases: Leases, deployment: str, clock: Clock, polling: Polling | None = None
    ) -> None:
        self._clouds = clouds
        self._leases = leases
        self._deployment = deployment
        self._clock = clock
        self._polling = polling or Polling()

    async def observe(self, step: TerminateMachine, token: str) -> StepDone | None:
        """Done already if it is gone, or so long gone that the cloud forgot it.

        Raises:
            CloudError: CONFLICT where it does not carry this deployment's tag any more, belongs to another person
                now, or was given more time.
        """
        found = await self._look(step)
        if found is None or found.state.gone:
            return await self._terminated(step, already=True)
        if found.tags.get(DEPLOYMENT) != self._deployment:
            raise conflict(
                step, f"{step.instance_id} does not carry this Slipway's tag any more; it was left alone."
            )
        machine = await self._leases.machine(step.cloud, step.instance_id)
        known = machine if machine is not None and machine.living else None
        if (known.owner if known else owner_of(found)) != step.owner:
            raise conflict(step, f"{step.instance_id} changed its owner; it was left alone.")
        if step.overdue_since is not None and not self._due(known, found):
            raise conflict(step, f"{step.instance_id} was given more time; it was left alone.")
        return None

    def _due(self, known: Machine | None, found: Instance) -> bool:
        now = self._clock()
        if known is not None:
            return known.due(now)
        until = until_of(
            found
        )  # without one it was chosen by the rule for machines of which nothing is stored
        return until is None or until <= now

    async def act(self, step: TerminateMachine, token: str) -> None:
        """Ask for its end. Where it is not known what became of that, look before anything is said.

        Raises:
            CloudError: it was not done, or nobody can tell; ``doubtful`` says which.
        """
        try:
            await machines_of(self._clouds, step).terminate(step.instance_id)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:  # forgotten by the cloud: gone, as wished
                return
            if not error.doubtful:
                raise
            await self._see_end(step, error)

    async def _see_end(self, step: TerminateMachine, error: CloudError) -> None:
        """Return once it is going or gone; raise what failed, and what was seen, where it is not."""
        try:
            found = await self._polling.until(lambda: self._look(step), _is_gone)
        except CloudError as blind:
            raise undecided(error, not_looked_up(error, blind)) from error
        if found is not None and not found.state.gone:
            raise undecided(error, f"It is still {found.state.value}.") from error

    async def verify(self, step: TerminateMachine, token: str) -> StepDone:
        """Look until it is going or gone, or time is up.

        Raises:
            CloudError: UNVERIFIED where it still lives.
        """
        title = machines_of(self._clouds, step).title
        try:
            found = await self._polling.until(lambda: self._look(step), _is_gone)
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}", SEE_MACHINES) from blind
        if found is not None and not found.state.gone:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the order, but {step.instance_id} is still {found.state.value}.",
            )
        return await self._terminated(step, already=False)

    async def _terminated(self, step: TerminateMachine, *, already: bool) -> StepDone:
        """Note that it is gone."""
        machine = await self._leases.machine(step.cloud, step.instance_id)
        if machine is not None and machine.living:
            await self._leases.note(machine, ended_at=self._clock())
        whose = f" of {step.owner}" if step.owner else ""
        return StepDone(
            summary=f"{step.instance_id}{whose} {'was gone already' if already else 'is terminated'}.",
            already=already,
            facts={"instance": step.instance_id},
        )

    async def _look(self, step: TerminateMachine) -> Instance | None:
        try:
            return await machines_of(self._clouds, step).instance(step.instance_id)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return None
            raise


def _is_gone(seen: Instance | None) -> bool:
    return seen is None or seen.state.gone
