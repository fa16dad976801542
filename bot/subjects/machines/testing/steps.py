"""What one boot test is made of: three steps. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from slipway.bot.clouds.machine_model import template_in_words
from slipway.bot.core.steps import Step, Target
from slipway.bot.core.times import format_duration


class TestStep(Step):
    """What all three say: where, what is tested, and whose machine it is."""

    __test__ = False  # pytest: it is no test

    cloud: str
    region: str  # empty: the account's own
    image_name: str

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: nothing that is there for others."""
        return ()


class LaunchForTest(TestStep):
    """Launch the machine of a test. It may live for ``seconds`` from when that is asked for, and a while more."""

    kind: Literal["launch-for-test"] = "launch-for-test"
    image_id: str
    template_id: str
    template_name: str
    template_version: int | str
    profile: str
    requester: str
    seconds: int
    login: str = ""
    keys: tuple[str, ...] = ()  # public, a line each

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The machine, by its profile; the other two are about the same one."""
        return (Target(self.profile, self.cloud, self.image_name),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        how = template_in_words(self.template_name, self.template_version)
        return f"launch 1 machine from {self.image_name} with {how}" + (
            f" in {self.region}" if self.region else ""
        )

    @property
    def reason(self) -> str:
        """How long it may take."""
        return f"it has {format_duration(timedelta(seconds=self.seconds))} to come up"


class WatchBoot(TestStep):
    """Look whether the machine that step number ``launch`` made comes up, and record what is found out.

    ``definition`` and ``version`` are what that is recorded about; empty where the image is in no gallery.
    """

    kind: Literal["watch-boot"] = "watch-boot"
    launch: int
    seconds: int
    login: str = ""
    log_in: bool = False  # whether somebody has to be able to
    definition: str = ""
    version: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """The version, to be found by; as what changes versions names it."""
        if not self.definition:
            return ()
        return (f"version {self.cloud} {self.definition.casefold()} {self.version}",)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        how = "by the cloud's own checks" + (", SSH and cloud-init" if self.log_in else "")
        return f"see whether {self.image_name} comes up, {how}"

    @property
    def reason(self) -> str:
        """What becomes of it."""
        return "the result is recorded" if self.definition else "it was asked for"


class EndTest(TestStep):
    """End the machine that step number ``launch`` made, whatever became of the test."""

    kind: Literal["end-test"] = "end-test"
    launch: int

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"terminate the machine of {self.image_name}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "a test leaves none"
