"""Questions and their answers, on every platform."""

from __future__ import annotations

from tests.conformance.play import X64, Play
from tests.conformance.stage import STRANGER, Trait, Where


async def test_a_question_is_answered_once_where_it_was_asked(on_stage: Play) -> None:
    scene = on_stage.scene
    async with on_stage.bot():
        (answer,) = await scene.say("carol", "!whoami")
        assert "You are Carol" in answer.text
        assert answer.thread is None
        assert not answer.choices
        (stranger,) = await scene.say(STRANGER, "!whoami")
        assert "I do not know you" in stranger.text
        (refused,) = await scene.say("carol", f"!promote {X64}")
        assert "promote" in refused.text
        (mistake,) = await scene.say("alice", "!promote Fedora-Cloud-99-x64")
        assert X64 in mistake.text  # the nearest name
        assert await on_stage.operations() == ()


async def test_it_is_spoken_to_in_threads_by_mentions_and_alone(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.THREADS, Trait.MENTIONS, Trait.DIRECT)
    async with on_stage.bot():
        (root,) = await scene.say("alice", "!whoami")
        (within,) = await scene.say("alice", "!whoami", thread=root.id)
        assert within.thread == root.id
        (called,) = await scene.say("bob", "whoami", mention=True)
        assert "You are Bob" in called.text
        (alone,) = await scene.say("alice", "whoami", where=Where.DIRECT)
        assert "You are Alice" in alone.text
        room = {each.id for each in await scene.seen("bob")}
        assert alone.id not in room


async def test_talk_edits_deletions_and_bots_cause_nothing(on_stage: Play) -> None:
    scene = on_stage.scene
    scene.needs(Trait.TALK, Trait.EDITING, Trait.BOTS)
    async with on_stage.bot():
        assert await scene.say("alice", "Shall we promote something?") == []
        await scene.stage.edit(scene.said[-1], f"!promote {X64}")
        await scene.stage.machines_say(f"!promote {X64}")
        await scene.settle()
        card, _ = await scene.propose()
        await scene.stage.edit(scene.said[-1], "!promote Fedora-Cloud-43-Arm64")
        await scene.settle()
        await scene.stage.delete(scene.said[-1])
        await scene.settle()
        assert [each.id for each in await scene.seen()] == [card.id]
        assert await scene.now(card) == card
        assert len(await on_stage.operations()) == 1
