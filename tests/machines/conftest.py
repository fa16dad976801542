"""A simulated EC2 for a whole file, whose faults and requests are each test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from tests.support.aws import simulated_aws


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def aws(shared_aws: SimulatedAws) -> AsyncIterator[SimulatedAws]:
    shared_aws.requests.clear()
    yield shared_aws
    shared_aws.faults.clear()
