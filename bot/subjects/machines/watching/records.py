"""Bringing what is stored and what the clouds have together: launches of which nobody knows what became, machines of
former versions, machines that are gone, and those of which nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from slipway.bot.chat.model import Card, Consequence, Tone
from slipway.bot.clouds.machine_model import Instance, InstanceState
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.operations.model import Operation, operation_of
from slipway.bot.operations.watches import WatchHost
from slipway.bot.people import have
from slipway.bot.subjects.machines.doubts import machines_at
from slipway.bot.subjects.machines.ending.planner import orphan_due_at
from slipway.bot.subjects.machines.leases.believed import cap_for, default_end
from slipway.bot.subjects.machines.leases.model import (
    Machine,
    Reservation,
    ReservationState,
    operation_named,
)
from slipway.bot.subjects.machines.leases.resting import STARTED
from slipway.bot.subjects.machines.requests import Launch
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.tags import DEPLOYMENT, TOKEN, lease_tags, owner_of, profile_of
from slipway.bot.subjects.machines.watching.sight import Offer, Sight, Teller, offering

LAG = timedelta(minutes=10)
"""How long a cloud's listing may lag behind what it did: what is not seen so soon is no proof."""

_LOOKS = 5  # single looks at machines that are not listed, in one pass; more only where there are very many
_MACHINES_A_LOOK = 200
_RETAGS = 20  # in one pass: a change of many leases does not hold up everything else

log = structlog.get_logger(__name__)


