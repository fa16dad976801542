"""`slipway backup` and `slipway restore`: the state folder in one file, made while the bot runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import config_option, fail, in_plain_words, load_settings

if TYPE_CHECKING:
    from slipway.bot.store.backups.manifest import Manifest


@click.command(short_help="Back up what Slipway remembers, also while it runs.")
@config_option
@click.argument("target", type=click.Path(path_type=Path))
def backup(path: Path, target: Path) -> None:
    """Write all that Slipway remembers into one file, for this user alone; the bot may run meanwhile.

    TARGET is the file, or a folder in which it gets a name with the time. It is proved before it bears its name.

    It holds what people said to the bot, the audit trail, and what keeps the bot logged in to Matrix with its
    encryption keys; neither slipway.toml nor the secrets that it names. Keep it as you keep those.
    """
    from slipway.bot.core.times import system_clock
    from slipway.bot.store.backups.making import file_name, make_backup

    settings, _ = load_settings(path)
    _refuse_on_postgresql(getattr(settings, "database", None), "pg_dump --format=custom --file=slipway.dump")
    now = system_clock()
    file = target / file_name(settings.name, now) if target.is_dir() else target
    made = in_plain_words(lambda: make_backup(settings.state_dir, file, settings.name, now))
    click.echo(f"{file} holds {_holds(made)}.")


@click.command(short_help="Put a backup back into an empty state folder.")
@config_option
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--of", "deployment", help="The name of the deployment it was made of, where that is another.")
def restore(path: Path, source: Path, deployment: str | None) -> None:
    """Put a backup back into the state folder of the configuration, in which nothing may be.

    The bot must not be running. It goes on from when the backup was made: docs/operating.md, “What happens after a
    restore?”.
    """
    import asyncio

    from slipway.bot.store.backups.restoring import restore_backup
    from slipway.bot.store.database import StateLock

    settings, _ = load_settings(path)
    _refuse_on_postgresql(getattr(settings, "database", None), "pg_restore --dbname=DATABASE slipway.dump")
    folder = settings.state_dir

    def work() -> Manifest:
        with StateLock(folder):
            made = restore_backup(source, folder, deployment or settings.name)
            asyncio.run(_note(folder, made))
            return made

    made = in_plain_words(work)
    click.echo(
        f"{folder} holds {_holds(made)}, and the audit trail says that it was put back. Start Slipway now."
    )


def _holds(made: Manifest) -> str:
    return f"what was there at {made.made_at}, with {made.entries} entries of the audit trail"


def _refuse_on_postgresql(database: object, line: str) -> None:
    if database is not None:
        fail(f"The database is PostgreSQL, which has this by itself: {line}")


async def _note(folder: Path, made: Manifest) -> None:
    from slipway.bot.cli.state import user_name
    from slipway.bot.core.times import system_clock
    from slipway.bot.operations.audit import AuditEntry, AuditKey, append
    from slipway.bot.store.database import DATABASE, Database

    database = Database(folder / DATABASE)
    try:
        await database.open()
        now = system_clock()
        entry = AuditEntry(
            key=AuditKey.of_restoring(now),
            at=now,
            actor="slipway",
            action="restored",
            detail=(("made_at", made.made_at), ("version", made.version), ("user", user_name())),
        )
        await database.write(lambda connection: append(connection, entry))
    finally:
        await database.close()
