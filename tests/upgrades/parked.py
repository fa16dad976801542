"""Where a run is parked: the operation, the point at which the process died, and the gallery that it worked on.

Both the maker of the states and the tests read these; the states of releases are told apart by their names alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.simulated.azure import Seed, SeedDefinition, SeedRegion, SeedVersion
from tests.crash.clouds import CrashTiming

SUBSCRIPTION = "00000000-0000-4000-8000-00000000fed0"

DEFINITIONS = ("Parked-a", "Parked-b", "Parked-c")

Flags = Mapping[str, Mapping[str, bool]]
"""Of each definition the versions that are there, and whether each is kept from being latest."""


@dataclass(frozen=True)
class Scenario:
    """An operation of several steps.

    Attributes:
        kind: its kind, as commands call it.
        command: what alice types.
        days: how many days ago the versions of each definition were made.
        promoted: those of them that may be latest.
        write: the method of the request by which one step changes the gallery.
        definitions: those that it changes.
        changes: in each of them, versions by their days, and what becomes of each; None: it goes.
    """

    kind: str
    command: str
    days: tuple[int, ...]
    promoted: tuple[int, ...]
    write: str
    definitions: tuple[str, ...]
    changes: Mapping[int, bool | None]

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.definitions) * len(self.changes)

    def gallery(self, now: datetime) -> Seed:
        """The gallery as it is before."""
        versions = tuple(_version(now - timedelta(days=day), day in self.promoted) for day in self.days)
        return Seed(tuple(SeedDefinition(name, "x64", versions) for name in DEFINITIONS))

    def wished(self, now: datetime) -> Flags:
        """What the gallery is to be like once it is done."""
        names = {day: _name(now - timedelta(days=day)) for day in self.days}
        before = {name: day not in self.promoted for day, name in names.items()}
        changed = {names[day]: excluded for day, excluded in self.changes.items()}
        after = {name: flag for name, flag in (before | changed).items() if flag is not None}
        return {name: after if name in self.definitions else before for name in DEFINITIONS}


SCENARIOS = {
    scenario.kind: scenario
    for scenario in (
        Scenario("promote", "!promote Parked-*", (30, 20, 3), (30, 20), "PUT ", DEFINITIONS, {3: False}),
        Scenario("rollback", "!rollback Parked-a", (30, 20), (30, 20), "PUT ", ("Parked-a",), {20: True}),
        Scenario(
            "cleanup",
            "!cleanup Parked-b",
            (60, *range(50, 40, -1)),
            (60,),
            "DELETE ",
            ("Parked-b",),
            dict.fromkeys((50, 49, 48)),
        ),
    )
}
"""By their kinds. A clean-up keeps the newest seven candidates, and what was promoted last."""


@dataclass(frozen=True)
class Boundary:
    """Where the process died: at the request by which a step changes the gallery, before or after its effect.

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
        scenario: the kind of operation.
        boundary: where it died, as words.
        made_at: when.
        operation: the operation's id.
        flags: the gallery as the dead process left it.
    """

    release: str
    commit: str
    scenario: str
    boundary: str
    made_at: datetime
    operation: str
    flags: Flags

    @classmethod
    def read(cls, text: str) -> Parked:
        """From JSON."""
        facts = json.loads(text)
        return cls(**{**facts, "made_at": datetime.fromisoformat(facts["made_at"])})

    def __str__(self) -> str:
        return f"{self.release}/{self.scenario}-{self.boundary}"


def gallery_left(parked: Parked) -> Seed:
    """The gallery as the dead process left it."""
    before = SCENARIOS[parked.scenario].gallery(parked.made_at)
    return Seed(
        tuple(
            SeedDefinition(
                definition.name,
                definition.architecture,
                tuple(
                    _version(version.published_at, not parked.flags[definition.name][version.name])
                    for version in definition.versions
                    if version.name in parked.flags[definition.name]
                ),
            )
            for definition in before.definitions
        )
    )


def _name(made: datetime) -> str:
    return f"43.{made:%Y%m%d}.0"


def _version(made: datetime, promoted: bool) -> SeedVersion:
    return SeedVersion(
        name=_name(made),
        published_at=made,
        excluded=not promoted,
        regions=(SeedRegion("eastus"), SeedRegion("westeurope")),
        end_of_life=made + timedelta(days=400),
        tags={"owner": "fedora-cloud"},
    )
