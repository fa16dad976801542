"""What comes in at the door beside chat events, and the names that events go by."""

from __future__ import annotations

from datetime import datetime

from slipway.bot.chat.model import AnyEvent, Room
from slipway.bot.core.model import Model

HEAR = "hear"
"""The workflow that answers a chat event."""


def event_key(event: AnyEvent, event_id: str) -> str:
    """The id of the workflow that an event of this platform starts: one id, one run."""
    return f"{HEAR}:{event.room.platform}:{event_id}"


class Tick(Model):
    """What the clock says: a schedule's command line, at one of its times."""

    schedule: str
    at: datetime
    room: Room
    text: str
    quiet: bool = False

    @property
    def key(self) -> str:
        """Names the tick once and for ever; it is the id of its workflow."""
        return f"tick:{self.schedule}:{self.at.strftime('%Y-%m-%dT%H:%MZ')}"
