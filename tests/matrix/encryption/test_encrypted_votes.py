"""The whole bot in an encrypted room: what a reaction decides there, once, and until when it can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import PersonSettings, SlipwaySettings
from slipway.bot.core.times import system_clock
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.wiring.parts import RunningBot
from tests.matrix.builders import settings
from tests.matrix.clients import Person
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.harness import bot_with_clouds
from tests.support.aws import simulated_aws
from tests.support.azure import X64
from tests.support.configuration import DECLARED
from tests.support.processes.synapse import Account, Synapse

pytestmark = pytest.mark.xdist_group("program")

MACHINES = fedora_machines(system_clock())
IMAGE = next(image.name for image in MACHINES.images if ".x86_64-43-" in image.name)
LAUNCH = f"!launch {IMAGE} --for 2h"
PROMOTE = f"!promote {X64}"


@pytest.fixture
async def clouds() -> AsyncIterator[tuple[str, str]]:
    """Where EC2 and ARM listen."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    await azure.start()
    try:
        async with simulated_aws(MACHINES) as aws:
            yield aws.url, azure.url
    finally:
        await azure.stop()


def configured(
    folder: Path, clouds: tuple[str, str], matrix: object, approvals: int, *people: str
) -> SlipwaySettings:
    """The demo's configuration, by which reactions in encrypted rooms count as they do by default."""
    base = demo_settings(
        state_dir=folder, aws_endpoint=clouds[0], azure_endpoint=clouds[1], spec=DECLARED.spec
    )
    persons = tuple(
        PersonSettings(id=name, identities=(f"matrix:{account}",), roles=("releng",))
        for name, account in zip(("ann", "bea", "cyd"), people, strict=False)
    )
    launch = base.policy["launch"].model_copy(update={"approvals": approvals})
    policy = {**base.policy, "launch": launch}
    return base.model_copy(update={"matrix": matrix, "person": persons, "policy": policy, "schedule": ()})


async def asked(
    ann: EncryptedPerson, running_bot: RunningBot, room: str, text: str, *, but: str = ""
) -> tuple[str, Operation]:
    """Ask for a change; its card's event id, which is not ``but``, and the operation."""
    await ann.say(room, text)

    def card() -> str | None:
        for event in reversed(ann.events.get(room, [])):
            content = event.source.get("content", {})
            relation = content.get("m.relates_to", {})
            edits = relation.get("rel_type") == "m.replace"
            shown = content.get("m.new_content", content)
            if event.sender != ann.id and "!approve op-" in str(shown.get("body", "")):
                found = str(relation["event_id"] if edits else event.event_id)
                return None if found == but else found
        return None

    found = await ann.until(card, what="a card")
    (operation,) = await running_bot.operations.recent(1)
    return found, operation


async def test_a_reaction_launches_and_does_not_promote(
    synapse: Synapse, account: Account, clouds: tuple[str, str], tmp_path: Path
) -> None:
    async with EncryptedPerson.of(synapse, tmp_path / "ann") as ann, Person.of(synapse) as bea:
        room = await ann.create_room(account.user_id, bea.id)
        await bea.join(room)
        people = configured(tmp_path / "state", clouds, settings(synapse, account, room), 1, ann.id, bea.id)
        async with bot_with_clouds(people) as running_bot:
            await ann.until_answered(room, account.user_id)
            card, launch = await asked(ann, running_bot, room, LAUNCH)
            await ann.until(lambda: len(ann.reactions(room, card)) == 2, what="both buttons")
            await bea.react(room, card)
            await ann.message(room, "launch: done")
            assert (await running_bot.operations.get(launch.id)).votes[0].person == "bea"
            card, promotion = await asked(ann, running_bot, room, PROMOTE, but=card)
            assert not ann.reactions(room, card)
            await bea.react(room, card)
            told = await ann.message(room, "does not count")
            assert f"!approve {promotion.id} {promotion.digest_prefix}" in told.source["content"]["body"]
            after = await running_bot.operations.get(promotion.id)
            assert (after.state, after.votes) == (OperationState.PROPOSED, ())


async def test_a_reaction_counts_once_and_can_be_taken_back_until_it_is_decided(
    synapse: Synapse, account: Account, clouds: tuple[str, str], tmp_path: Path
) -> None:
    async with (
        EncryptedPerson.of(synapse, tmp_path / "ann") as ann,
        Person.of(synapse) as bea,
        Person.of(synapse) as cyd,
    ):
        room = await ann.create_room(account.user_id, bea.id, cyd.id)
        await bea.join(room)
        await cyd.join(room)
        people = configured(
            tmp_path / "state", clouds, settings(synapse, account, room), 2, ann.id, bea.id, cyd.id
        )
        async with bot_with_clouds(people) as running_bot:
            await ann.until_answered(room, account.user_id)
            card, operation = await asked(ann, running_bot, room, LAUNCH)

            async def votes(*expected: str) -> None:
                """Wait for these to have agreed, by what the card says and by what is kept."""
                words = f"waits for {2 - len(expected)} approval"

                def shown() -> bool:
                    edits = [
                        event.source["content"]["m.new_content"]["body"]
                        for event in ann.events[room]
                        if event.source.get("content", {}).get("m.relates_to", {}).get("event_id") == card
                        and "m.new_content" in event.source["content"]
                    ]
                    return bool(edits) and words in edits[-1]

                await ann.until(shown, what=words)
                now = await running_bot.operations.get(operation.id)
                assert {vote.person for vote in now.votes} == set(expected)
                assert now.state is OperationState.PROPOSED

            plain = await bea.react(room, card)
            await votes("bea")
            # The same again: a homeserver refuses that from its own people, but for another form of the sign.
            again = await bea.react(room, card, "✅\ufe0f")
            await bea.redact(room, again)
            await bea.redact(room, plain)
            await votes()
            first = await cyd.react(room, card)
            await votes("cyd")
            await bea.react(room, card)
            await ann.message(room, "launch: done")
            await cyd.redact(room, first)
            said = len(ann.texts(room, account.user_id))
            await ann.say(room, "!whoami")
            await ann.until(lambda: len(ann.texts(room, account.user_id)) > said, what="an answer")
            await running_bot.workflows.idle()
            after = await running_bot.operations.get(operation.id)
            assert {vote.person for vote in after.votes} == {"bea", "cyd"}
            assert after.state is OperationState.DONE
