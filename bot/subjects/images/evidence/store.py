"""The evidence about versions, in the database. It grows, and nothing in it changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.clouds.ports.image_evidence import Evidence, EvidenceKind, Outcome
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import image_evidence
from slipway.bot.subjects.images.requests import Pin

MOST_VERSIONS = 300
"""How many versions one query asks about: three parameters each, and SQLite before 3.32 takes 999
(https://www.sqlite.org/limits.html)."""

_KINDS = frozenset(kind.value for kind in EvidenceKind)
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


class EvidenceStore:
    """Keeps what is known of versions.

    Args:
        database: where it stands.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, found: Evidence) -> bool:
        """Keep what was found out; false, with nothing changed, where its key is there already."""
        values = {
            "key": found.key,
            "cloud": found.cloud,
            "definition": found.definition.casefold(),
            "version": found.version,
            "kind": found.kind.value,
            "outcome": found.outcome.value,
            "summary": found.summary,
            "detail": found.detail,
            "source": found.source,
            "at": found.at,
        }
        added = insert(image_evidence).values(values).on_conflict_do_nothing()
        statement = added.returning(image_evidence.c.number)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(statement)).first() is not None

        return await self._database.write(write)

    async def has(self, key: str) -> bool:
        """Whether something of this key is recorded."""
        query = sa.select(image_evidence.c.number).where(image_evidence.c.key == key)
        async with self._database.reading() as connection:
            return await connection.scalar(query) is not None

    async def by_key(self, key: str) -> Evidence | None:
        """What is recorded under a key; None where nothing is, or nothing that is known here."""
        query = sa.select(image_evidence).where(image_evidence.c.key == key)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return _read(row) if row is not None and _is_known(row) else None

    async def of(self, versions: Collection[Pin]) -> Mapping[str, tuple[Evidence, ...]]:
        """What is known of these versions, by :attr:`.Pin.target`, in the order in which it was recorded.

        A version of which nothing is known is not among them. What another version of Slipway recorded, of a kind or
        with an outcome that is not known here, is left out.
        """
        same = sa.tuple_(image_evidence.c.cloud, image_evidence.c.definition, image_evidence.c.version)
        wanted = sorted({(pin.cloud, pin.definition.casefold(), pin.version) for pin in versions})
        found: dict[str, list[Evidence]] = {}
        async with self._database.reading() as connection:
            for first in range(0, len(wanted), MOST_VERSIONS):
                some = wanted[first : first + MOST_VERSIONS]
                query = sa.select(image_evidence).where(same.in_(some)).order_by(image_evidence.c.number)
                for row in (await connection.execute(query)).mappings():
                    if _is_known(row):
                        read = _read(row)
                        found.setdefault(target_of(read), []).append(read)
        return {target: tuple(each) for target, each in found.items()}


def target_of(evidence: Evidence) -> str:
    """The version that it is about, as :attr:`.Pin.target` names it."""
    pin = Pin(definition=evidence.definition, version=evidence.version, cloud=evidence.cloud)
    return pin.target


def _is_known(row: sa.RowMapping) -> bool:
    return row["kind"] in _KINDS and row["outcome"] in _OUTCOMES


def _read(row: sa.RowMapping) -> Evidence:
    return Evidence(
        cloud=row["cloud"],
        definition=row["definition"],
        version=row["version"],
        kind=EvidenceKind(row["kind"]),
        outcome=Outcome(row["outcome"]),
        summary=row["summary"],
        source=row["source"],
        at=row["at"],
        key=row["key"],
        detail=row["detail"],
        number=row["number"],
    )
