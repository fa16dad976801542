"""A bot on both simulated clouds for each test; EC2 is one for a whole file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from tests.support.aws import unique_name
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
