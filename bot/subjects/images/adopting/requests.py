"""What people ask about foreign changes. Stored: ``kind``, names of fields and defaults stay."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.bot.core.model import Model
from slipway.bot.core.steps import Request


class ChangeId(Model):
    """Names a foreign change for ever."""

    cloud: str
    definition: str
    notice: int
    number: int


class Adopt(Request):
    """Foreign changes of a definition, or of one version of it, are right.

    ``notice`` is which notice told them, where a button says so: what changed since is not meant then. ``words`` are
    the reason that the person gives. ``changes`` is what was found when it was planned first.
    """

    kind: Literal["adopt"] = "adopt"
    person: str
    definition: str = Field(min_length=1)
    version: str | None = None
    notice: int | None = None
    words: str = Field(min_length=1)
    changes: tuple[ChangeId, ...] | None = None
