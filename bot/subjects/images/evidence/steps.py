"""The change that a verdict makes: to what is known. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from slipway.bot.clouds.ports.image_evidence import Outcome
from slipway.bot.core.steps import Reach
from slipway.bot.subjects.images.steps import VersionStep


class RecordVerdict(VersionStep):
    """Record what a person says of a version."""

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["record-verdict"] = "record-verdict"
    outcome: Outcome
    person: str
    words: str = ""

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"record that {self.named} is {'good' if self.outcome is Outcome.PASSED else 'bad'}"

    @property
    def reason(self) -> str:
        """What the person says."""
        return self.words

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: what is known of the version. Work on its definition does not wait for that,
        nor that for it."""
        return (f"evidence {self.target}",)
