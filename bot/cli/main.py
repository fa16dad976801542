"""The `slipway` program. Each command loads no more than it needs, so that all of them start quickly."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from slipway import __version__
from slipway.bot.cli.slack import slack
from slipway.bot.core.errors import ConfigError, SlipwayError, StateError

if TYPE_CHECKING:
    from slipway.bot.config.settings import SlipwaySettings
    from slipway.bot.declared import Declarations

T = TypeVar("T")

EXIT_TROUBLE = 1
EXIT_CONFIG = 2

DEMO_PEOPLE = ("alice", "bob", "carol", "admin")
"""Who is in `bot/config/demo.toml`; known here so that help need not read it."""

_config = click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("slipway.toml"),
    envvar="SLIPWAY_CONFIG",
    show_default=True,
    help="The configuration file.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="slipway %(version)s")
def main() -> None:
    """ChatOps for people who publish cloud images.

    Try it without any account or configuration: slipway demo
    """


main.add_command(slack)


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"slipway {__version__}")


@main.command()
@_config
def check(path: Path) -> None:
    """Check the configuration, and name every mistake in it."""
    from slipway.bot.config.describe import describe

    settings, declarations = _load(path)
    for line in describe(settings, declarations.spec):
        click.echo(line)
    click.echo(f"{path} is right.")


@main.command()
@_config
def run(path: Path) -> None:
    """Run the bot."""
    from slipway.bot import logs

    settings, declarations = _load(path)
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
@_config
def health(path: Path) -> None:
    """Say whether the bot that runs with this configuration is well; for a container's health check."""
    from slipway.bot.core.times import system_clock
    from slipway.bot.health import trouble

    sentence = trouble(_load(path)[0].state_dir, system_clock())
    if sentence is not None:
        _fail(sentence)
    click.echo("Slipway is well.")


@main.command(short_help="Try every connection, and change nothing.")
@_config
def doctor(path: Path) -> None:
    """Try every connection that is configured, and say what is wrong and what to do. Nothing is changed."""
    from slipway.bot.chat.shared.plain import render_plain
    from slipway.bot.cli.doctor import card, examine

    findings = asyncio.run(examine(*_load(path)))
    click.echo(render_plain(card(findings)))
    if not all(finding.well for finding in findings):
        sys.exit(EXIT_TROUBLE)


@main.group()
def audit() -> None:
    """The audit trail of all decisions and steps."""


@audit.command()
@_config
@click.option(
    "--state", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A state folder."
)
@click.option("--expect", metavar="HASH", help="A head noted earlier, which must still be in the trail.")
def verify(path: Path, state: Path | None, expect: str | None) -> None:
    """Prove that nothing in the trail was changed, removed or inserted."""
    from slipway.bot.operations.audit import Intact
    from slipway.bot.operations.audit import verify as verify_trail

    result = asyncio.run(
        _with_database(state or _load(path)[0].state_dir, lambda db: verify_trail(db, expect))
    )
    if not isinstance(result, Intact):
        _fail(f"The audit trail does not hold: {result.why}.")
    click.echo(f"The audit trail holds: {result.entries} entries.")
    click.echo(f"Head: {result.head}")


@audit.command(name="show")
@_config
@click.option(
    "--state", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A state folder."
)
@click.argument("operation", required=False)
def show(path: Path, state: Path | None, operation: str | None) -> None:
    """Print the trail, of one operation or of all, as JSON lines."""
    from slipway.bot.operations.audit import lines

    found = asyncio.run(_with_database(state or _load(path)[0].state_dir, lambda db: lines(db, operation)))
    if operation is not None and not found:
        _fail(f"The trail holds nothing of {operation}; without an id, all of it is printed.")
    for line in found:
        click.echo(line)


@main.group()
def matrix() -> None:
    """The bot's Matrix account: its login, its device, its identity."""


@matrix.command(name="status")
@_config
def matrix_status(path: Path) -> None:
    """Show device, identity, keys and rooms, and what is wrong. Nothing is changed; the bot may run."""
    from slipway.bot.cli.matrix import status_lines

    settings, _ = _load(path)
    lines, well = _asked(lambda: status_lines(settings))
    for line in lines:
        click.echo(line)
    if not well:
        sys.exit(EXIT_TROUBLE)


@matrix.command(name="login")
@_config
@click.option(
    "--token", "by_token", is_flag=True, help="Use a one-time login token, as after single sign-on."
)
@click.option("--new-device", is_flag=True, help="Make a new device, where the keys of the old one are lost.")
@click.option(
    "--new-identity",
    is_flag=True,
    help="Replace a cross-signing identity whose seeds are lost. Whoever verified the bot has to do so anew.",
)
def matrix_login(path: Path, by_token: bool, new_device: bool, new_identity: bool) -> None:
    """Log in once and keep the login, so that no password stays in the configuration.

    The password (or token) is asked for, or read from the input's first line. The bot must not run meanwhile.
    """
    from slipway.bot.cli.matrix import LoginOptions, check_login, login_lines

    settings, _ = _load(path)
    _asked_now(lambda: check_login(settings))
    word = "Login token" if by_token else "Password"
    secret = (
        click.prompt(word, hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\n")
    )
    if not secret:
        _fail(f"{word}: nothing was given.")
    options = LoginOptions(secret, by_token=by_token, new_device=new_device, new_identity=new_identity)
    for line in _asked(lambda: login_lines(settings, options)):
        click.echo(line)


def _asked(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do something that may fail in plain words."""
    return _asked_now(lambda: asyncio.run(work()))


def _asked_now(work: Callable[[], T]) -> T:
    try:
        return work()
    except SlipwayError as error:
        _fail(str(error))


async def _with_database(state_dir: Path, work: Any) -> Any:
    import sqlalchemy as sa

    from slipway.bot.app import DATABASE
    from slipway.bot.store.database import Database

    path = state_dir / DATABASE
    if not path.exists():
        _fail(f"There is no audit trail in {state_dir}.")
    database = Database(path)
    try:
        await database.open()
        return await work(database)
    except StateError as error:
        _fail(str(error))
    except sa.exc.DatabaseError as error:  # damaged, or not to be written: SQLite needs that even to read
        _fail(f"{path} cannot be read: {error.orig}")
    finally:
        await database.close()


def _load(path: Path) -> tuple[SlipwaySettings, Declarations]:
    from slipway.bot.config.load import load
    from slipway.bot.core.problems import render_problems
    from slipway.bot.declared import declared
    from slipway.commands.scheduled import schedule_problems

    declarations = declared()
    try:
        settings = load(path, os.environ, spec=declarations.spec)
        if problems := schedule_problems(settings, declarations.commands):
            raise ConfigError(problems)
    except ConfigError as error:
        click.echo(render_problems(error.problems), err=True)
        sys.exit(EXIT_CONFIG)
    return settings, declarations


async def _run(settings: SlipwaySettings, declarations: Declarations) -> None:
    from slipway.bot.app import App
    from slipway.bot.signals import stop_on_signals

    await App(settings, declarations).run(stop_on_signals())


def _execute(work: Coroutine[Any, Any, None]) -> None:
    try:
        with suppress(KeyboardInterrupt):
            asyncio.run(work)
    except SlipwayError as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(EXIT_TROUBLE)
