"""`slipway audit`: the audit trail of all decisions and steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from slipway.bot.cli.common import config_option, fail, server_of, state_dir_of
from slipway.bot.core.errors import StateError

if TYPE_CHECKING:
    from slipway.bot.store.database import Database
    from slipway.bot.store.postgres import PostgresAccess

T = TypeVar("T")


@click.group()
def audit() -> None:
    """The audit trail of all decisions and steps."""


class _Head(click.ParamType[object, str]):
    """A head that was noted earlier, or its first digits."""

    name = "head"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from slipway.bot.operations.trail.verification import read_head

        try:
            return read_head(str(value))
        except ValueError as error:
            self.fail(f"“{value}” {error}.", param, ctx)


class _OperationId(click.ParamType[object, str]):
    """An operation's id, in every form that the chat commands take."""

    name = "operation"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from slipway.bot.core.operation_ids import read_operation_id

        found = read_operation_id(str(value).strip().lower())
        if found is None:
            self.fail(f"“{value}” is no operation's id; write it like op-7k3f.", param, ctx)
        return found


class _Time(click.ParamType[object, datetime]):
    """A moment that has passed, or how long ago it was."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from slipway.bot.core.times import parse_duration, system_clock

        text = str(value).strip()
        try:
            return system_clock() - parse_duration(text)
        except ValueError:
            pass
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"“{text}” is no time; write it like 2026-11-01, 2026-11-01T12:00Z or 7d.", param, ctx)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


_state_option = click.option(
    "--state", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A state folder."
)


@audit.command()
@config_option
@_state_option
@click.option(
    "--expect",
    metavar="HEAD",
    type=_Head(),
    help="A head noted earlier, or its first 16 digits or more, which must still be in the trail.",
)
@click.option(
    "--heads",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file of audit.file, all of whose heads must still be in the trail.",
)
@click.option(
    "--since",
    metavar="HEAD",
    type=_Head(),
    help="A head up to which the trail was proved before: only what follows is read again.",
)
def verify(path: Path, state: Path | None, expect: str | None, heads: Path | None, since: str | None) -> None:
    """Prove that nothing in the trail was changed, removed or inserted."""
    from slipway.bot.operations.trail.chain import Broken
    from slipway.bot.operations.trail.heads import HeadsFileError, read_heads
    from slipway.bot.operations.trail.verification import Contradicted, Intact, place_of
    from slipway.bot.operations.trail.verification import verify as verify_trail
    from slipway.bot.store.installation import noted_place

    where = state or server_of(path) or state_dir_of(path)
    try:
        noted = read_heads(heads) if heads is not None else ()
    except HeadsFileError as error:
        raise click.UsageError(str(error)) from error
    own = (
        noted_place(where) if isinstance(where, Path) else None
    )  # what the workflow database knows of the trail

    async def work(database: Database) -> Intact | Broken | Contradicted:
        start = await place_of(database, since) if since is not None else None
        if since is not None and start is None:
            return Broken(0, f"the head {since[:16]}…, since which it was to be proved, is not in it")
        return await verify_trail(database, expect, since=start, noted=(*noted, *([own] if own else [])))

    result = _look(where, work)
    if not isinstance(result, Intact):
        fail(f"The audit trail does not hold: {result.why}.")
    click.echo(f"The audit trail holds: {result.entries} entries.")
    click.echo(f"Head: {result.head}")


@audit.command(name="show")
@config_option
@_state_option
@click.argument("operation", required=False, type=_OperationId())
def show(path: Path, state: Path | None, operation: str | None) -> None:
    """Print the trail, of one operation or of all, as JSON lines."""
    from slipway.bot.operations.audit import lines

    found = _look(state or server_of(path) or state_dir_of(path), lambda db: lines(db, operation))
    if operation is not None and not found:
        fail(f"The trail holds nothing of {operation}; without an id, all of it is printed.")
    for line in found:
        click.echo(line)


@audit.command(short_help="Print what was written in a time, as JSON lines.")
@config_option
@_state_option
@click.option(
    "--since", metavar="TIME", type=_Time(), help="From then on: 2026-11-01, 2026-11-01T12:00Z, or 7d."
)
@click.option("--until", metavar="TIME", type=_Time(), help="Before then. Default: to the end.")
def export(path: Path, state: Path | None, since: datetime | None, until: datetime | None) -> None:
    """Print the entries of a time as JSON lines, in the order in which they were written, with their hashes.

    Times without a zone are UTC; 7d is that long ago. docs/operating.md explains the fields, which stay.
    """
    from slipway.bot.operations.audit import entries_between, json_line

    async def work(database: Database) -> None:
        async with aclosing(entries_between(database, since, until)) as found:  # whoever reads may stop early
            async for each in found:
                click.echo(json_line(each))

    _look(state or server_of(path) or state_dir_of(path), work)


def _look(where: Path | PostgresAccess, work: Callable[[Database], Awaitable[T]]) -> T:
    import asyncio

    return asyncio.run(_with_database(where, work))


async def _with_database(where: Path | PostgresAccess, work: Callable[[Database], Awaitable[T]]) -> T:
    """What comes of looking at the database, which is not changed: another Slipway may be working on it."""
    import sqlalchemy as sa

    from slipway.bot.store.database import DATABASE, Backend, Database
    from slipway.bot.store.postgres import PostgresBackend
    from slipway.bot.store.sqlite import SqliteBackend

    backend: Backend
    if isinstance(where, Path):
        if not (where / DATABASE).exists():
            fail(f"There is no audit trail in {where}.")
        backend = SqliteBackend(where / DATABASE, read_only=True)
    else:
        backend = PostgresBackend(where, read_only=True)
    database = Database(backend, read_only=True)
    try:
        await database.open()
        return await work(database)
    except StateError as error:
        fail(str(error))
    except sa.exc.DatabaseError as error:  # damaged, or in a folder where SQLite cannot keep its own files
        fail(f"{backend.name} cannot be read: {error.orig}")
    finally:
        await database.close()
