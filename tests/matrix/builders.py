"""Settings, memories and cards for tests of the Matrix adapter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from slipway.bot.chat.matrix.events.mentions import BotUser
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.model import Card, Table
from tests.support.key_value_store import InMemoryStore
from tests.support.pictures import PICTURE
from tests.support.processes.synapse import Account, Synapse

BOT = BotUser("@slipway:example.org", "Slipway Bot")
"""The bot, in tests that need no homeserver."""

ROWS = tuple((f"Fedora-Cloud-{number}-x64", "wörd " * 20) for number in range(900))
LONG = Card(title="All images", tables=(Table(columns=("Name", "About"), rows=ROWS),))
"""A card that is too long for one message."""

PICTURED = Card(title="x64: 2 versions, latest 43.1.0", pictures=(PICTURE,))


def settings(synapse: Synapse, account: Account, *rooms: str, **more: object) -> MatrixSettings:
    values = {
        "homeserver": synapse.url,
        "user_id": account.user_id,
        "device_id": account.device_id,
        "access_token": SecretStr(account.access_token),
        "rooms": rooms,
        "request_timeout": timedelta(seconds=10),
        **more,
    }
    return MatrixSettings.model_validate(values)


def new_memory() -> MatrixMemory:
    """What a bot knows that has never run, and forgets with the test."""
    return MatrixMemory(InMemoryStore())


def by_password(synapse: Synapse, account: Account, **more: Any) -> MatrixSettings:
    return settings(
        synapse,
        account,
        access_token=None,
        device_id="SLIPWAY",
        password=SecretStr(account.password),
        **more,
    )
