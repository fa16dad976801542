"""Carrying out a launch: look first, launch, look again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import Instance, InstanceState, LaunchSpec, Template
from slipway.bot.clouds.ports.machines import LaunchesOneByOne, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.operations.model import operation_of
from slipway.bot.subjects.machines.doubts import (
    SEE_MACHINES,
    conflict,
    machines_of,
    not_looked_up,
    undecided,
)
from slipway.bot.subjects.machines.launching.drafting import spec_of
from slipway.bot.subjects.machines.leases.limits import Usage
from slipway.bot.subjects.machines.leases.model import Reservation, ReservationState
from slipway.bot.subjects.machines.steps import LaunchMachines

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.machines.leases.repository import Leases


@dataclass(frozen=True)
class LaunchLedger:
    """Where launches are counted and noted.

    Attributes:
        leases: the database's.
        check: raises UserError where the limits leave too little, by what is in use, whose it is to be, how many
            machines, how many lease hours, and the present.
    """

    leases: Leases
    check: Callable[[Usage, str, int, float, datetime], None]


def _reservation_id(token: str) -> str:
    """A reservation is called as its operation is; by its token, where that is of none."""
    return operation_of(token) or token


class LaunchExecutor:
    """Carries out :class:`slipway.bot.subjects.machines.steps.LaunchMachines`, once for one token.

    It is claimed before it is asked for, so that it counts from then on, whatever becomes of this process; the watch
    of leases finds out what became of a claim that was left.

    Args:
        clouds: steps say where in them to launch.
        ledger: where it is counted and noted.
        clock: the present, for a launch that goes on after a crash, when its time may be up.
        polling: how long the machines may take to show.
        called: names the reservation of a launch by its token.
    """

    def __init__(
        self,
        clouds: Clouds,
        ledger: LaunchLedger,
        clock: Clock,
        polling: Polling | None = None,
        called: Callable[[str], str] = _reservation_id,
    ) -> None:
        self._clouds = clouds
        self._ledger = ledger
        self._clock = clock
        self._polling = polling or Polling()
        self._called = called

    async def observe(self, step: LaunchMachines, token: str) -> StepDone | None:
        """Done already if this token launched machines before; what became of them is verified all the same.

        Raises:
            CloudError: UNVERIFIED where they were launched, and are not all there any more; CONFLICT where
                nothing was launched and the time that was asked for is up.
        """
        machines = machines_of(self._clouds, step)
        found = await machines.launched_with(token)
        if not found:
            if step.until <= self._clock():
                await self._ledger.leases.release(self._called(token))
                raise conflict(step, "The time that was asked for is up already, so nothing was launched.")
            return None
        alive = [each for each in found if not each.state.gone]
        if isinstance(machines, LaunchesOneByOne) and len(alive) < step.count:
            return None  # asked again, it makes what is missing, or takes away what there is of it
        return await self._confirm(step, token, already=True)

    async def act(self, step: LaunchMachines, token: str) -> None:
        """Claim the machines, and ask for them; the token makes asking again harmless.

        Where it is not known what became of it, or the token was used before, the machines are looked for before
        anything is said: if they are there, it was done.

        Raises:
            CloudError: it was not done, or nobody can tell; ``doubtful`` says which.
        """
        machines = machines_of(self._clouds, step)
        spec = await self._spec(step, machines)
        await self._claim(step, token, machines.region)
        try:
            await machines.launch(spec, token)
        except CloudError as error:
            if not error.doubtful and error.kind is not CloudErrorKind.CONFLICT:
                await self._ledger.leases.release(self._called(token))
                raise
            if not await self._came_up(step, token, error):
                await self._ledger.leases.release(self._called(token))
                raise

    async def _spec(self, step: LaunchMachines, machines: Machines) -> LaunchSpec:
        """The template's own user data is no part of the plan, as it may hold what nobody should read; its version
        never changes, so that it is the same at every try."""
        template = Template(step.template_id, step.template_name, step.template_version, None)
        if step.keys or step.ends_at is not None:
            template = await machines.template(step.template_name, step.template_version)
        try:
            return spec_of(step, template, machines.backstop)
        except UserError as error:
            raise conflict(step, error.sentence) from error

    async def _claim(self, step: LaunchMachines, token: str, region: str) -> None:
        now = self._clock()
        hours = step.count * (step.until - now).total_seconds() / 3600
        reservation = Reservation(
            id=self._called(token),
            state=ReservationState.CLAIMED,
            owner=step.requester,
            profile=step.profile,
            cloud=step.cloud,
            region=region,
            token=token,
            count=step.count,
            claimed_at=now,
            lease_ends_at=step.until,
            cap_ends_at=step.ends_at or step.until,
            ssh_user=step.login,
        )
        try:
            await self._ledger.leases.claim(
                reservation, lambda usage: self._ledger.check(usage, step.requester, step.count, hours, now)
            )
        except UserError as error:
            raise CloudError(
                CloudErrorKind.CONFLICT, cloud=step.cloud, sentence=error.sentence, remedy=SEE_MACHINES
            ) from error

    async def _came_up(self, step: LaunchMachines, token: str, error: CloudError) -> bool:
        """Whether the launch that failed so made machines all the same.

        Raises:
            CloudError: it is doubtful, and looking does not settle it.
        """
        machines = machines_of(self._clouds, step)
        polling = self._polling if error.doubtful else replace(self._polling, looks=1)
        try:
            found = await polling.until(
                lambda: machines.launched_with(token), lambda seen: len(seen) >= step.count
            )
        except CloudError as blind:
            raise undecided(error, not_looked_up(error, blind)) from error
        if found or not error.doubtful:
            return bool(found)
        raise undecided(
            error, "Slipway looked for them by the launch's token and tags, and saw none."
        ) from error

    async def verify(self, step: LaunchMachines, token: str) -> StepDone:
        """Wait until all machines have left pending, or time is up; they must all be there.

        A machine may be ended by the cloud itself while it is pending (a broken disk key, for example), so seeing
        it pending once is not enough; one that is still pending when time is up counts, and is said.

        Raises:
            CloudError: UNVERIFIED where a machine is missing or gone.
        """
        return await self._confirm(step, token, already=False)

    async def _confirm(self, step: LaunchMachines, token: str, *, already: bool) -> StepDone:
        machines = machines_of(self._clouds, step)
        try:
            found = await self._polling.until(
                lambda: machines.launched_with(token), lambda seen: _decided(step, seen)
            )
        except CloudError as blind:
            raise blind.after(f"{machines.title} took the order to {step.title}", SEE_MACHINES) from blind
        alive = [machine for machine in found if not machine.state.gone]
        reservation = await self._ledger.leases.reservation(self._called(token))
        if alive and reservation is not None:  # one that a former version launched, the watch of leases notes
            noted = [reservation.machine(machine) for machine in alive]
            await self._ledger.leases.launched(reservation.id, noted)
        if len(found) < step.count or len(alive) < len(found):
            raise _incomplete(step, found)
        return _launched(alive, already=already)


def _decided(step: LaunchMachines, seen: Sequence[Instance]) -> bool:
    """Whether looking again can tell nothing more: all there and none pending, or one gone."""
    if any(machine.state.gone for machine in seen):
        return True
    return len(seen) >= step.count and all(machine.state is not InstanceState.PENDING for machine in seen)


def _incomplete(step: LaunchMachines, found: Sequence[Instance]) -> CloudError:
    """The error for machines that are missing or gone again; where the cloud says why, with its reason."""
    gone = [machine for machine in found if machine.state.gone]
    alive = len(found) - len(gone)
    end = next((machine.end for machine in gone if machine.end), None)
    why = "" if end is None or end.kind is CloudErrorKind.UNVERIFIED else " The cloud ended them at once."
    look = " See what is left and terminate what is not wanted." if alive or not gone else ""
    return CloudError(
        end.kind if end else CloudErrorKind.UNVERIFIED,
        cloud=step.cloud,
        code=end.code if end else "",
        sentence=f"{step.count} to launch: {alive} there, {len(gone)} gone again.{why}{look}",
        reason=end.reason if end else "",
        remedy=SEE_MACHINES if look else end.remedy if end else None,
    )


def _launched(alive: Sequence[Instance], *, already: bool) -> StepDone:
    names = ", ".join(
        f"{machine.id} ({machine.address})" if machine.address else machine.id for machine in alive
    )
    pending = sum(machine.state is InstanceState.PENDING for machine in alive)
    facts: dict[str, Json] = {
        "instances": [machine.id for machine in alive],
        "addresses": [machine.address for machine in alive],
    }
    return StepDone(
        summary=f"Launched {'already ' if already else ''}{names}"
        + (f"; {pending} still starting." if pending else "."),
        already=already,
        facts=facts,
    )
