"""`slipway state`: whether the state folder holds what it held, and going on without what is lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import config_option, fail, in_plain_words, server_of, state_dir_of

if TYPE_CHECKING:
    from slipway.bot.store.postgres import PostgresAccess
    from slipway.bot.store.state_files import StateFacts

_folder_option = click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A state folder. Default: the configuration's.",
)


@click.group()
def state() -> None:
    """The state folder: whether its files belong together."""


@state.command()
@config_option
@_folder_option
def check(path: Path, state: Path | None) -> None:
    """Say what is missing in the state folder."""
    from slipway.bot.store.installation import damaged, losses
    from slipway.bot.store.state_files import look

    if state is None and (server := server_of(path)) is not None:
        click.echo(_one_database(server))
        return
    folder = state or state_dir_of(path)
    facts = look(folder)
    if missing := damaged(facts) or losses(facts):
        fail("\n".join(missing))
    _fail_where_nothing_is(folder, facts)
    click.echo(f"Nothing is missing in {folder}.")


@state.command()
@config_option
@_folder_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(path: Path, state: Path | None, yes: bool) -> None:
    """Go on without what is missing. The bot must not be running; what was lost is noted in the audit trail."""
    import asyncio

    from slipway.bot.store.database import StateLock
    from slipway.bot.store.installation import damaged, losses
    from slipway.bot.store.state_files import look

    if state is None and (server := server_of(path)) is not None:
        fail(f"{_one_database(server)} Nothing was changed.")
    folder = state or state_dir_of(path)
    _fail_where_nothing_is(folder, look(folder))  # before a lock would make the folder

    def work() -> None:
        with StateLock(folder):
            facts = look(folder)
            if broken := damaged(facts):
                fail("\n".join(broken))
            missing = losses(facts)
            if not missing:
                click.echo(f"Nothing is missing in {folder}.")
                return
            click.echo("\n".join(missing))
            if not yes and not click.confirm("Go on without it, for good?"):
                fail("Nothing was changed.")
            asyncio.run(_accept(folder, missing))
            click.echo("Noted in the audit trail. Start Slipway now.")

    in_plain_words(work)


def _one_database(server: PostgresAccess) -> str:
    name = server.name
    return f"{name[:1].upper()}{name[1:]} holds all in one: no part of it can be lost by itself."


def _fail_where_nothing_is(folder: Path, facts: StateFacts) -> None:
    """End the program where no Slipway has worked yet, such as where the folder's name is mistyped."""
    if not (facts.database.there or facts.workflows.there or facts.started_before):
        what = "it holds no database" if folder.is_dir() else "there is no such folder"
        fail(f"There is no state in {folder} yet: {what}. A bot that starts there makes it.")


async def _accept(folder: Path, missing: tuple[str, ...]) -> None:
    from slipway.bot.core.times import system_clock
    from slipway.bot.operations.audit import AuditEntry, AuditKey, append
    from slipway.bot.store.database import DATABASE, Database
    from slipway.bot.store.installation import Installation

    database = Database(folder / DATABASE)
    try:
        await database.open()
        now = system_clock()
        entry = AuditEntry(
            key=AuditKey.of_loss(now),
            at=now,
            actor="slipway",
            action="loss accepted",
            detail=(("missing", list(missing)), ("user", user_name())),
        )
        await database.write(lambda connection: append(connection, entry))
        await Installation(folder, database).accept()
    finally:
        await database.close()


def user_name() -> str:
    """Who types: the name of the operating system's user."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
