"""What the subject of images has of holds: kinds of operation and steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.images.holds.requests import Hold, HoldRequest, Unhold
from slipway.bot.subjects.images.holds.steps import LiftHold, PlaceHold

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices


def _image(request: HoldRequest) -> str:
    return f"{request.definition}/{request.version}" if request.version else request.definition


def _hold_arguments(request: Hold) -> Sequence[str]:
    time = () if request.seconds is None else ("--for", format_duration(timedelta(seconds=request.seconds)))
    return (*time, _image(request), *request.words.split())


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Hold,
        planner=lambda services: services.holds.placing(services.catalogue),
        arguments=_hold_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=0),
        needs=IMAGE_VERSIONS,
    ),
    OperationKind(
        request=Unhold,
        planner=lambda services: services.holds.lifting(services.catalogue),
        arguments=lambda request: (_image(request), *request.words.split()),
        prose=True,
        policy=PolicyDefaults(approvals=0),
        needs=IMAGE_VERSIONS,
    ),
)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=PlaceHold,
        executor=lambda services: services.holds.placer(services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
    StepKind(
        step=LiftHold,
        executor=lambda services: services.holds.lifter(services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)
