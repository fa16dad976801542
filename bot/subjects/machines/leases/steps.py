"""The changes to leases that a plan is made of. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Step, Target


class LeaseStep(Step):
    """What all steps about one machine say: which, where, and whose it was when that was planned."""

    cloud: str
    region: str
    instance_id: str
    owner: str

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks; as :class:`slipway.bot.subjects.machines.steps.TerminateMachine` has it."""
        return (f"machine {self.instance_id}",)

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The machine, by its id."""
        return (Target(self.instance_id, self.cloud),)

    @property
    def targets(self) -> tuple[str, ...]:
        """What it changes, to be found by."""
        return (f"machine {self.cloud} {self.instance_id}",)

    @property
    def concerns(self) -> tuple[str, ...]:
        """Whoever has it."""
        return (self.owner,)


class SetLease(LeaseStep):
    """Let one machine live until another moment, if its lease is still as it was at ``revision``."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"was"})

    kind: Literal["set-lease"] = "set-lease"
    ends_at: datetime
    was: datetime
    revision: int

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"let {self.instance_id} live until {self.ends_at:%Y-%m-%d %H:%M} UTC"

    @property
    def reason(self) -> str:
        """Until when it lived before."""
        return f"it was to end at {self.was:%Y-%m-%d %H:%M} UTC"


class SetOwner(LeaseStep):
    """Give one machine to another person, if it is still as it was at ``revision``."""

    kind: Literal["set-owner"] = "set-owner"
    to: str
    revision: int

    @property
    def concerns(self) -> tuple[str, ...]:
        """Whoever had it, and whoever has it from then on."""
        return (self.owner, self.to)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"give {self.instance_id} to {self.to}"

    @property
    def reason(self) -> str:
        """Whose it is."""
        return f"it is {self.owner}'s" if self.owner else "it is nobody's"


class StopMachine(LeaseStep):
    """Let one machine rest; its lease goes on."""

    kind: Literal["stop-machine"] = "stop-machine"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"stop {self.instance_id}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "it runs"


class StartMachine(LeaseStep):
    """Start one machine that rests."""

    kind: Literal["start-machine"] = "start-machine"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"start {self.instance_id}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "it is stopped"


class AdoptMachine(LeaseStep):
    """Take one machine in; ``owner`` is whose it becomes."""

    kind: Literal["adopt-machine"] = "adopt-machine"
    profile: str
    launched_at: datetime
    ends_at: datetime
    cap_ends_at: datetime

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"take {self.instance_id} in as {self.owner}'s until {self.ends_at:%Y-%m-%d %H:%M} UTC"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "it carries this Slipway's tag, and nothing is stored of it"
