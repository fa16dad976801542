"""The changes to machines that a plan is made of. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from slipway.bot.core.steps import Step
from slipway.bot.subjects.machines.requests import CLOUD_OF_FORMAT_1


class LaunchMachines(Step):
    """Launch ``count`` machines, all or none, from a launch template pinned to a version."""

    kind: Literal["launch-machines"] = "launch-machines"
    image_id: str
    image_name: str
    template_id: str
    template_name: str
    template_version: int
    count: int
    until: datetime
    requester: str
    tags: dict[str, str]
    cloud: str = CLOUD_OF_FORMAT_1

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: nothing that is there."""
        return ()

    @property
    def title(self) -> str:
        """What it does, as an order."""
        machines = "1 machine" if self.count == 1 else f"{self.count} machines"
        return f"launch {machines} from {self.image_name} with {self.template_name} v{self.template_version}"

    @property
    def reason(self) -> str:
        """Who asked for it, and until when."""
        return f"{self.requester} asked for it, until {self.until:%Y-%m-%d %H:%M} UTC"


class TerminateMachine(Step):
    """Terminate one machine. ``overdue_since`` is set where its time being up is why."""

    kind: Literal["terminate-machine"] = "terminate-machine"
    instance_id: str
    owner: str
    overdue_since: datetime | None = None
    cloud: str = CLOUD_OF_FORMAT_1

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks."""
        return (f"machine {self.instance_id}",)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"terminate {self.instance_id}" + (f" of {self.owner}" if self.owner else "")

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        if self.overdue_since is None:
            return "it was asked for by its id"
        return f"its time was up at {self.overdue_since:%Y-%m-%d %H:%M} UTC"
