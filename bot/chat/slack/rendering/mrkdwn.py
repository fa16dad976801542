"""Plain text as Slack's mrkdwn: everything escaped but code spans, and cut to what Slack takes."""

from __future__ import annotations

import re

from slipway.bot.chat.shared.plain import clean, spans

JOINER = "\N{WORD JOINER}"
_MARKS = re.compile(r"(?<!\w)[*_~]|[*_~](?!\w)|:(?=[a-z0-9_+'-]+:)")
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """Text in which nothing is a link, a mention or an entity; as every text that Slack gets must be."""
    return re.sub("[&<>]", lambda match: _ESCAPED[match[0]], text)


def mrkdwn(text: str, most: int) -> str:
    """A card's text as mrkdwn of at most so many characters, never empty.

    Code spans stay; what else Slack would take for formatting or an emoji gets an invisible joiner at its
    side. Whatever reads commands takes joiners off again, so that a copied name still works.
    """
    text = clean(text).strip() or "-"
    marked, kept = _mrkdwn(text), len(text)
    while len(marked) > most:
        kept = max(0, min(kept - 1, kept * most // len(marked)))
        marked = _mrkdwn(f"{text[:kept]}…")
    return marked


def short(text: str, most: int) -> str:
    """At most so many characters, with “…” where something was cut; never empty."""
    text = text.strip() or "-"
    return text if len(text) <= most else text[: most - 1] + "…"


def short_in_bytes(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, with “…” where something was cut."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    return encoded[: most - len("…".encode())].decode(errors="ignore") + "…"


def mention(account: str) -> str:
    """How an account is mentioned; a workspace behind it (``U…/T…``) is left out."""
    return f"<@{account.partition('/')[0]}>"


def _mrkdwn(text: str) -> str:
    return "".join(f"`{escape(span.text)}`" if span.code else _prose(span.text) for span in spans(text))


def _prose(text: str) -> str:
    # A backtick that marks nothing could pair up with one that does.
    literal = text.replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
    return _MARKS.sub(lambda match: f"{JOINER}{match[0]}{JOINER}", escape(literal))
