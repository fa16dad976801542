"""The platforms on which every test of the suite runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.conformance.harness import ChatPlatformHarness
from tests.conformance.harnesses import harnesses
from tests.conformance.run import ConformanceRun, conformance_run

HARNESSES = harnesses()

MakePlatform = Callable[[str], ChatPlatformHarness]


@pytest.fixture
def make_platform(request: pytest.FixtureRequest) -> MakePlatform:
    """A platform by its name."""
    return lambda name: HARNESSES[name](request)


@pytest.fixture(params=HARNESSES)
def platform(request: pytest.FixtureRequest, make_platform: MakePlatform) -> ChatPlatformHarness:
    """Each platform in turn."""
    return make_platform(str(request.param))


@pytest.fixture
async def run(platform: ChatPlatformHarness, tmp_path: Path) -> AsyncIterator[ConformanceRun]:
    """The bot on one platform; to be started by the test."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    async with conformance_run(tmp_path / "state", azure, platform) as found:
        yield found
