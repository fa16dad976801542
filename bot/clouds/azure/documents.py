"""ARM's JSON read into the model. Whatever does not look as documented is an error, never a guess; in a listing it is
named, and spoils nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.model import Definition, VersionNumber
from slipway.bot.core.errors import CloudError

T = TypeVar("T")


def _tags(value: object) -> object:
    """Tags as texts: one without a value is there, and empty."""
    if not isinstance(value, dict):
        return value
    return {name: "" if text is None else text for name, text in value.items()}


_Tags = Annotated[dict[StrictStr, StrictStr] | None, BeforeValidator(_tags)]
Name = Annotated[StrictStr, Field(min_length=1)]


class _ArmModel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _DefinitionProperties(_ArmModel):
    architecture: StrictStr | None = None


class _Definition(_ArmModel):
    name: Name
    tags: _Tags = None
    properties: _DefinitionProperties


class _Page(_ArmModel):
    value: tuple[Any, ...]
    next_link: StrictStr | None = None


ModelT = TypeVar("ModelT", bound=_ArmModel)


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a listing, and where the next one is: None at the end, which Azure may write as an empty text."""

    entries: T
    next_link: str | None


NAMELESS = "an entry without a name"
"""What an entry of a listing is called that has neither name nor id."""

_INT32 = 2**31 - 1

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


def read_page(body: bytes, what: str, account: AzureAccount) -> Page[tuple[Any, ...]]:
    """One page of a listing; its entries are not read yet.

    Raises:
        CloudError: UNEXPECTED_ANSWER where the page is none; a page without ``value`` is not an empty one.
        ValueError: the body is no JSON.
    """
    found = _read(_Page, json.loads(body), what, account)
    return Page(found.value, found.next_link or None)


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
            known = Definition(entry_name(entry), cloud=account.name)
        named = isinstance(entry, dict) and entry.get("name") == known.name
        if not (named and is_definition_name(known.name)):
            problem = "has no name that an image definition can have, so its versions cannot be listed"
            known = Definition(printable(known.name), cloud=account.name, problem=problem)
        found.append(known)
    return tuple(sorted(found, key=lambda definition: definition.name))


def entry_name(entry: object) -> str:
    """What an entry of a listing calls itself: its name, or the last part of its id."""
    match entry:
        case {"name": str(name)} if name:
            return name
        case {"id": str(path)} if path.strip("/"):
            return path.rstrip("/").rsplit("/", 1)[-1]
        case _:
            return NAMELESS


def _read(part: type[ModelT], document: object, what: str, account: AzureAccount) -> ModelT:
    try:
        return part.model_validate(document)
    except ValidationError as error:
        raise cannot_be_read(what, place_of(error), account) from error


def cannot_be_read(what: str, place: str, account: AzureAccount) -> CloudError:
    """The error for a document that does not look as documented, at this place."""
    return account.unexpected_answer(
        f"{account.title} described {what} in a way that cannot be read (at {place})."
    )


def place_of(error: ValidationError) -> str:
    """Where in a document the first thing is that cannot be read."""
    return printable(".".join(str(step) for step in error.errors()[0]["loc"]) or "the whole of it")


def printable(text: str) -> str:
    """A foreign text made fit for a sentence: printable and of bearable length."""
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
