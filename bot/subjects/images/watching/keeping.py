"""Which of the versions that others took away can be brought back."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from slipway.bot.clouds.ports.image_removal import DisablesVersions, KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import ImageVersions
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.watching.change import Aspect, Change

log = structlog.get_logger(__name__)


async def with_kept(
    gallery: ImageVersions, ref: DefinitionRef, changes: Sequence[Change]
) -> tuple[Change, ...]:
    """The changes, with it noted of each version that was deleted or disabled whether its cloud keeps it. Where that
    cannot be read, it is taken for one that does not: nothing is offered that may not be there."""
    deleted = any(each.aspect is Aspect.DELETED for each in changes)
    kept = await _kept(gallery, ref) if deleted else frozenset()
    disables = isinstance(gallery, DisablesVersions)
    return tuple(
        each.model_copy(update={"kept": True})
        if (each.aspect is Aspect.DELETED and each.version in kept)
        or (each.aspect is Aspect.DISABLED and disables)
        else each
        for each in changes
    )


async def _kept(gallery: ImageVersions, ref: DefinitionRef) -> frozenset[str]:
    if not isinstance(gallery, KeepsDeletedVersions):
        return frozenset()
    try:
        return frozenset(str(each.number) for each in await gallery.deleted_versions(ref.name))
    except CloudError as error:
        log.warning("what was deleted could not be read", definition=str(ref), problem=error.words)
        return frozenset()
