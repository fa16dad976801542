"""How values are written in slipway.toml, and the class that every table of it is."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import timedelta
from functools import cache
from typing import Annotated, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict

from slipway.bot.core.times import parse_duration


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str):
        raise ValueError("a time zone is written as text, like UTC or Europe/Prague")  # noqa: TRY004  pydantic's way
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"“{value}” is not a time zone; write it like UTC or Europe/Prague") from None


Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""Written as ``90m``, ``2h30m`` or ``3d``."""

Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
"""Written as an IANA name, such as ``Europe/Prague``."""


class Settings(BaseModel):
    """A table of slipway.toml: unknown keys are mistakes, values never change.

    A field's ``description`` completes the sentence “write …” where the field is missing or wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def leaf_types(annotation: object) -> tuple[type, ...]:
    """All classes inside ``X | None``, ``tuple[X, ...]`` and ``dict[K, X]``."""
    return _leaf_types(annotation)


@cache
def _leaf_types(annotation: Hashable) -> tuple[type, ...]:
    inside = get_args(annotation)
    if not inside:
        return (annotation,) if isinstance(annotation, type) else ()
    return tuple(leaf for part in inside for leaf in _leaf_types(part))
