"""The bot's cross-signed device on a real Synapse: made once, kept, and never silently replaced."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.encryption.seeds import CrossSigningSeeds
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.api import authenticated_requests, request_json
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.core.errors import ChatError
from tests.matrix.builders import by_password, settings
from tests.matrix.clients import Person
from tests.matrix.encryption.encrypted_client import EncryptedPerson, is_cross_signed
from tests.support.processes.synapse import Account, Synapse


@pytest.fixture
async def eve(synapse: Synapse) -> AsyncIterator[Person]:
    """Somebody who looks at what the homeserver serves."""
    async with Person.of(synapse) as person:
        yield person


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "matrix"


async def start(matrix: MatrixSettings, folder: Path) -> str:
    """Connect, as at every start, and give the device's id."""
    connection = Connection(matrix, store=AccountStore(folder))
    try:
        await connection.request("connect", lambda client: client.joined_rooms())
        assert connection.keys is not None
        assert await one_time_keys(connection) >= 50
        return connection.keys.device.device_id
    finally:
        await connection.close()


async def one_time_keys(connection: Connection) -> int:
    """How many one-time keys of the connected device the homeserver holds."""
    path = "/_matrix/client/v3/keys/upload"
    answer = await connection.request(
        "count keys",
        lambda client: request_json(authenticated_requests(client), "count keys", "POST", path, {}),
    )
    return int(answer["one_time_key_counts"]["signed_curve25519"])


async def keys_of(eve: Person, user: str) -> dict[str, Any]:
    found: dict[str, Any] = await eve.call("POST", "/keys/query", {"device_keys": {user: []}})
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_device_is_signed_at_the_first_start_and_stays_the_same(
    synapse: Synapse, account: Account, eve: Person, folder: Path
) -> None:
    matrix = by_password(synapse, account)
    assert await start(matrix, folder) == "SLIPWAY"
    first = await keys_of(eve, account.user_id)
    assert is_cross_signed(first, account.user_id, "SLIPWAY")
    token = json.loads((folder / "login.json").read_text())["access_token"]
    assert await start(matrix, folder) == "SLIPWAY"
    assert await keys_of(eve, account.user_id) == first
    assert json.loads((folder / "login.json").read_text())["access_token"] == token  # no new login


async def test_what_is_kept_is_for_the_bot_alone(synapse: Synapse, account: Account, folder: Path) -> None:
    await start(by_password(synapse, account), folder)
    assert mode(folder) == 0o700
    for name in ("login.json", "cross-signing-seeds.json", "keys-SLIPWAY.db", "read-SLIPWAY.db"):
        assert mode(folder / name) == 0o600


async def test_seeds_may_come_from_the_configuration(
    synapse: Synapse, account: Account, eve: Person, folder: Path
) -> None:
    seeds = SecretStr(CrossSigningSeeds.new().text)
    await start(by_password(synapse, account, cross_signing_seeds=seeds), folder)
    assert not (folder / "cross-signing-seeds.json").exists()
    first = await keys_of(eve, account.user_id)
    shutil.rmtree(folder)
    device = await start(by_password(synapse, account, cross_signing_seeds=seeds), folder)
    second = await keys_of(eve, account.user_id)
    assert second["master_keys"] == first["master_keys"]
    assert is_cross_signed(second, account.user_id, device)
    with pytest.raises(
        ChatError, match="cross_signing_seeds cannot be used: these are not the seeds"
    ) as caught:
        await start(by_password(synapse, account, cross_signing_seeds=SecretStr("hunter2")), folder)
    assert "hunter2" not in str(caught.value)


async def test_a_crash_before_the_keys_were_published_is_made_good(
    synapse: Synapse, account: Account, eve: Person, folder: Path
) -> None:
    seeds = CrossSigningSeeds.new()
    AccountStore(folder).save_seeds(seeds)  # kept, and then the power went
    device = await start(by_password(synapse, account), folder)
    assert is_cross_signed(await keys_of(eve, account.user_id), account.user_id, device)
    assert AccountStore(folder).load_seeds() == seeds


