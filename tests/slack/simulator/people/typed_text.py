"""What Slack makes of text that a person types, before the app gets it.

Source: docs.slack.dev/messaging/formatting-message-text: ``&``, ``<`` and ``>`` are escaped, links, addresses,
people, channels and groups become ``<…>``. Quotes and dashes turn typographic where a person's client does so.
Nothing but escaping happens within code.
"""

from __future__ import annotations

import re

from tests.slack.simulator.seed import World

_CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<given><[@#!][^>\s]+>|<https?://[^>\s]+>)"
    r"|(?P<mail>[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?P<url>https?://[^\s<>]*[^\s<>.,;:!?)\]])"
    r"|(?P<person>(?<!\w)@[\w.-]*\w)"
    r"|(?P<room>(?<!\w)#[\w-]+)"
    r"|(?P<site>(?<![\w./-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev)(?:/[^\s<>]*)?(?![\w]))"
    r"|(?P<special>[&<>])"
)
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def typed(world: World, text: str, *, typographic: bool = False) -> str:
    """The text as Slack hands it on."""
    parts = _CODE.split(text)
    return "".join(
        _escaped(part) if place % 2 else _prose(world, part, typographic) for place, part in enumerate(parts)
    )


def typed_command(world: World, text: str, *, typographic: bool = False) -> str:
    """The text of a slash command: links stay as typed, people and channels too unless the app asks otherwise.

    Where the manifest has ``should_escape``, ``@bob`` becomes ``<@U…|bob>`` and ``#images`` ``<#C…|images>``
    (docs.slack.dev/interactivity/implementing-slash-commands).
    """
    text = _escaped(_typographic(text) if typographic else text)
    if not world.app.escapes_commands:
        return text
    return re.sub(r"(?<!\w)[@#][\w.-]*\w", lambda match: _in_command(world, match[0]), text)


def _in_command(world: World, found: str) -> str:
    named = _named(world, found) if found[0] == "@" else found
    if named.startswith("<@"):
        return f"{named[:-1]}|{found[1:]}>"
    channel = world.named(found) if found[0] == "#" else None
    return f"<#{channel.id}|{channel.name}>" if channel else found


def _typographic(text: str) -> str:
    text = re.sub(r'(^|[\s(])"', "\\1\u201c", text).replace('"', "\u201d")
    return re.sub(r"(^|[\s(])'", "\\1\u2018", text).replace("'", "\u2019").replace("--", "\u2014")


def _escaped(text: str) -> str:
    return re.sub("[&<>]", lambda match: _ESCAPED[match[0]], text)


def _prose(world: World, text: str, typographic: bool) -> str:
    if typographic:
        text = _typographic(text)
    return _TOKEN.sub(lambda match: _rewritten(world, match), text)


def _rewritten(world: World, match: re.Match[str]) -> str:
    found, kind = match[0], match.lastgroup
    if kind == "given":
        return found
    if kind == "mail":
        return f"<mailto:{found}|{found}>"
    if kind == "url":
        return f"<{_escaped(found)}>"
    if kind == "site":
        return f"<http://{_escaped(found)}|{_escaped(found)}>"
    if kind == "person":
        return _named(world, found)
    if kind == "room":
        channel = world.named(found)
        return f"<#{channel.id}|{channel.name}>" if channel else found
    return _ESCAPED[found]


def _named(world: World, found: str) -> str:
    name = found[1:]
    if name in ("here", "channel", "everyone"):
        return f"<!{name}>"
    user = next((user for user in world.users.values() if user.name == name), None)
    if user:
        return f"<@{user.id}>"
    group = next((group for group in world.groups.values() if group.handle == name), None)
    return f"<!subteam^{group.id}>" if group else found
