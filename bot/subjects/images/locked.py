"""What a cloud's own locks forbid, told where a change of a version is planned."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names


async def tell_locked(catalogue: Catalogue, changed: Mapping[DefinitionRef, ImageVersion]) -> tuple[str, ...]:
    """A sentence for each lock that forbids one of these changes; none where no lock is known to.

    Locks that cannot be read are no reason against a change: the cloud itself refuses it then, and says why.
    """
    known = await catalogue.locks(definition.cloud for definition in changed)
    held: dict[str, list[str]] = {}
    for definition, version in changed.items():
        locks = known[definition.cloud]
        for lock in () if isinstance(locks, CloudError) else locks:
            if lock.read_only and lock.holds(version.definition, version.number):
                held.setdefault(lock.name, []).append(f"{version.number} of {definition}")
    return tuple(
        f"The lock “{name}” in its cloud forbids to change {join_names(versions)}: this fails as long as it is there."
        for name, versions in held.items()
    )
