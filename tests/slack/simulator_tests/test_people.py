"""People before an unmodified Bolt app: what the app hears, and what they see of its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError

from tests.slack.simulator import Outcome, SimulatedSlack, SimulatorError, User
from tests.slack.simulator.seed import ALICE, BOT, EVE, IMAGES, PARTNER_TEAM, TEAM
from tests.slack.simulator_tests.bolt_app import client_of, over_socket
from tests.slack.simulator_tests.recording_app import CARD, REASON, RecordingApp

Json = dict[str, Any]


@pytest.fixture
async def sim() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack() as running:
        yield running


@pytest.fixture
async def received(sim: SimulatedSlack) -> AsyncIterator[RecordingApp]:
    app = RecordingApp()
    async with over_socket(sim, app.set_up):
        yield app


def kinds(received: RecordingApp) -> list[str]:
    """What sort of events the app heard."""
    return [body["event"].get("subtype") or body["event"]["type"] for body in received.events]


async def test_a_message_comes_with_all_that_an_event_has(
    sim: SimulatedSlack, received: RecordingApp
) -> None:
    message = await sim.person("alice").post("images", "see https://x.org & more")
    await sim.settled()
    (body,) = received.events
    assert body["event_id"].startswith("Ev")
    assert (body["team_id"], body["api_app_id"]) == (TEAM, "A0SLIPWAY")
    assert body["authorizations"][0] == {
        "enterprise_id": None,
        "team_id": TEAM,
        "user_id": BOT,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    event = body["event"]
    assert event["text"] == "see <https://x.org> &amp; more"
    assert (event["channel"], event["channel_type"], event["ts"]) == (IMAGES, "channel", message.ts)
    assert (event["user"], event["team"]) == (ALICE, TEAM)
    assert "bot_id" not in event


async def test_a_mention_comes_twice_with_two_ids(sim: SimulatedSlack, received: RecordingApp) -> None:
    await sim.person("alice").post("images", "@slipway status")
    await sim.settled()
    assert sorted(kinds(received)) == ["app_mention", "message"]
    first, second = received.events
    assert first["event"]["ts"] == second["event"]["ts"]
    assert first["event_id"] != second["event_id"]


async def test_a_direct_message_comes_once(sim: SimulatedSlack, received: RecordingApp) -> None:
    await sim.person("alice").post(BOT, "<@U0SLIPWAY> status")
    await sim.settled()
    assert [body["event"]["channel_type"] for body in received.events] == ["im"]


async def test_the_bots_own_words_come_back_to_it(sim: SimulatedSlack, received: RecordingApp) -> None:
    await client_of(sim).chat_postMessage(channel=IMAGES, text="own")
    await sim.settled()
    assert received.events == []  # Bolt drops what its own bot said
    assert [d.event["bot_id"] for d in sim.deliveries] == ["B0SLIPWAY"]


async def test_edits_deletions_and_broadcasts(sim: SimulatedSlack, received: RecordingApp) -> None:
    alice = sim.person("alice")
    message = await alice.post("images", "!stat")
    await alice.edit(message, "!status")
    reply = await alice.post("images", "me too", thread=message, broadcast=True)
    await alice.delete(message)
    await sim.settled()
    edited = sim.deliveries[1].event
    assert (edited["subtype"], edited["message"]["text"], edited["previous_message"]["text"]) == (
        "message_changed",
        "!status",
        "!stat",
    )
    broadcast = sim.deliveries[2].event
    assert (broadcast["subtype"], broadcast["thread_ts"], broadcast["root"]["text"]) == (
        "thread_broadcast",
        message.ts,
        "!status",
    )
    again = sim.deliveries[3].event[
        "message"
    ]  # Slack tells of a broadcast twice, and both are the same reply
    assert (again["subtype"], again["ts"], again["root"]["reply_count"]) == ("thread_broadcast", reply.ts, 1)
    stone = sim.deliveries[4].event
    assert (stone["subtype"], stone["message"]["subtype"]) == ("message_changed", "tombstone")
    assert (stone["message"]["user"], stone["message"]["reply_count"]) == ("USLACKBOT", 1)
    await alice.delete(reply)
    assert sim.deliveries[5].event["deleted_ts"] == reply.ts
    assert alice.sees("images") == []
    with pytest.raises(SimulatorError, match="own"):
        await sim.person("bob").edit(reply, "forged")


async def test_other_bots_speak_too(sim: SimulatedSlack, received: RecordingApp) -> None:
    await sim.bot_says("images", "!promote")
    await sim.bot_says("images", "!status", legacy=True)
    await sim.settled()
    first, second = (delivery.event for delivery in sim.deliveries[:2])
    assert (first["bot_id"], first["user"], first.get("subtype")) == ("B0OTHERBT", "U0OTHERBT", None)
    assert (second["bot_id"], second.get("user"), second["subtype"]) == ("B0OTHERBT", None, "bot_message")
    assert first["bot_profile"]["app_id"] == "A0OTHERBT"
    assert second["trigger_id"].startswith("Ft")


async def test_a_person_of_another_workspace_is_marked(sim: SimulatedSlack, received: RecordingApp) -> None:
    eve = sim.person("eve")
    await eve.post("shared", "!promote")
    card = await sim.message("shared")
    await (await eve.press(card, "Approve")).acked()
    event = received.events[0]
    assert event["is_ext_shared_channel"] is True
    assert (event["team_id"], event["event"]["team"]) == (PARTNER_TEAM, PARTNER_TEAM)
    assert event["authorizations"][0]["team_id"] == TEAM
    (body,) = received.bodies
    assert (body["user"]["id"], body["user"]["team_id"], body["team"]["id"]) == (
        EVE,
        PARTNER_TEAM,
        PARTNER_TEAM,
    )
    with pytest.raises(SimulatorError, match="in no channel"):
        await eve.post("images", "hello")


async def test_nothing_is_heard_where_the_bot_is_not(sim: SimulatedSlack, received: RecordingApp) -> None:
    message = await sim.person("alice").post("lounge", "!promote")
    assert message.deliveries == []
    joined = await sim.invite_bot("lounge")
    await sim.person("alice").post("lounge", "!promote")
    await sim.message("lounge")
    await sim.settled()
    assert joined is not None
    assert joined.acknowledged
    sim.world.app.events.discard("message.channels")
    assert (await sim.person("alice").post("lounge", "unheard")).deliveries == []


async def test_a_button_is_pressed(sim: SimulatedSlack, received: RecordingApp) -> None:
    await sim.person("alice").post("images", "!promote")
    card = await sim.message("images", lambda message: "Promote 43?" in message.all_text)
    assert [(b.label, b.value, b.style) for b in card.buttons] == [
        ("Approve", "op-7k3f:abcdef", "primary"),
        ("Reject", "op-7k3f:abcdef", "default"),
    ]
    await (await sim.person("bob").press(card, "Approve")).acked()
    await sim.until(lambda: card.text == "Approved")
    assert card.buttons == []
    (body,) = received.bodies
    assert "event_id" not in body
    assert "authorizations" not in body
    assert body["container"] == {
        "type": "message",
        "message_ts": card.ts,
        "channel_id": IMAGES,
        "is_ephemeral": False,
    }
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == (
        "approve",
        "decide",
        "op-7k3f:abcdef",
    )
    assert float(action["action_ts"]) > float(card.ts)


async def test_stale_double_and_forged_presses(sim: SimulatedSlack, received: RecordingApp) -> None:
    bob = sim.person("bob")
    await bob.post("images", "!promote")
    card = await sim.message("images")
    before = card.shown()
    first, second = await bob.press(card, "Approve"), await bob.press(card, "Approve", stale=before)
    await first.acked()
    await second.acked()
    await sim.until(lambda: not card.buttons)
    with pytest.raises(SimulatorError, match="no button"):
        await bob.press(card, "Approve")
    await (await bob.press(card, "approve", stale=before, value="op-none:000000")).acked()
    values = [body["actions"][0]["value"] for body in received.bodies]
    assert values == ["op-7k3f:abcdef", "op-7k3f:abcdef", "op-none:000000"]
    assert len({body["actions"][0]["action_ts"] for body in received.bodies}) == 3


async def test_a_command_is_answered_to_one_and_then_to_all(
    sim: SimulatedSlack, received: RecordingApp
) -> None:
    alice = sim.person("alice")
    delivery = await alice.command("/slipway", "promote @bob https://x.org", channel="images")
    assert await delivery.acked() == {"text": "working"}
    assert (await alice.ephemeral()).text == "working"
    assert (await sim.message("images")).text == "done"
    (body,) = received.bodies
    assert (body["command"], body["text"]) == ("/slipway", "promote @bob https://x.org")
    assert (body["user_id"], body["team_id"], body["channel_name"]) == (ALICE, TEAM, "images")
    with pytest.raises(SimulatorError, match="not a valid command"):
        await alice.command("/other")


async def test_a_response_url_works_five_times(sim: SimulatedSlack, received: RecordingApp) -> None:
    alice = sim.person("alice")
    await (await alice.command("/slipway", "x")).acked()
    await sim.message("images")
    respond = AsyncRespond(response_url=received.bodies[0]["response_url"])
    for number in range(4):
        assert (await respond(f"more {number}")).status_code == 200
    assert (await respond("too many")).status_code == 404
    assert len(alice.ephemerals) == 5
    assert (await AsyncRespond(response_url=f"{sim.url}/actions/T/none")("x")).status_code == 404


async def test_an_ephemeral_card_can_be_replaced_and_deleted(
    sim: SimulatedSlack, received: RecordingApp
) -> None:
    alice = sim.person("alice")
    await client_of(sim).chat_postEphemeral(channel=IMAGES, user=ALICE, text="card", blocks=CARD)
    card = await alice.ephemeral()
    await (await alice.press(card, "Approve")).acked()
    await alice.ephemeral(lambda message: message.text == "Approved")
    assert "message" not in received.bodies[0]
    assert received.bodies[0]["container"]["is_ephemeral"] is True
    answer = await AsyncRespond(response_url=received.bodies[0]["response_url"])(delete_original=True)
    assert answer.status_code == 200
    assert alice.ephemerals == []


async def open_modal(sim: SimulatedSlack, who: str = "bob") -> Any:
    """A card's Reject pressed, and the modal that comes."""
    await sim.person(who).post("images", "!promote")
    card = await sim.message("images")
    await sim.person(who).press(card, "Reject")
    return await sim.person(who).modal("reason")


