"""What a subject looks after by itself: it asks under an identity of its own, and changes nothing otherwise."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from slipway.bot.chat.model import Card, Room
from slipway.bot.core.errors import DeclarationError
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.watches import Spot, Watch, WatchHost
from tests.support.configuration import declared_with
from tests.support.harness import BotHarness, audit_trail, newest_operation, running_bot
from tests.toys.subject import TOYS, ToyServices

Look = Callable[[ToyServices, WatchHost], Coroutine[Any, Any, None]]

NOBODY_APPROVES: dict[str, Any] = {
    "roles": {"releng": {"may": ["read", "toy.*"]}},
    "policy": {"toy-make": {"approvals": 1, "approvals_scheduled": 0, "role": "releng"}},
}


def watched(look: Look, *rights: str) -> Any:
    """Toys that are looked after so."""
    return declared_with(subjects=(replace(TOYS, watches=(Watch("shelf", rights, look),)),))


async def minute(bot: BotHarness) -> None:
    """Let a minute's upkeep happen, and all that follows from it."""
    await bot.running.upkeep.sweep()
    await bot.running.idle()


async def fill(services: ToyServices, host: WatchHost) -> None:
    """Ask for a duck where there is none."""
    if "duck" not in services.workshop.toys:
        await host.ask("duck", "toy make duck --colour blue", None)


async def test_what_it_asks_for_is_an_operation_of_its_own_identity_once(tmp_path: Path) -> None:
    declared = watched(fill, "toy.make")
    async with running_bot(tmp_path, changes=NOBODY_APPROVES, declarations=declared) as bot:
        await minute(bot)
        assert bot.running.services.get(ToyServices).workshop.toys == {"duck": "blue"}
        operation = await newest_operation(bot)
        assert (operation.state, operation.requester) == (OperationState.DONE, "service:shelf")
        proposed = [each for each in await audit_trail(bot) if each["action"] == "proposed"]
        bot.running.services.get(ToyServices).workshop.toys.clear()
        await minute(bot)  # the same key: it was asked for already
        assert [each for each in await audit_trail(bot) if each["action"] == "proposed"] == proposed
        assert [each["actor"] for each in proposed] == ["service:shelf"]


async def test_it_has_no_right_that_its_declaration_does_not_name(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=NOBODY_APPROVES, declarations=watched(fill)) as bot:
        await minute(bot)
        assert bot.running.services.get(ToyServices).workshop.toys == {}


async def test_it_tells_in_a_thread_and_edits_what_it_said(tmp_path: Path) -> None:
    said = ["The shelf is empty."]

    async def tell(services: ToyServices, host: WatchHost) -> None:
        spot = Spot(Room(platform=bot.chat.platform, id="console"), "m1")
        await host.say("shelf", Card(title=said[-1]), spot)

    async with running_bot(tmp_path, declarations=watched(tell)) as bot:
        await minute(bot)
        said.append("The shelf is full.")
        await minute(bot)
        (message,) = bot.messages
        assert (message.card.title, message.thread) == ("The shelf is full.", "m1")


async def test_one_that_fails_is_logged_and_looks_again_the_next_minute(tmp_path: Path) -> None:
    looks = []

    async def fail(_services: ToyServices, _host: WatchHost) -> None:
        looks.append(1)
        raise OSError("the shelf fell down")

    with capture_logs() as logs:
        async with running_bot(tmp_path, changes=NOBODY_APPROVES, declarations=watched(fail)) as bot:
            await minute(bot)
            await minute(bot)
            assert "waits for" in (await bot.say("alice", "!toy make horse"))[0].card.title
    assert len(looks) >= 2
    assert any(each["event"] == "something could not be looked after" for each in logs)


@pytest.mark.parametrize(
    ("name", "rights", "told"),
    [
        ("Shelf", (), "A watch cannot be called 'Shelf': use lower case and hyphens."),
        ("shelf", "toy.make", "The watch shelf needs a tuple of str as its rights, and has 'toy.make'"),
    ],
)
def test_a_wrong_declaration_is_told_in_a_sentence(name: str, rights: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told[:60]):
        Watch(name, rights, fill)
