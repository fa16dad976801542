"""`slipway audit`: the audit trail of all decisions and steps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from slipway.bot.cli.common import config_option, fail, state_dir_of
from slipway.bot.core.errors import StateError

if TYPE_CHECKING:
    from slipway.bot.store.database import Database

T = TypeVar("T")


@click.group()
def audit() -> None:
    """The audit trail of all decisions and steps."""


@audit.command()
@config_option
@click.option(
    "--state", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A state folder."
)
@click.option("--expect", metavar="HASH", help="A head noted earlier, which must still be in the trail.")
def verify(path: Path, state: Path | None, expect: str | None) -> None:
    """Prove that nothing in the trail was changed, removed or inserted."""
    from slipway.bot.operations.audit import Intact
    from slipway.bot.operations.audit import verify as verify_trail

    result = _look(state or state_dir_of(path), lambda db: verify_trail(db, expect))
    if not isinstance(result, Intact):
        fail(f"The audit trail does not hold: {result.why}.")
    click.echo(f"The audit trail holds: {result.entries} entries.")
    click.echo(f"Head: {result.head}")


@audit.command(name="show")
@config_option
@click.option(
    "--state", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A state folder."
)
@click.argument("operation", required=False)
def show(path: Path, state: Path | None, operation: str | None) -> None:
    """Print the trail, of one operation or of all, as JSON lines."""
    from slipway.bot.operations.audit import lines

    found = _look(state or state_dir_of(path), lambda db: lines(db, operation))
    if operation is not None and not found:
        fail(f"The trail holds nothing of {operation}; without an id, all of it is printed.")
    for line in found:
        click.echo(line)


def _look(state_dir: Path, work: Callable[[Database], Awaitable[T]]) -> T:
    import asyncio

    return asyncio.run(_with_database(state_dir, work))


async def _with_database(state_dir: Path, work: Callable[[Database], Awaitable[T]]) -> T:
    """What comes of looking at the database, which is not changed: another Slipway may be working on it."""
    import sqlalchemy as sa

    from slipway.bot.app import DATABASE
    from slipway.bot.store.database import Database

    path = state_dir / DATABASE
    if not path.exists():
        fail(f"There is no audit trail in {state_dir}.")
    database = Database(path, read_only=True)
    try:
        await database.open()
        return await work(database)
    except StateError as error:
        fail(str(error))
    except sa.exc.DatabaseError as error:  # damaged, or in a folder where SQLite cannot keep its own files
        fail(f"{path} cannot be read: {error.orig}")
    finally:
        await database.close()
