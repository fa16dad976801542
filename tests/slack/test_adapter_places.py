"""Where in Slack something is said or pressed, by whom, and what that changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from slipway.bot.chat.model import Assurance, Choice, MessageEvent
from slipway.bot.chat.slack.sending.ephemeral import Spot
from slipway.bot.chat.slack.interactions.values import LAUNCH, SHOW_OPERATION
from slipway.bot.core.errors import ChatError
from tests.slack.cards_kit import LONG, PROPOSED
from tests.slack.ears_kit import Ear, listening, make_chat
from tests.slack.simulator import Message, Signature, SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, IMAGES
from tests.support.clock import FakeClock


@pytest.fixture
async def ear(sim: SimulatedSlack) -> AsyncIterator[Ear]:
    async with listening(sim) as running:
        yield running


async def _card(ear: Ear, room: str = IMAGES) -> Message:
    ts = await ear.chat.send(room, PROPOSED, thread=None, key=room)
    return await ear.sim.message(room, lambda message: message.ts == ts)


class TestChannels:
    async def test_where_only_questions_are_answered_no_press_command_or_form_changes_anything(
        self, ear: Ear
    ) -> None:
        bob = ear.sim.person("bob")
        await (await bob.press(await _card(ear, "C0RELEASE"), "Approve")).acked()
        await (await bob.command("/slipway", "promote x", channel="release")).acked()
        (press,) = ear.presses
        (heard,) = (event for event in ear.heard if isinstance(event, MessageEvent))
        assert press.assurance is heard.assurance is Assurance.REFUSED
        await (await bob.press(await _card(ear), "Approve")).acked()
        assert ear.presses[-1].assurance is Assurance.FULL

    async def test_a_slash_command_is_its_typers_with_their_workspace(self, ear: Ear) -> None:
        await (await ear.sim.person("eve").command("/slipway", "whoami", channel="shared")).acked()
        assert [event.speaker for event in ear.heard] == ["U0EVE0000/T0PARTNER"]

    async def test_a_shortcut_where_the_bot_is_not_is_told_to_invite_it(self, ear: Ear) -> None:
        alice = ear.sim.person("alice")
        named = await alice.post("lounge", "look at op-7k3f")
        await (await alice.message_shortcut(SHOW_OPERATION, named)).acked()
        (heard,) = ear.heard
        with pytest.raises(ChatError):
            await ear.chat.send(heard.room.id, PROPOSED, thread=None, key=f"hear:slack:{heard.event_id}")
        assert "/invite @slipway" in (await alice.ephemeral()).text


class TestHome:
    async def test_details_and_rejections_asked_for_there_are_answered_directly(self, ear: Ear) -> None:
        ear.home.append(PROPOSED)
        alice = ear.sim.person("alice")
        await alice.open_home()
        home = await alice.home_tab()
        await (await alice.press_in(home, "Details")).acked()
        heard = ear.heard[-1]
        assert isinstance(heard, MessageEvent)
        assert (heard.text, heard.room.id, heard.thread) == ("op op-7k3f", ALICE, None)
        await (await alice.press_in(home, "Reject")).acked()
        await alice.submit(await alice.modal(), {"reason": "no"})
        press = ear.presses[-1]
        assert (press.choice, press.room.id, press.assurance) == (Choice.REJECT, ALICE, Assurance.FULL)

    async def test_the_messages_tab_is_no_reason_to_show_it(self, ear: Ear) -> None:
        opened: dict[str, object] = {
            "type": "app_home_opened",
            "user": ALICE,
            "channel": "D0DIRECT0",
            "tab": "messages",
        }
        await ear.sim.event(opened, "app_home_opened")
        await ear.sim.settled()
        assert ear.sim.calls("views.publish") == []


class TestStrangers:
    async def test_they_are_offered_no_form(self, ear: Ear) -> None:
        dave = ear.sim.person("dave")
        await (await dave.shortcut(LAUNCH)).acked()
        assert "`slack:U0DAVE000`" in (await dave.ephemeral()).text
        assert dave.modals == []

    async def test_a_form_that_could_not_be_shown_is_told(self, ear: Ear) -> None:
        ear.sim.faults.refuse("views.open", "internal_error")
        alice = ear.sim.person("alice")
        await (await alice.shortcut(LAUNCH)).acked()
        direct = ear.sim.core.open_direct(alice.id)
        assert "/slipway launch IMAGE" in (await ear.sim.message(direct.id)).text


class TestHealth:
    @pytest.mark.parametrize("over_http", [False, True], ids=["socket", "http"])
    async def test_it_tells_the_age_of_the_last_envelope(self, sim: SimulatedSlack, over_http: bool) -> None:
        clock = FakeClock()
        async with listening(sim, over_http=over_http, clock=clock) as ear:
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            clock.advance(timedelta(minutes=5))
            assert ear.chat.health().last_heard_from == timedelta(minutes=5)
            assert "5m ago" in ear.chat.health().detail
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            assert ear.chat.health().last_heard_from == timedelta()

    async def test_what_others_send_is_no_sign_of_slack(self, sim: SimulatedSlack) -> None:
        clock = FakeClock()
        async with listening(sim, over_http=True, clock=clock) as ear:
            clock.advance(timedelta(minutes=5))
            sim.forge(Signature.WRONG)
            said = await sim.person("alice").post("images", "hello")
            assert await said.deliveries[0].responded() == 401
            assert ear.chat.health().last_heard_from == timedelta(minutes=5)


class TestCalls:
    @pytest.mark.parametrize(("asked", "waited"), [(60, True), (61, False)])
    async def test_five_waits_of_a_minute_are_borne_and_no_longer_ones(
        self, ear: Ear, asked: int, waited: bool
    ) -> None:
        ear.sim.faults.rate_limit("chat.postMessage", times=5, retry_after=asked)
        if waited:
            await _card(ear)
            assert ear.waits == [60.0] * 5
            return
        with pytest.raises(ChatError) as caught:
            await _card(ear)
        assert caught.value.retry_after == 61
        assert ear.waits == []

    async def test_links_in_messages_unfold_nothing(self, ear: Ear) -> None:
        await _card(ear)
        (call,) = ear.sim.calls("chat.postMessage")
        assert not {"1", "true", True} & {
            str(call.args.get(name)) for name in ("unfurl_links", "unfurl_media")
        }

    async def test_the_whole_of_what_an_edit_had_to_cut_is_attached(self, sim: SimulatedSlack) -> None:
        chat = make_chat(sim)
        ts = await chat.send(IMAGES, PROPOSED, thread=None, key="k")
        await chat.edit(IMAGES, ts, LONG, thread=None, key="e")
        await chat.close()
        (file,) = sim.world.files.values()
        assert b"Fedora-Cloud-399-x64" in (file.content or b"")

    async def test_a_long_sentence_still_reaches_whom_it_is_for(self, ear: Ear) -> None:
        await ear.chat._aside.whisper(IMAGES, BOB, "ш" * 5000, Spot())
        assert "шшш" in (await ear.sim.person("bob").ephemeral()).text
