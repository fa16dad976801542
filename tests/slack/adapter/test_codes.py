"""Approvals in Slack that take a code of the approver's authenticator app: a window asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.slack.interactions.action_values import CODE_CALLBACK
from slipway.bot.core.totp import PERIOD
from tests.slack.simulator import Message, Outcome, SimulatedSlack
from tests.slack.simulator.core import View
from tests.slack.whole_bot import PEOPLE, SlackBot, slack_bot
from tests.support.azure import ARM, CANDIDATE, X64
from tests.support.clock import FakeClock
from tests.support.codes import Apps


@dataclass
class Slack:
    """A workspace, the bot in it, and the people's apps."""

    sim: SimulatedSlack
    bot: SlackBot
    apps: Apps
    clock: FakeClock

    async def proposal(self, definition: str = X64) -> Message:
        await self.sim.person("alice").post("images", f"!promote {definition}")
        return await self.bot.wait_for_message("images", "waits for 1 approval", definition)

    async def window(self, card: Message, who: str = "bob") -> View:
        """What a press opens."""
        person = self.sim.person(who)
        await (await person.press(card, "Approve")).acked()
        return await person.modal(CODE_CALLBACK)


@asynccontextmanager
async def slack_with_codes(folder: Path, *, over_http: bool = False) -> AsyncIterator[Slack]:
    """At its end, no code stands in a message or a file of the bot's."""
    clock = FakeClock()
    apps = Apps(folder / "secrets", clock)
    changes = apps.changes(
        "promote", identities={name: f"slack:{account}" for name, account in PEOPLE.items()}
    )
    changes["policy"]["promote"] |= {"approvals": 1, "role": "releng"}
    async with (
        SimulatedSlack(clock=clock) as sim,
        slack_bot(folder / "state", sim, clock=clock, changes=changes, over_http=over_http) as bot,
    ):
        yield Slack(sim, bot, apps, clock)
        await bot.settled()
        said = " ".join(message.all_text for message in sim.from_bot("images"))
        assert not [code for code in apps.shown if code in said]
    files = [each for each in (folder / "state").rglob("*") if each.is_file()]
    held = await asyncio.to_thread(lambda: b"".join(each.read_bytes() for each in files))
    assert not [code for code in apps.shown if code.encode() in held]


async def test_a_press_opens_a_window_and_counts_once_its_code_was_right(tmp_path: Path) -> None:
    async with slack_with_codes(tmp_path) as slack:
        card = await slack.proposal()
        before = len(slack.sim.from_bot("images"))
        window = await slack.window(card)
        assert X64 in str(window.blocks)
        bob = slack.sim.person("bob")
        for typed, told in (
            ("12345", "six digits"),
            ("000000", "is not right"),
            (slack.apps.code("alice"), "is not right"),
            (slack.apps.code(steps=9), "is not right"),
        ):
            submitted = await bob.submit(window, {"code": typed})
            assert submitted.outcome is Outcome.ERRORS
            assert told in submitted.errors["code"]
        await slack.bot.settled()
        assert len(slack.sim.from_bot("images")) == before, "nobody else hears of it"
        assert slack.bot.excluded(X64, CANDIDATE) is True
        assert (await bob.submit(window, {"code": slack.apps.code()})).outcome is Outcome.CLOSED
        await slack.bot.settled()
        assert slack.bot.excluded(X64, CANDIDATE) is False
        assert "Bob approved with a code" in card.all_text


async def test_a_window_counts_for_its_operation_its_person_and_its_time(tmp_path: Path) -> None:
    async with slack_with_codes(tmp_path, over_http=True) as slack:
        bob, alice = slack.sim.person("bob"), slack.sim.person("alice")
        first = await slack.proposal()
        old = await slack.window(first)
        slack.clock.advance(timedelta(minutes=6))
        late = await bob.submit(old, {"code": slack.apps.code()})
        assert "or no longer" in late.errors["code"]
        await bob.close(old)
        slack.clock.advance(PERIOD)
        window = await slack.window(first)
        # The same window sent by somebody else, who was asked for nothing.
        other_s = await alice.submit(window, {"code": slack.apps.code("alice")})
        assert "or no longer" in other_s.errors["code"]
        # And with another operation put into it, whose approval nobody pressed.
        second = await slack.proposal(ARM)
        operation = slack.bot.running.operations
        other = next(
            each for each in await operation.open_ones() if each.id not in window.body["private_metadata"]
        )
        mine = next(
            each for each in await operation.open_ones() if each.id in window.body["private_metadata"]
        )
        window.body["private_metadata"] = window.body["private_metadata"].replace(mine.id, other.id)
        forged = await bob.submit(window, {"code": slack.apps.code()})
        assert "or no longer" in forged.errors["code"]
        await slack.bot.settled()
        for card in (first, second):
            assert "waits for 1 approval" in card.all_text


async def test_a_typed_approval_is_shown_the_button_that_asks_for_the_code(tmp_path: Path) -> None:
    async with slack_with_codes(tmp_path) as slack:
        await slack.proposal()
        bob = slack.sim.person("bob")
        (operation,) = await slack.bot.running.operations.open_ones()
        await (await bob.command("/slipway", f"approve {operation.id}")).acked()
        asked = await bob.ephemeral(lambda message: "your approval takes a code" in message.all_text)
        window = await slack.window(asked)
        await bob.submit(window, {"code": slack.apps.code()})
        await slack.bot.settled()
        assert slack.bot.excluded(X64, CANDIDATE) is False
        # One that is typed where others see it is used up.
        slack.clock.advance(PERIOD)
        await slack.proposal(ARM)
        (operation,) = await slack.bot.running.operations.open_ones()
        code = slack.apps.code()
        await bob.post("images", f"!approve {operation.id} {code}")
        await bob.ephemeral(lambda message: "does not belong where others can read it" in message.all_text)
        await slack.bot.settled()
        assert slack.bot.excluded(ARM, CANDIDATE) is not False
