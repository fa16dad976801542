"""An installation and clouds for the tests that kill the bot."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.crash.clouds import Clouds
from tests.crash.site import Site


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
def clouds() -> Iterator[Clouds]:
    """Both clouds, once for all crashes."""
    running = Clouds.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def _sites(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Site]]:
    sites: list[Site] = []
    yield sites
    for site in sites:
        site.close()


@pytest.fixture
def site(
    _sites: list[Site],
    clouds: Clouds,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Site]:
    """A running installation. The next test goes on with it, unless this one fails."""
    if not _sites or _sites[-1].broken:
        _sites.append(fresh_site(clouds, tmp_path_factory))
    current = _sites[-1]
    current.broken = True
    current.running()
    yield current
    clouds.clear()
    current.spare()


@pytest.fixture
def own_site(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation that was never started."""
    made = fresh_site(clouds, tmp_path_factory)
    yield made
    clouds.clear()
    made.close()


def fresh_site(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An installation with a name of its own, so that its machines are told from all others."""
    name = f"s{uuid4().hex[:12]}"
    return Site(tmp_path_factory.mktemp("site") / name, clouds, name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how often the bot was killed in an exhaustive run."""
    passed = terminalreporter.stats.get("passed", [])
    kills = [value for each in passed for name, value in each.user_properties if name == "kills"]
    if kills:
        terminalreporter.write_line(f"{sum(kills)} kills at {len(kills)} kinds of point, each ended right")
