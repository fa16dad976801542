"""What is stored of reservations and machines, and the one transaction in which a launch is counted and noted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import machine as machine_table
from slipway.bot.store.tables import reservation as reservation_table
from slipway.bot.subjects.machines.leases.limits import Place, Usage, lease_hours
from slipway.bot.subjects.machines.leases.model import (
    ChangedMeanwhileError,
    Machine,
    Reservation,
    ReservationState,
)

Check = Callable[[Usage], None]
"""Looks whether something fits beside what is in use, and raises UserError where it does not."""

_KEY = ("cloud", "instance_id")
_NOTHING_TOLD = "{}"


class Notes(TypedDict, total=False):
    """What is noted of a machine beside owner and lease; see :class:`.model.Machine`."""

    ended_at: datetime | None
    mirrored: int
    told: Mapping[str, int]
    attempts: int
    next_attempt_at: datetime | None


class Leases:
    """Reservations and machines, as the database has them. It decides; tags only mirror what stands here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, reservation: Reservation, check: Check) -> Reservation:
        """Count what is in use, and note this launch beside it, in one write transaction: of two at once the second
        is counted with the first.

        Returns:
            what is stored: this, or the one of this id that was claimed or launched before.

        Raises:
            UserError: what ``check`` raises, where the launch does not fit; nothing is stored then.
        """

        async def work(connection: AsyncConnection) -> Reservation:
            known = await _reservation(connection, reservation.id)
            if known is not None and known.state is not ReservationState.RELEASED:
                return known
            check(await _usage(connection))
            claimed = replace(reservation, state=ReservationState.CLAIMED)
            row = asdict(claimed)
            await connection.execute(
                insert(reservation_table)
                .values(row)
                .on_conflict_do_update(
                    index_elements=["id"], set_={key: row[key] for key in row if key != "id"}
                )
            )
            return claimed

        return await self._database.write(work)

    async def release(self, reservation_id: str) -> None:
        """Note that nothing came of a claim; a launch that made machines stays one."""
        await self._database.execute(
            reservation_table.update()
            .where(
                reservation_table.c.id == reservation_id,
                reservation_table.c.state == ReservationState.CLAIMED,
            )
            .values(state=ReservationState.RELEASED)
        )

    async def launched(self, reservation_id: str, machines: Sequence[Machine]) -> None:
        """Note the machines of a launch; what is known of one of them already stays as it is."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                reservation_table.update()
                .where(reservation_table.c.id == reservation_id)
                .values(state=ReservationState.LAUNCHED)
            )
            for machine in machines:
                await connection.execute(
                    insert(machine_table).values(_row(machine)).on_conflict_do_nothing(index_elements=_KEY)
                )

        await self._database.write(work)

    async def adopt(self, machine: Machine) -> None:
        """Note a machine that lives and is not known; one that is known to live stays as it is."""
        row = _row(machine)
        statement = insert(machine_table).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={
                **{key: row[key] for key in row if key not in _KEY},
                "revision": machine_table.c.revision + 1,
            },
            where=machine_table.c.ended_at.is_not(None),
        )
        await self._database.execute(statement)

    async def reservation(self, reservation_id: str) -> Reservation | None:
        """One launch, by its operation's id; None where none is known."""
        async with self._database.reading() as connection:
            return await _reservation(connection, reservation_id)

    async def with_token(self, token: str) -> Reservation | None:
        """One launch, by its token; None where none is known."""
        query = sa.select(reservation_table).where(reservation_table.c.token == token)
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return None if row is None else _reservation_of(row)

    async def open_claims(self) -> tuple[Reservation, ...]:
        """Launches of which it is not known yet what became of them, the oldest first."""
        async with self._database.reading() as connection:
            return await _claims(connection)

    async def machine(self, cloud: str, instance_id: str) -> Machine | None:
        """One machine, also one that is gone; None where it is not known."""
        async with self._database.reading() as connection:
            return await _machine(connection, cloud, instance_id)

    async def named(self, ids: Sequence[str]) -> tuple[Machine, ...]:
        """The machines of these ids, written in small letters, in every cloud, also those that are gone."""
        query = sa.select(machine_table).where(sa.func.lower(machine_table.c.instance_id).in_(ids))
        async with self._database.reading() as connection:
            return tuple(map(_machine_of, (await connection.execute(query)).mappings()))

    async def living(self, owner: str | None = None) -> tuple[Machine, ...]:
        """All machines that were not seen gone, of one person or of all, the oldest first."""
        async with self._database.reading() as connection:
            return await _living(connection, *(() if owner is None else (machine_table.c.owner == owner,)))

    async def lived(self, begin: datetime, end: datetime) -> tuple[Machine, ...]:
        """All machines that there were at any time from a moment on and before another, the oldest first."""
        query = (
            sa.select(machine_table)
            .where(machine_table.c.launched_at < end)
            .where(machine_table.c.ended_at.is_(None) | (machine_table.c.ended_at >= begin))
            .order_by(machine_table.c.launched_at)
        )
        async with self._database.reading() as connection:
            return tuple(map(_machine_of, (await connection.execute(query)).mappings()))

    async def gone_since(self, moment: datetime) -> tuple[Machine, ...]:
        """Machines that were seen gone since, and of which something stands somewhere that their owner was told."""
        query = sa.select(machine_table).where(
            machine_table.c.ended_at >= moment, machine_table.c.told != _NOTHING_TOLD
        )
        async with self._database.reading() as connection:
            return tuple(map(_machine_of, (await connection.execute(query)).mappings()))

    async def due(self, now: datetime, longest_pause: timedelta) -> tuple[Machine, ...]:
        """Living machines whose time is up and whose end may be asked for now, those of longest ago first.

        No attempt is further away than the longest pause between two, unless the clock was ahead when it was set:
        then it does not count.
        """
        async with self._database.reading() as connection:
            found = await _living(
                connection,
                sa.or_(machine_table.c.lease_ends_at <= now, machine_table.c.cap_ends_at <= now),
                sa.or_(
                    machine_table.c.next_attempt_at.is_(None),
                    machine_table.c.next_attempt_at <= now,
                    machine_table.c.next_attempt_at > now + longest_pause,
                ),
            )
        return tuple(sorted(found, key=lambda each: (each.lease_ends_at, each.instance_id)))

    async def usage(self) -> Usage:
        """What counts against the limits: machines that live, and launches that are under way."""
        async with self._database.reading() as connection:
            return await _usage(connection)

    async def change(
        self,
        machine: Machine,
        *,
        owner: str | None = None,
        lease_ends_at: datetime | None = None,
        check: Check | None = None,
    ) -> Machine:
        """Change owner or lease of a machine that is still as it was looked at, and count what is in use where
        ``check`` is given, in one transaction. What is left out stays.

        Raises:
            ChangedMeanwhileError: somebody else changed it, or it is gone.
            UserError: what ``check`` raises; nothing is changed then.
        """
        changes = {
            "owner": owner or machine.owner,
            "lease_ends_at": min(lease_ends_at or machine.lease_ends_at, machine.cap_ends_at),
            "revision": machine.revision + 1,
            "attempts": 0,
            "next_attempt_at": None,
        }

        async def work(connection: AsyncConnection) -> Machine:
            if check is not None:
                check(await _usage(connection))
            done = await connection.execute(
                machine_table.update()
                .where(
                    *_is(machine.cloud, machine.instance_id),
                    machine_table.c.revision == machine.revision,
                    machine_table.c.ended_at.is_(None),
                )
                .values(changes)
            )
            if done.rowcount != 1:
                raise ChangedMeanwhileError(
                    f"{machine.instance_id} was changed or ended by somebody else meanwhile, so nothing was changed.",
                    hint="instances",
                )
            changed = await _machine(connection, machine.cloud, machine.instance_id)
            assert changed is not None, "it was changed in this transaction"  # noqa: S101
            return changed

        return await self._database.write(work)

    async def rests(self, machine: Machine, since: datetime) -> None:
        """Note since when a machine rests; one of which that is noted stays as it is."""
        await self._database.execute(
            machine_table.update()
            .where(*_is(machine.cloud, machine.instance_id), machine_table.c.stopped_at.is_(None))
            .values(stopped_at=since)
        )

    async def runs(self, machine: Machine, since: datetime) -> None:
        """Note that a machine runs again, and how long it rested; once, whoever sees it first."""
        if machine.stopped_at is None:
            return
        rested = max(0, int((since - machine.stopped_at).total_seconds()))
        await self._database.execute(
            machine_table.update()
            .where(*_is(machine.cloud, machine.instance_id), machine_table.c.stopped_at == machine.stopped_at)
            .values(stopped_at=None, rested_seconds=machine_table.c.rested_seconds + rested)
        )

    async def note(self, machine: Machine, **notes: Unpack[Notes]) -> None:
        """Note something else of a machine; owner, lease and revision stay."""
        await self.note_each([(machine, notes)])

    async def note_each(self, noted: Sequence[tuple[Machine, Notes]]) -> None:
        """As :meth:`note`, of several machines in one transaction: where the process dies, it is noted of all or of
        none, and so what their owner was told of them together is never told anew of some of them."""

        async def work(connection: AsyncConnection) -> None:
            for machine, notes in noted:
                values: dict[str, Any] = dict(notes)
                if "told" in values:
                    values["told"] = json.dumps(dict(values["told"]), sort_keys=True)
                which = _is(machine.cloud, machine.instance_id)
                await connection.execute(machine_table.update().where(*which).values(values))

        if noted:
            await self._database.write(work)


