"""A simulated GitHub and GitLab, and the people who have accounts there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.simulated.accounts import SimulatedAccounts
from tests.support.clock import FakeClock

MAY = ["read", "sshkey.*", "approve", "reject", "cancel"]


@pytest.fixture
def clock() -> FakeClock:
    """The time, for the bot and for the services."""
    return FakeClock()


@pytest_asyncio.fixture
async def accounts(clock: FakeClock) -> AsyncIterator[SimulatedAccounts]:
    """Both services, without any account."""
    simulated = SimulatedAccounts(clock)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
def changes(accounts: SimulatedAccounts) -> dict[str, Any]:
    """The demo's configuration on them: alice has an account on each, bob one, carol may only look."""

    def person(name: str, role: str, *keys: str) -> dict[str, Any]:
        title = name.capitalize()
        return {
            "id": name,
            "name": title,
            "identities": [f"console:{name}"],
            "roles": [role],
            "keys": list(keys),
        }

    return {
        "keys": {"github": accounts.github_url, "gitlab": accounts.gitlab_url, "timeout": "5s"},
        "roles": {"releng": {"may": MAY}},
        "person": [
            person("alice", "releng", "github:alice", "gitlab:alice"),
            person("bob", "releng", "github:bob"),
            person("carol", "reader"),
        ],
    }
