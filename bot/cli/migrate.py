"""`slipway migrate`: what is in the state folder's databases, taken to PostgreSQL."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import config_option, fail, in_plain_words, load_settings

if TYPE_CHECKING:
    from slipway.bot.store.moving import Moved
    from slipway.bot.store.postgres import PostgresAccess

QUIET_SECONDS = 2.0
"""What takes no longer is not talked about while it lasts; and so often it is, if it does."""


@click.command()
@config_option
def migrate(path: Path) -> None:
    """Copy SQLite's databases to PostgreSQL.

    From state_dir into the empty database that database.url names. The bot must not be running. All of it is copied,
    or nothing; afterwards the bot goes on there, pending approvals and runs under way included.
    """
    import asyncio

    from slipway.bot.store.settings import DATABASE_TABLE
    from slipway.bot.store.sqlite import DATABASE

    settings, _ = load_settings(path)
    table = settings.optional(DATABASE_TABLE)
    if table is None:
        fail("Say in slipway.toml where to copy to: url in [database], as slipway.example.toml shows.")
    folder = settings.state_dir
    if not (folder / DATABASE).exists():
        fail(f"There is nothing to copy: {folder} holds no {DATABASE}.")
    moved = in_plain_words(lambda: asyncio.run(_migrate(folder, table.access)))
    click.echo(f"Copied {moved.rows:,} rows and {moved.workflows:,} workflows; the audit trail holds.")
    click.echo(
        f"Start Slipway now: it works on {table.access.name}. {DATABASE} and workflows.db are not used any more."
    )


async def _migrate(folder: Path, access: PostgresAccess) -> Moved:
    from datetime import timedelta

    from slipway.bot.core.errors import StateError
    from slipway.bot.operations.trail.verification import why_it_does_not_hold
    from slipway.bot.store.database import Database, StateLock
    from slipway.bot.store.installation import check
    from slipway.bot.store.moving import holds_anything, move
    from slipway.bot.store.postgres import PostgresBackend
    from slipway.bot.store.storage import Storage
    from slipway.bot.workflows.engine import WorkflowEngine
    from slipway.bot.workflows.stores import PostgresWorkflows

    with StateLock(folder):
        check(folder)
        target = Database(PostgresBackend(access))
        try:
            await target.open()
            workflows = WorkflowEngine(folder, Storage(folder), PostgresWorkflows(access))
            if full := await holds_anything(target):
                raise StateError(
                    f"{access.name[:1].upper()}{access.name[1:]} is not empty: there are rows in {full}. "
                    "Name an empty one in database.url."
                )
            await workflows.launch()  # makes the tables of workflows
            await workflows.close(timedelta())
            return await move(folder, target, why_it_does_not_hold, _Progress())
        finally:
            await target.close()


class _Progress:
    """Says now and then how far it is."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() - self._told < QUIET_SECONDS:
            return
        self._told = time.monotonic()
        click.echo(f"… {done:,} of {of:,} rows", err=True)