async def _reservation(connection: AsyncConnection, reservation_id: str) -> Reservation | None:
    query = sa.select(reservation_table).where(reservation_table.c.id == reservation_id)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _reservation_of(row)


async def _claims(connection: AsyncConnection) -> tuple[Reservation, ...]:
    query = (
        sa.select(reservation_table)
        .where(reservation_table.c.state == ReservationState.CLAIMED)
        .order_by(reservation_table.c.claimed_at, reservation_table.c.id)
    )
    return tuple(map(_reservation_of, (await connection.execute(query)).mappings()))


async def _machine(connection: AsyncConnection, cloud: str, instance_id: str) -> Machine | None:
    query = sa.select(machine_table).where(*_is(cloud, instance_id))
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _machine_of(row)


async def _living(connection: AsyncConnection, *which: sa.ColumnElement[bool]) -> tuple[Machine, ...]:
    query = (
        sa.select(machine_table)
        .where(machine_table.c.ended_at.is_(None), *which)
        .order_by(machine_table.c.launched_at, machine_table.c.cloud, machine_table.c.instance_id)
    )
    return tuple(map(_machine_of, (await connection.execute(query)).mappings()))


async def _usage(connection: AsyncConnection) -> Usage:
    machines = [
        Place(
            owner=each.owner,
            machines=1,
            lease_ends_at=each.lease_ends_at,
            hours=lease_hours(each.launched_at, each.lease_ends_at),
            name=each.place,
        )
        for each in await _living(connection)
    ]
    claims = [
        Place(
            owner=each.owner,
            machines=each.count,
            lease_ends_at=each.lease_ends_at,
            hours=each.count * lease_hours(each.claimed_at, each.lease_ends_at),
            name=each.id,
        )
        for each in await _claims(connection)
    ]
    return Usage((*machines, *claims))


def _is(cloud: str, instance_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (machine_table.c.cloud == cloud, machine_table.c.instance_id == instance_id)


def _row(machine: Machine) -> dict[str, Any]:
    return {**asdict(machine), "told": json.dumps(dict(machine.told), sort_keys=True)}


def _machine_of(row: Mapping[Any, Any]) -> Machine:
    return Machine(**{**row, "told": json.loads(row["told"])})


def _reservation_of(row: Mapping[Any, Any]) -> Reservation:
    return Reservation(**{**row, "state": ReservationState(row["state"])})
