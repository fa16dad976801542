"""Fixtures that every test may use, and how tests are shared out among workers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.support.synapse import synapse

__all__ = ["synapse"]

# A property holds however long a busy machine takes to find it out.
settings.register_profile(
    "slipway", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("slipway")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker: what they share, such as a bot or a cloud, is made once."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
