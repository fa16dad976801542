"""``[matrix]`` of slipway.toml."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr

from slipway.bot.core.secret_text import Password, Token
from slipway.bot.core.settings import Duration, Settings


class UnsignedDevices(StrEnum):
    """What is done about a command from a device that its owner has not cross-signed, in an encrypted room."""

    ACCEPT = "accept"
    WARN = "warn"  # act on it, and say that the device is not signed
    REFUSE = "refuse"  # commands that change or decide something need a signed device


class MatrixSettings(Settings):
    """``[matrix]``: the account, and the rooms it works in."""

    homeserver: str = Field(description="the homeserver's address, like https://matrix.example.org")
    user_id: str = Field(
        pattern=r"^@[^:\s]+:\S+$", description="the bot's own account, like @slipway:example.org"
    )
    device_id: str = Field("SLIPWAY", min_length=1, max_length=255)  # at the first login; then as it was kept
    password: Password | None = None
    access_token: Token | None = None
    encryption: bool = True  # whether the bot works in encrypted rooms
    cross_signing_seeds: SecretStr | None = None  # None: kept in the state folder
    unsigned_devices: UnsignedDevices = UnsignedDevices.WARN
    rooms: tuple[str, ...] = Field(  # invites into others are ignored
        (), description="the rooms to work in, by id (!abc:example.org) or alias (#releng:example.org)"
    )
    display_name: str = Field("", max_length=100)  # empty: the account's name is left as it is
    avatar: Path | None = None  # a picture file; none: the account's is left as it is
    edit_interval: Duration = timedelta(seconds=5)
    request_timeout: Duration = timedelta(seconds=30)

    def of_replica(self, replica: str) -> MatrixSettings:
        """The same for one of several replicas: each logs in as a device of its own. A token is of one device.

        Args:
            replica: its id.
        """
        if self.access_token is not None:
            return self
        return self.model_copy(update={"device_id": f"{self.device_id}-{replica[:8]}"})
