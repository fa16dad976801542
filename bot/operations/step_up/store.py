"""Codes in the database: whose count, which were used, and what they were right for. No code stands there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.operations.audit import AuditEntry, AuditKey, append
from slipway.bot.operations.step_up.model import CodeOutcome, CodeRequest, Heard, lock_after
from slipway.bot.store.database import Database
from slipway.bot.store.tables import step_up_code, step_up_person, step_up_request

Match = Callable[[], int | None]
"""Compares a code, and says of which time step it is; None where it is wrong."""

FORGET_REQUESTS_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Locked:
    """Somebody gave too many wrong codes."""

    person: str
    tries: int
    until: datetime


class StepUpStore:
    """Each method that changes something is one write transaction: restarts and replicas share what it says."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, request: CodeRequest) -> None:
        """Note that somebody is asked for a code, in place of what was noted of the same operation before."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(
                step_up_request.delete().where(_of(request.person, request.operation_id))
            )
            await connection.execute(step_up_request.insert().values(**request.__dict__))

        await self._database.write(work)

    async def open_requests(self, person: str, now: datetime) -> tuple[CodeRequest, ...]:
        """What somebody is asked for now, the newest last."""
        async with self._database.reading() as connection:
            return await _open(connection, person, now)

    async def known(self, event_key: str) -> Heard | None:
        """What became of the code that an event brought, if it was heard before."""
        async with self._database.reading() as connection:
            return await _known(connection, event_key)

    async def hear(
        self, event_key: str, person: str, operation_id: str | None, match: Match, now: datetime
    ) -> Heard:
        """Take a code for what its giver was asked for; the same event counts once.

        A try is counted before the code is looked at, and a time step is used by one compare-and-set: so neither two
        replicas nor a restart give anybody more tries, or one code twice.

        Args:
            event_key: names the event that brought it.
            person: who gave it.
            operation_id: which operation they name with it; None for none.
            match: compares it.
            now: the time.
        """

        async def work(connection: AsyncConnection) -> Heard:
            before = await _known(connection, event_key)
            if before is not None:
                return before
            heard = await self._hear(connection, person, operation_id, match, now)
            await _note(connection, event_key, person, heard, now)
            return heard

        return await self._database.write(work)

    async def _hear(
        self, connection: AsyncConnection, person: str, operation_id: str | None, match: Match, now: datetime
    ) -> Heard:
        asked = await _open(connection, person, now)
        meant = [each for each in asked if operation_id in (None, each.operation_id)]
        if not meant:
            await _use(connection, person, match())
            return Heard(CodeOutcome.NOT_ASKED)
        if len(meant) > 1:
            return Heard(CodeOutcome.UNCLEAR)
        tries, locked_until = await _count(connection, person, now)
        if locked_until is not None:
            return Heard(CodeOutcome.LOCKED, locked_until=locked_until)
        step = match()
        right = step is not None and await _use(connection, person, step)
        if not right:
            until = await _lock(connection, person, tries, now)
            return Heard(CodeOutcome.WRONG if step is None else CodeOutcome.USED, locked_until=until)
        (request,) = meant
        await connection.execute(
            step_up_person.update().where(step_up_person.c.person == person).values(tries=0)
        )
        await connection.execute(step_up_request.delete().where(_of(person, request.operation_id)))
        return Heard(CodeOutcome.RIGHT, request.operation_id, request.digest, request.reason)

    async def burn(self, event_key: str, person: str, match: Match, now: datetime) -> bool:
        """Use up a code that others could see; whether it was right, and so is of use to nobody any more."""

        async def work(connection: AsyncConnection) -> bool:
            before = await _known(connection, event_key)
            if before is not None:
                return before.outcome is CodeOutcome.SEEN
            step = match()
            if step is None:
                return False
            await _use(connection, person, step)
            await _note(connection, event_key, person, Heard(CodeOutcome.SEEN), now)
            return True

        return await self._database.write(work)

    async def locked(self, now: datetime) -> tuple[Locked, ...]:
        """Who is locked out now."""
        query = sa.select(step_up_person).where(step_up_person.c.locked_until > now)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query.order_by(step_up_person.c.person))).all()
        return tuple(Locked(row.person, row.tries, row.locked_until) for row in rows)

    async def forget(self, before: datetime, now: datetime) -> None:
        """Forget what was heard before a time, and what was asked for long ago."""
        await self._database.execute(step_up_code.delete().where(step_up_code.c.at < before))
        over = step_up_request.c.until < now - FORGET_REQUESTS_AFTER
        await self._database.execute(step_up_request.delete().where(over))


async def is_stepped_up(
    connection: AsyncConnection, event_key: str, person: str, operation_id: str, digest: str
) -> bool:
    """Whether the event by which a person approves a plan brought a right code of theirs for just that."""
    query = sa.select(step_up_code.c.event_key).where(
        step_up_code.c.event_key == event_key,
        step_up_code.c.outcome == CodeOutcome.RIGHT,
        step_up_code.c.person == person,
        step_up_code.c.operation_id == operation_id,
        step_up_code.c.digest == digest,
    )
    return await connection.scalar(query) is not None


def _of(person: str, operation_id: str) -> sa.ColumnElement[bool]:
    return (step_up_request.c.person == person) & (step_up_request.c.operation_id == operation_id)


async def _open(connection: AsyncConnection, person: str, now: datetime) -> tuple[CodeRequest, ...]:
    query = (
        sa.select(step_up_request)
        .where(step_up_request.c.person == person, step_up_request.c.until > now)
        .order_by(step_up_request.c.asked_at, step_up_request.c.operation_id)
    )
    return tuple(CodeRequest(**row) for row in (await connection.execute(query)).mappings())


async def _known(connection: AsyncConnection, event_key: str) -> Heard | None:
    query = sa.select(step_up_code).where(step_up_code.c.event_key == event_key)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return Heard(CodeOutcome(row.outcome), row.operation_id, row.digest, row.reason, row.locked_until)


async def _note(
    connection: AsyncConnection, event_key: str, person: str, heard: Heard, now: datetime
) -> None:
    row = {**heard.__dict__, "event_key": event_key, "person": person, "at": now}
    await connection.execute(step_up_code.insert().values(row))


async def _count(connection: AsyncConnection, person: str, now: datetime) -> tuple[int, datetime | None]:
    """Count a try: how many there were since the last right code, or until when none is allowed."""
    own = step_up_person.c.person == person
    row = (await connection.execute(sa.select(step_up_person).where(own))).first()
    if row is None:
        await connection.execute(step_up_person.insert().values(person=person, last_step=-1, tries=1))
        return 1, None
    if row.locked_until is not None and now < row.locked_until:
        return row.tries, row.locked_until
    await connection.execute(step_up_person.update().where(own).values(tries=row.tries + 1))
    return row.tries + 1, None


async def _lock(connection: AsyncConnection, person: str, tries: int, now: datetime) -> datetime | None:
    """Lock somebody out if that was one wrong code too many."""
    length = lock_after(tries)
    if length is None:
        return None
    until = now + length
    own = step_up_person.c.person == person
    await connection.execute(step_up_person.update().where(own).values(locked_until=until))
    detail = (("wrong_codes", tries), ("until", until.isoformat()))
    key = AuditKey.of_lockout(person, until)
    await append(connection, AuditEntry(key, now, person, "locked out of step-up", detail=detail))
    return until


async def _use(connection: AsyncConnection, person: str, step: int | None) -> bool:
    """Use up a time step, and all before it; whether it was not yet."""
    if step is None:
        return False
    own = step_up_person.c.person == person
    statement = step_up_person.update().where(own, step_up_person.c.last_step < step).values(last_step=step)
    if (await connection.execute(statement)).rowcount:
        return True
    known = await connection.scalar(sa.select(step_up_person.c.person).where(own))
    if known is None:
        await connection.execute(step_up_person.insert().values(person=person, last_step=step, tries=0))
    return known is None
