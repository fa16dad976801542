"""The base of everything that is stored or sent: immutable, checked, JSON in and out."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from typing_extensions import TypeAliasType

from slipway.bot.core.text import storable

Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")
"""What JSON can hold."""


def _as_stored(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_as_stored)]
"""What a person wrote, as far as every database keeps it: see :func:`slipway.bot.core.text.storable`."""


class Model(BaseModel):
    """A frozen value that survives a round trip through JSON and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="float")


def canonical(value: Json) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8 as it is.

    Two equal values always give the same text, so a digest of it can stand for the value.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_json(model: Model) -> str:
    """The canonical JSON of a model; see :func:`canonical`."""
    return canonical(model.model_dump(mode="json"))


def digest(model: Model) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(model).encode()).hexdigest()
