"""The step that brings a version back. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.subjects.images.restoring.requests import Away
from slipway.bot.subjects.images.steps import VersionStep


class RestoreVersion(VersionStep):
    """Bring a version back as a candidate. ``until`` is when it goes for good, as far as is known."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"until"})

    kind: Literal["restore-version"] = "restore-version"
    away: Away
    until: datetime | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"restore {self.named} as a candidate"

    @property
    def reason(self) -> str:
        """Why that can be done."""
        if self.away is Away.DELETED:
            until = "" if self.until is None else f" until {self.until:%Y-%m-%d %H:%M} UTC"
            return f"it was deleted, and its cloud keeps it{until}"
        return "it is disabled, and can be enabled again"
