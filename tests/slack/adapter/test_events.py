"""What the adapter hears in Slack, and what it leaves alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from slipway.bot.chat.model import Address, Assurance, Choice, MessageEvent
from slipway.bot.core.errors import ChatError
from tests.slack.builders import PROPOSED, SLIP
from tests.slack.harness import AdapterHarness, build_adapter, running_adapter
from tests.slack.simulator import Kind, Message, Outcome, Reason, Signature, SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, BOT, IMAGES, RELEASE_TEAM
from tests.support.clock import FakeClock
from tests.support.key_value_store import InMemoryStore


async def _card(adapter: AdapterHarness, *, thread: str | None = None) -> Message:
    ts = await adapter.chat.send(IMAGES, PROPOSED, thread=thread, key="a card")
    return await adapter.sim.message("images", lambda message: message.ts == ts)


async def _pressed(adapter: AdapterHarness, card: Message) -> str:
    """Bob approves; the event's id."""
    await (await adapter.sim.person("bob").press(card, "Approve")).acked()
    return adapter.button_events[-1].event_id


class TestTalk:
    async def test_what_is_said_is_taken_in_before_it_is_acknowledged(self, adapter: AdapterHarness) -> None:
        said = await adapter.sim.person("alice").post("images", "!status")
        await said.deliveries[0].acked()
        (received,) = adapter.events
        assert isinstance(received, MessageEvent)
        assert (received.text, received.room.id, received.sender) == ("!status", IMAGES, ALICE)
        assert received.event_id == said.deliveries[0].payload["event_id"]
        assert (received.address, received.thread, received.assurance) == (Address.ROOM, None, Assurance.FULL)
        assert abs(received.sent_at.timestamp() - float(said.ts)) < 0.001

    async def test_what_could_not_be_taken_in_comes_again(self, adapter: AdapterHarness) -> None:
        adapter.accept_errors.append(OSError("the disk is full"))
        said = await adapter.sim.person("alice").post("images", "!status")
        await adapter.sim.until(lambda: not adapter.accept_errors, "the refusal")
        assert adapter.events == []
        assert not said.deliveries[0].acknowledged
        await adapter.sim.redeliver()
        await said.deliveries[0].acked()
        assert adapter.lines == ["!status"]

    async def test_a_mention_is_taken_off_and_heard_once(self, adapter: AdapterHarness) -> None:
        adapter.sim.world.app.events.add("app_mention")  # no manifest of ours, but somebody may have added it
        said = await adapter.sim.person("alice").post("images", f"<@{BOT}>: status")
        assert len(said.deliveries) == 2  # as a message, and as a mention
        await adapter.sim.settled()
        (received,) = adapter.events
        assert isinstance(received, MessageEvent)
        assert (received.text, received.address) == ("status", Address.MENTION)

    async def test_threads_and_direct_messages_are_told_apart(self, adapter: AdapterHarness) -> None:
        alice = adapter.sim.person("alice")
        root = await alice.post("images", "hello")
        await alice.post("images", "!status", thread=root)
        await alice.post(BOT, "status")
        await adapter.sim.settled()
        _, require_member, direct = (event for event in adapter.events if isinstance(event, MessageEvent))
        assert require_member.thread == root.ts
        assert direct.address is Address.DIRECT

    async def test_bots_edits_and_its_own_messages_cause_nothing(self, adapter: AdapterHarness) -> None:
        alice = adapter.sim.person("alice")
        root = await alice.post("images", "hello")
        await adapter.sim.settled()
        await adapter.sim.bot_says("images", "!status")
        await adapter.sim.bot_says("images", "!status", legacy=True)
        await alice.edit(root, "!status")
        await alice.react(root, "tada")
        await _card(adapter)
        await adapter.sim.settled()  # all of it is acknowledged, so that Slack goes on delivering
        assert adapter.lines == ["hello"]

    async def test_a_reply_that_is_sent_to_the_channel_as_well_is_heard_once_and_in_its_thread(
        self, adapter: AdapterHarness
    ) -> None:
        alice = adapter.sim.person("alice")
        root = await alice.post("images", "hello")
        await alice.post("images", "!approve op-7k3f", thread=root, broadcast=True)
        await adapter.sim.settled()
        assert adapter.lines == ["hello", "!approve op-7k3f"]
        received = adapter.events[-1]
        assert isinstance(received, MessageEvent)
        assert received.thread == root.ts

    async def test_what_is_said_beside_a_file_is_heard(self, over_socket: AdapterHarness) -> None:
        await over_socket.sim.person("alice").post("images", "!status", with_file=True)
        await over_socket.sim.settled()
        assert over_socket.lines == ["!status"]

    async def test_changes_are_asked_for_only_where_the_configuration_says(
        self, over_socket: AdapterHarness
    ) -> None:
        alice = over_socket.sim.person("alice")
        await alice.post("release", "!promote x")
        await alice.post(BOT, "promote x")
        await over_socket.sim.settled()
        elsewhere, direct = (event for event in over_socket.events if isinstance(event, MessageEvent))
        assert elsewhere.assurance is direct.assurance is Assurance.REFUSED
        assert "slack.channels" in elsewhere.doubt
        assert "direct message" in direct.doubt

    async def test_changes_in_direct_messages_can_be_allowed(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, changes_in_direct=True) as adapter:
            await sim.person("alice").post(BOT, "promote x")
            await sim.settled()
            (received,) = adapter.events
            assert isinstance(received, MessageEvent)
            assert received.assurance is Assurance.FULL

    async def test_somebody_of_another_workspace_is_nobody_unless_it_is_believed(
        self, sim: SimulatedSlack
    ) -> None:
        for teams, sender in (((), "U0EVE0000/T0PARTNER"), (("T0PARTNER",), "U0EVE0000")):
            async with running_adapter(sim, teams=teams) as adapter:
                await sim.person("eve").post("shared", "!promote x")
                await sim.settled()
                assert [event.sender for event in adapter.events] == [sender]


