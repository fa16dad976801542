"""Alarms in the room, on the simulated gallery."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.faults import FaultKind
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import DAY
from tests.support.configuration import problems_of, put, valid_document
from tests.support.harness import BotHarness, inject_fault, propose, running_bot
from tests.support.memory_chat import PostedMessage

ROOM: dict[str, Any] = {"commands": {"room": "console:console"}}


def watched(**wanted: object) -> dict[str, Any]:
    return ROOM | {"watching": {}, "alarms": {X64: wanted}}


async def look(bot: BotHarness, later: timedelta = timedelta(minutes=31)) -> list[PostedMessage]:
    """Let so much time pass, and the bot look; what it says then."""
    before = len(bot.messages)
    bot.clock.advance(later)
    await bot.running.problems.sweep()
    await bot.running.problems.idle()
    return bot.messages[before:]


async def test_a_candidate_without_evidence_is_told_and_over_once_there_is_some(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=watched(evidence="24h", owner="alice")) as bot:
        (told,) = await look(bot, 2 * DAY)
        image = f"{X64}/{CANDIDATE}"
        assert told.card.title == f"{image} is a candidate, and no evidence has come for it."
        assert told.card.mentions == ("alice",)
        assert told.card.shortcuts[0].command == f"test {image}"
        await bot.say("bob", f"!good {image} boots well")
        assert await look(bot) == []
        assert told.card.title.startswith("Over: ")


@pytest.mark.parametrize("lock_rights", [True, False], ids=["", "though it is not protected"])
async def test_nothing_promoted_for_too_long_is_over_once_something_is(
    tmp_path: Path, lock_rights: bool
) -> None:
    protected = {"promotion": {"*": {"protect": True}}, "azure": {"protection": "lock"}}
    async with running_bot(tmp_path, changes=watched(promoted="3d") | protected) as bot:
        bot.azure.state.conditions = Conditions(lock_rights=lock_rights)
        (told,) = await look(bot, 10 * DAY)
        assert f"Nothing of {X64} has been promoted since" in told.text
        card, _ = await propose(bot, f"!promote {X64}")
        await bot.press("bob", Choice.APPROVE, card)
        assert await look(bot) == []
        assert told.card.title.startswith("Over: ")


async def test_a_gallery_that_cannot_be_listed_closes_nothing(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=watched(evidence="24h")) as bot:
        (told,) = await look(bot, 2 * DAY)
        inject_fault(bot, FaultKind.REFUSE, "GET *", times=None)
        assert await look(bot) == []
        assert "is a candidate" in told.card.title
        blind = await look(bot, timedelta(hours=1))
        assert [each.card.title for each in blind] == ["The gallery of azure cannot be listed."]
        assert not told.card.title.startswith("Over: ")
        bot.azure.faults.clear()
        assert await look(bot) == []
        assert blind[0].card.title == "Over: The gallery of azure cannot be listed."


async def test_what_watches_shares_one_listing(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=watched(latest=True)) as bot:
        await bot.running.idle()
        before = len(bot.azure.requests)
        bot.clock.advance(timedelta(minutes=31))
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        paths = [each.path for each in bot.azure.requests[before:]]
        assert paths
        assert len(paths) == len(set(paths))


def test_odd_settings_are_named() -> None:
    document = put(
        valid_document(), "alarms", {"Fedora-*": {"latest": True}, "Fedora-Cloud-*": {"stuck": "1h"}}
    )
    assert any('[alarms."Fedora-*"] stands before it' in each for each in problems_of(document))
    document = put(valid_document(), "alarms", {"*": {"owner": "role:releng"}})
    assert any("nothing is looked for" in each for each in problems_of(document))
    document = put(valid_document(), "alarms", {"*": {"latest": True, "owner": "role:relegn"}})
    assert any("relegn" in each for each in problems_of(document))
