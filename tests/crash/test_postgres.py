"""`kill -9` on PostgreSQL: what holds on files holds there, at one point of each trigger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.crash.clouds import CrashTiming, SimulatedClouds
from tests.crash.crash import Crash
from tests.crash.installation import Installation
from tests.crash.scenario import CrashPoint, after_lines, at_commits, at_requests
from tests.crash.scenarios.images import Promotion
from tests.support.processes.postgres import Postgres

POINTS = (
    *at_requests(CrashTiming.AFTER, 1, of="PUT "),
    *at_commits(CrashTiming.BEFORE, 9),
    *after_lines(1),
)


@pytest.fixture
def on_postgresql(clouds: SimulatedClouds, postgres: Postgres, tmp_path: Path) -> Iterator[Installation]:
    """A running installation on a database of its own."""
    name = f"s{uuid4().hex[:12]}"
    created = Installation(tmp_path / name, clouds, name, postgres.new())
    created.start()
    yield created
    clouds.clear()
    created.disarm()
    created.close()


@pytest.mark.slow
def test_what_was_begun_on_postgresql_ends_right_after_a_kill(on_postgresql: Installation) -> None:
    for point in POINTS:
        _killed_at(on_postgresql, point)


def _killed_at(installation: Installation, point: CrashPoint) -> None:
    installation.running()
    assert Crash(installation, Promotion(installation), point).run(), f"there is no {point} any more"
    installation.clouds.clear()
    installation.disarm()
