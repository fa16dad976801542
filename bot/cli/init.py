"""`slipway init`: a configuration of one's own, from the packaged example and a few answers."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.bot.cli.common import EXIT_CONFIG, config_option, fail, in_plain_words

if TYPE_CHECKING:
    from slipway.bot.cli.answers import Answers
    from slipway.bot.cli.filling import Filled
    from slipway.bot.cli.questions import Form


@click.command(short_help="Write a configuration, from a few questions or flags.")
@config_option
@click.option("--chat", "chats", multiple=True, metavar="NAME", help="A chat to work in; may be repeated.")
@click.option("--cloud", "clouds", multiple=True, metavar="NAME", help="A cloud to work in; may be repeated.")
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, like matrix.homeserver=https://matrix.example.org; of a list, values separated by commas.",
)
@click.option(
    "--person",
    "persons",
    multiple=True,
    metavar="ID=ACCOUNT",
    help="Somebody and their accounts, like alice=matrix:@alice:example.org. The first one gets all rights.",
)
@click.option(
    "--own-approval",
    is_flag=True,
    help="For one person alone: may approve what they asked for themselves, as there is nobody else.",
)
@click.option("--schedules", is_flag=True, help="Switch the example's schedules on.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(
    path: Path,
    chats: tuple[str, ...],
    clouds: tuple[str, ...],
    values: tuple[str, ...],
    persons: tuple[str, ...],
    own_approval: bool,
    schedules: bool,
    force: bool,
) -> None:
    """Write a configuration, commented, with your own values in it.

    At a terminal, what no flag says is asked for; elsewhere it has to be said. No secret is asked for: what is still
    to be done is told at the end, as `slipway check` tells it.
    """
    from slipway.bot.cli.filling import Filling
    from slipway.bot.cli.questions import Form, flag_of
    from slipway.bot.declared import declared

    declarations = in_plain_words(declared)
    if path.exists() and not force:
        fail(
            f"{path} is there already, and is left as it is. Name another file with --config, or add --force."
        )
    filling = Filling(declarations, os.environ, path.absolute().parent)
    form = Form(declarations, filling)
    settings, wrong_settings = _pairs("--set", values, "matrix.homeserver=https://matrix.example.org")
    people, wrong_people = _pairs("--person", persons, "alice=matrix:@alice:example.org")
    answers, wrong = form.of_flags(chats, clouds, settings, people, own_approval)
    wrong = (*wrong_settings, *wrong_people, *(wrong or filling.wrong_values(answers)))
    answers.schedules = schedules
    asked = sys.stdin.isatty()
    if not asked and (missing := [each for each in form.questions(answers) if not each.optional]):
        lines = "\n".join(f"  {flag_of(question)}: {question.words}" for question in missing)
        nobody = f"There is no terminal to ask at, and no flag says:\n{lines}"
        raise click.UsageError("\n".join((*wrong, nobody)))
    if wrong:
        raise click.UsageError("\n".join(wrong))
    _ask(form, answers)  # without a terminal all is answered
    filled = filling.fill_in(answers)
    if filled.mistakes and not asked:
        click.echo("\n".join(("Nothing was written.", *_marked(filled.mistakes))), err=True)
        sys.exit(EXIT_CONFIG)
    try:
        path.write_text(filled.text, "utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}.")
    if filled.mistakes:  # what somebody typed is not thrown away
        mistakes = "\n".join((f"{path} is written, and has mistakes to mend:", *_marked(filled.mistakes)))
        click.echo(mistakes, err=True)
        sys.exit(EXIT_CONFIG)
    if answers.own_approval and len(answers.accounts) == 1:
        click.echo(
            f"{next(iter(answers.accounts))} approves their own changes. When somebody else joins, write "
            "requester_may_approve = false in the policies."
        )
    _say_what_comes_next(path, filled, filling.left_to_do(filled.text))


def _ask(form: Form, answers: Answers) -> None:
    """Ask one question after the other; what is a mistake is asked again."""
    while (question := next(form.questions(answers), None)) is not None:
        said = click.prompt(question.words, default="" if question.optional else None, show_default=False)
        for problem in form.take(answers, question, said):
            click.echo(f"  ✘ {problem}")


def _marked(mistakes: Iterable[str]) -> Iterable[str]:
    return (f"  ✘ {each}" for each in mistakes)


def _say_what_comes_next(path: Path, filled: Filled, left_to_do: list[str]) -> None:
    named = "" if path == Path("slipway.toml") else f" --config {shlex.quote(str(path))}"
    click.echo(f"{path} is written: the settings of what you chose, with their comments and your values.")
    if filled.left_out:
        click.echo(f"Not in it, and shown by `slipway example`: {', '.join(filled.left_out)}.")
    if filled.switched_off:
        click.echo(f"Switched off: {_schedules(filled)}.")
    if left_to_do:
        click.echo("What is left to do there or beside it:")
    for each in left_to_do:
        click.echo(f"  • {each}")
    click.echo(f"Then: `slipway check{named}`, `slipway doctor{named}`, `slipway run{named}`.")


def _schedules(filled: Filled) -> str:
    one = len(filled.switched_off) == 1
    subject = f"the schedule{'' if one else 's'} {', '.join(filled.switched_off)}"
    if filled.no_room:
        return (
            f"{subject}, which take{'s' if one else ''} a room's id where they have {filled.no_room}; then "
            "`enabled = true` switches one on"
        )
    return f"{subject}; `enabled = true` switches one on"


def _pairs(option: str, given: Iterable[str], example: str) -> tuple[list[tuple[str, str]], list[str]]:
    """What was given, and what of it is none; with what it would be like."""
    pairs, wrong = [], []
    for each in given:
        key, equals, value = each.partition("=")
        if not (key.strip() and equals and value.strip() and each.isprintable()):
            wrong.append(f"{option} takes a key and a value, like {example}.")
        else:
            pairs.append((key.strip(), value.strip()))
    return pairs, wrong