async def test_a_modal_is_filled_in(sim: SimulatedSlack, received: RecordingApp) -> None:
    view = await open_modal(sim)
    bob = sim.person("bob")
    with pytest.raises(SimulatorError, match="required"):
        await bob.submit(view, {})
    with pytest.raises(SimulatorError, match="20 are allowed"):
        await bob.submit(view, {"Reason": "x" * 21})
    with pytest.raises(SimulatorError, match="no field"):
        await bob.submit(view, {"Reason": "x", "Colour": "red"})
    wrong = await bob.submit(view, {"text": "bad"})
    assert (wrong.outcome, wrong.errors) == (Outcome.ERRORS, {"why": "Say more"})
    done = await bob.submit(view, {"why": "broken boot"})
    assert (done.outcome, done.view, bob.modals) == (Outcome.CLOSED, None, [])
    body = received.bodies[-1]
    assert body["view"]["state"]["values"]["why"]["text"] == {
        "type": "plain_text_input",
        "value": "broken boot",
    }
    assert (body["view"]["private_metadata"], body["user"]["team_id"]) == ("op-7k3f", TEAM)
    with pytest.raises(SimulatorError, match="closed"):
        await bob.submit(view, {"why": "twice"})


async def test_modals_upon_modals(sim: SimulatedSlack, received: RecordingApp) -> None:
    view = await open_modal(sim)
    bob = sim.person("bob")
    pushed = await bob.submit(view, {"why": "more"})
    assert (pushed.outcome, len(bob.modals)) == (Outcome.PUSHED, 2)
    assert pushed.view is not None
    other = await bob.submit(pushed.view, {"why": "other"})
    assert other.outcome is Outcome.UPDATED
    assert bob.modals[-1].callback_id == "other"
    await bob.close(bob.modals[-1])
    assert (await bob.submit(view, {"why": "all"})).outcome is Outcome.CLEARED
    assert bob.modals == []


