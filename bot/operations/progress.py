"""What operations have done lately, by the order of the audit trail: for whoever follows changes without a clock."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from slipway.bot.operations.audit import StepPhase
from slipway.bot.store.database import Database
from slipway.bot.store.tables import audit, operation_target

_ENDS = (StepPhase.DONE, StepPhase.FAILED, StepPhase.UNKNOWN)


@dataclass(frozen=True)
class Progress:
    """What was done since some moment.

    Attributes:
        number: the newest entry of the trail: what comes after it is asked for next time.
        targets: what operations change of which a step ended since, however it ended.
        operation_id: the one of them whose step ended last; None where there is none.
    """

    number: int
    targets: tuple[str, ...] = ()
    operation_id: str | None = None


async def progress_since(database: Database, number: int | None, prefix: str) -> Progress:
    """What was done since the trail had so many entries; of None, only how many it has.

    Args:
        database: holds the trail.
        number: the number of the last entry that is known.
        prefix: with which the targets begin that count.
    """
    async with database.reading() as connection:
        newest = int(await connection.scalar(sa.select(sa.func.max(audit.c.number))) or 0)
        if number is None or newest <= number:
            return Progress(newest)
        ended = sa.or_(*(audit.c.action.like(f"step-%:{phase}") for phase in _ENDS))
        query = (
            sa.select(operation_target.c.target, operation_target.c.operation_id, sa.func.max(audit.c.number))
            .join(audit, audit.c.operation_id == operation_target.c.operation_id)
            .where(audit.c.number > number, audit.c.number <= newest, ended)
            .where(operation_target.c.target.like(f"{prefix}%"))
            .group_by(operation_target.c.target, operation_target.c.operation_id)
        )
        rows = sorted((await connection.execute(query)).all(), key=lambda row: int(row[2]))
    targets = tuple(dict.fromkeys(row.target for row in rows))
    return Progress(newest, targets, rows[-1].operation_id if rows else None)
