"""`slipway policy`: what policies would ask for, and tests of them. Neither a cloud nor the running bot is asked."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from slipway.bot.cli.common import EXIT_CONFIG, EXIT_FAILURE, config_option, fail, load_settings
from slipway.bot.core.errors import UserError


@click.group()
def policy() -> None:
    """Who would have to agree to what. Neither a cloud nor the running bot is asked."""


@policy.command(short_help="Say what a line would ask for, by which rule, and of whom.")
@config_option
@click.argument("line")
@click.option("--as", "speaker", metavar="PERSON", help="Who says it: a person's id, or schedule:NAME.")
def explain(path: Path, line: str, speaker: str | None) -> None:
    """Say what LINE would ask for, by which rule, and who could give it.

    LINE is a command without its prefix, such as 'promote Fedora-*'. What it names need not be there.
    """
    from slipway.bot.cli.policies.explaining import Explainer
    from slipway.bot.cli.policies.question import read_question, who_asks
    from slipway.bot.operations.policies import Asker
    from slipway.bot.people import People

    settings, declarations = load_settings(path)
    people = People(settings)
    try:
        person, asker = (None, Asker()) if speaker is None else who_asks(speaker, settings, people)
        question = read_question(line, declarations, settings.commands.prefix)
        lines = list(Explainer(settings, declarations, people, person, asker).lines(question))
    except UserError as error:
        fail(_sentence(error))
    click.echo("\n".join(lines))


@policy.command(short_help="Run the tests of policies that a file holds.")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def test(path: Path, file: Path) -> None:
    """Run the tests in FILE against the configuration: each says what a line of somebody's has to ask for.

    The exit status is 0 if all is as expected, 1 if not, and 2 for a mistake in FILE or in the configuration.
    deploy/policy-tests.toml is an example.
    """
    from slipway.bot.cli.policies.cases import TestRunner, read_tests
    from slipway.bot.core.errors import ConfigError
    from slipway.bot.core.problems import one_line
    from slipway.bot.people import People

    settings, declarations = load_settings(path)
    try:
        tests = read_tests(file)
    except ConfigError as error:
        click.echo("\n".join(f"✘ {one_line(problem)}" for problem in error.problems), err=True)
        sys.exit(EXIT_CONFIG)
    runner = TestRunner(settings, declarations, People(settings))
    failed = 0
    for each in tests:
        result = runner.run(each)
        failed += not result.well
        click.echo(one_line(f"{'✔' if result.well else '✘'} {each.name}"))
        if not result.well:
            click.echo(one_line(f"    {each.line}, by {each.by}"))
        for wrong in result.wrong:
            click.echo(one_line(f"    {wrong}"))
    count = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    click.echo(f"{count}, {f'{failed} failed' if failed else 'all as expected'}")
    if failed:
        sys.exit(EXIT_FAILURE)


def _sentence(error: UserError) -> str:
    near = ", ".join(error.nearest)
    return f"{error}{f' Did you mean {near}?' if near else ''}"
