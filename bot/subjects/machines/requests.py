"""What people ask of machines. A planner pins a request: what was resolved is what is planned again later.

All of these are stored. ``kind``, the names of fields and their defaults stay as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.model import Model
from slipway.bot.core.steps import Request

CLOUD_OF_FORMAT_1 = "aws"
"""Where a stored launch or machine is that names no cloud: there was only one when those were stored."""


class LaunchPin(Model):
    """What a launch was resolved to: everything that decides which machines come up, and until when.

    ``until`` is part of it, so that people agree to a moment, and every try of the launch carries the same
    tags, as clouds demand of one idempotency token. ``ends_at`` is the end of their whole life (None: stored before
    there was one), ``keys`` are the fingerprints of those who may log in.
    """

    image_id: str
    profile: str
    template_version: int | str
    seconds: int  # how long the machines were asked for
    until: datetime
    cloud: str = CLOUD_OF_FORMAT_1
    region: str = ""  # empty: the account's own
    instance_type: str | None = None  # None: the template's
    ends_at: datetime | None = None
    keys: tuple[str, ...] = ()


class Launch(Request):
    """Launch machines from an image (an id, a name, or a pattern or beginning that fits only one).

    ``seconds`` is how long they may live (None: the profile's default), ``requester`` the person's id. Without
    ``region``, the profile's first counts; without ``instance_type``, the template's. ``ssh`` says whether the
    requester's keys are put in, and so whether somebody has to be able to log in.
    """

    kind: Literal["launch"] = "launch"
    image: str = Field(min_length=1)
    profile: str | None = None
    count: int = 1
    seconds: int | None = None
    requester: str
    region: str | None = None
    instance_type: str | None = None
    ssh: bool = True
    pin: LaunchPin | None = None


class Terminate(Request):
    """Terminate these machines.

    ``overdue`` is what former versions asked for every machine whose time is up: :class:`Expire` does so now.
    """

    kind: Literal["terminate"] = "terminate"
    instance_ids: tuple[str, ...] = ()
    overdue: bool = False
    requester: str = ""


class Expire(Request):
    """Terminate every machine whose time is up; where some are named, only those of them."""

    kind: Literal["expire"] = "expire"
    instance_ids: tuple[str, ...] = ()
    requester: str = ""


class RemoveLeftovers(Request):
    """Remove what launches left behind and what belongs to no machine; ``ids`` are what was found first."""

    kind: Literal["remove-leftovers"] = "remove-leftovers"
    ids: tuple[str, ...] = ()
    requester: str = ""
