"""Where a run is parked: the operation, the point at which the process died, and the cloud that it worked on.

Both the maker of the states and the tests read these; the states of releases are told apart by their names alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slipway.bot.core.times import Clock
from tests.crash.clouds import CrashTiming
from tests.upgrades.worlds import Amis, Gallery, Held, World, candidate, state_of

DEFINITIONS = ("Parked-a", "Parked-b", "Parked-c")

DATED = ("0.1.0-20261120", "0.1.0-20261126", "0.1.0-20261129", "0.1.0-20261130")
"""States of 0.1.0 before it had a date. None of these knew images on AWS."""


@dataclass(frozen=True)
class Scenario:
    """An operation of several steps.

    Attributes:
        name: what its states are called by.
        command: what alice types.
        days: how many days ago the versions of each definition were made.
        promoted: those of them that may be latest.
        write: what is in the label of the request by which one step changes the cloud.
        definitions: those that it changes.
        changes: in each of them, versions by their days, and what becomes of each, in the words of
            :func:`tests.upgrades.worlds.state_of`; None: it goes.
        besides: what becomes of further versions, by steps that are not told by ``write``.
        on_aws: whether the versions are images in EC2, rather than a gallery's in Azure.
    """

    name: str
    command: str
    days: tuple[int, ...]
    promoted: tuple[int, ...]
    write: str
    definitions: tuple[str, ...]
    changes: Mapping[int, str | None]
    besides: Mapping[int, str | None] = field(default_factory=dict)
    on_aws: bool = False

    @property
    def steps(self) -> int:
        """How many requests change something by which a step is told."""
        return len(self.definitions) * len(self.changes)

    def known_to(self, release: str) -> bool:
        """Whether a release could do that."""
        return not self.on_aws or release not in DATED

    def before(self, now: datetime) -> Held:
        """What the cloud holds at first."""
        versions = {_name(now - timedelta(days=day)): day in self.promoted for day in self.days}
        held = {
            version: candidate(public=promoted) if self.on_aws else not promoted
            for version, promoted in versions.items()
        }
        return dict.fromkeys(DEFINITIONS, held)

    def world(self, held: Held, now: datetime, clock: Clock | None = None) -> World:
        """The cloud, holding this."""
        made = {_name(now - timedelta(days=day)): now - timedelta(days=day) for day in self.days}
        return Amis(held, made, now) if self.on_aws else Gallery(held, made, clock)

    def wished(self, now: datetime) -> Mapping[str, Mapping[str, str]]:
        """What each version is to be once it is done."""
        found, changed = {}, {**self.changes, **self.besides}
        for definition, versions in self.before(now).items():
            states: dict[str, str | None] = {name: state_of(facts) for name, facts in versions.items()}
            if definition in self.definitions:
                states |= {_name(now - timedelta(days=day)): what for day, what in changed.items()}
            found[definition] = {name: what for name, what in states.items() if what is not None}
        return found


_PROTECTED = "protected slipway:protected"
"""By its attribute, and by a tag that says whose protection it is."""


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("promote", "!promote Parked-*", (30, 20, 3), (30, 20), "PUT ", DEFINITIONS, {3: "promoted"}),
        Scenario(
            "rollback", "!rollback Parked-a", (30, 20), (30, 20), "PUT ", ("Parked-a",), {20: "candidate"}
        ),
        Scenario(
            "cleanup",
            "!cleanup Parked-b",
            (60, *range(50, 40, -1)),
            (60,),
            "DELETE ",
            ("Parked-b",),
            dict.fromkeys((50, 49, 48)),
        ),
        Scenario(
            "promote-aws",
            "!promote Parked-*",
            (30, 20, 3),
            (30, 20),
            "ModifyImageAttribute",
            DEFINITIONS,
            {3: f"promoted {_PROTECTED}"},
            on_aws=True,
        ),
        Scenario(
            "rollback-aws",
            "!rollback Parked-a",
            (30, 20),
            (30, 20),
            "ModifyImageAttribute",
            ("Parked-a",),
            {20: "candidate"},
            {30: f"promoted {_PROTECTED}"},
            on_aws=True,
        ),
        Scenario(
            "cleanup-aws",
            "!cleanup Parked-b",
            (60, *range(50, 41, -1)),
            (60,),
            "DisableImage",
            ("Parked-b",),
            dict.fromkeys((50, 49), "candidate disabled slipway:disabled"),
            on_aws=True,
        ),
    )
}
"""By their names. A clean-up keeps the newest seven candidates, and what was promoted last; on AWS, it disables."""


@dataclass(frozen=True)
class Boundary:
    """Where the process died: at the request by which a step changes the cloud, before or after its effect.

    ``step`` 0: while the plan waited for its approval.
    """

    step: int
    timing: CrashTiming = CrashTiming.BEFORE

    def __str__(self) -> str:
        return f"step-{self.step}-{self.timing}" if self.step else "proposed"


def boundaries(scenario: Scenario) -> tuple[Boundary, ...]:
    """All of a scenario: before its approval, and around the effect of each step."""
    around = (CrashTiming.BEFORE, CrashTiming.AFTER)
    steps = range(1, scenario.steps + 1)
    return Boundary(0), *(Boundary(step, timing) for step in steps for timing in around)


@dataclass(frozen=True)
class Parked:
    """What a state folder does not say of itself.

    Attributes:
        release: which Slipway left it.
        commit: its commit.
        scenario: the name of the scenario.
        boundary: where it died, as words.
        made_at: when.
        operation: the operation's id.
        flags: what the cloud holds as the dead process left it.
    """

    release: str
    commit: str
    scenario: str
    boundary: str
    made_at: datetime
    operation: str
    flags: Held

    @classmethod
    def read(cls, text: str) -> Parked:
        """From JSON."""
        facts = json.loads(text)
        return cls(**{**facts, "made_at": datetime.fromisoformat(facts["made_at"])})

    def __str__(self) -> str:
        return f"{self.release}/{self.scenario}-{self.boundary}"


def _name(made: datetime) -> str:
    return f"43.{made:%Y%m%d}.0"
