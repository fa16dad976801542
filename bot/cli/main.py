"""The `slipway` program. Each command loads no more than it needs, so that all of them start quickly."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from slipway import __version__
from slipway.bot.cli.common import (
    EXIT_CONFIG,
    EXIT_FAILURE,
    config_option,
    configured,
    fail,
    in_plain_words,
    load_settings,
    read_settings,
    state_dir_of,
)
from slipway.bot.cli.program import Program
from slipway.bot.core.errors import SlipwayError
from slipway.bot.core.private_folders import PRIVATE_FILES

if TYPE_CHECKING:
    from slipway.bot.config.settings import SlipwaySettings
    from slipway.bot.declared import Declarations

T = TypeVar("T")

DEMO_PEOPLE = ("alice", "bob", "carol", "admin")
"""Who is in `bot/cli/demo.toml`; known here so that help need not read it."""


GROUPS = {
    **{
        name: f"slipway.bot.cli.{name}"
        for name in ("audit", "init", "matrix", "migrate", "policy", "say", "slack", "state", "totp")
    },
    **{name: f"slipway.bot.cli.operating.{name}" for name in ("permissions", "reload")},
    **dict.fromkeys(("backup", "restore"), "slipway.bot.cli.operating.backup"),
    "support-bundle": "slipway.bot.cli.operating.support_bundle",
}
"""The program's groups of commands and its larger commands, each a module here. A chat that has commands adds its
name."""

SHELLS = ("bash", "zsh", "fish")
"""Shells that can complete the program's command lines."""


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


@main.command(name="help")
@click.argument("words", nargs=-1, metavar="[COMMAND]…")
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Explain the program, or one of its commands."""
    here: click.Context = context.find_root()
    for word in words:
        group = here.command
        found = group.get_command(here, word) if isinstance(group, click.Group) else None
        if found is None:
            raise click.UsageError(f"No such command '{' '.join(words)}'.", here)
        here = click.Context(found, parent=here, info_name=word)
    click.echo(here.get_help())


@main.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete command lines of slipway.

    For bash, put `eval "$(slipway completion bash)"` into ~/.bashrc; for zsh the same with zsh into ~/.zshrc; for
    fish, `slipway completion fish | source` into ~/.config/fish/config.fish.
    """
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None  # noqa: S101 - click has them all
    click.echo(complete(context.find_root().command, {}, "slipway", "_SLIPWAY_COMPLETE").source())


