"""What people said to reminders: not now, or that it is seen to. An answer counts for one end of one credential."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from pydantic import ValidationError

from slipway.bot.core.model import Model


class Answer(Model):
    """What somebody answered. Stored: names of fields stay.

    Attributes:
        person: who, by their id.
        at: when.
        until: until when nobody is reminded; None where it is seen to, for good.
        key: names the step that stored it.
    """

    person: str
    at: datetime
    until: datetime | None
    key: str

    def silences(self, now: datetime) -> bool:
        """Whether nobody is to be reminded now."""
        return self.until is None or now < self.until

    def counts(self, *, succeeded: bool) -> bool:
        """Whether it counts still, by whether another one is in the credential's place: that it is seen to rests on
        that one."""
        return self.until is not None or succeeded

    def step(self, due: str) -> str:
        """The reminder that is due once it silences no more: another one than before, since it was put off."""
        return due if self.until is None else f"{due} after {self.until:%Y-%m-%dT%H:%M}"


USUAL_SNOOZE = timedelta(days=3)
"""For how long a reminder is put off where nobody says."""


class Memory(Protocol):
    """What is asked of :class:`slipway.bot.store.memory.ChatMemory`."""

    async def load(self, name: str) -> str | None:
        """The value kept under this name, if there is one."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Keep a value under this name, in place of any before."""
        ...


class Answers:
    """Keeps the newest answer about each end of each credential."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def about(self, credential: str, ends_at: datetime | None) -> Answer | None:
        """What was answered about this end of a credential, by its key."""
        kept = await self._memory.load(_name(credential, ends_at))
        try:
            return Answer.model_validate_json(kept) if kept is not None else None
        except ValidationError:  # of another Slipway: nobody is silenced by what cannot be read
            return None

    async def keep(self, credential: str, ends_at: datetime | None, answer: Answer) -> None:
        """Keep an answer, in place of the one before."""
        await self._memory.save(_name(credential, ends_at), answer.model_dump_json())


def snoozed_until(now: datetime, asked: timedelta, ends_at: datetime, last: timedelta) -> datetime | None:
    """Until when a reminder is put off: never past the last one before the end. None where it is too late for that.

    Args:
        now: the present.
        asked: for how long.
        ends_at: when the credential ends.
        last: how long before that somebody is reminded last.
    """
    if ends_at - now <= last:  # before anything is reckoned from an end of long ago
        return None
    until = min(now + asked, ends_at - last).replace(microsecond=0)
    return until if until > now else None


def _name(credential: str, ends_at: datetime | None) -> str:
    return f"credential answer {credential} {ends_at.isoformat() if ends_at is not None else '-'}"
