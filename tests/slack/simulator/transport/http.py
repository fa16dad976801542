"""Deliveries by HTTP: signed requests to the app's request URL, with Slack's retries.

Source: docs.slack.dev/authentication/verifying-requests-from-slack and /apis/events-api/#error-handling.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from enum import StrEnum
from time import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.slack.simulator.transport.delivery import Delivery, Kind, Outbox
from tests.slack.simulator.world import Json, SimulatorError

_OLD = 60 * 6  # seconds; Slack's window is five minutes


class Signature(StrEnum):
    """How a request is signed."""

    RIGHT = "right"
    WRONG = "wrong"
    OLD = "old"  # signed rightly, six minutes ago
    MISSING = "missing"


class HttpDelivery:
    """Sends deliveries to one URL.

    Requests are stamped with the real time, as the app compares them with its own; ``now`` may be replaced for
    an app that lives in another one.
    """

    def __init__(self, url: str, secret: str, *, patience: float = 3.0) -> None:
        self.url = url
        self.secret = secret
        self.patience = patience
        self.signatures: list[Signature] = []
        self.outbox: Outbox | None = None
        self.now: Callable[[], float] = time
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience))
        self._tasks: set[asyncio.Task[None]] = set()

    async def verify(self) -> None:
        """Do the handshake with which Slack begins.

        Raises:
            SimulatorError: the app did not give the challenge back.
        """
        body = json.dumps({"type": "url_verification", "token": "sim", "challenge": "sim-challenge"})
        status, text = await self.post(body, "application/json", {})
        if status != 200 or "sim-challenge" not in text:
            raise SimulatorError(f"the request URL answered the challenge with {status}: {text[:200]}")

    def forge(self, signature: Signature, times: int = 1) -> None:
        """Sign the next requests in this way."""
        self.signatures += [signature] * times

    async def send(self, delivery: Delivery) -> bool:
        """Start one attempt; its outcome comes later."""
        delivery.sent()
        task = asyncio.ensure_future(self._attempt(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def post(self, body: str, content_type: str, more: dict[str, str]) -> tuple[int, str]:
        """One signed request; gives the status and text of the answer."""
        headers = {"Content-Type": content_type, **more, **self._signed(body)}
        async with self._session.post(self.url, data=body.encode(), headers=headers) as response:
            return response.status, await response.text()

    async def stop(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def _signed(self, body: str) -> dict[str, str]:
        signature = self.signatures.pop(0) if self.signatures else Signature.RIGHT
        if signature is Signature.MISSING:
            return {}
        moment = int(self.now()) - (_OLD if signature is Signature.OLD else 0)
        secret = self.secret + ("!" if signature is Signature.WRONG else "")
        digest = hmac.new(secret.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": str(moment), "X-Slack-Signature": f"v0={digest}"}

    async def _attempt(self, delivery: Delivery) -> None:
        retry: dict[str, str] = {}
        if delivery.attempts > 1 and delivery.kind is Kind.EVENT:
            retry = {
                "X-Slack-Retry-Num": str(delivery.attempts - 1),
                "X-Slack-Retry-Reason": delivery.retry_reason or "http_error",
            }
        try:
            status, text = await self.post(*_encoded(delivery), retry)
        except (TimeoutError, aiohttp.ClientError) as gone:
            slow = isinstance(gone, TimeoutError)
            self._lost(delivery, "http_timeout" if slow else "connection_failed")
            return
        delivery.status = status
        if 200 <= status < 300 and self.outbox is not None:
            self.outbox.answered(delivery.envelope_id, _answer(text))
        else:
            self._lost(delivery, "http_error")

    def _lost(self, delivery: Delivery, reason: str) -> None:
        delivery.retry_reason, delivery.error = reason, reason
        if delivery.kind is not Kind.EVENT and self.outbox is not None:
            self.outbox.lost(delivery, "operation_timeout" if reason == "http_timeout" else "dispatch_failed")
        delivery.changes.notify()


def _encoded(delivery: Delivery) -> tuple[str, str]:
    if delivery.kind is Kind.EVENT:
        return json.dumps(delivery.payload), "application/json"
    fields: Json = delivery.payload
    if delivery.kind is Kind.INTERACTIVE:
        fields = {"payload": json.dumps(delivery.payload)}
    return urlencode(fields), "application/x-www-form-urlencoded"


def _answer(text: str) -> Json | None:
    if not text.strip():
        return None
    try:
        found: Any = json.loads(text)
    except json.JSONDecodeError:
        return {"text": text}
    return found if isinstance(found, dict) and found else None
