"""The Matrix adapter on a real Synapse, with a person who shares no code with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import InMemory
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
from tests.matrix.harness import House, settings
from tests.matrix.clients import APPROVE, REJECT, Person
from tests.support.synapse import Account, Synapse

BUTTONS = tuple(
    Button(choice=choice, label=choice.title(), operation_id="op-7k3f", digest_prefix="abcd1234")
    for choice in Choice
)


def test_it_is_a_chat(synapse: Synapse, account: Account) -> None:
    chat: Chat = MatrixChat(settings(synapse, account), InMemory(), system_clock)
    assert chat.edit_interval == timedelta(seconds=5)
    assert not chat.health().connected


async def test_what_is_said_is_heard_once_and_in_order(house: House, alice: Person) -> None:
    ids = [await alice.say(house.room, f"!images {number}") for number in range(5)]
    await house.notebook.heard("!images 4")
    assert [event.event_id for event in house.notebook.events] == ids
    heard = house.notebook.events[0]
    assert isinstance(heard, MessageEvent)
    assert (heard.speaker, heard.room.id, heard.address) == (alice.id, house.room, Address.ROOM)
    assert abs(system_clock() - heard.sent_at) < timedelta(minutes=1)
    assert house.chat.health().connected


async def test_notices_edits_own_messages_and_other_signs_are_not_heard(house: House, alice: Person) -> None:
    said = await alice.say(house.room, "!promote one")
    await alice.edit(house.room, said, "!promote two")
    await alice.say(house.room, "!promote three", msgtype="m.notice")
    await alice.say(house.room, "!promote four", msgtype="m.emote")
    mine = await house.chat.send(house.room, Card(title="!promote five"), thread=None, key="five")
    await alice.react(house.room, mine, "👍")
    await alice.redact(house.room, said)
    await alice.say(house.room, "!last")
    await house.notebook.heard("!last")
    assert house.notebook.texts == ["!promote one", "!last"]
    others = [event for event in house.notebook.events if not isinstance(event, MessageEvent)]
    # Whether there was a press to take back is not the adapter's to know.
    assert [event.reaction_event_id for event in others if isinstance(event, WithdrawnReaction)] == [said]
    assert len(others) == 1


async def test_being_spoken_to_by_name(house: House, alice: Person) -> None:
    await alice.say(house.room, "Slipway Bot: help")
    pill = f'<a href="https://matrix.to/#/{house.bot}">Slipway Bot</a> images'
    await alice.say(
        house.room,
        "Slipway Bot images",
        more={
            "format": "org.matrix.custom.html",
            "formatted_body": pill,
            "m.mentions": {"user_ids": [house.bot]},
        },
    )
    images = await house.notebook.heard("images")
    assert [event.address for event in house.notebook.events if isinstance(event, MessageEvent)] == [
        Address.MENTION,
        Address.MENTION,
    ]
    assert images.thread is None
    assert house.notebook.texts == ["help", "images"]


async def test_an_answer_stands_in_the_thread_of_the_question(house: House, alice: Person) -> None:
    root = await alice.say(house.room, "let us talk about images")
    await alice.say(house.room, "!images", thread=root)
    heard = await house.notebook.heard("!images")
    assert heard.thread == root
    await house.chat.send(house.room, Card(title="2 images"), thread=heard.thread, key="answer")
    assert (await alice.message(house.room, "2 images")).thread == root


async def test_details_of_a_card_that_stands_in_a_thread_go_into_the_same_thread(
    house: House, alice: Person
) -> None:
    root = await alice.say(house.room, "!promote")
    card = await house.chat.send(house.room, Card(title="Promoting"), thread=root, key="card")
    await house.chat.send(house.room, Card(title="Step 1"), thread=card, key="one")
    await house.chat.send(house.room, Card(title="Step 2"), thread=card, key="two")
    assert (await alice.message(house.room, "Step 1")).thread == root
    assert (await alice.message(house.room, "Step 2")).thread == root


async def test_a_card_is_readable_with_and_without_html(house: House, alice: Person) -> None:
    card = Card(
        tone=Tone.DONE,
        title="Promoted <b>43</b> & more",
        text="Roll back with `!rollback <x>`.",
        fields=(Field(label="By", value="alice"),),
        tables=(Table(columns=("Region", "Latest"), rows=(("eastus", "`43.1.0`"),)),),
        notes=("Done.",),
    )
    await house.chat.send(house.room, card, thread=None, key="card")
    message = await alice.message(house.room, "Promoted")
    assert message.msgtype == "m.notice"
    assert message.body.startswith("✔ Done · Promoted <b>43</b> & more\n\nRoll back with `!rollback <x>`.")
    assert message.html == (
        "<strong>✔ Done · Promoted &lt;b&gt;43&lt;/b&gt; &amp; more</strong>"
        "<p>Roll back with <code>!rollback &lt;x&gt;</code>.</p>"
        "<p><b>By:</b> alice</p>"
        "<pre><code>Region  Latest\n──────  ──────\neastus  43.1.0</code></pre>"
        "<ul><li>Done.</li></ul>"
    )
    assert message.content["m.mentions"] == {}


async def test_who_is_called_for_is_notified(house: House, alice: Person) -> None:
    card = Card(title="Please decide", mentions=(alice.id,))
    await house.chat.send(house.room, card, thread=None, key="card")
    message = await alice.message(house.room, "Please decide")
    assert message.content["m.mentions"] == {"user_ids": [alice.id]}
    seen = await alice.call("GET", "/notifications", None, only="highlight")
    assert message.id in [each["event"]["event_id"] for each in seen["notifications"]]


async def test_the_same_key_shows_one_message(house: House, alice: Person) -> None:
    card = Card(title="only once", buttons=BUTTONS)
    first = await house.chat.send(house.room, card, thread=None, key="k1")
    again = await house.chat.send(house.room, card, thread=None, key="k1")
    other = await house.chat.send(house.room, Card(title="another"), thread=None, key="k2")
    assert first == again != other
    await alice.message(house.room, "another")
    assert [each.id for each in alice.messages(house.room, house.bot)] == [first, other]
    await alice.reacted(house.room, first, {(house.bot, APPROVE), (house.bot, REJECT)})


async def test_progress_is_edited_into_one_message(house: House, alice: Person) -> None:
    sent = await house.chat.send(house.room, Card(title="0 of 2 steps"), thread=None, key="p0")
    for done in (1, 2, 2):
        card = Card(title=f"{done} of 2 steps", mentions=(alice.id,))
        await house.chat.edit(house.room, sent, card, thread=None, key=f"p{done}")
    message = await alice.message(house.room, "2 of 2 steps")
    assert (message.id, message.edits) == (sent, 2)
    assert len(alice.messages(house.room, house.bot)) == 1
    edits = [event for event in alice.events[house.room] if "m.new_content" in event["content"]]
    assert edits[-1]["content"]["m.mentions"] == {}  # nobody is called again by progress


async def test_reactions_are_buttons(house: House, alice: Person) -> None:
    sent = await house.chat.send(house.room, Card(title="Promote?", buttons=BUTTONS), thread=None, key="ask")
    await alice.reacted(house.room, sent, {(house.bot, APPROVE), (house.bot, REJECT)})
    pressed = await alice.react(house.room, sent, APPROVE + "\ufe0f")
    refused = await alice.react(house.room, sent, REJECT)
    await house.notebook.until(lambda: len(house.notebook.events) >= 2)
    presses = [event for event in house.notebook.events if isinstance(event, ButtonEvent)]
    assert [(each.choice, each.event_id, each.message_id, each.speaker) for each in presses] == [
        (Choice.APPROVE, pressed, sent, alice.id),
        (Choice.REJECT, refused, sent, alice.id),
    ]


@pytest.mark.parametrize("restarted", [False, True])
async def test_buttons_go_when_all_is_decided_and_peoples_reactions_stay(
    synapse: Synapse, house: House, alice: Person, account: Account, restarted: bool
) -> None:
    sent = await house.chat.send(house.room, Card(title="Promote?", buttons=BUTTONS), thread=None, key="ask")
    await alice.react(house.room, sent, APPROVE)
    voice = house.chat
    if restarted:
        voice = MatrixChat(settings(synapse, account, house.room), InMemory(), system_clock)
    await voice.edit(house.room, sent, Card(title="Approved by alice"), thread=None, key="done")
    await alice.reacted(house.room, sent, {(alice.id, APPROVE)})
    await voice.edit(house.room, sent, Card(title="Once more?", buttons=BUTTONS), thread=None, key="again")
    await alice.reacted(house.room, sent, {(alice.id, APPROVE), (house.bot, APPROVE), (house.bot, REJECT)})
    if restarted:
        await voice.close()


async def test_long_output_is_shortened_and_says_so(house: House, alice: Person) -> None:
    rows = tuple((f"Fedora-Cloud-{number}-x64", "wörd " * 20) for number in range(5_000))
    card = Card(title="Images", tables=(Table(columns=("Name", "About"), rows=rows),))
    sent = await house.chat.send(house.room, card, thread=None, key="long")
    assert "of 5000 rows are shown" in (await alice.message(house.room, "Images")).body
    huge = Card(title="t" * 90_000, text="x" * 90_000, notes=("n" * 90_000,) * 30)
    await house.chat.edit(house.room, sent, huge, thread=None, key="longer")
    assert (await alice.message(house.room, "tttt")).id == sent


async def test_without_the_right_to_react_the_card_is_sent_all_the_same(house: House, alice: Person) -> None:
    levels = f"/rooms/{house.room}/state/m.room.power_levels/"
    content = await alice.call("GET", levels)
    content["events"]["m.reaction"] = 50
    await alice.call("PUT", levels, content)
    card = Card(title="Promote?", buttons=BUTTONS, notes=("Or type `!approve op-7k3f`.",))
    sent = await house.chat.send(house.room, card, thread=None, key="ask")
    assert (await alice.message(house.room, "!approve op-7k3f")).id == sent
    assert alice.reactions(house.room, sent) == set()
