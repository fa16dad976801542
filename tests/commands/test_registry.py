"""Which command a line means, and which commands cannot be together."""

from __future__ import annotations

from typing import Any

import click
import pytest

from slipway.bot.core.commands import Access, Command, command, dry_run
from slipway.bot.core.errors import DeclarationError
from slipway.commands.dispatch.cards import unknown_card, unknown_verb_card
from slipway.commands.dispatch.manual import help_command
from slipway.commands.grammar.arguments import HelpWanted, parse
from slipway.commands.grammar.reading import Unknown
from slipway.commands.grammar.registry import (
    CommandGroup,
    Registry,
    Resolved,
    UnknownVerb,
    build_registry,
    check_examples,
)
from slipway.commands.grammar.usage import usage


@command("bundles", summary="All bundles.", examples=("bundles",), aliases=("bundle",))
async def bundles(call: str) -> str:
    return call


@command("bundle apply", summary="Apply one.", examples=("bundle apply app --dry-run",), access=Access.CHANGE)
@click.argument("ref")
@dry_run
async def bundle_apply(call: str, ref: str, dry_run: bool) -> str:
    return f"{call} {ref} {dry_run}"


@command("locks", summary="All locks.", examples=("locks", "lock l1"), aliases=("lock",))
@click.argument("name", required=False)
async def locks(call: str, name: str | None) -> str:
    return f"{call} {name}"


@command("lock release", summary="Release one.", examples=("lock release l1",))
@click.argument("lock")
async def lock_release(call: str, lock: str) -> str:
    return f"{call} {lock}"


@command("status", summary="How it is.", examples=("status",))
async def status(call: str) -> str:
    return call


REGISTRY: Registry[str] = build_registry(
    (
        CommandGroup("Bundles", (bundles, bundle_apply, locks, lock_release)),
        CommandGroup("Slipway", (status,)),
    )
)
HELP = ("--help",)


@pytest.mark.parametrize(
    ("name", "args", "meant"),
    [
        ("bundles", (), Resolved(bundles, ())),
        ("bundle", (), Resolved(bundles, ())),
        ("bundle", ("apply", "app"), Resolved(bundle_apply, ("app",))),
        ("bundles", ("APPLY", "app"), Resolved(bundle_apply, ("app",))),
        ("bundle", ("aply", "app"), UnknownVerb("bundle", "aply", ("apply",))),
        ("bundle", ("frobnicate",), UnknownVerb("bundle", "frobnicate", ("apply",))),
        ("bundle", ("--all",), Resolved(bundles, ("--all",))),
        ("lock", ("l1",), Resolved(locks, ("l1",))),
        ("lock", ("relase", "l1"), UnknownVerb("lock", "relase", ("release",))),
        ("status", ("help",), Resolved(status, ("help",))),
        # What other programs have a verb for, the bare noun does.
        ("lock", ("show", "l1"), Resolved(locks, ("l1",))),
        ("bundle", ("list",), Resolved(bundles, ())),
        # A verb that there is none of is told, and is no name.
        ("lock", ("close", "l1"), UnknownVerb("lock", "close", ("release",))),
        ("lock", ("apply", "l1"), UnknownVerb("lock", "apply", ("release",))),
        ("lock", ("close",), Resolved(locks, ("close",))),
    ],
)
def test_a_verb_after_a_noun_is_a_command_of_its_own(name: str, args: tuple[str, ...], meant: object) -> None:
    assert REGISTRY.resolve(name, args) == meant


@pytest.mark.parametrize(
    ("name", "args", "meant"),
    [
        ("bundles", ("--help",), bundles),
        ("bundle", ("-h",), bundles),
        ("bundle", ("HELP",), bundles),
        ("lock", ("help",), locks),
        ("lock", ("help", "release"), lock_release),
        ("lock", ("--help", "Release"), lock_release),
        ("lock", ("help", "nobody"), locks),
        ("lock", ("release", "--help"), lock_release),
    ],
)
def test_help_after_a_noun_is_that_of_the_noun_or_of_its_verb(
    name: str, args: tuple[str, ...], meant: Command[Any]
) -> None:
    found = REGISTRY.resolve(name, args)
    assert isinstance(found, Resolved)
    assert found.command is meant
    assert parse(found.command, found.args, "!") == HelpWanted()


