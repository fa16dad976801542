"""Finding the machines that somebody names, as the database and the cloud have them, and seeing whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.model import Json
from slipway.bot.core.text import nearest
from slipway.bot.people import People, is_automatic
from slipway.bot.subjects.machines.doubts import machines_at
from slipway.bot.subjects.machines.leases.care import OwnersAction, owners_alone
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.listing import named_machines

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


@dataclass(frozen=True)
class Held:
    """One machine that is there: what the database has of it, and what the cloud has."""

    machine: Machine
    instance: Instance


class Holdings:
    """Finds machines for planners.

    Args:
        clouds: where they are.
        leases: what is known of them.
        people: whose they may be.
    """

    def __init__(self, clouds: Clouds, leases: Leases, people: People) -> None:
        self._clouds = clouds
        self._leases = leases
        self._people = people

    def at(self, machine: Machine) -> Machines:
        """Its account, as seen from its region."""
        return machines_at(self._clouds, machine.cloud, machine.region)

    async def named(
        self, ids: Sequence[str], requester: str, action: OwnersAction, *, also: str | None = None
    ) -> tuple[Held, ...]:
        """The machines of these ids, each once, in their order; all of them ``requester``'s, or of whom nobody knows.

        Args:
            ids: as people type them.
            requester: a person's id; what nobody asks for, such as a schedule's line, may be about anybody's.
            action: what is to be done with each.
            also: another person whose they may be.

        Raises:
            UserError: one is unknown, gone, of several accounts, or somebody else's.
            CloudError: a cloud cannot be read.
        """
        living = await self._leases.living()
        found = [await self._one(each, living) for each in dict.fromkeys(map(str.casefold, ids))]
        for machine in found:
            if machine.owner != also:
                self._check_owner(machine, requester, action)
        return tuple([Held(machine, await self.seen(machine)) for machine in found])

    async def own(self, instance_id: str, requester: str) -> Machine:
        """A machine that is ``requester``'s own, for what nobody else may see; also one that is gone.

        Raises:
            UserError: it is unknown, of several accounts, or not theirs.
            CloudError: a cloud cannot be read.
        """
        machine = await self._gone(instance_id) or await self._one(instance_id, await self._leases.living())
        if machine.owner == requester:
            return machine
        owner = self._people.by_id(machine.owner)
        if owner is None:
            raise UserError(
                f"{machine.instance_id} is {machine.owner}'s, whom Slipway does not know any more: until it is "
                "somebody's, nobody may see its console.",
                hint=f"handover {machine.instance_id} --to {requester}" if machine.living else None,
            )
        raise UserError(
            f"{machine.instance_id} is {owner}'s, and what it wrote to its console may hold passwords: only {owner} "
            "may ask for it.",
            hint=f"instances --of {machine.owner}",
        )

    async def _gone(self, instance_id: str) -> Machine | None:
        """A machine that is known to be gone; None for any other."""
        for cloud in self._clouds.all(MACHINES):
            machine = await self._leases.machine(cloud, instance_id)
            if machine is not None and not machine.living:
                return machine
        return None

    async def _one(self, instance_id: str, living: Sequence[Machine]) -> Machine:
        here = [each for each in living if each.instance_id.casefold() == instance_id]
        if len(here) == 1:
            return here[0]
        if here:
            clouds = " and ".join(each.cloud for each in here)
            raise UserError(
                f"{instance_id} is a machine in {clouds}, so it is not clear which is meant.",
                hint="instances",
            )
        if await named_machines(self._clouds, self._leases, [instance_id]):
            raise UserError(
                f"Nothing is stored of {instance_id}, though it carries this Slipway's tag: take it in first.",
                hint=f"instance adopt {instance_id}",
            )
        raise UserError(
            f"There is no machine {instance_id}, or it is gone.",
            nearest=nearest(instance_id, [each.instance_id for each in living]),
            given=instance_id,
            hint="instances",
        )

    def _check_owner(self, machine: Machine, requester: str, action: OwnersAction) -> None:
        """Only its owner may; whoever may at all, where the owner is nobody that the configuration knows."""
        if machine.owner == requester or is_automatic(requester):
            return
        owner = self._people.by_id(machine.owner)
        if owner is not None:
            raise owners_alone(self._people, machine.instance_id, owner, action)

    async def seen(self, machine: Machine) -> Instance:
        """It, as its cloud has it.

        Raises:
            UserError: it is gone.
            CloudError: the cloud cannot be read.
        """
        try:
            seen = await self.at(machine).instance(machine.instance_id)
        except CloudError as error:
            if error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            seen = None
        if seen is None or seen.state.gone:
            raise UserError(f"{machine.instance_id} is gone already.", hint="instances")
        return seen


def observed_leases(found: Iterable[Held]) -> dict[str, Json]:
    """What a plan about leases rests on: owner and lease as they are, and that the machine is there."""
    return {
        f"machine {held.machine.place}": {
            "there": True,
            "owner": held.machine.owner,
            "lease": held.machine.lease_ends_at.isoformat(),
            "revision": held.machine.revision,
        }
        for held in found
    }


def in_words(ids: Sequence[str], one: str, several: str) -> str:
    """Machines at the beginning of a sentence, with its verb: ``i-0f1e… is``, or ``3 machines are``."""
    return f"{ids[0]} {one}" if len(ids) == 1 else f"{len(ids)} machines {several}"
