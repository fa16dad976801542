"""What machines and chats have of problems."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

from slipway.bot.chat.model import ChatHealth
from slipway.bot.messages.service import Backlog
from slipway.bot.operations.services import Services
from slipway.bot.subjects.machines.keys.model import LostAccount, read_account
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.watching.problems import look_at_ends, look_at_keys
from slipway.commands.general.problems import PATIENCE, look_at_chats
from tests.support.clock import HOUR, NOW

MACHINE = Machine(
    cloud="aws",
    instance_id="i-0f1e2d3c4b5a69788",
    region="eu-west-1",
    reservation_id=None,
    owner="alice",
    profile="small",
    launched_at=NOW - HOUR,
    lease_ends_at=NOW,
    cap_ends_at=NOW,
)


@dataclass
class Known:
    """What the services of machines know."""

    living_ones: tuple[Machine, ...] = ()
    lost_ones: tuple[LostAccount, ...] = ()
    rules: Any = field(default_factory=lambda: SimpleNamespace(attempts=3))

    @property
    def leases(self) -> Known:
        return self

    @property
    def keys(self) -> Any:
        return SimpleNamespace(stored=self)

    async def living(self) -> tuple[Machine, ...]:
        return self.living_ones

    async def lost(self) -> tuple[LostAccount, ...]:
        return self.lost_ones

    def get(self, _wanted: type) -> Known:
        return self

    @property
    def services(self) -> Services:
        return cast("Services", self)


async def test_a_machine_that_could_not_be_ended_is_its_owners_until_it_is_gone() -> None:
    known = Known((replace(MACHINE, attempts=3), replace(MACHINE, instance_id="i-1", attempts=4)))
    (found,) = (await look_at_ends(known.services)).found
    assert (found.owner, found.since) == ("alice", NOW)
    assert found.mend is not None
    assert found.mend.command == "terminate i-1"
    known.living_ones = ()
    assert (await look_at_ends(known.services)).found == ()


async def test_keys_of_an_account_that_was_taken_over_are_their_persons() -> None:
    lost = LostAccount("alice", read_account("github:alice"), "it is another one now.", NOW)
    (found,) = (await look_at_keys(Known(lost_ones=(lost,)).services)).found
    assert (found.owner, found.since) == ("alice", NOW)
    assert "github:alice" in found.what


async def test_a_chat_that_is_away_and_a_room_that_takes_nothing_are_told_once_that_lasts() -> None:
    async def backlog() -> Backlog:
        return Backlog({}, 0, ("What is to be said in the room !a of matrix waits. It is gone.",))

    away = SimpleNamespace(health=lambda: ChatHealth(False, None, "No answer."))
    well = SimpleNamespace(health=lambda: ChatHealth(True, None, ""))
    services = SimpleNamespace(chats={"matrix": away, "slack": well}, backlog=backlog)
    chat, room = (await look_at_chats(cast("Services", services))).found
    assert (chat.what, chat.detail) == ("The chat matrix is not connected.", "No answer.")
    assert room.what == "What is to be said in the room !a of matrix waits. It is gone."
    assert {chat.patience, room.patience} == {PATIENCE}
