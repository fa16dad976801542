"""What `slipway doctor` and `slipway check` say of keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slipway.bot.clouds.simulated.accounts import SimulatedAccounts
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.subjects.machines.keys.key_services import key_summary
from slipway.bot.subjects.machines.keys.probe import accounts_at, look
from tests.support.configuration import simulated_settings
from tests.support.ssh_keys import ed25519


def settings(folder: Path, changes: dict[str, Any]) -> SlipwaySettings:
    gallery = {"subscription_id": "0000", "resource_group": "fedora-cloud", "gallery": "Fedora"}
    return simulated_settings(folder, None, None, {"azure": gallery, **changes})


async def test_one_account_a_service_is_looked_up(
    tmp_path: Path, accounts: SimulatedAccounts, changes: dict[str, Any]
) -> None:
    accounts.add(accounts.github, "alice", [ed25519(1)])
    configured = settings(tmp_path, changes)
    assert [str(each) for each in accounts_at("github", configured)] == ["github:alice", "github:bob"]
    found = await look("github", configured)
    assert (found.well, found.detail) == (True, "github:alice lists 1 key")
    missing = await look("gitlab", configured)
    assert missing.problems == ("GitLab knows nobody called alice.",)
    assert "mend `keys`" in missing.next


async def test_a_service_that_is_not_reached_is_told_with_its_host(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    changes["keys"]["github"] = "http://127.0.0.1:9"
    found = await look("github", settings(tmp_path, changes))
    assert found.problems == ("GitHub cannot be reached at 127.0.0.1:9.",)
    assert "127.0.0.1:9" in found.next


def test_check_says_from_where_keys_come(tmp_path: Path, changes: dict[str, Any]) -> None:
    changes["keys"] = {"github": "https://github.example.org/api/v3", "most": 3}
    said = key_summary(settings(tmp_path, changes))
    assert said == (
        "keys: at most 3 a person, from github.example.org and gitlab.com; accounts are given to 2 of them"
    )
