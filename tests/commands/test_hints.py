"""Which command an answer names as the next one, and what it says where it may not."""

from __future__ import annotations

import click
import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.people import People
from slipway.commands.dispatch.hints import why_not
from slipway.commands.grammar.registry import CommandGroup, Registry, build_registry


@command("help", summary="Help.", examples=("help",), access=Access.OPEN)
async def help_(call: str) -> str:
    return call


@command("status", summary="How it is.", examples=("status",))
async def status(call: str) -> str:
    return call


@command("promote", summary="Promote one.", examples=("promote a",), access=Access.CHANGE)
@click.argument("image")
@dry_run
async def promote(call: str, image: str, dry_run: bool) -> str:
    return f"{call} {image} {dry_run}"


REGISTRY: Registry[str] = build_registry((CommandGroup("All", (help_, status, promote)),))
PEOPLE = People(
    SlipwaySettings.model_validate(
        {
            "person": [
                {"id": "alice", "name": "Alice", "identities": ["console:alice"], "roles": ["releng"]},
                {"id": "carol", "name": "Carol", "identities": ["console:carol"], "roles": ["reader"]},
            ],
            "roles": {"releng": {"may": ["read", "promote"]}, "reader": {"may": ["read"]}},
        }
    )
)
NO_RIGHT = "`promote` takes the right `promote`, which you do not have: Alice (alice) has it."


@pytest.mark.parametrize(
    ("who", "line", "why"),
    [
        ("alice", "promote a", None),
        ("alice", "promote", ""),  # a line that cannot be read: not a word of rights that they have
        ("alice", "promote a --everywhere", ""),
        ("alice", 'promote noon"', ""),  # made of what somebody typed
        ("carol", "promote a", NO_RIGHT),
        ("carol", "promote a --dry-run", None),
        ("carol", "promote", ""),
        ("carol", "status", None),
        ("carol", "frobnicate", ""),
        ("mallory", "help", None),
        ("mallory", "status", ""),
        ("mallory", "promote a", ""),
    ],
)
def test_a_next_command_is_one_that_its_reader_may_use_or_it_is_said_who_may(
    who: str, line: str, why: str | None
) -> None:
    person = PEOPLE.by_account(CONSOLE, who) or PEOPLE.stranger(CONSOLE, who)
    assert why_not(person, line, REGISTRY, PEOPLE) == why
