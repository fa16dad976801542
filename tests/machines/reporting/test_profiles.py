"""What people read of profiles: what they launch, how much of it, for whom, and what is left for whoever asks."""

from __future__ import annotations

import pytest

from tests.machines.reporting.conftest import CLOUDY, Started
from tests.support.aws import IMAGE
from tests.support.harness import BotHarness
from tests.support.leases import launched
from tests.support.memory_chat import PostedMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILES = {
    "small": {"overrides": ["type"], "idle_after": "4h", "idle_action": "stop"},
    "arm": {"may": ["admin"], "standing_approval": False},
    "cloudy": {**CLOUDY, "regions": ["westeurope", "eastus"], "cap": "3d"},
}
LIMITS = {
    "machines": 40,
    "machines_per_person": 5,
    "lease_hours_per_person": 100,
    "roles": {"admin": {"machines_per_person": 10}},
}
PRICES = {"per_hour": {"t3.small": 0.0208}}


def rows(shown: PostedMessage) -> dict[str, tuple[str, ...]]:
    (table,) = shown.card.tables
    return {row[0]: row[1:] for row in table.rows}


def facts(shown: PostedMessage) -> dict[str, str]:
    return {field.label: field.value for field in shown.card.fields}


async def whole(bot: BotHarness, name: str, who: str = "alice") -> dict[str, str]:
    (shown,) = await bot.say(who, f"!profiles {name}")
    return facts(shown)


async def test_each_profile_says_what_it_launches_where_how_much_and_for_whom(started: Started) -> None:
    async with started({"profiles": PROFILES, "limits": LIMITS, "prices": PRICES}) as bot:
        (shown,) = await bot.say("alice", "!profiles")
        found = rows(shown)
        assert found["small"] == (
            "t3.small (x86_64), 2 cores, 2 GiB; slipway-small v2 in aws, us-east-1",
            "3 at a time, for 3h (up to 3d), 7d in all; no approval; `--type`",
            "you",
        )
        assert found["arm"][1:] == (
            "3 at a time, for 3h (up to 3d), 7d in all; 1 approval",
            "not you, but Admin (admin)",
        )
        assert found["cloudy"][0].startswith("Standard_B2s (x64); cloudy (")
        assert found["cloudy"][0].endswith(" in azure, westeurope or eastus")
        assert facts(shown) == {
            "Left for you": "5 of 5 machines and 100 of 100 lease hours; in all 40 of 40 machines"
        }
        assert len(shown.card.tables[0].columns) <= 4, "more is not side by side on a phone"
        assert [row["usable"] for row in shown.card.tables[0].values] == [True, False, True]

        await launched(bot)  # for 2h
        (shown,) = await bot.say("alice", "!profiles")
        assert facts(shown) == {
            "Left for you": "4 of 5 machines and 98 of 100 lease hours; in all 39 of 40 machines"
        }
        (planned,) = await bot.say("alice", f"!launch {IMAGE} --dry-run")
        assert (
            facts(planned)["Left"]
            == "3 of 5 machines and 95 of 100 lease hours; in all 38 of 40 machines after this"
        )
        (shown,) = await bot.say("admin", "!profiles")
        assert facts(shown)["Left for you"].startswith("10 of 10 machines and 100 of 100 lease hours;")
        assert rows(shown)["arm"][-1] == "you"
        (shown,) = await bot.say("carol", "!profiles")
        assert rows(shown)["small"][-1] == "not you, but Alice (alice), Bob (bob) and Admin (admin)"
        assert not any("!launch" in note for note in shown.card.notes)


async def test_of_one_profile_all_is_shown(started: Started) -> None:
    async with started({"profiles": PROFILES, "limits": LIMITS, "prices": PRICES}) as bot:
        small = await whole(bot, "SMALL")
        assert {
            "Template": "slipway-small v2 (its default version now)",
            "Regions": "us-east-1",
            "For": "3h where nobody says, up to 3d",
            "Whole life": "at most 7d, however often it is extended",
            "Approval": "none within these limits; beyond them, one is asked for",
            "May be chosen": "the image, the machine type (`--type`)",
            "You may use it": "yes",
            "Price": "about 0.0208 USD an hour; disks and traffic not counted",
            "Not used": "for 4h, its owner is told, and 1h later it is stopped",
            "Without Slipway": "a timer in the machine ends it when its whole life does",
        }.items() <= small.items()
        assert small["Template fixes"].startswith("security groups sg-")
        arm = await whole(bot, "arm")
        assert (arm["You may use it"], arm["Who may"]) == ("no; ask one of those who may", "Admin (admin)")
        assert arm["Approval"] == "1 for each launch"
        cloudy = await whole(bot, "cloudy", "bob")
        assert cloudy["Template"].startswith("described in slipway.toml, cloudy (")
        assert cloudy["Regions"] == "westeurope where nobody says, or eastus (`--region`)"
        assert "subnet machines-westeurope/default" in cloudy["Template fixes"]
        assert cloudy["Without Slipway"] == "nothing ends it: there is no backstop"
        assert cloudy["Price"].startswith("unknown;")
        (unknown,) = await bot.say("alice", "!profile clody")
        assert "There is no profile clody." in unknown.text
        assert any("`!profiles cloudy`" in note for note in unknown.card.notes)


async def test_a_policy_that_asks_for_approvals_is_told_with_each_profile(started: Started) -> None:
    changes = {"profiles": {"small": {"regions": ["us-east-1"]}}, "policy": {"launch": {"approvals": 2}}}
    async with started(changes) as bot:
        (shown,) = await bot.say("alice", "!profiles")
        assert rows(shown)["small"][1].endswith("; 2 approvals")
        assert facts(shown) == {"Left for you": "no limit is set"}
        assert (await whole(bot, "small"))["Approval"] == "2 for each launch"
