"""`kill -9` at any point: the next start ends what was begun, and each effect is there once.

By default at chosen points; ``pytest tests/crash --exhaustive`` goes through all of them.
"""

from __future__ import annotations

from itertools import count

import pytest

from tests.crash.clouds import CrashTiming
from tests.crash.crash import Crash, CrashPoint, CrashTrigger
from tests.crash.installation import Installation
from tests.crash.scenarios import SCENARIOS

_REQUEST, _COMMIT, _LINE = CrashTrigger
_BEFORE, _AFTER, _LATE = CrashTiming

CHOSEN = {
    "promote": (
        (_REQUEST, _BEFORE, 2),  # planning
        (_REQUEST, _BEFORE, 6),  # the write of the flag
        (_REQUEST, _AFTER, 6),
        (_REQUEST, _LATE, 6),
        (_REQUEST, _AFTER, 7),  # waiting for its end
        *((_COMMIT, _BEFORE, number) for number in (3, 9, 14)),
        *((_COMMIT, _AFTER, number) for number in (2, 8, 16)),
        (_LINE, _AFTER, 1),
        (_LINE, _AFTER, 3),
    ),
    "rollback": ((_REQUEST, _AFTER, 7), (_COMMIT, _AFTER, 12)),
    "cleanup": (
        (_REQUEST, _AFTER, 5),  # the first deletion
        (_REQUEST, _BEFORE, 15),  # the third
        (_REQUEST, _LATE, 25),  # the last
        (_COMMIT, _BEFORE, 20),
        (_COMMIT, _AFTER, 21),
    ),
    "launch": (
        (_REQUEST, _BEFORE, 4),  # planning again
        (_REQUEST, _BEFORE, 7),  # RunInstances
        (_REQUEST, _AFTER, 7),
        (_REQUEST, _LATE, 7),
        (_COMMIT, _BEFORE, 7),
        (_LINE, _AFTER, 2),
    ),
    "terminate": ((_REQUEST, _BEFORE, 4), (_REQUEST, _AFTER, 4), (_COMMIT, _AFTER, 9)),
}
"""What the default run goes through: every kind of trigger, and each write from all sides."""


def _chosen() -> list[object]:
    return [
        pytest.param(scenario, CrashPoint(*point), id=f"{scenario}-{CrashPoint(*point)}")
        for scenario, points in CHOSEN.items()
        for point in points
    ]


@pytest.mark.parametrize(("scenario", "point"), _chosen())
def test_what_was_begun_ends_right_after_a_kill(
    installation: Installation, scenario: str, point: CrashPoint
) -> None:
    crash = Crash(installation, SCENARIOS[scenario](installation), point)
    assert crash.run(), "the scenario has no such point any more"
    installation.failed = False


_KINDS = [
    (_REQUEST, _BEFORE),
    (_REQUEST, _AFTER),
    (_REQUEST, _LATE),
    (_COMMIT, _BEFORE),
    (_COMMIT, _AFTER),
    (_LINE, _AFTER),
]


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("trigger", "timing"), _KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
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
