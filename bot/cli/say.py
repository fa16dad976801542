"""`slipway say`: a line for the running bot, and its answer."""

from __future__ import annotations

import json
import re
import shlex
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from slipway.bot.cli.common import (
    EXIT_FAILURE,
    EXIT_REFUSED,
    EXIT_UNFINISHED,
    config_option,
    fail,
    state_dir_of,
)
from slipway.bot.core.times import format_duration, parse_duration
from slipway.commands.grammar.repair import QUOTES

_SPLIT = re.compile(r"""[\s"\\]|(?<!\w)'|^$""")
"""What the bot would not read as it stands, in an argument of a line: blanks, and what quotes. It takes an apostrophe
behind a letter for what it is."""


_SAID = ("title", "text", "fields", "tables", "notes", "tone", "outcome", "operation")
"""What `--json` prints of a card: what the demo's lines have, without what belongs to a message in a room (its id and
thread, buttons, who is called)."""


def line_of(words: Sequence[str]) -> str:
    """The line that the shell's arguments are: one is a whole line, and stays as it was typed; of several, each
    reaches the bot's command as the one that it is."""
    return words[0] if len(words) == 1 else " ".join(map(_as_one, words))


def _as_one(word: str) -> str:
    word = word.translate(QUOTES)  # as the bot reads them, and then they would begin or end a quotation
    if _SPLIT.search(word) is None:
        return word
    escaped = re.sub(r'(["\\])', r"\\\1", word)
    return f'"{escaped}"'


def _duration(_context: click.Context, _option: click.Parameter, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command(
    short_help="Say a line to the running bot, and print its answer.",
    context_settings={"allow_interspersed_args": False},  # the line has options of its own
)
@config_option
@click.argument("words", nargs=-1, required=True, metavar="LINE…")
@click.option(
    "--as", "person", metavar="PERSON", help="As whom, where the configuration names you for several."
)
@click.option("--wait", is_flag=True, help="Wait until the operation that it asks for has ended.")
@click.option(
    "--timeout",
    "limit",
    metavar="DURATION",
    default="1h",
    show_default=True,
    callback=_duration,
    help="How long to wait at most, such as 90m.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print what each answer says as one JSON line, with values."
)
def say(
    path: Path, words: tuple[str, ...], person: str | None, wait: bool, limit: timedelta, as_json: bool
) -> None:
    """Say a line to the bot that runs with this configuration, and print its answer.

    Options stand before the line: what follows its first word belongs to it, as in
    `slipway say --wait launch IMAGE --for 1h`. One argument is a whole line, quotes and blanks included; of several,
    each is one argument of the bot's command, too, whatever it holds.

    Only for users of this machine whom local_users of a [[person]] names, and who may enter the state folder. It asks
    and reads; nobody approves or rejects by it. A change that it asks for gets its card in the room that
    commands.room names, where those who can decide are called.

    Exit status: 0 if it was answered, 1 if what was asked for failed or no bot is running, 3 if it was refused, 4 if
    the time was over before that was known; it goes on all the same.
    """
    folder = state_dir_of(path)
    request = {"line": line_of(words), "as": person, "wait": wait}
    last: dict[str, Any] = {}
    try:
        for message in _messages(folder, request, limit):
            if "refused" in message:
                click.echo(message["refused"], err=True)
                sys.exit(EXIT_REFUSED)
            _print(message, as_json=as_json, first=not last)
            last = message
    except TimeoutError:
        again = shlex.join(["slipway", "say", *(["--as", person] if person else [])])
        click.echo(_unfinished(last, again, format_duration(limit)), err=True)
        sys.exit(EXIT_UNFINISHED)
    if not last.get("end"):
        fail("The bot hung up before that had ended. `slipway say pending` shows what waits or runs.")
    outcome = last["card"]["outcome"]
    sys.exit({"refused": EXIT_REFUSED, "failed": EXIT_FAILURE}.get(outcome, 0))


def _messages(folder: Path, request: dict[str, Any], limit: timedelta) -> Iterator[dict[str, Any]]:
    """What the bot answers; ends the program where none can be asked.

    Raises:
        TimeoutError: it had more to say when the time was over.
    """
    from slipway.bot.intake.protocol import SOCKET
    from slipway.bot.intake.sockets import connect

    until = time.monotonic() + limit.total_seconds()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(limit.total_seconds())
            connect(connection, folder / SOCKET)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("r", encoding="utf-8") as answers:
                while line := answers.readline():
                    yield json.loads(line)
                    connection.settimeout(max(0.001, until - time.monotonic()))
    except TimeoutError:
        raise
    except PermissionError:
        fail(
            f"You may not enter {folder}. Say it as the user as whom Slipway runs: sudo -u slipway slipway say …"
        )
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        fail(_why_nobody_listens(folder))
    except OSError as error:
        fail(f"The bot cannot be asked: {error.strerror}.")


def _why_nobody_listens(folder: Path) -> str:
    from slipway.bot.core.times import system_clock
    from slipway.bot.health.report import report

    found = report(folder, system_clock())
    if not found.alive:
        return f"{found.problem} `slipway run` starts it."
    if found.replicas and "; " in found.replicas[0]:  # it hears, and another one leads
        return f"{found.replicas[0]} Say it where the one that leads is."
    return (
        f"Slipway is running on {folder} and takes no lines here: local_users of no [[person]] named anybody when it "
        "started. Name yourself there, and start it again."
    )


def _unfinished(last: dict[str, Any], again: str, limit: str) -> str:
    """What goes on when the time is over, and how to look again."""
    operation = (last.get("card") or {}).get("operation")
    if operation is None:
        return (
            f"The bot has not answered within {limit}; what was asked for may stand all the same. "
            f"`{again} pending` shows what waits or runs, `slipway health` whether the bot is well."
        )
    does = "waits for approval" if operation["state"] == "proposed" else "is not done"
    return (
        f"After {limit} {operation['id']} still {does}. It goes on, with nobody waiting here. "
        f"`{again} op {operation['id']}` shows how it stands."
    )


def _print(message: dict[str, Any], *, as_json: bool, first: bool) -> None:
    card = message["card"]
    if as_json:
        shown = {key: card[key] for key in _SAID}
        room = {"room": message["room"]} if "room" in message else {}
        click.echo(json.dumps({**shown, **room}, ensure_ascii=False))
        return
    from slipway.bot.chat.model import Card
    from slipway.bot.chat.shared.plain import render_plain

    click.echo(f"{render_plain(Card.model_validate(card))}\n")
    if first and "room" in message:
        click.echo(f"{_where(message['room'])}\n")


def _where(room: str | None) -> str:
    if room is not None:
        return f"Its card stands in {room}."
    return (
        "Its card stands in no room, and nobody was called: those who can decide find it by `pending`. "
        "commands.room names a room for what is asked for here."
    )
