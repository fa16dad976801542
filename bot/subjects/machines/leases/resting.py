"""Stopping machines, so that only their disks cost, and starting them again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from slipway.bot.clouds.machine_model import InstanceState
from slipway.bot.clouds.ports.machines import StopsMachines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.machines.doubts import SEE_MACHINES, conflict, not_looked_up, undecided
from slipway.bot.subjects.machines.leases.care import OwnersAction
from slipway.bot.subjects.machines.leases.editor import LeaseEditor
from slipway.bot.subjects.machines.leases.held import Holdings, in_words, observed_leases
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.requests import Start, Stop
from slipway.bot.subjects.machines.leases.steps import StartMachine, StopMachine

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.leases.repository import Leases

RestT = TypeVar("RestT", Stop, Start)

STOPPED = (InstanceState.STOPPING, InstanceState.STOPPED)
STARTED = (InstanceState.PENDING, InstanceState.RUNNING)
"""One that is on the way there counts, and comes there. One that is shut down and still paid for is neither."""


class RestPlanner(Generic[RestT]):
    """Plans :class:`.requests.Stop` and :class:`.requests.Start`."""

    action: ClassVar[OwnersAction]
    done: ClassVar[str]
    wanted: ClassVar[tuple[InstanceState, ...]]
    step: ClassVar[type[StopMachine] | type[StartMachine]]

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings

    async def plan(self, request: RestT, now: datetime) -> Draft[RestT]:
        """Plan a step for each machine that is not so yet.

        Raises:
            UserError: as :meth:`.held.Holdings.named`; its cloud cannot do that.
            CloudError: a cloud cannot be read.
        """
        found = await self._holdings.named(request.instance_ids, request.requester, self.action)
        for held in found:
            if not isinstance(machines := self._holdings.at(held.machine), StopsMachines):
                raise UserError(f"{machines.title} has no machines that can be stopped and started.")
        names = tuple(held.machine.instance_id for held in found)
        others = [held for held in found if held.instance.state not in self.wanted]
        pinned = request.model_copy(update={"instance_ids": names})
        if not others:
            return Draft(
                pinned, f"Nothing to do: {in_words(names, 'is', 'are')} {self.done} already.", (), {}
            )
        return Draft(
            request=pinned,
            summary=f"{in_words([held.machine.instance_id for held in others], 'is', 'are')} {self.done}.",
            steps=tuple(
                self.step(
                    cloud=held.machine.cloud,
                    region=held.machine.region,
                    instance_id=held.machine.instance_id,
                    owner=held.machine.owner,
                )
                for held in others
            ),
            observed=observed_leases(found)
            | {f"machine {held.machine.place} {self.done}": held not in others for held in found},
            evidence=tuple((held.machine.instance_id, f"{held.instance.state.value} now") for held in found),
            independent=True,
        )


class StopPlanner(RestPlanner[Stop]):
    """Plans :class:`.requests.Stop`."""

    action, done, wanted, step = OwnersAction.STOP, "stopped", STOPPED, StopMachine


class StartPlanner(RestPlanner[Start]):
    """Plans :class:`.requests.Start`."""

    action, done, wanted, step = OwnersAction.START, "started", STARTED, StartMachine


class RestExecutor:
    """Carries out :class:`.steps.StopMachine` and :class:`.steps.StartMachine`: look, do it, look again.

    Args:
        holdings: where machines are looked at.
        editor: what is stored of them.
        leases: where it is noted since when one rests.
        clock: the present.
        polling: how long it may take to show.
    """

    def __init__(
        self, holdings: Holdings, editor: LeaseEditor, leases: Leases, clock: Clock, polling: Polling
    ) -> None:
        self._holdings = holdings
        self._editor = editor
        self._leases = leases
        self._clock = clock
        self._polling = polling

    async def observe(self, step: StopMachine | StartMachine, token: str) -> StepDone | None:
        """Done already if it is so.

        Raises:
            CloudError: CONFLICT where it is gone, or somebody else's by now.
        """
        machine = await self._editor.current(step)
        if machine.owner != step.owner:
            raise conflict(step, f"{step.instance_id} changed its owner; it was left alone.")
        if not _is_so(step, await self._state(step, machine)):
            return None
        await self._note(step, await self._editor.current(step))
        return _done(step, already=True)

    async def act(self, step: StopMachine | StartMachine, token: str) -> None:
        """Ask for it.

        Raises:
            CloudError: it was not done, or nobody can tell; ``doubtful`` says which.
        """
        machines = self._holdings.at(await self._editor.current(step))
        if not isinstance(machines, StopsMachines):
            raise conflict(step, f"{machines.title} has no machines that can be stopped and started.")
        try:
            await (machines.stop if isinstance(step, StopMachine) else machines.start)(step.instance_id)
        except CloudError as error:
            if not error.doubtful:
                raise
            await self._settle(step, error)

    async def _settle(self, step: StopMachine | StartMachine, error: CloudError) -> None:
        """Return once it is so; raise what failed, and what was seen, where it is not."""
        try:
            state = await self._watch(step)
        except CloudError as blind:
            raise undecided(error, not_looked_up(error, blind)) from error
        if not _is_so(step, state):
            raise undecided(error, f"It is still {state.value}.") from error

    async def verify(self, step: StopMachine | StartMachine, token: str) -> StepDone:
        """Look until it is so, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        machine = await self._editor.current(step)
        title = self._holdings.at(machine).title
        try:
            state = await self._watch(step)
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}", SEE_MACHINES) from blind
        if not _is_so(step, state):
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the order, but {step.instance_id} is still {state.value}.",
            )
        await self._note(step, await self._editor.current(step))
        return _done(step, already=False)

    async def _watch(self, step: StopMachine | StartMachine) -> InstanceState:
        machine = await self._editor.current(step)
        return await self._polling.until(
            lambda: self._state(step, machine), lambda state: _is_so(step, state) or state.gone
        )

    async def _state(self, step: StopMachine | StartMachine, machine: Machine) -> InstanceState:
        try:
            return (await self._holdings.seen(machine)).state
        except UserError as error:
            raise conflict(step, error.sentence, SEE_MACHINES) from error

    async def _note(self, step: StopMachine | StartMachine, machine: Machine) -> None:
        if isinstance(step, StartMachine):
            await self._leases.runs(machine, self._clock())
        else:
            await self._leases.rests(machine, self._clock())


def _is_so(step: StopMachine | StartMachine, state: InstanceState) -> bool:
    """Whether a machine rests, or runs, as a step wants."""
    return state in (STOPPED if isinstance(step, StopMachine) else STARTED)


def _done(step: StopMachine | StartMachine, *, already: bool) -> StepDone:
    how = "stopped; its lease goes on" if isinstance(step, StopMachine) else "started"
    return StepDone(
        summary=f"{step.instance_id} is {'already ' if already else ''}{how}.",
        already=already,
        facts={"instance": step.instance_id},
    )
