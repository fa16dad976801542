"""Two replicas on one Slack: an event has one effect, whichever hears it, and nobody misses an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from tests.replicas.test_two_replicas import TIMING, until
from tests.slack.harness import address_of
from tests.slack.simulator import Message, SimulatedSlack
from tests.slack.simulator.seed import ALICE, CAROL, IMAGES, LOUNGE, RELEASE_TEAM
from tests.slack.whole_bot import SlackBot, slack_bot
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import FakeClock
from tests.support.processes.postgres import Postgres

GROUPS = {"roles": {"admin": {"may": ["*"], "slack_groups": [RELEASE_TEAM]}}}


@asynccontextmanager
async def slack_pair(
    folder: Path, postgres: Postgres, *, over_http: bool
) -> AsyncIterator[tuple[SimulatedSlack, SlackBot]]:
    """Slack, and the leader; by HTTP, the follower gets what Slack sends."""
    clock = FakeClock()
    changes = {"database": {"url": await asyncio.to_thread(postgres.new)}, **GROUPS}
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    await azure.start()
    try:
        bot = partial(
            slack_bot, clock=clock, changes=changes, azure=azure, over_http=over_http, timing=TIMING
        )
        async with (
            SimulatedSlack(clock=clock) as sim,
            bot(folder / "a", sim) as leader,
            bot(folder / "b", sim),
        ):
            yield sim, leader
    finally:
        await azure.stop()


@pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
async def test_what_slack_gives_to_either_or_both_has_one_effect(
    tmp_path: Path, postgres: Postgres, over_http: bool
) -> None:
    async with slack_pair(tmp_path, postgres, over_http=over_http) as (sim, leader):
        alice, bob = sim.person("alice"), sim.person("bob")
        for _ in range(4):  # by sockets, each goes to any of either's
            await alice.post("images", "!help")
        await alice.post("images", f"!promote {X64}")
        await until(lambda: len(sim.from_bot("images")) == 5)
        card = await leader.wait_for_message("images", "waits for 1 approval")
        await (await bob.press(card, "Approve")).acked()
        await leader.wait_for_message("images", "promote: done", "Ended")
        said = len(sim.from_bot("images"))
        if over_http:  # what was given to the follower is given to the leader, too
            await sim.deliver_over_http(await address_of(leader.chat))
        for delivery in sim.deliveries:
            await (await sim.again(delivery)).acked()
        await leader.settled()
        await alice.post("images", "!pending")
        await until(lambda: len(sim.from_bot("images")) > said)
        await leader.settled()
        assert len(sim.from_bot("images")) == said + 1
        assert leader.excluded(X64, CANDIDATE) is False
        assert len(leader.azure.writes) == 1


async def test_nobody_whom_a_follower_heard_misses_what_slack_lets_only_that_one_say(
    tmp_path: Path, postgres: Postgres
) -> None:
    async with slack_pair(tmp_path, postgres, over_http=True) as (sim, leader):
        alice, carol = sim.person("alice"), sim.person("carol")
        # An answer by the response_url, which the leader never gets.
        await (await alice.command("/slipway", "images", channel=LOUNGE)).acked()
        told = await alice.ephemeral()
        assert f"I am not in the channel {LOUNGE}; type `/invite @slipway` there" in told.all_text
        rows = await _notices(leader)
        assert rows
        assert not any(token in row for token in sim.core.response_urls for row in rows)
        # A refusal is seen where it was pressed, though the card has answers in its thread.
        await alice.post("images", f"!promote {X64}")
        card = await leader.wait_for_message("images", "waits for 1 approval")
        await alice.post("images", "what is that?", thread=card.ts)
        await (await carol.press(card, "Approve")).acked()
        assert (await carol.ephemeral()).thread_ts is None
        # Home, on which it was pressed, shows what came of it.
        bob = sim.person("bob")
        await bob.open_home()
        home = await bob.home_tab(lambda view: "waits for 1 approval" in str(view.blocks))
        await (await bob.press_in(home, "Approve")).acked()
        await bob.home_tab(lambda view: "waits for 1 approval" not in str(view.blocks))
        # Who is in a group, and that a channel is gone, the leader knows at once.
        changed = await sim.set_group(RELEASE_TEAM, [CAROL])
        assert changed is not None
        await changed.acked()
        await until(lambda: "admin" in _roles(leader, CAROL))
        assert "admin" not in _roles(leader, ALICE)
        await alice.post("images", f"!rollback {X64}")
        await leader.wait_for_message("images", "rollback", "waits for 1 approval")
        await sim.archive(IMAGES, without_bot=True)
        await until(lambda: leader.running.rooms._to_ask_about)
        await leader.running.upkeep.sweep()
        await until(lambda: any("is archived" in each.all_text for each in _direct_messages(sim, ALICE)))


def _roles(bot: SlackBot, account: str) -> frozenset[str]:
    person = bot.running.services.people.by_account(bot.chat.platform, account)
    return frozenset() if person is None else frozenset(person.roles)


def _direct_messages(sim: SimulatedSlack, user: str) -> list[Message]:
    channel = sim.world.direct(user)
    return [] if channel is None else channel.living()


async def _notices(bot: SlackBot) -> list[str]:
    async with bot.running.database.reading() as connection:
        return list(
            (await connection.execute(sa.text("SELECT content FROM slipway_replicas.notice"))).scalars()
        )
