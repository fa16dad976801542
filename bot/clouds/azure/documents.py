"""ARM's JSON read into the model. Whatever does not look as documented is an error, never a guess; in a listing it is
named, and spoils nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.regions import normalise_region
from slipway.bot.clouds.model import (
    Definition,
    ImageVersion,
    TargetRegion,
    UnreadableVersion,
    VersionListing,
    VersionNumber,
    VersionState,
)
from slipway.bot.core.errors import CloudError

_FIRST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_LAST = datetime.max.replace(microsecond=0, tzinfo=UTC) - timedelta(days=1)
"""Moments that every time zone can write. “Never” is often said as the last second of the year 9999, which is past
the end of Python's calendar in zones west of Greenwich."""


def _utc(value: object) -> object:
    """An ISO 8601 text as an aware UTC moment; Azure leaves the offset out where it means UTC."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value if isinstance(value, str) else "")
    try:
        found = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return _LAST if moment.year > 1 else _FIRST
    return min(max(found, _FIRST), _LAST)


def _tags(value: object) -> object:
    """Tags as texts: one without a value is there, and empty."""
    if not isinstance(value, dict):
        return value
    return {name: "" if text is None else text for name, text in value.items()}


_Timestamp = Annotated[datetime | None, BeforeValidator(_utc)]
_Tags = Annotated[dict[StrictStr, StrictStr] | None, BeforeValidator(_tags)]
_Name = Annotated[StrictStr, Field(min_length=1)]


class _ArmModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Region(_ArmModel):
    name: _Name
    regional_replica_count: StrictInt | None = None
    exclude_from_latest: StrictBool | None = None


class _Profile(_ArmModel):
    target_regions: tuple[_Region, ...] | None = None
    exclude_from_latest: StrictBool | None = None
    published_date: _Timestamp = None
    end_of_life_date: _Timestamp = None


class _SafetyProfile(_ArmModel):
    block_deletion_before_end_of_life: StrictBool | None = None


class _VersionProperties(_ArmModel):
    provisioning_state: _Name
    publishing_profile: _Profile
    safety_profile: _SafetyProfile | None = None


class _Version(_ArmModel):
    name: _Name
    location: _Name
    tags: _Tags = None
    properties: _VersionProperties


class _DefinitionProperties(_ArmModel):
    architecture: StrictStr | None = None


class _Definition(_ArmModel):
    name: _Name
    tags: _Tags = None
    properties: _DefinitionProperties


class Page(_ArmModel):
    """One page of a listing; its entries are not read yet."""

    value: tuple[Any, ...]
    next_link: StrictStr | None = None


ModelT = TypeVar("ModelT", bound=_ArmModel)

NAMELESS = "an entry without a name"
"""What an entry of a listing is called that has neither name nor id."""

_INT32 = 2**31 - 1

_STATES = {
    "creating": VersionState.CREATING,
    "updating": VersionState.UPDATING,
    "failed": VersionState.FAILED,
    "succeeded": VersionState.SUCCEEDED,
    "deleting": VersionState.DELETING,
    "migrating": VersionState.MIGRATING,
}
"""Azure's provisioning states, case-folded."""

_DEFINITION_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9])?", re.ASCII)
"""Source: Azure Compute Gallery, names of image definitions. Anything else could change the URL's path."""


def is_azure_number(number: VersionNumber) -> bool:
    """Whether Azure could have a version of this number: three parts, each a 32-bit integer.

    Source: Azure Compute Gallery, "Image versions".
    """
    return len(number.parts) == 3 and max(number.parts) <= _INT32


def why_no_azure_number(number: VersionNumber) -> str:
    """Why Azure cannot have a version of this number, as the rest of a sentence about it; empty where it could."""
    if is_azure_number(number):
        return ""
    if len(number.parts) != 3:
        return f"is not a version in Azure: versions there have three numbers, not {len(number.parts)}"
    return f"is not a version in Azure: each of the three numbers has 32 bits, so {_INT32} is the largest"


def is_definition_name(name: str) -> bool:
    """Whether Azure could have an image definition of this name."""
    return _DEFINITION_NAME.fullmatch(name) is not None


def read_page(document: object, what: str, account: AzureAccount) -> Page:
    """One page of a listing.

    Raises:
        CloudError: UNEXPECTED_ANSWER where the page is none; a page without ``value`` is not an empty one.
    """
    return _read(Page, document, what, account)


def read_definition(document: object, account: AzureAccount) -> Definition:
    """One definition of a listing.

    Raises:
        CloudError: UNEXPECTED_ANSWER where a field is missing or of another type.
    """
    found = _read(_Definition, document, "an image definition", account)
    return Definition(found.name, found.properties.architecture or "", found.tags or {}, cloud=account.name)


