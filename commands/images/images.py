"""`!images`: definitions, and the versions of one."""

from __future__ import annotations

from collections.abc import Sequence

import click

from slipway.bot.chat.model import Card, Field, Table
from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_date
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import format_regions, tell_unreadable
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.versions import (
    is_promoted,
    latest_by_region,
    newest_candidate,
    version_statuses,
)
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import NAME


@command(
    "images",
    summary="Image definitions and what is latest; with a name, its versions.",
    examples=("images", "images Fedora-Cloud-43-x64", "images Fedora-Cloud-Rawhide-*"),
)
@click.argument("definition", type=NAME, required=False, help="An image definition or a pattern.")
async def images(call: CommandContext, definition: str | None) -> CardReply:
    """A candidate was uploaded, and does not launch by default yet; latest is what a launch resolves to."""
    catalogue = call.services.get(ImageServices).catalogue
    found = await catalogue.matching(definition)
    versions = await catalogue.versions_of(found)
    if definition is not None and len(found) == 1:
        return CardReply(_one(found[0], versions[found[0]], call))
    return CardReply(_all(versions, call))


def _all(versions: dict[DefinitionRef, VersionListing], call: CommandContext) -> Card:
    rows = tuple(_summary(str(definition), held, call) for definition, held in versions.items())
    ready = [row[0] for row in rows if row[2] != "-"]
    notes = [f"One of them: `{call.prefix}images {rows[0][0]}`"]
    if ready:
        notes.append(f"Promote the newest candidate: `{call.prefix}promote {ready[0]}`")
    notes += [told for definition, held in versions.items() for told in _odd(definition, held)]
    table = Table(columns=("Definition", "Latest", "To promote", "Candidates", "All"), rows=rows)
    title = f"{len(rows)} image definition{'' if len(rows) == 1 else 's'}"
    return Card(title=title, tables=(table,), notes=tuple(notes))


def _odd(definition: DefinitionRef, versions: VersionListing) -> tuple[str, ...]:
    """What of a definition is not known, a sentence each."""
    if definition.problem:
        return (f"{definition} {definition.problem}.",)
    return tell_unreadable(definition, versions)


def _summary(name: str, versions: Sequence[ImageVersion], call: CommandContext) -> tuple[str, ...]:
    candidates = sum(not is_promoted(each) for each in versions)
    ready = newest_candidate(versions, call.services.clock())
    return (
        name,
        _latest(versions),
        str(ready.number) if ready else "-",
        str(candidates),
        str(len(versions)),
    )


def _latest(versions: Sequence[ImageVersion]) -> str:
    by_region = latest_by_region(versions)
    numbers = sorted({each.number for each in by_region.values()}, reverse=True)
    if not numbers:
        return "none"
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} (older in some regions)"


def _one(definition: DefinitionRef, versions: VersionListing, call: CommandContext) -> Card:
    name = str(definition)
    now = call.services.clock()
    by_region = latest_by_region(versions)
    owner = call.services.get(ImageServices).retention.owner
    regions = [format_regions([region.name for region in version.regions]) for version in versions]
    alike = len(set(regions)) == 1  # then said once, for a table that fits a narrow screen
    rows = tuple(
        (
            str(version.number),
            ", ".join(version_statuses(version, by_region, now, owner)),
            format_date(version.published_at),
            format_date(version.end_of_life),
            *(() if alike else (where,)),
        )
        for version, where in zip(versions, regions, strict=True)
    )
    ready = newest_candidate(versions, now)
    notes = []
    if ready is not None:
        notes.append(f"Promote {ready.number}: `{call.prefix}promote {name}`")
    if len({each.number for each in by_region.values()}) > 1:
        lines = ", ".join(f"{region} {version.number}" for region, version in by_region.items())
        notes.append(f"Latest by region: {lines}")
    notes += _odd(definition, versions)
    columns = ("Version", "Is", "Published", "End of life", *(() if alike else ("Regions",)))
    tables = (Table(columns=columns, rows=rows),) if rows else ()
    title = f"{name}: {len(versions)} version{'' if len(versions) == 1 else 's'}, latest {_latest(versions)}"
    fields = (Field(label="Regions", value=regions[0]),) if alike else ()
    return Card(title=title, fields=fields, tables=tables, notes=tuple(notes))


PARTS = (images,)
