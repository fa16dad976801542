"""Region debts: where the newest promoted version of a definition is wanted, and a launch does not resolve to it.

Nothing of that is stored: it follows from what is configured and what is there. So a region that is configured newly
shows as one, and a rollback takes what is owed with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slipway.bot.clouds.model import ImageVersion, Replication, VersionListing
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, RegionalReplication
from slipway.bot.core.steps import Step
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.replication.reach import Debt, regions_owed
from slipway.bot.subjects.images.replication.settings import ReplicationSettings, settings_for
from slipway.bot.subjects.images.replication.states import missing_copies
from slipway.bot.subjects.images.replication.steps import AwaitCopies, ReplicateVersion
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import newest_latest


@dataclass(frozen=True)
class Owed:
    """What is owed of one definition.

    Attributes:
        definition: which.
        version: its newest promoted version, with its copies.
        wanted: what is configured.
        copies: the regions where its copy is missing or not complete, with how far it is.
        closed: the regions where the copy is, and in which it is not promoted: waves that did not come, or what was
            left out.
    """

    definition: DefinitionRef
    version: ImageVersion
    wanted: ReplicationSettings
    copies: Mapping[str, Replication | None]
    closed: tuple[str, ...]

    @property
    def pin(self) -> Pin:
        """The version."""
        return Pin.of(self.definition, self.version)

    @property
    def payable(self) -> tuple[str, ...]:
        """The regions that may be seen to without a word about the others: none while waves are still to come."""
        return () if self.version.excluded else tuple(sorted((*self.copies, *self.closed)))

    def debt(self, regions: Sequence[str], *, rollbacks: int | None = None) -> Debt:
        """What is to be done in some of its regions."""
        return Debt(
            **self.pin.model_dump(),
            regions=tuple(regions),
            replicas=self.wanted.replicas,
            within=int(self.wanted.within.total_seconds()),
            copied=not any(region in self.copies for region in regions),
            rollbacks=rollbacks,
        )


def pin_of(debt: Debt) -> Pin:
    """The version that is owed."""
    return Pin(definition=debt.definition, version=debt.version, cloud=debt.cloud, qualified=debt.qualified)


def in_words(debt: Debt) -> str:
    """That it will be where it is owed, as a sentence."""
    where = join_names(debt.regions, len(debt.regions))
    return f"{debt.version} of {pin_of(debt).ref}, promoted before, is in {where}, too."


def steps_of(debts: Sequence[Debt]) -> Iterator[Step]:
    """What pays debts: all copies are begun, then waited for, and then it is promoted there."""
    copied = [debt for debt in debts if not debt.copied]
    for debt in copied:
        yield ReplicateVersion(
            **pin_of(debt).model_dump(), regions=debt.regions, replicas=debt.replicas, owed=True
        )
    for debt in copied:
        yield AwaitCopies(
            **pin_of(debt).model_dump(),
            regions=debt.regions,
            replicas=debt.replicas,
            within=debt.within,
            owed=True,
        )
    for debt in debts:
        yield SetExcluded(
            **pin_of(debt).model_dump(),
            excluded=False,
            why=FlagReason.OWED,
            rollbacks=debt.rollbacks,
            overridden=debt.overridden,
            regions=debt.regions,
            needs=debt.regions,
        )


async def owed_regions(
    catalogue: Catalogue,
    listed: Mapping[DefinitionRef, VersionListing],
    tables: Mapping[str, ReplicationSettings],
) -> tuple[Owed, ...]:
    """What is owed of each of these definitions; nothing of one for which nothing is configured.

    Args:
        catalogue: reads copies.
        listed: their versions.
        tables: ``[replication."PATTERN"]``, in the order of slipway.toml.

    Raises:
        CloudError: a version cannot be read.
    """
    wanted = {
        ref: found
        for ref in listed
        if (found := settings_for(ref, tables)) is not None
        and isinstance(catalogue.clouds.get(IMAGE_VERSIONS, ref.cloud), RegionalReplication)
    }
    tops = [(ref, top) for ref in wanted if (top := newest_latest(listed[ref])) is not None]
    read = await catalogue.with_copies({ref: listed[ref] for ref, _ in tops}, tops)
    owed: list[Owed] = []
    for ref, top in tops:
        version = next((each for each in read[ref] if each.number == top.number), None)
        if version is None:
            continue
        copies = missing_copies(version, wanted[ref].regions)
        closed = tuple(region for region in regions_owed(version, wanted[ref]) if region not in copies)
        if copies or closed:
            owed.append(Owed(ref, version, wanted[ref], copies, closed))
    return tuple(owed)
