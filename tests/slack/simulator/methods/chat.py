"""The Web API's ``chat.*`` and ``reactions.*`` methods.

Source: docs.slack.dev/reference/methods; texts over 40,000 characters are cut by ``chat.postMessage``, those
over 4,000 bytes of UTF-8 refused by ``chat.update`` and ``chat.postEphemeral`` (that they are bytes was measured
in openclaw/openclaw pull request 115027).
"""

from __future__ import annotations

from typing import Any

from tests.slack.simulator.block_kit.blocks import (
    Surface,
    check_blocks,
    check_view,
    metadata_error,
    too_long,
)
from tests.slack.simulator.calls import (
    ApiError,
    Args,
    find_channel,
    invalid,
    require,
    require_member,
    warned,
)
from tests.slack.simulator.core import Core, with_defaults
from tests.slack.simulator.world import Channel, Json, Message

POST_TEXT = 40_000
UPDATE_BYTES = 4_000
_NOTICES = ("channel_archive", "channel_join", "channel_leave")
"""What the channel says by itself, and nobody can answer."""


def read_blocks(args: Args) -> list[Json] | None:
    """The blocks of a call, checked and dressed; ``None`` where none are given."""
    blocks = args.json("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    if complaints := check_blocks(blocks, Surface.MESSAGE):
        tables = any("only_one_table_allowed" in complaint for complaint in complaints)
        raise invalid("invalid_attachments" if tables else "invalid_blocks", complaints)
    if too_long(blocks):
        raise ApiError("msg_blocks_too_long")
    return with_defaults(blocks)


async def validate(core: Core, args: Args) -> Json:
    """``blocks.validate``: of blocks, a message or a view; it needs no scope."""
    del core
    given = [name for name in ("blocks", "message", "view") if args.given.get(name) is not None]
    if len(given) != 1:
        raise invalid("invalid_arguments", ["provide exactly one of `blocks`, `view`, or `message`"])
    (name,) = given
    body = args.json(name)
    if name == "view":
        home = isinstance(body, dict) and body.get("type") == Surface.HOME.value
        complaints = check_view(body, Surface.HOME if home else Surface.MODAL, "")
    else:
        blocks = body if name == "blocks" else body.get("blocks") if isinstance(body, dict) else None
        complaints = check_blocks(blocks, Surface.MESSAGE, "" if name == "blocks" else "/blocks")
    if complaints:
        raise ApiError(f"invalid_{name}", errors=[_validation_error(each) for each in complaints])
    return {"ok": True}


def _validation_error(told: str) -> Json:
    message, _, pointer = told.removesuffix("]").rpartition(" [json-pointer:")
    return {"pointer": pointer, "code": "failed_constraint", "message": message}


def _metadata(args: Args) -> Any:
    metadata = args.json("metadata", "invalid_metadata_format")
    if metadata and (error := metadata_error(metadata)):
        raise ApiError(error)
    return metadata


def _target(core: Core, args: Args) -> Channel:
    name = args.text("channel")
    if not name:
        raise ApiError("channel_not_found")
    if name in core.visible_users():
        return core.open_direct(name)
    channel = find_channel(core, name)
    if channel.archived:
        raise ApiError("is_archived")
    if "chat:write.public" not in core.app.scopes or channel.event_kind != "channel":
        require_member(core, channel)
    return channel


_MAY_NOT_WRITE = {
    ("is_read_only", False): "restricted_action_read_only_channel",
    ("is_read_only", True): "restricted_action_read_only_channel",
    ("is_thread_only", False): "restricted_action_thread_only_channel",
    ("is_non_threadable", True): "restricted_action_non_threadable_channel",
}
"""What a channel refuses to apps, by its setting and whether it is said in a thread."""


def bot_message(core: Core, channel: Channel, text: str, blocks: list[Json] | None) -> Message:
    """A message of the app's bot, not yet said."""
    return Message(
        ts=core.ids.ts(),
        channel=channel.id,
        text=text,
        blocks=blocks or [],
        user=core.app.bot_user,
        team=core.home,
        bot_id=core.app.bot_id,
        app_id=core.app.id,
    )


async def post_message(core: Core, args: Args) -> Json:
    """``chat.postMessage``"""
    channel = _target(core, args)
    if refusal := _MAY_NOT_WRITE.get((channel.writing, bool(args.text("thread_ts")))):
        raise ApiError(refusal)
    blocks, metadata = read_blocks(args), _metadata(args)
    attachments = args.json("attachments", "invalid_attachments")
    text = args.text("text") or args.text("markdown_text")
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    message = bot_message(core, channel, text[:POST_TEXT], blocks)
    message.attachments = attachments or []
    message.metadata = metadata or None
    if thread := args.text("thread_ts"):
        root = channel.find(thread)
        if root is not None and root.subtype in _NOTICES:
            raise ApiError("cannot_reply_to_message")
        message.thread_ts = thread
        if args.flag("reply_broadcast"):
            message.subtype = "thread_broadcast"
    await core.message_posted(channel, message)
    answer: Json = {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "message": message.shown(metadata=True),
    }
    if len(text) > POST_TEXT:
        answer |= warned("message_truncated")
        answer["response_metadata"]["messages"] = ["[WARN] message text was truncated"]
    return answer


async def post_ephemeral(core: Core, args: Args) -> Json:
    """``chat.postEphemeral``"""
    channel = _target(core, args)
    user = args.need("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    blocks = read_blocks(args)
    if not args.text("text") and not blocks:
        raise ApiError("no_text")
    if len(args.text("text").encode()) > UPDATE_BYTES:
        raise ApiError("msg_too_long")
    message = bot_message(core, channel, args.text("text"), blocks)
    message.only_for = user
    message.thread_ts = args.text("thread_ts") or None
    if message.thread_ts is None or len(channel.thread(message.thread_ts)) > 1:
        core.ephemerals.append(message)
        core.changes.notify()
    # else nobody sees it: Slack shows such messages only in threads that have replies, and says “ok” all the same
    return {"ok": True, "message_ts": message.ts}


def _own(core: Core, args: Args, error: str) -> tuple[Channel, Message]:
    channel = require_member(core, find_channel(core, args.need("channel")))
    message = channel.find(args.need("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if message.bot_id != core.app.bot_id:
        raise ApiError(error)
    return channel, message


def _too_old(core: Core, message: Message) -> bool:
    window = core.edit_window
    return window is not None and core.ids.now() - float(message.ts) > window.total_seconds()


async def update(core: Core, args: Args) -> Json:
    """``chat.update``: blocks stay where neither blocks nor text are given; metadata stays where not given."""
    channel, message = _own(core, args, "cant_update_message")
    if channel.archived:
        raise ApiError("is_inactive")
    if _too_old(core, message):
        raise ApiError("edit_window_closed")
    blocks, metadata = read_blocks(args), _metadata(args)
    text = args.text("text")
    if len(text.encode()) > UPDATE_BYTES:
        raise ApiError("msg_too_long")
    if not text and blocks is None and metadata is None:
        raise ApiError("no_text")
    before = message.shown()
    if text or blocks is not None:
        message.blocks = blocks or []
    if text:
        message.text = text
        message.edited = {"user": core.app.bot_user, "ts": core.ids.ts()}
    if metadata is not None:
        message.metadata = metadata or None
    message.edits += 1
    await core.message_changed(channel, message, before)
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.shown(metadata=True),
    }


async def delete(core: Core, args: Args) -> Json:
    """``chat.delete``"""
    channel, message = _own(core, args, "cant_delete_message")
    await core.message_deleted(channel, message)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


async def permalink(core: Core, args: Args) -> Json:
    """``chat.getPermalink``"""
    channel = find_channel(core, args.need("channel"))
    message = channel.find(args.need("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    domain = core.world.teams[core.home].domain
    link = f"https://{domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    return {"ok": True, "channel": channel.id, "permalink": link}


async def add_reaction(core: Core, args: Args) -> Json:
    """``reactions.add``"""
    require(core, "reactions:write")
    channel = require_member(core, find_channel(core, args.need("channel")))
    message = channel.find(args.need("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    users = message.reactions.setdefault(args.need("name"), [])
    if core.app.bot_user in users:
        raise ApiError("already_reacted")
    users.append(core.app.bot_user)
    core.changes.notify()
    return {"ok": True}
