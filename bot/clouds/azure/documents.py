"""ARM's JSON read into the model. Whatever does not look as documented is an error, never a guess."""

from __future__ import annotations

from datetime import UTC, datetime
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

from slipway.bot.clouds.model import Definition, ImageVersion, ProvisioningState, TargetRegion, VersionNumber
from slipway.bot.core.errors import CloudError, CloudErrorKind


def _utc(value: object) -> object:
    """An ISO 8601 text as an aware UTC moment; Azure leaves the offset out where it means UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not a time") from None


_Moment = Annotated[datetime | None, BeforeValidator(_utc)]
_Name = Annotated[StrictStr, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Region(_Part):
    name: _Name
    regional_replica_count: StrictInt | None = None
    exclude_from_latest: StrictBool | None = None


class _Profile(_Part):
    target_regions: tuple[_Region, ...] | None = None
    exclude_from_latest: StrictBool | None = None
    published_date: _Moment = None
    end_of_life_date: _Moment = None


class _VersionProperties(_Part):
    provisioning_state: _Name
    publishing_profile: _Profile


class _Version(_Part):
    name: _Name
    location: _Name
    tags: dict[StrictStr, StrictStr] | None = None
    properties: _VersionProperties


class _DefinitionProperties(_Part):
    architecture: StrictStr | None = None


class _Definition(_Part):
    name: _Name
    tags: dict[StrictStr, StrictStr] | None = None
    properties: _DefinitionProperties


class Page(_Part):
    """One page of a listing; its entries are not read yet."""

    value: tuple[Any, ...]
    next_link: StrictStr | None = None


PartT = TypeVar("PartT", bound=_Part)


def nonsense(sentence: str) -> CloudError:
    """An answer that cannot be understood."""
    return CloudError(CloudErrorKind.NONSENSE, cloud="azure", sentence=sentence)


def read_page(document: object, what: str) -> Page:
    """One page of a listing.

    Raises:
        CloudError: NONSENSE where the page is none; a page without ``value`` is not an empty one.
    """
    return _read(Page, document, what)


def read_definition(document: object) -> Definition:
    """One definition of a listing."""
    found = _read(_Definition, document, "an image definition")
    return Definition(found.name, found.properties.architecture or "", found.tags or {})


def read_version(document: object, definition: str, number: VersionNumber | None = None) -> ImageVersion:
    """One version; where a number is given, the answer must be about it.

    A null flag means not excluded. A state that Azure may have added since is UNKNOWN, and nothing else.
    Region names come as “East US” or eastus; here they are always the latter.

    Raises:
        CloudError: NONSENSE where a field is missing or of another type, or the name is no version.
    """
    found = _read(_Version, document, f"a version of {definition}")
    try:
        named = VersionNumber.parse(found.name)
    except ValueError:
        raise nonsense(
            f"Azure lists “{_short(found.name)}” under {definition}, and that is no version."
        ) from None
    if number not in (None, named):
        raise nonsense(f"Azure was asked for {number} of {definition} and answered with {named}.")
    profile = found.properties.publishing_profile
    regions = tuple(
        TargetRegion(plain_region(region.name), region.regional_replica_count, region.exclude_from_latest)
        for region in profile.target_regions or ()
    )
    return ImageVersion(
        definition=definition,
        number=named,
        excluded=profile.exclude_from_latest is True,
        state=_state(found.properties.provisioning_state),
        # Azure replicates to the source region where no target region is named.
        regions=regions or (TargetRegion(plain_region(found.location)),),
        published_at=profile.published_date,
        end_of_life=profile.end_of_life_date,
        tags=found.tags or {},
    )


def plain_region(name: str) -> str:
    """A region's name as ids write it: “East US” and eastus are one."""
    return name.replace(" ", "").lower()


def _state(text: str) -> ProvisioningState:
    try:
        return ProvisioningState(text)
    except ValueError:
        return ProvisioningState.UNKNOWN


def _read(part: type[PartT], document: object, what: str) -> PartT:
    try:
        return part.model_validate(document)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "the whole of it"
        raise nonsense(
            f"Azure described {what} in a way that cannot be read (at {_short(where)})."
        ) from error


def _short(text: str) -> str:
    """A foreign text made fit for a sentence: printable and of bearable length."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
