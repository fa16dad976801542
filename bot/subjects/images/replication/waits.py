"""When steps that last began, and how often they tried: what a wait needs to know over restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.uptime import Moment, ReadUptime, by_todays_clock, noted_uptime, system_uptime
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import step_wait


@dataclass(frozen=True)
class Wait:
    """One step's wait."""

    begun_at: datetime
    tries: int


class WaitStore:
    """Keeps waits, by the tokens of their steps.

    Args:
        database: where they stand.
        uptime: tells how long ago one began, though the clock was set since.
    """

    def __init__(self, database: Database, uptime: ReadUptime = system_uptime) -> None:
        self._database = database
        self._uptime = uptime

    async def begin(self, token: str, now: datetime) -> Wait:
        """The wait of this token, which begins now unless it began before, by the clock as it goes now.

        One that began later than now did so by a clock that was ahead, before this boot, and nobody knows when: it
        begins anew, so that it takes its whole time once more at most.
        """
        up = self._uptime()
        begins = {"begun_at": now, "boot": up.boot, "uptime": up.seconds}

        async def write(connection: AsyncConnection) -> Wait:
            values = {"token": token, "tries": 0, **begins}
            await connection.execute(insert(step_wait).values(values).on_conflict_do_nothing())
            query = sa.select(step_wait).where(step_wait.c.token == token)
            row = (await connection.execute(query)).mappings().one()
            noted = Moment(row["begun_at"], noted_uptime(row["boot"], row["uptime"]))
            begun_at = by_todays_clock(noted, Moment(now, up))
            if begun_at > now:
                await connection.execute(
                    sa.update(step_wait).where(step_wait.c.token == token).values(begins)
                )
            return Wait(min(begun_at, now), row["tries"])

        return await self._database.write(write)

    async def tried(self, token: str) -> None:
        """Count a try."""
        statement = sa.update(step_wait).where(step_wait.c.token == token)
        await self._database.execute(statement.values(tries=step_wait.c.tries + 1))