def list_definitions(entries: Iterable[object], account: AzureAccount) -> tuple[Definition, ...]:
    """All definitions of a listing, by name.

    Of an entry that looks odd, only the name counts, by which its versions are asked for; one without a name that
    could be asked for is there all the same, with its problem.
    """
    found = []
    for entry in entries:
        try:
            known = read_definition(entry, account)
        except CloudError:
            known = Definition(_entry_name(entry), cloud=account.name)
        named = isinstance(entry, dict) and entry.get("name") == known.name
        if not (named and is_definition_name(known.name)):
            problem = "has no name that an image definition can have, so its versions cannot be listed"
            known = Definition(_printable(known.name), cloud=account.name, problem=problem)
        found.append(known)
    return tuple(sorted(found, key=lambda definition: definition.name))


def list_versions(entries: Iterable[object], definition: str, account: AzureAccount) -> VersionListing:
    """All versions of a listing; an entry that cannot be understood is named, and spoils no other."""
    found: dict[VersionNumber, ImageVersion] = {}
    unreadable: dict[str, UnreadableVersion] = {}
    for entry in entries:
        try:
            version = read_version(entry, definition, account)
        except CloudError:
            odd = UnreadableVersion(_printable(_entry_name(entry)), _why_unreadable(entry))
            unreadable[odd.name] = odd
        else:
            found[version.number] = version  # it may be on two pages where the listing shifted in between
    return VersionListing(tuple(found.values()), tuple(unreadable.values()))


def _entry_name(entry: object) -> str:
    """What an entry of a listing calls itself: its name, or the last part of its id."""
    match entry:
        case {"name": str(name)} if name:
            return name
        case {"id": str(path)} if path.strip("/"):
            return path.rstrip("/").rsplit("/", 1)[-1]
        case _:
            return NAMELESS


def _why_unreadable(entry: object) -> str:
    """Why a version cannot be read, as the rest of a sentence about it."""
    try:
        found = _Version.model_validate(entry)
    except ValidationError as error:
        return f"cannot be read (at {_place(error)})"
    return "is no version" if _number(found.name) is None else "cannot be read"


def read_version(
    document: object, definition: str, account: AzureAccount, number: VersionNumber | None = None
) -> ImageVersion:
    """One version; where a number is given, the answer must be about it.

    A null flag means not excluded. A state that Azure may have added since is UNKNOWN, and nothing else.
    Region names come as “East US” or eastus; here they are always the latter.

    Raises:
        CloudError: UNEXPECTED_ANSWER where a field is missing or of another type, or the name is no version.
    """
    found = _read(_Version, document, f"a version of {definition}", account)
    named = _number(found.name)
    if named is None:
        raise account.unexpected_answer(
            f"{account.title} lists “{_printable(found.name)}” under {definition}, and that is no version."
        )
    if number not in (None, named):
        raise account.unexpected_answer(
            f"{account.title} was asked for {number} of {definition} and answered with {named}."
        )
    profile, safety = found.properties.publishing_profile, found.properties.safety_profile
    regions = tuple(
        TargetRegion(normalise_region(region.name), region.regional_replica_count, region.exclude_from_latest)
        for region in profile.target_regions or ()
    )
    return ImageVersion(
        definition=definition,
        number=named,
        excluded=profile.exclude_from_latest is True,
        state=_STATES.get(found.properties.provisioning_state.casefold(), VersionState.UNKNOWN),
        # Azure replicates to the source region where no target region is named.
        regions=regions or (TargetRegion(normalise_region(found.location)),),
        published_at=profile.published_date,
        end_of_life=profile.end_of_life_date,
        tags=found.tags or {},
        kept_until_end_of_life=safety is not None and safety.block_deletion_before_end_of_life is True,
        cloud=account.name,
    )


def _number(name: str) -> VersionNumber | None:
    try:
        number = VersionNumber.parse(name)
    except ValueError:
        return None
    return number if is_azure_number(number) else None


def _read(part: type[ModelT], document: object, what: str, account: AzureAccount) -> ModelT:
    try:
        return part.model_validate(document)
    except ValidationError as error:
        raise account.unexpected_answer(
            f"{account.title} described {what} in a way that cannot be read (at {_place(error)})."
        ) from error


def _place(error: ValidationError) -> str:
    """Where in a document the first thing is that cannot be read."""
    return _printable(".".join(str(step) for step in error.errors()[0]["loc"]) or "the whole of it")


def _printable(text: str) -> str:
    """A foreign text made fit for a sentence: printable and of bearable length."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
