"""The same asked for again while it waits or runs: the first is shown, whoever asks, and nothing new is proposed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.azure import CANDIDATE, RAWHIDE, X64
from tests.support.clock import FakeClock
from tests.support.harness import BotHarness, inject_fault, propose, running_bot


async def only_operation(bot: BotHarness, name: str) -> None:
    (operation,) = await bot.running.operations.recent(10)
    assert operation.id == name


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (f"!promote {X64}", f"!promote {X64}"),
        (f"!promote {X64}", f"!promote {X64} {CANDIDATE}"),  # the same version, by its number
        (f"!rollback {X64}", f"!rollback {X64.lower()}"),
        (f"!cleanup {RAWHIDE}", f"!cleanup {RAWHIDE}"),
    ],
)
async def test_what_waits_is_shown_with_its_buttons(tmp_path: Path, first: str, again: str) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, first)
        for who in ("alice", "bob", "alice"):
            (shown,) = await bot.say(who, again)
            assert "The same was asked for before, by Alice" in shown.text
            assert name in shown.card.title
            assert {button.operation_id for button in shown.card.buttons} == {name}
        await only_operation(bot, name)
        await bot.press("bob", Choice.APPROVE, shown)  # whoever asked again is no requester
        for each in (card, shown):
            assert f"{name} " in each.card.title
            assert "done" in each.card.title


@pytest.mark.parametrize(
    ("line", "held", "after"),
    [
        (f"!cleanup {RAWHIDE}", FaultKind.HOLD_BEFORE, 0),
        (f"!cleanup {RAWHIDE}", FaultKind.HOLD_BEFORE, 2),  # a part of it is done
        (f"!promote {X64}", FaultKind.HOLD_AFTER, 0),  # the gallery works on it, and shows that
        (f"!rollback {X64}", FaultKind.HOLD_AFTER, 0),
        ("!promote Fedora-Cloud-43-*", FaultKind.HOLD_BEFORE, 1),
    ],
)
async def test_what_runs_is_shown_and_not_proposed_behind_it(
    tmp_path: Path, line: str, held: FaultKind, after: int
) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, line)
        change = inject_fault(bot, held, "DELETE *" if "cleanup" in line else "PUT *", after=after)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await change.reached.wait()
        await bot.say("alice", line, wait=False)
        await bot.until(lambda: any("asked for before" in each.text for each in bot.messages))
        change.release()
        await bot.running.idle()
        await only_operation(bot, name)
        assert all("running" not in each.card.title for each in bot.messages)


async def test_more_than_what_runs_is_proposed_beside_it(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot, f"!promote {X64}")
        held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await bot.say("alice", "!promote Fedora-Cloud-43-*", wait=False)
        await bot.until(lambda: any("2 definitions" in each.text for each in bot.messages))
        held.release()
        await bot.running.idle()
        assert [each.state for each in await bot.running.operations.recent(10)] == [
            OperationState.PROPOSED,
            OperationState.DONE,
        ]


async def test_what_has_ended_or_expired_can_be_asked_for_again(tmp_path: Path) -> None:
    clock = FakeClock()
    async with running_bot(tmp_path, clock=clock) as bot:
        _, name = await propose(bot)
        await bot.say("bob", f"!reject {name}")
        _, second = await propose(bot)
        clock.advance(timedelta(days=2))  # over its time, and not looked after yet
        _, third = await propose(bot)
        assert len({name, second, third}) == 3
        assert (await bot.running.operations.get(third)).state is OperationState.PROPOSED


async def test_something_else_of_the_same_definition_is_no_repetition(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        _, promotion = await propose(bot, f"!promote {X64}")
        _, rollback = await propose(bot, f"!rollback {X64}")
        assert promotion != rollback


async def test_what_waits_and_would_be_stale_is_proposed_anew(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        _, first = await propose(bot, f"!promote {X64} {CANDIDATE}")
        card, _ = await propose(bot, f"!rollback {X64}")
        await bot.press("bob", Choice.APPROVE, card)  # its latest is another one now
        _, again = await propose(bot, f"!promote {X64} {CANDIDATE}")
        assert again != first
