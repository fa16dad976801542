"""What tests of Slack share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.slack.ears_kit import Ear, listening
from tests.slack.simulator import SimulatedSlack
from tests.support.clock import FakeClock


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    """A workspace in which time stands still."""
    async with SimulatedSlack(clock=FakeClock()) as running:
        yield running


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def ear(sim: SimulatedSlack, request: pytest.FixtureRequest) -> AsyncIterator[Ear]:
    """Over both ways in."""
    async with listening(sim, over_http=request.param) as running:
        yield running


@pytest.fixture
async def socket(sim: SimulatedSlack) -> AsyncIterator[Ear]:
    """Over Socket Mode alone."""
    async with listening(sim) as running:
        yield running
