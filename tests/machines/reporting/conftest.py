"""A bot on both simulated clouds for each test; EC2 is one for a whole file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from tests.support.aws import simulated_aws, unique_name
from tests.support.clock import NOW
from tests.support.harness import BotHarness, running_bot
from tests.support.pauses import no_pauses

CLOUDY = {
    "cloud": "azure",
    "machine": {
        "size": "Standard_B2s",
        "subnet": "machines-{region}/default",
        "security_group": "ssh-{region}",
    },
}
"""A profile on Azure."""


class Started(Protocol):
    """Starts a bot on both clouds with changes to its configuration."""

    def __call__(self, changes: Mapping[str, Any]) -> AbstractAsyncContextManager[BotHarness]: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def aws(shared_aws: SimulatedAws) -> AsyncIterator[SimulatedAws]:
    yield shared_aws
    shared_aws.faults.clear()


@pytest.fixture
def started(tmp_path: Path, aws: SimulatedAws) -> Started:
    @asynccontextmanager
    async def start(changes: Mapping[str, Any]) -> AsyncIterator[BotHarness]:
        azure = SimulatedAzure(fedora_gallery(NOW), clock=lambda: NOW, polls=0)
        await azure.start()
        try:
            account = {
                "subscription_id": azure.seed.subscription_id,
                "machines_group": "slipway-machines",
                "regions": ["eastus", "westeurope"],
            }
            whole = {"name": unique_name("slipway"), "azure": account, **changes}
            async with running_bot(tmp_path, azure=azure, aws=aws, changes=whole, sleep=no_pauses) as bot:
                yield bot
        finally:
            await azure.stop()

    return start
