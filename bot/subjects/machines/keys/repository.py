"""The keys of people, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from slipway.bot.store.database import Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.tables import ssh_key
from slipway.bot.subjects.machines.keys.model import PASTED, Account, LostAccount, SshKey, read_account
from slipway.bot.subjects.machines.keys.public_key import read_key


class Keys:
    """Stores which keys people have.

    Args:
        database: where they stand.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, person: str) -> tuple[SshKey, ...]:
        """The keys of a person, in the order in which they were added."""
        query = sa.select(ssh_key).where(ssh_key.c.person == person)
        async with self._database.reading() as connection:
            rows = (
                await connection.execute(query.order_by(ssh_key.c.added_at, ssh_key.c.fingerprint))
            ).mappings()
            return tuple(map(_read, rows))

    async def find(self, person: str, fingerprint: str) -> SshKey | None:
        """One key of a person; None where they do not have it."""
        return next((each for each in await self.of(person) if each.key.fingerprint == fingerprint), None)

    async def add(self, key: SshKey) -> None:
        """Store a key; one that is there already stays as it is."""
        await self._database.execute(
            insert(ssh_key)
            .values(
                person=key.person,
                fingerprint=key.key.fingerprint,
                source=PASTED if key.account is None else key.account.service,
                account="" if key.account is None else key.account.name,
                account_id=key.account_id,
                line=key.key.line,
                added_at=key.added_at,
                checked_at=key.checked_at,
            )
            .on_conflict_do_nothing()
        )

    async def remove(self, person: str, fingerprint: str) -> None:
        """Forget a key; one that is not there is no error."""
        await self._database.execute(ssh_key.delete().where(_is(person, fingerprint)))

    async def judge(self, person: str, account: Account, refused: str, at: datetime) -> None:
        """Note that the keys of a person's account are refused, and why; empty: that they are not, or no more.

        Its person is told anew only where it was not refused meanwhile.
        """
        change = ssh_key.update().where(_of_account(person, account))
        before, fresh = change.where(ssh_key.c.refused != ""), change.where(ssh_key.c.refused == "")
        if not refused:
            await self._database.execute(before.values(refused="", refused_at=None, owner_told=False))
            return
        await self._database.execute(before.values(refused=refused))
        await self._database.execute(fresh.values(refused=refused, refused_at=at, owner_told=False))

    async def lost_untold(self) -> tuple[LostAccount, ...]:
        """The accounts that are refused and whose persons were not told so."""
        return await self._lost(ssh_key.c.refused != "", sa.not_(ssh_key.c.owner_told))

    async def lost(self) -> tuple[LostAccount, ...]:
        """The accounts that are refused."""
        return await self._lost(ssh_key.c.refused != "")

    async def _lost(self, *which: sa.ColumnElement[bool]) -> tuple[LostAccount, ...]:
        query = sa.select(ssh_key).where(*which)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings()
            found = [_lost(row) for row in rows]
            return tuple({(each.person, str(each.account)): each for each in found}.values())

    async def told(self, lost: LostAccount) -> None:
        """Note that its person was told, or cannot be."""
        await self._database.execute(
            ssh_key.update().where(_of_account(lost.person, lost.account)).values(owner_told=True)
        )

    async def checked(self, keys: Sequence[SshKey], at: datetime) -> None:
        """Note that these were seen to be published at this moment."""
        if not keys:
            return
        same = sa.tuple_(ssh_key.c.person, ssh_key.c.fingerprint)
        named = [(each.person, each.key.fingerprint) for each in keys]
        await self._database.execute(ssh_key.update().where(same.in_(named)).values(checked_at=at))


def _of_account(person: str, account: Account) -> sa.ColumnElement[bool]:
    return sa.and_(
        ssh_key.c.person == person,
        ssh_key.c.source == account.service,
        sa.func.lower(ssh_key.c.account) == account.name.lower(),
    )


def _is(person: str, fingerprint: str) -> sa.ColumnElement[bool]:
    return sa.and_(ssh_key.c.person == person, ssh_key.c.fingerprint == fingerprint)


def _lost(row: sa.RowMapping) -> LostAccount:
    account = read_account(f"{row['source']}:{row['account']}")
    return LostAccount(row["person"], account, row["refused"], row["refused_at"])


def _read(row: sa.RowMapping) -> SshKey:
    account = None if row["source"] == PASTED else read_account(f"{row['source']}:{row['account']}")
    return SshKey(
        person=row["person"],
        key=read_key(row["line"]),
        account=account,
        account_id=row["account_id"],
        added_at=row["added_at"],
        checked_at=row["checked_at"],
        refused=row["refused"],
    )
