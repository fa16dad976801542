"""Changing what is stored of a machine, and its tags with it: what all executors about leases share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.subjects.machines.doubts import SEE_MACHINES, conflict, machines_at
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.steps import LeaseStep
from slipway.bot.subjects.machines.tags import lease_tags

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Check, Leases


class LeaseEditor:
    """Changes rows, and mirrors them in tags.

    Args:
        clouds: where the machines are.
        leases: what is stored of them.
    """

    def __init__(self, clouds: Clouds, leases: Leases) -> None:
        self._clouds = clouds
        self._leases = leases

    async def current(self, step: LeaseStep) -> Machine:
        """What is stored of a step's machine.

        Raises:
            CloudError: CONFLICT where it is gone, or nothing is stored of it.
        """
        machine = await self._leases.machine(step.cloud, step.instance_id)
        if machine is None or not machine.living:
            raise conflict(step, f"{step.instance_id} is gone, so nothing was changed.", SEE_MACHINES)
        return machine

    def check_revision(self, step: LeaseStep, machine: Machine, revision: int) -> None:
        """Raise CloudError CONFLICT where owner or lease were changed since a step was planned."""
        if machine.revision != revision:
            raise conflict(step, f"Somebody else changed {step.instance_id} meanwhile; it was left as it is.")

    async def change(
        self,
        step: LeaseStep,
        machine: Machine,
        *,
        owner: str | None = None,
        lease_ends_at: datetime | None = None,
        check: Check | None = None,
    ) -> None:
        """Change owner or lease, and then its tags; where these cannot be changed, the next look does it.

        Raises:
            CloudError: CONFLICT where it was changed since, or the limits do not allow it.
        """
        try:
            changed = await self._leases.change(
                machine, owner=owner, lease_ends_at=lease_ends_at, check=check
            )
        except UserError as error:
            raise conflict(step, error.sentence) from error
        await self.mirror(changed)

    async def mirror(self, machine: Machine) -> bool:
        """Write what is stored into a machine's tags; false where its cloud does not take that now."""
        tags = lease_tags(owner=machine.owner, until=machine.lease_ends_at, cap=machine.cap_ends_at)
        try:
            await machines_at(self._clouds, machine.cloud, machine.region).retag(machine.instance_id, tags)
        except (CloudError, UserError):  # the watch tries again, and logs what it comes to
            return False
        await self._leases.note(machine, mirrored=machine.revision)
        return True


def tags_lag(machine: Machine) -> str:
    """That a machine's tags say something else still, as a sentence behind another; empty where they do not."""
    return (
        ""
        if machine.mirrored >= machine.revision
        else " Its tags could not be changed yet; Slipway tries again."
    )