async def test_a_closed_modal_is_told_where_asked_for(sim: SimulatedSlack, received: RecordingApp) -> None:
    view = await open_modal(sim)
    told = await sim.person("bob").close(view)
    assert told is not None
    await told.acked()
    assert received.bodies[-1]["type"] == "view_closed"
    assert sim.person("bob").modals == []


async def test_a_trigger_opens_one_view(sim: SimulatedSlack, received: RecordingApp) -> None:
    await open_modal(sim)
    client = client_of(sim)
    for trigger, error in (
        (received.bodies[0]["trigger_id"], "exchanged_trigger_id"),
        ("1.2.abc", "invalid_trigger_id"),
    ):
        with pytest.raises(SlackApiError) as caught:
            await client.views_open(trigger_id=trigger, view=REASON)
        assert caught.value.response["error"] == error


async def test_a_view_is_updated_by_its_id_and_guarded_by_its_hash(
    sim: SimulatedSlack, received: RecordingApp
) -> None:
    view = await open_modal(sim)
    client = client_of(sim)
    old = view.hash
    await client.views_update(view_id=view.id, hash=old, view={**REASON, "private_metadata": "new"})
    assert (view.private_metadata, view.updates) == ("new", 1)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view.id, hash=old, view=REASON)
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id="V0NONE", view=REASON)
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_update(
            view_id=view.id, view={**REASON, "title": {"type": "plain_text", "text": "x" * 25}}
        )


async def test_shortcuts(sim: SimulatedSlack, received: RecordingApp) -> None:
    alice = sim.person("alice")
    await (await alice.shortcut("launch")).acked()
    await alice.modal("reason")
    message = await alice.post("images", "look at this")
    await (await alice.message_shortcut("about", message)).acked()
    first, second = received.bodies
    assert (first["type"], first["callback_id"]) == ("shortcut", "launch")
    assert "channel" not in first
    assert (second["type"], second["message"]["text"], second["channel"]["id"]) == (
        "message_action",
        "look at this",
        IMAGES,
    )


