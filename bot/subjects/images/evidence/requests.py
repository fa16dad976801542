"""What people say of versions. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from slipway.bot.clouds.ports.image_evidence import Outcome
from slipway.bot.core.steps import Request
from slipway.bot.subjects.images.requests import Pin


class VerdictRequest(Request):
    """Somebody's word on a version. ``pins`` is what was found when it was planned first: a name that two clouds have
    is a version in each of them. ``words`` are the reason that the person gives."""

    OUTCOME: ClassVar[Outcome]

    person: str
    definition: str = Field(min_length=1)
    version: str = Field(min_length=1)
    words: str = ""
    pins: tuple[Pin, ...] | None = None


class Good(VerdictRequest):
    """A version is good, whatever was said of it before."""

    OUTCOME: ClassVar[Outcome] = Outcome.PASSED

    kind: Literal["good"] = "good"


class Bad(VerdictRequest):
    """A version is bad: it is promoted no more, until a person says that it is good."""

    OUTCOME: ClassVar[Outcome] = Outcome.FAILED

    kind: Literal["bad"] = "bad"
    words: str = Field(min_length=1)
