"""The changes that a rotation is. Stored: ``kind``, the names of fields and defaults stay. No secret is in any."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Literal

from slipway.bot.core.steps import Permanence, Step, Target
from slipway.bot.core.times import format_duration


class RotationStep(Step):
    """One of a rotation's steps.

    Attributes:
        entry: the table of slipway.toml.
        account: the cloud's account.
        holder: the application, by its client id, or the user.
        credential: the key of the one that is rotated.
        key: its id at the source.
        name: what people call it.
    """

    entry: str
    account: str
    holder: str
    credential: str
    key: str
    name: str

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The credential, by its table of slipway.toml."""
        return (Target(self.entry, self.account, self.key),)

    @property
    def target(self) -> str:
        """What it changes."""
        return f"credential {self.credential}"

    @property
    def of_holder(self) -> str:
        """Whose credentials it changes: those of one holder are changed by one operation at a time."""
        return f"credentials of {self.account}:{self.holder}"


class StageSuccessor(RotationStep):
    """Make another one beside it, try it, and deliver it: one step, since its secret is told once."""

    kind: Literal["credential-stage"] = "credential-stage"
    sinks: tuple[str, ...]
    lifetime: int | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"make a successor of {self.name}, and put it into {' and '.join(self.sinks)} once it works"

    @property
    def reason(self) -> str:
        """Why."""
        return "the secret is told once, and stands in memory alone until it is there"


class WaitedFor(StrEnum):
    """After what a time of grace begins. Stored."""

    STAGED = "staged"
    PAUSED = "paused"


class AwaitGrace(RotationStep):
    """Leave both alone, so that whatever uses it takes up the successor."""

    LASTING: ClassVar[bool] = True

    kind: Literal["credential-grace"] = "credential-grace"
    after: WaitedFor = WaitedFor.STAGED
    seconds: int

    @property
    def title(self) -> str:
        """What it does, as an order."""
        span = format_duration(timedelta(seconds=self.seconds)) if self.seconds else "no time"
        while_ = "its users take up the successor" if self.after is WaitedFor.STAGED else "nobody misses it"
        return f"wait {span}, in which {while_}"

    @property
    def reason(self) -> str:
        """Why."""
        return "what still uses it would stop working"


class PauseKey(RotationStep):
    """Have it accepted no more, in a way that can be taken back."""

    kind: Literal["credential-pause"] = "credential-pause"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"make {self.name} inactive"

    @property
    def reason(self) -> str:
        """Why."""
        return "that can be taken back, if something still uses it"


class RemoveKey(RotationStep):
    """Take it away for good, by its id."""

    PERMANENCE: ClassVar[Permanence] = Permanence.FINAL
    REASONS: ClassVar[frozenset[str]] = frozenset({"why"})

    kind: Literal["credential-remove"] = "credential-remove"
    why: str = "its successor is in use"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"remove {self.name} by its id"

    @property
    def reason(self) -> str:
        """Why."""
        return self.why
