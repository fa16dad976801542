"""What people and servers may throw at the bot in a room: ignored, or answered by one sentence, never acted on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.matrix.events.parsing import parse_event
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Address, MessageEvent
from slipway.bot.wiring.parts import RunningBot
from tests.matrix.builders import BOT, settings
from tests.matrix.clients import APPROVE, Message, Person, RefusedError
from tests.matrix.harness import bot_without_clouds
from tests.support.processes.synapse import Account, Synapse

TEXT = {"msgtype": "m.text", "body": "!whoami"}


class Talk:
    """Alice, who may do everything, and the bot in one room."""

    def __init__(self, alice: Person, room: str, bot: str, running_bot: RunningBot) -> None:
        self.alice = alice
        self.room = room
        self.bot = bot
        self._running_bot = running_bot

    async def throw(self, content: Any, kind: str = "m.room.message") -> bool:
        """Send something odd; whether this homeserver takes it at all (another one may)."""
        try:
            await self.alice.send(self.room, kind, content)
        except RefusedError:
            return False
        return True

    async def answers(self) -> list[Message]:
        """What the bot has said once it has answered everything before this."""
        await self.alice.say(self.room, "!pending")
        await self.alice.message(self.room, "Nothing waits", sender=self.bot)
        await self._running_bot.workflows.idle()  # answers are made side by side
        await self.alice.sync()
        said = self.alice.messages(self.room, self.bot)
        return [each for each in said if "Nothing waits" not in each.body]


@pytest.fixture
async def talk(synapse: Synapse, alice: Person, account: Account, tmp_path: Path) -> AsyncIterator[Talk]:
    async with _talking(synapse, alice, account, tmp_path) as talk:
        yield talk


@asynccontextmanager
async def _talking(synapse: Synapse, alice: Person, account: Account, folder: Path) -> AsyncIterator[Talk]:
    room = await alice.create_room(public=True)
    async with bot_without_clouds(folder, settings(synapse, account, room), alice.id) as bot:
        await alice.member(room, account.user_id)
        await alice.until(lambda: bot.chats[MATRIX].health().connected, what="the bot")
        yield Talk(alice, room, account.user_id, bot)


async def test_odd_events_cause_nothing(talk: Talk) -> None:
    alice, room = talk.alice, talk.room
    mine = await alice.say(room, "just talking")
    await alice.react(room, mine, APPROVE)
    await alice.edit(room, mine, "!whoami")
    new = {"msgtype": "m.text", "body": "!whoami"}
    odd: list[tuple[Any, str]] = [
        ({**TEXT, "m.new_content": new}, "m.room.message"),
        ({"msgtype": "m.text"}, "m.room.message"),
        ({**TEXT, "body": ["!whoami"]}, "m.room.message"),
        ({**TEXT, "msgtype": "m.notice"}, "m.room.message"),
        ({}, "m.room.message"),
        (TEXT, "org.example.command"),
        ({"m.relates_to": {"rel_type": "m.annotation", "key": APPROVE}}, "m.reaction"),
        ({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$x", "key": APPROVE}}, "m.reaction"),
    ]
    taken = [await talk.throw(content, kind) for content, kind in odd]
    assert sum(taken) >= 4
    assert await talk.answers() == []


async def test_ill_formed_mentions_and_relations_do_not_keep_a_command_from_being_answered(
    talk: Talk,
) -> None:
    odd: list[Any] = ["@bot:x", {"user_ids": "all"}, {"user_ids": [7, None]}, {"room": "yes"}, {"x": {}}]
    taken = [await talk.throw({**TEXT, "m.mentions": mentions}) for mentions in odd]
    taken.append(await talk.throw({**TEXT, "m.relates_to": {"rel_type": 7, "event_id": {}}}))
    assert sum(taken) >= 1
    answers = await talk.answers()
    assert len(answers) == sum(taken)
    assert all(talk.alice.id in each.body for each in answers)


async def test_a_message_of_sixty_kilobytes_gets_one_short_sentence(talk: Talk) -> None:
    await talk.alice.say(talk.room, "!op " + "x" * 60_000)
    (answer,) = await talk.answers()
    assert len(answer.body) < 1_000


async def test_a_borrowed_name_gives_no_right_and_markup_in_a_name_is_only_text(
    synapse: Synapse, talk: Talk
) -> None:
    async with Person.of(synapse) as mallory:
        await mallory.join(talk.room)
        for name in (talk.alice.id, '<img src="x"><b>Alice</b>'):
            await mallory.call("PUT", f"/profile/{mallory.id}/displayname", {"displayname": name})
            await mallory.say(talk.room, "!approve op-7k3f")
        answers = await talk.answers()
    assert len(answers) == 2
    for answer in answers:
        assert mallory.id in answer.body
        assert talk.alice.id not in answer.body.replace(mallory.id, "")
        assert "<img" not in answer.html


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=30)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["m.notice", "m.emote", "m.image", "m.file", "m.key.verification.request"]) | JSON, JSON
)
def test_only_a_plain_text_is_ever_heard(msgtype: Any, more: Any) -> None:
    content = {"body": "!promote", "extra": more, "msgtype": msgtype}
    received = _parsed(content)
    assert received is None or msgtype == "m.text"


@given(JSON)
def test_whatever_the_mentions_hold_the_text_and_the_sender_stay(mentions: Any) -> None:
    received = _parsed({**TEXT, "m.mentions": mentions, "displayname": "@bob:example.org"})
    assert isinstance(received, MessageEvent)
    assert (received.text, received.sender) == ("!whoami", "@alice:example.org")


@given(st.dictionaries(st.sampled_from(["event_id", "key", "m.in_reply_to", "is_falling_back"]), JSON))
def test_whatever_an_edit_relates_to_it_is_never_heard(relation: dict[str, Any]) -> None:
    assert _parsed({**TEXT, "m.relates_to": {**relation, "rel_type": "m.replace"}}) is None


def _parsed(content: dict[str, Any]) -> Any:
    event = {
        "type": "m.room.message",
        "event_id": "$e",
        "sender": "@alice:example.org",
        "origin_server_ts": 1_795_000_000_000,
        "content": content,
    }
    return parse_event(event, room="!r", bot=BOT, address=Address.ROOM)
