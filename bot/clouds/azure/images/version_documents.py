"""ARM's JSON of image versions read into the model. Whatever does not look as documented is an error, never a guess;
in a listing it is named, and spoils nothing else.

A clean-up reads ten thousand of them, so a page is checked in one go, by the same shapes as a single version.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NotRequired, cast

from pydantic import StrictBool, StrictInt, StrictStr, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import (
    Name,
    Page,
    cannot_be_read,
    entry_name,
    is_azure_number,
    place_of,
    printable,
    read_page,
)
from slipway.bot.clouds.azure.images.edits import PROTECTED_TAG
from slipway.bot.clouds.azure.regions import normalise_region
from slipway.bot.clouds.model import (
    ImageVersion,
    Replication,
    ReplicationState,
    TargetRegion,
    UnreadableVersion,
    VersionListing,
    VersionNumber,
    VersionState,
)
from slipway.bot.core.reasons import clean_reason

_FIRST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC) - timedelta(days=1)
"""Moments that every time zone can write. “Never” is often said as the last second of the year 9999, which is past
the end of Python's calendar in zones west of Greenwich."""

_STATES = {state.value.lower(): state for state in VersionState if state is not VersionState.UNKNOWN}
"""Azure's provisioning states, case-folded; the model has its words."""


_COPIES = {
    "replicating": ReplicationState.REPLICATING,
    "completed": ReplicationState.COMPLETED,
    "failed": ReplicationState.FAILED,
}
"""Azure's states of replication in a region, case-folded; “Unknown”, and what Azure may have added since, is not
known. Source: the specification's ``ReplicationState``, 2026-03-03."""


class _Region(TypedDict):
    name: Name
    regionalReplicaCount: NotRequired[StrictInt | None]
    excludeFromLatest: NotRequired[StrictBool | None]


class _PublishingProfile(TypedDict):
    targetRegions: NotRequired[list[_Region] | None]
    excludeFromLatest: NotRequired[StrictBool | None]
    publishedDate: NotRequired[StrictStr | None]
    endOfLifeDate: NotRequired[StrictStr | None]


class _SafetyProfile(TypedDict):
    blockDeletionBeforeEndOfLife: NotRequired[StrictBool | None]


class _RegionalReplication(TypedDict):
    region: Name
    state: NotRequired[StrictStr | None]
    progress: NotRequired[StrictInt | None]
    details: NotRequired[StrictStr | None]


class _ReplicationStatus(TypedDict):
    summary: NotRequired[list[_RegionalReplication] | None]


class _Properties(TypedDict):
    provisioningState: Name
    publishingProfile: _PublishingProfile
    safetyProfile: NotRequired[_SafetyProfile | None]
    replicationStatus: NotRequired[_ReplicationStatus | None]


class _Version(TypedDict):
    name: Name
    location: Name
    tags: NotRequired[dict[StrictStr, StrictStr | None] | None]
    properties: _Properties


class _VersionPage(TypedDict):
    value: list[_Version]
    nextLink: NotRequired[StrictStr | None]


_VERSION = TypeAdapter(_Version)
_VERSION_PAGE = TypeAdapter(_VersionPage)


class _OddVersionError(ValueError):
    """A document of the right shape that is no version.

    Attributes:
        place: where a text is that cannot be read; empty where it is the name.
    """

    def __init__(self, place: str = "") -> None:
        super().__init__(place)
        self.place = place


def read_version(
    document: object, definition: str, account: AzureAccount, number: VersionNumber | None = None
) -> ImageVersion:
    """One version; where a number is given, the answer must be about it.

    A null flag means not excluded. A state that Azure may have added since is UNKNOWN, with Azure's own word for it.
    Region names come as “East US” or eastus; here they are always the latter.

    Raises:
        CloudError: UNEXPECTED_ANSWER where a field is missing or of another type, or the name is no version.
    """
    what = f"a version of {definition}"
    try:
        found = _VERSION.validate_python(document)
        version = _image_version(found, definition, account)
    except ValidationError as error:
        raise cannot_be_read(what, place_of(error), account) from error
    except _OddVersionError as error:
        if error.place:
            raise cannot_be_read(what, error.place, account) from error
        named = printable(entry_name(document))
        raise account.unexpected_answer(
            f"{account.title} lists “{named}” under {definition}, and that is no version."
        ) from error
    if number not in (None, version.number):
        raise account.unexpected_answer(
            f"{account.title} was asked for {number} of {definition} and answered with {version.number}."
        )
    return version


def read_version_page(body: bytes, definition: str, account: AzureAccount) -> Page[VersionListing]:
    """One page of the listing of a definition's versions; an entry that cannot be understood is named, and spoils no
    other.

    Raises:
        CloudError: UNEXPECTED_ANSWER where the page is none; a page without ``value`` is not an empty one.
        ValueError: the body is no JSON.
    """
    try:
        page = _VERSION_PAGE.validate_json(body)
        # It may be there twice where the listing shifted in between.
        versions = {each["name"]: _image_version(each, definition, account) for each in page["value"]}
    except (ValidationError, _OddVersionError):
        raw = read_page(body, f"the versions of {definition}", account)
        return Page(_entry_by_entry(raw.entries, definition, account), raw.next_link)
    return Page(VersionListing(tuple(versions.values())), page.get("nextLink") or None)


