"""What people ask of leases. All of these are stored: ``kind``, the names of fields and their defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.model import Model
from slipway.bot.core.steps import Request


class LeasePin(Model):
    """Until when one machine is to live: the same however often it is planned."""

    cloud: str
    instance_id: str
    ends_at: datetime


class Extend(Request):
    """Let machines live ``seconds`` longer than they were to."""

    kind: Literal["extend"] = "extend"
    instance_ids: tuple[str, ...] = Field(min_length=1)
    seconds: int = Field(gt=0)
    requester: str
    pins: tuple[LeasePin, ...] = ()


class Stop(Request):
    """Let machines rest."""

    kind: Literal["stop"] = "stop"
    instance_ids: tuple[str, ...] = Field(min_length=1)
    requester: str


class Start(Request):
    """Start machines that rest."""

    kind: Literal["start"] = "start"
    instance_ids: tuple[str, ...] = Field(min_length=1)
    requester: str


class Handover(Request):
    """Give machines to another person; ``to`` is their id."""

    kind: Literal["handover"] = "handover"
    instance_ids: tuple[str, ...] = Field(min_length=1)
    to: str = Field(min_length=1)
    requester: str


class InstanceAdopt(Request):
    """Take a machine in that carries this deployment's tag and that the database does not know.

    ``owner`` is a person's id, empty for the one that its tags name; ``seconds`` how long it lives from now, None for
    as long as its tags say. ``ends_at`` is what that was resolved to.
    """

    kind: Literal["instance-adopt"] = "instance-adopt"
    instance_id: str = Field(min_length=1)
    owner: str = ""
    seconds: int | None = Field(None, gt=0)
    requester: str
    ends_at: datetime | None = None
