"""`slipway matrix`, on a real Synapse, as an operator types it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.cli.main import main
from slipway.bot.cli.matrix_account import matrix_of
from slipway.bot.config.load import load
from slipway.bot.store.database import StateLock
from tests.matrix.clients import Person
from tests.matrix.encryption.encrypted_client import EncryptedPerson, is_cross_signed
from tests.support.configuration import DECLARED
from tests.support.processes.program import CONSOLE_CONFIGURATION
from tests.support.processes.synapse import Account, Synapse

Slipway = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, synapse: Synapse, account: Account) -> Path:
    (tmp_path / "slipway.toml").write_text(
        f"""
[matrix]
homeserver = "{synapse.url}"
user_id = "{account.user_id}"
rooms = ["#nowhere:slipway.test"]
"""
        + CONSOLE_CONFIGURATION
    )
    return tmp_path


@pytest.fixture
def slipway(folder: Path) -> Slipway:
    def run(*args: str, said: str | bytes = "", **environment: str) -> Result:
        command = ["matrix", *args, "--config", str(folder / "slipway.toml")]
        return CliRunner().invoke(main, command, input=said, env=environment)

    return run


def run_once(folder: Path, **environment: str) -> None:
    """What the start of the bot does to its account."""
    settings = load(folder / "slipway.toml", environment, spec=DECLARED.spec)

    async def start() -> None:
        connection = Connection(matrix_of(settings), store=AccountStore.in_state_dir(settings.state_dir))
        await connection.request("connect", lambda client: client.joined_rooms())
        await connection.close()

    asyncio.run(start())


def kept(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "state" / "matrix" / "login.json").read_text())
    return found


def log_out(synapse: Synapse, login: dict[str, str]) -> None:
    async def leave() -> None:
        account = Account(login["user_id"], "", login["access_token"], login["device_id"])
        async with Person(synapse, account) as bot:
            await bot.call("POST", "/logout", {})

    asyncio.run(leave())


def is_cross_signed_now(synapse: Synapse, user: str, device: str) -> bool:
    async def sync() -> bool:
        async with Person.of(synapse) as eve:
            return is_cross_signed(
                await eve.call("POST", "/keys/query", {"device_keys": {user: []}}), user, device
            )

    return asyncio.run(sync())


def test_logging_in_once_is_enough_and_no_password_is_kept(
    slipway: Slipway, folder: Path, synapse: Synapse, account: Account
) -> None:
    before = slipway("status")
    assert before.exit_code == 1
    assert "✘ The bot has no device yet. Next: `slipway matrix login`" in before.output
    done = slipway("login", said=f"\ufeff{account.password}\r\n")  # as an editor on Windows writes it
    assert done.exit_code == 0, done.output
    assert f"Logged in as {account.user_id}, device SLIPWAY." in done.output
    assert account.password not in done.output
    for path in (folder / "state").rglob("*"):
        assert path.is_dir() or account.password.encode() not in path.read_bytes()
    run_once(folder)  # without any secret in the configuration
    assert is_cross_signed_now(synapse, account.user_id, "SLIPWAY")
    status = slipway("status")
    assert re.search(r"Device +SLIPWAY, signed\n", status.output)
    assert re.search(r"Identity +master key \S{43}, the bot's own\n", status.output)
    assert re.search(r"One-time keys +50 at the homeserver\n", status.output)
    assert "✘ The room #nowhere:slipway.test does not exist." in status.output
    assert status.exit_code == 1


def test_a_room_that_the_bot_is_invited_into_is_entered_when_it_runs_and_no_trouble(
    slipway: Slipway, folder: Path, synapse: Synapse, account: Account
) -> None:
    inviter = synapse.register(None)

    async def rooms() -> tuple[str, str]:
        async with Person(synapse, inviter) as alice:
            return await alice.create_room(), await alice.create_room()

    async def invite() -> None:
        async with Person(synapse, inviter) as alice:
            await alice.invite(invited, account.user_id)

    invited, closed = asyncio.run(rooms())
    path = folder / "slipway.toml"
    path.write_text(path.read_text().replace('"#nowhere:slipway.test"', f'"{invited}", "{closed}"'))
    slipway("login", said=account.password)
    assert f"✘ The bot is not in {invited}." in slipway("status").output
    asyncio.run(invite())
    status = slipway("status")
    assert f"{invited}, invited; the bot enters when it runs: `slipway run`" in status.output
    assert f"✘ The bot is not in {closed}. Invite {account.user_id} into it." in status.output
    assert status.output.count("✘") == 1


def test_a_wrong_password_is_told(slipway: Slipway, account: Account) -> None:
    result = slipway("login", said="wrong\n")
    assert result.exit_code == 1
    sentence = (
        f"Could not log in as {account.user_id}: the homeserver does not accept the password (M_FORBIDDEN)"
    )
    assert sentence in result.output
    assert "look at matrix.user_id, and type `slipway matrix login` again" in result.output
    assert slipway("login", said="\ufeff\n").output == "Password: nothing was given.\n"
    odd = slipway("login", said=b"caf\xe9\n")
    assert (odd.exit_code, odd.output) == (1, "Password: what was given is not text in UTF-8.\n")


def test_a_configured_token_would_win_and_is_named(slipway: Slipway) -> None:
    result = slipway("login", SLIPWAY_MATRIX_ACCESS_TOKEN="syt_x")
    assert result.exit_code == 1
    assert "take it out of the environment variable SLIPWAY_MATRIX_ACCESS_TOKEN first" in result.output


def test_logging_in_again_keeps_what_works(slipway: Slipway, folder: Path, account: Account) -> None:
    slipway("login", said=account.password)
    before = kept(folder)
    assert slipway("login", said=account.password).exit_code == 0
    assert kept(folder) == before


def test_a_removed_device_is_shown_and_replaced(
    slipway: Slipway, folder: Path, synapse: Synapse, account: Account
) -> None:
    slipway("login", said=account.password)
    log_out(synapse, kept(folder))
    status = slipway("status")
    assert "no longer knows device SLIPWAY: it was removed or logged out. Next: `slipway matrix login`" in (
        status.output
    )
    assert slipway("login", said=account.password).exit_code == 0
    new = kept(folder)["device_id"]
    assert new != "SLIPWAY"
    assert is_cross_signed_now(synapse, account.user_id, new)


def test_lost_keys_are_shown_and_a_new_device_takes_over(
    slipway: Slipway, folder: Path, synapse: Synapse, account: Account
) -> None:
    slipway("login", said=account.password)
    (folder / "state" / "matrix" / "keys-SLIPWAY.db").unlink()
    status = slipway("status")
    assert "keys of device SLIPWAY are lost" in status.output
    assert "Next: `slipway matrix login --new-device`" in status.output
    done = slipway("login", "--new-device", said=account.password)
    assert "Devices that are not used any more: SLIPWAY." in done.output
    assert is_cross_signed_now(synapse, account.user_id, kept(folder)["device_id"])
    assert "✘ The account still has the device SLIPWAY, whose keys are lost." in slipway("status").output


def test_a_foreign_identity_is_replaced_only_when_told_to(
    slipway: Slipway, synapse: Synapse, account: Account, tmp_path: Path, folder: Path
) -> None:
    async def somebody_was_here() -> None:
        somebody = EncryptedPerson(synapse, account, tmp_path / "somebody")
        await somebody.client.keys_upload()
        await somebody.cross_sign()
        await somebody.close()

    asyncio.run(somebody_was_here())
    refused = slipway("login", said=account.password)
    assert refused.exit_code == 1
    assert "does not replace it by itself" in refused.output
    assert "Next: `slipway matrix login --new-identity`" in slipway("status").output
    # Synapse asks for the password before it lets keys be replaced.
    assert slipway("login", "--new-identity", said=account.password).exit_code == 0
    assert is_cross_signed_now(synapse, account.user_id, kept(folder)["device_id"])


def test_it_does_not_log_in_under_the_feet_of_a_running_bot(
    slipway: Slipway, folder: Path, account: Account
) -> None:
    with StateLock(folder / "state"):
        result = slipway("login", said="")  # it is told before a password is asked for
    assert result.exit_code == 1
    assert "Another Slipway" in result.output


def test_an_unreachable_homeserver_is_told(slipway: Slipway, folder: Path, account: Account) -> None:
    slipway("login", said=account.password)
    config = folder / "slipway.toml"
    text = re.sub(r"http://127.0.0.1:\d+", "http://127.0.0.1:9", config.read_text())
    config.write_text(text)
    login = folder / "state" / "matrix" / "login.json"
    login.write_text(re.sub(r"http://127.0.0.1:\d+", "http://127.0.0.1:9", login.read_text()))
    result = slipway("status")
    assert result.exit_code == 1
    assert result.output == "Could not look at the account: 127.0.0.1 cannot be reached.\n"
