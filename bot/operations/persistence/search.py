"""Operations as somebody looks for them: by state, by kind, by what they change; newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.operations.persistence.rows import OperationRows
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.store.database import Database
from slipway.bot.store.tables import operation, operation_target


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Attributes:
        state: only in this one; None for all.
        kind: only of this one; empty for all.
        text: the operation's id, or a part of the name of something that it changes; empty for all.
        before: only those that are older than the operation of this id; empty for all.
    """

    state: OperationState | None = None
    kind: str = ""
    text: str = ""
    before: str = ""


async def search(
    database: Database, registry: SubjectRegistry, wanted: Wanted, limit: int
) -> tuple[Operation, ...]:
    """The newest operations that fit, newest first."""
    query = sa.select(operation).order_by(operation.c.sequence.desc()).limit(limit)
    if wanted.state is not None:
        query = query.where(operation.c.state == wanted.state)
    if wanted.kind:
        query = query.where(operation.c.kind == wanted.kind)
    if wanted.text:
        target = operation_target.c.target.contains(wanted.text.lower(), autoescape=True)
        about = sa.select(operation_target.c.operation_id).where(target)
        query = query.where(operation.c.id.in_(about) | (operation.c.id == wanted.text))
    if wanted.before:
        place = sa.select(operation.c.sequence).where(operation.c.id == wanted.before).scalar_subquery()
        query = query.where(operation.c.sequence < place)
    async with database.reading() as connection:
        return await OperationRows(registry).select(connection, query)
