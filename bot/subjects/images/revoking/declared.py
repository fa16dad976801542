"""What the subject of images has of revoking: its kind of operation. Its steps are those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults
from slipway.bot.subjects.images.revoking.planner import RevokePlanner
from slipway.bot.subjects.images.revoking.requests import Revoke

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices


def _arguments(request: Revoke) -> tuple[str, ...]:
    at = () if request.at is None else ("--at", f"{request.at:%Y-%m-%dT%H:%M}Z")
    return (*at, f"{request.definition}/{request.version}", *request.words.split())


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=Revoke,
        planner=lambda services: services.protecting(RevokePlanner),
        arguments=_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=1, demanded=lambda _settings: 1, like="rollback"),
        needs=IMAGE_VERSIONS,
    ),
)
