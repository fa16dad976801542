"""What the subject of images has of cleaning up: its table, its kind of operation and the steps of a removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.images.cleaning_up.confirmation import CleanupConfirmation
from slipway.bot.subjects.images.cleaning_up.deleting import DeleteVersionExecutor
from slipway.bot.subjects.images.cleaning_up.disabling import DisableVersionExecutor
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.requests import Cleanup
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices

RETENTION = SettingsTable(
    name="retention",
    model=RetentionSettings,
    shape=TableShape.SINGLE,
    summary="what a clean-up keeps",
)


def checks(services: ImageServices) -> RemovalChecks:
    """What speaks against a removal by now."""
    return RemovalChecks(
        services.clouds,
        services.retention,
        services.clock,
        services.holds.store,
        services.usage,
        services.restoring.prefix,
    )


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Cleanup,
        planner=lambda services: CleanupPlanner(
            services.catalogue,
            services.retention,
            services.holds.store,
            services.usage,
            services.announcements,
            services.restoring.prefix,
        ),
        arguments=lambda request: (request.definition,) if request.definition else (),
        policy=PolicyDefaults(approvals=1, demanded=lambda _settings: 1),
        needs=IMAGE_VERSIONS,
        confirm=lambda services: CleanupConfirmation(
            services.clouds, services.polling, services.announcements
        ),
    ),
)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=DeleteVersion,
        executor=lambda services: DeleteVersionExecutor(services.clouds, checks(services), services.polling),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
    StepKind(
        step=DisableVersion,
        executor=lambda services: DisableVersionExecutor(services.clouds, checks(services), services.polling),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)

TABLES = (RETENTION,)
