"""Approvals on Matrix that take a code of the approver's authenticator app: asked for in a direct chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from slipway.bot.core.totp import PERIOD
from slipway.bot.operations.model import OperationState
from tests.matrix.clients import APPROVE, REJECT, Person
from tests.matrix.scenario import Scenario, scenario_in
from tests.support.azure import ARM, X64
from tests.support.codes import Apps
from tests.support.processes.synapse import Synapse


def changes(scenario: Scenario, apps: Apps) -> dict[str, Any]:
    named = {name: f"matrix:{getattr(scenario, name).id}" for name in ("alice", "bob", "carol")}
    return apps.changes("promote", identities=named)


async def direct_chat(scenario: Scenario, who: Person) -> str:
    """A chat with the bot alone, of which the bot knows."""
    room = await who.create_room(invite=(scenario.bot_id,), direct=True)
    await who.member(room, scenario.bot_id)
    await who.say(room, "whoami")
    await who.message(room, "You are", sender=scenario.bot_id)
    return room


async def let_remove(who: Person, room: str, bot: str) -> None:
    """Let the bot remove what others say."""
    path = f"/rooms/{quote(room)}/state/m.room.power_levels/"
    levels = await who.call("GET", path)
    levels["users"][bot] = levels.get("redact", 50)
    await who.call("PUT", path, levels)


async def test_a_reaction_asks_for_a_code_in_the_direct_chat_and_counts_once_it_is_right(
    synapse: Synapse, tmp_path: Path
) -> None:
    async with scenario_in(synapse, tmp_path / "state") as scenario:
        (tmp_path / "state").mkdir(exist_ok=True)
        apps, bob = Apps(tmp_path / "secrets", scenario.clock), scenario.bob
        async with scenario.bot(**changes(scenario, apps)):
            room = await direct_chat(scenario, bob)
            card = await scenario.ask(scenario.alice, f"!promote {X64}", "waits for 1 approval")
            await scenario.buttons(card, APPROVE, REJECT)
            await bob.react(scenario.room, card.id, APPROVE)
            await bob.message(room, "your approval takes a code", sender=scenario.bot_id)

            # What others can read counts for nothing, and neither does a code by an edit.
            seen = apps.code()
            await scenario.ask(bob, f"!approve {seen}", "does not belong where others can read it")
            said = await bob.say(room, "hello")
            await bob.message(room, "hello", sender=scenario.bot_id)
            await bob.edit(room, said, apps.code(steps=1))
            scenario.clock.ahead += PERIOD
            code = await bob.say(room, apps.code())
            await scenario.shows(card, "promote: done")
            assert "Bob approved with a code" in (await scenario.shows(card, "Bob approved")).body
            await bob.message(room, "stays in the history of this chat", sender=scenario.bot_id)
            assert any(each.id == code for each in bob.messages(room, bob.id))

            # Where it may, the bot takes the message away.
            await let_remove(bob, room, scenario.bot_id)
            card = await scenario.ask(scenario.alice, f"!promote {ARM}", "waits for 1 approval")
            await scenario.ask(bob, "!whoami", "You are Bob")
            before = {each.id for each in bob.messages(room, scenario.bot_id)}
            await bob.say(scenario.room, "!approve")
            await bob.until(
                lambda: any(
                    "your approval takes a code" in each.body
                    for each in bob.messages(room, scenario.bot_id)
                    if each.id not in before
                ),
                what="being asked for a code once more",
            )
            scenario.clock.ahead += PERIOD
            code = await bob.say(room, apps.code())
            await scenario.shows(card, "promote: done")
            await bob.message(room, "I have removed your message", sender=scenario.bot_id)
            await bob.sync()
            assert not any(each.id == code for each in bob.messages(room, bob.id))
            assert [each.state for each in await scenario.operations()] == [OperationState.DONE] * 2
        held = b"".join(each.read_bytes() for each in (tmp_path / "state").rglob("*") if each.is_file())
        assert not [shown for shown in apps.shown if shown.encode() in held]
