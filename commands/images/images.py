"""`!images`: definitions, and the versions of one."""

from __future__ import annotations

from collections.abc import Sequence

import click

from slipway.bot.chat.model import Card, Field
from slipway.bot.chat.tables import Cell, Row, moment, number, table_of, text, texts
from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_date
from slipway.bot.subjects.images.definitions import SEPARATOR, DefinitionRef
from slipway.bot.subjects.images.formatting import format_regions, tell_unreadable
from slipway.bot.subjects.images.promote import choosable, choose
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.versions import (
    is_promoted,
    latest_by_region,
    newer_candidates,
    unfit,
    version_statuses,
)
from slipway.commands.dispatch.context import CardReply, CommandContext
from slipway.commands.grammar.values import NAME
from slipway.commands.images.launchable import launchable_images

_DEFINITIONS = {
    "definition": "Definition",
    "latest": "Latest",
    "to_promote": "To promote",
    "candidates": "Candidates",
    "versions": "All",
}
_VERSIONS = {"version": "Version", "is": "Is", "published": "Published", "end_of_life": "End of life"}


@command(
    "images",
    summary="Image definitions and what is latest; the versions of one; what can be launched.",
    examples=(
        "images",
        "images Fedora-Cloud-43-x64",
        "images Fedora-Cloud-Rawhide-*",
        "images --cloud aws",
        "images x86_64-43 --cloud aws",
    ),
)
@click.argument("definition", type=NAME, required=False, help="An image definition or a pattern.")
@click.option(
    "--cloud", type=NAME, metavar="NAME", help="What can be launched in this account, such as `aws`."
)
@click.option("--region", type=NAME, help="Where in that account; without, its first region.")
async def images(
    call: CommandContext, definition: str | None, cloud: str | None, region: str | None
) -> CardReply:
    """A candidate was uploaded, and does not launch by default yet; latest is what a launch resolves to."""
    if region is not None and cloud is None:
        raise UserError(
            "`--region` is a region of an account: say which, with `--cloud`.", hint="help images"
        )
    if cloud is None:
        return CardReply(await _definitions(call, definition))
    account = _account(call, cloud)
    if account in call.services.clouds.all(MACHINES):
        return await launchable_images(call, account, region, definition)
    card = await _definitions(call, f"{account}{SEPARATOR}{definition or '*'}")
    note = f"No machines are launched in {account}, so these are its definitions and versions."
    return CardReply(card.model_copy(update={"notes": (*card.notes, note)}))


async def _definitions(call: CommandContext, wanted: str | None) -> Card:
    """The versions of the one definition that is meant, or a line for each of several."""
    catalogue = call.services.get(ImageServices).catalogue
    found = await catalogue.matching(wanted)
    versions = await catalogue.versions_of(found)
    history = call.services.get(ImageServices).history
    if wanted is not None and len(found) == 1:
        (one,) = found
        candidates = [each for each in versions[one] if not is_promoted(each)]
        asked = [*candidates, *choosable(versions[one])]
        back = await history.rolled_back([Pin.of(one, each) for each in asked])
        return _one(one, versions[one], back, call)
    pins = [Pin.of(each, version) for each, held in versions.items() for version in choosable(held)]
    return _all(versions, await history.rolled_back(pins), call)


def _account(call: CommandContext, wanted: str) -> str:
    """The configured account of this name. Case does not count."""
    clouds = call.services.clouds
    known = tuple(dict.fromkeys((*clouds.all(MACHINES), *clouds.all(IMAGE_VERSIONS))))
    found = next((each for each in known if each.casefold() == wanted.casefold()), None)
    if found is None:
        raise UserError(
            f"No account is called {wanted}; there is {' and '.join(known) or 'none'}.",
            nearest=nearest(wanted, known),
            given=wanted,
            hint="images",
        )
    return found