def _entry_by_entry(entries: Iterable[object], definition: str, account: AzureAccount) -> VersionListing:
    found: dict[VersionNumber, ImageVersion] = {}
    unreadable: dict[str, UnreadableVersion] = {}
    for entry in entries:
        try:
            version = _image_version(_VERSION.validate_python(entry), definition, account)
        except ValidationError as error:
            problem = f"cannot be read (at {place_of(error)})"
        except _OddVersionError as error:
            problem = f"cannot be read (at {error.place})" if error.place else "is no version"
        else:
            found[version.number] = version
            continue
        odd = UnreadableVersion(printable(entry_name(entry)), problem)
        unreadable[odd.name] = odd
    return VersionListing(tuple(found.values()), tuple(unreadable.values()))


def _image_version(found: _Version, definition: str, account: AzureAccount) -> ImageVersion:
    """A version of the right shape as the model has it.

    Raises:
        _OddVersionError: its name is no version, or a date no date.
    """
    properties = found["properties"]
    profile, safety = properties["publishingProfile"], properties.get("safetyProfile")
    named = [
        (each["name"], each.get("regionalReplicaCount"), each.get("excludeFromLatest"))
        for each in profile.get("targetRegions") or ()
        # Azure replicates to the source region where no target region is named.
    ] or [(found["location"], None, None)]
    copies = properties.get("replicationStatus")
    kept = safety is not None and safety.get("blockDeletionBeforeEndOfLife") is True
    by_us = False
    tags = found.get("tags") or {}
    if PROTECTED_TAG in tags:
        by_us = kept and tags[PROTECTED_TAG] == account.deployment
        tags = {name: text for name, text in tags.items() if name != PROTECTED_TAG}
    if None in tags.values():  # a tag without a value is there, and empty
        tags = {name: text or "" for name, text in tags.items()}
    state = _STATES.get(properties["provisioningState"].lower())
    return ImageVersion(
        definition=definition,
        number=_number(found["name"]),
        excluded=profile.get("excludeFromLatest") is True,
        state=state or VersionState.UNKNOWN,
        regions=_regions(*named) if copies is None else _copied(_regions(*named), copies),
        published_at=_moment(profile.get("publishedDate"), "publishedDate"),
        end_of_life=_moment(profile.get("endOfLifeDate"), "endOfLifeDate"),
        tags=cast("dict[str, str]", tags),
        kept_until_end_of_life=kept,
        kept_by_us=by_us,
        own_state="" if state else printable(properties["provisioningState"]),
        cloud=account.name,
    )


@lru_cache(maxsize=4096)
def _regions(*named: tuple[str, int | None, bool | None]) -> tuple[TargetRegion, ...]:
    """The regions of a version. Remembered, since the few sets of them that there are come by the ten thousand."""
    return tuple(
        TargetRegion(normalise_region(name), replicas, excluded) for name, replicas, excluded in named
    )


def _copied(regions: tuple[TargetRegion, ...], status: _ReplicationStatus) -> tuple[TargetRegion, ...]:
    """The regions with how far each one's copy is; of one that is not named, that is not known."""
    summary = [
        (each["region"], each.get("state"), each.get("progress"), each.get("details"))
        for each in status.get("summary") or ()
    ]
    return _with_replication(regions, *summary)


@lru_cache(maxsize=4096)
def _with_replication(
    regions: tuple[TargetRegion, ...], *summary: tuple[str, str | None, int | None, str | None]
) -> tuple[TargetRegion, ...]:
    """Their names here may be written otherwise than among the target regions (recorded 2020), and details are not
    there where all is well. Remembered as regions are."""
    told = {
        normalise_region(name): Replication(
            _COPIES.get((state or "").lower(), ReplicationState.UNKNOWN),
            progress,
            clean_reason(details or ""),
        )
        for name, state, progress, details in summary
    }
    unknown = Replication(ReplicationState.UNKNOWN)
    return tuple(replace(region, replication=told.get(region.name, unknown)) for region in regions)


@lru_cache(maxsize=32768)
def _number(name: str) -> VersionNumber:
    """The number of a version. Remembered: many definitions have versions of one number, and every plan reads them
    all again."""
    try:
        number = VersionNumber.parse(name)
    except ValueError:
        raise _OddVersionError from None
    if not is_azure_number(number):
        raise _OddVersionError
    return number


@lru_cache(maxsize=32768)
def _moment(text: str | None, field: str) -> datetime | None:
    """An ISO 8601 text as an aware UTC moment; Azure leaves the offset out where it means UTC. Remembered as numbers
    are."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _OddVersionError(f"properties.publishingProfile.{field}") from None
    if moment.tzinfo is not UTC:
        try:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            return _LAST if moment.year > 1 else _FIRST
    return moment if 1 < moment.year < 9999 else min(max(moment, _FIRST), _LAST)