async def test_the_home_tab_is_published_when_it_is_opened(
    sim: SimulatedSlack, received: RecordingApp
) -> None:
    alice = sim.person("alice")
    await alice.open_home()
    home = await alice.home_tab()
    assert (received.events[0]["event"]["tab"], home.body["type"]) == ("home", "home")
    await (await alice.press_in(home, "Approve")).acked()
    (body,) = received.bodies
    assert (body["container"]["type"], body["view"]["id"]) == ("view", home.id)
    assert "response_url" not in body
    assert sim.person("bob").home is None


async def test_reactions_groups_and_archiving_are_told(sim: SimulatedSlack, received: RecordingApp) -> None:
    message = await sim.person("alice").post("images", "nice")
    await sim.person("bob").react(message, "tada")
    await sim.set_group("S0RELEASE", [ALICE])
    await sim.archive("images")
    await sim.settled()
    assert [delivery.event["type"] for delivery in sim.deliveries] == [
        *("message", "reaction_added", "subteam_members_changed", "message", "channel_archive")
    ]
    assert sim.deliveries[2].event["removed_users"] == ["U0BOB0000"]
    with pytest.raises(SimulatorError, match="archived"):
        await sim.person("alice").post("images", "too late")


async def test_the_app_hears_what_becomes_of_channels_as_the_reference_shows_it(sim: SimulatedSlack) -> None:
    sim.world.app.events -= {"message.channels", "message.groups"}
    await sim.archive("images")
    await sim.unarchive("images")
    await sim.archive("release", without_bot=True)
    await sim.unarchive("release")  # private, and the bot is not in it: nobody tells it
    await sim.invite_bot("release")
    await sim.remove_bot("release")
    await sim.remove_bot("images")
    await sim.delete_channel("images")
    told = [delivery.event for delivery in sim.deliveries]
    assert [each.pop("type") for each in told] == [
        *("channel_archive", "channel_unarchive", "group_archive", "member_joined_channel"),
        *("group_left", "member_left_channel", "channel_left", "member_left_channel", "channel_deleted"),
    ]
    archived, unarchived, _, joined, group_left, left, channel_left, _, deleted = told
    for each in told:
        assert each.pop("channel") in (IMAGES, "C0RELEASE")
        assert each.pop("event_ts")
    assert archived == {"user": ALICE, "is_moved": 0}
    assert unarchived == {"user": ALICE}
    assert joined == {"user": BOT, "channel_type": "C", "team": TEAM, "inviter": ALICE}
    assert group_left == channel_left == deleted == {"actor_id": ALICE}
    assert left == {"user": BOT, "channel_type": "C", "team": TEAM}


async def test_new_people_and_typographic_clients(sim: SimulatedSlack, received: RecordingApp) -> None:
    frank = sim.add_person(User("U0FRANK00", "frank", TEAM), "images")
    frank.typographic = True
    message = await frank.post("images", 'say "hi" --now')
    assert message.text == "say \u201chi\u201d \u2014now"
    assert (await frank.post("images", 'say "hi"', raw=True)).text == 'say "hi"'


async def test_a_command_answered_with_what_slack_cannot_show(sim: SimulatedSlack) -> None:
    def set_up(app: AsyncApp) -> None:
        async def answer(ack: AsyncAck) -> None:
            await ack(blocks=[{"type": "none"}])

        app.command("/slipway")(answer)

    async with over_socket(sim, set_up):
        await (await sim.person("alice").command("/slipway", "x")).acked()
        assert "unsupported type: none" in sim.complaints[0]
        assert sim.person("alice").ephemerals == []


async def test_an_option_is_chosen_on_a_message(sim: SimulatedSlack, received: RecordingApp) -> None:
    options = [
        {"text": {"type": "plain_text", "text": word}, "value": word.lower()} for word in ("One", "Two")
    ]
    pick = {"type": "static_select", "action_id": "approve", "options": options}
    blocks = [{"type": "actions", "elements": [pick]}]
    await client_of(sim).chat_postMessage(channel=IMAGES, text="pick", blocks=blocks)
    card = await sim.message("images")
    with pytest.raises(SimulatorError, match="offered are One, Two"):
        await sim.person("bob").press(card, "approve", option="Three")
    await (await sim.person("bob").press(card, "approve", option="Two")).acked()
    assert received.bodies[0]["actions"][0]["selected_option"]["value"] == "two"


async def test_waiting_in_vain_says_what_there_is(sim: SimulatedSlack) -> None:
    await client_of(sim).chat_postMessage(channel=IMAGES, text="something else")
    with pytest.raises(SimulatorError, match="something else"):
        await sim.message("images", lambda message: "card" in message.text, within=0.01)
