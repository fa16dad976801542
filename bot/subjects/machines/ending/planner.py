"""Planning the end of machines: those that were named, or every one whose time is up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_date
from slipway.bot.people import People, is_automatic
from slipway.bot.subjects.machines.doubts import machines_at
from slipway.bot.subjects.machines.leases.believed import cap_for
from slipway.bot.subjects.machines.leases.held import in_words
from slipway.bot.subjects.machines.leases.settings import LeaseSettings, OrphanRule
from slipway.bot.subjects.machines.listing import Found, all_instances, found_machines, named_machines
from slipway.bot.subjects.machines.requests import Expire, Terminate
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import TerminateMachine
from slipway.bot.subjects.machines.tags import until_of

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


EndT = TypeVar("EndT", Terminate, Expire)

TERMINATE_OTHERS = "terminate.others"
"""The right to end machines of other people without anybody's approval."""


class EndPlanner(Generic[EndT]):
    """What all plans to end machines share. Only machines of this deployment are ever touched.

    Args:
        clouds: where they are.
        leases: what is stored of them.
    """

    def __init__(self, clouds: Clouds, leases: Leases) -> None:
        self._clouds = clouds
        self._leases = leases

    def _draft(self, request: EndT, chosen: Sequence[Found], nothing: str, *, overdue: bool) -> Draft[EndT]:
        """One step a machine."""
        chosen = sorted(chosen, key=lambda found: (found.instance.id, found.instance.cloud))
        ids = tuple(found.instance.id for found in chosen)
        pinned = request.model_copy(update={"instance_ids": ids or request.instance_ids})
        if not chosen:
            return Draft(pinned, nothing, (), {})
        return Draft(
            request=pinned,
            summary=f"{in_words(ids, 'is', 'are')} terminated.",
            steps=tuple(_step(found, overdue=overdue) for found in chosen),
            observed=_observed(chosen),
            evidence=tuple((found.instance.id, _in_words(found)) for found in chosen),
            warnings=_warnings(request.requester, chosen),
            independent=True,
        )

    def _overdue(self, request: EndT, ours: Sequence[Found], due: Sequence[Found]) -> Draft[EndT]:
        wanted = {each.casefold() for each in request.instance_ids}
        chosen = [found for found in due if not wanted or found.instance.id.casefold() in wanted]
        return self._draft(request, chosen, f"Nothing to terminate: {_none_due(len(ours))}.", overdue=True)


class ExpirePlanner(EndPlanner[Expire]):
    """Plans :class:`.requests.Expire`.

    Args:
        clouds: as all.
        leases: as all.
        rules: when the time of a machine is up of which nothing is stored.
        profiles: how long such a machine may live at most, whatever its tags say.
    """

    def __init__(
        self, clouds: Clouds, leases: Leases, rules: LeaseSettings, profiles: Mapping[str, ProfileSettings]
    ) -> None:
        super().__init__(clouds, leases)
        self._rules = rules
        self._profiles = profiles

    async def plan(self, request: Expire, now: datetime) -> Draft[Expire]:
        """Plan a step for each machine whose time is up by what is stored; of those of which nothing is, for those
        that the rule for orphans ends.

        Raises:
            CloudError: a cloud cannot be read; of named machines, one where they are.
        """
        ours = (
            await named_machines(self._clouds, self._leases, request.instance_ids)
            if request.instance_ids
            else await found_machines(self._clouds, self._leases)
        )
        return self._overdue(request, ours, [found for found in ours if self._due(found, now)])

    def _due(self, found: Found, now: datetime) -> bool:
        if found.machine is not None:
            return found.machine.due(now)
        due = orphan_due_at(found.instance, self._rules, self._profiles)
        return due is not None and due <= now


def orphan_due_at(
    instance: Instance, rules: LeaseSettings, profiles: Mapping[str, ProfileSettings]
) -> datetime | None:
    """When a machine of which nothing is stored is to be ended by rule, never before its own tag says so, as far as
    that is believed (:func:`.believed.cap_for`); None for never."""
    if rules.orphans is not OrphanRule.TERMINATE:
        return None
    after = instance.launched_at + rules.orphans_after
    return max(after, min(until_of(instance) or after, cap_for(instance, profiles)))


