"""The change that an answer to a reminder is. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target


class KeepAnswer(Step):
    """Remind nobody of one end of a credential: until then, or any more where ``until`` is None."""

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["credential-answer"] = "credential-answer"
    credential: str
    name: str
    ends_at: datetime
    person: str
    until: datetime | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        when = "any more" if self.until is None else f"until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"remind nobody of {self.name} {when}"

    @property
    def reason(self) -> str:
        """Why."""
        return "another one is in its place" if self.until is None else "it was put off"

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The credential, as people call it."""
        return (Target(self.name, item=self.credential),)

    @property
    def target(self) -> str:
        """What it changes."""
        return f"credential {self.credential}"
