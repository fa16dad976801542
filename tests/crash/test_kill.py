"""`kill -9` at any point: the next start ends what was begun, and each effect is there once.

By default at the first chosen point of one kind of those that work alike; with ``-m slow`` at its first one of each
other trigger, and at the first of each other kind; ``pytest tests/crash --exhaustive`` goes through all chosen ones,
and all there are.
"""

from __future__ import annotations

from itertools import count

import pytest

from tests.crash.clouds import CrashTiming
from tests.crash.crash import Crash
from tests.crash.installation import Installation
from tests.crash.scenario import CrashPoint, CrashTrigger, Scenario
from tests.crash.scenarios import scenarios

SCENARIOS = scenarios()


def _marks(scenario: type[Scenario], point: CrashPoint) -> tuple[pytest.MarkDecorator, ...]:
    """When a scenario is killed at one of its points."""
    first = {each.trigger: each for each in reversed(scenario.points)}
    if point == scenario.points[0]:
        return (pytest.mark.slow,) if scenario.shown_by or scenario.slow else ()
    if (
        point == first[point.trigger]
        and point.trigger != scenario.points[0].trigger
        and not scenario.shown_by
    ):
        return (pytest.mark.slow,)
    return (pytest.mark.exhaustive,)


_CHOSEN = [
    pytest.param(kind, point, id=f"{kind}-{point}", marks=_marks(scenario, point))
    for kind, scenario in SCENARIOS.items()
    for point in scenario.points
]


def test_what_is_shown_by_another_is_shown() -> None:
    assert {each.shown_by for each in SCENARIOS.values()} - {""} <= {
        name for name, each in SCENARIOS.items() if not each.shown_by
    }


@pytest.mark.parametrize(("scenario", "point"), _CHOSEN)
def test_what_was_begun_ends_right_after_a_kill(
    installation: Installation, scenario: str, point: CrashPoint
) -> None:
    crash = Crash(installation, SCENARIOS[scenario](installation), point)
    assert crash.run(), "the scenario has no such point any more"
    installation.failed = False


_KINDS = [
    *((CrashTrigger.REQUEST, timing) for timing in CrashTiming),
    (CrashTrigger.COMMIT, CrashTiming.BEFORE),
    (CrashTrigger.COMMIT, CrashTiming.AFTER),
    (CrashTrigger.LINE, CrashTiming.AFTER),
]

_EVERY = [
    (name, trigger, timing)
    for name, scenario in SCENARIOS.items()
    for trigger, timing in _KINDS
    if trigger is not CrashTrigger.REQUEST or scenario.asks_clouds()
]


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("scenario", "trigger", "timing"), _EVERY)
def test_every_point_of_a_kind(
    installation: Installation,
    scenario: str,
    trigger: CrashTrigger,
    timing: CrashTiming,
    request: pytest.FixtureRequest,
) -> None:
    for number in count(1):
        point = CrashPoint(trigger, timing, number)
        try:
            reached = Crash(installation, SCENARIOS[scenario](installation), point).run()
        except AssertionError as error:
            raise AssertionError(f"{scenario} killed {point}: {error}") from error
        if not reached:
            break
    assert number > 2, "no point was reached"
    request.node.user_properties.append(("kills", number - 1))
    installation.failed = False