class TerminatePlanner(EndPlanner[Terminate]):
    """Plans :class:`.requests.Terminate`.

    Args:
        clouds: as all.
        leases: as all.
        people: whose the machines may be, and who may end those of others.
    """

    def __init__(self, clouds: Clouds, leases: Leases, people: People) -> None:
        super().__init__(clouds, leases)
        self._people = people

    async def plan(self, request: Terminate, now: datetime) -> Draft[Terminate]:
        """Plan one step a machine; machines that are gone already need none. Those of somebody else take an approval
        by another than the requester, unless they hold :data:`TERMINATE_OTHERS`.

        Former versions asked so for every machine whose time is up, too; where nothing is stored of one, its tags say
        until when it was to live.

        Raises:
            UserError: no machines named, an unknown one (with the nearest ids), one of several accounts, or not
                this bot's.
            CloudError: the cloud cannot be read.
        """
        if request.overdue:
            ours = await found_machines(self._clouds, self._leases)
            return self._overdue(request, ours, [found for found in ours if found.due(now)])
        chosen = await self._named(request.instance_ids)
        draft = self._draft(request, chosen, "Nothing to terminate: gone already.", overdue=False)
        why = self._why_asked(request.requester, [found for found in chosen if not found.due(now)])
        return replace(draft, needs_approval=why, by_another=bool(why))

    def _why_asked(self, requester: str, chosen: Sequence[Found]) -> str:
        """Why somebody else has to agree that these end before their time; empty where nobody has.

        A machine whose owner is nobody that the configuration knows is everybody's to end, as to extend.
        """
        theirs = [
            each for each in chosen if each.owner != requester and self._people.by_id(each.owner) is not None
        ]
        if not theirs or not requester or is_automatic(requester):
            return ""
        if self._people.may(self._people.by_id(requester), TERMINATE_OTHERS, changes=True):
            return ""
        whose = "a machine of somebody else" if len(theirs) == 1 else "machines of others"
        return f"To end {whose} without being asked about it takes the right `{TERMINATE_OTHERS}`."

    async def _named(self, ids: Sequence[str]) -> list[Found]:
        if not ids:
            raise UserError("Say which machines to terminate.", hint="instances")
        held: dict[str, list[Found]] = {}
        for each in await named_machines(self._clouds, self._leases, ids):
            held.setdefault(each.instance.id.casefold(), []).append(each)
        found: list[Found] = []
        for instance_id in dict.fromkeys(ids):
            here = held.get(instance_id.casefold(), [])
            if len(here) > 1:
                clouds = " and ".join(each.instance.cloud for each in here)
                raise UserError(
                    f"{instance_id} is a machine in {clouds}, so it is not clear which is meant.",
                    hint="instances",
                )
            if here:
                found += here
                continue
            await self._check_gone(instance_id)
        return found

    async def _check_gone(self, instance_id: str) -> None:
        """Raise UserError where a machine that is not among ours is somebody else's, or there never was one."""
        stored = await self._leases.named([instance_id.casefold()])
        other = await self._elsewhere(instance_id)
        if other is not None and not other.state.gone:
            raise UserError(
                f"{instance_id} does not carry this Slipway's tag, so it is left alone.", hint="instances"
            )
        if other is None and not stored:
            ours = [each.id for each in await all_instances(self._clouds)]
            raise UserError(
                f"There is no machine {instance_id} in {' or '.join(self._regions())}.",
                nearest=nearest(instance_id, ours),
                given=instance_id,
                hint="instances",
            )

    async def _elsewhere(self, instance_id: str) -> Instance | None:
        """A machine that is not among ours: gone, or somebody else's; None where there is none at all."""
        for cloud, machines in self._clouds.all(MACHINES).items():
            for region in machines.regions if machines.could_be_instance_id(instance_id) else ():
                try:
                    return await machines_at(self._clouds, cloud, region).instance(instance_id)
                except CloudError as error:
                    if error.kind is not CloudErrorKind.NOT_FOUND:
                        raise
        return None

    def _regions(self) -> Sequence[str]:
        """Every region that was looked at, each once."""
        every = (region for each in self._clouds.all(MACHINES).values() for region in each.regions)
        return tuple(dict.fromkeys(every))


def _none_due(machines: int) -> str:
    if not machines:
        return "no machine is running"
    if machines == 1:
        return "the time of the one machine is not up yet"
    return f"the time of none of the {machines} machines is up yet"


def _step(found: Found, *, overdue: bool) -> TerminateMachine:
    return TerminateMachine(
        instance_id=found.instance.id,
        owner=found.owner,
        overdue_since=(found.until or found.instance.launched_at) if overdue else None,
        cloud=found.instance.cloud,
        region=found.instance.region,
    )


def _observed(chosen: Sequence[Found]) -> dict[str, Json]:
    """Whether each is there, not how it is: that it starts or stops meanwhile changes nothing."""
    accounts_with = Counter(found.instance.id for found in chosen)
    names = [
        found.instance.id
        if accounts_with[found.instance.id] == 1
        else f"{found.instance.cloud}:{found.instance.id}"
        for found in chosen
    ]
    return {
        f"machine {name}": {
            "there": not found.instance.state.gone,
            "image": found.instance.image_id,
            "owner": found.owner,
        }
        for name, found in zip(names, chosen, strict=True)
    }


def _in_words(found: Found) -> str:
    machine = found.instance
    return (
        f"{machine.instance_type} from {machine.image_id}, {machine.state.value}, "
        f"of {found.owner or 'nobody known'}, launched {format_date(machine.launched_at)}"
    )


def _warnings(requester: str, chosen: Sequence[Found]) -> tuple[str, ...]:
    """Say whose machines these are, where they are not the requester's own; a clock has none."""
    if not requester or is_automatic(requester):
        return ()
    return tuple(
        f"{found.instance.id} belongs to {found.owner or 'nobody known'}, not to {requester}."
        for found in chosen
        if found.owner != requester
    )