class Records:
    """Brings both together in one pass.

    Args:
        services: what is stored, and the clouds.
        sight: what was seen.
        host: asks for the end of machines that the rule for orphans ends.
        teller: tells of machines of which nothing is stored.
    """

    def __init__(self, services: MachineServices, sight: Sight, host: WatchHost, teller: Teller) -> None:
        self._services = services
        self._leases = services.leases
        self._sight = sight
        self._host = host
        self._teller = teller

    async def settle(self) -> None:
        """Do all of it."""
        for claim in await self._leases.open_claims():
            await self._settle_claim(claim)
        known = {(each.cloud, each.instance_id) for each in await self._leases.living()}
        for key, instance in self._sight.instances.items():
            if key not in known:
                await self._settle_unknown(instance)
        living = await self._leases.living()
        await self._settle_missing([each for each in living if self._sight.missing(each)], len(living))
        await self._note_states(living)
        await self._mirror(living)

    async def _settle_claim(self, claim: Reservation) -> None:
        """Look by its token once its operation has ended; nothing came of it where nothing is there for long."""
        operation = await self._services.operations.find(operation_named(claim.id))
        if operation is not None and not operation.state.ended:
            return
        try:
            machines = machines_at(self._services.clouds, claim.cloud, claim.region)
            found = await machines.launched_with(claim.token)
        except (CloudError, UserError) as error:
            log.warning("it is not known what became of a launch", operation=claim.id, why=str(error))
            return
        if found:
            alive = [claim.machine(each) for each in found if not each.state.gone]
            await self._leases.launched(claim.id, alive)
            return
        ended_at = operation.ended_at if operation is not None else None
        if (ended_at or claim.claimed_at) + LAG <= self._sight.now:
            await self._leases.release(claim.id)

    async def _settle_unknown(self, instance: Instance) -> None:
        """A machine that is there and not known to live: seen gone too early, of a launch of ours, or an orphan."""
        before = await self._leases.machine(instance.cloud, instance.id)
        if before is not None:
            if before.ended_at is not None and before.ended_at + LAG <= self._sight.now:
                log.warning("a machine lives that was thought gone", machine=before.place)
                await self._leases.adopt(replace(before, ended_at=None, mirrored=0, told={}, attempts=0))
            return
        token = instance.tags.get(TOKEN, "")
        claim = await self._leases.with_token(token) if token else None
        if claim is None:
            operation = await self._launch_with(token)
            if operation is None:
                await self._orphan(instance)
                return
            claim = await self._claim_of(operation, token, instance)
        if claim is not None:
            await self._leases.launched(claim.id, [claim.machine(instance)])

    async def _launch_with(self, token: str) -> Operation | None:
        """The launch of a former version that made machines with a token; None where none here did."""
        name = operation_of(token)
        operation = await self._services.operations.find(name) if name is not None else None
        if operation is None or not isinstance(operation.plan.request, Launch):
            return None
        return operation if operation.token(1) == token else None

    async def _claim_of(self, operation: Operation, token: str, instance: Instance) -> Reservation | None:
        """What a launch of a former version would have claimed, by its machine's tags; None while it is under way."""
        if not operation.state.ended:
            return None
        profiles, request = self._services.profiles, operation.plan.request
        agreed = request.pin.until if isinstance(request, Launch) and request.pin is not None else None
        cap = cap_for(instance, profiles, since=operation.created_at)
        cap = (
            max(cap, agreed) if agreed is not None else cap
        )  # what is stored counts, and not only what is tagged
        ends_at = min(default_end(instance, profiles, self._sight.now), cap)
        claim = Reservation(
            id=operation.id,
            state=ReservationState.CLAIMED,
            owner=owner_of(instance) or operation.requester,
            profile=profile_of(instance),
            cloud=instance.cloud,
            region=instance.region,
            token=token,
            count=len([each for each in self._sight.instances.values() if each.tags.get(TOKEN) == token]),
            claimed_at=operation.created_at,
            lease_ends_at=ends_at,
            cap_ends_at=cap,
        )
        return await self._leases.claim(claim, lambda _usage: None)  # it runs already: no limit undoes that

    async def _orphan(self, instance: Instance) -> None:
        """Tell once of a machine of which nothing is stored, and have it ended where the rule says so."""
        memory, name = self._services.memory, f"leases orphan {instance.cloud} {instance.id}"
        due = orphan_due_at(instance, self._services.rules, self._services.profiles)
        frozen = await self._host.frozen("expire", cloud=instance.cloud, name=instance.id)
        if due is not None and due <= self._sight.now and not frozen:
            hour = int(self._sight.now.timestamp()) // 3600  # what failed is asked for again an hour later
            await self._host.ask(
                f"orphan {instance.cloud} {instance.id} {hour}", f"terminate {instance.id} --overdue", None
            )
        if await memory.load(name):
            return
        log.warning("nothing is stored of a machine", cloud=instance.cloud, machine=instance.id)
        people = self._services.people
        owner, holders = people.by_id(owner_of(instance)), people.holders("instance.adopt", changes=True)
        for person in holders if owner is None else (owner,):
            await self._teller.tell(name, self._orphan_card(instance, person.id), person.id, None)
        await memory.save(name, self._sight.now.isoformat())

    def _orphan_card(self, instance: Instance, person_id: str) -> Card:
        who = have(self._services.people.holders("instance.adopt", changes=True)) or "Nobody has"
        card = Card(
            tone=Tone.WARNING,
            title=f"Nothing is stored of {instance.id}",
            text=f"It carries this Slipway's tag, is {instance.state.value} in {instance.cloud} and by its tags "
            f"{owner_of(instance) or 'nobody'}'s. Until it is taken in, {self._then(instance)}. "
            f"{who} the right to do that.",
        )
        ending = Offer("terminate", "End it", f"terminate {instance.id}", "Terminate", Consequence.ENDING)
        taking = Offer("instance.adopt", "Take it in", f"instance adopt {instance.id}", "Take it in")
        return offering(self._services, card, person_id, taking, ending)

    def _then(self, instance: Instance) -> str:
        due = orphan_due_at(instance, self._services.rules, self._services.profiles)
        return "nothing ends it at its time" if due is None else f"it is to end at {due:%Y-%m-%d %H:%M} UTC"

    async def _settle_missing(self, missing: Sequence[Machine], living: int) -> None:
        """Look at some of those that were not listed, those first of which nothing was told."""
        looks = max(_LOOKS, living // _MACHINES_A_LOOK)
        for machine in sorted(missing, key=lambda each: "untagged" in each.told)[:looks]:
            try:
                seen = await self._services.holdings.at(machine).instance(machine.instance_id)
            except CloudError as error:
                if error.kind is CloudErrorKind.NOT_FOUND and machine.launched_at + LAG <= self._sight.now:
                    await self._leases.note(machine, ended_at=self._sight.now)
                continue
            except UserError as error:
                log.warning("a machine cannot be looked at", machine=machine.place, why=str(error))
                continue
            if seen.state.gone:
                await self._leases.note(machine, ended_at=self._sight.now)
            elif seen.tags.get(DEPLOYMENT) != self._services.deployment and "untagged" not in machine.told:
                await self._tell_untagged(machine)

    async def _tell_untagged(self, machine: Machine) -> None:
        card = Card(
            tone=Tone.WARNING,
            title=f"{machine.instance_id} lost this Slipway's tag",
            text=f"Somebody took the tag `{DEPLOYMENT}` off it in {machine.cloud}, so it is left alone and does "
            "not end at its time. Whoever did so can put the tag back, or end it there.",
        )
        await self._teller.tell(f"untagged {machine.place}", card, machine.owner, machine.reservation_id)
        await self._leases.note(machine, told={**machine.told, "untagged": machine.revision})

    async def _note_states(self, living: Sequence[Machine]) -> None:
        """Note since when each one rests."""
        for machine in living:
            instance = self._sight.of(machine)
            if instance is None or self._sight.older_than_stored(machine):
                continue
            if instance.state is InstanceState.STOPPED and machine.stopped_at is None:
                await self._leases.rests(machine, self._sight.now)
                await self._look_again(replace(machine, stopped_at=self._sight.now))
            elif instance.state is InstanceState.RUNNING and machine.stopped_at is not None:
                await self._leases.runs(machine, self._sight.now)

    async def _look_again(self, machine: Machine) -> None:
        """Take back that one rests where it was started while all of them were looked at."""
        try:
            seen = await self._services.holdings.at(machine).instance(machine.instance_id)
        except (CloudError, UserError) as error:
            log.info("a machine that rests was not seen twice", machine=machine.place, why=str(error))
            return
        if seen.state in STARTED:
            await self._leases.runs(machine, self._sight.now)

    async def _mirror(self, living: Sequence[Machine]) -> None:
        """Write what is stored into tags that say something else."""
        left = _RETAGS
        for machine in living:
            instance = self._sight.of(machine)
            if instance is None or instance.state.gone:
                continue
            tags = lease_tags(owner=machine.owner, until=machine.lease_ends_at, cap=machine.cap_ends_at)
            if tags.items() <= instance.tags.items():
                if machine.mirrored < machine.revision:
                    await self._leases.note(machine, mirrored=machine.revision)
                continue
            if not left:
                return
            left -= 1
            if not await self._services.editor.mirror(machine):
                log.warning("tags do not say what is stored", machine=machine.place)
