"""Two replicas in an encrypted room of a real Synapse: a device each, one identity, one answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from slipway.bot.chat.matrix.encryption.seeds import CrossSigningSeeds
from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.config.settings import PersonSettings, SlipwaySettings
from slipway.bot.store.settings import DatabaseSettings
from tests.matrix.builders import settings
from tests.matrix.encryption.encrypted_client import EncryptedPerson, is_cross_signed
from tests.matrix.harness import bot_with_clouds
from tests.support.configuration import DECLARED
from tests.support.processes.postgres import Postgres
from tests.support.processes.synapse import Account, Synapse

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("program")]


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new()


def device_of(folder: Path) -> str:
    """The device of the replica with this state folder."""
    return str(json.loads((folder / "matrix" / "login.json").read_text())["device_id"])


async def test_an_encrypted_command_is_answered_once_also_where_one_device_alone_can_read_it(
    synapse: Synapse, tmp_path: Path, url: str
) -> None:
    account = await asyncio.to_thread(synapse.register)
    async with EncryptedPerson.of(synapse, tmp_path / "ann", strict=True) as ann:
        room = await ann.create_room(account.user_id)
        seeds = CrossSigningSeeds.new().text

        def configured(name: str) -> SlipwaySettings:
            matrix = settings(
                synapse,
                account,
                room,
                access_token=None,
                device_id="SLIPWAY",
                password=SecretStr(account.password),
                cross_signing_seeds=SecretStr(seeds),
            )
            base = demo_settings(
                state_dir=tmp_path / name,
                aws_endpoint=None,
                azure_endpoint="http://127.0.0.1:9",
                spec=DECLARED.spec,
            )
            person = PersonSettings(id="ann", identities=(f"matrix:{ann.id}",), roles=("admin",))
            return base.model_copy(
                update={
                    "matrix": matrix,
                    "person": (person,),
                    "schedule": (),
                    "database": DatabaseSettings(url=url),
                }
            )

        async with bot_with_clouds(configured("a")) as leader, bot_with_clouds(configured("b")) as follower:
            await ann.member(room, account.user_id)
            for _ in range(60):
                await ann.say(room, "!whoami")
                await ann.sync(wait_ms=500)
                if ann.texts(room, account.user_id):
                    break
            chats = (*leader.chats.values(), *follower.chats.values())
            await ann.until(
                lambda: all(each.health().connected for each in chats) or None, what="both listen"
            )
            keys = await ann.keys_of(account.user_id)
            devices = [device_of(tmp_path / name) for name in ("a", "b")]
            assert all(is_cross_signed(keys, account.user_id, each) for each in devices)

            await _answered_once(ann, room, account, "!status")
            ann.client.invalidate_outbound_session(room)
            ann.client.blacklist_device(ann.client.device_store[account.user_id][devices[0]])
            await _answered_once(ann, room, account, "!status")
            assert not any("could not read" in text for text in ann.texts(room, account.user_id))


async def _answered_once(ann: EncryptedPerson, room: str, account: Account, command: str) -> None:
    def answers() -> int:
        return sum("is up for" in text for text in ann.texts(room, account.user_id))

    before = answers()
    await ann.say(room, command)
    await ann.until(lambda: answers() > before or None, what="an answer")
    for _ in range(3):
        await ann.sync(wait_ms=300)
    assert answers() == before + 1
