"""An installation and clouds for the tests that kill the bot."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.crash.clouds import SimulatedClouds
from tests.crash.installation import Installation


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="kill the bot at every request, commit and line, not at chosen ones (many minutes)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "exhaustive: runs only with --exhaustive, for it takes many minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes many minutes, unless it was asked for."""
    if config.getoption("--exhaustive", default=False):
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def clouds() -> Iterator[SimulatedClouds]:
    """Both clouds, once for all crashes."""
    running = SimulatedClouds.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def _installations(
    clouds: SimulatedClouds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Installation]]:
    installations: list[Installation] = []
    yield installations
    for installation in installations:
        installation.close()


@pytest.fixture
def installation(
    _installations: list[Installation],
    clouds: SimulatedClouds,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Installation]:
    """A running installation. The next test goes on with it, unless this one fails."""
    if not _installations or _installations[-1].failed:
        _installations.append(new_installation(clouds, tmp_path_factory))
    current = _installations[-1]
    current.failed = True
    current.running()
    yield current
    clouds.clear()
    current.disarm()


@pytest.fixture
def fresh_installation(
    clouds: SimulatedClouds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation that was never started."""
    created = new_installation(clouds, tmp_path_factory)
    yield created
    clouds.clear()
    created.close()


def new_installation(clouds: SimulatedClouds, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with a name of its own, so that its machines are told from all others."""
    name = f"s{uuid4().hex[:12]}"
    return Installation(tmp_path_factory.mktemp("installation") / name, clouds, name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how often the bot was killed in an exhaustive run."""
    passed = terminalreporter.stats.get("passed", [])
    kills = [value for each in passed for name, value in each.user_properties if name == "kills"]
    if kills:
        terminalreporter.write_line(f"{sum(kills)} kills at {len(kills)} kinds of point, each ended right")
