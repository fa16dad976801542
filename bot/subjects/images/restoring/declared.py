"""What the subject of images has of restoring: its kind of operation and its step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.images.restoring.executor import RestoreVersionExecutor
from slipway.bot.subjects.images.restoring.requests import Restore
from slipway.bot.subjects.images.restoring.steps import RestoreVersion

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices

KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Restore,
        planner=lambda services: services.restoring.planner(services.catalogue),
        arguments=lambda request: (f"{request.definition}/{request.version}",),
        # As urgent as a rollback where a clean-up took away what is needed, and as harmless.
        policy=PolicyDefaults(approvals=1, demanded=lambda _settings: 1, like="rollback"),
        needs=IMAGE_VERSIONS,
    ),
)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=RestoreVersion,
        executor=lambda services: RestoreVersionExecutor(services.clouds, services.polling),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)
