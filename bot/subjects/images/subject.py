"""Images, declared: promoting, rolling back and cleaning up."""

from __future__ import annotations

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleanup import CleanupPlanner
from slipway.bot.subjects.images.confirmation import CleanupConfirmation
from slipway.bot.subjects.images.executors import DeleteVersionExecutor, SetExcludedExecutor
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.promote import PromotePlanner
from slipway.bot.subjects.images.requests import Cleanup, Promote, Rollback, without_rollbacks
from slipway.bot.subjects.images.rollback import RollbackPlanner
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion, SetExcluded, VersionStep

RETENTION = SettingsTable(
    name="retention",
    model=RetentionSettings,
    shape=TableShape.SINGLE,
    summary="what a clean-up keeps",
)


def _services(context: SubjectContext) -> ImageServices:
    return ImageServices(
        clouds=context.clouds,
        catalogue=Catalogue(context.clouds),
        history=RollbackHistory(context.operations),
        retention=context.settings.table(RETENTION),
        clock=context.clock,
        polling=context.polling,
    )


def _demanded_by_cleanups(settings: SlipwaySettings) -> int:
    """A plan above the share asks for an approval whatever the policy says."""
    return 1 if settings.table(RETENTION).approval_share < 1 else 0


def _touches(step: VersionStep) -> tuple[str, ...]:
    return step.touched


def _targets(step: VersionStep) -> tuple[str, ...]:
    return (step.target,)


IMAGES_SUBJECT: Subject[ImageServices] = Subject(
    name="images",
    title="Images",
    services=_services,
    kinds=(
        OperationKind(
            request=Promote,
            planner=lambda services: PromotePlanner(services.catalogue, services.history),
            arguments=lambda request: (request.definition, *([request.version] if request.version else [])),
            policy=PolicyDefaults(approvals=1),
            needs=IMAGE_VERSIONS,
            upgrades={1: without_rollbacks},
        ),
        OperationKind(
            request=Rollback,
            planner=lambda services: RollbackPlanner(services.catalogue, services.history),
            arguments=lambda request: (request.definition,),
            policy=PolicyDefaults(approvals=1),
            needs=IMAGE_VERSIONS,
        ),
        OperationKind(
            request=Cleanup,
            planner=lambda services: CleanupPlanner(services.catalogue, services.retention),
            arguments=lambda request: (request.definition,) if request.definition else (),
            policy=PolicyDefaults(approvals=1, demanded=_demanded_by_cleanups),
            needs=IMAGE_VERSIONS,
            confirm=lambda services: CleanupConfirmation(services.clouds, services.polling),
        ),
    ),
    steps=(
        StepKind(
            step=SetExcluded,
            executor=lambda services: SetExcludedExecutor(
                services.clouds, services.polling, history=services.history, clock=services.clock
            ),
            touches=_touches,
            targets=_targets,
            upgrades={1: without_rollbacks},
        ),
        StepKind(
            step=DeleteVersion,
            executor=lambda services: DeleteVersionExecutor(
                services.clouds, services.retention, services.clock, services.polling
            ),
            touches=_touches,
            targets=_targets,
        ),
    ),
    tables=(RETENTION,),
)
