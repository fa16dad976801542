"""Letting machines live longer than they were to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.times import Clock, format_duration, format_span
from slipway.bot.subjects.machines.leases.allowance import Allowance
from slipway.bot.subjects.machines.leases.care import OwnersAction
from slipway.bot.subjects.machines.leases.editor import LeaseEditor, tags_lag
from slipway.bot.subjects.machines.leases.held import Held, Holdings, in_words, observed_leases
from slipway.bot.subjects.machines.leases.limits import lease_hours
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.requests import Extend, LeasePin
from slipway.bot.subjects.machines.leases.steps import SetLease
from slipway.bot.subjects.machines.settings import ProfileSettings


class ExtendPlanner:
    """Plans :class:`.requests.Extend`."""

    def __init__(
        self, holdings: Holdings, allowance: Allowance, profiles: Mapping[str, ProfileSettings]
    ) -> None:
        self._holdings = holdings
        self._allowance = allowance
        self._profiles = profiles

    async def plan(self, request: Extend, now: datetime) -> Draft[Extend]:
        """Plan a step a machine. How long each is to live is resolved once, and stays.

        Raises:
            UserError: as :meth:`.held.Holdings.named`; the end would be behind the cap of the whole life; the limits
                do not allow so many lease hours.
            CloudError: a cloud cannot be read.
        """
        found = await self._holdings.named(request.instance_ids, request.requester, OwnersAction.EXTEND)
        more = timedelta(seconds=request.seconds)
        ends = {(pin.cloud, pin.instance_id): pin.ends_at for pin in request.pins} or {
            _key(held.machine): max(held.machine.lease_ends_at, now.replace(microsecond=0)) + more
            for held in found
        }
        longer = [held for held in found if ends.get(_key(held.machine), now) > held.machine.lease_ends_at]
        for held in longer:
            _check_cap(held.machine, ends[_key(held.machine)])
        await self._check_limits(longer, ends, now)
        pins = tuple(
            LeasePin(cloud=cloud, instance_id=instance_id, ends_at=at)
            for (cloud, instance_id), at in ends.items()
        )
        names = tuple(held.machine.instance_id for held in found)
        until = " and ".join(dict.fromkeys(_moment(at) for at in ends.values()))
        return Draft(
            request=request.model_copy(update={"instance_ids": names, "pins": pins}),
            summary=f"{in_words(names, 'lives', 'live')} until {until}.",
            steps=tuple(_longer(held.machine, ends[_key(held.machine)]) for held in longer),
            observed=observed_leases(found),
            evidence=tuple((held.machine.instance_id, _room_left(held.machine)) for held in found),
            independent=True,
            needs_approval=next(filter(None, (self._beyond(held.machine, ends) for held in longer)), ""),
        )

    async def _check_limits(
        self, longer: Sequence[Held], ends: Mapping[tuple[str, str], datetime], now: datetime
    ) -> None:
        hours: dict[str, float] = {}
        for held in longer:
            machine = held.machine
            more = lease_hours(machine.lease_ends_at, ends[_key(machine)])
            hours[machine.owner] = hours.get(machine.owner, 0) + more
        usage = await self._allowance.usage()
        for owner, wanted in hours.items():
            self._allowance.check(usage, owner, 0, wanted, now)

    def _beyond(self, machine: Machine, ends: Mapping[tuple[str, str], datetime]) -> str:
        """Why somebody has to agree: it would live longer than its profile gives without; empty where nobody has."""
        profile = self._profiles.get(machine.profile)
        if profile is None or ends[_key(machine)] - machine.launched_at <= profile.max_for:
            return ""
        longest = format_duration(profile.max_for)
        return f"{machine.instance_id} would live longer than the {longest} of profile {machine.profile}."


class SetLeaseExecutor:
    """Carries out :class:`.steps.SetLease`. The database decides; the tags follow, at once or with the next look.

    Args:
        editor: changes rows and tags.
        allowance: the lease hours are counted once more, together with the change.
        clock: the present.
    """

    def __init__(self, editor: LeaseEditor, allowance: Allowance, clock: Clock) -> None:
        self._editor = editor
        self._allowance = allowance
        self._clock = clock

    async def observe(self, step: SetLease, token: str) -> StepDone | None:
        """Done already if it lives that long.

        Raises:
            CloudError: CONFLICT where it is gone, or owner or lease were changed since.
        """
        machine = await self._editor.current(step)
        if machine.owner == step.owner and machine.lease_ends_at == step.ends_at:
            return _lives(step, machine, already=True)
        self._editor.check_revision(step, machine, step.revision)
        return None

    async def act(self, step: SetLease, token: str) -> None:
        """Change the lease, and then its tags.

        Raises:
            CloudError: CONFLICT where it was changed since, or the limits do not allow it any more.
        """
        machine = await self._editor.current(step)
        hours = lease_hours(machine.lease_ends_at, step.ends_at)
        await self._editor.change(
            step,
            replace(machine, revision=step.revision),
            lease_ends_at=step.ends_at,
            check=lambda usage: self._allowance.check(usage, step.owner, 0, hours, self._clock()),
        )

    async def verify(self, step: SetLease, token: str) -> StepDone:
        """What is stored.

        Raises:
            CloudError: CONFLICT where it is gone.
        """
        return _lives(step, await self._editor.current(step), already=False)


def _lives(step: SetLease, machine: Machine, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.instance_id} lives until {machine.lease_ends_at:%Y-%m-%d %H:%M} UTC"
        f"{' already' if already else ''}.{tags_lag(machine)}",
        already=already,
        facts={"instance": step.instance_id, "until": machine.lease_ends_at.isoformat()},
    )


def _longer(machine: Machine, ends_at: datetime) -> SetLease:
    return SetLease(
        cloud=machine.cloud,
        region=machine.region,
        instance_id=machine.instance_id,
        owner=machine.owner,
        ends_at=ends_at,
        was=machine.lease_ends_at,
        revision=machine.revision,
    )


def _check_cap(machine: Machine, ends_at: datetime) -> None:
    """Raise UserError where a lease would end behind the machine's whole life."""
    if ends_at <= machine.cap_ends_at:
        return
    left = machine.cap_ends_at - machine.lease_ends_at
    much = (
        f"it can be extended by {format_span(left)} at most"
        if left > timedelta()
        else "it lives so long already"
    )
    raise UserError(
        f"The whole life of {machine.instance_id} ends at {_moment(machine.cap_ends_at)}, and this would be "
        f"{_moment(ends_at)}; {much}.",
        hint=f"instance show {machine.instance_id}",
    )


def _room_left(machine: Machine) -> str:
    return f"until {_moment(machine.lease_ends_at)}, and never beyond {_moment(machine.cap_ends_at)}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _key(machine: Machine) -> tuple[str, str]:
    return machine.cloud, machine.instance_id