class TestSockets:
    @pytest.mark.parametrize("reason", [Reason.WARNING, Reason.REFRESH_REQUESTED, Reason.TOO_MANY_WEBSOCKETS])
    async def test_it_comes_back_when_slack_asks_it_to_leave(
        self, over_socket: AdapterHarness, reason: Reason
    ) -> None:
        before = await over_socket.sim.disconnect(reason)
        said = await over_socket.sim.person("alice").post("images", "!status")
        await over_socket.sim.connected(after=before)
        await said.deliveries[0].acked()
        assert over_socket.lines == ["!status"]

    async def test_it_comes_back_when_the_line_breaks_and_loses_nothing(
        self, over_socket: AdapterHarness
    ) -> None:
        over_socket.sim.sockets.cut_on_send = 1
        before = over_socket.sim.sockets.opened
        said = await over_socket.sim.person("alice").post("images", "!status")
        await over_socket.sim.connected(after=before)
        await over_socket.sim.redeliver()
        await said.deliveries[0].acked()
        assert set(over_socket.lines) == {"!status"}
        ids = {event.event_id for event in over_socket.events}
        assert len(ids) == 1  # however often it came, it is one event

    async def test_a_lost_acknowledgement_gives_the_same_event_again(
        self, over_socket: AdapterHarness
    ) -> None:
        over_socket.sim.sockets.drop_acks = 1
        await over_socket.sim.person("alice").post("images", "!status")
        await over_socket.sim.until(lambda: bool(over_socket.sim.sockets.lost_acks), "a lost acknowledgement")
        await over_socket.sim.redeliver()
        await over_socket.sim.settled()
        assert len({event.event_id for event in over_socket.events}) == 1

    async def test_health_tells_how_long_ago_slack_was_heard(self, sim: SimulatedSlack) -> None:
        clock = FakeClock()
        async with running_adapter(sim, clock=clock) as adapter:
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            assert adapter.chat.health().connected
            assert adapter.chat.health().last_heard_from is not None
            assert "@slipway" in adapter.chat.health().detail
        assert not adapter.chat.health().connected

    async def test_a_token_that_does_not_work_ends_it(self, sim: SimulatedSlack) -> None:
        sim.revoke()
        with pytest.raises(ChatError, match="does not accept the token"):
            async with asyncio.timeout(10):
                await build_adapter(sim).run(_nobody)

    async def test_it_waits_for_a_slack_that_is_down(self, sim: SimulatedSlack) -> None:
        sim.faults.server_error("auth.test", times=2)
        async with running_adapter(sim) as adapter:
            assert len(adapter.sleeps) == 2
            await (await sim.person("alice").post("images", "hello")).deliveries[0].acked()
            assert adapter.chat.health().connected


async def _nobody(event: object) -> bool:
    raise AssertionError(event)


class TestHttp:
    @pytest.mark.parametrize("signature", [Signature.WRONG, Signature.OLD, Signature.MISSING])
    async def test_an_unsigned_request_is_401_and_nothing_more(
        self, sim: SimulatedSlack, signature: Signature
    ) -> None:
        async with running_adapter(sim, over_http=True) as adapter:
            sim.forge(signature)
            said = await sim.person("alice").post("images", "!promote everything")
            assert await said.deliveries[0].responded() == 401
            assert adapter.events == []


