"""An approval that takes a code of its giver's authenticator app, and everything that goes wrong with that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Address, Choice
from slipway.bot.core.totp import PERIOD
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.events import LineRequest
from tests.support.azure import ARM, CANDIDATE, X64
from tests.support.clock import FakeClock
from tests.support.codes import Apps
from tests.support.harness import (
    BotHarness,
    audit_trail,
    newest_operation,
    newest_state,
    propose,
    running_bot,
)
from tests.support.memory_chat import MemoryChat, PostedMessage

BOB = "direct:bob"


@asynccontextmanager
async def bot_with_codes(
    folder: Path, clock: FakeClock | None = None
) -> AsyncIterator[tuple[BotHarness, Apps]]:
    """A bot whose promotions take a code, and the people's apps; at its end, no code stands anywhere."""
    clock = clock or FakeClock()
    apps = Apps(folder / "secrets", clock)
    async with running_bot(folder / "state", clock=clock, changes=apps.changes("promote")) as bot:
        yield bot, apps
    said = "\n".join(card.model_dump_json() for message in bot.messages for card in message.cards)
    held = await asyncio.to_thread(lambda: [each.read_bytes() for each in _files(folder / "state")])
    assert held
    for code in apps.shown:
        assert code not in said, "the bot says a code"
        assert not [content for content in held if code.encode() in content], "a code is stored"


def _files(folder: Path) -> Iterable[Path]:
    return (each for each in folder.rglob("*") if each.is_file())


async def to_bot(bot: BotHarness, who: str, text: str) -> list[PostedMessage]:
    """Say something to the bot alone."""
    return await bot.say(who, text, room=f"direct:{who}", address=Address.DIRECT)


async def test_an_approval_counts_once_its_code_was_right_and_nobody_hears_of_it_before(
    tmp_path: Path,
) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        card, operation_id = await propose(bot)
        assert "each with a code of their authenticator app" in card.text
        (asked,) = await bot.press("bob", Choice.APPROVE, card)
        assert asked.room == BOB
        assert f"{operation_id} promote: your approval takes a code" in asked.text
        assert not asked.card.buttons
        assert (await newest_operation(bot)).votes == ()
        told = await to_bot(bot, "bob", apps.code())
        assert await newest_state(bot) is OperationState.DONE
        assert "Bob approved with a code" in card.text
        assert any("removed your message" in each.text for each in told if each.room == BOB)
        assert len(bot.chat.removed) == 1
        entries = [entry for entry in await audit_trail(bot) if entry["action"] == "approval"]
        assert [(entry["actor"], entry["detail"]["step_up"]) for entry in entries] == [("bob", "code")]


