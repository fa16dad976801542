"""Logging in by OpenSSH's client, to a real SSH server in a process of its own."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from slipway.bot.core.errors import UserError
from slipway.bot.subjects.machines.testing.judging import CloudInit, LoggedIn, Login, LoginRefused, NotReached
from slipway.bot.subjects.machines.testing.login import OpenSsh, check_program, shown_key
from slipway.bot.subjects.machines.testing.private_key import read_private_key
from tests.support.processes.program import ROOT
from tests.support.ssh_keys import ed25519

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no OpenSSH client here")

DONE = "status: done\nextended_status: done\nboot_status_code: enabled-by-generator\nerrors: []\n"


def private_key(folder: Path, number: int = 1, passphrase: bytes | None = None) -> Path:
    """A private key in a file, to which :func:`tests.support.ssh_keys.ed25519` of this number fits."""
    how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    key = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32))
    path = folder / f"key-{number}"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, how))
    path.chmod(0o600)
    return path


@asynccontextmanager
async def ssh_server(status: int = 0, output: str = DONE, key: int = 1) -> AsyncIterator[int]:
    """A server that takes one key; its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.machines.testing.ssh_server", ed25519(key), str(status), output),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def attempt(folder: Path, port: int, *, key: int = 1, user: str = "fedora") -> Login:
    return await OpenSsh(private_key(folder, key), port).attempt("127.0.0.1", user)


@needs_ssh
async def test_the_key_lets_the_bot_in_another_one_does_not_and_what_answers_nothing_is_not_reached(
    tmp_path: Path,
) -> None:
    async with ssh_server() as port:
        found = await attempt(tmp_path, port)
        assert isinstance(found, LoggedIn)
        assert found.cloud_init is CloudInit.DONE
        assert found.detail.startswith("status: done extended_status: done")
        assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", found.host_key)
        again = await attempt(tmp_path, port)
        assert isinstance(again, LoggedIn)
        assert again.host_key == found.host_key, "the same machine shows the same key"
        refused = await attempt(tmp_path, port, key=2)
        assert isinstance(refused, LoginRefused)
        assert "Permission denied (publickey)" in refused.words
        assert isinstance(await attempt(tmp_path, port, user="root"), LoginRefused)
    gone = await attempt(tmp_path, port)
    assert isinstance(gone, NotReached)
    assert "Connection refused" in gone.words


@pytest.mark.parametrize("held", ["", "host ssh-ed25519", "host ssh-ed25519 no-base64!", "\xff"])
def test_a_host_key_that_cannot_be_read_is_none(tmp_path: Path, held: str) -> None:
    known = tmp_path / "known_hosts"
    assert shown_key(known) == ""
    known.write_text(held, "utf-8")
    assert shown_key(known) == ""


@needs_ssh
@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (0, "status: running\n", CloudInit.RUNNING),
        (2, DONE, CloudInit.DEGRADED),
        (1, "status: error\nerrors:\n- disk\n", CloudInit.ERROR),
        (127, "", CloudInit.ABSENT),
        (0, "status: disabled\n", CloudInit.ABSENT),
        (0, "sunny\n", CloudInit.RUNNING),
    ],
)
async def test_what_cloud_init_says_is_read(
    tmp_path: Path, status: int, output: str, expected: CloudInit
) -> None:
    async with ssh_server(status, output) as port:
        found = await attempt(tmp_path, port)
    assert isinstance(found, LoggedIn)
    assert found.cloud_init is expected


@needs_ssh
async def test_a_machine_that_talks_without_end_is_not_listened_to_for_ever(tmp_path: Path) -> None:
    async with ssh_server(0, "x" * 100_000) as port:
        assert isinstance(await attempt(tmp_path, port), LoggedIn | NotReached)


@pytest.mark.parametrize("address", ["", "-oProxyCommand=touch /tmp/x", "example.org", "127.0.0.1;id"])
async def test_what_is_no_address_is_never_handed_to_a_program(tmp_path: Path, address: str) -> None:
    assert await OpenSsh(tmp_path / "none").attempt(address, "fedora") == NotReached("it has no address")


async def test_what_is_no_user_is_never_handed_to_a_program(tmp_path: Path) -> None:
    found = await OpenSsh(tmp_path / "none").attempt("127.0.0.1", "-oProxyCommand=id")
    assert isinstance(found, NotReached)


def test_the_public_key_is_read_from_the_private_one(tmp_path: Path) -> None:
    assert read_private_key(private_key(tmp_path, 3)).line == ed25519(3)


@pytest.mark.parametrize("odd", ["missing", "passphrase", "nonsense", "open"])
def test_a_key_that_ssh_could_not_use_is_refused_before_anything_is_launched(
    tmp_path: Path, odd: str
) -> None:
    path = tmp_path / "missing"
    if odd == "passphrase":
        path = private_key(tmp_path, passphrase=b"secret")
    elif odd == "nonsense":
        path.write_text("nonsense", "utf-8")
        path.chmod(0o600)
    elif odd == "open":
        path = private_key(tmp_path)
        path.chmod(0o644)
    with pytest.raises(UserError, match=r"testing\.ssh_key .*whoever runs Slipway can"):
        read_private_key(path)


def test_without_a_client_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="install OpenSSH's client"):
        check_program()
