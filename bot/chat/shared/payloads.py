"""What platforms' APIs give and take: JSON written by strangers, of which each value is checked before it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]
"""A JSON object whose form is another's: an API's answer, or a body as an API documents it.

What Slipway stores itself is :data:`slipway.bot.core.model.Json`.
"""

_SURROGATES = re.compile("[\ud800-\udfff]")


def replace_surrogates(text: str) -> str:
    """The text with each lone surrogate, which no UTF-8 can carry, as U+FFFD."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)


def mapping_at(value: object, *keys: str) -> Mapping[str, Any]:
    """The object at a path of keys; an empty one where there is none."""
    found = value_at(value, *keys)
    return found if isinstance(found, Mapping) else {}


def text_at(value: object, *keys: str) -> str:
    """The text at a path of keys; empty for anything else."""
    found = value_at(value, *keys)
    return found if isinstance(found, str) else ""


def value_at(value: object, *keys: str) -> Any:
    """What stands at a path of keys; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
