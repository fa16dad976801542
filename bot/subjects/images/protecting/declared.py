"""What the subject of images has of protecting: its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.operations.declarations import StepKind
from slipway.bot.subjects.images.cleaning_up.declared import checks
from slipway.bot.subjects.images.protecting.executors import LiftProtectionExecutor, ProtectVersionExecutor
from slipway.bot.subjects.images.steps import LiftProtection, ProtectVersion

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=ProtectVersion,
        executor=lambda services: ProtectVersionExecutor(services.clouds, services.polling),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
    StepKind(
        step=LiftProtection,
        executor=lambda services: LiftProtectionExecutor(services.clouds, checks(services), services.polling),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)
