"""The `slipway` program. Each command loads no more than it needs, so that all of them start quickly."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway import __version__
from slipway.bot.cli.common import (
    EXIT_FAILURE,
    config_option,
    fail,
    in_plain_words,
    load_settings,
    state_dir_of,
)
from slipway.bot.cli.program import Program
from slipway.bot.core.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.bot.config.settings import SlipwaySettings
    from slipway.bot.declared import Declarations

DEMO_PEOPLE = ("alice", "bob", "carol", "admin")
"""Who is in `bot/cli/demo.toml`; known here so that help need not read it."""


GROUPS = {name: f"slipway.bot.cli.{name}" for name in ("audit", "matrix", "slack", "state")}
"""The program's groups of commands, each a module here. A chat that has commands adds its name."""


@click.group(cls=Program, groups=GROUPS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="slipway %(version)s")
def main() -> None:
    """ChatOps for people who publish cloud images.

    Try it without any account or configuration: slipway demo
    """


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"slipway {__version__}")


@main.command()
@config_option
def check(path: Path) -> None:
    """Check the configuration, and name every mistake in it."""
    from slipway.bot.config.describe import describe

    settings, declarations = load_settings(path)
    for line in describe(settings, declarations.spec):
        click.echo(line)
    click.echo(f"{path} is right.")


@main.command()
def example() -> None:
    """Print an example of the configuration, complete and commented."""
    from importlib.resources import files

    click.echo(files("slipway").joinpath("slipway.example.toml").read_text("utf-8"), nl=False)


@main.command()
@config_option
def run(path: Path) -> None:
    """Run the bot."""
    from slipway.bot import logs

    settings, declarations = load_settings(path)
    logs.configure(settings.log_format)
    _execute(_run(settings, declarations))


@main.command(short_help="Talk to the bot here, on simulated clouds.")
@click.option(
    "--as", "speaker", type=click.Choice(DEMO_PEOPLE), default="alice", show_default=True, help="Who you are."
)
@click.option("--json", "as_json", is_flag=True, help="Print each message of the bot as one JSON line.")
@click.option("--tour", is_flag=True, help="Play a story of a minute instead of reading what you type.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the bot's memory in this folder, and go on with it next time. The clouds start afresh.",
)
def demo(speaker: str, as_json: bool, tour: bool, state: Path | None) -> None:
    """Talk to the bot here, with simulated clouds: nothing real is touched.

    People are alice and bob (release engineers, who may approve), carol (who may only look) and admin (who
    runs the bot). A line that begins with “@bob:” is said by bob; a number presses the button of that number.
    """
    from slipway.bot.cli.demo import DemoOptions, run_demo

    _execute(run_demo(DemoOptions(speaker=speaker, as_json=as_json, tour=tour, state=state)))


@main.command(short_help="Say whether the running bot is well.")
@config_option
def health(path: Path) -> None:
    """Say whether the bot that runs with this configuration is well; for a container's health check."""
    from slipway.bot.core.times import system_clock
    from slipway.bot.health.report import problem

    sentence = problem(state_dir_of(path), system_clock())
    if sentence is not None:
        fail(sentence)
    click.echo("Slipway is well.")


@main.command(short_help="Try every connection, and change nothing.")
@config_option
def doctor(path: Path) -> None:
    """Try every connection that is configured, and say what is wrong and what to do. Nothing is changed."""
    import asyncio

    from slipway.bot.chat.shared.plain import render_plain
    from slipway.bot.cli.doctor import card, examine

    configured = load_settings(path)
    findings = in_plain_words(lambda: asyncio.run(examine(*configured)))
    click.echo(render_plain(card(findings)))
    if not all(finding.well for finding in findings):
        sys.exit(EXIT_FAILURE)


async def _run(settings: SlipwaySettings, declarations: Declarations) -> None:
    from slipway.bot.app import App
    from slipway.bot.signals import stop_on_signals

    await App(settings, declarations).run(stop_on_signals())


def _execute(work: Coroutine[Any, Any, None]) -> None:
    import asyncio

    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(work)
    except SlipwayError as error:
        fail(str(error))
