"""A bare Bolt app: it acknowledges whatever is said, and does nothing. What Slipway is compared with.

Run as ``python -m benchmarks.bare_bolt_bot``, with the simulator's facts as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def main() -> None:
    """Listen until killed."""
    logging.basicConfig(level=logging.ERROR)
    facts = json.loads(sys.stdin.readline())
    client = AsyncWebClient(token=facts["bot_token"], base_url=facts["api_url"])
    app = AsyncApp(client=client, signing_secret="")

    @app.event("message")
    async def nothing(event: dict[str, Any]) -> None:
        """Bolt acknowledges an event by itself."""

    handler = AsyncSocketModeHandler(
        app, facts["app_token"], web_client=AsyncWebClient(base_url=facts["api_url"])
    )
    await handler.connect_async()  # type: ignore[no-untyped-call]
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