class TestButtons:
    async def test_approve_names_what_will_happen_and_is_heard_once(self, adapter: AdapterHarness) -> None:
        card = await _card(adapter)
        (approve, *_) = card.buttons
        assert approve.style == "primary"
        assert approve.confirm is not None
        assert "Promote Fedora" in approve.confirm["text"]["text"]
        pressed = await adapter.sim.person("bob").press(card, "Approve")
        await pressed.acked()
        await adapter.sim.again(pressed)
        await adapter.sim.until(lambda: len(adapter.button_events) == 2, "the press to come twice")
        first, second = adapter.button_events
        assert first.event_id == second.event_id
        assert (first.choice, first.operation_id, first.digest_prefix) == (
            Choice.APPROVE,
            "op-7k3f",
            "abcdef12",
        )
        assert first.assurance is Assurance.FULL

    async def test_reject_asks_for_the_reason(self, adapter: AdapterHarness) -> None:
        bob = adapter.sim.person("bob")
        card = await _card(adapter)
        await (await bob.press(card, "Reject")).acked()
        modal = await bob.modal()
        assert modal.title == "Reject op-7k3f"
        assert adapter.button_events == []
        submitted = await bob.submit(modal, {"reason": "it does not boot"})
        assert submitted.outcome is Outcome.CLOSED
        (press,) = adapter.button_events
        assert (press.choice, press.reason, press.room.id) == (Choice.REJECT, "it does not boot", IMAGES)

    async def test_details_are_shown_in_the_cards_thread(self, over_socket: AdapterHarness) -> None:
        card = await _card(over_socket)
        await (await over_socket.sim.person("bob").press(card, "Details")).acked()
        (received,) = over_socket.events
        assert isinstance(received, MessageEvent)
        assert (received.text, received.thread) == ("op op-7k3f", card.ts)

    @pytest.mark.parametrize(
        "value",
        ["", "op-7k3f", "op-7k3f|xyz", "'; drop table operation; --", "op-7k3f|abcdef12|bob", "x" * 2000],
    )
    @pytest.mark.parametrize("button", ["Approve", "Reject", "Details"])
    async def test_a_forged_value_is_told_and_does_nothing(
        self, over_socket: AdapterHarness, value: str, button: str
    ) -> None:
        bob = over_socket.sim.person("bob")
        await (await bob.press(await _card(over_socket), button, value=value)).acked()
        told = await bob.ephemeral()
        assert "belongs to nothing I know" in told.text
        assert over_socket.events == []
        assert bob.modals == []

    async def test_an_unknown_button_is_told(self, over_socket: AdapterHarness) -> None:
        bob = over_socket.sim.person("bob")
        card = await _card(over_socket)
        shown = card.shown()
        (actions,) = (block for block in shown["blocks"] if block["type"] == "actions")
        actions["elements"][0]["action_id"] = "slipway.of_long_ago"
        await (await bob.press(card, "slipway.of_long_ago", stale=shown)).acked()
        assert "that button any more" in (await bob.ephemeral()).text
        assert over_socket.events == []

    async def test_strangers_are_told_that_they_are_unknown(self, over_socket: AdapterHarness) -> None:
        card = await _card(over_socket)
        dave = over_socket.sim.person("dave")
        await (await dave.press(card, "Approve")).acked()
        assert "`slack:U0DAVE000`" in (await dave.ephemeral()).text
        ts = await over_socket.chat.send("C0SHARED0", PROPOSED, thread=None, key="shared")
        shared = await over_socket.sim.message("shared", lambda message: message.ts == ts)
        eve = over_socket.sim.person("eve")
        await (await eve.press(shared, "Approve")).acked()
        told = (await eve.ephemeral()).text
        assert "of another workspace" in told
        assert over_socket.events == []

    async def test_whoever_presses_is_told_though_slack_takes_no_answer_to_the_press_any_more(
        self, over_socket: AdapterHarness
    ) -> None:
        over_socket.sim.core.response_url_lifetime = timedelta(seconds=-1)  # refused with a 200 that says so
        dave = over_socket.sim.person("dave")
        await (await dave.press(await _card(over_socket), "Approve")).acked()
        assert "I do not know you" in (await dave.ephemeral()).text

    async def test_whoever_presses_in_a_thread_is_told_there(self, over_socket: AdapterHarness) -> None:
        root = await over_socket.sim.person("alice").post("images", "hello")
        dave = over_socket.sim.person("dave")
        await (await dave.press(await _card(over_socket, thread=root.ts), "Approve")).acked()
        assert (await dave.ephemeral()).thread_ts == root.ts

    async def test_whoever_presses_in_the_channel_is_told_there_though_the_card_was_answered(
        self, over_socket: AdapterHarness
    ) -> None:
        card = await _card(over_socket)
        await over_socket.sim.person("alice").post("images", "what is that?", thread=card)
        dave = over_socket.sim.person("dave")
        await (await dave.press(card, "Approve")).acked()
        assert (await dave.ephemeral()).thread_ts is None
        await over_socket.chat.send(  # what the bot itself answers to a press
            IMAGES,
            SLIP.model_copy(update={"private_to": BOB}),
            thread=card.ts,
            key=f"hear:slack:{await _pressed(over_socket, card)}",
        )
        assert (await over_socket.sim.person("bob").ephemeral()).thread_ts is None

    async def test_a_modal_that_comes_too_late_says_how_to_go_on(self, over_socket: AdapterHarness) -> None:
        over_socket.sim.faults.refuse("views.open", "expired_trigger_id")
        bob = over_socket.sim.person("bob")
        await (await bob.press(await _card(over_socket), "Reject")).acked()
        assert "/slipway reject op-7k3f REASON" in (await bob.ephemeral()).text


