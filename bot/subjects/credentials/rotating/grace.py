"""How long the time of grace has gone on: by the machine's uptime where its clock was set since."""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from slipway.bot.core.model import Model
from slipway.bot.core.uptime import Moment, ReadUptime, by_todays_clock, noted_uptime
from slipway.bot.subjects.credentials.answers import Memory


class _Noted(Model):
    """When a wait was looked at first. Stored: names of fields stay.

    Attributes:
        token: the step that waits.
        since: from when on it counts, by the clock of that look.
        at: when that look was.
        boot: of which run of the machine.
        uptime: seconds since that began.
    """

    token: str
    since: datetime
    at: datetime
    boot: str
    uptime: float


class GraceNotes:
    """Notes when waits began. A clock that is set forward ends none of them early: what still uses the former would
    stop working.

    Args:
        memory: where that is kept.
        uptime: the machine's.
    """

    def __init__(self, memory: Memory, uptime: ReadUptime) -> None:
        self._memory = memory
        self._uptime = uptime

    async def began(self, name: str, token: str, since: datetime, now: datetime) -> datetime:
        """When a wait began, by the clock as it goes now.

        One that began later than now did so by a clock that was ahead, before this boot: it begins anew.

        Args:
            name: what waits; one of a name is kept.
            token: its step.
            since: when it began, where this is the first look at it.
            now: the present.
        """
        kept, up = await self._kept(name), self._uptime()
        if kept is not None and kept.token == token:
            then = Moment(kept.at, noted_uptime(kept.boot, kept.uptime))
            moved = by_todays_clock(then, Moment(now, up)) - kept.at
            if kept.since + moved <= now:
                return kept.since + moved
        began = min(since, now)
        noted = _Noted(token=token, since=began, at=now, boot=up.boot, uptime=up.seconds)
        await self._memory.save(_name(name), noted.model_dump_json())
        return began

    async def _kept(self, name: str) -> _Noted | None:
        kept = await self._memory.load(_name(name))
        try:
            return None if kept is None else _Noted.model_validate_json(kept)
        except ValidationError:  # of another Slipway
            return None


def _name(name: str) -> str:
    return f"credential grace {name}"
