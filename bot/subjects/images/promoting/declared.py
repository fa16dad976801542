"""What the subject of images has of promoting: its kind of operation and the step that sets a flag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.images.marking import MarkingExecutor
from slipway.bot.subjects.images.promoting.flags import SetExcludedExecutor
from slipway.bot.subjects.images.requests import Promote, without_rollbacks, without_rules
from slipway.bot.subjects.images.steps import SetExcluded

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices


def _promote_arguments(request: Promote) -> tuple[str, ...]:
    version = (request.version,) if request.version else ()
    without = [word for region in request.without for word in ("--without", region)]
    return (
        *(("--due",) if request.due else ()),
        *without,
        request.definition,
        *version,
        *request.waiver.split(),
    )


def _setter(services: ImageServices) -> MarkingExecutor:
    setter = SetExcludedExecutor(
        services.clouds,
        services.polling,
        history=services.history,
        holds=services.holds.store,
        rules=services.rules,
        clock=services.clock,
    )
    return MarkingExecutor(setter, services.evidence.store, services.clock)


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Promote,
        planner=lambda services: services.promoting,
        arguments=_promote_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=1),
        needs=IMAGE_VERSIONS,
        upgrades={1: without_rollbacks, 2: without_rules},
    ),
)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=SetExcluded,
        executor=_setter,
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
        upgrades={1: without_rollbacks, 2: without_rules},
    ),
)
