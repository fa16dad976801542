"""`slipway reload`: have the running bot read its configuration again."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import click

from slipway.bot.cli.common import EXIT_CONFIG, EXIT_REFUSED, config_option, fail, state_dir_of

_PATIENCE = 60.0
"""Seconds for the answer: a large configuration, a slow disk."""


@click.command(name="reload", short_help="Have the running bot read its configuration again.")
@config_option
def reload(path: Path) -> None:
    """Have the bot that runs with this configuration take in people, roles, policies and schedules anew.

    What else changed takes a restart, and is named. A file with mistakes changes nothing. SIGHUP does the same, where
    nobody talks to the bot at its own terminal. Each replica has to be told by itself; the answer names those that
    have another configuration.

    Exit status: 0 if it was taken in, 2 for a mistake in the configuration, 3 if it was refused, 1 if no bot runs.
    """
    answer = _ask(state_dir_of(path))
    if "refused" in answer:
        click.echo(answer["refused"], err=True)
        sys.exit(EXIT_REFUSED)
    if "mistakes" in answer:
        for mistake in answer["mistakes"]:
            click.echo(mistake, err=True)
        click.echo("Nothing was changed.", err=True)
        sys.exit(EXIT_CONFIG)
    for change in answer["taken"]:
        click.echo(f"Taken in: {change}")
    if answer["restart"]:
        click.echo(f"These take a restart: {', '.join(answer['restart'])}.")
    if not answer["taken"]:
        click.echo("Of people, roles, policies and schedules nothing changed.")
    for remark in answer.get("replicas", ()):
        click.echo(remark)


def _ask(folder: Path) -> dict[str, Any]:
    from slipway.bot.intake.control import SOCKET
    from slipway.bot.intake.sockets import connect

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE)
            connect(connection, folder / SOCKET)
            connection.sendall(b'{"do": "reload"}\n')
            with connection.makefile("r", encoding="utf-8") as answers:
                line = answers.readline()
    except PermissionError:
        fail(
            f"You may not enter {folder}. Type it as the user as whom Slipway runs: sudo -u slipway slipway reload"
        )
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        fail(
            f"No Slipway is running on {folder}. `slipway run` starts it, with the configuration as it is then."
        )
    except TimeoutError:
        fail("The bot did not answer in time; its log says whether the configuration was taken in.")
    except OSError as error:
        fail(f"The bot cannot be asked: {error.strerror}.")
    if not line:
        fail("The bot hung up; its log says whether the configuration was taken in.")
    found: dict[str, Any] = json.loads(line)
    return found
