"""Looks at the settings' classes: which table a place in slipway.toml is, and what stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from slipway.bot.core.settings import Settings, leaf_types

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A document as JSON knows it."""

Place = tuple[str | int, ...]
"""Keys and list indexes from the top of the document down."""


def table_in(field: FieldInfo) -> type[Settings] | None:
    """The table that a field holds (one, a list or a mapping of them), or None for a plain value."""
    return next((leaf for leaf in leaf_types(field.annotation) if issubclass(leaf, Settings)), None)


def is_repeated(field: FieldInfo) -> bool:
    """Whether the field holds many: a list or a mapping."""
    return get_origin(field.annotation) in (tuple, dict, Mapping)


def field_at(root: type[Settings], place: Place) -> FieldInfo | None:
    """The field that a place belongs to: its own, or that of the list or mapping it stands in."""
    return _walk(root, place)[0]


def table_at(root: type[Settings], place: Place) -> type[Settings] | None:
    """The table that stands at a place, or None where a plain value or nothing does."""
    return _walk(root, place)[1]


def _walk(root: type[Settings], place: Place) -> tuple[FieldInfo | None, type[Settings] | None]:
    field: FieldInfo | None = None
    table: type[Settings] | None = root
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


def secrets_in(table: type[Settings]) -> Iterator[str]:
    """The fields of a table that hold secrets: every one that is a ``SecretStr``."""
    return (name for name, field in table.model_fields.items() if SecretStr in leaf_types(field.annotation))
