"""The fallback key: what others open a session with when all one-time keys are used up, as while the bot is down.

Unlike a one-time key it can be used by several, so it is replaced once the homeserver says that it was used
(specification, "One-time and fallback keys"; nio has none).
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from slipway.bot.chat.matrix.transport.api import Client, SendRequest, request_json
from slipway.bot.chat.shared.payloads import JsonObject

_ALGORITHM = "signed_curve25519"
_RENEW_AFTER = 3600.0
"""Seconds that lie between two renewals at least: an account keeps the key before the last one, for messages that are
on their way, and no older one."""

log = structlog.get_logger(__name__)


class FallbackKey:
    """Keeps an unused fallback key of the device published.

    Args:
        client: nio's client, its store loaded.
        call: makes calls as the bot.
    """

    def __init__(self, client: Client, call: SendRequest) -> None:
        self._client = client
        self._call = call
        self._renew_at = 0.0

    async def ensure(self, unused: object) -> None:
        """Publish a new key where the homeserver has no unused one. It is saved before anybody can use it.

        Args:
            unused: what the sync says of the algorithms for which there is an unused key
                (``device_unused_fallback_key_types``); None where the homeserver knows no fallback keys.

        Raises:
            ChatError: the homeserver does not take the key.
        """
        now = asyncio.get_running_loop().time()
        if not isinstance(unused, list) or _ALGORITHM in unused or now < self._renew_at:
            return
        olm = self._client.olm
        account = olm.account._account  # nio's wrapper hands out no fallback key
        if not account.fallback_key:  # one that was made and did not arrive is published in its place
            account.generate_fallback_key()
            olm.save_account()
        body = {
            "fallback_keys": {
                f"{_ALGORITHM}:{key_id}": _signed(olm, key.to_base64())
                for key_id, key in account.fallback_key.items()
            }
        }
        await request_json(
            self._call, "publish the bot's fallback key", "POST", "/_matrix/client/v3/keys/upload", body
        )
        olm.mark_keys_as_published()
        olm.save_account()
        self._renew_at = now + _RENEW_AFTER
        log.info("published a new fallback key")


def _signed(olm: Any, public: str) -> JsonObject:
    key: JsonObject = {"key": public, "fallback": True}
    signature = olm.sign_json(key)
    return {**key, "signatures": {olm.user_id: {f"ed25519:{olm.device_id}": signature}}}
