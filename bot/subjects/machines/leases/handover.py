"""Giving machines to another person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.times import Clock
from slipway.bot.people import People
from slipway.bot.subjects.machines.leases.allowance import Allowance
from slipway.bot.subjects.machines.leases.care import (
    OwnersAction,
    check_care,
    may_look_after,
    named_person,
)
from slipway.bot.subjects.machines.leases.editor import LeaseEditor, tags_lag
from slipway.bot.subjects.machines.leases.held import Holdings, in_words, observed_leases
from slipway.bot.subjects.machines.leases.limits import Usage, lease_hours
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.requests import Handover
from slipway.bot.subjects.machines.leases.steps import SetOwner


class HandoverPlanner:
    """Plans :class:`.requests.Handover`."""

    def __init__(self, holdings: Holdings, allowance: Allowance, people: People) -> None:
        self._holdings = holdings
        self._allowance = allowance
        self._people = people

    async def plan(self, request: Handover, now: datetime) -> Draft[Handover]:
        """Plan a step for each machine that is not that person's yet.

        Raises:
            UserError: as :meth:`.held.Holdings.named`; nobody is called so; they could not look after
                it; the limits leave them no room.
            CloudError: a cloud cannot be read.
        """
        able = tuple(each for each in self._people.persons if may_look_after(self._people, each))
        to = named_person(self._people, request.to, able)
        found = await self._holdings.named(
            request.instance_ids, request.requester, OwnersAction.HAND_OVER, also=to.id
        )
        others = [held.machine for held in found if held.machine.owner != to.id]
        names = tuple(held.machine.instance_id for held in found)
        pinned = request.model_copy(update={"instance_ids": names, "to": to.id})
        if not others:
            return Draft(pinned, f"Nothing to do: {in_words(names, 'is', 'are')} {to}'s already.", (), {})
        check_care(self._people, to, f"handover {' '.join(names)}")
        hours = sum(lease_hours(each.launched_at, each.lease_ends_at) for each in others)
        usage = (await self._allowance.usage()).without(each.place for each in others)
        self._allowance.check(usage, to.id, len(others), hours, now)
        return Draft(
            request=pinned,
            summary=f"{in_words([each.instance_id for each in others], 'is', 'are')} {to}'s.",
            steps=tuple(
                SetOwner(
                    cloud=each.cloud,
                    region=each.region,
                    instance_id=each.instance_id,
                    owner=each.owner,
                    to=to.id,
                    revision=each.revision,
                )
                for each in others
            ),
            observed=observed_leases(found),
            evidence=tuple(
                (each.instance_id, f"until {each.lease_ends_at:%Y-%m-%d %H:%M} UTC") for each in others
            ),
            independent=True,
        )


class SetOwnerExecutor:
    """Carries out :class:`.steps.SetOwner`. The database decides; the tags follow, at once or with the next look.

    Args:
        editor: changes rows and tags.
        allowance: what the new owner may have is counted once more, together with the change.
        clock: the present.
    """

    def __init__(self, editor: LeaseEditor, allowance: Allowance, clock: Clock) -> None:
        self._editor = editor
        self._allowance = allowance
        self._clock = clock

    async def observe(self, step: SetOwner, token: str) -> StepDone | None:
        """Done already if it is that person's.

        Raises:
            CloudError: CONFLICT where it is gone, or owner or lease were changed since.
        """
        machine = await self._editor.current(step)
        if machine.owner == step.to:
            return _given(step, machine, already=True)
        self._editor.check_revision(step, machine, step.revision)
        return None

    async def act(self, step: SetOwner, token: str) -> None:
        """Change the owner, and then the tags.

        Raises:
            CloudError: CONFLICT where it was changed since, or the limits leave the new owner no room any more.
        """
        machine = await self._editor.current(step)
        hours = lease_hours(machine.launched_at, machine.lease_ends_at)

        def check(usage: Usage) -> None:
            self._allowance.check(usage.without([machine.place]), step.to, 1, hours, self._clock())

        await self._editor.change(step, replace(machine, revision=step.revision), owner=step.to, check=check)

    async def verify(self, step: SetOwner, token: str) -> StepDone:
        """What is stored.

        Raises:
            CloudError: CONFLICT where it is gone.
        """
        return _given(step, await self._editor.current(step), already=False)


def _given(step: SetOwner, machine: Machine, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.instance_id} is {machine.owner}'s{' already' if already else ' now'}.{tags_lag(machine)}",
        already=already,
        facts={"instance": step.instance_id, "owner": machine.owner},
    )