async def test_a_lost_store_leads_to_a_new_device_under_the_same_identity(
    synapse: Synapse, account: Account, eve: Person, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix = by_password(synapse, account)
    old = await start(matrix, folder)
    before = await keys_of(eve, account.user_id)
    (folder / f"keys-{old}.db").unlink()
    new = await start(matrix, folder)
    assert new != old
    after = await keys_of(eve, account.user_id)
    assert after["master_keys"] == before["master_keys"]
    assert is_cross_signed(after, account.user_id, new)
    assert "keys of the bot's device are lost" in capsys.readouterr().out
    assert await start(matrix, folder) == new
    said = capsys.readouterr().out
    assert "remove them" in said
    assert old in said


async def test_a_lost_store_without_a_password_is_explained(
    synapse: Synapse, account: Account, folder: Path
) -> None:
    await start(settings(synapse, account), folder)
    shutil.rmtree(folder)
    with pytest.raises(ChatError, match="slipway matrix login --new-device") as caught:
        await start(settings(synapse, account), folder)
    assert account.device_id in str(caught.value)
    assert "take matrix.access_token out" in str(caught.value)
    assert not caught.value.passing


async def test_a_damaged_store_is_explained(synapse: Synapse, account: Account, folder: Path) -> None:
    matrix = by_password(synapse, account)
    await start(matrix, folder)
    (folder / "keys-SLIPWAY.db").write_bytes(b"nothing of the kind" * 500)
    with pytest.raises(ChatError, match=r"cannot be read .* from a backup"):
        await start(matrix, folder)


async def test_a_device_deleted_at_the_server_is_explained_or_replaced(
    synapse: Synapse, account: Account, eve: Person, folder: Path
) -> None:
    matrix = by_password(synapse, account)
    await start(matrix, folder)
    before = await keys_of(eve, account.user_id)
    token = json.loads((folder / "login.json").read_text())["access_token"]
    async with Person(synapse, Account(account.user_id, "", token, "SLIPWAY")) as bot:
        await bot.call("POST", "/logout", {})
    with pytest.raises(ChatError, match=r"no longer knows the bot's device SLIPWAY.*slipway matrix login"):
        await start(matrix.model_copy(update={"password": None}), folder)
    new = await start(matrix, folder)
    assert new != "SLIPWAY"
    after = await keys_of(eve, account.user_id)
    assert after["master_keys"] == before["master_keys"]
    assert is_cross_signed(after, account.user_id, new)


async def test_a_foreign_identity_is_never_replaced(
    synapse: Synapse, account: Account, eve: Person, folder: Path, tmp_path: Path
) -> None:
    somebody = EncryptedPerson(synapse, account, tmp_path / "somebody")
    await somebody.client.keys_upload()
    await somebody.cross_sign()
    await somebody.close()
    before = await keys_of(eve, account.user_id)
    with pytest.raises(ChatError, match="slipway matrix login --new-identity") as caught:
        await start(by_password(synapse, account), folder)
    assert not caught.value.passing
    after = await keys_of(eve, account.user_id)
    assert after["master_keys"] == before["master_keys"]
    assert not is_cross_signed(after, account.user_id, "SLIPWAY")
    assert not (folder / "cross-signing-seeds.json").exists()


async def test_with_encryption_off_nothing_is_published(
    synapse: Synapse, account: Account, eve: Person, folder: Path
) -> None:
    connection = Connection(by_password(synapse, account, encryption=False), store=AccountStore(folder))
    await connection.request("connect", lambda client: client.joined_rooms())
    assert connection.keys is None
    await connection.close()
    assert (
        "master_keys" not in await keys_of(eve, account.user_id)
        or not (await keys_of(eve, account.user_id))["master_keys"]
    )


async def test_one_time_keys_that_are_used_up_are_made_anew(
    synapse: Synapse, account: Account, eve: Person, folder: Path
) -> None:
    connection = Connection(by_password(synapse, account), store=AccountStore(folder))
    await connection.sync(None, full_state=True, poll=0)
    for _ in range(50):
        body = {"one_time_keys": {account.user_id: {"SLIPWAY": "signed_curve25519"}}}
        await eve.call("POST", "/keys/claim", body)
    assert connection.keys is not None
    await connection.sync(None, full_state=True, poll=0)
    assert await one_time_keys(connection) == 50
    claimed = await eve.call("POST", "/keys/claim", body)
    assert claimed["one_time_keys"][account.user_id]["SLIPWAY"]
    await connection.close()
