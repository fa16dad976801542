"""A lock that is waited for, an approval that takes a code, and an emergency with its alarm and its review.

By a bot of its own, as these are not set up in the rest of the story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.model import Address, Choice
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.clouds.simulated.faults import FaultKind
from tests.slack.adapter.story.scenario import Scenario, name_of
from tests.slack.simulator.seed import ALICE, BOB, CAROL, DAVE, IMAGES
from tests.support.azure import ARM, X64
from tests.support.clock import FakeClock
from tests.support.codes import Apps
from tests.support.harness import BotHarness, inject_fault, running_bot
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import impatient

SLACK_ACCOUNTS = {name: f"slack:{account}" for name, account in {"alice": ALICE, "bob": BOB}.items()} | {
    "carol": f"slack:{CAROL}",
    "dave": f"slack:{DAVE}",
}
WRONG = "000000"


@dataclass
class WindowChat(MemoryChat):
    """One whose buttons open windows for codes, as Slack's do."""

    asks_for_codes: bool = True


async def story(state: Path, secrets: Path) -> Scenario:
    """What is said, with what differs between runs."""
    clock = FakeClock()
    apps = Apps(secrets, clock)
    changes = apps.changes("promote", identities=SLACK_ACCOUNTS) | {
        "console": {"enabled": False},
        "slack": {"channels": [IMAGES], "bot_token_file": "bot-token", "app_token_file": "app-token"},
        "emergency": {"people": ["alice"], "kinds": ["rollback"]},
    }
    async with running_bot(
        state, chat=WindowChat(SLACK), clock=clock, changes=changes, sleep=impatient
    ) as bot:
        scenario = Scenario(bot)
        await lock(scenario)
        await code(scenario, apps)
        await emergency(scenario)
        await scenario.note_names()
    return scenario


async def lock(scenario: Scenario) -> None:
    """Two operations on one definition: the second waits, and `!locks` says for whom."""
    bot = scenario.bot
    first = await scenario.ask(ALICE, f"!rollback {ARM}")
    second = await scenario.ask(ALICE, f"!cleanup {ARM}")
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
    await bot.press(BOB, Choice.APPROVE, first, wait=False)
    await held.reached.wait()
    bot.clock.advance(timedelta(minutes=5))
    await bot.press(BOB, Choice.APPROVE, second, wait=False)
    await bot.until(lambda: f"waits for {name_of(first)}" in second.text)
    await scenario.keep("lock-waited-for", second)
    await bot.say(CAROL, "!locks", room=IMAGES, wait=False)
    await bot.until(lambda: "lock" in bot.messages[-1].card.title)
    await scenario.keep("locks", bot.messages[-1])
    held.release()
    await bot.running.idle()


async def code(scenario: Scenario, apps: Apps) -> None:
    """An approval that takes a code: asked for, wrong, and right."""
    bot = scenario.bot
    card = await scenario.answer("code-needed-proposed", ALICE, f"!promote {X64}")
    await bot.press(BOB, Choice.APPROVE, card)
    await scenario.keep("code-asked", bot.messages[-1])
    await give(bot, WRONG)
    await scenario.keep("code-wrong", bot.messages[-1])
    await give(bot, apps.code())
    await scenario.ended("code-done", card)


async def give(bot: BotHarness, what: str) -> None:
    """Bob says something to the bot alone."""
    await bot.say(BOB, what, room=f"direct:{BOB}", address=Address.DIRECT)


async def emergency(scenario: Scenario) -> None:
    """An emergency: what everybody is told, how it stands in the list, and what somebody else says of it."""
    bot = scenario.bot
    card = await scenario.ask(ALICE, f"!rollback {X64} --emergency the mirror serves a broken image")
    (alarm,) = [each for each in bot.messages if each.card.title.startswith("Emergency: ")]
    await scenario.keep("emergency-alarm", alarm)
    await scenario.ended("emergency-done", card)
    await scenario.answer("emergency-refused", BOB, f"!rollback {ARM} --emergency it cannot wait")
    await scenario.answer("emergencies", CAROL, "!emergencies")
    line = f"!emergency review {name_of(card)} justified users could not boot"
    await scenario.ended("emergency-review-done", await scenario.ask(BOB, line))
    await scenario.answer("emergencies-reviewed", CAROL, "!emergencies")
