"""Where in Slack something is said or pressed, by whom, and what that changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from slipway.bot.chat.model import Assurance, Choice, MessageEvent
from slipway.bot.chat.slack.interactions.action_values import SHOW_OPERATION_SHORTCUT
from slipway.bot.chat.slack.sending.ephemeral import ReplyContext
from slipway.bot.core.errors import ChatError
from tests.slack.builders import LAUNCH, LONG, PROPOSED
from tests.slack.harness import AdapterHarness, build_adapter, running_adapter
from tests.slack.simulator import Message, Signature, SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, IMAGES
from tests.support.clock import FakeClock


@pytest.fixture
async def adapter(sim: SimulatedSlack) -> AsyncIterator[AdapterHarness]:
    async with running_adapter(sim) as running:
        yield running


async def _card(adapter: AdapterHarness, room: str = IMAGES) -> Message:
    ts = await adapter.chat.send(room, PROPOSED, thread=None, key=room)
    return await adapter.sim.message(room, lambda message: message.ts == ts)


class TestChannels:
    async def test_where_only_questions_are_answered_no_press_command_or_form_changes_anything(
        self, adapter: AdapterHarness
    ) -> None:
        bob = adapter.sim.person("bob")
        await (await bob.press(await _card(adapter, "C0RELEASE"), "Approve")).acked()
        await (await bob.command("/slipway", "promote x", channel="release")).acked()
        (press,) = adapter.button_events
        (received,) = (event for event in adapter.events if isinstance(event, MessageEvent))
        assert press.assurance is received.assurance is Assurance.REFUSED
        await (await bob.press(await _card(adapter), "Approve")).acked()
        assert adapter.button_events[-1].assurance is Assurance.FULL

    async def test_a_slash_command_is_its_typers_with_their_workspace(self, adapter: AdapterHarness) -> None:
        await (await adapter.sim.person("eve").command("/slipway", "whoami", channel="shared")).acked()
        assert [event.sender for event in adapter.events] == ["U0EVE0000/T0PARTNER"]

    async def test_a_shortcut_where_the_bot_is_not_is_told_to_invite_it(
        self, adapter: AdapterHarness
    ) -> None:
        alice = adapter.sim.person("alice")
        named = await alice.post("lounge", "look at op-7k3f")
        await (await alice.message_shortcut(SHOW_OPERATION_SHORTCUT, named)).acked()
        (received,) = adapter.events
        with pytest.raises(ChatError):
            await adapter.chat.send(
                received.room.id, PROPOSED, thread=None, key=f"hear:slack:{received.event_id}"
            )
        assert "/invite @slipway" in (await alice.ephemeral()).text


class TestHome:
    async def test_details_and_rejections_asked_for_there_are_answered_directly(
        self, adapter: AdapterHarness
    ) -> None:
        adapter.home_cards.append(PROPOSED)
        alice = adapter.sim.person("alice")
        await alice.open_home()
        home = await alice.home_tab()
        await (await alice.press_in(home, "Details")).acked()
        received = adapter.events[-1]
        assert isinstance(received, MessageEvent)
        assert (received.text, received.room.id, received.thread) == ("op op-7k3f", ALICE, None)
        await (await alice.press_in(home, "Reject")).acked()
        await alice.submit(await alice.modal(), {"reason": "no"})
        press = adapter.button_events[-1]
        assert (press.choice, press.room.id, press.assurance) == (Choice.REJECT, ALICE, Assurance.FULL)

    async def test_the_messages_tab_is_no_reason_to_show_it(self, adapter: AdapterHarness) -> None:
        opened: dict[str, object] = {
            "type": "app_home_opened",
            "user": ALICE,
            "channel": "D0DIRECT0",
            "tab": "messages",
        }
        await adapter.sim.event(opened, "app_home_opened")
        await adapter.sim.settled()
        assert adapter.sim.calls("views.publish") == []


class TestStrangers:
    async def test_they_are_offered_no_form(self, adapter: AdapterHarness) -> None:
        dave = adapter.sim.person("dave")
        await (await dave.shortcut(LAUNCH)).acked()
        assert "`slack:U0DAVE000`" in (await dave.ephemeral()).text
        assert dave.modals == []

    async def test_a_form_that_could_not_be_shown_is_told(self, adapter: AdapterHarness) -> None:
        adapter.sim.faults.refuse("views.open", "internal_error")
        alice = adapter.sim.person("alice")
        await (await alice.shortcut(LAUNCH)).acked()
        direct = adapter.sim.core.open_direct(alice.id)
        assert "/slipway launch IMAGE" in (await adapter.sim.message(direct.id)).text


class TestHealth:
    @pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
    async def test_it_tells_the_age_of_the_last_envelope(self, sim: SimulatedSlack, over_http: bool) -> None:
        clock = FakeClock()
        async with running_adapter(sim, over_http=over_http, clock=clock) as adapter:
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            clock.advance(timedelta(minutes=5))
            assert adapter.chat.health().last_heard_from == timedelta(minutes=5)
            assert "5m ago" in adapter.chat.health().detail
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            assert adapter.chat.health().last_heard_from == timedelta()

    async def test_what_others_send_is_no_sign_of_slack(self, sim: SimulatedSlack) -> None:
        clock = FakeClock()
        async with running_adapter(sim, over_http=True, clock=clock) as adapter:
            clock.advance(timedelta(minutes=5))
            sim.forge(Signature.WRONG)
            said = await sim.person("alice").post("images", "hello")
            assert await said.deliveries[0].responded() == 401
            assert adapter.chat.health().last_heard_from == timedelta(minutes=5)


class TestCalls:
    @pytest.mark.parametrize(("asked", "waited"), [(60, True), (61, False)])
    async def test_five_waits_of_a_minute_are_borne_and_no_longer_ones(
        self, adapter: AdapterHarness, asked: int, waited: bool
    ) -> None:
        adapter.sim.faults.rate_limit("chat.postMessage", times=5, retry_after=asked)
        if waited:
            await _card(adapter)
            assert adapter.sleeps == [60.0] * 5
            return
        with pytest.raises(ChatError) as caught:
            await _card(adapter)
        assert caught.value.retry_after == 61
        assert adapter.sleeps == []

    async def test_links_in_messages_unfold_nothing(self, adapter: AdapterHarness) -> None:
        await _card(adapter)
        (call,) = adapter.sim.calls("chat.postMessage")
        assert not {"1", "true", True} & {
            str(call.args.get(name)) for name in ("unfurl_links", "unfurl_media")
        }

    async def test_the_whole_of_what_an_edit_had_to_cut_is_attached(self, sim: SimulatedSlack) -> None:
        chat = build_adapter(sim)
        ts = await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        await chat.edit(IMAGES, ts, LONG, thread=None, key="e")
        await chat.close()
        (file,) = sim.world.files.values()
        assert b"Fedora-Cloud-399-x64" in (file.content or b"")

    async def test_a_long_sentence_still_reaches_whom_it_is_for(self, adapter: AdapterHarness) -> None:
        await adapter.chat._ephemeral.send_text(IMAGES, BOB, "ш" * 5000, ReplyContext())
        assert "шшш" in (await adapter.sim.person("bob").ephemeral()).text