def _all(versions: dict[DefinitionRef, VersionListing], back: Sequence[Pin], call: CommandContext) -> Card:
    rows = [_summary(definition, held, back, call) for definition, held in versions.items()]
    ready = next((row for row in rows if row["to_promote"].value), None)
    notes = [f"One of them: `{call.prefix}images {rows[0]['definition'].words}`"]
    if ready is not None and call.may(f"promote {ready['definition'].words}"):
        line = f"{call.prefix}promote {ready['definition'].words}"
        notes.append(f"Promote {ready['to_promote'].words}: `{line}`")
    notes += [told for definition, held in versions.items() for told in _odd(definition, held)]
    table = table_of(_DEFINITIONS, rows)
    title = f"{len(rows)} image definition{'' if len(rows) == 1 else 's'}"
    return Card(title=title, tables=(table,), notes=tuple(notes))


def _odd(definition: DefinitionRef, versions: VersionListing) -> tuple[str, ...]:
    """What of a definition is not known, a sentence each."""
    if definition.problem:
        return (f"{definition} {definition.problem}.",)
    return tell_unreadable(definition, versions)


def _summary(
    definition: DefinitionRef, versions: Sequence[ImageVersion], back: Sequence[Pin], call: CommandContext
) -> Row:
    ready = choose(definition, versions, back, call.services.clock())
    numbers = _latest_numbers(versions)
    return {
        "definition": text(str(definition)),
        "latest": text(str(numbers[0]) if numbers else None, _latest(versions)),
        "latest_everywhere": Cell("", len(numbers) == 1),
        "to_promote": text(str(ready.number) if ready else None),
        "candidates": number(sum(not is_promoted(each) for each in versions)),
        "versions": number(len(versions)),
    }


def _latest_numbers(versions: Sequence[ImageVersion]) -> list[VersionNumber]:
    """What is latest in some region, the highest first."""
    return sorted({each.number for each in latest_by_region(versions).values()}, reverse=True)


def _latest(versions: Sequence[ImageVersion]) -> str:
    numbers = _latest_numbers(versions)
    if not numbers:
        return "none"
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} (older in some regions)"


def _one(
    definition: DefinitionRef, versions: VersionListing, back: Sequence[Pin], call: CommandContext
) -> Card:
    name = str(definition)
    taken_back = {pin.version for pin in back}
    now = call.services.clock()
    by_region = latest_by_region(versions)
    owner = call.services.get(ImageServices).retention.owner
    regions = [format_regions([region.name for region in version.regions]) for version in versions]
    alike = len(set(regions)) == 1  # then said once, for a table that fits a narrow screen
    rows = [
        _version(
            version,
            version_statuses(version, by_region, now, owner, rolled_back=str(version.number) in taken_back),
            where,
        )
        for version, where in zip(versions, regions, strict=True)
    ]
    ready = choose(definition, versions, back, now)

    def passed_over(each: ImageVersion) -> bool:
        """Whether it would be promoted instead, had it not been rolled back."""
        newer = ready is None or each.number > ready.number
        return newer and str(each.number) in taken_back and unfit(each, now) is None

    notes = []
    if ready is not None and call.may(f"promote {name}"):
        notes.append(f"Promote {ready.number}: `{call.prefix}promote {name}`")
    passed = next((str(each.number) for each in newer_candidates(versions) if passed_over(each)), None)
    if passed is not None and call.may(f"promote {name} {passed}"):
        again = f"{call.prefix}promote {name} {passed}"
        notes.append(f"{passed} was rolled back, and is promoted only by its number: `{again}`")
    if len({each.number for each in by_region.values()}) > 1:
        lines = ", ".join(f"{region} {version.number}" for region, version in by_region.items())
        notes.append(f"Latest by region: {lines}")
    notes += _odd(definition, versions)
    columns = _VERSIONS if alike else {**_VERSIONS, "regions": "Regions"}
    tables = (table_of(columns, rows),) if rows else ()
    title = f"{name}: {len(versions)} version{'' if len(versions) == 1 else 's'}, latest {_latest(versions)}"
    fields = (Field(label="Regions", value=regions[0]),) if alike else ()
    return Card(title=title, fields=fields, tables=tables, notes=tuple(notes))


def _version(version: ImageVersion, statuses: Sequence[str], regions: str) -> Row:
    return {
        "version": text(str(version.number)),
        "is": texts(statuses, ", ".join(statuses)),
        "published": moment(version.published_at, format_date(version.published_at)),
        "end_of_life": moment(version.end_of_life, format_date(version.end_of_life)),
        "regions": texts([region.name for region in version.regions], regions),
    }


PARTS = (images,)
