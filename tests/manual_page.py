"""The manual page of the program, made of its commands: `deploy/slipway.1`, for ``man``; see man(7)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from slipway import __version__
from slipway.bot.cli.common import EXIT_CONFIG, EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_REFUSED, EXIT_UNFINISHED
from slipway.bot.cli.main import main

STATUSES = {
    0: "What was asked for was done.",
    EXIT_FAILURE: "It failed, or something that was looked at is not well.",
    EXIT_CONFIG: "The configuration or the command line is wrong: starting again does not help.",
    EXIT_REFUSED: "The bot refused what was said to it.",
    EXIT_UNFINISHED: "What was waited for had not ended; it goes on.",
    EXIT_INTERRUPTED: "It was interrupted by Ctrl-C.",
}
"""Exit statuses that several commands share. What a command's own mean stands with it."""

_OFF_THE_PAGE = ("help", "completion", "version", "example")
"""Commands that need no more than their line."""

_FILES = (
    (
        "/etc/slipway/slipway.toml",
        "The configuration of the service. slipway example prints one with everything.",
    ),
    ("/var/lib/slipway", "The state folder of the service: databases, keys, a lock."),
)


def manual_page(day: str) -> str:
    """The page in man(7), as of the day of this version's release."""
    root = click.Context(main, info_name="slipway", **main.context_settings)
    lines = [
        ".\\\" Written by python -m tests.documentation from the program's commands.",
        f'.TH SLIPWAY 1 "{day}" "slipway {__version__}" "User Commands"',
        ".SH NAME",
        f"slipway \\- {_text(_first(main.help)).removesuffix('.')}",
        ".SH SYNOPSIS",
        ".B slipway",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGS\\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(main.help),
        ".SH OPTIONS",
        *_options(main, root),
        *(".TP", ".B \\-h, \\-\\-help", "Explain the program; behind a command, that command."),
        ".SH COMMANDS",
        *(line for command in _commands(main, root) for line in _command(*command)),
        ".SH EXIT STATUS",
        *(line for status, meaning in STATUSES.items() for line in (".TP", f".B {status}", _text(meaning))),
        ".SH ENVIRONMENT",
        *(".TP", ".B SLIPWAY_CONFIG", "The configuration file, where no option names it."),
        *(".TP", ".B SLIPWAY_\\fITABLE\\fP_\\fIKEY\\fP, SLIPWAY_\\fITABLE\\fP_\\fIKEY\\fP_FILE"),
        "A secret of the configuration, or the file that it stands in.",
        ".SH FILES",
        *(line for name, what in _FILES for line in (".TP", f".I {_text(name)}", _text(what))),
    ]
    return "\n".join(lines) + "\n"


def _commands(
    group: click.Group, context: click.Context
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command that is no group, by its whole name."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
        elif not command.hidden:
            yield inner.command_path.removeprefix("slipway "), command, inner


def _command(name: str, command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{_text(name)}"'
    yield f"\\fBslipway {_text(name)}\\fR {_text(usage)}".rstrip()
    yield ".PP"
    if name in _OFF_THE_PAGE:
        yield _text(_first(command.help))
        return
    yield from _paragraphs(command.help)
    yield from _options(command, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1] and parameter.name != "help":
            yield from (".TP", f".B {_text(record[0])}", _text(" ".join(record[1].split())))


def _paragraphs(text: str | None) -> Iterator[str]:
    """A command's help; what is marked as being no flowing text stays as it is."""
    parts = [part for part in (text or "").replace("\f", "").strip().split("\n\n") if part.strip()]
    for number, part in enumerate(parts):
        if number:
            yield ".PP"
        if part.lstrip().startswith("\b"):
            yield ".nf"
            yield from (_text(line.strip()) for line in part.splitlines() if line.strip("\b \n"))
            yield ".fi"
        else:
            yield _text(" ".join(part.split()))


def _first(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split())


def _text(text: str) -> str:
    """Text as man(7) takes it: no line of it a request, and hyphens that can be pasted."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return re.sub(r"^([.'])", r"\\&\1", escaped)
