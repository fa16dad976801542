"""A card as the content of a Matrix event: a plain body, HTML beside it, and relations."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

from slipway.bot.chat.model import Card, Table
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.chat.shared.plain import (
    clean,
    clean_line,
    display_width,
    headline,
    render_plain,
    spans,
    table_lines,
)
from slipway.bot.chat.shared.shorten import shorten

MAX_CONTENT_BYTES = 40_000
"""How large a content may be, as ASCII. An event may have 65,536 bytes (spec, "Size limits"); nio encrypts JSON in
which each sign beyond ASCII is escaped by six bytes or twelve, encryption makes that a third larger, and the rest is
for what the servers add: hashes, signatures, links to earlier events."""

PHONE_WIDTH = 40
"""Signs of a fixed-width font that a phone held upright shows in a line."""

_LONG_ID = "$" + "x" * 254  # the longest id that an event may have

_USER_ID = re.compile(r"@[^:\s]+:\S+")


def message(card: Card, *, thread: str | None) -> JsonObject:
    """The content that shows a card, in a thread if one is named by its root, and as the answer that it is."""
    return _fitted(card, lambda part: _message(part, thread))


def replacement(card: Card, message_id: str) -> JsonObject:
    """The content that replaces an earlier message by a card.

    The body for clients that know no edits is the title alone. Nobody is notified again: the mentions stand
    in the new content only.
    """
    return _fitted(card, lambda part: _replacement(part, message_id))


def notice(text: str) -> JsonObject:
    """The content of one plain sentence."""
    return {"msgtype": "m.notice", "body": text, "m.mentions": {}}


def fits(card: Card) -> bool:
    """Whether one message has room for the whole card, first sent or as an edit."""
    return _is_within_limit(_message(card, _LONG_ID)) and _is_within_limit(_replacement(card, _LONG_ID))


def _fitted(card: Card, make: Callable[[Card], JsonObject]) -> JsonObject:
    return make(shorten(card, fits))


def _is_within_limit(content: JsonObject) -> bool:
    return len(json.dumps(content)) <= MAX_CONTENT_BYTES


def _message(card: Card, thread: str | None) -> JsonObject:
    content = _body(card)
    answers = {"m.in_reply_to": {"event_id": card.answers}} if card.answers is not None else {}
    if thread is not None:
        content["m.relates_to"] = thread_relation(thread) | (
            {**answers, "is_falling_back": False} if answers else {}
        )
    elif answers:
        content["m.relates_to"] = answers
    return content


def thread_relation(root: str) -> JsonObject:
    """What makes an event stand in the thread of a message."""
    return {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": root},
    }


def replaced_by(content: JsonObject, message_id: str) -> JsonObject:
    """The content that replaces an earlier message by another; clients that know no edits show it beside that."""
    relation = {"rel_type": "m.replace", "event_id": message_id}
    return {**content, "m.new_content": content, "m.relates_to": relation}


def _replacement(card: Card, message_id: str) -> JsonObject:
    new = _body(card)
    return {
        "msgtype": new["msgtype"],
        "body": f"* {headline(card)}",
        "m.mentions": {},
        "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": message_id},
    }


def _body(card: Card) -> JsonObject:
    mentions = [user for user in dict.fromkeys(card.mentions) if _USER_ID.fullmatch(user)]
    return {
        # The default push rules silence notices before they look at mentions (spec,
        # `.m.rule.suppress_notices`): what somebody is called for has to be a text.
        "msgtype": "m.text" if mentions else "m.notice",
        "body": render_plain(card),
        "format": "org.matrix.custom.html",
        "formatted_body": render_html(card),
        # Always there, so that clients do not look for names in the text (spec, "User and room mentions").
        "m.mentions": {"user_ids": mentions} if mentions else {},
    }


def render_html(card: Card) -> str:
    """The card as the HTML that Matrix clients show; everything in it is escaped.

    Tables are preformatted text: ``<table>`` runs together in Element X and most phones, ``<pre>`` nowhere. What is
    wider than a phone would be cut off there, or broken into pieces: it becomes a list.
    """
    parts = [f"<strong>{_inline(headline(card))}</strong>"]
    if card.mentions:
        parts.append("<p>For " + ", ".join(map(_mention, card.mentions)) + "</p>")
    if card.text:
        parts.append(f"<p>{_inline(clean(card.text))}</p>")
    if card.fields:
        lines = (
            f"<b>{_inline(clean_line(field.label))}:</b> {_inline(clean(field.value))}"
            for field in card.fields
        )
        parts.append("<p>" + "<br>".join(lines) + "</p>")
    for table in card.tables:
        if table.title:
            parts.append(f"<p><b>{_inline(clean_line(table.title))}</b></p>")
        parts.append(_table(table))
    if card.notes:
        parts.append(_list([_inline(clean(note)) for note in card.notes]))
    return "".join(parts)


def _table(table: Table) -> str:
    lines = table_lines(table)
    if max(map(display_width, lines)) <= PHONE_WIDTH:
        return f"<pre><code>{_escaped(chr(10).join(lines))}</code></pre>"
    return _list([_row(table.columns, row) for row in table.rows])


def _row(columns: Sequence[str], row: Sequence[str]) -> str:
    """A row as a few lines: up to the first cell that has a heading, then each other cell behind its own.

    What is numbered needs no heading.
    """
    first = next((index for index, column in enumerate(columns) if column), len(columns) - 1) + 1
    heading = (f"{columns[0]}:",) if first == 1 and columns[0] else ()
    lead = " ".join(cell for cell in (*heading, *row[:first]) if cell)
    lines = [f"<b>{_inline(clean_line(lead))}</b>"]
    lines += [
        f"{_inline(clean_line(column))}: {_inline(clean_line(cell))}"
        for column, cell in zip(columns[first:], row[first:], strict=True)
        if cell not in ("", "-")
    ]
    return "<br>".join(lines)


def _list(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)


def _inline(text: str) -> str:
    """Escaped text with code spans as ``<code>`` and newlines as ``<br>``."""
    return "".join(
        f"<code>{_escaped(span.text)}</code>" if span.code else _escaped(span.text).replace("\n", "<br>")
        for span in spans(text)
    )


def _mention(user: str) -> str:
    name = _escaped(clean_line(user))
    if not _USER_ID.fullmatch(user):
        return name
    return f'<a href="https://matrix.to/#/{quote(clean_line(user), safe="@:")}">{name}</a>'
