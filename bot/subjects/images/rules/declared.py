"""What the subject of images has of promotion rules: kinds of operation, settings, and lines of `slipway check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.settings_table import AnyTable
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults
from slipway.bot.subjects.images.contents.settings import CONTENTS
from slipway.bot.subjects.images.requests import PromoteOverride
from slipway.bot.subjects.images.rules.judging import asked_of
from slipway.bot.subjects.images.rules.settings import PROMOTION

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices


def _override_arguments(request: PromoteOverride) -> Sequence[str]:
    image = f"{request.definition}/{request.version}" if request.version else request.definition
    options = [word for rule in request.rules for word in ("--override", rule)]
    options += [word for region in request.without for word in ("--without", region)]
    return (*options, image, *request.words.split())


KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=PromoteOverride,
        planner=lambda services: services.promoting,
        arguments=_override_arguments,
        prose=True,
        policy=PolicyDefaults(approvals=1, like="promote"),
        needs=IMAGE_VERSIONS,
        right="promote",
    ),
)

TABLES: tuple[AnyTable, ...] = (PROMOTION, CONTENTS)


def summary(settings: SlipwaySettings) -> Iterable[str]:
    """A line for each table of rules."""
    for pattern, wanted in settings.named(PROMOTION).items():
        rules = ", ".join(asked_of(wanted)) or "no rules but those that always hold"
        yield f"promotion {pattern}: {rules}{'; protected from deletion' if wanted.protect else ''}"
