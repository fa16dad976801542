"""The whole bot, asked for an approval that takes a code: given in an encrypted direct chat, and kept nowhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import PersonSettings
from slipway.bot.core.times import system_clock
from slipway.bot.core.totp import code_at, new_secret, step_at
from slipway.bot.operations.model import OperationState
from tests.matrix.builders import settings
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.harness import bot_with_clouds
from tests.support.azure import X64
from tests.support.configuration import DECLARED
from tests.support.processes.synapse import Account, Synapse

pytestmark = pytest.mark.xdist_group("program")


@pytest.fixture
async def azure() -> AsyncIterator[SimulatedAzure]:
    simulated = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    await simulated.start()
    yield simulated
    await simulated.stop()


async def test_a_code_counts_in_an_encrypted_direct_chat_and_is_kept_nowhere(
    synapse: Synapse,
    account: Account,
    azure: SimulatedAzure,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    state = tmp_path / "state"
    secret = new_secret()
    async with (
        EncryptedPerson.of(synapse, tmp_path / "ann", strict=True) as ann,
        EncryptedPerson.of(synapse, tmp_path / "bea", strict=True) as bea,
    ):
        room = await ann.create_room(account.user_id, bea.id)
        await bea.call("POST", f"/join/{room}", {})
        base = demo_settings(state_dir=state, aws_endpoint=None, azure_endpoint=azure.url, spec=DECLARED.spec)
        promote = base.policy["promote"].model_copy(update={"step_up": True})
        people = tuple(
            PersonSettings(id=name, identities=(f"matrix:{who.id}",), roles=("releng",), totp_secret=code_of)
            for name, who, code_of in (("ann", ann, None), ("bea", bea, secret))
        )
        changes = {"matrix": settings(synapse, account, room), "person": people, "schedule": ()}
        configured = base.model_copy(update={**changes, "policy": {**base.policy, "promote": promote}})
        async with bot_with_clouds(configured) as bot:
            await ann.until_answered(room, account.user_id)
            await ann.say(room, f"!promote {X64}")
            await ann.message(room, "!approve")
            (operation,) = await bot.operations.recent(1)
            await bea.sync()
            await bea.say(room, f"!approve {operation.id} {operation.digest_prefix}")

            # The bot begins the direct chat, which is encrypted like the room.
            direct = await bea.until(lambda: next(iter(bea.client.invited_rooms), ""), what="a direct chat")
            await bea.call("POST", f"/join/{direct}", {})
            asked = await bea.message(direct, "your approval takes a code")
            assert asked.decrypted

            right = code_at(secret, step_at(system_clock()))
            wrong = next(each for each in ("493817", "602485") if each != right)
            await bea.say(direct, wrong)
            refused = await bea.message(direct, "That code is not right")
            assert refused.decrypted
            assert (await bot.operations.get(operation.id)).state is OperationState.PROPOSED
            await bea.say(direct, right)
            done = await ann.message(room, "promote: done")
            assert done.decrypted
            await bot.workflows.idle()
            (ended,) = await bot.operations.recent(1)
            assert [(vote.person, vote.stepped_up) for vote in ended.votes] == [("bea", True)]
        shown = [right, wrong]
        kept = b"".join(each.read_bytes() for each in state.rglob("*") if each.is_file())
        logged = "".join(capfd.readouterr())
        for person in (ann, bea):
            await person.sync()
            own = [*person.texts(room, account.user_id), *person.texts(direct, account.user_id)]
            assert not [each for each in shown if any(each in text for text in own)]
        everybody_reads = str([each.source for events in ann.events.values() for each in events])
        for each in shown:
            assert each.encode() not in kept
            assert each not in logged
            assert each not in everybody_reads
        assert secret.get_secret_value().encode() not in kept
