"""The platforms on which every test of the suite runs.

Where two of them are one adapter with two transports, the second runs without ``-m slow`` only what the transport
has a part in: the tests that are marked ``every_transport``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.conformance.harness import ChatPlatformHarness
from tests.conformance.harnesses import harnesses, other_transports
from tests.conformance.run import ConformanceRun, conformance_run

HARNESSES = harnesses()

MakePlatform = Callable[[str], ChatPlatformHarness]


@pytest.fixture
def make_platform(request: pytest.FixtureRequest) -> MakePlatform:
    """A platform by its name."""
    return lambda name: HARNESSES[name](request)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "every_transport: runs on all transports of a chat without -m slow, too"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each platform in turn."""
    if "platform" not in metafunc.fixturenames:
        return
    seldom = frozenset() if metafunc.definition.get_closest_marker("every_transport") else other_transports()
    platforms = [
        pytest.param(name, marks=pytest.mark.slow) if name in seldom else pytest.param(name)
        for name in HARNESSES
    ]
    metafunc.parametrize("platform", platforms, indirect=True)


@pytest.fixture
def platform(request: pytest.FixtureRequest, make_platform: MakePlatform) -> ChatPlatformHarness:
    """The platform of this test."""
    return make_platform(str(request.param))


@pytest.fixture
async def run(platform: ChatPlatformHarness, tmp_path: Path) -> AsyncIterator[ConformanceRun]:
    """The bot on one platform; to be started by the test."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    async with conformance_run(tmp_path / "state", azure, platform) as found:
        yield found
