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
    tags, as clouds demand of one idempotency token.
    """

    image_id: str
    profile: str
    template_version: int
    seconds: int  # how long the machines were asked for
    until: datetime
    cloud: str = CLOUD_OF_FORMAT_1


class Launch(Request):
    """Launch machines from an image (an id, a name, or a pattern or beginning that fits only one).

    ``seconds`` is how long they may live (None: the profile's default), ``requester`` the person's id.
    """

    kind: Literal["launch"] = "launch"
    image: str = Field(min_length=1)
    profile: str | None = None
    count: int = 1
    seconds: int | None = None
    requester: str
    pin: LaunchPin | None = None


class Terminate(Request):
    """Terminate these machines; with ``overdue``, every one whose time is up.

    ``instance_ids`` of an overdue request are what was found first; with them, only those are ended.
    """

    kind: Literal["terminate"] = "terminate"
    instance_ids: tuple[str, ...] = ()
    overdue: bool = False
    requester: str = ""
