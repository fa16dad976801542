"""Rotation, as the subject declares it."""

from __future__ import annotations

from typing import Any

from slipway.bot.clouds.ports.credential_rotation import CREDENTIAL_ROTATION
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.steps import Target
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.subjects.credentials.rotating.executors import GraceExecutor, PauseExecutor, RemoveExecutor
from slipway.bot.subjects.credentials.rotating.leftovers import RemovePlanner
from slipway.bot.subjects.credentials.rotating.planner import RotatePlanner
from slipway.bot.subjects.credentials.rotating.requests import Remove, Rotate
from slipway.bot.subjects.credentials.rotating.staging import StageExecutor
from slipway.bot.subjects.credentials.rotating.steps import (
    AwaitGrace,
    PauseKey,
    RemoveKey,
    RotationStep,
    StageSuccessor,
)
from slipway.bot.subjects.credentials.services import CredentialServices
from slipway.bot.subjects.credentials.settings import CREDENTIALS, SourceKind


def _touches(step: RotationStep) -> tuple[str, ...]:
    return step.target, step.of_holder


def _targets(step: RotationStep) -> tuple[str, ...]:
    return (step.target,)


def _rotates(settings: SlipwaySettings) -> bool:
    return any(entry.deliver for entry in settings.named(CREDENTIALS).values())


def _removes(settings: SlipwaySettings) -> bool:
    held = (SourceKind.APPLICATION, SourceKind.USER)
    return any(kind in held for entry in settings.named(CREDENTIALS).values() for kind in entry.sources)


ROTATE: OperationKind[Rotate, CredentialServices] = OperationKind(
    request=Rotate,
    planner=RotatePlanner,
    arguments=lambda request: (request.name,),
    policy=PolicyDefaults(approvals=1, like="promote", wanted=_rotates),
    needs=CREDENTIAL_ROTATION,
    names=lambda settings: map(Target, settings.named(CREDENTIALS)),
    right="credential.rotate",
)

REMOVE: OperationKind[Remove, CredentialServices] = OperationKind(
    request=Remove,
    planner=RemovePlanner,
    arguments=lambda request: (request.name,) if request.name else (),
    policy=PolicyDefaults(approvals=1, like="cleanup", wanted=_removes),
    needs=CREDENTIAL_ROTATION,
    names=lambda settings: map(Target, settings.named(CREDENTIALS)),
    right="credential.remove",
)

STEPS: tuple[StepKind[Any, CredentialServices], ...] = (
    StepKind(
        step=StageSuccessor,
        executor=lambda services: StageExecutor(services.workshop),
        touches=_touches,
        targets=_targets,
    ),
    StepKind(
        step=AwaitGrace,
        executor=lambda services: GraceExecutor(services.workshop),
        touches=_touches,
        targets=_targets,
    ),
    StepKind(
        step=PauseKey,
        executor=lambda services: PauseExecutor(services.workshop),
        touches=_touches,
        targets=_targets,
    ),
    StepKind(
        step=RemoveKey,
        executor=lambda services: RemoveExecutor(services.workshop, services.hasten),
        touches=_touches,
        targets=_targets,
    ),
)
