"""What the subject of images has of adopting: its kind of operation, its step, and a source of problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.images.adopting.requests import Adopt
from slipway.bot.subjects.images.adopting.steps import AdoptChange

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices


def _arguments(request: Adopt) -> Sequence[str]:
    notice = () if request.notice is None else ("--notice", str(request.notice))
    image = f"{request.definition}/{request.version}" if request.version else request.definition
    return (*notice, image, *request.words.split())


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Adopt,
        planner=lambda services: services.adopting.planner(services.catalogue, services.evidence.store),
        arguments=_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=0),
        needs=IMAGE_VERSIONS,
    ),
)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=AdoptChange,
        executor=lambda services: services.adopting.executor(services.clouds, services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)
