"""How much time went by over a boot, as far as the machine's own clock can be believed: pure.

Within one boot the uptime tells (:mod:`slipway.bot.core.uptime`). Over a boot the clock alone does, and one that was
behind before it, and is right after it, makes what was announced yesterday look weeks old. So a moment of the boot
before is noted now and then; what lies between it and the first look of the next boot counts for nothing where it is
long, whether the machine was off or its clock was wrong: what has to wait waits longer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.bot.core.model import Model
from slipway.bot.core.uptime import Moment, Uptime, by_todays_clock

NOTED_EVERY = timedelta(minutes=15)
"""Between two notes of a moment."""

NO_JUMP = timedelta(hours=1)
"""A machine may be off for so long, the time since the last note included. Ours."""


class Seen(Model):
    """A moment by the machine's clock and its uptime. Stored: names of fields stay."""

    at: datetime
    boot: str
    uptime: float

    @classmethod
    def of(cls, moment: datetime, up: Uptime) -> Seen:
        """The moment, to be noted."""
        return cls(at=moment, boot=up.boot, uptime=up.seconds)

    @property
    def moment(self) -> Moment:
        """It, to be compared."""
        return Moment(self.at, Uptime(self.boot, self.uptime))

    def is_recent(self, now: Moment) -> bool:
        """Whether there is no need to note another one yet."""
        up = now.uptime
        if up is None or up.boot != self.boot:
            return False
        return timedelta() <= timedelta(seconds=up.seconds - self.uptime) < NOTED_EVERY


def waited_from(made: Moment, seen: Seen | None, now: Moment) -> datetime:
    """From when on something waits, by the clock as it goes now.

    Args:
        made: when it began to wait, as it was noted then.
        seen: the last moment that was noted, of whichever boot.
        now: the present.
    """
    up = now.uptime
    if up is None or seen is None or seen.boot == up.boot or (made.uptime and made.uptime.boot == up.boot):
        return by_todays_clock(made, now)
    unseen = now.at - seen.at
    began = by_todays_clock(made, seen.moment)
    return began + unseen if unseen > NO_JUMP else began
