"""A real Synapse for tests: its own process, on loopback, in a folder of its own, gone with the session.

Every test knows the fixture through the conftest beside it, so that one Synapse serves them all. Synapse is
AGPL: it is only ever run as a separate process.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import itertools
import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SERVER_NAME = "slipway.test"
_START_SECONDS = 90.0
_names = itertools.count(1)

_NO_LIMIT = {"per_second": 10_000, "burst_count": 10_000}
_LIFTED = {
    "rc_message": _NO_LIMIT,
    "rc_registration": _NO_LIMIT,
    "rc_login": {"address": _NO_LIMIT, "account": _NO_LIMIT, "failed_attempts": _NO_LIMIT},
    "rc_joins": {"local": _NO_LIMIT, "remote": _NO_LIMIT},
    "rc_invites": {"per_room": _NO_LIMIT, "per_user": _NO_LIMIT, "per_issuer": _NO_LIMIT},
    "rc_admin_redaction": _NO_LIMIT,
    "rc_room_creation": _NO_LIMIT,
}


@dataclass(frozen=True)
class Account:
    """A registered user, logged in on one device."""

    user_id: str
    password: str = field(repr=False)
    access_token: str = field(repr=False)
    device_id: str


@dataclass(frozen=True)
class Synapse:
    """A running homeserver."""

    url: str
    folder: Path
    secret: str = field(repr=False)

    def register(
        self, name: str | None = None, *, displayname: str | None = None, admin: bool = False
    ) -> Account:
        """Register a user by the admin API's shared secret; without a name, one nobody has yet."""
        name = name or f"user{next(_names)}"
        password = secrets.token_hex(8)
        nonce = self._call("GET", "/_synapse/admin/v1/register")["nonce"]
        message = b"\x00".join(
            [nonce.encode(), name.encode(), password.encode(), b"admin" if admin else b"notadmin"]
        )
        answer = self._call(
            "POST",
            "/_synapse/admin/v1/register",
            {
                "nonce": nonce,
                "username": name,
                "displayname": displayname or name,
                "password": password,
                "admin": admin,
                "mac": hmac.new(self.secret.encode(), message, hashlib.sha1).hexdigest(),
            },
        )
        return Account(answer["user_id"], password, answer["access_token"], answer["device_id"])

    def limit(self, account: Account, *, per_second: int, burst: int) -> None:
        """Let an account send so many events at once and then so many a second, as servers do out there."""
        admin = self.register(admin=True)
        path = f"/_synapse/admin/v1/users/{account.user_id}/override_ratelimit"
        limits = {"messages_per_second": per_second, "burst_count": burst}
        self._call("POST", path, limits, token=admin.access_token)

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 - always our own loopback http
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={} if token is None else {"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_config(folder: Path, port: int, secret: str) -> Path:
    seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    (folder / "signing.key").write_text(f"ed25519 a_test {seed}\n")
    log = {"version": 1, "disable_existing_loggers": False, "root": {"level": "WARNING"}}
    (folder / "log.yaml").write_text(json.dumps(log))
    config = {
        "server_name": SERVER_NAME,
        "public_baseurl": f"http://127.0.0.1:{port}/",
        "pid_file": str(folder / "synapse.pid"),
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "tls": False,
                "resources": [{"names": ["client"]}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "signing_key_path": str(folder / "signing.key"),
        "media_store_path": str(folder / "media"),
        "log_config": str(folder / "log.yaml"),
        "registration_shared_secret": secret,
        "macaroon_secret_key": secrets.token_hex(16),
        "form_secret": secrets.token_hex(16),
        "trusted_key_servers": [],
        "report_stats": False,
        "bcrypt_rounds": 4,
        "presence": {"enabled": False},
        **_LIFTED,
    }
    path = folder / "homeserver.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


def _start(folder: Path, config: Path) -> subprocess.Popen[bytes]:
    with (folder / "output.txt").open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "synapse.app.homeserver", "-c", str(config)],
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(15)


@contextmanager
def running_synapse(folder: Path) -> Iterator[Synapse]:
    """Run a Synapse in ``folder`` and wait until it answers; its rate limits are lifted."""
    port, secret = _free_port(), secrets.token_hex(16)
    process = _start(folder, _write_config(folder, port, secret))
    try:
        synapse = Synapse(f"http://127.0.0.1:{port}", folder, secret)
        _wait_until_healthy(synapse, process, folder / "output.txt")
        yield synapse
    finally:
        _stop(process)


class Restarting:
    """A Synapse that can be stopped and started again on the same port and database."""

    def __init__(self, folder: Path) -> None:
        port, secret = _free_port(), secrets.token_hex(16)
        self._folder = folder
        self._config = _write_config(folder, port, secret)
        self._process: subprocess.Popen[bytes] | None = None
        self.synapse = Synapse(f"http://127.0.0.1:{port}", folder, secret)

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = _start(self._folder, self._config)
        output = self._folder / "output.txt"
        await asyncio.to_thread(_wait_until_healthy, self.synapse, self._process, output)

    async def stop(self) -> None:
        """Stop it, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_stop, process)


@asynccontextmanager
async def restarting_synapse(folder: Path) -> AsyncIterator[Restarting]:
    """A running Synapse of its own for a test that takes it down."""
    _need_synapse()
    server = Restarting(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _wait_until_healthy(synapse: Synapse, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            synapse._call("GET", "/_matrix/client/versions")
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # between two looks at a process that gives no other sign
        else:
            return
    raise RuntimeError(f"Synapse did not start:\n{output.read_text(errors='replace')[-4000:]}")


def _need_synapse() -> None:
    if importlib.util.find_spec("synapse") is None:
        pytest.skip("needs a real Matrix homeserver: `pip install matrix-synapse`")


@pytest.fixture(scope="session")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """One Synapse for the whole test session."""
    _need_synapse()
    with running_synapse(tmp_path_factory.mktemp("synapse")) as running:
        yield running
