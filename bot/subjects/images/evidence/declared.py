"""What the subject of images has of evidence: kinds of operation and steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.images.evidence.requests import Bad, Good, VerdictRequest
from slipway.bot.subjects.images.evidence.steps import RecordVerdict

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices


def _arguments(request: VerdictRequest) -> Sequence[str]:
    return (f"{request.definition}/{request.version}", *request.words.split())


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Good,
        planner=lambda services: services.evidence.verdicts(services.catalogue),
        arguments=_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=0),
        needs=IMAGE_VERSIONS,
        right="evidence",
        command="good",
    ),
    OperationKind(
        request=Bad,
        planner=lambda services: services.evidence.verdicts(services.catalogue),
        arguments=_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=0),
        needs=IMAGE_VERSIONS,
        right="evidence",
        command="bad",
    ),
)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=RecordVerdict,
        executor=lambda services: services.evidence.recording(services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)
