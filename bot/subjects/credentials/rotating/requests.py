"""What people ask for of rotations. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class Rotate(Request):
    """Give a credential a successor, and take it away then; ``key`` is what was found by its name at first."""

    kind: Literal["credential-rotate"] = "credential-rotate"
    name: str = Field(min_length=1)
    key: str = ""


class Remove(Request):
    """Take away what is left over: one credential by name, or all of a table, or (without a name) of every table.

    ``keys`` are those that were found at first.
    """

    kind: Literal["credential-remove"] = "credential-remove"
    name: str = ""
    keys: tuple[str, ...] = ()
