"""What a promotion chooses of the versions of a definition: pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import FlagReason
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_half_promoted,
    is_promoted,
    is_promoted_everywhere,
    newer_candidates,
    newest_latest,
    unfit,
)


def is_done(version: ImageVersion) -> bool:
    """Whether there is nothing left to promote."""
    return version.state is VersionState.SUCCEEDED and is_promoted_everywhere(version)


def why_not(version: ImageVersion, now: datetime) -> str | None:
    """Why a version that somebody names must not be promoted, as the rest of a sentence; None where it may."""
    half = is_half_promoted(version) and not has_ended(version, now)
    return None if half else unfit(version, now)


def avoided(back: Collection[Pin]) -> Callable[[DefinitionRef, ImageVersion], bool]:
    """Tells whether a version was rolled back, and so is not chosen by itself."""
    targets = {pin.target for pin in back}
    return lambda definition, version: (
        bool(targets) and Pin.of(definition, version).target in targets and not is_promoted(version)
    )


def choose(
    definition: DefinitionRef, versions: Sequence[ImageVersion], back: Collection[Pin], now: datetime
) -> ImageVersion | None:
    """What promoting without naming a version chooses; None where there is nothing to promote: the first of
    :func:`choices`."""
    return next(iter(choices(definition, versions, back, now)), None)


def choices(
    definition: DefinitionRef, versions: Sequence[ImageVersion], back: Collection[Pin], now: datetime
) -> list[ImageVersion]:
    """What may be promoted without being named, the newest first, whatever its rules say.

    Candidates that were not rolled back; where there is none, the latest whose own promotion has not ended, or not
    well.

    Args:
        definition: of which they are to be.
        versions: what the definition has.
        back: what was rolled back, and not promoted since: at least of :func:`choosable`.
        now: the present.
    """
    is_avoided = avoided(back)
    versions = [each for each in versions if not is_avoided(definition, each)]
    candidates = [each for each in newer_candidates(versions) if unfit(each, now) is None]
    top = newest_latest(versions)
    if not candidates and top is not None and is_half_promoted(top) and not has_ended(top, now):
        return [top]
    return candidates


def choosable(versions: Sequence[ImageVersion]) -> list[ImageVersion]:
    """Those that :func:`choose` may choose, had none been rolled back."""
    return [*newer_candidates(versions), *filter(is_half_promoted, versions)]


def why_half(version: ImageVersion) -> FlagReason | None:
    """What is to be done for a version that is promoted, and whose update has not ended, or not well."""
    if not is_half_promoted(version):
        return None
    return FlagReason.UNDER_WAY if version.state is VersionState.UPDATING else FlagReason.FAILED_HALFWAY
