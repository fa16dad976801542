"""What tests of Slack share."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import structlog

from slipway.bot.logs import configure
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


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """What the bot's own log says, as `slipway run` writes it."""
    stream, before = io.StringIO(), logging.getLogger().handlers
    configure("json", stream=stream)
    yield stream.getvalue
    logging.getLogger().handlers = before
    structlog.reset_defaults()
