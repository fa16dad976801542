"""How schedules ran and who paused them, in the database; and what of it is known here, for whoever cannot wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.operations.audit import AuditEntry, append
from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import schedule_pause, schedule_run
from slipway.bot.subjects.schedules.model import Delay, Fate, LastRun, Pause


class ScheduleStore:
    """One row a schedule: its newest run, and its pause."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pauses: Mapping[str, Pause] = {}
        self._runs: Mapping[str, LastRun] = {}

    @property
    def known_pauses(self) -> Mapping[str, Pause]:
        """The pauses as this process read or changed them last, by their schedules."""
        return self._pauses

    @property
    def known_runs(self) -> Mapping[str, LastRun]:
        """The newest runs as this process read them last, by their schedules."""
        return self._runs

    async def pauses(self) -> Mapping[str, Pause]:
        """The pauses, by their schedules, also those that have ended and were not told yet."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(schedule_pause))).mappings()
            self._pauses = {row["schedule"]: Pause(**row) for row in rows}
        return self._pauses

    async def runs(self) -> Mapping[str, LastRun]:
        """The newest run of each schedule that ever had one, by its name."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(sa.select(schedule_run))).mappings()
            self._runs = {row["schedule"]: _run(row) for row in rows}
        return self._runs

    async def pause(self, pause: Pause) -> None:
        """Place a pause, instead of the one that there is."""
        values = {name: getattr(pause, name) for name in ("person", "reason", "since", "until", "key")}
        await self._database.execute(
            insert(schedule_pause)
            .values(schedule=pause.schedule, **values)
            .on_conflict_do_update(index_elements=["schedule"], set_=values)
        )
        await self.pauses()

    async def resume(self, schedule: str, key: str) -> None:
        """Lift the pause of this key; one that is not there is no error."""
        await self._database.execute(
            schedule_pause.delete().where(schedule_pause.c.schedule == schedule, schedule_pause.c.key == key)
        )
        await self.pauses()

    async def end(self, pause: Pause, entry: AuditEntry) -> None:
        """Take away a pause that has ended by itself, with its entry in the audit trail."""

        async def work(connection: AsyncConnection) -> None:
            await append(connection, entry)
            await connection.execute(
                schedule_pause.delete().where(
                    schedule_pause.c.schedule == pause.schedule, schedule_pause.c.key == pause.key
                )
            )

        await self._database.write(work)
        await self.pauses()

    async def note(self, run: LastRun) -> None:
        """Keep how the newest time of a schedule went; what was answered to the same event stays."""
        values = {
            "due": run.due,
            "at": run.at,
            "fate": run.fate.value,
            "delay": run.delay.value,
            "count": run.count,
            "by": run.by,
            "key": run.key,
            "outcome": run.outcome,
            "operation_id": run.operation_id,
        }
        statement = insert(schedule_run).values(schedule=run.schedule, **values)
        await self._database.execute(
            statement.on_conflict_do_update(
                index_elements=["schedule"],
                set_=values,
                where=sa.or_(
                    schedule_run.c.key != run.key, schedule_run.c.key == "", schedule_run.c.outcome == ""
                ),
            )
        )

    async def answered(self, key: str, outcome: str, operation_id: str | None) -> None:
        """Keep what was answered to the event of this key, if it is the newest one still."""
        await self._database.execute(
            schedule_run.update()
            .where(schedule_run.c.key == key)
            .values(outcome=outcome, operation_id=operation_id)
        )

    async def left_out(self, key: str, why: str) -> None:
        """Keep that a freeze left out what the event of this key asked for, if it is the newest one still."""
        await self._database.execute(
            schedule_run.update()
            .where(schedule_run.c.key == key)
            .values(fate=Fate.FROZEN.value, outcome=why, operation_id=None)
        )

    async def keep_only(self, schedules: Collection[str]) -> None:
        """Forget schedules that the configuration has no more: one that is called so later is another one."""
        for table in (schedule_pause, schedule_run):
            await self._database.execute(table.delete().where(table.c.schedule.not_in(schedules)))


def _run(row: sa.RowMapping) -> LastRun:
    return LastRun(**{**row, "fate": Fate(row["fate"]), "delay": Delay(row["delay"])})
