"""Reads what is owed, and how it stands: for the command, the watch, and reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from slipway.bot.core.times import Clock
from slipway.bot.operations.model import Operation
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import Standing as KnownOf
from slipway.bot.subjects.images.holds.model import HoldReader
from slipway.bot.subjects.images.replication.owed import owed_regions
from slipway.bot.subjects.images.replication.settings import ReplicationSettings, settings_for
from slipway.bot.subjects.images.replication.standing import Standing, line_of, standings
from slipway.bot.subjects.images.requests import Pin

NEWEST = 50
"""How many operations about a version are looked at: all tries, and the promotion before them."""


class AboutVersions(Protocol):
    """What is asked of :class:`slipway.bot.operations.persistence.repository.OperationRepository`."""

    async def about(self, target: str, limit: int) -> Sequence[Operation]:
        """The newest operations that change this, newest first."""
        ...


class KnownEvidence(Protocol):
    """Where evidence is looked up."""

    async def standing(self, versions: Collection[Pin]) -> Mapping[str, KnownOf]:
        """What counts of what is known of these versions, by their targets."""
        ...


class Debts:
    """What is owed of definitions that ``[replication]`` names regions for.

    Args:
        catalogue: reads the galleries.
        tables: ``[replication."PATTERN"]``, in the order of slipway.toml.
        operations: tell what was agreed to, and tried.
        evidence: tells what is called bad.
        holds: what must not be promoted.
        clock: the present.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        tables: Mapping[str, ReplicationSettings],
        operations: AboutVersions,
        *,
        evidence: KnownEvidence,
        holds: HoldReader,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._tables = tables
        self._operations = operations
        self._evidence = evidence
        self._holds = holds
        self._clock = clock

    @property
    def configured(self) -> bool:
        """Whether anything can be owed."""
        return bool(self._tables)

    async def of(self, wanted: str | None) -> tuple[Standing, ...]:
        """What is owed of the definitions that a name or pattern matches, or of all, and how it stands.

        Costs a listing for each definition that regions are configured for, and a read for each version that is
        latest somewhere.

        Raises:
            UserError: no definition matches.
            CloudError: a gallery cannot be read.
        """
        if not self.configured:
            return ()
        return await self.among(await self._catalogue.matching(wanted))

    async def among(self, definitions: Iterable[DefinitionRef]) -> tuple[Standing, ...]:
        """As :meth:`of`, of these definitions.

        Raises:
            CloudError: a gallery cannot be read.
        """
        here = [each for each in definitions if settings_for(each, self._tables) is not None]
        listed = await self._catalogue.versions_of(here)
        owed = await owed_regions(self._catalogue, listed, self._tables)
        barred = await self.barred([each.pin for each in owed])
        found: list[Standing] = []
        for each in owed:
            operations = await self._operations.about(each.pin.target, NEWEST)
            found += standings(each, operations, barred.get(each.pin.target, ""), self._clock())
        return tuple(found)

    async def barred(self, versions: Collection[Pin]) -> dict[str, str]:
        """Why versions must be promoted nowhere now, as the rest of a sentence, by target: somebody holds them, or
        calls them bad."""
        holds, known = await self._holds.read(), await self._evidence.standing(versions)
        found: dict[str, str] = {}
        for pin in versions:
            evidence = known.get(pin.target)
            if held := holds.why_held(pin, self._clock()):
                found[pin.target] = held
            elif evidence is not None and evidence.bad is not None:
                said = f" ({evidence.bad.summary})" if evidence.bad.summary else ""
                found[pin.target] = f"is called bad{said}"
        return found


async def debt_lines(debts: Debts, prefix: str) -> tuple[str, ...]:
    """What is owed anywhere, a line for each definition and state, for a report; none where nothing is.

    Args:
        debts: reads it.
        prefix: of command lines.

    Raises:
        CloudError: a gallery cannot be read.
    """
    return tuple(line_of(each, prefix) for each in await debts.of(None))