async def test_a_typed_approval_is_asked_for_its_code_too_and_keeps_its_remark(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        card, operation_id = await propose(bot)
        (asked,) = await bot.say("bob", f"!approve {operation_id} tried on two machines")
        assert asked.room == BOB
        await to_bot(bot, "bob", apps.code())
        assert "tried on two machines" in card.text
        # Who names the operation beside the code has pressed by that.
        card, operation_id = await propose(bot, f"!promote {ARM}")
        bot.clock.advance(PERIOD)
        await to_bot(bot, "bob", f"approve {operation_id} {apps.code()} looks good")
        assert "Bob approved with a code" in card.text
        assert "looks good" in card.text


async def test_a_rejection_takes_no_code(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, _):
        card, _ = await propose(bot)
        await bot.press("bob", Choice.REJECT, card)
        assert await newest_state(bot) is OperationState.REJECTED


async def test_wrong_used_and_others_codes_count_for_nothing(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        card, _ = await propose(bot)
        (nothing,) = await to_bot(bot, "bob", apps.code())
        assert "You are asked for no code now" in nothing.text
        used = apps.code()
        await bot.press("bob", Choice.APPROVE, card)
        for code, told in (
            (used, "was used already"),
            (apps.code("alice"), "is not right"),
            ("000000", "is not right"),
            (apps.code(steps=5), "is not right"),
        ):
            (refused,) = await to_bot(bot, "bob", code)
            assert told in refused.text
            assert refused.room == BOB
        assert (await newest_operation(bot)).votes == ()
        bot.clock.advance(PERIOD)
        await to_bot(bot, "bob", apps.code())
        assert await newest_state(bot) is OperationState.DONE
        (again,) = await to_bot(bot, "bob", "000000")
        assert "You are asked for no code now" in again.text


async def test_too_many_wrong_codes_lock_out_also_over_a_restart_and_are_a_problem(tmp_path: Path) -> None:
    clock = FakeClock()
    apps = Apps(tmp_path / "secrets", clock)
    chat, changes = MemoryChat(), apps.changes("promote")
    async with running_bot(tmp_path / "state", clock=clock, chat=chat, changes=changes) as bot:
        card, operation_id = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        for _ in range(4):
            await to_bot(bot, "bob", "000000")
    async with running_bot(tmp_path / "state", clock=clock, chat=chat, changes=changes) as bot:
        (locked,) = await to_bot(bot, "bob", "000001")
        assert "one wrong code too many" in locked.text
        (refused,) = await to_bot(bot, "bob", apps.code())
        assert "was not looked at" in refused.text
        assert (await newest_operation(bot)).votes == ()
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        (listed,) = await bot.say("carol", "!problems")
        assert "Bob gave 5 wrong codes" in listed.text
        clock.advance(timedelta(minutes=16))
        await bot.say("bob", f"!approve {operation_id}")
        await to_bot(bot, "bob", apps.code())
        assert await newest_state(bot) is OperationState.DONE
        await bot.running.upkeep.sweep()
        await bot.running.idle()
        (listed,) = await bot.say("carol", "!problems")
        assert "wrong codes" not in listed.text


@pytest.mark.parametrize(
    "said", ["!approve {id} {code}", "@slipway {code}", "my code is {code}, sorry", "!promote {code}"]
)
async def test_a_code_that_others_can_read_is_used_up_and_counts_for_nothing(
    tmp_path: Path, said: str
) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        card, operation_id = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        code = apps.code()
        address = Address.MENTION if said.startswith("@") else Address.ROOM
        text = said.removeprefix("@slipway ").format(id=operation_id, code=code)
        (told,) = await bot.say("bob", text, address=address)
        assert "does not belong where others can read it" in told.text
        assert told.card.private_to == "bob"
        (used,) = await to_bot(bot, "bob", code)
        assert "was used already" in used.text
        assert (await newest_operation(bot)).votes == ()
        (wrong,) = await bot.say("bob", f"!approve {operation_id} 000000")
        assert "does not belong" in wrong.text, "nor does a wrong one"


async def test_a_code_in_a_reason_that_all_would_read_is_used_up(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        _, operation_id = await propose(bot)
        (told,) = await bot.say("bob", f"!reject {operation_id} {apps.code()}")
        assert "That held a code of yours" in told.text
        assert await newest_state(bot) is OperationState.PROPOSED


async def test_numbers_that_are_no_code_are_left_alone(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, _):
        before = len(bot.messages)
        await bot.say("bob", "the build 123456 failed")
        assert len(bot.messages) == before
        _, operation_id = await propose(bot)
        await bot.say("bob", f"!reject {operation_id} build 123456 failed")
        assert await newest_state(bot) is OperationState.REJECTED


async def test_what_changed_between_press_and_code_is_told_and_nothing_is_done(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        card, operation_id = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await bot.say("alice", f"!cancel {operation_id}")
        (late,) = await to_bot(bot, "bob", apps.code())
        assert f"{operation_id} is cancelled; nothing was changed by this." in late.text
        # What the plan rests on changes: it is stale, as without a code.
        card, operation_id = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        del bot.azure.state.versions[X64.casefold()][CANDIDATE]
        bot.clock.advance(PERIOD)
        await to_bot(bot, "bob", apps.code())
        assert await newest_state(bot) is OperationState.STALE
        # And a press is forgotten after its time.
        card, operation_id = await propose(bot, f"!promote {ARM}")
        await bot.press("bob", Choice.APPROVE, card)
        bot.clock.advance(timedelta(minutes=6))
        (late,) = await to_bot(bot, "bob", apps.code())
        assert "or no longer" in late.text
        assert await newest_state(bot) is OperationState.PROPOSED


async def test_a_code_counts_for_the_operation_that_was_pressed(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        first, first_id = await propose(bot)
        await bot.press("bob", Choice.APPROVE, first)
        second, _ = await propose(bot, f"!promote {ARM}")
        await to_bot(bot, "bob", apps.code())
        assert "promote: done" in first.card.title
        assert "waits for 1 approval" in second.card.title
        third, third_id = await propose(bot, f"!rollback {X64}")
        assert third_id != first_id
        bot.clock.advance(PERIOD)
        for card in (second,):
            await bot.press("bob", Choice.APPROVE, card)
        await bot.press("bob", Choice.APPROVE, third)  # which takes no code
        assert "rollback: done" in third.card.title


async def test_who_has_no_secret_is_told_whose_move_it_is(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, _):
        card, _ = await propose(bot)
        (told,) = await bot.press("dave", Choice.APPROVE, card)
        assert "slipway totp new dave" in told.text
        assert (await newest_operation(bot)).votes == ()


async def test_where_a_message_cannot_be_removed_its_giver_hears_that_it_stays(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        bot.chat.removes = False
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        told = await to_bot(bot, "bob", apps.code())
        assert any("stays in the history of this chat" in each.text for each in told if each.room == BOB)


async def test_no_log_holds_a_code(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bot_with_codes(tmp_path) as (bot, apps):
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await to_bot(bot, "bob", "000000")
        await bot.say("bob", apps.code())
        bot.clock.advance(PERIOD)
        await to_bot(bot, "bob", apps.code())
        assert await newest_state(bot) is OperationState.DONE
    shown = capfd.readouterr()
    for code in apps.shown:
        assert code not in caplog.text + shown.out + shown.err


async def test_one_event_that_comes_twice_counts_once(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        changes = {"event_id": "same", "room": BOB, "address": Address.DIRECT}
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        code = apps.code()
        for _ in range(2):
            await bot.say("bob", code, **changes)  # type: ignore[arg-type]
        assert await newest_state(bot) is OperationState.DONE
        assert len([each for each in await audit_trail(bot) if each["action"] == "approval"]) == 1


async def test_a_code_in_a_line_that_no_chat_brought_is_not_stored(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path) as (bot, apps):
        code = apps.code()
        for number, text in enumerate((f"approve op-7k3f {code}", f"images {code}")):
            request = LineRequest(
                event_key=f"say:{number}", requester="bob", text=text, room=None, at=bot.clock()
            )
            await bot.running.dispatcher.accept_line(request)
        await bot.running.idle()
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        (used,) = await to_bot(bot, "bob", code)
        assert "was used already" in used.text


async def test_numbers_of_whoever_can_give_no_code_are_numbers(tmp_path: Path) -> None:
    async with bot_with_codes(tmp_path / "used") as (bot, _):
        card, operation_id = await propose(bot, f"!rollback {X64}")
        await bot.say("dave", f"!approve {operation_id} build 123456")
        assert "build 123456" in card.text
    async with running_bot(tmp_path / "unused") as bot:
        card, operation_id = await propose(bot)
        await to_bot(bot, "bob", f"approve {operation_id} build 123456")
        assert "build 123456" in card.text
        (unknown,) = await to_bot(bot, "bob", "123456")
        assert "secret" not in unknown.text
