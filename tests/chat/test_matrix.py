"""The Matrix adapter on a real Synapse, with a person who shares no code with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.chat.matrix import InMemory, MatrixChat
from bot.chat.matrix.send import ENCRYPTED
from bot.chat.model import Address, Button, Card, Chat, Choice, Field, Heard, Press, Table, Tone
from bot.errors import ChatError
from bot.times import system_clock
from tests.chat.matrix_room import Notebook, running, settings, started
from tests.chat.person import APPROVE, REJECT, Person
from tests.synapse import Account, Synapse

BUTTONS = tuple(
    Button(choice=choice, label=choice.title(), operation_id="op-7k3f", digest_prefix="abcd1234")
    for choice in Choice
)


@pytest.fixture
async def alice(synapse: Synapse) -> AsyncIterator[Person]:
    async with Person.of(synapse) as person:
        yield person


@pytest.fixture
def account(synapse: Synapse) -> Account:
    return synapse.register(displayname="Slipway Bot")


class House:
    """A room with alice and the bot in it, the bot listening."""

    def __init__(self, chat: MatrixChat, notebook: Notebook, room: str, memory: InMemory, bot: str) -> None:
        self.chat = chat
        self.notebook = notebook
        self.room = room
        self.memory = memory
        self.bot = bot


@pytest.fixture
async def house(synapse: Synapse, alice: Person, account: Account) -> AsyncIterator[House]:
    room = await alice.create_room(invite=(account.user_id,))
    memory, notebook = InMemory(), Notebook()
    chat = MatrixChat(settings(synapse, account, room), memory, system_clock)
    async with running(chat, notebook):
        await alice.member(room, account.user_id)
        await started(alice, room, notebook)
        yield House(chat, notebook, room, memory, account.user_id)


def test_it_is_a_chat(synapse: Synapse, account: Account) -> None:
    chat: Chat = MatrixChat(settings(synapse, account), InMemory(), system_clock)
    assert chat.edit_interval == timedelta(seconds=5)
    assert not chat.health().connected


async def test_what_is_said_is_heard_once_and_in_order(house: House, alice: Person) -> None:
    ids = [await alice.say(house.room, f"!images {number}") for number in range(5)]
    await house.notebook.heard("!images 4")
    assert [event.event_id for event in house.notebook.events] == ids
    heard = house.notebook.events[0]
    assert isinstance(heard, Heard)
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
    assert len(house.notebook.events) == 2


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
    assert [event.address for event in house.notebook.events if isinstance(event, Heard)] == [
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
    presses = [event for event in house.notebook.events if isinstance(event, Press)]
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


async def test_backlog_is_not_heard_at_the_first_start(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    async with Person(synapse, account) as bot:
        room = await alice.create_room(invite=(account.user_id,))
        await bot.join(room)
    await alice.say(room, "!promote long ago")
    notebook = Notebook()
    chat = MatrixChat(settings(synapse, account, room), InMemory(), system_clock)
    async with running(chat, notebook):
        await started(alice, room, notebook)
        assert "!promote long ago" not in notebook.texts


async def test_what_was_said_before_the_bot_entered_is_not_heard(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    home, late = await alice.create_room(public=True), await alice.create_room()
    notebook = Notebook()
    chat = MatrixChat(settings(synapse, account, home, late), InMemory(), system_clock)
    async with running(chat, notebook):
        await alice.member(home, account.user_id)
        await started(alice, home, notebook)
        await alice.say(late, "!promote before you came")
        await alice.invite(late, account.user_id)
        await alice.member(late, account.user_id)
        await alice.say(late, "!help now")
        await notebook.heard("!help now")
    assert "!promote before you came" not in notebook.texts


async def test_an_event_is_heard_again_when_the_bot_died_while_taking_it_in(
    synapse: Synapse, alice: Person, account: Account, house: House
) -> None:
    memory = InMemory()
    memory.next_batch = house.memory.next_batch
    entered = asyncio.Event()

    async def dies(event: Heard | Press) -> None:
        entered.set()
        await asyncio.Event().wait()

    said = await alice.say(house.room, "!promote while dying")
    async with running(MatrixChat(settings(synapse, account, house.room), memory, system_clock), dies):
        async with asyncio.timeout(20):
            await entered.wait()

    notebook = Notebook()
    async with running(MatrixChat(settings(synapse, account, house.room), memory, system_clock), notebook):
        heard = await notebook.heard("!promote while dying")
    assert heard.event_id == said


async def test_an_error_while_taking_in_keeps_the_token_and_comes_out(
    synapse: Synapse, alice: Person, account: Account, house: House
) -> None:
    memory = InMemory()
    memory.next_batch = house.memory.next_batch

    async def fails(event: Heard | Press) -> None:
        raise OSError("the disk is full")

    await alice.say(house.room, "!promote")
    chat = MatrixChat(settings(synapse, account, house.room), memory, system_clock)
    kept = memory.next_batch
    with pytest.raises(OSError, match="the disk is full"):
        async with asyncio.timeout(20):
            await chat.run(fails)
    assert memory.next_batch == kept
    notebook = Notebook()
    async with running(chat, notebook):
        await notebook.heard("!promote")


async def test_only_invites_into_configured_rooms_are_followed(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    notebook = Notebook()
    alias = f"images-{alice.id[1:].partition(':')[0]}"
    config = settings(synapse, account, f"#{alias}:slipway.test")
    chat = MatrixChat(config, InMemory(), system_clock)
    async with running(chat, notebook):
        stranger = await alice.create_room(invite=(account.user_id,))
        direct = await alice.create_room(invite=(account.user_id,), direct=True)
        wanted = await alice.create_room(invite=(account.user_id,), alias=alias)
        await alice.member(wanted, account.user_id)
        await started(alice, wanted, notebook)
        async with Person(synapse, account) as bot:
            await bot.look()
            assert set(bot.events) == {wanted}
            assert bot.invites == {stranger, direct}


async def test_public_rooms_are_entered_and_closed_ones_reported(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    public, closed = await alice.create_room(public=True), await alice.create_room()
    notebook = Notebook()
    chat = MatrixChat(
        settings(synapse, account, public, closed, "#nowhere:slipway.test"), InMemory(), system_clock
    )
    async with running(chat, notebook):
        await alice.member(public, account.user_id)
        await started(alice, public, notebook)
        detail = chat.health().detail
        assert f"enter {closed}" in detail
        assert f"Invite {account.user_id}" in detail
        assert "#nowhere:slipway.test" in detail
        await alice.invite(closed, account.user_id)
        await alice.member(closed, account.user_id)
        await alice.say(public, "next")
        await notebook.heard("next")
        assert closed not in chat.health().detail


async def test_a_known_person_may_talk_with_the_bot_alone(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    notebook = Notebook()
    chat = MatrixChat(
        settings(synapse, account), InMemory(), system_clock, knows=lambda user: user == alice.id
    )
    async with running(chat, notebook), Person.of(synapse) as mallory:
        lured = await mallory.create_room(invite=(account.user_id,), direct=True)
        room = await alice.create_room(invite=(account.user_id,), direct=True)
        await alice.member(room, account.user_id)
        await started(alice, room, notebook)
        await alice.say(room, "help")
        assert (await notebook.heard("help")).address is Address.DIRECT
        await mallory.look()
        assert account.user_id not in [each["sender"] for each in mallory.events[lured]]
        await alice.invite(room, mallory.id)
        await mallory.join(room)
        await alice.say(room, "is it still only us?")
        back = await alice.create_room(invite=(account.user_id,), direct=True)
        await alice.member(back, account.user_id)
        await started(alice, back, notebook)
        assert "is it still only us?" not in notebook.texts


async def test_an_encrypted_room_is_refused_with_one_sentence(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    plain = await alice.create_room(invite=(account.user_id,))
    secret = await alice.create_room(invite=(account.user_id,), encrypted=True)
    memory = InMemory()
    for _start in range(2):
        notebook = Notebook()
        chat = MatrixChat(settings(synapse, account, plain, secret), memory, system_clock)
        async with running(chat, notebook):
            await alice.member(secret, account.user_id)
            await alice.member(plain, account.user_id)
            await started(alice, plain, notebook)
            await alice.say(secret, "!promote in clear text")
            with pytest.raises(ChatError, match="is encrypted") as refused:
                await chat.send(secret, Card(title="report"), thread=None, key="report")
            assert not refused.value.passing
            await alice.say(plain, "!last")
            await notebook.heard("!last")
            assert "!promote in clear text" not in notebook.texts
            assert f"{secret} is encrypted" in chat.health().detail
    await alice.message(secret, ENCRYPTED)
    assert [each.body for each in alice.messages(secret, account.user_id)] == [ENCRYPTED]


async def test_a_room_that_becomes_encrypted_is_refused_from_then_on(house: House, alice: Person) -> None:
    await alice.call(
        "PUT", f"/rooms/{house.room}/state/m.room.encryption/", {"algorithm": "m.megolm.v1.aes-sha2"}
    )
    await alice.message(house.room, ENCRYPTED)


async def test_sending_before_listening_logs_in_and_knows_encrypted_rooms(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    plain, secret = await alice.create_room(public=True), await alice.create_room(public=True, encrypted=True)
    async with Person(synapse, account) as bot:
        await bot.join(plain)
        await bot.join(secret)
    chat = MatrixChat(settings(synapse, account, plain, secret), InMemory(), system_clock)
    await chat.send(plain, Card(title="up again"), thread=None, key="up")
    with pytest.raises(ChatError, match="is encrypted"):
        await chat.send(secret, Card(title="up again"), thread=None, key="up")
    await chat.close()
    await alice.message(plain, "up again")


async def test_a_password_keeps_the_device(synapse: Synapse, alice: Person, account: Account) -> None:
    room = await alice.create_room(public=True)
    for key in ("one", "one"):
        config = settings(
            synapse,
            account,
            room,
            access_token=None,
            password=SecretStr(account.password),
            device_id="SLIPWAY",
        )
        notebook = Notebook()
        chat = MatrixChat(config, InMemory(), system_clock)
        async with running(chat, notebook):
            await alice.member(room, account.user_id)
            await chat.send(room, Card(title="hello"), thread=None, key=key)
    await alice.say(room, "last")
    await alice.message(room, "last")
    assert len(alice.messages(room, account.user_id)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"access_token": SecretStr("syt_wrong")}, "access token"),
        ({"access_token": None, "password": SecretStr("wrong")}, "log in as"),
        ({"access_token": None}, "matrix.access_token or matrix.password"),
        ({"user_id": "@other:slipway.test"}, "matrix.user_id is @other:slipway.test"),
    ],
)
async def test_a_login_that_cannot_work_ends_the_chat_with_a_clear_error(
    synapse: Synapse, account: Account, change: dict[str, object], words: str
) -> None:
    chat = MatrixChat(settings(synapse, account, **change), InMemory(), system_clock)
    with pytest.raises(ChatError, match=words) as error:
        async with asyncio.timeout(20):
            await chat.run(Notebook())
    assert not error.value.passing
    assert "syt_wrong" not in str(error.value)
    assert not chat.health().connected
    assert chat.health().detail == str(error.value)


async def test_a_message_to_a_room_without_the_bot_is_refused_for_good(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room = await alice.create_room()
    chat = MatrixChat(settings(synapse, account, room), InMemory(), system_clock)
    with pytest.raises(ChatError, match="M_FORBIDDEN") as error:
        await chat.send(room, Card(title="hello"), thread=None, key="k")
    assert not error.value.passing
    await chat.close()
