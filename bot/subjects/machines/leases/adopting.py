"""Taking in machines that carry this deployment's tag and of which nothing is stored, as after a lost database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.text import nearest
from slipway.bot.people import People
from slipway.bot.subjects.machines.doubts import conflict
from slipway.bot.subjects.machines.leases.believed import cap_for, default_end, doubtful_cap
from slipway.bot.subjects.machines.leases.care import check_care, named_person
from slipway.bot.subjects.machines.leases.editor import LeaseEditor
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.requests import InstanceAdopt
from slipway.bot.subjects.machines.leases.steps import AdoptMachine
from slipway.bot.subjects.machines.listing import all_instances, named_machines
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.tags import owner_of, profile_of

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases


class InstanceAdoptPlanner:
    """Plans :class:`.requests.InstanceAdopt`."""

    def __init__(
        self, clouds: Clouds, leases: Leases, profiles: Mapping[str, ProfileSettings], people: People
    ) -> None:
        self._clouds = clouds
        self._leases = leases
        self._profiles = profiles
        self._people = people

    async def plan(self, request: InstanceAdopt, now: datetime) -> Draft[InstanceAdopt]:
        """Plan the one step, with owner and end resolved.

        Raises:
            UserError: there is no such machine of this deployment, nobody knows whose it is, whoever is to have it
                could not look after it, or its time is up.
            CloudError: a cloud cannot be read.
        """
        instance = await self._find(request.instance_id)
        known = await self._leases.machine(instance.cloud, instance.id)
        if known is not None and known.living:
            already = f"{instance.id} is known already: it is {self._people.name(known.owner)}'s."
            return Draft(request, f"Nothing to do: {already}", (), {})
        owner = self._owner(request, instance)
        cap = cap_for(instance, self._profiles)
        ends_at = request.ends_at or self._end(request, instance, now)
        if ends_at > cap or ends_at <= now:
            raise UserError(
                f"The whole life of {instance.id} ends at {cap:%Y-%m-%d %H:%M} UTC, and its lease would end at "
                f"{ends_at:%Y-%m-%d %H:%M} UTC; say how long it is to live with `--for`, or terminate it.",
                hint=f"terminate {instance.id}",
            )
        tagged = owner_of(instance)
        step = AdoptMachine(
            cloud=instance.cloud,
            region=instance.region,
            instance_id=instance.id,
            owner=owner,
            profile=profile_of(instance),
            launched_at=min(instance.launched_at, ends_at),
            ends_at=ends_at,
            cap_ends_at=cap,
        )
        return Draft(
            request=request.model_copy(update={"owner": owner, "ends_at": ends_at}),
            summary=f"{instance.id} known as {owner}'s, until {ends_at:%Y-%m-%d %H:%M} UTC.",
            steps=(step,),
            observed={f"machine {instance.cloud} {instance.id}": {"there": True, "owner": tagged}},
            evidence=(
                ("Machine", f"{instance.instance_type} from {instance.image_id}, {instance.state.value}"),
                ("Owner by its tags", tagged or "nobody"),
                ("Whole life ends", f"{cap:%Y-%m-%d %H:%M} UTC"),
            ),
            warnings=doubtful_cap(instance, self._profiles),
            needs_approval="" if owner == tagged else f"Its tags name {tagged or 'nobody'} as its owner.",
        )

    async def _find(self, wanted: str) -> Instance:
        found = [each.instance for each in await named_machines(self._clouds, self._leases, [wanted])]
        if len(found) == 1:
            return found[0]
        if found:
            clouds = " and ".join(each.cloud for each in found)
            raise UserError(
                f"{wanted} is a machine in {clouds}, so it is not clear which is meant.", hint="instances"
            )
        raise UserError(
            f"No machine {wanted} carries this Slipway's tag, and no other is taken in.",
            nearest=nearest(wanted, [each.id for each in await all_instances(self._clouds)]),
            given=wanted,
            hint="instances",
        )

    def _owner(self, request: InstanceAdopt, instance: Instance) -> str:
        tagged = owner_of(instance)
        if request.owner:
            owner = named_person(self._people, request.owner)
            if owner.id != tagged:  # whose it was, it may be again
                check_care(self._people, owner, "help instance adopt")
            return owner.id
        if self._people.by_id(tagged) is None:
            named = f"name {tagged} as its owner, whom I do not know" if tagged else "name no owner"
            raise UserError(
                f"The tags of {instance.id} {named}; say whose it is with `--owner`.",
                hint="help instance adopt",
            )
        return tagged

    def _end(self, request: InstanceAdopt, instance: Instance, now: datetime) -> datetime:
        if request.seconds is not None:
            return now.replace(microsecond=0) + timedelta(seconds=request.seconds)
        return default_end(instance, self._profiles, now)


class AdoptExecutor:
    """Carries out :class:`.steps.AdoptMachine`: stores it, and writes into its tags what is stored.

    Args:
        editor: changes tags.
        leases: what is stored.
    """

    def __init__(self, editor: LeaseEditor, leases: Leases) -> None:
        self._editor = editor
        self._leases = leases

    async def observe(self, step: AdoptMachine, token: str) -> StepDone | None:
        """Done already if it is known as that person's.

        Raises:
            CloudError: CONFLICT where it is known as another's by now.
        """
        known = await self._leases.machine(step.cloud, step.instance_id)
        if known is None or not known.living:
            return None
        if known.owner != step.owner:
            raise conflict(step, f"{step.instance_id} is known as {known.owner}'s by now; it was left alone.")
        return _adopted(step, already=True)

    async def act(self, step: AdoptMachine, token: str) -> None:
        """Store it, and then change its tags; where these cannot be changed, the next look does it."""
        machine = Machine(
            cloud=step.cloud,
            instance_id=step.instance_id,
            region=step.region,
            reservation_id=None,
            owner=step.owner,
            profile=step.profile,
            launched_at=step.launched_at,
            lease_ends_at=step.ends_at,
            cap_ends_at=step.cap_ends_at,
        )
        await self._leases.adopt(machine)
        await self._editor.mirror(await self._editor.current(step))

    async def verify(self, step: AdoptMachine, token: str) -> StepDone:
        """What is stored.

        Raises:
            CloudError: CONFLICT where it is gone.
        """
        await self._editor.current(step)
        return _adopted(step, already=False)


def _adopted(step: AdoptMachine, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.instance_id} is {'already ' if already else ''}known as {step.owner}'s, until "
        f"{step.ends_at:%Y-%m-%d %H:%M} UTC.",
        already=already,
        facts={"instance": step.instance_id, "owner": step.owner},
    )
