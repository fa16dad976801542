"""The platforms on which every test of the suite runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.conformance.console_harness import ConsoleHarness
from tests.conformance.matrix_harness import EncryptedMatrixHarness, MatrixHarness
from tests.conformance.memory_harness import MemoryHarness
from tests.conformance.platform_harness import ChatPlatformHarness
from tests.conformance.run import ConformanceRun, conformance_run
from tests.conformance.slack_harness import SlackHarness, SlackHttpHarness
from tests.support.synapse import Synapse
from tests.toys.chat_harness import PostboardHarness

PLATFORMS = ("memory", "console", "slack", "slack-http", "matrix", "encrypted", "toy")

MakePlatform = Callable[[str], ChatPlatformHarness]


@pytest.fixture
def make_platform(request: pytest.FixtureRequest, tmp_path: Path) -> MakePlatform:
    """A platform by its name; the homeserver is only started for those that need it."""

    def make(name: str) -> ChatPlatformHarness:
        match name:
            case "memory":
                return MemoryHarness()
            case "console":
                return ConsoleHarness()
            case "slack":
                return SlackHarness(tmp_path)
            case "slack-http":
                return SlackHttpHarness(tmp_path)
            case "toy":
                return PostboardHarness(str(tmp_path))
            case "matrix" | "encrypted":
                synapse: Synapse = request.getfixturevalue("synapse")
                if name == "matrix":
                    return MatrixHarness(synapse, tmp_path)
                return EncryptedMatrixHarness(synapse, tmp_path)
        raise ValueError(name)

    return make


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest, make_platform: MakePlatform) -> ChatPlatformHarness:
    """Each platform in turn."""
    return make_platform(str(request.param))


@pytest.fixture
async def run(platform: ChatPlatformHarness, tmp_path: Path) -> AsyncIterator[ConformanceRun]:
    """The bot on one platform; to be started by the test."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    async with conformance_run(tmp_path / "state", azure, platform) as found:
        yield found
