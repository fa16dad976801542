"""`!profiles`: what `!launch` can launch."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Table, Tone
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.commands import command
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.machines.launching.terms import lifetime_of
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.commands.dispatch.context import CardReply, CommandContext


@command(
    "profiles",
    summary="The profiles that machines are launched by: their size, and how much may be asked for.",
    examples=("profiles",),
    aliases=("profile",),
)
async def profiles(call: CommandContext) -> CardReply:
    """In the configuration's order: without `--profile`, `launch` takes the first that runs the image."""
    machines = call.services.get(MachineServices)
    if not machines.profiles:
        raise UserError("No profile is configured, so nothing can be launched; add one under [profiles].")
    rows, troubles = [], []
    for name, profile in machines.profiles.items():
        try:
            size = await _size(machines, name, profile)
        except (CloudError, UserError) as error:
            size = "⚠ not known"
            troubles.append(f"⚠ Profile {name}: {error.words if isinstance(error, CloudError) else error}")
        rows.append((name, size, str(profile.max_count), _time(name, profile)))
    table = Table(columns=("Profile", "Machine", "At a time", "For"), rows=tuple(rows))
    usage = f"launch IMAGE --profile {next(iter(machines.profiles))}"
    notes = (*troubles, *([f"Launch one: `{call.prefix}{usage}`"] if call.may(usage) else ()))
    title = f"{len(rows)} profile{'s' if len(rows) != 1 else ''}"
    return CardReply(
        Card(tone=Tone.WARNING if troubles else Tone.INFO, title=title, tables=(table,), notes=notes)
    )


async def _size(machines: MachineServices, name: str, profile: ProfileSettings) -> str:
    """What the profile's template launches, by the cloud's word, and by the configuration's."""
    cloud = machines.clouds.get(MACHINES, profile.cloud)
    template = await cloud.template(profile.template_name(name), profile.template_version)
    runs = " and ".join(template.architectures)
    kind = template.instance_type or f"as the launch template {template.name} says"
    return ", ".join(filter(None, (f"{kind} ({runs})" if runs else kind, profile.description)))


def _time(name: str, profile: ProfileSettings) -> str:
    usual, most = lifetime_of(None, name, profile), profile.max_for
    if usual == most:
        return format_duration(most)
    return f"{format_duration(usual)}, at most {format_duration(most)}"


PARTS = (profiles,)
