"""`!images`: definitions, and the versions of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import click

from slipway.bot.chat.model import Card, Field
from slipway.bot.chat.tables import Cell, Row, moment, number, table_of, text, texts
from slipway.bot.clouds.capabilities import unknown_account
from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.core.commands import command
from slipway.bot.core.errors import UserError
from slipway.bot.core.times import format_date
from slipway.bot.subjects.images.definitions import SEPARATOR, DefinitionRef, same_name
from slipway.bot.subjects.images.formatting import all_regions, format_regions, tell_unreadable
from slipway.bot.subjects.images.holds.choosing import why_all_held, without_held
from slipway.bot.subjects.images.holds.model import WHOLE_DEFINITION, Holds
from slipway.bot.subjects.images.promoting.choosing import choosable, choose
from slipway.bot.subjects.images.replication.looking import newest_first_asked
from slipway.bot.subjects.images.replication.states import copies_in_words, missing_copies
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.restoring.kept import Kept
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.images.versions import (
    is_candidate,
    is_promoted,
    latest_by_region,
    newer_candidates,
    unfit,
    version_statuses,
)
from slipway.commands.dispatch.context import CardReply, CommandContext, MisuseError
from slipway.commands.grammar.values import NAME
from slipway.commands.images.about_version import about_gone, about_version
from slipway.commands.images.announced import announced_notes
from slipway.commands.images.called_bad import bad_and_latest, called_bad, to_promote, without_bad
from slipway.commands.images.chart import charted
from slipway.commands.images.kept import kept_card, one_kept, read_kept, with_kept
from slipway.commands.images.launchable import launchable_images
from slipway.commands.images.values import IMAGE, VERSION, ImageName, with_version

_DEFINITIONS = {
    "definition": "Definition",
    "latest": "Latest",
    "to_promote": "To promote",
    "candidates": "Candidates",
    "versions": "All",
}
MOST_ASKED = 100
"""Of so many definitions it is looked at where the copies of their latest are: a request or two each."""

_VERSIONS = {"version": "Version", "is": "Is", "published": "Published", "end_of_life": "End of life"}


@command(
    "images",
    summary="Image definitions and what is latest; the versions of one; what can be launched.",
    examples=(
        "images",
        "images Fedora-Cloud-43-x64",
        "images Fedora-Cloud-43-x64/43.20261101.0",
        "images Fedora-Cloud-43-x64 --chart",
        "images Fedora-Cloud-Rawhide-*",
        "images --cloud aws",
        "images x86_64-43 --cloud aws",
    ),
)
@click.argument(
    "image",
    type=NAME,
    metavar="IMAGE",
    required=False,
    help="An image definition or a pattern, or DEFINITION/VERSION.",
)
@click.argument("version", type=VERSION, required=False, metavar="")
@click.option(
    "--cloud", type=NAME, metavar="NAME", help="What can be launched in this account, such as `aws`."
)
@click.option("--region", type=NAME, help="Where in that account; without, its first region.")
@click.option("--chart", is_flag=True, help="With a picture of its versions by date.")
async def images(
    call: CommandContext,
    image: str | None,
    version: VersionNumber | None,
    cloud: str | None,
    region: str | None,
    chart: bool,
) -> CardReply:
    """A candidate was uploaded, and does not launch by default yet; latest is what a launch resolves to. Where
    several clouds have the definition, each is shown; `CLOUD:DEFINITION` means one. Of one version it is shown what
    speaks for and against it, which rules it does not meet, and what was done to it."""
    if region is not None and cloud is None:
        raise UserError(
            "`--region` is a region of an account: say which, with `--cloud`.", hint="help images"
        )
    if cloud is None:
        return CardReply(await _definitions(call, _named(image, version), chart))
    account = _account(call, cloud)
    if account in call.services.clouds.all(MACHINES) and not chart:
        return await launchable_images(call, account, region, image)
    card = await _definitions(call, _named(f"{account}{SEPARATOR}{image or '*'}", version), chart)
    if account in call.services.clouds.all(MACHINES):
        return CardReply(card)
    note = f"No machines are launched in {account}, so these are its definitions and versions."
    return CardReply(card.model_copy(update={"notes": (*card.notes, note)}))


def _named(image: str | None, version: VersionNumber | None) -> ImageName | None:
    """What somebody named; None for all definitions.

    Raises:
        MisuseError: it is no image, or its version is given twice.
    """
    if image is None:
        return None
    try:
        return with_version(IMAGE.read(image), version, images)
    except ValueError as error:
        raise MisuseError(f"`IMAGE`: {error}.", images) from error


async def _definitions(call: CommandContext, wanted: ImageName | None, chart: bool) -> Card:
    """The versions of the one definition that is meant, in each cloud that has it; or a line for each of several.

    Raises:
        MisuseError: a chart is to be drawn of several.
    """
    catalogue = call.services.get(ImageServices).catalogue
    versions = await catalogue.listed(None if wanted is None else wanted.definition)
    found = tuple(versions)
    history = call.services.get(ImageServices).history
    if wanted is not None and (same_name(found) or wanted.version is not None):
        asked = [(each, version) for each in found for version in _asked_about(versions[each], wanted)]
        copied = await catalogue.with_copies(versions, asked)
        card = await _each(call, copied, await read_kept(call, versions), wanted)
        return await charted(call, card, copied) if chart else card
    if chart:
        raise MisuseError("`--chart` shows one definition: name which.", images)
    pins = [Pin.of(each, version) for each, held in versions.items() for version in choosable(held)]
    holds = await call.services.get(ImageServices).holds.store.read()
    asked_of = newest_first_asked(versions, MOST_ASKED)
    versions |= await catalogue.with_copies({each: versions[each] for each in asked_of})
    bad = await called_bad(call, pins)
    return _all(versions, await history.rolled_back(pins), call, holds, bad)


async def _each(
    call: CommandContext,
    versions: Mapping[DefinitionRef, VersionListing],
    kept: Mapping[DefinitionRef, Kept],
    wanted: ImageName,
) -> Card:
    """The versions of each of these definitions, or of each the one that is wanted, on one card.

    Raises:
        UserError: none has that version, as the first one says it.
    """
    cards: dict[DefinitionRef, Card] = {}
    lacking: list[UserError] = []
    for definition, held in versions.items():
        try:
            shown = _shown(call, definition, held, wanted)
        except UserError as error:
            number = wanted.version_text or ""
            away = kept[definition].find(number)
            gone = kept_card(call, definition, away) if away else await about_gone(call, definition, number)
            if gone is None:
                lacking.append(error)
            else:
                cards[definition] = gone
        else:
            candidates = [each for each in held if not is_promoted(each)]
            asked = [Pin.of(definition, each) for each in (*candidates, *choosable(held))]
            back = await call.services.get(ImageServices).history.rolled_back(asked)
            holds = await call.services.get(ImageServices).holds.store.read()
            bad = await called_bad(call, [Pin.of(definition, each) for each in held])
            card = _one(definition, held, back, call, shown, holds, bad)
            going = await announced_notes(call, definition, shown)
            card = card.model_copy(update={"notes": (*card.notes, *going)})
            if wanted.version is None:
                card = with_kept(call, card, definition, kept[definition])
            else:
                card = one_kept(call, card, definition, kept[definition], str(shown[0].number))
                card = await about_version(call, card, definition, held, shown[0])
                words = card.tables[0].rows[0][1]
                card = card.model_copy(update={"title": f"{definition}/{shown[0].number}: {words}"})
            cards[definition] = card
    if not cards:
        raise lacking[0]
    return _together(cards, [error.sentence for error in lacking])


def _shown(
    call: CommandContext, definition: DefinitionRef, versions: VersionListing, wanted: ImageName
) -> Sequence[ImageVersion]:
    if wanted.version_text is None:
        return versions
    catalogue = call.services.get(ImageServices).catalogue
    return (catalogue.named_version(definition, versions, wanted.version_text, lambda _each: True),)


def _together(cards: Mapping[DefinitionRef, Card], notes: Sequence[str]) -> Card:
    """Several definitions on one card, each with its own table; one alone is its own card."""
    first, *others = cards.values()
    if not others:
        return first.model_copy(update={"notes": (*first.notes, *notes)})
    return Card(
        title="; ".join(card.title for card in cards.values()),
        fields=tuple(
            field.model_copy(update={"label": f"{field.label} of {definition}"})
            for definition, card in cards.items()
            for field in card.fields
        ),
        tables=tuple(
            table.model_copy(update={"title": str(definition)})
            for definition, card in cards.items()
            for table in card.tables
        ),
        notes=(*(note for card in cards.values() for note in card.notes), *notes),
    )


def _asked_about(versions: VersionListing, wanted: ImageName) -> Sequence[ImageVersion]:
    """Whose copies are of interest beside those of what is latest: the newest candidate's, or those of the one
    version that is wanted."""
    if wanted.version_text is None:
        return newer_candidates(versions)[:1]
    return [each for each in versions if str(each.number) == wanted.version_text]


def _account(call: CommandContext, wanted: str) -> str:
    """The configured account of this name. Case does not count."""
    clouds = call.services.clouds
    known = tuple(dict.fromkeys((*clouds.all(MACHINES), *clouds.all(IMAGE_VERSIONS))))
    found = next((each for each in known if each.casefold() == wanted.casefold()), None)
    if found is None:
        raise unknown_account(wanted, known, "images")
    return found


def _all(
    versions: dict[DefinitionRef, VersionListing],
    back: Sequence[Pin],
    call: CommandContext,
    holds: Holds,
    bad: Collection[str],
) -> Card:
    now = call.services.clock()
    free = {each: without_held(holds, each, held, now) for each, held in versions.items()}
    first = {each: choose(each, without_bad(bad, each, held), back, now) for each, held in free.items()}
    rows = [_summary(definition, held, first[definition]) for definition, held in versions.items()]
    notes = [f"One of them: `{call.prefix}images {rows[0]['definition'].words}`"]
    ready = next((each for each, version in first.items() if version), None)
    if ready is not None:
        notes += to_promote(call, ready, first[ready], choose(ready, free[ready], back, now))
    notes += [told for definition, held in versions.items() for told in _odd(definition, held)]
    if len(versions) > MOST_ASKED:
        notes.append(
            f"Where copies are was looked at for the {MOST_ASKED} definitions whose latest is newest; of others, "
            f"`{call.prefix}images DEFINITION` tells."
        )
    notes += [
        f"{definition} {why}." for definition in versions if (why := why_all_held(holds, definition, now))
    ]
    table = table_of(_DEFINITIONS, rows)
    title = f"{len(rows)} image definition{'' if len(rows) == 1 else 's'}"
    return Card(title=title, tables=(table,), notes=tuple(notes))


def _odd(definition: DefinitionRef, versions: VersionListing) -> tuple[str, ...]:
    """What of a definition is not known, a sentence each."""
    if definition.problem:
        return (f"{definition} {definition.problem}.",)
    return tell_unreadable(definition, versions)


def _summary(definition: DefinitionRef, versions: Sequence[ImageVersion], ready: ImageVersion | None) -> Row:
    numbers = _latest_numbers(versions)
    return {
        "definition": text(str(definition)),
        "latest": text(str(numbers[0]) if numbers else None, _latest(versions)),
        "latest_everywhere": Cell("", len(numbers) == 1),
        "to_promote": text(str(ready.number) if ready else None),
        "candidates": number(sum(is_candidate(each) for each in versions)),
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
    definition: DefinitionRef,
    versions: VersionListing,
    back: Sequence[Pin],
    call: CommandContext,
    shown: Sequence[ImageVersion],
    holds: Holds,
    bad: Collection[str],
) -> Card:
    """One definition, with a row for each of the versions that are shown."""
    name = str(definition)
    taken_back = {pin.version for pin in back}
    now = call.services.clock()
    by_region = latest_by_region(versions)
    owner = call.services.get(ImageServices).retention.owner
    names = [[region.name for region in version.regions] for version in shown]
    shorten = format_regions if len(shown) > 1 else all_regions
    regions = [shorten(each) for each in names]
    alike = len(set(regions)) == 1  # then said once, for a table that fits a narrow screen
    rows = [
        _version(
            version,
            version_statuses(
                version,
                by_region,
                now,
                owner,
                rolled_back=str(version.number) in taken_back,
                bad=Pin.of(definition, version).target in bad,
                held=bool(holds.on(Pin.of(definition, version), now)),
            ),
            where,
        )
        for version, where in zip(shown, regions, strict=True)
    ]
    free = without_held(holds, definition, versions, now)
    ready = choose(definition, without_bad(bad, definition, free), back, now)

    def passed_over(each: ImageVersion) -> bool:
        """Whether it would be promoted instead, had it not been rolled back."""
        newer = ready is None or each.number > ready.number
        held = holds.why_held(Pin.of(definition, each), now)
        return newer and str(each.number) in taken_back and unfit(each, now) is None and not held

    notes = bad_and_latest(call, definition, shown, bad, by_region)
    numbers = {each.number for each in shown}
    if ready is not None and ready.number in numbers:
        notes += to_promote(call, definition, ready, choose(definition, free, back, now))
    passed = next((each.number for each in newer_candidates(versions) if passed_over(each)), None)
    if passed in numbers and call.may(f"promote {name}/{passed}"):
        again = f"{call.prefix}promote {name}/{passed}"
        notes.append(
            f"{passed} was rolled back, and is promoted only by its number, once nobody calls it bad: `{again}`"
        )
    if len({each.number for each in by_region.values()}) > 1:
        lines = ", ".join(f"{region} {version.number}" for region, version in by_region.items())
        notes.append(f"Latest by region: {lines}")
    notes += [f"{each.number} is {copies_in_words(each)}." for each in shown if missing_copies(each)]
    notes += _held(definition, shown, holds, call)
    notes += _odd(definition, versions)
    columns = _VERSIONS if alike else {**_VERSIONS, "regions": "Regions"}
    tables = (table_of(columns, rows),) if rows else ()
    title = f"{name}: {len(versions)} version{'' if len(versions) == 1 else 's'}, latest {_latest(versions)}"
    fields = (Field(label="Regions", value=regions[0]),) if alike else ()
    return Card(title=title, fields=fields, tables=tables, notes=tuple(notes))


def _held(
    definition: DefinitionRef, shown: Sequence[ImageVersion], holds: Holds, call: CommandContext
) -> list[str]:
    """What is held of a definition, by whom, until when and why: a line for each hold."""
    now, zone = call.services.clock(), call.services.cards.zone
    whole = Pin(cloud=definition.cloud, definition=definition.name, version=WHOLE_DEFINITION)
    found = dict.fromkeys(
        hold for pin in (whole, *(Pin.of(definition, each) for each in shown)) for hold in holds.on(pin, now)
    )
    return [
        f"{definition if hold.whole else hold.version} is held by {holds.words(hold, zone)}" for hold in found
    ]


def _version(version: ImageVersion, statuses: Sequence[str], regions: str) -> Row:
    return {
        "version": text(str(version.number)),
        "is": texts(statuses, ", ".join(statuses)),
        "published": moment(version.published_at, format_date(version.published_at)),
        "end_of_life": moment(version.end_of_life, format_date(version.end_of_life)),
        "regions": texts([region.name for region in version.regions], regions),
    }


PARTS = (images,)
