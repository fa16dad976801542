"""What tests of Slack share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.house import FakeClock
from tests.slack.simulator import SimulatedSlack


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    """A workspace in which time stands still."""
    async with SimulatedSlack(clock=FakeClock()) as running:
        yield running
