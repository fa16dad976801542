"""What the subject of machines has of boot tests: settings, kinds of operation, steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.operations.declarations import ANYTHING, OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.machines.testing.requests import BootTest
from slipway.bot.subjects.machines.testing.services import (
    boot_test_planner,
    end_executor,
    launch_executor,
    watch_executor,
)
from slipway.bot.subjects.machines.testing.settings import TESTING
from slipway.bot.subjects.machines.testing.steps import EndTest, LaunchForTest, WatchBoot

if TYPE_CHECKING:
    from slipway.bot.subjects.machines.services import MachineServices


def _arguments(request: BootTest) -> Sequence[str]:
    return ("--due",) if request.due else (request.image,)


KINDS: tuple[OperationKind[Any, MachineServices], ...] = (
    OperationKind(
        request=BootTest,
        planner=boot_test_planner,
        arguments=_arguments,
        policy=PolicyDefaults(approvals=0),
        needs=MACHINES,
        named_by=ANYTHING,
    ),
)

STEPS: tuple[StepKind[Any, MachineServices], ...] = (
    StepKind(step=LaunchForTest, executor=launch_executor, touches=lambda step: step.touched),
    StepKind(
        step=WatchBoot,
        executor=watch_executor,
        touches=lambda step: step.touched,
        targets=lambda step: step.targets,
    ),
    StepKind(step=EndTest, executor=end_executor, touches=lambda step: step.touched),
)

TABLES = (TESTING,)
