"""Whether a message mentions the bot, and what it says to it: pure rules.

What counts are ids, links and names as clients write them: the full id, a pill (a link to the account by
``https://matrix.to/#/…`` or by the specification's ``matrix:u/…``), and the bot's names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from slipway.bot.chat.shared.mentions import Said, said_around
from slipway.bot.chat.shared.payloads import value_at

_COLON = re.compile("\\s*[:,\uff1a\uff0c]\\s*")  # the full-width ones, too
# In @slipway:elsewhere.org the colon belongs to another's id.
_AT_COLON = re.compile("\\s*(?:[:,](?:\\s+|$)|[\uff1a\uff0c]\\s*)")
_SPACE = re.compile(r"\s+|$")
_PILL = re.compile(r'\s*(?:<p>\s*)?<a\s[^>]{0,200}?href="([^"]{1,500})"[^>]{0,200}>([^<]{1,300})</a>')
_MARKDOWN_PILL = re.compile(r"\[([^\]\n]{1,300})\]\(((?:https://matrix\.to/#/|matrix:u/)[^)\s]{1,500})\)")
_QUOTE = ("<mx-reply>", "</mx-reply>")  # around what older clients put in front of a reply
_SEARCHED = 4_000  # characters in which a mention is looked for; a longer message is no command
# What a message begins with that names somebody else, and is no prefix of a command.
_SOMEBODY = re.compile(r"\s*(?:\[[^\]\n]{1,300}\]\(|@[^\s:]{1,255}:\S)")
_MATRIX_TO = "https://matrix.to/#/"
_MATRIX_URI = "matrix:u/"  # "Matrix URI scheme" of the specification; the id follows without its sigil


@dataclass(frozen=True)
class BotUser:
    """The bot as others see it."""

    user_id: str
    display_name: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What people write at the start of a line to speak to it, but for the full id."""
        local = self.user_id[1:].partition(":")[0]
        plain = [name for name in (local, self.display_name.strip()) if name]
        return tuple(dict.fromkeys(form for name in plain for form in (f"@{name}", name)))


def said_to(body: str, content: Mapping[str, Any], bot: BotUser) -> Said | None:
    """What is said to the bot where it is first mentioned; None where it is not, or only within a command.

    Behind other words only what is certain counts: the full id, a pill, or a name together with ``m.mentions``. In an
    answer to a message of the bot those name it in any case.
    """
    rest = strip_mention(body, content, bot)
    if rest is not None:
        return Said(rest, certain=True)
    found = _mentioned_at(body, content, bot)
    if found is None:
        return None
    before = body[: found[0]].lstrip()
    # Somebody else's mention is a word, and no sign that a command could begin with.
    return said_around(f"_{before}" if _SOMEBODY.match(before) else before, body[found[1] :])


def _mentioned_at(body: str, content: Mapping[str, Any], bot: BotUser) -> tuple[int, int] | None:
    """From where to where a body mentions the bot for certain, the first time."""
    answers = value_at(content, "m.relates_to", "m.in_reply_to") is not None
    names = bot.names if is_mentioned(content, bot) and not answers else ()
    forms = [re.escape(form) for form in (bot.user_id, *_pill_labels(content, bot, anywhere=True), *names)]
    alternatives = "|".join(sorted(forms, key=len, reverse=True))
    head = body[:_SEARCHED]
    found = re.search(rf"(?<![\w@])(?:{alternatives})(?![\w:.-]*\w)", head, re.IGNORECASE)
    pill = next((each for each in _MARKDOWN_PILL.finditer(head) if _links_to(each.group(2), bot)), None)
    spans = [match.span() for match in (pill, found) if match is not None]
    return min(spans, default=None)


def strip_mention(body: str, content: Mapping[str, Any], bot: BotUser) -> str | None:
    """What follows if the body begins by mentioning the bot; None if it does not.

    The full id, a pill that links to it, or a name together with ``m.mentions`` are certain. A name alone
    counts with a colon or comma behind it, as people write it in clients without pills.
    """
    body = body.lstrip()
    markdown = _MARKDOWN_PILL.match(body)
    if markdown and _links_to(markdown.group(2), bot):
        body = markdown.group(1) + body[markdown.end() :]
        return _after_name(body, (markdown.group(1),), certain=True)
    names = bot.names if is_mentioned(content, bot) else ()
    certain = (bot.user_id, *_pill_labels(content, bot), *names)
    rest = _after_name(body, certain, certain=True)
    return rest if rest is not None else _after_name(body, bot.names, certain=False)


def is_mentioned(content: Mapping[str, Any], bot: BotUser) -> bool:
    """Whether a message says beside its text that it mentions the bot, as an answer to a message of its does."""
    ids = value_at(content, "m.mentions", "user_ids")
    return isinstance(ids, list) and bot.user_id in ids


def _after_name(body: str, names: Sequence[str], *, certain: bool) -> str | None:
    for name in sorted(names, key=len, reverse=True):
        if body[: len(name)].casefold() == name.casefold():
            colon = _AT_COLON if name.startswith("@") else _COLON
            match = colon.match(body, len(name))
            if match is None and certain:
                match = _SPACE.match(body, len(name))
            if match:
                return body[match.end() :]
    return None


def _pill_labels(content: Mapping[str, Any], bot: BotUser, *, anywhere: bool = False) -> tuple[str, ...]:
    """What the pill says that links to the bot, with and without an @: the one that a message begins with, or any."""
    formatted = content.get("formatted_body")
    if not isinstance(formatted, str):
        return ()
    if formatted.startswith(_QUOTE[0]):
        formatted = formatted.partition(_QUOTE[1])[2]
    first = _PILL.match(formatted)
    pills = _PILL.finditer(formatted[:_SEARCHED]) if anywhere else filter(None, [first])
    linked = (each.group(2) for each in pills if _links_to(html.unescape(each.group(1)), bot))
    label = html.unescape(next(linked, "")).strip()
    return (label, f"@{label}") if label else ()


def _links_to(link: str, bot: BotUser) -> bool:
    for start, sigil in ((_MATRIX_TO, ""), (_MATRIX_URI, "@")):
        if link.startswith(start):
            target = link.removeprefix(start).partition("?")[0]
            return sigil + unquote(target) == bot.user_id
    return False
