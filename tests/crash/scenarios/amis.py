"""Killed while a version on AWS is promoted and protected, taken back, or removed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from slipway.bot.clouds.simulated.aws.seed import SeedAmi
from tests.crash.clouds import CrashFaults, CrashTiming
from tests.crash.installation import FAMILIES, FAMILY_REGION, Installation
from tests.crash.scenario import Scenario, at_commits, at_requests

BEFORE, AFTER, LATE = CrashTiming

_ACCOUNT = "123456789012"
_TAG = "slipway:protected"


class AmiScenario(Scenario):
    """A change to a family of its own."""

    place = "aws"
    days: ClassVar[tuple[int, ...]]
    """How many days ago its images were made."""

    public: ClassVar[tuple[int, ...]]
    """Those of them that are public."""

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        number = next(installation.clouds.family_numbers)
        assert number < FAMILIES, "there are as many families as crashes"
        self.family = f"Amis-{number}"
        now = datetime.now(UTC)
        made = {day: now - timedelta(days=day) for day in self.days}
        self.versions = {day: f"{at:%Y%m%d}.0" for day, at in made.items()}
        seed = [
            SeedAmi(
                id=f"ami-{number:08x}{day:09x}",
                name=f"{self.family}-{self.versions[day]}",
                architecture="x86_64",
                owner=_ACCOUNT,
                created_at=at,
                region=FAMILY_REGION,
                public=day in self.public,
                tags=self.tags(day),
            )
            for day, at in made.items()
        ]
        installation.clouds.wait(installation.clouds.aws.add_amis(seed))
        self._seen = len(installation.clouds.aws.requests)

    def tags(self, day: int) -> dict[str, str]:
        """What is noted on an image from the first."""
        return {}

    @property
    def faults(self) -> CrashFaults:
        """EC2's."""
        return self.installation.clouds.aws_faults

    @property
    def command(self) -> str:
        """``!promote Amis-7``."""
        return f"!{self.kind} {self.family}"

    @property
    def amis(self) -> dict[int, dict[str, Any]]:
        """The family's images as EC2 has them, by the day of their making."""
        state = self.installation.clouds.wait(self.installation.clouds.aws.state())
        held = {each["name"]: each for each in state["amis"]}
        names = {day: f"{self.family}-{version}" for day, version in self.versions.items()}
        return {day: held[name] for day, name in names.items() if name in held}

    @property
    def writes(self) -> Counter[str]:
        """The changes that were asked for since."""
        requests = self.installation.clouds.aws.requests[self._seen :]
        return Counter(each.label for each in requests if not each.label.startswith(("Describe", "Get")))

    def is_public(self, day: int) -> bool:
        return {"Group": "all"} in self.amis[day]["permissions"]


class PromoteAmis(AmiScenario):
    """The newest candidate is made public, and protected."""

    kind = "promote"
    days, public = (30, 20, 3), (30, 20)
    points = (
        *at_requests(AFTER, 1, of="EnableImageDeregistrationProtection"),
        *at_requests(BEFORE, 1, of="ModifyImageAttribute"),
        *at_requests(AFTER, 1, of="ModifyImageAttribute"),
        *at_requests(AFTER, 1, of="CreateTags"),
        *at_requests(LATE, 1, of="EnableImageDeregistrationProtection"),
        *at_commits(BEFORE, 16),
    )

    def check(self) -> None:
        """It, and no other, was made public and protected, each by one request, or one more of the dead bot."""
        assert [day for day in self.days if self.is_public(day)] == list(self.days)
        noted = {day: each["tags"].get(_TAG) for day, each in self.amis.items()}
        assert noted == {30: None, 20: None, 3: self.installation.deployment}
        steps = ("ModifyImageAttribute", "CreateTags", "EnableImageDeregistrationProtection")
        assert set(self.writes) == set(steps)
        assert self.writes.total() <= len(steps) + 1


class RollbackAmis(AmiScenario):
    """The newest is private again, and what is latest again is protected."""

    kind = "rollback"
    shown_by = "promote-aws"
    days, public = (30, 20), (30, 20)
    points = (
        *at_requests(AFTER, 1, of="ModifyImageAttribute"),
        *at_requests(BEFORE, 1, of="EnableImageDeregistrationProtection"),
    )

    def check(self) -> None:
        """It, and no other, is private; the other one is protected."""
        assert {day: self.is_public(day) for day in self.days} == {30: True, 20: False}
        noted = {day: each["tags"].get(_TAG) for day, each in self.amis.items()}
        assert noted == {30: self.installation.deployment, 20: None}
        assert self.writes.total() <= 4


class CleanupAmis(AmiScenario):
    """The candidates beyond seven are disabled, for a later clean-up to delete."""

    kind = "cleanup"
    days, public = (60, *range(50, 41, -1)), (60,)
    points = (
        *at_requests(AFTER, 1, of="DisableImage"),
        *at_requests(BEFORE, 2, of="DisableImage"),
        *at_requests(LATE, 1, of="EnableImageDeprecation"),
        *at_commits(AFTER, 14),
    )

    def __init__(self, installation: Installation) -> None:
        super().__init__(installation)
        installation.announce_long_ago(self.command)

    def check(self) -> None:
        """The two oldest candidates are disabled, and say since when; the rest is as it was."""
        states = {day: each["state"] for day, each in self.amis.items()}
        assert {day for day, state in states.items() if state == "disabled"} == {50, 49}
        assert all(
            ("slipway:disabled" in each["tags"]) is (day in (50, 49)) for day, each in self.amis.items()
        )
        assert self.writes["DeregisterImage"] == 0
        assert self.writes.total() <= 7
