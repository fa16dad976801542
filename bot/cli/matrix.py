"""`slipway matrix`: the bot's Matrix account."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from slipway.bot.cli.common import EXIT_FAILURE, config_option, fail, in_plain_words, load_settings


@click.group()
def matrix() -> None:
    """The bot's Matrix account: its login, its device, its identity."""


@matrix.command(name="status")
@config_option
def matrix_status(path: Path) -> None:
    """Show device, identity, keys and rooms, and what is wrong. Nothing is changed; the bot may run."""
    import asyncio

    from slipway.bot.cli.matrix_account import status_lines

    settings, _ = load_settings(path)
    lines, well = in_plain_words(lambda: asyncio.run(status_lines(settings)))
    for line in lines:
        click.echo(line)
    if not well:
        sys.exit(EXIT_FAILURE)


@matrix.command(name="login")
@config_option
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
    import asyncio

    from slipway.bot.cli.matrix_account import LoginOptions, check_login, login_lines
    from slipway.bot.core.secret_text import without_unseen_ends

    settings, _ = load_settings(path)
    in_plain_words(lambda: check_login(settings))
    word = "Login token" if by_token else "Password"
    secret = click.prompt(word, hide_input=True, err=True) if sys.stdin.isatty() else _first_line(word)
    secret = without_unseen_ends(secret)
    if not secret.strip():
        fail(f"{word}: nothing was given.")
    options = LoginOptions(secret, by_token=by_token, new_device=new_device, new_identity=new_identity)
    for line in in_plain_words(lambda: asyncio.run(login_lines(settings, options))):
        click.echo(line)


def _first_line(word: str) -> str:
    try:
        return sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError:
        fail(f"{word}: what was given is not text in UTF-8.")
