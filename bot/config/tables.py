"""Looks at the settings' classes: which table a place in slipway.toml is, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from slipway.bot.core.settings import Settings
from slipway.bot.config.settings import SlipwaySettings

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A document as JSON knows it."""

Place = tuple[str | int, ...]
"""Keys and list indexes from the top of the document down."""


def _leaves(annotation: object) -> Iterator[type]:
    """All classes inside ``X | None``, ``tuple[X, ...]`` and ``dict[K, X]``."""
    inside = get_args(annotation)
    if not inside and isinstance(annotation, type):
        yield annotation
    for part in inside:
        yield from _leaves(part)


def table_in(field: FieldInfo) -> type[Settings] | None:
    """The table that a field holds (one, a list or a mapping of them), or None for a plain value."""
    return next((leaf for leaf in _leaves(field.annotation) if issubclass(leaf, Settings)), None)


def is_repeated(field: FieldInfo) -> bool:
    """Whether the field holds many: a list or a mapping."""
    return get_origin(field.annotation) in (tuple, dict)


def field_at(place: Place) -> FieldInfo | None:
    """The field that a place belongs to: its own, or that of the list or mapping it stands in."""
    return _walk(place)[0]


def table_at(place: Place) -> type[Settings] | None:
    """The table that stands at a place, or None where a plain value or nothing does."""
    return _walk(place)[1]


def _walk(place: Place) -> tuple[FieldInfo | None, type[Settings] | None]:
    field: FieldInfo | None = None
    table: type[Settings] | None = SlipwaySettings
    one_of_many = False
    for key in place:
        if one_of_many or table is None:  # an index or a name, or something inside a plain value
            one_of_many = False
            continue
        field = table.model_fields.get(str(key))
        if field is None:
            return None, None
        table, one_of_many = table_in(field), is_repeated(field)
    return field, table


def secret_places(
    table: type[Settings] = SlipwaySettings, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Where secrets stand: every field that is a ``SecretStr``, in whatever table, later ones included.

    Repeated tables have no name that an environment variable could carry, so they may not hold secrets.
    """
    for name, field in table.model_fields.items():
        inner = table_in(field)
        if SecretStr in _leaves(field.annotation):
            yield (*above, name)
        elif inner is not None and not is_repeated(field):
            yield from secret_places(inner, (*above, name))
