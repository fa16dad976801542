"""The steps by which a version gets into its regions. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

from slipway.bot.core.steps import Step
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.steps import VersionStep

_NAMED = 6


class ReplicateVersion(VersionStep):
    """Have a version copied to regions; done once its cloud has taken that, which is hours before the copies are.

    Of one that is ``owed``, and so promoted already, regions that come new are excluded from latest until a later
    step promotes it there; and it is not done for one that was taken back meanwhile.
    """

    kind: Literal["replicate-version"] = "replicate-version"
    regions: tuple[str, ...]
    replicas: int | None = None
    owed: bool = False

    @property
    def title(self) -> str:
        """What it does, as an order."""
        each = f", {self.replicas} replicas each" if self.replicas and self.replicas > 1 else ""
        return f"copy {self.named} to {join_names(self.regions, _NAMED)}{each}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        enough = " with so many replicas" if self.replicas and self.replicas > 1 else ""
        return f"it is not in all of the regions that are configured for it{enough}"


class LeaveRegions(VersionStep):
    """Take a version off regions where its copy failed: its cloud calls the whole version failed because of it."""

    kind: Literal["leave-regions"] = "leave-regions"
    regions: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"take {self.named} off {join_names(self.regions, _NAMED)}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "its copy failed there, and with it the version cannot be promoted anywhere"


class AwaitCopies(VersionStep):
    """Wait until a version's copies in regions are complete. ``within`` is in seconds, from the step's beginning.

    One that is ``owed`` is waited for no longer once it was taken back.
    """

    LASTING: ClassVar[bool] = True

    kind: Literal["await-copies"] = "await-copies"
    regions: tuple[str, ...]
    replicas: int | None = None
    within: int
    owed: bool = False

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"wait until the copies of {self.named} are complete"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return f"copies take hours; these may take {format_duration(timedelta(seconds=self.within))}"


class Bake(Step):
    """Wait after a wave, whether it turns out well. ``seconds`` count from the step's beginning."""

    LASTING: ClassVar[bool] = True

    kind: Literal["bake"] = "bake"
    wave: str
    seconds: int

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"wait {format_duration(timedelta(seconds=self.seconds))} after wave {self.wave}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "a hold, bad evidence or a rollback meanwhile stops what follows"
