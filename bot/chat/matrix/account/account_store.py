"""What the adapter stores of its account: the login, the seeds of its identity, and the encryption keys.

Everything in it is secret: the folder has mode 700 and each file 600. A file is written whole and on the disk
before it counts, so that a crash leaves the old one or the new one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from slipway.bot.chat.matrix.encryption.seeds import SEED_NAMES, CrossSigningSeeds
from slipway.bot.core.errors import ChatError
from slipway.bot.core.private_folders import make_private


@dataclass(frozen=True)
class Login:
    """A login that was kept. ``lost_devices`` are devices of before whose keys are gone, for removal."""

    homeserver: str
    user_id: str
    device_id: str
    access_token: str
    lost_devices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Login({self.user_id}, {self.device_id})"


class AccountStore:
    """The folder ``matrix/`` in the state folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def in_state_dir(cls, state_dir: Path) -> AccountStore:
        """The store in a state folder."""
        return cls(state_dir / "matrix")

    def key_store_name(self, device_id: str) -> str:
        """The file name of a device's store; a device id from a homeserver may hold anything."""
        safe = "".join(sign if sign.isascii() and sign.isalnum() else f"%{ord(sign):x}" for sign in device_id)
        return f"keys-{safe}.db"

    def message_indexes_path(self, device_id: str) -> Path:
        """The file that says which messages a device has read."""
        return self.path / self.key_store_name(device_id).replace("keys-", "read-", 1)

    def has_key_store(self, device_id: str) -> bool:
        """Whether encryption keys of this device are kept here."""
        return (self.path / self.key_store_name(device_id)).exists()

    @property
    def seeds_path(self) -> Path:
        """The file of the seeds."""
        return self.path / "cross-signing-seeds.json"

    @property
    def _login_path(self) -> Path:
        return self.path / "login.json"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token and the seeds that are kept here, as they are written; nothing of a file that cannot be read."""
        found: list[str] = []
        for path, names in ((self._login_path, ("access_token",)), (self.seeds_path, SEED_NAMES)):
            try:
                document = json.loads(self._read(path) or "{}")
            except (json.JSONDecodeError, ChatError):
                continue
            if isinstance(document, dict):
                found += (document[name] for name in names if isinstance(document.get(name), str))
        return tuple(found)

    def prepare(self) -> None:
        """Make the folder, for its owner alone.

        Raises:
            ChatError: it cannot be made or used.
        """
        try:
            make_private(self.path)
        except OSError as error:
            raise self._unusable(self.path, error) from error

    def make_key_store_private(self, device_id: str) -> None:
        """Give a store, which SQLite created, the mode 600."""
        path = self.path / self.key_store_name(device_id)
        try:
            path.chmod(0o600)
        except OSError as error:
            raise self._unusable(path, error) from error

    def load_login(self, homeserver: str, user_id: str) -> Login | None:
        """The login kept for this account, if there is one.

        Raises:
            ChatError: the file is there and cannot be read.
        """
        text = self._read(self._login_path)
        if text is None:
            return None
        try:
            found = json.loads(text)
            login = Login(
                homeserver=str(found["homeserver"]),
                user_id=str(found["user_id"]),
                device_id=str(found["device_id"]),
                access_token=str(found["access_token"]),
                lost_devices=tuple(map(str, found.get("lost", ()))),
            )
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ChatError(
                f"{self._login_path} is damaged; remove it and type `slipway matrix login`.", passing=False
            ) from error
        return login if (login.homeserver, login.user_id) == (homeserver, user_id) else None

    def save_login(self, login: Login) -> None:
        """Keep a login in place of any before.

        Raises:
            ChatError: it cannot be written.
        """
        kept = {
            "homeserver": login.homeserver,
            "user_id": login.user_id,
            "device_id": login.device_id,
            "access_token": login.access_token,
            "lost": list(login.lost_devices),
        }
        self._write(self._login_path, json.dumps(kept))

    def load_seeds(self) -> CrossSigningSeeds | None:
        """The seeds kept here, if there are any.

        Raises:
            ChatError: the file is there and cannot be used.
        """
        text = self._read(self.seeds_path)
        if text is None:
            return None
        try:
            return CrossSigningSeeds.read(text)
        except ValueError as error:
            raise ChatError(
                f"{self.seeds_path} cannot be used: {error}. Put it back from a backup.", passing=False
            ) from error

    def save_seeds(self, seeds: CrossSigningSeeds) -> None:
        """Keep the seeds; when this returns they are on the disk.

        Raises:
            ChatError: they cannot be written.
        """
        self._write(self.seeds_path, seeds.text)

    def _read(self, path: Path) -> str | None:
        try:
            return path.read_text()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(path, error) from error

    def _write(self, path: Path, text: str) -> None:
        self.prepare()
        beside = path.with_suffix(".new")
        try:
            beside.unlink(missing_ok=True)
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            self._sync()
        except OSError as error:
            raise self._unusable(path, error) from error

    def _sync(self) -> None:
        handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _unusable(self, path: Path, error: Exception) -> ChatError:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        return ChatError(f"{path} cannot be used: {reason}.", passing=False)
