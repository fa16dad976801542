"""`!credential rotate`: a successor, delivered and tried; `!credential remove`: what is left over."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.credentials.rotating.requests import Remove, Rotate
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import NAME


@command(
    "credential rotate",
    summary="Give a credential a successor, which is tried and delivered, and take it away then.",
    examples=("credential rotate uploader", "credential rotate --dry-run ec2/7EXAMPLE"),
    access=Access.CHANGE,
)
@click.argument(
    "name", type=NAME, help="Which, as `credentials` shows it; of a table with one in use, its name."
)
@dry_run
async def rotate(call: CommandContext, name: str, dry_run: bool) -> ChangeRequest:
    """The new secret goes where slipway.toml says, once it works, and nowhere else. Whatever fails, the one before
    works on. It is taken away by its id, after the time of grace."""
    return ChangeRequest(Rotate(name=name), dry_run)


@command(
    "credential remove",
    summary="Take away secrets and keys that are left over: ended, inactive, or with a successor.",
    examples=("credential remove", "credential remove --dry-run uploader", "credential remove ec2/7EXAMPLE"),
    access=Access.CHANGE,
)
@click.argument(
    "name",
    type=NAME,
    required=False,
    help="One, or a table of `[credentials]` for all that is left over there.",
)
@dry_run
async def remove(call: CommandContext, name: str | None, dry_run: bool) -> ChangeRequest:
    """Without a name, all that is left over anywhere. What works goes only by its own name, and where another one is
    in its place; an access key is made inactive first."""
    return ChangeRequest(Remove(name=name or ""), dry_run)


PARTS = (rotate, remove)
