"""Channels that are archived, deleted or left: what the adapter tells of them, and what it answers then."""

from __future__ import annotations

import pytest

from slipway.bot.chat.slack.manifest import CHANNEL_EVENTS
from slipway.bot.chat.slack.probe import probe
from slipway.bot.core.errors import ChatError
from tests.slack.harness import AdapterHarness, slack_settings
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import ALICE, IMAGES, RELEASE


async def _why(adapter: AdapterHarness, room: str) -> str:
    """Why a room is gone, once everything that was told of it has been heard."""
    await adapter.sim.settled()
    assert set(adapter.changed_rooms) == {room}
    adapter.changed_rooms.clear()
    return await adapter.chat.why_gone(room) or ""


async def test_an_archived_channel_is_gone_until_it_is_back_with_the_bot(over_socket: AdapterHarness) -> None:
    sim = over_socket.sim
    assert await over_socket.chat.why_gone(IMAGES) is None
    await sim.archive(IMAGES, without_bot=True)
    assert await _why(over_socket, IMAGES) == "The channel C0IMAGES0 is archived."
    await sim.unarchive(IMAGES)
    assert "I am not in the channel C0IMAGES0 any more; type `/invite @slipway`" in await _why(
        over_socket, IMAGES
    )
    await sim.invite_bot(IMAGES)
    assert not await _why(over_socket, IMAGES)


async def test_a_private_channel_that_the_bot_was_put_out_of_looks_like_one_that_was_deleted(
    over_socket: AdapterHarness,
) -> None:
    await over_socket.sim.remove_bot(RELEASE)
    assert "was deleted, or I am not in it any more" in await _why(over_socket, RELEASE)


async def test_a_deleted_channel_is_gone(over_socket: AdapterHarness) -> None:
    await over_socket.sim.delete_channel(IMAGES)
    assert "was deleted" in await _why(over_socket, IMAGES)


@pytest.mark.parametrize("kind", CHANNEL_EVENTS)
async def test_each_event_is_a_hint_and_no_more(over_socket: AdapterHarness, kind: str) -> None:
    await over_socket.sim.event({"type": kind, "channel": IMAGES}, kind)
    assert not await _why(over_socket, IMAGES)
    assert over_socket.events == []


async def test_other_peoples_comings_and_goings_and_nonsense_change_nothing(
    over_socket: AdapterHarness,
) -> None:
    sim = over_socket.sim
    for kind in ("member_left_channel", "member_joined_channel"):
        await sim.event({"type": kind, "channel": IMAGES, "user": ALICE}, kind)
    for channel in (7, {"id": IMAGES}, "images", None):
        await sim.event({"type": "channel_archive", "channel": channel}, "channel_archive")
    await sim.settled()
    assert over_socket.changed_rooms == []


async def test_what_slack_does_not_say_is_no_reason(over_socket: AdapterHarness) -> None:
    over_socket.sim.faults.server_error("conversations.info")
    with pytest.raises(ChatError) as failed:
        await over_socket.chat.why_gone(IMAGES)
    assert failed.value.passing
    over_socket.sim.lose_scope("channels:read")
    with pytest.raises(ChatError, match="channels:read"):
        await over_socket.chat.why_gone(IMAGES)
    assert await over_socket.chat.why_gone(ALICE) is None  # a direct conversation, which is never gone


async def test_the_doctor_names_an_archived_channel(sim: SimulatedSlack) -> None:
    await sim.archive(IMAGES)
    assert "The channel C0IMAGES0 is archived." in (await probe(slack_settings(sim))).problems
