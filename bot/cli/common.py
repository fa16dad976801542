"""What every command of the program needs: the configuration, and plain words where something fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from slipway.bot.core.errors import ConfigError, SlipwayError

if TYPE_CHECKING:
    from slipway.bot.config.settings import SlipwaySettings
    from slipway.bot.declared import Declarations

T = TypeVar("T")

EXIT_FAILURE = 1
EXIT_CONFIG = 2

config_option = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("slipway.toml"),
    envvar="SLIPWAY_CONFIG",
    show_default=True,
    help="The configuration file.",
)
"""The option that names the configuration file."""


def load_settings(path: Path) -> tuple[SlipwaySettings, Declarations]:
    """The checked configuration, and what it was checked against; ends the program where it has mistakes."""
    from slipway.bot.config.load import load
    from slipway.bot.declared import declared
    from slipway.commands.scheduled import schedule_problems

    declarations = in_plain_words(declared)

    def checked() -> SlipwaySettings:
        settings = load(path, os.environ, spec=declarations.spec)
        if problems := schedule_problems(settings, declarations.commands):
            raise ConfigError(problems)
        return settings

    return _without_mistakes(checked), declarations


def state_dir_of(path: Path) -> Path:
    """The state folder that a configuration names, whatever else is wrong in it; ends the program where that is."""
    from slipway.bot.config.document import state_dir

    return _without_mistakes(lambda: state_dir(path, os.environ))


def _without_mistakes(read: Callable[[], T]) -> T:
    try:
        return read()
    except ConfigError as error:
        from slipway.bot.core.problems import render_problems

        click.echo(render_problems(error.problems), err=True)
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
