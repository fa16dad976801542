"""All kinds of request and step, gathered: the one place to add a new kind to.

The unions are closed, so the type checker names every other place that a new kind concerns.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, assert_never

from pydantic import Field

from slipway.bot.core.steps import Draft, Executor, StepDone, StepT
from slipway.bot.core.times import format_duration
from slipway.bot.images.cleanup import CleanupPlanner
from slipway.bot.images.executors import DeleteVersionExecutor, SetExcludedExecutor
from slipway.bot.images.promote import PromotePlanner
from slipway.bot.images.requests import Cleanup, Promote, Rollback
from slipway.bot.images.rollback import RollbackPlanner
from slipway.bot.images.services import ImageServices
from slipway.bot.images.steps import DeleteVersion, SetExcluded
from slipway.bot.machines.executors import LaunchExecutor, TerminateExecutor
from slipway.bot.machines.launch import LaunchPlanner
from slipway.bot.machines.requests import Launch, Terminate
from slipway.bot.machines.services import MachineServices
from slipway.bot.machines.steps import LaunchMachines, TerminateMachine
from slipway.bot.machines.terminate import TerminatePlanner

AnyRequest = Annotated[Promote | Rollback | Cleanup | Launch | Terminate, Field(discriminator="kind")]
AnyStep = Annotated[
    SetExcluded | DeleteVersion | LaunchMachines | TerminateMachine, Field(discriminator="kind")
]


def command_line(request: AnyRequest) -> str:
    """The command that asks for this, without its prefix: what to type to plan it afresh."""
    match request:
        case Promote():
            words = ["promote", request.definition, *([request.version] if request.version else [])]
        case Rollback():
            words = ["rollback", request.definition]
        case Cleanup():
            words = ["cleanup", *([request.definition] if request.definition else [])]
        case Launch():
            words = ["launch", request.image]
            if request.profile:
                words += ["--profile", request.profile]
            if request.seconds:
                words += ["--for", format_duration(timedelta(seconds=request.seconds))]
            if request.count != 1:
                words += ["--count", str(request.count)]
        case Terminate():
            words = ["terminate", *(["--overdue"] if request.overdue else request.instance_ids)]
        case _:
            assert_never(request)
    return shlex.join(words)


def touched(step: AnyStep) -> tuple[str, ...]:
    """The names of what a step changes, for :class:`slipway.bot.operations.locks.Locks`; none for what is new.

    It is the definition rather than the version, because latest is a matter of all its versions. Azure
    compares names without case; so does this.
    """
    return step.touched


class Subjects:
    """Plans any request and carries out any step, by handing it to the subject that knows it."""

    def __init__(self, images: ImageSubject, machines: MachineSubject) -> None:
        self._images = images
        self._machines = machines

    @classmethod
    def of(cls, images: ImageServices, machines: MachineServices) -> Subjects:
        """The subjects of a configuration; what needs a cloud that is not configured says so."""
        return cls(ImageSubject.of(images), MachineSubject.of(machines))

    async def plan(self, request: AnyRequest, now: datetime) -> Draft[Any]:
        """Plan a request; see :class:`slipway.bot.core.steps.Planner`.

        Raises:
            Mistake: it cannot be met as asked, or its cloud is not configured.
            CloudError: a cloud could not be read.
        """
        match request:
            case Promote():
                return await self._images.promote.plan(request, now)
            case Rollback():
                return await self._images.rollback.plan(request, now)
            case Cleanup():
                return await self._images.cleanup.plan(request, now)
            case Launch():
                return await self._machines.launch.plan(request, now)
            case Terminate():
                return await self._machines.terminate.plan(request, now)
            case _:
                assert_never(request)

    async def carry_out(self, step: AnyStep, token: str) -> StepDone:
        """Do a step unless it is done: observe, act, verify; see :class:`slipway.bot.core.steps.Executor`.

        Raises:
            CloudError: it could not be done, or not be seen to be done.
        """
        match step:
            case SetExcluded():
                return await _carry_out(self._images.set_excluded, step, token)
            case DeleteVersion():
                return await _carry_out(self._images.delete_version, step, token)
            case LaunchMachines():
                return await _carry_out(self._machines.launch_machines, step, token)
            case TerminateMachine():
                return await _carry_out(self._machines.terminate_machine, step, token)
            case _:
                assert_never(step)


@dataclass(frozen=True)
class ImageSubject:
    """What is done with images."""

    promote: PromotePlanner
    rollback: RollbackPlanner
    cleanup: CleanupPlanner
    set_excluded: SetExcludedExecutor
    delete_version: DeleteVersionExecutor

    @classmethod
    def of(cls, services: ImageServices) -> ImageSubject:
        """Planners and executors."""
        catalogue, clouds, polling = services.catalogue, services.clouds, services.polling
        return cls(
            promote=PromotePlanner(catalogue),
            rollback=RollbackPlanner(catalogue),
            cleanup=CleanupPlanner(catalogue, services.retention),
            set_excluded=SetExcludedExecutor(clouds, polling),
            delete_version=DeleteVersionExecutor(clouds, services.retention, services.clock, polling),
        )


@dataclass(frozen=True)
class MachineSubject:
    """What is done with machines."""

    launch: LaunchPlanner
    terminate: TerminatePlanner
    launch_machines: LaunchExecutor
    terminate_machine: TerminateExecutor

    @classmethod
    def of(cls, services: MachineServices) -> MachineSubject:
        """Planners and executors."""
        clouds, polling = services.clouds, services.polling
        return cls(
            launch=LaunchPlanner(clouds, services.profiles),
            terminate=TerminatePlanner(clouds),
            launch_machines=LaunchExecutor(clouds, services.clock, polling),
            terminate_machine=TerminateExecutor(clouds, services.clock, polling),
        )


async def _carry_out(executor: Executor[StepT], step: StepT, token: str) -> StepDone:
    already = await executor.observe(step, token)
    if already is not None:
        return already
    await executor.act(step, token)
    return await executor.verify(step, token)
