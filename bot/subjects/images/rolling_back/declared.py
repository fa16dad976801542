"""What the subject of images has of rolling back: its kind of operation. Its steps are those of a promotion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults
from slipway.bot.subjects.images.requests import Rollback
from slipway.bot.subjects.images.rolling_back.planner import RollbackPlanner

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices

KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Rollback,
        planner=lambda services: services.protecting(
            lambda catalogue: RollbackPlanner(catalogue, services.history)
        ),
        arguments=lambda request: (request.definition, *(("--to", request.to) if request.to else ())),
        policy=PolicyDefaults(approvals=1),
        needs=IMAGE_VERSIONS,
    ),
)
