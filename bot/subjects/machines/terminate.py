"""Planning the end of machines: those that were named, or every one whose time is up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Instance
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_date
from slipway.bot.subjects.machines.listing import all_instances
from slipway.bot.subjects.machines.requests import Terminate
from slipway.bot.subjects.machines.steps import TerminateMachine
from slipway.bot.subjects.machines.tags import is_overdue, owner_of, until_of


class TerminatePlanner:
    """Plans :class:`.requests.Terminate`. Only machines of this deployment are ever touched."""

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds

    async def plan(self, request: Terminate, now: datetime) -> Draft[Terminate]:
        """Plan one step a machine; machines that are gone already need none.

        Raises:
            UserError: no machines named, an unknown one (with the nearest ids), one of several accounts, or not
                this bot's.
            CloudError: the cloud cannot be read.
        """
        ours = await all_instances(self._clouds)
        if request.overdue:
            due = [machine for machine in ours if is_overdue(machine, now)]
            chosen = [each for each in due if not request.instance_ids or each.id in request.instance_ids]
            nothing = f"Nothing to terminate: {_none_due(len(ours))}."
        else:
            chosen = await self._named(request.instance_ids, ours)
            nothing = "Nothing to terminate: gone already."
        chosen.sort(key=lambda machine: (machine.id, machine.cloud))
        pinned = request.model_copy(
            update={"instance_ids": tuple(machine.id for machine in chosen) or request.instance_ids}
        )
        if not chosen:
            return Draft(pinned, nothing, (), {})
        what = chosen[0].id if len(chosen) == 1 else f"{len(chosen)} machines"
        return Draft(
            request=pinned,
            summary=f"{what} terminated.",
            steps=tuple(_step(machine, overdue=request.overdue) for machine in chosen),
            observed=_observed(chosen),
            evidence=tuple((machine.id, _in_words(machine)) for machine in chosen),
            warnings=_warnings(request.requester, chosen),
            independent=True,
        )

    async def _named(self, ids: Sequence[str], ours: Sequence[Instance]) -> list[Instance]:
        if not ids:
            raise UserError("Say which machines to terminate.", hint="instances")
        held: dict[str, list[Instance]] = {}
        for machine in ours:
            held.setdefault(machine.id.casefold(), []).append(machine)
        found: list[Instance] = []
        for instance_id in dict.fromkeys(ids):
            here = held.get(instance_id.casefold(), [])
            if len(here) > 1:
                clouds = " and ".join(each.cloud for each in here)
                raise UserError(
                    f"{instance_id} is a machine in {clouds}, so it is not clear which is meant.",
                    hint="instances",
                )
            if here:
                found += here
                continue
            other = await self._elsewhere(instance_id)
            if other is None:
                raise UserError(
                    f"There is no machine {instance_id} in {self._regions()}.",
                    nearest=nearest(instance_id, [machine.id for machine in ours]),
                    hint="instances",
                )
            if not other.state.gone:
                raise UserError(
                    f"{instance_id} was not launched by this Slipway, so it is left alone.", hint="instances"
                )
        return found

    async def _elsewhere(self, instance_id: str) -> Instance | None:
        """A machine that is not among ours: gone, or somebody else's; None where there is none at all."""
        for machines in self._clouds.all(MACHINES).values():
            if not machines.could_be_instance_id(instance_id):
                continue
            try:
                return await machines.instance(instance_id)
            except CloudError as error:
                if error.kind is not CloudErrorKind.NOT_FOUND:
                    raise
        return None

    def _regions(self) -> str:
        """Every region that was looked at: ``us-east-1 or eu-west-1``."""
        return " or ".join(dict.fromkeys(each.region for each in self._clouds.all(MACHINES).values()))


def _none_due(machines: int) -> str:
    if not machines:
        return "no machine is running"
    return f"the time of {'the one machine' if machines == 1 else f'all {machines} machines'} is not up yet"


def _step(machine: Instance, *, overdue: bool) -> TerminateMachine:
    return TerminateMachine(
        instance_id=machine.id,
        owner=owner_of(machine),
        overdue_since=until_of(machine) if overdue else None,
        cloud=machine.cloud,
    )


def _observed(machines: Sequence[Instance]) -> dict[str, Json]:
    """Whether each is there, not how it is: that it starts or stops meanwhile changes nothing."""
    accounts_with = Counter(machine.id for machine in machines)
    names = [each.id if accounts_with[each.id] == 1 else f"{each.cloud}:{each.id}" for each in machines]
    return {
        f"machine {name}": {
            "there": not machine.state.gone,
            "image": machine.image_id,
            "owner": owner_of(machine),
        }
        for name, machine in zip(names, machines, strict=True)
    }


def _in_words(machine: Instance) -> str:
    owner = owner_of(machine) or "nobody known"
    return (
        f"{machine.instance_type} from {machine.image_id}, {machine.state.value}, "
        f"of {owner}, launched {format_date(machine.launched_at)}"
    )


def _warnings(requester: str, chosen: Sequence[Instance]) -> tuple[str, ...]:
    """Say whose machines these are, where they are not the requester's own."""
    if not requester:
        return ()
    return tuple(
        f"{machine.id} belongs to {owner_of(machine) or 'nobody known'}, not to {requester}."
        for machine in chosen
        if owner_of(machine) != requester
    )
