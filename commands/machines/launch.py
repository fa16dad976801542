"""`!launch`: machines from an image."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.subjects.machines.requests import Launch
from slipway.commands.dispatch.context import ChangeRequest, CommandContext
from slipway.commands.grammar.values import DURATION, NAME, WholeNumber

COUNT = WholeNumber(1, 50)


@command(
    "launch",
    summary="Launch machines from an image, for a time.",
    examples=(
        "launch ami-0abcdef1234567890",
        "launch *x86_64-43-20261117* --for 2h30m",
        "launch ami-0abcdef1234567890 --profile small --count 2 --dry-run",
        "launch ami-0abcdef1234567890 --no-ssh",
    ),
    access=Access.CHANGE,
)
@click.argument(
    "image",
    type=NAME,
    help="An image's id or name, or a beginning or a pattern, such as `*x86_64-43*`, that fits only one; "
    "`images --cloud NAME` shows which there are.",
)
@click.option(
    "--profile", metavar="NAME", help="A launch template with limits: `profiles` shows which there are."
)
@click.option("--for", "duration", type=DURATION, help="How long they live; without, the profile's default.")
@click.option("--count", type=COUNT, default=1, help="How many, all or none.")
@click.option("--region", type=NAME, help="Where, of the profile's regions; without, its first.")
@click.option("--type", "instance_type", type=NAME, help="Another machine type, where the profile allows it.")
@click.option("--no-ssh", is_flag=True, help="Nobody has to log in: no key is put in.")
@dry_run
async def launch(
    call: CommandContext,
    image: str,
    profile: str | None,
    duration: timedelta | None,
    count: int,
    region: str | None,
    instance_type: str | None,
    no_ssh: bool,
    dry_run: bool,
) -> ChangeRequest:
    """The launch template is pinned to a version, and the plan shows it. When their time is up, machines
    are ended; you are told before, and `extend` lets them live longer."""
    request = Launch(
        image=image,
        profile=profile,
        count=count,
        seconds=int(duration.total_seconds()) if duration else None,
        requester=call.person.id,
        region=region,
        instance_type=instance_type,
        ssh=not no_ssh,
    )
    return ChangeRequest(request, dry_run)


PARTS = (launch,)
