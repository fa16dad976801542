"""The changes to machines that a plan is made of. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.clouds.machine_model import template_in_words
from slipway.bot.core.steps import Permanence, Step, Target
from slipway.bot.subjects.machines.requests import CLOUD_OF_FORMAT_1


class LaunchMachines(Step):
    """Launch ``count`` machines, all or none, from a launch template pinned to a version."""

    kind: Literal["launch-machines"] = "launch-machines"
    image_id: str
    image_name: str
    template_id: str
    template_name: str
    template_version: int | str
    count: int
    until: datetime
    requester: str
    tags: dict[str, str]
    cloud: str = CLOUD_OF_FORMAT_1
    region: str = ""  # empty: the account's own
    profile: str = ""
    instance_type: str | None = None  # None: the template's
    login: str = ""
    keys: tuple[str, ...] = ()  # public, a line each
    ends_at: datetime | None = None  # of their whole life; None: stored before there was one

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: nothing that is there."""
        return ()

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The machines, by the profile by which they are asked for."""
        return (Target(self.profile, self.cloud, self.image_name, self.count),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        machines = "1 machine" if self.count == 1 else f"{self.count} machines"
        how = template_in_words(self.template_name, self.template_version)
        how += f" as {self.instance_type}" if self.instance_type else ""
        return f"launch {machines} from {self.image_name} with {how}" + (
            f" in {self.region}" if self.region else ""
        )

    @property
    def reason(self) -> str:
        """Until when it was asked for; the card says by whom."""
        return f"it was asked for until {self.until:%Y-%m-%d %H:%M} UTC"


class TerminateMachine(Step):
    """Terminate one machine. ``overdue_since`` is set where its time being up is why."""

    PERMANENCE: ClassVar[Permanence] = Permanence.FINAL

    kind: Literal["terminate-machine"] = "terminate-machine"
    instance_id: str
    owner: str
    overdue_since: datetime | None = None
    cloud: str = CLOUD_OF_FORMAT_1
    region: str = ""  # empty: the account's own

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks."""
        return (f"machine {self.instance_id}",)

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The machine, by its id."""
        return (Target(self.instance_id, self.cloud),)

    @property
    def concerns(self) -> tuple[str, ...]:
        """Whoever has it."""
        return (self.owner,)

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


class RemoveLeftover(Step):
    """Delete something that a launch made and that belongs to no machine."""

    PERMANENCE: ClassVar[Permanence] = Permanence.FINAL
    REASONS: ClassVar[frozenset[str]] = frozenset({"launch"})

    kind: Literal["remove-leftover"] = "remove-leftover"
    cloud: str
    region: str
    leftover_id: str
    what: str
    launch: str = ""

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks."""
        return (f"leftover {self.leftover_id}",)

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """What is left, by its id."""
        return (Target(self.leftover_id, self.cloud),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"remove the {self.what} {self.leftover_id}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "it carries this Slipway's tag and belongs to no machine"