@main.command()
@config_option
@click.argument("file", required=False, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--strict", is_flag=True, help="End with status 2 where something looks unfinished, too.")
@click.pass_context
def check(context: click.Context, path: Path, file: Path | None, strict: bool) -> None:
    """Check the configuration, and name every mistake in it.

    FILE is checked in place of the configured one; - is standard input.
    """
    from slipway.bot.cli.policies.reach import unmet_policies
    from slipway.bot.config.describe import describe
    from slipway.bot.config.document import STANDARD_INPUT
    from slipway.bot.config.lint import warnings
    from slipway.bot.config.load import lines_of
    from slipway.bot.config.schema import plain
    from slipway.bot.core.times import system_clock
    from slipway.scheduler.preview import next_times

    if file is not None and context.get_parameter_source("path") is ParameterSource.COMMANDLINE:
        raise click.UsageError("Name the file once: as FILE or with --config.")
    path = file or path
    found = configured(path)
    times = partial(next_times, now=system_clock())
    for line in describe(found.settings, found.declarations.spec, times):
        click.echo(line)
    written = {key: plain(value) for key, value in found.document.content.items()}
    lines = lines_of(found.document)
    told = [
        *warnings(found.settings, written, found.declarations.spec),
        *unmet_policies(found.settings, found.declarations),
    ]
    odd = [lines.placed(each) for each in told]
    for each in sorted(odd, key=lambda each: each.line or 0):
        click.echo(f"⚠ {each}")
    name = "What came on standard input" if path == STANDARD_INPUT else str(path)
    unfinished = f" {len(odd)} {'thing looks' if len(odd) == 1 else 'things look'} unfinished." if odd else ""
    click.echo(f"{name} is right.{unfinished}")
    if odd and strict:
        sys.exit(EXIT_CONFIG)


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
    from slipway.bot.cli.log_file import RUN_LOG, breaks_the_console, log_file
    from slipway.bot.garbage import collect_seldom

    os.umask(PRIVATE_FILES)  # the state folder may be a volume that is root's
    settings, declarations = load_settings(path, "Nothing was started.")
    logs.configure(settings.log_format)
    if sys.stderr is not None and breaks_the_console(settings, sys.stdout, sys.stderr):
        file = in_plain_words(lambda: log_file(settings.state_dir, RUN_LOG))
        click.echo(f"You talk to the bot here, so its log goes to {file}", err=True)
        logs.configure(settings.log_format, stream=file.open("a", encoding="utf-8"))
    collect_seldom()
    _execute(_run(settings, declarations, partial(read_settings, path, declarations)))


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
    runs the bot). A line that begins with “@bob:” is said by bob; a number presses the button of that number; a line
    that begins with “#” is a comment, which nobody hears.

    “exit”, Ctrl-D and Ctrl-C end it, with status 0; a second Ctrl-C does not wait for what is running.

    With --json the exit status is 3 if something was refused, 1 if something that was asked for failed, else 0.
    """
    from slipway.bot.cli.common import EXIT_REFUSED
    from slipway.bot.cli.demo import DemoOptions, run_demo

    options = DemoOptions(speaker=speaker, as_json=as_json, tour=tour, state=state)
    outcomes = _execute(run_demo(options)) or frozenset()
    if as_json and outcomes - {"answered"}:
        sys.exit(EXIT_FAILURE if "failed" in outcomes else EXIT_REFUSED)


@main.command(short_help="Say whether the running bot is well.")
@config_option
def health(path: Path) -> None:
    """Say whether the bot that runs with this configuration is well, and when each cloud answered last.

    For a container's health check, too: the exit status is 0 if it is well and 1 if not. A cloud that does not answer
    is told, and makes nothing of the bot ill.
    """
    from slipway.bot.core.times import system_clock
    from slipway.bot.health.report import report

    found = report(state_dir_of(path), system_clock())
    if found.problem is not None:
        fail("\n".join((found.problem, *found.replicas, *found.warnings, *found.clouds)))
    click.echo("\n".join(("Slipway is well.", *found.replicas, *found.warnings, *found.clouds)))


@main.command(short_help="Try every connection and right, and change nothing.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as one JSON document.")
@click.option("--skip", multiple=True, metavar="NAME", help="Do not try this, such as aws. May be repeated.")
def doctor(path: Path, as_json: bool, skip: tuple[str, ...]) -> None:
    """Try every connection that is configured and every right that it takes, and look at the state folder.

    Nothing is changed, and it may be asked while the bot runs. What does not work is said with what to do.

    Exit status: 0 if nothing failed, 1 if something did, 2 for a mistake in the configuration.
    """
    import asyncio
    import json
    import logging
    from functools import partial

    from slipway.bot import logs
    from slipway.bot.cli.doctor import Look, Progress, conclusion, examine, local_looks
    from slipway.bot.cli.operating.telling import as_json as report_as_json
    from slipway.bot.cli.policies.reach import WHAT as APPROVALS
    from slipway.bot.cli.policies.reach import look_at_approvals
    from slipway.bot.core.times import system_clock

    settings, declarations = load_settings(path)
    logs.configure(
        "console", level=logging.CRITICAL
    )  # what a library has to say at length is for no operator
    progress = Progress(sys.stderr if as_json else sys.stdout, settings.secret_sources, silent=as_json)
    local = local_looks(settings, system_clock())
    approvals = Look(APPROVALS, partial(look_at_approvals, settings, declarations))
    trying = examine(
        settings,
        declarations,
        further=(*local, approvals),
        skip=skip,
        begin=progress.begin,
        tell=progress.tell,
    )
    findings = in_plain_words(lambda: asyncio.run(trying))
    if as_json:
        click.echo(json.dumps(report_as_json(findings, settings.secret_sources, skip), ensure_ascii=False))
    else:
        click.echo(conclusion(findings))
    if not all(finding.well for finding in findings):
        sys.exit(EXIT_FAILURE)


async def _run(
    settings: SlipwaySettings, declarations: Declarations, load: Callable[[], SlipwaySettings]
) -> None:
    import asyncio

    from slipway.bot.app import App
    from slipway.bot.chat.console.platform import CONSOLE
    from slipway.bot.cli.common import EXIT_TRY_AGAIN
    from slipway.bot.garbage import SETTLED_SECONDS, keep_for_good
    from slipway.bot.signals import hangups, leave_at_once, stop_on_signals

    talked_to = any(chat.platform == CONSOLE for chat in declarations.enabled_chats(settings))
    stop = stop_on_signals(hangup=talked_to)  # the end of the terminal is the end of who talks there
    hangup = None if talked_to else hangups()
    app = App(settings, declarations, leave_at_once=leave_at_once, load=load, hangup=hangup)
    asyncio.get_running_loop().call_later(SETTLED_SECONDS, keep_for_good)
    if await app.run(stop) is not None:
        sys.exit(EXIT_TRY_AGAIN)


def _execute(work: Coroutine[Any, Any, T]) -> T | None:
    import asyncio

    try:
        with suppress(KeyboardInterrupt):
            return asyncio.run(work)
        return None
    except SlipwayError as error:
        fail(str(error))
