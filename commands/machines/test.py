"""`!test`: whether machines of an image come up."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.machines.testing.requests import BootTest
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import NAME


@command(
    "test",
    summary="Boot-test an image: launch a machine from it, see whether that comes up, and end it.",
    examples=(
        "test Fedora-Cloud-43-x64",
        "test Fedora-Cloud-43-x64/43.20261101.0",
        "test ami-0abcdef1234567890",
        "test --due",
    ),
    access=Access.CHANGE,
)
@click.argument(
    "image",
    type=NAME,
    required=False,
    help="A definition, for its newest candidate; DEFINITION/VERSION; or an image's id or name, as for "
    "`launch`.",
)
@click.option(
    "--due", is_flag=True, help="In place of one image: every candidate whose boot test has no result yet."
)
@dry_run
async def test(call: CommandContext, image: str | None, due: bool, dry_run: bool) -> ChangeRequest:
    """The result is recorded, and `images` shows it: passed once the cloud's own checks passed and, where the bot
    has a key for it, somebody could log in and cloud-init was done; failed where one of these says so. Whatever keeps
    that from being known is no result. The machine is ended in any case. `[testing]` says by which profiles, how
    long, and with which key."""
    if (image is None) is not due:
        raise MisuseError("Name one image, or say `--due`.", test)
    return ChangeRequest(BootTest(image=image or "", due=due, requester=call.person.id), dry_run)


PARTS = (test,)
