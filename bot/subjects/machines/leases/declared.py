"""What the subject of machines has of leases: settings, kinds of operation, steps, and what looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.operations.watches import Watch, WatchHost
from slipway.bot.subjects.machines.leases.adopting import AdoptExecutor, InstanceAdoptPlanner
from slipway.bot.subjects.machines.leases.extending import ExtendPlanner, SetLeaseExecutor
from slipway.bot.subjects.machines.leases.handover import HandoverPlanner, SetOwnerExecutor
from slipway.bot.subjects.machines.leases.limits import LimitSettings
from slipway.bot.subjects.machines.leases.requests import Extend, Handover, InstanceAdopt, Start, Stop
from slipway.bot.subjects.machines.leases.resting import RestExecutor, StartPlanner, StopPlanner
from slipway.bot.subjects.machines.leases.settings import LeaseSettings
from slipway.bot.subjects.machines.leases.steps import (
    AdoptMachine,
    SetLease,
    SetOwner,
    StartMachine,
    StopMachine,
)

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.services import MachineServices

LEASES = SettingsTable(
    name="leases",
    model=LeaseSettings,
    shape=TableShape.SINGLE,
    summary="how machines are looked after until their time is up",
)

LIMITS = SettingsTable(
    name="limits",
    model=LimitSettings,
    shape=TableShape.SINGLE,
    summary="how many machines and lease hours there may be",
    named_roles=lambda limits: ((f"roles.{name}", name) for name in limits.roles),
)


async def _look(services: MachineServices, host: WatchHost) -> None:
    from slipway.bot.subjects.machines.watching.watch import look  # with a logger: not for `slipway check`

    await look(services, host)


WATCH: Watch[MachineServices] = Watch("leases", ("terminate", "stop"), _look)


def _extend_arguments(request: Extend) -> Sequence[str]:
    return (*request.instance_ids, "--for", format_duration(timedelta(seconds=request.seconds)))


def _adopt_arguments(request: InstanceAdopt) -> Sequence[str]:
    words = [request.instance_id]
    if request.owner:
        words += ["--owner", request.owner]
    if request.seconds is not None:
        words += ["--for", format_duration(timedelta(seconds=request.seconds))]
    return words


KINDS: tuple[OperationKind[Any, MachineServices], ...] = (
    OperationKind(
        request=Extend,
        planner=lambda services: ExtendPlanner(services.holdings, services.allowance, services.profiles),
        arguments=_extend_arguments,
        policy=PolicyDefaults(approvals=0, forgeable_presses=True),
        needs=MACHINES,
    ),
    OperationKind(
        request=Stop,
        planner=lambda services: StopPlanner(services.holdings),
        arguments=lambda request: request.instance_ids,
        policy=PolicyDefaults(approvals=0, forgeable_presses=True),
        needs=MACHINES,
    ),
    OperationKind(
        request=Start,
        planner=lambda services: StartPlanner(services.holdings),
        arguments=lambda request: request.instance_ids,
        policy=PolicyDefaults(approvals=0, forgeable_presses=True),
        needs=MACHINES,
    ),
    OperationKind(
        request=Handover,
        planner=lambda services: HandoverPlanner(services.holdings, services.allowance, services.people),
        arguments=lambda request: (*request.instance_ids, "--to", request.to),
        policy=PolicyDefaults(approvals=0, forgeable_presses=True),
        needs=MACHINES,
    ),
    OperationKind(
        request=InstanceAdopt,
        planner=lambda services: InstanceAdoptPlanner(
            services.clouds, services.leases, services.profiles, services.people
        ),
        arguments=_adopt_arguments,
        policy=PolicyDefaults(approvals=0),
        needs=MACHINES,
        right="instance.adopt",
    ),
)


def _rest(services: MachineServices) -> RestExecutor:
    return RestExecutor(services.holdings, services.editor, services.leases, services.clock, services.polling)


STEPS: tuple[StepKind[Any, MachineServices], ...] = (
    StepKind(
        step=SetLease,
        executor=lambda services: SetLeaseExecutor(services.editor, services.allowance, services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: step.targets,
    ),
    StepKind(
        step=SetOwner,
        executor=lambda services: SetOwnerExecutor(services.editor, services.allowance, services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: step.targets,
    ),
    StepKind(
        step=StopMachine, executor=_rest, touches=lambda step: step.touched, targets=lambda step: step.targets
    ),
    StepKind(
        step=StartMachine,
        executor=_rest,
        touches=lambda step: step.touched,
        targets=lambda step: step.targets,
    ),
    StepKind(
        step=AdoptMachine,
        executor=lambda services: AdoptExecutor(services.editor, services.leases),
        touches=lambda step: step.touched,
        targets=lambda step: step.targets,
    ),
)
