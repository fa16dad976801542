"""What becomes of a channel as a whole, and what Slack tells the app of it.

Sources: docs.slack.dev/reference/events, one page each. The events of public channels are named ``channel_…``, those
of private ones ``group_…``. Whoever is put out of a channel is told last that they left it.
"""

from __future__ import annotations

from tests.slack.simulator.core import Core
from tests.slack.simulator.transport.delivery import Delivery
from tests.slack.simulator.world import Channel, ChannelKind, Json, Message


async def invite_bot(core: Core, channel: Channel) -> Delivery | None:
    """The bot is brought into a channel."""
    return await join(core, channel, core.app.bot_user, {"inviter": _somebody(core, channel)})


async def join(core: Core, channel: Channel, user: str, more: Json | None = None) -> Delivery | None:
    """Somebody comes into a channel."""
    channel.members.add(user)
    event = _member_event(core, "member_joined_channel", channel, user) | (more or {})
    return await core.emit(event, subscription="member_joined_channel", channel=channel)


async def leave(core: Core, channel: Channel, user: str) -> Delivery | None:
    """Somebody leaves a channel."""
    channel.members.discard(user)
    event = _member_event(core, "member_left_channel", channel, user)
    return await core.emit(event, subscription="member_left_channel", channel=channel)


async def rename(core: Core, channel: Channel, name: str) -> Delivery | None:
    """A channel gets another name. The event holds the channel, and not its id alone."""
    channel.name = name
    kind = f"{_family(channel)}_rename"
    named = {"id": channel.id, "name": name, "created": 1}
    event: Json = {"type": kind, "channel": named, "event_ts": core.ids.ts()}
    return await _tell(core, channel, event)


async def remove_bot(core: Core, channel: Channel) -> list[Delivery]:
    """The bot is taken out of a channel. It is told twice; its being gone hides neither."""
    channel.members.discard(core.app.bot_user)
    left = f"{_family(channel)}_left"
    told = [
        await core.emit(_event(core, left, channel, actor_id=_somebody(core, channel)), subscription=left),
        await core.emit(
            _member_event(core, "member_left_channel", channel, core.app.bot_user),
            subscription="member_left_channel",
        ),
    ]
    return [each for each in told if each is not None]


async def archive(core: Core, channel: Channel, *, without_bot: bool) -> Delivery | None:
    """A channel is archived, maybe so that the bot is not in it any more. A message in it says so, too."""
    channel.archived = True
    ts, by = core.ids.ts(), _somebody(core, channel)
    subtype = f"{_family(channel)}_archive"
    channel.messages.append(Message(ts, channel.id, "archived the channel", by, subtype=subtype))
    said = {"type": "message", "subtype": subtype, "channel": channel.id, "user": by}
    said |= {"text": "archived the channel", "ts": ts, "event_ts": ts, "channel_type": channel.event_kind}
    await core.emit(said, subscription=f"message.{channel.event_kind}s", channel=channel)
    told = await _tell(core, channel, _event(core, subtype, channel, user=by, is_moved=0))
    if without_bot:
        channel.members.discard(core.app.bot_user)
    return told


async def unarchive(core: Core, channel: Channel) -> Delivery | None:
    """A channel comes back from the archive, with whoever is in it."""
    channel.archived = False
    kind, by = f"{_family(channel)}_unarchive", _somebody(core, channel)
    who: Json = {"user": by} if channel.kind is ChannelKind.PUBLIC else {"actor_id": by}
    return await _tell(core, channel, _event(core, kind, channel, **who))


async def delete_channel(core: Core, channel: Channel) -> Delivery | None:
    """A channel is deleted, for good."""
    del core.world.channels[channel.id]
    core.changes.notify()
    event = _event(core, f"{_family(channel)}_deleted", channel, actor_id=_somebody(core, channel))
    return await _tell(core, channel, event)


async def _tell(core: Core, channel: Channel, event: Json) -> Delivery | None:
    """Of a public channel everybody is told; of a private one, whoever is in it."""
    place = None if channel.kind is ChannelKind.PUBLIC else channel
    return await core.emit(event, subscription=event["type"], channel=place)


def _family(channel: Channel) -> str:
    return "channel" if channel.kind is ChannelKind.PUBLIC else "group"


def _somebody(core: Core, channel: Channel) -> str:
    return next(iter(sorted(channel.members - {core.app.bot_user})), "")


def _event(core: Core, kind: str, channel: Channel, **more: object) -> Json:
    return {"type": kind, "channel": channel.id, **more, "event_ts": core.ids.ts()}


def _member_event(core: Core, kind: str, channel: Channel, user: str) -> Json:
    home = core.world.users[user].team
    return _event(core, kind, channel, user=user, channel_type="C", team=home)
