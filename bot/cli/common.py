"""What every command of the program needs: the configuration, and plain words where something fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from slipway.bot.core.errors import ConfigError, SlipwayError

if TYPE_CHECKING:
    from slipway.bot.config.document import Document
    from slipway.bot.config.settings import SlipwaySettings
    from slipway.bot.declared import Declarations
    from slipway.bot.store.postgres import PostgresAccess

T = TypeVar("T")

EXIT_FAILURE = 1
EXIT_CONFIG = 2
EXIT_REFUSED = 3
"""The bot did not do what was asked for: not understood, not allowed, or not possible as asked."""
EXIT_UNFINISHED = 4
"""What was asked for had not ended when the time to wait for it was over. It goes on."""
EXIT_TRY_AGAIN = 75
"""Another replica works by now, or is to: whoever starts the bot starts it again, and it follows that one. Source:
EX_TEMPFAIL in sysexits(3); systemd and Kubernetes start again whatever fails."""
EXIT_INTERRUPTED = 130
"""Ctrl-C; as a shell has it."""

config_option = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("slipway.toml"),
    envvar="SLIPWAY_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The configuration file.",
)
"""The option that names the configuration file."""


@dataclass(frozen=True)
class Configured:
    """A configuration without mistakes.

    Attributes:
        settings: what it says.
        declarations: what it was checked against.
        document: how it is written.
    """

    settings: SlipwaySettings
    declarations: Declarations
    document: Document


def configured(path: Path, consequence: str = "") -> Configured:
    """The checked configuration; ends the program where it has mistakes, saying what comes of that."""
    from slipway.bot.config.document import read_document
    from slipway.bot.declared import declared

    declarations = in_plain_words(declared)

    def checked() -> Configured:
        document = read_document(path)
        return Configured(_settings_of(document, declarations), declarations, document)

    return _without_mistakes(checked, consequence)


def read_settings(path: Path, declarations: Declarations) -> SlipwaySettings:
    """The configuration as it is now.

    Raises:
        ConfigError: it has mistakes.
    """
    from slipway.bot.config.document import read_document

    return _settings_of(read_document(path), declarations)


def _settings_of(document: Document, declarations: Declarations) -> SlipwaySettings:
    from slipway.bot.config.load import settings_of
    from slipway.commands.scheduled import schedule_problems
    from slipway.scheduler.preview import timetable_problems

    return settings_of(
        document,
        os.environ,
        spec=declarations.spec,
        further=lambda settings: (
            *schedule_problems(settings, declarations.commands),
            *timetable_problems(settings),
        ),
    )


def load_settings(path: Path, consequence: str = "") -> tuple[SlipwaySettings, Declarations]:
    """The checked configuration, and what it was checked against; ends the program where it has mistakes."""
    found = configured(path, consequence)
    return found.settings, found.declarations


def state_dir_of(path: Path) -> Path:
    """The state folder that a configuration names, whatever else is wrong in it; ends the program where that is."""
    from slipway.bot.config.document import state_dir

    return _without_mistakes(lambda: state_dir(path, os.environ))


def server_of(path: Path) -> PostgresAccess | None:
    """The PostgreSQL that a configuration names, if any. Ends the program where it names one and has
    mistakes."""
    from slipway.bot.config.document import read_document

    if "database" not in _without_mistakes(lambda: read_document(path)).content:
        return None
    from slipway.bot.store.settings import DATABASE_TABLE

    table = load_settings(path)[0].optional(DATABASE_TABLE)
    return None if table is None else table.access


def _without_mistakes(read: Callable[[], T], consequence: str = "") -> T:
    try:
        return read()
    except ConfigError as error:
        from slipway.bot.core.problems import render_problems

        click.echo(render_problems(error.problems, consequence), err=True)
        sys.exit(EXIT_CONFIG)


def in_plain_words(work: Callable[[], T]) -> T:
    """Do something; where it fails in plain words, say them and end the program."""
    try:
        return work()
    except SlipwayError as error:
        fail(str(error))


def fail(sentence: str) -> NoReturn:
    """Say what is wrong, and end the program."""
    click.echo(sentence, err=True)
    sys.exit(EXIT_FAILURE)
