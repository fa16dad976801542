"""Questions and their answers, on every platform."""

from __future__ import annotations

import pytest

from tests.conformance.harness import Capability, Where
from tests.conformance.run import ConformanceRun, candidate
from tests.support.azure import X64
from tests.support.configuration import STRANGER


async def test_a_question_is_answered_once_where_it_was_asked(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        (answer,) = await session.say("carol", "!whoami")
        assert "You are Carol" in answer.text
        assert answer.thread is None
        assert not answer.choices
        (stranger,) = await session.say(STRANGER, "!whoami")
        assert "I do not know you" in stranger.text
        (refused,) = await session.say("carol", f"!promote {X64}")
        assert "promote" in refused.text
        (error,) = await session.say("alice", "!promote Fedora-Cloud-99-x64")
        assert X64 in error.text  # the nearest name
        assert await run.operations() == ()


async def test_a_line_is_understood_whatever_its_keyboard_or_editor_made_of_it(run: ConformanceRun) -> None:
    session = run.session
    async with run.bot():
        for line in ("！whoami", "！ｗｈｏａｍｉ", "\u2060!who\u200bami\ufe0f", "!whoami。"):  # noqa: RUF001
            (answer,) = await session.say("carol", line)
            assert "You are Carol" in answer.text, line


@pytest.mark.every_transport
async def test_a_picture_is_shown_once_beside_its_card_and_in_words(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.PICTURES)
    async with run.bot():
        (card,) = await session.say("carol", f"!images {X64} --chart")
        (picture,) = await session.platform.pictures()
    assert X64 in card.text
    assert picture.png.startswith(b"\x89PNG")
    assert picture.png.endswith(b"IEND\xaeB`\x82")
    assert X64 in picture.alternative
    assert candidate() in picture.alternative
    assert (picture.thread, card.thread) == (None, None)


@pytest.mark.every_transport
async def test_it_is_addressed_in_threads_by_mentions_and_in_direct_chats(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.THREADS, Capability.MENTIONS, Capability.DIRECT_CHATS)
    async with run.bot():
        (root,) = await session.say("alice", "!whoami")
        (within,) = await session.say("alice", "!whoami", thread=root.id)
        assert within.thread == root.id
        (called,) = await session.say("bob", "whoami", mention=True)
        assert "You are Bob" in called.text
        (alone,) = await session.say("alice", "whoami", where=Where.DIRECT)
        assert "You are Alice" in alone.text
        room = {each.id for each in await session.visible_messages("bob")}
        assert alone.id not in room


@pytest.mark.every_transport
async def test_talk_edits_deletions_and_bots_cause_nothing(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.UNADDRESSED_TALK, Capability.EDITING, Capability.OTHER_BOTS)
    async with run.bot():
        assert await session.say("alice", "Shall we promote something?") == []
        await session.platform.edit(session.sent[-1], f"!promote {X64}")
        await session.platform.say_as_bots(f"!promote {X64}")
        await session.settle()
        card, _ = await session.propose()
        await session.platform.edit(session.sent[-1], "!promote Fedora-Cloud-43-Arm64")
        await session.settle()
        await session.platform.delete(session.sent[-1])
        await session.settle()
        assert [each.id for each in await session.visible_messages()] == [card.id]
        assert await session.current(card) == card
        assert len(await run.operations()) == 1
