"""A bare matrix-nio bot: it repeats whatever is said. What Slipway's answers are compared with.

Run as ``python -m benchmarks.bare_nio_bot``, with its account as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import nio


async def main() -> None:
    """Listen and repeat, until killed."""
    account = json.loads(sys.stdin.readline())
    client: Any = nio.AsyncClient(
        account["url"],
        account["user_id"],
        device_id=account["device_id"],
        store_path=account["store"],
        config=nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True),
    )
    client.restore_login(account["user_id"], account["device_id"], account["access_token"])
    await client.sync(timeout=0, full_state=True)
    if client.should_upload_keys:
        await client.keys_upload()
    for room in account["rooms"]:
        await client.join(room)
    await client.sync(timeout=0, full_state=True)

    async def repeat(room: Any, event: Any) -> None:
        if event.sender != client.user_id:
            content = {"msgtype": "m.notice", "body": event.body}
            await client.room_send(room.room_id, "m.room.message", content, ignore_unverified_devices=True)

    client.add_event_callback(repeat, nio.RoomMessageText)
    print("ready", flush=True)
    await client.sync_forever(timeout=30_000)


asyncio.run(main())
