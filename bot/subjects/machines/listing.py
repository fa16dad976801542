"""What all accounts have, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.machines.doubts import machines_at
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.tags import owner_of, until_of

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


@dataclass(frozen=True)
class Found:
    """One machine of this deployment: what the cloud has, and what is stored of it, if anything."""

    instance: Instance
    machine: Machine | None

    @property
    def owner(self) -> str:
        """Whose it is: what is stored decides, and its tags where nothing is."""
        return self.machine.owner if self.machine is not None else owner_of(self.instance)

    @property
    def until(self) -> datetime | None:
        """When its time is up, decided as :attr:`owner`; None where nobody set one."""
        if self.machine is None:
            return until_of(self.instance)
        return min(self.machine.lease_ends_at, self.machine.cap_ends_at)

    @property
    def launched_at(self) -> datetime:
        """Since when it is there."""
        return self.machine.launched_at if self.machine is not None else self.instance.launched_at

    def due(self, now: datetime) -> bool:
        """Whether its time is up."""
        until = self.until
        return until is not None and until <= now


async def all_instances(clouds: Clouds) -> tuple[Instance, ...]:
    """All machines of this deployment that are not gone, account by account.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    found = await side_by_side(
        {name: machines.instances() for name, machines in clouds.each(MACHINES).items()}
    )
    return tuple(instance for instances in found.values() for instance in instances)


async def found_machines(clouds: Clouds, leases: Leases) -> tuple[Found, ...]:
    """All machines of this deployment that are not gone, each with what is stored of it.

    Raises:
        UserError: no cloud for machines is configured.
        CloudError: an account cannot be read.
    """
    return await _with_stored(await all_instances(clouds), leases)


async def found_by_account(
    clouds: Clouds, leases: Leases
) -> tuple[tuple[Found, ...], Mapping[str, CloudError]]:
    """The same of those accounts that can be read, and why others cannot, by the account's name."""
    accounts = clouds.all(MACHINES)
    answers = await asyncio.gather(*(_listed(machines) for machines in accounts.values()))
    by_account = dict(zip(accounts, answers, strict=True))
    failures = {name: each for name, each in by_account.items() if isinstance(each, CloudError)}
    read = (each for each in answers if not isinstance(each, CloudError))
    return await _with_stored([instance for instances in read for instance in instances], leases), failures


async def _listed(machines: Machines) -> tuple[Instance, ...] | CloudError:
    try:
        return await machines.instances()
    except CloudError as error:
        return error


async def _with_stored(instances: Sequence[Instance], leases: Leases) -> tuple[Found, ...]:
    stored = {(each.cloud, each.instance_id): each for each in await leases.living()}
    return tuple(Found(each, stored.get((each.cloud, each.id))) for each in instances)


async def named_machines(clouds: Clouds, leases: Leases, ids: Sequence[str]) -> tuple[Found, ...]:
    """Those of these ids that :func:`found_machines` would find, in any order. Only where they are is looked, or may
    be where nothing is stored of them: what another account or region suffers keeps no machine from its end.

    Raises:
        UserError: no cloud for machines is configured, or not the region of one.
        CloudError: an account that has them, or may have them, cannot be read.
    """
    if not clouds.all(MACHINES):
        await clouds.only(MACHINES).instances_named(ids)  # which says so
    wanted = tuple(dict.fromkeys(map(str.casefold, ids)))
    stored = {(each.cloud, each.instance_id): each for each in await leases.named(wanted) if each.living}
    places: dict[tuple[str, str], list[str]] = {}
    for machine in stored.values():
        places.setdefault((machine.cloud, machine.region), []).append(machine.instance_id)
    known = {machine.instance_id.casefold() for machine in stored.values()}
    for cloud, machines in clouds.all(MACHINES).items():
        if unknown := [each for each in wanted if each not in known and machines.could_be_instance_id(each)]:
            for region in machines.regions:
                places.setdefault((cloud, region), []).extend(unknown)
    found = await side_by_side(
        {
            (cloud, region): machines_at(clouds, cloud, region).instances_named(here)
            for (cloud, region), here in places.items()
        }
    )
    instances = {(each.cloud, each.id): each for several in found.values() for each in several}
    return tuple(Found(each, stored.get(key)) for key, each in instances.items())
