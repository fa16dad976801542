"""What `!images --cloud NAME` shows: the images that machines can be launched from in one account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from slipway.bot.chat.model import NONE, Card
from slipway.bot.chat.tables import Cell, Row, moment, span, table_of, text
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_date, format_span
from slipway.bot.subjects.images.definitions import SEPARATOR, DefinitionRef, same_name
from slipway.bot.subjects.images.services import ImageServices
from slipway.commands.dispatch.context import CardReply, CommandContext

_COLUMNS = {"name": "Image", "architecture": "For", "age": "Age", "deprecated_at": "Deprecated"}

_SHOWN = 20
"""How many are shown, the newest: an owner may have thousands."""

_TOLD = 3  # images that cannot be launched and are told of
_NO_TIME = datetime.min.replace(tzinfo=UTC)


async def launchable_images(
    call: CommandContext, cloud: str, region: str | None, wanted: str | None
) -> CardReply:
    """The images of the account's configured owners, or gallery, as seen from one of its regions.

    Args:
        call: who asks.
        cloud: the name of an account where machines are launched.
        region: one of its regions; None for the first.
        wanted: a pattern, or a part of the names; None for all.

    Raises:
        UserError: the region is not configured, or no image fits.
        CloudError: the cloud cannot be read.
    """
    account = call.services.clouds.get(MACHINES, cloud)
    if region is not None and region not in account.regions:
        there = " and ".join(account.regions)
        raise UserError(
            f"{account.title} is configured for {there}, and not for {region}.",
            nearest=nearest(region, account.regions),
            given=region,
            hint=f"images --cloud {cloud}",
        )
    account = account.at(region) if region is not None else account
    every = await account.images()
    fitting = sorted((each for each in every if wanted is None or _fits(each, wanted)), key=_newest_first)
    if wanted is not None and not fitting:
        sentence = f"No image in {cloud}, {account.region} is called {wanted}"
        if definition := await _definition(call, cloud, wanted):
            raise UserError(
                f"{sentence}; a definition in {definition.cloud} is.",
                hint=f"images {definition.cloud}{SEPARATOR}{definition.name}",
            )
        raise UserError(
            f"{sentence}.",
            nearest=nearest(wanted.strip("*"), (each.name for each in every)),
            given=wanted,
            hint=f"images --cloud {cloud}",
        )
    return CardReply(_card(call, cloud, account.region, fitting))


async def _definition(call: CommandContext, cloud: str, wanted: str) -> DefinitionRef | None:
    """The definition of this name, in this account if it has one; None where no gallery that can be read has."""
    try:
        found = await call.services.get(ImageServices).catalogue.matching(wanted)
    except (UserError, CloudError):
        return None
    return min(found, key=lambda each: each.cloud != cloud) if same_name(found) else None


def _card(call: CommandContext, cloud: str, region: str, images: Sequence[MachineImage]) -> Card:
    usable = [each for each in images if each.launchable]
    where = f"in {cloud}, {region}"
    if not usable:
        title = f"No image can be launched {where}"
        return Card(title=title, notes=tuple(_unusable(images)))
    now, shown = call.services.clock(), usable[:_SHOWN]
    notes = []
    if call.may(line := f"launch {shown[0].name}"):
        notes.append(f"Launch the newest: `{call.prefix}{line}`")
    if len(usable) > _SHOWN:
        few = f"`{call.prefix}images PATTERN --cloud {cloud}`"
        notes.append(f"These are the newest {_SHOWN}; by a part of the name, others are shown: {few}")
    notes += _unusable(images)
    return Card(
        title=f"{len(usable)} image{'' if len(usable) == 1 else 's'} to launch {where}",
        tables=(table_of(_COLUMNS, [_row(each, now) for each in shown]),),
        notes=tuple(notes),
    )


def _unusable(images: Sequence[MachineImage]) -> list[str]:
    """Those that cannot be launched, and why, a line each for the newest."""
    found = [each for each in images if not each.launchable]
    told = [f"{each.name} ({each.id}) cannot be launched: it is {each.state}" for each in found[:_TOLD]]
    return [*told, f"{len(found) - _TOLD} more cannot be launched"] if len(found) > _TOLD else told


def _row(image: MachineImage, now: datetime) -> Row:
    age = None if image.created_at is None else now - image.created_at
    return {
        "name": text(image.name, _name(image)),
        "architecture": text(image.architecture),
        "age": span(age, NONE if age is None else format_span(age)),
        "deprecated_at": moment(image.deprecated_at, _deprecated(image, now)),
        "deprecated": Cell("", image.deprecated_at is not None and image.deprecated_at <= now),
        "id": text(image.id),
        "region": text(image.region),
        "owner": text(image.owner),
        "created_at": moment(image.created_at, ""),
    }


def _name(image: MachineImage) -> str:
    """As `!launch` takes it, with the version where the id holds one."""
    return image.id if image.id.startswith(f"{image.name}/") else image.name


def _deprecated(image: MachineImage, now: datetime) -> str:
    if image.deprecated_at is None:
        return NONE
    date = format_date(image.deprecated_at)
    return f"⚠ since {date}" if image.deprecated_at <= now else f"from {date}"


def _fits(image: MachineImage, wanted: str) -> bool:
    folded = wanted.casefold()
    pattern = folded if any(sign in folded for sign in "*?[") else f"*{folded}*"
    return image.id.casefold() == folded or fnmatchcase(image.name.casefold(), pattern)


def _newest_first(image: MachineImage) -> tuple[float, str]:
    return -(image.created_at or _NO_TIME).timestamp(), image.name
