"""What every way of showing messages shares, and the two that need no terminal: plain text and JSON lines."""

from __future__ import annotations

import json
from typing import Protocol

from slipway.bot.chat.console.board import Offer, Posted
from slipway.bot.chat.model import SYMBOLS, Button, Card, Shortcut, Tone
from slipway.bot.chat.shared.plain import clean, clean_line, headline, render_plain

_UNDER_WAY = (Tone.WAITING, Tone.RUNNING)
_MOST_NEWS = 3  # changed lines that an update tells
_LONGEST_NEWS = 160  # characters
_LONGEST_NAMED = 60  # characters of a line that an answer names
_LONGEST_SAID = 400  # characters of a script's line that are shown: it may hold a whole pasted file


class Renderer(Protocol):
    """Turns what is said into text for the stream, without a newline at the end; None shows nothing."""

    def message(self, posted: Posted) -> str | None:
        """A message of the bot, or an edit of one."""
        ...

    def said(self, speaker: str, text: str) -> str | None:
        """What a script has somebody say."""
        ...

    def narration(self, text: str) -> str | None:
        """A sentence to the reader."""
        ...


class PlainRenderer:
    """Plain text, one blank line after each message."""

    def message(self, posted: Posted) -> str | None:
        """The card as text; an update as one line; None where an edit changed nothing, or says what another did."""
        if posted.card == posted.before or is_repetition(posted):
            return None
        if is_update(posted):
            return update_line(posted, whole=True)
        parts = [render_plain(posted.card)]
        if posted.offers:
            parts.append(
                "  ".join(f"[{offer.number}] {clean_line(offer.button.label)}" for offer in posted.offers)
            )
        text = "\n\n".join(parts)
        if mark := thread_mark(posted):
            text = "\n".join([mark, *(f"  {line}".rstrip() for line in text.split("\n"))])
        if posted.answered:
            text = f"{answer_mark(posted)}\n{text}"
        return text + "\n"

    def said(self, speaker: str, text: str) -> str | None:
        """``alice> !images``."""
        return f"{speaker}> {said_line(text)}"

    def narration(self, text: str) -> str | None:
        """``# Look around first.``, as a comment in a script."""
        return f"\n# {clean_line(text)}"


class JsonRenderer:
    """One JSON object a line for each message of the bot, and nothing else."""

    def message(self, posted: Posted) -> str | None:
        """The object; its keys always stand in the same order."""
        card = posted.card.model_dump(mode="json")
        return json.dumps(
            {
                "id": posted.id,
                "room": posted.room,
                "thread": posted.thread,
                "title": card["title"],
                "text": card["text"],
                "fields": card["fields"],
                "tables": card["tables"],
                "notes": card["notes"],
                "buttons": _buttons(posted.offers),
                "shortcuts": _shortcuts(posted.offers),
                "tone": card["tone"],
                "edits": posted.edits,
                "mentions": card["mentions"],
                "outcome": card["outcome"],
                "operation": card["operation"],
            },
            ensure_ascii=False,
        )

    def said(self, speaker: str, text: str) -> str | None:
        """Nothing: only the bot speaks JSON."""
        return None

    def narration(self, text: str) -> str | None:
        """Nothing: only the bot speaks JSON."""
        return None


def _buttons(offers: tuple[Offer, ...]) -> list[dict[str, str | int]]:
    return [
        {
            "number": offer.number,
            "choice": offer.button.choice.value,
            "label": offer.button.label,
            "operation": offer.button.operation_id,
        }
        for offer in offers
        if isinstance(offer.button, Button)
    ]


def _shortcuts(offers: tuple[Offer, ...]) -> list[dict[str, str | int]]:
    return [
        {"number": offer.number, "label": offer.button.label, "command": offer.button.command}
        for offer in offers
        if isinstance(offer.button, Shortcut)
    ]


def said_line(text: str) -> str:
    """What a script has somebody say, on one line and not without end."""
    line = clean_line(text)
    return line if len(line) <= _LONGEST_SAID else line[: _LONGEST_SAID - 1] + "…"


def is_awaited(card: Card) -> bool:
    """Whether a card says no more than that something is under way: what comes of it takes its place."""
    return card.model_copy(update={"answers": None}) == Card(tone=Tone.RUNNING, title=card.title)


def is_repetition(posted: Posted) -> bool:
    """Whether an edit brings no news: another card of the same operation was changed to say that already.

    What takes the place of a line that something is under way is an answer, and told all the same.
    """
    waited = posted.before is None or is_awaited(posted.before)
    return posted.repeated and not waited and not posted.fresh


def is_update(posted: Posted) -> bool:
    """Whether an edit is told in one line: there is nothing new to press, and work is still under way or an operation
    has ended, which the report tells in full.

    The first that comes in place of a line that something is under way is told as a whole.
    """
    if posted.before is None or is_awaited(posted.before) or posted.fresh:
        return False
    about = posted.card.operation
    return posted.card.tone in _UNDER_WAY or (about is not None and about.ended)


def update_line(posted: Posted, *, whole: bool = False) -> str:
    """What an edit changed, in one line: ``▶ Running · op-7k3f: 2 of 5 steps``; all of it, or as much as fits."""
    news = _news(posted.before, posted.card, whole=whole) if posted.before else [posted.card.title]
    told = clean_line(" · ".join(news))
    warns = any(line.startswith(SYMBOLS[Tone.WARNING]) for line in news)
    if len(told) > _LONGEST_NEWS and not (whole or warns):
        told = told[: _LONGEST_NEWS - 1] + "…"
    name = f"{posted.name}: " if posted.name and posted.name not in told else ""
    mark = "↳ " if posted.thread else ""
    return mark + headline(Card(tone=posted.card.tone, title=name + told))


def _news(before: Card, now: Card, *, whole: bool) -> list[str]:
    known = set(_lines(before))
    changed = [line for line in _lines(now) if line not in known]
    warnings = [line for line in changed[_MOST_NEWS:] if line.startswith(SYMBOLS[Tone.WARNING])]
    told = changed if whole else [*changed[:_MOST_NEWS], *warnings]
    if now.title != before.title or not told:
        told.insert(0, now.title)
    return told


def _lines(card: Card) -> list[str]:
    lines = [line.strip() for line in clean(card.text).split("\n") if line.strip()]
    lines += [f"{field.label}: {field.value}" for field in card.fields]
    lines += ["  ".join(filter(None, row)) for table in card.tables for row in table.rows]
    return lines


def answer_mark(posted: Posted) -> str:
    """``↳ to `!images` `` for an answer that could be taken for that to another line."""
    line = clean_line(posted.answered).replace("`", "")
    return f"↳ to `{line if len(line) <= _LONGEST_NAMED else line[: _LONGEST_NAMED - 1] + '…'}`"


def thread_mark(posted: Posted) -> str:
    """``↳ in op-7k3f`` for what stands in a thread; empty for the rest."""
    if posted.thread is None:
        return ""
    return f"↳ in {posted.thread_name}" if posted.thread_name else "↳ in a thread"
