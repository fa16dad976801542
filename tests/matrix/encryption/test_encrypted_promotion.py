"""The whole bot in an encrypted room: a promotion by people on encrypted clients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import PersonSettings, SlipwaySettings
from slipway.bot.core.times import system_clock
from tests.matrix.builders import settings
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.harness import bot_with_clouds
from tests.support.configuration import DECLARED
from tests.support.processes.synapse import Account, Synapse

pytestmark = pytest.mark.xdist_group("program")


@pytest.fixture
async def azure() -> AsyncIterator[SimulatedAzure]:
    simulated = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    await simulated.start()
    yield simulated
    await simulated.stop()


def configured(
    folder: Path, azure: SimulatedAzure, matrix: Any, *people: str, reactions: bool | None
) -> SlipwaySettings:
    base = demo_settings(state_dir=folder, aws_endpoint=None, azure_endpoint=azure.url, spec=DECLARED.spec)
    persons = tuple(
        PersonSettings(id=name, identities=(f"matrix:{account}",), roles=("releng",))
        for name, account in zip(("ann", "bea"), people, strict=True)
    )
    promote = base.policy["promote"].model_copy(update={"encrypted_reactions": reactions})
    policy = {**base.policy, "promote": promote}
    return base.model_copy(update={"matrix": matrix, "person": persons, "policy": policy, "schedule": ()})


async def proposed(ann: EncryptedPerson, room: str, bot: str) -> tuple[str, str]:
    """Ask for a promotion once the bot listens; give its card's event id and what to type."""
    await ann.until_answered(room, bot)
    await ann.say(room, "!promote Fedora-Cloud-43-x64")
    event = await ann.message(room, "!approve")
    content = event.source["content"]
    relation = content.get("m.relates_to", {})
    card = relation["event_id"] if relation.get("rel_type") == "m.replace" else event.event_id
    found = re.search(r"!approve op-\w+ \w+", content.get("m.new_content", content)["body"])
    assert found is not None
    return card, found.group()


@pytest.mark.parametrize("reactions", [None, True])
async def test_a_promotion_takes_a_typed_approval_unless_reactions_may_count(
    synapse: Synapse, account: Account, azure: SimulatedAzure, tmp_path: Path, reactions: bool | None
) -> None:
    async with (
        EncryptedPerson.of(synapse, tmp_path / "ann", strict=True) as ann,
        EncryptedPerson.of(synapse, tmp_path / "bea", strict=True) as bea,
    ):
        room = await ann.create_room(account.user_id, bea.id)
        await bea.call("POST", f"/join/{room}", {})
        matrix = settings(synapse, account, room)
        async with bot_with_clouds(
            configured(tmp_path / "state", azure, matrix, ann.id, bea.id, reactions=reactions)
        ):
            card, typed = await proposed(ann, room, account.user_id)
        # A restart between the command and the approval.
        async with bot_with_clouds(
            configured(tmp_path / "state", azure, matrix, ann.id, bea.id, reactions=reactions)
        ):
            await bea.sync()
            await bea.react(room, card)
            if not reactions:
                await bea.message(room, "does not count")  # why it does not count
                assert not any("promote: done" in text.lower() for text in bea.texts(room, account.user_id))
                await bea.say(room, typed)
            done = await bea.message(room, "promote: done")
            assert done.decrypted


async def test_what_devices_ask_and_approve_that_nobody_verified_bears_a_warning_to_the_end(
    synapse: Synapse, account: Account, azure: SimulatedAzure, tmp_path: Path
) -> None:
    async with (
        EncryptedPerson.of(synapse, tmp_path / "ann", signed=False) as ann,
        EncryptedPerson.of(synapse, tmp_path / "bea", signed=False) as bea,
    ):
        room = await ann.create_room(account.user_id, bea.id)
        await bea.call("POST", f"/join/{room}", {})
        people = configured(
            tmp_path / "state", azure, settings(synapse, account, room), ann.id, bea.id, reactions=None
        )
        async with bot_with_clouds(people):
            _, typed = await proposed(ann, room, account.user_id)
            await bea.sync()
            await bea.say(room, typed)
            done = await bea.message(room, "promote: done")
            shown = done.source["content"].get("m.new_content", done.source["content"])["body"]
            for person in (ann, bea):
                assert (
                    f"{person.id}'s device {person.account.device_id}, which {person.id} has not verified"
                    in shown
                )