def test_the_help_of_a_noun_shows_its_verbs_and_that_of_others_none() -> None:
    assert REGISTRY.verbs_of(bundles) == (bundle_apply,)
    assert REGISTRY.verbs_of(bundle_apply) == REGISTRY.verbs_of(status) == ()
    *_, verbs = help_command(locks, "!", REGISTRY.verbs_of(locks)).tables
    assert verbs.rows == (("`!lock release LOCK`", "Release one."),)


@pytest.mark.parametrize("args", [(), ("make", "x"), ("--help",)])
def test_a_stored_line_of_a_command_that_is_not_there_is_told_as_that(args: tuple[str, ...]) -> None:
    found = REGISTRY.resolve("toy", args)
    assert found == Unknown("toy")
    assert unknown_card(found, REGISTRY, "!").title == "There is no command !toy."
    assert REGISTRY.resolve("bundls", args) == Unknown("bundls", ("bundle", "bundles"))


@pytest.mark.parametrize(
    ("args", "title"),
    [
        (("aply",), "bundle has no aply. Did you mean !bundle apply?"),
        (("a`pply",), "bundle has no apply. Did you mean !bundle apply?"),
    ],
)
def test_a_slip_in_a_verb_is_told_with_what_may_have_been_meant(args: tuple[str, ...], title: str) -> None:
    found = REGISTRY.resolve("bundle", args)
    assert isinstance(found, UnknownVerb)
    meant = REGISTRY.find((found.noun, found.verbs[0]))
    assert meant is not None
    card = unknown_verb_card(found, (meant,), "!")
    assert card.title == title
    assert card.notes == ("`!bundle apply REF`: Apply one.",)


def test_a_slip_in_a_verb_that_somebody_may_not_use_is_told_without_it_and_with_who_may() -> None:
    found = REGISTRY.resolve("bundle", ("aply",))
    assert isinstance(found, UnknownVerb)
    card = unknown_verb_card(found, (), "!", "Bob may.")
    assert (card.title, card.notes) == ("bundle has no aply.", ("Bob may.", "All commands: `!help`"))


def named(name: str, *aliases: str) -> Command[str]:
    """A command of this name."""
    return command(name, summary="x", examples=(name,), aliases=aliases)(status.handler)


@pytest.mark.parametrize(
    ("commands", "noun"),
    [
        ((named("token create"),), "token"),
        ((named("tokens"), named("token create")), "token"),
        ((named("token", "toks"), named("tokens create")), "tokens"),
    ],
)
def test_a_noun_that_does_not_list_is_refused(commands: tuple[Command[str], ...], noun: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        build_registry((CommandGroup("Tokens", commands),))
    assert str(caught.value) == (
        f"The noun {noun} has no command that lists: add one of one word with {noun} as its name or alias."
    )


def test_a_noun_is_listed_by_a_command_of_its_own_group() -> None:
    with pytest.raises(DeclarationError, match="The noun token is claimed twice, by One and Other"):
        build_registry(
            (
                CommandGroup("One", (named("tokens", "token"),)),
                CommandGroup("Other", (named("token create"),)),
            )
        )


def test_a_noun_goes_by_each_name_of_what_lists() -> None:
    registry = build_registry((CommandGroup("Tokens", (named("tokens", "token"), named("token create"))),))
    assert registry.names == ("tokens", "token")
    for name in registry.names:
        found = registry.resolve(name, ("create",))
        assert isinstance(found, Resolved)
        assert found.command.name == "token create"


def test_each_has_a_right_and_a_usage_line_of_its_own() -> None:
    assert bundle_apply.right == "bundle.apply"
    assert usage(bundle_apply, "!") == "!bundle apply REF [--dry-run]"
    assert check_examples(REGISTRY.commands) == ()