class TestGroups:
    async def test_memberships_are_learned_and_followed(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, groups=(RELEASE_TEAM,)) as adapter:
            assert adapter.group_members[-1] == {RELEASE_TEAM: {"U0ALICE00", "U0BOB0000"}}
            await sim.set_group(RELEASE_TEAM, [ALICE])
            await sim.until(
                lambda: adapter.group_members[-1] == {RELEASE_TEAM: {ALICE}}, "the new memberships"
            )

    async def test_what_cannot_be_asked_for_now_stays_as_it_was(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, groups=(RELEASE_TEAM,)) as adapter:
            known = len(adapter.group_members)
            sim.faults.server_error("usergroups.users.list")
            await sim.set_group(RELEASE_TEAM, [])
            await sim.until(lambda: len(adapter.group_members) > known, "a look")
            assert adapter.group_members[-1] == {RELEASE_TEAM: {"U0ALICE00", "U0BOB0000"}}
            assert f"who is in the user group {RELEASE_TEAM}" in adapter.chat.health().detail

    async def test_a_disabled_group_gives_no_roles_any_more_nor_after_a_restart(
        self, sim: SimulatedSlack
    ) -> None:
        store = InMemoryStore()
        async with running_adapter(sim, groups=(RELEASE_TEAM,), store=store) as adapter:
            known = len(adapter.group_members)
            await sim.disable_group(RELEASE_TEAM)
            await sim.until(lambda: len(adapter.group_members) > known, "a look")
            assert adapter.group_members[-1] == {RELEASE_TEAM: frozenset()}
            detail = adapter.chat.health().detail
            assert "there is no such user group" in detail
            assert "it gives nobody a role" in detail
        sim.faults.server_error("usergroups.users.list", times=9)
        async with running_adapter(sim, groups=(RELEASE_TEAM,), store=store) as adapter:
            assert adapter.group_members[0] == adapter.group_members[-1] == {RELEASE_TEAM: frozenset()}

    async def test_a_group_that_the_app_may_not_look_into_gives_no_roles(self, sim: SimulatedSlack) -> None:
        async with running_adapter(sim, groups=(RELEASE_TEAM,)) as adapter:
            known = len(adapter.group_members)
            sim.lose_scope("usergroups:read")
            await sim.set_group(RELEASE_TEAM, [BOB])
            await sim.until(lambda: len(adapter.group_members) > known, "a look")
            assert adapter.group_members[-1] == {RELEASE_TEAM: frozenset()}
            assert "lacks the scope `usergroups:read`" in adapter.chat.health().detail

    async def test_it_looks_again_by_itself(self, sim: SimulatedSlack) -> None:
        async with running_adapter(
            sim, groups=(RELEASE_TEAM,), groups_refresh=timedelta(milliseconds=50)
        ) as adapter:
            sim.world.groups[RELEASE_TEAM].users = [ALICE]  # and nobody tells
            await sim.until(
                lambda: adapter.group_members[-1] == {RELEASE_TEAM: {ALICE}}, "the new memberships"
            )


async def test_every_kind_of_envelope_is_acknowledged(over_socket: AdapterHarness) -> None:
    """What the bot has no use for must not be sent again and again."""
    kinds = ("channel_archive", "member_joined_channel", "channel_unarchive")
    over_socket.sim.world.app.events |= {*kinds}  # which somebody may have added to the app
    for kind in kinds:
        await over_socket.sim.event({"type": kind, "channel": IMAGES, "user": ALICE}, kind)
    await over_socket.sim.event({"type": "message", "text": 7, "user": None}, "message.channels", "images")
    await over_socket.sim.settled()
    assert all(d.acknowledged for d in over_socket.sim.deliveries if d.kind is Kind.EVENT)
    assert over_socket.events == []
