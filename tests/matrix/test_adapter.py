"""The Matrix adapter on a real Synapse, with a person who shares no code with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.model import (
    Address,
    Button,
    ButtonEvent,
    Card,
    Chat,
    Choice,
    Field,
    MessageEvent,
    Table,
    Tone,
    WithdrawnReaction,
)
from slipway.bot.core.times import system_clock
from tests.matrix.builders import new_memory, settings
from tests.matrix.clients import APPROVE, REJECT, Person
from tests.matrix.harness import BotRoom
from tests.support.processes.synapse import Account, Synapse

BUTTONS = tuple(
    Button(choice=choice, label=choice.title(), operation_id="op-7k3f", digest_prefix="abcd1234")
    for choice in Choice
)


def test_it_is_a_chat(synapse: Synapse, account: Account) -> None:
    chat: Chat = MatrixChat(settings(synapse, account), new_memory(), system_clock)
    assert chat.edit_interval == timedelta(seconds=5)
    assert not chat.health().connected


async def test_what_is_said_is_heard_once_and_in_order(bot_room: BotRoom, alice: Person) -> None:
    ids = [await alice.say(bot_room.room, f"!images {number}") for number in range(5)]
    await bot_room.recorder.received("!images 4")
    assert [event.event_id for event in bot_room.recorder.events] == ids
    received = bot_room.recorder.events[0]
    assert isinstance(received, MessageEvent)
    assert (received.sender, received.room.id, received.address) == (alice.id, bot_room.room, Address.ROOM)
    assert abs(system_clock() - received.sent_at) < timedelta(minutes=1)
    assert bot_room.chat.health().connected


async def test_a_message_has_the_homeservers_time_as_what_is_said_has(
    bot_room: BotRoom, alice: Person
) -> None:
    await alice.say(bot_room.room, "!before")
    card = await bot_room.chat.send(bot_room.room, Card(title="a card"), thread=None, key="dated")
    await alice.say(bot_room.room, "!after")
    await bot_room.recorder.received("!after")
    before, after = (event.sent_at for event in bot_room.recorder.events)
    sent_at = await bot_room.chat.sent_at(bot_room.room, card)
    assert sent_at is not None
    assert before <= sent_at <= after


async def test_notices_edits_own_messages_and_other_signs_are_not_heard(
    bot_room: BotRoom, alice: Person
) -> None:
    said = await alice.say(bot_room.room, "!promote one")
    await alice.edit(bot_room.room, said, "!promote two")
    await alice.say(bot_room.room, "!promote three", msgtype="m.notice")
    await alice.say(bot_room.room, "!promote four", msgtype="m.emote")
    mine = await bot_room.chat.send(bot_room.room, Card(title="!promote five"), thread=None, key="five")
    await alice.react(bot_room.room, mine, "👍")
    await alice.redact(bot_room.room, said)
    await alice.say(bot_room.room, "!last")
    await bot_room.recorder.received("!last")
    assert bot_room.recorder.texts == ["!promote one", "!last"]
    others = [event for event in bot_room.recorder.events if not isinstance(event, MessageEvent)]
    # Whether there was a press to take back is not the adapter's to know.
    assert [event.reaction_event_id for event in others if isinstance(event, WithdrawnReaction)] == [said]
    assert len(others) == 1


async def test_being_spoken_to_by_name(bot_room: BotRoom, alice: Person) -> None:
    await alice.say(bot_room.room, "Slipway Bot: help")
    pill = f'<a href="https://matrix.to/#/{bot_room.bot}">Slipway Bot</a> images'
    await alice.say(
        bot_room.room,
        "Slipway Bot images",
        more={
            "format": "org.matrix.custom.html",
            "formatted_body": pill,
            "m.mentions": {"user_ids": [bot_room.bot]},
        },
    )
    images = await bot_room.recorder.received("images")
    assert [event.address for event in bot_room.recorder.events if isinstance(event, MessageEvent)] == [
        Address.MENTION,
        Address.MENTION,
    ]
    assert images.thread is None
    assert bot_room.recorder.texts == ["help", "images"]


async def test_an_answer_stands_in_the_thread_of_the_question(bot_room: BotRoom, alice: Person) -> None:
    root = await alice.say(bot_room.room, "let us talk about images")
    await alice.say(bot_room.room, "!images", thread=root)
    received = await bot_room.recorder.received("!images")
    assert received.thread == root
    await bot_room.chat.send(bot_room.room, Card(title="2 images"), thread=received.thread, key="answer")
    assert (await alice.message(bot_room.room, "2 images")).thread == root


async def test_details_of_a_card_that_stands_in_a_thread_go_into_the_same_thread(
    bot_room: BotRoom, alice: Person
) -> None:
    root = await alice.say(bot_room.room, "!promote")
    card = await bot_room.chat.send(bot_room.room, Card(title="Promoting"), thread=root, key="card")
    await bot_room.chat.send(bot_room.room, Card(title="Step 1"), thread=card, key="one")
    await bot_room.chat.send(bot_room.room, Card(title="Step 2"), thread=card, key="two")
    assert (await alice.message(bot_room.room, "Step 1")).thread == root
    assert (await alice.message(bot_room.room, "Step 2")).thread == root


async def test_a_card_is_readable_with_and_without_html(bot_room: BotRoom, alice: Person) -> None:
    card = Card(
        tone=Tone.DONE,
        title="Promoted <b>43</b> & more",
        text="Roll back with `!rollback <x>`.",
        fields=(Field(label="By", value="alice"),),
        tables=(Table(columns=("Region", "Latest"), rows=(("eastus", "`43.1.0`"),)),),
        notes=("Done.",),
    )
    await bot_room.chat.send(bot_room.room, card, thread=None, key="card")
    message = await alice.message(bot_room.room, "Promoted")
    assert message.msgtype == "m.notice"
    assert message.body.startswith("✔ Promoted <b>43</b> & more\n\nRoll back with `!rollback <x>`.")
    assert message.html == (
        "<strong>✔ Promoted &lt;b&gt;43&lt;/b&gt; &amp; more</strong>"
        "<p>Roll back with <code>!rollback &lt;x&gt;</code>.</p>"
        "<p><b>By:</b> alice</p>"
        "<pre><code>Region  Latest\n──────  ──────\neastus  43.1.0</code></pre>"
        "<ul><li>Done.</li></ul>"
    )
    assert message.content["m.mentions"] == {}


async def test_who_is_called_for_is_notified(bot_room: BotRoom, alice: Person) -> None:
    card = Card(title="Please decide", mentions=(alice.id,))
    await bot_room.chat.send(bot_room.room, card, thread=None, key="card")
    message = await alice.message(bot_room.room, "Please decide")
    assert message.content["m.mentions"] == {"user_ids": [alice.id]}
    seen = await alice.call("GET", "/notifications", None, only="highlight")
    assert message.id in [each["event"]["event_id"] for each in seen["notifications"]]


async def test_the_same_key_shows_one_message(bot_room: BotRoom, alice: Person) -> None:
    card = Card(title="only once", buttons=BUTTONS)
    first = await bot_room.chat.send(bot_room.room, card, thread=None, key="k1")
    again = await bot_room.chat.send(bot_room.room, card, thread=None, key="k1")
    other = await bot_room.chat.send(bot_room.room, Card(title="another"), thread=None, key="k2")
    assert first == again != other
    await alice.message(bot_room.room, "another")
    assert [each.id for each in alice.messages(bot_room.room, bot_room.bot)] == [first, other]
    await alice.reacted(bot_room.room, first, {(bot_room.bot, APPROVE), (bot_room.bot, REJECT)})


async def test_progress_is_edited_into_one_message(bot_room: BotRoom, alice: Person) -> None:
    sent = await bot_room.chat.send(bot_room.room, Card(title="0 of 2 steps"), thread=None, key="p0")
    for done in (1, 2, 2):
        card = Card(title=f"{done} of 2 steps", mentions=(alice.id,))
        await bot_room.chat.edit(bot_room.room, sent, card, thread=None, key=f"p{done}")
    message = await alice.message(bot_room.room, "2 of 2 steps")
    assert (message.id, message.edits) == (sent, 2)
    assert len(alice.messages(bot_room.room, bot_room.bot)) == 1
    edits = [event for event in alice.events[bot_room.room] if "m.new_content" in event["content"]]
    assert edits[-1]["content"]["m.mentions"] == {}  # nobody is called again by progress


async def test_reactions_are_buttons(bot_room: BotRoom, alice: Person) -> None:
    sent = await bot_room.chat.send(
        bot_room.room, Card(title="Promote?", buttons=BUTTONS), thread=None, key="ask"
    )
    await alice.reacted(bot_room.room, sent, {(bot_room.bot, APPROVE), (bot_room.bot, REJECT)})
    pressed = await alice.react(bot_room.room, sent, APPROVE + "\ufe0f")
    refused = await alice.react(bot_room.room, sent, REJECT)
    await bot_room.recorder.until(lambda: len(bot_room.recorder.events) >= 2)
    presses = [event for event in bot_room.recorder.events if isinstance(event, ButtonEvent)]
    assert [(each.choice, each.event_id, each.message_id, each.sender) for each in presses] == [
        (Choice.APPROVE, pressed, sent, alice.id),
        (Choice.REJECT, refused, sent, alice.id),
    ]


@pytest.mark.parametrize("restarted", [False, True])
async def test_buttons_go_when_all_is_decided_and_peoples_reactions_stay(
    synapse: Synapse, bot_room: BotRoom, alice: Person, account: Account, restarted: bool
) -> None:
    sent = await bot_room.chat.send(
        bot_room.room, Card(title="Promote?", buttons=BUTTONS), thread=None, key="ask"
    )
    await alice.react(bot_room.room, sent, APPROVE)
    sender = bot_room.chat
    if restarted:
        sender = MatrixChat(settings(synapse, account, bot_room.room), new_memory(), system_clock)
    await sender.edit(bot_room.room, sent, Card(title="Approved by alice"), thread=None, key="done")
    await alice.reacted(bot_room.room, sent, {(alice.id, APPROVE)})
    await sender.edit(
        bot_room.room, sent, Card(title="Once more?", buttons=BUTTONS), thread=None, key="again"
    )
    await alice.reacted(
        bot_room.room, sent, {(alice.id, APPROVE), (bot_room.bot, APPROVE), (bot_room.bot, REJECT)}
    )
    if restarted:
        await sender.close()


async def test_long_output_is_shortened_and_says_so(bot_room: BotRoom, alice: Person) -> None:
    rows = tuple((f"Fedora-Cloud-{number}-x64", "wörd " * 20) for number in range(5_000))
    card = Card(title="Images", tables=(Table(columns=("Name", "About"), rows=rows),))
    sent = await bot_room.chat.send(bot_room.room, card, thread=None, key="long")
    assert "of 5000 rows are shown" in (await alice.message(bot_room.room, "Images")).body
    huge = Card(title="t" * 90_000, text="x" * 90_000, notes=("n" * 90_000,) * 30)
    await bot_room.chat.edit(bot_room.room, sent, huge, thread=None, key="longer")
    assert (await alice.message(bot_room.room, "tttt")).id == sent


async def test_without_the_right_to_react_the_card_is_sent_all_the_same(
    bot_room: BotRoom, alice: Person
) -> None:
    levels = f"/rooms/{bot_room.room}/state/m.room.power_levels/"
    content = await alice.call("GET", levels)
    content["events"]["m.reaction"] = 50
    await alice.call("PUT", levels, content)
    card = Card(title="Promote?", buttons=BUTTONS, notes=("Or type `!approve op-7k3f`.",))
    sent = await bot_room.chat.send(bot_room.room, card, thread=None, key="ask")
    assert (await alice.message(bot_room.room, "!approve op-7k3f")).id == sent
    assert alice.reactions(bot_room.room, sent) == set()
