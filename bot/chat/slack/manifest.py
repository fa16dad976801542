"""The app as Slack has to know it: exactly what the adapter uses, and why.

Source: docs.slack.dev/reference/app-manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from slipway.bot.chat.forms import FormShortcut
from slipway.bot.chat.slack.interactions.action_values import (
    SHOW_OPERATION_SHORTCUT,
    SLASH_COMMAND,
    form_callback,
    message_form_callback,
)
from slipway.bot.chat.slack.settings import SlackTransport

SCOPES = {
    "channels:history": "hear what is said in public channels, or find its own messages there again",
    "channels:read": "learn that a public channel is archived or deleted, or that it was put out of it",
    "chat:write": "say or change anything",
    "commands": "offer its slash command and its shortcuts",
    "files:write": "attach the whole of what is too long for a message, or show a picture",
    "groups:history": "hear what is said in private channels, or find its own messages there again",
    "groups:read": "learn that a private channel is archived or deleted, or that it was put out of it",
    "im:history": "hear what is said in direct messages, or find its own there again",
    "im:write": "open a direct message with whoever works in App Home",
    "usergroups:read": "see who is in the user groups that give roles",
    "users:read": "look up of which workspace somebody is, where Slack does not say it with what they do",
}
"""The bot's scopes, and what it cannot do without each, to follow “cannot”."""

FOR_USER_GROUPS = "usergroups:read"
"""The scope that only counts where roles name user groups."""


def needed_scopes(*, user_groups: bool) -> frozenset[str]:
    """The scopes that a configuration takes.

    Args:
        user_groups: whether roles name user groups of Slack.
    """
    return frozenset(SCOPES) if user_groups else frozenset(SCOPES) - {FOR_USER_GROUPS}


# What the reference does not allow in a bot's display name.
_NOT_IN_DISPLAY_NAME = re.compile(r"[^a-z0-9._-]+", re.ASCII)

CHANNEL_EVENTS = (
    "channel_archive",
    "channel_deleted",
    "channel_left",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_unarchive",
)
"""Of a channel as a whole, or of the bot alone."""

MEMBER_EVENTS = ("member_joined_channel", "member_left_channel")
"""Of whoever comes or goes, the bot among them."""

EVENTS = tuple(
    sorted(
        (
            "app_home_opened",
            "message.channels",
            "message.groups",
            "message.im",
            "subteam_members_changed",
            "subteam_updated",
            *CHANNEL_EVENTS,
            *MEMBER_EVENTS,
        )
    )
)

MAX_NAME_LENGTH = 35


def manifest(
    name: str, transport: SlackTransport, url: str = "", forms: Sequence[FormShortcut] = ()
) -> dict[str, Any]:
    """The app manifest, to be given to Slack as JSON.

    Args:
        name: what the bot is called.
        transport: how events reach it.
        url: with HTTP, the address under which Slack finds its ``/slack/events``.
        forms: the forms that shortcuts open.
    """
    socket = transport is SlackTransport.SOCKET
    address = {} if socket else {"request_url": url}
    command = {
        "command": SLASH_COMMAND,
        "description": "Images, machines and approvals",
        "usage_hint": "help",
        "should_escape": False,
        **({} if socket else {"url": url}),
    }
    return {
        "display_information": {
            "name": name,
            "description": "Publishes cloud images and launches machines, with everybody's agreement",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": _NOT_IN_DISPLAY_NAME.sub("-", name.lower()), "always_online": True},
            "shortcuts": [
                *(shortcut for form in forms for shortcut in _form_shortcuts(form)),
                _shortcut(
                    "Show operation", "message", SHOW_OPERATION_SHORTCUT, "Show the operation named here"
                ),
            ],
            "slash_commands": [command],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }


def _form_shortcuts(form: FormShortcut) -> Iterator[dict[str, str]]:
    yield _shortcut(form.title, "global", form_callback(form.name), form.description)
    if form.message_title:
        yield _shortcut(
            form.message_title, "message", message_form_callback(form.name), form.message_description
        )


def _shortcut(name: str, kind: str, callback: str, description: str) -> dict[str, str]:
    return {"name": name, "type": kind, "callback_id": callback, "description": description}
