"""What tests of Slack share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.slack.harness import AdapterHarness, running_adapter
from tests.slack.simulator import SimulatedSlack
from tests.support.clock import FakeClock


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    """A workspace in which time stands still."""
    async with SimulatedSlack(clock=FakeClock()) as running:
        yield running


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def adapter(sim: SimulatedSlack, request: pytest.FixtureRequest) -> AsyncIterator[AdapterHarness]:
    """Over both transports."""
    async with running_adapter(sim, over_http=request.param) as running:
        yield running


@pytest.fixture
async def over_socket(sim: SimulatedSlack) -> AsyncIterator[AdapterHarness]:
    """Over Socket Mode alone."""
    async with running_adapter(sim) as running:
        yield running
