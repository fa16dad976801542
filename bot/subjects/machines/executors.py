"""Carrying out changes to machines: look first, change, look again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Instance, InstanceState, LaunchSpec
from slipway.bot.clouds.ports.machines import MACHINES, Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.model import Json
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.machines.steps import LaunchMachines, TerminateMachine
from slipway.bot.subjects.machines.tags import is_overdue, owner_of

_SEE_MACHINES = Remedy("instances", "to see what is there")


class LaunchExecutor:
    """Carries out :class:`slipway.bot.subjects.machines.steps.LaunchMachines`, once for one token.

    Args:
        clouds: steps say where in them to launch.
        clock: the present, for a launch that goes on after a crash, when its time may be up.
        polling: how long the machines may take to show.
    """

    def __init__(self, clouds: Clouds, clock: Clock, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._clock = clock
        self._polling = polling or Polling()

    async def observe(self, step: LaunchMachines, token: str) -> StepDone | None:
        """Done already if this token launched machines before; what became of them is verified all the same.

        Raises:
            CloudError: UNVERIFIED where they were launched, and are not all there any more; CONFLICT where
                nothing was launched and the time that was asked for is up.
        """
        if not await _machines(self._clouds, step).launched_with(token):
            if step.until <= self._clock():
                raise _conflict(step, "The time that was asked for is up already, so nothing was launched.")
            return None
        return await self._confirm(step, token, already=True)

    async def act(self, step: LaunchMachines, token: str) -> None:
        """Ask for the machines; the token makes asking again harmless.

        Where it is not known what became of it, or the token was used before, the machines are looked for before
        anything is said: if they are there, it was done.

        Raises:
            CloudError: it was not done, or nobody can tell; ``doubtful`` says which.
        """
        machines = _machines(self._clouds, step)
        spec = LaunchSpec(
            template_id=step.template_id,
            template_version=step.template_version,
            image_id=step.image_id,
            count=step.count,
            tags=step.tags,
        )
        try:
            await machines.launch(spec, token)
        except CloudError as error:
            if not error.doubtful and error.kind is not CloudErrorKind.CONFLICT:
                raise
            if not await self._came_up(step, token, error):
                raise

    async def _came_up(self, step: LaunchMachines, token: str, error: CloudError) -> bool:
        """Whether the launch that failed so made machines all the same.

        Raises:
            CloudError: it is doubtful, and looking does not settle it.
        """
        machines = _machines(self._clouds, step)
        polling = self._polling if error.doubtful else replace(self._polling, looks=1)
        try:
            found = await polling.until(
                lambda: machines.launched_with(token), lambda seen: len(seen) >= step.count
            )
        except CloudError as blind:
            raise _undecided(error, f"It could not be looked up: {blind.words}") from error
        if found or not error.doubtful:
            return bool(found)
        raise _undecided(
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
        machines = _machines(self._clouds, step)
        found = await self._polling.until(
            lambda: machines.launched_with(token), lambda seen: _decided(step, seen)
        )
        alive = [machine for machine in found if not machine.state.gone]
        if len(found) < step.count or len(alive) < len(found):
            raise _incomplete(step, found)
        return _launched(alive, already=already)


class TerminateExecutor:
    """Carries out :class:`slipway.bot.subjects.machines.steps.TerminateMachine`.

    Args:
        clouds: one of them has the machine.
        clock: the present, for machines that are ended because their time is up.
        polling: how long the end may take to show.
    """

    def __init__(self, clouds: Clouds, clock: Clock, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._clock = clock
        self._polling = polling or Polling()

    async def observe(self, step: TerminateMachine, token: str) -> StepDone | None:
        """Done already if it is gone, or so long gone that the cloud forgot it.

        Raises:
            CloudError: CONFLICT where it belongs to another person now, or was given more time.
        """
        found = await self._look(step)
        if found is None or found.state.gone:
            return _terminated(step, already=True)
        if owner_of(found) != step.owner:
            raise _conflict(step, f"{step.instance_id} changed its owner; it was left alone.")
        if step.overdue_since is not None and not is_overdue(found, self._clock()):
            raise _conflict(step, f"{step.instance_id} was given more time; it was left alone.")
        return None

    async def act(self, step: TerminateMachine, token: str) -> None:
        """Ask for its end. Where it is not known what became of that, look before anything is said.

        Raises:
            CloudError: it was not done, or nobody can tell; ``doubtful`` says which.
        """
        try:
            await _machines(self._clouds, step).terminate(step.instance_id)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:  # forgotten by the cloud: gone, as wished
                return
            if not error.doubtful:
                raise
            await self._see_end(step, error)

    async def _see_end(self, step: TerminateMachine, error: CloudError) -> None:
        """Return once it is going or gone; raise what failed, and what was seen, where it is not."""
        try:
            found = await self._polling.until(lambda: self._look(step), _is_gone)
        except CloudError as blind:
            raise _undecided(error, f"It could not be looked up: {blind.words}") from error
        if found is not None and not found.state.gone:
            raise _undecided(error, f"It is still {found.state.value}.") from error

    async def verify(self, step: TerminateMachine, token: str) -> StepDone:
        """Look until it is going or gone, or time is up.

        Raises:
            CloudError: UNVERIFIED where it still lives.
        """
        found = await self._polling.until(lambda: self._look(step), _is_gone)
        if found is not None and not found.state.gone:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{_machines(self._clouds, step).title} took the order, "
                f"but {step.instance_id} is still {found.state.value}.",
            )
        return _terminated(step, already=False)

    async def _look(self, step: TerminateMachine) -> Instance | None:
        try:
            return await _machines(self._clouds, step).instance(step.instance_id)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return None
            raise


def _decided(step: LaunchMachines, seen: Sequence[Instance]) -> bool:
    """Whether looking again can tell nothing more: all there and none pending, or one gone."""
    if any(machine.state.gone for machine in seen):
        return True
    return len(seen) >= step.count and all(machine.state is not InstanceState.PENDING for machine in seen)


def _is_gone(seen: Instance | None) -> bool:
    return seen is None or seen.state.gone


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
        remedy=_SEE_MACHINES if look else end.remedy if end else None,
    )


def _undecided(error: CloudError, seen: str) -> CloudError:
    """What is not known, and what looking brought."""
    return CloudError(
        error.kind,
        cloud=error.cloud,
        code=error.code,
        sentence=f"{error.sentence} {seen}",
        reason=error.reason,
        remedy=_SEE_MACHINES,
        doubtful=True,
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


def _terminated(step: TerminateMachine, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.instance_id} {'was gone already' if already else 'is terminated'}.",
        already=already,
        facts={"instance": step.instance_id},
    )


def _machines(clouds: Clouds, step: LaunchMachines | TerminateMachine) -> Machines:
    return clouds.get(MACHINES, step.cloud)


def _conflict(step: LaunchMachines | TerminateMachine, sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.CONFLICT, cloud=step.cloud, sentence=sentence)
