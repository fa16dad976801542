"""What a ``response_url`` takes: new messages, ephemeral or not, and replacing or deleting the one clicked.

Source: docs.slack.dev/interactivity/handling-user-interaction#message_responses; what only one person sees does
not come into the thread in which something was pressed (slackapi/node-slack-sdk issue 674).
"""

from __future__ import annotations

import json

from aiohttp import web

from tests.slack.simulator.block_kit.blocks import Surface, check_blocks
from tests.slack.simulator.core import RESPONSE_URL_USES, Core, ResponseUrl, with_defaults
from tests.slack.simulator.methods.chat import bot_message
from tests.slack.simulator.world import Json, Message


async def serve(core: Core, request: web.Request) -> web.Response:
    """One POST to a ``response_url``."""
    place = core.response_urls.get(request.match_info["token"])
    try:
        body = json.loads(await request.text())
    except json.JSONDecodeError:
        return _refused(400, "invalid_payload")
    if place is None:
        return _refused(404, "expired_url")
    if core.ids.now() > place.expires:
        return _refused(200, "expired_url")  # as public clients reckon with; no recording of it is known
    if place.uses >= RESPONSE_URL_USES:
        return _refused(404, "used_url")
    if not isinstance(body, dict):
        return _refused(400, "invalid_payload")
    if check_blocks(body.get("blocks") or [], Surface.MESSAGE):
        return _refused(400, "invalid_blocks")
    if not (body.get("text") or body.get("blocks") or body.get("delete_original")):
        return _refused(400, "no_text")
    place.uses += 1
    await answer(core, place, body)
    return web.Response(text="ok")


def _refused(status: int, error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)


async def answer(core: Core, place: ResponseUrl, body: Json) -> None:
    """Show what the app answered, by a ``response_url`` or in an acknowledgement."""
    original = _original(core, place)
    if body.get("delete_original"):
        await _delete(core, original)
    elif body.get("replace_original") and original is not None:
        await _replace(core, original, body)
    elif body.get("text") or body.get("blocks"):
        await _say(core, place, body)


def _original(core: Core, place: ResponseUrl) -> Message | None:
    channel = core.world.channels[place.channel]
    if place.message_ts is None:
        return None
    here = channel.find(place.message_ts)
    return here or next((m for m in core.ephemerals if m.ts == place.message_ts and not m.deleted), None)


async def _delete(core: Core, original: Message | None) -> None:
    if original is None:
        return
    if original.only_for:
        original.deleted = True
        core.changes.notify()
    else:
        await core.message_deleted(core.world.channels[original.channel], original)


async def _replace(core: Core, original: Message, body: Json) -> None:
    before = original.shown()
    original.text = str(body.get("text", ""))
    original.blocks = with_defaults(body.get("blocks") or [])
    original.edits += 1
    if original.only_for:
        core.changes.notify()
    else:
        await core.message_changed(core.world.channels[original.channel], original, before)


async def _say(core: Core, place: ResponseUrl, body: Json) -> None:
    channel = core.world.channels[place.channel]
    message = bot_message(core, channel, str(body.get("text", "")), with_defaults(body.get("blocks") or []))
    if body.get("response_type") == "in_channel":
        message.thread_ts = body.get("thread_ts")
        await core.message_posted(channel, message)
    else:
        message.only_for = place.user
        core.ephemerals.append(message)
        core.changes.notify()
