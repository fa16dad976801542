"""What a room hears of what others change in a gallery."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.activity import PORTAL, Caller
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.describe import describe
from slipway.bot.core.errors import ConfigError
from tests.support.azure import CANDIDATE, LATEST, X64
from tests.support.clock import FakeClock
from tests.support.configuration import DECLARED, settings_of, valid_document
from tests.support.harness import BotHarness, audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage


async def half_an_hour(bot: BotHarness) -> None:
    bot.clock.advance(timedelta(minutes=30))
    await bot.running.upkeep.sweep()
    await bot.running.idle()


async def a_minute(bot: BotHarness) -> None:
    bot.clock.advance(timedelta(minutes=1))
    await bot.running.upkeep.sweep()
    await bot.running.idle()


def notices(bot: BotHarness) -> list[PostedMessage]:
    """What was told of changes by others, as it stands now."""
    return [each for each in bot.messages if "no operation of Slipway's" in each.cards[0].title]


def flag(azure: SimulatedAzure, *, excluded: bool) -> None:
    """Somebody else changes the flag of what is latest."""
    change = {"properties": {"publishingProfile": {"excludeFromLatest": excluded}}}
    azure.patch_by(Caller("dan@example.org", PORTAL), X64, LATEST, change)


async def test_what_others_change_is_told_once_over_a_restart_and_adopted_or_undone(tmp_path: Path) -> None:
    clock, chat = FakeClock(), MemoryChat()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    await azure.start()
    more: dict[str, Any] = {"azure": azure, "clock": clock, "chat": chat}
    more["changes"] = {"watching": {}, "commands": {"room": "console:console"}}
    image = f"{X64}/{LATEST}"
    async with running_bot(tmp_path / "state", **more) as bot:
        await half_an_hour(bot)
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await half_an_hour(bot)
        assert notices(bot) == []  # the first look learns, and what was approved is ours
        (none,) = await bot.say("alice", f"!adopt {image} it is right")
        assert "There is nothing to adopt" in none.text
        flag(azure, excluded=True)
    async with running_bot(tmp_path / "state", **more) as bot:
        await half_an_hour(bot)
        await half_an_hour(bot)
        (told,) = notices(bot)
        assert told.text.count(f"{LATEST} was taken back from latest in ") == 1
        assert " by dan@example.org, through the portal, at 13:00 UTC." in told.text
        assert [each.label for each in told.cards[-1].shortcuts] == ["Adopt", "Promote again"]
        (listed,) = await bot.say("carol", "!problems")
        assert f"{image} changed, and no operation of Slipway's did it." in listed.text
        adopt = told.cards[-1].shortcuts[0].command
        (slip,) = await bot.say("alice", f"!adopt {X64.replace('43', '34')} it was broken")
        assert image in slip.text
        said = await bot.say("alice", f"!{adopt}")
        assert "adopt: done" in said[0].text
        before, cards = len(bot.messages), len(told.cards)
        await a_minute(bot)
        assert (len(bot.messages), len(told.cards)) == (before, cards + 1)
        assert told.card.title == f"{image} changed outside of Slipway, and Alice adopted that"
        assert "Alice adopted that on " in told.text
        assert not told.card.shortcuts
        (listed,) = await bot.say("carol", "!problems")
        assert image not in listed.text
        (shown,) = await bot.say("carol", f"!images {image}")
        assert "adopt a change made outside of Slipway" in shown.text
        assert "it was taken back from latest in" in shown.text
        (again,) = await bot.say("bob", f"!{adopt}")
        assert "was adopted by Alice on" in again.text
        entries = [entry for entry in await audit_trail(bot) if entry["actor"] == "alice"]
        assert any("outside of Slipway" in str(entry) for entry in entries)

        flag(azure, excluded=False)
        await half_an_hour(bot)
        *_, second = notices(bot)
        first, roll_back = second.card.shortcuts
        card, _ = await propose(bot, f"!{roll_back.command}")  # a proposal as any
        await bot.press("bob", Choice.APPROVE, card)
        await a_minute(bot)
        assert second.card.title.endswith("and nothing of that is open any more")
        assert not second.card.shortcuts
        (late,) = await bot.say("alice", f"!{first.command}")
        assert "is not so any more" in late.text
        assert bot.excluded(X64, LATEST)
        assert not bot.excluded(X64, CANDIDATE)

        flag(azure, excluded=False)
        await half_an_hour(bot)
        flag(azure, excluded=True)
        (changed,) = await bot.say("alice", f"!adopt {image} it is right")
        assert f"{LATEST} of {X64} was promoted in" in changed.text
        assert "and changed again since: now it is there, and promoted nowhere." in changed.text
        assert len(notices(bot)) == 3
    await azure.stop()


@pytest.mark.parametrize("every", ["1m", "2h"])
def test_how_often_it_looks_has_bounds(every: str) -> None:
    with pytest.raises(ConfigError, match=r"watching\.every: from 5m to 1h"):
        settings_of({**valid_document(), "watching": {"every": every}})


def test_check_says_how_often_and_where() -> None:
    lines = describe(settings_of({**valid_document(), "watching": {}}), DECLARED.spec)
    (line,) = [each for each in lines if "what others change" in each]
    assert line.startswith("what others change of versions: looked for every 30m, ")
