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

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.model import Definition, ImageVersion, TargetRegion, VersionNumber, VersionState


def _utc(value: object) -> object:
    """An ISO 8601 text as an aware UTC moment; Azure leaves the offset out where it means UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value if isinstance(value, str) else "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("not a time") from None


_Timestamp = Annotated[datetime | None, BeforeValidator(_utc)]
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


class _VersionProperties(_ArmModel):
    provisioning_state: _Name
    publishing_profile: _Profile


class _Version(_ArmModel):
    name: _Name
    location: _Name
    tags: dict[StrictStr, StrictStr] | None = None
    properties: _VersionProperties


class _DefinitionProperties(_ArmModel):
    architecture: StrictStr | None = None


class _Definition(_ArmModel):
    name: _Name
    tags: dict[StrictStr, StrictStr] | None = None
    properties: _DefinitionProperties


class Page(_ArmModel):
    """One page of a listing; its entries are not read yet."""

    value: tuple[Any, ...]
    next_link: StrictStr | None = None


ModelT = TypeVar("ModelT", bound=_ArmModel)

_INT32 = 2**31 - 1

_STATES = {
    "Creating": VersionState.CREATING,
    "Updating": VersionState.UPDATING,
    "Failed": VersionState.FAILED,
    "Succeeded": VersionState.SUCCEEDED,
    "Deleting": VersionState.DELETING,
    "Migrating": VersionState.MIGRATING,
}
"""Azure's provisioning states."""


def is_azure_number(number: VersionNumber) -> bool:
    """Whether Azure could have a version of this number: three parts, each a 32-bit integer.

    Source: Azure Compute Gallery, "Image versions".
    """
    return len(number.parts) == 3 and max(number.parts) <= _INT32


def read_page(document: object, what: str, account: AzureAccount) -> Page:
    """One page of a listing.

    Raises:
        CloudError: UNEXPECTED_ANSWER where the page is none; a page without ``value`` is not an empty one.
    """
    return _read(Page, document, what, account)


def read_definition(document: object, account: AzureAccount) -> Definition:
    """One definition of a listing."""
    found = _read(_Definition, document, "an image definition", account)
    return Definition(found.name, found.properties.architecture or "", found.tags or {}, cloud=account.name)


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
    profile = found.properties.publishing_profile
    regions = tuple(
        TargetRegion(normalise_region(region.name), region.regional_replica_count, region.exclude_from_latest)
        for region in profile.target_regions or ()
    )
    return ImageVersion(
        definition=definition,
        number=named,
        excluded=profile.exclude_from_latest is True,
        state=_STATES.get(found.properties.provisioning_state, VersionState.UNKNOWN),
        # Azure replicates to the source region where no target region is named.
        regions=regions or (TargetRegion(normalise_region(found.location)),),
        published_at=profile.published_date,
        end_of_life=profile.end_of_life_date,
        tags=found.tags or {},
        cloud=account.name,
    )


def normalise_region(name: str) -> str:
    """A region's name as ids write it: “East US” and eastus are one."""
    return name.replace(" ", "").lower()


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
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "the whole of it"
        raise account.unexpected_answer(
            f"{account.title} described {what} in a way that cannot be read (at {_printable(where)})."
        ) from error


def _printable(text: str) -> str:
    """A foreign text made fit for a sentence: printable and of bearable length."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
