"""What the adapter says in Slack: each message once, in order, and within what Slack bears."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from slipway.bot.chat.model import Table, Tone
from slipway.bot.chat.slack.chat import SlackChat
from slipway.bot.core.errors import ChatError
from tests.slack.builders import LONG, PICTURED, PROPOSED, REPORT, RUNNING, SLIP
from tests.slack.harness import AdapterHarness, build_adapter
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import BOB, IMAGES, LOUNGE, OLD
from tests.support.key_value_store import InMemoryStore


@pytest.fixture
async def adapter(sim: SimulatedSlack) -> AsyncIterator[AdapterHarness]:
    """The adapter with its memory; it speaks without listening."""
    found = AdapterHarness(sim, None, [])  # type: ignore[arg-type]
    found.chat = build_adapter(sim, found)
    await found.chat._api.authenticate()
    yield found
    await found.chat.close()


async def _say(chat: SlackChat, key: str = "k", card: object = PROPOSED, **where: str) -> str:
    return await chat.send(where.get("room", IMAGES), card, thread=where.get("thread"), key=key)  # type: ignore[arg-type]


class TestOnce:
    async def test_the_same_key_shows_once(self, adapter: AdapterHarness) -> None:
        assert await _say(adapter.chat) == await _say(adapter.chat)
        assert len(adapter.sim.from_bot("images")) == 1

    async def test_a_message_has_slacks_own_time(self, adapter: AdapterHarness) -> None:
        message_id = await _say(adapter.chat)
        sent_at = await adapter.chat.sent_at(IMAGES, message_id)
        assert sent_at is not None
        assert sent_at.timestamp() == pytest.approx(float(message_id), abs=1e-5)
        assert await adapter.chat.sent_at(IMAGES, "no message's id") is None

    @pytest.mark.parametrize("in_thread", [False, True], ids=["channel", "thread"])
    async def test_the_same_key_shows_once_after_a_restart(
        self, sim: SimulatedSlack, in_thread: bool
    ) -> None:
        store = InMemoryStore()
        root = await sim.person("alice").post("images", "hello")
        where = {"thread": root.ts} if in_thread else {}
        sent = set()
        for _ in range(2):  # two lives, between which nobody remembers the message's id
            chat = build_adapter(sim, store=store)
            await chat._api.authenticate()
            sent.add(await _say(chat, **where))
            await chat.close()
        assert len(sent) == len(sim.from_bot("images")) == 1

    @pytest.mark.parametrize("failure", ["lose_answer", "break_after", "server_error"])
    async def test_a_doubtful_outcome_is_looked_into_before_it_is_said_again(
        self, adapter: AdapterHarness, failure: str
    ) -> None:
        getattr(adapter.sim.faults, failure)("chat.postMessage")
        with pytest.raises(ChatError) as caught:
            await _say(adapter.chat)
        assert caught.value.passing
        await _say(adapter.chat)
        assert len(adapter.sim.from_bot("images")) == 1
        assert adapter.sim.calls("conversations.history")

    async def test_slack_that_never_answers_is_given_up(self, sim: SimulatedSlack) -> None:
        chat = build_adapter(sim, request_timeout="1s")
        sim.faults.hang("chat.postMessage")
        with pytest.raises(ChatError, match="took too long") as caught:
            await _say(chat)
        assert caught.value.passing
        await chat.close()


class TestPace:
    async def test_messages_of_one_channel_are_a_second_apart_and_in_order(
        self, adapter: AdapterHarness
    ) -> None:
        await asyncio.gather(
            *(_say(adapter.chat, f"k{n}", RUNNING.model_copy(update={"title": f"{n}"})) for n in range(4))
        )
        assert adapter.sleeps == [1.0, 1.0, 1.0]
        assert [m.text.split("·")[-1].strip().split()[0] for m in adapter.sim.from_bot("images")] == list(
            "0123"
        )

    async def test_channels_do_not_wait_for_each_other(self, adapter: AdapterHarness) -> None:
        await _say(adapter.chat, "a")
        await _say(adapter.chat, "b", room="C0RELEASE")
        assert adapter.sleeps == []

    async def test_slack_is_given_the_time_it_asks_for(self, adapter: AdapterHarness) -> None:
        adapter.sim.faults.rate_limit("chat.postMessage", times=2, retry_after=17)
        await _say(adapter.chat)
        assert adapter.sleeps == [17.0, 17.0]
        assert len(adapter.sim.from_bot("images")) == 1

    async def test_more_than_a_minute_is_left_to_whoever_asked(self, adapter: AdapterHarness) -> None:
        adapter.sim.faults.rate_limit("chat.postMessage", retry_after=600)
        with pytest.raises(ChatError) as caught:
            await _say(adapter.chat)
        assert caught.value.passing

    async def test_of_edits_that_wait_only_the_newest_is_made(self, adapter: AdapterHarness) -> None:
        ts = await _say(adapter.chat)
        slow = adapter.sim.faults.slow("chat.update")

        async def edit(number: int) -> None:
            card = RUNNING.model_copy(update={"title": f"step {number}"})
            await adapter.chat.edit(IMAGES, ts, card, thread=None, key=f"e{number}")

        first = asyncio.create_task(edit(0))
        await adapter.sim.faults.struck(slow)
        rest = [asyncio.create_task(edit(number)) for number in range(1, 5)]
        await asyncio.sleep(0)
        slow.release()
        await asyncio.gather(first, *rest)
        (message,) = adapter.sim.from_bot("images")
        assert message.edits == 2
        assert "step 4" in message.all_text


class TestPrivately:
    async def test_what_concerns_one_person_is_shown_to_them_alone(self, adapter: AdapterHarness) -> None:
        await _say(adapter.chat, card=SLIP)
        told = await adapter.sim.person("bob").ephemeral()
        assert "no command" in told.all_text
        assert adapter.sim.from_bot("images") == []

    @pytest.mark.parametrize("gone", [False, True], ids=["there", "deleted meanwhile"])
    async def test_it_takes_the_place_of_what_all_could_see(
        self, adapter: AdapterHarness, gone: bool
    ) -> None:
        ts = await _say(adapter.chat, card=RUNNING)  # “Looking into it…”
        if gone:
            (message,) = adapter.sim.from_bot("images")
            await adapter.sim.person("alice").delete(message, as_admin=True)
        await adapter.chat.edit(IMAGES, ts, SLIP, thread=None, key="e")
        assert "no command" in (await adapter.sim.person("bob").ephemeral()).all_text
        assert adapter.sim.from_bot("images") == []

    @pytest.mark.parametrize("answered", [False, True], ids=["a lone root", "a thread"])
    async def test_in_a_thread_it_is_shown_where_slack_shows_it(
        self, adapter: AdapterHarness, answered: bool
    ) -> None:
        root = await adapter.sim.person("alice").post("images", "hello")
        if answered:
            await adapter.sim.person("alice").post("images", "and more", thread=root)
        await _say(adapter.chat, card=SLIP, thread=root.ts)
        told = await adapter.sim.person("bob").ephemeral()
        assert told.thread_ts == (root.ts if answered else None)

    async def test_who_is_not_in_the_channel_is_told_directly(self, adapter: AdapterHarness) -> None:
        adapter.sim.channel("images").members.discard(BOB)
        await _say(adapter.chat, card=SLIP)
        direct = adapter.sim.core.open_direct(BOB)
        assert "no command" in (await adapter.sim.message(direct.id)).all_text

    async def test_in_a_direct_message_it_is_a_message(self, adapter: AdapterHarness) -> None:
        direct = adapter.sim.core.open_direct(BOB)
        await _say(adapter.chat, card=SLIP, room=BOB)
        assert [m.channel for m in adapter.sim.from_bot(direct.id)] == [direct.id]

    async def test_mentions_reach_people(self, adapter: AdapterHarness) -> None:
        await _say(adapter.chat, card=REPORT)
        (message,) = adapter.sim.from_bot("images")
        assert message.text.startswith("<@U0ALICE00> ")


class TestLimits:
    @pytest.mark.parametrize(
        "row", [("a definition", "43.20261118.0"), ("сборка образа", "四十三版本")], ids=["rules", "words"]
    )
    async def test_a_message_that_could_be_sent_can_be_edited(
        self, adapter: AdapterHarness, row: tuple[str, str]
    ) -> None:
        table = Table(columns=("Definition", "Version"), rows=(row,) * 90)  # its rules have three bytes each
        card = PROPOSED.model_copy(update={"tables": (table,)})
        ts = await _say(adapter.chat, card=card)
        await adapter.chat.edit(IMAGES, ts, card.model_copy(update={"buttons": ()}), thread=None, key="e")
        assert next(m for m in adapter.sim.from_bot("images") if m.ts == ts).buttons == []

    @pytest.mark.parametrize(
        "error",
        [
            *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"),
            *("invalid_attachments", "only_one_table_allowed", "block_mismatch", "too_many_attachments"),
        ],
    )
    async def test_a_card_whose_blocks_slack_refuses_is_shown_in_words(
        self, adapter: AdapterHarness, error: str
    ) -> None:
        adapter.sim.faults.refuse("chat.postMessage", error)
        ts = await _say(adapter.chat)
        (message,) = adapter.sim.from_bot("images")
        assert message.blocks == []
        assert "!approve op-7k3f abcdef12" in message.text
        adapter.sim.faults.refuse("chat.update", error)
        await adapter.chat.edit(IMAGES, ts, REPORT, thread=None, key="e")
        assert "promote: done" in message.text

    @pytest.mark.parametrize("error", ["ratelimited", "rate_limited"])
    async def test_both_words_for_too_fast_are_known(self, adapter: AdapterHarness, error: str) -> None:
        adapter.sim.faults.refuse("chat.postMessage", error)
        await _say(adapter.chat)
        assert adapter.sleeps == [1.0]


class TestFiles:
    @pytest.mark.parametrize("tone", [Tone.WAITING, Tone.RUNNING, Tone.INFO])
    async def test_an_answer_that_replaces_another_message_has_its_file_unless_it_will_be_replaced_too(
        self, adapter: AdapterHarness, tone: Tone
    ) -> None:
        ts = await _say(adapter.chat)
        for number, fleeting in enumerate((True, False)):
            card = LONG.model_copy(update={"tone": tone, "fleeting": fleeting})
            await adapter.chat.edit(IMAGES, ts, card, thread=None, key=f"{number}")
            assert len(adapter.sim.world.files) == number

    async def test_the_whole_of_a_long_card_is_attached_once(self, sim: SimulatedSlack) -> None:
        store = InMemoryStore()
        for _ in range(2):
            chat = build_adapter(sim, store=store)
            await chat._api.authenticate()
            ts = await _say(chat, card=LONG)
            await chat.close()
        message, *files = sim.from_bot("images")
        assert "rows are shown" in message.all_text
        (attached,) = files
        assert attached.thread_ts == ts
        (file,) = sim.world.files.values()
        assert file.content is not None
        assert b"Fedora-Cloud-399-x64" in file.content

    async def test_without_the_scope_the_thread_says_what_is_missing(self, adapter: AdapterHarness) -> None:
        adapter.sim.lose_scope("files:write")
        await _say(adapter.chat, card=LONG)
        told = adapter.sim.from_bot("images")[-1]
        assert "the app lacks the scope `files:write`" in told.text
        assert told.thread_ts


class TestPictures:
    async def test_a_picture_follows_its_card_with_its_description(self, adapter: AdapterHarness) -> None:
        root = await adapter.sim.person("alice").post("images", "hello")
        for thread in (None, root.ts):
            ts = await adapter.chat.send(IMAGES, PICTURED, thread=thread, key=f"k{thread}")
            card, picture = [each for each in adapter.sim.from_bot("images") if each.thread_ts == thread]
            assert card.ts == ts
            (shown,) = picture.files
            assert (shown["mimetype"], shown["title"]) == ("image/png", "x64-20261120")
            file = adapter.sim.world.files[shown["id"]]
            assert file.content == PICTURED.pictures[0].png
            assert file.alternative == PICTURED.pictures[0].alternative

    @pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
    async def test_what_slack_does_not_take_now_stands_incomplete_until_it_is_tried_again(
        self, adapter: AdapterHarness, method: str
    ) -> None:
        adapter.sim.faults.server_error(method, times=2)
        with pytest.raises(ChatError) as caught:
            await _say(adapter.chat, card=PICTURED)
        assert caught.value.passing
        (card,) = adapter.sim.from_bot("images")
        assert caught.value.message_id == card.ts
        for _ in range(2):
            assert await _say(adapter.chat, card=PICTURED) == card.ts
        _, picture = adapter.sim.from_bot("images")
        assert len(picture.files) == 1

    async def test_a_picture_whose_answer_was_lost_is_looked_for(self, adapter: AdapterHarness) -> None:
        adapter.sim.faults.lose_answer("files.completeUploadExternal")
        await _say(adapter.chat, card=PICTURED)
        assert len(adapter.sim.from_bot("images")) == 2

    async def test_an_edit_brings_the_picture_that_its_card_has_once(self, adapter: AdapterHarness) -> None:
        ts = await _say(adapter.chat, card=RUNNING)
        for key in ("e1", "e2"):
            await adapter.chat.edit(IMAGES, ts, PICTURED, thread=None, key=key)
        assert len(adapter.sim.world.files) == 1

    async def test_a_workspace_that_takes_no_files_is_told_of_and_keeps_nothing_waiting(
        self, adapter: AdapterHarness
    ) -> None:
        adapter.sim.lose_scope("files:write")
        await _say(adapter.chat, card=PICTURED)
        _, told = adapter.sim.from_bot("images")
        assert "A picture could not be shown." in told.text
        assert "the app lacks the scope `files:write`" in told.text

    async def test_what_one_person_alone_sees_brings_its_picture_to_them_alone(
        self, adapter: AdapterHarness
    ) -> None:
        await _say(adapter.chat, card=PICTURED.model_copy(update={"private_to": BOB}))
        assert not adapter.sim.from_bot("images")
        direct = adapter.sim.core.open_direct(BOB).id
        (picture,) = adapter.sim.from_bot(direct)
        assert picture.files[0]["mimetype"] == "image/png"


class TestRefused:
    @pytest.mark.parametrize(
        ("room", "words"),
        [
            (OLD, "the channel C0OLD0000 is archived"),
            (LOUNGE, "I am not in the channel C0LOUNGE0; type `/invite @slipway` there"),
            ("C0NOWHERE", "type `/invite @slipway` there"),
        ],
    )
    async def test_a_channel_that_cannot_be_used_is_one_sentence(
        self, adapter: AdapterHarness, room: str, words: str
    ) -> None:
        with pytest.raises(ChatError) as caught:
            await _say(adapter.chat, room=room)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not caught.value.passing

    async def test_a_missing_scope_is_named(self, adapter: AdapterHarness) -> None:
        adapter.sim.lose_scope("chat:write")
        with pytest.raises(ChatError, match=r"the app lacks the scope `chat:write`.*slipway slack manifest"):
            await _say(adapter.chat)

    async def test_a_deleted_message_cannot_be_edited(self, adapter: AdapterHarness) -> None:
        ts = await _say(adapter.chat)
        (message,) = adapter.sim.from_bot("images")
        await adapter.sim.person("alice").delete(message, as_admin=True)
        with pytest.raises(ChatError, match="was deleted") as caught:
            await adapter.chat.edit(IMAGES, ts, RUNNING, thread=None, key="e")
        assert not caught.value.passing

    async def test_no_token_is_ever_logged(
        self, adapter: AdapterHarness, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        adapter.sim.faults.server_error("chat.postMessage")
        with pytest.raises(ChatError) as caught:
            await _say(adapter.chat)
        await _say(adapter.chat)
        out = capsys.readouterr()
        told = caplog.text + out.out + out.err + str(caught.value) + repr(adapter.chat._api._settings)
        assert "xoxb-" not in told
        assert "xapp-" not in told
