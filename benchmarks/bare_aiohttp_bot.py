"""The least that a Matrix bot can be: aiohttp alone, no encryption, nothing kept. It repeats whatever is said.

Run as ``python -m benchmarks.bare_aiohttp_bot``, with its account as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import quote

import aiohttp

SYNC_SECONDS = 30
TIMEOUT = aiohttp.ClientTimeout(total=2 * SYNC_SECONDS)


async def main() -> None:
    """Listen and repeat, until killed."""
    account = json.loads(sys.stdin.readline())
    headers = {"Authorization": f"Bearer {account['access_token']}"}
    async with aiohttp.ClientSession(account["url"], headers=headers, timeout=TIMEOUT) as session:

        async def call(method: str, path: str, **more: Any) -> Any:
            async with session.request(method, f"/_matrix/client/v3/{path}", **more) as answer:
                answer.raise_for_status()
                return await answer.json()

        for room in account["rooms"]:
            await call("POST", f"join/{quote(room)}", json={})
        since = (await call("GET", "sync", params={"timeout": 0}))["next_batch"]
        print("ready", flush=True)
        while True:
            heard = await call("GET", "sync", params={"timeout": SYNC_SECONDS * 1000, "since": since})
            since = heard["next_batch"]
            for room, news in heard.get("rooms", {}).get("join", {}).items():
                for event in news["timeline"]["events"]:
                    body = event["content"].get("body")
                    if event["type"] == "m.room.message" and event["sender"] != account["user_id"]:
                        path = f"rooms/{quote(room)}/send/m.room.message/{quote(event['event_id'], safe='')}"
                        await call("PUT", path, json={"msgtype": "m.notice", "body": body})


asyncio.run(main())
