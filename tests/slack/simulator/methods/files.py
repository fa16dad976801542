"""Uploading files in three steps: ask for a place, send the bytes there, share.

Source: docs.slack.dev/messaging/working-with-files; slack_sdk's ``files_upload_v2`` is the client.
"""

from __future__ import annotations

from secrets import token_hex

from tests.slack.simulator.calls import ApiError, Args, find_channel, invalid, require, require_member
from tests.slack.simulator.core import Core
from tests.slack.simulator.methods.chat import bot_message
from tests.slack.simulator.world import Channel, Json, UploadedFile

_LONGEST_ALTERNATIVE = 1000
"""Characters of a picture's description, as the method's error ``alt_txt_too_large`` says."""

_PNG = b"\x89PNG\r\n\x1a\n"


async def get_upload_url(core: Core, args: Args) -> Json:
    """``files.getUploadURLExternal``"""
    require(core, "files:write")
    name, length = args.need("filename"), args.number("length", 0)
    if length <= 0:
        raise invalid("invalid_arguments", ["must be greater than 0 [json-pointer:/length]"])
    alternative = args.text("alt_txt")
    if len(alternative) > _LONGEST_ALTERNATIVE:
        raise ApiError("alt_txt_too_large")
    file = UploadedFile(core.ids.id("F"), name, length, ticket=token_hex(12), alternative=alternative)
    core.world.files[file.id] = file
    return {"ok": True, "upload_url": f"{core.url}/upload/v1/{file.ticket}", "file_id": file.id}


def receive(core: Core, ticket: str, content: bytes) -> tuple[int, str]:
    """Bytes arrive at an upload address; gives the HTTP status and text of the answer."""
    file = next((f for f in core.world.files.values() if f.ticket == ticket), None)
    if file is None or file.complete:
        return 404, "not found"
    if len(content) != file.length:
        return 400, "size mismatch"
    file.content = content
    if content.startswith(_PNG):
        file.mimetype, file.filetype = "image/png", "png"
    return 200, f"OK - {len(content)}"


def _shared_with(core: Core, args: Args) -> list[Channel]:
    names = [args.text("channel_id"), *args.text("channels").split(",")]
    return [require_member(core, find_channel(core, name)) for name in names if name]


async def complete_upload(core: Core, args: Args) -> Json:
    """``files.completeUploadExternal``: all files of one call stand in one message"""
    require(core, "files:write")
    wanted = args.json("files") or []
    if not isinstance(wanted, list) or not wanted:
        raise invalid("invalid_arguments", ["missing required field: files"])
    files = [core.world.files.get(item.get("id", "")) for item in wanted]
    if any(file is None or file.content is None or file.complete for file in files):
        raise ApiError("file_not_found")
    channels = _shared_with(core, args)
    if any(channel.archived for channel in channels):
        raise ApiError("is_archived")
    shown = []
    for item, file in zip(wanted, files, strict=True):
        if file is not None:
            file.title, file.complete = item.get("title") or file.name, True
            file.channels = [channel.id for channel in channels]
            shown.append(file.shown(core.url, core.app.bot_user))
    for channel in channels:
        message = bot_message(core, channel, args.text("initial_comment"), None)
        message.files, message.subtype = shown, "file_share"
        message.thread_ts = args.text("thread_ts") or None
        await core.message_posted(channel, message)
    return {"ok": True, "files": shown}
