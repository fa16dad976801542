"""Undoes Slack's markup in what people type: entities, links, mentions of people, channels and groups.

Source: Slack API, "Formatting text for app surfaces" and "Retrieving messages".
"""

from __future__ import annotations

import re

MAX_LENGTH = 12_000
"""Characters of a text that is read; a longer one is no command and stays as it is."""

MAX_ROUNDS = 10
"""How deep one markup may stand in another. What Slack sends is two or three deep; deeper was built to cost time, and
stays as it is."""

# Slack escapes exactly these three; `&amp;lt;` is what an already escaped text becomes on its way.
_ENTITY = re.compile(r"&(?:amp;)*(?:(amp|lt|gt);)")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}

_LINK = re.compile(r"<((?:https?|ftp|mailto|tel|slack):[^<>|]+)(?:\|([^<>]*))?>", re.IGNORECASE)
_MENTION = re.compile(r"<([@#])([A-Z][A-Z0-9]{2,})(?:\|[^<>]*)?>", re.ASCII)
_SPECIAL = re.compile(
    r"<!(?:(here|channel|everyone)|subteam\^([A-Z0-9]+)|date\^[^<>|]*)(?:\|([^<>]*))?>", re.ASCII
)


def undo_markup(text: str) -> str:
    """The text as its writer typed it.

    * ``&lt; &gt; &amp;`` become the characters they stand for.
    * ``<https://…|label>`` becomes the label, which is what was typed, unless that is empty, cut short or
      several words; then, or without a label, it becomes the address.
    * ``<@U123|name>`` becomes ``@U123`` and ``<#C123|name>`` ``#C123``: ids, for names prove nothing.
    * ``<!here>`` becomes ``@here``, a user group ``@S123``, a date the words that are shown for it.

    Pure and idempotent. A text that is too long, or in which markup stands too deep in markup, stays as it is.
    """
    if len(text) > MAX_LENGTH:
        return text
    done = text
    # Undoing one thing can bare another (an escaped link), so go on until nothing changes.
    for _ in range(MAX_ROUNDS):
        before, done = done, _undo(done)
        if done == before:
            return done
    return text


def _undo(text: str) -> str:
    text = _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)
    return _SPECIAL.sub(_special, _MENTION.sub(r"\1\2", _LINK.sub(_link, text)))


def _link(match: re.Match[str]) -> str:
    label = (match[2] or "").strip()
    if label and not label.endswith("…") and len(label.split()) == 1:
        return label
    return match[1]


def _special(match: re.Match[str]) -> str:
    group = match[1] or match[2]
    return f"@{group}" if group else (match[3] or "")
