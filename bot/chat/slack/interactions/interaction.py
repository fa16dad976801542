"""Who did what where in Slack, and the events that it becomes for the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.bot.chat.model import Address, Assurance, Audience, ButtonEvent, Choice, MessageEvent, Room
from slipway.bot.chat.shared.payloads import replace_surrogates, text_at, value_at
from slipway.bot.chat.slack.events.accounts import Accounts
from slipway.bot.chat.slack.events.markup import undo_markup
from slipway.bot.chat.slack.ids import CHANNEL, USER, parse_ts
from slipway.bot.chat.slack.interactions.action_values import ViewMetadata
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.sending.ephemeral import ReplyContext
from slipway.bot.core.times import Clock


@dataclass(frozen=True)
class Interaction:
    """Who did something, and where they are answered.

    Attributes:
        user: Slack's id of the person.
        account: whom to take them for; see :meth:`TrustPolicy.account`.
        room: the channel, or the user's own id for a direct message.
        thread: the thread they were in.
        message: the message or view that it was done to.
        home: whether it was done on the Home tab.
        alone: whether it was done to a message that only they see.
        response_url: where Slack takes an answer to it; empty if there is none.
    """

    user: str
    account: str
    room: str
    thread: str | None = None
    message: str = ""
    home: bool = False
    response_url: str = ""
    alone: bool = False

    @property
    def reply_context(self) -> ReplyContext:
        """Where they look for an answer to them alone."""
        return ReplyContext(self.thread, self.response_url)


class InteractionReader:
    """Reads interaction payloads, and makes events of what they mean.

    Args:
        accounts: whom to believe, and where.
        clock: the time.
        home_channel: where what is asked for on the Home tab is answered; empty for a direct message.
    """

    def __init__(self, accounts: Accounts, clock: Clock, home_channel: str) -> None:
        self._accounts = accounts
        self._trust = accounts.trust
        self._clock = clock
        self._home_channel = home_channel

    async def user(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """The user's id and the account to take them for; empty where no person is named.

        Slack may leave ``user.team_id`` out; what it names beside is where the app, or what was pressed, belongs.
        """
        user, team = text_at(body, "user", "id"), text_at(body, "user", "team_id")
        if not USER.fullmatch(user):
            return "", ""
        around = () if team else (text_at(body, "team", "id"), text_at(body, "view", "team_id"))
        return user, await self._accounts.settle(self._trust.account(user, team, around=around))

    async def on_message_or_home(self, body: Mapping[str, Any]) -> Interaction | None:
        """What somebody did to a message or on their Home tab; None where that is not told soundly."""
        user, account = await self.user(body)
        if not user:
            return None
        in_view = value_at(body, "view") and not value_at(body, "channel")
        if value_at(body, "container", "type") == "view" or in_view:
            if value_at(body, "view", "type") != "home":
                return None
            room = self._home_channel or user
            return Interaction(user, account, room, message=text_at(body, "view", "id"), home=True)
        channel = text_at(body, "channel", "id") or text_at(body, "container", "channel_id")
        ts = parse_ts(
            value_at(body, "container", "message_ts")
            or value_at(body, "message_ts")
            or value_at(body, "message", "ts")
        )
        if not CHANNEL.fullmatch(channel) or ts is None:
            return None
        thread = parse_ts(value_at(body, "container", "thread_ts") or value_at(body, "message", "thread_ts"))
        if thread == ts:  # a message that has been answered names itself; it is seen in the channel
            thread = None
        alone, url = value_at(body, "container", "is_ephemeral") is True, text_at(body, "response_url")
        return Interaction(user, account, channel, thread, ts, response_url=url, alone=alone)

    async def slash_command(self, body: Mapping[str, Any]) -> Interaction | None:
        """Who typed a slash command where; None where that is not told soundly."""
        user, channel = text_at(body, "user_id"), text_at(body, "channel_id")
        if not USER.fullmatch(user) or not CHANNEL.fullmatch(channel):
            return None
        account = await self._accounts.settle(self._trust.account(user, text_at(body, "team_id")))
        return Interaction(user, account, channel, response_url=text_at(body, "response_url"))

    async def global_shortcut(self, body: Mapping[str, Any]) -> Interaction | None:
        """Who chose a shortcut of the app; None where no person is named."""
        user, account = await self.user(body)
        return Interaction(user, account, self._home_channel or user) if user else None

    def assurance(self, room: str) -> tuple[Assurance, str]:
        """How far what is asked for in a room may change something, and why not further."""
        return self._trust.assurance(room)

    def message_event(
        self,
        interaction: Interaction,
        event_id: str,
        line: str,
        *,
        room: str | None = None,
        thread: str | None = None,
        audience: Audience = Audience.ROOM,
    ) -> MessageEvent:
        """Somebody says a command line.

        Args:
            interaction: how.
            event_id: names it once and for ever.
            line: what they say.
            room: where it is answered, if not where they are.
            thread: the thread there.
            audience: who sees that they say it.
        """
        where = room or interaction.room
        assurance, doubt = self._trust.assurance(where)
        return MessageEvent(
            event_id=event_id,
            room=Room(platform=SLACK, id=where),
            sender=interaction.account,
            text=undo_markup(replace_surrogates(line)),
            address=Address.MENTION,
            thread=thread,
            sent_at=self._clock(),
            assurance=assurance,
            doubt=doubt,
            audience=audience,
        )

    def button_event(
        self,
        interaction: Interaction,
        event_id: str,
        choice: Choice,
        metadata: ViewMetadata,
        reason: str = "",
    ) -> ButtonEvent:
        """Somebody decides about an operation.

        Args:
            interaction: how.
            event_id: names it once and for ever.
            choice: what they decide.
            metadata: about which operation and plan, and whether on the Home tab.
            reason: why.
        """
        # The Home tab is not a conversation: what is decided there is told where the operation was asked for.
        assurance, doubt = (Assurance.FULL, "") if metadata.home else self._trust.assurance(interaction.room)
        reference = metadata.reference
        return ButtonEvent(
            event_id=event_id,
            room=Room(platform=SLACK, id=interaction.user if metadata.home else interaction.room),
            sender=interaction.account,
            choice=choice,
            operation_id=reference.operation_id if reference else None,
            digest_prefix=reference.digest_prefix if reference else None,
            reason=reason,
            sent_at=self._clock(),
            assurance=assurance,
            doubt=doubt,
        )
