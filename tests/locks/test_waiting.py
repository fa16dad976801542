"""Operations that wait for each other: in order, with the holder named, over a restart, and never for ever."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

from slipway.bot.chat.model import Choice, Room, WithdrawnReaction
from slipway.bot.clouds.simulated.faults import Armed, FaultKind
from slipway.bot.operations.model import OperationState
from slipway.bot.store.tables import operation_lock
from tests.slack.bot_process import free_port
from tests.support.azure import ARM, X64, simulated_gallery
from tests.support.harness import BotHarness, inject_fault, newest_state, propose, running_bot
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import impatient
from tests.web.raw import PATIENCE, get, say

REFUSING = {"policy": {"rollback": {"approvals": 1, "role": "releng", "when_locked": "refuse"}}}


async def _held(bot: BotHarness) -> tuple[PostedMessage, str, Armed]:
    """A promotion that works on a definition until its request is let go."""
    card, name = await propose(bot)
    held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await held.reached.wait()
    return card, name, held


async def _waiting(bot: BotHarness, holder: str) -> tuple[PostedMessage, str]:
    """A rollback of the same definition that waits for that."""
    card, name = await propose_beside(bot, f"!rollback {X64}")
    await bot.press("bob", Choice.APPROVE, card, wait=False)
    await bot.until(lambda: f"waits for {holder}" in card.text)
    return card, name


async def propose_beside(bot: BotHarness, text: str) -> tuple[PostedMessage, str]:
    """Ask for something while something else is under way."""
    seen = {each.id for each in bot.messages}
    await bot.say("alice", text, wait=False)

    def asked() -> list[PostedMessage]:
        return [each for each in bot.messages if each.id not in seen and each.card.buttons]

    await bot.until(lambda: bool(asked()))
    (card,) = asked()
    return card, card.card.buttons[0].operation_id


async def test_operators_see_how_many_wait_for_how_long_and_whether_changes_are_frozen(
    tmp_path: Path,
) -> None:
    port = free_port()
    ops = {"http": {"ops": {"listen": f"127.0.0.1:{port}"}}}

    async def told() -> dict[str, float]:
        async with asyncio.timeout(PATIENCE):  # of a busy machine, the database may not answer in time
            while b"slipway_look_failed 0" not in (answer := await say(port, get("/metrics"))):
                pass
        found = re.findall(r"^slipway_(locks?_\w+|frozen) ([0-9.]+)$", answer.decode(), re.MULTILINE)
        return {name: float(value) for name, value in found}

    async with running_bot(tmp_path, changes=ops, sleep=impatient) as bot:
        assert not any((await told()).values())
        _, name, held = await _held(bot)
        bot.clock.advance(timedelta(minutes=5))
        await _waiting(bot, name)
        bot.clock.advance(timedelta(minutes=1))
        await bot.say("alice", "!freeze the release is under way", wait=False)
        async with asyncio.timeout(PATIENCE):
            while not (found := await told())["frozen"] or found["locks_held"] > 1:
                pass  # freezing is an operation with a lock of its own
        assert (found["locks_held"], found["locks_waiting"]) == (1, 1)
        assert (found["lock_held_oldest_seconds"], found["lock_wait_oldest_seconds"]) == (360, 60)
        held.release()


async def test_the_card_of_one_that_waits_names_whom_it_waits_for_and_locks_lists_both(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        card, name, held = await _held(bot)
        rollback, second = await _waiting(bot, name)
        assert f"Now: waits for {name}, Alice's promote, which works on definition azure:" in rollback.text
        await bot.say("carol", "!lock", wait=False)
        await bot.until(lambda: any("1 lock" in each.card.title for each in bot.messages))
        (answer,) = [each for each in bot.messages if "1 lock" in each.card.title]
        (row,) = answer.card.tables[0].rows
        assert row[0] == f"definition azure:{X64.casefold()}"
        assert (row[1], row[2], row[4]) == (name, "Alice", second)
        held.release()
        await bot.running.workflows.idle()
        assert "done" in card.card.title
        (answer,) = await bot.say("carol", "!locks")
        assert answer.card.title == "Nothing is locked."


async def test_one_that_waits_can_be_cancelled_at_once(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        _, name, held = await _held(bot)
        rollback, second = await _waiting(bot, name)
        await bot.say("alice", f"!cancel {second}", wait=False)
        await bot.until(lambda: "cancelled" in rollback.card.title)
        assert [each.operation_id for each in await bot.running.services.locks.all()] == [name]
        held.release()
        await bot.running.workflows.idle()


async def test_one_that_loses_its_approval_in_line_leaves_it_at_once(tmp_path: Path) -> None:
    async with running_bot(tmp_path, sleep=impatient) as bot:
        _, name, held = await _held(bot)
        card, second = await propose_beside(bot, f"!rollback {X64}")
        await bot.press("bob", Choice.APPROVE, card, wait=False, event_id="vote")
        await bot.until(lambda: f"waits for {name}" in card.text)
        room = Room(platform=bot.chat.platform, id=card.room)
        taken_back = WithdrawnReaction(
            event_id="back", room=room, sender="bob", reaction_event_id="vote", sent_at=bot.clock()
        )
        assert bot.chat.accept is not None
        await bot.chat.accept(taken_back)
        await bot.until(lambda: "rollback: stale" in card.card.title)
        await bot.running.workflows.ended(f"do:{second}")
        assert [each.operation_id for each in await bot.running.services.locks.all()] == [name]
        held.release()
        await bot.running.workflows.idle()


async def test_where_policy_says_so_nothing_is_proposed_and_nothing_begins_beside_another(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, changes=REFUSING) as bot:
        approved, _ = await propose(bot, f"!rollback {X64}")
        _, name, held = await _held(bot)
        await bot.press("bob", Choice.APPROVE, approved, wait=False)
        await bot.until(lambda: "stale" in approved.card.title)
        await bot.say("alice", f"!rollback {X64}", wait=False)
        said = f"This is not done while another operation is at it: {name}, Alice's promote, which works on"
        await bot.until(
            lambda: any(said in each.text and "Nothing was proposed." in each.text for each in bot.messages)
        )
        held.release()
        await bot.running.workflows.idle()


async def test_after_a_restart_the_holder_goes_on_with_its_lock_and_the_other_still_waits_for_it(
    tmp_path: Path,
) -> None:
    async with simulated_gallery() as azure:
        async with running_bot(tmp_path, azure=azure, sleep=impatient, grace=timedelta(0)) as bot:
            card, name, held = await _held(bot)
            await _waiting(bot, name)
            kept, chat = await bot.running.services.locks.all(), bot.chat
        async with running_bot(tmp_path, azure=azure, chat=chat) as bot:
            assert await bot.running.services.locks.all() == kept
            held.release()
            await bot.running.workflows.idle()
            assert "promote: done" in card.card.title
            assert await newest_state(bot) is OperationState.STALE
            assert await bot.running.services.locks.all() == ()


async def test_what_an_operation_left_that_has_ended_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, f"!promote {ARM}")
        await bot.press("bob", Choice.APPROVE, card)
        (row,) = [{"target": f"definition azure:{X64.casefold()}", "operation_id": name}]
        now = bot.clock()
        await bot.running.database.execute(
            operation_lock.insert().values(**row, ticket=1, asked_at=now, since=now)
        )
        second, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, second, wait=False)
        await bot.running.workflows.quiet()
        assert await newest_state(bot) is OperationState.APPROVED
        await bot.running.upkeep.sweep()
        await bot.running.workflows.idle()
        assert "done" in second.card.title
